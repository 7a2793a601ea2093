mod handover;

use std::collections::BTreeSet;

use expect_test::expect;

use super::addresses::in_order;
use super::changes;
use super::desired::Desired;
use super::key::{Key, Side};
use super::model::{IpAddress, Model, Outbound};
use super::plan::{self, Action};
use super::project::{imported, project};
use super::recorded::{Address, Association, End, Endpoint, Group, Recorded, Rule as Forward, Share, State};
use crate::aws::Tags;
use crate::aws::ec2::security_group_rule::{Direction, Peer, Rule};
use crate::framework::Value;
use crate::resources::values::{StringMap, Strings};

const REGION: &str = "eu-central-1";

fn texts(list: &[&str]) -> Strings {
    Value::Known(list.iter().map(|text| Value::from(*text)).collect())
}

fn tag_map(pairs: &[(&str, &str)]) -> StringMap {
    Value::Known(pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect())
}

/// `subnet=ip`.
fn fixed(list: &[&str]) -> Value<Vec<Value<IpAddress>>> {
    let one = |text: &&str| {
        let (subnet, ip) = text.split_once('=').unwrap();
        Value::Known(IpAddress { subnet_id: subnet.into(), ip: ip.into(), ipv6: Value::Null })
    };
    Value::Known(list.iter().map(one).collect())
}

/// As planned: with defaults, and nothing unknown but what AWS chooses.
fn model() -> Model {
    Model {
        region: REGION.into(),
        name: "dns".into(),
        vpc_id: "vpc-1".into(),
        subnet_ids: texts(&["subnet-a", "subnet-b"]),
        client_cidr_blocks: texts(&["10.0.0.0/8"]),
        untracked: false.into(),
        include_api_zones: false.into(),
        protocols: texts(&["Do53"]),
        ip_address_type: "ipv4".into(),
        tags: tag_map(&[("team", "data")]),
        tags_all: tag_map(&[("team", "data")]),
        drift: Value::Known(Vec::new()),
        ..Model::empty()
    }
}

fn address(text: &str) -> Address {
    let (subnet, ip) = text.split_once('=').unwrap();
    Address {
        id: format!("rni-{ip}").as_str().into(),
        subnet_id: subnet.into(),
        ipv4: Some(ip.parse().unwrap()),
        ipv6: None,
        state: State::Attached,
    }
}

/// What there is when a model was applied and Resolver chose these addresses.
fn applied(model: &Model, addresses: &[&str]) -> Recorded {
    let desired = Desired::new(model);
    let tags = desired.tags.known().unwrap().clone();
    let group = desired.makes_group().then(|| Group {
        id: "sg-made".into(),
        vpc_id: "vpc-1".to_owned(),
        rules: changes::group_rules(&desired, &Side::Inbound).unwrap(),
        tags: tags.clone(),
    });
    let mut inbound = End { group, endpoint: None };
    inbound.endpoint = Some(Endpoint {
        id: "rslvr-in-1".into(),
        arn: "arn:aws:route53resolver:eu-central-1:123456789012:resolver-endpoint/rslvr-in-1".to_owned(),
        name: desired.name.known().unwrap().clone(),
        vpc_id: "vpc-1".to_owned(),
        ready: true,
        marked: false,
        adopted: false,
        security_group_ids: changes::endpoint_groups(&desired, &Side::Inbound, &inbound).unwrap(),
        protocols: desired.protocols.known().unwrap().clone(),
        address_type: desired.inbound.address_type.known().unwrap().as_str().to_owned(),
        addresses: in_order(&[], addresses.iter().map(|text| address(text)).collect()),
        tags,
    });
    Recorded { owner: "o".to_owned(), inbound, ..Recorded::default() }
}

fn recorded() -> Recorded {
    applied(&model(), &["subnet-a=10.0.0.5", "subnet-b=10.0.1.5"])
}

fn endpoint(recorded: &mut Recorded) -> &mut Endpoint {
    recorded.inbound.endpoint.as_mut().unwrap()
}

fn group(recorded: &mut Recorded) -> &mut Group {
    recorded.inbound.group.as_mut().unwrap()
}

fn steps(model: &Model, recorded: &Recorded) -> Vec<(Key, Action)> {
    let steps = plan::steps(Some(&Desired::new(model)), &plan::retiring(&Desired::new(model), recorded));
    steps.iter().map(|step| (step.key.clone(), step.action)).collect()
}

