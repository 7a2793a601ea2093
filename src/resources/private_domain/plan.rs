//! Which parts a private domain has, and in which order they are made, changed and deleted.
//!
//! ```text
//! domain group ──┬── endpoint group ── endpoints (studio, sagemaker.api, sagemaker.runtime, …; together)
//!                │                         │ studio
//!                └── domain ───────────────┴── hosted zones (d-…, studio-d-…)
//!                       └── user profiles (together)
//!
//! gateway endpoint for S3, adopted endpoints: beside all this
//! parent zones: after the studio endpoint
//! ```
//!
//! | part | needs | why |
//! | --- | --- | --- |
//! | domain group | – | |
//! | endpoint group | domain group | it lets the domain's apps in, by their group |
//! | endpoint group, adopted domain | domain | it lets the domain's apps in, by the groups they have |
//! | endpoint | endpoint group | |
//! | adopted endpoint, gateway | – | |
//! | domain | domain group | its users' apps have the group |
//! | user profile | domain | |
//! | hosted zone of a host name, or adopted | domain, studio endpoint | its name is the domain's, its records point at the endpoint |
//! | hosted zone of a parent | studio endpoint | its records point at the endpoint |
//! | apps and spaces | domain, user profiles | nobody makes them here; they go before what they are in |
//! | domain | NFS groups | SageMaker makes and leaves them; they go after the domain, if the file system goes with it |
//! | NFS groups | domain group | it is marked while a destruction is under way, and goes last |
//!
//! A part is made or changed after what it needs, and deleted after everything that needs it. Two exceptions, both for
//! names that must have one answer and only one:
//!
//! - A hosted zone is deleted after the others are made, so that names go on to be answered.
//! - Where the studio endpoint's private DNS is turned on, it takes the parents over in the VPC, and EC2 refuses that as
//!   long as a zone there has one of their names: then the parent zones leave before.
//!
//! The domain does not wait for the endpoints: it takes the longest, and it can be made without them.
//!
//! **Invariant:** pure.

use super::changes::{
    changes_family, domain_change, domain_group_rules, endpoint_change, endpoint_group_rules, gateway_change, moves,
    notes, policy_change, profile_settings, profile_tags, same_traffic,
};
use super::desired::{Desired, Profile as DesiredProfile};
use super::key::{Key, STUDIO, Slot};
use super::recorded::{Domain, Endpoint, Gateway, Group, Notes, Profile, Recorded, Zone};
use super::zones;
use crate::framework::Value;
pub use crate::resources::common::Action;
use crate::steps::Step;

/// What it takes to get from what is recorded to what is wanted. Nothing wanted is a destruction.
pub fn steps(desired: Option<&Desired>, recorded: &Recorded) -> Vec<Step<Key, Action>> {
    let mut actions: Vec<(Key, Action)> = Vec::new();
    if let Some(desired) = desired {
        actions.extend(wanted_parts(desired, recorded));
    }
    let wanted = |key: &Key| desired.is_some_and(|desired| desired.wants(key, recorded));
    actions.extend(recorded_keys(recorded).into_iter().filter(|key| !wanted(key)).map(|key| (key, Action::Delete)));
    let empties =
        |(key, action): &(Key, Action)| *action == Action::Delete && matches!(key, Key::Profile(_) | Key::Domain);
    if recorded.domain.is_some() && actions.iter().any(empties) {
        actions.push((Key::Contents, Action::Delete));
    }
    let leaves_groups = recorded.domain.as_ref().is_some_and(Domain::takes_file_system);
    if leaves_groups && recorded.nfs_groups.is_empty() && actions.contains(&(Key::Domain, Action::Delete)) {
        actions.push((Key::NfsGroups, Action::Delete));
    }
    let order = Order {
        adopts_domain: desired.map_or_else(|| recorded.has_adopted_domain(), Desired::adopts_domain),
        parents_leave: desired.is_some_and(|desired| takes_parents_over(desired, recorded)),
    };
    let step = |(key, action): &(Key, Action)| {
        let after = actions.iter().filter(|other| order.is_after((key, *action), (&other.0, other.1)));
        Step { key: key.clone(), action: *action, after: after.map(|(other, _)| other.clone()).collect() }
    };
    actions.iter().map(step).collect()
}

/// What the order of steps depends on.
struct Order {
    adopts_domain: bool,
    /// Whether the parent zones make room for the private DNS of the studio endpoint.
    parents_leave: bool,
}

