//! Checks before anything is made: read-only looks at what AWS would refuse in the middle of an apply, or would accept
//! and never work.
//!
//! Only what is new is looked at, so that a plan without changes asks nothing. A look-up that is not permitted leaves out
//! what depends on it, and one note at the end names them all. What is unknown is checked by the plan that Terraform
//! makes again during apply.
//!
//! **Invariant:** changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::desired::Desired;
use super::find;
use super::key::{Key, Side};
use super::lookup::Place;
use super::model::Model;
use super::plan::{self, Action};
use super::recorded::{Endpoint, Recorded};
use super::sharing;
use crate::aws::ec2::network_interface::{NetworkInterface, list_network_interfaces_by_address};
use crate::aws::ec2::route_table::list_route_tables;
use crate::aws::ec2::vpc::find_vpc;
use crate::aws::route53resolver::association::list_rules_of_vpc;
use crate::aws::route53resolver::endpoint::{EndpointStatus, ResolverEndpoint, list_resolver_endpoints};
use crate::aws::route53resolver::rule::find_resolver_rule;
use crate::aws::{AwsError, Clients, ResolverRuleId, SubnetId, VpcId};
use crate::framework::{Diagnostic, Diagnostics, Path};
use crate::resources::clients::{self, ClientRange, known_ranges};
use crate::resources::note::Note;
use crate::resources::routes;
use crate::resources::values::known_set;

/// The endpoints that a Region may have unless its quota was raised ("Quotas on Route 53 Resolver", Route 53 developer
/// guide).
const USUAL_QUOTA: usize = 4;

/// What is planned, and what is there.
pub struct Subject<'a> {
    /// What is planned.
    pub model: &'a Model,
    /// What there was; `None` for a creation.
    pub prior: Option<&'a Model>,
    /// What exists of it.
    pub recorded: &'a Recorded,
    /// What exists of an object that this one replaces, and goes before this one comes.
    pub replaced: Option<&'a Recorded>,
    /// Marks what an earlier run of this resource has made.
    pub owner: &'a str,
}

/// Checks what is planned: errors and warnings at the attributes at fault.
pub async fn check(clients: &Clients, subject: &Subject<'_>, note: &mut Note) -> Diagnostics {
    let desired = Desired::new(subject.model);
    let recorded = plan::retiring(&desired, subject.recorded);
    let made: Vec<Side> = plan::steps(Some(&desired), &recorded)
        .into_iter()
        .filter_map(|step| match (step.key, step.action) {
            (Key::Endpoint(side), Action::Create) => Some(side),
            _ => None,
        })
        .collect();
    let places: Vec<Place> = [Side::Inbound, Side::Outbound]
        .into_iter()
        .filter_map(|side| Place::of(&desired, subject.model, side))
        .collect();
    let mut found = Diagnostics::new();
    found.extend(taken(clients, subject, &places, note).await);
    found.extend(quota(clients, subject, &places, &made, note).await);
    found.extend(ways_back(clients, subject, &desired, note).await);
    found.extend(rules_in_the_way(clients, subject, &desired, note).await);
    found.extend(sharing::organization(clients, subject.model, &recorded).await.err().unwrap_or_default());
    found
}

// ---- Addresses that are taken ----

/// The fixed addresses that are new, with where they are to be and where that is written.
fn new_addresses(place: &Place, there: &[&Endpoint]) -> Vec<(IpAddr, SubnetId, Path)> {
    let has = |ip: &IpAddr| {
        let addresses = there.iter().flat_map(|endpoint| &endpoint.addresses);
        addresses.into_iter().any(|one| one.ipv4.map(IpAddr::V4) == Some(*ip) || one.ipv6.map(IpAddr::V6) == Some(*ip))
    };
    let mut found = Vec::new();
    for (index, wanted) in place.addresses().iter().enumerate() {
        let Some(subnet) = wanted.subnet_id.known() else { continue };
        let fixed = [
            ("ip", wanted.ip.known().map(|ip| IpAddr::V4(*ip))),
            ("ipv6", wanted.ipv6.known().map(|ip| IpAddr::V6(*ip))),
        ];
        for (name, ip) in fixed {
            let ip = ip.filter(|ip| !has(ip));
            found.extend(ip.map(|ip| (ip, subnet.clone(), place.address(index, name))));
        }
    }
    found
}

