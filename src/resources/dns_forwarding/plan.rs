//! Which parts a DNS forwarding has, what changes about them, and in which order.
//!
//! ```text
//! security group ── inbound endpoint ── its addresses ──┐
//!                                                       ├── forward rules ──┬── associations with VPCs
//! security group ── outbound endpoint ──────────────────┘                   └── resource share
//!                          └── its addresses
//! ```
//!
//! | part | needs | why |
//! | --- | --- | --- |
//! | security group | – | |
//! | endpoint | its security group | Resolver takes the groups when it makes the endpoint, and never again |
//! | addresses | their endpoint | the first ones are made with it; later changes are a part of their own |
//! | handover | the inbound addresses | only where every address that a rule asks is exchanged; see below |
//! | last addresses | the handovers | |
//! | forward rule | both endpoints, the inbound addresses and the last ones | the one asks, the others are asked |
//! | association | its rule | |
//! | resource share | all rules | it takes them by ARN |
//!
//! A part is made or changed after what it needs, and deleted after everything that needs it. The addresses go with their
//! endpoint. An adopted inbound endpoint is there before anything, and is let go of at the end.
//!
//! An outbound endpoint that cannot become what is wanted is *retired*: another is made, the rules are moved to it, and
//! then the retired one is deleted.
//!
//! Where all addresses that a rule asks are exchanged, one of them is held back until the rule asks new ones, so that at
//! every moment it asks an address that answers:
//!
//! ```text
//! inbound addresses: all but one old one are exchanged ── handover: the rules ask the new ones that are in use
//!        ┌────────────────────────────────────────────────────────────────────────┘
//! last addresses: the old one goes, and what had no room comes ── forward rules: ask all new ones
//! ```
//!
//! **Invariant:** pure.

use std::collections::BTreeSet;

use super::addresses::is_as_wanted;
use super::changes::{
    endpoint_change, endpoint_groups, group_rules, held, is_fixed_family, rule_change, same_traffic, share_change,
};
use super::desired::{Desired, WantedEnd};
use super::key::{Key, Side};
use super::recorded::{End, Endpoint, Group, Recorded, Rule, Share};
use crate::framework::{Path, Value};
pub use crate::resources::common::Action;
use crate::steps::Step;

/// What it takes to get from what is recorded to what is wanted. Nothing wanted is a destruction.
pub fn steps(desired: Option<&Desired>, recorded: &Recorded) -> Vec<Step<Key, Action>> {
    let mut actions = Vec::new();
    if let Some(desired) = desired {
        wanted_ends(desired, recorded, &mut actions);
        wanted_rules(desired, recorded, &mut actions);
    }
    let wanted = |key: &Key| desired.is_some_and(|desired| may_stay(desired, key));
    actions.extend(recorded_keys(recorded).into_iter().filter(|key| !wanted(key)).map(|key| (key, Action::Delete)));
    with_order(&actions)
}

fn with_order(actions: &[(Key, Action)]) -> Vec<Step<Key, Action>> {
    let others = |leans: &dyn Fn(&Key, Action) -> bool| -> BTreeSet<Key> {
        actions.iter().filter(|(other, action)| leans(other, *action)).map(|(other, _)| other.clone()).collect()
    };
    let after = |key: &Key, action: Action| match action {
        Action::Create | Action::Update => others(&|other, action| action != Action::Delete && key.leans_on(other)),
        // Whatever needs this part, and is changed or deleted, lets go of it first.
        Action::Delete => others(&|other, _| other.leans_on(key)),
    };
    actions.iter().map(|(key, action)| Step { key: key.clone(), action: *action, after: after(key, *action) }).collect()
}

fn recorded_keys(recorded: &Recorded) -> Vec<Key> {
    let mut keys = Vec::new();
    for (side, end) in recorded.ends() {
        keys.extend(end.group.iter().map(|_| Key::Group(side.clone())));
        keys.extend(end.endpoint.iter().map(|_| Key::Endpoint(side.clone())));
    }
    for (zone, rule) in &recorded.rules {
        keys.push(Key::Rule(zone.clone()));
        keys.extend(rule.associations.keys().map(|vpc| Key::Association(zone.clone(), vpc.clone())));
    }
    keys.extend(recorded.share.iter().map(|_| Key::Share));
    keys
}

