//! The VPC: whether it is there, its DNS, its tenancy.
//!
//! **Invariant:** pure.

use crate::aws::VpcId;
use crate::aws::ec2::vpc::Vpc;
use crate::framework::{Diagnostic, Path};

/// What the VPC is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Private DNS of endpoints is turned on in it.
    pub private_dns: bool,
    /// A domain is made in it.
    pub domain: bool,
}

/// What is wrong with a VPC, or that it is not there.
pub fn check(id: &VpcId, vpc: Option<&Vpc>, needs: Needs) -> Vec<Diagnostic> {
    let wrong = |text: String| Diagnostic::error("Invalid vpc_id", text).at(Path::root("vpc_id"));
    let Some(vpc) = vpc else {
        return vec![wrong(format!("There is no VPC {id} in this account and Region."))];
    };
    let mut found = Vec::new();
    let attributes = [
        (vpc.dns_support, "DNS support", "enable_dns_support"),
        (vpc.dns_hostnames, "DNS host names", "enable_dns_hostnames"),
    ];
    let off: Vec<_> = attributes.into_iter().filter(|(on, ..)| !on).collect();
    if needs.private_dns && !off.is_empty() {
        let join = |part: fn(&(bool, &'static str, &'static str)) -> &'static str| {
            off.iter().map(part).collect::<Vec<_>>().join(" and ")
        };
        found.push(wrong(format!(
            "Private DNS of endpoints needs DNS support and DNS host names in {id}. Off now: {}. Turn on {} of the VPC, or set endpoints.private_dns_enabled to false. If this configuration turns it on, apply the VPC alone first, with -target.",
            join(|(_, name, _)| name),
            join(|(.., attribute)| attribute),
        )));
    }
    if needs.domain && !vpc.default_tenancy {
        found.push(wrong(format!(
            "SageMaker makes domains only in VPCs of default tenancy, and {id} is of dedicated tenancy. Give another VPC, or set instance_tenancy of this one to \"default\"."
        )));
    }
    found
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

    const ALL: Needs = Needs { private_dns: true, domain: true };

    fn text(found: &[Diagnostic]) -> String {
        found.iter().map(|one| one.detail.as_str()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_vpc_that_has_what_is_needed_is_right() {
        assert_eq!(check(&"vpc-1".into(), Some(&vpc()), ALL), []);
    }

    #[test]
    fn the_attribute_that_is_off_is_named_and_the_other_is_not_asked_for() {
        let vpc = Vpc { dns_hostnames: false, ..vpc() };
        let found = check(&"vpc-1".into(), Some(&vpc), ALL);
        assert!(text(&found).contains("Off now: DNS host names. Turn on enable_dns_hostnames of the VPC"));
        assert_eq!(check(&"vpc-1".into(), Some(&vpc), Needs { private_dns: false, ..ALL }), []);
    }

    #[test]
    fn dedicated_tenancy_is_wrong_for_a_new_domain_alone() {
        let vpc = Vpc { default_tenancy: false, ..vpc() };
        assert!(text(&check(&"vpc-1".into(), Some(&vpc), ALL)).contains("dedicated tenancy"));
        assert_eq!(check(&"vpc-1".into(), Some(&vpc), Needs { domain: false, ..ALL }), []);
    }

    #[test]
    fn a_vpc_that_is_not_there_is_one_error() {
        assert_eq!(check(&"vpc-1".into(), None, ALL).len(), 1);
    }
}
