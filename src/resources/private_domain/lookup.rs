//! What is looked up before anything is made: the services, the subnets that endpoints may be in, and whatever is to be
//! adopted.
//!
//! **Invariant:** changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::desired::{Desired, Facts, endpoint_subnet_inputs, one_per_zone, speaks_ipv6};
use super::key::GATEWAY;
use super::model::Model;
use super::read;
use super::recorded::{Domain, Recorded};
use super::zones as hosted_zones;
use crate::aws::ec2::endpoint_service::{EndpointService, find_endpoint_services};
use crate::aws::ec2::subnet::{Subnet, find_subnets};
use crate::aws::ec2::vpc_endpoint::{EndpointType, find_vpc_endpoint};
use crate::aws::route53::hosted_zone::find_hosted_zone;
use crate::aws::{AwsError, Clients, DomainId, HostedZoneId, SubnetId, VpcEndpointId, VpcId};
use crate::dns::zones::{self, Fips};
use crate::framework::{Diagnostic, Diagnostics, Path, Value};
use crate::resources::common::aws_error;
use crate::resources::values::{StringMap, known_set};

/// Looks up what the endpoints depend on, and checks it. `None` while the configuration of it is not known.
///
/// # Errors
/// Names the attribute at fault: a service that does not exist, a subnet that does not exist or is in another VPC,
/// something to be adopted that is not what it is taken for.
pub async fn facts(clients: &Clients, model: &Model, warn: &mut Diagnostics) -> Result<Option<Facts>, Diagnostics> {
    let (adopted, zones, domain) =
        tokio::try_join!(check_endpoints(clients, model), check_hosted_zones(clients, model), domain(clients, model))?;
    let mut wrong: Diagnostics = adopted.into_iter().chain(zones).collect();
    if let Some(domain) = &domain {
        wrong.extend(check_domain(model, domain, warn));
    }
    let vpc_id = model.vpc_id.text().map(VpcId::from);
    let inputs = known_set(endpoint_subnet_inputs(model));
    let (Some(inputs), Some((made, all))) = (inputs, services(model)) else {
        return if wrong.has_errors() { Err(wrong) } else { Ok(None) };
    };
    let domain_subnets = known_set(&model.subnet_ids).unwrap_or_default();
    let subnet_ids: Vec<SubnetId> = inputs.union(&domain_subnets).map(|id| SubnetId::from(id.as_str())).collect();
    let (found, subnets) = tokio::try_join!(find_services(clients, &all), subnets(clients, &subnet_ids))?;

    wrong.extend(check_services(clients, model, &all, &found));
    if let Some(vpc_id) = &vpc_id {
        wrong.extend(check_subnets(model, &subnets, vpc_id));
    }
    let mut endpoint_subnets: Vec<Subnet> =
        subnets.into_iter().filter(|subnet| inputs.contains(subnet.id.as_str())).collect();
    endpoint_subnets.sort_by(|one, other| one.id.cmp(&other.id));
    let facts = Facts { services: found, subnets: endpoint_subnets, domain };
    wrong.extend(check_zones(&facts, &made, warn));
    warn.extend(check_address_types(model, &facts, &made));
    if wrong.has_errors() { Err(wrong) } else { Ok(Some(facts)) }
}

/// Whether something has to be looked up: something is to be made, chosen anew or adopted.
pub fn is_needed(model: &Model, prior: Option<&Model>, recorded: &Recorded) -> bool {
    let desired = Desired::new(model, prior, recorded, None);
    let made = desired.services();
    let lacks_endpoint = made.iter().any(|service| !recorded.endpoints.contains_key(service));
    let moves = made.iter().any(|service| desired.place(service).is_unknown());
    let adopts = desired.adopted().iter().any(|service| {
        recorded.adopted.get(service).map(|endpoint| endpoint.id.clone())
            != desired.existing_endpoint(service).into_known()
    });
    let lacks_gateway = recorded.gateway.is_none() && !desired.route_tables.is_null();
    let other_domain = recorded.domain.as_ref().is_none_or(|domain| domain.adopted != desired.adopts_domain());
    let zones = |model: &Model| {
        model.hosted_zone.known().map(|zone| zone.existing_zone_ids.clone()).into_iter().find_map(Value::into_known)
    };
    let other_zones = prior.is_none_or(|prior| zones(prior) != zones(model));
    lacks_endpoint || moves || adopts || lacks_gateway || other_domain || other_zones
}

