mod handover;
mod outbound;
mod seen;

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

// ---- Both halves ----

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
