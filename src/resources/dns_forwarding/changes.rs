//! What differs between a part as it is and as it is wanted.
//!
//! `None` means that something it depends on is not known yet.
//!
//! **Invariant:** pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::addresses::{assign, staying};
use super::desired::{Block, Desired, WantedAddress, WantedEnd};
use super::key::Side;
use super::principal;
use super::recorded::{Address, End, Endpoint, Recorded, Rule, Share, State};
use super::schema::MOST_ADDRESSES;
use crate::aws::ec2::security_group_rule::{Direction, Peer, Rule as GroupRule};
use crate::aws::organizations::organization::Organization;
use crate::aws::route53resolver::endpoint::{ResolverAddressType, ResolverEndpointChange};
use crate::aws::route53resolver::rule::ResolverRuleChange;
use crate::aws::{ResolverAddressId, SecurityGroupId};
use crate::framework::Value;
use crate::resources::values::Strings;

/// The longest name that Resolver takes (CreateResolverRule, Route 53 Resolver API reference).
const LONGEST_NAME: usize = 64;

/// The rules of an endpoint's group.
///
/// The inbound endpoint answers and opens no connection itself, so nothing is let out, unless it is to be untracked: EC2
/// does not track a connection where everything may come in and everything may go out ("Security group connection
/// tracking", EC2 user guide). The outbound endpoint asks nobody but those that its rules name.
pub fn group_rules(desired: &Desired, side: &Side) -> Option<BTreeSet<GroupRule>> {
    match side {
        Side::Inbound => inbound_group_rules(desired),
        Side::Outbound | Side::Retired(_) => {
            let everybody = everybody(*desired.end(side)?.address_type.known()?);
            let rules = |peer: &Peer| {
                ["udp", "tcp"]
                    .map(|protocol| GroupRule::ports(Direction::Outbound, protocol, (53, 53), peer.clone(), "DNS"))
            };
            Some(everybody.iter().flat_map(rules).collect())
        }
    }
}

fn inbound_group_rules(desired: &Desired) -> Option<BTreeSet<GroupRule>> {
    let protocols = desired.protocols.known()?;
    if !*desired.untracked.known()? {
        let clients = desired.clients.known()?.iter().map(Block::peer);
        return Some(clients.flat_map(|peer| dns_rules(&peer, protocols)).collect());
    }
    let everybody = everybody(*desired.inbound.address_type.known()?);
    let out = everybody.iter().map(|peer| GroupRule::all(Direction::Outbound, peer.clone(), "Answers, untracked"));
    Some(everybody.iter().flat_map(|peer| dns_rules(peer, protocols)).chain(out).collect())
}

/// What a client needs to reach the endpoint.
fn dns_rules(peer: &Peer, protocols: &BTreeSet<String>) -> Vec<GroupRule> {
    let rule = |protocol, port, text| GroupRule::ports(Direction::Inbound, protocol, (port, port), peer.clone(), text);
    let mut rules = Vec::new();
    for protocol in protocols {
        match protocol.as_str() {
            "Do53" => rules.extend([rule("udp", 53, "DNS"), rule("tcp", 53, "DNS")]),
            _ => rules.push(rule("tcp", 443, "DNS over HTTPS")),
        }
    }
    rules
}

fn everybody(family: ResolverAddressType) -> Vec<Peer> {
    let (all4, all6) = (Peer::Cidr4("0.0.0.0/0".to_owned()), Peer::Cidr6("::/0".to_owned()));
    match family {
        ResolverAddressType::Ipv4 => vec![all4],
        ResolverAddressType::Ipv6 => vec![all6],
        ResolverAddressType::Dualstack => vec![all4, all6],
    }
}

/// The client ranges that a group's rules open, wholly or in part.
pub fn client_blocks(rules: &BTreeSet<GroupRule>, protocols: &BTreeSet<String>) -> BTreeSet<Block> {
    let block_of = |rule: &GroupRule| match &rule.peer {
        Peer::Cidr4(text) | Peer::Cidr6(text) => Block::parse(text),
        Peer::Group(_) | Peer::PrefixList(_) => None,
    };
    let is_one_of = |rule: &&GroupRule| dns_rules(&rule.peer, protocols).iter().any(|dns| dns.is_same_traffic(rule));
    rules.iter().filter(is_one_of).filter_map(block_of).collect()
}

/// Whether two sets of rules let the same traffic through.
pub fn same_traffic(one: &BTreeSet<GroupRule>, other: &BTreeSet<GroupRule>) -> bool {
    missing(one, other).is_empty() && missing(other, one).is_empty()
}

