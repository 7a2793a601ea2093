//! What `studio_private_domain` finds wrong before it makes anything: each kind of finding once, with the real
//! Terraform.

use aws_sdk_ec2::types::{AttributeBooleanValue, Tag, TagSpecification, Tenancy, VpcEndpointType};
use aws_sdk_route53::types::{HostedZoneConfig, Vpc, VpcRegion};
use serde_json::{Value as Json, json};

use crate::{
    emulator::{Account, Network, Outside, REGION},
    said::{assert_said, in_one_line},
    terraform::Workspace,
};

const ADDRESS: &str = "studio_private_domain.test";
const STUDIO_SERVICE: &str = "aws.sagemaker.us-east-1.studio";
const STUDIO_PARENT: &str = "studio.us-east-1.sagemaker.aws";

/// The look-ups that are made for checks alone.
const CHECKS: [&str; 5] = ["DescribeVpcs", "DescribeRouteTables", "ListHostedZonesByVPC", "GetRole", "GetAccountLimit"];

/// A network in an account, and somebody else who works there.
struct Place {
    account: Account,
    network: Network,
    outside: Outside,
}

impl Place {
    fn new() -> Self {
        Self::of(Account::new())
    }

    fn of(account: Account) -> Self {
        let network = account.network();
        let outside = account.outside();
        Place { account, network, outside }
    }

    /// A private domain, with these attributes instead of the usual ones. JSON is HCL enough for values.
    fn domain(&self, name: &str, attributes: Json) -> String {
        let mut all = json!({
            "name": name,
            "vpc_id": self.network.vpc_id,
            "subnet_ids": self.network.subnet_ids[..2],
            "execution_role_arn": self.network.role_arn,
            "home_efs": { "enabled": false },
        });
        for (name, value) in attributes.as_object().expect("attributes have names") {
            all[name] = value.clone();
        }
        let lines = all.as_object().expect("it is one").iter().map(|(name, value)| format!("  {name} = {value}\n"));
        format!("resource \"studio_private_domain\" \"{name}\" {{\n{}}}\n", lines.collect::<String>())
    }

    fn workspace(&self, attributes: Json) -> Workspace {
        Workspace::with(&self.account, &self.domain("test", attributes))
    }

    /// The plan fails, and says all of this. Nothing was made.
    fn assert_refused(&self, attributes: Json, needed: &[&str]) {
        let before = self.account.changes();
        let text = in_one_line(&self.workspace(attributes).plan_expect_error());
        assert_said(&text, needed);
        assert_eq!(text.matches("Error: ").count(), 1, "{text}");
        assert_eq!(self.account.changes(), before, "nothing may be made");
    }

    /// The plan comes about, and says all of this.
    fn assert_warned(&self, attributes: Json, needed: &[&str]) {
        assert_said(&in_one_line(&self.workspace(attributes).plan().text), needed);
    }

    /// The plan comes about, and says nothing of the kind.
    fn assert_silent(&self, attributes: Json, unwanted: &str) {
        let text = in_one_line(&self.workspace(attributes).plan().text);
        assert!(!text.contains(unwanted), "{unwanted:?} is in: {text}");
    }

    /// Makes an endpoint for Studio by hand.
    fn endpoint(&self, private_dns: bool) -> String {
        let name = Tag::builder().key("Name").value("shared").build();
        let tags = TagSpecification::builder().resource_type("vpc-endpoint".into()).tags(name).build();
        let request = self.outside.ec2().create_vpc_endpoint().vpc_id(&self.network.vpc_id);
        let request = request.vpc_endpoint_type(VpcEndpointType::Interface).service_name(STUDIO_SERVICE);
        let request = request.subnet_ids(&self.network.subnet_ids[0]).private_dns_enabled(private_dns);
        let made = self.outside.run(request.tag_specifications(tags).send());
        made.vpc_endpoint().and_then(|made| made.vpc_endpoint_id()).expect("it has an id").to_owned()
    }

