//! Subnets that something is going to be made in: IPv6 ranges for dual stack, and free addresses.
//!
//! That they are in the VPC and in zones that the services support is checked where they are looked up.
//!
//! **Invariant:** pure.

use std::collections::BTreeMap;

use super::scope::SubnetUse;
use crate::aws::SubnetId;
use crate::aws::ec2::subnet::Subnet;
use crate::framework::Diagnostic;

/// What is wrong with subnets, as far as they were looked up. `freed` counts, by subnet, the endpoints that go before
/// the new ones come.
pub fn check(
    uses: &[SubnetUse],
    subnets: &[Subnet],
    dual_stack: bool,
    freed: &BTreeMap<SubnetId, usize>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for one in uses {
        if let Some(subnet) = subnets.iter().find(|subnet| subnet.id == one.id) {
            found.extend(dual_stack.then(|| without_ipv6(one, subnet)).flatten());
            found.extend(too_full(one, subnet, freed.get(&one.id).copied().unwrap_or(0)));
        }
    }
    found
}

fn without_ipv6(one: &SubnetUse, subnet: &Subnet) -> Option<Diagnostic> {
    let text = format!(
        "ip_address_type is \"dualstack\", and {} has no IPv6 range. Give it one, name another subnet, or set ip_address_type to \"ipv4\".",
        one.id
    );
    let error = Diagnostic::error("A subnet has no IPv6 range", text).at(one.path.clone());
    subnet.ipv6_cidrs.is_empty().then_some(error)
}

/// An endpoint takes one address in each of its subnets. Apps take more later: two to four for each user ("Connect
/// Studio in a VPC to external resources", SageMaker developer guide).
fn too_full(one: &SubnetUse, subnet: &Subnet, freed: usize) -> Option<Diagnostic> {
    // A subnet of IPv6 alone has no IPv4 addresses to run out of.
    let range = subnet.ipv4_cidr.as_ref()?;
    let free = usize::try_from(subnet.free_addresses).unwrap_or(usize::MAX).saturating_add(freed);
    let text = |have: &str| {
        format!(
            "{} ({range}) has {have}. {} be made in it, which take one address each, and each user's apps take two to four more. Name another subnet, or free addresses in this one.",
            one.id,
            match one.endpoints {
                0 => "Interfaces are to".to_owned(),
                1 => "One endpoint is to".to_owned(),
                endpoints => format!("{endpoints} endpoints are to"),
            }
        )
    };
    if free == 0 {
        return Some(
            Diagnostic::error("A subnet has no free address", text("no free address left")).at(one.path.clone()),
        );
    }
    let have = format!("{free} free {}", if free == 1 { "address" } else { "addresses" });
    (free < one.endpoints)
        .then(|| Diagnostic::warning("A subnet has few free addresses", text(&have)).at(one.path.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Tags;
    use crate::framework::{Path, Severity};

    fn subnet(free_addresses: u32) -> Subnet {
        Subnet {
            id: "subnet-1".into(),
            vpc_id: "vpc-1".into(),
            zone: "eu-west-1a".to_owned(),
            zone_id: "euw1-az1".to_owned(),
            ipv4_cidr: Some("10.0.0.0/28".to_owned()),
            ipv6_cidrs: Vec::new(),
            free_addresses,
            tags: Tags::new(),
        }
    }

    fn found(subnet: Subnet, endpoints: usize, dual_stack: bool, freed: usize) -> Vec<(Severity, String)> {
        let path = Path::root("subnet_ids").element("subnet-1");
        let uses = [SubnetUse { id: "subnet-1".into(), path, endpoints }];
        let found = check(&uses, &[subnet], dual_stack, &[("subnet-1".into(), freed)].into());
        found.into_iter().map(|one| (one.severity, one.detail)).collect()
    }

    #[test]
    fn a_full_subnet_is_an_error() {
        let found = found(subnet(0), 3, false, 0);
        assert_eq!(found[0].0, Severity::Error);
        assert!(found[0].1.contains("(10.0.0.0/28) has no free address left. 3 endpoints are to be made"), "{found:?}");
    }

    #[test]
    fn fewer_addresses_than_endpoints_are_a_warning() {
        let found = found(subnet(1), 3, false, 0);
        assert_eq!(found[0].0, Severity::Warning);
        assert!(found[0].1.contains("has 1 free address. 3 endpoints"), "{found:?}");
    }

    #[test]
    fn enough_addresses_are_enough_and_those_of_endpoints_that_go_count() {
        assert_eq!(found(subnet(3), 3, false, 0), []);
        assert_eq!(found(subnet(0), 3, false, 3), []);
        assert_eq!(found(Subnet { ipv4_cidr: None, ..subnet(0) }, 3, false, 0), []);
    }

    #[test]
    fn dual_stack_needs_an_ipv6_range() {
        assert!(found(subnet(9), 0, true, 0)[0].1.contains("has no IPv6 range"));
        let with = Subnet { ipv6_cidrs: vec!["2600:1f18::/64".to_owned()], ..subnet(9) };
        assert_eq!(found(with, 0, true, 0), []);
    }
}
