//! Attributes that change, one at a time, and configurations that are refused.

use serde_json::{Value as Json, json};

use super::{Ground, Made, Policy, make_endpoint};
use crate::{
    emulator::{Account, REGION},
    said::in_one_line,
    terraform::Workspace,
};

#[test]
fn each_rule_changes_alone_and_in_place() {
    let made = Made::new(Policy::new);
    let ground = &made.ground;
    let mut policy = Policy::new(ground);
    let mut changes_only = |name: &str, value: Json, paths: &[&str]| {
        policy.set(name, value);
        made.workspace.write(&policy.hcl());
        made.assert_changes_only(paths);
        assert!(ground.versions() <= 5);
    };
    let rule = ["policy_json", "scp_json"];
    changes_only("mode", json!("both"), &["mode", "policy_json"]);
    changes_only("user_profile", json!("${aws:username}"), &["policy_json", "user_profile"]);
    changes_only(
        "exempt_principal_arns",
        json!(["arn:aws:iam::123456789012:role/BreakGlass"]),
        &["exempt_principal_arns", rule[0], rule[1]],
    );
    changes_only("exempt_principal_arns", Json::Null, &["exempt_principal_arns", rule[0], rule[1]]);
    changes_only("allow_via_aws_services", json!(true), &["allow_via_aws_services", rule[0], rule[1]]);
    changes_only("allow_via_aws_services", Json::Null, &["allow_via_aws_services", rule[0], rule[1]]);
    changes_only("resource_tags", json!({ "team": "${aws:PrincipalTag/team}" }), &[rule[0], "resource_tags", rule[1]]);
    changes_only("resource_tags", json!({ "team": "ml" }), &[rule[0], "resource_tags.team", rule[1]]);
    changes_only("resource_tags", Json::Null, &[rule[0], "resource_tags", rule[1]]);
    let paths =
        json!([{ "vpc_endpoint_ids": [ground.studio, ground.api] }, { "source_cidr_blocks": ["203.0.113.0/24"] }]);
    changes_only("allowed", paths, &["allowed", rule[0], rule[1]]);
    changes_only("user_profile", Json::Null, &["policy_json", "user_profile"]);
    changes_only("mode", Json::Null, &["mode", "policy_json"]);
    let domains = json!([ground.domain("d-abcdefghijkl"), ground.domain("d-mnopqrstuvwx")]);
    changes_only(
        "domain_arns",
        domains,
        &["domain_arns", "endpoint_policy_json.sagemaker.api", "endpoint_policy_json.studio", rule[0], rule[1]],
    );
    assert_eq!(ground.account.count("CreatePolicy"), 1, "nothing of this replaces the policy");
    made.destroy();
}

#[test]
fn each_use_changes_alone_and_makes_no_new_version() {
    let made = Made::new(Policy::new);
    let ground = &made.ground;
    let mut policy = Policy::new(ground);
    let mut changes_only = |name: &str, value: Json, paths: &[&str]| {
        policy.set(name, value);
        made.workspace.write(&policy.hcl());
        made.assert_changes_only(paths);
    };
    changes_only("attach_to", json!({ "roles": ["analyst"] }), &["attach_to"]);
    assert_eq!(ground.attached(), ["analyst"]);
    changes_only(
        "attach_to",
        json!({ "roles": ["scientist"], "users": ["ana"] }),
        &["attach_to.roles", "attach_to.users"],
    );
    assert_eq!(ground.attached(), ["ana", "scientist"]);
    changes_only(
        "attach_to",
        json!({ "groups": ["data"] }),
        &["attach_to.groups", "attach_to.roles", "attach_to.users"],
    );
    assert_eq!(ground.attached(), ["data"]);
    changes_only("attach_to", Json::Null, &["attach_to"]);
    assert_eq!(ground.attached(), [""; 0]);

    changes_only("endpoint_policies", json!({ "studio": ground.studio }), &["endpoint_policies"]);
    assert!(!ground.is_full_access(&ground.studio) && ground.is_full_access(&ground.api));
    let both = json!({ "studio": ground.studio, "sagemaker.api": ground.api });
    changes_only("endpoint_policies", both, &["endpoint_policies.sagemaker.api"]);
    assert!(!ground.is_full_access(&ground.api));
    changes_only("endpoint_policies", json!({ "sagemaker.api": ground.api }), &["endpoint_policies.studio"]);
    assert!(ground.is_full_access(&ground.studio), "an endpoint that is taken out is set back");

    changes_only("tags", json!({ "team": "ml" }), &["tags", "tags_all.team"]);
    changes_only("tags", json!({ "team": "data" }), &["tags.team", "tags_all.team"]);
    changes_only("tags", Json::Null, &["tags", "tags_all.team"]);
    changes_only("timeouts", json!({ "update": "5m" }), &["timeouts"]);
    assert_eq!(ground.versions(), 1);
    made.destroy();
}