    /// Makes a private zone by hand.
    fn zone(&self, name: &str) -> String {
        let vpc = Vpc::builder().vpc_id(&self.network.vpc_id).vpc_region(VpcRegion::from(REGION)).build();
        let config = HostedZoneConfig::builder().private_zone(true).build();
        let request = self.outside.route53().create_hosted_zone().name(name).caller_reference(name);
        let made = self.outside.run(request.vpc(vpc).hosted_zone_config(config).send());
        let id = made.hosted_zone().expect("it was made").id();
        id.rsplit('/').next().expect("there is a last part").to_owned()
    }

    /// Makes a role by hand.
    fn role(&self, name: &str, service: &str) -> String {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }],
        });
        let request = self.outside.iam().create_role().role_name(name);
        let made = self.outside.run(request.assume_role_policy_document(trust.to_string()).send());
        made.role().expect("it was made").arn().to_owned()
    }

    fn main_route_table(&self) -> String {
        let filter = aws_sdk_ec2::types::Filter::builder().name("vpc-id").values(&self.network.vpc_id).build();
        let found = self.outside.run(self.outside.ec2().describe_route_tables().filters(filter).send());
        found.route_tables()[0].route_table_id().expect("it has an id").to_owned()
    }

    /// Peers the VPC with another one of these addresses, and routes them there.
    fn peer(&self, cidr: &str) -> String {
        let ec2 = self.outside.ec2();
        let other = self.outside.run(ec2.create_vpc().cidr_block(cidr).send());
        let other = other.vpc().and_then(|vpc| vpc.vpc_id()).expect("it was made");
        let request = ec2.create_vpc_peering_connection().vpc_id(&self.network.vpc_id).peer_vpc_id(other);
        let made = self.outside.run(request.send());
        let peering = made.vpc_peering_connection().and_then(|made| made.vpc_peering_connection_id());
        let peering = peering.expect("it was made").to_owned();
        self.outside.run(ec2.accept_vpc_peering_connection().vpc_peering_connection_id(&peering).send());
        let request = ec2.create_route().route_table_id(self.main_route_table()).destination_cidr_block(cidr);
        self.outside.run(request.vpc_peering_connection_id(&peering).send());
        peering
    }

    /// How often each of the look-ups for checks was made so far.
    fn looks(&self) -> Vec<(&'static str, usize)> {
        CHECKS.iter().map(|&operation| (operation, self.account.count(operation))).collect()
    }
}

fn refuse(service: &str, operation: &str, code: &str) -> Json {
    json!({ "service": service, "operation": operation, "error": { "code": code, "message": "not allowed" } })
}

// ---- The VPC ----

#[test]
fn a_vpc_without_dns_host_names_is_refused_unless_private_dns_is_off() {
    let place = Place::new();
    let off = AttributeBooleanValue::builder().value(false).build();
    let request = place.outside.ec2().modify_vpc_attribute().vpc_id(&place.network.vpc_id);
    place.outside.run(request.enable_dns_hostnames(off).send());
    place.assert_refused(json!({}), &["Invalid vpc_id", "Off now: DNS host names.", "enable_dns_hostnames"]);
    place.assert_silent(json!({ "endpoints": { "private_dns_enabled": false } }), "DNS host names");
}

#[test]
fn a_vpc_of_dedicated_tenancy_is_refused() {
    let place = Place::new();
    let ec2 = place.outside.ec2();
    let vpc = place.outside.run(ec2.create_vpc().cidr_block("10.7.0.0/16").instance_tenancy(Tenancy::Dedicated).send());
    let vpc = vpc.vpc().and_then(|vpc| vpc.vpc_id()).expect("it was made");
    let request = ec2.create_subnet().vpc_id(vpc).cidr_block("10.7.0.0/24").availability_zone("us-east-1a");
    let subnet = place.outside.run(request.send());
    let subnet = subnet.subnet().and_then(|subnet| subnet.subnet_id()).expect("it was made");
    let attributes = json!({
        "vpc_id": vpc,
        "subnet_ids": [subnet],
        "endpoints": { "private_dns_enabled": false },
    });
    place.assert_refused(attributes, &["Invalid vpc_id", "dedicated tenancy", "instance_tenancy"]);
}

