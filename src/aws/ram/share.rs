//! Resource shares: what is shared, and with whom.
//!
//! **Invariant:** a link that RAM lists as disassociated counts as not there, and a share that it lists as deleted too.

use std::collections::BTreeSet;

use aws_sdk_ram as ram;
use ram::types::{
    ResourceOwner, ResourceShareAssociation, ResourceShareAssociationStatus, ResourceShareAssociationType,
    ResourceShareStatus,
};

use super::call;
use crate::aws::wait::{Judgement, Pace, Patience, until};
use crate::aws::{AwsError, Call, Clients, ResourceShareArn, TagChange, Tags};

/// A share and its links take seconds.
const PACE: Pace = Pace::millis(1_000, 2_000, 10_000);

/// A share to be made.
#[derive(Debug, Clone)]
pub struct NewShare {
    /// Its name.
    pub name: String,
    /// With whom: account ids, and ARNs of organizations and their units.
    pub principals: BTreeSet<String>,
    /// What is shared, by ARN.
    pub resources: BTreeSet<String>,
    /// Its tags.
    pub tags: Tags,
    /// Makes it safe to try again: a second call with the same token makes no second share.
    pub client_token: String,
}

/// Where a share is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ShareStatus {
    /// In force.
    Active,
    /// Being made.
    Pending,
    /// Being deleted.
    Deleting,
    /// Not in force; the text is RAM's status.
    Failed(String),
}

/// A share as RAM describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Its ARN.
    pub arn: ResourceShareArn,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub status: ShareStatus,
    /// Its tags.
    pub tags: Tags,
}

/// What one end of a share is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Somebody it is shared with.
    Principal,
    /// Something that is shared.
    Resource,
}

/// Where a link is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LinkStatus {
    /// In force.
    Associated,
    /// An account outside of the organization has been invited, and has not accepted yet.
    Invited,
    /// Being made.
    Associating,
    /// Being ended.
    Disassociating,
    /// Not in force; the text is RAM's status.
    Failed(String),
}

/// One end of a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// An account id or an ARN.
    pub entity: String,
    /// Which end it is.
    pub end: End,
    /// Where it is in its life.
    pub status: LinkStatus,
    /// RAM's words about its status.
    pub status_message: Option<String>,
}

impl Link {
    /// Why it is not in force, and will not be by itself.
    pub fn failure(&self) -> Option<String> {
        let LinkStatus::Failed(status) = &self.status else {
            return None;
        };
        let reason = self.status_message.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
        Some(format!("{} is {status}{reason}", self.entity))
    }
}

/// Makes a share with its links. Accounts outside of the organization are invited.
///
/// # Errors
/// `NotFound` for a resource that RAM does not know yet, right after it was made; `Invalid` for an organization that has
/// not turned on sharing with RAM.
pub async fn create_share(clients: &Clients, new: &NewShare) -> Result<ResourceShareArn, AwsError> {
    let call = call("CreateResourceShare", format!("resource share {}", new.name));
    let request = clients
        .ram()
        .create_resource_share()
        .name(&new.name)
        .set_principals(some(&new.principals))
        .set_resource_arns(some(&new.resources))
        .allow_external_principals(true)
        .client_token(&new.client_token)
        .set_tags(some_tags(&new.tags));
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    let arn = answer.resource_share().and_then(|share| share.resource_share_arn());
    arn.map(ResourceShareArn::from).ok_or_else(|| call.lacks("resource share ARN"))
}

