//! What AWS says of a DNS forwarding, for the record.
//!
//! **Invariant:** changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{try_join, try_join_all, try_join5};

use super::addresses::in_order;
use super::key::is_in_the_making;
use super::recorded::{Address, Association, End, Endpoint, Group, Recorded, Rule, Share, State};
use crate::aws::ec2::security_group::find_security_group;
use crate::aws::ec2::security_group_rule::list_rules;
use crate::aws::ram::share::{self, End as LinkEnd, Link, LinkStatus, ShareStatus, find_share, list_links};
use crate::aws::route53resolver::association::{AssociationStatus, RuleAssociation, list_rule_associations};
use crate::aws::route53resolver::endpoint::{
    self, AddressStatus, EndpointStatus, ResolverEndpoint, find_resolver_endpoint, list_addresses,
};
use crate::aws::route53resolver::rule::{ResolverRule, RuleStatus, find_resolver_rule};
use crate::aws::route53resolver::tags::list_tags;
use crate::aws::tags::{owner_and_part, visible};
use crate::aws::{AwsError, Clients, ResolverEndpointId, ResolverRuleId, ResourceShareArn, SecurityGroupId, Tags};

/// Looks at every recorded part again. Parts that are gone are left out.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn refresh(clients: &Clients, recorded: &Recorded) -> Result<Recorded, AwsError> {
    let retired = recorded.retired.iter().map(async |(name, end)| Ok((name.clone(), read_end(clients, end).await?)));
    let rules = recorded.rules.iter().map(async |(zone, rule)| {
        let found = read_rule(clients, &rule.id).await?;
        Ok(found.map(|rule| (zone.clone(), rule)))
    });
    let share = async {
        match &recorded.share {
            Some(share) => read_share(clients, &share.arn).await,
            None => Ok(None),
        }
    };
    let (inbound, outbound, retired, rules, share) = try_join5(
        read_end(clients, &recorded.inbound),
        read_end(clients, &recorded.outbound),
        try_join_all(retired),
        try_join_all(rules),
        share,
    )
    .await?;
    Ok(Recorded {
        owner: recorded.owner.clone(),
        inbound,
        outbound,
        retired: retired.into_iter().filter(|(_, end)| !end.is_empty()).collect(),
        rules: rules.into_iter().flatten().collect(),
        share,
    })
}

async fn read_end(clients: &Clients, end: &End) -> Result<End, AwsError> {
    let group = async {
        match &end.group {
            Some(group) => read_group(clients, &group.id).await,
            None => Ok(None),
        }
    };
    let endpoint = async {
        match &end.endpoint {
            Some(endpoint) => {
                let found = read_endpoint(clients, &endpoint.id, &endpoint.addresses).await?;
                Ok(found.map(|found| if endpoint.adopted { found.adopted() } else { found }))
            }
            None => Ok(None),
        }
    };
    let (group, endpoint) = try_join(group, endpoint).await?;
    Ok(End { group, endpoint })
}

