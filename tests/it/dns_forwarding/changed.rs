//! Attributes that change, one at a time, and configurations that are refused.

use serde_json::{Value as Json, json};

use super::{Forwarding, Made};
use crate::{emulator::Account, said::in_one_line, terraform::Workspace};

#[test]
fn each_attribute_changes_alone_and_in_place() {
    let mut made = Made::new();
    let id = made.text("id");
    made.change("name", json!("other name"), &["name"]);
    made.change("client_cidr_blocks", json!(["192.168.10.0/24", "10.9.0.0/16"]), &["client_cidr_blocks"]);
    made.change("client_cidr_blocks", json!(["10.9.0.0/16"]), &["client_cidr_blocks"]);
    made.change("untracked", json!(true), &["untracked"]);
    made.change("untracked", Json::Null, &["untracked"]);
    made.change("tags", json!({ "team": "ml" }), &["tags.team", "tags_all.team"]);
    made.change("tags", Json::Null, &["tags", "tags_all.team"]);
    made.change("zones", json!(["studio.example.com"]), &["forward_zones", "forwarder_configs", "zones"]);
    made.change("include_api_zones", json!(true), &["forward_zones", "forwarder_configs", "include_api_zones"]);
    made.change("include_api_zones", Json::Null, &["forward_zones", "forwarder_configs", "include_api_zones"]);
    made.change("zones", Json::Null, &["forward_zones", "forwarder_configs", "zones"]);
    made.change("domain_ids", json!(["d-abcdefghijkl"]), &["domain_ids", "forward_zones", "forwarder_configs"]);
    made.change("domain_ids", Json::Null, &["domain_ids", "forward_zones", "forwarder_configs"]);
    assert_eq!(made.text("id"), id, "nothing of this replaces the endpoint");
    assert_eq!(made.account.count("CreateResolverEndpoint"), 1);
    made.destroy();
}

#[test]
fn protocols_change_in_as_many_steps_as_resolver_asks_for() {
    let mut made = Made::new();
    made.change("protocols", json!(["DoH"]), &["protocols"]);
    assert_eq!(made.account.count("UpdateResolverEndpoint"), 2);
    made.change("protocols", json!(["Do53", "DoH-FIPS"]), &["protocols"]);
    made.change("protocols", Json::Null, &["protocols"]);
    assert_eq!(made.account.count("CreateResolverEndpoint"), 1);
    made.destroy();
}

#[test]
fn an_endpoint_gets_ipv6_in_place_and_loses_it_again() {
    let mut made = Made::new();
    let ec2 = made.outside.ec2();
    let vpc = ec2.associate_vpc_cidr_block().vpc_id(&made.network.vpc_id).amazon_provided_ipv6_cidr_block(true);
    let block = made.outside.run(vpc.send()).ipv6_cidr_block_association.and_then(|block| block.ipv6_cidr_block);
    let block = block.expect("it has a range").replace("00::/56", "");
    for (index, subnet) in made.network.subnet_ids.iter().enumerate() {
        let range = format!("{block}{index:02x}::/64");
        made.outside.run(ec2.associate_subnet_cidr_block().subnet_id(subnet).ipv6_cidr_block(range).send());
    }
    let id = made.text("id");
    let changed = ["forwarder_configs", "inbound_ips", "ip_address_type"];
    made.change("ip_address_type", json!("dualstack"), &changed);
    let ips = made.values()["inbound_ips"].as_array().expect("it is a list").clone();
    let is_ipv6: Vec<bool> = ips.iter().map(|ip| ip.as_str().is_some_and(|ip| ip.contains(':'))).collect();
    assert_eq!(is_ipv6, [false, false, true, true], "{ips:?}");
    made.change("ip_address_type", Json::Null, &changed);
    assert_eq!(made.text("id"), id);
    made.config = made.config.with("ip_address_type", json!("ipv6"));
    made.workspace.write(&made.config.hcl());
    assert_eq!(made.workspace.plan().change().actions, ["delete", "create"]);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.values()["inbound_ips"].as_array().map(Vec::len), Some(2));
    made.destroy();
}

