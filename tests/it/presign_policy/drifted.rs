//! What others change in AWS.

use serde_json::{Value as Json, json};

use super::{Ground, Made, Policy, parsed};
use crate::{emulator::Account, said::in_one_line, terraform::Workspace};

#[test]
fn another_spelling_of_the_same_policy_is_no_drift() {
    let made = Made::new(Policy::new);
    let mut document = made.ground.document();
    let statement = &mut document["Statement"][0];
    statement["Action"] = json!(["sagemaker:createpresigneddomainurl"]);
    let ids = &mut statement["Condition"]["StringNotEquals"]["aws:SourceVpce"];
    ids.as_array_mut().expect("there are two").reverse();
    made.ground.set_document(&document);
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn a_widened_policy_shows_and_is_put_right() {
    let made = Made::new(Policy::new);
    let before = made.values()["policy_json"].clone();
    let mut document = made.ground.document();
    let ids = &mut document["Statement"][0]["Condition"]["StringNotEquals"]["aws:SourceVpce"];
    ids.as_array_mut().expect("there are two").push(json!("vpce-0eeeeeeeeeeeeeeee"));
    made.ground.set_document(&document);
    let plan = made.workspace.plan();
    assert!(plan.change().before["policy_json"].to_string().contains("vpce-0eeeeeeeeeeeeeeee"));
    assert_eq!(plan.change().after["policy_json"], before);
    let found = plan.change().before["findings"].to_string();
    assert!(found.contains("let_in") && found.contains("aws:SourceVpce\\\":\\\"vpce-0eeeeeeeeeeeeeeee"), "{found}");
    made.assert_changes_only(&["policy_json"]);
    assert_eq!(made.ground.document(), parsed(&before));
    made.destroy();
}

#[test]
fn an_endpoint_policy_that_was_taken_away_is_set_again() {
    let made = Made::new(Policy::whole);
    let modify = made.ground.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(&made.ground.api);
    made.ground.outside.run(modify.reset_policy(true).send());
    made.assert_changes_only(&["endpoint_policy_json.sagemaker.api"]);
    assert!(!made.ground.is_full_access(&made.ground.api));
    made.destroy();
}

#[test]
fn a_lost_attachment_is_made_again_and_a_foreign_one_is_left_alone() {
    let made = Made::new(Policy::whole);
    let (iam, arn) = (made.ground.outside.iam(), made.ground.arn());
    made.ground.outside.run(iam.detach_user_policy().user_name("ana").policy_arn(&arn).send());
    made.ground.outside.run(iam.attach_role_policy().role_name("scientist").policy_arn(&arn).send());
    made.assert_changes_only(&["attach_to.users"]);
    assert_eq!(made.ground.attached(), ["ana", "analyst", "data", "scientist"]);

    // It keeps the policy from being deleted, and says so; what could go is gone.
    let text = in_one_line(&made.workspace.destroy_expect_error());
    assert!(text.contains("Could not delete the managed policy"), "{text}");
    assert!(text.contains("attached by others to role scientist"), "{text}");
    assert_eq!(made.ground.attached(), ["scientist"]);
    made.ground.outside.run(iam.detach_role_policy().role_name("scientist").policy_arn(&arn).send());
    made.destroy();
}

#[test]
fn a_tag_changed_by_hand_is_put_back() {
    let made = Made::new(Policy::whole);
    let tag = aws_sdk_iam::types::Tag::builder().key("team").value("other").build().expect("it is complete");
    made.ground.outside.run(made.ground.outside.iam().tag_policy().policy_arn(made.ground.arn()).tags(tag).send());
    made.assert_changes_only(&["tags.team", "tags_all.team"]);
    made.destroy();
}

#[test]
fn an_endpoint_that_is_gone_is_asked_for_in_the_configuration() {
    let made = Made::new(Policy::whole);
    let ground = &made.ground;
    ground.outside.run(ground.outside.ec2().delete_vpc_endpoints().vpc_endpoint_ids(&ground.api).send());
    let text = in_one_line(&made.workspace.plan_expect_error());
    assert!(text.contains("There is no VPC endpoint") && text.contains("endpoint_policies"), "{text}");
    made.workspace.write(&Policy::whole(ground).with("endpoint_policies", json!({ "studio": ground.studio })).hcl());
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.workspace.destroy();
}

#[test]
fn a_policy_that_was_deleted_is_planned_as_a_new_one() {
    let made = Made::new(Policy::new);
    made.ground.outside.run(made.ground.outside.iam().delete_policy().policy_arn(made.ground.arn()).send());
    assert_eq!(made.workspace.plan().change().actions, ["create"]);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn endpoint_policies_are_set_back_also_when_the_policy_was_deleted() {
    let made = Made::new(|ground| Policy::whole(ground).with("attach_to", Json::Null));
    let ground = &made.ground;
    ground.outside.run(ground.outside.iam().delete_policy().policy_arn(ground.arn()).send());
    let change = made.workspace.plan().change();
    assert_eq!(change.actions, ["update"]);
    assert_eq!(change.before["drift"], json!(["The managed policy is missing."]));
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.values()["arn"], json!(ground.arn()));
    ground.outside.run(ground.outside.iam().delete_policy().policy_arn(ground.arn()).send());
    assert!(!ground.is_full_access(&ground.studio));
    made.destroy();
}

#[test]
fn a_role_with_ten_policies_already_is_said_so() {
    let ground = Ground::new(Account::new());
    let iam = ground.outside.iam();
    let own =
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Action": "s3:*", "Resource": "*" }] });
    for number in 0..10 {
        let create = iam.create_policy().policy_name(format!("other-{number}")).policy_document(own.to_string());
        let arn = ground.outside.run(create.send()).policy.and_then(|policy| policy.arn).expect("it has one");
        ground.outside.run(iam.attach_role_policy().role_name("analyst").policy_arn(arn).send());
    }
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("Could not attach the policy to role analyst"), "{text}");
    assert!(text.contains("Detach one from role analyst that is not needed"), "{text}");
    workspace.destroy();
    assert_eq!(ground.attached_to("analyst"), 10, "what others attached stays");
}

