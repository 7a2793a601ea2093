//! Each change, and nothing beside it.

use serde_json::{Value as Json, json};

use super::*;
use crate::aws::sagemaker::domain_types::IdleTimeout;
use crate::resources::private_domain::key::STUDIO;
use crate::resources::private_domain::model::Model;
use crate::resources::private_domain::tests::{OTHER_ROLE, ROLE, config, facts, made, model, tags, with};

/// What is wanted, as during apply.
fn wanted(model: &Model) -> Desired {
    Desired::new(model, None, &made(), Some(facts()))
}

/// What is wanted where these are not the usual ones.
fn wanted_with(attributes: Json) -> Desired {
    let mut all = config();
    for (name, value) in attributes.as_object().unwrap() {
        all[name] = value.clone();
    }
    wanted(&model(&all))
}

fn group(id: &str) -> SecurityGroupId {
    id.into()
}

fn adopted() -> Recorded {
    let mut recorded = made();
    let domain = recorded.domain.as_mut().unwrap();
    domain.adopted = true;
    domain.settings.security_group_ids = Some([group("sg-theirs")].into());
    recorded.domain_group = None;
    recorded
}

fn texts(rules: &BTreeSet<Rule>) -> Vec<String> {
    rules.iter().map(ToString::to_string).collect()
}

// ---- Groups ----

#[test]
fn apps_reach_each_other_nfs_and_the_services_and_with_ipv6_all_of_the_latter() {
    let ipv4 = domain_group_rules(&group("sg-1"), false);
    let both = domain_group_rules(&group("sg-1"), true);
    assert_eq!(ipv4.len(), 5);
    let added = texts(&both.difference(&ipv4).cloned().collect());
    assert_eq!(added.len(), 1);
    assert!(added[0].contains("::/0") && added[0].contains("443"), "{added:?}");
    assert!(ipv4.is_subset(&both));
}

#[test]
fn endpoints_let_in_clients_and_the_domains_group() {
    let recorded = made();
    let rules =
        endpoint_group_rules(&wanted_with(json!({ "client_cidr_blocks": ["10.8.0.0/16"] })), &recorded).unwrap();
    assert_eq!(client_blocks(&rules), ["10.8.0.0/16".parse().unwrap()].into());
    let peers: Vec<_> = rules.iter().filter(|rule| rule.peer == Peer::Group(group("sg-domain"))).collect();
    assert_eq!((rules.len(), peers.len()), (2, 1));
}

#[test]
fn endpoints_let_in_the_groups_that_an_adopted_domain_has_and_those_it_is_to_get() {
    let recorded = adopted();
    let settings = json!({ "security_group_ids": ["sg-extra"] });
    let desired = wanted_with(json!({ "existing_domain_id": "d-1", "default_user_settings": settings }));
    let rules = endpoint_group_rules(&desired, &recorded).unwrap();
    let groups: BTreeSet<_> = rules
        .iter()
        .filter_map(|rule| match &rule.peer {
            Peer::Group(group) => Some(group.as_str()),
            Peer::Cidr4(_) | Peer::Cidr6(_) | Peer::PrefixList(_) => None,
        })
        .collect();
    assert_eq!(groups, ["sg-extra", "sg-theirs"].into());
}

#[test]
fn rules_are_not_known_before_the_group_they_name() {
    let recorded = Recorded { domain_group: None, ..made() };
    assert_eq!(endpoint_group_rules(&wanted(&model(&config())), &recorded), None);
    let mut unknown = model(&config());
    unknown.client_cidr_blocks = Value::Unknown;
    assert_eq!(endpoint_group_rules(&wanted(&unknown), &made()), None);
}

#[test]
fn the_same_traffic_may_be_described_in_other_words() {
    let rule =
        |port, text| Rule::ports(Direction::Inbound, "tcp", (port, port), Peer::Cidr4("10.0.0.0/8".into()), text);
    let (one, other) = (BTreeSet::from([rule(443, "a")]), BTreeSet::from([rule(443, "b")]));
    assert!(same_traffic(&one, &other));
    let more: BTreeSet<_> = [rule(443, "b"), rule(22, "b")].into();
    assert!(!same_traffic(&one, &more));
    assert_eq!(missing(&more, &one), [&rule(22, "b")]);
}