#[test]
fn addresses_move_one_at_a_time_and_those_that_stay_are_known_at_plan() {
    let mut made = Made::new();
    let subnets = made.network.subnet_ids.clone();
    let ips = made.values()["inbound_ips"].clone();
    let more = ["forwarder_configs", "inbound_ips", "subnet_ids"];

    made.change("subnet_ids", json!([subnets[1], subnets[0]]), &more);
    assert_eq!(made.values()["inbound_ips"], json!([ips[1], ips[0]]));
    made.change("subnet_ids", json!(subnets), &more);
    assert_eq!(
        made.values()["inbound_ips"].as_array().map(|ips| &ips[..2]),
        Some(&[ips[0].clone(), ips[1].clone()][..])
    );
    made.change("subnet_ids", json!([subnets[2], subnets[1], subnets[1]]), &more);
    assert_eq!(made.addresses().len(), 3);
    made.change("subnet_ids", json!([subnets[0], subnets[2]]), &more);
    assert_eq!(made.addresses().len(), 2);

    // That two are always there, the emulator sees to.
    assert_eq!(made.account.count("AssociateResolverEndpointIpAddress"), 3);
    assert_eq!(made.account.count("DisassociateResolverEndpointIpAddress"), 3);
    made.destroy();
}

#[test]
fn chosen_addresses_can_be_fixed_and_changed() {
    let mut made = Made::new();
    let (subnets, ips) = (made.network.subnet_ids.clone(), made.values()["inbound_ips"].clone());
    let fixed = |first: &Json, second: &Json| json!([{ "subnet_id": subnets[0], "ip": first }, { "subnet_id": subnets[1], "ip": second }]);
    made.config = made.config.with("subnet_ids", Json::Null);
    made.change("ip_addresses", fixed(&ips[0], &ips[1]), &["ip_addresses", "subnet_ids"]);
    assert_eq!(made.account.count("AssociateResolverEndpointIpAddress"), 0);
    let paths = ["forwarder_configs", "inbound_ips", "ip_addresses"];
    made.config = made.config.with("ip_addresses", fixed(&json!("10.0.0.77"), &json!("10.0.1.77")));
    made.workspace.write(&made.config.hcl());
    assert_eq!(made.workspace.plan().change().after["inbound_ips"], json!(["10.0.0.77", "10.0.1.77"]));
    made.assert_changes_only(&paths);
    assert_eq!(made.account.count("DisassociateResolverEndpointIpAddress"), 2);
    made.destroy();
}

#[test]
fn what_resolver_cannot_change_replaces_the_endpoint() {
    let made = Made::new();
    let group = made.outside.ec2().create_security_group().group_name("own").description("own");
    let group = made.outside.run(group.vpc_id(&made.network.vpc_id).send()).group_id.expect("it has an id");
    let own = made.config.with("client_cidr_blocks", Json::Null).with("security_group_ids", json!([group]));
    made.workspace.write(&own.hcl());
    assert_eq!(made.workspace.plan().change().actions, ["delete", "create"]);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.outside.run(made.outside.route53resolver().list_resolver_endpoints().send());
    made.workspace.destroy();
    made.outside.run(made.outside.ec2().delete_security_group().group_id(group).send());
    made.account.assert_nothing_is_left();
}

