//! What the plan of an update cannot know: whatever the steps may change.
//!
//! **Invariant:** pure.

use super::changes::{domain_change, moves};
use super::desired::Desired;
use super::key::{ACCESS, Key, STUDIO};
use super::model::Model;
use super::plan::Action;
use super::recorded::Recorded;
use super::zones;
use crate::framework::Value;
use crate::steps::Step;

/// Marks as unknown what the steps may change.
pub fn mark_unknown(steps: &[Step<Key, Action>], desired: &Desired, recorded: &Recorded, model: &mut Model) {
    for step in steps {
        match (&step.key, step.action) {
            (Key::DomainGroup, Action::Create | Action::Delete) => model.domain_security_group_id = Value::Unknown,
            (Key::EndpointGroup, Action::Create | Action::Delete) => model.endpoint_security_group_id = Value::Unknown,
            (Key::Endpoint(service) | Key::Adopted(service), Action::Create | Action::Delete) => {
                other_endpoint(service, model);
            }
            (Key::Adopted(service), Action::Update) => {
                let has = recorded.adopted.get(service).map(|endpoint| Value::Known(endpoint.id.clone()));
                if has != Some(desired.existing_endpoint(service)) {
                    other_endpoint(service, model);
                }
            }
            (Key::Endpoint(service), Action::Update) => {
                let endpoint = recorded.endpoints.get(service);
                if endpoint.is_none_or(|endpoint| !endpoint.ready || moves(desired, service, endpoint) != Some(false)) {
                    model.endpoint_ips = Value::Unknown;
                    model.endpoint_dns = Value::Unknown;
                }
            }
            (Key::Gateway, Action::Create | Action::Delete) => model.endpoint_ids = Value::Unknown,
            (Key::Zone(_), Action::Create | Action::Delete) => model.hosted_zone_ids = Value::Unknown,
            (Key::Zone(slot), Action::Update) => {
                let wanted = zones::wanted(desired, recorded).remove(slot);
                let zone = recorded.zones.get(slot);
                let is_the_zone = wanted.zip(zone).is_some_and(|(wanted, zone)| match &wanted.existing {
                    Value::Known(id) => zone.id == *id,
                    Value::Null => wanted.name.as_ref() == Some(&zone.name),
                    Value::Unknown => false,
                });
                if !is_the_zone {
                    model.hosted_zone_ids = Value::Unknown;
                }
            }
            (Key::Domain, Action::Create) => other_domain(model),
            (Key::Domain, Action::Update) => {
                let domain = recorded.domain.as_ref();
                let change = domain.and_then(|domain| domain_change(desired, recorded, domain));
                if change.is_some_and(|change| change.home_efs.is_some()) {
                    model.home_efs_file_system_id = Value::Unknown;
                }
                if domain.is_some_and(|domain| domain.url.is_none()) {
                    other_domain(model);
                }
            }
            (Key::Profile(_) | Key::Contents | Key::NfsGroups, _)
            | (Key::Domain, Action::Delete)
            | (Key::DomainGroup | Key::EndpointGroup | Key::Gateway, Action::Update) => {}
        }
    }
}

fn other_endpoint(service: &str, model: &mut Model) {
    if ACCESS.contains(&service) {
        model.access_endpoint_ids = Value::Unknown;
    }
    if service == STUDIO {
        model.host_names = Value::Unknown;
    }
    model.endpoint_ids = Value::Unknown;
    model.endpoint_ips = Value::Unknown;
    model.endpoint_dns = Value::Unknown;
}

fn other_domain(model: &mut Model) {
    for name in [&mut model.id, &mut model.domain_id, &mut model.arn, &mut model.url, &mut model.fqdn] {
        *name = Value::Unknown;
    }
    model.host_names = Value::Unknown;
    model.home_efs_file_system_id = Value::Unknown;
}
