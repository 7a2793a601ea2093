//! Services that VPC endpoints can be made for.

use std::collections::BTreeSet;

use aws_sdk_ec2 as ec2;
use ec2::types::ServiceType;

use super::vpc_endpoint::{AddressType, EndpointType};
use super::{FILTER_LIMIT, call, filter};
use crate::aws::{AwsError, Clients};

/// What we need to know of a service before making an endpoint for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointService {
    /// Its whole name, such as `com.amazonaws.eu-west-1.sagemaker.api`.
    pub name: String,
    /// The kinds of endpoint it takes.
    pub types: BTreeSet<EndpointType>,
    /// Its zones by name, as this account calls them. Empty where AWS does not list them, as for
    /// a service of another Region.
    pub zones: BTreeSet<String>,
    /// Its zones by id. Empty where AWS does not list them.
    pub zone_ids: BTreeSet<String>,
    /// The names that its private DNS answers for, wildcards included.
    pub private_dns_names: Vec<String>,
    /// Whether its endpoints take a policy.
    pub takes_policy: bool,
    /// The kinds of address that its endpoints can have.
    pub address_types: BTreeSet<AddressType>,
    /// Whether its owner has to accept each endpoint.
    pub needs_acceptance: bool,
    /// Who owns it, such as `amazon`.
    pub owner: String,
}

impl EndpointService {
    /// Whether it can have an interface in a zone, given by name or by id. Without a list of zones
    /// the answer is yes: EC2 will say no by itself.
    pub fn serves_zone(&self, name: &str, id: &str) -> bool {
        if self.zones.is_empty() && self.zone_ids.is_empty() {
            return true;
        }
        self.zones.contains(name) || self.zone_ids.contains(id)
    }
}

/// Looks services up by their whole names. What the Region does not have is missing from the
/// answer.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn find_endpoint_services(
    clients: &Clients,
    names: &[String],
) -> Result<Vec<EndpointService>, AwsError> {
    let call = call("DescribeVpcEndpointServices", "the services to make endpoints for");
    let mut found = Vec::new();
    for some in names.chunks(FILTER_LIMIT) {
        let mut token = None;
        loop {
            // A filter rather than the names themselves: one unknown name would refuse them all.
            let request = clients
                .ec2()
                .describe_vpc_endpoint_services()
                .filters(filter("service-name", some));
            let answer =
                request.set_next_token(token).send().await.map_err(|error| call.failed(error))?;
            found.extend(answer.service_details().iter().filter_map(from_ec2));
            token = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
    }
    found.retain(|service| names.contains(&service.name));
    Ok(merged(found))
}

/// EC2 lists a service that takes several kinds of endpoint, such as S3, once per kind.
fn merged(services: Vec<EndpointService>) -> Vec<EndpointService> {
    let mut merged: Vec<EndpointService> = Vec::with_capacity(services.len());
    for service in services {
        match merged.iter_mut().find(|known| known.name == service.name) {
            Some(known) => {
                known.types.extend(service.types);
                known.zones.extend(service.zones);
                known.zone_ids.extend(service.zone_ids);
                known.address_types.extend(service.address_types);
                known.takes_policy |= service.takes_policy;
                if known.private_dns_names.is_empty() {
                    known.private_dns_names = service.private_dns_names;
                }
            }
            None => merged.push(service),
        }
    }
    merged
}

fn from_ec2(service: &ec2::types::ServiceDetail) -> Option<EndpointService> {
    Some(EndpointService {
        name: service.service_name()?.to_owned(),
        types: service
            .service_type()
            .iter()
            .filter_map(|kind| endpoint_type(kind.service_type()?))
            .collect(),
        zones: service.availability_zones().iter().cloned().collect(),
        zone_ids: service.availability_zone_ids().iter().cloned().collect(),
        private_dns_names: private_dns_names(service),
        takes_policy: service.vpc_endpoint_policy_supported().unwrap_or(false),
        address_types: address_types(service),
        needs_acceptance: service.acceptance_required().unwrap_or(false),
        owner: service.owner().unwrap_or_default().to_owned(),
    })
}

fn endpoint_type(kind: &ServiceType) -> Option<EndpointType> {
    match kind {
        ServiceType::Interface => Some(EndpointType::Interface),
        ServiceType::Gateway => Some(EndpointType::Gateway),
        other => Some(EndpointType::Other(other.as_str().to_owned())),
    }
}

fn private_dns_names(service: &ec2::types::ServiceDetail) -> Vec<String> {
    let listed: Vec<String> = service
        .private_dns_names()
        .iter()
        .filter_map(|details| details.private_dns_name().map(str::to_owned))
        .collect();
    if listed.is_empty() {
        service.private_dns_name().map(str::to_owned).into_iter().collect()
    } else {
        listed
    }
}

/// A service names the families it speaks; an endpoint may be of either, or of both at once.
fn address_types(service: &ec2::types::ServiceDetail) -> BTreeSet<AddressType> {
    let families: Vec<&str> =
        service.supported_ip_address_types().iter().map(|family| family.as_str()).collect();
    let (ipv4, ipv6) = (families.contains(&"ipv4"), families.contains(&"ipv6"));
    [(AddressType::Ipv4, ipv4), (AddressType::Ipv6, ipv6), (AddressType::Dualstack, ipv4 && ipv6)]
        .into_iter()
        .filter_map(|(kind, has)| has.then_some(kind))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail() -> ec2::types::builders::ServiceDetailBuilder {
        ec2::types::ServiceDetail::builder()
            .service_name("com.amazonaws.eu-west-1.sagemaker.api")
            .service_type(
                ec2::types::ServiceTypeDetail::builder()
                    .service_type(ServiceType::Interface)
                    .build(),
            )
    }

    #[test]
    fn a_service_without_a_list_of_zones_serves_every_zone() {
        let service = from_ec2(&detail().build()).unwrap();
        assert!(service.serves_zone("eu-west-1a", "euw1-az1"));
    }

    #[test]
    fn a_zone_is_served_by_name_or_by_id() {
        let service = from_ec2(&detail().availability_zones("eu-west-1a").build()).unwrap();
        assert!(service.serves_zone("eu-west-1a", "euw1-az3"));
        assert!(!service.serves_zone("eu-west-1b", "euw1-az1"));
        let service = from_ec2(&detail().availability_zone_ids("euw1-az1").build()).unwrap();
        assert!(service.serves_zone("eu-west-1b", "euw1-az1"));
    }

    #[test]
    fn both_families_make_dualstack_possible() {
        use ec2::types::ServiceConnectivityType::{Ipv4, Ipv6};
        let both = from_ec2(
            &detail().supported_ip_address_types(Ipv4).supported_ip_address_types(Ipv6).build(),
        );
        assert!(both.unwrap().address_types.contains(&AddressType::Dualstack));
        let one = from_ec2(&detail().supported_ip_address_types(Ipv4).build());
        assert_eq!(one.unwrap().address_types, [AddressType::Ipv4].into());
    }

    #[test]
    fn a_service_listed_once_per_kind_becomes_one() {
        let gateway =
            ec2::types::ServiceTypeDetail::builder().service_type(ServiceType::Gateway).build();
        let listed = vec![
            from_ec2(&detail().build()).unwrap(),
            EndpointService {
                types: endpoint_type(gateway.service_type().unwrap()).into_iter().collect(),
                ..from_ec2(&detail().build()).unwrap()
            },
        ];
        let merged = merged(listed);
        assert_eq!(merged.len(), 1);
        assert_eq!(merged[0].types, [EndpointType::Interface, EndpointType::Gateway].into());
    }
}
