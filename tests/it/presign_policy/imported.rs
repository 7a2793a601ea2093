//! Policies that exist, brought into a state.

use serde_json::json;

use super::{ADDRESS, Ground, Made, Policy, codes};
use crate::{emulator::Account, terraform::Workspace};

#[test]
fn an_imported_policy_needs_no_change() {
    let made = Made::new(|ground| {
        Policy::whole(ground).with("mode", json!("both")).with(
            "allowed",
            json!([{ "source_cidr_blocks": ["203.0.113.0/24"] }, { "vpc_endpoint_ids": [ground.studio, ground.api] }]),
        )
    });
    let mut before = made.values();
    made.workspace.forget(ADDRESS);
    made.workspace.import(ADDRESS, &made.ground.arn());
    let mut after = made.values();
    // Findings name paths by their place.
    before["findings"] = codes(&before);
    after["findings"] = codes(&after);
    // The order of the paths has no meaning; what is recovered has the order of the document.
    let mut paths = after["allowed"].as_array().expect("it is a list").clone();
    paths.sort_by_key(|path| path["source_cidr_blocks"].is_null());
    after["allowed"] = json!(paths);
    assert_eq!(after, before);
    made.destroy();
}

#[test]
fn an_imported_guard_with_one_path_needs_no_change_at_all() {
    let made = Made::new(Policy::whole);
    made.workspace.forget(ADDRESS);
    made.workspace.import(ADDRESS, &made.ground.arn());
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn a_policy_of_somebody_else_is_imported_as_it_is_and_the_plan_shows_the_change() {
    let ground = Ground::new(Account::new());
    let own = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Action": "sagemaker:CreatePresignedDomainUrl", "Resource": "*" }] });
    let create = ground.outside.iam().create_policy().policy_name("presign");
    ground.outside.run(create.policy_document(own.to_string()).send());
    let workspace = Workspace::with(&ground.account, &Policy::new(&ground).hcl());
    workspace.import(ADDRESS, &ground.arn());
    let values = workspace.state().values(ADDRESS);
    assert!(values["domain_arns"].is_null() && values["mode"].is_null());
    assert!(values["policy_json"].as_str().is_some_and(|json| json.contains("\"Resource\":\"*\"")), "{values}");
    let change = workspace.plan().change();
    assert_eq!(change.actions, ["update"]);
    assert!(change.paths().contains(&"policy_json".to_owned()));
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
    ground.assert_nothing_is_left();
}

#[test]
fn an_arn_of_nothing_is_not_imported() {
    let ground = Ground::new(Account::new());
    let workspace = Workspace::with(&ground.account, &Policy::new(&ground).hcl());
    let text = workspace.import_expect_error(ADDRESS, &ground.arn());
    assert!(text.contains("There is nothing to import"), "{text}");
    for wrong in ["presign", "arn:aws:iam::aws:policy/ReadOnlyAccess"] {
        let text = workspace.import_expect_error(ADDRESS, wrong);
        assert!(text.contains("Invalid import id"), "{text}");
    }
}