fn seen(model: &Model, recorded: &Recorded) -> Model {
    project(model.clone(), recorded, REGION, &Tags::new())
}

fn dns(protocol: &str, block: &str) -> Rule {
    Rule::ports(Direction::Inbound, protocol, (53, 53), Peer::Cidr4(block.to_owned()), "DNS")
}

// ---- Steps ----

#[test]
fn what_was_just_applied_needs_nothing() {
    assert_eq!(steps(&model(), &recorded()), []);
    for other in [
        Model { untracked: true.into(), ..model() },
        Model { security_group_ids: texts(&["sg-own"]), client_cidr_blocks: Value::Null, ..model() },
        Model { protocols: texts(&["Do53", "DoH"]), ..model() },
        Model { subnet_ids: Value::Null, ip_addresses: fixed(&["subnet-a=10.0.0.5", "subnet-b=10.0.1.5"]), ..model() },
    ] {
        assert_eq!(steps(&other, &applied(&other, &["subnet-a=10.0.0.5", "subnet-b=10.0.1.5"])), [], "{other:?}");
    }
}

#[test]
fn a_creation_makes_the_group_before_the_endpoint_and_a_destruction_goes_the_other_way() {
    let made = plan::steps(Some(&Desired::new(&model())), &Recorded::default());
    assert_eq!(
        made.iter().map(|step| (step.key.clone(), step.action, step.after.clone())).collect::<Vec<_>>(),
        [
            (Key::Group(Side::Inbound), Action::Create, BTreeSet::new()),
            (Key::Endpoint(Side::Inbound), Action::Create, [Key::Group(Side::Inbound)].into())
        ]
    );
    let deleted = plan::steps(None, &recorded());
    assert_eq!(
        deleted.iter().map(|step| (step.key.clone(), step.action, step.after.clone())).collect::<Vec<_>>(),
        [
            (Key::Group(Side::Inbound), Action::Delete, [Key::Endpoint(Side::Inbound)].into()),
            (Key::Endpoint(Side::Inbound), Action::Delete, BTreeSet::new())
        ]
    );
}

#[test]
fn with_handed_in_groups_none_is_made() {
    let own = Model { security_group_ids: texts(&["sg-own"]), client_cidr_blocks: Value::Null, ..model() };
    assert_eq!(steps(&own, &Recorded::default()), [(Key::Endpoint(Side::Inbound), Action::Create)]);
}

#[test]
fn each_change_is_a_step_of_the_part_it_is_about() {
    let changes = [
        (Model { name: "other".into(), ..model() }, vec![(Key::Endpoint(Side::Inbound), Action::Update)]),
        (
            Model { client_cidr_blocks: texts(&["10.0.0.0/9"]), ..model() },
            vec![(Key::Group(Side::Inbound), Action::Update)],
        ),
        (Model { untracked: true.into(), ..model() }, vec![(Key::Group(Side::Inbound), Action::Update)]),
        (
            Model { subnet_ids: texts(&["subnet-a", "subnet-c"]), ..model() },
            vec![(Key::Addresses(Side::Inbound), Action::Update)],
        ),
        (
            Model { ip_address_type: "dualstack".into(), ..model() },
            vec![(Key::Endpoint(Side::Inbound), Action::Update)],
        ),
        (
            Model { protocols: texts(&["Do53", "DoH"]), ..model() },
            vec![(Key::Group(Side::Inbound), Action::Update), (Key::Endpoint(Side::Inbound), Action::Update)],
        ),
        (
            Model { tags_all: tag_map(&[("team", "ml")]), ..model() },
            vec![(Key::Group(Side::Inbound), Action::Update), (Key::Endpoint(Side::Inbound), Action::Update)],
        ),
        (Model { zones: texts(&["studio.example.com"]), ..model() }, vec![]),
        (Model { include_api_zones: true.into(), ..model() }, vec![]),
        (Model { subnet_ids: texts(&["subnet-b", "subnet-a"]), ..model() }, vec![]),
    ];
    for (changed, expected) in changes {
        assert_eq!(steps(&changed, &recorded()), expected, "{changed:?}");
    }
}

