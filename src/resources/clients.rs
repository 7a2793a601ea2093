//! The ranges that clients are in, and whether the VPC's own addresses are among them.
//!
//! **Invariant:** pure.

use ipnet::IpNet;

use super::ranges::{listed, outside, overlap};
use super::values::Strings;
use crate::aws::VpcId;
use crate::aws::ec2::vpc::Vpc;
use crate::framework::{Diagnostic, Path, Value};

/// A client range as it is written, and as it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRange {
    /// As it is written.
    pub text: String,
    /// As it is meant.
    pub range: IpNet,
}

/// The ranges that are known.
pub fn known_ranges(blocks: &Strings) -> Vec<ClientRange> {
    let texts = blocks.known().into_iter().flatten().filter_map(Value::text);
    texts.filter_map(|text| Some(ClientRange { text: text.to_owned(), range: text.parse().ok()? })).collect()
}

/// The ranges of a VPC.
pub fn ranges_of(vpc: &Vpc) -> Vec<IpNet> {
    vpc.ipv4_cidrs.iter().chain(&vpc.ipv6_cidrs).filter_map(|cidr| cidr.parse().ok()).collect()
}

/// Client ranges that hold addresses of the VPC beside others: clients elsewhere that have such an address are never
/// answered, because the VPC's local route wins.
pub fn check_clients(id: &VpcId, own: &[IpNet], clients: &[ClientRange]) -> Vec<Diagnostic> {
    let straddles = |client: &&ClientRange| {
        own.iter().any(|own| overlap(own, &client.range)) && !outside(client.range, own).is_empty()
    };
    let warning = |client: &ClientRange| {
        let shared: Vec<IpNet> = own.iter().filter(|own| client.range.contains(*own)).copied().collect();
        let text = format!(
            "{} is opened to clients, and {} of it is {id}'s own. Answers to those addresses never leave the VPC, so that no client outside of it can have one of them. Nothing is wrong if no client has; else give those clients or the VPC other addresses.",
            client.text,
            listed(&shared),
        );
        let path = Path::root("client_cidr_blocks").element(client.text.as_str());
        Diagnostic::warning("A client range holds the VPC's own addresses", text).at(path)
    };
    clients.iter().filter(straddles).map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Tags;

    fn vpc() -> Vpc {
        Vpc {
            id: "vpc-1".into(),
            owner_id: None,
            ipv4_cidrs: vec!["10.0.0.0/16".to_owned()],
            ipv6_cidrs: vec!["2600:1f18::/56".to_owned()],
            dns_support: true,
            dns_hostnames: true,
            default_tenancy: true,
            tags: Tags::new(),
        }
    }

    fn straddling(texts: &[&str]) -> Vec<String> {
        let client = |text: &&str| ClientRange { text: (*text).to_owned(), range: text.parse().unwrap() };
        let clients: Vec<_> = texts.iter().map(client).collect();
        check_clients(&"vpc-1".into(), &ranges_of(&vpc()), &clients).into_iter().map(|found| found.detail).collect()
    }

    #[test]
    fn a_client_range_around_the_vpcs_is_warned_of() {
        let found = straddling(&["10.0.0.0/8"]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("10.0.0.0/16 of it is vpc-1's own"), "{found:?}");
    }

    #[test]
    fn clients_inside_or_wholly_outside_of_the_vpc_are_fine() {
        assert_eq!(straddling(&["10.0.3.0/24", "10.0.0.0/16", "192.168.0.0/16", "2600:1f18::/64"]), [""; 0]);
    }
}
