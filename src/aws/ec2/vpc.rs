//! VPCs: looked at, never made.

use aws_sdk_ec2 as ec2;
use ec2::types::{VpcAttributeName, VpcCidrBlockStateCode};

use super::{call, filter, tags};
use crate::aws::{AccountId, AwsError, Clients, Tags, VpcId};

/// What we need to know of a VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    /// Its id.
    pub id: VpcId,
    /// The account that owns it; another one than the caller's where it is shared.
    pub owner_id: Option<AccountId>,
    /// Its IPv4 ranges that are in use.
    pub ipv4_cidrs: Vec<String>,
    /// Its IPv6 ranges that are in use.
    pub ipv6_cidrs: Vec<String>,
    /// Whether the Amazon DNS server answers in it (`enableDnsSupport`).
    pub dns_support: bool,
    /// Whether instances get public host names (`enableDnsHostnames`). An endpoint's private DNS
    /// needs both this and DNS support (EC2 API reference, `PrivateDnsEnabled`).
    pub dns_hostnames: bool,
    /// Whether its tenancy is the default one, as SageMaker asks for.
    pub default_tenancy: bool,
    /// Its tags.
    pub tags: Tags,
}

/// Looks a VPC up. `None` when there is none of this id in the Region.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn find_vpc(clients: &Clients, id: &VpcId) -> Result<Option<Vpc>, AwsError> {
    let call = call("DescribeVpcs", format!("VPC {id}"));
    // A filter rather than the id itself: EC2 then answers an empty list instead of an error.
    let pages = clients.ec2().describe_vpcs().filters(filter("vpc-id", [id])).into_paginator();
    let vpcs = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    let Some(vpc) = vpcs.into_iter().next() else {
        return Ok(None);
    };
    let (dns_support, dns_hostnames) = tokio::try_join!(
        attribute(clients, id, VpcAttributeName::EnableDnsSupport),
        attribute(clients, id, VpcAttributeName::EnableDnsHostnames),
    )?;
    Ok(Some(Vpc {
        id: id.clone(),
        owner_id: vpc.owner_id().map(AccountId::from),
        ipv4_cidrs: ipv4_cidrs(&vpc),
        ipv6_cidrs: ipv6_cidrs(&vpc),
        dns_support,
        dns_hostnames,
        default_tenancy: matches!(
            vpc.instance_tenancy(),
            None | Some(ec2::types::Tenancy::Default)
        ),
        tags: tags::from_ec2(vpc.tags()),
    }))
}

async fn attribute(
    clients: &Clients,
    id: &VpcId,
    name: VpcAttributeName,
) -> Result<bool, AwsError> {
    let call = call("DescribeVpcAttribute", format!("{} of VPC {id}", name.as_str()));
    let request =
        clients.ec2().describe_vpc_attribute().vpc_id(id.as_str()).attribute(name.clone());
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    let value = match name {
        VpcAttributeName::EnableDnsSupport => answer.enable_dns_support(),
        _ => answer.enable_dns_hostnames(),
    };
    Ok(value.and_then(ec2::types::AttributeBooleanValue::value).unwrap_or(false))
}

fn ipv4_cidrs(vpc: &ec2::types::Vpc) -> Vec<String> {
    let associated: Vec<String> = vpc
        .cidr_block_association_set()
        .iter()
        .filter(|block| is_in_use(block.cidr_block_state()))
        .filter_map(|block| block.cidr_block().map(str::to_owned))
        .collect();
    // Without the list of associations there is still the primary range.
    if associated.is_empty() {
        vpc.cidr_block().map(str::to_owned).into_iter().collect()
    } else {
        associated
    }
}

fn ipv6_cidrs(vpc: &ec2::types::Vpc) -> Vec<String> {
    vpc.ipv6_cidr_block_association_set()
        .iter()
        .filter(|block| is_in_use(block.ipv6_cidr_block_state()))
        .filter_map(|block| block.ipv6_cidr_block().map(str::to_owned))
        .collect()
}

fn is_in_use(state: Option<&ec2::types::VpcCidrBlockState>) -> bool {
    match state.and_then(ec2::types::VpcCidrBlockState::state) {
        None | Some(VpcCidrBlockStateCode::Associated | VpcCidrBlockStateCode::Associating) => true,
        Some(_) => false,
    }
}
