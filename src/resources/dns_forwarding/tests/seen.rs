//! What a state shows of what there is, and what drift tells.

use super::*;

#[test]
fn what_was_applied_is_seen_as_planned() {
    let seen = seen(&model(), &recorded());
    assert_eq!(seen.id, "rslvr-in-1".into());
    assert_eq!(seen.subnet_ids, model().subnet_ids);
    assert_eq!(seen.client_cidr_blocks, model().client_cidr_blocks);
    assert_eq!(seen.tags, model().tags);
    assert_eq!(seen.inbound_ips, texts(&["10.0.0.5", "10.0.1.5"]));
    assert_eq!(seen.drift, Value::Known(Vec::new()));
    let bind = seen.forwarder_configs.known().unwrap()["bind"].text().unwrap();
    assert!(bind.contains("{ 10.0.0.5; 10.0.1.5; }"), "{bind}");
}

#[test]
fn a_removed_or_added_address_is_seen_in_the_list() {
    let model = Model { subnet_ids: texts(&["subnet-c", "subnet-a", "subnet-b"]), ..model() };
    let mut now = applied(&model, &["subnet-a=10.0.0.5", "subnet-b=10.0.1.5", "subnet-c=10.0.2.5"]);
    endpoint(&mut now).addresses.remove(1);
    endpoint(&mut now).addresses.push(address("subnet-d=10.0.3.5"));
    let seen = seen(&model, &now);
    assert_eq!(seen.subnet_ids, texts(&["subnet-c", "subnet-a", "subnet-d"]));
    assert_eq!(seen.inbound_ips, texts(&["10.0.2.5", "10.0.0.5", "10.0.3.5"]));
    assert_eq!(seen.drift, Value::Known(Vec::new()));
}

#[test]
fn an_added_address_is_seen_with_its_ip_where_addresses_are_fixed() {
    let addresses = fixed(&["subnet-a=10.0.0.5", "subnet-b=10.0.1.5"]);
    let model = Model { subnet_ids: Value::Null, ip_addresses: addresses, ..model() };
    let now = applied(&model, &["subnet-a=10.0.0.5", "subnet-b=10.0.1.6"]);
    let seen = seen(&model, &now);
    assert_eq!(seen.ip_addresses, fixed(&["subnet-a=10.0.0.5", "subnet-b=10.0.1.6"]));
    assert!(seen.subnet_ids.is_null());
}

