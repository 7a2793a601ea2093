//! Calls that fail, answers that are lost, runs that are killed.

use serde_json::json;

use super::{ADDRESS, Ground, Made, Policy, statements};
use crate::{emulator::Account, said::in_one_line, terraform::Workspace};

#[test]
fn a_name_that_is_taken_is_said_so_and_nothing_else_is_touched() {
    let ground = Ground::new(Account::new());
    let own = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Action": "*", "Resource": "*" }] });
    ground
        .outside
        .run(ground.outside.iam().create_policy().policy_name("presign").policy_document(own.to_string()).send());
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("Could not create the managed policy") && text.contains("or import the policy"), "{text}");
    assert_eq!(workspace.state().addresses(), [""; 0]);
    assert_eq!(ground.document(), own);
    assert_eq!(ground.attached(), [""; 0]);
    assert!(ground.is_full_access(&ground.studio));
}

#[test]
fn what_a_killed_run_made_is_taken_over() {
    let made = Made::new(Policy::whole);
    made.workspace.forget(ADDRESS);
    made.workspace.write(&Policy::whole(&made.ground).with("mode", json!("both")).hcl());
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.ground.account.count("CreatePolicy"), 1);
    assert_eq!(statements(&made.ground.document()).len(), 2);
    made.destroy();
}

#[test]
fn after_a_fault_in_any_step_destroy_leaves_nothing_and_the_next_apply_finishes() {
    let ground = Ground::new(Account::alone());
    for (service, operation) in [
        ("iam", "CreatePolicy"),
        ("iam", "GetPolicyVersion"),
        ("iam", "AttachRolePolicy"),
        ("iam", "AttachUserPolicy"),
        ("iam", "AttachGroupPolicy"),
        ("iam", "ListEntitiesForPolicy"),
        ("ec2", "ModifyVpcEndpoint"),
    ] {
        let refuse = || {
            let error = json!({ "code": "AccessDenied", "message": "not today", "status": 403 });
            ground.account.rules(json!([{ "service": service, "operation": operation, "error": error }]));
            let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
            let text = in_one_line(&workspace.apply_expect_error());
            assert!(text.contains("not today") && text.contains("Could not"), "{operation}: {text}");
            ground.account.rules(json!([]));
            workspace
        };
        let workspace = refuse();
        workspace.destroy();
        ground.assert_nothing_is_left();

        let workspace = refuse();
        if operation != "CreatePolicy" {
            assert!(workspace.state().is_tainted(ADDRESS), "{operation}");
            workspace.untaint(ADDRESS);
        }
        let before = ground.account.count("CreatePolicy");
        workspace.apply();
        workspace.plan().assert_empty();
        let made = ground.account.count("CreatePolicy") - before;
        assert_eq!(made, usize::from(operation == "CreatePolicy"), "{operation}");
        assert_eq!(ground.attached(), ["ana", "analyst", "data"], "{operation}");
        workspace.destroy();
        ground.assert_nothing_is_left();
    }
}

#[test]
fn a_failed_change_shows_what_still_holds_and_the_next_apply_finishes() {
    let ground = Ground::new(Account::alone());
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    workspace.apply();
    let before = workspace.state().values(ADDRESS)["policy_json"].clone();
    let error = json!({ "code": "AccessDenied", "message": "not today", "status": 403 });
    ground.account.rules(json!([{ "service": "iam", "operation": "CreatePolicyVersion", "error": error }]));
    let changed =
        Policy::whole(&ground).with("mode", json!("both")).with("attach_to", json!({ "roles": ["scientist"] }));
    workspace.write(&changed.hcl());
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("Could not update the managed policy"), "{text}");
    assert!(text.contains("Not started: attachment to role scientist"), "{text}");
    let values = workspace.state().values(ADDRESS);
    assert_eq!(values["policy_json"], before);
    assert_eq!(values["attach_to"]["roles"], json!([]), "the old one is gone, the new one not there");
    ground.account.rules(json!([]));
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(ground.attached(), ["scientist"]);
    workspace.destroy();
    ground.assert_nothing_is_left();
}

#[test]
fn what_iam_does_not_know_everywhere_yet_is_waited_for() {
    let ground = Ground::new(Account::alone());
    let unknown = json!({ "code": "NoSuchEntity", "message": "not seen yet", "status": 404 });
    ground.account.rules(json!([
        { "service": "iam", "operation": "GetPolicy", "nth": 1, "times": 2, "error": unknown },
        { "service": "iam", "operation": "AttachRolePolicy", "nth": 1, "times": 2, "error": unknown },
    ]));
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    workspace.apply();
    let unseen = |call: &&crate::emulator::Call| call.error.as_deref() == Some("NoSuchEntity");
    let refused = ground.account.calls().iter().filter(unseen).count();
    assert_eq!(refused, 4);
    workspace.plan().assert_empty();
    workspace.destroy();
    ground.assert_nothing_is_left();
}

#[test]
fn answers_that_are_lost_make_nothing_twice() {
    let ground = Ground::new(Account::alone());
    let lost = |operation: &str| json!([{ "service": "iam", "operation": operation, "nth": 1, "lose_answer": true }]);
    ground.account.rules(lost("CreatePolicy"));
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    workspace.apply();
    assert_eq!(ground.attached(), ["ana", "analyst", "data"]);

    // The version whose answer is lost takes the last place.
    let document = ground.document();
    for _ in 0..3 {
        ground.set_document(&document);
    }
    ground.account.rules(lost("CreatePolicyVersion"));
    workspace.write(&Policy::whole(&ground).with("mode", json!("both")).hcl());
    workspace.apply();
    workspace.plan().assert_empty();
    let refused = |call: &crate::emulator::Call| call.error.as_deref() == Some("LimitExceeded");
    assert!(ground.account.calls().iter().any(refused), "the second try found no room");
    ground.account.rules(json!([]));
    workspace.destroy();
    ground.assert_nothing_is_left();
}
