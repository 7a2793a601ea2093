//! What is known to exist of a DNS forwarding: kept in the private data, refreshed by every read.
//!
//! **Invariant:** holds what AWS said, never what was wanted.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::aws::ec2::security_group_rule::Rule;
use crate::aws::{ResolverAddressId, ResolverEndpointId, SecurityGroupId, SubnetId, Tags};

/// Everything of one resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The value of the ownership tag on everything that was made.
    pub owner: String,
    /// The security group, unless the user handed some in.
    pub group: Option<Group>,
    /// The inbound endpoint.
    pub endpoint: Option<Endpoint>,
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: SecurityGroupId,
    /// Its rules.
    pub rules: BTreeSet<Rule>,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
}

impl Group {
    /// A group of which only the id is known.
    pub fn unseen(id: &str) -> Self {
        Group { id: id.into(), rules: BTreeSet::new(), tags: Tags::new() }
    }
}

/// The inbound endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id.
    pub id: ResolverEndpointId,
    /// Its ARN; empty until it was looked at once.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The VPC.
    pub vpc_id: String,
    /// Whether its creation was seen to its end, and it is marked as in use.
    pub ready: bool,
    /// Its security groups.
    pub security_group_ids: BTreeSet<SecurityGroupId>,
    /// Its protocols.
    pub protocols: BTreeSet<String>,
    /// The family of its addresses, as users write it.
    pub address_type: String,
    /// Its addresses. Those that stay keep their place, so that what was said of one is never said of another.
    pub addresses: Vec<Address>,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
}

/// An address of the endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    pub state: State,
}

/// Where an address is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// In use.
    Attached,
    /// On its way to being in use.
    Coming,
    /// On its way out.
    Going,
    /// Will not be in use without help; the text is Resolver's status, and its reason where there is one.
    Failed(String),
}

impl Address {
    /// Whether it is in use, or will be.
    pub fn is_sound(&self) -> bool {
        matches!(self.state, State::Attached | State::Coming)
    }

    /// Why it will not be in use without help.
    pub fn failure(&self) -> Option<&str> {
        match &self.state {
            State::Failed(reason) => Some(reason),
            State::Attached | State::Coming | State::Going => None,
        }
    }

    /// The address, or its id while it has none, with its subnet.
    pub fn name(&self) -> String {
        match (self.ipv4, self.ipv6) {
            (Some(ip), _) => format!("{ip} in {}", self.subnet_id),
            (None, Some(ip)) => format!("{ip} in {}", self.subnet_id),
            (None, None) => format!("{} in {}", self.id, self.subnet_id),
        }
    }
}

impl Recorded {
    /// Whether nothing exists.
    pub fn is_empty(&self) -> bool {
        self.group.is_none() && self.endpoint.is_none()
    }

    /// The parts that exist, in words.
    pub fn parts(&self) -> Vec<String> {
        let group = self.group.iter().map(|group| format!("security group {}", group.id));
        let endpoint = self.endpoint.iter().map(|endpoint| {
            let unfinished = if endpoint.ready { "" } else { " (not ready)" };
            let addresses: Vec<_> = endpoint.addresses.iter().map(Address::name).collect();
            match addresses.is_empty() {
                true => format!("inbound endpoint {}{unfinished}", endpoint.id),
                false => format!("inbound endpoint {}{unfinished} with {}", endpoint.id, addresses.join(", ")),
            }
        });
        group.chain(endpoint).collect()
    }
}
