//! Resolver endpoints and their addresses.

use std::net::Ipv6Addr;

use aws_sdk_route53resolver as resolver;
use resolver::types::{IpAddressRequest, IpAddressUpdate, Protocol, UpdateIpAddress};

pub use super::endpoint_types::*;
use super::{call, tags};
use crate::aws::wait::{Judgement, Pace, Patience, until};
use crate::aws::{AwsError, Call, Clients, Kind, ResolverAddressId, ResolverEndpointId, VpcId, names};

/// An endpoint takes about two minutes to make and six to change. Resolver allows five requests a
/// second per account and Region, and one look makes two.
const PACE: Pace = Pace::millis(10_000, 5_000, 20_000);

/// Starts to make an endpoint.
///
/// # Errors
/// `AlreadyExists` for a request id that was used for another endpoint, `LimitExceeded` for the quota of four per
/// Region, `Invalid` for fewer than two addresses.
pub async fn create_resolver_endpoint(
    clients: &Clients,
    new: &NewResolverEndpoint,
) -> Result<ResolverEndpointId, AwsError> {
    let call = call("CreateResolverEndpoint", format!("Resolver endpoint {}", new.name));
    let direction = match new.direction {
        Direction::Inbound => resolver::types::ResolverEndpointDirection::Inbound,
        Direction::Outbound => resolver::types::ResolverEndpointDirection::Outbound,
    };
    let addresses: Result<Vec<_>, _> = new.addresses.iter().map(to_request).collect();
    let addresses = addresses.map_err(|error| call.error(Kind::Invalid, error.to_string()))?;
    let request = clients
        .route53resolver()
        .create_resolver_endpoint()
        .creator_request_id(&new.creator_request_id)
        .name(&new.name)
        .direction(direction)
        .set_security_group_ids(Some(names(&new.security_group_ids)))
        .set_ip_addresses(Some(addresses))
        .resolver_endpoint_type(new.address_type.to_resolver())
        .set_protocols(Some(protocols(&new.protocols)))
        .set_tags(tags::some_tags(&call, &new.tags)?);
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    answer
        .resolver_endpoint()
        .and_then(|endpoint| endpoint.id())
        .map(ResolverEndpointId::from)
        .ok_or_else(|| call.lacks("Resolver endpoint id"))
}

/// Looks an endpoint up by id.
///
/// # Errors
/// Whatever Resolver refuses, such as `AccessDenied`.
pub async fn find_resolver_endpoint(
    clients: &Clients,
    id: &ResolverEndpointId,
) -> Result<Option<ResolverEndpoint>, AwsError> {
    get(clients, &getting(id), id).await
}

/// Lists the endpoints of the account in the Region, of one VPC where it is given.
///
/// # Errors
/// Whatever Resolver refuses, such as `AccessDenied`.
pub async fn list_resolver_endpoints(
    clients: &Clients,
    vpc_id: Option<&VpcId>,
) -> Result<Vec<ResolverEndpoint>, AwsError> {
    let call = call("ListResolverEndpoints", "the Resolver endpoints of the account");
    let filter = vpc_id.map(|id| resolver::types::Filter::builder().name("HostVPCId").values(id.as_str()).build());
    let request = clients.route53resolver().list_resolver_endpoints().set_filters(filter.map(|filter| vec![filter]));
    let endpoints = request.into_paginator().items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(endpoints.iter().filter_map(endpoint).collect())
}

/// Lists the addresses of an endpoint, in Resolver's order, which means nothing.
///
/// # Errors
/// `NotFound` when the endpoint is gone.
pub async fn list_addresses(clients: &Clients, id: &ResolverEndpointId) -> Result<Vec<Address>, AwsError> {
    let call = call("ListResolverEndpointIpAddresses", format!("addresses of Resolver endpoint {id}"));
    let request = clients.route53resolver().list_resolver_endpoint_ip_addresses().resolver_endpoint_id(id.as_str());
    let addresses = request.into_paginator().items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(addresses.iter().filter_map(address).collect())
}

