//! The function and the resource give what is rendered, through the real Terraform.

use serde_json::{Value as Json, json};
use studio::dns::render::Kind;

use super::{ADDRESSES, ZONES, rendering};
use crate::{emulator::Account, terraform::Workspace};

fn every_kind() -> Json {
    Kind::ALL.iter().map(|kind| (kind.as_str().to_owned(), json!(rendering(*kind, ADDRESSES[0])))).collect()
}

#[test]
fn the_function_gives_every_kind() {
    let account = Account::new();
    let kinds = Kind::ALL.map(Kind::as_str);
    let call = format!("provider::studio::forwarder_config(kind, {}, {})", json!(ZONES), json!(ADDRESSES[0]));
    let hcl = format!("output \"all\" {{\n  value = {{ for kind in {} : kind => {call} }}\n}}\n", json!(kinds));
    let workspace = Workspace::with(&account, &hcl);
    workspace.apply();
    assert_eq!(workspace.output("all"), every_kind());
    assert_eq!(account.calls().len(), 0);
}

#[test]
fn the_function_names_the_argument_at_fault() {
    let account = Account::new();
    let refused = |kind: &str, zones: Json, ips: Json, parameter: &str, reason: &str| {
        let call = format!("provider::studio::forwarder_config(\"{kind}\", {zones}, {ips})");
        let text =
            Workspace::with(&account, &format!("output \"wrong\" {{\n  value = {call}\n}}\n")).plan_expect_error();
        let text = text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(text.contains(&format!("Invalid value for \"{parameter}\" parameter")), "{text}");
        assert!(text.contains(reason), "{text}");
    };
    let (zones, ips) = (json!(ZONES), json!(ADDRESSES[0]));
    refused("named", zones.clone(), ips.clone(), "kind", "\"named\" is not a kind of forwarder; choose one of bind,");
    refused("dnsmasq", json!(["*.studio.aws"]), ips.clone(), "zones", "has a wildcard; name the parent zone");
    refused("dnsmasq", json!(["\u{201c}studio.aws\u{201d}"]), ips, "zones", "write the name alone");
    refused("dnsmasq", zones.clone(), json!(["resolver.example.com"]), "ips", "is not an IP address");
    refused("dnsmasq", zones, json!([]), "ips", "name at least one address");
}

#[test]
fn the_resource_gives_every_kind_at_plan_where_the_addresses_are_fixed() {
    let account = Account::new();
    let network = account.network();
    // The emulator's subnets are 10.0.0.0/24 and those after it.
    let ips = ["10.0.0.10", "10.0.1.10"];
    let addresses = |index: usize| json!({ "subnet_id": network.subnet_ids[index], "ip": ips[index] });
    let hcl = format!(
        "resource \"studio_dns_forwarding\" \"test\" {{\n  name = \"dns\"\n  vpc_id = \"{}\"\n  zones = {}\n  \
         ip_addresses = {}\n  client_cidr_blocks = [\"192.168.10.0/24\"]\n}}\n",
        network.vpc_id,
        json!(ZONES),
        json!([addresses(0), addresses(1)])
    );
    let planned = Workspace::with(&account, &hcl).plan().change().after;
    let expected: Json =
        Kind::ALL.iter().map(|kind| (kind.as_str().to_owned(), json!(rendering(*kind, &ips)))).collect();
    assert_eq!(planned["forwarder_configs"], expected);
}
