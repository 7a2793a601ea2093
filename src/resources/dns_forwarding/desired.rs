//! What is wanted, as far as it is known.
//!
//! **Invariant:** pure.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::addresses::Slot;
use super::forwarding::forward_zones;
use super::key::Side;
use super::model::{IpAddress, Model, Outbound as Written};
use crate::aws::ec2::security_group_rule::Peer;
use crate::aws::route53resolver::endpoint::ResolverAddressType;
use crate::aws::{ResolverEndpointId, SecurityGroupId, SubnetId, Tags, VpcId};
use crate::framework::Value;
use crate::resources::values::{Strings, known_set, known_tags};

/// What is wanted. Unknown parts are those whose configuration is not known yet.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The name of what is made.
    pub name: Value<String>,
    /// The endpoint to adopt.
    pub existing: Value<ResolverEndpointId>,
    /// The inbound endpoint.
    pub inbound: WantedEnd,
    /// The protocols.
    pub protocols: Value<BTreeSet<String>>,
    /// The ranges that may query the endpoint.
    pub clients: Value<BTreeSet<Block>>,
    /// The endpoint's groups, where the user hands some in.
    pub own_groups: Value<BTreeSet<SecurityGroupId>>,
    /// Whether the group is open to everybody.
    pub untracked: Value<bool>,
    /// The zones that are forwarded.
    pub zones: Value<Vec<String>>,
    /// The half inside AWS.
    pub outbound: Value<Outbound>,
    /// All tags.
    pub tags: Value<Tags>,
}

/// A wanted endpoint.
#[derive(Clone, Debug)]
pub struct WantedEnd {
    /// The VPC.
    pub vpc_id: Value<String>,
    /// Its addresses, in order.
    pub addresses: Value<Vec<WantedAddress>>,
    /// The family of the addresses.
    pub address_type: Value<ResolverAddressType>,
}

/// The wanted half inside AWS.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// The outbound endpoint.
    pub end: WantedEnd,
    /// The VPCs that the rules are put on.
    pub vpc_ids: Value<BTreeSet<VpcId>>,
    /// Whom the rules ask. Null: the inbound endpoint.
    pub targets: Value<BTreeSet<IpAddr>>,
    /// With whom the rules are shared.
    pub principals: Value<BTreeSet<String>>,
}

/// A wanted address, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedAddress {
    /// The subnet.
    pub subnet_id: Value<SubnetId>,
    /// The fixed address. Null: Resolver chooses.
    pub ip: Value<Ipv4Addr>,
    /// The fixed IPv6 address. Null: Resolver chooses.
    pub ipv6: Value<Ipv6Addr>,
}

/// An address range in the one spelling that EC2 uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block(IpNet);

impl Block {
    /// Reads a range.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<IpNet>().ok().map(|range| Block(range.trunc()))
    }

    /// The range as the other end of a rule.
    pub fn peer(&self) -> Peer {
        match self.0 {
            IpNet::V4(range) => Peer::Cidr4(range.to_string()),
            IpNet::V6(range) => Peer::Cidr6(range.to_string()),
        }
    }
}

impl std::fmt::Display for Block {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Desired {
    /// What a model wants.
    pub fn new(model: &Model) -> Self {
        let address_type = match model.ip_address_type.text().and_then(ResolverAddressType::parse) {
            Some(kind) => Value::Known(kind),
            None => Value::Unknown,
        };
        Desired {
            name: model.name.clone(),
            existing: model.existing_inbound_endpoint_id.clone().map(ResolverEndpointId::from),
            inbound: WantedEnd {
                vpc_id: model.vpc_id.clone(),
                addresses: addresses(&model.subnet_ids, &model.ip_addresses),
                address_type,
            },
            protocols: set_of(&model.protocols, |text| Some(text.to_owned())),
            clients: or_empty(set_of(&model.client_cidr_blocks, Block::parse)),
            own_groups: set_of(&model.security_group_ids, |text| Some(text.into())),
            untracked: match model.untracked {
                Value::Null => Value::Known(false),
                untracked => untracked,
            },
            zones: match forward_zones(model) {
                Ok(zones) => zones.map(|zones| zones.iter().map(ToString::to_string).collect()),
                Err(_) => Value::Unknown,
            },
            outbound: model.outbound.as_ref().map(|outbound| Outbound::new(outbound, &model.vpc_id, &address_type)),
            tags: known_tags(&model.tags_all),
        }
    }

    /// Whether the endpoint gets a group of its own. What is not known yet counts as no.
    pub fn makes_group(&self) -> bool {
        self.own_groups.is_null() && self.existing.is_null()
    }