/// Whether something recorded is wanted, or may be: what is not known deletes nothing.
fn may_stay(desired: &Desired, key: &Key) -> bool {
    let outbound = match &desired.outbound {
        Value::Known(outbound) => Some(outbound),
        Value::Unknown => return !matches!(key, Key::Endpoint(Side::Retired(_)) | Key::Group(Side::Retired(_))),
        Value::Null => None,
    };
    let zone_may_stay = |zone: &String| desired.zones.known().is_none_or(|zones| zones.contains(zone));
    match key {
        // A group may be left from a creation that failed with other settings.
        Key::Group(Side::Inbound) => !desired.own_groups.is_known(),
        Key::Endpoint(Side::Inbound) | Key::Addresses(_) | Key::LastAddresses | Key::Handover(_) => true,
        Key::Group(Side::Outbound) | Key::Endpoint(Side::Outbound) => outbound.is_some(),
        Key::Group(Side::Retired(_)) | Key::Endpoint(Side::Retired(_)) => false,
        Key::Rule(zone) => outbound.is_some() && zone_may_stay(zone),
        Key::Association(zone, vpc) => {
            let is_wanted = |vpcs: &BTreeSet<_>| vpcs.contains(vpc);
            zone_may_stay(zone) && outbound.is_some_and(|outbound| outbound.vpc_ids.known().is_none_or(is_wanted))
        }
        Key::Share => {
            outbound.is_some_and(|outbound| outbound.principals.known().is_none_or(|principals| !principals.is_empty()))
        }
    }
}

fn wanted_ends(desired: &Desired, recorded: &Recorded, actions: &mut Vec<(Key, Action)>) {
    let mut compare = |key: Key, as_wanted: Option<bool>| actions.extend(action(as_wanted).map(|action| (key, action)));
    if desired.makes_group() {
        let group = recorded.inbound.group.as_ref();
        compare(Key::Group(Side::Inbound), group.map(|group| is_group_as_wanted(desired, &Side::Inbound, group)));
    }
    let mut sides = Vec::new();
    // An adopted endpoint is left as it is.
    if desired.existing.is_null() {
        sides.push(Side::Inbound);
    }
    if desired.outbound.is_known() {
        let group = recorded.outbound.group.as_ref();
        compare(Key::Group(Side::Outbound), group.map(|group| is_group_as_wanted(desired, &Side::Outbound, group)));
        sides.push(Side::Outbound);
    }
    for side in sides {
        let endpoint = recorded.end(&side).endpoint;
        let as_wanted = endpoint.as_ref().map(|endpoint| is_endpoint_as_wanted(desired, &side, endpoint));
        compare(Key::Endpoint(side.clone()), as_wanted);
        if let (Some(endpoint), Some(wanted)) = (&endpoint, desired.end(&side)) {
            let as_wanted = are_addresses_as_wanted(wanted, endpoint);
            if side == Side::Inbound && !as_wanted && !held(desired, recorded).is_empty() {
                compare(Key::LastAddresses, Some(false));
            }
            compare(Key::Addresses(side), Some(as_wanted));
        }
    }
}

fn wanted_rules(desired: &Desired, recorded: &Recorded, actions: &mut Vec<(Key, Action)>) {
    let (Some(outbound), Some(zones)) = (desired.outbound.known(), desired.zones.known()) else {
        return;
    };
    let hands_over = actions.iter().any(|(key, _)| *key == Key::LastAddresses);
    let mut compare = |key: Key, as_wanted: Option<bool>| actions.extend(action(as_wanted).map(|action| (key, action)));
    for zone in zones {
        let rule = recorded.rules.get(zone);
        compare(Key::Handover(zone.clone()), Some(rule.is_none() || !hands_over));
        compare(Key::Rule(zone.clone()), rule.map(|rule| is_rule_as_wanted(desired, recorded, zone, rule)));
        for vpc in outbound.vpc_ids.known().into_iter().flatten() {
            let association = rule.and_then(|rule| rule.associations.get(vpc));
            let as_wanted = association.map(|association| association.trouble.is_none());
            compare(Key::Association(zone.clone(), vpc.clone()), as_wanted);
        }
    }
    if outbound.principals.known().is_some_and(|principals| !principals.is_empty()) {
        let share = recorded.share.as_ref();
        compare(Key::Share, share.map(|share| is_share_as_wanted(desired, recorded, share)));
    }
}

