//! Route tables: looked at, never made.

use std::collections::BTreeSet;

use aws_sdk_ec2 as ec2;
use ec2::types::{RouteOrigin, RouteState, RouteTableAssociationStateCode};

use super::{call, filter};
use crate::aws::{AwsError, Clients, PrefixListId, RouteTableId, SubnetId, VpcId};

/// What we need to know of a route table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTable {
    /// Its id.
    pub id: RouteTableId,
    /// Whether it is the VPC's main one, which holds for subnets without one of their own.
    pub is_main: bool,
    /// The subnets that it is put on.
    pub subnet_ids: BTreeSet<SubnetId>,
    /// Its routes, the local ones included.
    pub routes: Vec<Route>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Which addresses it is for.
    pub destination: Destination,
    /// Where it leads.
    pub target: Target,
    /// Whether it can be used; `false` for a blackhole, whose target is gone.
    pub active: bool,
    /// Whether a virtual private gateway has put it there. A route made by hand goes before it ("How route priority
    /// works", VPC user guide).
    pub propagated: bool,
}

/// Which addresses a route is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A range, IPv4 or IPv6.
    Cidr(String),
    /// The ranges of a prefix list, which are not looked up.
    PrefixList(PrefixListId),
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Into the VPC itself.
    Local,
    /// To the internet: an internet gateway, an egress-only one, or a NAT gateway.
    Internet(String),
    /// To another network, with the addresses as they are: a peering connection, a transit gateway, a virtual private
    /// gateway and the like, or an interface that forwards packets.
    Network(String),
    /// To a VPC endpoint: a gateway endpoint, or a load balancer's in front of firewalls.
    Endpoint(String),
    /// EC2 shows none that we know.
    Unknown,
}

/// Lists the route tables of a VPC. In a VPC that is shared by another account, EC2 shows none.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn list_route_tables(clients: &Clients, vpc_id: &VpcId) -> Result<Vec<RouteTable>, AwsError> {
    let call = call("DescribeRouteTables", format!("route tables of {vpc_id}"));
    let pages = clients.ec2().describe_route_tables().filters(filter("vpc-id", [vpc_id])).into_paginator();
    let tables = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(tables.iter().filter_map(from_ec2).collect())
}

fn from_ec2(table: &ec2::types::RouteTable) -> Option<RouteTable> {
    let in_force = |association: &&ec2::types::RouteTableAssociation| {
        !matches!(
            association.association_state().and_then(|state| state.state()),
            Some(
                RouteTableAssociationStateCode::Disassociating
                    | RouteTableAssociationStateCode::Disassociated
                    | RouteTableAssociationStateCode::Failed
            )
        )
    };
    let associations = || table.associations().iter().filter(in_force);
    Some(RouteTable {
        id: table.route_table_id()?.into(),
        is_main: associations().any(|association| association.main() == Some(true)),
        subnet_ids: associations().filter_map(|association| association.subnet_id().map(SubnetId::from)).collect(),
        routes: table.routes().iter().filter_map(route).collect(),
    })
}

fn route(route: &ec2::types::Route) -> Option<Route> {
    let cidr = route.destination_cidr_block().or(route.destination_ipv6_cidr_block());
    let destination = match (cidr, route.destination_prefix_list_id()) {
        (Some(cidr), _) => Destination::Cidr(cidr.to_owned()),
        (None, Some(list)) => Destination::PrefixList(list.into()),
        (None, None) => return None,
    };
    Some(Route {
        destination,
        target: target(route),
        // Without a word about its state a route is taken as usable.
        active: !matches!(route.state(), Some(RouteState::Blackhole | RouteState::Filtered)),
        propagated: route.origin() == Some(&RouteOrigin::EnableVgwRoutePropagation),
    })
}

fn target(route: &ec2::types::Route) -> Target {
    let networks = [
        route.vpc_peering_connection_id(),
        route.transit_gateway_id(),
        route.local_gateway_id(),
        route.carrier_gateway_id(),
        route.core_network_arn(),
        route.odb_network_arn(),
        route.network_interface_id(),
        route.instance_id(),
    ];
    if let Some(id) = networks.into_iter().flatten().find(|id| !id.is_empty()) {
        return Target::Network(id.to_owned());
    }
    if let Some(id) = route.nat_gateway_id().or(route.egress_only_internet_gateway_id()) {
        return Target::Internet(id.to_owned());
    }
    match route.gateway_id() {
        Some("local") => Target::Local,
        Some(id) if id.starts_with("igw-") => Target::Internet(id.to_owned()),
        Some(id) if id.starts_with("vpce-") => Target::Endpoint(id.to_owned()),
        Some(id) if id.starts_with("vgw-") => Target::Network(id.to_owned()),
        Some(_) | None => Target::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> ec2::types::builders::RouteBuilder {
        ec2::types::Route::builder().destination_cidr_block("192.168.0.0/16")
    }

    #[test]
    fn each_target_is_told_from_the_others() {
        let network = |id: &str| Target::Network(id.to_owned());
        let internet = |id: &str| Target::Internet(id.to_owned());
        for (route, expected) in [
            (builder().gateway_id("local"), Target::Local),
            (builder().gateway_id("igw-1"), internet("igw-1")),
            (builder().nat_gateway_id("nat-1"), internet("nat-1")),
            (builder().egress_only_internet_gateway_id("eigw-1"), internet("eigw-1")),
            (builder().gateway_id("vgw-1"), network("vgw-1")),
            (builder().vpc_peering_connection_id("pcx-1"), network("pcx-1")),
            (builder().transit_gateway_id("tgw-1"), network("tgw-1")),
            (builder().instance_id("i-1").network_interface_id("eni-1"), network("eni-1")),
            (builder().gateway_id("vpce-1"), Target::Endpoint("vpce-1".to_owned())),
            (builder(), Target::Unknown),
        ] {
            assert_eq!(super::route(&route.build()).unwrap().target, expected);
        }
    }

    #[test]
    fn a_blackhole_is_not_active_and_a_propagated_route_is_known() {
        let gone = route(&builder().vpc_peering_connection_id("pcx-1").state(RouteState::Blackhole).build()).unwrap();
        assert!(!gone.active && !gone.propagated);
        let learnt = builder().gateway_id("vgw-1").origin(RouteOrigin::EnableVgwRoutePropagation);
        let learnt = route(&learnt.state(RouteState::Active).build()).unwrap();
        assert!(learnt.active && learnt.propagated);
    }

    #[test]
    fn an_association_that_is_on_its_way_out_does_not_count() {
        let state = |code| ec2::types::RouteTableAssociationState::builder().state(code).build();
        let association = |subnet: &str, code| {
            ec2::types::RouteTableAssociation::builder().subnet_id(subnet).association_state(state(code)).build()
        };
        let table = ec2::types::RouteTable::builder()
            .route_table_id("rtb-1")
            .associations(association("subnet-1", RouteTableAssociationStateCode::Associated))
            .associations(association("subnet-2", RouteTableAssociationStateCode::Disassociated))
            .build();
        let table = from_ec2(&table).unwrap();
        assert_eq!(table.subnet_ids, ["subnet-1".into()].into());
        assert!(!table.is_main);
    }
}
