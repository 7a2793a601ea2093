//! The gateway endpoint for S3.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::endpoint::delete_and_wait;
use super::group::known;
use super::{Done, Part, Step};
use crate::aws::ec2::vpc_endpoint::{EndpointChange, NewGatewayEndpoint, create_gateway_endpoint, update_vpc_endpoint};
use crate::aws::tags::diff;
use crate::aws::{AwsError, ec2};
use crate::resources::private_domain::changes::gateway_change;
use crate::resources::private_domain::desired::Desired;
use crate::resources::private_domain::key::GATEWAY;
use crate::resources::private_domain::recorded::{Gateway, Recorded};

/// Makes or changes the gateway endpoint. EC2 has it available at once.
pub fn apply(step: Step, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let tags = known(&desired.tags);
    let policy = desired.policy(GATEWAY).into_known();
    let route_table_ids = known(&desired.route_tables);
    if let Some(gateway) = state.gateway.clone() {
        let change = gateway_change(desired, &gateway).expect("during apply everything is known");
        let wanted = Gateway { route_table_ids, has_own_policy: policy.is_some(), policy, tags, ..gateway.clone() };
        return async move {
            let result = update(&step, &gateway, &change, wanted).await;
            step.ended(Part::Gateway, gateway, result)
        }
        .boxed();
    }
    let new = NewGatewayEndpoint {
        vpc_id: known(&desired.vpc).vpc_id,
        service_name: desired.service(GATEWAY).expect("the service was looked up before").name.clone(),
        route_table_ids,
        policy,
        tags: step.work.tags(&tags, &step.part),
        client_token: step.work.token(&step.part),
    };
    async move {
        match create_gateway_endpoint(&step.work.clients, &new).await {
            Ok(id) => {
                let route_table_ids = new.route_table_ids;
                let has_own_policy = new.policy.is_some();
                let made = Gateway { id, route_table_ids, has_own_policy, policy: new.policy, tags };
                step.ended(Part::Gateway, made.clone(), Ok(made))
            }
            Err(error) => step.failed(explained(error)),
        }
    }
    .boxed()
}

/// EC2 names the route, not what made it.
fn explained(error: AwsError) -> AwsError {
    if !error.has_code("RouteAlreadyExists") {
        return error;
    }
    let message = format!(
        "{}: another gateway endpoint for S3 serves that table. Take it out of endpoints.s3_gateway_route_table_ids, or out of the other endpoint",
        error.message.trim_end_matches('.')
    );
    AwsError { message, ..error }
}

/// Deletes the gateway endpoint, and its routes with it.
pub fn delete(step: Step, gateway: Option<Gateway>) -> BoxFuture<'static, Done> {
    async move {
        let result = match gateway {
            Some(gateway) => delete_and_wait(&step, &gateway.id).await,
            None => Ok(()),
        };
        step.deleted::<Gateway>(Part::Gateway, result)
    }
    .boxed()
}

async fn update(step: &Step, gateway: &Gateway, change: &EndpointChange, wanted: Gateway) -> Result<Gateway, AwsError> {
    let clients = &step.work.clients;
    ec2::tags::update_tags(clients, gateway.id.as_str(), &diff(&gateway.tags, &wanted.tags)).await?;
    update_vpc_endpoint(clients, &gateway.id, change).await.map_err(explained)?;
    // A policy that is not written here stays as it is.
    let policy = wanted.policy.clone().or_else(|| gateway.policy.clone().filter(|_| change.policy.is_none()));
    Ok(Gateway { policy, ..wanted })
}
