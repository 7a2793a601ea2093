//! The half inside AWS: its steps, their order, and what is seen of it.

use super::*;
use crate::resources::dns_forwarding::forwarding;

#[test]
fn both_halves_applied_need_nothing_and_are_seen_as_planned() {
    assert_eq!(steps(&both_halves(), &both_applied()), []);
    let seen = seen(&both_halves(), &both_applied());
    assert_eq!(seen.outbound, both_halves().outbound);
    assert_eq!(seen.drift, Value::Known(Vec::new()));
    assert_eq!(seen.outbound_endpoint_id, "rslvr-out-1".into());
    assert_eq!(seen.resource_share_arn, "arn:share".into());
    assert_eq!(seen.rule_ids, tag_map(&[(ZONES[0], "rslvr-rr-0"), (ZONES[1], "rslvr-rr-1")]));
}

#[test]
fn rules_come_after_the_endpoints_and_go_before_them() {
    let made = order(Some(&Desired::new(&both_halves())), &Recorded::default());
    assert_eq!(made.len(), 9);
    for endpoint in [Key::Endpoint(Side::Inbound), Key::Endpoint(Side::Outbound)] {
        assert!(position(&made, &endpoint) < position(&made, &rule(0)), "{made:?}");
    }
    assert!(
        position(&made, &rule(1)) < position(&made, &Key::Share)
            && position(&made, &rule(1)) < position(&made, &on(1, "vpc-3"))
    );
    let gone = order(None, &both_applied());
    assert_eq!(gone.len(), 9);
    for rule in [rule(0), rule(1)] {
        assert!(position(&gone, &Key::Share) < position(&gone, &rule), "{gone:?}");
        for endpoint in [Key::Endpoint(Side::Inbound), Key::Endpoint(Side::Outbound)] {
            assert!(position(&gone, &rule) < position(&gone, &endpoint), "{gone:?}");
        }
    }
    assert!(position(&gone, &on(0, "vpc-3")) < position(&gone, &rule(0)));
}

#[test]
fn each_change_of_the_outbound_half_is_a_step_of_the_part_it_is_about() {
    let update = |key: Key| (key, Action::Update);
    let create = |key: Key| (key, Action::Create);
    let delete = |key: Key| (key, Action::Delete);
    let out = Side::Outbound;
    let changes = [
        (
            with(Outbound { subnet_ids: texts(&["subnet-x", "subnet-z"]), ..outbound() }),
            vec![update(Key::Addresses(out.clone()))],
        ),
        (
            with(Outbound { vpc_ids: texts(&["vpc-3", "vpc-4"]), ..outbound() }),
            vec![create(on(0, "vpc-4")), create(on(1, "vpc-4"))],
        ),
        (with(Outbound { vpc_ids: Value::Null, ..outbound() }), vec![delete(on(0, "vpc-3")), delete(on(1, "vpc-3"))]),
        (with(Outbound { target_ips: texts(&["10.9.0.1"]), ..outbound() }), vec![update(rule(0)), update(rule(1))]),
        (with(Outbound { share_with: texts(&["210987654321"]), ..outbound() }), vec![update(Key::Share)]),
        (with(Outbound { share_with: texts(&[]), ..outbound() }), vec![delete(Key::Share)]),
        (
            Model { zones: texts(&[ZONES[0]]), ..both_halves() },
            vec![update(Key::Share), delete(rule(1)), delete(on(1, "vpc-3"))],
        ),
        (
            Model { zones: texts(&[ZONES[0], ZONES[1], "z"]), ..both_halves() },
            vec![
                create(Key::Rule("z".to_owned())),
                create(Key::Association("z".to_owned(), "vpc-3".into())),
                update(Key::Share),
            ],
        ),
    ];
    for (changed, expected) in changes {
        let found: BTreeSet<String> = steps(&changed, &both_applied()).iter().map(|step| format!("{step:?}")).collect();
        assert_eq!(found, expected.iter().map(|step| format!("{step:?}")).collect(), "{changed:?}");
    }
}

#[test]
fn rules_follow_the_inbound_addresses() {
    let moved = Model { subnet_ids: texts(&["subnet-a", "subnet-c"]), ..both_halves() };
    let wanted = Desired::new(&moved);
    assert_eq!(changes::targets(&wanted, &both_applied()), None, "Resolver chooses the new one");
    let found = steps(&moved, &both_applied());
    assert_eq!(
        found.iter().map(|(key, _)| key).collect::<Vec<_>>(),
        [&Key::Addresses(Side::Inbound), &rule(0), &rule(1)]
    );
    let order = order(Some(&wanted), &both_applied());
    assert!(position(&order, &Key::Addresses(Side::Inbound)) < position(&order, &rule(0)));
}

