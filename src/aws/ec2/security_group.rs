//! Security groups. Their rules are in `security_group_rule`.

use std::time::Duration;

use aws_sdk_ec2 as ec2;

use super::network_interface::list_network_interfaces_of_group;
use super::{call, filter, tag_filter, tags};
use crate::aws::wait::{Pace, Patience, retry_while};
use crate::aws::{AwsError, Clients, Kind, SecurityGroupId, Tags, VpcId, listed};

/// How often to try again to delete a group that interfaces still hold.
const DELETE_PACE: Pace = Pace::millis(0, 3_000, 15_000);

/// A security group, without its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityGroup {
    /// Its id.
    pub id: SecurityGroupId,
    /// Its name, unique in the VPC.
    pub name: String,
    /// Its description, which cannot be changed.
    pub description: String,
    /// The VPC it is in.
    pub vpc_id: VpcId,
    /// Its tags.
    pub tags: Tags,
}

/// A security group to be made.
#[derive(Debug, Clone)]
pub struct NewSecurityGroup {
    /// Its name. EC2 takes no idempotency token here, but a name only once per VPC: a name that is
    /// fixed at plan makes a second try end in `AlreadyExists`.
    pub name: String,
    /// Its description: up to 255 letters, digits and `._-:/()#,@[]+=&;{}!$*`.
    pub description: String,
    /// The VPC it is to be in.
    pub vpc_id: VpcId,
    /// Its tags.
    pub tags: Tags,
}

/// Makes a security group. EC2 gives it one rule that lets everything out.
///
/// # Errors
/// `AlreadyExists` when the VPC has a group of this name.
pub async fn create_security_group(clients: &Clients, new: &NewSecurityGroup) -> Result<SecurityGroupId, AwsError> {
    let call = call("CreateSecurityGroup", format!("security group {} in {}", new.name, new.vpc_id));
    let tags = tags::specification(ec2::types::ResourceType::SecurityGroup, &new.tags);
    let request = clients
        .ec2()
        .create_security_group()
        .group_name(&new.name)
        .description(&new.description)
        .vpc_id(new.vpc_id.as_str())
        .set_tag_specifications(tags);
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    answer.group_id().map(SecurityGroupId::from).ok_or_else(|| call.lacks("group id"))
}

/// Looks a security group up by id.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn find_security_group(clients: &Clients, id: &SecurityGroupId) -> Result<Option<SecurityGroup>, AwsError> {
    let filters = vec![filter("group-id", [id])];
    Ok(list(clients, filters, format!("security group {id}")).await?.into_iter().next())
}

/// Looks a security group up by its name, which is unique in the VPC.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn find_security_group_by_name(
    clients: &Clients,
    vpc_id: &VpcId,
    name: &str,
) -> Result<Option<SecurityGroup>, AwsError> {
    let filters = vec![filter("vpc-id", [vpc_id]), filter("group-name", [name])];
    Ok(list(clients, filters, format!("security group {name} in {vpc_id}")).await?.into_iter().next())
}

/// Lists the security groups of the Region that carry a tag.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn list_security_groups_by_tag(
    clients: &Clients,
    key: &str,
    value: &str,
) -> Result<Vec<SecurityGroup>, AwsError> {
    list(clients, vec![tag_filter(key, value)], format!("security groups with tag {key}={value}")).await
}

/// Looks several security groups up by id. What does not exist is missing from the answer.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn find_security_groups(clients: &Clients, ids: &[SecurityGroupId]) -> Result<Vec<SecurityGroup>, AwsError> {
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(super::FILTER_LIMIT) {
        let object = format!("security groups {}", listed(some));
        found.extend(list(clients, vec![filter("group-id", some)], object).await?);
    }
    Ok(found)
}

/// Deletes a security group: one call. What is gone counts as deleted.
///
/// # Errors
/// `InUse` while a network interface or another group's rule holds it.
pub async fn delete_security_group(clients: &Clients, id: &SecurityGroupId) -> Result<(), AwsError> {
    let call = call("DeleteSecurityGroup", format!("security group {id}"));
    let request = clients.ec2().delete_security_group().group_id(id.as_str());
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Deletes a security group, trying again while it is in use: the interfaces of a deleted endpoint
/// hold their groups for some minutes more.
///
/// # Errors
/// `InUse` when it is still held after `bound`; the message then names what holds it.
pub async fn delete_security_group_when_free(
    clients: &Clients,
    id: &SecurityGroupId,
    bound: Duration,
    patience: &Patience,
) -> Result<(), AwsError> {
    let is_held = |error: &AwsError| error.kind == Kind::InUse || error.is_transient();
    let deleted = retry_while(is_held, bound, DELETE_PACE, patience, || delete_security_group(clients, id)).await;
    match deleted {
        Err(error) if error.kind == Kind::InUse => Err(with_holders(clients, id, error).await),
        other => other,
    }
}

/// Adds the network interfaces that hold the group to the error, where they can be listed.
async fn with_holders(clients: &Clients, id: &SecurityGroupId, error: AwsError) -> AwsError {
    let Ok(holders) = list_network_interfaces_of_group(clients, id).await else {
        return error;
    };
    if holders.is_empty() {
        let message = format!("{}; no network interface holds it, so a rule of another group may", error.message);
        return AwsError { message, ..error };
    }
    let holders: Vec<_> =
        holders.iter().map(|interface| format!("{} ({})", interface.id, interface.description)).collect();
    let message = format!("{}; it is held by {}", error.message, listed(&holders));
    AwsError { message, ..error }
}

async fn list(
    clients: &Clients,
    filters: Vec<ec2::types::Filter>,
    object: String,
) -> Result<Vec<SecurityGroup>, AwsError> {
    let call = call("DescribeSecurityGroups", object);
    let pages = clients.ec2().describe_security_groups().set_filters(Some(filters)).into_paginator();
    let groups = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(groups.iter().filter_map(from_ec2).collect())
}

fn from_ec2(group: &ec2::types::SecurityGroup) -> Option<SecurityGroup> {
    Some(SecurityGroup {
        id: group.group_id()?.into(),
        name: group.group_name().unwrap_or_default().to_owned(),
        description: group.description().unwrap_or_default().to_owned(),
        vpc_id: group.vpc_id()?.into(),
        tags: tags::from_ec2(group.tags()),
    })
}
