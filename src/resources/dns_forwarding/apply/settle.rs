//! Waiting until nothing about an endpoint is on its way any more.
//!
//! **Invariant:** judges an endpoint by its addresses. Its own status says `ACTION_NEEDED` for a while on the way up.

use std::time::Duration;

use crate::aws::route53resolver::endpoint::{EndpointStatus, ResolverEndpoint, find_resolver_endpoint, list_addresses};
use crate::aws::wait::{Judgement, Pace, retry_while, until};
use crate::aws::{AwsError, Call, Kind, ResolverEndpointId, Service};
use crate::resources::common::Work;
use crate::resources::dns_forwarding::read;
use crate::resources::dns_forwarding::recorded::{Address, State};

/// An endpoint takes about two minutes to make and six to change. Resolver allows five requests a second per account
/// and Region, and one look makes two.
const PACE: Pace = Pace::millis(10_000, 5_000, 20_000);
/// The same for an endpoint that is most likely at rest.
const AT_ONCE: Pace = Pace::millis(0, 5_000, 20_000);
/// How long Resolver may deny that what it has just made exists.
const VISIBLE: Duration = Duration::from_secs(60);

/// When to look for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// Something was just changed, which takes a while.
    AfterAChange,
    /// It is most likely at rest.
    AtOnce,
}

/// Waits until an endpoint and its addresses are at rest, and `is_there` holds of the addresses. Addresses may have
/// failed by then.
///
/// # Errors
/// `Unexpected` when the endpoint is deleted meanwhile, `TimedOut` and `Interrupted` with the state last seen.
pub async fn settled(
    work: &Work,
    id: &ResolverEndpointId,
    first: First,
    is_there: impl Fn(&[Address]) -> bool,
) -> Result<(ResolverEndpoint, Vec<Address>), AwsError> {
    let pace = match first {
        First::AfterAChange => PACE,
        First::AtOnce => AT_ONCE,
    };
    until(&call(id), "at rest", pace, &work.patience, || async {
        let Some(endpoint) = find_resolver_endpoint(&work.clients, id).await? else {
            return Ok(Judgement::Failed("it does not exist any more".to_owned()));
        };
        let found = list_addresses(&work.clients, id).await?;
        let addresses = found.into_iter().map(read::address).collect();
        Ok(judge(endpoint, addresses, &is_there))
    })
    .await
}

/// Waits until Resolver shows an endpoint that it has just made.
///
/// # Errors
/// `NotFound` when it does not show it for a minute.
pub async fn visible(work: &Work, id: &ResolverEndpointId) -> Result<ResolverEndpoint, AwsError> {
    retry_while(AwsError::is_not_found, VISIBLE, AT_ONCE, &work.patience, || async {
        let found = find_resolver_endpoint(&work.clients, id).await?;
        found.ok_or_else(|| call(id).error(Kind::NotFound, "it is not visible yet"))
    })
    .await
}

/// The error for addresses that failed.
pub fn failure<'a>(id: &ResolverEndpointId, addresses: impl IntoIterator<Item = &'a Address>) -> Result<(), AwsError> {
    let failed = addresses.into_iter().filter_map(|one| Some(format!("{} is {}", one.name(), one.failure()?)));
    let failed: Vec<_> = failed.collect();
    if failed.is_empty() { Ok(()) } else { Err(call(id).error(Kind::Unexpected, failed.join("; "))) }
}

fn call(id: &ResolverEndpointId) -> Call {
    Call::new(Service::Route53Resolver, "GetResolverEndpoint", format!("Resolver endpoint {id}"))
}

fn judge(
    endpoint: ResolverEndpoint,
    addresses: Vec<Address>,
    is_there: &impl Fn(&[Address]) -> bool,
) -> Judgement<(ResolverEndpoint, Vec<Address>)> {
    let is_moving = |one: &Address| matches!(one.state, State::Coming | State::Going);
    let status = format!("{:?}", endpoint.status);
    match endpoint.status {
        EndpointStatus::Operational | EndpointStatus::ActionNeeded => {
            if addresses.is_empty() || addresses.iter().any(is_moving) || !is_there(&addresses) {
                Judgement::Pending(format!("{status}, with addresses on their way"))
            } else {
                Judgement::Ready((endpoint, addresses))
            }
        }
        EndpointStatus::Creating | EndpointStatus::Updating | EndpointStatus::AutoRecovering => {
            Judgement::Pending(status)
        }
        EndpointStatus::Deleting | EndpointStatus::Other(_) => Judgement::Failed(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::route53resolver::endpoint::{Direction, ResolverAddressType};

    fn an_endpoint(status: EndpointStatus) -> ResolverEndpoint {
        ResolverEndpoint {
            id: "rslvr-in-1".into(),
            arn: "arn".to_owned(),
            name: "dns".to_owned(),
            direction: Some(Direction::Inbound),
            vpc_id: "vpc-1".into(),
            security_group_ids: ["sg-1".into()].into(),
            status,
            status_message: None,
            address_type: Some(ResolverAddressType::Ipv4),
            protocols: ["Do53".to_owned()].into(),
            creator_request_id: "r".to_owned(),
        }
    }

    fn an_address(state: State) -> Address {
        Address { id: "rni-1".into(), subnet_id: "subnet-a".into(), ipv4: None, ipv6: None, state }
    }

    fn judged(status: EndpointStatus, state: State) -> Judgement<()> {
        judge(an_endpoint(status), vec![an_address(state)], &|_| true).map(|_| ())
    }

    #[test]
    fn action_needed_is_judged_by_the_addresses() {
        assert_eq!(judged(EndpointStatus::ActionNeeded, State::Attached), Judgement::Ready(()));
        assert!(matches!(judged(EndpointStatus::ActionNeeded, State::Coming), Judgement::Pending(_)));
        assert_eq!(
            judged(EndpointStatus::ActionNeeded, State::Failed("FAILED_CREATION".to_owned())),
            Judgement::Ready(())
        );
    }

    #[test]
    fn an_operational_endpoint_waits_for_its_addresses() {
        assert_eq!(judged(EndpointStatus::Operational, State::Attached), Judgement::Ready(()));
        assert!(matches!(judged(EndpointStatus::Operational, State::Going), Judgement::Pending(_)));
        assert!(matches!(judged(EndpointStatus::Updating, State::Attached), Judgement::Pending(_)));
        assert!(matches!(judged(EndpointStatus::Deleting, State::Attached), Judgement::Failed(_)));
    }

    #[test]
    fn a_failed_address_is_named_with_its_reason() {
        let failed = an_address(State::Failed("FAILED_CREATION (no capacity)".to_owned()));
        let error = failure(&"rslvr-in-1".into(), &[failed]).unwrap_err();
        assert_eq!(error.message, "rni-1 in subnet-a is FAILED_CREATION (no capacity)");
        assert!(failure(&"rslvr-in-1".into(), &[an_address(State::Attached)]).is_ok());
    }
}
