//! The attributes of `studio_private_domain`.
//!
//! **Invariant:** calls nothing.

use crate::framework::schema::{Nesting, Schema};
use crate::framework::{Attribute, Dynamic, Type, checks};
use crate::resources::common::{closing_attributes, id_attribute, region_attribute};
use crate::resources::landing::landing_uri;

/// The services that Studio needs, and the default of `endpoints.services`.
pub const DEFAULT_SERVICES: [&str; 3] = ["sagemaker.api", "sagemaker.runtime", "studio"];

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
            .optional_computed()
            .replaces()
            .describe("The domain's name, unique in the account and Region. Required, except with `existing_domain_id`.")
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
        role("execution_role_arn").describe("The role that user profiles run as unless they have their own. Required, except with `existing_domain_id`: there it is left alone unless it is written."),
        Attribute::string("existing_domain_id")
            .check(checks::prefix(&["d-"], "a domain id such as d-abcdefghijkl"))
            .describe("Adopts a domain that is there: endpoints, their security group, zones and user profiles are made around it. The domain itself is never deleted, and of its settings only those change that are written here: `execution_role_arn` and `default_user_settings`. Another domain replaces the resource; adopting the very domain that it made, or taking over the one it adopted, changes it in place."),
        Attribute::string_set("client_cidr_blocks")
            .describe("The corporate address ranges, IPv4 or IPv6, that may reach the endpoints on port 443. Not together with `endpoints.security_group_ids`.")
            .check_each(checks::cidr()),
        Attribute::string("kms_key_id").replaces().describe("The KMS key for the domain's file system."),
        Attribute::string("ip_address_type")
            .default_to("ipv4")
            .check(checks::one_of(&["ipv4", "dualstack"]))
            .describe("`ipv4` or `dualstack`, for the domain and the endpoints. `dualstack` needs an IPv6 range in every subnet; endpoints of services that speak IPv4 only stay with it, with a warning."),
        home_efs(),
        default_user_settings(),
        user_profiles(),
        Attribute::bool("force_destroy")
            .default_to(false)
            .describe("Whether destroying also deletes what users have made in the domain: apps, spaces, and user profiles that are not this resource's. Without it, destroying fails and names them."),
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

fn default_user_settings() -> Attribute {
    let toggle = |name| Attribute::string(name).check(checks::one_of(&["ENABLED", "DISABLED"]));
    Attribute::nested(
        "default_user_settings",
        Nesting::Single,
        vec![
            toggle("studio_web_portal").describe("Whether users get the web portal of the current Studio."),
            Attribute::string("default_landing_uri")
                .check(checks::length(1, 1023))
                .check(checks::text(landing_uri))
                .describe("Where users land, such as `studio::`."),
            groups("security_group_ids").check(checks::at_most(4)).describe("Security groups for the users' apps, beside the domain's own."),
            Attribute::number("idle_timeout_minutes")
                .check(std::sync::Arc::new(idle_timeout))
                .describe("After how many minutes without use JupyterLab and Code Editor apps are shut down, from 60 to 525600."),
            toggle("docker_access").describe("Whether apps may run Docker."),
        ],
    )
    .describe("Settings that user profiles have unless they have their own. What is not written is left alone, and what is no longer written stays as it is; only the `security_group_ids` are taken off again.")
}

