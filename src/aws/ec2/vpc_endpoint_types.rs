//! What a VPC endpoint is, and what can be changed about it.
//!
//! **Invariant:** pure. The calls are in `vpc_endpoint`.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_ec2 as ec2;
use serde::{Deserialize, Serialize};

use super::tags;
use crate::aws::{
    AccountId, HostedZoneId, NetworkInterfaceId, RouteTableId, SecurityGroupId, SubnetId, Tags, VpcEndpointId, VpcId,
    ids,
};

/// The kind of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointType {
    /// Network interfaces in subnets.
    Interface,
    /// A route in route tables.
    Gateway,
    /// A kind that we do not make, by EC2's name.
    Other(String),
}

/// The family of an endpoint's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressType {
    /// IPv4 alone.
    Ipv4,
    /// IPv6 alone.
    Ipv6,
    /// Both.
    Dualstack,
}

impl AddressType {
    /// The word that AWS and users write.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Dualstack => "dualstack",
        }
    }

    /// Reads the word that AWS and users write.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "ipv4" => Some(Self::Ipv4),
            "ipv6" => Some(Self::Ipv6),
            "dualstack" => Some(Self::Dualstack),
            _ => None,
        }
    }

    pub(super) fn to_ec2(self) -> ec2::types::IpAddressType {
        match self {
            Self::Ipv4 => ec2::types::IpAddressType::Ipv4,
            Self::Ipv6 => ec2::types::IpAddressType::Ipv6,
            Self::Dualstack => ec2::types::IpAddressType::Dualstack,
        }
    }

    /// The records that private DNS serves follow the addresses: an AAAA record without an IPv6
    /// address behind it would be of no use.
    fn records(self) -> ec2::types::DnsRecordIpType {
        match self {
            Self::Ipv4 => ec2::types::DnsRecordIpType::Ipv4,
            Self::Ipv6 => ec2::types::DnsRecordIpType::Ipv6,
            Self::Dualstack => ec2::types::DnsRecordIpType::Dualstack,
        }
    }
}

/// Whom the private DNS of an endpoint answers, for a service that has gateways too, which is S3 alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrivateDnsScope {
    /// Whoever asks the VPC's resolver.
    Vpc,
    /// Only who asks through an inbound resolver endpoint; what is in the VPC goes through the
    /// gateway. EC2 takes it only where the VPC has one, and chooses it where nothing is said
    /// ("Private DNS", Amazon S3 user guide).
    InboundOnly,
}

/// What is to be said about DNS, if anything.
pub(super) fn dns_options(
    records: Option<AddressType>,
    scope: Option<PrivateDnsScope>,
) -> Option<ec2::types::DnsOptionsSpecification> {
    if records.is_none() && scope.is_none() {
        return None;
    }
    let options = ec2::types::DnsOptionsSpecification::builder()
        .set_dns_record_ip_type(records.map(AddressType::records))
        .set_private_dns_only_for_inbound_resolver_endpoint(scope.map(|scope| scope == PrivateDnsScope::InboundOnly));
    Some(options.build())
}

/// Where an endpoint is in its life. EC2 writes these words with and without capitals.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EndpointState {
    /// The service's owner has yet to accept it.
    PendingAcceptance,
    /// Being made or changed.
    Pending,
    /// In use.
    Available,
    /// Being deleted.
    Deleting,
    /// Gone, and still shown.
    Deleted,
    /// Refused by the service's owner.
    Rejected,
    /// Could not be made.
    Failed,
    /// Was not accepted in time.
    Expired,
    /// Works in part.
    Partial,
    /// A word that we do not know.
    Other(String),
}

impl EndpointState {
    fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "pendingacceptance" => Self::PendingAcceptance,
            "pending" => Self::Pending,
            "available" => Self::Available,
            "deleting" => Self::Deleting,
            "deleted" => Self::Deleted,
            "rejected" => Self::Rejected,
            "failed" => Self::Failed,
            "expired" => Self::Expired,
            "partial" => Self::Partial,
            _ => Self::Other(text.to_owned()),
        }
    }
}

impl fmt::Display for EndpointState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PendingAcceptance => "pending acceptance by the service's owner",
            Self::Pending => "pending",
            Self::Available => "available",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Partial => "partial",
            Self::Other(text) => text,
        })
    }
}

/// A name under which an endpoint can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsEntry {
    /// The name, without a trailing dot.
    pub dns_name: String,
    /// The zone that an alias record to this name has to give. `None` where EC2 gives none.
    pub hosted_zone_id: Option<HostedZoneId>,
}