/// Starts to change an endpoint's name, family or protocols. No change makes no call.
///
/// # Errors
/// `Invalid` for a way that Resolver does not go, such as from `Do53` to `DoH` alone.
pub async fn update_resolver_endpoint(
    clients: &Clients,
    id: &ResolverEndpointId,
    change: &ResolverEndpointChange,
) -> Result<(), AwsError> {
    if change.is_empty() {
        return Ok(());
    }
    let call = call("UpdateResolverEndpoint", format!("Resolver endpoint {id}"));
    let choice = |(address, ipv6): (&ResolverAddressId, &Ipv6Addr)| {
        UpdateIpAddress::builder().ip_id(address.as_str()).ipv6(ipv6.to_string()).build()
    };
    let chosen: Result<Vec<_>, _> = change.ipv6.iter().map(choice).collect();
    let chosen = chosen.map_err(|error| call.error(Kind::Invalid, error.to_string()))?;
    let request = clients
        .route53resolver()
        .update_resolver_endpoint()
        .resolver_endpoint_id(id.as_str())
        .set_name(change.name.clone())
        .set_resolver_endpoint_type(change.address_type.map(ResolverAddressType::to_resolver))
        .set_update_ip_addresses(Some(chosen).filter(|chosen| !chosen.is_empty()))
        .set_protocols(change.protocols.as_ref().map(protocols));
    request.send().await.map(drop).map_err(|error| call.failed(error))
}

/// Starts to add one address. The endpoint takes the next one when this one is attached. A fixed
/// address that is there already counts as added.
///
/// # Errors
/// `LimitExceeded` for the quota of six per endpoint.
pub async fn associate_address(clients: &Clients, id: &ResolverEndpointId, new: &NewAddress) -> Result<(), AwsError> {
    let call = call("AssociateResolverEndpointIpAddress", format!("Resolver endpoint {id} and {}", new.subnet_id));
    let address = IpAddressUpdate::builder()
        .subnet_id(new.subnet_id.as_str())
        .set_ip(new.ipv4.map(|ip| ip.to_string()))
        .set_ipv6(new.ipv6.map(|ip| ip.to_string()))
        .build();
    let request = clients
        .route53resolver()
        .associate_resolver_endpoint_ip_address()
        .resolver_endpoint_id(id.as_str())
        .ip_address(address);
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind == Kind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Starts to take one address away. What is gone counts as taken away.
///
/// # Errors
/// `Invalid` for one of the last two: an endpoint refuses to have fewer.
pub async fn disassociate_address(
    clients: &Clients,
    id: &ResolverEndpointId,
    address: &ResolverAddressId,
) -> Result<(), AwsError> {
    let call = call("DisassociateResolverEndpointIpAddress", format!("address {address} of Resolver endpoint {id}"));
    let request = clients
        .route53resolver()
        .disassociate_resolver_endpoint_ip_address()
        .resolver_endpoint_id(id.as_str())
        .ip_address(IpAddressUpdate::builder().ip_id(address.as_str()).build());
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Starts to delete an endpoint. What is gone counts as deleted.
///
/// # Errors
/// `InUse` while Resolver rules use an outbound endpoint.
pub async fn delete_resolver_endpoint(clients: &Clients, id: &ResolverEndpointId) -> Result<(), AwsError> {
    let call = call("DeleteResolverEndpoint", format!("Resolver endpoint {id}"));
    let request = clients.route53resolver().delete_resolver_endpoint().resolver_endpoint_id(id.as_str());
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Waits until an endpoint is gone.
///
/// # Errors
/// `TimedOut` with the status last seen.
pub async fn wait_until_deleted(
    clients: &Clients,
    id: &ResolverEndpointId,
    patience: &Patience,
) -> Result<(), AwsError> {
    let call = getting(id);
    until(&call, "deleted", PACE, patience, || async {
        Ok(match get(clients, &call, id).await? {
            None => Judgement::Ready(()),
            Some(endpoint) => {
                let reason = endpoint.status_message.map(|text| format!(" ({text})")).unwrap_or_default();
                Judgement::Pending(format!("{:?}{reason}", endpoint.status))
            }
        })
    })
    .await
}

fn getting(id: &ResolverEndpointId) -> Call {
    call("GetResolverEndpoint", format!("Resolver endpoint {id}"))
}

async fn get(clients: &Clients, call: &Call, id: &ResolverEndpointId) -> Result<Option<ResolverEndpoint>, AwsError> {
    let request = clients.route53resolver().get_resolver_endpoint().resolver_endpoint_id(id.as_str());
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(answer) => Ok(answer.resolver_endpoint().and_then(endpoint)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn to_request(new: &NewAddress) -> Result<IpAddressRequest, aws_smithy_types::error::operation::BuildError> {
    IpAddressRequest::builder()
        .subnet_id(new.subnet_id.as_str())
        .set_ip(new.ipv4.map(|ip| ip.to_string()))
        .set_ipv6(new.ipv6.map(|ip| ip.to_string()))
        .build()
}

fn protocols<'a>(protocols: impl IntoIterator<Item = &'a String>) -> Vec<Protocol> {
    protocols.into_iter().map(|protocol| Protocol::from(protocol.as_str())).collect()
}
