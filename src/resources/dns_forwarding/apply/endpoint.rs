//! The endpoints.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::settle::{First, failure, settled, visible};
use super::{Done, Part, Step, known};
use crate::aws::route53resolver::endpoint::{
    Direction, NewAddress, NewResolverEndpoint, ResolverEndpoint, ResolverEndpointChange, create_resolver_endpoint,
    delete_resolver_endpoint, list_addresses, list_resolver_endpoints, update_resolver_endpoint, wait_until_deleted,
};
use crate::aws::route53resolver::tags::update_tags;
use crate::aws::tags::{PART, diff};
use crate::aws::wait::{Pace, retry_while};
use crate::aws::{AwsError, Kind, ResolverEndpointId, TagChange, Tags, VpcId};
use crate::resources::common::Work;
use crate::resources::dns_forwarding::addresses::in_order;
use crate::resources::dns_forwarding::desired::Desired;
use crate::resources::dns_forwarding::key::{Key, Side};
use crate::resources::dns_forwarding::recorded::{Address, Endpoint, Recorded};
use crate::resources::dns_forwarding::{changes, read};

/// How long an endpoint that is being made or changed may refuse to be deleted.
const RELEASE: Duration = Duration::from_secs(10 * 60);
/// How often to try again meanwhile.
const RELEASE_PACE: Pace = Pace::millis(0, 5_000, 20_000);

/// Makes or changes the endpoint.
pub fn apply(step: Step, side: &Side, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let tags = known(&desired.tags);
    let end = state.end(side);
    if let Some(mut endpoint) = end.endpoint.clone() {
        let change = changes::endpoint_change(desired, side, &endpoint).expect("during apply everything is known");
        return async move {
            let result = update(&step, &mut endpoint, &change, tags).await;
            step.ended(Part::Endpoint(Some(Box::new(endpoint))), result)
        }
        .boxed();
    }
    let wanted = desired.end(side).expect("an endpoint that is made is wanted");
    let slots = wanted.slots().expect("during apply everything is known");
    let new = NewResolverEndpoint {
        name: known(&desired.name),
        direction: if *side == Side::Inbound { Direction::Inbound } else { Direction::Outbound },
        security_group_ids: changes::endpoint_groups(desired, side, &end).expect("the group is made before"),
        addresses: slots
            .into_iter()
            .map(|slot| NewAddress { subnet_id: slot.subnet_id, ipv4: slot.ip, ipv6: slot.ipv6 })
            .collect(),
        address_type: known(&wanted.address_type),
        protocols: changes::endpoint_protocols(desired, side).expect("during apply everything is known"),
        tags: step.work.tags(&tags, &step.key.part_in_the_making()),
        creator_request_id: step.work.token(&step.key.part()),
    };
    create(step, new, VpcId::from(known(&wanted.vpc_id)), tags).boxed()
}

/// Deletes the endpoint, and waits until its interfaces are gone with it. One that was adopted is let go of.
pub fn delete(step: Step, endpoint: Option<Endpoint>) -> BoxFuture<'static, Done> {
    async move {
        let result = match endpoint.filter(|endpoint| !endpoint.adopted) {
            Some(endpoint) => delete_and_wait(&step, &endpoint).await,
            None => Ok(()),
        };
        step.deleted(Part::Endpoint(None), result)
    }
    .boxed()
}

/// Takes the mark off the endpoints that a run has made, at its end.
///
/// From then on they are recorded, so whatever the run came to, they are no longer what a killed run left behind.
///
/// # Errors
/// Whatever Resolver refuses. The mark then stays, and the next apply takes it off.
pub async fn unmark(work: &Work, recorded: &mut Recorded) -> Result<(), AwsError> {
    for side in [Side::Inbound, Side::Outbound] {
        let Some(endpoint) = recorded.end(&side).endpoint.filter(|endpoint| endpoint.marked) else {
            continue;
        };
        // Without an ARN it was not visible yet; the next look finds the mark.
        if endpoint.arn.is_empty() {
            continue;
        }
        let part = Key::Endpoint(side.clone()).part();
        let change = TagChange { set: [(PART.to_owned(), part)].into(), ..TagChange::default() };
        update_tags(&work.clients, &endpoint.arn, &change).await?;
        recorded.change_end(&side, |end| {
            if let Some(endpoint) = &mut end.endpoint {
                endpoint.marked = false;
            }
        });
    }
    Ok(())
}

async fn create(step: Step, new: NewResolverEndpoint, vpc_id: VpcId, tags: Tags) -> Done {
    let id = match create_resolver_endpoint(&step.work.clients, &new).await {
        Ok(id) => id,
        Err(error) => match made_before(&step, &new, &vpc_id, error).await {
            Ok(id) => id,
            Err(error) => return step.failed(error),
        },
    };
    let mut made = Endpoint {
        id,
        arn: String::new(),
        name: new.name,
        vpc_id: vpc_id.to_string(),
        ready: false,
        marked: true,
        adopted: false,
        security_group_ids: new.security_group_ids,
        protocols: new.protocols,
        address_type: new.address_type.as_str().to_owned(),
        addresses: Vec::new(),
        tags,
    };
    let result = match finish(&step, &mut made).await {
        Ok(()) => failure(&made.id, &made.addresses),
        Err(error) => Err(error),
    };
    step.ended(Part::Endpoint(Some(Box::new(made))), result)
}

