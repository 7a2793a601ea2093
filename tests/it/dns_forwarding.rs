//! `studio_dns_forwarding` through its life: made, changed, drifted, imported, broken in the middle, destroyed.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{IpPermission, IpRange};
use aws_sdk_route53resolver::types::{IpAddressResponse, IpAddressUpdate, Tag};
use serde_json::{Value as Json, json};

use crate::{
    emulator::{Account, Network, Outside, REGION},
    said::in_one_line,
    terraform::{Plan, Workspace, wait_until},
};

pub const ADDRESS: &str = "studio_dns_forwarding.test";

/// The configuration: attributes by name, as JSON, which is HCL enough for values.
#[derive(Clone)]
pub struct Forwarding(serde_json::Map<String, Json>);

impl Forwarding {
    pub fn new(network: &Network) -> Self {
        let Json::Object(attributes) = json!({
            "name": "dns",
            "vpc_id": network.vpc_id,
            "subnet_ids": network.subnet_ids[..2],
            "client_cidr_blocks": ["192.168.10.0/24"],
            "tags": { "team": "data" },
        }) else {
            unreachable!("it is an object")
        };
        Forwarding(attributes)
    }

    /// The same with another value; null takes the attribute out.
    pub fn with(&self, name: &str, value: Json) -> Self {
        let mut other = self.clone();
        match value {
            Json::Null => other.0.remove(name),
            value => other.0.insert(name.to_owned(), value),
        };
        other
    }

    pub fn hcl(&self) -> String {
        self.hcl_with("")
    }

    pub fn hcl_with(&self, more: &str) -> String {
        let lines: String = self.0.iter().map(|(name, value)| format!("  {name} = {value}\n")).collect();
        format!("resource \"studio_dns_forwarding\" \"test\" {{\n{lines}{more}}}\n")
    }
}

/// One that was made, and what it takes to look at it from outside.
struct Made {
    account: Account,
    network: Network,
    workspace: Workspace,
    outside: Outside,
    config: Forwarding,
}

impl Made {
    fn new() -> Self {
        Self::on(Account::new(), Clone::clone)
    }

    fn alone() -> Self {
        Self::on(Account::alone(), Clone::clone)
    }

    fn with(change: impl Fn(&Forwarding) -> Forwarding) -> Self {
        Self::on(Account::new(), change)
    }

    fn on(account: Account, change: impl Fn(&Forwarding) -> Forwarding) -> Self {
        let network = account.network();
        let config = change(&Forwarding::new(&network));
        let workspace = Workspace::with(&account, &config.hcl());
        workspace.apply();
        let outside = account.outside();
        Made { account, network, workspace, outside, config }
    }

    fn values(&self) -> Json {
        self.workspace.state().values(ADDRESS)
    }

    fn text(&self, name: &str) -> String {
        self.values()[name].as_str().unwrap_or_else(|| panic!("{name} is not text")).to_owned()
    }

    /// Exactly these attributes are planned to change, and after an apply nothing is left to do.
    fn assert_changes_only(&self, paths: &[&str]) {
        assert_updates(&self.workspace.plan(), paths);
        self.workspace.apply();
        self.workspace.plan().assert_empty();
    }

    fn change(&mut self, name: &str, value: Json, paths: &[&str]) {
        self.config = self.config.with(name, value);
        self.workspace.write(&self.config.hcl());
        self.assert_changes_only(paths);
    }

    /// The endpoint's addresses, as AWS has them.
    fn addresses(&self) -> Vec<IpAddressResponse> {
        let resolver = self.outside.route53resolver();
        let list = resolver.list_resolver_endpoint_ip_addresses().resolver_endpoint_id(self.text("id"));
        self.outside.run(list.send()).ip_addresses.unwrap_or_default()
    }

    fn wait_until_at_rest(&self) {
        let attached =
            |one: &IpAddressResponse| one.status.as_ref().is_some_and(|status| status.as_str() == "ATTACHED");
        wait_until("the addresses are at rest", || self.addresses().iter().all(attached));
    }

    fn destroy(self) {
        self.workspace.destroy();
        self.account.assert_nothing_is_left();
    }
}