/// The rules of `wanted` that `have` lacks.
pub fn missing<'a>(wanted: &'a BTreeSet<GroupRule>, have: &BTreeSet<GroupRule>) -> Vec<&'a GroupRule> {
    wanted.iter().filter(|rule| !have.iter().any(|other| rule.is_same_traffic(other))).collect()
}

/// The groups that an endpoint is to have.
pub fn endpoint_groups(desired: &Desired, side: &Side, end: &End) -> Option<BTreeSet<SecurityGroupId>> {
    match (side, &desired.own_groups) {
        (Side::Inbound, Value::Known(groups)) => Some(groups.clone()),
        (Side::Inbound, Value::Unknown) => None,
        _ => Some([end.group.as_ref()?.id.clone()].into()),
    }
}

/// The protocols that an endpoint is to speak.
pub fn endpoint_protocols(desired: &Desired, side: &Side) -> Option<BTreeSet<String>> {
    match side {
        Side::Inbound => desired.protocols.known().cloned(),
        Side::Outbound | Side::Retired(_) => Some(["Do53".to_owned()].into()),
    }
}

/// What differs about an endpoint, tags and addresses aside.
pub fn endpoint_change(desired: &Desired, side: &Side, endpoint: &Endpoint) -> Option<ResolverEndpointChange> {
    let name = desired.name.known()?;
    let wanted = desired.end(side)?;
    let family = *wanted.address_type.known()?;
    let protocols = endpoint_protocols(desired, side)?;
    let other_family = family.as_str() != endpoint.address_type;
    let gains_ipv6 = other_family && family == ResolverAddressType::Dualstack;
    Some(ResolverEndpointChange {
        name: (*name != endpoint.name).then(|| name.clone()),
        address_type: other_family.then_some(family),
        ipv6: if gains_ipv6 { chosen_ipv6(wanted, endpoint)? } else { BTreeMap::new() },
        protocols: (protocols != endpoint.protocols).then_some(protocols),
    })
}

/// The fixed IPv6 addresses that those that are there are to get.
fn chosen_ipv6(wanted: &WantedEnd, endpoint: &Endpoint) -> Option<BTreeMap<ResolverAddressId, std::net::Ipv6Addr>> {
    let slots = wanted.slots()?;
    let mut by_ipv4 = slots.clone();
    by_ipv4.iter_mut().for_each(|slot| slot.ipv6 = None);
    let assigned = assign(&by_ipv4, &endpoint.addresses).into_iter().zip(slots);
    Some(assigned.filter_map(|(place, slot)| Some((endpoint.addresses[place?].id.clone(), slot.ipv6?))).collect())
}

/// The protocols to go through on the way from some to others. Resolver keeps clients from being cut off: each change
/// must leave one protocol that was there, `DoH` and `DoH-FIPS` exclude each other, and `Do53` goes with both
/// (UpdateResolverEndpoint, Route 53 Resolver API reference).
pub fn protocol_path(old: &BTreeSet<String>, new: &BTreeSet<String>) -> Vec<BTreeSet<String>> {
    let plain: BTreeSet<String> = ["Do53".to_owned()].into();
    let way = match old.is_disjoint(new) {
        true => vec![old | &plain, new | &plain, new.clone()],
        false => vec![new.clone()],
    };
    let mut at = old;
    let mut path = Vec::new();
    for next in &way {
        if next != at {
            path.push(next.clone());
            at = next;
        }
    }
    path
}

/// Whether the family of an endpoint's addresses cannot be changed to the wanted one: neither from nor to IPv6 alone
/// (UpdateResolverEndpoint, Route 53 Resolver API reference).
pub fn is_fixed_family(wanted: &WantedEnd, endpoint: &Endpoint) -> bool {
    let ipv6 = ResolverAddressType::Ipv6.as_str();
    let family = wanted.address_type.known().map(|family| family.as_str());
    family.is_some_and(|family| family != endpoint.address_type && [family, &endpoint.address_type].contains(&ipv6))
}

