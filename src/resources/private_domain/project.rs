//! From the record into the model.
//!
//! What the user wrote and AWS does not show stays as written. An import starts with nothing written; then what AWS
//! shows is written down in the way a user would.
//!
//! **Invariant:** pure.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::changes;
use super::desired::associations as associations_of;
use super::key::{ACCESS, GATEWAY, STUDIO, Slot};
use super::model::{
    DefaultUserSettings, EndpointDns, Endpoints, HomeEfs, HostedZone, Model, UserProfile, VpcAssociation,
};
use super::recorded::{Association, Domain, Profile, Recorded, Zone};
use super::schema::DEFAULT_SERVICES;
use super::zones;
use crate::aws::sagemaker::Toggle;
use crate::aws::sagemaker::domain_types::{DomainAddressType, IdleTimeout};
use crate::aws::tags::merge;
use crate::aws::{Clients, Tags};
use crate::dns::zones::{Fips, Region, served_parents};
use crate::framework::Value;
use crate::resources::values::{StringMap, Strings, known_set, known_tags, shown_tags, string_map, strings};

/// The model, with everything that is known to exist put in. What the user wrote and AWS does not show stays.
pub fn project(mut model: Model, recorded: &Recorded, clients: &Clients) -> Model {
    model.forward_zones = Value::Known(parents(recorded, clients));
    project_endpoints(&mut model, recorded);
    project_zones(&mut model, recorded);
    if let Some(group) = &recorded.endpoint_group {
        model.client_cidr_blocks = client_blocks(&model.client_cidr_blocks, &changes::client_blocks(&group.rules));
    }
    model.domain_security_group_id = recorded.domain_group.as_ref().map(|group| group.id.to_string()).into();
    model.endpoint_security_group_id = recorded.endpoint_group.as_ref().map(|group| group.id.to_string()).into();
    model.region = Value::Known(clients.region().to_string());
    model.account_id = clients.account_id().map(ToString::to_string).into();
    match &recorded.domain {
        Some(domain) => {
            let names = zones::host_names(domain, model.forward_zones.known().map_or(&[][..], Vec::as_slice));
            model.host_names = Value::Known(names);
            project_domain(&mut model, domain, recorded, clients.default_tags());
        }
        None => {
            for missing in [&mut model.id, &mut model.domain_id, &mut model.arn, &mut model.url, &mut model.fqdn] {
                *missing = Value::Null;
            }
            model.host_names = Value::Null;
            model.home_efs_file_system_id = Value::Null;
        }
    }
    model
}

/// The client ranges that are open, in the user's spelling where there is one.
fn client_blocks(written: &Strings, open: &BTreeSet<IpNet>) -> Strings {
    if written.is_null() && open.is_empty() {
        return Value::Null;
    }
    let written = known_set(written).unwrap_or_default();
    let spelled = |block: &IpNet| {
        let as_written = written.iter().find(|text| text.parse::<IpNet>().ok().as_ref() == Some(block));
        as_written.cloned().unwrap_or_else(|| block.to_string())
    };
    strings(open.iter().map(spelled).collect::<BTreeSet<_>>())
}

/// The parents of Studio's names: those that the studio endpoint serves, or, without one, those of the Region.
pub fn parents(recorded: &Recorded, clients: &Clients) -> Vec<String> {
    let served = recorded.endpoint(STUDIO).map(|endpoint| endpoint.private_names.as_slice()).unwrap_or_default();
    served_by(served, clients)
}

/// The same, from what a service's private DNS answers for.
pub fn served_by(private_names: &[String], clients: &Clients) -> Vec<String> {
    let fips = if clients.uses_fips() { Fips::Yes } else { Fips::No };
    let Ok(region) = Region::new(clients.region().as_str()) else {
        return Vec::new();
    };
    served_parents(private_names, &region, fips).iter().map(|zone| zone.as_str().to_owned()).collect()
}

