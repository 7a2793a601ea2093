//! What is there already: domains and endpoints that a private domain is made around, and that outlive it.

use aws_sdk_ec2::types::VpcEndpointType;
use aws_sdk_sagemaker::types::{AppNetworkAccessType, AuthMode, RetentionPolicy, RetentionType, UserSettings};
use serde_json::{Value as Json, json};

use crate::{
    emulator::{Account, Network, Outside},
    private_domain_parts::{Made, text},
    said::{assert_said, in_one_line},
};

/// An account in which somebody else has made things.
struct Place {
    account: Account,
    network: Network,
    outside: Outside,
}

impl Place {
    fn new() -> Self {
        let account = Account::new();
        let network = account.network();
        let outside = account.outside();
        Place { account, network, outside }
    }

    /// What was made so far counts as what was there before.
    fn made(self, attributes: Json) -> Made {
        self.account.keep_everything();
        Made::of(self.account, self.network, attributes)
    }

    fn planned(self, attributes: Json) -> Made {
        self.account.keep_everything();
        Made::planned(self.account, self.network, attributes)
    }

    fn group(&self, name: &str) -> String {
        let create = self.outside.ec2().create_security_group().vpc_id(&self.network.vpc_id).group_name(name);
        self.outside.run(create.description(name).send()).group_id().expect("it has an id").to_owned()
    }

    /// A domain of the kind `VpcOnly`, whose users' apps have these groups.
    fn domain(&self, name: &str, groups: &[&String]) -> String {
        let settings = UserSettings::builder().execution_role(&self.network.role_arn);
        let settings = settings.set_security_groups(Some(groups.iter().map(ToString::to_string).collect()));
        let create = self.outside.sagemaker().create_domain().domain_name(name).auth_mode(AuthMode::Iam);
        let create = create.app_network_access_type(AppNetworkAccessType::VpcOnly).vpc_id(&self.network.vpc_id);
        let create = create.subnet_ids(&self.network.subnet_ids[0]).default_user_settings(settings.build());
        let tag = aws_sdk_sagemaker::types::Tag::builder().key("team").value("theirs").build();
        let made = self.outside.run(create.tags(tag).send());
        let id = made.domain_id().expect("it has an id").to_owned();
        crate::terraform::wait_until("the domain is in service", || status(&self.outside, &id) == "InService");
        id
    }

    fn endpoint(&self, service: &str) -> String {
        endpoint_in(&self.outside, &self.network, service)
    }
}

/// An interface endpoint of somebody else, without private DNS.
fn endpoint_in(outside: &Outside, network: &Network, service: &str) -> String {
    let create = outside.ec2().create_vpc_endpoint().vpc_id(&network.vpc_id).service_name(service);
    let create = create.vpc_endpoint_type(VpcEndpointType::Interface).private_dns_enabled(false);
    let made = outside.run(create.subnet_ids(&network.subnet_ids[0]).send());
    made.vpc_endpoint().and_then(|made| made.vpc_endpoint_id()).expect("it has an id").to_owned()
}

const STUDIO: &str = "aws.sagemaker.us-east-1.studio";
const API: &str = "com.amazonaws.us-east-1.sagemaker.api";

fn status(outside: &Outside, id: &str) -> String {
    let found = outside.run(outside.sagemaker().describe_domain().domain_id(id).send());
    found.status().map(|status| status.as_str().to_owned()).unwrap_or_default()
}

/// Everything that SageMaker says of a domain, its tags included.
fn whole(outside: &Outside, id: &str) -> String {
    let found = outside.run(outside.sagemaker().describe_domain().domain_id(id).send());
    let tags = outside.run(outside.sagemaker().list_tags().resource_arn(found.domain_arn().unwrap_or_default()).send());
    // What differs from one answer to the next is not about the domain.
    let found = format!("{found:?}");
    let found = found.split(", _request_id").next().unwrap_or_default();
    format!("{found}\n{:?}", tags.tags())
}

fn groups_of(outside: &Outside, id: &str) -> Vec<String> {
    let found = outside.run(outside.sagemaker().describe_domain().domain_id(id).send());
    found.default_user_settings().map(|settings| settings.security_groups().to_vec()).unwrap_or_default()
}

