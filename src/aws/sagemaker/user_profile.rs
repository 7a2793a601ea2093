//! User profiles of a domain.

use aws_sdk_sagemaker as sagemaker;
use sagemaker::operation::describe_user_profile::DescribeUserProfileOutput;

use super::domain_types::UserSettings;
use super::{Status, call, judge_deleted, judge_in_service, tags};
use crate::aws::wait::{Judgement, Pace, Patience, Visibility, until};
use crate::aws::{AwsError, Call, Clients, DomainId, Tags};

/// A user profile takes seconds, rarely minutes.
const PACE: Pace = Pace::millis(2_000, 2_000, 10_000);

/// A user profile to be made.
#[derive(Debug, Clone)]
pub struct NewUserProfile {
    /// The domain it is of.
    pub domain_id: DomainId,
    /// Its name, unique in the domain.
    pub name: String,
    /// Its settings; what they do not give comes from the domain.
    pub settings: UserSettings,
    /// The user name in IAM Identity Center, in a domain whose people sign in that way.
    pub sso_user: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// A user profile as SageMaker describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserProfile {
    /// The domain it is of.
    pub domain_id: DomainId,
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Where it is in its life.
    pub status: Status,
    /// SageMaker's reason for a status that is not wanted.
    pub failure_reason: Option<String>,
    /// Its own settings.
    pub settings: UserSettings,
    /// The user name in IAM Identity Center.
    pub sso_user: Option<String>,
}

/// A user profile in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserProfileSummary {
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub status: Status,
}

/// Starts to make a user profile, and gives its ARN.
///
/// # Errors
/// `AlreadyExists` when the domain has one of this name; `Invalid` for a role that SageMaker
/// cannot assume, which [`super::is_role_not_assumable`] recognises.
pub async fn create_user_profile(
    clients: &Clients,
    new: &NewUserProfile,
) -> Result<String, AwsError> {
    let call =
        call("CreateUserProfile", format!("user profile {} of domain {}", new.name, new.domain_id));
    let settings = (!new.settings.is_empty()).then(|| new.settings.to_sagemaker(None));
    let request = clients
        .sagemaker()
        .create_user_profile()
        .domain_id(new.domain_id.as_str())
        .user_profile_name(&new.name)
        .set_user_settings(settings)
        // "UserName" is the only identifier there is (SageMaker API reference).
        .set_single_sign_on_user_identifier(new.sso_user.as_ref().map(|_| "UserName".to_owned()))
        .set_single_sign_on_user_value(new.sso_user.clone())
        .set_tags(tags::some_tags(&new.tags));
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    answer.user_profile_arn().map(str::to_owned).ok_or_else(|| call.lacks("user profile ARN"))
}

/// Looks a user profile up.
///
/// # Errors
/// Whatever SageMaker refuses, such as `AccessDenied`.
pub async fn find_user_profile(
    clients: &Clients,
    domain_id: &DomainId,
    name: &str,
) -> Result<Option<UserProfile>, AwsError> {
    let found = describe(clients, &describing(domain_id, name), domain_id, name).await?;
    Ok(found.as_ref().map(|profile| from_sagemaker(profile, domain_id, name)))
}

/// Lists the user profiles of a domain.
///
/// # Errors
/// Whatever SageMaker refuses, such as `AccessDenied`.
pub async fn list_user_profiles(
    clients: &Clients,
    domain_id: &DomainId,
) -> Result<Vec<UserProfileSummary>, AwsError> {
    let call = call("ListUserProfiles", format!("user profiles of domain {domain_id}"));
    let pages = clients
        .sagemaker()
        .list_user_profiles()
        .domain_id_equals(domain_id.as_str())
        .into_paginator();
    let profiles = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(profiles.iter().filter_map(summary).collect())
}

