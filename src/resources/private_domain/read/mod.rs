//! What AWS says of a private domain, into the record.
//!
//! `find.rs` is for what is not on record: imports, and what a run that was killed has left behind.
//!
//! **Invariant:** changes nothing.

pub mod find;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{try_join, try_join_all};

use super::key::Slot;
use super::recorded::{Association, Domain, Endpoint, Gateway, Group, Notes, Place, Profile, Recorded, Zone};
use super::zones;
use crate::aws::ec2::network_interface::find_network_interfaces;
use crate::aws::ec2::security_group::{SecurityGroup, find_security_group, find_security_group_by_name};
use crate::aws::ec2::security_group_rule::{Rule, list_rules};
use crate::aws::ec2::vpc_endpoint::{AddressType, EndpointState, VpcEndpoint, find_vpc_endpoint, regional_dns_entry};
use crate::aws::route53::hosted_zone::find_hosted_zone;
use crate::aws::route53::record::{Record, RecordType, list_records};
use crate::aws::sagemaker::domain::find_domain;
use crate::aws::sagemaker::domain_types::{AuthMode, NetworkAccess};
use crate::aws::sagemaker::user_profile::find_user_profile;
use crate::aws::sagemaker::{self, Status, domain_types};
use crate::aws::tags::visible;
use crate::aws::{
    AwsError, Clients, DomainId, HostedZoneId, RoleArn, SecurityGroupId, Tags, VpcEndpointId, VpcId, route53,
};

/// The tag of the domain that keeps `home_efs.on_destroy`.
pub const ON_DESTROY: &str = "terraform-provider-studio:home-efs";

/// The tag of the domain that keeps which of `default_user_settings` are written.
pub const SETTINGS: &str = "terraform-provider-studio:settings";

/// The tag of the domain's group that says that the domain is being destroyed, and which one.
pub const BEING_DESTROYED: &str = "terraform-provider-studio:being-destroyed";

/// What the tags of a zone begin with that keep the roles of VPC associations; the VPC follows.
const ASSOCIATION: &str = "terraform-provider-studio:vpc/";

/// What became of a domain.
enum Fate {
    Lives(Box<Domain>),
    IsBeingDeleted,
    IsGone,
}

/// Looks at every recorded part again. Parts that are gone are left out.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn refresh(clients: &Clients, recorded: &Recorded) -> Result<Recorded, AwsError> {
    let groups = try_join(
        refresh_group(clients, recorded.domain_group.as_ref()),
        refresh_group(clients, recorded.endpoint_group.as_ref()),
    );
    let endpoints =
        try_join(refresh_endpoints(clients, &recorded.endpoints), refresh_endpoints(clients, &recorded.adopted));
    let gateway = refresh_gateway(clients, recorded.gateway.as_ref());
    let zones =
        recorded.zones.iter().map(async |(slot, zone)| Ok((slot.clone(), refresh_zone(clients, slot, zone).await?)));
    let domain = async {
        match &recorded.domain {
            Some(domain) => fate(clients, &domain.id).await,
            None => Ok(Fate::IsGone),
        }
    };
    let profiles = async {
        match &recorded.domain {
            Some(domain) => read_profiles(clients, &domain.id, recorded.profiles.keys()).await,
            None => Ok(BTreeMap::new()),
        }
    };
    let ((domain_group, endpoint_group), (endpoints, adopted), gateway, zones, fate, profiles) =
        tokio::try_join!(groups, endpoints, gateway, try_join_all(zones), domain, profiles)?;
    let being_destroyed = recorded.being_destroyed || domain_group.as_ref().is_some_and(|(_, is_marked)| *is_marked);
    let domain = recorded.domain.as_ref().and_then(|before| match fate {
        Fate::Lives(domain) => {
            Some(Domain { adopted: before.adopted, added_groups: before.added_groups.clone(), ..*domain })
        }
        // A destruction that has begun waits for it.
        Fate::IsBeingDeleted if being_destroyed => Some(Domain { ready: false, ..before.clone() }),
        Fate::IsBeingDeleted | Fate::IsGone => None,
    });
    let deleted = recorded.domain.as_ref().filter(|_| being_destroyed && domain.is_none());
    Ok(Recorded {
        owner: recorded.owner.clone(),
        nfs_groups: refresh_nfs_groups(clients, recorded, deleted).await?,
        being_destroyed,
        domain_group: domain_group.map(|(group, _)| group),
        endpoint_group: endpoint_group.map(|(group, _)| group),
        endpoints,
        adopted,
        gateway,
        profiles: if domain.is_some() { profiles } else { BTreeMap::new() },
        domain,
        zones: present(zones),
    })
}

