//! What AWS says of a DNS forwarding, for the record.
//!
//! **Invariant:** changes nothing.

use futures::future::try_join;

use super::addresses::in_order;
use super::plan::{ENDPOINT_IN_THE_MAKING, Key};
use super::recorded::{Address, Endpoint, Group, Recorded, State};
use crate::aws::ec2::security_group::{
    SecurityGroup, find_security_group, find_security_groups, list_security_groups_by_tag,
};
use crate::aws::ec2::security_group_rule::list_rules;
use crate::aws::route53resolver::endpoint::{
    self, AddressStatus, Direction, EndpointStatus, ResolverEndpoint, find_resolver_endpoint, list_addresses,
    list_resolver_endpoints,
};
use crate::aws::route53resolver::tags::list_tags;
use crate::aws::tags::{OWNER, owner_and_part, visible};
use crate::aws::{AwsError, Clients, ResolverEndpointId, SecurityGroupId, Tags, VpcId};

/// Looks at every recorded part again. Parts that are gone are left out.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn refresh(clients: &Clients, recorded: &Recorded) -> Result<Recorded, AwsError> {
    let group = async {
        match &recorded.group {
            Some(group) => read_group(clients, &group.id).await,
            None => Ok(None),
        }
    };
    let endpoint = async {
        match &recorded.endpoint {
            Some(endpoint) => read_endpoint(clients, &endpoint.id, &endpoint.addresses).await,
            None => Ok(None),
        }
    };
    let (group, endpoint) = try_join(group, endpoint).await?;
    Ok(Recorded { owner: recorded.owner.clone(), group, endpoint })
}

/// Finds an endpoint by its id, with the group that was made for it: what an import is about. `None` where there is no
/// such endpoint.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn find(clients: &Clients, id: &ResolverEndpointId) -> Result<Option<Recorded>, AwsError> {
    let Some(endpoint) = read_endpoint(clients, id, &[]).await? else {
        return Ok(None);
    };
    let groups: Vec<SecurityGroupId> = endpoint.security_group_ids.iter().cloned().collect();
    let (tags, groups) = try_join(list_tags(clients, &endpoint.arn), find_security_groups(clients, &groups)).await?;
    let owner = owner_and_part(&tags).map(|(owner, _)| owner.to_owned()).unwrap_or_default();
    let is_ours = |group: &&SecurityGroup| owner_and_part(&group.tags) == Some((&owner, Key::Group.part()));
    let group = match groups.iter().find(is_ours) {
        Some(group) => read_group(clients, &group.id).await?,
        None => None,
    };
    Ok(Some(Recorded { owner, group, endpoint: Some(endpoint) }))
}

/// Finds what a run that was killed has left behind: an endpoint that is still marked as in the making, and a group
/// that no other endpoint uses.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn find_left_behind(
    clients: &Clients,
    owner: &str,
    vpc_id: &VpcId,
    name: &str,
) -> Result<Recorded, AwsError> {
    let (endpoints, groups) =
        try_join(list_resolver_endpoints(clients, Some(vpc_id)), list_security_groups_by_tag(clients, OWNER, owner))
            .await?;
    let mut left = Recorded { owner: owner.to_owned(), ..Recorded::default() };
    for found in endpoints.iter().filter(|found| found.name == name && found.status != EndpointStatus::Deleting) {
        let tags = list_tags(clients, &found.arn).await?;
        if owner_and_part(&tags) == Some((owner, ENDPOINT_IN_THE_MAKING)) {
            left.endpoint = read_endpoint(clients, &found.id, &[]).await?;
        }
    }
    let ours = left.endpoint.as_ref().map(|endpoint| endpoint.id.clone());
    let used = |id: &SecurityGroupId| {
        endpoints.iter().any(|other| Some(&other.id) != ours.as_ref() && other.security_group_ids.contains(id))
    };
    let is_free =
        |group: &&SecurityGroup| owner_and_part(&group.tags) == Some((owner, Key::Group.part())) && !used(&group.id);
    if let Some(group) = groups.iter().find(is_free) {
        left.group = read_group(clients, &group.id).await?;
    }
    Ok(left)
}

async fn read_group(clients: &Clients, id: &SecurityGroupId) -> Result<Option<Group>, AwsError> {
    let (found, rules) = try_join(find_security_group(clients, id), list_rules(clients, id)).await?;
    Ok(found.map(|group| Group {
        id: group.id,
        rules: rules.into_iter().map(|recorded| recorded.rule).collect(),
        tags: visible(&group.tags, clients.ignore_tags()),
    }))
}

/// Looks an endpoint up with its addresses and tags. One that is being deleted counts as gone.
///
/// # Errors
/// Whatever Resolver refuses.
pub async fn read_endpoint(
    clients: &Clients,
    id: &ResolverEndpointId,
    before: &[Address],
) -> Result<Option<Endpoint>, AwsError> {
    let Some(found) = find_resolver_endpoint(clients, id).await? else {
        return Ok(None);
    };
    if found.status == EndpointStatus::Deleting {
        return Ok(None);
    }
    match try_join(list_addresses(clients, id), list_tags(clients, &found.arn)).await {
        Ok((addresses, tags)) => Ok(Some(recorded(found, addresses, before, &tags, clients))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an endpoint is one that this resource can stand for.
///
/// # Errors
/// Whatever Resolver refuses.
pub async fn is_inbound(clients: &Clients, id: &ResolverEndpointId) -> Result<bool, AwsError> {
    Ok(find_resolver_endpoint(clients, id).await?.is_some_and(|found| found.direction == Some(Direction::Inbound)))
}

fn recorded(
    found: ResolverEndpoint,
    addresses: Vec<endpoint::Address>,
    before: &[Address],
    tags: &Tags,
    clients: &Clients,
) -> Endpoint {
    let in_the_making = owner_and_part(tags).is_some_and(|(_, part)| part == ENDPOINT_IN_THE_MAKING);
    Endpoint {
        ready: !in_the_making && found.status != EndpointStatus::Creating,
        addresses: in_order(before, addresses.into_iter().map(address).collect()),
        tags: visible(tags, clients.ignore_tags()),
        protocols: protocols(&found),
        address_type: family(&found),
        id: found.id,
        arn: found.arn,
        name: found.name,
        vpc_id: found.vpc_id.to_string(),
        security_group_ids: found.security_group_ids,
    }
}

/// Without protocols Resolver speaks Do53 (CreateResolverEndpoint, Route 53 Resolver API reference).
pub fn protocols(found: &ResolverEndpoint) -> std::collections::BTreeSet<String> {
    if found.protocols.is_empty() { ["Do53".to_owned()].into() } else { found.protocols.clone() }
}

/// Without a type the endpoint is from the time when there was IPv4 alone.
pub fn family(found: &ResolverEndpoint) -> String {
    found.address_type.unwrap_or(endpoint::ResolverAddressType::Ipv4).as_str().to_owned()
}

/// An address as Resolver describes it, for the record.
pub fn address(found: endpoint::Address) -> Address {
    let reason = found.status_message.map(|text| format!(" ({text})")).unwrap_or_default();
    Address {
        id: found.id,
        subnet_id: found.subnet_id,
        ipv4: found.ipv4,
        ipv6: found.ipv6,
        state: match found.status {
            AddressStatus::Attached => State::Attached,
            AddressStatus::Coming(_) => State::Coming,
            AddressStatus::Going(_) => State::Going,
            AddressStatus::Failed(status) => State::Failed(format!("{status}{reason}")),
        },
    }
}
