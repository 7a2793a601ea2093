//! What differs from what was applied and no attribute shows, in words.
//!
//! **Invariant:** pure.

use std::collections::BTreeSet;

use super::changes::{domain_group_rules, endpoint_group_rules, missing};
use super::desired::Desired;
use super::key::{Key, Slot};
use super::plan::Action;
use super::recorded::{Group, Recorded, Zone};
use super::zones;
use crate::aws::ec2::security_group_rule::Rule;
use crate::aws::route53::record::Record;
use crate::steps::Step;

/// What differs from what was applied and no attribute shows.
pub fn drift(steps: &[Step<Key, Action>], desired: &Desired, recorded: &Recorded) -> Vec<String> {
    steps.iter().map(|step| describe(&step.key, step.action, desired, recorded)).collect()
}

fn describe(key: &Key, action: Action, desired: &Desired, recorded: &Recorded) -> String {
    let name = key.name();
    match action {
        Action::Create => format!("The {name} is missing."),
        Action::Delete => format!("The {name} exists and is not wanted."),
        Action::Update => {
            let details = match key {
                Key::DomainGroup => recorded.domain_group.as_ref().map(|group| {
                    rules(&domain_group_rules(&group.id, desired.dual_stack.known().copied().unwrap_or(false)), group)
                }),
                Key::EndpointGroup => recorded
                    .endpoint_group
                    .as_ref()
                    .and_then(|group| Some(rules(&endpoint_group_rules(desired, recorded)?, group))),
                Key::Zone(slot) => recorded.zones.get(slot).and_then(|zone| {
                    let details = zone_details(slot, zone, desired, recorded).filter(|details| !details.is_empty());
                    details.or_else(|| (!zone.ready).then(|| NOT_READY.to_owned()))
                }),
                Key::Endpoint(service) => {
                    recorded.endpoints.get(service).filter(|endpoint| !endpoint.ready).map(|_| NOT_READY.to_owned())
                }
                Key::Adopted(_) | Key::Gateway | Key::Contents => None,
                Key::Domain => recorded.domain.as_ref().filter(|domain| !domain.ready).map(|_| NOT_READY.to_owned()),
                Key::Profile(name) => {
                    recorded.profiles.get(name).filter(|profile| !profile.ready).map(|_| NOT_READY.to_owned())
                }
            };
            match details.filter(|details| !details.is_empty()) {
                Some(details) => format!("The {name} {details}."),
                None => format!("The {name} has settings or tags other than those applied."),
            }
        }
    }
}

const NOT_READY: &str = "is not ready";

fn rules(wanted: &BTreeSet<Rule>, group: &Group) -> String {
    lists(
        "rules",
        missing(wanted, &group.rules).into_iter().map(ToString::to_string).collect(),
        missing(&group.rules, wanted).into_iter().map(ToString::to_string).collect(),
    )
}

fn lists(of: &str, lacks: Vec<String>, extra: Vec<String>) -> String {
    let part =
        |verb: &str, items: Vec<String>| (!items.is_empty()).then(|| format!("{verb} the {of} {}", items.join(", ")));
    let parts: Vec<_> = [part("lacks", lacks), part("has beside its own", extra)].into_iter().flatten().collect();
    parts.join(", and ")
}

fn zone_details(slot: &Slot, zone: &Zone, desired: &Desired, recorded: &Recorded) -> Option<String> {
    let wanted = zones::wanted(desired, recorded).remove(slot)?;
    let endpoint = zones::target(desired, recorded)?;
    let records = zones::records(endpoint, &wanted.names?, *desired.zones.by_address.known()?)?;
    let named = |records: Vec<&Record>| {
        records.iter().map(|record| format!("{} {}", record.record_type.as_str(), record.name)).collect()
    };
    let of_records = lists(
        "records",
        named(records.difference(&zone.records).collect()),
        named(zone.records.difference(&records).collect()),
    );
    let vpcs = zones::vpcs(desired, recorded, slot).filter(|_| !matches!(slot, Slot::Existing(_))).unwrap_or_default();
    let missing = vpcs.iter().map(|association| &association.vpc).filter(|vpc| !zone.vpcs.contains(vpc));
    let of_vpcs = lists("VPCs", missing.map(|vpc| vpc.vpc_id.to_string()).collect(), Vec::new());
    Some([of_records, of_vpcs].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", and "))
}
