//! Tags of SageMaker's objects, by ARN.

use aws_sdk_sagemaker as sagemaker;

use super::call;
use crate::aws::{AwsError, Clients, TagChange, Tags};

/// Lists the tags of an object.
///
/// # Errors
/// `NotFound` when the object is gone.
pub async fn list_tags(clients: &Clients, arn: &str) -> Result<Tags, AwsError> {
    let call = call("ListTags", arn);
    let pages = clients.sagemaker().list_tags().resource_arn(arn).into_paginator();
    let tags = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    let pair = |tag: &sagemaker::types::Tag| {
        Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))
    };
    Ok(tags.iter().filter_map(pair).collect())
}

/// Sets and removes tags of one object. Nothing to do makes no call.
///
/// # Errors
/// `NotFound` when the object is gone.
pub async fn update_tags(clients: &Clients, arn: &str, change: &TagChange) -> Result<(), AwsError> {
    if let Some(tags) = some_tags(&change.set) {
        let call = call("AddTags", arn);
        let request = clients.sagemaker().add_tags().resource_arn(arn).set_tags(Some(tags));
        request.send().await.map_err(|error| call.failed(error))?;
    }
    if !change.remove.is_empty() {
        let call = call("DeleteTags", arn);
        let keys = change.remove.iter().cloned().collect();
        let request = clients.sagemaker().delete_tags().resource_arn(arn).set_tag_keys(Some(keys));
        request.send().await.map_err(|error| call.failed(error))?;
    }
    Ok(())
}

/// Tags for a request, where none are left out.
pub(super) fn some_tags(tags: &Tags) -> Option<Vec<sagemaker::types::Tag>> {
    let tags: Vec<_> = tags
        .iter()
        .map(|(key, value)| sagemaker::types::Tag::builder().key(key).value(value).build())
        .collect();
    Some(tags).filter(|tags| !tags.is_empty())
}