/// Fails the test unless exactly these attributes are planned to change, in place. Of the configurations all count as
/// one.
pub fn assert_updates(plan: &Plan, paths: &[&str]) {
    let change = plan.change();
    assert_eq!(change.actions, ["update"], "{}", plan.text);
    let whole = |path: &String| match path.split_once('.') {
        Some(("forwarder_configs", _)) => "forwarder_configs".to_owned(),
        Some(_) | None => path.clone(),
    };
    let changed: BTreeSet<String> = change.paths().iter().map(whole).collect();
    assert_eq!(changed.iter().map(String::as_str).collect::<Vec<_>>(), paths, "{}", plan.text);
}

// ---- Made and destroyed ----

#[test]
fn what_was_applied_needs_no_second_apply_and_destroy_leaves_nothing() {
    let made = Made::new();
    made.workspace.plan().assert_empty();
    let values = made.values();
    assert_eq!(values["id"], values["inbound_endpoint_id"]);
    let first = format!("studio.{REGION}.sagemaker.aws");
    assert_eq!(values["forward_zones"], json!([first, format!("studio.sagemaker.{REGION}.app.aws")]));
    let in_subnet = |subnet: &str| {
        let addresses = made.addresses();
        addresses.iter().find(|one| one.subnet_id.as_deref() == Some(subnet)).and_then(|one| one.ip.clone())
    };
    let expected = json!(made.network.subnet_ids[..2].iter().map(|subnet| in_subnet(subnet)).collect::<Vec<_>>());
    assert_eq!(values["inbound_ips"], expected);
    let bind = values["forwarder_configs"]["bind"].as_str().expect("it is rendered");
    let ips = expected.as_array().expect("it is a list");
    assert!(bind.contains(&format!("zone \"{first}\"")), "{bind}");
    assert!(ips.iter().all(|ip| bind.contains(ip.as_str().expect("it is text"))), "{bind}");
    made.destroy();
}

