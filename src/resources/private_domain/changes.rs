//! What differs between a part as it is and as it is wanted.
//!
//! `None` means that something it depends on is not known yet.
//!
//! **Invariant:** pure.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::desired::{Desired, Profile as DesiredProfile};
use super::key::{GATEWAY, S3};
use super::recorded::{Domain, Endpoint, Gateway, Notes, Place, Profile, Recorded};
use crate::aws::ec2::security_group_rule::{Direction, Peer, Rule};
use crate::aws::ec2::vpc_endpoint::{AddressType, EndpointChange, EndpointPolicy, PrivateDnsScope};
use crate::aws::sagemaker::Toggle;
use crate::aws::sagemaker::domain_types::{DomainAddressType, DomainChange, NetworkAccess, UserSettings};
use crate::aws::tags::merge;
use crate::aws::{RoleArn, SecurityGroupId, Tags};
use crate::framework::Value;
use crate::policy::document::Document;
use crate::policy::presign::is_endpoint_policy;

/// The rules of the domain's group: NFS and app traffic within the group, and HTTPS out.
///
/// Ports: "Connect Studio in a VPC to external resources", SageMaker developer guide.
pub fn domain_group_rules(own: &SecurityGroupId, dual_stack: bool) -> BTreeSet<Rule> {
    let within = || Peer::Group(own.clone());
    let mut rules = BTreeSet::new();
    for direction in [Direction::Inbound, Direction::Outbound] {
        rules.insert(Rule::ports(direction, "tcp", (2049, 2049), within(), "NFS for home folders"));
        rules.insert(Rule::ports(direction, "tcp", (8192, 65535), within(), "Between apps of the domain"));
    }
    let https =
        |anywhere| Rule::ports(Direction::Outbound, "tcp", (443, 443), anywhere, "HTTPS to endpoints and services");
    rules.insert(https(Peer::Cidr4("0.0.0.0/0".to_owned())));
    if dual_stack {
        rules.insert(https(Peer::Cidr6("::/0".to_owned())));
    }
    rules
}

/// The rules of the endpoints' group: HTTPS from the clients and from the domain's apps. An endpoint opens no
/// connections itself.
pub fn endpoint_group_rules(desired: &Desired, recorded: &Recorded) -> Option<BTreeSet<Rule>> {
    let clients = desired.client_cidr_blocks.known()?;
    let https = |peer, text| Rule::ports(Direction::Inbound, "tcp", (443, 443), peer, text);
    let clients = clients.iter().map(|block| https(peer_of(block), CLIENT_RULE));
    let apps = app_groups(desired, recorded)?.into_iter();
    Some(clients.chain(apps.map(|group| https(Peer::Group(group), "HTTPS from apps of the domain"))).collect())
}

const CLIENT_RULE: &str = "HTTPS from clients";

/// The groups by which the domain's apps are let in.
fn app_groups(desired: &Desired, recorded: &Recorded) -> Option<BTreeSet<SecurityGroupId>> {
    if desired.adopts_domain() {
        return user_groups(desired, recorded.domain.as_ref()?, recorded);
    }
    Some([recorded.domain_group.as_ref()?.id.clone()].into())
}

fn peer_of(block: &IpNet) -> Peer {
    match block {
        IpNet::V4(block) => Peer::Cidr4(block.to_string()),
        IpNet::V6(block) => Peer::Cidr6(block.to_string()),
    }
}

/// The client ranges that a group's rules open.
pub fn client_blocks(rules: &BTreeSet<Rule>) -> BTreeSet<IpNet> {
    let is_https = |rule: &&Rule| rule.direction == Direction::Inbound && rule.ports == Some((443, 443));
    rules
        .iter()
        .filter(is_https)
        .filter_map(|rule| match &rule.peer {
            Peer::Cidr4(block) | Peer::Cidr6(block) => block.parse().ok(),
            Peer::Group(_) | Peer::PrefixList(_) => None,
        })
        .collect()
}

/// Whether two sets of rules let the same traffic through.
pub fn same_traffic(one: &BTreeSet<Rule>, other: &BTreeSet<Rule>) -> bool {
    missing(one, other).is_empty() && missing(other, one).is_empty()
}

/// The rules of `wanted` that `have` lacks.
pub fn missing<'a>(wanted: &'a BTreeSet<Rule>, have: &BTreeSet<Rule>) -> Vec<&'a Rule> {
    wanted.iter().filter(|rule| !have.iter().any(|other| rule.is_same_traffic(other))).collect()
}

/// The groups that endpoints are to have.
pub fn endpoint_groups(desired: &Desired, recorded: &Recorded) -> Option<BTreeSet<SecurityGroupId>> {
    match &desired.own_groups {
        Value::Known(groups) => Some(groups.clone()),
        Value::Null => Some([recorded.endpoint_group.as_ref()?.id.clone()].into()),
        Value::Unknown => None,
    }
}