fn project_domain(model: &mut Model, domain: &Domain, recorded: &Recorded, default_tags: &Tags) {
    let id = Value::Known(domain.id.to_string());
    let is_import = model.name.is_null();
    model.id = id.clone();
    model.domain_id = id;
    model.name = Value::Known(domain.name.clone());
    model.vpc_id = Value::Known(domain.vpc_id.clone());
    model.auth_mode = domain.auth_mode.clone().map_or(model.auth_mode.clone(), Value::Known);
    model.arn = Some(domain.arn.clone()).filter(|arn| !arn.is_empty()).into();
    model.url = domain.url.clone().into();
    model.fqdn = zones::fqdn(domain).into();
    model.home_efs_file_system_id = domain.file_system_id.as_ref().map(ToString::to_string).into();
    model.user_profiles = profiles(&model.user_profiles, &model.tags_all, recorded, domain);
    if !domain.adopted || model.execution_role_arn.is_known() {
        model.execution_role_arn = domain.settings.execution_role.as_ref().map(ToString::to_string).into();
    }
    model.default_user_settings = settings(&model.default_user_settings, domain, recorded, is_import);
    if domain.adopted {
        return;
    }
    // A domain cannot change its key, so another form of it (an alias, an ARN) is no drift, and must not replace the
    // domain. Only an import, where nothing is written yet, takes over what AWS shows.
    if is_import {
        model.kms_key_id = domain.kms_key_id.clone().into();
        model.force_destroy = Value::Known(false);
    }
    model.subnet_ids = strings(domain.subnet_ids.iter().map(ToString::to_string));
    let address_type = domain.address_type.unwrap_or(DomainAddressType::Ipv4);
    model.ip_address_type = Value::Known(address_type.as_str().to_owned());
    let on_destroy = domain.notes.on_destroy.clone().unwrap_or_else(|| "retain".to_owned()).into();
    let enabled = match model.home_efs.known().map(|efs| efs.enabled) {
        // A domain that is still being made has its file system some time later.
        Some(wanted) if !domain.ready => wanted,
        Some(_) | None => Value::Known(domain.file_system_id.is_some()),
    };
    model.home_efs = Value::Known(HomeEfs { enabled, on_destroy });
    (model.tags, model.tags_all) = shown_tags(&model.tags, &domain.tags, default_tags);
}

/// The settings that are written, as they are now. After an import, those that the domain's tags name; without such
/// tags, all that are set.
fn settings(
    written: &Value<DefaultUserSettings>,
    domain: &Domain,
    recorded: &Recorded,
    is_import: bool,
) -> Value<DefaultUserSettings> {
    let notes = domain.notes.settings.as_deref();
    let noted = |word: &str| match notes {
        Some(words) => words.split(' ').any(|one| one == word),
        None => domain.notes.on_destroy.is_none(),
    };
    let before = written.known();
    if before.is_none() && !is_import {
        return written.clone();
    }
    let shows = |word: &str, was_written: Option<bool>| was_written.unwrap_or_else(|| noted(word));
    let toggle = |toggle: Option<Toggle>| toggle.map(|toggle| toggle.as_str().to_owned()).into();
    let idle = match domain.settings.idle_timeout {
        Some(IdleTimeout::Minutes(minutes)) => Value::Known(minutes),
        Some(IdleTimeout::Never) | None => Value::Null,
    };
    let own = recorded.domain_group.as_ref().map(|group| &group.id);
    let groups = domain.settings.security_group_ids.iter().flatten().filter(|id| Some(*id) != own);
    let all_groups: Strings = strings(groups.map(ToString::to_string));
    let groups = match before.map(|before| &before.security_group_ids) {
        // An adopted domain has groups of its own beside those that are written.
        Some(Value::Known(written)) if domain.adopted => {
            let has = known_set(&all_groups).unwrap_or_default();
            Value::Known(written.iter().filter(|id| id.text().is_none_or(|id| has.contains(id))).cloned().collect())
        }
        Some(Value::Null) if domain.adopted || all_groups.known().is_some_and(Vec::is_empty) => Value::Null,
        None if all_groups.known().is_some_and(Vec::is_empty) => Value::Null,
        _ => all_groups,
    };
    let or_null = |shown: bool, value: Value<String>| if shown { value } else { Value::Null };
    let found = DefaultUserSettings {
        studio_web_portal: or_null(
            shows("portal", before.map(|before| before.studio_web_portal.is_known())),
            toggle(domain.settings.studio_web_portal),
        ),
        default_landing_uri: or_null(
            shows("landing", before.map(|before| before.default_landing_uri.is_known())),
            domain.settings.default_landing_uri.clone().into(),
        ),
        security_group_ids: groups,
        idle_timeout_minutes: match shows("idle", before.map(|before| before.idle_timeout_minutes.is_known())) {
            true => idle,
            false => Value::Null,
        },
        docker_access: or_null(
            shows("docker", before.map(|before| before.docker_access.is_known())),
            toggle(domain.docker_access),
        ),
    };
    let is_empty = found.studio_web_portal.is_null()
        && found.default_landing_uri.is_null()
        && found.security_group_ids.is_null()
        && found.idle_timeout_minutes.is_null()
        && found.docker_access.is_null();
    if is_empty && before.is_none() { Value::Null } else { Value::Known(found) }
}

