//! SageMaker domains.

use aws_sdk_sagemaker as sagemaker;
use sagemaker::operation::describe_domain::DescribeDomainOutput;
use sagemaker::types::{
    AppNetworkAccessType, DomainSettings, DomainSettingsForUpdate, HomeEfsFileSystemCreation, RetentionPolicy,
    RetentionType,
};

pub use super::domain_types::*;
use super::{Status, Toggle, call, judge_deleted, judge_in_service, tags};
use crate::aws::wait::{Judgement, Pace, Patience, Visibility, until};
use crate::aws::{AwsError, Call, Clients, DomainId, Kind, names, some_names};

/// A domain takes some minutes to make, fewer without an EFS file system, and about as long to
/// delete.
const PACE: Pace = Pace::millis(5_000, 5_000, 20_000);

/// What happens to the home folders when a domain is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HomeEfsRetention {
    /// The file system stays, with its mount targets and the two groups SageMaker made for them.
    Retain,
    /// It goes with the domain.
    Delete,
}

/// A domain in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainSummary {
    /// Its id.
    pub id: DomainId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub status: Status,
}

/// Starts to make a domain. SageMaker takes no idempotency token here: look for the name, or for a
/// tag, before trying a second time.
///
/// # Errors
/// `LimitExceeded` for the quota of domains; `Invalid` for a role that SageMaker cannot assume,
/// which [`super::is_role_not_assumable`] recognises.
pub async fn create_domain(clients: &Clients, new: &NewDomain) -> Result<DomainId, AwsError> {
    let call = call("CreateDomain", format!("domain {}", new.name));
    let settings = DomainSettings::builder()
        .set_security_group_ids(some_names(&new.security_group_ids))
        .set_docker_settings(new.docker_access.map(|access| docker_settings(access, None)))
        .set_ip_address_type(new.address_type.map(DomainAddressType::to_sagemaker))
        .build();
    let has_settings = settings != DomainSettings::builder().build();
    let request = clients
        .sagemaker()
        .create_domain()
        .domain_name(&new.name)
        .auth_mode(sagemaker::types::AuthMode::from(new.auth_mode.as_str()))
        .app_network_access_type(AppNetworkAccessType::VpcOnly)
        .vpc_id(new.vpc_id.as_str())
        .set_subnet_ids(Some(names(&new.subnet_ids)))
        .default_user_settings(new.default_user_settings.to_sagemaker(None))
        .set_domain_settings(has_settings.then_some(settings))
        .home_efs_file_system_creation(home_efs(new.home_efs))
        .set_kms_key_id(new.kms_key_id.clone())
        .set_tags(tags::some_tags(&new.tags));
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    // Older answers hold the ARN alone.
    answer
        .domain_id()
        .or_else(|| answer.domain_arn()?.rsplit('/').next())
        .map(DomainId::from)
        .ok_or_else(|| call.lacks("domain id"))
}

/// Looks a domain up by id.
///
/// # Errors
/// Whatever SageMaker refuses, such as `AccessDenied`.
pub async fn find_domain(clients: &Clients, id: &DomainId) -> Result<Option<Domain>, AwsError> {
    Ok(describe(clients, &describing(id), id).await?.as_ref().and_then(Domain::from_sagemaker))
}

/// Lists the domains of the account in the Region.
///
/// # Errors
/// Whatever SageMaker refuses, such as `AccessDenied`.
pub async fn list_domains(clients: &Clients) -> Result<Vec<DomainSummary>, AwsError> {
    let call = call("ListDomains", "the domains of the account");
    let pages = clients.sagemaker().list_domains().into_paginator();
    let domains = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(domains.iter().filter_map(summary).collect())
}

/// Lists the domains of a name. SageMaker has no filter for it.
///
/// # Errors
/// Whatever SageMaker refuses, such as `AccessDenied`.
pub async fn list_domains_by_name(clients: &Clients, name: &str) -> Result<Vec<DomainSummary>, AwsError> {
    let domains = list_domains(clients).await?;
    Ok(domains.into_iter().filter(|domain| domain.name == name).collect())
}

/// Starts to change a domain. Sends what the change gives, and what SageMaker demands or would
/// drop beside it; no change makes no call.
///
/// # Errors
/// `Invalid` or `InUse` while apps keep a subnet or the way to the network from being changed.
pub async fn update_domain(clients: &Clients, id: &DomainId, change: &DomainChange) -> Result<(), AwsError> {
    if change.is_empty() {
        return Ok(());
    }
    let call = call("UpdateDomain", format!("domain {id}"));
    let now = describe(clients, &describing(id), id)
        .await?
        .ok_or_else(|| call.error(Kind::NotFound, "it does not exist any more"))?;
    let mut request = clients
        .sagemaker()
        .update_domain()
        .domain_id(id.as_str())
        .set_subnet_ids(change.subnet_ids.as_ref().map(names))
        .set_home_efs_file_system_creation(change.home_efs.map(home_efs));
    if !change.default_user_settings.is_empty() {
        let settings = change.default_user_settings.to_sagemaker(now.default_user_settings());
        request = request.default_user_settings(settings);
    }
    if change.has_domain_settings() {
        request = request.domain_settings_for_update(settings_for_update(change, &now));
    }
    match change.network_access {
        Some(NetworkAccess::VpcOnly) => {
            // SageMaker refuses the change without the VPC and its subnets.
            let subnets = change.subnet_ids.as_ref().map(names).or_else(|| now.subnet_ids.clone());
            request = request
                .app_network_access_type(AppNetworkAccessType::VpcOnly)
                .set_vpc_id(now.vpc_id.clone())
                .set_subnet_ids(subnets);
        }
        Some(NetworkAccess::PublicInternet) => {
            request = request.app_network_access_type(AppNetworkAccessType::PublicInternetOnly);
        }
        None => {}
    }
    request.send().await.map(drop).map_err(|error| call.failed(error))
}

