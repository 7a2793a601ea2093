//! VPC endpoints: interface endpoints, and the gateway endpoint for S3.

use std::collections::BTreeSet;

use aws_sdk_ec2 as ec2;

pub use super::vpc_endpoint_types::*;
use super::{call, filter, tag_filter, tags};
use crate::aws::wait::{Judgement, Pace, Patience, Visibility, until};
use crate::aws::{AwsError, Call, Clients, SecurityGroupId, SubnetId, Tags, VpcEndpointId, VpcId, names, some_names};

/// An interface endpoint takes one to two minutes to make, and about as long to delete.
const PACE: Pace = Pace::millis(3_000, 3_000, 15_000);

/// An interface endpoint to be made.
#[derive(Debug, Clone)]
pub struct NewInterfaceEndpoint {
    /// The VPC it is to be in.
    pub vpc_id: VpcId,
    /// The service's whole name.
    pub service_name: String,
    /// One subnet per zone.
    pub subnet_ids: BTreeSet<SubnetId>,
    /// Its security groups.
    pub security_group_ids: BTreeSet<SecurityGroupId>,
    /// Whether the VPC's resolver is to answer for the service's names with this endpoint.
    pub private_dns_enabled: bool,
    /// The family of its addresses. `None` leaves the choice to AWS.
    pub address_type: Option<AddressType>,
    /// Whom private DNS answers. Only for services that have gateways too; `None` leaves the choice to AWS.
    pub private_dns_scope: Option<PrivateDnsScope>,
    /// Its policy document. `None` gives it AWS's default, full access.
    pub policy: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// Up to 64 ASCII characters. A second call with the same token gives the same endpoint.
    pub client_token: String,
}

/// A gateway endpoint to be made.
#[derive(Debug, Clone)]
pub struct NewGatewayEndpoint {
    /// The VPC it is to be in.
    pub vpc_id: VpcId,
    /// The service's whole name.
    pub service_name: String,
    /// The route tables that get a route to it.
    pub route_table_ids: BTreeSet<crate::aws::RouteTableId>,
    /// Its policy document. `None` gives it AWS's default, full access.
    pub policy: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// Up to 64 ASCII characters. A second call with the same token gives the same endpoint.
    pub client_token: String,
}

/// Starts to make an interface endpoint. It is there at once and available later.
///
/// # Errors
/// `Conflict` when a hosted zone or another endpoint serves the private DNS name in this VPC,
/// `LimitExceeded` for the VPC's quota of endpoints, `Invalid` for a zone without the service.
pub async fn create_interface_endpoint(
    clients: &Clients,
    new: &NewInterfaceEndpoint,
) -> Result<VpcEndpointId, AwsError> {
    let call = creating(&new.service_name, &new.vpc_id);
    let request = clients
        .ec2()
        .create_vpc_endpoint()
        .vpc_endpoint_type(ec2::types::VpcEndpointType::Interface)
        .vpc_id(new.vpc_id.as_str())
        .service_name(&new.service_name)
        .set_subnet_ids(some_names(&new.subnet_ids))
        .set_security_group_ids(some_names(&new.security_group_ids))
        .private_dns_enabled(new.private_dns_enabled)
        .set_ip_address_type(new.address_type.map(AddressType::to_ec2))
        .set_dns_options(dns_options(new.address_type, new.private_dns_scope))
        .set_policy_document(new.policy.clone())
        .set_tag_specifications(tags::specification(ec2::types::ResourceType::VpcEndpoint, &new.tags))
        .client_token(&new.client_token);
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    id_of(&call, answer.vpc_endpoint())
}

/// Makes a gateway endpoint.
///
/// # Errors
/// `AlreadyExists` when one of the route tables has a route to the service.
pub async fn create_gateway_endpoint(clients: &Clients, new: &NewGatewayEndpoint) -> Result<VpcEndpointId, AwsError> {
    let call = creating(&new.service_name, &new.vpc_id);
    let request = clients
        .ec2()
        .create_vpc_endpoint()
        .vpc_endpoint_type(ec2::types::VpcEndpointType::Gateway)
        .vpc_id(new.vpc_id.as_str())
        .service_name(&new.service_name)
        .set_route_table_ids(some_names(&new.route_table_ids))
        .set_policy_document(new.policy.clone())
        .set_tag_specifications(tags::specification(ec2::types::ResourceType::VpcEndpoint, &new.tags))
        .client_token(&new.client_token);
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    id_of(&call, answer.vpc_endpoint())
}

