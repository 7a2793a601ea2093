//! Interface endpoints.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::group::known;
use super::{Done, Part, Step};
use crate::aws::ec2::vpc_endpoint::{
    self, EndpointChange, NewInterfaceEndpoint, create_interface_endpoint, delete_vpc_endpoint, update_vpc_endpoint,
};
use crate::aws::tags::diff;
use crate::aws::{AwsError, Tags, VpcEndpointId, ec2};
use crate::framework::Value;
use crate::resources::private_domain::changes::{address_type, endpoint_change, endpoint_groups, private_dns_scope};
use crate::resources::private_domain::desired::{Desired, speaks_ipv6};
use crate::resources::private_domain::read;
use crate::resources::private_domain::recorded::{Endpoint, Place, Recorded};

/// Makes or changes an endpoint.
pub fn apply(step: Step, service: &str, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let tags = known(&desired.tags);
    match state.endpoints.get(service).cloned() {
        Some(endpoint) => {
            let change = endpoint_change(desired, state, service, &endpoint)
                .expect("during apply everything is known, and the group is made before");
            let wanted = Endpoint {
                asked: match desired.place(service) {
                    Value::Known(place) => place,
                    Value::Null | Value::Unknown => endpoint.asked.clone(),
                },
                has_own_policy: desired.policy(service).is_known(),
                tags,
                ..endpoint.clone()
            };
            async move {
                let result = update(&step, &endpoint, &change, wanted).await;
                step.ended(Part::Endpoint, Endpoint { ready: false, ..endpoint }, result)
            }
            .boxed()
        }
        None => {
            let found = desired.service(service).expect("the service was looked up before");
            let place = known(&desired.place(service));
            let new = NewInterfaceEndpoint {
                vpc_id: known(&desired.vpc).vpc_id,
                service_name: found.name.clone(),
                subnet_ids: place.subnet_ids.clone(),
                security_group_ids: endpoint_groups(desired, state).expect("the group is made before"),
                private_dns_enabled: known(&desired.private_dns_enabled),
                address_type: speaks_ipv6(found).then(|| address_type(place.dual_stack)),
                private_dns_scope: private_dns_scope(desired, service).expect("during apply everything is known"),
                policy: desired.policy(service).into_known(),
                tags: step.work.tags(&tags, &step.part),
                client_token: step.work.token(&step.part),
            };
            create(step, new, place, found.private_dns_names.clone(), tags).boxed()
        }
    }
}

/// Deletes an endpoint, and waits until its interfaces are gone with it.
pub fn delete(step: Step, endpoint: Option<Endpoint>) -> BoxFuture<'static, Done> {
    async move {
        let result = match endpoint {
            Some(endpoint) => delete_and_wait(&step, &endpoint.id).await,
            None => Ok(()),
        };
        step.deleted(Part::Endpoint, result)
    }
    .boxed()
}

async fn create(step: Step, new: NewInterfaceEndpoint, place: Place, private_names: Vec<String>, tags: Tags) -> Done {
    let id = match create_interface_endpoint(&step.work.clients, &new).await {
        Ok(id) => id,
        Err(error) => return step.failed(error),
    };
    let made = Endpoint {
        asked: place.clone(),
        place,
        security_group_ids: new.security_group_ids,
        private_dns_enabled: new.private_dns_enabled,
        private_dns_scope: new.private_dns_scope,
        has_own_policy: new.policy.is_some(),
        policy: new.policy,
        private_names,
        tags,
        ..Endpoint::unseen(id)
    };
    let result = when_available(&step, made.clone()).await;
    step.ended(Part::Endpoint, made, result)
}

async fn update(
    step: &Step,
    endpoint: &Endpoint,
    change: &EndpointChange,
    wanted: Endpoint,
) -> Result<Endpoint, AwsError> {
    let clients = &step.work.clients;
    if !endpoint.ready {
        vpc_endpoint::wait_until_available(clients, &endpoint.id, &step.work.patience).await?;
    }
    ec2::tags::update_tags(clients, endpoint.id.as_str(), &diff(&endpoint.tags, &wanted.tags)).await?;
    update_vpc_endpoint(clients, &endpoint.id, change).await?;
    when_available(step, wanted).await
}

async fn when_available(step: &Step, wanted: Endpoint) -> Result<Endpoint, AwsError> {
    let clients = &step.work.clients;
    let found = vpc_endpoint::wait_until_available(clients, &wanted.id, &step.work.patience).await?;
    let addresses = read::endpoint_addresses(clients, &found).await?;
    // The tags are as they were just set, ours aside; EC2 shows them a moment later.
    Ok(Endpoint { tags: wanted.tags.clone(), ..read::endpoint(found, addresses, &wanted, clients) })
}

/// Deletes an endpoint of whatever kind, and waits until it is gone.
pub(super) async fn delete_and_wait(step: &Step, id: &VpcEndpointId) -> Result<(), AwsError> {
    delete_vpc_endpoint(&step.work.clients, id).await?;
    vpc_endpoint::wait_until_deleted(&step.work.clients, id, &step.work.patience).await
}
