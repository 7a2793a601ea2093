//! What AWS says of a presign policy: into the record, and from there into the model.
//!
//! **Invariant:** changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::desired::Desired;
use super::plan::{self, Action, Key};
use super::recorded::{Attached, Endpoint, Policy, Recorded, says};
use super::schema::{AttachTo, Model, kind_of_service, known_map};
use super::settings::Settings;
use crate::aws::ec2::vpc_endpoint::{EndpointState, find_vpc_endpoint};
use crate::aws::iam::attachment::list_attachments;
use crate::aws::iam::policy::find_policy;
use crate::aws::tags::visible;
use crate::aws::{AwsError, Clients, PolicyArn, Tags, VpcEndpointId, iam};
use crate::framework::Value;
use crate::policy::document::Document;
use crate::policy::presign::EndpointKind;
use crate::resources::values::{StringMap, Strings, shown_tags, string_map, strings};

/// Looks at every recorded part again. Parts that are gone are left out.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn refresh(clients: &Clients, recorded: &Recorded) -> Result<Recorded, AwsError> {
    let policy = async {
        match &recorded.policy {
            Some(policy) => read_policy(clients, &policy.arn, &recorded.attached).await,
            None => Ok(None),
        }
    };
    let endpoints =
        try_join_all(recorded.endpoints.keys().map(async |id| Ok((id.clone(), read_endpoint(clients, id).await?))));
    let (policy, endpoints) = tokio::try_join!(policy, endpoints)?;
    let (policy, attached) = policy.unzip();
    Ok(Recorded {
        owner: recorded.owner.clone(),
        policy,
        attached: attached.unwrap_or_default(),
        endpoints: endpoints.into_iter().filter_map(|(id, endpoint)| Some((id, endpoint?))).collect(),
    })
}

/// The policy, and which of these attachments it still has.
async fn read_policy(
    clients: &Clients,
    arn: &PolicyArn,
    ours: &Attached,
) -> Result<Option<(Policy, Attached)>, AwsError> {
    let ours = ours.principals();
    let attached = async {
        if ours.is_empty() {
            return Ok(Attached::default());
        }
        match list_attachments(clients, arn).await {
            Ok(listed) => Ok(ours.intersection(&listed).cloned().collect()),
            Err(error) if error.is_not_found() => Ok(Attached::default()),
            Err(error) => Err(error),
        }
    };
    let (policy, attached) = tokio::try_join!(find_policy(clients, arn), attached)?;
    Ok(policy.map(|policy| (self::policy(policy, clients), attached)))
}

/// A policy as IAM describes it, for the record.
pub fn policy(found: iam::policy::Policy, clients: &Clients) -> Policy {
    Policy {
        arn: found.arn,
        policy_id: found.policy_id,
        name: found.name,
        path: found.path,
        description: found.description,
        document: found.document,
        ready: true,
        tags: visible(&found.tags, clients.ignore_tags()),
    }
}

/// The policy that an endpoint has. One that is being deleted counts as gone.
///
/// # Errors
/// Whatever EC2 refuses.
pub async fn read_endpoint(clients: &Clients, id: &VpcEndpointId) -> Result<Option<Endpoint>, AwsError> {
    let found = find_vpc_endpoint(clients, id).await?;
    let found = found.filter(|found| !matches!(found.state, EndpointState::Deleting | EndpointState::Deleted));
    Ok(found.map(|found| Endpoint {
        service: kind_of_service(&found.service_name).map_or(found.service_name, |kind| kind.as_str().to_owned()),
        document: found.policy,
    }))
}

/// The model, with everything that is known to exist put in. The rules, which AWS keeps only as documents, stay as they
/// are; where a document says something else, the document shows it.
pub fn project(mut model: Model, recorded: &Recorded, region: &str, default_tags: &Tags) -> Model {
    let documents = Settings::of(&model).documents();
    let policy = recorded.policy.as_ref();
    let text = |of: fn(&Policy) -> String| Value::from(policy.map(of));
    model.region = Value::Known(region.to_owned());
    model.id = text(|policy| policy.arn.to_string());
    model.arn = model.id.clone();
    model.policy_id = text(|policy| policy.policy_id.clone());
    model.policy_json =
        policy.map(|policy| shown(model.policy_json.text(), documents.policy.as_ref(), &policy.document)).into();
    model.scp_json = documents.scp.as_ref().map(|scp| shown(model.scp_json.text(), Some(scp), &scp.to_json())).into();
    let before = model.endpoint_policy_json.known().cloned().unwrap_or_default();
    model.endpoint_policy_json = documents
        .endpoints
        .map(|wanted| {
            let one = |(kind, wanted): (&EndpointKind, &Document)| {
                let service = kind.as_str();
                let before = before.get(service).map(String::as_str);
                (service.to_owned(), endpoint_shown(before, wanted, service, recorded))
            };
            wanted.iter().map(one).collect()
        })
        .into();
    if let Some(policy) = policy {
        model.name = Value::Known(policy.name.clone());
        model.path = Value::Known(policy.path.clone());
        model.description = policy.description.clone().into();
        (model.tags, model.tags_all) = shown_tags(&model.tags, &policy.tags, default_tags);
    }
    model.attach_to = attach_to(&model.attach_to, &recorded.attached);
    model.endpoint_policies = endpoint_policies(&model.endpoint_policies, recorded);
    model
}