fn present<K: Ord, V>(parts: Vec<(K, Option<V>)>) -> BTreeMap<K, V> {
    parts.into_iter().filter_map(|(key, part)| Some((key, part?))).collect()
}

/// A group, and whether it has the mark of a destruction.
async fn refresh_group(clients: &Clients, group: Option<&Group>) -> Result<Option<(Group, bool)>, AwsError> {
    let Some(group) = group else {
        return Ok(None);
    };
    match find_security_group(clients, &group.id).await? {
        Some(found) => {
            let is_marked = found.tags.contains_key(BEING_DESTROYED);
            Ok(Some((read_group(clients, found.id, &found.tags).await?, is_marked)))
        }
        None => Ok(None),
    }
}

/// The domains that have left groups behind: those on record, and one that was just found deleted.
async fn refresh_nfs_groups(
    clients: &Clients,
    recorded: &Recorded,
    deleted: Option<&Domain>,
) -> Result<BTreeMap<DomainId, VpcId>, AwsError> {
    let deleted = deleted.filter(|domain| domain.takes_file_system());
    let deleted = deleted.map(|domain| (domain.id.clone(), VpcId::from(domain.vpc_id.as_str())));
    let mut found = BTreeMap::new();
    for (domain, vpc_id) in recorded.nfs_groups.clone().into_iter().chain(deleted) {
        if !nfs_groups(clients, &domain, &vpc_id).await?.is_empty() {
            found.insert(domain, vpc_id);
        }
    }
    Ok(found)
}

/// The groups that SageMaker made for the file system of a domain, by their names.
///
/// # Errors
/// Whatever EC2 refuses.
pub async fn nfs_groups(clients: &Clients, domain: &DomainId, vpc_id: &VpcId) -> Result<Vec<SecurityGroup>, AwsError> {
    let name = |direction: &str| format!("security-group-for-{direction}-nfs-{domain}");
    let (inbound, outbound) = (name("inbound"), name("outbound"));
    let (inbound, outbound) = try_join(
        find_security_group_by_name(clients, vpc_id, &inbound),
        find_security_group_by_name(clients, vpc_id, &outbound),
    )
    .await?;
    Ok(inbound.into_iter().chain(outbound).collect())
}

/// A security group with its rules.
///
/// # Errors
/// Whatever EC2 refuses.
pub async fn read_group(clients: &Clients, id: SecurityGroupId, tags: &Tags) -> Result<Group, AwsError> {
    let rules = list_rules(clients, &id).await?;
    let rules: BTreeSet<Rule> = rules.into_iter().map(|recorded| recorded.rule).collect();
    Ok(Group { id, rules, tags: visible(tags, clients.ignore_tags()) })
}

async fn refresh_endpoints(
    clients: &Clients,
    endpoints: &BTreeMap<String, Endpoint>,
) -> Result<BTreeMap<String, Endpoint>, AwsError> {
    let endpoints = endpoints
        .iter()
        .map(async |(service, endpoint)| Ok((service.clone(), refresh_endpoint(clients, endpoint).await?)));
    Ok(present(try_join_all(endpoints).await?))
}

async fn refresh_endpoint(clients: &Clients, recorded: &Endpoint) -> Result<Option<Endpoint>, AwsError> {
    match living(clients, &recorded.id).await? {
        Some(found) => {
            let addresses = endpoint_addresses(clients, &found).await?;
            Ok(Some(endpoint(found, addresses, recorded, clients)))
        }
        None => Ok(None),
    }
}

async fn refresh_gateway(clients: &Clients, recorded: Option<&Gateway>) -> Result<Option<Gateway>, AwsError> {
    let Some(recorded) = recorded else {
        return Ok(None);
    };
    let found = living(clients, &recorded.id).await?;
    Ok(found.map(|found| gateway(found, recorded.has_own_policy, clients)))
}

