//! Endpoints that are adopted: looked at, and given a policy where one is written. Nothing else about them changes.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::group::known;
use super::{Done, Part, Step};
use crate::aws::ec2::vpc_endpoint::{EndpointChange, EndpointPolicy, find_vpc_endpoint, update_vpc_endpoint};
use crate::aws::{AwsError, Kind, VpcEndpointId};
use crate::framework::Value;
use crate::resources::private_domain::changes::policy_change;
use crate::resources::private_domain::desired::Desired;
use crate::resources::private_domain::read;
use crate::resources::private_domain::recorded::{Endpoint, Recorded};

/// Looks at an endpoint, and gives it its policy.
pub fn apply(step: Step, service: &str, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let id = known(&desired.existing_endpoint(service));
    let policy = desired.policy(service);
    let private_names = desired.service(service).map(|service| service.private_dns_names.clone());
    let before = state.adopted.get(service).cloned();
    async move {
        // Another endpoint took the place of the one before.
        let (before, other) = match before {
            Some(before) if before.id == id => (Some(before), None),
            other => (None, other),
        };
        if let Some(other) = other
            && let Err(error) = reset_policy(&step, &other).await
        {
            return step.failed(error);
        }
        let start = before.clone().unwrap_or_else(|| Endpoint::unseen(id.clone()));
        let start = Endpoint { private_names: private_names.unwrap_or(start.private_names.clone()), ..start };
        match look(&step, &start).await {
            Ok(found) => {
                let result = set_policy(&step, found.clone(), policy).await;
                step.ended(Part::Endpoint, found, result)
            }
            Err(error) => step.failed(error),
        }
    }
    .boxed()
}

/// Lets go of an endpoint: takes back the policy that was set here.
pub fn let_go(step: Step, endpoint: Option<Endpoint>) -> BoxFuture<'static, Done> {
    async move {
        let result = match endpoint {
            Some(endpoint) => reset_policy(&step, &endpoint).await,
            None => Ok(()),
        };
        step.deleted::<Endpoint>(Part::Endpoint, result)
    }
    .boxed()
}

async fn look(step: &Step, before: &Endpoint) -> Result<Endpoint, AwsError> {
    let clients = &step.work.clients;
    let id: &VpcEndpointId = &before.id;
    let call = crate::aws::Call::new(crate::aws::Service::Ec2, "DescribeVpcEndpoints", format!("VPC endpoint {id}"));
    let found = find_vpc_endpoint(clients, id).await?;
    let found = found.ok_or_else(|| call.error(Kind::NotFound, "it does not exist"))?;
    let addresses = read::endpoint_addresses(clients, &found).await?;
    Ok(read::endpoint(found, addresses, before, clients))
}

async fn set_policy(step: &Step, endpoint: Endpoint, wanted: Value<String>) -> Result<Endpoint, AwsError> {
    let change = policy_change(&wanted, endpoint.policy.as_deref(), endpoint.has_own_policy)
        .expect("during apply everything is known");
    let has_own_policy = wanted.is_known();
    let policy = match &change {
        None => endpoint.policy.clone(),
        Some(EndpointPolicy::FullAccess) => None,
        Some(EndpointPolicy::Document(policy)) => Some(policy.clone()),
    };
    let change = EndpointChange { policy: change, ..EndpointChange::default() };
    update_vpc_endpoint(&step.work.clients, &endpoint.id, &change).await?;
    Ok(Endpoint { policy, has_own_policy, ..endpoint })
}

async fn reset_policy(step: &Step, endpoint: &Endpoint) -> Result<(), AwsError> {
    if !endpoint.has_own_policy {
        return Ok(());
    }
    let change = EndpointChange { policy: Some(EndpointPolicy::FullAccess), ..EndpointChange::default() };
    match update_vpc_endpoint(&step.work.clients, &endpoint.id, &change).await {
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}