/// The inbound endpoint's addresses after the apply: those that are fixed or stay are known.
pub fn inbound_ips(desired: &Desired, recorded: &Recorded) -> Strings {
    let endpoint = recorded.inbound.endpoint.as_ref();
    if !desired.existing.is_null() {
        return match endpoint.filter(|endpoint| desired.existing.known() == Some(&endpoint.id)) {
            Some(endpoint) => addresses_of(&endpoint.addresses.iter().collect::<Vec<_>>()),
            None => Value::Unknown,
        };
    }
    let wanted = &desired.inbound;
    let (Some(wanted_addresses), Some(family)) = (wanted.addresses.known(), wanted.address_type.known()) else {
        return Value::Unknown;
    };
    // The family's change gives or takes addresses that are there.
    let endpoint = endpoint.filter(|endpoint| endpoint.address_type == family.as_str());
    let there = endpoint.map_or(&[][..], |endpoint| &endpoint.addresses);
    let assigned = match wanted.slots() {
        Some(slots) => assign(&slots, there),
        None => vec![None; wanted_addresses.len()],
    };
    let stays = |index: usize| assigned[index].map(|place| &there[place]).filter(|address| address.is_sound());
    let known = |ip: Option<String>| ip.map_or(Value::Unknown, Value::Known);
    let ipv4 = |(index, wanted): (usize, &WantedAddress)| match wanted.ip {
        Value::Known(ip) => Value::Known(ip.to_string()),
        Value::Null => known(stays(index).and_then(|one| one.ipv4).map(|ip| ip.to_string())),
        Value::Unknown => Value::Unknown,
    };
    let ipv6 = |(index, wanted): (usize, &WantedAddress)| match wanted.ipv6 {
        Value::Known(ip) => Value::Known(ip.to_string()),
        Value::Null => known(stays(index).and_then(|one| one.ipv6).map(|ip| ip.to_string())),
        Value::Unknown => Value::Unknown,
    };
    let numbered = || wanted_addresses.iter().enumerate();
    Value::Known(match family {
        ResolverAddressType::Ipv4 => numbered().map(ipv4).collect(),
        ResolverAddressType::Ipv6 => numbered().map(ipv6).collect(),
        ResolverAddressType::Dualstack => numbered().map(ipv4).chain(numbered().map(ipv6)).collect(),
    })
}

/// Addresses in their order: IPv4 first, then IPv6.
pub fn addresses_of(addresses: &[&Address]) -> Strings {
    let there = || addresses.iter().filter(|address| address.state != State::Going);
    let ipv4 = there().filter_map(|address| address.ipv4.map(|ip| Value::Known(ip.to_string())));
    let ipv6 = there().filter_map(|address| address.ipv6.map(|ip| Value::Known(ip.to_string())));
    Value::Known(ipv4.chain(ipv6).collect())
}

/// Whom the rules ask: those that are written, or the inbound endpoint as it will be.
pub fn targets(desired: &Desired, recorded: &Recorded) -> Option<BTreeSet<IpAddr>> {
    match &desired.outbound.known()?.targets {
        Value::Known(targets) => Some(targets.clone()),
        Value::Unknown => None,
        Value::Null if !desired.existing.is_null() => targets_in_use(recorded),
        Value::Null => {
            let ips = inbound_ips(desired, recorded).into_known()?;
            let ips: Option<Vec<IpAddr>> = ips.iter().map(|ip| ip.text()?.parse().ok()).collect();
            Some(of_one_family(ips?))
        }
    }
}

/// The same, as the inbound endpoint is.
pub fn targets_in_use(recorded: &Recorded) -> Option<BTreeSet<IpAddr>> {
    let addresses = recorded.inbound.endpoint.as_ref()?.addresses.iter().filter(|address| address.is_sound());
    Some(of_one_family(addresses.flat_map(ips_of).collect())).filter(|targets| !targets.is_empty())
}

/// The addresses to hold on to while the others are exchanged: one for each rule that asks none of those that stay.
/// Nothing is held where no rule loses all that it asks.
pub fn held(desired: &Desired, recorded: &Recorded) -> BTreeSet<ResolverAddressId> {
    let (Some(endpoint), Some(zones)) = (&recorded.inbound.endpoint, desired.zones.known()) else {
        return BTreeSet::new();
    };
    let Some(slots) = desired.inbound.slots().filter(|_| desired.existing.is_null() && desired.outbound.is_known())
    else {
        return BTreeSet::new();
    };
    let staying = staying(&slots, &endpoint.addresses);
    let rules = zones.iter().filter_map(|zone| recorded.rules.get(zone));
    let last = |rule: &Rule| {
        let asks = |address: &Address| ips_of(address).any(|ip| rule.targets.contains(&ip));
        if staying.iter().any(|address| asks(address)) {
            return None;
        }
        let in_use = endpoint.addresses.iter().filter(|address| address.state == State::Attached);
        in_use.filter(|address| asks(address)).map(|address| address.id.clone()).next_back()
    };
    rules.filter_map(last).collect()
}

