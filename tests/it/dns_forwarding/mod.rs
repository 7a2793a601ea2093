//! `studio_dns_forwarding` through its life: made, changed, drifted, imported, broken in the middle, destroyed.

mod broken;
mod changed;
mod drifted;
mod imported;

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{IpPermission, IpRange};
use aws_sdk_route53resolver::types::IpAddressResponse;
use serde_json::{Value as Json, json};

use crate::{
    emulator::{Account, Network, Outside, REGION},
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

// ---- What tests do outside ----

fn dns(protocol: &str, range: &str) -> IpPermission {
    let range = IpRange::builder().cidr_ip(range).build();
    IpPermission::builder().ip_protocol(protocol).from_port(53).to_port(53).ip_ranges(range).build()
}
