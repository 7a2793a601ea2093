//! The attributes of `studio_dns_forwarding`.
//!
//! **Invariant:** calls nothing.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::dns::name::ZoneName;
use crate::dns::zones::DomainId;
use crate::framework::schema::{Check, Nesting, Schema};
use crate::framework::{Attribute, Dynamic, Timeouts, Value, checks};
use crate::resources::common::{closing_attributes, id_attribute, region_attribute};
use crate::resources::values::{StringMap, Strings};

/// The fewest addresses that an endpoint may have (CreateResolverEndpoint, Route 53 Resolver API reference).
pub const FEWEST_ADDRESSES: usize = 2;
/// The most addresses that an endpoint may have ("Quotas on Route 53 Resolver", Route 53 developer guide).
pub const MOST_ADDRESSES: usize = 6;

/// Corporate DNS to the VPC, as Terraform sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema below")]
pub struct Model {
    pub id: Value<String>,
    pub region: Value<String>,
    pub name: Value<String>,
    pub vpc_id: Value<String>,
    pub subnet_ids: Strings,
    pub ip_addresses: Value<Vec<Value<IpAddress>>>,
    pub client_cidr_blocks: Strings,
    pub security_group_ids: Strings,
    pub untracked: Value<bool>,
    pub zones: Strings,
    pub domain_ids: Strings,
    pub include_api_zones: Value<bool>,
    pub protocols: Strings,
    pub ip_address_type: Value<String>,
    pub arn: Value<String>,
    pub inbound_endpoint_id: Value<String>,
    pub inbound_ips: Strings,
    pub security_group_id: Value<String>,
    pub forward_zones: Value<Vec<String>>,
    pub forwarder_configs: StringMap,
    pub tags: StringMap,
    pub tags_all: StringMap,
    pub drift: Value<Vec<String>>,
    pub timeouts: Value<Timeouts>,
}

/// One element of `ip_addresses`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema below")]
pub struct IpAddress {
    pub subnet_id: Value<String>,
    pub ip: Value<String>,
}

impl Model {
    /// Nothing written and nothing known: what an import starts from.
    pub fn empty() -> Self {
        Model {
            id: Value::Null,
            region: Value::Null,
            name: Value::Null,
            vpc_id: Value::Null,
            subnet_ids: Value::Null,
            ip_addresses: Value::Null,
            client_cidr_blocks: Value::Null,
            security_group_ids: Value::Null,
            untracked: Value::Null,
            zones: Value::Null,
            domain_ids: Value::Null,
            include_api_zones: Value::Null,
            protocols: Value::Null,
            ip_address_type: Value::Null,
            arn: Value::Null,
            inbound_endpoint_id: Value::Null,
            inbound_ips: Value::Null,
            security_group_id: Value::Null,
            forward_zones: Value::Null,
            forwarder_configs: Value::Null,
            tags: Value::Null,
            tags_all: Value::Null,
            drift: Value::Null,
            timeouts: Value::Null,
        }
    }
}

