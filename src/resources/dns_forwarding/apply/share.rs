//! The resource share.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Done, Part, Step, known};
use crate::aws::organizations::organization::Organization;
use crate::aws::ram::share::{
    self, End, Link, NewShare, associate, create_share, delete_share, disassociate, rename_share, wait_until_at_rest,
    wait_until_deleted,
};
use crate::aws::tags::diff;
use crate::aws::wait::{Pace, retry_while};
use crate::aws::{AwsError, Call, Kind, Service, Tags};
use crate::resources::dns_forwarding::changes::{ShareChange, principals, share_change, share_name, shared_rules};
use crate::resources::dns_forwarding::desired::Desired;
use crate::resources::dns_forwarding::read::{invited, links_of};
use crate::resources::dns_forwarding::recorded::{Recorded, Share};

/// How long RAM may deny that a rule that Resolver has just made exists.
const VISIBLE: Duration = Duration::from_secs(2 * 60);
/// How often to try again meanwhile.
const VISIBLE_PACE: Pace = Pace::millis(0, 2_000, 10_000);

/// Makes or changes the share. It is done when the rules have got to those that they are shared with.
pub fn apply(
    step: Step,
    desired: &Desired,
    state: &Recorded,
    organization: Option<&Organization>,
) -> BoxFuture<'static, Done> {
    let tags = known(&desired.tags);
    if let Some(mut share) = state.share.clone() {
        let change = share_change(desired, state, &share, organization).expect("the rules are made before");
        return async move {
            let result = update(&step, &mut share, &change, tags).await;
            step.ended(Part::Share(Some(share)), result)
        }
        .boxed();
    }
    let new = NewShare {
        name: share_name(&known(&desired.name)),
        principals: principals(desired, None, organization).expect("what is shared is wanted"),
        resources: shared_rules(desired, state).expect("the rules are made before"),
        tags: step.work.tags(&tags, &step.key.part()),
        client_token: step.work.token(&step.key.part()),
    };
    create(step, new, tags).boxed()
}

/// Deletes the share, and waits until it shares nothing any more.
pub fn delete(step: Step, share: Option<Share>) -> BoxFuture<'static, Done> {
    async move {
        let work = &step.work;
        let result = async {
            if let Some(share) = &share {
                delete_share(&work.clients, &share.arn).await?;
                wait_until_deleted(&work.clients, &share.arn, &work.patience).await?;
            }
            Ok(())
        };
        let result = result.await;
        step.deleted(Part::Share(None), result)
    }
    .boxed()
}

async fn create(step: Step, new: NewShare, tags: Tags) -> Done {
    let work = &step.work;
    let made = retry_while(is_late, VISIBLE, VISIBLE_PACE, &work.patience, || create_share(&work.clients, &new));
    let arn = match made.await {
        Ok(arn) => arn,
        Err(error) => return step.failed(explained(error)),
    };
    let none = |entities: &BTreeSet<String>| entities.iter().map(|entity| (entity.clone(), None)).collect();
    let mut share = Share {
        arn,
        name: new.name,
        principals: none(&new.principals),
        invited: BTreeSet::new(),
        resources: none(&new.resources),
        ready: false,
        tags,
    };
    let result = settle(&step, &mut share).await;
    step.ended(Part::Share(Some(share)), result)
}

async fn update(step: &Step, share: &mut Share, change: &ShareChange, tags: Tags) -> Result<(), AwsError> {
    let (work, arn) = (&step.work, share.arn.clone());
    share::update_tags(&work.clients, &arn, &diff(&share.tags, &tags)).await?;
    share.tags = tags;
    if let Some(name) = &change.name {
        rename_share(&work.clients, &arn, name).await?;
        share.name.clone_from(name);
    }
    let again = |links: &BTreeMap<String, Option<String>>, add: &BTreeSet<String>| -> Vec<String> {
        add.iter().filter(|entity| links.contains_key(*entity)).cloned().collect()
    };
    let failed = [
        (End::Principal, again(&share.principals, &change.add_principals)),
        (End::Resource, again(&share.resources, &change.add_resources)),
    ];
    share.ready = false;
    // A link that is without effect has to go before it can be made again.
    for (end, entities) in failed {
        for entity in entities {
            disassociate(&work.clients, &arn, end, &entity).await?;
            wait_until_at_rest(&work.clients, &arn, &work.patience).await?;
        }
    }
    retry_while(is_late, VISIBLE, VISIBLE_PACE, &work.patience, || {
        associate(&work.clients, &arn, &change.add_principals, &change.add_resources)
    })
    .await
    .map_err(explained)?;
    for (end, entities) in [(End::Principal, &change.remove_principals), (End::Resource, &change.remove_resources)] {
        for entity in entities {
            disassociate(&work.clients, &arn, end, entity).await?;
        }
    }
    settle(step, share).await
}

/// Whether RAM may know in a moment what it denies to exist.
fn is_late(error: &AwsError) -> bool {
    error.is_not_found() && !is_about_organization(error)
}

/// Where sharing with the organization is not turned on, RAM says that it does not find it. That is no documented
/// answer; it is known from reports of users.
fn is_about_organization(error: &AwsError) -> bool {
    error.is_not_found() && error.message.contains("Organization")
}

fn explained(error: AwsError) -> AwsError {
    if !is_about_organization(&error) {
        return error;
    }
    let message = format!(
        "{} (RAM also says so where sharing with the organization is not turned on; the management account turns it on in RAM's settings)",
        error.message
    );
    AwsError { message, ..error }
}

/// Waits until nothing about the share is on its way, and takes over what came of it.
async fn settle(step: &Step, share: &mut Share) -> Result<(), AwsError> {
    let links = wait_until_at_rest(&step.work.clients, &share.arn, &step.work.patience).await?;
    share.principals = links_of(&links, End::Principal);
    share.invited = invited(&links);
    share.resources = links_of(&links, End::Resource);
    share.ready = true;
    let failed: Vec<String> = links.iter().filter_map(Link::failure).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let call = Call::new(Service::Ram, "GetResourceShareAssociations", format!("resource share {}", share.arn));
    Err(call.error(Kind::Unexpected, failed.join("; ")))
}
