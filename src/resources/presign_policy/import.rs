//! What can be told of a policy that this state does not know yet: its rules, and the endpoints that have its document.
//!
//! **Invariant:** changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::plan::is_policy_of;
use super::read::{self, read_endpoint};
use super::recorded::{Endpoint, Policy, Recorded};
use super::recover::recover;
use super::schema::{Allowed, Model, known_set};
use super::settings::{Settings, mode_word};
use crate::aws::iam::attachment::list_attachments;
use crate::aws::iam::policy::find_policy;
use crate::aws::tags::owner_and_part;
use crate::aws::{AwsError, Clients, PolicyArn, VpcEndpointId};
use crate::framework::{Diagnostic, Diagnostics, Value};
use crate::policy::document::Document;
use crate::policy::presign::{AllowedPath, PresignSettings};
use crate::resources::common::aws_error;
use crate::resources::values::{string_map, strings};

/// Looks a policy up by its ARN, with everything that it tells.
///
/// # Errors
/// The text is no such ARN, nothing is there, or AWS refuses.
pub async fn import(clients: &Clients, id: &str) -> Result<(Model, Recorded), Diagnostics> {
    check_arn(id)?;
    let arn = PolicyArn::from(id);
    let failed = |error| Diagnostics::from(aws_error("import the policy", &error));
    let Some(found) = find_policy(clients, &arn).await.map_err(failed)? else {
        let text = format!("There is no policy {id} in the account of the credentials.");
        return Err(Diagnostic::error("There is nothing to import", text).into());
    };
    let owner = owner_and_part(&found.tags).map(|(owner, _)| owner.to_owned());
    let policy = read::policy(found, clients);
    let mut model = model_of(&policy);
    let mut recorded = Recorded { owner: owner.unwrap_or_default(), policy: Some(policy), ..Recorded::default() };
    recorded.attached = list_attachments(clients, &arn).await.map_err(failed)?.into_iter().collect();
    recorded.endpoints = endpoints_with_its_policy(clients, &model).await.map_err(failed)?;
    model.region = Value::Known(clients.region().to_string());
    Ok((model, recorded))
}

fn check_arn(id: &str) -> Result<(), Diagnostics> {
    let parts: Vec<_> = id.splitn(6, ':').collect();
    let problem = match parts.as_slice() {
        ["arn", _, "iam", "", "aws", policy] if policy.starts_with("policy/") => {
            "is a policy of AWS, which cannot be changed"
        }
        ["arn", _, "iam", "", _, policy] if policy.starts_with("policy/") => return Ok(()),
        _ => "is not the ARN of a managed policy, such as arn:aws:iam::123456789012:policy/studio-presign",
    };
    Err(Diagnostic::error("Invalid import id", format!("{id:?} {problem}.")).into())
}

/// The rules that the document tells, and nothing that it does not.
fn model_of(policy: &Policy) -> Model {
    let document = Document::parse(&policy.document).ok();
    let settings = document.as_ref().and_then(recover);
    // AWS does not keep on_lockout: the default stands, as in a configuration that leaves it out.
    Model { on_lockout: "error".into(), drift: Value::Known(Vec::new()), ..settings.map(written).unwrap_or_default() }
}

/// The rules as a user would write them.
fn written(settings: PresignSettings) -> Model {
    let some = |texts: Vec<String>| if texts.is_empty() { Value::Null } else { strings(texts) };
    let list = |list: Option<Vec<String>>| list.map_or(Value::Null, strings);
    let path = |path: AllowedPath| {
        Value::Known(Allowed {
            vpc_endpoint_ids: list(path.vpc_endpoint_ids),
            vpc_ids: list(path.vpc_ids),
            source_cidr_blocks: list(path.source_cidr_blocks),
            vpc_source_cidr_blocks: list(path.vpc_source_cidr_blocks),
        })
    };
    Model {
        mode: mode_word(settings.mode).into(),
        domain_arns: strings(settings.domain_arns),
        user_profile: settings.user_profile.into(),
        allowed: Value::Known(settings.allowed.into_iter().map(path).collect()),
        exempt_principal_arns: some(settings.exempt_principal_arns),
        allow_via_aws_services: settings.allow_via_aws_services.into(),
        resource_tags: match settings.resource_tags.is_empty() {
            true => Value::Null,
            false => string_map(settings.resource_tags),
        },
        ..Model::default()
    }
}

/// Of the endpoints that the rules name, those that have the policy that the rules give them.
async fn endpoints_with_its_policy(
    clients: &Clients,
    model: &Model,
) -> Result<BTreeMap<VpcEndpointId, Endpoint>, AwsError> {
    let Some(documents) = Settings::of(model).documents().endpoints else {
        return Ok(BTreeMap::new());
    };
    let paths = model.allowed.known().into_iter().flatten().filter_map(Value::known);
    let lists = paths.filter_map(|path| known_set(&path.vpc_endpoint_ids));
    let ids: BTreeSet<VpcEndpointId> = lists.flatten().map(VpcEndpointId::from).collect();
    let look = ids.into_iter().map(async |id| Ok((id.clone(), read_endpoint(clients, &id).await?)));
    let found = try_join_all(look).await?;
    let ours = found.into_iter().filter_map(|(id, endpoint)| {
        let endpoint = endpoint?;
        let wanted = documents.iter().find(|(kind, _)| kind.as_str() == endpoint.service)?.1;
        is_policy_of(&endpoint, wanted).then_some((id, endpoint))
    });
    Ok(ours.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_customers_policy_can_be_imported() {
        assert!(check_arn("arn:aws:iam::123456789012:policy/studio/presign").is_ok());
        for wrong in ["presign", "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::123456789012:role/presign"] {
            assert!(check_arn(wrong).unwrap_err().has_errors(), "{wrong}");
        }
    }
}