impl Order {
    /// Whether a step has to wait for another one.
    fn is_after(&self, (key, action): (&Key, Action), (other, of_other): (&Key, Action)) -> bool {
        let is_parent_zone = |key: &Key| matches!(key, Key::Zone(Slot::Parent(_)));
        let is_studio = |key: &Key| matches!(key, Key::Endpoint(service) if service == STUDIO);
        if key == other {
            return false;
        }
        if self.parents_leave && is_studio(key) && is_parent_zone(other) {
            return true;
        }
        if self.parents_leave && is_parent_zone(key) && is_studio(other) {
            return false;
        }
        match action {
            Action::Create | Action::Update => of_other != Action::Delete && key.leans_on(other, self.adopts_domain),
            // Whatever needs this part, and is changed or deleted, lets go of it first.
            Action::Delete if other.leans_on(key, self.adopts_domain) => true,
            Action::Delete => {
                let are_zones = matches!((key, other), (Key::Zone(_), Key::Zone(_)));
                are_zones && of_other != Action::Delete && !self.parents_leave
            }
        }
    }
}

/// Whether the private DNS of the studio endpoint is turned on, in an endpoint that is there.
fn takes_parents_over(desired: &Desired, recorded: &Recorded) -> bool {
    let endpoint = recorded.endpoints.get(STUDIO).filter(|_| desired.services().contains(STUDIO));
    endpoint.is_some_and(|endpoint| {
        !endpoint.private_dns_enabled && desired.private_dns_enabled.known().copied().unwrap_or(false)
    })
}

fn recorded_keys(recorded: &Recorded) -> Vec<Key> {
    let one = |part: bool, key: Key| part.then_some(key);
    one(recorded.domain_group.is_some(), Key::DomainGroup)
        .into_iter()
        .chain(one(recorded.endpoint_group.is_some(), Key::EndpointGroup))
        .chain(one(recorded.domain.is_some(), Key::Domain))
        .chain(recorded.endpoints.keys().cloned().map(Key::Endpoint))
        .chain(recorded.adopted.keys().cloned().map(Key::Adopted))
        .chain(one(recorded.gateway.is_some(), Key::Gateway))
        .chain(recorded.profiles.keys().cloned().map(Key::Profile))
        .chain(recorded.zones.keys().cloned().map(Key::Zone))
        .chain(one(!recorded.nfs_groups.is_empty(), Key::NfsGroups))
        .collect()
}

/// The wanted parts that are not there, not ready, or not as wanted.
fn wanted_parts(desired: &Desired, recorded: &Recorded) -> Vec<(Key, Action)> {
    let mut actions = Vec::new();
    // `None`: it is not there.
    let mut compare = |key: Key, as_wanted: Option<bool>| match as_wanted {
        None => actions.push((key, Action::Create)),
        Some(false) => actions.push((key, Action::Update)),
        Some(true) => {}
    };

    if !desired.adopts_domain() {
        compare(
            Key::DomainGroup,
            recorded
                .domain_group
                .as_ref()
                .map(|group| !recorded.being_destroyed && is_domain_group_as_wanted(desired, group)),
        );
    }
    if desired.makes_endpoint_group() {
        let group = recorded.endpoint_group.as_ref();
        compare(Key::EndpointGroup, group.map(|group| is_endpoint_group_as_wanted(desired, recorded, group)));
    }
    for service in desired.services() {
        let endpoint = recorded.endpoints.get(&service);
        let as_wanted = endpoint.map(|endpoint| is_endpoint_as_wanted(desired, recorded, &service, endpoint));
        compare(Key::Endpoint(service), as_wanted);
    }
    for service in desired.adopted() {
        let endpoint = recorded.adopted.get(&service);
        compare(
            Key::Adopted(service.clone()),
            endpoint.map(|endpoint| is_adopted_as_wanted(desired, &service, endpoint)),
        );
    }
    if !desired.route_tables.is_null() {
        compare(Key::Gateway, recorded.gateway.as_ref().map(|gateway| is_gateway_as_wanted(desired, gateway)));
    }
    compare(Key::Domain, recorded.domain.as_ref().map(|domain| is_domain_as_wanted(desired, recorded, domain)));
    for (name, wanted) in desired.profiles() {
        let profile = recorded.profiles.get(&name);
        compare(Key::Profile(name), profile.map(|profile| is_profile_as_wanted(desired, recorded, &wanted, profile)));
    }
    for (slot, wanted) in zones::wanted(desired, recorded) {
        let zone = recorded.zones.get(&slot);
        let as_wanted = zone.map(|zone| is_zone_as_wanted(desired, recorded, &slot, &wanted, zone));
        compare(Key::Zone(slot), as_wanted);
    }
    actions
}

