//! Tags of EC2's objects. All of them share one pair of calls.

use aws_sdk_ec2 as ec2;

use super::call;
use crate::aws::{AwsError, Clients, TagChange, Tags};

/// Sets and removes tags of one object, named by its id. Nothing to do makes no call.
///
/// # Errors
/// `NotFound` when the object is gone.
pub async fn update_tags(clients: &Clients, id: &str, change: &TagChange) -> Result<(), AwsError> {
    if !change.set.is_empty() {
        let call = call("CreateTags", format!("{id}, to set its tags"));
        let request = clients.ec2().create_tags().resources(id).set_tags(Some(to_ec2(&change.set)));
        request.send().await.map_err(|error| call.failed(error))?;
    }
    if !change.remove.is_empty() {
        let call = call("DeleteTags", format!("{id}, to remove tags"));
        let keys = change.remove.iter().map(|key| ec2::types::Tag::builder().key(key).build()).collect();
        let request = clients.ec2().delete_tags().resources(id).set_tags(Some(keys));
        request.send().await.map_err(|error| call.failed(error))?;
    }
    Ok(())
}

/// The tags that a create call puts on what it makes. EC2 refuses an empty list.
pub(super) fn specification(of: ec2::types::ResourceType, tags: &Tags) -> Option<Vec<ec2::types::TagSpecification>> {
    let tags = to_ec2(tags);
    if tags.is_empty() {
        return None;
    }
    Some(vec![ec2::types::TagSpecification::builder().resource_type(of).set_tags(Some(tags)).build()])
}

/// The tags in an answer.
pub(super) fn from_ec2(tags: &[ec2::types::Tag]) -> Tags {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

fn to_ec2(tags: &Tags) -> Vec<ec2::types::Tag> {
    tags.iter().map(|(key, value)| ec2::types::Tag::builder().key(key).value(value).build()).collect()
}
