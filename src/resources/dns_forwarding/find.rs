//! Finding parts without a record of them: for an import, and after a run that was killed.
//!
//! **Invariant:** changes nothing.

use std::collections::BTreeMap;

use futures::future::{try_join, try_join_all};

use super::key::{Key, Side};
use super::read::{self, read_endpoint, read_group};
use super::recorded::{End, Endpoint, Recorded, Rule, Share};
use crate::aws::ec2::security_group::{SecurityGroup, list_security_groups_by_tag};
use crate::aws::ram::share::{ShareStatus, list_shares_by_tag};
use crate::aws::route53resolver::endpoint::{Direction, EndpointStatus, ResolverEndpoint, list_resolver_endpoints};
use crate::aws::route53resolver::rule::list_rules_of_endpoint;
use crate::aws::route53resolver::tags::list_tags;
use crate::aws::tags::{OWNER, owner_and_part};
use crate::aws::{AwsError, Clients, Kind, ResolverEndpointId, SecurityGroupId};

/// Everything that was made together with an inbound endpoint, by the mark of its owner. An endpoint without a mark
/// stands alone.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn made_with(clients: &Clients, endpoint: Endpoint) -> Result<Recorded, AwsError> {
    let tags = list_tags(clients, &endpoint.arn).await?;
    let Some((owner, _)) = owner_and_part(&tags) else {
        let inbound = End { group: None, endpoint: Some(endpoint) };
        return Ok(Recorded { inbound, ..Recorded::default() });
    };
    let (endpoints, groups) =
        try_join(list_resolver_endpoints(clients, None), list_security_groups_by_tag(clients, OWNER, owner)).await?;
    let group = of_endpoint(clients, &groups, owner, &Side::Inbound, &endpoint).await?;
    let mut recorded =
        Recorded { owner: owner.to_owned(), inbound: End { group, endpoint: Some(endpoint) }, ..Recorded::default() };
    let owner = owner.to_owned();
    outbound_half(clients, &mut recorded, &owner, &endpoints, &groups).await?;
    Ok(recorded)
}

/// The half inside AWS of something whose inbound endpoint was adopted, by the id of its outbound endpoint.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn outbound_of(clients: &Clients, recorded: &mut Recorded, id: Option<&str>) -> Result<(), AwsError> {
    let owner = recorded.owner.clone();
    let (mut endpoints, groups) =
        try_join(list_resolver_endpoints(clients, None), list_security_groups_by_tag(clients, OWNER, &owner)).await?;
    endpoints.retain(|endpoint| Some(endpoint.id.as_str()) == id);
    outbound_half(clients, recorded, &owner, &endpoints, &groups).await
}

async fn outbound_half(
    clients: &Clients,
    recorded: &mut Recorded,
    owner: &str,
    endpoints: &[ResolverEndpoint],
    groups: &[SecurityGroup],
) -> Result<(), AwsError> {
    let outbound = endpoints.iter().filter(|found| found.direction == Some(Direction::Outbound) && is_there(found));
    let part = Key::Endpoint(Side::Outbound);
    for found in outbound {
        let tags = list_tags(clients, &found.arn).await?;
        let is_ours = owner_and_part(&tags)
            .is_some_and(|(of, is)| of == owner && [part.part(), part.part_in_the_making()].contains(&is.to_owned()));
        if let (true, Some(endpoint)) = (is_ours, read_endpoint(clients, &found.id, &[]).await?) {
            let group = of_endpoint(clients, groups, owner, &Side::Outbound, &endpoint).await?;
            recorded.rules.extend(rules_of(clients, &endpoint.id, owner).await?);
            recorded.outbound = End { group, endpoint: Some(endpoint) };
        }
    }
    recorded.share = share_of(clients, owner, &recorded.rules).await?;
    Ok(())
}