/// Starts to delete a domain. What is gone counts as deleted.
///
/// # Errors
/// `InUse` while it has user profiles, spaces or apps.
pub async fn delete_domain(clients: &Clients, id: &DomainId, retention: HomeEfsRetention) -> Result<(), AwsError> {
    let call = call("DeleteDomain", format!("domain {id}"));
    let retention = match retention {
        HomeEfsRetention::Retain => RetentionType::Retain,
        HomeEfsRetention::Delete => RetentionType::Delete,
    };
    let policy = RetentionPolicy::builder().home_efs_file_system(retention).build();
    let request = clients.sagemaker().delete_domain().domain_id(id.as_str()).retention_policy(policy);
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Waits until a domain is in service, after it was made or changed, and gives it as it is then.
///
/// # Errors
/// `Unexpected` with SageMaker's reason when it fails.
pub async fn wait_until_in_service(clients: &Clients, id: &DomainId, patience: &Patience) -> Result<Domain, AwsError> {
    let visibility = Visibility::new();
    let call = describing(id);
    until(&call, "in service", PACE, patience, || async {
        let found = describe(clients, &call, id).await?;
        Ok(visibility.judge(found.as_ref().and_then(Domain::from_sagemaker), |domain| {
            judge_in_service(&domain.status, domain.failure_reason.as_deref(), ()).map(|()| domain.clone())
        }))
    })
    .await
}

/// Waits until nothing is under way with a domain, whether or not its last change succeeded.
///
/// # Errors
/// `Unexpected` with SageMaker's reason when it could not be made, or is being deleted.
pub async fn wait_until_settled(clients: &Clients, id: &DomainId, patience: &Patience) -> Result<Domain, AwsError> {
    let visibility = Visibility::new();
    let call = describing(id);
    until(&call, "at rest", PACE, patience, || async {
        let found = describe(clients, &call, id).await?;
        Ok(visibility.judge(found.as_ref().and_then(Domain::from_sagemaker), |domain| match domain.status {
            Status::UpdateFailed => Judgement::Ready(domain.clone()),
            _ => judge_in_service(&domain.status, domain.failure_reason.as_deref(), ()).map(|()| domain.clone()),
        }))
    })
    .await
}

/// Waits until a domain is gone.
///
/// # Errors
/// `Unexpected` with SageMaker's reason when it cannot be deleted.
pub async fn wait_until_deleted(clients: &Clients, id: &DomainId, patience: &Patience) -> Result<(), AwsError> {
    let call = describing(id);
    until(&call, "deleted", PACE, patience, || async {
        Ok(match describe(clients, &call, id).await?.as_ref().and_then(Domain::from_sagemaker) {
            None => Judgement::Ready(()),
            Some(domain) => judge_deleted(&domain.status, domain.failure_reason.as_deref()),
        })
    })
    .await
}

fn describing(id: &DomainId) -> Call {
    call("DescribeDomain", format!("domain {id}"))
}

async fn describe(clients: &Clients, call: &Call, id: &DomainId) -> Result<Option<DescribeDomainOutput>, AwsError> {
    let request = clients.sagemaker().describe_domain().domain_id(id.as_str());
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(domain) => Ok(Some(domain)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn settings_for_update(change: &DomainChange, now: &DescribeDomainOutput) -> DomainSettingsForUpdate {
    let docker = now.domain_settings().and_then(DomainSettings::docker_settings);
    DomainSettingsForUpdate::builder()
        .set_security_group_ids(change.security_group_ids.as_ref().map(names))
        .set_docker_settings(change.docker_access.map(|access| docker_settings(access, docker)))
        .set_ip_address_type(change.address_type.map(DomainAddressType::to_sagemaker))
        .build()
}

fn home_efs(toggle: Toggle) -> HomeEfsFileSystemCreation {
    match toggle {
        Toggle::Enabled => HomeEfsFileSystemCreation::Enabled,
        Toggle::Disabled => HomeEfsFileSystemCreation::Disabled,
    }
}

fn summary(domain: &sagemaker::types::DomainDetails) -> Option<DomainSummary> {
    Some(DomainSummary {
        id: domain.domain_id()?.into(),
        arn: domain.domain_arn().unwrap_or_default().to_owned(),
        name: domain.domain_name().unwrap_or_default().to_owned(),
        status: Status::parse(domain.status().map(|status| status.as_str()).unwrap_or_default()),
    })
}
