//! The attributes of `studio_private_domain`.
//!
//! **Invariant:** calls nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::framework::schema::{Nesting, Schema};
use crate::framework::{Attribute, Diagnostic, Diagnostics, Dynamic, Path, Timeouts, Type, Value, checks};
use crate::resources::common::{closing_attributes, id_attribute, region_attribute};
use crate::resources::values::{StringMap, Strings, known_set, overlaps};

/// The services that Studio needs, and the default of `endpoints.services`.
pub const DEFAULT_SERVICES: [&str; 3] = ["sagemaker.api", "sagemaker.runtime", "studio"];

/// A domain that is reached privately, as Terraform sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema below")]
pub struct Model {
    pub id: Value<String>,
    pub region: Value<String>,
    pub name: Value<String>,
    pub vpc_id: Value<String>,
    pub subnet_ids: Strings,
    pub auth_mode: Value<String>,
    pub execution_role_arn: Value<String>,
    pub client_cidr_blocks: Strings,
    pub kms_key_id: Value<String>,
    pub home_efs: Value<HomeEfs>,
    pub user_profiles: Value<BTreeMap<String, UserProfile>>,
    pub endpoints: Value<Endpoints>,
    pub hosted_zone: Value<HostedZone>,
    pub arn: Value<String>,
    pub domain_id: Value<String>,
    pub url: Value<String>,
    pub fqdn: Value<String>,
    pub host_names: Value<Vec<String>>,
    pub forward_zones: Value<Vec<String>>,
    pub endpoint_ids: Value<BTreeMap<String, String>>,
    pub access_endpoint_ids: Value<Vec<String>>,
    pub endpoint_ips: Value<BTreeMap<String, Vec<String>>>,
    pub endpoint_dns: Value<BTreeMap<String, EndpointDns>>,
    pub hosted_zone_ids: Value<BTreeMap<String, String>>,
    pub endpoint_security_group_id: Value<String>,
    pub domain_security_group_id: Value<String>,
    pub home_efs_file_system_id: Value<String>,
    pub account_id: Value<String>,
    pub tags: StringMap,
    pub tags_all: StringMap,
    pub drift: Value<Vec<String>>,
    pub timeouts: Value<Timeouts>,
}

/// `home_efs`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema below")]
pub struct HomeEfs {
    pub enabled: Value<bool>,
    pub on_destroy: Value<String>,
}

/// One element of `user_profiles`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema below")]
pub struct UserProfile {
    pub execution_role_arn: Value<String>,
    pub tags: StringMap,
}

/// `endpoints`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema below")]
pub struct Endpoints {
    pub services: Strings,
    pub subnet_ids: Strings,
    pub security_group_ids: Strings,
    pub private_dns_enabled: Value<bool>,
}

/// `hosted_zone`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema below")]
pub struct HostedZone {
    pub mode: Value<String>,
}

/// One element of `endpoint_dns`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema below")]
pub struct EndpointDns {
    pub dns_name: String,
    pub hosted_zone_id: Option<String>,
}

/// The schema.
pub fn schema() -> Schema {
    let mut attributes = arguments();
    attributes.extend(results());
    attributes.extend(closing_attributes());
    Schema {
        description: "A SageMaker domain that is reached privately: the domain in `VpcOnly` mode with its user profiles, the security groups, the interface endpoints, and a private hosted zone for each of the domain's host names.",
        attributes,
        ..Schema::default()
    }
}

