//! Parts that are not on record: those that carry our tags, and, for a domain without such tags, those that serve it.
//!
//! **Invariant:** changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    BEING_DESTROYED, endpoint, endpoint_addresses, gateway, read_group, read_profiles, read_zone, zone_records,
};
use crate::aws::ec2::security_group::{find_security_group, list_security_groups_by_tag};
use crate::aws::ec2::vpc_endpoint::{
    EndpointState, EndpointType, VpcEndpoint, list_vpc_endpoints, list_vpc_endpoints_by_tag,
};
use crate::aws::route53::hosted_zone::{HostedZone, list_private_zones_within};
use crate::aws::sagemaker::user_profile::list_user_profiles;
use crate::aws::tags::{OWNER, owner_and_part};
use crate::aws::{AwsError, Clients, HostedZoneId, SecurityGroupId, Tags, VpcEndpointId, VpcId, route53};
use crate::dns::name::is_within;
use crate::resources::private_domain::changes::may_be_own;
use crate::resources::private_domain::key::{Key, STUDIO, Slot};
use crate::resources::private_domain::lookup::candidates;
use crate::resources::private_domain::project::served_by;
use crate::resources::private_domain::recorded::{Domain, Endpoint, Group, Recorded, Zone};
use crate::resources::private_domain::schema::DEFAULT_SERVICES;
use crate::resources::private_domain::zones;

/// Finds everything that carries an owner's tag, the domain aside.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn owned(clients: &Clients, owner: &str) -> Result<Recorded, AwsError> {
    let (groups, endpoints, zones) = tokio::try_join!(
        list_security_groups_by_tag(clients, OWNER, owner),
        list_vpc_endpoints_by_tag(clients, OWNER, owner),
        owned_zones(clients, owner),
    )?;
    let mut found = Recorded { owner: owner.to_owned(), zones, ..Recorded::default() };
    for group in groups {
        match owner_and_part(&group.tags).and_then(|(_, part)| Key::from_part(part)) {
            Some(Key::DomainGroup) => {
                found.being_destroyed = group.tags.contains_key(BEING_DESTROYED);
                found.domain_group = Some(read_group(clients, group.id, &group.tags).await?);
            }
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
                let is_restricted = endpoint.policy.as_deref().is_some_and(may_be_own);
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
    }
    found.domain = Some(domain);
    serving_zones(clients, found, is_tagged).await
}

async fn interface_endpoint(clients: &Clients, found: VpcEndpoint) -> Result<Endpoint, AwsError> {
    let addresses = endpoint_addresses(clients, &found).await?;
    let before = Endpoint::unseen(VpcEndpointId::default());
    let found = endpoint(found, addresses, &before, clients);
    let has_own_policy = found.policy.as_deref().is_some_and(may_be_own);
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

async fn owned_zones(clients: &Clients, owner: &str) -> Result<BTreeMap<Slot, Zone>, AwsError> {
    let mut found = BTreeMap::new();
    for zone in studio_zones(clients).await? {
        let Some((_, part)) = owner_and_part(&zone.tags).filter(|(of, _)| *of == owner) else {
            continue;
        };
        if let Some(Key::Zone(slot)) = Key::from_part(part) {
            found.extend(read_zone(clients, &zone.id).await?.map(|zone| (slot, zone)));
        }
    }
    Ok(found)
}

/// A zone of the account that may have Studio's names in it.
struct Candidate {
    id: HostedZoneId,
    name: String,
    tags: Tags,
}

/// The account's private zones that may have Studio's names in them, in whatever VPC they answer.
async fn studio_zones(clients: &Clients) -> Result<Vec<Candidate>, AwsError> {
    let top = |parent: &String| parent.rsplit('.').next().unwrap_or_default().to_owned();
    let tops: BTreeSet<String> = served_by(&[], clients).iter().map(top).collect();
    let mut zones = Vec::new();
    for top in &tops {
        zones.extend(list_private_zones_within(clients, top).await?);
    }
    let ids: Vec<HostedZoneId> = zones.iter().map(|zone| zone.id.clone()).collect();
    let mut tags = route53::tags::list_tags_of_zones(clients, &ids).await?;
    let candidate =
        |zone: HostedZone| Candidate { tags: tags.remove(&zone.id).unwrap_or_default(), id: zone.id, name: zone.name };
    Ok(zones.into_iter().map(candidate).collect())
}

/// Adds the zones that serve a domain: those of its own names, where nothing says whose they are, and those that others
/// look after and that hold records of its names for its endpoint. The latter are adopted.
async fn serving_zones(clients: &Clients, mut found: Recorded, is_tagged: bool) -> Result<Recorded, AwsError> {
    let Some(domain) = found.domain.clone() else {
        return Ok(found);
    };
    let parents = served_by(&[], clients);
    let hosts = zones::host_names(&domain, &parents);
    let candidates = studio_zones(clients).await?;
    for (slot, host) in Slot::HOSTS.into_iter().zip(&hosts).filter(|_| !is_tagged) {
        let free = candidates.iter().find(|zone| zone.name == *host && owner_and_part(&zone.tags).is_none());
        if let Some(zone) = free {
            found.zones.extend(read_zone(clients, &zone.id).await?.map(|zone| (slot, zone)));
        }
    }
    let own: BTreeSet<HostedZoneId> = found.zones.values().map(|zone| zone.id.clone()).collect();
    for candidate in candidates.into_iter().filter(|zone| !own.contains(&zone.id)) {
        let is_inside = |name: &&String| is_within(name, &candidate.name);
        let inside: Vec<String> = hosts.iter().chain(&parents).filter(is_inside).cloned().collect();
        if !inside.is_empty() {
            let zone = with_our_records(clients, &found, candidate, inside).await?;
            found.zones.extend(zone.map(|zone| (Slot::Existing(zone.name.clone()), zone)));
        }
    }
    Ok(found)
}

/// The zone, if it has records of names for the studio endpoint: each name with everything below it.
async fn with_our_records(
    clients: &Clients,
    found: &Recorded,
    candidate: Candidate,
    mut names: Vec<String>,
) -> Result<Option<Zone>, AwsError> {
    let has = zone_records(clients, &candidate.id).await?;
    let Some(endpoint) = found.endpoint(STUDIO) else {
        return Ok(None);
    };
    names.retain(|name| {
        let names: BTreeSet<String> = [name.clone()].into();
        let lead_there =
            |by_address| zones::records(endpoint, &names, by_address).is_some_and(|ours| ours.is_subset(&has));
        lead_there(false) || lead_there(true)
    });
    let names: BTreeSet<String> = names.into_iter().collect();
    let records = has.into_iter().filter(|record| zones::is_for(record, &names)).collect();
    let zone = Zone { records, ready: true, ..Zone::unseen(candidate.id, &candidate.name) };
    Ok((!names.is_empty()).then_some(Zone { names, ..zone }))
}