#[test]
fn endpoints_have_the_users_groups_or_ours() {
    let recorded = made();
    let own = wanted_with(json!({ "endpoints": { "security_group_ids": ["sg-own"] }, "client_cidr_blocks": null }));
    assert_eq!(endpoint_groups(&own, &recorded), Some([group("sg-own")].into()));
    let ours = wanted(&model(&config()));
    assert_eq!(endpoint_groups(&ours, &recorded), Some([group("sg-endpoints")].into()));
    assert_eq!(endpoint_groups(&ours, &Recorded { endpoint_group: None, ..recorded }), None);
}

// ---- Endpoints ----

fn change_of(desired: &Desired, service: &str) -> EndpointChange {
    let recorded = made();
    endpoint_change(desired, &recorded, service, &recorded.endpoints[service]).unwrap()
}

#[test]
fn an_endpoint_as_it_is_wanted_has_no_change() {
    assert!(change_of(&wanted(&model(&config())), STUDIO).is_empty());
}

#[test]
fn each_setting_of_an_endpoint_changes_alone() {
    let none = EndpointChange::default;
    let document = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"a:b","Resource":"*"}]}"#;
    let cases = [
        (json!({ "private_dns_enabled": false }), EndpointChange { private_dns_enabled: Some(false), ..none() }),
        (
            json!({ "policies": { "studio": document } }),
            EndpointChange { policy: Some(EndpointPolicy::Document(document.to_owned())), ..none() },
        ),
    ];
    for (endpoints, expected) in cases {
        assert_eq!(change_of(&wanted_with(json!({ "endpoints": endpoints })), STUDIO), expected, "{endpoints}");
    }
    let dual_stack = change_of(&wanted_with(json!({ "ip_address_type": "dualstack" })), STUDIO);
    assert_eq!(dual_stack, EndpointChange { address_type: Some(AddressType::Dualstack), ..none() });
}

#[test]
fn an_endpoint_that_was_moved_goes_back() {
    let mut recorded = made();
    let endpoint = recorded.endpoints.get_mut(STUDIO).unwrap();
    endpoint.place.subnet_ids = ["subnet-2".into(), "subnet-9".into()].into();
    let endpoint = endpoint.clone();
    let desired = wanted(&model(&config()));
    let change = endpoint_change(&desired, &recorded, STUDIO, &endpoint).unwrap();
    assert_eq!(change.add_subnet_ids, ["subnet-1".into()].into());
    assert_eq!(change.remove_subnet_ids, ["subnet-9".into()].into());
    assert_eq!(moves(&desired, STUDIO, &endpoint), Some(true));
    assert_eq!(changes_family(&desired, STUDIO, &endpoint), Some(false));
}

#[test]
fn an_endpoint_whose_groups_are_not_known_yet_need_not_move() {
    let recorded = Recorded { endpoint_group: None, ..made() };
    let desired = wanted(&model(&config()));
    let endpoint = &recorded.endpoints[STUDIO];
    assert_eq!(endpoint_change(&desired, &recorded, STUDIO, endpoint), None);
    assert_eq!(moves(&desired, STUDIO, endpoint), Some(false));
    let without_facts = Desired::new(&model(&config()), None, &recorded, None);
    assert_eq!(moves(&without_facts, STUDIO, endpoint), None);
}

#[test]
fn private_dns_for_s3_leaves_the_vpc_to_the_gateway_where_there_is_one() {
    let scope = |endpoints: Json| private_dns_scope(&wanted_with(json!({ "endpoints": endpoints })), S3);
    assert_eq!(scope(json!({})), Some(Some(PrivateDnsScope::Vpc)));
    let gateway = json!(["rtb-1"]);
    let with_gateway = scope(json!({ "s3_gateway_route_table_ids": gateway }));
    assert_eq!(with_gateway, Some(Some(PrivateDnsScope::InboundOnly)));
    let off = scope(json!({ "s3_gateway_route_table_ids": gateway, "private_dns_enabled": false }));
    assert_eq!(off, Some(None));
    assert_eq!(private_dns_scope(&wanted(&model(&config())), STUDIO), Some(None), "there is nothing to choose");
}

