//! Managed policies and their versions.

use aws_sdk_iam as iam;

use super::{call, unescaped};
use crate::aws::{AwsError, Call, Clients, Kind, PolicyArn, TagChange, Tags};

/// How many versions a policy can have (IAM quotas).
const MOST_VERSIONS: usize = 5;

/// A policy to be made.
#[derive(Debug, Clone)]
pub struct NewPolicy {
    /// Its name, unique in the account.
    pub name: String,
    /// Its path, such as `/`.
    pub path: String,
    /// What it is for; cannot be changed.
    pub description: Option<String>,
    /// Its document.
    pub document: String,
    /// Its tags.
    pub tags: Tags,
}

/// A policy that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedPolicy {
    /// Its ARN.
    pub arn: PolicyArn,
    /// Its unique id, such as `ANPA…`.
    pub policy_id: String,
}

/// A policy as IAM describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its ARN.
    pub arn: PolicyArn,
    /// Its unique id, such as `ANPA…`.
    pub policy_id: String,
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// What it is for.
    pub description: Option<String>,
    /// The version that holds.
    pub default_version_id: String,
    /// The document of that version.
    pub document: String,
    /// How many users, groups and roles it is attached to.
    pub attachment_count: u32,
    /// Its tags.
    pub tags: Tags,
}

/// A version of a policy, without its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Its id, such as `v3`.
    pub id: String,
    /// Whether it is the one that holds.
    pub is_default: bool,
    /// When it was made, in seconds since 1970.
    pub created: i64,
}

/// Makes a policy.
///
/// # Errors
/// `AlreadyExists` when the account has one of this name; `Invalid` for a malformed document.
pub async fn create_policy(clients: &Clients, new: &NewPolicy) -> Result<CreatedPolicy, AwsError> {
    let call = call("CreatePolicy", format!("policy {}{}", new.path, new.name));
    let request = clients
        .iam()
        .create_policy()
        .policy_name(&new.name)
        .path(&new.path)
        .set_description(new.description.clone().filter(|text| !text.is_empty()))
        .policy_document(&new.document)
        .set_tags(some_tags(&call, &new.tags)?);
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    let policy = answer.policy().ok_or_else(|| call.lacks("policy"))?;
    Ok(CreatedPolicy {
        arn: policy.arn().ok_or_else(|| call.lacks("ARN"))?.into(),
        policy_id: policy.policy_id().unwrap_or_default().to_owned(),
    })
}

/// Looks a policy up by ARN, with the document that holds.
///
/// # Errors
/// Whatever IAM refuses, such as `AccessDenied`.
pub async fn find_policy(clients: &Clients, arn: &PolicyArn) -> Result<Option<Policy>, AwsError> {
    let call = call("GetPolicy", format!("policy {arn}"));
    let answer = match clients.iam().get_policy().policy_arn(arn.as_str()).send().await {
        Ok(answer) => answer,
        Err(error) => return absent_or(call.failed(error)),
    };
    let policy = answer.policy().ok_or_else(|| call.lacks("policy"))?;
    let version = policy.default_version_id().ok_or_else(|| call.lacks("default version"))?;
    let Some(document) = find_document(clients, arn, version).await? else {
        return Ok(None);
    };
    Ok(Some(Policy {
        arn: arn.clone(),
        policy_id: policy.policy_id().unwrap_or_default().to_owned(),
        name: policy.policy_name().unwrap_or_default().to_owned(),
        path: policy.path().unwrap_or("/").to_owned(),
        description: policy.description().filter(|text| !text.is_empty()).map(str::to_owned),
        default_version_id: version.to_owned(),
        document,
        attachment_count: policy
            .attachment_count()
            .and_then(|count| count.try_into().ok())
            .unwrap_or(0),
        tags: policy
            .tags()
            .iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect(),
    }))
}

/// Lists the versions of a policy.
///
/// # Errors
/// `NotFound` when the policy is gone.
pub async fn list_policy_versions(
    clients: &Clients,
    arn: &PolicyArn,
) -> Result<Vec<PolicyVersion>, AwsError> {
    let call = call("ListPolicyVersions", format!("policy {arn}"));
    let pages = clients.iam().list_policy_versions().policy_arn(arn.as_str()).into_paginator();
    let versions = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(versions
        .iter()
        .filter_map(|version| {
            Some(PolicyVersion {
                id: version.version_id()?.to_owned(),
                is_default: version.is_default_version(),
                created: version.create_date().map_or(0, aws_smithy_types::DateTime::secs),
            })
        })
        .collect())
}