/// Whom a rule asks while the last addresses are exchanged: those written, or those that stay and are in use.
pub fn interim_targets(desired: &Desired, recorded: &Recorded) -> Option<BTreeSet<IpAddr>> {
    let outbound = desired.outbound.known()?;
    if !outbound.targets.is_null() {
        return outbound.targets.known().cloned();
    }
    let staying = staying(&desired.inbound.slots()?, &recorded.inbound.endpoint.as_ref()?.addresses);
    Some(of_one_family(staying.into_iter().flat_map(ips_of).collect())).filter(|targets| !targets.is_empty())
}

fn ips_of(address: &Address) -> impl Iterator<Item = IpAddr> {
    address.ipv4.map(IpAddr::V4).into_iter().chain(address.ipv6.map(IpAddr::V6))
}

/// A rule takes addresses of one family, and at most six.
fn of_one_family(ips: Vec<IpAddr>) -> BTreeSet<IpAddr> {
    let has_ipv4 = ips.iter().any(IpAddr::is_ipv4);
    ips.into_iter().filter(|ip| ip.is_ipv4() == has_ipv4).take(MOST_ADDRESSES).collect()
}

/// What differs about a rule, tags and associations aside.
pub fn rule_change(desired: &Desired, recorded: &Recorded, zone: &str, rule: &Rule) -> Option<ResolverRuleChange> {
    let name = rule_name(desired.name.known()?, zone);
    let endpoint = &recorded.outbound.endpoint.as_ref()?.id;
    let targets = targets(desired, recorded)?;
    Some(ResolverRuleChange {
        name: (name != rule.name).then_some(name),
        endpoint_id: (rule.endpoint_id.as_ref() != Some(endpoint)).then(|| endpoint.clone()),
        targets: (targets != rule.targets || !rule.is_plain).then_some(targets),
    })
}

/// The name of a rule: that of the resource and the zone, as far as they fit.
pub fn rule_name(name: &str, zone: &str) -> String {
    format!("{name} {}", zone.replace('.', "-")).chars().take(LONGEST_NAME).collect::<String>().trim_end().to_owned()
}

/// The name of the share.
pub fn share_name(name: &str) -> String {
    format!("studio-dns {name}")
}

/// What differs about the share, tags aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareChange {
    /// Another name.
    pub name: Option<String>,
    /// Whom to share with, too, or once more.
    pub add_principals: BTreeSet<String>,
    /// Whom to share with no more.
    pub remove_principals: BTreeSet<String>,
    /// What to share, too, or once more.
    pub add_resources: BTreeSet<String>,
    /// What to share no more.
    pub remove_resources: BTreeSet<String>,
}

impl ShareChange {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What differs about the share. A link without effect is made anew.
pub fn share_change(
    desired: &Desired,
    recorded: &Recorded,
    share: &Share,
    organization: Option<&Organization>,
) -> Option<ShareChange> {
    let name = share_name(desired.name.known()?);
    let principals = &principals(desired, Some(share), organization)?;
    let resources = shared_rules(desired, recorded)?;
    let sound = |links: &BTreeMap<String, Option<String>>| -> BTreeSet<String> {
        links.iter().filter(|(_, trouble)| trouble.is_none()).map(|(entity, _)| entity.clone()).collect()
    };
    let all = |links: &BTreeMap<String, Option<String>>| -> BTreeSet<String> { links.keys().cloned().collect() };
    Some(ShareChange {
        name: (name != share.name).then_some(name),
        add_principals: principals - &sound(&share.principals),
        remove_principals: &all(&share.principals) - principals,
        add_resources: &resources - &sound(&share.resources),
        remove_resources: &all(&share.resources) - &resources,
    })
}

/// With whom to share, as RAM spells it.
pub fn principals(
    desired: &Desired,
    share: Option<&Share>,
    organization: Option<&Organization>,
) -> Option<BTreeSet<String>> {
    let wanted = desired.outbound.known()?.principals.known()?;
    let shared = || share.into_iter().flat_map(|share| share.principals.keys());
    Some(wanted.iter().map(|text| principal::spelled(text, shared(), organization)).collect())
}

/// The ARNs of the rules that are wanted. `None` also while one of them is not made.
pub fn shared_rules(desired: &Desired, recorded: &Recorded) -> Option<BTreeSet<String>> {
    desired.zones.known()?.iter().map(|zone| Some(recorded.rules.get(zone)?.arn.clone())).collect()
}
