//! What follows after what, and that a change of one thing is a change of that thing.

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};

use super::changes::{client_blocks, domain_group_rules, endpoint_group_rules};
use super::desired::{Desired, Facts};
use super::key::{Key, STUDIO, Slot};
use super::model::Model;
use super::plan::{self, Action};
use super::recorded::{Association, Domain, Endpoint, Group, Notes, Place, Profile, Recorded, Zone};
use super::schema::schema;
use super::validate::validate;
use super::zones;
use crate::aws::ec2::endpoint_service::EndpointService;
use crate::aws::ec2::subnet::Subnet;
use crate::aws::ec2::vpc_endpoint::AddressType;
use crate::aws::route53::hosted_zone::ZoneVpc;
use crate::aws::sagemaker::domain_types::UserSettings;
use crate::aws::{DomainId, HostedZoneId, RoleArn, SecurityGroupId, SubnetId, Tags, VpcEndpointId};
use crate::framework::codec::from_json;
use crate::framework::plan::propose;
use crate::framework::typed::from_dynamic;
use crate::framework::{Dynamic, Value};

pub(super) const ROLE: &str = "arn:aws:iam::123456789012:role/studio";
const PARENTS: [&str; 2] = ["studio.eu-west-1.sagemaker.aws", "studio.sagemaker.eu-west-1.app.aws"];
pub(super) const OTHER_ROLE: &str = "arn:aws:iam::123456789012:role/other";

pub(super) fn config() -> Json {
    json!({
        "name": "research",
        "vpc_id": "vpc-1",
        "subnet_ids": ["subnet-1", "subnet-2"],
        "execution_role_arn": ROLE,
        "client_cidr_blocks": ["192.168.10.0/24"],
        "user_profiles": { "demouser1": {} },
        "tags_all": { "team": "ml" },
    })
}

pub(super) fn model(config: &Json) -> Model {
    let schema = schema();
    let config = from_json(config, &schema.value_type()).unwrap();
    let mut model: Model = from_dynamic(propose(&schema, &config, &Dynamic::Null)).unwrap();
    model.region = "eu-west-1".into();
    model.forward_zones = Value::Known(PARENTS.map(str::to_owned).into());
    model.tags_all = Value::Known([("team".to_owned(), Value::Known("ml".to_owned()))].into());
    model
}

pub(super) fn with(name: &str, value: Json) -> Model {
    let mut config = config();
    config[name] = value;
    model(&config)
}

pub(super) fn tags() -> Tags {
    [("team".to_owned(), "ml".to_owned())].into()
}

pub(super) fn facts() -> Facts {
    let service = |key: &str| {
        let service = EndpointService {
            name: format!("com.amazonaws.eu-west-1.{key}"),
            types: BTreeSet::new(),
            zones: BTreeSet::new(),
            zone_ids: BTreeSet::new(),
            private_dns_names: if key == "studio" { PARENTS.map(str::to_owned).into() } else { Vec::new() },
            takes_policy: true,
            address_types: [AddressType::Ipv4, AddressType::Dualstack].into(),
            needs_acceptance: false,
            owner: "amazon".to_owned(),
        };
        (key.to_owned(), service)
    };
    let subnet = |id: &str, zone: &str| Subnet {
        id: id.into(),
        vpc_id: "vpc-1".into(),
        zone: zone.to_owned(),
        zone_id: format!("id-{zone}"),
        ipv4_cidr: None,
        ipv6_cidrs: Vec::new(),
        free_addresses: 100,
        tags: Tags::new(),
    };
    Facts {
        services: ["studio", "sagemaker.api", "sagemaker.runtime", "sts", "s3_gateway"].map(service).into(),
        subnets: vec![subnet("subnet-1", "a"), subnet("subnet-2", "b")],
        domain: None,
    }
}