fn adopting(id: &str, attributes: Json) -> Json {
    let mut all = json!({ "existing_domain_id": id, "name": null, "execution_role_arn": null, "home_efs": null });
    for (name, value) in attributes.as_object().expect("attributes have names") {
        all[name] = value.clone();
    }
    all
}

// ---- Domains ----

#[test]
fn everything_is_made_around_an_adopted_domain_which_outlives_it_as_it_was() {
    let place = Place::new();
    let group = place.group("theirs");
    let id = place.domain("theirs", &[&group]);
    let before = whole(&place.outside, &id);
    let profiles = json!({ "one": {} });
    let made = place.made(adopting(&id, json!({ "client_cidr_blocks": ["10.8.0.0/16"], "user_profiles": profiles })));

    let values = made.values();
    assert_eq!((&values["name"], &values["domain_id"]), (&json!("theirs"), &json!(id)));
    assert!(values["domain_security_group_id"].is_null());
    assert_eq!(values["hosted_zone_ids"].as_object().map(serde_json::Map::len), Some(2));
    let rules = made.outside.ec2().describe_security_groups().group_ids(text(&values["endpoint_security_group_id"]));
    let found = made.outside.run(rules.send());
    let from: Vec<_> =
        found.security_groups()[0].ip_permissions().iter().flat_map(|rule| rule.user_id_group_pairs()).collect();
    assert!(from.iter().any(|pair| pair.group_id() == Some(&group)), "its apps are let in: {from:?}");
    assert_eq!(whole(&made.outside, &id), before);

    made.workspace.destroy();
    made.account.assert_nothing_is_left();
    assert_eq!(whole(&made.outside, &id), before);
}

#[test]
fn what_is_written_of_an_adopted_domain_is_applied_and_groups_are_taken_off_again() {
    let place = Place::new();
    let (group, extra) = (place.group("theirs"), place.group("extra"));
    let id = place.domain("theirs", &[&group]);
    let role = place.network.role_arn.clone();
    let mut made = place.made(adopting(&id, json!({})));
    assert_eq!(made.account.count("UpdateDomain"), 0, "nothing is written");

    let settings = json!({ "idle_timeout_minutes": 90, "security_group_ids": [extra] });
    made.change("default_user_settings", settings.clone(), &["default_user_settings"]);
    let mut both = [group.clone(), extra.clone()];
    both.sort();
    assert_eq!(groups_of(&made.outside, &id), both);
    made.change("execution_role_arn", json!(role), &["execution_role_arn"]);
    assert_eq!(made.account.count("UpdateDomain"), 1, "it has that role");

    made.change(
        "default_user_settings",
        json!({ "idle_timeout_minutes": 90 }),
        &["default_user_settings.security_group_ids"],
    );
    assert_eq!(groups_of(&made.outside, &id), std::slice::from_ref(&group));
    made.change("default_user_settings", settings, &["default_user_settings.security_group_ids"]);
    made.workspace.destroy();
    assert_eq!(groups_of(&made.outside, &id), [group]);
    made.account.assert_nothing_is_left();
}

#[test]
fn what_an_adopted_domain_is_not_is_refused_at_its_attribute() {
    let place = Place::new();
    let group = place.group("theirs");
    let id = place.domain("theirs", &[&group]);
    let other = place.account.network();
    for (attributes, needed) in [
        (json!({ "name": "ours" }), ["Another name than the adopted domain's", "name = \"theirs\""]),
        (json!({ "auth_mode": "SSO" }), ["Another auth_mode than the adopted domain's", "auth_mode = \"IAM\""]),
        (
            json!({ "vpc_id": other.vpc_id, "subnet_ids": other.subnet_ids }),
            ["Another vpc_id than the adopted domain's", &place.network.vpc_id],
        ),
        (json!({ "kms_key_id": "alias/x" }), ["kms_key_id has no effect on an adopted domain", "kms_key_id"]),
        (
            json!({ "home_efs": { "on_destroy": "delete" } }),
            ["home_efs has no effect on an adopted domain", "home_efs"],
        ),
        (
            json!({ "existing_domain_id": "d-nosuchdomain" }),
            ["There is no such domain", "There is no domain d-nosuchdomain in us-east-1"],
        ),
    ] {
        let made = Made::planned(Account::new(), place.network.clone(), adopting(&id, attributes));
        let workspace = crate::terraform::Workspace::new(&place.account);
        let main = std::fs::read_to_string(made.workspace.file("main.tf")).expect("it was written");
        workspace.write(&main);
        let said = in_one_line(&workspace.plan_expect_error());
        assert_said(&said, &needed);
        assert_eq!(said.matches("Error: ").count(), 1, "{said}");
    }
}