/// The schema.
pub fn schema() -> Schema {
    let mut attributes =
        vec![id_attribute("The inbound endpoint's id. The same as `inbound_endpoint_id`."), region_attribute()];
    attributes.extend(endpoint());
    attributes.extend(access());
    attributes.extend(zones());
    attributes.extend(results());
    attributes.extend(closing_attributes());
    Schema {
        description: "The way from corporate DNS to the VPC: an inbound Resolver endpoint with its security group, and the configuration that makes a forwarder send Studio's names, and only those, to the endpoint's addresses.",
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
            .check(checks::prefix(&["vpc-"], "a VPC id such as vpc-0abc")),
        Attribute::strings("subnet_ids")
            .describe("The subnets that the endpoint has an address in, two to six, in two Availability Zones or more. Resolver chooses the addresses. A subnet that stands twice gets two. A change is made without a gap: each new address is in use before an old one goes. Exactly one of `subnet_ids` and `ip_addresses` must be given.")
            .check_each(subnet())
            .check(checks::at_least(FEWEST_ADDRESSES))
            .check(checks::at_most(MOST_ADDRESSES)),
        ip_addresses(),
        Attribute::string_set("protocols")
            .default_to(["Do53"].into_iter().collect::<Dynamic>())
            .describe("The protocols that the endpoint takes: `Do53` (plain DNS), `DoH` and `DoH-FIPS` (over HTTPS). `DoH` and `DoH-FIPS` exclude each other. The rendered configurations use `Do53`.")
            .check_each(checks::one_of(&["Do53", "DoH", "DoH-FIPS"]))
            .check(checks::at_least(1)),
        Attribute::string("ip_address_type")
            .default_to("ipv4")
            .describe("The family of the endpoint's addresses: `ipv4`, `ipv6` or `dualstack`. A change from or to `ipv6` replaces the resource.")
            .check(checks::one_of(&["ipv4", "ipv6", "dualstack"])),
    ]
}

fn ip_addresses() -> Attribute {
    Attribute::nested(
        "ip_addresses",
        Nesting::List,
        vec![
            Attribute::string("subnet_id").required().describe("The subnet that the address is in.").check(subnet()),
            Attribute::string("ip")
                .describe("The IPv4 address, one of the subnet's. Without it Resolver chooses one.")
                .check(checks::text(ipv4)),
        ],
    )
    .check(checks::at_least(FEWEST_ADDRESSES))
    .check(checks::at_most(MOST_ADDRESSES))
    .describe("The endpoint's addresses, two to six, in two Availability Zones or more. Fixed ones keep the forwarders' configuration valid when the endpoint is made again, and make it known before anything is made. Exactly one of `subnet_ids` and `ip_addresses` must be given.")
}

fn access() -> Vec<Attribute> {
    vec![
        Attribute::string_set("client_cidr_blocks")
            .describe("The address ranges of the DNS servers that may query the endpoint: port 53, TCP and UDP, for `Do53`, port 443 for the others. Not together with `security_group_ids`; without effect where `untracked` is true.")
            .check_each(checks::cidr()),
        Attribute::string_set("security_group_ids")
            .replaces()
            .describe("Security groups for the endpoint. By default one is made. Resolver cannot change an endpoint's groups, so a change replaces the resource.")
            .check_each(checks::prefix(&["sg-"], "a security group id such as sg-0abc"))
            .check(checks::at_least(1)),
        Attribute::bool("untracked")
            .default_to(false)
            .describe("Whether the security group is open to every address, in both directions, so that EC2 does not track connections: AWS advises so for high query rates, since tracking can lower an address to 1,500 queries a second. Who reaches the endpoint is then up to the network in front of it."),
    ]
}

fn zones() -> Vec<Attribute> {
    vec![
        Attribute::strings("zones")
            .describe("The zones to forward, by their own names: a zone covers every name below it, and wildcards are refused. By default the parents of all of Studio's names in the Region.")
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
        string("security_group_id", "The security group that was made; null if some were handed in."),
        Attribute::strings("forward_zones")
            .computed()
            .describe("The zones that are to be forwarded, without trailing dots."),
        Attribute::string_map("forwarder_configs")
            .computed()
            .describe("Configuration files for DNS servers, by kind: `bind` (included at the top level) and `bind_options` (included inside `options { }`), `unbound`, `dnsmasq`, `coredns` (a server block for the Corefile), `powerdns_recursor` (for the configuration folder) and `powerdns_recursor_lua` (for the Lua file), `knot_resolver`, `systemd_resolved`, `windows_dns` (a PowerShell script, which can be run again), `infoblox` (a file for CSV import) and `zscaler` (lists of domains and addresses for Private Access). Each is a whole file for the place that its first comment names, forwards to the endpoint only, and carries the exemptions from DNSSEC validation and rebinding protection that its server needs."),
    ]
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
