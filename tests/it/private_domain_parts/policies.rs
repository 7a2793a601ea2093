//! Endpoint policies: compared by meaning, repaired, and reset.

use serde_json::{Value as Json, json};

use super::{Made, text};
use crate::emulator::Account;
use crate::said::{assert_said, in_one_line};

/// A policy that lets these actions through, as a value of `policies`.
fn only(actions: &[&str]) -> Json {
    let statement = json!({ "Sid": "Only", "Effect": "Allow", "Principal": "*", "Action": actions, "Resource": "*" });
    json!(json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string())
}

fn with_policies(made: &Made, policies: Json) -> Json {
    json!({ "policies": policies, "s3_gateway_route_table_ids": [made.network.route_table_id] })
}

/// The policy that EC2 shows.
fn shown(made: &Made, service: &str) -> Json {
    let describe = made.outside.ec2().describe_vpc_endpoints().vpc_endpoint_ids(made.endpoint(service));
    let found = made.outside.run(describe.send());
    let policy = found.vpc_endpoints()[0].policy_document().expect("it has one");
    serde_json::from_str(policy).expect("a policy is JSON")
}

fn is_full_access(policy: &Json) -> bool {
    let statement = &policy["Statement"][0];
    statement["Action"] == "*" && statement["Resource"] == "*" && statement["Effect"] == "Allow"
}

fn set_outside(made: &Made, service: &str, policy: &str) {
    let modify = made.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(made.endpoint(service));
    made.outside.run(modify.policy_document(policy).send());
}

#[test]
fn a_policy_is_what_it_means_not_how_it_is_spelt() {
    let mut made = Made::with(json!({}));
    let policies = json!({ "sagemaker.api": only(&["sagemaker:*", "sts:*"]), "s3_gateway": only(&["s3:GetObject"]) });
    let endpoints = with_policies(&made, policies);
    made.change(
        "endpoints",
        endpoints,
        &["endpoint_ids", "endpoints.policies", "endpoints.s3_gateway_route_table_ids"],
    );
    assert_eq!(shown(&made, "sagemaker.api")["Statement"][0]["Action"], json!(["sagemaker:*", "sts:*"]));
    assert_eq!(shown(&made, "s3_gateway")["Statement"][0]["Action"], json!(["s3:GetObject"]));

    let reordered = r#"{"Statement": {"Action": ["STS:*", "sagemaker:*"], "Effect": "Allow", "Principal": {"AWS": "*"},
        "Resource": ["*"], "Sid": "Only"}, "Version": "2012-10-17"}"#;
    made.set(
        "endpoints",
        with_policies(&made, json!({ "sagemaker.api": reordered, "s3_gateway": only(&["s3:GetObject"]) })),
    );
    made.workspace.plan().assert_empty();
    set_outside(&made, "sagemaker.api", reordered);
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn a_policy_is_changed_alone_repaired_and_taken_back() {
    let mut made = Made::with(json!({}));
    let endpoints = |made: &Made, api: &[&str]| {
        with_policies(made, json!({ "sagemaker.api": only(api), "s3_gateway": only(&["s3:GetObject"]) }))
    };
    made.set("endpoints", endpoints(&made, &["sagemaker:*"]));
    made.workspace.apply();
    made.change("endpoints", endpoints(&made, &["sagemaker:*", "sts:*"]), &["endpoints.policies.sagemaker.api"]);
    assert_eq!(shown(&made, "s3_gateway")["Statement"][0]["Action"], json!(["s3:GetObject"]), "it is as it was");
    made.assert_imports();

    for service in ["sagemaker.api", "s3_gateway"] {
        set_outside(&made, service, &text(&only(&["*"])));
        let plan = made.workspace.plan();
        let path = format!("endpoints.policies.{service}");
        plan.assert_updates(&[&path]);
        assert!(text(&plan.change().before["endpoints"]["policies"][service]).contains("\"*\""), "{}", plan.text);
        made.assert_changes(&[&path]);
    }

    made.change(
        "endpoints",
        with_policies(&made, json!({})),
        &["endpoints.policies.s3_gateway", "endpoints.policies.sagemaker.api"],
    );
    for service in ["sagemaker.api", "s3_gateway"] {
        assert!(is_full_access(&shown(&made, service)), "{service}: {}", shown(&made, service));
    }
    set_outside(&made, "sagemaker.api", &text(&only(&["sagemaker:*"])));
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn a_policy_that_cannot_be_is_refused_before_anything_is_asked() {
    let network = Account::new().network();
    for (policies, needed) in [
        (json!({ "sts": only(&["sts:*"]) }), ["There is no endpoint for sts", "endpoints"]),
        (json!({ "s3_gateway": only(&["s3:*"]) }), ["There is no endpoint for s3_gateway", "endpoints"]),
        (json!({ "studio": "{ no JSON" }), ["Invalid policy for studio", "not a policy document"]),
        (json!({ "studio": "{\"Statement\": 1}" }), ["Invalid policy for studio", "not a policy document"]),
    ] {
        let made = Made::planned(Account::new(), network.clone(), json!({ "endpoints": { "policies": policies } }));
        assert_said(&in_one_line(&made.workspace.plan_expect_error()), &needed);
        assert_eq!(made.account.calls().len(), 0, "validation asks AWS nothing");
    }
}

#[test]
fn a_policy_for_a_service_that_takes_none_is_refused_at_plan() {
    let services = json!(["studio", "sagemaker.api", "sagemaker.runtime", "appmesh-envoy-management"]);
    let mut made = Made::with(json!({ "endpoints": { "services": services } }));
    let wrong = json!({ "services": services, "policies": { "appmesh-envoy-management": only(&["*"]) } });
    let path = "endpoints.policies[\"appmesh-envoy-management\"]";
    made.assert_refused("endpoints", wrong, &["No policy for appmesh-envoy-management", "take no policy", path]);
    made.destroy();
}
