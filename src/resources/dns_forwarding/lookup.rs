//! What is looked up before anything is made: the subnets and groups of the endpoint.
//!
//! **Invariant:** changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::desired::Desired;
use super::schema::Model;
use crate::aws::ec2::security_group::{SecurityGroup, find_security_groups};
use crate::aws::ec2::subnet::{Subnet, find_subnets};
use crate::aws::route53resolver::endpoint::ResolverAddressType;
use crate::aws::{AwsError, Clients, Kind, SecurityGroupId, SubnetId};
use crate::framework::{Diagnostic, Diagnostics, Path, Value};
use crate::resources::common::aws_error;
use crate::resources::values::known_list;

/// Whether something that is checked here is new or has changed.
pub fn is_needed(model: &Model, prior: Option<&Model>) -> bool {
    let Some(prior) = prior else {
        return true;
    };
    model.vpc_id != prior.vpc_id
        || model.subnet_ids != prior.subnet_ids
        || model.ip_addresses != prior.ip_addresses
        || model.ip_address_type != prior.ip_address_type
        || model.security_group_ids != prior.security_group_ids
}

/// Checks the network that the endpoint is to be in, as far as its configuration is known.
///
/// # Errors
/// Names the attribute at fault: a subnet or group that does not exist or is in another VPC, all subnets in one zone, an
/// address that is not one of its subnet's.
pub async fn check(clients: &Clients, model: &Model) -> Result<(), Diagnostics> {
    let subnets = subnet_ids(model);
    let groups: Vec<(usize, SecurityGroupId)> =
        known_list(&model.security_group_ids).into_iter().flatten().map(SecurityGroupId::from).enumerate().collect();
    let ids: BTreeSet<SubnetId> = subnets.iter().flatten().cloned().collect();
    let ids: Vec<SubnetId> = ids.into_iter().collect();
    let group_ids: Vec<SecurityGroupId> = groups.into_iter().map(|(_, id)| id).collect();
    let (found_subnets, found_groups) = tokio::join!(
        some(&ids, find_subnets(clients, &ids)),
        some(&group_ids, find_security_groups(clients, &group_ids))
    );

    let mut wrong = Diagnostics::new();
    match found_subnets {
        Ok(found) => {
            wrong.extend(check_subnets(model, &subnets, &found));
            if !wrong.has_errors() {
                wrong.extend(check_zones(model, &subnets, &found));
                wrong.extend(check_addresses(model, &found));
            }
        }
        // What may not be read is not checked; AWS refuses it later.
        Err(error) if error.kind == Kind::AccessDenied => {}
        Err(error) => wrong.push(aws_error("look up the subnets", &error)),
    }
    match found_groups {
        Ok(found) => wrong.extend(check_groups(model, &group_ids, &found)),
        Err(error) if error.kind == Kind::AccessDenied => {}
        Err(error) => wrong.push(aws_error("look up the security groups", &error)),
    }
    if wrong.has_errors() { Err(wrong) } else { Ok(()) }
}

/// No ids, no call: a filter without values would find everything.
async fn some<I, T>(ids: &[I], call: impl Future<Output = Result<Vec<T>, AwsError>>) -> Result<Vec<T>, AwsError> {
    if ids.is_empty() { Ok(Vec::new()) } else { call.await }
}

/// The subnet of each address, where it is known.
fn subnet_ids(model: &Model) -> Vec<Option<SubnetId>> {
    let addresses = Desired::new(model).addresses.into_known().unwrap_or_default();
    addresses.into_iter().map(|wanted| wanted.subnet_id.into_known()).collect()
}

/// Where the subnet of an address stands.
fn subnet_path(model: &Model, index: usize) -> Path {
    match model.ip_addresses {
        Value::Null => Path::root("subnet_ids").index(index),
        Value::Unknown | Value::Known(_) => Path::root("ip_addresses").index(index).attribute("subnet_id"),
    }
}

fn list_path(model: &Model) -> Path {
    Path::root(if model.ip_addresses.is_null() { "subnet_ids" } else { "ip_addresses" })
}

