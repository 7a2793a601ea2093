//! Addresses of `studio_dns_forwarding` that are exchanged while rules ask them, and fixed IPv6 addresses.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::InstanceIpv6Address;
use serde_json::{Value as Json, json};

use crate::{
    dns_forwarding::{ADDRESS, Forwarding, assert_updates},
    dns_forwarding_outbound::Made,
    emulator::{Account, Call, Network, Outside},
    said::in_one_line,
    terraform::Workspace,
};

// ---- Rules always ask an address that answers ----

/// The inbound endpoint's addresses by their ids.
fn addresses(made: &Made) -> BTreeMap<String, String> {
    let list = made.outside.route53resolver().list_resolver_endpoint_ip_addresses();
    let found = made.outside.run(list.resolver_endpoint_id(made.text("id")).send()).ip_addresses.unwrap_or_default();
    let of = |one: aws_sdk_route53resolver::types::IpAddressResponse| Some((one.ip_id?, one.ip?));
    found.into_iter().filter_map(of).collect()
}

fn fixed(network: &Network, last: u8) -> Json {
    let address =
        |index: usize| json!({ "subnet_id": network.subnet_ids[index], "ip": format!("10.0.{index}.{last}") });
    json!([address(0), address(1)])
}

/// Follows the calls of a change, and fails the test if a rule asks only addresses that are gone at some moment. An
/// address that is asked for is there by the next call, because that waits until the endpoint is at rest.
fn assert_always_answered(calls: &[Call], before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    let mut in_use: BTreeSet<&str> = before.values().map(String::as_str).collect();
    let rules: BTreeSet<&str> = calls.iter().filter_map(|call| call.params["ResolverRuleId"].as_str()).collect();
    let mut asked: BTreeMap<&str, BTreeSet<&str>> = rules.iter().map(|rule| (*rule, in_use.clone())).collect();
    assert_eq!(asked.len(), 2, "both rules are looked at");
    for call in calls {
        let address = &call.params["IpAddress"];
        match call.operation.as_str() {
            "AssociateResolverEndpointIpAddress" => {
                in_use.insert(address["Ip"].as_str().expect("it is fixed"));
            }
            "DisassociateResolverEndpointIpAddress" => {
                let id = address["IpId"].as_str().expect("it is named by its id");
                in_use.remove(before.get(id).or(after.get(id)).expect("it was there").as_str());
            }
            "UpdateResolverRule" => {
                let rule = call.params["ResolverRuleId"].as_str().expect("it has one");
                let targets = call.params["Config"]["TargetIps"].as_array().expect("the targets change");
                asked.insert(rule, targets.iter().filter_map(|target| target["Ip"].as_str()).collect());
            }
            _ => continue,
        }
        for (rule, targets) in &asked {
            assert!(!targets.is_disjoint(&in_use), "{rule} asks {targets:?}, and there are {in_use:?}: {calls:#?}");
        }
    }
    assert_eq!(in_use, after.values().map(String::as_str).collect::<BTreeSet<_>>());
}

#[test]
fn while_all_inbound_addresses_are_exchanged_the_rules_ask_one_that_answers() {
    let account = Account::new();
    let mut made = Made::prepared(account);
    made.config = made.config.with("subnet_ids", Json::Null).with("ip_addresses", fixed(&made.inbound, 10));
    made.workspace.write(&made.config.hcl());
    made.workspace.apply();
    let (before, seen) = (addresses(&made), made.account.calls().len());
    let new = fixed(&made.inbound, 20);
    made.change("ip_addresses", new, &["forwarder_configs", "inbound_ips", "ip_addresses"]);
    assert_eq!(made.targets(), [["10.0.0.20", "10.0.1.20"], ["10.0.0.20", "10.0.1.20"]]);

    let calls = made.account.calls()[seen..].to_vec();
    assert_always_answered(&calls, &before, &addresses(&made));
    let changes = [
        "AssociateResolverEndpointIpAddress",
        "DisassociateResolverEndpointIpAddress",
        "AssociateResolverEndpointIpAddress",
        "UpdateResolverRule",
        "UpdateResolverRule",
        "DisassociateResolverEndpointIpAddress",
    ];
    let done: Vec<_> = made.account.calls()[seen..].iter().map(|call| call.operation.clone()).collect();
    let done: Vec<_> = done.iter().filter(|operation| changes.contains(&operation.as_str())).collect();
    assert_eq!(done, changes);
    made.destroy();
}