// ---- Private DNS ----

#[test]
fn another_endpoint_for_a_service_is_refused_and_can_be_adopted() {
    let place = Place::new();
    let endpoint = place.endpoint(true);
    let offer = format!("endpoints.existing = {{ \"studio\" = \"{endpoint}\" }}");
    let needed = ["has an endpoint for studio already", "\"shared\"", "of this account", STUDIO_SERVICE, &offer];
    place.assert_refused(json!({}), &needed);
    place.assert_silent(json!({ "endpoints": { "private_dns_enabled": false } }), &endpoint);
    place.assert_silent(
        json!({ "endpoints": { "existing": { "studio": endpoint } } }),
        "has an endpoint for studio already",
    );
}

#[test]
fn an_endpoint_without_private_dns_is_in_nobodys_way() {
    let place = Place::new();
    place.endpoint(false);
    place.assert_silent(json!({}), "already");
}

#[test]
fn the_endpoints_of_another_private_domain_are_told_as_such() {
    let place = Place::new();
    let first = place.workspace(json!({}));
    first.apply();
    let endpoint = first.state().values(ADDRESS)["endpoint_ids"]["studio"].as_str().expect("it has one").to_owned();
    let second = Workspace::with(&place.account, &place.domain("second", json!({})));
    let text = in_one_line(&second.plan_expect_error());
    assert_said(&text, &[&endpoint, "made by another studio_private_domain"]);
    // One for each service.
    assert_eq!(text.matches("Error: ").count(), 3, "{text}");
    first.destroy();
    second.plan();
    place.account.assert_nothing_is_left();
}

#[test]
fn private_dns_that_is_turned_on_later_is_checked_then() {
    let place = Place::new();
    let off = json!({ "endpoints": { "private_dns_enabled": false } });
    let workspace = place.workspace(off);
    workspace.apply();
    let endpoint = place.endpoint(true);
    workspace.write(&place.domain("test", json!({})));
    assert_said(&in_one_line(&workspace.plan_expect_error()), &["has an endpoint for studio already", &endpoint]);
    place.outside.run(place.outside.ec2().delete_vpc_endpoints().vpc_endpoint_ids(&endpoint).send());
    workspace.plan().assert_updates(&["endpoints.private_dns_enabled"]);
    workspace.destroy();
}

#[test]
fn a_hosted_zone_with_a_name_of_an_endpoint_is_refused() {
    let place = Place::new();
    let zone = place.zone(STUDIO_PARENT);
    let needed = ["endpoints.services[\"studio\"]", "has a name of the endpoint for studio", &zone, STUDIO_PARENT];
    place.assert_refused(json!({}), &needed);
}

// ---- Hosted zones ----

#[test]
fn a_zone_that_has_the_domains_name_already_is_refused_and_offered() {
    let place = Place::new();
    let workspace = place.workspace(json!({ "hosted_zone": { "mode": "none" } }));
    workspace.apply();
    let name = workspace.state().values(ADDRESS)["fqdn"].as_str().expect("it has one").to_owned();
    let zone = place.zone(&name);
    workspace.write(&place.domain("test", json!({})));
    let offer = format!("hosted_zone.existing_zone_ids = {{ \"{name}\" = \"{zone}\" }}");
    let text = in_one_line(&workspace.plan_expect_error());
    assert_said(&text, &["has a hosted zone", "of this account", &offer]);
    assert_eq!(text.matches("Error: ").count(), 1, "{text}");

    place.outside.run(place.outside.route53().delete_hosted_zone().id(&zone).send());
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
    place.account.assert_nothing_is_left();
}

