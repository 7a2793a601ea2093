//! The rules of a security group, one by one, as EC2 has kept them since rules have ids.

use std::fmt;

use aws_sdk_ec2 as ec2;
use serde::{Deserialize, Serialize};

use super::{call, filter};
use crate::aws::{AwsError, Call, Clients, Kind, PrefixListId, SecurityGroupId, SecurityGroupRuleId};

/// Which way the traffic goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// To what the group protects.
    Inbound,
    /// From what the group protects.
    Outbound,
}

/// The other end of the traffic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Peer {
    /// An IPv4 range.
    Cidr4(String),
    /// An IPv6 range.
    Cidr6(String),
    /// Whatever has this group, or the group itself.
    Group(SecurityGroupId),
    /// The ranges of a prefix list.
    PrefixList(PrefixListId),
}

/// One rule of a security group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// Which way the traffic goes.
    pub direction: Direction,
    /// The protocol as EC2 writes it: `tcp`, `udp`, `icmp`, a number, or `-1` for all.
    pub protocol: String,
    /// The ports, first and last. `None` where the protocol has none.
    pub ports: Option<(u16, u16)>,
    /// The other end.
    pub peer: Peer,
    /// What it is for. Two rules that differ in nothing else are the same rule to EC2.
    pub description: String,
}

impl Rule {
    /// A rule for one port or a range of them.
    pub fn ports(direction: Direction, protocol: &str, ports: (u16, u16), peer: Peer, description: &str) -> Self {
        Self { direction, protocol: protocol.to_owned(), ports: Some(ports), peer, description: description.to_owned() }
    }

    /// A rule for all traffic.
    pub fn all(direction: Direction, peer: Peer, description: &str) -> Self {
        Self { direction, protocol: "-1".to_owned(), ports: None, peer, description: description.to_owned() }
    }

    /// Whether EC2 takes the two for the same rule: the description does not count.
    pub fn is_same_traffic(&self, other: &Self) -> bool {
        self.direction == other.direction
            && self.protocol == other.protocol
            && self.ports == other.ports
            && self.peer == other.peer
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if self.protocol == "-1" { "all" } else { &self.protocol };
        f.write_str(protocol)?;
        match self.ports {
            None => {}
            Some((first, last)) if first == last => write!(f, " {first}")?,
            Some((first, last)) => write!(f, " {first}-{last}")?,
        }
        f.write_str(match self.direction {
            Direction::Inbound => " from ",
            Direction::Outbound => " to ",
        })?;
        match &self.peer {
            Peer::Cidr4(cidr) | Peer::Cidr6(cidr) => f.write_str(cidr),
            Peer::Group(id) => id.fmt(f),
            Peer::PrefixList(id) => id.fmt(f),
        }
    }
}

/// A rule that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRule {
    /// Its id.
    pub id: SecurityGroupRuleId,
    /// What it says.
    pub rule: Rule,
}

/// Lists the rules of a group. A group that does not exist has none.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn list_rules(clients: &Clients, group: &SecurityGroupId) -> Result<Vec<RecordedRule>, AwsError> {
    let call = call("DescribeSecurityGroupRules", format!("rules of security group {group}"));
    let pages = clients.ec2().describe_security_group_rules().filters(filter("group-id", [group])).into_paginator();
    let rules = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(rules.iter().filter_map(from_ec2).collect())
}

/// Adds rules to a group. A rule that is there already counts as added.
///
/// # Errors
/// `LimitExceeded` when the group would have too many rules, `NotFound` when a group is gone.
/// Rules of the other direction may have been added by then.
pub async fn authorize_rules(clients: &Clients, group: &SecurityGroupId, rules: &[Rule]) -> Result<(), AwsError> {
    for direction in [Direction::Inbound, Direction::Outbound] {
        let some: Vec<&Rule> = rules.iter().filter(|rule| rule.direction == direction).collect();
        if some.is_empty() {
            continue;
        }
        match authorize(clients, group, direction, &some).await {
            // One duplicate refuses the whole request, so the rules go one by one.
            Err(error) if error.kind == Kind::AlreadyExists => {
                for rule in some {
                    match authorize(clients, group, direction, &[rule]).await {
                        Err(error) if error.kind != Kind::AlreadyExists => return Err(error),
                        Ok(()) | Err(_) => {}
                    }
                }
            }
            other => other?,
        }
    }
    Ok(())
}