#[test]
fn an_exchange_that_broke_off_after_the_handover_is_finished_by_the_next_apply() {
    let mut made = Made::prepared(Account::alone());
    made.config = made.config.with("subnet_ids", Json::Null).with("ip_addresses", fixed(&made.inbound, 10));
    made.workspace.write(&made.config.hcl());
    made.workspace.apply();
    let before = addresses(&made);
    let error = json!({ "code": "InternalServiceErrorException", "message": "not now", "status": 400 });
    made.account.rules(json!([{
        "service": "route53resolver",
        "operation": "DisassociateResolverEndpointIpAddress",
        "nth": 2,
        "error": error,
    }]));
    made.config = made.config.with("ip_addresses", fixed(&made.inbound, 20));
    made.workspace.write(&made.config.hcl());
    let seen = made.account.calls().len();
    let text = in_one_line(&made.workspace.apply_expect_error());
    assert!(text.contains("Could not update the last addresses of the inbound endpoint"), "{text}");
    assert_eq!(made.targets()[0], ["10.0.0.20", "10.0.1.20"]);
    made.account.rules(json!([]));
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    let calls: Vec<_> = made.account.calls()[seen..].iter().filter(|call| call.error.is_none()).cloned().collect();
    assert_always_answered(&calls, &before, &addresses(&made));
    made.destroy();
}

// ---- IPv6 ----

/// A network with both families, and an endpoint in it.
struct Six {
    account: Account,
    network: Network,
    outside: Outside,
    blocks: Vec<String>,
}

impl Six {
    fn new() -> Self {
        let account = Account::new();
        let network = account.dual_stack_network();
        let outside = account.outside();
        let blocks = blocks(&outside, &network);
        Six { account, network, outside, blocks }
    }

    /// An address of a subnet.
    fn ip(&self, subnet: usize, last: &str) -> String {
        format!("{}{last}", self.blocks[subnet])
    }

    /// Fixed addresses in the first two subnets.
    fn addresses(&self, last: [&str; 2]) -> Json {
        let one =
            |index: usize| json!({ "subnet_id": self.network.subnet_ids[index], "ipv6": self.ip(index, last[index]) });
        json!([one(0), one(1)])
    }

    fn config(&self, family: &str, addresses: Json) -> Forwarding {
        let config = Forwarding::new(&self.network).with("subnet_ids", Json::Null).with("ip_addresses", addresses);
        config.with("ip_address_type", json!(family)).with("client_cidr_blocks", json!(["fd12::/16"]))
    }

    fn interface(&self, subnet: usize, last: &str) -> String {
        let ip = InstanceIpv6Address::builder().ipv6_address(self.ip(subnet, last)).build();
        let create = self.outside.ec2().create_network_interface().subnet_id(&self.network.subnet_ids[subnet]);
        let made = self.outside.run(create.description("a printer").ipv6_addresses(ip).send());
        made.network_interface.and_then(|made| made.network_interface_id).expect("it was made")
    }
}

/// The IPv6 ranges of the subnets, up to where an address begins.
fn blocks(outside: &Outside, network: &Network) -> Vec<String> {
    let block = |subnet: &String| {
        let found = outside.run(outside.ec2().describe_subnets().subnet_ids(subnet).send()).subnets.unwrap_or_default();
        let block = found[0].ipv6_cidr_block_association_set()[0].ipv6_cidr_block().expect("it has a range").to_owned();
        block.strip_suffix("/64").expect("ranges of subnets are /64").to_owned()
    };
    network.subnet_ids.iter().map(block).collect()
}

#[test]
fn fixed_ipv6_addresses_are_known_at_plan_and_one_is_exchanged_in_place() {
    let six = Six::new();
    let workspace = Workspace::with(&six.account, &six.config("ipv6", six.addresses(["10", "10"])).hcl());
    let planned = workspace.plan().change().after;
    assert_eq!(planned["inbound_ips"], json!([six.ip(0, "10"), six.ip(1, "10")]));
    assert!(planned["forwarder_configs"]["bind"].as_str().is_some_and(|bind| bind.contains(&six.ip(1, "10"))));
    workspace.apply();
    workspace.plan().assert_empty();
    let id = workspace.state().values(ADDRESS)["id"].clone();
    workspace.write(&six.config("ipv6", six.addresses(["10", "20"])).hcl());
    assert_updates(&workspace.plan(), &["forwarder_configs", "inbound_ips", "ip_addresses"]);
    workspace.apply();
    workspace.plan().assert_empty();
    let values = workspace.state().values(ADDRESS);
    assert_eq!(values["inbound_ips"], json!([six.ip(0, "10"), six.ip(1, "20")]));
    assert_eq!(values["id"], id);
    assert_eq!(six.account.count("AssociateResolverEndpointIpAddress"), 1);
    let id = id.as_str().expect("it is text");
    workspace.forget(ADDRESS);
    workspace.import(ADDRESS, id);
    // An import knows subnets, and not what was fixed.
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(six.account.count("AssociateResolverEndpointIpAddress"), 1);
    workspace.destroy();
    six.account.assert_nothing_is_left();
}