#[test]
fn a_zone_of_a_parent_is_refused_where_parents_are_to_be_made() {
    let place = Place::new();
    let zone = place.zone(STUDIO_PARENT);
    let attributes = |zones: Json| {
        let mut hosted_zone = json!({ "mode": "parent" });
        hosted_zone["existing_zone_ids"] = zones;
        json!({ "endpoints": { "private_dns_enabled": false }, "hosted_zone": hosted_zone })
    };
    place.assert_refused(attributes(json!({})), &["has a hosted zone", &zone, "existing_zone_ids"]);
    place.assert_silent(attributes(json!({ STUDIO_PARENT: zone })), "has a hosted zone");
}

#[test]
fn zones_that_do_not_fit_into_the_quota_are_refused_and_the_last_ones_warned_of() {
    let place = Place::new();
    place.account.limits(json!({ "MAX_HOSTED_ZONES_BY_OWNER": 1 }));
    place.assert_refused(json!({}), &["The quota of hosted zones is used up", "may have 1.", "2 more are to be made"]);
    place.assert_silent(json!({ "hosted_zone": { "mode": "none" } }), "quota");
    place.account.limits(json!({ "MAX_HOSTED_ZONES_BY_OWNER": 4 }));
    place.assert_warned(json!({}), &["Warning: The quota of hosted zones is nearly used up", "which leaves 2."]);
    place.account.limits(json!({ "MAX_HOSTED_ZONES_BY_OWNER": 500 }));
    place.assert_silent(json!({}), "quota");
}

// ---- Subnets ----

#[test]
fn dual_stack_in_a_subnet_without_ipv6_is_refused() {
    let place = Place::new();
    let attributes = json!({ "ip_address_type": "dualstack", "subnet_ids": place.network.subnet_ids[..1] });
    let needed = ["A subnet has no IPv6 range", &place.network.subnet_ids[0], "ip_address_type"];
    place.assert_refused(attributes, &needed);
}

#[test]
fn a_subnet_without_a_free_address_is_refused_and_one_with_few_warned_of() {
    let place = Place::new();
    let ec2 = place.outside.ec2();
    let request = ec2.create_subnet().vpc_id(&place.network.vpc_id).cidr_block("10.0.200.0/28");
    let made = place.outside.run(request.availability_zone("us-east-1f").send());
    let made = made.subnet().expect("it was made");
    let subnet = made.subnet_id().expect("it has an id");
    let free = usize::try_from(made.available_ip_address_count().expect("it is told")).expect("it is not below 0");
    let take = || place.outside.run(ec2.create_network_interface().subnet_id(subnet).send());
    (0..free - 2).for_each(|_| drop(take()));
    let attributes = json!({ "subnet_ids": [subnet] });
    let needed = ["Warning: A subnet has few free addresses", subnet, "2 free addresses. 3 endpoints are to be made"];
    place.assert_warned(attributes.clone(), &needed);
    (0..2).for_each(|_| drop(take()));
    place.assert_refused(attributes, &["A subnet has no free address", subnet, "no free address left"]);
}

// ---- Clients and their routes ----

#[test]
fn a_client_range_around_the_vpcs_is_warned_of() {
    let place = Place::new();
    place.assert_warned(
        json!({ "client_cidr_blocks": ["10.0.0.0/8"] }),
        &["Warning: A client range holds the VPC's own addresses", "10.0.0.0/16"],
    );
    place.assert_silent(json!({ "client_cidr_blocks": ["10.0.1.0/24"] }), "Warning: A client range");
}

