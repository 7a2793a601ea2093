//! The attributes of `studio_dns_forwarding`.
//!
//! **Invariant:** calls nothing.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::principal::{self, Principal};
use crate::dns::address::parse_address;
use crate::dns::name::ZoneName;
use crate::dns::zones::DomainId;
use crate::framework::schema::{Check, Nesting, Schema};
use crate::framework::{Attribute, Dynamic, checks};
use crate::resources::common::{closing_attributes, id_attribute, region_attribute};

/// The fewest addresses that an endpoint may have (CreateResolverEndpoint, Route 53 Resolver API reference).
pub const FEWEST_ADDRESSES: usize = 2;
/// The most addresses that an endpoint may have ("Quotas on Route 53 Resolver", Route 53 developer guide).
pub const MOST_ADDRESSES: usize = 6;

/// The schema.
pub fn schema() -> Schema {
    let mut attributes =
        vec![id_attribute("The inbound endpoint's id. The same as `inbound_endpoint_id`."), region_attribute()];
    attributes.extend(endpoint());
    attributes.extend(access());
    attributes.extend(zones());
    attributes.push(outbound());
    attributes.extend(results());
    attributes.extend(closing_attributes());
    Schema {
        description: "The way from corporate DNS to the VPC: an inbound Resolver endpoint with its security group, and the configuration that makes a forwarder send Studio's names, and only those, to the endpoint's addresses. On request also the half inside AWS: an outbound endpoint with forward rules for VPCs that are to resolve the names through the endpoint, shared with other accounts.",
        attributes,
        ..Schema::default()
    }
}

fn endpoint() -> Vec<Attribute> {
    vec![
        Attribute::string("name")
            .required()
            .describe("The endpoint's name: up to 64 letters, digits, `-`, `_`, `'` and spaces, not digits alone.")
            .check(checks::length(1, 64))
            .check(checks::text(endpoint_name)),
        Attribute::string("vpc_id")
            .required()
            .replaces()
            .describe("The VPC, whose resolver answers what is forwarded.")
            .check(vpc()),
        subnet_ids("The subnets that the endpoint has an address in, two to six, in two Availability Zones or more. Resolver chooses the addresses. A subnet that stands twice gets two. A change is made without a gap: each new address is in use before an old one goes. Exactly one of `subnet_ids`, `ip_addresses` and `existing_inbound_endpoint_id` must be given."),
        ip_addresses("The endpoint's addresses, two to six, in two Availability Zones or more. Fixed ones keep the forwarders' configuration valid when the endpoint is made again, and make it known before anything is made. Exactly one of `subnet_ids`, `ip_addresses` and `existing_inbound_endpoint_id` must be given."),
        Attribute::string("existing_inbound_endpoint_id")
            .replaces()
            .describe("An inbound endpoint that exists already, in `vpc_id`. It is used as it is, never changed and never deleted, with its own name, addresses, groups and protocols; `name` is then the name of what is made beside it, and `protocols` and `ip_address_type` show what the endpoint has. Not together with `subnet_ids`, `ip_addresses`, `client_cidr_blocks`, `security_group_ids`, `untracked`, `protocols` or `ip_address_type`.")
            .check(checks::prefix(&["rslvr-in-"], "the id of an inbound endpoint such as rslvr-in-0abc")),
        Attribute::string_set("protocols")
            .default_to(["Do53"].into_iter().collect::<Dynamic>())
            .describe("The protocols that the endpoint takes: `Do53` (plain DNS), `DoH` and `DoH-FIPS` (over HTTPS). `DoH` and `DoH-FIPS` exclude each other. Resolver changes them only so that one of the old ones stays, so a change from `Do53` to `DoH` passes through both. The rendered configurations use `Do53`.")
            .check_each(checks::one_of(&["Do53", "DoH", "DoH-FIPS"]))
            .check(checks::at_least(1)),
        Attribute::string("ip_address_type")
            .default_to("ipv4")
            .describe("The family of the endpoint's addresses: `ipv4`, `ipv6` or `dualstack`. A change between `ipv4` and `dualstack` keeps the endpoint and its IPv4 addresses; one from or to `ipv6` replaces the resource.")
            .check(checks::one_of(&["ipv4", "ipv6", "dualstack"])),
    ]
}