/// What is recorded after everything in `config` was made.
pub(super) fn made() -> Recorded {
    let domain_group = SecurityGroupId::from("sg-domain");
    let endpoint_group = SecurityGroupId::from("sg-endpoints");
    let subnets: BTreeSet<SubnetId> = ["subnet-1".into(), "subnet-2".into()].into();
    let mut recorded = Recorded {
        owner: "owner".to_owned(),
        domain_group: Some(Group {
            rules: domain_group_rules(&domain_group, false),
            id: domain_group.clone(),
            tags: tags(),
        }),
        endpoints: ["studio", "sagemaker.api", "sagemaker.runtime"]
            .map(|service| {
                let place = Place { subnet_ids: subnets.clone(), dual_stack: false };
                let endpoint = Endpoint {
                    ready: true,
                    asked: place.clone(),
                    place,
                    security_group_ids: [endpoint_group.clone()].into(),
                    private_dns_enabled: true,
                    dns: Some((format!("vpce-1.{service}.example"), HostedZoneId::from("Z1"))),
                    private_names: PARENTS.map(str::to_owned).into(),
                    addresses: vec!["10.0.0.5".to_owned()],
                    tags: tags(),
                    ..Endpoint::unseen(VpcEndpointId::from(format!("vpce-{service}").as_str()))
                };
                (service.to_owned(), endpoint)
            })
            .into(),
        domain: Some(Domain {
            id: DomainId::from("d-1"),
            arn: "arn".to_owned(),
            name: "research".to_owned(),
            ready: true,
            url: Some("https://d-1.studio.eu-west-1.sagemaker.aws".to_owned()),
            vpc_id: "vpc-1".to_owned(),
            auth_mode: Some("IAM".to_owned()),
            vpc_only: true,
            subnet_ids: subnets,
            settings: UserSettings {
                execution_role: Some(RoleArn::from(ROLE)),
                security_group_ids: Some([domain_group].into()),
                ..UserSettings::default()
            },
            file_system_id: Some("fs-1".into()),
            notes: Notes { on_destroy: Some("retain".to_owned()), settings: None },
            tags: tags(),
            ..Domain::default()
        }),
        profiles: [(
            "demouser1".to_owned(),
            Profile { arn: "arn".to_owned(), ready: true, execution_role_arn: None, tags: tags() },
        )]
        .into(),
        ..Recorded::default()
    };
    let desired = Desired::new(&model(&config()), None, &recorded, Some(facts()));
    recorded.endpoint_group =
        Some(Group { rules: endpoint_group_rules(&desired, &recorded).unwrap(), id: endpoint_group, tags: tags() });
    let wanted = zones::wanted(&Desired::new(&model(&config()), None, &recorded, Some(facts())), &recorded);
    for (slot, zone) in wanted {
        let made = made_zone(&recorded, zone);
        recorded.zones.insert(slot, made);
    }
    recorded
}

fn own_vpc() -> ZoneVpc {
    ZoneVpc { vpc_id: "vpc-1".into(), region: "eu-west-1".into() }
}

fn made_zone(recorded: &Recorded, zone: zones::Wanted) -> Zone {
    let (name, names) = (zone.name.unwrap(), zone.names.unwrap());
    Zone {
        ready: true,
        records: zones::records(&recorded.endpoints[STUDIO], &names, false).unwrap(),
        names,
        vpcs: [own_vpc()].into(),
        associated: [Association { vpc: own_vpc(), role_arn: None }].into(),
        tags: tags(),
        ..Zone::unseen(HostedZoneId::from(name.as_str()), &name)
    }
}

fn steps(model: &Model, recorded: &Recorded) -> Vec<(Key, Action)> {
    let desired = Desired::new(model, None, recorded, Some(facts()));
    plan::steps(Some(&desired), recorded).into_iter().map(|step| (step.key, step.action)).collect()
}

fn check_order(desired: Option<&Desired>, recorded: &Recorded, expected: Expect) {
    let steps = plan::steps(desired, recorded);
    let line = |step: &crate::steps::Step<Key, Action>| {
        let after: Vec<_> = step.after.iter().map(Key::name).collect();
        format!("{:?} {} after [{}]", step.action, step.key.name(), after.join(", "))
    };
    expected.assert_eq(&steps.iter().map(line).collect::<Vec<_>>().join("\n"));
}

