//! Tags of Resolver's objects, by ARN.

use aws_sdk_route53resolver as resolver;

use super::call;
use crate::aws::{AwsError, Call, Clients, Kind, TagChange, Tags};

/// Lists the tags of an object.
///
/// # Errors
/// `NotFound` when the object is gone.
pub async fn list_tags(clients: &Clients, arn: &str) -> Result<Tags, AwsError> {
    let call = call("ListTagsForResource", arn);
    let request = clients.route53resolver().list_tags_for_resource().resource_arn(arn);
    let tags = request
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(|error| call.failed(error))?;
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// Sets and removes tags of one object. Nothing to do makes no call.
///
/// # Errors
/// `NotFound` when the object is gone.
pub async fn update_tags(clients: &Clients, arn: &str, change: &TagChange) -> Result<(), AwsError> {
    let setting = call("TagResource", arn);
    if let Some(tags) = some_tags(&setting, &change.set)? {
        let request =
            clients.route53resolver().tag_resource().resource_arn(arn).set_tags(Some(tags));
        request.send().await.map_err(|error| setting.failed(error))?;
    }
    if !change.remove.is_empty() {
        let call = call("UntagResource", arn);
        let keys = change.remove.iter().cloned().collect();
        let request =
            clients.route53resolver().untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
        request.send().await.map_err(|error| call.failed(error))?;
    }
    Ok(())
}

/// Tags for a request, where none are left out.
pub(super) fn some_tags(
    call: &Call,
    tags: &Tags,
) -> Result<Option<Vec<resolver::types::Tag>>, AwsError> {
    let tags: Result<Vec<_>, _> = tags
        .iter()
        .map(|(key, value)| resolver::types::Tag::builder().key(key).value(value).build())
        .collect();
    let tags = tags.map_err(|error| call.error(Kind::Invalid, error.to_string()))?;
    Ok(Some(tags).filter(|tags| !tags.is_empty()))
}