#[test]
fn another_endpoint_in_the_same_place_gets_the_policy_and_the_old_one_is_set_back() {
    let made = Made::new(Policy::whole);
    let ground = &made.ground;
    let other = make_endpoint(&ground.outside, &ground.network, &format!("aws.sagemaker.{REGION}.studio"));
    let places = json!({ "studio": other, "sagemaker.api": ground.api });
    made.workspace.write(&Policy::whole(ground).with("endpoint_policies", places).hcl());
    made.assert_changes_only(&["endpoint_policies.studio"]);
    assert!(ground.is_full_access(&ground.studio) && !ground.is_full_access(&other));
    made.workspace.destroy();
    assert!(ground.is_full_access(&other));
}

#[test]
fn another_name_path_or_description_replaces_the_policy() {
    let made = Made::new(Policy::whole);
    let mut policy = Policy::whole(&made.ground);
    for (name, value) in [("path", "/studio/"), ("description", "Presigned URLs"), ("name", "renamed")] {
        policy.set(name, json!(value));
        made.workspace.write(&policy.hcl());
        assert_eq!(made.workspace.plan().change().actions, ["delete", "create"], "{name}");
        made.workspace.apply();
        made.workspace.plan().assert_empty();
        assert_eq!(made.values()[name], json!(value));
    }
    made.destroy();
}

#[test]
fn the_sixth_version_takes_the_place_of_the_oldest() {
    let made = Made::new(Policy::new);
    let ground = &made.ground;
    let document = ground.document();
    for _ in 0..4 {
        ground.set_document(&document);
    }
    assert_eq!(ground.versions(), 5);
    made.workspace.write(&Policy::new(ground).with("mode", json!("both")).hcl());
    made.assert_changes_only(&["mode", "policy_json"]);
    assert_eq!(ground.versions(), 5);
    made.destroy();
}

#[test]
fn what_cannot_work_is_refused_at_its_attribute_before_anything_is_made() {
    let ground = Ground::new(Account::new());
    let before = ground.account.changes();
    let many: Vec<String> = (0..300).map(|n| format!("vpce-{n:017x}")).collect();
    let domain = |n| format!("arn:aws:sagemaker:us-east-1:123456789012:domain/d-{n:012}");
    let domains: Vec<String> = (0..100).map(domain).collect();
    for (name, value, said) in [
        ("allowed", json!([]), "allow at least one path"),
        ("allowed", json!([{}]), "allowed[0] asks nothing"),
        ("allowed", json!([{ "source_cidr_blocks": ["10.1.2.3/16"] }]), "10.1.0.0/16"),
        ("allowed", json!([{ "vpc_endpoint_ids": ["vpc-0abcdef0"] }]), "not the id of a VPC endpoint"),
        ("allowed", json!([{ "vpc_endpoint_ids": many }]), "more than the 6144 that IAM allows"),
        ("domain_arns", json!(domains), "divide the domains among several policies"),
        ("domain_arns", json!(["d-abcdefghijkl"]), "not the ARN of a SageMaker domain"),
        ("mode", json!("deny"), "is not one of grant, guard, both"),
        ("user_profile", json!("${username}"), "not a policy variable"),
        ("exempt_principal_arns", json!(["arn:aws:sts::123456789012:assumed-role/a/b"]), "the ARN of a session"),
        ("endpoint_policies", json!({ "studio": "vpce-0123456789abcdef0" }), "There is no VPC endpoint"),
        ("endpoint_policies", json!({ "studio": ground.api }), "is an endpoint for com.amazonaws"),
        ("endpoint_policies", json!({ "runtime": ground.api }), "is not one of studio, sagemaker.api"),
        ("attach_to", json!({ "roles": ["arn:aws:iam::123456789012:role/r"] }), "Give the name of a role"),
        ("name", json!("two words"), "is not the name of a policy"),
        ("path", json!("studio"), "is not a path"),
    ] {
        let policy = Policy::new(&ground).with(name, value);
        let text = in_one_line(&Workspace::with(&ground.account, &policy.hcl()).plan_expect_error());
        let shown = if name == "attach_to" { "Invalid roles" } else { name };
        assert!(text.contains(shown) && text.contains(said), "{name}, {said}: {text}");
    }
    assert_eq!(ground.account.changes(), before);
}

#[test]
fn a_policy_that_an_endpoint_has_already_is_not_replaced_silently() {
    let ground = Ground::new(Account::new());
    let own = json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Principal": "*", "Action": "sagemaker:*", "Resource": "*" } });
    let modify = ground.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(&ground.studio);
    ground.outside.run(modify.policy_document(own.to_string()).send());
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    let text = in_one_line(&workspace.plan().text);
    assert!(text.contains("The endpoint's policy will be replaced"), "{text}");
    assert_eq!(text.matches("will be replaced").count(), 1, "the other endpoint has full access: {text}");
    workspace.apply();
    assert!(!workspace.plan().text.contains("will be replaced"));
}
