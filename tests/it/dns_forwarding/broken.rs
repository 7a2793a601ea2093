//! Calls that fail, answers that are lost, runs that are stopped or killed.

use aws_sdk_route53resolver::types::Tag;
use serde_json::{Value as Json, json};

use super::{ADDRESS, Forwarding, Made, assert_updates};
use crate::{emulator::Account, said::in_one_line, terraform::Workspace};

fn refused(operation: &str) -> Json {
    let error = json!({ "code": "InvalidRequestException", "message": "no more", "status": 400 });
    json!([{ "service": "route53resolver", "operation": operation, "nth": 1, "error": error }])
}

#[test]
fn a_creation_that_failed_is_recorded_and_can_be_continued() {
    let account = Account::alone();
    let network = account.network();
    let workspace = Workspace::with(&account, &Forwarding::new(&network).hcl());
    account.rules(refused("CreateResolverEndpoint"));
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("Could not create the inbound endpoint"), "{text}");
    assert!(text.contains("These parts exist and are recorded: security group sg-"), "{text}");
    assert!(workspace.state().is_tainted(ADDRESS));
    workspace.untaint(ADDRESS);
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(account.count("CreateSecurityGroup"), 1);
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn a_quota_that_is_used_up_is_told_of_at_once() {
    let account = Account::alone();
    let network = account.network();
    let workspace = Workspace::with(&account, &Forwarding::new(&network).hcl());
    let error = json!({ "code": "LimitExceededException", "message": "4 endpoints are there", "status": 400 });
    account.rules(json!([{ "service": "route53resolver", "operation": "CreateResolverEndpoint", "error": error }]));
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("4 endpoints are there"), "{text}");
    let tried = account.calls().iter().filter(|call| call.operation == "CreateResolverEndpoint").count();
    assert_eq!(tried, 1);
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn a_creation_that_failed_can_be_destroyed_or_made_anew() {
    let account = Account::alone();
    let network = account.network();
    let workspace = Workspace::with(&account, &Forwarding::new(&network).hcl());
    account.rules(refused("CreateResolverEndpoint"));
    workspace.apply_expect_error();
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
    account.rules(refused("CreateResolverEndpoint"));
    workspace.apply_expect_error();
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn addresses_that_fail_while_the_endpoint_is_made_are_repaired() {
    let account = Account::alone();
    let network = account.network();
    let addresses = json!([
        { "subnet_id": network.subnet_ids[0], "ip": "10.0.0.10" },
        { "subnet_id": network.subnet_ids[1], "ip": "10.0.1.10" },
    ]);
    let config = Forwarding::new(&network).with("subnet_ids", Json::Null).with("ip_addresses", addresses);
    let workspace = Workspace::with(&account, &config.hcl());
    account.rules(json!([
        { "service": "route53resolver", "operation": "CreateResolverEndpoint", "nth": 1, "fail": "no capacity" }
    ]));
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("10.0.0.10") && text.contains("no capacity"), "{text}");
    workspace.untaint(ADDRESS);
    assert_updates(&workspace.plan(), &["drift"]);
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(workspace.state().values(ADDRESS)["inbound_ips"], json!(["10.0.0.10", "10.0.1.10"]));
    assert_eq!(account.count("CreateResolverEndpoint"), 1);
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn a_change_that_failed_in_the_middle_is_seen_as_it_is_and_finished_by_the_next() {
    let mut made = Made::alone();
    let subnets = made.network.subnet_ids.clone();
    made.config = made.config.with("subnet_ids", json!([subnets[2], subnets[1]]));
    made.workspace.write(&made.config.hcl());
    made.account.rules(refused("DisassociateResolverEndpointIpAddress"));
    let text = in_one_line(&made.workspace.apply_expect_error());
    assert!(text.contains("Could not update the addresses of the inbound endpoint"), "{text}");
    assert_eq!(made.values()["subnet_ids"], json!([subnets[2], subnets[1], subnets[0]]));
    made.assert_changes_only(&["forwarder_configs", "inbound_ips", "subnet_ids"]);
    assert_eq!(made.account.count("AssociateResolverEndpointIpAddress"), 1);
    made.destroy();
}

#[test]
fn a_lost_answer_makes_nothing_twice() {
    let account = Account::alone();
    let network = account.network();
    let workspace = Workspace::with(&account, &Forwarding::new(&network).hcl());
    account.rules(json!([
        { "service": "ec2", "operation": "CreateSecurityGroup", "nth": 1, "lose_answer": true },
        { "service": "route53resolver", "operation": "CreateResolverEndpoint", "nth": 1, "lose_answer": true },
    ]));
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn an_interrupted_creation_is_recorded_and_can_be_continued() {
    let account = Account::alone();
    let network = account.network();
    let workspace = Workspace::with(&account, &Forwarding::new(&network).hcl());
    account.pace(json!({ "route53resolver:ip": 3 }));
    workspace.apply_interrupted(|| account.count("CreateResolverEndpoint") == 1);
    account.pace(json!({}));
    assert_eq!(workspace.state().addresses(), [ADDRESS]);
    workspace.untaint(ADDRESS);
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(account.count("CreateResolverEndpoint"), 1);
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn what_a_killed_run_left_behind_is_taken_over_and_what_another_one_uses_is_not() {
    let made = Made::new();
    let (id, arn) = (made.text("id"), made.text("arn"));
    let part = Tag::builder().key("terraform-provider-studio:part").value("inbound-endpoint/in-the-making").build();
    let part = part.expect("it is complete");
    made.outside.run(made.outside.route53resolver().tag_resource().resource_arn(arn).tags(part).send());
    made.workspace.forget(ADDRESS);
    made.workspace.apply();
    assert_eq!(made.text("id"), id);
    assert_eq!(made.account.count("CreateResolverEndpoint"), 1);
    made.workspace.plan().assert_empty();

    let second = Workspace::with(&made.account, &made.config.hcl());
    second.apply();
    assert_ne!(second.state().values(ADDRESS)["id"], json!(id), "a finished endpoint belongs to somebody");
    second.destroy();
    made.workspace.plan().assert_empty();
    made.destroy();
}