/// Looks an endpoint up by id. One that is deleted, which EC2 still shows for a while, is `None`.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn find_vpc_endpoint(clients: &Clients, id: &VpcEndpointId) -> Result<Option<VpcEndpoint>, AwsError> {
    let found = list(clients, vec![filter("vpc-endpoint-id", [id])], format!("VPC endpoint {id}")).await?;
    Ok(found.into_iter().next())
}

/// Looks several endpoints up by their ids. Those that are not there are left out.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn list_vpc_endpoints_by_id(
    clients: &Clients,
    ids: &BTreeSet<VpcEndpointId>,
) -> Result<Vec<VpcEndpoint>, AwsError> {
    let mut found = Vec::new();
    // A filter takes 200 values at most (EC2 API reference, `Filter`).
    for ids in ids.iter().collect::<Vec<_>>().chunks(200) {
        found.extend(list(clients, vec![filter("vpc-endpoint-id", ids.iter().copied())], names(ids).join(", ")).await?);
    }
    Ok(found)
}

/// Lists the endpoints of the Region that carry a tag.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn list_vpc_endpoints_by_tag(
    clients: &Clients,
    key: &str,
    value: &str,
) -> Result<Vec<VpcEndpoint>, AwsError> {
    list(clients, vec![tag_filter(key, value)], format!("VPC endpoints with tag {key}={value}")).await
}

/// Lists the endpoints of a VPC, for one service where a name is given.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn list_vpc_endpoints(
    clients: &Clients,
    vpc_id: &VpcId,
    service_name: Option<&str>,
) -> Result<Vec<VpcEndpoint>, AwsError> {
    let mut filters = vec![filter("vpc-id", [vpc_id])];
    filters.extend(service_name.map(|name| filter("service-name", [name])));
    list(clients, filters, format!("VPC endpoints in {vpc_id}")).await
}

/// Changes an endpoint. What the change does not name stays as it is; no change makes no call.
///
/// # Errors
/// `Conflict` when private DNS is turned on while something else serves the name in this VPC,
/// `NotFound` when the endpoint is gone.
pub async fn update_vpc_endpoint(
    clients: &Clients,
    id: &VpcEndpointId,
    change: &EndpointChange,
) -> Result<(), AwsError> {
    if change.is_empty() {
        return Ok(());
    }
    let (policy, reset) = match &change.policy {
        Some(EndpointPolicy::Document(document)) => (Some(document.clone()), None),
        Some(EndpointPolicy::FullAccess) => (None, Some(true)),
        None => (None, None),
    };
    let call = call("ModifyVpcEndpoint", format!("VPC endpoint {id}"));
    let request = clients
        .ec2()
        .modify_vpc_endpoint()
        .vpc_endpoint_id(id.as_str())
        .set_add_subnet_ids(some_names(&change.add_subnet_ids))
        .set_remove_subnet_ids(some_names(&change.remove_subnet_ids))
        .set_add_security_group_ids(some_names(&change.add_security_group_ids))
        .set_remove_security_group_ids(some_names(&change.remove_security_group_ids))
        .set_add_route_table_ids(some_names(&change.add_route_table_ids))
        .set_remove_route_table_ids(some_names(&change.remove_route_table_ids))
        .set_private_dns_enabled(change.private_dns_enabled)
        .set_ip_address_type(change.address_type.map(AddressType::to_ec2))
        .set_dns_options(dns_options(change.address_type, change.private_dns_scope))
        .set_policy_document(policy)
        .set_reset_policy(reset);
    request.send().await.map(drop).map_err(|error| call.failed(error))
}

