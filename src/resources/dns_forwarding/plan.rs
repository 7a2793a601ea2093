//! Which parts a DNS forwarding has, what changes about them, and in which order.
//!
//! ```text
//! security group ── inbound endpoint ── its addresses
//! ```
//!
//! | part | needs | why |
//! | --- | --- | --- |
//! | security group | – | |
//! | inbound endpoint | security group | Resolver takes the groups when it makes the endpoint, and never again |
//! | addresses | inbound endpoint | the first ones are made with it; later changes are a part of their own |
//!
//! A part is made or changed after what it needs, and deleted after everything that needs it. The addresses go with the
//! endpoint.
//!
//! **Invariant:** pure.

use std::collections::BTreeSet;

use super::addresses::{assign, is_as_wanted};
use super::desired::{Block, Desired, WantedAddress};
use super::recorded::{Endpoint, Group, Recorded};
use super::schema::Model;
use crate::aws::SecurityGroupId;
use crate::aws::ec2::security_group_rule::{Direction, Peer, Rule};
use crate::aws::route53resolver::endpoint::{ResolverAddressType, ResolverEndpointChange};
use crate::framework::{Path, Value};
use crate::resources::values::Strings;
use crate::steps::Step;

/// Names one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The security group.
    Group,
    /// The inbound endpoint.
    Endpoint,
    /// The endpoint's addresses, once it is there.
    Addresses,
}

/// What to do to a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make it.
    Create,
    /// Wait for it if it is not ready, and change what differs.
    Update,
    /// Delete it.
    Delete,
}

impl Key {
    fn needs(self) -> &'static [Key] {
        match self {
            Key::Group => &[],
            Key::Endpoint => &[Key::Group],
            Key::Addresses => &[Key::Endpoint],
        }
    }

    /// In words, for messages.
    pub fn name(&self) -> String {
        match self {
            Key::Group => "security group of the inbound endpoint",
            Key::Endpoint => "inbound endpoint",
            Key::Addresses => "addresses of the inbound endpoint",
        }
        .to_owned()
    }

    /// The value of the tag that says which part of its owner something is.
    pub fn part(self) -> &'static str {
        match self {
            Key::Group => "inbound-group",
            Key::Endpoint | Key::Addresses => "inbound-endpoint",
        }
    }
}

/// The endpoint's part tag until its creation was seen to its end. Only an endpoint with this mark can be what a killed
/// run has left behind; one without it may well belong to another configuration with the same name, or to the object
/// that this one replaces.
pub const ENDPOINT_IN_THE_MAKING: &str = "inbound-endpoint/in-the-making";

/// What it takes to get from what is recorded to what is wanted. Nothing wanted is a destruction.
pub fn steps(desired: Option<&Desired>, recorded: &Recorded) -> Vec<Step<Key, Action>> {
    let mut actions = Vec::new();
    if let Some(desired) = desired {
        actions.extend(group_action(desired, recorded).map(|action| (Key::Group, action)));
        actions.extend(endpoint_action(desired, recorded).map(|action| (Key::Endpoint, action)));
        actions.extend(addresses_action(desired, recorded).map(|action| (Key::Addresses, action)));
    } else {
        actions.extend(recorded.group.iter().map(|_| (Key::Group, Action::Delete)));
        actions.extend(recorded.endpoint.iter().map(|_| (Key::Endpoint, Action::Delete)));
    }
    with_order(&actions)
}

fn with_order(actions: &[(Key, Action)]) -> Vec<Step<Key, Action>> {
    let after = |key: Key, action: Action| -> BTreeSet<Key> {
        match action {
            Action::Create | Action::Update => key.needs().iter().copied().collect(),
            // Whatever needs this part, and is changed or deleted, lets go of it first.
            Action::Delete => {
                actions.iter().map(|(other, _)| *other).filter(|other| other.needs().contains(&key)).collect()
            }
        }
    };
    actions.iter().map(|(key, action)| Step { key: *key, action: *action, after: after(*key, *action) }).collect()
}