fn profiles(
    written: &Value<BTreeMap<String, UserProfile>>,
    tags_all: &StringMap,
    recorded: &Recorded,
    domain: &Domain,
) -> Value<BTreeMap<String, UserProfile>> {
    if recorded.profiles.is_empty() && written.is_null() {
        return Value::Null;
    }
    // What a profile shares with the rest of the resource. An adopted domain's tags are its owner's.
    let shared =
        if domain.adopted { known_tags(tags_all).into_known().unwrap_or_default() } else { domain.tags.clone() };
    let project = |(name, profile): (&String, &Profile)| {
        let written = written.known().and_then(|written| written.get(name));
        let role = profile.execution_role_arn.as_ref();
        // A profile whose own role was taken back has the domain's. An import takes what it sees.
        let inherits = written.is_some_and(|written| written.execution_role_arn.is_null())
            && role == domain.settings.execution_role.as_ref();
        let own: Tags = profile.tags.iter().filter(|(key, value)| shared.get(*key) != Some(value)).map(owned).collect();
        let same_tags = written.is_some_and(|written| {
            let written = known_tags(&written.tags).into_known().unwrap_or_default();
            merge(&shared, &written) == profile.tags
        });
        let tags = match written {
            Some(written) if same_tags => written.tags.clone(),
            _ if own.is_empty() => Value::Null,
            _ => string_map(own),
        };
        let execution_role_arn = role.filter(|_| !inherits).map(ToString::to_string).into();
        (name.clone(), UserProfile { execution_role_arn, tags })
    };
    Value::Known(recorded.profiles.iter().map(project).collect())
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

fn project_endpoints(model: &mut Model, recorded: &Recorded) {
    let endpoints = recorded.all_endpoints();
    let gateway = recorded.gateway.iter().map(|gateway| (GATEWAY.to_owned(), gateway.id.to_string()));
    let ids = endpoints.iter().map(|(service, endpoint)| ((*service).clone(), endpoint.id.to_string()));
    model.endpoint_ids = Value::Known(ids.chain(gateway).collect());
    let access = ACCESS.iter().filter_map(|service| recorded.endpoint(service));
    model.access_endpoint_ids = Value::Known(access.map(|endpoint| endpoint.id.to_string()).collect());
    let ips = endpoints.iter().map(|(service, endpoint)| ((*service).clone(), endpoint.addresses.clone()));
    model.endpoint_ips = Value::Known(ips.collect());
    let dns = endpoints.iter().filter_map(|(service, endpoint)| {
        let (dns_name, zone) = endpoint.dns.clone()?;
        Some(((*service).clone(), EndpointDns { dns_name, hosted_zone_id: Some(zone.to_string()) }))
    });
    model.endpoint_dns = Value::Known(dns.collect());

    let private_dns: BTreeSet<bool> =
        recorded.endpoints.values().map(|endpoint| endpoint.private_dns_enabled).collect();
    let agreed = (private_dns.len() == 1).then(|| private_dns.contains(&true));
    let route_tables = || match &recorded.gateway {
        Some(gateway) => strings(gateway.route_table_ids.iter().map(ToString::to_string)),
        None => Value::Null,
    };
    model.endpoints = Value::Known(match model.endpoints.known() {
        Some(written) => Endpoints {
            services: services(&written.services, recorded),
            existing: existing(&written.existing, recorded),
            private_dns_enabled: agreed.map_or(written.private_dns_enabled, Value::Known),
            policies: policies(&written.policies, recorded),
            s3_gateway_route_table_ids: route_tables(),
            ..written.clone()
        },
        None => Endpoints {
            services: services(&Value::Null, recorded),
            existing: existing(&Value::Null, recorded),
            subnet_ids: imported_subnets(recorded),
            security_group_ids: imported_groups(recorded),
            private_dns_enabled: agreed.map_or(Value::Known(true), Value::Known),
            policies: imported_policies(recorded),
            s3_gateway_route_table_ids: route_tables(),
        },
    });
}

/// The services that have an endpoint. One that is adopted may be among them or not, as it is written.
fn services(written: &Strings, recorded: &Recorded) -> Strings {
    let written = known_set(written);
    let adopted = recorded.adopted.keys().filter(|service| match &written {
        Some(written) => written.contains(*service),
        None => DEFAULT_SERVICES.contains(&service.as_str()),
    });
    strings(recorded.endpoints.keys().chain(adopted).cloned().collect::<BTreeSet<_>>())
}

fn existing(written: &StringMap, recorded: &Recorded) -> StringMap {
    if recorded.adopted.is_empty() && written.known().is_none_or(BTreeMap::is_empty) {
        return written.clone();
    }
    string_map(recorded.adopted.iter().map(|(service, endpoint)| (service.clone(), endpoint.id.to_string())))
}

/// All policies that there are, by service.
fn all_policies(recorded: &Recorded) -> BTreeMap<&str, Option<&str>> {
    let endpoints = recorded.all_endpoints();
    let endpoints = endpoints.into_iter().map(|(service, endpoint)| (service.as_str(), endpoint.policy.as_deref()));
    endpoints.chain(recorded.gateway.iter().map(|gateway| (GATEWAY, gateway.policy.as_deref()))).collect()
}

/// The policies of the services that are written, in the user's spelling where they mean the same.
fn policies(written: &StringMap, recorded: &Recorded) -> StringMap {
    let found = all_policies(recorded);
    written.clone().map(|written| {
        let one = |(service, policy): (String, Value<String>)| {
            let has = (*found.get(service.as_str())?).unwrap_or_default();
            let same = policy.text().is_some_and(|policy| changes::same_policy(policy, has));
            Some((service, if same { policy } else { Value::Known(has.to_owned()) }))
        };
        written.into_iter().filter_map(one).collect()
    })
}

/// The policies of the endpoints that are the resource's own, where the resource may have set them.
fn imported_policies(recorded: &Recorded) -> StringMap {
    let is_own = |service: &str| !recorded.adopted.contains_key(service);
    let own: BTreeMap<_, _> = all_policies(recorded)
        .into_iter()
        .filter(|(service, _)| is_own(service))
        .filter_map(|(service, policy)| {
            let policy = policy.filter(|policy| changes::may_be_own(policy))?;
            Some((service.to_owned(), policy.to_owned()))
        })
        .collect();
    if own.is_empty() { Value::Null } else { string_map(own) }
}

fn imported_groups(recorded: &Recorded) -> Strings {
    let groups: BTreeSet<_> = recorded
        .endpoints
        .values()
        .flat_map(|endpoint| &endpoint.security_group_ids)
        .map(ToString::to_string)
        .collect();
    match recorded.endpoint_group {
        None if !groups.is_empty() => strings(groups),
        Some(_) | None => Value::Null,
    }
}

/// The endpoints' subnets after an import: not written where they are among the domain's.
fn imported_subnets(recorded: &Recorded) -> Strings {
    let subnets: BTreeSet<_> =
        recorded.endpoints.values().flat_map(|endpoint| endpoint.place.subnet_ids.clone()).collect();
    match &recorded.domain {
        Some(domain) if subnets.is_subset(&domain.subnet_ids) => Value::Null,
        _ => strings(subnets.iter().map(ToString::to_string)),
    }
}

fn project_zones(model: &mut Model, recorded: &Recorded) {
    let ids = recorded.zones.values().map(|zone| (zone.name.clone(), zone.id.to_string()));
    model.hosted_zone_ids = Value::Known(ids.collect());
    model.hosted_zone = Value::Known(match model.hosted_zone.known() {
        Some(written) => HostedZone {
            existing_zone_ids: existing_zones(&written.existing_zone_ids, recorded),
            vpc_associations: associations(&written.vpc_associations, recorded, &model.region),
            ..written.clone()
        },
        None => imported_zones(model, recorded),
    });
}

fn adopted_zones(recorded: &Recorded) -> impl Iterator<Item = &Zone> {
    recorded.zones.iter().filter(|(slot, _)| matches!(slot, Slot::Existing(_))).map(|(_, zone)| zone)
}

/// The adopted zones. What is not there any more is not shown, and the next apply says so.
fn existing_zones(written: &StringMap, recorded: &Recorded) -> StringMap {
    let found = string_map(adopted_zones(recorded).map(|zone| (zone.name.clone(), zone.id.to_string())));
    match written {
        Value::Null if found.known().is_some_and(BTreeMap::is_empty) => Value::Null,
        _ => found,
    }
}

/// Those of the written associations that every zone has.
fn associations(
    written: &Value<Vec<VpcAssociation>>,
    recorded: &Recorded,
    region: &Value<String>,
) -> Value<Vec<VpcAssociation>> {
    let made = || recorded.zones.iter().filter(|(slot, _)| !matches!(slot, Slot::Existing(_))).map(|(_, zone)| zone);
    written.clone().map(|written| {
        let is_there = |association: &VpcAssociation| {
            let wanted = associations_of(&Value::Known(vec![association.clone()]), region).into_known();
            let vpcs: Vec<_> = wanted.into_iter().flatten().map(|association| association.vpc).collect();
            made().all(|zone| vpcs.iter().all(|vpc| zone.vpcs.contains(vpc)))
        };
        written.into_iter().filter(is_there).collect()
    })
}

fn imported_zones(model: &Model, recorded: &Recorded) -> HostedZone {
    // A parent's records may be in an adopted zone.
    let parents = model.forward_zones.known().map_or(&[][..], Vec::as_slice);
    let is_parent = recorded
        .zones
        .iter()
        .any(|(slot, zone)| matches!(slot, Slot::Parent(_)) || zone.names.iter().any(|name| parents.contains(name)));
    let mode = match (recorded.zones.is_empty(), is_parent) {
        (true, _) => "none",
        (false, true) => "parent",
        (false, false) => "domain",
    };
    let by_address = recorded.zones.values().flat_map(|zone| &zone.records).any(|record| !record.is_alias());
    let vpc_id = recorded.domain.as_ref().map(|domain| domain.vpc_id.as_str());
    let associated: BTreeSet<&Association> = recorded
        .zones
        .values()
        .flat_map(|zone| &zone.associated)
        .filter(|association| Some(association.vpc.vpc_id.as_str()) != vpc_id)
        .collect();
    let written = |association: &Association| VpcAssociation {
        vpc_id: Value::Known(association.vpc.vpc_id.to_string()),
        region: match model.region.text() == Some(association.vpc.region.as_str()) {
            true => Value::Null,
            false => Value::Known(association.vpc.region.to_string()),
        },
        role_arn: association.role_arn.as_ref().map(ToString::to_string).into(),
    };
    HostedZone {
        mode: mode.into(),
        existing_zone_ids: existing_zones(&Value::Null, recorded),
        vpc_associations: match associated.is_empty() {
            true => Value::Null,
            false => Value::Known(associated.into_iter().map(written).collect()),
        },
        record_type: if by_address { "ip" } else { "alias" }.into(),
    }
}