fn check_subnets(model: &Model, wanted: &[Option<SubnetId>], found: &[Subnet]) -> Vec<Diagnostic> {
    let needs = needed_families(model);
    let mut wrong = Vec::new();
    for (index, id) in wanted.iter().enumerate() {
        let Some(id) = id else { continue };
        let subnet = found.iter().find(|subnet| subnet.id == *id);
        let other_vpc = |subnet: &&Subnet| model.vpc_id.text().is_some_and(|vpc| vpc != subnet.vpc_id.as_str());
        let text = match subnet {
            None => format!("There is no subnet {id} in this account and Region."),
            Some(subnet) if other_vpc(&subnet) => {
                format!(
                    "{id} is in {}, not in {}. Give subnets of vpc_id.",
                    subnet.vpc_id,
                    model.vpc_id.text().unwrap_or_default()
                )
            }
            Some(subnet) if needs.contains(&"IPv4") && subnet.ipv4_cidr.is_none() => {
                format!("{id} has no IPv4 range, and ip_address_type asks for IPv4 addresses.")
            }
            Some(subnet) if needs.contains(&"IPv6") && subnet.ipv6_cidrs.is_empty() => {
                format!("{id} has no IPv6 range, and ip_address_type asks for IPv6 addresses.")
            }
            Some(_) => continue,
        };
        wrong.push(Diagnostic::error("Invalid subnet", text).at(subnet_path(model, index)));
    }
    wrong
}

fn needed_families(model: &Model) -> &'static [&'static str] {
    match Desired::new(model).address_type {
        Value::Known(ResolverAddressType::Ipv4) => &["IPv4"],
        Value::Known(ResolverAddressType::Ipv6) => &["IPv6"],
        Value::Known(ResolverAddressType::Dualstack) => &["IPv4", "IPv6"],
        Value::Null | Value::Unknown => &[],
    }
}

/// AWS asks for two zones, so that the loss of one does not end name resolution ("Resolver endpoint scaling and
/// availability", Route 53 developer guide).
fn check_zones(model: &Model, wanted: &[Option<SubnetId>], found: &[Subnet]) -> Option<Diagnostic> {
    let zone_of = |id: &Option<SubnetId>| {
        let id = id.as_ref()?;
        found.iter().find(|subnet| subnet.id == *id).map(|subnet| subnet.zone.as_str())
    };
    // With a subnet that is not known yet there may be another zone.
    let zones: Option<BTreeSet<&str>> = wanted.iter().map(zone_of).collect();
    let zones = zones.filter(|zones| zones.len() == 1)?;
    let zone = zones.first()?;
    let text = format!("All subnets are in {zone}. An endpoint needs addresses in two Availability Zones at least.");
    Some(Diagnostic::error("Only one Availability Zone", text).at(list_path(model)))
}

fn check_addresses(model: &Model, found: &[Subnet]) -> Vec<Diagnostic> {
    let ranges: BTreeMap<&str, Ipv4Net> = found
        .iter()
        .filter_map(|subnet| Some((subnet.id.as_str(), subnet.ipv4_cidr.as_ref()?.parse().ok()?)))
        .collect();
    let wanted = Desired::new(model).addresses.into_known().unwrap_or_default();
    let mut wrong = Vec::new();
    for (index, wanted) in wanted.iter().enumerate() {
        let (Some(subnet), Some(ip)) = (wanted.subnet_id.known(), wanted.ip.known()) else {
            continue;
        };
        let Some(range) = ranges.get(subnet.as_str()) else {
            continue;
        };
        if let Some(text) = misplaced(*ip, subnet, range) {
            let path = Path::root("ip_addresses").index(index).attribute("ip");
            wrong.push(Diagnostic::error("Invalid ip", text).at(path));
        }
    }
    wrong
}

/// The first four addresses of a subnet and its last one are AWS's own ("Subnet CIDR blocks", VPC user guide).
fn misplaced(ip: Ipv4Addr, subnet: &SubnetId, range: &Ipv4Net) -> Option<String> {
    if !range.contains(&ip) {
        return Some(format!("{ip} is not in {subnet}, whose range is {range}."));
    }
    let place = u32::from(ip) - u32::from(range.network());
    if place < 4 || ip == range.broadcast() {
        return Some(format!("{ip} is one of the five addresses that AWS keeps for itself in {subnet} ({range})."));
    }
    None
}