/// The services to make an endpoint for, and all that are used, adopted ones included.
fn services(model: &Model) -> Option<(BTreeSet<String>, BTreeSet<String>)> {
    let endpoints = model.endpoints.known()?;
    let services = known_set(&endpoints.services)?;
    let existing: BTreeSet<String> = match &endpoints.existing {
        Value::Known(existing) => existing.keys().cloned().collect(),
        Value::Null => BTreeSet::new(),
        Value::Unknown => return None,
    };
    let made: BTreeSet<String> = services.difference(&existing).cloned().collect();
    let gateway = (!endpoints.s3_gateway_route_table_ids.is_null()).then(|| GATEWAY.to_owned());
    let all = made.union(&existing).cloned().chain(gateway).collect();
    Some((made, all))
}

/// Looks services up by their keys. Those that do not exist are missing.
///
/// # Errors
/// Whatever EC2 refuses.
pub async fn find_services(
    clients: &Clients,
    services: &BTreeSet<String>,
) -> Result<BTreeMap<String, EndpointService>, Diagnostics> {
    let names: Vec<String> = services.iter().flat_map(|service| candidates(clients, service)).collect();
    let found = find_endpoint_services(clients, &names)
        .await
        .map_err(|error| aws_error("look up the services for the endpoints", &error))?;
    let one = |service: &String| {
        let names = candidates(clients, service);
        let wanted = if service == GATEWAY { EndpointType::Gateway } else { EndpointType::Interface };
        let fits = |found: &&EndpointService| found.types.is_empty() || found.types.contains(&wanted);
        // The first candidate that exists is the one.
        let found = names.iter().find_map(|name| found.iter().filter(fits).find(|found| found.name == *name))?;
        Some((service.clone(), found.clone()))
    };
    Ok(services.iter().filter_map(one).collect())
}

/// The names that a service may have, likeliest first. None for a key that cannot be one.
pub fn candidates(clients: &Clients, service: &str) -> Vec<String> {
    let service = if service == GATEWAY { "s3" } else { service };
    let fips = if clients.uses_fips() { Fips::Yes } else { Fips::No };
    let region = zones::Region::new(clients.region().as_str());
    region.map(|region| zones::service_names(service, &region, fips).unwrap_or_default()).unwrap_or_default()
}

async fn subnets(clients: &Clients, ids: &[SubnetId]) -> Result<Vec<Subnet>, Diagnostics> {
    find_subnets(clients, ids).await.map_err(|error| aws_error("look up the subnets", &error).into())
}

/// The domain that is to be adopted.
async fn domain(clients: &Clients, model: &Model) -> Result<Option<Domain>, Diagnostics> {
    let Some(id) = model.existing_domain_id.text() else {
        return Ok(None);
    };
    let found = read::read_domain(clients, &DomainId::from(id))
        .await
        .map_err(|error| aws_error("look up the domain to adopt", &error))?;
    match found {
        Some(domain) => Ok(Some(domain)),
        None => {
            let text = format!("There is no domain {id} in {}, in the account of the credentials.", clients.region());
            let path = Path::root("existing_domain_id");
            Err(Diagnostic::error("There is no such domain", text).at(path).into())
        }
    }
}

/// What is written has to be what the domain has: none of it can be changed.
fn check_domain(model: &Model, domain: &Domain, warn: &mut Diagnostics) -> Vec<Diagnostic> {
    if !domain.vpc_only {
        let text = format!(
            "{} reaches the network through a VPC of SageMaker's, not through {}: its apps do not pass the endpoints made here. Set its network access to VpcOnly where it is managed.",
            domain.id, domain.vpc_id
        );
        warn.push(
            Diagnostic::warning("The adopted domain is not of the kind VpcOnly", text)
                .at(Path::root("existing_domain_id")),
        );
    }
    let has = [
        ("name", &model.name, Some(&domain.name)),
        ("vpc_id", &model.vpc_id, Some(&domain.vpc_id)),
        ("auth_mode", &model.auth_mode, domain.auth_mode.as_ref()),
    ];
    has.into_iter()
        .filter_map(|(attribute, written, has)| {
            let (written, has) = (written.text()?, has?);
            (written != has).then(|| {
                let text = format!(
                    "The {attribute} of {} is {has:?}, not {written:?}. Write {attribute} = {has:?}.",
                    domain.id
                );
                Diagnostic::error(format!("Another {attribute} than the adopted domain's"), text)
                    .at(Path::root(attribute))
            })
        })
        .collect()
}