#[test]
fn a_policy_is_compared_by_meaning_and_reset_only_where_it_was_set() {
    let policy =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["a:b"],"Resource":"*"}]}"#;
    let spelt = r#"{"Statement":{"Resource":["*"],"Principal":{"AWS":"*"},"Action":"A:B","Effect":"Allow"},"Version":"2012-10-17"}"#;
    let written = Value::Known(policy.to_owned());
    assert_eq!(policy_change(&written, Some(spelt), true), Some(None));
    let set = Some(Some(EndpointPolicy::Document(policy.to_owned())));
    assert_eq!(policy_change(&written, None, false), set);
    assert_eq!(policy_change(&Value::Null, Some(spelt), true), Some(Some(EndpointPolicy::FullAccess)));
    assert_eq!(policy_change(&Value::Null, Some(spelt), false), Some(None));
    assert_eq!(policy_change(&Value::Unknown, Some(spelt), true), None);
    assert!(!same_policy(policy, "not a policy") && same_policy("x", "x"));
    assert!(may_be_own(policy) && !may_be_own(&Document::full_access().to_json()));
}

#[test]
fn the_gateway_is_led_to_from_other_tables() {
    let gateway = Gateway {
        id: "vpce-s3".into(),
        route_table_ids: ["rtb-1".into(), "rtb-2".into()].into(),
        policy: None,
        has_own_policy: false,
        tags: tags(),
    };
    let tables = json!({ "s3_gateway_route_table_ids": ["rtb-2", "rtb-3"] });
    let change = gateway_change(&wanted_with(json!({ "endpoints": tables })), &gateway).unwrap();
    let expected = EndpointChange {
        add_route_table_ids: ["rtb-3".into()].into(),
        remove_route_table_ids: ["rtb-1".into()].into(),
        ..EndpointChange::default()
    };
    assert_eq!(change, expected);
    assert_eq!(gateway_change(&wanted(&model(&config())), &gateway), None, "none is wanted");
}

// ---- The domain ----

fn domain_change_with(attributes: Json, recorded: &Recorded) -> DomainChange {
    domain_change(&wanted_with(attributes), recorded, recorded.domain.as_ref().unwrap()).unwrap()
}

#[test]
fn each_setting_of_a_domain_changes_alone() {
    let none = DomainChange::default;
    let user = |settings| DomainChange { default_user_settings: settings, ..none() };
    let groups = [group("sg-domain"), group("sg-extra")];
    let cases = [
        (json!({}), none()),
        (
            json!({ "subnet_ids": ["subnet-1"] }),
            DomainChange { subnet_ids: Some(["subnet-1".into()].into()), ..none() },
        ),
        (
            json!({ "ip_address_type": "dualstack" }),
            DomainChange { address_type: Some(DomainAddressType::Dualstack), ..none() },
        ),
        (
            json!({ "execution_role_arn": OTHER_ROLE }),
            user(UserSettings { execution_role: Some(OTHER_ROLE.into()), ..UserSettings::default() }),
        ),
        (
            json!({ "default_user_settings": { "docker_access": "ENABLED" } }),
            DomainChange { docker_access: Some(Toggle::Enabled), ..none() },
        ),
        (
            json!({ "default_user_settings": { "studio_web_portal": "ENABLED" } }),
            user(UserSettings { studio_web_portal: Some(Toggle::Enabled), ..UserSettings::default() }),
        ),
        (
            json!({ "default_user_settings": { "default_landing_uri": "studio::" } }),
            user(UserSettings { default_landing_uri: Some("studio::".to_owned()), ..UserSettings::default() }),
        ),
        (
            json!({ "default_user_settings": { "idle_timeout_minutes": 90 } }),
            user(UserSettings { idle_timeout: Some(IdleTimeout::Minutes(90)), ..UserSettings::default() }),
        ),
        (
            json!({ "default_user_settings": { "security_group_ids": ["sg-extra"] } }),
            user(UserSettings { security_group_ids: Some(groups.into()), ..UserSettings::default() }),
        ),
    ];
    for (attributes, expected) in cases {
        assert_eq!(domain_change_with(attributes.clone(), &made()), expected, "{attributes}");
    }
}

