//! `studio_dns_forwarding` with an inbound endpoint that was there before.

use aws_sdk_route53resolver::types::{
    IpAddressRequest, IpAddressUpdate, Protocol, ResolverEndpointDirection, ResolverEndpointStatus,
};
use serde_json::{Value as Json, json};

use crate::{
    dns_forwarding::{ADDRESS, Forwarding},
    emulator::{Account, Network, Outside},
    said::in_one_line,
    terraform::{Workspace, wait_until},
};

/// An endpoint that somebody else has made, with two fixed addresses.
fn existing(outside: &Outside, network: &Network, direction: ResolverEndpointDirection) -> String {
    let group = outside.ec2().create_security_group().group_name("theirs").description("theirs");
    let group = outside.run(group.vpc_id(&network.vpc_id).send()).group_id.expect("it has an id");
    let address = |index: usize| {
        let ip = IpAddressRequest::builder().subnet_id(&network.subnet_ids[index]).ip(format!("10.0.{index}.50"));
        ip.build().expect("it is complete")
    };
    let create = outside.route53resolver().create_resolver_endpoint().creator_request_id("theirs").name("theirs");
    let create = create.direction(direction).security_group_ids(group).protocols(Protocol::Do53);
    let made = outside.run(create.ip_addresses(address(1)).ip_addresses(address(0)).send());
    let id = made.resolver_endpoint.and_then(|endpoint| endpoint.id).expect("it has an id");
    wait_until_operational(outside, &id);
    id
}

fn wait_until_operational(outside: &Outside, id: &str) {
    wait_until("the endpoint is operational", || {
        let get = outside.route53resolver().get_resolver_endpoint().resolver_endpoint_id(id);
        let found = outside.run(get.send()).resolver_endpoint.and_then(|endpoint| endpoint.status);
        found == Some(ResolverEndpointStatus::Operational)
    });
}

fn config(network: &Network, id: &str) -> Forwarding {
    let config = Forwarding::new(network).with("subnet_ids", Json::Null).with("client_cidr_blocks", Json::Null);
    config.with("existing_inbound_endpoint_id", json!(id))
}

#[test]
fn an_existing_endpoint_is_used_as_it_is_and_left() {
    let account = Account::new();
    let network = account.network();
    let outside = account.outside();
    let id = existing(&outside, &network, ResolverEndpointDirection::Inbound);
    let before = account.changes().len();
    let workspace = Workspace::with(&account, &config(&network, &id).hcl());
    let planned = workspace.plan().change().after;
    assert_eq!(planned["inbound_ips"], json!(["10.0.0.50", "10.0.1.50"]), "known before anything is made");
    assert!(planned["forwarder_configs"]["bind"].as_str().is_some_and(|bind| bind.contains("10.0.1.50")));
    workspace.apply();
    workspace.plan().assert_empty();
    let values = workspace.state().values(ADDRESS);
    assert_eq!((&values["id"], &values["name"]), (&json!(id), &json!("dns")));
    assert_eq!((&values["protocols"], &values["ip_address_type"]), (&json!(["Do53"]), &json!("ipv4")));
    workspace.write(&config(&network, &id).with("zones", json!(["studio.example.com"])).with("name", json!("b")).hcl());
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
    assert_eq!(account.changes()[before..], [] as [&str; 0], "nothing about it is changed");
}

#[test]
fn changes_of_an_existing_endpoint_are_followed() {
    let account = Account::new();
    let network = account.network();
    let client = account.network();
    let outside = account.outside();
    let id = existing(&outside, &network, ResolverEndpointDirection::Inbound);
    let half = json!({ "subnet_ids": network.subnet_ids[..2], "vpc_ids": [client.vpc_id] });
    let workspace = Workspace::with(&account, &config(&network, &id).with("outbound", half).hcl());
    workspace.apply();
    workspace.plan().assert_empty();
    let more = IpAddressUpdate::builder().subnet_id(&network.subnet_ids[2]).ip("10.0.2.50").build();
    let add = outside.route53resolver().associate_resolver_endpoint_ip_address().resolver_endpoint_id(&id);
    outside.run(add.ip_address(more).send());
    wait_until_operational(&outside, &id);
    workspace.apply();
    workspace.plan().assert_empty();
    let rules = outside.run(outside.route53resolver().list_resolver_rules().send()).resolver_rules.unwrap_or_default();
    let targets = rules.iter().filter_map(|rule| rule.target_ips.as_ref()).map(Vec::len);
    assert_eq!(targets.collect::<Vec<_>>(), [3, 3]);
    // The endpoint that carries nobody's mark cannot bring the rest with it; a lost record can.
    workspace.destroy();
    let left: Vec<_> = account.leftovers().into_iter().map(|one| one["kind"].to_string()).collect();
    assert_eq!(left.iter().filter(|kind| kind.contains("route53resolver")).count(), 1, "{left:?}");
    assert!(!left.iter().any(|kind| kind.contains("rule")), "{left:?}");
}

#[test]
fn an_endpoint_that_cannot_be_adopted_is_refused_where_it_stands() {
    let account = Account::new();
    let network = account.network();
    let other = account.network();
    let outside = account.outside();
    let outbound = existing(&outside, &network, ResolverEndpointDirection::Outbound);
    let before = account.changes().len();
    let unknown = config(&network, "rslvr-in-0123456789abcdef0");
    let wrong_kind = config(&network, &outbound);
    let beside = config(&network, "rslvr-in-0123456789abcdef0").with("client_cidr_blocks", json!(["10.0.0.0/8"]));
    for (wrong, said) in [
        (unknown, "There is no Resolver endpoint rslvr-in-0123456789abcdef0"),
        (wrong_kind, "the id of an inbound endpoint"),
        (beside, "client_cidr_blocks has no effect"),
    ] {
        let text = in_one_line(&Workspace::with(&account, &wrong.hcl()).plan_expect_error());
        assert!(text.contains(said), "{said}: {text}");
    }
    drop(other);
    assert_eq!(account.changes()[before..], [] as [&str; 0]);
}

#[test]
fn an_existing_endpoint_of_another_vpc_is_refused() {
    let account = Account::new();
    let network = account.network();
    let other = account.network();
    let outside = account.outside();
    let id = existing(&outside, &other, ResolverEndpointDirection::Inbound);
    let workspace = Workspace::with(&account, &config(&network, &id).hcl());
    let text = in_one_line(&workspace.plan_expect_error());
    assert!(text.contains("Invalid vpc_id") && text.contains(&other.vpc_id), "{text}");
    let fitting = config(&other, &id);
    workspace.write(&fitting.hcl());
    workspace.apply();
    // Another endpoint is another object.
    let second = Account::new();
    drop(second);
    workspace.destroy();
}
