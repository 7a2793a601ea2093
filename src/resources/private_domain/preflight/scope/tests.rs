//! What a plan gives reason to check: all of it at a creation, nothing without a change.

use serde_json::{Value as Json, json};

use super::*;
use crate::aws::ec2::subnet::Subnet;
use crate::framework::Dynamic;
use crate::framework::codec::from_json;
use crate::framework::plan::propose;
use crate::framework::typed::from_dynamic;
use crate::resources::private_domain::desired::Facts;
use crate::resources::private_domain::schema::schema;

const ROLE: &str = "arn:aws:iam::123456789012:role/studio";
const OTHER_ROLE: &str = "arn:aws:iam::123456789012:role/other";
const PARENTS: [&str; 2] = ["studio.eu-west-1.sagemaker.aws", "studio.sagemaker.eu-west-1.app.aws"];

/// The usual configuration with these attributes instead, and what stands in the state beside it.
fn model(attributes: Json) -> Model {
    let mut config = json!({
        "name": "research",
        "vpc_id": "vpc-1",
        "subnet_ids": ["subnet-1", "subnet-2"],
        "execution_role_arn": ROLE,
        "client_cidr_blocks": ["192.168.10.0/24"],
        "user_profiles": { "a": {} },
    });
    for (name, value) in attributes.as_object().unwrap() {
        config[name] = value.clone();
    }
    let schema = schema();
    let config = from_json(&config, &schema.value_type()).unwrap();
    let mut model: Model = from_dynamic(propose(&schema, &config, &Dynamic::Null)).unwrap();
    model.region = Value::Known("eu-west-1".to_owned());
    model.forward_zones = Value::Known(PARENTS.map(str::to_owned).into());
    model
}

/// What is recorded after the usual configuration was applied.
fn made() -> Recorded {
    let pairs =
        |pairs: &[(&str, &str)]| Value::Known(pairs.iter().map(|&(key, id)| (key.to_owned(), id.to_owned())).collect());
    let mut state = model(json!({}));
    state.domain_id = Value::Known("d-1".to_owned());
    state.endpoint_ids = pairs(&[("studio", "vpce-1"), ("sagemaker.api", "vpce-2"), ("sagemaker.runtime", "vpce-3")]);
    state.hosted_zone_ids =
        pairs(&[("d-1.studio.eu-west-1.sagemaker.aws", "Z1"), ("studio-d-1.studio.eu-west-1.sagemaker.aws", "Z2")]);
    let mut recorded = Recorded::from_model(&state);
    recorded.zones.values_mut().for_each(|zone| zone.vpcs = [vpc("vpc-1")].into());
    recorded.endpoints.values_mut().for_each(|endpoint| endpoint.private_dns_enabled = true);
    recorded.domain.as_mut().unwrap().url = Some("https://d-1.studio.eu-west-1.sagemaker.aws".to_owned());
    recorded
}

fn vpc(id: &str) -> ZoneVpc {
    ZoneVpc { vpc_id: id.into(), region: "eu-west-1".into() }
}

