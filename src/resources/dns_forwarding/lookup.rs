//! What is looked up before anything is made: the subnets and groups of the endpoints, and an endpoint to adopt.
//!
//! **Invariant:** changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use super::desired::{Desired, WantedAddress, WantedEnd};
use super::key::Side;
use super::model::Model;
use super::read;
use super::recorded::Endpoint;
use crate::aws::ec2::security_group::{SecurityGroup, find_security_groups};
use crate::aws::ec2::subnet::{Subnet, find_subnets};
use crate::aws::route53resolver::endpoint::{Direction, ResolverAddressType};
use crate::aws::{AwsError, Clients, ResolverEndpointId, SecurityGroupId, SubnetId};
use crate::framework::{Diagnostic, Diagnostics, Path, Value};
use crate::resources::common::aws_error;
use crate::resources::note::Note;
use crate::resources::values::known_list;

/// Whether something that is checked here is new or has changed.
pub fn is_needed(model: &Model, prior: Option<&Model>) -> bool {
    let Some(prior) = prior else {
        return true;
    };
    let place = |model: &Model| {
        let outbound = model.outbound.known();
        outbound.map(|outbound| (outbound.vpc_id.clone(), outbound.subnet_ids.clone(), outbound.ip_addresses.clone()))
    };
    model.vpc_id != prior.vpc_id
        || model.subnet_ids != prior.subnet_ids
        || model.ip_addresses != prior.ip_addresses
        || model.ip_address_type != prior.ip_address_type
        || model.security_group_ids != prior.security_group_ids
        || model.existing_inbound_endpoint_id != prior.existing_inbound_endpoint_id
        || place(model) != place(prior)
}

/// Checks the networks that the endpoints are to be in, as far as their configuration is known.
///
/// # Errors
/// Names the attribute at fault: a subnet or group that does not exist or is in another VPC, all subnets in one zone, an
/// address that is not one of its subnet's.
pub async fn check(clients: &Clients, model: &Model, note: &mut Note) -> Result<Vec<Subnet>, Diagnostics> {
    let desired = Desired::new(model);
    let places: Vec<Place> =
        [Side::Inbound, Side::Outbound].into_iter().filter_map(|s| Place::of(&desired, model, s)).collect();
    let groups: Vec<SecurityGroupId> =
        known_list(&model.security_group_ids).into_iter().flatten().map(SecurityGroupId::from).collect();
    let ids: BTreeSet<SubnetId> = places.iter().flat_map(Place::subnet_ids).flatten().collect();
    let ids: Vec<SubnetId> = ids.into_iter().collect();
    let (found_subnets, found_groups) =
        tokio::join!(some(&ids, find_subnets(clients, &ids)), some(&groups, find_security_groups(clients, &groups)));

    let mut wrong = Diagnostics::new();
    let subnets = note.settle("the subnets, their VPC, zones and ranges", Some(found_subnets));
    if let Some(found) = &subnets {
        wrong.extend(places.iter().flat_map(|place| place.check(found)));
    }
    if let Some(found) = note.settle("the security groups and their VPC", Some(found_groups)) {
        wrong.extend(check_groups(model, &groups, &found));
    }
    if wrong.has_errors() { Err(wrong) } else { Ok(subnets.unwrap_or_default()) }
}

/// Looks the endpoint up that is to be adopted, if it is known which.
///
/// # Errors
/// Names the attribute at fault: there is none, it is an outbound one, it is in another VPC.
pub async fn adopted(clients: &Clients, model: &Model) -> Result<Option<Endpoint>, Diagnostics> {
    let Some(id) = model.existing_inbound_endpoint_id.text() else {
        return Ok(None);
    };
    let wrong = |text: String| {
        let path = Path::root("existing_inbound_endpoint_id");
        Diagnostics::from(Diagnostic::error(format!("{id} cannot be the inbound endpoint"), text).at(path))
    };
    let found = read::find_endpoint(clients, &ResolverEndpointId::from(id)).await;
    match found.map_err(|error| aws_error("look up the inbound endpoint", &error))? {
        None => Err(wrong(format!("There is no Resolver endpoint {id} in this account and Region."))),
        Some((found, _)) if found.direction != Some(Direction::Inbound) => {
            Err(wrong("It is not an inbound endpoint.".to_owned()))
        }
        Some((found, _)) if model.vpc_id.text().is_some_and(|vpc_id| vpc_id != found.vpc_id.as_str()) => {
            let text = format!("It is in {}. Give the endpoint's VPC.", found.vpc_id);
            Err(Diagnostic::error("Invalid vpc_id", text).at(Path::root("vpc_id")).into())
        }
        Some((_, endpoint)) => Ok(Some(endpoint.adopted())),
    }
}

/// No ids, no call: a filter without values would find everything.
async fn some<I, T>(ids: &[I], call: impl Future<Output = Result<Vec<T>, AwsError>>) -> Result<Vec<T>, AwsError> {
    if ids.is_empty() { Ok(Vec::new()) } else { call.await }
}