/// Finds what a run that was killed has left behind: endpoints that are still marked as in the making, with the rules
/// and the share that were made after them, and groups that no other endpoint uses.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn left_behind(clients: &Clients, owner: &str, name: &str) -> Result<Recorded, AwsError> {
    let (endpoints, groups) =
        try_join(list_resolver_endpoints(clients, None), list_security_groups_by_tag(clients, OWNER, owner)).await?;
    let mut left = Recorded { owner: owner.to_owned(), ..Recorded::default() };
    for found in endpoints.iter().filter(|found| found.name == name && is_there(found)) {
        let tags = list_tags(clients, &found.arn).await?;
        let is = |side: Side| owner_and_part(&tags) == Some((owner, &Key::Endpoint(side).part_in_the_making()));
        if is(Side::Inbound) {
            left.inbound.endpoint = read_endpoint(clients, &found.id, &[]).await?;
        } else if is(Side::Outbound) {
            left.outbound.endpoint = read_endpoint(clients, &found.id, &[]).await?;
        }
    }
    for side in [Side::Inbound, Side::Outbound] {
        let ours = left.end(&side).endpoint.map(|endpoint| endpoint.id);
        let group = free_group(&groups, owner, &side, &endpoints, ours.as_ref());
        let group = match group {
            Some(group) => read_group(clients, &group.id).await?,
            None => None,
        };
        left.change_end(&side, |end| end.group = group);
    }
    if let Some(outbound) = left.outbound.endpoint.as_ref().map(|endpoint| endpoint.id.clone()) {
        left.rules = rules_of(clients, &outbound, owner).await?;
        left.share = share_of(clients, owner, &left.rules).await?;
    }
    Ok(left)
}

/// Whether something of Resolver's carries the mark of an owner.
///
/// # Errors
/// Whatever Resolver refuses.
pub async fn is_marked(clients: &Clients, arn: &str, owner: &str) -> Result<bool, AwsError> {
    match list_tags(clients, arn).await {
        Ok(tags) => Ok(owner_and_part(&tags).is_some_and(|(of, _)| of == owner)),
        // The tags of a rule that another account shares are that account's to see.
        Err(error) if error.is_not_found() || error.kind == Kind::AccessDenied => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_there(endpoint: &&ResolverEndpoint) -> bool {
    endpoint.status != EndpointStatus::Deleting
}

/// The group that was made for an endpoint.
async fn of_endpoint(
    clients: &Clients,
    groups: &[SecurityGroup],
    owner: &str,
    side: &Side,
    endpoint: &Endpoint,
) -> Result<Option<super::recorded::Group>, AwsError> {
    let part = Key::Group(side.clone()).part();
    let is_ours = |group: &&SecurityGroup| {
        endpoint.security_group_ids.contains(&group.id) && owner_and_part(&group.tags) == Some((owner, &part))
    };
    match groups.iter().find(is_ours) {
        Some(group) => read_group(clients, &group.id).await,
        None => Ok(None),
    }
}

/// A group of this owner that no other endpoint uses.
fn free_group<'a>(
    groups: &'a [SecurityGroup],
    owner: &str,
    side: &Side,
    endpoints: &[ResolverEndpoint],
    ours: Option<&ResolverEndpointId>,
) -> Option<&'a SecurityGroup> {
    let part = Key::Group(side.clone()).part();
    let used = |id: &SecurityGroupId| {
        endpoints.iter().any(|other| Some(&other.id) != ours && other.security_group_ids.contains(id))
    };
    groups.iter().find(|group| owner_and_part(&group.tags) == Some((owner, &part)) && !used(&group.id))
}

/// The rules of an outbound endpoint that were made for this owner, by zone.
async fn rules_of(
    clients: &Clients,
    endpoint: &ResolverEndpointId,
    owner: &str,
) -> Result<BTreeMap<String, Rule>, AwsError> {
    let rules = list_rules_of_endpoint(clients, endpoint).await?.into_iter().map(async |found| {
        let zone = found.zone.clone();
        let part = Key::Rule(zone.clone()).part();
        let tags = list_tags(clients, &found.arn).await?;
        match owner_and_part(&tags) == Some((owner, &part)) {
            true => Ok(read::with_associations(clients, found).await?.map(|rule| (zone, rule))),
            false => Ok(None),
        }
    });
    let rules: Vec<Option<(String, Rule)>> = try_join_all(rules).await?;
    Ok(rules.into_iter().flatten().collect())
}

/// The share of this owner that shares nothing but these rules. Without permission to look at shares there is none.
async fn share_of(clients: &Clients, owner: &str, rules: &BTreeMap<String, Rule>) -> Result<Option<Share>, AwsError> {
    let shares = match list_shares_by_tag(clients, OWNER, owner).await {
        Ok(shares) => shares,
        Err(error) if error.kind == Kind::AccessDenied => return Ok(None),
        Err(error) => return Err(error),
    };
    let part = Key::Share.part();
    for found in shares.into_iter().filter(|found| found.status != ShareStatus::Deleting) {
        if owner_and_part(&found.tags) != Some((owner, &part)) {
            continue;
        }
        let Some(share) = read::with_links(clients, found).await? else {
            continue;
        };
        if share.resources.keys().all(|arn| rules.values().any(|rule| rule.arn == *arn)) {
            return Ok(Some(share));
        }
    }
    Ok(None)
}