/// The endpoints to adopt, held against what they are taken for.
async fn check_endpoints(clients: &Clients, model: &Model) -> Result<Vec<Diagnostic>, Diagnostics> {
    let existing = model.endpoints.known().map(|endpoints| known_entries(&endpoints.existing)).unwrap_or_default();
    let looks = existing.into_iter().map(async |(service, id)| {
        let error = |text: String| {
            let path = Path::root("endpoints").attribute("existing").key(&service);
            Diagnostic::error(format!("{id} cannot be the endpoint for {service}"), text).at(path)
        };
        let found = find_vpc_endpoint(clients, &VpcEndpointId::from(id.as_str())).await?;
        Ok(match found {
            None => Some(error(format!("There is no VPC endpoint {id} in this account and Region."))),
            Some(found) if !candidates(clients, &service).contains(&found.service_name) => {
                Some(error(format!("It is an endpoint for {}.", found.service_name)))
            }
            Some(found) if found.endpoint_type != EndpointType::Interface => {
                Some(error("It is not an interface endpoint.".to_owned()))
            }
            Some(found) if model.vpc_id.text().is_some_and(|vpc_id| vpc_id != found.vpc_id.as_str()) => {
                Some(error(format!("It is in {}, not in vpc_id.", found.vpc_id)))
            }
            Some(_) => None,
        })
    });
    let found: Result<Vec<_>, AwsError> = try_join_all(looks).await;
    Ok(found.map_err(|error| aws_error("look up the endpoints to adopt", &error))?.into_iter().flatten().collect())
}

/// The hosted zones to adopt, held against what they are taken for.
async fn check_hosted_zones(clients: &Clients, model: &Model) -> Result<Vec<Diagnostic>, Diagnostics> {
    let existing = model.hosted_zone.known().map(|zone| known_entries(&zone.existing_zone_ids)).unwrap_or_default();
    let looks = existing.into_iter().map(async |(name, id)| {
        let error = |text: String| {
            let path = Path::root("hosted_zone").attribute("existing_zone_ids").key(&name);
            Diagnostic::error(format!("{id} cannot be the hosted zone {name}"), text).at(path)
        };
        let found = find_hosted_zone(clients, &HostedZoneId::from(id.as_str())).await?;
        Ok(match found {
            None => Some(error(format!("There is no hosted zone {id} in this account."))),
            Some(found) if found.name != name => Some(error(format!("It is the zone {}.", found.name))),
            Some(found) if !found.is_private => {
                Some(error("It is a public zone. The names of a private domain have no place there.".to_owned()))
            }
            Some(_) => None,
        })
    });
    let found: Result<Vec<_>, AwsError> = try_join_all(looks).await;
    Ok(found.map_err(|error| aws_error("look up the hosted zones to adopt", &error))?.into_iter().flatten().collect())
}

fn known_entries(map: &StringMap) -> Vec<(String, String)> {
    let entries = map.known().into_iter().flatten();
    entries.filter_map(|(key, id)| Some((key.clone(), id.text()?.to_owned()))).collect()
}

/// The zones in `existing_zone_ids` that no name of the domain lies in.
pub fn check_unused_zones(desired: &Desired, recorded: &Recorded, domain: Option<&Domain>) -> Vec<Diagnostic> {
    let mut recorded = recorded.clone();
    recorded.domain = recorded.domain.or_else(|| domain.cloned());
    let names = desired.parents.known().map(|parents| parents.join(" or ")).unwrap_or_default();
    let unused = hosted_zones::unused(desired, &recorded).into_iter();
    unused
        .map(|zone| {
            let text = format!(
                "No name that gets records is {zone:?} or lies below it: all of them lie in {names}. A zone of one domain's names can be adopted once that domain exists."
            );
            let path = Path::root("hosted_zone").attribute("existing_zone_ids").key(&zone);
            Diagnostic::error(format!("The hosted zone {zone} has no use"), text).at(path)
        })
        .collect()
}