/// Takes rules out of a group. A rule, or a group, that is gone counts as taken out.
///
/// # Errors
/// Whatever EC2 refuses, such as `AccessDenied`.
pub async fn revoke_rules(clients: &Clients, group: &SecurityGroupId, rules: &[RecordedRule]) -> Result<(), AwsError> {
    for direction in [Direction::Inbound, Direction::Outbound] {
        let some: Vec<&SecurityGroupRuleId> =
            rules.iter().filter(|recorded| recorded.rule.direction == direction).map(|recorded| &recorded.id).collect();
        if some.is_empty() {
            continue;
        }
        match revoke(clients, group, direction, &some).await {
            // One unknown rule refuses the whole request, so the rules go one by one.
            Err(error) if error.is_not_found() => {
                for id in some {
                    match revoke(clients, group, direction, &[id]).await {
                        Err(error) if !error.is_not_found() => return Err(error),
                        Ok(()) | Err(_) => {}
                    }
                }
            }
            other => other?,
        }
    }
    Ok(())
}

async fn authorize(
    clients: &Clients,
    group: &SecurityGroupId,
    direction: Direction,
    rules: &[&Rule],
) -> Result<(), AwsError> {
    let permissions = Some(rules.iter().map(|rule| to_ec2(rule)).collect());
    let id = Some(group.to_string());
    let ec2 = clients.ec2();
    match direction {
        Direction::Inbound => {
            let call = changing("AuthorizeSecurityGroupIngress", group);
            let request = ec2.authorize_security_group_ingress().set_group_id(id).set_ip_permissions(permissions);
            request.send().await.map_err(|error| call.failed(error))?;
        }
        Direction::Outbound => {
            let call = changing("AuthorizeSecurityGroupEgress", group);
            let request = ec2.authorize_security_group_egress().set_group_id(id).set_ip_permissions(permissions);
            request.send().await.map_err(|error| call.failed(error))?;
        }
    }
    Ok(())
}

async fn revoke(
    clients: &Clients,
    group: &SecurityGroupId,
    direction: Direction,
    rules: &[&SecurityGroupRuleId],
) -> Result<(), AwsError> {
    let ids = Some(rules.iter().map(ToString::to_string).collect());
    let id = Some(group.to_string());
    let ec2 = clients.ec2();
    match direction {
        Direction::Inbound => {
            let call = changing("RevokeSecurityGroupIngress", group);
            let request = ec2.revoke_security_group_ingress().set_group_id(id).set_security_group_rule_ids(ids);
            request.send().await.map_err(|error| call.failed(error))?;
        }
        Direction::Outbound => {
            let call = changing("RevokeSecurityGroupEgress", group);
            let request = ec2.revoke_security_group_egress().set_group_id(id).set_security_group_rule_ids(ids);
            request.send().await.map_err(|error| call.failed(error))?;
        }
    }
    Ok(())
}

fn changing(operation: &'static str, group: &SecurityGroupId) -> Call {
    call(operation, format!("rules of security group {group}"))
}

fn to_ec2(rule: &Rule) -> ec2::types::IpPermission {
    let description = Some(rule.description.clone()).filter(|text| !text.is_empty());
    let permission = ec2::types::IpPermission::builder()
        .ip_protocol(&rule.protocol)
        .set_from_port(rule.ports.map(|(first, _)| first.into()))
        .set_to_port(rule.ports.map(|(_, last)| last.into()));
    match &rule.peer {
        Peer::Cidr4(cidr) => {
            permission.ip_ranges(ec2::types::IpRange::builder().cidr_ip(cidr).set_description(description).build())
        }
        Peer::Cidr6(cidr) => permission
            .ipv6_ranges(ec2::types::Ipv6Range::builder().cidr_ipv6(cidr).set_description(description).build()),
        Peer::Group(id) => permission.user_id_group_pairs(
            ec2::types::UserIdGroupPair::builder().group_id(id.as_str()).set_description(description).build(),
        ),
        Peer::PrefixList(id) => permission.prefix_list_ids(
            ec2::types::PrefixListId::builder().prefix_list_id(id.as_str()).set_description(description).build(),
        ),
    }
    .build()
}

