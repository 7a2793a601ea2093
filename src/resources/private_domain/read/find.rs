//! Parts that are not on record: those that carry our tags, and, for a domain without such tags, those that serve it.
//!
//! **Invariant:** changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{endpoint, endpoint_addresses, gateway, read_group, read_profiles, read_zone, zone_records};
use crate::aws::ec2::security_group::{find_security_group, list_security_groups_by_tag};
use crate::aws::ec2::vpc_endpoint::{
    EndpointState, EndpointType, VpcEndpoint, list_vpc_endpoints, list_vpc_endpoints_by_tag,
};
use crate::aws::route53::hosted_zone::{ZoneOfVpc, ZoneVpc, list_hosted_zones_of_vpc};
use crate::aws::sagemaker::user_profile::list_user_profiles;
use crate::aws::tags::{OWNER, owner_and_part};
use crate::aws::{AwsError, Clients, HostedZoneId, SecurityGroupId, VpcEndpointId, VpcId, route53};
use crate::resources::private_domain::changes::is_restriction;
use crate::resources::private_domain::key::{Key, Slot};
use crate::resources::private_domain::lookup::candidates;
use crate::resources::private_domain::recorded::{Domain, Endpoint, Group, Recorded, Zone};
use crate::resources::private_domain::schema::DEFAULT_SERVICES;
use crate::resources::private_domain::zones;

