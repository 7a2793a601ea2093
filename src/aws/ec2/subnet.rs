//! Subnets: looked at, never made.

use aws_sdk_ec2 as ec2;
use ec2::types::SubnetCidrBlockStateCode;

use super::{FILTER_LIMIT, call, filter, tags};
use crate::aws::{AwsError, Clients, SubnetId, Tags, VpcId, listed};

/// What we need to know of a subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// Its id.
    pub id: SubnetId,
    /// The VPC it is in.
    pub vpc_id: VpcId,
    /// Its availability zone by name, which may differ between accounts, such as `eu-west-1a`.
    pub zone: String,
    /// Its availability zone by id, which is the same in all accounts, such as `euw1-az1`.
    pub zone_id: String,
    /// Its IPv4 range. `None` in a subnet that has IPv6 alone.
    pub ipv4_cidr: Option<String>,
    /// Its IPv6 ranges that are in use.
    pub ipv6_cidrs: Vec<String>,
    /// How many IPv4 addresses are free.
    pub free_addresses: u32,
    /// Its tags.
    pub tags: Tags,
}

/// Looks subnets up, in the order asked for. What does not exist is missing from the answer.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn find_subnets(clients: &Clients, ids: &[SubnetId]) -> Result<Vec<Subnet>, AwsError> {
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(FILTER_LIMIT) {
        let call = call("DescribeSubnets", format!("subnets {}", listed(some)));
        let pages =
            clients.ec2().describe_subnets().filters(filter("subnet-id", some)).into_paginator();
        let subnets =
            pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
        found.extend(subnets.iter().filter_map(from_ec2));
    }
    found.sort_by_key(|subnet: &Subnet| ids.iter().position(|id| *id == subnet.id));
    Ok(found)
}

fn from_ec2(subnet: &ec2::types::Subnet) -> Option<Subnet> {
    Some(Subnet {
        id: subnet.subnet_id()?.into(),
        vpc_id: subnet.vpc_id()?.into(),
        zone: subnet.availability_zone().unwrap_or_default().to_owned(),
        zone_id: subnet.availability_zone_id().unwrap_or_default().to_owned(),
        ipv4_cidr: subnet.cidr_block().filter(|cidr| !cidr.is_empty()).map(str::to_owned),
        ipv6_cidrs: ipv6_cidrs(subnet),
        free_addresses: subnet
            .available_ip_address_count()
            .and_then(|count| count.try_into().ok())
            .unwrap_or(0),
        tags: tags::from_ec2(subnet.tags()),
    })
}

fn ipv6_cidrs(subnet: &ec2::types::Subnet) -> Vec<String> {
    subnet
        .ipv6_cidr_block_association_set()
        .iter()
        .filter(|block| {
            match block.ipv6_cidr_block_state().and_then(ec2::types::SubnetCidrBlockState::state) {
                None
                | Some(
                    SubnetCidrBlockStateCode::Associated | SubnetCidrBlockStateCode::Associating,
                ) => true,
                Some(_) => false,
            }
        })
        .filter_map(|block| block.ipv6_cidr_block().map(str::to_owned))
        .collect()
}