/// Looks a group up with its rules.
///
/// # Errors
/// Whatever EC2 refuses.
pub async fn read_group(clients: &Clients, id: &SecurityGroupId) -> Result<Option<Group>, AwsError> {
    let (found, rules) = try_join(find_security_group(clients, id), list_rules(clients, id)).await?;
    Ok(found.map(|group| Group {
        id: group.id,
        vpc_id: group.vpc_id.to_string(),
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

/// Looks a rule up with its tags and the VPCs that it is on. One that is being deleted counts as gone.
///
/// # Errors
/// Whatever Resolver refuses.
pub async fn read_rule(clients: &Clients, id: &ResolverRuleId) -> Result<Option<Rule>, AwsError> {
    match find_resolver_rule(clients, id).await? {
        Some(found) if found.status != RuleStatus::Deleting => with_associations(clients, found).await,
        Some(_) | None => Ok(None),
    }
}

/// A rule that was looked up, with its tags and the VPCs that it is on.
///
/// # Errors
/// Whatever Resolver refuses.
pub async fn with_associations(clients: &Clients, found: ResolverRule) -> Result<Option<Rule>, AwsError> {
    match try_join(list_tags(clients, &found.arn), list_rule_associations(clients, &found.id)).await {
        Ok((tags, associations)) => Ok(Some(rule(found, associations, visible(&tags, clients.ignore_tags())))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Looks a share up with its links. One that is being deleted counts as gone.
///
/// # Errors
/// Whatever RAM refuses.
pub async fn read_share(clients: &Clients, arn: &ResourceShareArn) -> Result<Option<Share>, AwsError> {
    match find_share(clients, arn).await? {
        Some(found) if found.status != ShareStatus::Deleting => with_links(clients, found).await,
        Some(_) | None => Ok(None),
    }
}

/// A share that was looked up, with its links.
///
/// # Errors
/// Whatever RAM refuses.
pub async fn with_links(clients: &Clients, found: share::Share) -> Result<Option<Share>, AwsError> {
    let links = match list_links(clients, &found.arn).await {
        Ok(links) => links,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_moving = |link: &Link| matches!(link.status, LinkStatus::Associating);
    Ok(Some(Share {
        ready: found.status == ShareStatus::Active && !links.iter().any(is_moving),
        principals: links_of(&links, LinkEnd::Principal),
        invited: invited(&links),
        resources: links_of(&links, LinkEnd::Resource),
        tags: visible(&found.tags, clients.ignore_tags()),
        arn: found.arn,
        name: found.name,
    }))
}

/// One end of a share, with why a link is without effect. What is being taken back counts as gone.
pub fn links_of(links: &[Link], end: LinkEnd) -> BTreeMap<String, Option<String>> {
    let stays = |link: &&Link| link.end == end && link.status != LinkStatus::Disassociating;
    links.iter().filter(stays).map(|link| (link.entity.clone(), link.failure())).collect()
}

/// The accounts that have been invited, and have not accepted yet.
pub fn invited(links: &[Link]) -> BTreeSet<String> {
    links.iter().filter(|link| link.status == LinkStatus::Invited).map(|link| link.entity.clone()).collect()
}

/// Looks an endpoint up that is to be adopted, or that an import names.
///
/// # Errors
/// Whatever Resolver refuses.
pub async fn find_endpoint(
    clients: &Clients,
    id: &ResolverEndpointId,
) -> Result<Option<(ResolverEndpoint, Endpoint)>, AwsError> {
    let (found, endpoint) = try_join(find_resolver_endpoint(clients, id), read_endpoint(clients, id, &[])).await?;
    Ok(found.zip(endpoint))
}

fn recorded(
    found: ResolverEndpoint,
    addresses: Vec<endpoint::Address>,
    before: &[Address],
    tags: &Tags,
    clients: &Clients,
) -> Endpoint {
    let marked = owner_and_part(tags).is_some_and(|(_, part)| is_in_the_making(part));
    Endpoint {
        ready: !marked && found.status != EndpointStatus::Creating,
        marked,
        adopted: false,
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
pub fn protocols(found: &ResolverEndpoint) -> BTreeSet<String> {
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

fn rule(found: ResolverRule, associations: Vec<RuleAssociation>, tags: Tags) -> Rule {
    // One that is being ended counts as gone.
    let stay = associations.into_iter().filter(|one| one.status != AssociationStatus::Deleting);
    Rule {
        id: found.id,
        arn: found.arn,
        name: found.name,
        endpoint_id: found.endpoint_id,
        targets: found.targets,
        is_plain: found.is_plain,
        ready: found.status == RuleStatus::Complete,
        tags,
        associations: stay.map(|one| (one.vpc_id.clone(), association(one))).collect(),
    }
}

/// A rule on a VPC as Resolver describes it, for the record.
pub fn association(found: RuleAssociation) -> Association {
    let reason = found.status_message.map(|text| format!(" ({text})")).unwrap_or_default();
    let trouble = match found.status {
        AssociationStatus::Complete => None,
        AssociationStatus::Failed(status) => Some(format!("{status}{reason}")),
        status @ (AssociationStatus::Creating | AssociationStatus::Deleting) => Some(format!("{status:?}")),
    };
    Association { id: found.id, trouble }
}

impl Endpoint {
    /// The same as one that somebody else has made.
    pub fn adopted(self) -> Self {
        Endpoint { adopted: true, marked: false, ready: true, ..self }
    }
}