#[test]
fn a_client_range_without_a_way_back_is_warned_of_with_its_route_table() {
    let place = Place::new();
    let table = place.main_route_table();
    let attributes = json!({ "client_cidr_blocks": ["192.168.10.0/24"] });
    let (one, other) = (&place.network.subnet_ids[0], &place.network.subnet_ids[1]);
    let said = "No route from the endpoints back to 192.168.10.0/24";
    let needed = [said, &format!("main route table {table}"), one, other, "): no route"];
    place.assert_warned(attributes.clone(), &needed);
    let text = place.workspace(attributes.clone()).plan().text;
    assert_eq!(in_one_line(&text).matches("Warning: No route").count(), 1, "{text}");

    let peering = place.peer("192.168.0.0/16");
    place.assert_silent(attributes.clone(), "No route");
    // A subnet with a table of its own that leads to the internet alone.
    let ec2 = place.outside.ec2();
    let own = place.outside.run(ec2.create_route_table().vpc_id(&place.network.vpc_id).send());
    let own = own.route_table().and_then(|table| table.route_table_id()).expect("it was made");
    place.outside.run(ec2.associate_route_table().route_table_id(own).subnet_id(one).send());
    let internet = place.outside.run(ec2.create_internet_gateway().send());
    let internet = internet.internet_gateway().and_then(|made| made.internet_gateway_id()).expect("it was made");
    let request = ec2.attach_internet_gateway().internet_gateway_id(internet);
    place.outside.run(request.vpc_id(&place.network.vpc_id).send());
    let request = ec2.create_route().route_table_id(own).destination_cidr_block("0.0.0.0/0");
    place.outside.run(request.gateway_id(internet).send());
    let needed = [said, &format!("route table {own} ({one}): 0.0.0.0/0 leads to the internet, by {internet}")];
    place.assert_warned(attributes.clone(), &needed);

    place.outside.run(ec2.delete_vpc_peering_connection().vpc_peering_connection_id(&peering).send());
    place.assert_warned(attributes, &[said, &format!("the route to 192.168.0.0/16 is a blackhole, {peering} is gone")]);
}

// ---- Roles ----

#[test]
fn a_role_that_sagemaker_cannot_assume_is_refused_wherever_it_stands() {
    let place = Place::new();
    let role = place.role("functions", "lambda.amazonaws.com");
    let needed = ["SageMaker cannot assume the role", &role, "it trusts lambda.amazonaws.com", "sts:AssumeRole"];
    place.assert_refused(json!({ "execution_role_arn": role }), &needed);
    let profiles = json!({ "user_profiles": { "a": {}, "b": { "execution_role_arn": role } } });
    let needed = ["SageMaker cannot assume the role", &role, "user_profiles[\"b\"].execution_role_arn"];
    place.assert_refused(profiles, &needed);
}

#[test]
fn a_role_that_is_not_there_or_of_another_account_is_refused() {
    let place = Place::new();
    let role = format!("arn:aws:iam::{}:role/nobody", place.account.id);
    place.assert_refused(json!({ "execution_role_arn": role }), &["The role does not exist", "\"nobody\""]);
    let foreign = "arn:aws:iam::111111111111:role/theirs";
    let needed = ["The role is of another account", foreign, &format!("the domain is in account {}", place.account.id)];
    place.assert_refused(json!({ "execution_role_arn": foreign }), &needed);
}

// ---- The name ----

#[test]
fn a_name_that_another_domain_has_is_refused() {
    let place = Place::new();
    let made = place.workspace(json!({}));
    made.apply();
    let id = made.state().values(ADDRESS)["domain_id"].as_str().expect("it has one").to_owned();
    let elsewhere = place.account.network();
    let other = json!({ "vpc_id": elsewhere.vpc_id, "subnet_ids": elsewhere.subnet_ids[..2] });
    place.assert_refused(other, &["A domain of this name exists", &id, "existing_domain_id"]);
    made.destroy();
}

// ---- What goes before the new comes ----

#[test]
fn a_replacement_is_not_in_its_own_way() {
    let place = Place::new();
    let workspace = place.workspace(json!({}));
    workspace.apply();
    let before = place.account.count("ListHostedZonesByVPC");
    workspace.write(&place.domain("test", json!({ "kms_key_id": "alias/studio" })));
    assert_eq!(workspace.plan().change().actions, ["delete", "create"]);
    assert!(place.account.count("ListHostedZonesByVPC") > before, "the new one is checked");
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
    place.account.assert_nothing_is_left();
}

// ---- Only what is needed, as far as it is allowed ----

