//! The parts of a DNS forwarding by name.
//!
//! **Invariant:** pure.

use crate::aws::VpcId;

/// Names one part. The order is the one in which those that can be made at the same time are started.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The security group of an endpoint.
    Group(Side),
    /// An endpoint.
    Endpoint(Side),
    /// The addresses of an endpoint, once it is there.
    Addresses(Side),
    /// The forward rule for a zone, asking the new inbound addresses that are in use already.
    Handover(String),
    /// The inbound endpoint's last addresses, once no rule asks the old ones any more.
    LastAddresses,
    /// The forward rule for a zone.
    Rule(String),
    /// The rule for a zone on a VPC.
    Association(String, VpcId),
    /// The resource share.
    Share,
}

/// Which endpoint something belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The inbound one.
    Inbound,
    /// The outbound one.
    Outbound,
    /// An outbound one that another has taken the place of, by the name under which it is recorded.
    Retired(String),
}

/// What an endpoint's part tag says at its end until the run that made it has ended. Only an endpoint with this mark can
/// be what a killed run has left behind; one without it may well belong to another configuration with the same name, or
/// to the object that this one replaces.
const IN_THE_MAKING: &str = "/in-the-making";

impl Key {
    /// Whether this part is made after the other, where both are made, and deleted before it.
    pub fn leans_on(&self, other: &Key) -> bool {
        match (self, other) {
            (Key::Endpoint(side), Key::Group(of)) | (Key::Addresses(side), Key::Endpoint(of)) => side == of,
            // The rules let go of the old addresses when new ones are in use, and before the last old one goes.
            (Key::Handover(_), Key::Addresses(Side::Inbound)) => true,
            (Key::LastAddresses, Key::Addresses(Side::Inbound) | Key::Handover(_)) => true,
            // Of the outbound endpoint its id, of the inbound one its addresses.
            (Key::Rule(_), Key::Endpoint(_) | Key::Addresses(Side::Inbound) | Key::LastAddresses) => true,
            (Key::Association(zone, _), Key::Rule(of)) => zone == of,
            (Key::Share, Key::Rule(_)) => true,
            _ => false,
        }
    }

    /// In words, for messages.
    pub fn name(&self) -> String {
        match self {
            Key::Group(side) => format!("security group of the {}", side.name()),
            Key::Endpoint(side) => side.name(),
            Key::Addresses(side) => format!("addresses of the {}", side.name()),
            Key::Handover(zone) => format!("forward rule for {zone} (to ask the new addresses)"),
            Key::LastAddresses => "last addresses of the inbound endpoint".to_owned(),
            Key::Rule(zone) => format!("forward rule for {zone}"),
            Key::Association(zone, vpc) => format!("association of the rule for {zone} with {vpc}"),
            Key::Share => "resource share".to_owned(),
        }
    }

    /// The value of the tag that says which part of its owner something is.
    pub fn part(&self) -> String {
        match self {
            Key::Group(side) => format!("{}-group", side.part()),
            Key::Endpoint(side) | Key::Addresses(side) => format!("{}-endpoint", side.part()),
            Key::LastAddresses => Key::Addresses(Side::Inbound).part(),
            Key::Rule(zone) | Key::Handover(zone) | Key::Association(zone, _) => format!("rule/{zone}"),
            Key::Share => "share".to_owned(),
        }
    }

    /// The same until the run that makes it has ended.
    pub fn part_in_the_making(&self) -> String {
        self.part() + IN_THE_MAKING
    }
}

impl Side {
    fn name(&self) -> String {
        match self {
            Side::Inbound => "inbound endpoint".to_owned(),
            Side::Outbound => "outbound endpoint".to_owned(),
            Side::Retired(_) => "former outbound endpoint".to_owned(),
        }
    }

    fn part(&self) -> &'static str {
        match self {
            Side::Inbound => "inbound",
            Side::Outbound | Side::Retired(_) => "outbound",
        }
    }
}

/// Whether a part tag says that the run that made its bearer has not ended.
pub fn is_in_the_making(part: &str) -> bool {
    part.ends_with(IN_THE_MAKING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_comes_after_both_endpoints_and_the_addresses_it_forwards_to() {
        let rule = Key::Rule("a".to_owned());
        for other in [Key::Endpoint(Side::Inbound), Key::Endpoint(Side::Outbound), Key::Addresses(Side::Inbound)] {
            assert!(rule.leans_on(&other), "{other:?}");
        }
        assert!(rule.leans_on(&Key::Endpoint(Side::Retired("x".to_owned()))), "it lets go of the former one first");
        assert!(!rule.leans_on(&Key::Addresses(Side::Outbound)));
    }

    #[test]
    fn a_rule_goes_after_its_associations_and_the_share() {
        let rule = Key::Rule("a".to_owned());
        assert!(Key::Association("a".to_owned(), "vpc-1".into()).leans_on(&rule));
        assert!(!Key::Association("b".to_owned(), "vpc-1".into()).leans_on(&rule));
        assert!(Key::Share.leans_on(&rule));
    }

    #[test]
    fn the_mark_is_told_from_the_part() {
        let endpoint = Key::Endpoint(Side::Inbound);
        assert_eq!(endpoint.part_in_the_making(), "inbound-endpoint/in-the-making");
        assert!(is_in_the_making(&endpoint.part_in_the_making()) && !is_in_the_making(&endpoint.part()));
    }
}
