//! Changes of an endpoint's addresses, one at a time.
//!
//! **Invariant:** between two changes the endpoint is at rest.

use std::collections::BTreeSet;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::settle::{First, failure, settled};
use super::{Done, Part, Step};
use crate::aws::route53resolver::endpoint::{NewAddress, associate_address, disassociate_address};
use crate::aws::{AwsError, ResolverAddressId, ResolverEndpointId};
use crate::resources::dns_forwarding::addresses::{Move, Slot, in_order, next_move_but};
use crate::resources::dns_forwarding::changes::held;
use crate::resources::dns_forwarding::desired::Desired;
use crate::resources::dns_forwarding::key::Side;
use crate::resources::dns_forwarding::recorded::{Address, Recorded};

/// Adds and removes addresses until they are as wanted, but for those that rules still need.
pub fn apply(step: Step, side: &Side, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let held = if *side == Side::Inbound { held(desired, state) } else { BTreeSet::new() };
    exchange(step, side, desired, state, held)
}

/// Does the rest, once no rule asks an old address any more.
pub fn finish(step: Step, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    exchange(step, &Side::Inbound, desired, state, BTreeSet::new())
}

fn exchange(
    step: Step,
    side: &Side,
    desired: &Desired,
    state: &Recorded,
    held: BTreeSet<ResolverAddressId>,
) -> BoxFuture<'static, Done> {
    let wanted = desired.end(side).expect("an endpoint that has addresses is wanted");
    let slots = wanted.slots().expect("during apply everything is known");
    let endpoint = state.end(side).endpoint.expect("the endpoint is made before");
    let (id, mut addresses) = (endpoint.id, endpoint.addresses);
    async move {
        let result = change(&step, &id, &slots, &held, &mut addresses).await;
        step.ended(Part::Addresses(addresses), result)
    }
    .boxed()
}

async fn change(
    step: &Step,
    id: &ResolverEndpointId,
    slots: &[Slot],
    held: &BTreeSet<ResolverAddressId>,
    addresses: &mut Vec<Address>,
) -> Result<(), AwsError> {
    let clients = &step.work.clients;
    look(step, id, addresses, First::AtOnce, |_| true).await?;
    while let Some(next) = next_move_but(slots, addresses, held) {
        match next {
            Move::Add(slot) => {
                let new = NewAddress { subnet_id: slot.subnet_id.clone(), ipv4: slot.ip, ipv6: slot.ipv6 };
                let before = addresses.clone();
                let is_new = |one: &&Address| !before.iter().any(|other| other.id == one.id);
                associate_address(clients, id, &new).await?;
                look(step, id, addresses, First::AfterAChange, |now| now.iter().any(|one| is_new(&one))).await?;
                failure(id, addresses.iter().filter(is_new))?;
            }
            Move::Remove(address) => {
                disassociate_address(clients, id, &address).await?;
                let is_gone = |now: &[Address]| now.iter().all(|one| one.id != address);
                look(step, id, addresses, First::AfterAChange, is_gone).await?;
            }
        }
    }
    Ok(())
}

async fn look(
    step: &Step,
    id: &ResolverEndpointId,
    addresses: &mut Vec<Address>,
    first: First,
    is_there: impl Fn(&[Address]) -> bool,
) -> Result<(), AwsError> {
    let (_, found) = settled(&step.work, id, first, is_there).await?;
    *addresses = in_order(addresses, found);
    Ok(())
}