fn subnet_ids(description: &'static str) -> Attribute {
    Attribute::strings("subnet_ids")
        .describe(description)
        .check_each(subnet())
        .check(checks::at_least(FEWEST_ADDRESSES))
        .check(checks::at_most(MOST_ADDRESSES))
}

fn ip_addresses(description: &'static str) -> Attribute {
    Attribute::nested(
        "ip_addresses",
        Nesting::List,
        vec![
            Attribute::string("subnet_id").required().describe("The subnet that the address is in.").check(subnet()),
            Attribute::string("ip")
                .describe("The IPv4 address, one of the subnet's. Without it Resolver chooses one.")
                .check(checks::text(ipv4)),
            Attribute::string("ipv6")
                .describe("The IPv6 address, one of the subnet's, where the endpoint has IPv6. Without it Resolver chooses one.")
                .check(checks::text(ipv6))
                .equivalent(same_ipv6),
        ],
    )
    .check(checks::at_least(FEWEST_ADDRESSES))
    .check(checks::at_most(MOST_ADDRESSES))
    .describe(description)
}

fn outbound() -> Attribute {
    Attribute::nested(
        "outbound",
        Nesting::Single,
        vec![
            Attribute::string("vpc_id")
                .describe("The VPC that the outbound endpoint is in. By default the resource's `vpc_id`. A change makes a new outbound endpoint, moves the rules to it, and then deletes the old one.")
                .check(vpc()),
            subnet_ids("The subnets that the outbound endpoint has an address in, two to six, in two Availability Zones or more. Exactly one of `subnet_ids` and `ip_addresses` must be given."),
            ip_addresses("The addresses that the outbound endpoint asks from, two to six, in two Availability Zones or more; for firewalls that let in single addresses. Exactly one of `subnet_ids` and `ip_addresses` must be given."),
            Attribute::string_set("vpc_ids")
                .describe("The VPCs of this account and Region that the rules are put on: what is in them then resolves the zones through the inbound endpoint. Never the VPC of the inbound endpoint itself, whose queries would go round in a loop. VPCs of other accounts get the rules through `share_with`.")
                .check_each(vpc()),
            Attribute::string_set("target_ips")
                .describe("The addresses that the rules forward to, one to six, all IPv4 or all IPv6. By default those of the inbound endpoint, of a dualstack endpoint the IPv4 ones. The rules follow when they change; where all of them are exchanged, they ask the new ones before the last old one goes.")
                .check_each(checks::text(|text| parse_address(text).map(drop).map_err(sentence)))
                .check(checks::at_least(1))
                .check(checks::at_most(MOST_ADDRESSES)),
            Attribute::string_set("share_with")
                .describe("With whom the rules are shared through AWS RAM: account ids, and the ids or ARNs of organizational units or of the organization. RAM takes ARNs; an id is completed from the organization that the account belongs to, which takes the permission `organizations:DescribeOrganization`. Sharing with an organization has to be turned on in RAM by its management account. An account outside of the organization is invited, and can use the rules once it has accepted; the apply does not wait for that. Each account puts the rules, by `rule_ids`, on its own VPCs.")
                .check_each(checks::text(known_principal))
                .equivalent(principal::same_values),
        ],
    )
    .describe("The half inside AWS: an outbound endpoint with a security group of its own, and a forward rule for each of `forward_zones`, for VPCs that must resolve them through the inbound addresses.")
}