/// What differs about an endpoint, tags aside.
pub fn endpoint_change(
    desired: &Desired,
    recorded: &Recorded,
    service: &str,
    endpoint: &Endpoint,
) -> Option<EndpointChange> {
    let place = wanted_place(desired, service, endpoint)?;
    let groups = endpoint_groups(desired, recorded)?;
    let private_dns = *desired.private_dns_enabled.known()?;
    let scope = private_dns_scope(desired, service)?;
    let turned_on = private_dns && !endpoint.private_dns_enabled;
    let (subnets, has) = (&place.subnet_ids, &endpoint.place.subnet_ids);
    Some(EndpointChange {
        add_subnet_ids: subnets.difference(has).cloned().collect(),
        remove_subnet_ids: has.difference(subnets).cloned().collect(),
        add_security_group_ids: groups.difference(&endpoint.security_group_ids).cloned().collect(),
        remove_security_group_ids: endpoint.security_group_ids.difference(&groups).cloned().collect(),
        private_dns_enabled: (private_dns != endpoint.private_dns_enabled).then_some(private_dns),
        // Where EC2 does not say whom it answers, there is nothing to compare.
        private_dns_scope: scope
            .filter(|scope| turned_on || endpoint.private_dns_scope.is_some_and(|has| has != *scope)),
        address_type: (place.dual_stack != endpoint.place.dual_stack).then(|| address_type(place.dual_stack)),
        policy: policy_change(&desired.policy(service), endpoint.policy.as_deref(), endpoint.has_own_policy)?,
        ..EndpointChange::default()
    })
}

/// Whom the private DNS of an endpoint is to answer, if that is to be chosen: with a gateway for S3, what is in the VPC
/// goes through that.
pub fn private_dns_scope(desired: &Desired, service: &str) -> Option<Option<PrivateDnsScope>> {
    if service != S3 || !*desired.private_dns_enabled.known()? {
        return Some(None);
    }
    match desired.route_tables {
        Value::Known(_) => Some(Some(PrivateDnsScope::InboundOnly)),
        Value::Null => Some(Some(PrivateDnsScope::Vpc)),
        Value::Unknown => None,
    }
}

/// Where an endpoint is to be.
fn wanted_place(desired: &Desired, service: &str, endpoint: &Endpoint) -> Option<Place> {
    match desired.place(service) {
        Value::Known(place) => Some(place),
        // The configuration has not changed what it was chosen from.
        Value::Null => Some(endpoint.asked.clone()),
        Value::Unknown => None,
    }
}

/// Whether an endpoint is to get other addresses, whatever else is not known of it.
pub fn moves(desired: &Desired, service: &str, endpoint: &Endpoint) -> Option<bool> {
    Some(wanted_place(desired, service, endpoint)? != endpoint.place)
}

/// Whether an endpoint is to get addresses of another family, or lose them.
pub fn changes_family(desired: &Desired, service: &str, endpoint: &Endpoint) -> Option<bool> {
    Some(wanted_place(desired, service, endpoint)?.dual_stack != endpoint.place.dual_stack)
}

/// The family of an endpoint's addresses.
pub fn address_type(dual_stack: bool) -> AddressType {
    if dual_stack { AddressType::Dualstack } else { AddressType::Ipv4 }
}

/// What differs about a policy: one that is written is held against the one there is, by meaning; one that was set here
/// and is no longer written makes room for AWS's default.
pub fn policy_change(wanted: &Value<String>, has: Option<&str>, is_own: bool) -> Option<Option<EndpointPolicy>> {
    match wanted {
        Value::Known(wanted) if has.is_some_and(|has| same_policy(wanted, has)) => Some(None),
        Value::Known(wanted) => Some(Some(EndpointPolicy::Document(wanted.clone()))),
        Value::Null => Some(is_own.then_some(EndpointPolicy::FullAccess)),
        Value::Unknown => None,
    }
}

/// Whether two endpoint policies mean the same. What is no policy document means what it says.
pub fn same_policy(one: &str, other: &str) -> bool {
    match (Document::parse(one), Document::parse(other)) {
        (Ok(one), Ok(other)) => one.same_meaning(&other),
        _ => one == other,
    }
}

/// Whether a policy that is found on an endpoint may have been set by this resource: it is neither AWS's default, which
/// lets everything through, nor what a `studio_presign_policy` sets, which is the one to take care of it.
pub fn may_be_own(policy: &str) -> bool {
    let of_others =
        |document: &Document| document.same_meaning(&Document::full_access()) || is_endpoint_policy(document);
    !Document::parse(policy).is_ok_and(|document| of_others(&document))
}

/// What differs about the gateway endpoint, tags aside.
pub fn gateway_change(desired: &Desired, gateway: &Gateway) -> Option<EndpointChange> {
    let tables = desired.route_tables.known()?;
    let policy = desired.policy(GATEWAY);
    Some(EndpointChange {
        add_route_table_ids: tables.difference(&gateway.route_table_ids).cloned().collect(),
        remove_route_table_ids: gateway.route_table_ids.difference(tables).cloned().collect(),
        policy: policy_change(&policy, gateway.policy.as_deref(), gateway.has_own_policy)?,
        ..EndpointChange::default()
    })
}