async fn taken(clients: &Clients, subject: &Subject<'_>, places: &[Place<'_>], note: &mut Note) -> Vec<Diagnostic> {
    let there: Vec<&Endpoint> = [Some(subject.recorded), subject.replaced]
        .into_iter()
        .flatten()
        .flat_map(|recorded| recorded.ends().filter_map(|(_, end)| end.endpoint.as_ref()).collect::<Vec<_>>())
        .collect();
    let mut wanted: Vec<_> = places.iter().flat_map(|place| new_addresses(place, &there)).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let subnets: BTreeSet<SubnetId> = wanted.iter().map(|(_, subnet, _)| subnet.clone()).collect();
    let ips: Vec<IpAddr> = wanted.iter().map(|(ip, ..)| *ip).collect();
    let subnets: Vec<SubnetId> = subnets.into_iter().collect();
    let answer = list_network_interfaces_by_address(clients, &subnets, &ips).await;
    let interfaces = note.settle("whether the fixed addresses are free", Some(answer)).unwrap_or_default();
    if !interfaces.is_empty() && subject.prior.is_none() {
        // A run that was killed may have left the very endpoint that is going to be used.
        let name = subject.model.name.text().unwrap_or_default();
        let left = find::left_behind(clients, subject.owner, name).await;
        let left = note.settle("whether an earlier run holds the fixed addresses", Some(left)).unwrap_or_default();
        let ours: Vec<&Endpoint> =
            [&left.inbound, &left.outbound].into_iter().filter_map(|end| end.endpoint.as_ref()).collect();
        wanted = places.iter().flat_map(|place| new_addresses(place, &ours)).collect();
    }
    wanted
        .iter()
        .filter_map(|(ip, subnet, path)| {
            of_another(*ip, subnet, &interfaces)
                .map(|text| Diagnostic::error("An address is taken", text).at(path.clone()))
        })
        .collect()
}

fn of_another(ip: IpAddr, subnet: &SubnetId, interfaces: &[NetworkInterface]) -> Option<String> {
    let has = |interface: &&NetworkInterface| {
        interface.subnet_id == *subnet
            && match ip {
                IpAddr::V4(ip) => interface.ipv4.contains(&ip),
                IpAddr::V6(ip) => interface.ipv6.contains(&ip),
            }
    };
    let interface = interfaces.iter().find(has)?;
    let what = match interface.description.as_str() {
        "" => String::new(),
        description => format!(" ({description})"),
    };
    Some(format!("{ip} of {subnet} belongs to the network interface {}{what}. Choose another address.", interface.id))
}

// ---- The quota ----

