//! Interface endpoints and the gateway for S3: routes, private DNS, zones, address families.

use aws_sdk_ec2::types::VpcEndpoint;
use serde_json::{Value as Json, json};

use super::{Made, text};
use crate::emulator::{Account, Outside};
use crate::said::{assert_said, in_one_line};

fn described(made: &Made, service: &str) -> VpcEndpoint {
    let describe = made.outside.ec2().describe_vpc_endpoints().vpc_endpoint_ids(made.endpoint(service));
    let mut found = made.outside.run(describe.send()).vpc_endpoints.unwrap_or_default();
    found.pop().expect("it is there")
}

/// Whether private DNS answers inbound resolvers alone.
fn is_inbound_only(made: &Made) -> Option<bool> {
    described(made, "s3").dns_options().and_then(|options| options.private_dns_only_for_inbound_resolver_endpoint())
}

fn route_table(outside: &Outside, vpc_id: &str) -> String {
    let made = outside.run(outside.ec2().create_route_table().vpc_id(vpc_id).send());
    made.route_table().and_then(|table| table.route_table_id()).expect("it has an id").to_owned()
}

fn leads_to(made: &Made, table: &str, endpoint: &str) -> bool {
    let found = made.outside.run(made.outside.ec2().describe_route_tables().route_table_ids(table).send());
    found.route_tables()[0].routes().iter().any(|route| route.gateway_id() == Some(endpoint))
}

// ---- The gateway for S3 ----

#[test]
fn route_tables_are_led_to_s3_and_away_again() {
    let account = Account::new();
    let network = account.network();
    let outside = account.outside();
    let second = route_table(&outside, &network.vpc_id);
    account.keep_everything();
    let first = network.route_table_id.clone();
    let mut made = Made::of(account, network, json!({ "endpoints": { "s3_gateway_route_table_ids": [first] } }));
    let gateway = made.endpoint("s3_gateway");
    assert!(leads_to(&made, &first, &gateway));
    assert!(made.values()["endpoint_ips"].get("s3_gateway").is_none(), "a gateway has no addresses");

    let tables = |tables: &[&str]| json!({ "s3_gateway_route_table_ids": tables });
    let path = ["endpoints.s3_gateway_route_table_ids"];
    made.change("endpoints", tables(&[&first, &second]), &path);
    made.change("endpoints", tables(&[&second]), &path);
    assert!(leads_to(&made, &second, &gateway) && !leads_to(&made, &first, &gateway));
    assert_eq!(made.endpoint("s3_gateway"), gateway, "it is the same endpoint");
    made.assert_imports();

    let ec2 = made.outside.ec2();
    let modify = ec2.modify_vpc_endpoint().vpc_endpoint_id(&gateway).add_route_table_ids(&first);
    made.outside.run(modify.remove_route_table_ids(&second).send());
    made.assert_changes(&path);
    made.outside.run(ec2.delete_vpc_endpoints().vpc_endpoint_ids(&gateway).send());
    crate::terraform::wait_until("the gateway is gone", || !leads_to(&made, &second, &gateway));
    made.assert_changes(&["endpoint_ids", path[0]]);

    made.change("endpoints", json!({}), &["endpoint_ids", path[0]]);
    assert!(made.values()["endpoint_ids"].get("s3_gateway").is_none());
    made.change("endpoints", tables(&[&first]), &["endpoint_ids", path[0]]);
    made.destroy();
}

#[test]
fn a_route_table_that_another_gateway_serves_is_named_with_a_way_on() {
    let account = Account::new();
    let network = account.network();
    let outside = account.outside();
    let create = outside.ec2().create_vpc_endpoint().vpc_id(&network.vpc_id).route_table_ids(&network.route_table_id);
    outside.run(create.service_name("com.amazonaws.us-east-1.s3").send());
    account.keep_everything();
    let table = network.route_table_id.clone();
    let mut made = Made::of(account, network, json!({}));
    made.set("endpoints", json!({ "s3_gateway_route_table_ids": [table] }));
    let said = in_one_line(&made.workspace.apply_expect_error());
    let needed =
        ["Could not create the gateway endpoint for S3", &table, "another gateway endpoint for S3 serves that table"];
    assert_said(&said, &needed);
    made.set("endpoints", json!({}));
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.destroy();
}

