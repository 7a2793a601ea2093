//! What is known to exist of a DNS forwarding: kept in the private data, refreshed by every read.
//!
//! **Invariant:** holds what AWS said, never what was wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::key::Side;
use crate::aws::ec2::security_group_rule::Rule as GroupRule;
use crate::aws::{
    ResolverAddressId, ResolverEndpointId, ResolverRuleAssociationId, ResolverRuleId, ResourceShareArn,
    SecurityGroupId, SubnetId, Tags, VpcId,
};

/// Everything of one resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The value of the ownership tag on everything that was made.
    pub owner: String,
    /// The inbound endpoint, made or adopted.
    pub inbound: End,
    /// The outbound endpoint.
    pub outbound: End,
    /// Outbound endpoints that another has taken the place of, until they are deleted.
    pub retired: BTreeMap<String, End>,
    /// The forward rules, by zone.
    pub rules: BTreeMap<String, Rule>,
    /// The resource share.
    pub share: Option<Share>,
}

/// An endpoint with its security group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The security group, if one was made.
    pub group: Option<Group>,
    /// The endpoint.
    pub endpoint: Option<Endpoint>,
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: SecurityGroupId,
    /// The VPC; empty until it was looked at once.
    pub vpc_id: String,
    /// Its rules.
    pub rules: BTreeSet<GroupRule>,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
}

impl Group {
    /// A group of which only the id is known.
    pub fn unseen(id: &str) -> Self {
        Group { id: id.into(), vpc_id: String::new(), rules: BTreeSet::new(), tags: Tags::new() }
    }
}

/// An endpoint.
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
    /// Whether its creation was seen to its end.
    pub ready: bool,
    /// Whether it still carries the mark of a run that makes it.
    pub marked: bool,
    /// Whether somebody else has made it.
    pub adopted: bool,
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

/// An address of an endpoint.
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

/// A forward rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its id.
    pub id: ResolverRuleId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The outbound endpoint that asks.
    pub endpoint_id: Option<ResolverEndpointId>,
    /// Whom it asks.
    pub targets: BTreeSet<IpAddr>,
    /// Whether they are asked on port 53 without encryption.
    pub is_plain: bool,
    /// Whether it is in use, and nothing about it is being changed.
    pub ready: bool,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
    /// The VPCs of this account that it is on.
    pub associations: BTreeMap<VpcId, Association>,
}

/// A rule on a VPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Association {
    /// Its id.
    pub id: ResolverRuleAssociationId,
    /// Why it is not in force. Nothing: it is.
    pub trouble: Option<String>,
}

/// The resource share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Its ARN.
    pub arn: ResourceShareArn,
    /// Its name.
    pub name: String,
    /// With whom it shares; the text says why one is without effect.
    pub principals: BTreeMap<String, Option<String>>,
    /// The accounts that have been invited, and have not accepted yet.
    #[serde(default)]
    pub invited: BTreeSet<String>,
    /// What it shares, by ARN; the text says why one is without effect.
    pub resources: BTreeMap<String, Option<String>>,
    /// Whether it is in force, and nothing about it is being changed.
    pub ready: bool,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
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

impl End {
    /// Whether nothing exists of it.
    pub fn is_empty(&self) -> bool {
        self.group.is_none() && self.endpoint.is_none()
    }

    /// What it is recorded under once another has taken its place.
    pub fn name(&self) -> String {
        let endpoint = self.endpoint.as_ref().map(|endpoint| endpoint.id.to_string());
        endpoint.or_else(|| self.group.as_ref().map(|group| group.id.to_string())).unwrap_or_default()
    }

    fn parts(&self, name: &str) -> Vec<String> {
        let group = self.group.iter().map(|group| format!("security group {}", group.id));
        let endpoint = self.endpoint.iter().map(|endpoint| {
            let note = match (endpoint.adopted, endpoint.ready) {
                (true, _) => " (adopted)",
                (false, false) => " (not ready)",
                (false, true) => "",
            };
            let addresses: Vec<_> = endpoint.addresses.iter().map(Address::name).collect();
            match addresses.is_empty() {
                true => format!("{name} {}{note}", endpoint.id),
                false => format!("{name} {}{note} with {}", endpoint.id, addresses.join(", ")),
            }
        });
        group.chain(endpoint).collect()
    }
}

impl Recorded {
    /// Whether nothing exists.
    pub fn is_empty(&self) -> bool {
        self.ends().all(|(_, end)| end.is_empty()) && self.rules.is_empty() && self.share.is_none()
    }

    /// All endpoints with their groups.
    pub fn ends(&self) -> impl Iterator<Item = (Side, &End)> {
        let retired = self.retired.iter().map(|(name, end)| (Side::Retired(name.clone()), end));
        [(Side::Inbound, &self.inbound), (Side::Outbound, &self.outbound)].into_iter().chain(retired)
    }

    /// An endpoint with its group. Of one that is gone nothing exists.
    pub fn end(&self, side: &Side) -> End {
        match side {
            Side::Inbound => self.inbound.clone(),
            Side::Outbound => self.outbound.clone(),
            Side::Retired(name) => self.retired.get(name).cloned().unwrap_or_default(),
        }
    }

    /// Records what became of an endpoint or its group.
    pub fn change_end(&mut self, side: &Side, change: impl FnOnce(&mut End)) {
        match side {
            Side::Inbound => change(&mut self.inbound),
            Side::Outbound => change(&mut self.outbound),
            Side::Retired(name) => {
                if let Some(end) = self.retired.get_mut(name) {
                    change(end);
                    if end.is_empty() {
                        self.retired.remove(name);
                    }
                }
            }
        }
    }

    /// Records a rule that was made or changed. A VPC may have been taken off it meanwhile, so those on record stay as they
    /// are.
    pub fn put_rule(&mut self, zone: &str, mut rule: Rule) {
        if let Some(there) = self.rules.get_mut(zone) {
            rule.associations = std::mem::take(&mut there.associations);
        }
        self.rules.insert(zone.to_owned(), rule);
    }

    /// Whether the inbound endpoint was adopted.
    pub fn has_adopted(&self) -> bool {
        self.inbound.endpoint.as_ref().is_some_and(|endpoint| endpoint.adopted)
    }

    /// The parts that exist, in words.
    pub fn parts(&self) -> Vec<String> {
        let mut parts = self.inbound.parts("inbound endpoint");
        parts.extend(self.outbound.parts("outbound endpoint"));
        parts.extend(self.retired.values().flat_map(|end| end.parts("former outbound endpoint")));
        for (zone, rule) in &self.rules {
            let vpcs: Vec<_> = rule.associations.keys().map(ToString::to_string).collect();
            parts.push(match vpcs.is_empty() {
                true => format!("forward rule {} for {zone}", rule.id),
                false => format!("forward rule {} for {zone} on {}", rule.id, vpcs.join(", ")),
            });
        }
        parts.extend(self.share.iter().map(|share| format!("resource share {}", share.arn)));
        parts
    }
}