#[test]
fn another_domain_to_adopt_replaces_the_resource_and_changes_neither() {
    let place = Place::new();
    let group = place.group("theirs");
    let (one, two) = (place.domain("one", &[&group]), place.domain("two", &[&group]));
    let before = [&one, &two].map(|id| whole(&place.outside, id));
    let mut made = place.made(adopting(&one, json!({ "user_profiles": { "user": {} } })));
    made.set("existing_domain_id", json!(two));
    let plan = made.workspace.plan();
    assert_eq!(plan.change().actions, ["delete", "create"], "{}", plan.text);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!((made.text("name"), made.text("domain_id")), ("two".to_owned(), two.clone()));
    made.workspace.destroy();
    made.account.assert_nothing_is_left();
    let outside = &made.outside;
    assert_eq!([&one, &two].map(|id| whole(outside, id)), before);
}

#[test]
fn a_domain_that_was_made_is_let_go_and_taken_over_again_in_place() {
    let mut made = Made::with(json!({ "user_profiles": { "one": {} } }));
    let (id, group) = (made.text("domain_id"), made.text("domain_security_group_id"));
    let ids = made.values()["endpoint_ids"].clone();

    made.set("home_efs", Json::Null);
    made.change(
        "existing_domain_id",
        json!(id),
        &["domain_security_group_id", "existing_domain_id", "home_efs.enabled"],
    );
    assert!(made.values()["domain_security_group_id"].is_null());
    assert_eq!(groups_of(&made.outside, &id), std::slice::from_ref(&group));

    made.set("home_efs", json!({ "enabled": false }));
    made.change(
        "existing_domain_id",
        Json::Null,
        &["domain_security_group_id", "existing_domain_id", "home_efs.enabled"],
    );
    assert_eq!((made.text("domain_id"), made.text("domain_security_group_id")), (id, group));
    assert_eq!(made.values()["endpoint_ids"], ids);
    assert_eq!((made.account.count("CreateDomain"), made.account.count("DeleteDomain")), (1, 0));
    made.destroy();
}

#[test]
fn a_domain_that_was_let_go_outlives_the_resource_with_its_group() {
    let mut made = Made::with(json!({ "user_profiles": { "one": {} } }));
    let (id, group) = (made.text("domain_id"), made.text("domain_security_group_id"));
    made.set("home_efs", Json::Null);
    made.set("existing_domain_id", json!(id));
    made.workspace.apply();
    made.workspace.destroy();
    assert_eq!(status(&made.outside, &id), "InService");
    assert_eq!(groups_of(&made.outside, &id), [group]);
    let left = made.account.leftovers();
    let mut kinds: Vec<_> = left.iter().filter_map(|left| left["kind"].as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, ["ec2:network-interface", "ec2:security-group", "sagemaker:domain"], "{}", json!(left));
    let all = RetentionPolicy::builder().home_efs_file_system(RetentionType::Delete).build();
    made.outside.run(made.outside.sagemaker().delete_domain().domain_id(id).retention_policy(all).send());
}

#[test]
fn a_foreign_domain_is_adopted_and_then_taken_over() {
    let place = Place::new();
    let group = place.group("theirs");
    let id = place.domain("theirs", &[&group]);
    let role = place.network.role_arn.clone();
    let before = [&group].map(String::clone);
    let mut made = place.made(adopting(&id, json!({ "user_profiles": { "one": {} } })));
    made.set("existing_domain_id", Json::Null);
    made.set("name", json!("theirs"));
    made.set("execution_role_arn", json!(role));
    let plan = made.workspace.plan();
    assert_eq!(plan.change().actions, ["update"], "{}", plan.text);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.text("domain_id"), id);
    assert_ne!(groups_of(&made.outside, &id), before, "now it has the group that is made here");
    made.assert_imports();
}

