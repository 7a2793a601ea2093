//! Interface endpoints.

use std::collections::BTreeSet;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::group::known;
use super::{Done, Part, Step};
use crate::aws::ec2::vpc_endpoint::EndpointChange;
use crate::aws::ec2::vpc_endpoint::{
    self, NewInterfaceEndpoint, create_interface_endpoint, delete_vpc_endpoint, update_vpc_endpoint,
};
use crate::aws::tags::diff;
use crate::aws::{AwsError, SubnetId, Tags, VpcId, ec2};
use crate::framework::Value;
use crate::resources::private_domain::desired::Desired;
use crate::resources::private_domain::recorded::{Endpoint, Recorded};
use crate::resources::private_domain::{plan, read};

/// Makes or changes an endpoint.
pub fn apply(step: Step, service: &str, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let tags = known(&desired.tags);
    match state.endpoints.get(service).cloned() {
        Some(endpoint) => {
            let change = plan::endpoint_change(desired, state, service, &endpoint)
                .expect("during apply everything is known, and the group is made before");
            let asked = match desired.endpoint_subnets(service) {
                Value::Known(subnets) => subnets,
                Value::Null | Value::Unknown => endpoint.asked_subnet_ids.clone(),
            };
            async move {
                let result = update(&step, endpoint.clone(), &change, &asked, &tags).await;
                step.ended(Part::Endpoint, Endpoint { ready: false, ..endpoint }, result)
            }
            .boxed()
        }
        None => {
            let new = NewInterfaceEndpoint {
                vpc_id: VpcId::from(known(&desired.vpc_id)),
                service_name: desired.service_name(service).expect("the service was looked up before").to_owned(),
                subnet_ids: known(&desired.endpoint_subnets(service)),
                security_group_ids: plan::endpoint_groups(desired, state).expect("the group is made before"),
                private_dns_enabled: known(&desired.private_dns_enabled),
                address_type: None,
                policy: None,
                tags: step.work.tags(&tags, &step.part),
                client_token: step.work.token(&step.part),
            };
            create(step, new, tags).boxed()
        }
    }
}

/// Deletes an endpoint, and waits until its interfaces are gone with it.
pub fn delete(step: Step, endpoint: Option<Endpoint>) -> BoxFuture<'static, Done> {
    async move {
        let result = match endpoint {
            Some(endpoint) => delete_and_wait(&step, &endpoint).await,
            None => Ok(()),
        };
        step.deleted(Part::Endpoint, result)
    }
    .boxed()
}

async fn create(step: Step, new: NewInterfaceEndpoint, tags: Tags) -> Done {
    let id = match create_interface_endpoint(&step.work.clients, &new).await {
        Ok(id) => id,
        Err(error) => return step.failed(error),
    };
    let made = Endpoint {
        id,
        ready: false,
        asked_subnet_ids: new.subnet_ids.clone(),
        subnet_ids: new.subnet_ids,
        security_group_ids: new.security_group_ids,
        private_dns_enabled: new.private_dns_enabled,
        dns: None,
        addresses: Vec::new(),
        tags,
    };
    let result = when_available(&step, made.clone()).await;
    step.ended(Part::Endpoint, made, result)
}

async fn update(
    step: &Step,
    endpoint: Endpoint,
    change: &EndpointChange,
    asked: &BTreeSet<SubnetId>,
    tags: &Tags,
) -> Result<Endpoint, AwsError> {
    let clients = &step.work.clients;
    if !endpoint.ready {
        vpc_endpoint::wait_until_available(clients, &endpoint.id, &step.work.patience).await?;
    }
    ec2::tags::update_tags(clients, endpoint.id.as_str(), &diff(&endpoint.tags, tags)).await?;
    update_vpc_endpoint(clients, &endpoint.id, change).await?;
    let asked_subnet_ids = asked.clone();
    when_available(step, Endpoint { asked_subnet_ids, tags: tags.clone(), ..endpoint }).await
}

async fn when_available(step: &Step, endpoint: Endpoint) -> Result<Endpoint, AwsError> {
    let clients = &step.work.clients;
    let found = vpc_endpoint::wait_until_available(clients, &endpoint.id, &step.work.patience).await?;
    let addresses = read::endpoint_addresses(clients, &found).await?;
    // The tags are as they were just set, ours aside; EC2 shows them a moment later.
    Ok(Endpoint { tags: endpoint.tags, ..read::endpoint(found, addresses, &endpoint.asked_subnet_ids, clients) })
}

async fn delete_and_wait(step: &Step, endpoint: &Endpoint) -> Result<(), AwsError> {
    delete_vpc_endpoint(&step.work.clients, &endpoint.id).await?;
    vpc_endpoint::wait_until_deleted(&step.work.clients, &endpoint.id, &step.work.patience).await
}