fn from_ec2(rule: &ec2::types::SecurityGroupRule) -> Option<RecordedRule> {
    let protocol = rule.ip_protocol().unwrap_or("-1").to_owned();
    // For protocols without ports, EC2 writes -1, or an ICMP type, in their place.
    let has_ports = matches!(protocol.as_str(), "tcp" | "udp" | "6" | "17");
    let port = |port: Option<i32>| port.and_then(|port| u16::try_from(port).ok());
    Some(RecordedRule {
        id: rule.security_group_rule_id()?.into(),
        rule: Rule {
            direction: if rule.is_egress() == Some(true) { Direction::Outbound } else { Direction::Inbound },
            ports: port(rule.from_port()).zip(port(rule.to_port())).filter(|_| has_ports),
            protocol,
            peer: peer(rule)?,
            description: rule.description().unwrap_or_default().to_owned(),
        },
    })
}

fn peer(rule: &ec2::types::SecurityGroupRule) -> Option<Peer> {
    let group = || rule.referenced_group_info()?.group_id().map(|id| Peer::Group(id.into()));
    rule.cidr_ipv4()
        .map(|cidr| Peer::Cidr4(cidr.to_owned()))
        .or_else(|| rule.cidr_ipv6().map(|cidr| Peer::Cidr6(cidr.to_owned())))
        .or_else(|| rule.prefix_list_id().map(|id| Peer::PrefixList(id.into())))
        .or_else(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn https_from(cidr: &str) -> Rule {
        Rule::ports(Direction::Inbound, "tcp", (443, 443), Peer::Cidr4(cidr.to_owned()), "offices")
    }

    #[test]
    fn a_rule_prints_as_a_person_would_say_it() {
        assert_eq!(https_from("10.0.0.0/8").to_string(), "tcp 443 from 10.0.0.0/8");
        let all = Rule::all(Direction::Outbound, Peer::Group("sg-1".into()), "");
        assert_eq!(all.to_string(), "all to sg-1");
    }

    #[test]
    fn a_rule_with_another_description_is_the_same_traffic() {
        let mut other = https_from("10.0.0.0/8");
        other.description = "home".to_owned();
        assert!(https_from("10.0.0.0/8").is_same_traffic(&other));
        assert!(!https_from("10.0.0.0/8").is_same_traffic(&https_from("10.0.0.0/9")));
    }

    #[test]
    fn a_rule_survives_the_way_to_ec2_and_back() {
        let recorded = ec2::types::SecurityGroupRule::builder()
            .security_group_rule_id("sgr-1")
            .is_egress(false)
            .ip_protocol("tcp")
            .from_port(443)
            .to_port(443)
            .cidr_ipv4("10.0.0.0/8")
            .description("offices")
            .build();
        assert_eq!(from_ec2(&recorded).unwrap().rule, https_from("10.0.0.0/8"));
        let sent = to_ec2(&https_from("10.0.0.0/8"));
        assert_eq!((sent.from_port(), sent.to_port()), (Some(443), Some(443)));
        assert_eq!(sent.ip_ranges()[0].cidr_ip(), Some("10.0.0.0/8"));
    }

    #[test]
    fn all_traffic_has_no_ports() {
        let recorded = ec2::types::SecurityGroupRule::builder()
            .security_group_rule_id("sgr-1")
            .is_egress(true)
            .ip_protocol("-1")
            .from_port(-1)
            .to_port(-1)
            .cidr_ipv4("0.0.0.0/0")
            .build();
        let rule = from_ec2(&recorded).unwrap().rule;
        assert_eq!(rule, Rule::all(Direction::Outbound, Peer::Cidr4("0.0.0.0/0".to_owned()), ""));
        assert_eq!(to_ec2(&rule).from_port(), None);
    }
}