/// Where an endpoint is to be, and where that is written.
pub struct Place<'a> {
    wanted: &'a WantedEnd,
    side: Side,
    is_listed: bool,
}

impl<'a> Place<'a> {
    /// That of an endpoint that is wanted and not adopted.
    pub fn of(desired: &'a Desired, model: &Model, side: Side) -> Option<Self> {
        let wanted = desired.end(&side)?;
        let is_listed = match side {
            Side::Inbound if !desired.existing.is_null() => return None,
            Side::Inbound => model.ip_addresses.is_null(),
            Side::Outbound | Side::Retired(_) => {
                model.outbound.known().is_none_or(|outbound| outbound.ip_addresses.is_null())
            }
        };
        Some(Place { wanted, side, is_listed })
    }

    /// Which endpoint it is.
    pub fn side(&self) -> &Side {
        &self.side
    }

    /// The addresses that it is to have, in order.
    pub fn addresses(&self) -> &[WantedAddress] {
        self.wanted.addresses.known().map_or(&[][..], Vec::as_slice)
    }

    /// An attribute of the endpoint.
    pub fn attribute(&self, name: &'static str) -> Path {
        match self.side {
            Side::Inbound => Path::root(name),
            Side::Outbound | Side::Retired(_) => Path::root("outbound").attribute(name),
        }
    }

    /// The list of its subnets or addresses.
    pub fn list(&self) -> Path {
        self.attribute(if self.is_listed { "subnet_ids" } else { "ip_addresses" })
    }

    /// One of its fixed addresses.
    pub fn address(&self, index: usize, name: &'static str) -> Path {
        self.attribute("ip_addresses").index(index).attribute(name)
    }

    fn subnet(&self, index: usize) -> Path {
        let element = self.list().index(index);
        if self.is_listed { element } else { element.attribute("subnet_id") }
    }

    /// The subnet of each address, where it is known.
    fn subnet_ids(&self) -> Vec<Option<SubnetId>> {
        let addresses = self.wanted.addresses.known().into_iter().flatten();
        addresses.map(|wanted| wanted.subnet_id.known().cloned()).collect()
    }

    fn check(&self, found: &[Subnet]) -> Vec<Diagnostic> {
        let mut wrong = self.check_subnets(found);
        if wrong.is_empty() {
            wrong.extend(self.check_zones(found));
            wrong.extend(self.check_addresses(found));
        }
        wrong
    }

    fn check_subnets(&self, found: &[Subnet]) -> Vec<Diagnostic> {
        let needs = self.needed_families();
        let vpc_id = self.wanted.vpc_id.text();
        let mut wrong = Vec::new();
        for (index, id) in self.subnet_ids().iter().enumerate() {
            let Some(id) = id else { continue };
            let subnet = found.iter().find(|subnet| subnet.id == *id);
            let other_vpc = |subnet: &&Subnet| vpc_id.is_some_and(|vpc| vpc != subnet.vpc_id.as_str());
            let text = match subnet {
                None => format!("There is no subnet {id} in this account and Region."),
                Some(subnet) if other_vpc(&subnet) => {
                    format!(
                        "{id} is in {}, not in {}. Give subnets of {}.",
                        subnet.vpc_id,
                        vpc_id.unwrap_or_default(),
                        self.attribute("vpc_id")
                    )
                }
                Some(subnet) if needs.contains(&"IPv4") && subnet.ipv4_cidr.is_none() => {
                    format!("{id} has no IPv4 range, and the endpoint is to have IPv4 addresses.")
                }
                Some(subnet) if needs.contains(&"IPv6") && subnet.ipv6_cidrs.is_empty() => {
                    format!("{id} has no IPv6 range, and the endpoint is to have IPv6 addresses.")
                }
                Some(_) => continue,
            };
            wrong.push(Diagnostic::error("Invalid subnet", text).at(self.subnet(index)));
        }
        wrong
    }