fn arguments() -> Vec<Attribute> {
    vec![
        id_attribute("The domain's id. The same as `domain_id`."),
        region_attribute(),
        Attribute::string("name")
            .required()
            .replaces()
            .describe("The domain's name, unique in the account and Region.")
            .check(checks::length(1, 63))
            .check(checks::text(domain_name)),
        Attribute::string("vpc_id")
            .required()
            .replaces()
            .describe("The VPC. Its DNS support and DNS host names must be on.")
            .check(checks::prefix(&["vpc-"], "a VPC id such as vpc-0abc")),
        subnets("subnet_ids")
            .required()
            .describe("The domain's subnets, and those of the endpoints unless `endpoints.subnet_ids` says otherwise.")
            .check(checks::at_least(1))
            .check(checks::at_most(16)),
        Attribute::string("auth_mode")
            .default_to("IAM")
            .replaces()
            .describe("`IAM` or `SSO`. Presigned URLs exist in `IAM` mode only.")
            .check(checks::one_of(&["IAM", "SSO"])),
        role("execution_role_arn").required().describe("The role that user profiles run as unless they have their own."),
        Attribute::string_set("client_cidr_blocks")
            .describe("The corporate address ranges, IPv4 or IPv6, that may reach the endpoints on port 443. Not together with `endpoints.security_group_ids`.")
            .check_each(checks::cidr()),
        Attribute::string("kms_key_id").replaces().describe("The KMS key for the domain's file system."),
        home_efs(),
        user_profiles(),
        endpoints(),
        hosted_zone(),
    ]
}

fn home_efs() -> Attribute {
    Attribute::nested(
        "home_efs",
        Nesting::Single,
        vec![
            Attribute::bool("enabled")
                .default_to(true)
                .describe("Whether the domain has a file system for home folders. It can be turned on later, but not off."),
            Attribute::string("on_destroy")
                .default_to("retain")
                .check(checks::one_of(&["retain", "delete"]))
                .describe("What becomes of the file system with the domain. `retain`: it stays, with its mount targets and two security groups for NFS. `delete`: they go, too."),
        ],
    )
    .default_to_object()
    .describe("The domain's EFS file system for home folders.")
}

fn user_profiles() -> Attribute {
    Attribute::nested(
        "user_profiles",
        Nesting::Map,
        vec![
            role("execution_role_arn").describe("The role that the user's apps run as. By default the domain's."),
            Attribute::string_map("tags").describe("Tags of the profile, beside those of the resource."),
        ],
    )
    .describe("The user profiles, by name.")
    .check(std::sync::Arc::new(profile_names))
}

fn endpoints() -> Attribute {
    let services: Dynamic = DEFAULT_SERVICES.into_iter().collect();
    Attribute::nested(
        "endpoints",
        Nesting::Single,
        vec![
            Attribute::string_set("services")
                .default_to(services)
                .check_each(checks::length(1, 128))
                .describe("The services that get an interface endpoint: `studio`, `sagemaker.api`, `sagemaker.runtime`, or another one by its suffix, such as `sts` or `logs`."),
            subnets("subnet_ids").describe("The endpoints' subnets. By default those of the domain. Each service takes one subnet for each zone that it supports."),
            Attribute::string_set("security_group_ids")
                .check_each(checks::prefix(&["sg-"], "a security group id such as sg-0abc"))
                .check(checks::at_least(1))
                .describe("Security groups for the endpoints. By default one is made."),
            Attribute::bool("private_dns_enabled")
                .default_to(true)
                .describe("Whether the VPC's resolver answers for the services' names with the endpoints' addresses."),
        ],
    )
    .default_to_object()
    .describe("The interface endpoints.")
}

fn hosted_zone() -> Attribute {
    Attribute::nested(
        "hosted_zone",
        Nesting::Single,
        vec![
            Attribute::string("mode")
                .default_to("domain")
                .check(checks::one_of(&["domain", "none"]))
                .describe("`domain`: a zone for each of the domain's host names, with alias records for the name and everything below it. `none`: no zone."),
        ],
    )
    .default_to_object()
    .describe("The private hosted zones.")
}