#[test]
fn an_endpoint_whose_policy_a_private_domain_sets_is_refused() {
    let ground = Ground::new(Account::new());
    let own = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "sagemaker:*", "Resource": "*" }] });
    let ec2 = ground.outside.ec2();
    ground.outside.run(ec2.modify_vpc_endpoint().vpc_endpoint_id(&ground.api).policy_document(own.to_string()).send());
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    assert!(workspace.plan().text.contains("The endpoint's policy will be replaced"), "by nobody in particular");

    let tag = |key: &str, value: &str| aws_sdk_ec2::types::Tag::builder().key(key).value(value).build();
    let tags = ec2.create_tags().resources(&ground.api);
    let tags = tags.tags(tag("terraform-provider-studio:owner", "someone"));
    ground.outside.run(tags.tags(tag("terraform-provider-studio:part", "endpoint/sagemaker.api")).send());
    let text = in_one_line(&workspace.plan_expect_error());
    assert!(text.contains("Two resources would set the endpoint's policy"), "{text}");
    assert!(text.contains("endpoints.policies of studio_private_domain"), "{text}");
    ground.outside.run(ec2.modify_vpc_endpoint().vpc_endpoint_id(&ground.api).reset_policy(true).send());
    workspace.apply();
    workspace.destroy();
    ground.assert_nothing_is_left();
}

#[test]
fn an_endpoint_policy_that_others_have_taken_charge_of_is_left_to_them() {
    let made = Made::new(Policy::whole);
    let ground = &made.ground;
    let own = json!({ "Version": "2012-10-17", "Statement": { "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" } });
    let modify = ground.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(&ground.studio);
    ground.outside.run(modify.policy_document(own.to_string()).send());
    made.workspace.destroy_without_a_look();
    assert!(!ground.is_full_access(&ground.studio) && ground.is_full_access(&ground.api));
}