fn group_action(desired: &Desired, recorded: &Recorded) -> Option<Action> {
    if !desired.makes_group() {
        // A group may be left from a creation that failed with other settings. What is not known deletes nothing.
        return (desired.own_groups.is_known() && recorded.group.is_some()).then_some(Action::Delete);
    }
    let as_wanted = |group: &Group| {
        group_rules(desired).is_some_and(|rules| same_traffic(&rules, &group.rules)) && desired.has_tags(&group.tags)
    };
    action(recorded.group.as_ref(), as_wanted)
}

fn endpoint_action(desired: &Desired, recorded: &Recorded) -> Option<Action> {
    action(recorded.endpoint.as_ref(), |endpoint| {
        endpoint.ready
            && desired.has_tags(&endpoint.tags)
            && endpoint_change(desired, endpoint).is_some_and(|change| change.is_empty())
    })
}

fn addresses_action(desired: &Desired, recorded: &Recorded) -> Option<Action> {
    let endpoint = recorded.endpoint.as_ref()?;
    // An endpoint that is not ready may have addresses that fail while it is waited for.
    let as_wanted = endpoint.ready && desired.slots().is_some_and(|slots| is_as_wanted(&slots, &endpoint.addresses));
    (!as_wanted).then_some(Action::Update)
}

fn action<T>(part: Option<&T>, as_wanted: impl FnOnce(&T) -> bool) -> Option<Action> {
    match part {
        None => Some(Action::Create),
        Some(part) if as_wanted(part) => None,
        Some(_) => Some(Action::Update),
    }
}

/// The rules of the group. `None` while something they depend on is not known.
///
/// The endpoint answers and opens no connection itself, so nothing is let out, unless it is to be untracked: EC2 does
/// not track a connection where everything may come in and everything may go out ("Security group connection tracking",
/// EC2 user guide).
pub fn group_rules(desired: &Desired) -> Option<BTreeSet<Rule>> {
    let protocols = desired.protocols.known()?;
    if !*desired.untracked.known()? {
        let clients = desired.clients.known()?.iter().map(Block::peer);
        return Some(clients.flat_map(|peer| dns_rules(&peer, protocols)).collect());
    }
    let everybody = everybody(*desired.address_type.known()?);
    let out = everybody.iter().map(|peer| Rule::all(Direction::Outbound, peer.clone(), "Answers, untracked"));
    Some(everybody.iter().flat_map(|peer| dns_rules(peer, protocols)).chain(out).collect())
}

/// What a client needs to reach the endpoint.
fn dns_rules(peer: &Peer, protocols: &BTreeSet<String>) -> Vec<Rule> {
    let rule = |protocol, port, text| Rule::ports(Direction::Inbound, protocol, (port, port), peer.clone(), text);
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
pub fn client_blocks(rules: &BTreeSet<Rule>, protocols: &BTreeSet<String>) -> BTreeSet<Block> {
    let block_of = |rule: &Rule| match &rule.peer {
        Peer::Cidr4(text) | Peer::Cidr6(text) => Block::parse(text),
        Peer::Group(_) | Peer::PrefixList(_) => None,
    };
    let is_one_of = |rule: &&Rule| dns_rules(&rule.peer, protocols).iter().any(|dns| dns.is_same_traffic(rule));
    rules.iter().filter(is_one_of).filter_map(block_of).collect()
}

fn same_traffic(one: &BTreeSet<Rule>, other: &BTreeSet<Rule>) -> bool {
    missing(one, other).is_empty() && missing(other, one).is_empty()
}

/// The rules of `wanted` that `have` lacks.
pub fn missing<'a>(wanted: &'a BTreeSet<Rule>, have: &BTreeSet<Rule>) -> Vec<&'a Rule> {
    wanted.iter().filter(|rule| !have.iter().any(|other| rule.is_same_traffic(other))).collect()
}

/// What differs about the endpoint, tags and addresses aside. `None` while something it depends on is not known.
pub fn endpoint_change(desired: &Desired, endpoint: &Endpoint) -> Option<ResolverEndpointChange> {
    let name = desired.name.known()?;
    let family = *desired.address_type.known()?;
    let protocols = desired.protocols.known()?;
    Some(ResolverEndpointChange {
        name: (*name != endpoint.name).then(|| name.clone()),
        address_type: (family.as_str() != endpoint.address_type).then_some(family),
        protocols: (*protocols != endpoint.protocols).then(|| protocols.clone()),
    })
}

