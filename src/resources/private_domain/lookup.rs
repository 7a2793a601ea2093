//! What is looked up before anything is made: the services, and the subnets that endpoints may be in.
//!
//! **Invariant:** changes nothing.

use std::collections::BTreeMap;

use super::desired::{Facts, endpoint_subnet_inputs, one_per_zone};
use super::model::Model;
use crate::aws::ec2::endpoint_service::{EndpointService, find_endpoint_services};
use crate::aws::ec2::subnet::{Subnet, find_subnets};
use crate::aws::{Clients, SubnetId, VpcId};
use crate::dns::zones::{self, Fips};
use crate::framework::{Diagnostic, Diagnostics, Path};
use crate::resources::common::aws_error;
use crate::resources::values::known_set;

/// Looks up what the endpoints depend on, and checks it. `None` while the configuration of it is not known.
///
/// # Errors
/// Names the attribute at fault: a service that does not exist, a subnet that does not exist or is in another VPC.
pub async fn facts(clients: &Clients, model: &Model, warn: &mut Diagnostics) -> Result<Option<Facts>, Diagnostics> {
    let vpc_id = model.vpc_id.text().map(VpcId::from);
    let inputs = known_set(endpoint_subnet_inputs(model));
    let services = model.endpoints.known().and_then(|endpoints| known_set(&endpoints.services));
    let (Some(inputs), Some(services)) = (inputs, services) else {
        return Ok(None);
    };
    let domain_subnets = known_set(&model.subnet_ids).unwrap_or_default();
    let all: Vec<SubnetId> = inputs.union(&domain_subnets).map(|id| SubnetId::from(id.as_str())).collect();
    let services: Vec<String> = services.into_iter().collect();
    let (found, subnets) = tokio::join!(find_services(clients, &services), subnets(clients, &all));
    let (found, subnets) = (found?, subnets?);

    let mut wrong = Diagnostics::new();
    wrong.extend(check_services(clients, &services, &found));
    if let Some(vpc_id) = &vpc_id {
        wrong.extend(check_subnets(model, &subnets, vpc_id));
    }
    let mut endpoint_subnets: Vec<Subnet> =
        subnets.into_iter().filter(|subnet| inputs.contains(subnet.id.as_str())).collect();
    endpoint_subnets.sort_by(|one, other| one.id.cmp(&other.id));
    let facts = Facts { services: found, subnets: endpoint_subnets };
    wrong.extend(check_zones(&facts, warn));
    if wrong.has_errors() { Err(wrong) } else { Ok(Some(facts)) }
}

async fn find_services(
    clients: &Clients,
    services: &[String],
) -> Result<BTreeMap<String, EndpointService>, Diagnostics> {
    let names: Vec<String> = services.iter().flat_map(|service| candidates(clients, service)).collect();
    let found = find_endpoint_services(clients, &names)
        .await
        .map_err(|error| aws_error("look up the services for the endpoints", &error))?;
    let one = |service: &String| {
        let names = candidates(clients, service);
        // The first candidate that exists is the one.
        let found = names.iter().find_map(|name| found.iter().find(|found| found.name == *name))?;
        Some((service.clone(), found.clone()))
    };
    Ok(services.iter().filter_map(one).collect())
}

/// The names that a service may have, likeliest first. None for a key that cannot be one.
fn candidates(clients: &Clients, service: &str) -> Vec<String> {
    let region = zones::Region::new(clients.region().as_str());
    region.map(|region| zones::service_names(service, &region, Fips::No).unwrap_or_default()).unwrap_or_default()
}

async fn subnets(clients: &Clients, ids: &[SubnetId]) -> Result<Vec<Subnet>, Diagnostics> {
    find_subnets(clients, ids).await.map_err(|error| aws_error("look up the subnets", &error).into())
}

fn check_services(
    clients: &Clients,
    services: &[String],
    found: &BTreeMap<String, EndpointService>,
) -> Vec<Diagnostic> {
    let missing = services.iter().filter(|service| !found.contains_key(*service));
    missing
        .map(|service| {
            let text = format!(
                "EC2 knows no service {} in {}. Check the name, and whether the service is offered there.",
                candidates(clients, service).join(" or "),
                clients.region()
            );
            let path = Path::root("endpoints").attribute("services").element(service.as_str());
            Diagnostic::error(format!("There is no endpoint service {service}"), text).at(path)
        })
        .collect()
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
fn check_zones(facts: &Facts, warn: &mut Diagnostics) -> Vec<Diagnostic> {
    let path = || Path::root("endpoints").attribute("services");
    let mut wrong = Vec::new();
    for (service, found) in &facts.services {
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
