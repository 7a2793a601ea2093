//! Apps of user profiles and spaces: started by users, listed and deleted here.

use std::fmt;

use aws_sdk_sagemaker as sagemaker;
use sagemaker::operation::describe_app::DescribeAppOutput;

use super::call;
use crate::aws::wait::{Judgement, Pace, Patience, until};
use crate::aws::{AwsError, Call, Clients, DomainId};

/// An app takes up to some minutes to stop.
const PACE: Pace = Pace::millis(5_000, 5_000, 20_000);

/// Whose app it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AppOwner {
    /// A user profile's, by name.
    UserProfile(String),
    /// A space's, by name.
    Space(String),
}

/// What tells one app from another. SageMaker has no single id for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppKey {
    /// The domain it is in.
    pub domain_id: DomainId,
    /// Whose it is.
    pub owner: AppOwner,
    /// Its type by SageMaker's name, such as `JupyterLab`.
    pub app_type: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, owner) = match &self.owner {
            AppOwner::UserProfile(name) => ("user profile", name),
            AppOwner::Space(name) => ("space", name),
        };
        write!(f, "app {}/{} of {kind} {owner}", self.app_type, self.name)
    }
}

/// Where an app is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AppStatus {
    /// Starting.
    Pending,
    /// Running.
    InService,
    /// Stopping.
    Deleting,
    /// Gone, and still listed for a day.
    Deleted,
    /// Could not start. It keeps nothing from being deleted.
    Failed,
    /// A word that we do not know.
    Other(String),
}

impl AppStatus {
    fn parse(text: &str) -> Self {
        match text {
            "Pending" => Self::Pending,
            "InService" => Self::InService,
            "Deleting" => Self::Deleting,
            "Deleted" => Self::Deleted,
            "Failed" => Self::Failed,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Whether the app keeps its owner from being deleted.
    pub fn is_in_the_way(&self) -> bool {
        match self {
            Self::Pending | Self::InService | Self::Deleting | Self::Other(_) => true,
            Self::Deleted | Self::Failed => false,
        }
    }
}

/// An app in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSummary {
    /// What tells it from others.
    pub key: AppKey,
    /// Where it is in its life.
    pub status: AppStatus,
}

/// Lists the apps of a domain, those of user profiles and of spaces alike.
///
/// # Errors
/// Whatever SageMaker refuses, such as `AccessDenied`.
pub async fn list_apps(
    clients: &Clients,
    domain_id: &DomainId,
) -> Result<Vec<AppSummary>, AwsError> {
    let call = call("ListApps", format!("apps of domain {domain_id}"));
    let pages =
        clients.sagemaker().list_apps().domain_id_equals(domain_id.as_str()).into_paginator();
    let apps = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(apps.iter().filter_map(|app| summary(app, domain_id)).collect())
}

/// Starts to delete an app. What is gone counts as deleted.
///
/// # Errors
/// Whatever SageMaker refuses, such as `AccessDenied`.
pub async fn delete_app(clients: &Clients, key: &AppKey) -> Result<(), AwsError> {
    let call = call("DeleteApp", format!("{key} in domain {}", key.domain_id));
    let (profile, space) = owner_names(&key.owner);
    let request = clients
        .sagemaker()
        .delete_app()
        .domain_id(key.domain_id.as_str())
        .set_user_profile_name(profile)
        .set_space_name(space)
        .app_type(key.app_type.as_str().into())
        .app_name(&key.name);
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Waits until an app is gone, or failed, which is as good.
///
/// # Errors
/// `TimedOut` with the status last seen.
pub async fn wait_until_deleted(
    clients: &Clients,
    key: &AppKey,
    patience: &Patience,
) -> Result<(), AwsError> {
    let call = call("DescribeApp", format!("{key} in domain {}", key.domain_id));
    until(&call, "deleted", PACE, patience, || async {
        Ok(match describe(clients, &call, key).await? {
            None => Judgement::Ready(()),
            Some(app) => {
                let status = app.status().map(|status| status.as_str()).unwrap_or_default();
                judge_deleted(&AppStatus::parse(status))
            }
        })
    })
    .await
}

fn judge_deleted(status: &AppStatus) -> Judgement<()> {
    match status {
        AppStatus::Deleted | AppStatus::Failed => Judgement::Ready(()),
        AppStatus::Pending => Judgement::Pending("Pending".to_owned()),
        AppStatus::InService => Judgement::Pending("InService".to_owned()),
        AppStatus::Deleting => Judgement::Pending("Deleting".to_owned()),
        AppStatus::Other(word) => Judgement::Failed(format!("unexpected status {word}")),
    }
}

async fn describe(
    clients: &Clients,
    call: &Call,
    key: &AppKey,
) -> Result<Option<DescribeAppOutput>, AwsError> {
    let (profile, space) = owner_names(&key.owner);
    let request = clients
        .sagemaker()
        .describe_app()
        .domain_id(key.domain_id.as_str())
        .set_user_profile_name(profile)
        .set_space_name(space)
        .app_type(key.app_type.as_str().into())
        .app_name(&key.name);
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(app) => Ok(Some(app)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn owner_names(owner: &AppOwner) -> (Option<String>, Option<String>) {
    match owner {
        AppOwner::UserProfile(name) => (Some(name.clone()), None),
        AppOwner::Space(name) => (None, Some(name.clone())),
    }
}

fn summary(app: &sagemaker::types::AppDetails, domain_id: &DomainId) -> Option<AppSummary> {
    let owner = match (app.space_name(), app.user_profile_name()) {
        (Some(space), _) => AppOwner::Space(space.to_owned()),
        (None, profile) => AppOwner::UserProfile(profile?.to_owned()),
    };
    Some(AppSummary {
        key: AppKey {
            domain_id: domain_id.clone(),
            owner,
            app_type: app.app_type()?.as_str().to_owned(),
            name: app.app_name()?.to_owned(),
        },
        status: AppStatus::parse(app.status().map(|status| status.as_str()).unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_of_a_space_is_told_from_a_users() {
        let app = sagemaker::types::AppDetails::builder()
            .space_name("shared")
            .app_type(sagemaker::types::AppType::JupyterLab)
            .app_name("default")
            .status(sagemaker::types::AppStatus::InService)
            .build();
        let summary = summary(&app, &"d-1".into()).unwrap();
        assert_eq!(summary.key.to_string(), "app JupyterLab/default of space shared");
        assert!(summary.status.is_in_the_way());
    }

    #[test]
    fn a_failed_app_is_not_in_the_way() {
        assert!(!AppStatus::Failed.is_in_the_way());
        assert_eq!(judge_deleted(&AppStatus::Failed), Judgement::Ready(()));
    }
}