#[test]
fn what_a_domain_lacks_is_given_to_it() {
    let mut recorded = made();
    let domain = recorded.domain.as_mut().unwrap();
    domain.vpc_only = false;
    domain.file_system_id = None;
    let expected = DomainChange {
        network_access: Some(NetworkAccess::VpcOnly),
        home_efs: Some(Toggle::Enabled),
        ..DomainChange::default()
    };
    assert_eq!(domain_change_with(json!({}), &recorded), expected);
}

#[test]
fn of_an_adopted_domain_only_what_is_written_changes() {
    let mut recorded = adopted();
    recorded.domain.as_mut().unwrap().vpc_only = false;
    let adopting = json!({ "existing_domain_id": "d-1", "execution_role_arn": null, "subnet_ids": ["subnet-9"] });
    assert!(domain_change_with(adopting.clone(), &recorded).is_empty());
    let mut writing = adopting;
    writing["execution_role_arn"] = json!(OTHER_ROLE);
    let written = UserSettings { execution_role: Some(OTHER_ROLE.into()), ..UserSettings::default() };
    let expected = DomainChange { default_user_settings: written, ..DomainChange::default() };
    assert_eq!(domain_change_with(writing, &recorded), expected);
}

#[test]
fn groups_that_were_put_on_an_adopted_domain_are_taken_off_and_its_own_stay() {
    let mut recorded = adopted();
    let domain = recorded.domain.as_mut().unwrap();
    domain.settings.security_group_ids = Some([group("sg-theirs"), group("sg-added")].into());
    domain.added_groups = [group("sg-added")].into();
    let groups = |attributes| user_groups(&wanted_with(attributes), recorded.domain.as_ref().unwrap(), &recorded);
    assert_eq!(groups(json!({ "existing_domain_id": "d-1" })), Some([group("sg-theirs")].into()));
    let settings = json!({ "security_group_ids": ["sg-added"] });
    let kept = groups(json!({ "existing_domain_id": "d-1", "default_user_settings": settings }));
    assert_eq!(kept, Some([group("sg-added"), group("sg-theirs")].into()));
}

#[test]
fn the_notes_say_what_is_written() {
    let settings = json!({ "studio_web_portal": "ENABLED", "idle_timeout_minutes": 90 });
    let efs = json!({ "on_destroy": "delete" });
    let found = notes(&wanted_with(json!({ "default_user_settings": settings, "home_efs": efs }))).unwrap();
    assert_eq!(found, Notes { on_destroy: Some("delete".to_owned()), settings: Some("portal idle".to_owned()) });
    let mut unknown = model(&config());
    unknown.default_user_settings = Value::Unknown;
    assert_eq!(notes(&wanted(&unknown)), None);
    assert_eq!(written(&Value::<u8>::Unknown), None);
    assert_eq!((written(&Value::<u8>::Null), written(&Value::Known(1))), (Some(None), Some(Some(1))));
}

// ---- User profiles ----

fn profile_with(profile: Json, role: Option<&str>) -> UserSettings {
    let desired = wanted(&with("user_profiles", json!({ "demouser1": profile })));
    let recorded = made();
    let has = Profile { execution_role_arn: role.map(Into::into), ..recorded.profiles["demouser1"].clone() };
    profile_settings(&desired, &recorded, &desired.profiles()["demouser1"], &has).unwrap()
}

#[test]
fn a_profile_gets_its_role_and_the_domains_when_it_has_none_any_more() {
    let role = |role: &str| UserSettings { execution_role: Some(role.into()), ..UserSettings::default() };
    let own = json!({ "execution_role_arn": OTHER_ROLE });
    assert_eq!(profile_with(own.clone(), None), role(OTHER_ROLE));
    assert_eq!(profile_with(own, Some(OTHER_ROLE)), UserSettings::default());
    assert_eq!(profile_with(json!({}), Some(OTHER_ROLE)), role(ROLE));
    assert_eq!(profile_with(json!({}), None), UserSettings::default());
}

#[test]
fn a_profile_has_the_resources_tags_and_its_own() {
    let tags_of = |profile: Json| {
        let desired = wanted(&with("user_profiles", json!({ "demouser1": profile })));
        profile_tags(&desired, &desired.profiles()["demouser1"])
    };
    assert_eq!(tags_of(json!({})), Value::Known(tags()));
    let both = [("team", "other"), ("of", "one")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(tags_of(json!({ "tags": { "team": "other", "of": "one" } })), Value::Known(both.into()));
}
