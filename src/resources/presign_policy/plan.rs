//! Which parts a presign policy has, what changes about them, and in which order.
//!
//! ```text
//! policy ──┬── attachments (one for each role, user and group; together)
//!          └── endpoint policies (one for each endpoint; together)
//! ```
//!
//! | part | needs | why |
//! | --- | --- | --- |
//! | policy | – | |
//! | attachment | policy | |
//! | endpoint policy | policy | where the policy cannot be made, as when its name is taken, nothing else is touched |
//!
//! A part is made or changed after what it needs, and deleted after everything that needs it: IAM refuses to delete a
//! policy that is attached. "Deleted" means, for an endpoint policy, set back to full access.
//!
//! **Invariant:** pure.

use std::collections::BTreeSet;

use super::desired::Desired;
use super::recorded::{Endpoint, Policy, Recorded, says};
use super::schema::Model;
use super::settings::Settings;
use crate::aws::VpcEndpointId;
use crate::aws::iam::attachment::Principal;
use crate::framework::Value;
use crate::policy::document::Document;
pub use crate::resources::common::Action;
use crate::steps::Step;

/// Names one part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The managed policy.
    Policy,
    /// Its attachment to a role, user or group.
    Attachment(Principal),
    /// The policy of an endpoint.
    Endpoint(VpcEndpointId),
}

impl Key {
    /// In words, for messages.
    pub fn name(&self) -> String {
        match self {
            Key::Policy => "managed policy".to_owned(),
            Key::Attachment(principal) => format!("attachment to {principal}"),
            Key::Endpoint(id) => format!("policy of {id}"),
        }
    }

    fn needs(&self) -> Option<Key> {
        match self {
            Key::Policy => None,
            Key::Attachment(_) | Key::Endpoint(_) => Some(Key::Policy),
        }
    }
}

/// What it takes to get from what is recorded to what is wanted. Nothing wanted is a destruction.
pub fn steps(desired: Option<&Desired>, recorded: &Recorded) -> Vec<Step<Key, Action>> {
    let actions = match desired {
        Some(desired) => changes(desired, recorded),
        None => everything(recorded).into_iter().map(|key| (key, Action::Delete)).collect(),
    };
    with_order(&actions)
}

fn with_order(actions: &[(Key, Action)]) -> Vec<Step<Key, Action>> {
    let step = |(key, action): &(Key, Action)| {
        let after: BTreeSet<Key> = match action {
            Action::Create | Action::Update => key.needs().into_iter().collect(),
            // What is to go does not wait for what it needs, only for what needs it.
            Action::Delete => actions
                .iter()
                .map(|(other, _)| other)
                .filter(|other| other.needs().as_ref() == Some(key))
                .cloned()
                .collect(),
        };
        Step { key: key.clone(), action: *action, after }
    };
    actions.iter().map(step).collect()
}

fn everything(recorded: &Recorded) -> Vec<Key> {
    let policy = recorded.policy.iter().map(|_| Key::Policy);
    let attachments = recorded.attached.principals().into_iter().map(Key::Attachment);
    policy.chain(attachments).chain(recorded.endpoints.keys().cloned().map(Key::Endpoint)).collect()
}

fn changes(desired: &Desired, recorded: &Recorded) -> Vec<(Key, Action)> {
    let mut actions = Vec::new();
    match &recorded.policy {
        None => actions.push((Key::Policy, Action::Create)),
        Some(policy) if !is_policy_as_wanted(desired, policy) => actions.push((Key::Policy, Action::Update)),
        Some(_) => {}
    }
    let attached = recorded.attached.principals();
    let attachment = |action: Action| move |principal: &Principal| (Key::Attachment(principal.clone()), action);
    actions.extend(desired.attached.difference(&attached).map(attachment(Action::Create)));
    actions.extend(attached.difference(&desired.attached).map(attachment(Action::Delete)));
    for (id, service) in &desired.endpoints {
        match recorded.endpoints.get(id) {
            None => actions.push((Key::Endpoint(id.clone()), Action::Create)),
            Some(endpoint) if !is_endpoint_as_wanted(desired, service, endpoint) => {
                actions.push((Key::Endpoint(id.clone()), Action::Update));
            }
            Some(_) => {}
        }
    }
    let unwanted = recorded.endpoints.keys().filter(|id| !desired.endpoints.contains_key(*id));
    actions.extend(unwanted.map(|id| (Key::Endpoint(id.clone()), Action::Delete)));
    actions
}

fn is_policy_as_wanted(desired: &Desired, policy: &Policy) -> bool {
    policy.ready && policy.tags == desired.tags && is_document_as_wanted(desired, policy)
}

/// Whether the managed policy says what it is to say.
pub fn is_document_as_wanted(desired: &Desired, policy: &Policy) -> bool {
    desired.policy().is_none_or(|wanted| says(&policy.document, wanted))
}

fn is_endpoint_as_wanted(desired: &Desired, service: &str, endpoint: &Endpoint) -> bool {
    endpoint.service == service && desired.endpoint_policy(service).is_none_or(|wanted| is_policy_of(endpoint, wanted))
}

/// Whether an endpoint has this policy. Where EC2 shows none, everything is allowed.
pub fn is_policy_of(endpoint: &Endpoint, wanted: &Document) -> bool {
    match &endpoint.document {
        Some(document) => says(document, wanted),
        None => Document::full_access().same_meaning(wanted),
    }
}

/// Puts in what the rules tell beforehand, and marks as unknown what only AWS can tell. A text that is there and means
/// the same stays.
pub fn foretell(model: &mut Model, recorded: &Recorded) {
    let documents = Settings::of(model).documents();
    model.policy_json = foretold(&model.policy_json, documents.policy.as_ref());
    model.scp_json = foretold(&model.scp_json, documents.scp.as_ref());
    model.endpoint_policy_json = match documents.endpoints {
        None => Value::Unknown,
        Some(wanted) => {
            let before = model.endpoint_policy_json.known().cloned().unwrap_or_default();
            let text = |service: &str, document: &Document| match before.get(service) {
                Some(text) if says(text, document) => text.clone(),
                Some(_) | None => document.to_json(),
            };
            let texts = wanted.iter().map(|(kind, wanted)| (kind.as_str().to_owned(), text(kind.as_str(), wanted)));
            Value::Known(texts.collect())
        }
    };
    if recorded.policy.is_none() {
        for unknown in [&mut model.id, &mut model.arn, &mut model.policy_id] {
            *unknown = Value::Unknown;
        }
    }
}

fn foretold(before: &Value<String>, wanted: Option<&Document>) -> Value<String> {
    match (before.text(), wanted) {
        (_, None) => Value::Unknown,
        (Some(text), Some(wanted)) if says(text, wanted) => before.clone(),
        (_, Some(wanted)) => Value::Known(wanted.to_json()),
    }
}

#[cfg(test)]
mod tests;
