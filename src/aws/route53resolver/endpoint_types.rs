//! What a Resolver endpoint is, and how its state is judged.
//!
//! **Invariant:** pure. The calls are in `endpoint`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use aws_sdk_route53resolver as resolver;
use resolver::types::{IpAddressStatus, ResolverEndpointDirection, ResolverEndpointStatus, ResolverEndpointType};

use crate::aws::{ResolverAddressId, ResolverEndpointId, SecurityGroupId, SubnetId, Tags, VpcId, ids};

/// Which way an endpoint's queries go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the network to the VPC.
    Inbound,
    /// From the VPC to the network.
    Outbound,
}

/// The family of an endpoint's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResolverAddressType {
    /// IPv4 alone.
    Ipv4,
    /// IPv6 alone.
    Ipv6,
    /// Both.
    Dualstack,
}

impl ResolverAddressType {
    /// The word that users write.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Dualstack => "dualstack",
        }
    }

    /// Reads the word that users write, or Resolver's, which has capitals.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "ipv4" => Some(Self::Ipv4),
            "ipv6" => Some(Self::Ipv6),
            "dualstack" => Some(Self::Dualstack),
            _ => None,
        }
    }

    pub(super) fn to_resolver(self) -> ResolverEndpointType {
        match self {
            Self::Ipv4 => ResolverEndpointType::Ipv4,
            Self::Ipv6 => ResolverEndpointType::Ipv6,
            Self::Dualstack => ResolverEndpointType::Dualstack,
        }
    }
}

/// An address that an endpoint is to have. Without a fixed address Resolver chooses one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NewAddress {
    /// The subnet it is in.
    pub subnet_id: SubnetId,
    /// A fixed IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// A fixed IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
}

/// A Resolver endpoint to be made.
#[derive(Debug, Clone)]
pub struct NewResolverEndpoint {
    /// Its name: up to 64 letters, digits, `-`, `_` and spaces, not digits alone.
    pub name: String,
    /// Which way its queries go; cannot be changed.
    pub direction: Direction,
    /// Its security groups; cannot be changed.
    pub security_group_ids: BTreeSet<SecurityGroupId>,
    /// Its addresses, two at least.
    pub addresses: Vec<NewAddress>,
    /// The family of its addresses.
    pub address_type: ResolverAddressType,
    /// Its protocols: `Do53`, `DoH`, `DoH-FIPS`.
    pub protocols: BTreeSet<String>,
    /// Its tags.
    pub tags: Tags,
    /// Up to 255 characters. It makes it safe to try again: a second call with the same id makes
    /// no second endpoint.
    pub creator_request_id: String,
}

/// What to change about an endpoint, addresses apart. The default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolverEndpointChange {
    /// Another name.
    pub name: Option<String>,
    /// Another family of addresses: between IPv4 and dual-stack.
    pub address_type: Option<ResolverAddressType>,
    /// The IPv6 addresses to get with dual stack, by address. For the others Resolver chooses.
    pub ipv6: BTreeMap<ResolverAddressId, Ipv6Addr>,
    /// Other protocols. From `Do53` to `DoH` alone the way is through both.
    pub protocols: Option<BTreeSet<String>>,
}

impl ResolverEndpointChange {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where an endpoint is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EndpointStatus {
    /// Being made.
    Creating,
    /// In use.
    Operational,
    /// Being changed.
    Updating,
    /// Resolver repairs it.
    AutoRecovering,
    /// Resolver says it needs help; on the way up it says so too early at times.
    ActionNeeded,
    /// Being deleted.
    Deleting,
    /// A word that we do not know.
    Other(String),
}

/// A Resolver endpoint as Resolver describes it, addresses apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolverEndpoint {
    /// Its id.
    pub id: ResolverEndpointId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Which way its queries go. `None` for a kind that we do not make.
    pub direction: Option<Direction>,
    /// The VPC it is in.
    pub vpc_id: VpcId,
    /// Its security groups.
    pub security_group_ids: BTreeSet<SecurityGroupId>,
    /// Where it is in its life.
    pub status: EndpointStatus,
    /// Resolver's words about its status.
    pub status_message: Option<String>,
    /// The family of its addresses.
    pub address_type: Option<ResolverAddressType>,
    /// Its protocols.
    pub protocols: BTreeSet<String>,
    /// The request id it was made with.
    pub creator_request_id: String,
}

/// Where an address is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AddressStatus {
    /// In use.
    Attached,
    /// On its way to being in use.
    Coming(String),
    /// On its way out.
    Going(String),
    /// Will not be in use without help.
    Failed(String),
}

