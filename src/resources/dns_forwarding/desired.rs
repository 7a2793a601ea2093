//! What is wanted, as far as it is known.
//!
//! **Invariant:** pure.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::IpNet;

use super::addresses::Slot;
use super::schema::{IpAddress, Model};
use crate::aws::ec2::security_group_rule::Peer;
use crate::aws::route53resolver::endpoint::ResolverAddressType;
use crate::aws::{SecurityGroupId, SubnetId, Tags};
use crate::framework::Value;
use crate::resources::values::{Strings, known_set, known_tags};

/// What is wanted. Unknown parts are those whose configuration is not known yet.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The endpoint's name.
    pub name: Value<String>,
    /// The VPC.
    pub vpc_id: Value<String>,
    /// The endpoint's addresses, in order.
    pub addresses: Value<Vec<WantedAddress>>,
    /// The family of the addresses.
    pub address_type: Value<ResolverAddressType>,
    /// The protocols.
    pub protocols: Value<BTreeSet<String>>,
    /// The ranges that may query the endpoint.
    pub clients: Value<BTreeSet<Block>>,
    /// The endpoint's groups, where the user hands some in.
    pub own_groups: Value<BTreeSet<SecurityGroupId>>,
    /// Whether the group is open to everybody.
    pub untracked: Value<bool>,
    /// All tags.
    pub tags: Value<Tags>,
}

/// A wanted address, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedAddress {
    /// The subnet.
    pub subnet_id: Value<SubnetId>,
    /// The fixed address. Null: Resolver chooses.
    pub ip: Value<Ipv4Addr>,
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
        Desired {
            name: model.name.clone(),
            vpc_id: model.vpc_id.clone(),
            addresses: addresses(model),
            address_type: match model.ip_address_type.text().and_then(ResolverAddressType::parse) {
                Some(kind) => Value::Known(kind),
                None => Value::Unknown,
            },
            protocols: set_of(&model.protocols, |text| Some(text.to_owned())),
            clients: match set_of(&model.client_cidr_blocks, Block::parse) {
                Value::Null => Value::Known(BTreeSet::new()),
                blocks => blocks,
            },
            own_groups: set_of(&model.security_group_ids, |text| Some(text.into())),
            untracked: match model.untracked {
                Value::Null => Value::Known(false),
                untracked => untracked,
            },
            tags: known_tags(&model.tags_all),
        }
    }

    /// Whether the endpoint gets a group of its own. What is not known yet counts as no.
    pub fn makes_group(&self) -> bool {
        self.own_groups.is_null()
    }

    /// The addresses, if all about them is known.
    pub fn slots(&self) -> Option<Vec<Slot>> {
        let slot = |wanted: &WantedAddress| {
            let ip = match wanted.ip {
                Value::Null => None,
                Value::Unknown => return None,
                Value::Known(ip) => Some(ip),
            };
            Some(Slot { subnet_id: wanted.subnet_id.known()?.clone(), ip })
        };
        self.addresses.known()?.iter().map(slot).collect()
    }

    /// Whether something already has all tags, and no others.
    pub fn has_tags(&self, tags: &Tags) -> bool {
        self.tags.known() == Some(tags)
    }
}

fn addresses(model: &Model) -> Value<Vec<WantedAddress>> {
    if model.ip_addresses.is_null() {
        let any =
            |subnet: &Value<String>| WantedAddress { subnet_id: subnet.clone().map(SubnetId::from), ip: Value::Null };
        return model.subnet_ids.as_ref().map(|subnets| subnets.iter().map(any).collect());
    }
    let one = |address: &Value<IpAddress>| match address.known() {
        Some(address) => WantedAddress {
            subnet_id: address.subnet_id.clone().map(SubnetId::from),
            ip: match address.ip.as_ref().map(|ip| ip.parse()) {
                Value::Null => Value::Null,
                Value::Known(Ok(ip)) => Value::Known(ip),
                Value::Known(Err(_)) | Value::Unknown => Value::Unknown,
            },
        },
        None => WantedAddress { subnet_id: Value::Unknown, ip: Value::Unknown },
    };
    model.ip_addresses.as_ref().map(|addresses| addresses.iter().map(one).collect())
}

fn set_of<T: Ord>(strings: &Strings, read: impl Fn(&str) -> Option<T>) -> Value<BTreeSet<T>> {
    if strings.is_null() {
        return Value::Null;
    }
    let known = known_set(strings).and_then(|texts| texts.iter().map(|text| read(text)).collect());
    known.map_or(Value::Unknown, Value::Known)
}