// ---- Endpoints ----

#[test]
fn adopted_endpoints_are_used_and_outlive_the_resource() {
    let place = Place::new();
    let (studio, api) = (place.endpoint(STUDIO), place.endpoint(API));
    let existing = json!({ "studio": studio, "sagemaker.api": api });
    let made = place.made(json!({ "endpoints": { "existing": existing } }));
    let values = made.values();
    assert_eq!(
        (&values["endpoint_ids"]["studio"], &values["endpoint_ids"]["sagemaker.api"]),
        (&json!(studio), &json!(api))
    );
    let mut access = [studio.clone(), api];
    access.sort();
    let mut listed: Vec<_> = values["access_endpoint_ids"].as_array().expect("a list").iter().map(text).collect();
    listed.sort();
    assert_eq!(listed, access);
    let dns = text(&values["endpoint_dns"]["studio"]["dns_name"]);
    assert!(dns.starts_with(&studio), "{dns}");
    assert_eq!(values["endpoint_ips"]["studio"].as_array().map(Vec::len), Some(1));
    assert_eq!(targets(&made), [dns]);
    assert_eq!(made.account.count("CreateVpcEndpoint"), 3, "two by somebody else, and one for what is left");
    made.destroy();
}

/// The names that the records for the domain's first name point at.
fn targets(made: &Made) -> Vec<String> {
    let zone = text(&made.values()["hosted_zone_ids"][&made.text("fqdn")]);
    let found = made.outside.run(made.outside.route53().list_resource_record_sets().hosted_zone_id(zone).send());
    let targets = found.resource_record_sets().iter().filter_map(|set| set.alias_target());
    let mut targets: Vec<_> = targets.map(|target| target.dns_name().trim_end_matches('.').to_owned()).collect();
    targets.dedup();
    targets
}

#[test]
fn what_an_adopted_endpoint_is_not_is_refused_at_its_key() {
    let place = Place::new();
    let api = place.endpoint(API);
    let table = place.network.route_table_id.clone();
    let create = place.outside.ec2().create_vpc_endpoint().vpc_id(&place.network.vpc_id).route_table_ids(table);
    let gateway = place.outside.run(create.service_name("com.amazonaws.us-east-1.s3").send());
    let gateway = gateway.vpc_endpoint().and_then(|made| made.vpc_endpoint_id()).expect("it has an id").to_owned();
    let elsewhere = place.account.network();
    let other = endpoint_in(&place.outside, &elsewhere, STUDIO);
    let vpc = format!("It is in {}, not in vpc_id.", elsewhere.vpc_id);
    let cases = [
        ("studio", api, format!("It is an endpoint for {API}.")),
        ("studio", other, vpc),
        ("s3", gateway, "It is not an interface endpoint.".to_owned()),
        ("studio", "vpce-0123".to_owned(), "There is no VPC endpoint vpce-0123".to_owned()),
    ];
    let mut made = place.planned(json!({}));
    for (service, id, needed) in cases {
        let existing = json!({ "existing": { service: id } });
        let path = format!("endpoints.existing[\"{service}\"]");
        made.assert_refused(
            "endpoints",
            existing,
            &[&format!("{id} cannot be the endpoint for {service}"), &needed, &path],
        );
    }
}

#[test]
fn an_endpoint_is_adopted_in_place_of_the_one_that_was_made_and_back() {
    let place = Place::new();
    let (studio, second) = (place.endpoint(STUDIO), place.endpoint(STUDIO));
    let mut made = place.made(json!({}));
    let own = made.endpoint("studio");
    let paths =
        ["access_endpoint_ids", "endpoint_dns", "endpoint_ids", "endpoint_ips", "endpoints.existing", "host_names"];
    made.change("endpoints", json!({ "existing": { "studio": studio } }), &paths);
    assert_eq!(made.endpoint("studio"), studio);
    assert!(targets(&made)[0].starts_with(&studio), "{:?}", targets(&made));
    let ids = made.outside.run(made.outside.ec2().describe_vpc_endpoints().send());
    assert!(ids.vpc_endpoints().iter().all(|endpoint| endpoint.vpc_endpoint_id() != Some(&own)), "ours is gone");

    let mut other = paths;
    other[4] = "endpoints.existing.studio";
    made.change("endpoints", json!({ "existing": { "studio": second } }), &other);
    assert!(targets(&made)[0].starts_with(&second), "{:?}", targets(&made));

    made.change("endpoints", json!({}), &paths);
    assert!(targets(&made)[0].starts_with(&made.endpoint("studio")), "{:?}", targets(&made));
    assert_ne!(made.endpoint("studio"), second);
    made.destroy();
}

