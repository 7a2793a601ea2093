//! What the plan of an update cannot know: whatever the steps may change.
//!
//! **Invariant:** pure.

use std::collections::BTreeMap;

use super::desired::Desired;
use super::key::{Key, Side};
use super::model::Model;
use super::plan::Action;
use super::recorded::Recorded;
use crate::framework::Value;
use crate::steps::Step;

/// Marks as unknown what the steps may change.
pub fn mark_unknown(steps: &[Step<Key, Action>], model: &mut Model) {
    for step in steps {
        match (&step.key, step.action) {
            (Key::Group(Side::Inbound), Action::Create | Action::Delete) => model.security_group_id = Value::Unknown,
            (Key::Endpoint(Side::Inbound), Action::Create) => {
                for name in [&mut model.id, &mut model.arn, &mut model.inbound_endpoint_id] {
                    *name = Value::Unknown;
                }
            }
            // An endpoint that is not ready may not have been looked at yet.
            (Key::Endpoint(Side::Inbound), Action::Update) if model.arn.is_null() => model.arn = Value::Unknown,
            // Those of the outbound half are told by `outbound_results`.
            (Key::Group(_) | Key::Endpoint(_) | Key::Addresses(_) | Key::LastAddresses, _)
            | (Key::Handover(_) | Key::Rule(_) | Key::Association(..) | Key::Share, _) => {}
        }
    }
}

/// What is known of the outbound half after the apply.
pub fn outbound_results(desired: &Desired, recorded: &Recorded, model: &mut Model) {
    let there = |id: Option<String>| id.map_or(Value::Unknown, Value::Known);
    let Some(outbound) = desired.outbound.known() else {
        let unknown = desired.outbound.is_unknown();
        let none = || if unknown { Value::Unknown } else { Value::Null };
        model.outbound_endpoint_id = none();
        model.outbound_security_group_id = none();
        model.resource_share_arn = none();
        model.rule_ids = if unknown { Value::Unknown } else { Value::Known(BTreeMap::new()) };
        return;
    };
    model.outbound_endpoint_id = there(recorded.outbound.endpoint.as_ref().map(|endpoint| endpoint.id.to_string()));
    model.outbound_security_group_id = there(recorded.outbound.group.as_ref().map(|group| group.id.to_string()));
    model.resource_share_arn = match &outbound.principals {
        Value::Known(principals) if principals.is_empty() => Value::Null,
        Value::Known(_) => there(recorded.share.as_ref().map(|share| share.arn.to_string())),
        Value::Unknown | Value::Null => Value::Unknown,
    };
    model.rule_ids = match &desired.zones {
        Value::Known(zones) => {
            let id = |zone: &String| there(recorded.rules.get(zone).map(|rule| rule.id.to_string()));
            Value::Known(zones.iter().map(|zone| (zone.clone(), id(zone))).collect())
        }
        Value::Null | Value::Unknown => Value::Unknown,
    };
}