/// A request id is used up by a call whose answer was lost; the endpoint that bears it is the one.
async fn made_before(
    step: &Step,
    new: &NewResolverEndpoint,
    vpc_id: &VpcId,
    error: AwsError,
) -> Result<ResolverEndpointId, AwsError> {
    if error.kind != Kind::AlreadyExists {
        return Err(error);
    }
    let endpoints = list_resolver_endpoints(&step.work.clients, Some(vpc_id)).await?;
    let made = endpoints.into_iter().find(|endpoint| endpoint.creator_request_id == new.creator_request_id);
    made.map(|endpoint| endpoint.id).ok_or(error)
}

/// Waits until a new endpoint is at rest. Its addresses may have failed by then.
async fn finish(step: &Step, endpoint: &mut Endpoint) -> Result<(), AwsError> {
    let found = visible(&step.work, &endpoint.id).await?;
    take(endpoint, found);
    let waited = wait(step, endpoint).await;
    if waited.is_err() {
        // What there is now says more than nothing; if it cannot be read, the next read will.
        if let Ok(found) = list_addresses(&step.work.clients, &endpoint.id).await {
            endpoint.addresses = ordered(endpoint, found.into_iter().map(read::address).collect());
        }
    }
    waited?;
    endpoint.ready = true;
    Ok(())
}

async fn update(
    step: &Step,
    endpoint: &mut Endpoint,
    change: &ResolverEndpointChange,
    tags: Tags,
) -> Result<(), AwsError> {
    let clients = &step.work.clients;
    if !endpoint.ready {
        finish(step, endpoint).await?;
    }
    update_tags(clients, &endpoint.arn, &diff(&endpoint.tags, &tags)).await?;
    endpoint.tags = tags;
    for change in one_by_one(endpoint, change) {
        // A change of an endpoint that is being changed, by Resolver or somebody else, is refused.
        let (found, _) = settled(&step.work, &endpoint.id, First::AtOnce, |_| true).await?;
        take(endpoint, found);
        update_resolver_endpoint(clients, &endpoint.id, &change).await?;
        wait(step, endpoint).await?;
    }
    Ok(())
}

/// The calls that a change takes: one, or more where protocols cannot be changed at once.
fn one_by_one(endpoint: &Endpoint, change: &ResolverEndpointChange) -> Vec<ResolverEndpointChange> {
    let Some(protocols) = &change.protocols else {
        return if change.is_empty() { Vec::new() } else { vec![change.clone()] };
    };
    let mut calls: Vec<ResolverEndpointChange> = changes::protocol_path(&endpoint.protocols, protocols)
        .into_iter()
        .map(|protocols| ResolverEndpointChange { protocols: Some(protocols), ..ResolverEndpointChange::default() })
        .collect();
    if let Some(first) = calls.first_mut() {
        first.name = change.name.clone();
        first.address_type = change.address_type;
        first.ipv6 = change.ipv6.clone();
    }
    calls
}

async fn wait(step: &Step, endpoint: &mut Endpoint) -> Result<(), AwsError> {
    let (found, addresses) = settled(&step.work, &endpoint.id, First::AfterAChange, |_| true).await?;
    endpoint.addresses = ordered(endpoint, addresses);
    take(endpoint, found);
    Ok(())
}

fn ordered(endpoint: &Endpoint, found: Vec<Address>) -> Vec<Address> {
    in_order(&endpoint.addresses, found)
}

/// Takes over what Resolver says of the endpoint itself.
fn take(endpoint: &mut Endpoint, found: ResolverEndpoint) {
    endpoint.protocols = read::protocols(&found);
    endpoint.address_type = read::family(&found);
    endpoint.arn = found.arn;
    endpoint.name = found.name;
    endpoint.vpc_id = found.vpc_id.to_string();
    endpoint.security_group_ids = found.security_group_ids;
}

async fn delete_and_wait(step: &Step, endpoint: &Endpoint) -> Result<(), AwsError> {
    let (work, id) = (&step.work, &endpoint.id);
    // An endpoint that is still being made may not be deletable yet; what Resolver answers then is not documented.
    let is_busy = |error: &AwsError| error.kind == Kind::Conflict || (!endpoint.ready && error.kind == Kind::Invalid);
    retry_while(is_busy, RELEASE, RELEASE_PACE, &work.patience, || delete_resolver_endpoint(&work.clients, id)).await?;
    wait_until_deleted(&work.clients, id, &work.patience).await
}