/// The groups that the endpoint is to have. `None` while they are not known.
pub fn endpoint_groups(desired: &Desired, recorded: &Recorded) -> Option<BTreeSet<SecurityGroupId>> {
    match &desired.own_groups {
        Value::Known(groups) => Some(groups.clone()),
        Value::Null => Some([recorded.group.as_ref()?.id.clone()].into()),
        Value::Unknown => None,
    }
}

/// What forces a new endpoint beside the attributes that always do: Resolver can change neither its groups nor, from or
/// to IPv6 alone, the family of its addresses (UpdateResolverEndpoint, Route 53 Resolver API reference).
pub fn replacing(desired: &Desired, recorded: &Recorded) -> Vec<Path> {
    let Some(endpoint) = &recorded.endpoint else {
        return Vec::new();
    };
    let mut paths = Vec::new();
    let ipv6 = ResolverAddressType::Ipv6.as_str();
    let family = desired.address_type.known().map(|family| family.as_str());
    if family.is_some_and(|family| family != endpoint.address_type && [family, &endpoint.address_type].contains(&ipv6))
    {
        paths.push(Path::root("ip_address_type"));
    }
    // The group that was made is gone; a new one cannot be given to the endpoint.
    if desired.makes_group() && recorded.group.is_none() {
        paths.push(Path::root("security_group_id"));
    }
    paths
}

/// Whether what a killed run has left behind can become what is wanted.
pub fn can_become(desired: &Desired, left: &Recorded) -> bool {
    let Some(endpoint) = &left.endpoint else {
        return true;
    };
    replacing(desired, left).is_empty()
        && endpoint_groups(desired, left).is_none_or(|groups| groups == endpoint.security_group_ids)
}

/// Marks as unknown what the steps may change, in the plan of an update.
pub fn mark_unknown(steps: &[Step<Key, Action>], model: &mut Model) {
    for step in steps {
        match (step.key, step.action) {
            (Key::Group, Action::Create | Action::Delete) => model.security_group_id = Value::Unknown,
            (Key::Endpoint, Action::Create) => {
                for name in [&mut model.id, &mut model.arn, &mut model.inbound_endpoint_id] {
                    *name = Value::Unknown;
                }
            }
            // An endpoint that is not ready may not have been looked at yet.
            (Key::Endpoint, Action::Update) if model.arn.is_null() => model.arn = Value::Unknown,
            (Key::Group | Key::Endpoint, Action::Update) | (Key::Endpoint, Action::Delete) | (Key::Addresses, _) => {}
        }
    }
}

/// The endpoint's addresses after the apply: those that are fixed or stay are known.
pub fn inbound_ips(desired: &Desired, recorded: &Recorded) -> Strings {
    let (Some(wanted), Some(family)) = (desired.addresses.known(), desired.address_type.known()) else {
        return Value::Unknown;
    };
    // The family's change gives or takes addresses that are there.
    let endpoint = recorded.endpoint.as_ref().filter(|endpoint| endpoint.address_type == family.as_str());
    let there = endpoint.map_or(&[][..], |endpoint| &endpoint.addresses);
    let assigned = match desired.slots() {
        Some(slots) => assign(&slots, there),
        None => vec![None; wanted.len()],
    };
    let stays = |index: usize| assigned[index].map(|place| &there[place]).filter(|address| address.is_sound());
    let ipv4 = |(index, wanted): (usize, &WantedAddress)| match wanted.ip {
        Value::Known(ip) => Value::Known(ip.to_string()),
        Value::Null => stays(index).and_then(|one| one.ipv4).map_or(Value::Unknown, |ip| Value::Known(ip.to_string())),
        Value::Unknown => Value::Unknown,
    };
    let ipv6 = |(index, _): (usize, &WantedAddress)| {
        stays(index).and_then(|one| one.ipv6).map_or(Value::Unknown, |ip| Value::Known(ip.to_string()))
    };
    let numbered = || wanted.iter().enumerate();
    Value::Known(match family {
        ResolverAddressType::Ipv4 => numbered().map(ipv4).collect(),
        ResolverAddressType::Ipv6 => numbered().map(ipv6).collect(),
        ResolverAddressType::Dualstack => numbered().map(ipv4).chain(numbered().map(ipv6)).collect(),
    })
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
