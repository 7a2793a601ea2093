//! Tags of hosted zones.

use std::collections::BTreeMap;

use aws_sdk_route53 as route53;
use route53::types::{ResourceTagSet, TagResourceType};

use super::{bare, call};
use crate::aws::{AwsError, Clients, HostedZoneId, TagChange, Tags, names};

/// How many zones `ListTagsForResources` takes at once (Route 53 API reference).
const BATCH: usize = 10;

/// How many tags `ChangeTagsForResource` sets or removes at once, and how many it says that a zone can have (Route 53
/// API reference).
pub const MOST_TAGS: usize = 10;

/// Lists the tags of a zone.
///
/// # Errors
/// `NotFound` when the zone is gone.
pub async fn list_tags(clients: &Clients, zone: &HostedZoneId) -> Result<Tags, AwsError> {
    let call = call("ListTagsForResource", format!("hosted zone {zone}"));
    let request = clients
        .route53()
        .list_tags_for_resource()
        .resource_type(TagResourceType::Hostedzone)
        .resource_id(zone.as_str());
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    Ok(answer.resource_tag_set().map(from_route53).unwrap_or_default())
}

/// Lists the tags of many zones.
///
/// # Errors
/// `NotFound` when one of them is gone.
pub async fn list_tags_of_zones(
    clients: &Clients,
    zones: &[HostedZoneId],
) -> Result<BTreeMap<HostedZoneId, Tags>, AwsError> {
    let call = call("ListTagsForResources", "the hosted zones of the account");
    let mut tags = BTreeMap::new();
    for some in zones.chunks(BATCH) {
        let request = clients
            .route53()
            .list_tags_for_resources()
            .resource_type(TagResourceType::Hostedzone)
            .set_resource_ids(Some(names(some)));
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        for set in answer.resource_tag_sets() {
            if let Some(id) = set.resource_id() {
                tags.insert(bare(id).into(), from_route53(set));
            }
        }
    }
    Ok(tags)
}

/// Sets and removes tags of a zone, in one call unless there are very many. Nothing to do makes none.
///
/// # Errors
/// `NotFound` when the zone is gone.
pub async fn update_tags(clients: &Clients, zone: &HostedZoneId, change: &TagChange) -> Result<(), AwsError> {
    let call = call("ChangeTagsForResource", format!("hosted zone {zone}"));
    let set: Vec<_> =
        change.set.iter().map(|(key, value)| route53::types::Tag::builder().key(key).value(value).build()).collect();
    let remove: Vec<_> = change.remove.iter().cloned().collect();
    let (mut set, mut remove) = (set.chunks(MOST_TAGS), remove.chunks(MOST_TAGS));
    loop {
        // What goes makes room for what comes.
        let (some_set, some_remove) = (set.next(), remove.next());
        if some_set.is_none() && some_remove.is_none() {
            return Ok(());
        }
        let request = clients
            .route53()
            .change_tags_for_resource()
            .resource_type(TagResourceType::Hostedzone)
            .resource_id(zone.as_str())
            .set_add_tags(some_set.map(<[_]>::to_vec))
            .set_remove_tag_keys(some_remove.map(<[_]>::to_vec));
        request.send().await.map_err(|error| call.failed(error))?;
    }
}

fn from_route53(set: &ResourceTagSet) -> Tags {
    let pair = |tag: &route53::types::Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    set.tags().iter().filter_map(pair).collect()
}
