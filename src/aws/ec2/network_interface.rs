//! Network interfaces: looked at, never made. Endpoints bring their own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_sdk_ec2 as ec2;

use super::{FILTER_LIMIT, call, filter};
use crate::aws::{AwsError, Clients, NetworkInterfaceId, SecurityGroupId, SubnetId};

/// What we need to know of a network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInterface {
    /// Its id.
    pub id: NetworkInterfaceId,
    /// The subnet it is in.
    pub subnet_id: SubnetId,
    /// Its availability zone by name.
    pub zone: String,
    /// Its IPv4 addresses, the primary one first.
    pub ipv4: Vec<Ipv4Addr>,
    /// Its IPv6 addresses.
    pub ipv6: Vec<Ipv6Addr>,
    /// What AWS or its owner wrote about it; names the service it belongs to.
    pub description: String,
    /// Its status as EC2 writes it, such as `in-use`.
    pub status: String,
}

/// Looks network interfaces up by id. What does not exist is missing from the answer.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn find_network_interfaces(
    clients: &Clients,
    ids: &[NetworkInterfaceId],
) -> Result<Vec<NetworkInterface>, AwsError> {
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(FILTER_LIMIT) {
        found.extend(list(clients, filter("network-interface-id", some), "network interfaces of an endpoint").await?);
    }
    found.sort_by_key(|interface| ids.iter().position(|id| *id == interface.id));
    Ok(found)
}

/// Lists the network interfaces that have one of these addresses in one of these subnets.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn list_network_interfaces_by_address(
    clients: &Clients,
    subnets: &[SubnetId],
    addresses: &[IpAddr],
) -> Result<Vec<NetworkInterface>, AwsError> {
    let mut found = Vec::new();
    for (name, of_family) in [
        ("addresses.private-ip-address", addresses.iter().filter(|ip| ip.is_ipv4()).collect::<Vec<_>>()),
        ("ipv6-addresses.ipv6-address", addresses.iter().filter(|ip| ip.is_ipv6()).collect()),
    ] {
        if of_family.is_empty() || subnets.is_empty() {
            continue;
        }
        let call = call("DescribeNetworkInterfaces", "network interfaces with the addresses asked for");
        let texts: Vec<String> = of_family.into_iter().map(ToString::to_string).collect();
        let request = clients.ec2().describe_network_interfaces();
        let pages = request.filters(filter(name, &texts)).filters(filter("subnet-id", subnets)).into_paginator();
        let interfaces = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
        found.extend(interfaces.iter().filter_map(from_ec2));
    }
    Ok(found)
}

/// Lists the network interfaces that a security group is on: what keeps it from being deleted.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn list_network_interfaces_of_group(
    clients: &Clients,
    group: &SecurityGroupId,
) -> Result<Vec<NetworkInterface>, AwsError> {
    list(clients, filter("group-id", [group]), &format!("network interfaces of security group {group}")).await
}

async fn list(clients: &Clients, by: ec2::types::Filter, object: &str) -> Result<Vec<NetworkInterface>, AwsError> {
    let call = call("DescribeNetworkInterfaces", object);
    let pages = clients.ec2().describe_network_interfaces().filters(by).into_paginator();
    let interfaces = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(interfaces.iter().filter_map(from_ec2).collect())
}

fn from_ec2(interface: &ec2::types::NetworkInterface) -> Option<NetworkInterface> {
    Some(NetworkInterface {
        id: interface.network_interface_id()?.into(),
        subnet_id: interface.subnet_id()?.into(),
        zone: interface.availability_zone().unwrap_or_default().to_owned(),
        ipv4: ipv4(interface),
        ipv6: interface.ipv6_addresses().iter().filter_map(|address| address.ipv6_address()?.parse().ok()).collect(),
        description: interface.description().unwrap_or_default().to_owned(),
        status: interface.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
    })
}

fn ipv4(interface: &ec2::types::NetworkInterface) -> Vec<Ipv4Addr> {
    let primary = interface.private_ip_address().and_then(|address| address.parse().ok());
    let others = interface
        .private_ip_addresses()
        .iter()
        .filter_map(|address| address.private_ip_address()?.parse().ok())
        .filter(|address| Some(*address) != primary);
    primary.into_iter().chain(others).collect()
}
