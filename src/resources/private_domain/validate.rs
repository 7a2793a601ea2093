//! How the attributes of a private domain fit each other.
//!
//! **Invariant:** calls nothing. What is not known yet is not judged.

use std::collections::{BTreeMap, BTreeSet};

use super::key::{GATEWAY, STUDIO};
use super::model::{Endpoints, HostedZone, Model};
use super::schema::DEFAULT_SERVICES;
use crate::framework::{Diagnostic, Diagnostics, Path, Value};
use crate::policy::document::Document;
use crate::resources::values::{StringMap, known_set, overlaps};

/// Checks a configuration, or a plan.
pub fn validate(model: &Model) -> Diagnostics {
    let mut found = Diagnostics::new();
    found.extend(adoption(model));
    found.extend(landing(model));
    found.extend(clients(model));
    if let Some(endpoints) = model.endpoints.known() {
        found.extend(policies(endpoints));
        if let Some(zone) = model.hosted_zone.known() {
            found.extend(parents(zone, endpoints));
        }
        found.extend(studio_for_zones(model, endpoints));
    }
    if let Some(zone) = model.hosted_zone.known() {
        found.extend(zones(zone, model));
    }
    found
}

/// What a domain of one's own needs, and what has no effect on an adopted one.
fn adoption(model: &Model) -> Vec<Diagnostic> {
    let error =
        |attribute: &str, summary: String, text: String| Diagnostic::error(summary, text).at(Path::root(attribute));
    match &model.existing_domain_id {
        Value::Unknown => Vec::new(),
        Value::Null => [("name", model.name.is_null()), ("execution_role_arn", model.execution_role_arn.is_null())]
            .into_iter()
            .filter_map(|(attribute, missing)| missing.then_some(attribute))
            .map(|attribute| {
                let text = format!(
                    "A domain is made, and needs {attribute}. Write it, or adopt a domain with existing_domain_id."
                );
                error(attribute, format!("{attribute} is missing"), text)
            })
            .collect(),
        Value::Known(id) => {
            let efs = model.home_efs.known();
            let keeps = efs.is_none_or(|efs| {
                efs.on_destroy.text().is_none_or(|text| text == "retain") && efs.enabled.known() != Some(&false)
            });
            [("kms_key_id", model.kms_key_id.is_known()), ("home_efs", !keeps)]
                .into_iter()
                .filter_map(|(attribute, written)| written.then_some(attribute))
                .map(|attribute| {
                    let text = format!("{id} is adopted: its storage is left as it is, and stays. Remove {attribute}.");
                    error(attribute, format!("{attribute} has no effect on an adopted domain"), text)
                })
                .collect()
        }
    }
}

/// Users cannot land in the web portal while it is turned off (UserSettings, SageMaker API reference).
fn landing(model: &Model) -> Option<Diagnostic> {
    let settings = model.default_user_settings.known()?;
    let lands = settings.default_landing_uri.text()?.starts_with("studio::");
    if !lands || settings.studio_web_portal.text() != Some("DISABLED") {
        return None;
    }
    let text = "Users land in the web portal, which is DISABLED: SageMaker refuses that. Set studio_web_portal to \"ENABLED\", or let them land elsewhere, such as \"app:JupyterServer:\".";
    let path = Path::root("default_user_settings").attribute("default_landing_uri");
    Some(Diagnostic::error("Nowhere to land", text).at(path))
}

/// Client ranges need a group of ours to be opened in.
fn clients(model: &Model) -> Vec<Diagnostic> {
    let mut found = overlaps(&model.client_cidr_blocks);
    let Some(endpoints) = model.endpoints.known() else {
        return found;
    };
    let no_group = if endpoints.security_group_ids.is_known() {
        Some("The endpoints have security groups of your own")
    } else if made_services(endpoints).is_some_and(|made| made.is_empty()) {
        Some("All endpoints are adopted, and keep their security groups")
    } else {
        None
    };
    if let Some(why) = no_group.filter(|_| model.client_cidr_blocks.known().is_some_and(|blocks| !blocks.is_empty())) {
        let text = format!(
            "{why}, so there is no group here that the ranges could be opened in. Open port 443 in those groups, and remove client_cidr_blocks."
        );
        found.push(Diagnostic::error("client_cidr_blocks has no effect", text).at(Path::root("client_cidr_blocks")));
    }
    found
}

/// The services that get an endpoint, if that is known.
fn made_services(endpoints: &Endpoints) -> Option<BTreeSet<String>> {
    let adopted = keys(&endpoints.existing)?;
    Some(services(endpoints)?.difference(&adopted).cloned().collect())
}

/// All services, if they are known.
fn all_services(endpoints: &Endpoints) -> Option<BTreeSet<String>> {
    Some(services(endpoints)?.union(&keys(&endpoints.existing)?).cloned().collect())
}

/// `services`, also before its default is put in.
fn services(endpoints: &Endpoints) -> Option<BTreeSet<String>> {
    match &endpoints.services {
        Value::Null => Some(DEFAULT_SERVICES.map(str::to_owned).into()),
        services => known_set(services),
    }
}