/// An endpoint that is there, and not on its way out.
async fn living(clients: &Clients, id: &VpcEndpointId) -> Result<Option<VpcEndpoint>, AwsError> {
    Ok(find_vpc_endpoint(clients, id).await?.filter(|found| found.state != EndpointState::Deleting))
}

/// The addresses of an endpoint, in the order of its subnets' ids.
///
/// # Errors
/// Whatever EC2 refuses.
pub async fn endpoint_addresses(clients: &Clients, endpoint: &VpcEndpoint) -> Result<Vec<String>, AwsError> {
    let mut interfaces = find_network_interfaces(clients, &endpoint.network_interface_ids).await?;
    interfaces.sort_by(|one, other| one.subnet_id.cmp(&other.subnet_id));
    let addresses = interfaces.iter().flat_map(|interface| {
        let ipv4 = interface.ipv4.iter().map(ToString::to_string);
        ipv4.chain(interface.ipv6.iter().map(ToString::to_string))
    });
    Ok(addresses.collect())
}

/// An endpoint as EC2 describes it, for the record. What EC2 does not tell is as `before`.
pub fn endpoint(found: VpcEndpoint, addresses: Vec<String>, before: &Endpoint, clients: &Clients) -> Endpoint {
    let dns = regional_dns_entry(&found.dns_entries)
        .and_then(|entry| Some((entry.dns_name.clone(), entry.hosted_zone_id.clone()?)));
    Endpoint {
        id: found.id,
        ready: found.state == EndpointState::Available,
        asked: before.asked.clone(),
        place: Place { subnet_ids: found.subnet_ids, dual_stack: found.address_type == Some(AddressType::Dualstack) },
        security_group_ids: found.security_group_ids,
        private_dns_enabled: found.private_dns_enabled,
        private_dns_scope: found.private_dns_scope,
        policy: found.policy,
        has_own_policy: before.has_own_policy,
        dns,
        private_names: before.private_names.clone(),
        addresses,
        tags: visible(&found.tags, clients.ignore_tags()),
    }
}

/// A gateway endpoint as EC2 describes it, for the record.
pub fn gateway(found: VpcEndpoint, has_own_policy: bool, clients: &Clients) -> Gateway {
    Gateway {
        id: found.id,
        route_table_ids: found.route_table_ids,
        policy: found.policy,
        has_own_policy,
        tags: visible(&found.tags, clients.ignore_tags()),
    }
}

/// Looks a domain up with its tags. One that is being deleted counts as gone.
///
/// # Errors
/// Whatever SageMaker refuses.
pub async fn read_domain(clients: &Clients, id: &DomainId) -> Result<Option<Domain>, AwsError> {
    Ok(match fate(clients, id).await? {
        Fate::Lives(domain) => Some(*domain),
        Fate::IsBeingDeleted | Fate::IsGone => None,
    })
}

async fn fate(clients: &Clients, id: &DomainId) -> Result<Fate, AwsError> {
    Ok(match find_domain(clients, id).await? {
        None => Fate::IsGone,
        Some(found) if found.status == Status::Deleting => Fate::IsBeingDeleted,
        Some(found) => {
            let tags = sagemaker::tags::list_tags(clients, &found.arn).await?;
            let notes = Notes { on_destroy: tags.get(ON_DESTROY).cloned(), settings: tags.get(SETTINGS).cloned() };
            Fate::Lives(Box::new(domain(found, visible(&tags, clients.ignore_tags()), notes)))
        }
    })
}

/// A domain as SageMaker describes it, for the record.
pub fn domain(found: domain_types::Domain, tags: Tags, notes: Notes) -> Domain {
    Domain {
        id: found.id,
        adopted: false,
        added_groups: BTreeSet::new(),
        arn: found.arn,
        name: found.name,
        ready: found.status == Status::InService,
        url: found.url,
        vpc_id: found.vpc_id.to_string(),
        auth_mode: found.auth_mode.map(|mode: AuthMode| mode.as_str().to_owned()),
        kms_key_id: found.kms_key_id,
        vpc_only: found.network_access == Some(NetworkAccess::VpcOnly),
        subnet_ids: found.subnet_ids,
        address_type: found.address_type,
        settings: found.default_user_settings,
        docker_access: found.docker_access,
        file_system_id: found.home_efs_file_system_id,
        notes,
        tags,
    }
}