#[test]
fn a_spelling_of_an_ipv6_address_is_no_change() {
    let six = Six::new();
    let workspace = Workspace::with(&six.account, &six.config("ipv6", six.addresses(["ab", "cd"])).hcl());
    workspace.apply();
    workspace.write(&six.config("ipv6", six.addresses(["00AB", "CD"])).hcl());
    workspace.plan().assert_empty();
    workspace.destroy();
}

#[test]
fn dualstack_endpoints_take_fixed_addresses_of_both_families() {
    let six = Six::new();
    let both = |last: [&str; 2]| {
        let mut addresses = six.addresses(last);
        addresses[0]["ip"] = json!("10.0.0.10");
        addresses[1]["ip"] = json!("10.0.1.10");
        addresses
    };
    let workspace = Workspace::with(&six.account, &six.config("dualstack", both(["10", "10"])).hcl());
    let ips = |last: &str| json!(["10.0.0.10", "10.0.1.10", six.ip(0, "10"), six.ip(1, last)]);
    assert_eq!(workspace.plan().change().after["inbound_ips"], ips("10"));
    workspace.apply();
    workspace.plan().assert_empty();
    // The IPv4 half of an address stays the same, so the old one has to go before the new one comes.
    workspace.write(&six.config("dualstack", both(["10", "20"])).hcl());
    assert_updates(&workspace.plan(), &["forwarder_configs", "inbound_ips", "ip_addresses"]);
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(workspace.state().values(ADDRESS)["inbound_ips"], ips("20"));
    // An endpoint that gains IPv6 gets the addresses that are chosen.
    let mut four = both(["10", "20"]);
    for address in four.as_array_mut().expect("it is a list") {
        address.as_object_mut().expect("it is an object").remove("ipv6");
    }
    workspace.write(&six.config("ipv4", four).with("client_cidr_blocks", json!(["10.9.0.0/16"])).hcl());
    workspace.apply();
    workspace.write(&six.config("dualstack", both(["30", "40"])).hcl());
    workspace.apply();
    workspace.plan().assert_empty();
    let found = workspace.state().values(ADDRESS)["inbound_ips"].clone();
    assert_eq!(found, json!(["10.0.0.10", "10.0.1.10", six.ip(0, "30"), six.ip(1, "40")]));
    assert_eq!(six.account.count("CreateResolverEndpoint"), 1);
    workspace.destroy();
    six.account.assert_nothing_is_left();
}

#[test]
fn ipv6_addresses_that_cannot_be_had_are_refused_where_they_stand() {
    let six = Six::new();
    let taken = six.interface(1, "77");
    let before = six.account.changes();
    let other = six.ip(0, "20");
    for (family, wrong, needed) in [
        ("ipv6", ["10", "77"], vec!["An address is taken", &*taken, "(a printer)", "Choose another address"]),
        ("dualstack", ["10", "77"], vec!["An address is taken", &*taken]),
        ("ipv6", ["10", "3"], vec!["Invalid ipv6", "one of the five addresses that AWS keeps for itself"]),
        ("ipv6", ["10", "ffff:ffff:ffff:ffff"], vec!["Invalid ipv6", "one of the five addresses"]),
        ("ipv4", ["10", "20"], vec!["An address of the other family", "Leave ipv6 out"]),
    ] {
        let addresses = six.addresses(wrong);
        let config = six.config(family, fix_spelling(addresses));
        assert_refused(&six, &config, &needed);
    }
    let mut addresses = six.addresses(["10", "20"]);
    addresses[1]["ipv6"] = json!(other);
    assert_refused(
        &six,
        &six.config("ipv6", addresses),
        &["Invalid ipv6", &other, "whose IPv6 range is", &six.blocks[1]],
    );
    assert_eq!(six.account.changes(), before);
}

/// `…::` and four groups more are eight groups, with nothing left to shorten.
fn fix_spelling(addresses: Json) -> Json {
    let text = addresses.to_string().replace("::ffff:ffff:ffff:ffff", ":ffff:ffff:ffff:ffff");
    serde_json::from_str(&text).expect("it is JSON")
}

fn assert_refused(six: &Six, config: &Forwarding, needed: &[&str]) {
    let text = in_one_line(&Workspace::with(&six.account, &config.hcl()).plan_expect_error());
    for needed in needed {
        assert!(text.contains(needed), "{needed:?} is not in: {text}");
    }
    assert!(text.contains(": ip_addresses = ["), "it points at the attribute: {text}");
}