fn keys(map: &StringMap) -> Option<BTreeSet<String>> {
    match map {
        Value::Known(map) => Some(map.keys().cloned().collect()),
        Value::Null => Some(BTreeSet::new()),
        Value::Unknown => None,
    }
}

fn studio_for_zones(model: &Model, endpoints: &Endpoints) -> Vec<Diagnostic> {
    let wants_zones =
        model.hosted_zone.known().is_none_or(|zone| !matches!(&zone.mode, Value::Known(mode) if mode == "none"));
    let services = all_services(endpoints).filter(|services| wants_zones && !services.contains(STUDIO));
    let error = services.map(|services| {
        let text = format!(
            "The hosted zones point at the studio endpoint, and services has only {}. Add \"studio\", or set hosted_zone.mode to \"none\".",
            services.into_iter().collect::<Vec<_>>().join(", ")
        );
        Diagnostic::error("No endpoint for the hosted zones", text).at(Path::root("endpoints").attribute("services"))
    });
    error.into_iter().collect()
}

/// Policies are documents, for endpoints that there are.
fn policies(endpoints: &Endpoints) -> Vec<Diagnostic> {
    let path = |service: &str| Path::root("endpoints").attribute("policies").key(service);
    let gateway = !endpoints.s3_gateway_route_table_ids.is_null();
    let services = all_services(endpoints);
    let mut found = Vec::new();
    for (service, policy) in endpoints.policies.known().into_iter().flatten() {
        let exists = match service.as_str() {
            GATEWAY => gateway,
            service => services.as_ref().is_none_or(|services| services.contains(service)),
        };
        if !exists {
            let text = format!(
                "{service:?} is neither among services nor in existing, so there is no endpoint to give this policy to."
            );
            found.push(Diagnostic::error(format!("There is no endpoint for {service}"), text).at(path(service)));
        }
        if let Some(Err(error)) = policy.text().map(Document::parse) {
            let text = format!("It is not a policy document: {error}.");
            found.push(Diagnostic::error(format!("Invalid policy for {service}"), text).at(path(service)));
        }
    }
    found
}

/// Where the endpoint's private DNS is on, AWS itself serves the parents in the VPC.
fn parents(zone: &HostedZone, endpoints: &Endpoints) -> Vec<Diagnostic> {
    let private_dns = endpoints.private_dns_enabled.known().copied().or(match endpoints.private_dns_enabled {
        Value::Null => Some(true),
        Value::Known(_) | Value::Unknown => None,
    });
    let adopts_studio = keys(&endpoints.existing).is_none_or(|existing| existing.contains(STUDIO));
    let further = zone.vpc_associations.known().map_or(zone.vpc_associations.is_unknown(), |vpcs| !vpcs.is_empty())
        // Whether a zone is left to be made is known when the parents are.
        || keys(&zone.existing_zone_ids).is_none_or(|zones| !zones.is_empty());
    if zone.mode.text() != Some("parent") || adopts_studio || further || private_dns != Some(true) {
        return Vec::new();
    }
    vec![no_vpc_for_parents()]
}

/// The zones of the mode `parent` would answer nowhere.
pub fn no_vpc_for_parents() -> Diagnostic {
    let text = "The studio endpoint's private DNS is on, so AWS serves Studio's parents in vpc_id already, and a second zone of the same name is refused there. Zones of your own are of use in other VPCs only: name them in hosted_zone.vpc_associations, or set endpoints.private_dns_enabled to false, or use the mode \"domain\" or \"none\".";
    Diagnostic::error("No VPC for the parent zones", text).at(Path::root("hosted_zone").attribute("mode"))
}

fn zones(zone: &HostedZone, model: &Model) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if zone.mode.text() == Some("none") {
        let without_effect = [
            ("existing_zone_ids", zone.existing_zone_ids.known().is_some_and(|zones| !zones.is_empty())),
            ("vpc_associations", zone.vpc_associations.known().is_some_and(|vpcs| !vpcs.is_empty())),
        ];
        for (attribute, _) in without_effect.into_iter().filter(|(_, written)| *written) {
            let text =
                format!("hosted_zone.mode is \"none\": there are no zones. Remove {attribute}, or set the mode.");
            let path = Path::root("hosted_zone").attribute(attribute);
            found.push(Diagnostic::error(format!("{attribute} has no effect"), text).at(path));
        }
    }
    found.extend(associations(zone, model));
    found
}

/// Every VPC once, and the resource's own not at all.
fn associations(zone: &HostedZone, model: &Model) -> Vec<Diagnostic> {
    let path = || Path::root("hosted_zone").attribute("vpc_associations");
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for vpc in zone.vpc_associations.known().into_iter().flatten().filter_map(|vpc| vpc.vpc_id.text()) {
        *times.entry(vpc).or_default() += 1;
    }
    let mut found = Vec::new();
    for (vpc, times) in times {
        if Some(vpc) == model.vpc_id.text() {
            let text = format!("{vpc} is vpc_id. The zones that can answer in it do so already; remove it here.");
            found.push(Diagnostic::error("The resource's own VPC is associated anyway", text).at(path()));
        }
        if times > 1 {
            let text = format!("{vpc} stands here {times} times, with different Regions or roles. Keep one of them.");
            found.push(Diagnostic::error("A VPC is given twice", text).at(path()));
        }
    }
    found
}