#[test]
fn everything_is_made_after_what_it_needs() {
    let desired = Desired::new(&model(&config()), None, &Recorded::default(), Some(facts()));
    check_order(
        Some(&desired),
        &Recorded::default(),
        expect![[r#"
            Create security group of the domain after []
            Create security group of the endpoints after [security group of the domain]
            Create VPC endpoint for sagemaker.api after [security group of the endpoints]
            Create VPC endpoint for sagemaker.runtime after [security group of the endpoints]
            Create VPC endpoint for studio after [security group of the endpoints]
            Create domain after [security group of the domain]
            Create user profile demouser1 after [domain]
            Create hosted zone of the domain after [domain, VPC endpoint for studio]
            Create hosted zone of the web portal after [domain, VPC endpoint for studio]"#]],
    );
}

#[test]
fn everything_is_deleted_before_what_it_needs() {
    check_order(
        None,
        &made(),
        expect![[r#"
            Delete security group of the domain after [security group of the endpoints, domain]
            Delete security group of the endpoints after [VPC endpoint for sagemaker.api, VPC endpoint for sagemaker.runtime, VPC endpoint for studio]
            Delete domain after [user profile demouser1, apps and spaces of the domain, hosted zone of the domain, hosted zone of the web portal]
            Delete VPC endpoint for sagemaker.api after []
            Delete VPC endpoint for sagemaker.runtime after []
            Delete VPC endpoint for studio after [hosted zone of the domain, hosted zone of the web portal]
            Delete user profile demouser1 after [apps and spaces of the domain]
            Delete hosted zone of the domain after []
            Delete hosted zone of the web portal after []
            Delete apps and spaces of the domain after []"#]],
    );
}

#[test]
fn the_groups_of_a_file_system_that_goes_are_deleted_after_the_domain_and_before_its_own() {
    let mut recorded = made();
    recorded.domain.as_mut().unwrap().notes.on_destroy = Some("delete".to_owned());
    let steps = plan::steps(None, &recorded);
    let after = |key: Key| steps.iter().find(|step| step.key == key).map(|step| step.after.clone()).unwrap();
    assert_eq!(after(Key::NfsGroups), [Key::Domain].into());
    assert!(after(Key::DomainGroup).contains(&Key::NfsGroups));
}

#[test]
fn what_a_destruction_has_left_goes_with_the_next_and_with_a_repair() {
    let mut recorded = made();
    recorded.domain = None;
    recorded.nfs_groups = [(DomainId::from("d-0"), "vpc-1".into())].into();
    recorded.being_destroyed = true;
    assert!(plan::steps(None, &recorded).iter().any(|step| step.key == Key::NfsGroups));
    let found = steps(&model(&config()), &recorded);
    for expected in
        [(Key::DomainGroup, Action::Update), (Key::Domain, Action::Create), (Key::NfsGroups, Action::Delete)]
    {
        assert!(found.contains(&expected), "{expected:?}: {found:?}");
    }
}

#[test]
fn records_follow_the_endpoint_that_is_wanted() {
    let mut recorded = made();
    let studio = recorded.endpoints.remove(STUDIO).unwrap();
    recorded.adopted.insert(STUDIO.to_owned(), studio);
    let found = steps(&model(&config()), &recorded);
    let expected = [
        (Key::Endpoint(STUDIO.to_owned()), Action::Create),
        (Key::Zone(Slot::Domain), Action::Update),
        (Key::Zone(Slot::Portal), Action::Update),
        (Key::Adopted(STUDIO.to_owned()), Action::Delete),
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_was_made_needs_no_further_step() {
    assert_eq!(steps(&model(&config()), &made()), []);
}

#[test]
fn a_change_of_one_thing_is_a_change_of_that_thing() {
    use Action::{Create, Delete, Update};
    let endpoint = |service: &str| Key::Endpoint(service.to_owned());
    let profile = |name: &str| Key::Profile(name.to_owned());
    let services = json!({ "services": ["sagemaker.api", "sagemaker.runtime", "studio", "sts"] });
    let fewer = json!({ "services": ["sagemaker.api", "studio"] });
    let cases = [
        ("client_cidr_blocks", json!(["10.8.0.0/16"]), vec![(Key::EndpointGroup, Update)]),
        ("client_cidr_blocks", Json::Null, vec![(Key::EndpointGroup, Update)]),
        ("execution_role_arn", json!(OTHER_ROLE), vec![(Key::Domain, Update)]),
        ("user_profiles", json!({ "demouser1": {}, "two": {} }), vec![(profile("two"), Create)]),
        ("user_profiles", json!({}), vec![(profile("demouser1"), Delete), (Key::Contents, Delete)]),
        (
            "user_profiles",
            json!({ "demouser1": { "execution_role_arn": OTHER_ROLE } }),
            vec![(profile("demouser1"), Update)],
        ),
        ("endpoints", services, vec![(endpoint("sts"), Create)]),
        ("endpoints", fewer, vec![(endpoint("sagemaker.runtime"), Delete)]),
        (
            "endpoints",
            json!({ "private_dns_enabled": false }),
            ["sagemaker.api", "sagemaker.runtime", "studio"].map(|service| (endpoint(service), Update)).into(),
        ),
        (
            "hosted_zone",
            json!({ "mode": "none" }),
            vec![(Key::Zone(Slot::Domain), Delete), (Key::Zone(Slot::Portal), Delete)],
        ),
    ];
    for (name, value, expected) in cases {
        assert_eq!(steps(&with(name, value.clone()), &made()), expected, "{name} = {value}");
    }
}

#[test]
fn groups_of_the_users_own_are_put_on_before_ours_is_deleted() {
    let recorded = made();
    let model = with("endpoints", json!({ "security_group_ids": ["sg-own"] }));
    let desired = Desired::new(&model, None, &recorded, Some(facts()));
    check_order(
        Some(&desired),
        &recorded,
        expect![[r#"
            Update VPC endpoint for sagemaker.api after []
            Update VPC endpoint for sagemaker.runtime after []
            Update VPC endpoint for studio after []
            Delete security group of the endpoints after [VPC endpoint for sagemaker.api, VPC endpoint for sagemaker.runtime, VPC endpoint for studio]"#]],
    );
}

#[test]
fn another_spelling_of_a_range_is_the_same_range() {
    let mut recorded = made();
    let model = with("client_cidr_blocks", json!(["FD00:0:0::/48"]));
    let desired = Desired::new(&model, None, &recorded, Some(facts()));
    let rules = endpoint_group_rules(&desired, &recorded).unwrap();
    recorded.endpoint_group.as_mut().unwrap().rules = rules;
    let blocks: Vec<_> = client_blocks(&recorded.endpoint_group.as_ref().unwrap().rules).into_iter().collect();
    assert_eq!(blocks, ["fd00::/48".parse().unwrap()], "as EC2 writes it");
    assert_eq!(steps(&model, &recorded), []);
}

#[test]
fn a_lost_endpoint_takes_the_records_with_it() {
    let mut recorded = made();
    recorded.endpoints.remove("studio");
    let expected = [
        (Key::Endpoint("studio".to_owned()), Action::Create),
        (Key::Zone(Slot::Domain), Action::Update),
        (Key::Zone(Slot::Portal), Action::Update),
    ];
    assert_eq!(steps(&model(&config()), &recorded), expected);
}

#[test]
fn a_part_that_is_not_ready_is_waited_for() {
    let mut recorded = made();
    recorded.domain.as_mut().unwrap().ready = false;
    assert_eq!(steps(&model(&config()), &recorded), [(Key::Domain, Action::Update)]);
}

#[test]
fn nothing_is_deleted_on_a_guess() {
    let mut unknown = model(&config());
    unknown.user_profiles = Value::Unknown;
    unknown.hosted_zone = Value::Unknown;
    unknown.endpoints = Value::Unknown;
    let found = steps(&unknown, &made());
    assert!(found.iter().all(|(_, action)| *action != Action::Delete), "{found:?}");
    assert!(!found.is_empty(), "what depends on it counts as changing");
}

#[test]
fn an_endpoint_takes_one_subnet_for_each_zone_that_its_service_supports() {
    let mut facts = facts();
    let another = |id: &str, zone: &str| Subnet {
        id: id.into(),
        zone: zone.to_owned(),
        zone_id: format!("id-{zone}"),
        ..facts.subnets[0].clone()
    };
    facts.subnets =
        [another("subnet-1", "a"), another("subnet-1b", "a"), another("subnet-2", "b"), another("subnet-3", "c")]
            .into();
    facts.services.get_mut("studio").unwrap().zones = ["a".to_owned(), "c".to_owned()].into();
    let chosen = super::desired::one_per_zone(&facts.subnets, &facts.services["studio"]);
    let ids: Vec<_> = chosen.iter().map(|subnet| subnet.id.as_str()).collect();
    assert_eq!(ids, ["subnet-1", "subnet-3"]);
}

#[test]
fn ranges_beside_the_users_own_groups_are_an_error_at_the_attribute() {
    let found = validate(&with("endpoints", json!({ "security_group_ids": ["sg-own"] })));
    let paths: Vec<_> = found.iter().filter_map(|one| Some(one.path.as_ref()?.to_string())).collect();
    assert_eq!(paths, ["client_cidr_blocks"]);
}

#[test]
fn a_range_inside_another_is_a_warning() {
    let found = validate(&with("client_cidr_blocks", json!(["10.0.0.0/8", "10.8.0.0/16"])));
    assert!(!found.has_errors());
    let text: Vec<_> = found.iter().map(|one| one.detail.as_str()).collect();
    assert_eq!(text, ["10.8.0.0/16 lies inside 10.0.0.0/8, which opens it already."]);
}