#[test]
fn what_is_not_known_yet_counts_as_a_change_and_deletes_nothing() {
    let unknown = Model { subnet_ids: Value::Known(vec!["subnet-a".into(), Value::Unknown]), ..model() };
    assert_eq!(steps(&unknown, &recorded()), [(Key::Addresses(Side::Inbound), Action::Update)]);
    let unknown = Model { security_group_ids: Value::Unknown, ..model() };
    assert_eq!(steps(&unknown, &recorded()), []);
}

#[test]
fn after_a_failed_creation_only_the_rest_is_done() {
    let mut partial = recorded();
    partial.inbound.endpoint = None;
    assert_eq!(steps(&model(), &partial), [(Key::Endpoint(Side::Inbound), Action::Create)]);
    let mut unready = recorded();
    endpoint(&mut unready).ready = false;
    assert_eq!(
        steps(&model(), &unready),
        [(Key::Endpoint(Side::Inbound), Action::Update), (Key::Addresses(Side::Inbound), Action::Update)]
    );
}

#[test]
fn an_address_that_failed_is_repaired() {
    let mut broken = recorded();
    endpoint(&mut broken).addresses[1].state = State::Failed("FAILED_RESOURCE_GONE".to_owned());
    assert_eq!(steps(&model(), &broken), [(Key::Addresses(Side::Inbound), Action::Update)]);
}

// ---- Rules ----

#[test]
fn clients_reach_port_53_in_both_protocols_and_nothing_goes_out() {
    let rules = changes::group_rules(&Desired::new(&model()), &Side::Inbound).unwrap();
    assert_eq!(rules, [dns("tcp", "10.0.0.0/8"), dns("udp", "10.0.0.0/8")].into());
}

#[test]
fn doh_is_let_in_on_443() {
    let model = Model { protocols: texts(&["DoH"]), ..model() };
    let rules = changes::group_rules(&Desired::new(&model), &Side::Inbound).unwrap();
    assert_eq!(rules.iter().map(ToString::to_string).collect::<Vec<_>>(), ["tcp 443 from 10.0.0.0/8"]);
}