fn access() -> Vec<Attribute> {
    vec![
        Attribute::string_set("client_cidr_blocks")
            .describe("The address ranges of the DNS servers that may query the endpoint: port 53, TCP and UDP, for `Do53`, port 443 for the others. Not together with `security_group_ids`; opens nothing where `untracked` is true, because everything is open then.")
            .check_each(checks::cidr()),
        Attribute::string_set("security_group_ids")
            .replaces()
            .describe("Security groups for the endpoint. By default one is made. Resolver cannot change an endpoint's groups.")
            .check_each(checks::prefix(&["sg-"], "a security group id such as sg-0abc"))
            .check(checks::at_least(1)),
        Attribute::bool("untracked")
            .default_to(false)
            .describe("Whether the security group is open to every address, in both directions, so that EC2 does not track connections: AWS advises so for high query rates, since tracking can lower an address to 1,500 queries a second. `client_cidr_blocks` then opens and closes nothing: whoever has a route to the endpoint may query it, and who has one is up to route tables, network ACLs and firewalls. The ranges are still held against the routes back to them."),
    ]
}

fn zones() -> Vec<Attribute> {
    vec![
        Attribute::strings("zones")
            .describe("The zones to forward, by their own names: a zone covers every name below it, and wildcards are refused. By default the parents of all of Studio's names in the Region. A zone that holds more than Studio's names, such as `sagemaker.aws` or `eu-central-1.amazonaws.com`, is warned of; one that holds the names of every AWS service, such as `amazonaws.com`, is refused.")
            .check_each(checks::text(zone_name))
            .check(checks::at_least(1)),
        Attribute::string_set("domain_ids")
            .describe("Forward only the host names of these domains instead of the parents. Apps such as JupyterLab and Code Editor have random names beside them, directly under the parents, and are left out. Not together with `zones`.")
            .check_each(checks::text(|text| DomainId::new(text).map(drop).map_err(sentence)))
            .check(checks::at_least(1)),
        Attribute::bool("include_api_zones")
            .default_to(false)
            .describe("Whether to forward the names of the SageMaker API and runtime, too: for programs on the corporate network that call them."),
    ]
}

fn results() -> Vec<Attribute> {
    let string = |name, text| Attribute::string(name).computed().describe(text);
    vec![
        string("arn", "The inbound endpoint's ARN."),
        string("inbound_endpoint_id", "The inbound endpoint's id."),
        Attribute::strings("inbound_ips")
            .computed()
            .describe("The endpoint's addresses, in the order of `subnet_ids` or `ip_addresses`; IPv4 first, then IPv6 where there are both. Those that are fixed, or stay, are known at plan."),
        string("outbound_endpoint_id", "The outbound endpoint's id; null without `outbound`."),
        Attribute::string_map("rule_ids")
            .computed()
            .describe("The ids of the forward rules, by zone; empty without `outbound`."),
        string("resource_share_arn", "The ARN of the resource share; null without `outbound.share_with`."),
        string("security_group_id", "The security group that was made for the inbound endpoint; null if some were handed in, or the endpoint existed before."),
        string("outbound_security_group_id", "The security group that was made for the outbound endpoint; null without `outbound`. It lets out DNS, port 53, and nothing in."),
        Attribute::strings("forward_zones")
            .computed()
            .describe("The zones that are to be forwarded, without trailing dots."),
        Attribute::string_map("forwarder_configs")
            .computed()
            .describe("Configuration files for DNS servers, by kind: `bind` (included at the top level) and `bind_options` (included inside `options { }`), `unbound`, `dnsmasq`, `coredns` (a server block for the Corefile), `powerdns_recursor` (for the configuration folder) and `powerdns_recursor_lua` (for the Lua file), `knot_resolver`, `systemd_resolved`, `windows_dns` (a PowerShell script, which can be run again), `infoblox` (a file for CSV import) and `zscaler` (lists of domains and addresses for Private Access). Each is a whole file for the place that its first comment names, forwards to the endpoint only, and carries the exemptions from DNSSEC validation and rebinding protection that its server needs."),
    ]
}

fn vpc() -> Check {
    checks::prefix(&["vpc-"], "a VPC id such as vpc-0abc")
}

fn subnet() -> Check {
    checks::prefix(&["subnet-"], "a subnet id such as subnet-0abc")
}