/// Starts to change a user profile's settings. What they do not give is left alone, so a role
/// that is set can be exchanged, but not taken back.
///
/// # Errors
/// `NotFound` when it is gone.
pub async fn update_user_profile(
    clients: &Clients,
    domain_id: &DomainId,
    name: &str,
    settings: &UserSettings,
) -> Result<(), AwsError> {
    if settings.is_empty() {
        return Ok(());
    }
    let now = describe(clients, &describing(domain_id, name), domain_id, name).await?;
    let now = now.as_ref().and_then(DescribeUserProfileOutput::user_settings);
    let call = call("UpdateUserProfile", format!("user profile {name} of domain {domain_id}"));
    let request = clients
        .sagemaker()
        .update_user_profile()
        .domain_id(domain_id.as_str())
        .user_profile_name(name)
        .user_settings(settings.to_sagemaker(now));
    request.send().await.map(drop).map_err(|error| call.failed(error))
}

/// Starts to delete a user profile. What is gone counts as deleted.
///
/// # Errors
/// `InUse` while it has apps.
pub async fn delete_user_profile(
    clients: &Clients,
    domain_id: &DomainId,
    name: &str,
) -> Result<(), AwsError> {
    let call = call("DeleteUserProfile", format!("user profile {name} of domain {domain_id}"));
    let request = clients
        .sagemaker()
        .delete_user_profile()
        .domain_id(domain_id.as_str())
        .user_profile_name(name);
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Waits until a user profile is in service, after it was made or changed.
///
/// # Errors
/// `Unexpected` with SageMaker's reason when it fails.
pub async fn wait_until_in_service(
    clients: &Clients,
    domain_id: &DomainId,
    name: &str,
    patience: &Patience,
) -> Result<UserProfile, AwsError> {
    let visibility = Visibility::new();
    let call = describing(domain_id, name);
    until(&call, "in service", PACE, patience, || async {
        let found = describe(clients, &call, domain_id, name).await?;
        Ok(visibility.judge(
            found.as_ref().map(|profile| from_sagemaker(profile, domain_id, name)),
            |profile| {
                judge_in_service(&profile.status, profile.failure_reason.as_deref(), ())
                    .map(|()| profile.clone())
            },
        ))
    })
    .await
}

/// Waits until a user profile is gone.
///
/// # Errors
/// `Unexpected` with SageMaker's reason when it cannot be deleted.
pub async fn wait_until_deleted(
    clients: &Clients,
    domain_id: &DomainId,
    name: &str,
    patience: &Patience,
) -> Result<(), AwsError> {
    let call = describing(domain_id, name);
    until(&call, "deleted", PACE, patience, || async {
        Ok(match describe(clients, &call, domain_id, name).await? {
            None => Judgement::Ready(()),
            Some(found) => {
                let profile = from_sagemaker(&found, domain_id, name);
                judge_deleted(&profile.status, profile.failure_reason.as_deref())
            }
        })
    })
    .await
}

fn describing(domain_id: &DomainId, name: &str) -> Call {
    call("DescribeUserProfile", format!("user profile {name} of domain {domain_id}"))
}

async fn describe(
    clients: &Clients,
    call: &Call,
    domain_id: &DomainId,
    name: &str,
) -> Result<Option<DescribeUserProfileOutput>, AwsError> {
    let request = clients
        .sagemaker()
        .describe_user_profile()
        .domain_id(domain_id.as_str())
        .user_profile_name(name);
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(profile) => Ok(Some(profile)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn from_sagemaker(
    profile: &DescribeUserProfileOutput,
    domain_id: &DomainId,
    name: &str,
) -> UserProfile {
    UserProfile {
        domain_id: domain_id.clone(),
        name: name.to_owned(),
        arn: profile.user_profile_arn().unwrap_or_default().to_owned(),
        status: Status::parse(profile.status().map(|status| status.as_str()).unwrap_or_default()),
        failure_reason: profile.failure_reason().map(str::to_owned),
        settings: profile.user_settings().map(UserSettings::from_sagemaker).unwrap_or_default(),
        sso_user: profile.single_sign_on_user_value().map(str::to_owned),
    }
}

fn summary(profile: &sagemaker::types::UserProfileDetails) -> Option<UserProfileSummary> {
    Some(UserProfileSummary {
        name: profile.user_profile_name()?.to_owned(),
        status: Status::parse(profile.status().map(|status| status.as_str()).unwrap_or_default()),
    })
}