/// An endpoint as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcEndpoint {
    /// Its id.
    pub id: VpcEndpointId,
    /// Its kind.
    pub endpoint_type: EndpointType,
    /// The VPC it is in.
    pub vpc_id: VpcId,
    /// The service's whole name.
    pub service_name: String,
    /// Where it is in its life.
    pub state: EndpointState,
    /// EC2's reason for a state that is not wanted.
    pub failure: Option<String>,
    /// Its policy document as EC2 keeps it, default included.
    pub policy: Option<String>,
    /// Its subnets; none for a gateway.
    pub subnet_ids: BTreeSet<SubnetId>,
    /// Its security groups; none for a gateway.
    pub security_group_ids: BTreeSet<SecurityGroupId>,
    /// Its route tables; none for an interface endpoint.
    pub route_table_ids: BTreeSet<RouteTableId>,
    /// Its network interfaces, one per subnet.
    pub network_interface_ids: Vec<NetworkInterfaceId>,
    /// Whether the VPC's resolver answers for the service's names with this endpoint.
    pub private_dns_enabled: bool,
    /// Whom private DNS answers, where EC2 says so.
    pub private_dns_scope: Option<PrivateDnsScope>,
    /// The family of its addresses.
    pub address_type: Option<AddressType>,
    /// The names it can be reached under, in EC2's order, which means nothing.
    pub dns_entries: Vec<DnsEntry>,
    /// Whether an AWS service made it and manages it.
    pub requester_managed: bool,
    /// The account that owns it.
    pub owner_id: Option<AccountId>,
    /// Its tags.
    pub tags: Tags,
}

impl VpcEndpoint {
    pub(super) fn from_ec2(endpoint: &ec2::types::VpcEndpoint) -> Option<Self> {
        Some(Self {
            id: endpoint.vpc_endpoint_id()?.into(),
            endpoint_type: endpoint_type(endpoint.vpc_endpoint_type()),
            vpc_id: endpoint.vpc_id().unwrap_or_default().into(),
            service_name: endpoint.service_name().unwrap_or_default().to_owned(),
            state: EndpointState::parse(endpoint.state().map(ec2::types::State::as_str).unwrap_or_default()),
            failure: failure(endpoint),
            policy: endpoint.policy_document().filter(|text| !text.is_empty()).map(str::to_owned),
            subnet_ids: ids(endpoint.subnet_ids()),
            security_group_ids: endpoint.groups().iter().filter_map(|group| group.group_id().map(Into::into)).collect(),
            route_table_ids: ids(endpoint.route_table_ids()),
            network_interface_ids: ids(endpoint.network_interface_ids()),
            private_dns_enabled: endpoint.private_dns_enabled().unwrap_or(false),
            private_dns_scope: endpoint.dns_options().and_then(private_dns_scope),
            address_type: endpoint.ip_address_type().and_then(|kind| AddressType::parse(kind.as_str())),
            dns_entries: endpoint.dns_entries().iter().filter_map(dns_entry).collect(),
            requester_managed: endpoint.requester_managed().unwrap_or(false),
            owner_id: endpoint.owner_id().map(AccountId::from),
            tags: tags::from_ec2(endpoint.tags()),
        })
    }

    /// The state, with EC2's reason where there is one.
    pub(super) fn reason_or_state(&self) -> String {
        match &self.failure {
            Some(reason) => format!("{} ({reason})", self.state),
            None => self.state.to_string(),
        }
    }
}

/// A policy to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointPolicy {
    /// This document.
    Document(String),
    /// AWS's default, which lets everything through.
    FullAccess,
}

/// What to change about an endpoint. The default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointChange {
    /// Subnets to get an interface.
    pub add_subnet_ids: BTreeSet<SubnetId>,
    /// Subnets to lose their interface.
    pub remove_subnet_ids: BTreeSet<SubnetId>,
    /// Security groups to be put on.
    pub add_security_group_ids: BTreeSet<SecurityGroupId>,
    /// Security groups to be taken off.
    pub remove_security_group_ids: BTreeSet<SecurityGroupId>,
    /// Route tables to get a route.
    pub add_route_table_ids: BTreeSet<RouteTableId>,
    /// Route tables to lose their route.
    pub remove_route_table_ids: BTreeSet<RouteTableId>,
    /// Private DNS on or off.
    pub private_dns_enabled: Option<bool>,
    /// Private DNS for others.
    pub private_dns_scope: Option<PrivateDnsScope>,
    /// Another family of addresses.
    pub address_type: Option<AddressType>,
    /// Another policy.
    pub policy: Option<EndpointPolicy>,
}