/// Finds everything that carries an owner's tag, the domain aside.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn owned(clients: &Clients, owner: &str, vpc_id: &VpcId) -> Result<Recorded, AwsError> {
    let (groups, endpoints, zones) = tokio::try_join!(
        list_security_groups_by_tag(clients, OWNER, owner),
        list_vpc_endpoints_by_tag(clients, OWNER, owner),
        owned_zones(clients, owner, vpc_id),
    )?;
    let mut found = Recorded { owner: owner.to_owned(), zones, ..Recorded::default() };
    for group in groups {
        match owner_and_part(&group.tags).and_then(|(_, part)| Key::from_part(part)) {
            Some(Key::DomainGroup) => found.domain_group = Some(read_group(clients, group.id, &group.tags).await?),
            Some(Key::EndpointGroup) => found.endpoint_group = Some(read_group(clients, group.id, &group.tags).await?),
            _ => {}
        }
    }
    for endpoint in endpoints.into_iter().filter(|endpoint| endpoint.state != EndpointState::Deleting) {
        match owner_and_part(&endpoint.tags).and_then(|(_, part)| Key::from_part(part)) {
            Some(Key::Endpoint(service)) => {
                found.endpoints.insert(service, interface_endpoint(clients, endpoint).await?);
            }
            Some(Key::Gateway) => {
                let is_restricted = endpoint.policy.as_deref().is_some_and(is_restriction);
                found.gateway = Some(gateway(endpoint, is_restricted, clients));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Adds a domain, all its profiles, and what serves it in its VPC: the endpoints of the services that Studio needs,
/// and, where the domain carries no tags of ours, its groups and zones too.
///
/// What carries the tags of another resource is adopted, and stays that resource's.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn serving(
    clients: &Clients,
    mut found: Recorded,
    domain: Domain,
    is_tagged: bool,
) -> Result<Recorded, AwsError> {
    let vpc_id = VpcId::from(domain.vpc_id.as_str());
    let names: Vec<String> =
        list_user_profiles(clients, &domain.id).await?.into_iter().map(|profile| profile.name).collect();
    found.profiles = read_profiles(clients, &domain.id, names.iter()).await?;
    for endpoint in list_vpc_endpoints(clients, &vpc_id, None).await? {
        let is_usable = endpoint.endpoint_type == EndpointType::Interface && endpoint.state != EndpointState::Deleting;
        let service =
            DEFAULT_SERVICES.iter().find(|service| candidates(clients, service).contains(&endpoint.service_name));
        let Some(service) = service.filter(|service| is_usable && found.endpoint(service).is_none()) else {
            continue;
        };
        let is_free = !is_tagged && owner_and_part(&endpoint.tags).is_none();
        let mut endpoint = interface_endpoint(clients, endpoint).await?;
        // The policy of an adopted endpoint is its owner's.
        endpoint.has_own_policy &= is_free;
        let list = if is_free { &mut found.endpoints } else { &mut found.adopted };
        list.insert((*service).to_owned(), endpoint);
    }
    if !is_tagged {
        found.domain_group = sole_group(clients, domain.settings.security_group_ids.iter().flatten()).await?;
        let groups: BTreeSet<_> =
            found.endpoints.values().flat_map(|endpoint| endpoint.security_group_ids.iter().cloned()).collect();
        found.endpoint_group = sole_group(clients, groups.iter()).await?;
        found.zones = serving_zones(clients, &domain, &vpc_id).await?;
    }
    found.domain = Some(domain);
    Ok(found)
}

async fn interface_endpoint(clients: &Clients, found: VpcEndpoint) -> Result<Endpoint, AwsError> {
    let addresses = endpoint_addresses(clients, &found).await?;
    let before = Endpoint::unseen(VpcEndpointId::default());
    let found = endpoint(found, addresses, &before, clients);
    let has_own_policy = found.policy.as_deref().is_some_and(is_restriction);
    Ok(Endpoint { asked: found.place.clone(), has_own_policy, ..found })
}

/// The one group, if there is exactly one and nothing else claims it.
async fn sole_group(
    clients: &Clients,
    mut groups: impl Iterator<Item = &SecurityGroupId>,
) -> Result<Option<Group>, AwsError> {
    let (Some(id), None) = (groups.next(), groups.next()) else {
        return Ok(None);
    };
    let found = find_security_group(clients, id).await?;
    match found.filter(|group| group.name != "default" && owner_and_part(&group.tags).is_none()) {
        Some(group) => Ok(Some(read_group(clients, group.id, &group.tags).await?)),
        None => Ok(None),
    }
}

async fn owned_zones(clients: &Clients, owner: &str, vpc_id: &VpcId) -> Result<BTreeMap<Slot, Zone>, AwsError> {
    let mut found = BTreeMap::new();
    for (id, tags) in own_zones(clients, vpc_id).await?.1 {
        let Some((_, part)) = owner_and_part(&tags).filter(|(of, _)| *of == owner) else {
            continue;
        };
        if let Some(Key::Zone(slot)) = Key::from_part(part) {
            found.extend(read_zone(clients, &id).await?.map(|zone| (slot, zone)));
        }
    }
    Ok(found)
}

type TaggedZones = Vec<(HostedZoneId, crate::aws::Tags)>;

/// The account's own zones in a VPC, with their tags. Other accounts' zones, and those of AWS services, are not ours to
/// read.
async fn own_zones(clients: &Clients, vpc_id: &VpcId) -> Result<(Vec<ZoneOfVpc>, TaggedZones), AwsError> {
    let vpc = ZoneVpc { vpc_id: vpc_id.clone(), region: clients.region().clone() };
    let mut zones = list_hosted_zones_of_vpc(clients, &vpc).await?;
    zones.retain(|zone| zone.owning_service.is_none() && zone.owning_account.as_ref() == clients.account_id());
    let ids: Vec<HostedZoneId> = zones.iter().map(|zone| zone.id.clone()).collect();
    let tags = route53::tags::list_tags_of_zones(clients, &ids).await?;
    Ok((zones, tags.into_iter().collect()))
}

/// The zones of the domain's own names. Those that another resource has made are adopted.
async fn serving_zones(clients: &Clients, domain: &Domain, vpc_id: &VpcId) -> Result<BTreeMap<Slot, Zone>, AwsError> {
    let (zones, tags) = own_zones(clients, vpc_id).await?;
    let hosts = zones::host_names(domain, &[]);
    let mut found = BTreeMap::new();
    for (slot, host) in [Slot::Domain, Slot::Portal].into_iter().zip(hosts) {
        let Some(zone) = zones.iter().find(|zone| zone.name == host) else {
            continue;
        };
        let is_free = tags.iter().any(|(id, tags)| *id == zone.id && owner_and_part(tags).is_none());
        if is_free {
            found.extend(read_zone(clients, &zone.id).await?.map(|zone| (slot, zone)));
        } else {
            let records = zone_records(clients, &zone.id).await?;
            let names: BTreeSet<String> = [host.clone()].into();
            let records = records.into_iter().filter(|record| zones::is_for(record, &names)).collect();
            let zone = Zone { names, ready: true, records, ..Zone::unseen(zone.id.clone(), &host) };
            found.insert(Slot::Existing(host), zone);
        }
    }
    Ok(found)
}