#[test]
fn a_rule_that_changes_slowly_does_not_bring_back_a_vpc_that_it_was_taken_off() {
    let mut now = both_applied();
    let before = now.rules[ZONES[0]].clone();
    now.rules.get_mut(ZONES[0]).unwrap().associations.clear();
    now.put_rule(ZONES[0], Forward { name: "other".to_owned(), ..before });
    let rule = &now.rules[ZONES[0]];
    assert_eq!((rule.name.as_str(), rule.associations.len()), ("other", 0));
}

#[test]
fn the_share_is_changed_before_a_rule_goes_and_after_one_comes() {
    let changed = Model { zones: texts(&[ZONES[0], "z"]), ..both_halves() };
    let order = order(Some(&Desired::new(&changed)), &both_applied());
    assert!(position(&order, &Key::Rule("z".to_owned())) < position(&order, &Key::Share));
    assert!(position(&order, &Key::Share) < position(&order, &rule(1)), "{order:?}");
}

#[test]
fn an_outbound_endpoint_in_another_vpc_takes_the_place_of_the_old_one() {
    let moved = with(Outbound { vpc_id: "vpc-5".into(), ..outbound() });
    let desired = Desired::new(&moved);
    let retired = plan::retiring(&desired, &both_applied());
    let old = Side::Retired("rslvr-out-1".to_owned());
    let order = order(Some(&desired), &retired);
    assert!(position(&order, &Key::Endpoint(Side::Outbound)) < position(&order, &rule(0)));
    assert!(position(&order, &rule(1)) < position(&order, &Key::Endpoint(old.clone())), "{order:?}");
    assert!(position(&order, &Key::Endpoint(old.clone())) < position(&order, &Key::Group(old)));
}

#[test]
fn without_the_outbound_half_all_of_it_goes_and_what_is_unknown_deletes_nothing() {
    let gone = steps(&model(), &both_applied());
    assert!(gone.len() == 7 && gone.iter().all(|(_, action)| *action == Action::Delete), "{gone:?}");
    let unknown = Model { outbound: Value::Unknown, ..model() };
    assert_eq!(steps(&unknown, &both_applied()), []);
    let unknown = Model { zones: Value::Unknown, ..both_halves() };
    assert_eq!(steps(&unknown, &both_applied()), []);
}

#[test]
fn drift_of_the_outbound_half_is_told_part_by_part() {
    let mut now = both_applied();
    now.rules.get_mut(ZONES[0]).unwrap().targets = ["10.6.6.6".parse().unwrap()].into();
    now.rules.get_mut(ZONES[1]).unwrap().associations.clear();
    now.share.as_mut().unwrap().resources.remove("arn:rule/1");
    now.outbound.group.as_mut().unwrap().rules.clear();
    expect![[r#"
        [
            "The association of the rule for studio.sagemaker.eu-central-1.app.aws with vpc-3 is missing.",
            "The forward rule for studio.eu-central-1.sagemaker.aws forwards to 10.6.6.6 instead of 10.0.0.5, 10.0.1.5.",
            "The resource share lacks arn:rule/1.",
            "The security group of the outbound endpoint lacks the rules tcp 53 to 0.0.0.0/0, udp 53 to 0.0.0.0/0.",
        ]
    "#]]
    .assert_debug_eq(seen(&both_halves(), &now).drift.known().unwrap());
}

#[test]
fn a_vpc_or_principal_that_was_added_by_hand_is_seen() {
    let mut now = both_applied();
    for rule in now.rules.values_mut() {
        rule.associations.insert("vpc-9".into(), Association { id: "rslvr-rrassoc-9".into(), trouble: None });
    }
    now.share.as_mut().unwrap().principals.insert("210987654321".to_owned(), None);
    let outbound = seen(&both_halves(), &now).outbound.into_known().unwrap();
    assert_eq!(outbound.vpc_ids, texts(&["vpc-3", "vpc-9"]));
    assert_eq!(outbound.share_with, texts(&["123456789012", "210987654321"]));
}

#[test]
fn an_import_finds_the_outbound_half_with_its_zones() {
    let now = both_applied();
    let found = project(imported(&now, REGION), &now, REGION, &Tags::new());
    assert_eq!(found.outbound, both_halves().outbound);
    assert!(found.zones.is_null());
    let model = Model { include_api_zones: true.into(), ..both_halves() };
    let mut now = both_applied();
    let template = now.rules[ZONES[0]].clone();
    for zone in forwarding::default_zones(&model, true) {
        now.rules.insert(zone, template.clone());
    }
    assert_eq!(imported(&now, REGION).include_api_zones, true.into());
    now.rules = [("z.example.com".to_owned(), template)].into();
    assert_eq!(imported(&now, REGION).zones, texts(&["z.example.com"]));
}