/// What a document is shown as: the text that was there if AWS has the same, and else what AWS has.
fn shown(before: Option<&str>, wanted: Option<&Document>, actual: &str) -> String {
    match wanted {
        Some(wanted) if says(actual, wanted) => match before {
            Some(before) if says(before, wanted) => before.to_owned(),
            Some(_) | None => wanted.to_json(),
        },
        Some(_) | None => Document::parse(actual).map_or_else(|_| actual.to_owned(), |document| document.to_json()),
    }
}

/// The policy of an endpoint whose policy is set, or the one that others could be given.
fn endpoint_shown(before: Option<&str>, wanted: &Document, service: &str, recorded: &Recorded) -> String {
    let differing = recorded
        .endpoints
        .values()
        .find(|endpoint| endpoint.service == service && !plan::is_policy_of(endpoint, wanted));
    match differing.map(|endpoint| &endpoint.document) {
        None => shown(before, Some(wanted), &wanted.to_json()),
        Some(Some(actual)) => shown(None, None, actual),
        Some(None) => Document::full_access().to_json(),
    }
}

fn attach_to(written: &Value<AttachTo>, attached: &Attached) -> Value<AttachTo> {
    if written.is_null() && *attached == Attached::default() {
        return Value::Null;
    }
    let written = written.known().cloned().unwrap_or_default();
    let names = |written: &Strings, names: &BTreeSet<String>| {
        if written.is_null() && names.is_empty() { Value::Null } else { strings(names.iter().cloned()) }
    };
    Value::Known(AttachTo {
        roles: names(&written.roles, &attached.roles),
        users: names(&written.users, &attached.users),
        groups: names(&written.groups, &attached.groups),
    })
}

/// The endpoints by service. Where one is still to be set back and another one has its place, the latter shows.
fn endpoint_policies(written: &StringMap, recorded: &Recorded) -> StringMap {
    if written.is_null() && recorded.endpoints.is_empty() {
        return Value::Null;
    }
    let before = known_map(written).unwrap_or_default();
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    for (id, endpoint) in &recorded.endpoints {
        let is_written = before.get(&endpoint.service).map(String::as_str) == Some(id.as_str());
        if is_written || !shown.contains_key(&endpoint.service) {
            shown.insert(endpoint.service.clone(), id.to_string());
        }
    }
    string_map(shown)
}

/// What differs from what was applied and no attribute shows.
pub fn drift(model: &Model, recorded: &Recorded) -> Vec<String> {
    let Some(desired) = Desired::new(model) else { return Vec::new() };
    let steps = plan::steps(Some(&desired), recorded);
    steps.iter().filter_map(|step| describe(&step.key, step.action, &desired, recorded)).collect()
}

fn describe(key: &Key, action: Action, desired: &Desired, recorded: &Recorded) -> Option<String> {
    let name = key.name();
    match (key, action) {
        (_, Action::Create) => Some(format!("The {name} is missing.")),
        (Key::Policy, Action::Update) => {
            let policy = recorded.policy.as_ref()?;
            // Another document shows in policy_json, other tags in tags_all.
            let shows = !plan::is_document_as_wanted(desired, policy) || policy.tags != desired.tags;
            (!shows).then(|| format!("IAM has not yet shown the {name} as it was made."))
        }
        // It shows in endpoint_policy_json.
        (Key::Endpoint(_), Action::Update) => None,
        (Key::Attachment(_), Action::Update | Action::Delete) => Some(format!("The {name} exists and is not wanted.")),
        (Key::Endpoint(_), Action::Delete) => Some(format!("The {name} is still set, and not wanted any more.")),
        (Key::Policy, Action::Delete) => Some(format!("The {name} exists and is not wanted.")),
    }
}