    fn needed_families(&self) -> &'static [&'static str] {
        match self.wanted.address_type {
            Value::Known(ResolverAddressType::Ipv4) => &["IPv4"],
            Value::Known(ResolverAddressType::Ipv6) => &["IPv6"],
            Value::Known(ResolverAddressType::Dualstack) => &["IPv4", "IPv6"],
            Value::Null | Value::Unknown => &[],
        }
    }

    /// AWS asks for two zones, so that the loss of one does not end name resolution ("Resolver endpoint scaling and
    /// availability", Route 53 developer guide).
    fn check_zones(&self, found: &[Subnet]) -> Option<Diagnostic> {
        let zone_of = |id: &Option<SubnetId>| {
            let id = id.as_ref()?;
            found.iter().find(|subnet| subnet.id == *id).map(|subnet| subnet.zone.as_str())
        };
        // With a subnet that is not known yet there may be another zone.
        let zones: Option<BTreeSet<&str>> = self.subnet_ids().iter().map(zone_of).collect();
        let zones = zones.filter(|zones| zones.len() == 1)?;
        let zone = zones.first()?;
        let text =
            format!("All subnets are in {zone}. An endpoint needs addresses in two Availability Zones at least.");
        Some(Diagnostic::error("Only one Availability Zone", text).at(self.list()))
    }

    fn check_addresses(&self, found: &[Subnet]) -> Vec<Diagnostic> {
        let subnets: BTreeMap<&str, &Subnet> = found.iter().map(|subnet| (subnet.id.as_str(), subnet)).collect();
        let mut wrong = Vec::new();
        for (index, wanted) in self.wanted.addresses.known().into_iter().flatten().enumerate() {
            let Some(subnet) = wanted.subnet_id.known().and_then(|id| subnets.get(id.as_str())) else {
                continue;
            };
            let ipv4 =
                wanted.ip.known().and_then(|ip| misplaced(*ip, &subnet.id, &subnet.ipv4_cidr.as_ref()?.parse().ok()?));
            let ipv6 = wanted.ipv6.known().and_then(|ip| misplaced_ipv6(IpAddr::V6(*ip), subnet));
            for (name, text) in [("ip", ipv4), ("ipv6", ipv6)] {
                wrong.extend(
                    text.map(|text| Diagnostic::error(format!("Invalid {name}"), text).at(self.address(index, name))),
                );
            }
        }
        wrong
    }
}

/// As [`misplaced`], for IPv6: of each range AWS keeps as many.
fn misplaced_ipv6(ip: IpAddr, subnet: &Subnet) -> Option<String> {
    let ranges: Vec<IpNet> = subnet.ipv6_cidrs.iter().filter_map(|range| range.parse().ok()).collect();
    let Some(range) = ranges.iter().find(|range| range.contains(&ip)) else {
        let ranges: Vec<_> = ranges.iter().map(ToString::to_string).collect();
        return Some(format!("{ip} is not in {}, whose IPv6 range is {}.", subnet.id, ranges.join(", ")));
    };
    let place = |ip: IpAddr| match ip {
        IpAddr::V6(ip) => u128::from(ip),
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
    };
    let kept = place(ip) - place(range.network()) < 4 || ip == range.broadcast();
    kept.then(|| format!("{ip} is one of the five addresses that AWS keeps for itself in {} ({range}).", subnet.id))
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
    use crate::resources::dns_forwarding::model::{IpAddress, Outbound};

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

    fn checked<T>(model: &Model, check: impl Fn(&Place) -> T) -> T {
        let desired = Desired::new(model);
        check(&Place::of(&desired, model, Side::Inbound).unwrap())
    }

    #[test]
    fn a_subnet_must_exist_and_be_in_the_vpc() {
        let found =
            [subnet("subnet-a", "vpc-1", "z1", "10.0.0.0/24"), subnet("subnet-b", "vpc-2", "z2", "10.1.0.0/24")];
        let model = model(&["subnet-a", "subnet-b", "subnet-c"]);
        let wrong = checked(&model, |place| place.check_subnets(&found));
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
        assert_eq!(checked(&model, |place| place.check_subnets(&found)).len(), 1);
    }

    #[test]
    fn two_zones_are_needed_unless_one_is_still_unknown() {
        let found =
            [subnet("subnet-a", "vpc-1", "z1", "10.0.0.0/24"), subnet("subnet-b", "vpc-1", "z1", "10.0.1.0/24")];
        let one_zone = model(&["subnet-a", "subnet-b"]);
        assert!(checked(&one_zone, |place| place.check_zones(&found)).is_some());
        let mut perhaps = one_zone;
        perhaps.subnet_ids = Value::Known(vec!["subnet-a".into(), Value::Unknown]);
        assert!(checked(&perhaps, |place| place.check_zones(&found)).is_none());
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
        let address = IpAddress { subnet_id: "subnet-a".into(), ip: "10.0.9.9".into(), ipv6: "fd00::2".into() };
        let addresses = Value::Known(vec![Value::Known(address)]);
        let outbound = Outbound { ip_addresses: addresses.clone(), ..Outbound::empty() };
        let model = Model { ip_addresses: addresses, outbound: Value::Known(outbound), ..model(&[]) };
        let found =
            Subnet { ipv6_cidrs: vec!["fd00::/64".to_owned()], ..subnet("subnet-a", "vpc-1", "z1", "10.0.0.0/24") };
        let paths = |side: Side| {
            let desired = Desired::new(&model);
            let wrong = Place::of(&desired, &model, side).unwrap().check_addresses(std::slice::from_ref(&found));
            wrong.iter().map(|one| one.path.as_ref().unwrap().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(paths(Side::Inbound), ["ip_addresses[0].ip", "ip_addresses[0].ipv6"]);
        assert_eq!(paths(Side::Outbound), ["outbound.ip_addresses[0].ip", "outbound.ip_addresses[0].ipv6"]);
    }
}