async fn read_profiles(
    clients: &Clients,
    domain: &DomainId,
    names: impl Iterator<Item = &String>,
) -> Result<BTreeMap<String, Profile>, AwsError> {
    let profiles = names.map(async |name| Ok((name.clone(), read_profile(clients, domain, name).await?)));
    Ok(present(try_join_all(profiles).await?))
}

async fn read_profile(clients: &Clients, domain: &DomainId, name: &str) -> Result<Option<Profile>, AwsError> {
    match find_user_profile(clients, domain, name).await? {
        Some(found) if found.status != Status::Deleting => {
            let tags = sagemaker::tags::list_tags(clients, &found.arn).await?;
            Ok(Some(Profile {
                arn: found.arn,
                ready: found.status == Status::InService,
                execution_role_arn: found.settings.execution_role,
                tags: visible(&tags, clients.ignore_tags()),
            }))
        }
        Some(_) | None => Ok(None),
    }
}

/// A zone as it is now: its VPCs where it is ours, and of its records all that are ours to look after.
async fn refresh_zone(clients: &Clients, slot: &Slot, recorded: &Zone) -> Result<Option<Zone>, AwsError> {
    if matches!(slot, Slot::Existing(_)) {
        return match zone_records(clients, &recorded.id).await {
            Ok(records) => {
                let records = records.into_iter().filter(|record| zones::is_for(record, &recorded.names)).collect();
                Ok(Some(Zone { records, ..recorded.clone() }))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        };
    }
    let Some(found) = read_zone(clients, &recorded.id).await? else {
        return Ok(None);
    };
    // What was not associated here is left alone. After a state without private data, the tags tell.
    let mut associated = if recorded.associated.is_empty() { found.associated } else { recorded.associated.clone() };
    // What was taken off by somebody else is not ours any more. Of an unfinished zone, what was begun is kept.
    associated.retain(|association| !recorded.ready || found.vpcs.contains(&association.vpc));
    let names = recorded.names.clone();
    Ok(Some(Zone { names, ready: recorded.ready, associated, ..found }))
}

/// A zone that is ours, with everything in it, as if all of it had been put there here.
///
/// # Errors
/// Whatever Route 53 refuses.
pub async fn read_zone(clients: &Clients, id: &HostedZoneId) -> Result<Option<Zone>, AwsError> {
    let Some(found) = find_hosted_zone(clients, id).await? else {
        return Ok(None);
    };
    let (records, tags) = try_join(zone_records(clients, id), route53::tags::list_tags(clients, id)).await?;
    let role = |vpc: &str| tags.get(&format!("{ASSOCIATION}{vpc}")).map(|role| RoleArn::from(role.as_str()));
    let associated = found.vpcs.iter().map(|vpc| Association { role_arn: role(vpc.vpc_id.as_str()), vpc: vpc.clone() });
    Ok(Some(Zone {
        id: found.id,
        names: [found.name.clone()].into(),
        name: found.name,
        ready: true,
        records,
        associated: associated.collect(),
        vpcs: found.vpcs,
        tags: visible(&tags, clients.ignore_tags()),
    }))
}

/// The tags that keep the roles of associations, which Route 53 does not.
pub fn association_tags(associated: &BTreeSet<Association>) -> impl Iterator<Item = (String, String)> {
    associated.iter().filter_map(|association| {
        let role = association.role_arn.as_ref()?;
        Some((format!("{ASSOCIATION}{}", association.vpc.vpc_id), role.to_string()))
    })
}

/// The records of a zone, without the two that Route 53 puts into every one.
///
/// # Errors
/// `NotFound` when the zone is gone.
pub async fn zone_records(clients: &Clients, id: &HostedZoneId) -> Result<BTreeSet<Record>, AwsError> {
    let is_own =
        |record: &Record| !matches!(&record.record_type, RecordType::Other(name) if name == "NS" || name == "SOA");
    Ok(list_records(clients, id).await?.into_iter().filter(is_own).collect())
}
