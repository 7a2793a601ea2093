//! Spaces of a domain: made by users, listed and deleted here.

use aws_sdk_sagemaker as sagemaker;
use sagemaker::operation::describe_space::DescribeSpaceOutput;

use super::{Status, call, judge_deleted};
use crate::aws::wait::{Judgement, Pace, Patience, until};
use crate::aws::{AwsError, Call, Clients, DomainId};

const PACE: Pace = Pace::millis(2_000, 2_000, 10_000);

/// A space in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceSummary {
    /// Its name, unique in the domain.
    pub name: String,
    /// The user profile that owns it, where it is private to one.
    pub owner: Option<String>,
    /// Where it is in its life.
    pub status: Status,
}

/// Lists the spaces of a domain.
///
/// # Errors
/// Whatever SageMaker refuses, such as `AccessDenied`.
pub async fn list_spaces(
    clients: &Clients,
    domain_id: &DomainId,
) -> Result<Vec<SpaceSummary>, AwsError> {
    let call = call("ListSpaces", format!("spaces of domain {domain_id}"));
    let pages =
        clients.sagemaker().list_spaces().domain_id_equals(domain_id.as_str()).into_paginator();
    let spaces = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(spaces.iter().filter_map(summary).collect())
}

/// Starts to delete a space. What is gone counts as deleted.
///
/// # Errors
/// `InUse` while it has apps.
pub async fn delete_space(
    clients: &Clients,
    domain_id: &DomainId,
    name: &str,
) -> Result<(), AwsError> {
    let call = call("DeleteSpace", format!("space {name} of domain {domain_id}"));
    let request = clients.sagemaker().delete_space().domain_id(domain_id.as_str()).space_name(name);
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Waits until a space is gone.
///
/// # Errors
/// `Unexpected` with SageMaker's reason when it cannot be deleted.
pub async fn wait_until_deleted(
    clients: &Clients,
    domain_id: &DomainId,
    name: &str,
    patience: &Patience,
) -> Result<(), AwsError> {
    let call = call("DescribeSpace", format!("space {name} of domain {domain_id}"));
    until(&call, "deleted", PACE, patience, || async {
        Ok(match describe(clients, &call, domain_id, name).await? {
            None => Judgement::Ready(()),
            Some(space) => {
                let status =
                    Status::parse(space.status().map(|status| status.as_str()).unwrap_or_default());
                judge_deleted(&status, space.failure_reason())
            }
        })
    })
    .await
}

async fn describe(
    clients: &Clients,
    call: &Call,
    domain_id: &DomainId,
    name: &str,
) -> Result<Option<DescribeSpaceOutput>, AwsError> {
    let request =
        clients.sagemaker().describe_space().domain_id(domain_id.as_str()).space_name(name);
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(space) => Ok(Some(space)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn summary(space: &sagemaker::types::SpaceDetails) -> Option<SpaceSummary> {
    let owner =
        space.ownership_settings_summary().and_then(|owner| owner.owner_user_profile_name());
    Some(SpaceSummary {
        name: space.space_name()?.to_owned(),
        owner: owner.map(str::to_owned),
        status: Status::parse(space.status().map(|status| status.as_str()).unwrap_or_default()),
    })
}