#[test]
fn the_outbound_half_speaks_ipv6_where_the_inbound_endpoint_does() {
    let six = Six::new();
    let (outbound, client) = (six.account.dual_stack_network(), six.account.network());
    let theirs = blocks(&six.outside, &outbound);
    let asking = |last: &str| {
        let one = |index: usize| json!({ "subnet_id": outbound.subnet_ids[index], "ipv6": format!("{}{last}", theirs[index]) });
        json!({ "vpc_id": outbound.vpc_id, "ip_addresses": [one(0), one(1)], "vpc_ids": [client.vpc_id] })
    };
    let config = six.config("ipv6", six.addresses(["10", "10"]));
    let workspace = Workspace::with(&six.account, &config.with("outbound", asking("50")).hcl());
    workspace.apply();
    workspace.plan().assert_empty();
    let resolver = six.outside.route53resolver();
    let targets = || {
        let rules = six.outside.run(resolver.list_resolver_rules().send()).resolver_rules.unwrap_or_default();
        let targets = rules
            .into_iter()
            .filter_map(|rule| rule.target_ips)
            .map(|targets| targets.into_iter().filter_map(|target| target.ipv6).collect::<BTreeSet<_>>());
        targets.collect::<Vec<_>>()
    };
    let both: BTreeSet<_> = [six.ip(0, "10"), six.ip(1, "10")].into();
    assert_eq!(targets(), [both.clone(), both]);
    let values = workspace.state().values(ADDRESS);
    let id = values["outbound_endpoint_id"].as_str().expect("it has one").to_owned();
    let found = six.outside.run(resolver.get_resolver_endpoint().resolver_endpoint_id(&id).send());
    let family = found.resolver_endpoint.and_then(|endpoint| endpoint.resolver_endpoint_type);
    assert_eq!(family.map(|family| family.as_str().to_owned()).as_deref(), Some("IPV6"));
    let group = values["outbound_security_group_id"].as_str().expect("it has one");
    let group = six.outside.run(six.outside.ec2().describe_security_groups().group_ids(group).send());
    let out = group.security_groups.unwrap_or_default()[0].ip_permissions_egress().to_vec();
    assert!(out.iter().all(|rule| rule.ip_ranges().is_empty() && !rule.ipv6_ranges().is_empty()), "{out:?}");

    // Addresses of either end change in place, and the rules follow.
    workspace.write(&config.with("outbound", asking("60")).hcl());
    assert_updates(&workspace.plan(), &["outbound.ip_addresses"]);
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.write(&six.config("ipv6", six.addresses(["20", "20"])).with("outbound", asking("60")).hcl());
    workspace.apply();
    workspace.plan().assert_empty();
    let both: BTreeSet<_> = [six.ip(0, "20"), six.ip(1, "20")].into();
    assert_eq!(targets(), [both.clone(), both]);
    assert_eq!(six.account.count("CreateResolverEndpoint"), 2);

    // An address of the wrong family, and one that somebody else has, are refused where they stand.
    let mut wrong = asking("60");
    wrong["ip_addresses"][1] = json!({ "subnet_id": outbound.subnet_ids[1], "ip": "10.0.1.60" });
    workspace.write(&six.config("ipv6", six.addresses(["20", "20"])).with("outbound", wrong).hcl());
    let text = in_one_line(&workspace.plan_expect_error());
    assert!(text.contains("An address of the other family") && text.contains("outbound"), "{text}");
    let taken = format!("{}77", theirs[1]);
    let ip = InstanceIpv6Address::builder().ipv6_address(&taken).build();
    let create = six.outside.ec2().create_network_interface().subnet_id(&outbound.subnet_ids[1]).ipv6_addresses(ip);
    let interface = six.outside.run(create.send()).network_interface.and_then(|made| made.network_interface_id);
    let interface = interface.expect("it was made");
    let mut wrong = asking("60");
    wrong["ip_addresses"][1]["ipv6"] = json!(taken);
    workspace.write(&six.config("ipv6", six.addresses(["20", "20"])).with("outbound", wrong).hcl());
    let text = in_one_line(&workspace.plan_expect_error());
    let said = format!("In outbound.ip_addresses[1].ipv6: {taken} of");
    assert!(text.contains("An address is taken") && text.contains(&said) && text.contains(&interface), "{text}");
    six.outside.run(six.outside.ec2().delete_network_interface().network_interface_id(interface).send());
    workspace.write(&config.with("outbound", asking("60")).hcl());
    workspace.destroy();
    six.account.assert_nothing_is_left();
}