/// Looks a share of this account up.
///
/// # Errors
/// Whatever RAM refuses, such as `AccessDenied`.
pub async fn find_share(clients: &Clients, arn: &ResourceShareArn) -> Result<Option<Share>, AwsError> {
    let call = call("GetResourceShares", format!("resource share {arn}"));
    let request = clients.ram().get_resource_shares().resource_owner(ResourceOwner::SelfValue);
    match request.resource_share_arns(arn.as_str()).send().await.map_err(|error| call.failed(error)) {
        Ok(answer) => Ok(answer.resource_shares().iter().find_map(share)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lists the shares of this account that carry a tag.
///
/// # Errors
/// Whatever RAM refuses, such as `AccessDenied`.
pub async fn list_shares_by_tag(clients: &Clients, key: &str, value: &str) -> Result<Vec<Share>, AwsError> {
    let call = call("GetResourceShares", format!("resource shares with the tag {key}"));
    let filter = ram::types::TagFilter::builder().tag_key(key).tag_values(value).build();
    let request = clients.ram().get_resource_shares().resource_owner(ResourceOwner::SelfValue).tag_filters(filter);
    let pages = request.into_paginator().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(pages.iter().flat_map(|page| page.resource_shares()).filter_map(share).collect())
}

/// Lists what a share shares, and with whom.
///
/// # Errors
/// `NotFound` when the share is gone.
pub async fn list_links(clients: &Clients, arn: &ResourceShareArn) -> Result<Vec<Link>, AwsError> {
    let call = call("GetResourceShareAssociations", format!("resource share {arn}"));
    let mut found = Vec::new();
    for (end, kind) in [
        (End::Principal, ResourceShareAssociationType::Principal),
        (End::Resource, ResourceShareAssociationType::Resource),
    ] {
        let request = clients.ram().get_resource_share_associations().association_type(kind);
        let pages = request.resource_share_arns(arn.as_str()).into_paginator().send();
        let pages = pages.try_collect().await.map_err(|error| call.failed(error))?;
        let links = pages.iter().flat_map(|page| page.resource_share_associations());
        found.extend(links.filter_map(|one| link(one, end)));
    }
    Ok(found)
}

/// Starts to share more, or with more. Nothing to add makes no call.
///
/// # Errors
/// As [`create_share`].
pub async fn associate(
    clients: &Clients,
    arn: &ResourceShareArn,
    principals: &BTreeSet<String>,
    resources: &BTreeSet<String>,
) -> Result<(), AwsError> {
    if principals.is_empty() && resources.is_empty() {
        return Ok(());
    }
    let call = call("AssociateResourceShare", format!("resource share {arn}"));
    let request = clients.ram().associate_resource_share().resource_share_arn(arn.as_str());
    let request = request.set_principals(some(principals)).set_resource_arns(some(resources));
    request.send().await.map(drop).map_err(|error| call.failed(error))
}

/// Starts to take one back. What is not shared counts as taken back.
///
/// # Errors
/// Whatever RAM refuses, such as `AccessDenied`.
pub async fn disassociate(clients: &Clients, arn: &ResourceShareArn, end: End, entity: &str) -> Result<(), AwsError> {
    let call = call("DisassociateResourceShare", format!("{entity} of resource share {arn}"));
    let request = clients.ram().disassociate_resource_share().resource_share_arn(arn.as_str());
    let request = match end {
        End::Principal => request.principals(entity),
        End::Resource => request.resource_arns(entity),
    };
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Gives a share another name.
///
/// # Errors
/// `NotFound` when the share is gone.
pub async fn rename_share(clients: &Clients, arn: &ResourceShareArn, name: &str) -> Result<(), AwsError> {
    let call = call("UpdateResourceShare", format!("resource share {arn}"));
    let request = clients.ram().update_resource_share().resource_share_arn(arn.as_str()).name(name);
    request.send().await.map(drop).map_err(|error| call.failed(error))
}

/// Starts to delete a share. What is gone counts as deleted.
///
/// # Errors
/// Whatever RAM refuses, such as `AccessDenied`.
pub async fn delete_share(clients: &Clients, arn: &ResourceShareArn) -> Result<(), AwsError> {
    let call = call("DeleteResourceShare", format!("resource share {arn}"));
    let request = clients.ram().delete_resource_share().resource_share_arn(arn.as_str());
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Sets and removes tags of a share. Nothing to do makes no call.
///
/// # Errors
/// `NotFound` when the share is gone.
pub async fn update_tags(clients: &Clients, arn: &ResourceShareArn, change: &TagChange) -> Result<(), AwsError> {
    if let Some(tags) = some_tags(&change.set) {
        let call = call("TagResource", format!("resource share {arn}"));
        let request = clients.ram().tag_resource().resource_share_arn(arn.as_str()).set_tags(Some(tags));
        request.send().await.map_err(|error| call.failed(error))?;
    }
    if !change.remove.is_empty() {
        let call = call("UntagResource", format!("resource share {arn}"));
        let keys = change.remove.iter().cloned().collect();
        let request = clients.ram().untag_resource().resource_share_arn(arn.as_str()).set_tag_keys(Some(keys));
        request.send().await.map_err(|error| call.failed(error))?;
    }
    Ok(())
}

/// Waits until a share is in force and each of its links at rest, and gives the links. Links may have failed by then.
///
/// # Errors
/// `Unexpected` when the share fails or is deleted meanwhile.
pub async fn wait_until_at_rest(
    clients: &Clients,
    arn: &ResourceShareArn,
    patience: &Patience,
) -> Result<Vec<Link>, AwsError> {
    let call = getting(arn);
    until(&call, "in force", Pace { first: std::time::Duration::ZERO, ..PACE }, patience, || async {
        let Some(share) = find_share(clients, arn).await? else {
            return Ok(Judgement::Pending("not visible".to_owned()));
        };
        Ok(match share.status {
            ShareStatus::Active => judge_links(list_links(clients, arn).await?),
            ShareStatus::Pending => Judgement::Pending("PENDING".to_owned()),
            ShareStatus::Deleting => Judgement::Failed("DELETING".to_owned()),
            ShareStatus::Failed(status) => Judgement::Failed(status),
        })
    })
    .await
}

/// Waits until a share is gone, and nothing is shared by it any more.
///
/// # Errors
/// `TimedOut` with the status last seen.
pub async fn wait_until_deleted(
    clients: &Clients,
    arn: &ResourceShareArn,
    patience: &Patience,
) -> Result<(), AwsError> {
    let call = getting(arn);
    until(&call, "deleted", Pace { first: std::time::Duration::ZERO, ..PACE }, patience, || async {
        Ok(match find_share(clients, arn).await? {
            None => Judgement::Ready(()),
            Some(share) => Judgement::Pending(format!("{:?}", share.status)),
        })
    })
    .await
}

fn judge_links(links: Vec<Link>) -> Judgement<Vec<Link>> {
    let is_moving = |link: &&Link| matches!(link.status, LinkStatus::Associating | LinkStatus::Disassociating);
    match links.iter().find(is_moving) {
        Some(link) => Judgement::Pending(format!("{} is {:?}", link.entity, link.status)),
        None => Judgement::Ready(links),
    }
}

fn getting(arn: &ResourceShareArn) -> Call {
    call("GetResourceShares", format!("resource share {arn}"))
}

fn some(names: &BTreeSet<String>) -> Option<Vec<String>> {
    Some(names.iter().cloned().collect::<Vec<_>>()).filter(|names| !names.is_empty())
}

fn some_tags(tags: &Tags) -> Option<Vec<ram::types::Tag>> {
    let tags = tags.iter().map(|(key, value)| ram::types::Tag::builder().key(key).value(value).build());
    Some(tags.collect::<Vec<_>>()).filter(|tags| !tags.is_empty())
}

fn share(share: &ram::types::ResourceShare) -> Option<Share> {
    let status = match share.status() {
        Some(ResourceShareStatus::Active) | None => ShareStatus::Active,
        Some(ResourceShareStatus::Pending) => ShareStatus::Pending,
        Some(ResourceShareStatus::Deleting) => ShareStatus::Deleting,
        // RAM lists a deleted share for some hours more.
        Some(ResourceShareStatus::Deleted) => return None,
        Some(other) => ShareStatus::Failed(other.as_str().to_owned()),
    };
    let tag = |tag: &ram::types::Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    Some(Share {
        arn: share.resource_share_arn()?.into(),
        name: share.name().unwrap_or_default().to_owned(),
        status,
        tags: share.tags().iter().filter_map(tag).collect(),
    })
}

fn link(link: &ResourceShareAssociation, end: End) -> Option<Link> {
    // An invitation that is not accepted keeps the link from being associated.
    let is_invited = link.external() == Some(true) && end == End::Principal;
    let status = match link.status() {
        Some(ResourceShareAssociationStatus::Associated) | None => LinkStatus::Associated,
        Some(ResourceShareAssociationStatus::Associating) if is_invited => LinkStatus::Invited,
        Some(ResourceShareAssociationStatus::Associating | ResourceShareAssociationStatus::Restoring) => {
            LinkStatus::Associating
        }
        Some(ResourceShareAssociationStatus::Disassociating) => LinkStatus::Disassociating,
        Some(ResourceShareAssociationStatus::Disassociated) => return None,
        // FAILED, for an invitation that was declined or has run out, SUSPENDED, and words we do not know.
        Some(other) => LinkStatus::Failed(other.as_str().to_owned()),
    };
    Some(Link {
        entity: link.associated_entity()?.to_owned(),
        end,
        status,
        status_message: link.status_message().filter(|text| !text.is_empty()).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_link(status: ResourceShareAssociationStatus, external: bool) -> Option<Link> {
        let made = ResourceShareAssociation::builder().associated_entity("123456789012").status(status);
        link(&made.external(external).build(), End::Principal)
    }

    #[test]
    fn an_invitation_is_not_waited_for() {
        let invited = a_link(ResourceShareAssociationStatus::Associating, true).unwrap();
        assert_eq!(invited.status, LinkStatus::Invited);
        assert!(matches!(judge_links(vec![invited]), Judgement::Ready(_)));
        let coming = a_link(ResourceShareAssociationStatus::Associating, false).unwrap();
        assert!(matches!(judge_links(vec![coming]), Judgement::Pending(_)));
    }

    #[test]
    fn what_was_taken_back_or_deleted_is_not_there() {
        assert_eq!(a_link(ResourceShareAssociationStatus::Disassociated, false), None);
        let deleted = ram::types::ResourceShare::builder().resource_share_arn("arn");
        assert_eq!(share(&deleted.status(ResourceShareStatus::Deleted).build()), None);
    }

    #[test]
    fn a_link_that_failed_is_named() {
        let failed = a_link(ResourceShareAssociationStatus::Failed, true).unwrap();
        assert_eq!(failed.failure().unwrap(), "123456789012 is FAILED");
    }
}