#[test]
fn a_failed_address_stays_in_the_list_and_is_told_of() {
    let mut broken = recorded();
    endpoint(&mut broken).addresses[1].state = State::Failed("FAILED_RESOURCE_GONE".to_owned());
    let seen = seen(&model(), &broken);
    assert_eq!(seen.subnet_ids, model().subnet_ids);
    expect![[r#"
        [
            "The addresses of the inbound endpoint are not all in use: 10.0.1.5 in subnet-b is FAILED_RESOURCE_GONE.",
        ]
    "#]]
    .assert_debug_eq(seen.drift.known().unwrap());
}

#[test]
fn a_client_opened_by_hand_is_seen_as_a_range_and_any_other_rule_as_drift() {
    let mut open = recorded();
    group(&mut open).rules.extend([dns("tcp", "10.9.0.0/16"), dns("udp", "10.9.0.0/16")]);
    assert_eq!(seen(&model(), &open).client_cidr_blocks, texts(&["10.0.0.0/8", "10.9.0.0/16"]));
    assert_eq!(seen(&model(), &open).drift, Value::Known(Vec::new()));

    let mut ssh = recorded();
    let rule = Rule::ports(Direction::Inbound, "tcp", (22, 22), Peer::Cidr4("0.0.0.0/0".to_owned()), "");
    group(&mut ssh).rules.insert(rule);
    assert_eq!(seen(&model(), &ssh).client_cidr_blocks, model().client_cidr_blocks);
    expect![[r#"
        [
            "The security group of the inbound endpoint has beside its own the rules tcp 22 from 0.0.0.0/0.",
        ]
    "#]]
    .assert_debug_eq(seen(&model(), &ssh).drift.known().unwrap());
}

#[test]
fn a_client_that_is_half_shut_out_is_told_of_and_one_wholly_shut_out_is_missing() {
    let mut half = recorded();
    group(&mut half).rules.remove(&dns("udp", "10.0.0.0/8"));
    assert_eq!(seen(&model(), &half).client_cidr_blocks, model().client_cidr_blocks);
    let drift = seen(&model(), &half).drift.into_known().unwrap();
    assert_eq!(drift, ["The security group of the inbound endpoint lacks the rules udp 53 from 10.0.0.0/8."]);
    group(&mut half).rules.clear();
    assert_eq!(seen(&model(), &half).client_cidr_blocks, texts(&[]));
}

#[test]
fn ranges_keep_the_users_spelling() {
    let written = Model { client_cidr_blocks: texts(&["FD00:0::/8", "10.0.0.0/8"]), ..model() };
    let mut now = applied(&written, &["subnet-a=10.0.0.5", "subnet-b=10.0.1.5"]);
    assert_eq!(seen(&written, &now).client_cidr_blocks, written.client_cidr_blocks);
    group(&mut now).rules.retain(|rule| !matches!(rule.peer, Peer::Cidr4(_)));
    assert_eq!(seen(&written, &now).client_cidr_blocks, texts(&["FD00:0::/8"]));
}

#[test]
fn other_tags_of_the_group_alone_are_told_of() {
    let mut now = recorded();
    group(&mut now).tags.clear();
    let seen = seen(&model(), &now);
    assert_eq!(seen.tags, model().tags);
    assert_eq!(seen.drift.known().unwrap(), &["The security group of the inbound endpoint has other tags."]);
}

#[test]
fn a_tag_put_on_the_endpoint_by_hand_is_seen_and_not_missed_on_the_group() {
    let mut now = recorded();
    endpoint(&mut now).tags.insert("more".to_owned(), "x".to_owned());
    let seen = seen(&model(), &now);
    assert_eq!(seen.tags, tag_map(&[("team", "data"), ("more", "x")]));
    assert_eq!(seen.drift, Value::Known(Vec::new()));
}

#[test]
fn without_an_endpoint_nothing_of_it_is_said() {
    let mut partial = recorded();
    partial.inbound.endpoint = None;
    let seen = seen(&model(), &partial);
    assert!(seen.id.is_null() && seen.inbound_ips.is_null() && seen.forwarder_configs.is_null());
    assert_eq!(seen.security_group_id, "sg-made".into());
    assert_eq!(seen.subnet_ids, model().subnet_ids);
}

#[test]
fn an_import_finds_everything_but_zones() {
    let seen = project(imported(&recorded(), REGION), &recorded(), REGION, &Tags::new());
    let written = seen_without_config();
    assert_eq!(seen, Model { id: seen.id.clone(), ..written });
}

/// What was applied, as an import finds it: the zones' inputs take their defaults.
fn seen_without_config() -> Model {
    seen(&model(), &recorded())
}

#[test]
fn an_import_tells_an_untracked_group_and_handed_in_groups() {
    let open = Model { untracked: true.into(), client_cidr_blocks: Value::Null, ..model() };
    let now = applied(&open, &["subnet-a=10.0.0.5", "subnet-b=10.0.1.5"]);
    let found = project(imported(&now, REGION), &now, REGION, &Tags::new());
    assert_eq!((found.untracked, found.client_cidr_blocks), (true.into(), Value::Null));

    let own = Model { security_group_ids: texts(&["sg-own"]), client_cidr_blocks: Value::Null, ..model() };
    let now = applied(&own, &["subnet-a=10.0.0.5", "subnet-b=10.0.1.5"]);
    let found = project(imported(&now, REGION), &now, REGION, &Tags::new());
    assert_eq!((found.untracked, found.security_group_ids), (false.into(), texts(&["sg-own"])));
}