fn is_domain_group_as_wanted(desired: &Desired, group: &Group) -> bool {
    let rules = desired.dual_stack.known().map(|dual_stack| domain_group_rules(&group.id, *dual_stack));
    rules.is_some_and(|rules| same_traffic(&rules, &group.rules)) && desired.has_tags(&group.tags)
}

fn is_endpoint_group_as_wanted(desired: &Desired, recorded: &Recorded, group: &Group) -> bool {
    endpoint_group_rules(desired, recorded).is_some_and(|rules| same_traffic(&rules, &group.rules))
        && desired.has_tags(&group.tags)
}

fn is_endpoint_as_wanted(desired: &Desired, recorded: &Recorded, service: &str, endpoint: &Endpoint) -> bool {
    endpoint.ready
        && desired.has_tags(&endpoint.tags)
        && endpoint_change(desired, recorded, service, endpoint).is_some_and(|change| change.is_empty())
}

fn is_adopted_as_wanted(desired: &Desired, service: &str, endpoint: &Endpoint) -> bool {
    desired.existing_endpoint(service) == Value::Known(endpoint.id.clone())
        && policy_change(&desired.policy(service), endpoint.policy.as_deref(), endpoint.has_own_policy) == Some(None)
}

fn is_gateway_as_wanted(desired: &Desired, gateway: &Gateway) -> bool {
    desired.has_tags(&gateway.tags) && gateway_change(desired, gateway).is_some_and(|change| change.is_empty())
}

fn is_domain_as_wanted(desired: &Desired, recorded: &Recorded, domain: &Domain) -> bool {
    let is_kept = desired.adopts_domain()
        || (desired.has_tags(&domain.tags) && notes(desired).is_some_and(|notes| are_noted(&notes, &domain.notes)));
    domain.ready
        && domain.adopted == desired.adopts_domain()
        && is_kept
        && domain_change(desired, recorded, domain).is_some_and(|change| change.is_empty())
}

/// A domain that was made elsewhere carries no notes. That says the same as the defaults; a change writes them down.
fn are_noted(wanted: &Notes, has: &Notes) -> bool {
    wanted == has || (*has == Notes::default() && wanted.on_destroy.as_deref() == Some("retain"))
}

fn is_profile_as_wanted(desired: &Desired, recorded: &Recorded, wanted: &DesiredProfile, profile: &Profile) -> bool {
    profile.ready
        && profile_settings(desired, recorded, wanted, profile).is_some_and(|settings| settings.is_empty())
        && profile_tags(desired, wanted) == Value::Known(profile.tags.clone())
}

fn is_zone_as_wanted(desired: &Desired, recorded: &Recorded, slot: &Slot, wanted: &zones::Wanted, zone: &Zone) -> bool {
    let (Some(names), Some(by_address)) = (&wanted.names, desired.zones.by_address.known()) else {
        return false;
    };
    let is_the_zone = match &wanted.existing {
        Value::Known(id) => zone.id == *id,
        Value::Null => wanted.name.as_ref() == Some(&zone.name) && desired.has_tags(&zone.tags),
        Value::Unknown => false,
    };
    let answers_there = matches!(slot, Slot::Existing(_))
        || zones::vpcs(desired, recorded, slot)
            .is_some_and(|vpcs| vpcs.iter().all(|wanted| zone.vpcs.contains(&wanted.vpc)) && vpcs == zone.associated);
    zone.ready
        && is_the_zone
        && answers_there
        && zones::target(desired, recorded)
            .and_then(|endpoint| zones::records(endpoint, names, *by_address))
            .is_some_and(|records| records == zone.records)
        && !studio_moves(desired, recorded, *by_address)
}

/// Whether the studio endpoint is about to get other addresses, in a way that the records show.
fn studio_moves(desired: &Desired, recorded: &Recorded, by_address: bool) -> bool {
    let Some(endpoint) = recorded.endpoints.get(STUDIO).filter(|_| desired.services().contains(STUDIO)) else {
        return false;
    };
    changes_family(desired, STUDIO, endpoint) == Some(true)
        || (by_address && moves(desired, STUDIO, endpoint) != Some(false))
}