/// What differs about the domain, tags aside. Of an adopted one, only what is written.
pub fn domain_change(desired: &Desired, recorded: &Recorded, domain: &Domain) -> Option<DomainChange> {
    let written = DomainChange {
        default_user_settings: user_settings(desired, recorded, domain)?,
        docker_access: written(&desired.settings.docker_access)?.filter(|wanted| domain.docker_access != Some(*wanted)),
        ..DomainChange::default()
    };
    if desired.adopts_domain() {
        return Some(written);
    }
    let subnets = desired.subnet_ids.known()?;
    let wants_efs = *desired.home_efs_enabled.known()?;
    let address_type = domain_address_type(*desired.dual_stack.known()?);
    Some(DomainChange {
        subnet_ids: (*subnets != domain.subnet_ids).then(|| subnets.clone()),
        network_access: (!domain.vpc_only).then_some(NetworkAccess::VpcOnly),
        // A domain that says nothing has IPv4 alone.
        address_type: (domain.address_type.unwrap_or(DomainAddressType::Ipv4) != address_type).then_some(address_type),
        home_efs: (wants_efs && domain.file_system_id.is_none()).then_some(Toggle::Enabled),
        ..written
    })
}

/// The family of a domain's addresses.
pub fn domain_address_type(dual_stack: bool) -> DomainAddressType {
    if dual_stack { DomainAddressType::Dualstack } else { DomainAddressType::Ipv4 }
}

/// What differs about the settings of users.
fn user_settings(desired: &Desired, recorded: &Recorded, domain: &Domain) -> Option<UserSettings> {
    let (settings, has) = (&desired.settings, &domain.settings);
    let groups = user_groups(desired, domain, recorded)?;
    let has_groups = has.security_group_ids.clone().unwrap_or_default();
    let role: Option<RoleArn> = written(&desired.execution_role_arn)?;
    Some(UserSettings {
        execution_role: role.filter(|role| has.execution_role.as_ref() != Some(role)),
        security_group_ids: (has_groups != groups).then_some(groups),
        studio_web_portal: written(&settings.studio_web_portal)?
            .filter(|wanted| has.studio_web_portal != Some(*wanted)),
        default_landing_uri: written(&settings.default_landing_uri)?
            .filter(|wanted| has.default_landing_uri.as_ref() != Some(wanted)),
        idle_timeout: written(&settings.idle_timeout)?.filter(|wanted| has.idle_timeout != Some(*wanted)),
    })
}

/// The groups of users' apps: the domain's own and those that are written. An adopted domain keeps what others gave it.
pub fn user_groups(desired: &Desired, domain: &Domain, recorded: &Recorded) -> Option<BTreeSet<SecurityGroupId>> {
    let mut groups = written(&desired.settings.security_group_ids)?.unwrap_or_default();
    if desired.adopts_domain() {
        let has = domain.settings.security_group_ids.iter().flatten();
        groups.extend(has.filter(|group| !domain.added_groups.contains(*group)).cloned());
    } else {
        groups.insert(recorded.domain_group.as_ref()?.id.clone());
    }
    Some(groups)
}

/// What is written, if anything. `None` while it is not known.
pub fn written<T: Clone>(value: &Value<T>) -> Option<Option<T>> {
    match value {
        Value::Known(value) => Some(Some(value.clone())),
        Value::Null => Some(None),
        Value::Unknown => None,
    }
}

/// What is to be noted in tags of the domain.
pub fn notes(desired: &Desired) -> Option<Notes> {
    Some(Notes {
        on_destroy: Some(desired.on_destroy.known()?.clone()),
        settings: Some(desired.settings.written()?).filter(|words| !words.is_empty()),
    })
}

/// What differs about a profile's settings.
///
/// SageMaker cannot take a profile's role back; a profile that is to have none of its own gets the domain's.
pub fn profile_settings(
    desired: &Desired,
    recorded: &Recorded,
    wanted: &DesiredProfile,
    profile: &Profile,
) -> Option<UserSettings> {
    let role = match &wanted.execution_role_arn {
        Value::Known(role) => Some(role.clone()),
        Value::Null if profile.execution_role_arn.is_some() => Some(domain_role(desired, recorded)?),
        Value::Null => None,
        Value::Unknown => return None,
    };
    Some(UserSettings {
        execution_role: role.filter(|role| profile.execution_role_arn.as_ref() != Some(role)),
        ..UserSettings::default()
    })
}

/// The role that profiles run as unless they have their own.
fn domain_role(desired: &Desired, recorded: &Recorded) -> Option<RoleArn> {
    match written(&desired.execution_role_arn)? {
        Some(role) => Some(role),
        None => recorded.domain.as_ref()?.settings.execution_role.clone(),
    }
}

/// The tags that a profile is to have: the resource's, and its own.
pub fn profile_tags(desired: &Desired, wanted: &DesiredProfile) -> Value<Tags> {
    match (&desired.tags, &wanted.tags) {
        (Value::Known(all), Value::Known(own)) => Value::Known(merge(all, own)),
        (Value::Known(all), Value::Null) => Value::Known(all.clone()),
        (Value::Unknown | Value::Null, _) | (_, Value::Unknown) => Value::Unknown,
    }
}