// ---- S3 as an interface ----

#[test]
fn an_interface_for_s3_serves_the_vpc_itself_until_there_is_a_gateway() {
    let services = json!(["studio", "sagemaker.api", "sagemaker.runtime", "s3"]);
    let mut made = Made::with(json!({ "endpoints": { "services": services } }));
    assert_eq!(is_inbound_only(&made), Some(false));
    let dns = made.values()["endpoint_dns"]["s3"].clone();
    assert!(text(&dns["dns_name"]).starts_with(&format!("*.{}-", made.endpoint("s3"))), "{dns}");

    let table = made.network.route_table_id.clone();
    let both = json!({ "services": services, "s3_gateway_route_table_ids": [table] });
    made.change("endpoints", both, &["endpoint_ids", "endpoints.s3_gateway_route_table_ids"]);
    assert_eq!(is_inbound_only(&made), Some(true), "what is in the VPC goes through the gateway");
    made.assert_imports();

    let options = aws_sdk_ec2::types::DnsOptionsSpecification::builder();
    let options = options.private_dns_only_for_inbound_resolver_endpoint(false).build();
    let modify = made.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(made.endpoint("s3"));
    made.outside.run(modify.dns_options(options).send());
    made.assert_drift(&["The VPC endpoint for s3 answers more than inbound resolvers."]);

    made.change(
        "endpoints",
        json!({ "services": services }),
        &["endpoint_ids", "endpoints.s3_gateway_route_table_ids"],
    );
    assert_eq!(is_inbound_only(&made), Some(false));
    made.destroy();
}

#[test]
fn an_interface_for_s3_is_made_after_the_gateway_and_deleted_before_it() {
    let account = Account::new();
    let network = account.network();
    let table = network.route_table_id.clone();
    let endpoints = json!({
        "services": ["studio", "sagemaker.api", "sagemaker.runtime", "s3"],
        "s3_gateway_route_table_ids": [table],
    });
    let made = Made::of(account, network, json!({ "endpoints": endpoints }));
    assert_eq!(is_inbound_only(&made), Some(true));
    made.destroy();
}

// ---- Private DNS ----

#[test]
fn private_dns_is_turned_off_and_on_in_place() {
    let mut made = Made::with(json!({}));
    let ids = made.values()["endpoint_ids"].clone();
    for on in [false, true] {
        made.change("endpoints", json!({ "private_dns_enabled": on }), &["endpoints.private_dns_enabled"]);
        for service in ["studio", "sagemaker.api", "sagemaker.runtime"] {
            assert_eq!(described(&made, service).private_dns_enabled(), Some(on), "{service}");
        }
    }
    assert_eq!(made.values()["endpoint_ids"], ids);

    let modify = made.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(made.endpoint("sagemaker.runtime"));
    made.outside.run(modify.private_dns_enabled(false).send());
    made.assert_drift(&["The VPC endpoint for sagemaker.runtime has private DNS off."]);
    made.destroy();
}

// ---- Zones ----

#[test]
fn subnets_that_a_service_has_no_zone_for_are_left_out_and_named() {
    let account = Account::new();
    let network = account.network();
    let outside = account.outside();
    let subnet = |zone: &str, block: &str| {
        let create = outside.ec2().create_subnet().vpc_id(&network.vpc_id).cidr_block(block).availability_zone(zone);
        let made = outside.run(create.send());
        made.subnet().and_then(|subnet| subnet.subnet_id()).expect("it has an id").to_owned()
    };
    let without = subnet("us-east-1e", "10.0.100.0/24");
    let again = subnet("us-east-1a", "10.0.101.0/24");
    account.keep_everything();
    let all = json!([network.subnet_ids[0], network.subnet_ids[1], without, again]);
    let endpoints = json!({ "services": ["studio", "sagemaker.api", "sts"], "subnet_ids": all });
    let made = Made::planned(account, network, json!({ "endpoints": endpoints }));

    let said = in_one_line(&made.workspace.plan().text);
    let twin = made.network.subnet_ids[0].clone().max(again);
    for service in ["studio", "sagemaker.api", "sts"] {
        assert_said(&said, &[&format!("The endpoint for {service} is not in all subnets")]);
    }
    assert_said(&said, &["Left out:", &format!("{without} in us-east-1e"), &format!("{twin} in us-east-1a")]);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    let counts = ["studio", "sagemaker.api", "sts"].map(|service| described(&made, service).subnet_ids().len());
    assert_eq!(counts, [2, 2, 3], "one for each zone that the service supports");
    made.destroy();
}