#[test]
fn a_plan_without_changes_asks_for_no_checks_and_a_change_for_its_own() {
    let place = Place::new();
    let attributes = |ranges: Json| json!({ "client_cidr_blocks": ranges, "user_profiles": { "a": {} } });
    let workspace = place.workspace(attributes(json!(["10.0.1.0/24"])));
    workspace.apply();
    let before = place.looks();
    assert!(before.iter().all(|(_, count)| *count > 0), "{before:?}");
    workspace.plan().assert_empty();
    assert_eq!(place.looks(), before);

    workspace.write(&place.domain("test", attributes(json!(["10.0.1.0/24", "192.168.0.0/16"]))));
    let text = in_one_line(&workspace.plan().text);
    assert_said(&text, &["No route from the endpoints back to 192.168.0.0/16"]);
    assert!(!text.contains("back to 10.0.1.0/24"), "{text}");
    let more = |operation: &str| {
        let count =
            |looks: &[(&str, usize)]| looks.iter().find(|(name, _)| *name == operation).map(|(_, count)| *count);
        count(&place.looks()) > count(&before)
    };
    assert!(more("DescribeVpcs") && more("DescribeRouteTables"));
    assert!(!more("ListHostedZonesByVPC") && !more("GetRole") && !more("GetAccountLimit"));
    workspace.destroy();
}

#[test]
fn what_may_not_be_looked_at_is_left_out_with_one_note() {
    let place = Place::of(Account::alone());
    place.account.rules(json!([
        refuse("ec2", "DescribeVpcs", "UnauthorizedOperation"),
        refuse("ec2", "DescribeRouteTables", "UnauthorizedOperation"),
        refuse("route53", "ListHostedZonesByVPC", "AccessDenied"),
        refuse("route53", "GetAccountLimit", "AccessDenied"),
        refuse("iam", "GetRole", "AccessDenied"),
        refuse("sagemaker", "ListDomains", "AccessDeniedException"),
    ]));
    let attributes = json!({ "client_cidr_blocks": ["192.168.10.0/24"] });
    let text = in_one_line(&place.workspace(attributes.clone()).plan().text);
    assert_eq!(text.matches("Warning: Not everything could be checked beforehand").count(), 1, "{text}");
    assert_said(
        &text,
        &[
            "needs ec2:DescribeVpcs",
            "needs ec2:DescribeRouteTables",
            "needs route53:ListHostedZonesByVPC",
            "needs route53:GetAccountLimit",
            "needs iam:GetRole",
            "needs sagemaker:ListDomains",
        ],
    );
    // One that fails otherwise is no obstacle either.
    let broken = json!({ "code": "Odd", "message": "later" });
    place.account.rules(json!([{ "service": "ec2", "operation": "DescribeRouteTables", "error": broken }]));
    let text = in_one_line(&place.workspace(attributes).plan().text);
    assert_said(&text, &["Not everything could be checked beforehand", "Odd: later"]);
}

#[test]
fn what_is_unknown_at_plan_is_checked_before_the_first_creation() {
    let place = Place::new();
    let role = place.role("functions", "lambda.amazonaws.com");
    let endpoint = place.endpoint(true);
    let known_later = format!(
        "resource \"terraform_data\" \"made\" {{\n  input = {}\n}}\n",
        json!({ "role": role, "vpc": place.network.vpc_id })
    );
    let domain = place.domain("test", json!({}));
    let domain = domain.replace(&json!(place.network.vpc_id).to_string(), "terraform_data.made.output.vpc");
    let domain = domain.replace(&json!(place.network.role_arn).to_string(), "terraform_data.made.output.role");
    assert_eq!(domain.matches("terraform_data.made").count(), 2);
    let workspace = Workspace::with(&place.account, &(known_later + &domain));
    let plan = workspace.plan();
    assert!(!plan.text.contains("cannot assume"), "{}", plan.text);
    let before = place.account.changes();
    let text = in_one_line(&workspace.apply_expect_error());
    assert_said(&text, &["SageMaker cannot assume the role", &role, "has an endpoint for studio already", &endpoint]);
    assert_eq!(place.account.changes(), before, "nothing may be made");
}