/// Starts to delete an endpoint. What is gone counts as deleted.
///
/// # Errors
/// What EC2 lists as unsuccessful: the call itself answers 200 then.
pub async fn delete_vpc_endpoint(clients: &Clients, id: &VpcEndpointId) -> Result<(), AwsError> {
    let call = call("DeleteVpcEndpoints", format!("VPC endpoint {id}"));
    let request = clients.ec2().delete_vpc_endpoints().set_vpc_endpoint_ids(Some(names([id])));
    let outcome = match request.send().await {
        Ok(answer) => match answer.unsuccessful().first().and_then(ec2::types::UnsuccessfulItem::error) {
            Some(item) => {
                Err(call.answered(item.code().unwrap_or("Unsuccessful"), item.message().unwrap_or_default(), None))
            }
            None => Ok(()),
        },
        Err(error) => Err(call.failed(error)),
    };
    match outcome {
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}

/// Waits until an endpoint is available, after it was made or changed, and gives it as it is then.
///
/// # Errors
/// `Unexpected` when it goes another way, such as `failed` or `rejected`, with EC2's reason.
pub async fn wait_until_available(
    clients: &Clients,
    id: &VpcEndpointId,
    patience: &Patience,
) -> Result<VpcEndpoint, AwsError> {
    let visibility = Visibility::new();
    let looking = looking(id);
    until(&looking, "available", PACE, patience, || async {
        Ok(visibility.judge(look(clients, &looking, id).await?, judge_available))
    })
    .await
}

/// Waits until an endpoint is gone.
///
/// # Errors
/// `TimedOut` with the state last seen.
pub async fn wait_until_deleted(clients: &Clients, id: &VpcEndpointId, patience: &Patience) -> Result<(), AwsError> {
    let looking = looking(id);
    until(&looking, "deleted", PACE, patience, || async {
        Ok(match look(clients, &looking, id).await? {
            None => Judgement::Ready(()),
            Some(endpoint) => Judgement::Pending(endpoint.reason_or_state()),
        })
    })
    .await
}

fn judge_available(endpoint: VpcEndpoint) -> Judgement<VpcEndpoint> {
    match endpoint.state {
        EndpointState::Available => Judgement::Ready(endpoint),
        EndpointState::Pending => Judgement::Pending(endpoint.state.to_string()),
        EndpointState::PendingAcceptance
        | EndpointState::Deleting
        | EndpointState::Deleted
        | EndpointState::Rejected
        | EndpointState::Failed
        | EndpointState::Expired
        | EndpointState::Partial
        | EndpointState::Other(_) => Judgement::Failed(endpoint.reason_or_state()),
    }
}

fn creating(service_name: &str, vpc_id: &VpcId) -> Call {
    call("CreateVpcEndpoint", format!("VPC endpoint of {service_name} in {vpc_id}"))
}

fn looking(id: &VpcEndpointId) -> Call {
    call("DescribeVpcEndpoints", format!("VPC endpoint {id}"))
}

async fn look(clients: &Clients, call: &Call, id: &VpcEndpointId) -> Result<Option<VpcEndpoint>, AwsError> {
    Ok(list_for(clients, call, vec![filter("vpc-endpoint-id", [id])]).await?.into_iter().next())
}

async fn list(
    clients: &Clients,
    filters: Vec<ec2::types::Filter>,
    object: String,
) -> Result<Vec<VpcEndpoint>, AwsError> {
    list_for(clients, &call("DescribeVpcEndpoints", object), filters).await
}

async fn list_for(
    clients: &Clients,
    call: &Call,
    filters: Vec<ec2::types::Filter>,
) -> Result<Vec<VpcEndpoint>, AwsError> {
    let pages = clients.ec2().describe_vpc_endpoints().set_filters(Some(filters)).into_paginator();
    let endpoints = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    let endpoints = endpoints.iter().filter_map(VpcEndpoint::from_ec2);
    Ok(endpoints.filter(|endpoint| endpoint.state != EndpointState::Deleted).collect())
}

fn id_of(call: &Call, made: Option<&ec2::types::VpcEndpoint>) -> Result<VpcEndpointId, AwsError> {
    made.and_then(|endpoint| endpoint.vpc_endpoint_id())
        .map(VpcEndpointId::from)
        .ok_or_else(|| call.lacks("VPC endpoint id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(state: &str) -> VpcEndpoint {
        let endpoint = ec2::types::VpcEndpoint::builder()
            .vpc_endpoint_id("vpce-1")
            .vpc_id("vpc-1")
            .service_name("com.amazonaws.eu-west-1.sts")
            .state(state.into())
            .last_error(ec2::types::LastError::builder().code("Odd").message("no address left").build())
            .build();
        VpcEndpoint::from_ec2(&endpoint).unwrap()
    }

    #[test]
    fn an_available_endpoint_is_ready_however_its_state_is_spelt() {
        for state in ["available", "Available"] {
            assert!(matches!(judge_available(endpoint(state)), Judgement::Ready(_)), "{state}");
        }
    }

    #[test]
    fn a_failed_endpoint_tells_why() {
        let judged = judge_available(endpoint("failed"));
        assert_eq!(judged, Judgement::Failed("failed (Odd: no address left)".to_owned()));
    }

    #[test]
    fn an_unknown_state_does_not_lead_to_available() {
        assert!(matches!(judge_available(endpoint("haunted")), Judgement::Failed(_)));
    }
}
