//! Who a managed policy is attached to.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_iam as iam;

use super::call;
use crate::aws::{AwsError, Clients, PolicyArn};

/// A user, group or role, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// A role.
    Role(String),
    /// A user.
    User(String),
    /// A group.
    Group(String),
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(name) => write!(f, "role {name}"),
            Self::User(name) => write!(f, "user {name}"),
            Self::Group(name) => write!(f, "group {name}"),
        }
    }
}

/// Attaches a policy. What is attached already counts as attached.
///
/// # Errors
/// `NotFound` for an unknown policy or principal, `LimitExceeded` for the principal's quota.
pub async fn attach_policy(clients: &Clients, arn: &PolicyArn, to: &Principal) -> Result<(), AwsError> {
    let object = format!("policy {arn} and {to}");
    let (iam, arn) = (clients.iam(), arn.as_str());
    match to {
        Principal::Role(name) => {
            let call = call("AttachRolePolicy", object);
            let request = iam.attach_role_policy().role_name(name).policy_arn(arn);
            request.send().await.map(drop).map_err(|error| call.failed(error))
        }
        Principal::User(name) => {
            let call = call("AttachUserPolicy", object);
            let request = iam.attach_user_policy().user_name(name).policy_arn(arn);
            request.send().await.map(drop).map_err(|error| call.failed(error))
        }
        Principal::Group(name) => {
            let call = call("AttachGroupPolicy", object);
            let request = iam.attach_group_policy().group_name(name).policy_arn(arn);
            request.send().await.map(drop).map_err(|error| call.failed(error))
        }
    }
}

/// Detaches a policy. What is not attached, or gone, counts as detached.
///
/// # Errors
/// Whatever IAM refuses, such as `AccessDenied`.
pub async fn detach_policy(clients: &Clients, arn: &PolicyArn, from: &Principal) -> Result<(), AwsError> {
    let object = format!("policy {arn} and {from}");
    let (iam, arn) = (clients.iam(), arn.as_str());
    let outcome = match from {
        Principal::Role(name) => {
            let call = call("DetachRolePolicy", object);
            let request = iam.detach_role_policy().role_name(name).policy_arn(arn);
            request.send().await.map(drop).map_err(|error| call.failed(error))
        }
        Principal::User(name) => {
            let call = call("DetachUserPolicy", object);
            let request = iam.detach_user_policy().user_name(name).policy_arn(arn);
            request.send().await.map(drop).map_err(|error| call.failed(error))
        }
        Principal::Group(name) => {
            let call = call("DetachGroupPolicy", object);
            let request = iam.detach_group_policy().group_name(name).policy_arn(arn);
            request.send().await.map(drop).map_err(|error| call.failed(error))
        }
    };
    match outcome {
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}

/// Lists who a policy is attached to.
///
/// # Errors
/// `NotFound` when the policy is gone.
pub async fn list_attachments(clients: &Clients, arn: &PolicyArn) -> Result<BTreeSet<Principal>, AwsError> {
    let call = call("ListEntitiesForPolicy", format!("policy {arn}"));
    let mut found = BTreeSet::new();
    // A page holds three lists, so the SDK has no way to flatten it.
    // Without the filter, those who have the policy as their permissions boundary would be among them.
    let request = clients.iam().list_entities_for_policy().policy_arn(arn.as_str());
    let request = request.policy_usage_filter(iam::types::PolicyUsageType::PermissionsPolicy);
    let mut pages = request.into_paginator().send();
    while let Some(page) = pages.try_next().await.map_err(|error| call.failed(error))? {
        let name = |name: Option<&str>| name.map(str::to_owned);
        found.extend(page.policy_roles().iter().filter_map(|role| name(role.role_name()).map(Principal::Role)));
        found.extend(page.policy_users().iter().filter_map(|user| name(user.user_name()).map(Principal::User)));
        found.extend(page.policy_groups().iter().filter_map(|group| name(group.group_name()).map(Principal::Group)));
    }
    Ok(found)
}