async fn quota(
    clients: &Clients,
    subject: &Subject<'_>,
    places: &[Place<'_>],
    made: &[Side],
    note: &mut Note,
) -> Option<Diagnostic> {
    if made.is_empty() {
        return None;
    }
    let answer = list_resolver_endpoints(clients, None).await;
    let endpoints = note.settle("how many Resolver endpoints the Region has", Some(answer))?;
    let goes = |endpoint: &&ResolverEndpoint| {
        let replaced = subject
            .replaced
            .into_iter()
            .flat_map(|replaced| replaced.ends().map(|(_, end)| end.clone()).collect::<Vec<_>>());
        replaced.into_iter().any(|end| end.endpoint.is_some_and(|old| old.id == endpoint.id))
    };
    let is_there = |endpoint: &&ResolverEndpoint| endpoint.status != EndpointStatus::Deleting && !goes(endpoint);
    let used = endpoints.iter().filter(is_there).count();
    let text = over_quota(used, made.len(), clients.region().as_str())?;
    let place = places.iter().find(|place| made.contains(place.side()))?;
    Some(Diagnostic::warning("The quota of Resolver endpoints", text).at(place.list()))
}

/// The quota can be raised, and what it was raised to is not looked up, so this is no error.
fn over_quota(used: usize, made: usize, region: &str) -> Option<String> {
    let text = format!(
        "{region} has {used} Resolver endpoints, and {made} more {} to be made. A Region may have {USUAL_QUOTA} unless its quota was raised. Ask AWS for more, delete one that is not needed, or use one that is there by existing_inbound_endpoint_id.",
        if made == 1 { "is" } else { "are" },
    );
    (used + made > USUAL_QUOTA).then_some(text)
}

// ---- Routes back to the clients ----

/// The client ranges whose way back has not been looked at yet.
fn new_ranges(subject: &Subject<'_>) -> Vec<ClientRange> {
    let mut ranges = known_ranges(&subject.model.client_cidr_blocks);
    if let Some(prior) = subject.prior {
        let same_place =
            prior.subnet_ids == subject.model.subnet_ids && prior.ip_addresses == subject.model.ip_addresses;
        let before = if same_place { known_ranges(&prior.client_cidr_blocks) } else { Vec::new() };
        ranges.retain(|range| !before.iter().any(|other| other.range == range.range));
    }
    // A client has no business with an endpoint of the other family, nor have the answers a way to take.
    let family = subject.model.ip_address_type.text();
    ranges.retain(|client| match client.range.addr() {
        IpAddr::V4(_) => family != Some("ipv6"),
        IpAddr::V6(_) => family != Some("ipv4"),
    });
    ranges
}

async fn ways_back(clients: &Clients, subject: &Subject<'_>, desired: &Desired, note: &mut Note) -> Vec<Diagnostic> {
    let ranges = new_ranges(subject);
    let wanted = desired.inbound.addresses.known().into_iter().flatten();
    let subnets: BTreeSet<SubnetId> = wanted.filter_map(|one| one.subnet_id.known().cloned()).collect();
    let Some(vpc_id) = subject.model.vpc_id.text().map(VpcId::from) else {
        return Vec::new();
    };
    if ranges.is_empty() || subnets.is_empty() || !desired.existing.is_null() {
        return Vec::new();
    }
    let (vpc, tables) = tokio::join!(find_vpc(clients, &vpc_id), list_route_tables(clients, &vpc_id));
    let vpc = note.settle("the VPC and its ranges", Some(vpc)).flatten();
    let tables = note.settle("routes from the endpoint back to the clients", Some(tables)).unwrap_or_default();
    let own = vpc.as_ref().map(clients::ranges_of).unwrap_or_default();
    let mut found = clients::check_clients(&vpc_id, &own, &ranges);
    found.extend(routes::check(&ranges, &subnets, &tables, &own));
    found
}

// ---- Rules of others for the same zones ----

/// A VPC takes one rule for a zone.
async fn rules_in_the_way(
    clients: &Clients,
    subject: &Subject<'_>,
    desired: &Desired,
    note: &mut Note,
) -> Vec<Diagnostic> {
    let Some(outbound) = subject.model.outbound.known() else {
        return Vec::new();
    };
    let zones = desired.zones.known().cloned().unwrap_or_default();
    let own = || [Some(subject.recorded), subject.replaced].into_iter().flatten().flat_map(|one| one.rules.values());
    let is_new = |vpc: &str| {
        let has = |zone: &String| {
            subject.recorded.rules.get(zone).is_some_and(|rule| rule.associations.contains_key(&VpcId::from(vpc)))
        };
        !zones.iter().all(has)
    };
    let vpcs = known_set(&outbound.vpc_ids).unwrap_or_default().into_iter().filter(|vpc| is_new(vpc));
    let mut found = Vec::new();
    let mut seen = BTreeMap::new();
    for vpc in vpcs {
        let answer = list_rules_of_vpc(clients, &VpcId::from(vpc.as_str())).await;
        let what = "whether the VPCs have other rules for the zones";
        let Some(associations) = note.settle(what, Some(answer)) else { continue };
        let others = associations.into_iter().map(|one| one.rule_id).filter(|id| !own().any(|rule| rule.id == *id));
        for id in others {
            let zone = note.settle(what, Some(zone_of(clients, &id, subject.owner, &mut seen).await)).flatten();
            if let Some(zone) = zone.filter(|zone| zones.contains(zone)) {
                let text = format!(
                    "{vpc} has the rule {id} for {zone} already, and a VPC takes one rule for a zone. Take that rule off the VPC, or remove the VPC from vpc_ids."
                );
                let path = Path::root("outbound").attribute("vpc_ids").element(vpc.as_str());
                found.push(Diagnostic::error("A VPC has another rule for the zone", text).at(path));
            }
        }
    }
    found
}

/// The zone of somebody else's rule. A rule of an earlier run of this resource is taken over.
async fn zone_of(
    clients: &Clients,
    id: &ResolverRuleId,
    owner: &str,
    seen: &mut BTreeMap<ResolverRuleId, Option<String>>,
) -> Result<Option<String>, AwsError> {
    if let Some(zone) = seen.get(id) {
        return Ok(zone.clone());
    }
    let zone = match find_resolver_rule(clients, id).await? {
        Some(rule) if find::is_marked(clients, &rule.arn, owner).await? => None,
        Some(rule) => Some(rule.zone),
        None => None,
    };
    seen.insert(id.clone(), zone.clone());
    Ok(zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::Value;
    use crate::resources::dns_forwarding::model::IpAddress;
    use crate::resources::values::Strings;

    fn texts(list: &[&str]) -> Strings {
        Value::Known(list.iter().map(|text| Value::from(*text)).collect())
    }

    fn model(clients: &[&str]) -> Model {
        Model {
            subnet_ids: texts(&["subnet-a"]),
            client_cidr_blocks: texts(clients),
            ip_address_type: "ipv4".into(),
            ..Model::empty()
        }
    }

    fn ranges(model: &Model, prior: Option<&Model>) -> Vec<String> {
        let recorded = Recorded::default();
        let subject = Subject { model, prior, recorded: &recorded, replaced: None, owner: "o" };
        new_ranges(&subject).into_iter().map(|range| range.text).collect()
    }

    #[test]
    fn only_ranges_that_are_new_are_looked_at_unless_the_endpoint_moves() {
        let now = model(&["10.0.0.0/8", "192.168.0.0/16"]);
        assert_eq!(ranges(&now, None), ["10.0.0.0/8", "192.168.0.0/16"]);
        assert_eq!(ranges(&now, Some(&model(&["10.0.0.0/8"]))), ["192.168.0.0/16"]);
        assert_eq!(ranges(&now, Some(&now)), [""; 0]);
        let elsewhere = Model { subnet_ids: texts(&["subnet-b"]), ..now.clone() };
        assert_eq!(ranges(&elsewhere, Some(&now)).len(), 2);
    }

    #[test]
    fn clients_of_another_family_than_the_endpoints_are_left_out() {
        let now = model(&["10.0.0.0/8", "fd00::/8"]);
        assert_eq!(ranges(&now, None), ["10.0.0.0/8"]);
        let both = Model { ip_address_type: "dualstack".into(), ..now.clone() };
        assert_eq!(ranges(&both, None).len(), 2);
        assert_eq!(ranges(&Model { ip_address_type: "ipv6".into(), ..now }, None), ["fd00::/8"]);
    }

    #[test]
    fn fixed_addresses_that_the_endpoint_has_are_not_new() {
        let address = |ip: &str, ipv6: Value<String>| {
            Value::Known(IpAddress { subnet_id: "subnet-a".into(), ip: ip.into(), ipv6 })
        };
        let addresses = vec![address("10.0.0.5", Value::Null), address("10.0.0.6", "fd00::6".into())];
        let model = Model { subnet_ids: Value::Null, ip_addresses: Value::Known(addresses), ..model(&[]) };
        let desired = Desired::new(&model);
        let place = Place::of(&desired, &model, Side::Inbound).unwrap();
        let paths = |there: &[&Endpoint]| {
            new_addresses(&place, there).into_iter().map(|(_, _, path)| path.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(paths(&[]), ["ip_addresses[0].ip", "ip_addresses[1].ip", "ip_addresses[1].ipv6"]);
    }

    #[test]
    fn an_address_is_taken_where_its_subnet_has_it() {
        let interface = NetworkInterface {
            id: "eni-1".into(),
            subnet_id: "subnet-a".into(),
            zone: "z".to_owned(),
            ipv4: vec!["10.0.0.5".parse().unwrap()],
            ipv6: Vec::new(),
            description: "somebody's".to_owned(),
            status: "in-use".to_owned(),
        };
        let ip = "10.0.0.5".parse().unwrap();
        let text = of_another(ip, &"subnet-a".into(), std::slice::from_ref(&interface)).unwrap();
        assert_eq!(
            text,
            "10.0.0.5 of subnet-a belongs to the network interface eni-1 (somebody's). Choose another address."
        );
        assert_eq!(of_another(ip, &"subnet-b".into(), &[interface]), None);
    }

    #[test]
    fn more_endpoints_than_a_region_usually_has_are_told_of() {
        assert_eq!(over_quota(3, 1, "eu-west-1"), None);
        assert!(
            over_quota(4, 1, "eu-west-1").unwrap().starts_with("eu-west-1 has 4 Resolver endpoints, and 1 more is")
        );
        assert!(over_quota(3, 2, "eu-west-1").is_some());
    }
}