fn facts() -> Facts {
    let service = |key: &str| {
        let service = EndpointService {
            name: format!("com.amazonaws.eu-west-1.{key}"),
            types: BTreeSet::new(),
            zones: BTreeSet::new(),
            zone_ids: BTreeSet::new(),
            private_dns_names: vec![format!("*.{key}.example"), format!("{key}.example")],
            takes_policy: true,
            address_types: BTreeSet::new(),
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
        services: ["studio", "sagemaker.api", "sagemaker.runtime", "sts"].map(service).into(),
        subnets: vec![subnet("subnet-1", "a"), subnet("subnet-2", "b"), subnet("subnet-3", "b")],
        ..Facts::default()
    }
}

/// Looks at the creation of a resource.
fn creation<T>(attributes: Json, look: impl Fn(&Subject<'_>) -> T) -> T {
    let (model, recorded, facts) = (model(attributes), Recorded::default(), facts());
    look(&Subject { model: &model, prior: None, recorded: &recorded, replaced: None, facts: Some(&facts) })
}

/// Looks at the change of what was made as usual.
fn change<T>(attributes: Json, look: impl Fn(&Subject<'_>) -> T) -> T {
    let (model, prior, recorded, facts) = (model(attributes), model(json!({})), made(), facts());
    look(&Subject { model: &model, prior: Some(&prior), recorded: &recorded, replaced: None, facts: Some(&facts) })
}

fn texts(ranges: Vec<ClientRange>) -> Vec<String> {
    ranges.into_iter().map(|range| range.text).collect()
}

fn subnet_uses(subject: &Subject<'_>) -> Vec<(String, String, usize)> {
    let uses = subject.new_subnets().into_iter();
    uses.map(|one| (one.id.to_string(), one.path.to_string(), one.endpoints)).collect()
}

fn role_paths(subject: &Subject<'_>) -> Vec<String> {
    subject.new_roles().into_iter().map(|role| role.path.to_string()).collect()
}

fn names(subject: &Subject<'_>) -> Vec<(String, Vec<String>)> {
    let places = subject.places().into_iter();
    places.map(|place| (place.vpc.vpc_id.to_string(), place.names.into_iter().collect())).collect()
}

#[test]
fn a_creation_is_checked_in_everything() {
    creation(json!({}), |subject| {
        assert!(subject.makes_domain());
        let all = ["sagemaker.api", "sagemaker.runtime", "studio"];
        assert_eq!(subject.new_services().iter().map(String::as_str).collect::<Vec<_>>(), all);
        assert_eq!(subject.turned_on().keys().map(String::as_str).collect::<Vec<_>>(), all);
        assert_eq!(texts(subject.client_ranges()), ["192.168.10.0/24"]);
        assert_eq!(role_paths(subject), ["execution_role_arn"]);
        assert_eq!(subject.zones_to_make(), 2);
        // Subnets 2 and 3 are in one zone, and an endpoint takes one of them.
        assert_eq!(subject.endpoint_subnets(), ["subnet-1".into(), "subnet-2".into()].into());
    });
}

#[test]
fn without_a_change_there_is_nothing_to_check() {
    change(json!({}), |subject| {
        assert!(!subject.makes_domain() && subject.new_services().is_empty() && subject.turned_on().is_empty());
        assert!(subject.client_ranges().is_empty() && subject.new_subnets().is_empty());
        assert!(subject.new_roles().is_empty());
        assert_eq!(subject.zones_to_make(), 0);
        assert_eq!(names(subject), []);
    });
}

#[test]
fn a_new_client_range_is_checked_alone_and_all_are_where_endpoints_come_or_move() {
    let both = json!(["192.168.10.0/24", "172.16.0.0/12"]);
    let ranges = |attributes: Json| change(attributes, |subject| texts(subject.client_ranges()));
    assert_eq!(ranges(json!({ "client_cidr_blocks": both })), ["172.16.0.0/12"]);
    let services = json!({ "services": ["studio", "sagemaker.api", "sagemaker.runtime", "sts"] });
    assert_eq!(ranges(json!({ "endpoints": services })), ["192.168.10.0/24"]);
    assert_eq!(ranges(json!({ "subnet_ids": ["subnet-1"] })), ["192.168.10.0/24"]);
}

#[test]
fn only_a_new_endpoint_or_one_that_is_to_serve_names_is_checked_for_conflicts() {
    let turned_on = |subject: &Subject<'_>| subject.turned_on().into_keys().collect::<Vec<_>>();
    let with_sts = json!({ "services": ["studio", "sagemaker.api", "sagemaker.runtime", "sts"] });
    assert_eq!(change(json!({ "endpoints": with_sts }), turned_on), ["sts"]);
    let off = json!({ "endpoints": { "private_dns_enabled": false } });
    assert_eq!(creation(off.clone(), turned_on), [""; 0]);
    let mut recorded = made();
    recorded.endpoints.get_mut("studio").unwrap().private_dns_enabled = false;
    assert!(turns_on_private_dns(&model(json!({})), &recorded));
    assert!(!turns_on_private_dns(&model(off), &recorded));
    assert!(!turns_on_private_dns(&model(json!({})), &made()));
}

#[test]
fn what_is_adopted_is_not_made() {
    let attributes = json!({ "existing_domain_id": "d-2", "endpoints": { "existing": { "studio": "vpce-9" } } });
    creation(attributes, |subject| {
        assert!(!subject.makes_domain());
        assert_eq!(subject.new_services(), ["sagemaker.api".to_owned(), "sagemaker.runtime".to_owned()].into());
        assert!(!subject.turned_on().contains_key("studio"));
    });
}

#[test]
fn subnets_are_counted_where_something_is_made_in_them() {
    let of = |id: &str, path: &str, endpoints| (id.to_owned(), format!("{path}[{id:?}]"), endpoints);
    let both = [of("subnet-1", "subnet_ids", 3), of("subnet-2", "subnet_ids", 3)];
    assert_eq!(creation(json!({}), subnet_uses), both);
    let services = json!({ "services": ["studio", "sagemaker.api", "sagemaker.runtime", "sts"] });
    let one_each = [of("subnet-1", "subnet_ids", 1), of("subnet-2", "subnet_ids", 1)];
    assert_eq!(change(json!({ "endpoints": services }), subnet_uses), one_each);
    let added = json!({ "subnet_ids": ["subnet-1", "subnet-2", "subnet-4"] });
    assert_eq!(change(added, subnet_uses), [of("subnet-4", "subnet_ids", 0)]);
    let dual_stack = change(json!({ "ip_address_type": "dualstack" }), subnet_uses);
    assert_eq!(dual_stack, [of("subnet-1", "subnet_ids", 0), of("subnet-2", "subnet_ids", 0)]);
}

#[test]
fn subnets_of_the_endpoints_alone_are_told_by_their_own_attribute() {
    let model = model(json!({ "endpoints": { "subnet_ids": ["subnet-3"] } }));
    let (recorded, mut facts) = (Recorded::default(), facts());
    facts.subnets.retain(|subnet| subnet.id.as_str() == "subnet-3");
    let subject = Subject { model: &model, prior: None, recorded: &recorded, replaced: None, facts: Some(&facts) };
    let of = |id: &str, path: &str, endpoints| (id.to_owned(), format!("{path}[{id:?}]"), endpoints);
    let domain = ["subnet-1", "subnet-2"].map(|id| of(id, "subnet_ids", 0));
    let expected = [of("subnet-3", "endpoints.subnet_ids", 3)].into_iter().chain(domain).collect::<Vec<_>>();
    assert_eq!(subnet_uses(&subject), expected);
    assert_eq!(subject.endpoint_subnets(), ["subnet-3".into()].into());
}

#[test]
fn a_role_is_checked_when_it_is_new_and_once() {
    let profiles = |profiles: Json| json!({ "user_profiles": profiles });
    let own = profiles(json!({ "a": { "execution_role_arn": OTHER_ROLE }, "b": { "execution_role_arn": OTHER_ROLE } }));
    let path = "user_profiles[\"a\"].execution_role_arn";
    assert_eq!(creation(own.clone(), role_paths), ["execution_role_arn", path]);
    assert_eq!(change(own.clone(), role_paths), [path]);
    assert_eq!(change(profiles(json!({ "a": {}, "b": {} })), role_paths), [""; 0]);
    assert_eq!(change(json!({ "execution_role_arn": OTHER_ROLE }), role_paths), ["execution_role_arn"]);
}

#[test]
fn the_zones_of_the_parents_are_known_and_those_of_the_domain_once_it_is_there() {
    let off = |zone: Json| json!({ "endpoints": { "private_dns_enabled": false }, "hosted_zone": zone });
    let parents: Vec<String> = PARENTS.map(str::to_owned).into();
    assert_eq!(creation(off(json!({ "mode": "parent" })), names), [("vpc-1".to_owned(), parents)]);
    assert_eq!(creation(json!({}), names), []);
    assert_eq!(creation(json!({ "hosted_zone": { "mode": "none" } }), |subject| subject.zones_to_make()), 0);

    let mut recorded = made();
    recorded.zones.clear();
    let model = model(json!({}));
    let subject = Subject { model: &model, prior: Some(&model), recorded: &recorded, replaced: None, facts: None };
    let hosts = ["d-1.studio.eu-west-1.sagemaker.aws", "studio-d-1.studio.eu-west-1.sagemaker.aws"].map(str::to_owned);
    assert_eq!(names(&subject), [("vpc-1".to_owned(), hosts.into())]);
}

#[test]
fn where_aws_serves_the_parents_their_zones_are_for_other_vpcs_alone() {
    let vpcs = json!([{ "vpc_id": "vpc-2" }, { "vpc_id": "vpc-3", "role_arn": ROLE }]);
    let zone = json!({ "mode": "parent", "vpc_associations": vpcs });
    let parents: Vec<String> = PARENTS.map(str::to_owned).into();
    assert_eq!(creation(json!({ "hosted_zone": zone }), names), [("vpc-2".to_owned(), parents)]);
}

#[test]
fn a_vpc_that_is_added_later_gets_all_names() {
    let zone = json!({ "vpc_associations": [{ "vpc_id": "vpc-2" }] });
    let hosts = ["d-1.studio.eu-west-1.sagemaker.aws", "studio-d-1.studio.eu-west-1.sagemaker.aws"].map(str::to_owned);
    let after = json!({ "hosted_zone": zone });
    assert_eq!(change(after.clone(), names), [("vpc-2".to_owned(), hosts.into())]);
    let (model, mut recorded) = (model(after), made());
    recorded.zones.values_mut().for_each(|zone| {
        zone.vpcs.insert(vpc("vpc-2"));
    });
    let subject = Subject { model: &model, prior: Some(&model), recorded: &recorded, replaced: None, facts: None };
    assert_eq!(names(&subject), []);
}

#[test]
fn an_adopted_zone_takes_the_names_of_itself_and_below() {
    let to_make = |zones: Json| {
        let zone = json!({ "mode": "parent", "existing_zone_ids": zones });
        creation(json!({ "hosted_zone": zone }), |subject| subject.zones_to_make())
    };
    assert_eq!(to_make(json!({})), 2);
    assert_eq!(to_make(json!({ "studio.eu-west-1.sagemaker.aws": "Z9" })), 1);
    assert_eq!(to_make(json!({ "sagemaker.aws": "Z9", "aws": "Z8" })), 0);
    let domain = json!({ "hosted_zone": { "existing_zone_ids": { "studio.eu-west-1.sagemaker.aws": "Z9" } } });
    assert_eq!(creation(domain, |subject| subject.zones_to_make()), 0);
}

#[test]
fn what_is_not_known_is_not_checked() {
    let mut model = model(json!({}));
    model.endpoints = Value::Unknown;
    model.hosted_zone = Value::Unknown;
    model.execution_role_arn = Value::Unknown;
    model.vpc_id = Value::Unknown;
    let recorded = Recorded::default();
    let subject = Subject { model: &model, prior: None, recorded: &recorded, replaced: None, facts: None };
    assert!(subject.new_services().is_empty() && subject.turned_on().is_empty());
    assert!(subject.new_roles().is_empty() && subject.vpc_id().is_none());
    assert_eq!(subject.zones_to_make(), 0);
    assert_eq!(names(&subject), []);
}