fn idle_timeout(minutes: &Dynamic) -> Result<(), String> {
    match minutes {
        Dynamic::Number(minutes) if minutes.as_i64().is_some_and(|minutes| (60..=525_600).contains(&minutes)) => Ok(()),
        _ => Err("An idle timeout is a whole number of minutes from 60 to 525600.".to_owned()),
    }
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
            Attribute::string_map("existing")
                .check_each(checks::prefix(&["vpce-"], "a VPC endpoint id such as vpce-0abc"))
                .describe("Endpoints that are there, by service: they are used instead of making one, whether or not `services` names the service. They are never deleted, and nothing about them changes but a policy in `policies`."),
            subnets("subnet_ids").describe("The endpoints' subnets. By default those of the domain. Each service takes one subnet for each zone that it supports."),
            groups("security_group_ids").check(checks::at_least(1)).describe("Security groups for the endpoints. By default one is made."),
            Attribute::bool("private_dns_enabled")
                .default_to(true)
                .describe("Whether the VPC's resolver answers for the services' names with the endpoints' addresses."),
            Attribute::string_map("policies")
                .equivalent(same_policies)
                .describe("Endpoint policies as JSON, by service, or `s3_gateway`. They are compared by what they mean. A service that is not named keeps the policy it has, which for a new endpoint is full access; one that is no longer named gets full access back."),
            Attribute::string_set("s3_gateway_route_table_ids")
                .check_each(checks::prefix(&["rtb-"], "a route table id such as rtb-0abc"))
                .check(checks::at_least(1))
                .describe("Route tables that lead to S3 through a gateway endpoint, which is made for them."),
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
                .check(checks::one_of(&["domain", "parent", "none"]))
                .describe("`domain`: a zone for each of the domain's host names, with records for the name and everything below it. `parent`: a zone for each parent that the studio endpoint serves, with records for it and everything below it, so that apps under names of their own are covered. Where the endpoint's private DNS is on, AWS serves the parents in `vpc_id` already, and these zones are for the `vpc_associations` alone. `none`: no zone."),
            Attribute::string_map("existing_zone_ids")
                .check_each(checks::prefix(&["Z"], "a hosted zone id such as Z0123456789ABC"))
                .describe("Private hosted zones that are there, by name: records are put into them instead of making a zone. A zone takes the records of its own name and of names below it. Nothing else about it changes, and it is never deleted."),
            vpc_associations(),
            Attribute::string("record_type")
                .default_to("alias")
                .check(checks::one_of(&["alias", "ip"]))
                .describe("`alias`: records point at the endpoint's name. `ip`: they hold the endpoint's addresses, and follow them at the next apply when they change."),
        ],
    )
    .default_to_object()
    .describe("The private hosted zones.")
}

fn vpc_associations() -> Attribute {
    Attribute::nested(
        "vpc_associations",
        Nesting::Set,
        vec![
            Attribute::string("vpc_id")
                .required()
                .check(checks::prefix(&["vpc-"], "a VPC id such as vpc-0abc"))
                .describe("The VPC."),
            Attribute::string("region").describe("The Region that it is in. By default the resource's."),
            role("role_arn").describe("A role of the account that owns the VPC, for a VPC of another account. It needs `route53:AssociateVPCWithHostedZone` and `ec2:DescribeVpcs`."),
        ],
    )
    .describe("Further VPCs that the zones answer in, also of other accounts: the zone's account allows the association, the VPC's account makes it as `role_arn`, and the permission is taken back. Associations that are made elsewhere are left alone.")
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
                string("dns_name", "The endpoint's regional name. That of S3 begins with `*.`, in the place of a bucket's name."),
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

fn groups(name: &'static str) -> Attribute {
    Attribute::string_set(name).check_each(checks::prefix(&["sg-"], "a security group id such as sg-0abc"))
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
    if checks::is_hyphenated(text) {
        return Ok(());
    }
    Err(format!("{text:?} may hold letters, digits and hyphens only, with a letter or digit at both ends."))
}

fn profile_names(profiles: &Dynamic) -> Result<(), String> {
    for name in profiles.as_map().into_iter().flat_map(|profiles| profiles.keys()) {
        if name.len() > 63 || !checks::is_hyphenated(name) {
            return Err(format!(
                "The profile name {name:?} may have up to 63 letters, digits and hyphens, with a letter or digit at both ends."
            ));
        }
    }
    Ok(())
}

/// Whether both maps have the same services, each with a policy of the same meaning.
fn same_policies(one: &Dynamic, other: &Dynamic) -> bool {
    match (one.as_map(), other.as_map()) {
        (Some(one), Some(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(service, policy)| other.get(service).is_some_and(|other| same_policy(policy, other)))
        }
        _ => false,
    }
}

fn same_policy(one: &Dynamic, other: &Dynamic) -> bool {
    match (one.as_str(), other.as_str()) {
        (Some(one), Some(other)) => super::changes::same_policy(one, other),
        _ => one == other,
    }
}
