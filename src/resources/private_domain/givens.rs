//! What a plan knows before anything is compared: the provider's part, and names that follow from what AWS said.
//!
//! **Invariant:** calls nothing.

use super::desired::{Desired, Facts};
use super::key::STUDIO;
use super::model::Model;
use super::project;
use super::recorded::Recorded;
use crate::aws::Clients;
use crate::framework::Value;
use crate::resources::common::tags_all;
use crate::resources::values::planned_region;

/// What the plan knows without asking AWS.
pub fn plan_givens(model: &mut Model, config: &Model, prior: Option<&Model>, clients: Option<&Clients>) {
    model.region = planned_region(&config.region, prior.map(|prior| &prior.region), clients);
    model.tags_all = tags_all(clients, &model.tags)
        .map(|tags| tags.into_iter().map(|(key, value)| (key, Value::Known(value))).collect());
    model.forward_zones = Value::Unknown;
    model.drift = Value::Known(Vec::new());
}

/// The names that follow from what the studio endpoint serves, or, without one, from the Region; and those of a domain
/// that is adopted.
pub fn plan_names(model: &mut Model, recorded: &Recorded, facts: Option<&Facts>, clients: &Clients) {
    let wants_studio = Desired::new(model, None, recorded, None);
    let wants_studio = wants_studio.services().contains(STUDIO) || wants_studio.adopted().contains(STUDIO);
    let service = facts.and_then(|facts| facts.services.get(STUDIO));
    let is_recorded = recorded.endpoint(STUDIO).is_some();
    model.forward_zones = match service {
        _ if model.region.is_unknown() => Value::Unknown,
        Some(service) if wants_studio && !is_recorded => {
            Value::Known(project::served_by(&service.private_dns_names, clients))
        }
        None if wants_studio && !is_recorded => Value::Unknown,
        Some(_) | None if wants_studio => Value::Known(project::parents(recorded, clients)),
        Some(_) | None => Value::Known(project::served_by(&[], clients)),
    };
    if let Some(domain) = facts.and_then(|facts| facts.domain.as_ref()).filter(|_| !model.name.is_known()) {
        model.name = Value::Known(domain.name.clone());
    }
}