/// The pattern is Resolver's: `(?!^[0-9]+$)([a-zA-Z0-9\-_' ']+)`.
fn endpoint_name(text: &str) -> Result<(), String> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '\'' | ' ');
    if let Some(wrong) = text.chars().find(|c| !is_legal(*c)) {
        return Err(format!("{text:?} has {wrong:?} in it. Letters, digits, -, _, ' and spaces are allowed."));
    }
    if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) {
        return Err(format!("{text:?} consists of digits alone, which Resolver refuses."));
    }
    Ok(())
}

fn ipv4(text: &str) -> Result<(), String> {
    let wrong = || format!("{text:?} is not an IPv4 address such as 10.0.1.10.");
    text.parse::<Ipv4Addr>().map(drop).map_err(|_| wrong())
}

fn ipv6(text: &str) -> Result<(), String> {
    let wrong = || format!("{text:?} is not an IPv6 address such as fd00::10.");
    text.parse::<Ipv6Addr>().map(drop).map_err(|_| wrong())
}

/// Whether two texts spell one address.
fn same_ipv6(one: &Dynamic, other: &Dynamic) -> bool {
    let address = |text: &Dynamic| text.as_str().and_then(|text| text.parse::<Ipv6Addr>().ok());
    address(one).is_some() && address(one) == address(other)
}

/// Whom RAM takes, of those that Resolver rules can be shared with ("CreateResourceShare", RAM API reference).
fn known_principal(text: &str) -> Result<(), String> {
    match Principal::parse(text) {
        Some(_) => Ok(()),
        None => Err(format!(
            "{text:?} is neither an account id of twelve digits, nor the id or ARN of an organization or an organizational unit, such as o-abc, ou-abc-def or arn:aws:organizations::123456789012:ou/o-abc/ou-abc-def."
        )),
    }
}

fn zone_name(text: &str) -> Result<(), String> {
    ZoneName::parse(text).map(drop).map_err(sentence)
}

fn sentence(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::dns_forwarding::model::Model;

    #[test]
    fn a_name_is_what_resolver_takes() {
        for good in ["studio", "Studio DNS_1-b", "o'clock", "1a"] {
            assert_eq!(endpoint_name(good), Ok(()), "{good}");
        }
        for bad in ["123", "a.b", "größe", "a/b"] {
            assert!(endpoint_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_zone_is_named_by_its_parent_in_ascii() {
        assert_eq!(zone_name("studio.eu-central-1.sagemaker.aws"), Ok(()));
        assert_eq!(
            zone_name("*.studio.aws").unwrap_err(),
            "\"*.studio.aws\" has a wildcard; name the parent zone, which covers every name below it."
        );
        assert!(zone_name("stüdio.aws").is_err());
        assert!(zone_name("10.0.1.10").is_err());
    }

    #[test]
    fn an_address_is_one_address_of_ipv4() {
        assert_eq!(ipv4("10.0.1.10"), Ok(()));
        for bad in ["10.0.1.0/24", "fd00::1", "dns.example.com", "10.0.1"] {
            assert!(ipv4(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn rules_are_shared_with_accounts_units_and_organizations() {
        for good in ["123456789012", "o-abc", "arn:aws:organizations::123456789012:ou/o-abc/ou-abc-def"] {
            assert_eq!(known_principal(good), Ok(()), "{good}");
        }
        for bad in ["12345678901", "arn:aws:iam::123456789012:role/r", "arn:aws:organizations::1:account/o-a/2"] {
            assert!(known_principal(bad).unwrap_err().contains(bad), "{bad}");
        }
    }

    #[test]
    fn the_description_names_every_kind_of_configuration() {
        let schema = schema();
        let text = schema.attribute("forwarder_configs").unwrap().description;
        for kind in crate::dns::render::Kind::ALL {
            assert!(text.contains(&format!("`{kind}`")), "{kind} is not in: {text}");
        }
    }

    #[test]
    fn the_schema_and_the_model_have_the_same_attributes() {
        let tree = crate::framework::typed::to_dynamic(&Model::empty()).unwrap();
        tree.conform(&schema().value_type()).unwrap();
    }
}