#[test]
fn an_untracked_group_is_open_in_both_directions_for_the_families_there_are() {
    let rules = |family: &str| {
        let model = Model { untracked: true.into(), ip_address_type: family.into(), ..model() };
        let rules = changes::group_rules(&Desired::new(&model), &Side::Inbound).unwrap();
        rules.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(rules("ipv4"), ["tcp 53 from 0.0.0.0/0", "udp 53 from 0.0.0.0/0", "all to 0.0.0.0/0"]);
    assert_eq!(rules("dualstack").len(), 6);
}

// ---- Protocols ----

#[test]
fn protocols_change_so_that_one_always_stays() {
    let way = |old: &[&str], new: &[&str]| -> Vec<String> {
        let set = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<BTreeSet<_>>();
        let path = changes::protocol_path(&set(old), &set(new));
        path.iter().map(|step| step.iter().cloned().collect::<Vec<_>>().join("+")).collect()
    };
    assert_eq!(way(&["Do53"], &["Do53", "DoH"]), ["Do53+DoH"]);
    assert_eq!(way(&["Do53"], &["DoH"]), ["Do53+DoH", "DoH"]);
    assert_eq!(way(&["DoH"], &["Do53"]), ["Do53+DoH", "Do53"]);
    assert_eq!(way(&["DoH"], &["DoH-FIPS"]), ["Do53+DoH", "Do53+DoH-FIPS", "DoH-FIPS"]);
}

// ---- What is known at plan ----

fn ips(model: &Model, recorded: &Recorded) -> Vec<String> {
    let ips = changes::inbound_ips(&Desired::new(model), recorded);
    ips.known().unwrap().iter().map(|ip| ip.text().unwrap_or("?").to_owned()).collect()
}

#[test]
fn fixed_addresses_are_known_before_anything_is_made() {
    let model = Model {
        subnet_ids: Value::Null,
        ip_addresses: fixed(&["subnet-b=10.0.1.10", "subnet-a=10.0.0.10"]),
        ..model()
    };
    assert_eq!(ips(&model, &Recorded::default()), ["10.0.1.10", "10.0.0.10"]);
}

#[test]
fn fixed_addresses_are_known_also_while_their_subnets_are_not() {
    let one = |ip: &str| Value::Known(IpAddress { subnet_id: Value::Unknown, ip: ip.into(), ipv6: Value::Null });
    let addresses = Value::Known(vec![one("10.0.1.10"), one("10.0.0.10")]);
    let model = Model { subnet_ids: Value::Null, ip_addresses: addresses, ..model() };
    assert_eq!(ips(&model, &Recorded::default()), ["10.0.1.10", "10.0.0.10"]);
}

#[test]
fn addresses_that_stay_are_known_and_come_in_the_order_of_the_subnets() {
    assert_eq!(ips(&model(), &Recorded::default()), ["?", "?"]);
    let turned = Model { subnet_ids: texts(&["subnet-b", "subnet-a", "subnet-c"]), ..model() };
    assert_eq!(ips(&turned, &recorded()), ["10.0.1.5", "10.0.0.5", "?"]);
}

#[test]
fn another_family_makes_all_addresses_unknown() {
    let both = Model { ip_address_type: "dualstack".into(), ..model() };
    assert_eq!(ips(&both, &recorded()), ["?", "?", "?", "?"]);
}

#[test]
fn what_resolver_cannot_change_replaces() {
    let replaced = |model: &Model, recorded: &Recorded| {
        let paths = plan::replacing(&Desired::new(model), recorded);
        paths.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(replaced(&model(), &recorded()), [""; 0]);
    assert_eq!(replaced(&Model { ip_address_type: "dualstack".into(), ..model() }, &recorded()), [""; 0]);
    assert_eq!(replaced(&Model { ip_address_type: "ipv6".into(), ..model() }, &recorded()), ["ip_address_type"]);
    let mut lost = recorded();
    lost.inbound.group = None;
    assert_eq!(replaced(&model(), &lost), ["security_group_id"]);
    assert_eq!(replaced(&model(), &Recorded::default()), [""; 0]);
}

#[test]
fn what_a_killed_run_left_is_of_use_if_nothing_about_it_is_fixed_otherwise() {
    let can = |model: &Model, left: &Recorded| plan::is_of_use(&Desired::new(model), left);
    assert!(can(&model(), &recorded()) && can(&model(), &Recorded::default()));
    assert!(can(&Model { subnet_ids: texts(&["subnet-c", "subnet-d"]), ..model() }, &recorded()));
    let own = Model { security_group_ids: texts(&["sg-own"]), client_cidr_blocks: Value::Null, ..model() };
    assert!(!can(&own, &recorded()));
    assert!(!can(&Model { ip_address_type: "ipv6".into(), ..model() }, &recorded()));
    let mut lost = recorded();
    lost.inbound.group = None;
    assert!(!can(&model(), &lost));
}

// ---- What is seen ----

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

// ---- The half inside AWS ----

const ZONES: [&str; 2] = ["studio.eu-central-1.sagemaker.aws", "studio.sagemaker.eu-central-1.app.aws"];

fn outbound() -> Outbound {
    Outbound {
        vpc_id: "vpc-2".into(),
        subnet_ids: texts(&["subnet-x", "subnet-y"]),
        vpc_ids: texts(&["vpc-3"]),
        share_with: texts(&["123456789012"]),
        ..Outbound::empty()
    }
}

fn both_halves() -> Model {
    Model { outbound: Value::Known(outbound()), ..model() }
}

fn with(outbound: Outbound) -> Model {
    Model { outbound: Value::Known(outbound), ..model() }
}

/// What there is when both halves were applied.
fn both_applied() -> Recorded {
    let model = both_halves();
    let desired = Desired::new(&model);
    let tags = desired.tags.known().unwrap().clone();
    let mut now = applied(&model, &["subnet-a=10.0.0.5", "subnet-b=10.0.1.5"]);
    let inbound = now.inbound.endpoint.clone().unwrap();
    now.outbound = End {
        group: Some(Group {
            id: "sg-out".into(),
            vpc_id: "vpc-2".to_owned(),
            rules: changes::group_rules(&desired, &Side::Outbound).unwrap(),
            tags: tags.clone(),
        }),
        endpoint: Some(Endpoint {
            id: "rslvr-out-1".into(),
            vpc_id: "vpc-2".to_owned(),
            security_group_ids: ["sg-out".into()].into(),
            addresses: vec![address("subnet-x=10.2.0.5"), address("subnet-y=10.2.1.5")],
            ..inbound
        }),
    };
    for (index, zone) in ZONES.iter().enumerate() {
        now.rules.insert(
            (*zone).to_owned(),
            Forward {
                id: format!("rslvr-rr-{index}").into(),
                arn: format!("arn:rule/{index}"),
                name: changes::rule_name("dns", zone),
                endpoint_id: Some("rslvr-out-1".into()),
                targets: ["10.0.0.5".parse().unwrap(), "10.0.1.5".parse().unwrap()].into(),
                is_plain: true,
                ready: true,
                tags: tags.clone(),
                associations: [(
                    "vpc-3".into(),
                    Association { id: format!("rslvr-rrassoc-{index}").into(), trouble: None },
                )]
                .into(),
            },
        );
    }
    now.share = Some(Share {
        arn: "arn:share".into(),
        name: changes::share_name("dns"),
        invited: BTreeSet::new(),
        principals: [("123456789012".to_owned(), None)].into(),
        resources: [("arn:rule/0".to_owned(), None), ("arn:rule/1".to_owned(), None)].into(),
        ready: true,
        tags,
    });
    now
}

fn rule(index: usize) -> Key {
    Key::Rule(ZONES[index].to_owned())
}

fn on(index: usize, vpc: &str) -> Key {
    Key::Association(ZONES[index].to_owned(), vpc.into())
}

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

fn position(steps: &[Key], key: &Key) -> usize {
    steps.iter().position(|other| other == key).unwrap_or_else(|| panic!("{key:?} is not in {steps:?}"))
}

/// The order in which steps are done, one at a time.
fn order(desired: Option<&Desired>, recorded: &Recorded) -> Vec<Key> {
    let mut waiting = plan::steps(desired, recorded);
    let mut done: Vec<Key> = Vec::new();
    while !waiting.is_empty() {
        let open: BTreeSet<Key> = waiting.iter().map(|step| step.key.clone()).collect();
        let ready = waiting.iter().position(|step| step.after.is_disjoint(&open)).expect("no circle");
        done.push(waiting.remove(ready).key);
    }
    done
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
    for zone in super::forwarding::default_zones(&model, true) {
        now.rules.insert(zone, template.clone());
    }
    assert_eq!(imported(&now, REGION).include_api_zones, true.into());
    now.rules = [("z.example.com".to_owned(), template)].into();
    assert_eq!(imported(&now, REGION).zones, texts(&["z.example.com"]));
}

// ---- An adopted endpoint ----

#[test]
fn an_adopted_endpoint_is_shown_as_it_is_and_never_changed() {
    let model = Model {
        existing_inbound_endpoint_id: "rslvr-in-1".into(),
        subnet_ids: Value::Null,
        client_cidr_blocks: Value::Null,
        name: "mine".into(),
        ..model()
    };
    let mut now = recorded();
    now.inbound.group = None;
    now.inbound.endpoint = now.inbound.endpoint.map(Endpoint::adopted);
    endpoint(&mut now).protocols = ["DoH".to_owned()].into();
    endpoint(&mut now).addresses[1].state = State::Failed("x".to_owned());
    assert_eq!(steps(&model, &now), []);
    let seen = seen(&model, &now);
    assert_eq!((seen.name, seen.protocols), ("mine".into(), texts(&["DoH"])));
    assert_eq!(seen.inbound_ips, texts(&["10.0.0.5", "10.0.1.5"]));
    assert!(seen.subnet_ids.is_null() && seen.drift == Value::Known(Vec::new()));
    assert_eq!(changes::targets_in_use(&now).unwrap().len(), 1, "a failed address is not asked");
}

#[test]
fn a_rule_has_a_name_that_resolver_takes() {
    assert_eq!(changes::rule_name("dns", "studio.eu-central-1.sagemaker.aws"), "dns studio-eu-central-1-sagemaker-aws");
    assert_eq!(changes::rule_name(&"x".repeat(64), "a.b").len(), 64);
}

#[test]
fn what_is_recorded_survives_its_way_through_json() {
    let mut now = recorded();
    endpoint(&mut now).addresses[0].state = State::Failed("x".to_owned());
    let json = serde_json::to_string(&now).unwrap();
    assert_eq!(serde_json::from_str::<Recorded>(&json).unwrap(), now);
}