#[test]
fn the_addresses_come_in_the_order_of_the_subnets() {
    let made = Made::with(|config| {
        let mut subnets = config.0["subnet_ids"].as_array().expect("it is a list").clone();
        subnets.reverse();
        config.with("subnet_ids", json!(subnets))
    });
    let third = |ip: &Json| ip.as_str().and_then(|ip| ip.split('.').nth(2)).map(str::to_owned);
    let ips = made.values()["inbound_ips"].as_array().expect("it is a list").clone();
    assert!(third(&ips[0]) > third(&ips[1]), "{ips:?}");
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn with_fixed_addresses_the_configurations_are_known_at_plan() {
    let account = Account::new();
    let network = account.network();
    let addresses = json!([
        { "subnet_id": network.subnet_ids[1], "ip": "10.0.1.10" },
        { "subnet_id": network.subnet_ids[0], "ip": "10.0.0.10" },
    ]);
    let config = Forwarding::new(&network).with("subnet_ids", Json::Null).with("ip_addresses", addresses);
    let workspace = Workspace::with(&account, &config.hcl());
    let planned = workspace.plan().change().after;
    assert_eq!(planned["inbound_ips"], json!(["10.0.1.10", "10.0.0.10"]));
    let bind = planned["forwarder_configs"]["bind"].as_str().expect("it is known").to_owned();
    workspace.apply();
    let values = workspace.state().values(ADDRESS);
    assert_eq!(values["inbound_ips"], planned["inbound_ips"]);
    assert_eq!(values["forwarder_configs"]["bind"], json!(bind));
    workspace.plan().assert_empty();
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn what_is_fixed_is_known_at_plan_also_where_its_subnets_are_not() {
    let account = Account::new();
    let network = account.network();
    let addresses = r#"
  ip_addresses = [
    { subnet_id = terraform_data.subnet[0].output, ip = "10.0.0.10" },
    { subnet_id = terraform_data.subnet[1].output, ip = "10.0.1.10" },
  ]
"#;
    let subnets = json!(network.subnet_ids);
    let data =
        format!("resource \"terraform_data\" \"subnet\" {{\n  count = 2\n  input = {subnets}[count.index]\n}}\n");
    let config = Forwarding::new(&network).with("subnet_ids", Json::Null);
    let workspace = Workspace::with(&account, &(config.hcl_with(addresses) + &data));
    let plan = workspace.plan();
    let change = plan.changes().into_iter().find(|change| change.address == ADDRESS).expect("it is planned");
    assert_eq!(change.after["inbound_ips"], json!(["10.0.0.10", "10.0.1.10"]));
    assert!(change.after["forwarder_configs"]["bind"].is_string(), "{}", plan.text);
    workspace.apply();
    workspace.plan().assert_empty();
    let unknown = Forwarding::new(&network)
        .with("subnet_ids", Json::Null)
        .hcl_with("  subnet_ids = terraform_data.subnet[*].output\n");
    workspace.write(&(unknown + &data.replace("[count.index]", "[count.index + 1]")));
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(workspace.state().values(ADDRESS)["subnet_ids"], json!(network.subnet_ids[1..]));
    assert_eq!(account.count("CreateResolverEndpoint"), 1);
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn handed_in_groups_are_used_and_left() {
    let account = Account::new();
    let network = account.network();
    let outside = account.outside();
    let group = outside.ec2().create_security_group().group_name("own").description("own").vpc_id(&network.vpc_id);
    let group = outside.run(group.send()).group_id.expect("it has an id");
    let config = Forwarding::new(&network).with("client_cidr_blocks", Json::Null);
    let config = config.with("security_group_ids", json!([group]));
    let workspace = Workspace::with(&account, &config.hcl());
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(workspace.state().values(ADDRESS)["security_group_id"], Json::Null);
    workspace.destroy();
    let left = account.leftovers();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["id"], json!(group));
}

// ---- Changed ----

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

// ---- Drifted ----

#[test]
fn an_endpoint_that_was_deleted_is_planned_as_a_new_one_and_its_group_is_taken_over() {
    let made = Made::new();
    let delete = made.outside.route53resolver().delete_resolver_endpoint().resolver_endpoint_id(made.text("id"));
    made.outside.run(delete.send());
    let exists = || made.account.leftovers().iter().any(|left| left["kind"] == "route53resolver:endpoint");
    wait_until("the endpoint is gone", || !exists());
    assert_eq!(made.workspace.plan().change().actions, ["create"]);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.account.count("CreateSecurityGroup"), 1);
    made.destroy();
}

#[test]
fn an_address_that_was_removed_comes_back() {
    let made = Made::with(|config| config.clone());
    let resolver = made.outside.route53resolver();
    let more = IpAddressUpdate::builder().subnet_id(&made.network.subnet_ids[2]).build();
    let add = resolver.associate_resolver_endpoint_ip_address().resolver_endpoint_id(made.text("id"));
    made.outside.run(add.ip_address(more).send());
    wait_until("the third address is there", || made.addresses().len() == 3);
    made.wait_until_at_rest();
    let gone = made.addresses()[0].ip_id.clone();
    let gone = IpAddressUpdate::builder().set_ip_id(gone).build();
    let remove = resolver.disassociate_resolver_endpoint_ip_address().resolver_endpoint_id(made.text("id"));
    made.outside.run(remove.ip_address(gone).send());
    wait_until("an address is gone", || made.addresses().len() == 2);
    made.wait_until_at_rest();
    made.assert_changes_only(&["forwarder_configs", "inbound_ips", "subnet_ids"]);
    made.destroy();
}

#[test]
fn a_client_range_opened_by_hand_is_closed_again() {
    let made = Made::new();
    let open = made.outside.ec2().authorize_security_group_ingress().group_id(made.text("security_group_id"));
    made.outside.run(open.ip_permissions(dns("udp", "10.99.0.0/16")).send());
    assert_updates(&made.workspace.plan(), &["client_cidr_blocks", "drift"]);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn a_client_range_closed_by_hand_is_opened_again() {
    let made = Made::new();
    for protocol in ["tcp", "udp"] {
        let shut = made.outside.ec2().revoke_security_group_ingress().group_id(made.text("security_group_id"));
        made.outside.run(shut.ip_permissions(dns(protocol, "192.168.10.0/24")).send());
    }
    made.assert_changes_only(&["client_cidr_blocks"]);
    made.destroy();
}

#[test]
fn one_rule_that_was_removed_is_named_and_put_back() {
    let made = Made::new();
    let shut = made.outside.ec2().revoke_security_group_ingress().group_id(made.text("security_group_id"));
    made.outside.run(shut.ip_permissions(dns("udp", "192.168.10.0/24")).send());
    let plan = made.workspace.plan();
    assert_updates(&plan, &["drift"]);
    assert!(plan.change().before["drift"].to_string().contains("udp 53"), "{}", plan.change().before["drift"]);
    made.assert_changes_only(&["drift"]);
    made.destroy();
}

#[test]
fn what_was_renamed_or_tagged_by_hand_is_put_back() {
    let made = Made::new();
    let resolver = made.outside.route53resolver();
    made.outside.run(resolver.update_resolver_endpoint().resolver_endpoint_id(made.text("id")).name("hand").send());
    made.wait_until_at_rest();
    made.assert_changes_only(&["name"]);
    let tag = Tag::builder().key("more").value("x").build().expect("it is complete");
    made.outside.run(resolver.tag_resource().resource_arn(made.text("arn")).tags(tag).send());
    made.assert_changes_only(&["tags.more", "tags_all.more"]);
    made.destroy();
}

// ---- Imported ----

#[test]
fn an_imported_endpoint_needs_no_change() {
    let made = Made::new();
    let id = made.text("id");
    made.workspace.forget(ADDRESS);
    made.workspace.import(ADDRESS, &id);
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn an_untracked_endpoint_is_imported_as_one() {
    let made = Made::with(|config| config.with("client_cidr_blocks", Json::Null).with("untracked", json!(true)));
    let id = made.text("id");
    made.workspace.forget(ADDRESS);
    made.workspace.import(ADDRESS, &id);
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn an_id_of_nothing_is_not_imported() {
    let account = Account::new();
    let network = account.network();
    let workspace = Workspace::with(&account, &Forwarding::new(&network).hcl());
    let text = workspace.import_expect_error(ADDRESS, "rslvr-in-0123456789abcdef0");
    assert!(text.contains("There is nothing to import"), "{text}");
    let text = workspace.import_expect_error(ADDRESS, "rslvr-out-0123456789abcdef0");
    assert!(text.contains("Invalid import id"), "{text}");
}

// ---- Broken in the middle ----

fn refused(operation: &str) -> Json {
    let error = json!({ "code": "InvalidRequestException", "message": "no more", "status": 400 });
    json!([{ "service": "route53resolver", "operation": operation, "nth": 1, "error": error }])
}

#[test]
fn a_creation_that_failed_is_recorded_and_can_be_continued() {
    let account = Account::alone();
    let network = account.network();
    let workspace = Workspace::with(&account, &Forwarding::new(&network).hcl());
    account.rules(refused("CreateResolverEndpoint"));
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("Could not create the inbound endpoint"), "{text}");
    assert!(text.contains("These parts exist and are recorded: security group sg-"), "{text}");
    assert!(workspace.state().is_tainted(ADDRESS));
    workspace.untaint(ADDRESS);
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(account.count("CreateSecurityGroup"), 1);
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn a_quota_that_is_used_up_is_told_of_at_once() {
    let account = Account::alone();
    let network = account.network();
    let workspace = Workspace::with(&account, &Forwarding::new(&network).hcl());
    let error = json!({ "code": "LimitExceededException", "message": "4 endpoints are there", "status": 400 });
    account.rules(json!([{ "service": "route53resolver", "operation": "CreateResolverEndpoint", "error": error }]));
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("4 endpoints are there"), "{text}");
    let tried = account.calls().iter().filter(|call| call.operation == "CreateResolverEndpoint").count();
    assert_eq!(tried, 1);
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn a_creation_that_failed_can_be_destroyed_or_made_anew() {
    let account = Account::alone();
    let network = account.network();
    let workspace = Workspace::with(&account, &Forwarding::new(&network).hcl());
    account.rules(refused("CreateResolverEndpoint"));
    workspace.apply_expect_error();
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
    account.rules(refused("CreateResolverEndpoint"));
    workspace.apply_expect_error();
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn addresses_that_fail_while_the_endpoint_is_made_are_repaired() {
    let account = Account::alone();
    let network = account.network();
    let addresses = json!([
        { "subnet_id": network.subnet_ids[0], "ip": "10.0.0.10" },
        { "subnet_id": network.subnet_ids[1], "ip": "10.0.1.10" },
    ]);
    let config = Forwarding::new(&network).with("subnet_ids", Json::Null).with("ip_addresses", addresses);
    let workspace = Workspace::with(&account, &config.hcl());
    account.rules(json!([
        { "service": "route53resolver", "operation": "CreateResolverEndpoint", "nth": 1, "fail": "no capacity" }
    ]));
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("10.0.0.10") && text.contains("no capacity"), "{text}");
    workspace.untaint(ADDRESS);
    assert_updates(&workspace.plan(), &["drift"]);
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(workspace.state().values(ADDRESS)["inbound_ips"], json!(["10.0.0.10", "10.0.1.10"]));
    assert_eq!(account.count("CreateResolverEndpoint"), 1);
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn a_change_that_failed_in_the_middle_is_seen_as_it_is_and_finished_by_the_next() {
    let mut made = Made::alone();
    let subnets = made.network.subnet_ids.clone();
    made.config = made.config.with("subnet_ids", json!([subnets[2], subnets[1]]));
    made.workspace.write(&made.config.hcl());
    made.account.rules(refused("DisassociateResolverEndpointIpAddress"));
    let text = in_one_line(&made.workspace.apply_expect_error());
    assert!(text.contains("Could not update the addresses of the inbound endpoint"), "{text}");
    assert_eq!(made.values()["subnet_ids"], json!([subnets[2], subnets[1], subnets[0]]));
    made.assert_changes_only(&["forwarder_configs", "inbound_ips", "subnet_ids"]);
    assert_eq!(made.account.count("AssociateResolverEndpointIpAddress"), 1);
    made.destroy();
}

#[test]
fn a_lost_answer_makes_nothing_twice() {
    let account = Account::alone();
    let network = account.network();
    let workspace = Workspace::with(&account, &Forwarding::new(&network).hcl());
    account.rules(json!([
        { "service": "ec2", "operation": "CreateSecurityGroup", "nth": 1, "lose_answer": true },
        { "service": "route53resolver", "operation": "CreateResolverEndpoint", "nth": 1, "lose_answer": true },
    ]));
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn an_interrupted_creation_is_recorded_and_can_be_continued() {
    let account = Account::alone();
    let network = account.network();
    let workspace = Workspace::with(&account, &Forwarding::new(&network).hcl());
    account.pace(json!({ "route53resolver:ip": 3 }));
    workspace.apply_interrupted(|| account.count("CreateResolverEndpoint") == 1);
    account.pace(json!({}));
    assert_eq!(workspace.state().addresses(), [ADDRESS]);
    workspace.untaint(ADDRESS);
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(account.count("CreateResolverEndpoint"), 1);
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn what_a_killed_run_left_behind_is_taken_over_and_what_another_one_uses_is_not() {
    let made = Made::new();
    let (id, arn) = (made.text("id"), made.text("arn"));
    let part = Tag::builder().key("terraform-provider-studio:part").value("inbound-endpoint/in-the-making").build();
    let part = part.expect("it is complete");
    made.outside.run(made.outside.route53resolver().tag_resource().resource_arn(arn).tags(part).send());
    made.workspace.forget(ADDRESS);
    made.workspace.apply();
    assert_eq!(made.text("id"), id);
    assert_eq!(made.account.count("CreateResolverEndpoint"), 1);
    made.workspace.plan().assert_empty();

    let second = Workspace::with(&made.account, &made.config.hcl());
    second.apply();
    assert_ne!(second.state().values(ADDRESS)["id"], json!(id), "a finished endpoint belongs to somebody");
    second.destroy();
    made.workspace.plan().assert_empty();
    made.destroy();
}

// ---- What tests do outside ----

fn dns(protocol: &str, range: &str) -> IpPermission {
    let range = IpRange::builder().cidr_ip(range).build();
    IpPermission::builder().ip_protocol(protocol).from_port(53).to_port(53).ip_ranges(range).build()
}
