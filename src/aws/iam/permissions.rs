//! What a role or a user may do: every identity policy that applies to it, and its boundary.
//!
//! **Invariant:** changes nothing.

use aws_sdk_iam as iam;
use futures::future::{try_join_all, try_join3};

use super::attachment::Principal;
use super::policy::find_policy;
use super::{call, unescaped};
use crate::aws::{AwsError, Clients, PolicyArn};

/// The policies of a role or a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// The managed policies, its own and those of its groups, with their documents.
    pub managed: Vec<(PolicyArn, String)>,
    /// The documents that are written into it, or into its groups.
    pub inline: Vec<String>,
    /// The document of its permissions boundary.
    pub boundary: Option<String>,
}

/// A role or a user, by what IAM says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its ARN, as `aws:PrincipalArn` has it.
    pub arn: String,
    /// The policy that is its permissions boundary.
    pub boundary: Option<PolicyArn>,
}

/// Looks a role or a user up. A group makes no requests, so it is never found.
///
/// # Errors
/// Whatever IAM refuses, such as `AccessDenied`.
pub async fn find_identity(clients: &Clients, principal: &Principal) -> Result<Option<Identity>, AwsError> {
    let boundary = |found: Option<&iam::types::AttachedPermissionsBoundary>| {
        found.and_then(|boundary| boundary.permissions_boundary_arn()).map(PolicyArn::from)
    };
    let found = match principal {
        Principal::Role(name) => {
            let call = call("GetRole", principal.to_string());
            let answer = clients.iam().get_role().role_name(name).send().await;
            answer.map_err(|error| call.failed(error)).map(|answer| {
                answer.role().map(|role| Identity {
                    arn: role.arn().to_owned(),
                    boundary: boundary(role.permissions_boundary()),
                })
            })
        }
        Principal::User(name) => {
            let call = call("GetUser", principal.to_string());
            let answer = clients.iam().get_user().user_name(name).send().await;
            answer.map_err(|error| call.failed(error)).map(|answer| {
                answer.user().map(|user| Identity {
                    arn: user.arn().to_owned(),
                    boundary: boundary(user.permissions_boundary()),
                })
            })
        }
        Principal::Group(_) => Ok(None),
    };
    match found {
        Err(error) if error.is_not_found() => Ok(None),
        other => other,
    }
}

/// Reads every policy that applies to a role or a user. A managed policy that goes meanwhile is left out.
///
/// # Errors
/// Whatever IAM refuses: a part of the policies would tell nothing.
pub async fn read_permissions(
    clients: &Clients,
    principal: &Principal,
    boundary: Option<&PolicyArn>,
) -> Result<Permissions, AwsError> {
    let mut holders = vec![principal.clone()];
    if let Principal::User(name) = principal {
        holders.extend(groups(clients, name).await?.into_iter().map(Principal::Group));
    }
    let managed = async {
        let listed = try_join_all(holders.iter().map(|holder| attached(clients, holder))).await?;
        let mut arns: Vec<PolicyArn> = listed.into_iter().flatten().collect();
        arns.sort();
        arns.dedup();
        let documents = arns.iter().map(async |arn| Ok::<_, AwsError>((arn.clone(), document(clients, arn).await?)));
        let documents = try_join_all(documents).await?;
        Ok::<_, AwsError>(documents.into_iter().filter_map(|(arn, document)| Some((arn, document?))).collect())
    };
    let inline = async {
        let documents = try_join_all(holders.iter().map(|holder| inline(clients, holder))).await?;
        Ok(documents.into_iter().flatten().collect())
    };
    let boundary = async {
        match boundary {
            Some(arn) => document(clients, arn).await,
            None => Ok(None),
        }
    };
    let (managed, inline, boundary) = try_join3(managed, inline, boundary).await?;
    Ok(Permissions { managed, inline, boundary })
}

async fn document(clients: &Clients, arn: &PolicyArn) -> Result<Option<String>, AwsError> {
    Ok(find_policy(clients, arn).await?.map(|policy| policy.document))
}

async fn groups(clients: &Clients, user: &str) -> Result<Vec<String>, AwsError> {
    let call = call("ListGroupsForUser", format!("user {user}"));
    let pages = clients.iam().list_groups_for_user().user_name(user).into_paginator();
    let groups = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(groups.iter().map(|group| group.group_name().to_owned()).collect())
}

/// The managed policies that are attached.
async fn attached(clients: &Clients, holder: &Principal) -> Result<Vec<PolicyArn>, AwsError> {
    let object = holder.to_string();
    let iam = clients.iam();
    let listed = match holder {
        Principal::Role(name) => {
            let call = call("ListAttachedRolePolicies", object);
            let pages = iam.list_attached_role_policies().role_name(name).into_paginator();
            pages.items().send().try_collect().await.map_err(|error| call.failed(error))?
        }
        Principal::User(name) => {
            let call = call("ListAttachedUserPolicies", object);
            let pages = iam.list_attached_user_policies().user_name(name).into_paginator();
            pages.items().send().try_collect().await.map_err(|error| call.failed(error))?
        }
        Principal::Group(name) => {
            let call = call("ListAttachedGroupPolicies", object);
            let pages = iam.list_attached_group_policies().group_name(name).into_paginator();
            pages.items().send().try_collect().await.map_err(|error| call.failed(error))?
        }
    };
    Ok(listed.iter().filter_map(|policy| policy.policy_arn().map(PolicyArn::from)).collect())
}

/// The documents that are written into it.
async fn inline(clients: &Clients, holder: &Principal) -> Result<Vec<String>, AwsError> {
    let object = holder.to_string();
    let iam = clients.iam();
    let names: Vec<String> = match holder {
        Principal::Role(name) => {
            let call = call("ListRolePolicies", object);
            let pages = iam.list_role_policies().role_name(name).into_paginator();
            pages.items().send().try_collect().await.map_err(|error| call.failed(error))?
        }
        Principal::User(name) => {
            let call = call("ListUserPolicies", object);
            let pages = iam.list_user_policies().user_name(name).into_paginator();
            pages.items().send().try_collect().await.map_err(|error| call.failed(error))?
        }
        Principal::Group(name) => {
            let call = call("ListGroupPolicies", object);
            let pages = iam.list_group_policies().group_name(name).into_paginator();
            pages.items().send().try_collect().await.map_err(|error| call.failed(error))?
        }
    };
    try_join_all(names.iter().map(|policy| inline_document(clients, holder, policy))).await
}

async fn inline_document(clients: &Clients, holder: &Principal, policy: &str) -> Result<String, AwsError> {
    let object = format!("policy {policy} of {holder}");
    let iam = clients.iam();
    let document = match holder {
        Principal::Role(name) => {
            let call = call("GetRolePolicy", object);
            let answer = iam.get_role_policy().role_name(name).policy_name(policy).send().await;
            answer.map_err(|error| call.failed(error))?.policy_document
        }
        Principal::User(name) => {
            let call = call("GetUserPolicy", object);
            let answer = iam.get_user_policy().user_name(name).policy_name(policy).send().await;
            answer.map_err(|error| call.failed(error))?.policy_document
        }
        Principal::Group(name) => {
            let call = call("GetGroupPolicy", object);
            let answer = iam.get_group_policy().group_name(name).policy_name(policy).send().await;
            answer.map_err(|error| call.failed(error))?.policy_document
        }
    };
    Ok(unescaped(&document))
}