/// Gives a policy a new document, and the new version's id. A policy has five versions at most, so
/// the oldest one that does not hold goes first where it must.
///
/// # Errors
/// `NotFound` when the policy is gone; `Invalid` for a malformed document.
pub async fn update_policy_document(
    clients: &Clients,
    arn: &PolicyArn,
    document: &str,
) -> Result<String, AwsError> {
    let versions = list_policy_versions(clients, arn).await?;
    if versions.len() >= MOST_VERSIONS
        && let Some(oldest) = oldest_to_drop(&versions)
    {
        delete_policy_version(clients, arn, &oldest.id).await?;
    }
    let call = call("CreatePolicyVersion", format!("policy {arn}"));
    let request = clients
        .iam()
        .create_policy_version()
        .policy_arn(arn.as_str())
        .policy_document(document)
        .set_as_default(true);
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    let version = answer.policy_version().and_then(|version| version.version_id());
    version.map(str::to_owned).ok_or_else(|| call.lacks("version id"))
}

/// Deletes a policy with all of its versions. What is gone counts as deleted.
///
/// # Errors
/// `InUse` while it is attached to something.
pub async fn delete_policy(clients: &Clients, arn: &PolicyArn) -> Result<(), AwsError> {
    let versions = match list_policy_versions(clients, arn).await {
        Err(error) if error.is_not_found() => return Ok(()),
        other => other?,
    };
    // IAM deletes the version that holds with the policy, and no other.
    for version in versions.iter().filter(|version| !version.is_default) {
        delete_policy_version(clients, arn, &version.id).await?;
    }
    let call = call("DeletePolicy", format!("policy {arn}"));
    match clients
        .iam()
        .delete_policy()
        .policy_arn(arn.as_str())
        .send()
        .await
        .map_err(|error| call.failed(error))
    {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Sets and removes tags of a policy. Nothing to do makes no call.
///
/// # Errors
/// `NotFound` when the policy is gone.
pub async fn update_policy_tags(
    clients: &Clients,
    arn: &PolicyArn,
    change: &TagChange,
) -> Result<(), AwsError> {
    let setting = call("TagPolicy", format!("policy {arn}"));
    if let Some(tags) = some_tags(&setting, &change.set)? {
        let request = clients.iam().tag_policy().policy_arn(arn.as_str()).set_tags(Some(tags));
        request.send().await.map_err(|error| setting.failed(error))?;
    }
    if !change.remove.is_empty() {
        let call = call("UntagPolicy", format!("policy {arn}"));
        let keys = change.remove.iter().cloned().collect();
        let request =
            clients.iam().untag_policy().policy_arn(arn.as_str()).set_tag_keys(Some(keys));
        request.send().await.map_err(|error| call.failed(error))?;
    }
    Ok(())
}

async fn find_document(
    clients: &Clients,
    arn: &PolicyArn,
    version: &str,
) -> Result<Option<String>, AwsError> {
    let call = call("GetPolicyVersion", format!("version {version} of policy {arn}"));
    match clients
        .iam()
        .get_policy_version()
        .policy_arn(arn.as_str())
        .version_id(version)
        .send()
        .await
    {
        Ok(answer) => {
            let document = answer.policy_version().and_then(|version| version.document());
            document.map(unescaped).map(Some).ok_or_else(|| call.lacks("document"))
        }
        Err(error) => absent_or(call.failed(error)),
    }
}

async fn delete_policy_version(
    clients: &Clients,
    arn: &PolicyArn,
    version: &str,
) -> Result<(), AwsError> {
    let call = call("DeletePolicyVersion", format!("version {version} of policy {arn}"));
    let request =
        clients.iam().delete_policy_version().policy_arn(arn.as_str()).version_id(version);
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

fn oldest_to_drop(versions: &[PolicyVersion]) -> Option<&PolicyVersion> {
    // Versions are numbered upwards, which tells apart what was made within one second.
    let number =
        |version: &PolicyVersion| version.id.trim_start_matches('v').parse().unwrap_or(u64::MAX);
    versions
        .iter()
        .filter(|version| !version.is_default)
        .min_by_key(|version| (version.created, number(version)))
}

fn absent_or<T>(error: AwsError) -> Result<Option<T>, AwsError> {
    if error.is_not_found() { Ok(None) } else { Err(error) }
}

fn some_tags(call: &Call, tags: &Tags) -> Result<Option<Vec<iam::types::Tag>>, AwsError> {
    let tags: Result<Vec<_>, _> = tags
        .iter()
        .map(|(key, value)| iam::types::Tag::builder().key(key).value(value).build())
        .collect();
    let tags = tags.map_err(|error| call.error(Kind::Invalid, error.to_string()))?;
    Ok(Some(tags).filter(|tags| !tags.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(id: &str, is_default: bool, created: i64) -> PolicyVersion {
        PolicyVersion { id: id.to_owned(), is_default, created }
    }

    #[test]
    fn the_oldest_version_goes_unless_it_holds() {
        let versions = [version("v1", true, 1), version("v3", false, 3), version("v2", false, 2)];
        assert_eq!(oldest_to_drop(&versions), Some(&versions[2]));
    }

    #[test]
    fn versions_of_one_second_go_by_their_number() {
        let versions = [version("v10", false, 1), version("v9", false, 1), version("v11", true, 1)];
        assert_eq!(oldest_to_drop(&versions), Some(&versions[1]));
    }
}