fn results() -> Vec<Attribute> {
    let string = |name, text| Attribute::string(name).computed().describe(text);
    vec![
        string("arn", "The domain's ARN."),
        string("domain_id", "The domain's id."),
        string("url", "The domain's URL."),
        string("fqdn", "The domain's first host name, as `d-….studio.…`."),
        Attribute::strings("host_names").computed().describe("The host names that can be told beforehand. Apps have further ones, under the same parents."),
        Attribute::strings("forward_zones").computed().describe("The zones that a corporate DNS must forward, without trailing dots."),
        Attribute::string_map("endpoint_ids").computed().describe("VPC endpoint ids, by service."),
        Attribute::strings("access_endpoint_ids")
            .computed()
            .describe("The endpoints for `studio` and `sagemaker.api`, which presigned URLs are used and made through. For `studio_presign_policy`."),
        Attribute::of("endpoint_ips", Type::map(Type::list(Type::String)))
            .computed()
            .describe("The endpoints' addresses, by service, in the order of the subnets' ids."),
        Attribute::nested(
            "endpoint_dns",
            Nesting::Map,
            vec![
                string("dns_name", "The endpoint's regional name."),
                string("hosted_zone_id", "The zone that an alias record to it gives."),
            ],
        )
        .computed()
        .describe("The endpoints' own names, by service."),
        Attribute::string_map("hosted_zone_ids").computed().describe("Hosted zone ids, by zone name."),
        string("endpoint_security_group_id", "The endpoints' security group; null if some were handed in."),
        string("domain_security_group_id", "The domain's security group."),
        string("home_efs_file_system_id", "The file system for home folders; null without one."),
        string("account_id", "The account that the domain is in."),
    ]
}

fn subnets(name: &'static str) -> Attribute {
    Attribute::string_set(name).check_each(checks::prefix(&["subnet-"], "a subnet id such as subnet-0abc"))
}

fn role(name: &'static str) -> Attribute {
    Attribute::string(name).check(checks::text(|text| {
        let parts: Vec<_> = text.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, "iam", "", account, role] if account.len() == 12 && role.starts_with("role/") => Ok(()),
            _ => Err(format!("{text:?} is not the ARN of a role, such as arn:aws:iam::123456789012:role/example.")),
        }
    }))
}

/// The pattern is SageMaker's: letters, digits and hyphens, none at the ends.
fn domain_name(text: &str) -> Result<(), String> {
    if is_sagemaker_name(text) {
        return Ok(());
    }
    Err(format!("{text:?} may hold letters, digits and hyphens only, with a letter or digit at both ends."))
}

fn profile_names(profiles: &Dynamic) -> Result<(), String> {
    for name in profiles.as_map().into_iter().flat_map(|profiles| profiles.keys()) {
        if name.len() > 63 || !is_sagemaker_name(name) {
            return Err(format!(
                "The profile name {name:?} may have up to 63 letters, digits and hyphens, with a letter or digit at both ends."
            ));
        }
    }
    Ok(())
}

fn is_sagemaker_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// How attributes fit each other.
pub fn validate(model: &Model) -> Diagnostics {
    let mut found = Diagnostics::new();
    let own_groups = model.endpoints.known().is_some_and(|endpoints| endpoints.security_group_ids.is_known());
    if own_groups && model.client_cidr_blocks.known().is_some_and(|blocks| !blocks.is_empty()) {
        let text = "The endpoints have security groups of your own, so there is no group here that the ranges could be opened in. Open port 443 in those groups, and remove client_cidr_blocks.";
        found.push(Diagnostic::error("client_cidr_blocks has no effect", text).at(Path::root("client_cidr_blocks")));
    }
    found.extend(overlaps(&model.client_cidr_blocks));
    if let Some(endpoints) = model.endpoints.known() {
        let services = known_set(&endpoints.services);
        let zones = model.hosted_zone.known().map(|zone| &zone.mode);
        let wants_zones = !matches!(zones, Some(Value::Known(mode)) if mode == "none");
        if let Some(services) = services.filter(|services| wants_zones && !services.contains("studio")) {
            let text = format!(
                "The hosted zones point at the studio endpoint, and services has only {}. Add \"studio\", or set hosted_zone.mode to \"none\".",
                services.into_iter().collect::<Vec<_>>().join(", ")
            );
            let path = Path::root("endpoints").attribute("services");
            found.push(Diagnostic::error("No endpoint for the hosted zones", text).at(path));
        }
    }
    found
}