impl EndpointChange {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The name of an endpoint that holds in all of its zones, with the zone an alias needs.
///
/// EC2 does not promise an order, and lists zonal and private names beside this one. The regional
/// name starts with `vpce-` and has the endpoint's id and one more part in its first label; a
/// zonal one has the zone after them. Without a regional name, a zonal one is taken. The names of
/// S3 have `*.` before all that, in place of a bucket's name.
pub fn regional_dns_entry(entries: &[DnsEntry]) -> Option<&DnsEntry> {
    let own = |entry: &DnsEntry| {
        let name = entry.dns_name.strip_prefix("*.").unwrap_or(&entry.dns_name);
        name.starts_with("vpce-").then(|| name.split('.').next().map(|label| label.split('-').count()))
    };
    entries.iter().filter(|entry| entry.hosted_zone_id.is_some() && own(entry).is_some()).min_by_key(|entry| own(entry))
}

fn private_dns_scope(options: &ec2::types::DnsOptions) -> Option<PrivateDnsScope> {
    options.private_dns_only_for_inbound_resolver_endpoint().map(|only| match only {
        true => PrivateDnsScope::InboundOnly,
        false => PrivateDnsScope::Vpc,
    })
}

fn endpoint_type(kind: Option<&ec2::types::VpcEndpointType>) -> EndpointType {
    match kind {
        Some(ec2::types::VpcEndpointType::Interface) => EndpointType::Interface,
        Some(ec2::types::VpcEndpointType::Gateway) => EndpointType::Gateway,
        Some(other) => EndpointType::Other(other.as_str().to_owned()),
        None => EndpointType::Other("unknown".to_owned()),
    }
}

fn failure(endpoint: &ec2::types::VpcEndpoint) -> Option<String> {
    let last = endpoint.last_error().and_then(|error| match (error.code(), error.message()) {
        (Some(code), Some(message)) => Some(format!("{code}: {message}")),
        (one, other) => one.or(other).map(str::to_owned),
    });
    last.or_else(|| endpoint.failure_reason().map(str::to_owned)).filter(|text| !text.is_empty())
}

fn dns_entry(entry: &ec2::types::DnsEntry) -> Option<DnsEntry> {
    Some(DnsEntry {
        dns_name: entry.dns_name()?.trim_end_matches('.').to_owned(),
        hosted_zone_id: entry.hosted_zone_id().filter(|id| !id.is_empty()).map(HostedZoneId::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, zone: &str) -> DnsEntry {
        let entry = ec2::types::DnsEntry::builder().dns_name(name).hosted_zone_id(zone).build();
        dns_entry(&entry).unwrap()
    }

    fn check(entries: &[DnsEntry], expected: Option<&str>) {
        assert_eq!(regional_dns_entry(entries).map(|entry| entry.dns_name.as_str()), expected);
    }

    const REGIONAL: &str = "vpce-0a1-x9y8z7w6.api.sagemaker.us-west-2.vpce.amazonaws.com";
    const ZONAL: &str = "vpce-0a1-x9y8z7w6-us-west-2a.api.sagemaker.us-west-2.vpce.amazonaws.com";

    #[test]
    fn the_regional_name_is_found_in_any_place() {
        let private = entry("api.sagemaker.us-west-2.amazonaws.com", "Z1");
        let wildcard = entry("*.studio.us-west-2.sagemaker.aws", "Z2");
        check(&[private, entry(ZONAL, "Z3"), wildcard, entry(REGIONAL, "Z3")], Some(REGIONAL));
    }

    #[test]
    fn the_star_before_the_names_of_s3_is_part_of_them() {
        let regional = "*.vpce-0a1-x9y8z7w6.s3.us-west-2.vpce.amazonaws.com";
        let zonal = "*.vpce-0a1-x9y8z7w6-us-west-2a.s3.us-west-2.vpce.amazonaws.com";
        let private = entry("*.s3.us-west-2.amazonaws.com", "Z1");
        check(&[private, entry(zonal, "Z2"), entry(regional, "Z2")], Some(regional));
    }

    #[test]
    fn what_is_not_said_about_dns_is_not_sent() {
        assert_eq!(dns_options(None, None), None);
        let sent = dns_options(None, Some(PrivateDnsScope::Vpc)).unwrap();
        assert_eq!(sent.private_dns_only_for_inbound_resolver_endpoint(), Some(false));
        assert_eq!(sent.dns_record_ip_type(), None);
    }

    #[test]
    fn a_zonal_name_is_better_than_none() {
        check(&[entry(ZONAL, "Z3")], Some(ZONAL));
    }

    #[test]
    fn a_name_without_a_zone_cannot_be_an_alias() {
        check(&[entry(REGIONAL, "")], None);
        check(&[entry(REGIONAL, ""), entry(ZONAL, "Z3")], Some(ZONAL));
    }

    #[test]
    fn no_entries_give_no_name() {
        check(&[], None);
    }

    #[test]
    fn an_unchanged_endpoint_has_an_empty_change() {
        assert!(EndpointChange::default().is_empty());
        assert!(!EndpointChange { private_dns_enabled: Some(false), ..Default::default() }.is_empty());
    }
}