/// An address of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Its id.
    pub id: ResolverAddressId,
    /// The subnet it is in.
    pub subnet_id: SubnetId,
    /// Its IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// Its IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
    /// Where it is in its life.
    pub status: AddressStatus,
    /// Resolver's words about its status.
    pub status_message: Option<String>,
}

pub(super) fn endpoint(endpoint: &resolver::types::ResolverEndpoint) -> Option<ResolverEndpoint> {
    Some(ResolverEndpoint {
        id: endpoint.id()?.into(),
        arn: endpoint.arn().unwrap_or_default().to_owned(),
        name: endpoint.name().unwrap_or_default().to_owned(),
        direction: endpoint.direction().and_then(direction),
        vpc_id: endpoint.host_vpc_id().unwrap_or_default().into(),
        security_group_ids: ids(endpoint.security_group_ids()),
        status: endpoint_status(endpoint.status()),
        status_message: endpoint.status_message().filter(|text| !text.is_empty()).map(str::to_owned),
        address_type: endpoint.resolver_endpoint_type().and_then(|kind| ResolverAddressType::parse(kind.as_str())),
        protocols: endpoint.protocols().iter().map(|protocol| protocol.as_str().to_owned()).collect(),
        creator_request_id: endpoint.creator_request_id().unwrap_or_default().to_owned(),
    })
}

pub(super) fn address(address: &resolver::types::IpAddressResponse) -> Option<Address> {
    Some(Address {
        id: address.ip_id()?.into(),
        subnet_id: address.subnet_id().unwrap_or_default().into(),
        ipv4: address.ip().and_then(|ip| ip.parse().ok()),
        ipv6: address.ipv6().and_then(|ip| ip.parse().ok()),
        status: address_status(address.status()),
        status_message: address.status_message().filter(|text| !text.is_empty()).map(str::to_owned),
    })
}

fn direction(direction: &ResolverEndpointDirection) -> Option<Direction> {
    match direction {
        ResolverEndpointDirection::Inbound => Some(Direction::Inbound),
        ResolverEndpointDirection::Outbound => Some(Direction::Outbound),
        _ => None,
    }
}

fn endpoint_status(status: Option<&ResolverEndpointStatus>) -> EndpointStatus {
    match status {
        Some(ResolverEndpointStatus::Creating) => EndpointStatus::Creating,
        Some(ResolverEndpointStatus::Operational) => EndpointStatus::Operational,
        Some(ResolverEndpointStatus::Updating) => EndpointStatus::Updating,
        Some(ResolverEndpointStatus::AutoRecovering) => EndpointStatus::AutoRecovering,
        Some(ResolverEndpointStatus::ActionNeeded) => EndpointStatus::ActionNeeded,
        Some(ResolverEndpointStatus::Deleting) => EndpointStatus::Deleting,
        Some(other) => EndpointStatus::Other(other.as_str().to_owned()),
        None => EndpointStatus::Other("unknown".to_owned()),
    }
}

fn address_status(status: Option<&IpAddressStatus>) -> AddressStatus {
    let Some(status) = status else {
        return AddressStatus::Coming("unknown".to_owned());
    };
    let word = status.as_str().to_owned();
    match status {
        IpAddressStatus::Attached => AddressStatus::Attached,
        IpAddressStatus::Creating
        | IpAddressStatus::Attaching
        | IpAddressStatus::RemapAttaching
        | IpAddressStatus::RemapDetaching
        | IpAddressStatus::Updating => AddressStatus::Coming(word),
        IpAddressStatus::Detaching | IpAddressStatus::Deleting => AddressStatus::Going(word),
        // The rest are failures by name; a word we do not know does not count as in use.
        _ => AddressStatus::Failed(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_attached_address_is_in_use_and_an_unknown_word_is_a_failure() {
        assert_eq!(address_status(Some(&IpAddressStatus::Attached)), AddressStatus::Attached);
        assert_eq!(
            address_status(Some(&IpAddressStatus::RemapAttaching)),
            AddressStatus::Coming("REMAP_ATTACHING".to_owned())
        );
        assert_eq!(address_status(Some(&IpAddressStatus::Detaching)), AddressStatus::Going("DETACHING".to_owned()));
        assert_eq!(address_status(Some(&"NEWWORD".into())), AddressStatus::Failed("NEWWORD".to_owned()));
    }

    #[test]
    fn a_family_is_read_with_and_without_capitals() {
        assert_eq!(ResolverAddressType::parse("DUALSTACK"), Some(ResolverAddressType::Dualstack));
        assert_eq!(ResolverAddressType::parse("ipv4"), Some(ResolverAddressType::Ipv4));
    }
}