#[test]
fn an_endpoint_made_before_its_predecessor_goes_is_another_one() {
    let made = Made::new();
    let id = made.text("id");
    let first =
        "\n  lifecycle {\n    create_before_destroy = true\n    replace_triggered_by  = [terraform_data.round]\n  }\n";
    let round = |number: u8| {
        let data = format!("resource \"terraform_data\" \"round\" {{\n  input = {number}\n}}\n");
        made.config.hcl_with(first) + &data
    };
    made.workspace.write(&round(1));
    made.workspace.apply();
    made.workspace.write(&round(2));
    made.workspace.apply();
    assert_ne!(made.text("id"), id);
    assert_eq!(made.addresses().len(), 2, "the new endpoint is there");
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn what_cannot_work_is_refused_at_its_attribute_before_anything_is_made() {
    let account = Account::new();
    let network = account.network();
    let first = Forwarding::new(&network);
    let subnets = &network.subnet_ids;
    let addresses = |ip: &str| {
        let addresses = json!([{ "subnet_id": subnets[0], "ip": ip }, { "subnet_id": subnets[1] }]);
        first.with("subnet_ids", Json::Null).with("ip_addresses", addresses)
    };
    for (wrong, attribute, said) in [
        (first.with("client_cidr_blocks", json!(["192.168.10.1/24"])), "client_cidr_blocks", "192.168.10.0/24"),
        (first.with("subnet_ids", Json::Null), "subnet_ids", "ip_addresses"),
        (first.with("subnet_ids", json!([subnets[0]])), "subnet_ids", "at least 2"),
        (first.with("subnet_ids", json!([subnets[0], subnets[0]])), "subnet_ids", "one subnet"),
        (first.with("subnet_ids", json!([subnets[0], "subnet-0123"])), "subnet_ids", "no subnet subnet-0123"),
        (first.with("vpc_id", json!("vpc-0123")), "subnet_ids", "not in vpc-0123"),
        (first.with("name", json!("123")), "name", "digits"),
        (first.with("zones", json!(["*.studio.example.com"])), "zones", "wildcard"),
        (first.with("zones", json!(["stüdio.example.com"])), "zones", "ASCII"),
        (first.with("security_group_ids", json!(["sg-0123"])), "client_cidr_blocks", "security groups of your own"),
        (
            first.with("client_cidr_blocks", Json::Null).with("security_group_ids", json!(["sg-0123"])),
            "security_group_ids",
            "no security group sg-0123",
        ),
        (addresses("10.0.1.10"), "Invalid ip", "10.0.0.0/24"),
        (addresses("10.0.0.1"), "Invalid ip", "AWS keeps"),
        (addresses("10.0.0"), "Invalid ip", "not an IPv4 address"),
        (first.with("protocols", json!(["DoH", "DoH-FIPS"])), "protocols", "not both"),
        (first.with("ip_address_type", json!("dualstack")), "subnet_ids", "no IPv6 range"),
    ] {
        let text = in_one_line(&Workspace::with(&account, &wrong.hcl()).plan_expect_error());
        assert!(text.contains(attribute) && text.contains(said), "{attribute}, {said}: {text}");
    }
    assert_eq!(account.changes(), [] as [&str; 0]);
}

#[test]
fn subnets_of_one_zone_are_refused() {
    let account = Account::new();
    let network = account.network();
    let outside = account.outside();
    let known = outside.ec2().describe_subnets().subnet_ids(&network.subnet_ids[0]);
    let zone = outside.run(known.send()).subnets.unwrap_or_default()[0].availability_zone.clone();
    let more = outside.ec2().create_subnet().vpc_id(&network.vpc_id).cidr_block("10.0.99.0/24");
    let more = outside.run(more.set_availability_zone(zone).send()).subnet.and_then(|subnet| subnet.subnet_id);
    let both = json!([network.subnet_ids[0], more]);
    let workspace = Workspace::with(&account, &Forwarding::new(&network).with("subnet_ids", both).hcl());
    let text = in_one_line(&workspace.plan_expect_error());
    assert!(text.contains("Only one Availability Zone"), "{text}");
}

#[test]
fn zones_of_a_domain_come_with_a_warning() {
    let account = Account::new();
    let network = account.network();
    let config = Forwarding::new(&network).with("domain_ids", json!(["d-abcdefghijkl"]));
    let plan = Workspace::with(&account, &config.hcl()).plan();
    assert!(in_one_line(&plan.text).contains("Warning: Apps are left out of what is forwarded"), "{}", plan.text);
}