fn check_groups(model: &Model, wanted: &[SecurityGroupId], found: &[SecurityGroup]) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    for id in wanted {
        let text = match found.iter().find(|group| group.id == *id) {
            None => format!("There is no security group {id} in this account and Region."),
            Some(group) if model.vpc_id.text().is_some_and(|vpc| vpc != group.vpc_id.as_str()) => {
                format!("{id} is in {}. Give groups of vpc_id.", group.vpc_id)
            }
            Some(_) => continue,
        };
        let path = Path::root("security_group_ids").element(id.as_str());
        wrong.push(Diagnostic::error("Invalid security group", text).at(path));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::Value;
    use crate::resources::dns_forwarding::schema::IpAddress;

    fn subnet(id: &str, vpc: &str, zone: &str, cidr: &str) -> Subnet {
        Subnet {
            id: id.into(),
            vpc_id: vpc.into(),
            zone: zone.to_owned(),
            zone_id: zone.to_owned(),
            ipv4_cidr: Some(cidr.to_owned()),
            ipv6_cidrs: Vec::new(),
            free_addresses: 200,
            tags: crate::aws::Tags::new(),
        }
    }

    fn model(subnets: &[&str]) -> Model {
        Model {
            vpc_id: "vpc-1".into(),
            subnet_ids: Value::Known(subnets.iter().map(|id| Value::from(*id)).collect()),
            ip_address_type: "ipv4".into(),
            ..Model::empty()
        }
    }

    #[test]
    fn a_subnet_must_exist_and_be_in_the_vpc() {
        let found =
            [subnet("subnet-a", "vpc-1", "z1", "10.0.0.0/24"), subnet("subnet-b", "vpc-2", "z2", "10.1.0.0/24")];
        let model = model(&["subnet-a", "subnet-b", "subnet-c"]);
        let wrong = check_subnets(&model, &subnet_ids(&model), &found);
        let texts: Vec<_> = wrong.iter().map(|one| format!("{}: {}", one.path.as_ref().unwrap(), one.detail)).collect();
        assert_eq!(
            texts,
            [
                "subnet_ids[1]: subnet-b is in vpc-2, not in vpc-1. Give subnets of vpc_id.",
                "subnet_ids[2]: There is no subnet subnet-c in this account and Region."
            ]
        );
    }

    #[test]
    fn ipv6_needs_subnets_that_have_it() {
        let found = [subnet("subnet-a", "vpc-1", "z1", "10.0.0.0/24")];
        let model = Model { ip_address_type: "dualstack".into(), ..model(&["subnet-a"]) };
        assert_eq!(check_subnets(&model, &subnet_ids(&model), &found).len(), 1);
    }

    #[test]
    fn two_zones_are_needed_unless_one_is_still_unknown() {
        let found =
            [subnet("subnet-a", "vpc-1", "z1", "10.0.0.0/24"), subnet("subnet-b", "vpc-1", "z1", "10.0.1.0/24")];
        let one_zone = model(&["subnet-a", "subnet-b"]);
        assert!(check_zones(&one_zone, &subnet_ids(&one_zone), &found).is_some());
        let mut perhaps = one_zone;
        perhaps.subnet_ids = Value::Known(vec!["subnet-a".into(), Value::Unknown]);
        assert!(check_zones(&perhaps, &subnet_ids(&perhaps), &found).is_none());
    }

    #[test]
    fn a_fixed_address_is_one_that_its_subnet_can_give() {
        let range: Ipv4Net = "10.0.1.0/24".parse().unwrap();
        let wrong = |ip: &str| misplaced(ip.parse().unwrap(), &"subnet-a".into(), &range);
        assert_eq!(wrong("10.0.1.10"), None);
        assert_eq!(wrong("10.0.1.4"), None);
        assert_eq!(wrong("10.0.2.10").unwrap(), "10.0.2.10 is not in subnet-a, whose range is 10.0.1.0/24.");
        for reserved in ["10.0.1.0", "10.0.1.3", "10.0.1.255"] {
            assert!(wrong(reserved).is_some(), "{reserved}");
        }
    }

    #[test]
    fn an_address_outside_is_named_where_it_stands() {
        let address = IpAddress { subnet_id: "subnet-a".into(), ip: "10.0.9.9".into() };
        let model = Model { ip_addresses: Value::Known(vec![Value::Known(address)]), ..model(&[]) };
        let found = [subnet("subnet-a", "vpc-1", "z1", "10.0.0.0/24")];
        let wrong = check_addresses(&model, &found);
        assert_eq!(wrong[0].path.as_ref().unwrap().to_string(), "ip_addresses[0].ip");
    }
}