fn check_services(
    clients: &Clients,
    model: &Model,
    services: &BTreeSet<String>,
    found: &BTreeMap<String, EndpointService>,
) -> Vec<Diagnostic> {
    let path = || Path::root("endpoints");
    let missing = services.iter().filter(|service| !found.contains_key(*service)).map(|service| {
        let text = format!(
            "EC2 knows no service {} in {} that takes such an endpoint. Check the name, and whether the service is offered there.",
            candidates(clients, service).join(" or "),
            clients.region()
        );
        let path = match service.as_str() {
            GATEWAY => path().attribute("s3_gateway_route_table_ids"),
            service => path().attribute("services").element(service),
        };
        Diagnostic::error(format!("There is no endpoint service {service}"), text).at(path)
    });
    let policies = model.endpoints.known().and_then(|endpoints| endpoints.policies.known()).into_iter().flatten();
    let without_policy = policies.filter(|(service, _)| found.get(*service).is_some_and(|found| !found.takes_policy));
    let refused = without_policy.map(|(service, _)| {
        let text = format!("Endpoints for {} take no policy. Remove it.", found[service].name);
        Diagnostic::error(format!("No policy for {service}"), text).at(path().attribute("policies").key(service))
    });
    missing.chain(refused).collect()
}

/// Services that have no IPv6 stay with IPv4.
fn check_address_types(model: &Model, facts: &Facts, made: &BTreeSet<String>) -> Vec<Diagnostic> {
    let of_ipv4: Vec<&str> = made
        .iter()
        .filter(|service| facts.services.get(*service).is_some_and(|found| !speaks_ipv6(found)))
        .map(String::as_str)
        .collect();
    if model.ip_address_type.text() != Some("dualstack") || of_ipv4.is_empty() {
        return Vec::new();
    }
    let text = format!(
        "These services offer no dual-stack endpoints here, so theirs have IPv4 alone: {}.",
        of_ipv4.join(", ")
    );
    vec![Diagnostic::warning("Not all endpoints are dual-stack", text).at(Path::root("ip_address_type"))]
}

fn check_subnets(model: &Model, found: &[Subnet], vpc_id: &VpcId) -> Vec<Diagnostic> {
    let lists = [
        (Path::root("subnet_ids"), known_set(&model.subnet_ids)),
        (
            Path::root("endpoints").attribute("subnet_ids"),
            model.endpoints.known().and_then(|endpoints| known_set(&endpoints.subnet_ids)),
        ),
    ];
    let mut wrong = Vec::new();
    for (path, ids) in lists {
        for id in ids.unwrap_or_default() {
            let text = match found.iter().find(|subnet| subnet.id.as_str() == id) {
                None => format!("There is no subnet {id} in this account and Region."),
                Some(subnet) if subnet.vpc_id != *vpc_id => {
                    format!("{id} is in {}, not in {vpc_id}. Give subnets of vpc_id.", subnet.vpc_id)
                }
                Some(_) => continue,
            };
            wrong.push(Diagnostic::error("Invalid subnet", text).at(path.element(id)));
        }
    }
    wrong
}

/// A service that none of the subnets can have an endpoint for is an error; subnets left out are a warning.
fn check_zones(facts: &Facts, made: &BTreeSet<String>, warn: &mut Diagnostics) -> Vec<Diagnostic> {
    let path = || Path::root("endpoints").attribute("services");
    let mut wrong = Vec::new();
    for (service, found) in facts.services.iter().filter(|(service, _)| made.contains(*service)) {
        let taken = one_per_zone(&facts.subnets, found);
        if taken.is_empty() {
            let text = format!("{} supports none of the zones of the endpoints' subnets.", found.name);
            wrong.push(Diagnostic::error(format!("No zone for the endpoint of {service}"), text).at(path()));
            continue;
        }
        let left: Vec<_> = facts
            .subnets
            .iter()
            .filter(|subnet| !taken.iter().any(|other| other.id == subnet.id))
            .map(|subnet| format!("{} in {}", subnet.id, subnet.zone))
            .collect();
        if !left.is_empty() {
            let text = format!(
                "An endpoint takes one subnet for each zone that its service supports. Left out: {}.",
                left.join(", ")
            );
            warn.push(
                Diagnostic::warning(format!("The endpoint for {service} is not in all subnets"), text).at(path()),
            );
        }
    }
    wrong
}
