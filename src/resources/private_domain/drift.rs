//! What differs from what was applied and no attribute shows, in words.
//!
//! **Invariant:** pure.

use std::collections::BTreeSet;

use super::changes::{self, domain_change, domain_group_rules, endpoint_change, endpoint_group_rules, missing};
use super::desired::Desired;
use super::key::{Key, Slot};
use super::model::Model;
use super::plan::{self, Action};
use super::recorded::{Domain, Group, Notes, Recorded, Zone};
use super::zones;
use crate::aws::Tags;
use crate::aws::ec2::security_group_rule::Rule;
use crate::aws::ec2::vpc_endpoint::{EndpointChange, PrivateDnsScope};
use crate::aws::route53::record::Record;
use crate::aws::sagemaker::domain_types::DomainChange;
use crate::framework::Value;
use crate::resources::values::known_tags;
use crate::steps::Step;

/// What differs from what was applied and no attribute shows.
fn drift(steps: &[Step<Key, Action>], desired: &Desired, recorded: &Recorded) -> Vec<String> {
    steps.iter().map(|step| describe(&step.key, step.action, desired, recorded)).collect()
}

/// What was applied of the tags.
pub struct Marks {
    tags: Option<Tags>,
    notes: Option<Notes>,
}

impl Marks {
    /// What a state and its record say was applied.
    pub fn of(state: &Model, recorded: &Recorded) -> Self {
        let desired = Desired::new(state, Some(state), recorded, None);
        Marks { tags: known_tags(&state.tags_all).into_known(), notes: changes::notes(&desired) }
    }
}

/// What would still have to be done to get what the model says, beside what its attributes show.
///
/// The domain's tags are shown by `tags_all`, its notes by what they are about. The other parts are held against the tags
/// that were applied: a tag that somebody put on the domain is not missing anywhere else.
pub fn remaining(model: &Model, recorded: &Recorded, applied: Option<Marks>) -> Value<Vec<String>> {
    let mut desired = Desired::new(model, Some(model), recorded, None);
    let mut recorded = recorded.clone();
    if let (Some(Marks { tags, notes }), Some(domain)) = (applied, &mut recorded.domain) {
        if notes.as_ref() == Some(&domain.notes) {
            domain.notes = changes::notes(&desired).unwrap_or_default();
        }
        if let Some(tags) = tags {
            domain.tags = tags.clone();
            desired.tags = Value::Known(tags);
        }
    }
    Value::Known(drift(&plan::steps(Some(&desired), &recorded), &desired, &recorded))
}

fn describe(key: &Key, action: Action, desired: &Desired, recorded: &Recorded) -> String {
    let name = key.name();
    match action {
        Action::Create => format!("The {name} is missing."),
        Action::Delete => format!("The {name} exists and is not wanted."),
        Action::Update => {
            let details = match key {
                Key::DomainGroup if recorded.being_destroyed => Some("is marked as being destroyed".to_owned()),
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
                Key::Endpoint(service) => recorded.endpoints.get(service).and_then(|endpoint| {
                    let change = endpoint_change(desired, recorded, service, endpoint)?;
                    Some(if endpoint.ready { endpoint_details(&change) } else { NOT_READY.to_owned() })
                }),
                Key::Adopted(_) | Key::Gateway | Key::Contents | Key::NfsGroups => None,
                Key::Domain => recorded.domain.as_ref().and_then(|domain| {
                    let change = domain_change(desired, recorded, domain)?;
                    Some(if domain.ready { domain_details(&change, domain) } else { NOT_READY.to_owned() })
                }),
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

fn endpoint_details(change: &EndpointChange) -> String {
    let private_dns = change.private_dns_enabled.map(|wanted| format!("has private DNS {}", on_or_off(!wanted)));
    let scope = change.private_dns_scope.filter(|_| change.private_dns_enabled.is_none()).map(|wanted| match wanted {
        PrivateDnsScope::Vpc => "answers inbound resolvers alone".to_owned(),
        PrivateDnsScope::InboundOnly => "answers more than inbound resolvers".to_owned(),
    });
    let parts = [
        lists("subnets", texts(&change.add_subnet_ids), texts(&change.remove_subnet_ids)),
        lists("security groups", texts(&change.add_security_group_ids), texts(&change.remove_security_group_ids)),
        change.address_type.map(|wanted| format!("is not {}", wanted.as_str())).unwrap_or_default(),
        private_dns.unwrap_or_default(),
        scope.unwrap_or_default(),
    ];
    joined(parts)
}

fn domain_details(change: &DomainChange, domain: &Domain) -> String {
    let network = change.network_access.map(|_| "lets its apps reach the network past the VPC".to_owned());
    let groups = change.default_user_settings.security_group_ids.as_ref().map(|wanted| {
        let has = domain.settings.security_group_ids.clone().unwrap_or_default();
        lists("security groups", texts(wanted.difference(&has)), texts(has.difference(wanted)))
    });
    joined([network.unwrap_or_default(), groups.unwrap_or_default()])
}

fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn texts<T: ToString>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

fn joined(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", and ")
}

fn rules(wanted: &BTreeSet<Rule>, group: &Group) -> String {
    lists("rules", texts(missing(wanted, &group.rules)), texts(missing(&group.rules, wanted)))
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
    Some(joined([of_records, of_vpcs]))
}