/// `None`: it is not there.
fn action(as_wanted: Option<bool>) -> Option<Action> {
    match as_wanted {
        None => Some(Action::Create),
        Some(true) => None,
        Some(false) => Some(Action::Update),
    }
}

fn is_group_as_wanted(desired: &Desired, side: &Side, group: &Group) -> bool {
    group_rules(desired, side).is_some_and(|rules| same_traffic(&rules, &group.rules)) && desired.has_tags(&group.tags)
}

fn is_endpoint_as_wanted(desired: &Desired, side: &Side, endpoint: &Endpoint) -> bool {
    endpoint.ready
        && desired.has_tags(&endpoint.tags)
        && endpoint_change(desired, side, endpoint).is_some_and(|change| change.is_empty())
}

fn are_addresses_as_wanted(wanted: &WantedEnd, endpoint: &Endpoint) -> bool {
    // An endpoint that is not ready may have addresses that fail while it is waited for.
    endpoint.ready && wanted.slots().is_some_and(|slots| is_as_wanted(&slots, &endpoint.addresses))
}

fn is_rule_as_wanted(desired: &Desired, recorded: &Recorded, zone: &str, rule: &Rule) -> bool {
    rule.ready
        && desired.has_tags(&rule.tags)
        && rule_change(desired, recorded, zone, rule).is_some_and(|change| change.is_empty())
}

fn is_share_as_wanted(desired: &Desired, recorded: &Recorded, share: &Share) -> bool {
    share.ready
        && desired.has_tags(&share.tags)
        && share_change(desired, recorded, share, None).is_some_and(|change| change.is_empty())
}

/// The same record with an outbound endpoint that cannot become what is wanted among the retired ones.
pub fn retiring(desired: &Desired, recorded: &Recorded) -> Recorded {
    let mut recorded = recorded.clone();
    let Some(wanted) = desired.end(&Side::Outbound) else {
        return recorded;
    };
    if !can_become(desired, &Side::Outbound, wanted, &recorded.outbound) {
        let end = std::mem::take(&mut recorded.outbound);
        recorded.retired.insert(end.name(), end);
    }
    recorded
}

/// What forces a new inbound endpoint beside the attributes that always do: Resolver can change neither its groups nor,
/// from or to IPv6 alone, the family of its addresses.
pub fn replacing(desired: &Desired, recorded: &Recorded) -> Vec<Path> {
    let Some(endpoint) = recorded.inbound.endpoint.as_ref().filter(|endpoint| !endpoint.adopted) else {
        return Vec::new();
    };
    let mut paths = Vec::new();
    if is_fixed_family(&desired.inbound, endpoint) {
        paths.push(Path::root("ip_address_type"));
    }
    // The group that was made is gone; a new one cannot be given to the endpoint.
    if desired.makes_group() && recorded.inbound.group.is_none() {
        paths.push(Path::root("security_group_id"));
    }
    paths
}

/// Whether what a killed run has left behind can become what is wanted.
pub fn is_of_use(desired: &Desired, left: &Recorded) -> bool {
    can_become(desired, &Side::Inbound, &desired.inbound, &left.inbound)
}

fn can_become(desired: &Desired, side: &Side, wanted: &WantedEnd, end: &End) -> bool {
    let is_here = |vpc_id: &str| wanted.vpc_id.text().is_none_or(|wanted| vpc_id.is_empty() || vpc_id == wanted);
    if end.group.as_ref().is_some_and(|group| !is_here(&group.vpc_id)) {
        return false;
    }
    let Some(endpoint) = &end.endpoint else {
        return true;
    };
    let has_groups = match endpoint_groups(desired, side, end) {
        Some(groups) => groups == endpoint.security_group_ids,
        None => end.group.is_some(),
    };
    has_groups && is_here(&endpoint.vpc_id) && !is_fixed_family(wanted, endpoint)
}