    /// The endpoint of a side, if one is wanted.
    pub fn end(&self, side: &Side) -> Option<&WantedEnd> {
        match side {
            Side::Inbound => Some(&self.inbound),
            Side::Outbound => self.outbound.known().map(|outbound| &outbound.end),
            Side::Retired(_) => None,
        }
    }

    /// Whether something already has all tags, and no others.
    pub fn has_tags(&self, tags: &Tags) -> bool {
        self.tags.known() == Some(tags)
    }
}

impl WantedEnd {
    /// The addresses, if all about them is known.
    pub fn slots(&self) -> Option<Vec<Slot>> {
        let slot = |wanted: &WantedAddress| {
            Some(Slot {
                subnet_id: wanted.subnet_id.known()?.clone(),
                ip: settled(&wanted.ip)?,
                ipv6: settled(&wanted.ipv6)?,
            })
        };
        self.addresses.known()?.iter().map(slot).collect()
    }
}

impl Outbound {
    fn new(written: &Written, vpc_id: &Value<String>, inbound: &Value<ResolverAddressType>) -> Self {
        let targets = set_of(&written.target_ips, |text| text.parse().ok());
        Outbound {
            end: WantedEnd {
                vpc_id: if written.vpc_id.is_null() { vpc_id.clone() } else { written.vpc_id.clone() },
                addresses: addresses(&written.subnet_ids, &written.ip_addresses),
                address_type: family(&targets, inbound),
            },
            vpc_ids: or_empty(set_of(&written.vpc_ids, |text| Some(text.into()))),
            targets,
            principals: or_empty(set_of(&written.share_with, |text| Some(text.to_owned()))),
        }
    }
}

/// The outbound endpoint speaks the family of those it asks. Of a dualstack endpoint the IPv4 addresses are asked.
fn family(targets: &Value<BTreeSet<IpAddr>>, inbound: &Value<ResolverAddressType>) -> Value<ResolverAddressType> {
    match (targets, inbound) {
        (Value::Known(targets), _) if targets.iter().all(IpAddr::is_ipv6) => Value::Known(ResolverAddressType::Ipv6),
        (Value::Known(_), _) => Value::Known(ResolverAddressType::Ipv4),
        (Value::Null, Value::Known(ResolverAddressType::Ipv6)) => Value::Known(ResolverAddressType::Ipv6),
        (Value::Null, Value::Known(_)) => Value::Known(ResolverAddressType::Ipv4),
        (Value::Unknown, _) | (Value::Null, Value::Null | Value::Unknown) => Value::Unknown,
    }
}

/// The addresses that two attributes ask for, of which one is written.
pub fn addresses(subnet_ids: &Strings, ip_addresses: &Value<Vec<Value<IpAddress>>>) -> Value<Vec<WantedAddress>> {
    if ip_addresses.is_null() {
        let any = |subnet: &Value<String>| WantedAddress {
            subnet_id: subnet.clone().map(SubnetId::from),
            ip: Value::Null,
            ipv6: Value::Null,
        };
        return subnet_ids.as_ref().map(|subnets| subnets.iter().map(any).collect());
    }
    let one = |address: &Value<IpAddress>| match address.known() {
        Some(address) => WantedAddress {
            subnet_id: address.subnet_id.clone().map(SubnetId::from),
            ip: parsed(&address.ip),
            ipv6: parsed(&address.ipv6),
        },
        None => WantedAddress { subnet_id: Value::Unknown, ip: Value::Unknown, ipv6: Value::Unknown },
    };
    ip_addresses.as_ref().map(|addresses| addresses.iter().map(one).collect())
}

fn parsed<T: std::str::FromStr>(text: &Value<String>) -> Value<T> {
    match text.as_ref().map(|text| text.parse()) {
        Value::Null => Value::Null,
        Value::Known(Ok(value)) => Value::Known(value),
        Value::Known(Err(_)) | Value::Unknown => Value::Unknown,
    }
}

/// What is written, if anything. `None` while it is not known.
#[expect(clippy::option_option, reason = "not known is not the same as not written")]
fn settled<T: Clone>(value: &Value<T>) -> Option<Option<T>> {
    match value {
        Value::Known(value) => Some(Some(value.clone())),
        Value::Null => Some(None),
        Value::Unknown => None,
    }
}

fn or_empty<T: Ord>(set: Value<BTreeSet<T>>) -> Value<BTreeSet<T>> {
    if set.is_null() { Value::Known(BTreeSet::new()) } else { set }
}

fn set_of<T: Ord>(strings: &Strings, read: impl Fn(&str) -> Option<T>) -> Value<BTreeSet<T>> {
    if strings.is_null() {
        return Value::Null;
    }
    let known = known_set(strings).and_then(|texts| texts.iter().map(|text| read(text)).collect());
    known.map_or(Value::Unknown, Value::Known)
}