#[test]
fn subnets_changed_by_hand_are_put_back() {
    let made = Made::with(json!({}));
    let modify = made.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(made.endpoint("sagemaker.api"));
    let (gone, new) = (made.network.subnet_ids[0].clone(), made.network.subnet_ids[2].clone());
    made.outside.run(modify.add_subnet_ids(&new).remove_subnet_ids(&gone).send());
    let plan = made.workspace.plan();
    plan.assert_updates(&["drift", "endpoint_dns", "endpoint_ips"]);
    let told = format!(
        "The VPC endpoint for sagemaker.api lacks the subnets {gone}, and has beside its own the subnets {new}."
    );
    assert_eq!(plan.change().before["drift"], json!([told]));
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.destroy();
}

// ---- Address families ----

#[test]
fn domain_and_endpoints_become_dual_stack_and_ipv4_again_in_place() {
    let account = Account::new();
    let network = account.dual_stack_network();
    let services = json!(["studio", "sagemaker.api", "sagemaker.runtime", "servicecatalog"]);
    let mut made = Made::of(account, network, json!({ "endpoints": { "services": services } }));
    let ids = (made.text("domain_id"), made.values()["endpoint_ids"].clone());
    let paths = ["endpoint_dns", "endpoint_ips", "ip_address_type"];

    made.set("ip_address_type", json!("dualstack"));
    let plan = made.workspace.plan();
    assert_said(&in_one_line(&plan.text), &["Not all endpoints are dual-stack", "IPv4 alone: servicecatalog."]);
    made.assert_changes(&paths);
    assert_eq!(addresses(&made, "studio"), (2, 2));
    assert_eq!(addresses(&made, "servicecatalog"), (2, 0));
    assert_eq!(record_types(&made), ["A", "A", "AAAA", "AAAA"]);
    assert!(lets_ipv6_out(&made));
    made.assert_imports();

    made.set("ip_address_type", Json::Null);
    made.assert_changes(&paths);
    assert_eq!(addresses(&made, "studio"), (2, 0));
    assert_eq!(record_types(&made), ["A", "A"]);
    assert!(!lets_ipv6_out(&made));
    assert_eq!((made.text("domain_id"), made.values()["endpoint_ids"].clone()), ids);
    made.destroy();
}

#[test]
fn a_dual_stack_domain_is_made_at_once() {
    let account = Account::new();
    let network = account.dual_stack_network();
    let made = Made::of(account, network, json!({ "ip_address_type": "dualstack" }));
    assert_eq!(addresses(&made, "sagemaker.api"), (2, 2));
    made.destroy();
}

/// How many IPv4 and IPv6 addresses an endpoint has.
fn addresses(made: &Made, service: &str) -> (usize, usize) {
    let values = made.values();
    let all = values["endpoint_ips"][service].as_array().expect("it has some").clone();
    let (ipv6, ipv4): (Vec<_>, Vec<_>) = all.into_iter().partition(|address| text(address).contains(':'));
    (ipv4.len(), ipv6.len())
}

/// The types of the records for the domain's first name.
fn record_types(made: &Made) -> Vec<String> {
    let zone = text(&made.values()["hosted_zone_ids"][&made.text("fqdn")]);
    let found = made.outside.run(made.outside.route53().list_resource_record_sets().hosted_zone_id(zone).send());
    let types = found.resource_record_sets().iter().map(|set| set.r#type().as_str().to_owned());
    let mut types: Vec<_> = types.filter(|kind| kind.starts_with('A')).collect();
    types.sort();
    types
}

fn lets_ipv6_out(made: &Made) -> bool {
    let group = made.text("domain_security_group_id");
    let found = made.outside.run(made.outside.ec2().describe_security_groups().group_ids(group).send());
    let out = found.security_groups()[0].ip_permissions_egress();
    out.iter().flat_map(|rule| rule.ipv6_ranges()).any(|range| range.cidr_ipv6() == Some("::/0"))
}