#[test]
fn an_adopted_endpoint_that_was_deleted_is_told_and_can_be_done_without() {
    let place = Place::new();
    let studio = place.endpoint(STUDIO);
    let endpoints = json!({ "existing": { "studio": studio } });
    let mut made = place.made(json!({ "endpoints": endpoints }));
    made.outside.run(made.outside.ec2().delete_vpc_endpoints().vpc_endpoint_ids(&studio).send());
    let is_there = || {
        let all = made.outside.run(made.outside.ec2().describe_vpc_endpoints().send());
        all.vpc_endpoints().iter().any(|endpoint| endpoint.vpc_endpoint_id() == Some(&studio))
    };
    crate::terraform::wait_until("the endpoint is gone", || !is_there());
    let said = in_one_line(&made.workspace.plan_expect_error());
    assert_said(&said, &[&format!("{studio} cannot be the endpoint for studio"), "There is no VPC endpoint"]);
    made.set("endpoints", json!({}));
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert!(targets(&made)[0].starts_with(&made.endpoint("studio")), "{:?}", targets(&made));
    made.destroy();
}

#[test]
fn where_all_endpoints_are_adopted_there_is_no_group_for_them() {
    let place = Place::new();
    let all = [
        ("studio", STUDIO),
        ("sagemaker.api", API),
        ("sagemaker.runtime", "com.amazonaws.us-east-1.sagemaker.runtime"),
    ];
    let existing: serde_json::Map<_, _> =
        all.into_iter().map(|(service, name)| (service.to_owned(), json!(place.endpoint(name)))).collect();
    let mut made = place.made(json!({ "endpoints": { "existing": existing } }));
    assert!(made.values()["endpoint_security_group_id"].is_null());
    let needed = ["client_cidr_blocks has no effect", "All endpoints are adopted, and keep their security groups"];
    made.assert_refused("client_cidr_blocks", json!(["10.8.0.0/16"]), &needed);
    made.destroy();
}

#[test]
fn a_policy_of_an_adopted_endpoint_is_set_repaired_and_reset() {
    let place = Place::new();
    let api = place.endpoint(API);
    let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": "sagemaker:*", "Resource": "*" });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let existing = json!({ "sagemaker.api": api });
    let mut made = place.made(json!({ "endpoints": { "existing": existing } }));
    assert_eq!(made.account.count("ModifyVpcEndpoint"), 0, "nothing is written");

    let with = json!({ "existing": existing, "policies": { "sagemaker.api": policy } });
    let path = "endpoints.policies.sagemaker.api";
    made.change("endpoints", with.clone(), &["endpoints.policies"]);
    assert_eq!(action(&made, &api), "sagemaker:*");
    let modify = made.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(&api).reset_policy(true);
    made.outside.run(modify.send());
    made.assert_changes(&[path]);
    assert_eq!(action(&made, &api), "sagemaker:*");
    made.change("endpoints", json!({ "existing": existing }), &["endpoints.policies"]);
    assert_eq!(action(&made, &api), "*");

    made.change("endpoints", with, &["endpoints.policies"]);
    made.workspace.destroy();
    made.account.assert_nothing_is_left();
    assert_eq!(action(&made, &api), "*", "it has what it had");
}

/// What the first statement of an endpoint's policy is about.
fn action(made: &Made, id: &str) -> String {
    let found = made.outside.run(made.outside.ec2().describe_vpc_endpoints().vpc_endpoint_ids(id).send());
    let policy = found.vpc_endpoints()[0].policy_document().expect("it has one");
    let policy: Json = serde_json::from_str(policy).expect("a policy is JSON");
    text(&policy["Statement"][0]["Action"])
}
