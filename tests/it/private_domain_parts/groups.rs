//! Security groups: the user's own and ours, rules by hand, and interfaces that take their time to go.

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, UserIdGroupPair};
use serde_json::{Value as Json, json};

use super::{Made, text};
use crate::emulator::{Account, Outside};

/// A security group of the user's own.
pub fn group(outside: &Outside, vpc_id: &str, name: &str) -> String {
    let create = outside.ec2().create_security_group().vpc_id(vpc_id).group_name(name).description(name);
    outside.run(create.send()).group_id().expect("it has an id").to_owned()
}

/// The groups of an endpoint.
fn groups_of(made: &Made, service: &str) -> Vec<String> {
    let describe = made.outside.ec2().describe_vpc_endpoints().vpc_endpoint_ids(made.endpoint(service));
    let found = made.outside.run(describe.send());
    found.vpc_endpoints()[0].groups().iter().filter_map(|group| group.group_id().map(str::to_owned)).collect()
}

fn tcp(from: i32, to: i32) -> aws_sdk_ec2::types::builders::IpPermissionBuilder {
    IpPermission::builder().ip_protocol("tcp").from_port(from).to_port(to)
}

#[test]
fn the_users_own_groups_take_the_place_of_ours_and_give_it_back() {
    let account = Account::new();
    let network = account.network();
    let own = group(&account.outside(), &network.vpc_id, "own");
    account.keep_everything();
    let ranges = json!(["192.168.10.0/24"]);
    let mut made = Made::of(account, network, json!({ "client_cidr_blocks": ranges }));
    let ids = made.values()["endpoint_ids"].clone();

    made.set("client_cidr_blocks", Json::Null);
    let paths = ["client_cidr_blocks", "endpoint_security_group_id", "endpoints.security_group_ids"];
    made.change("endpoints", json!({ "security_group_ids": [own] }), &paths);
    assert_eq!(groups_of(&made, "studio"), std::slice::from_ref(&own));
    assert!(made.values()["endpoint_security_group_id"].is_null());
    made.assert_imports();

    let modify = made.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(made.endpoint("studio"));
    let default = &made.network.default_security_group_id;
    made.outside.run(modify.add_security_group_ids(default).remove_security_group_ids(&own).send());
    let told = format!(
        "The VPC endpoint for studio lacks the security groups {own}, and has beside its own the security groups {default}."
    );
    made.assert_drift(&[&told]);

    made.set("client_cidr_blocks", ranges);
    made.change("endpoints", json!({}), &paths);
    assert_eq!(groups_of(&made, "studio"), [made.text("endpoint_security_group_id")]);
    assert_eq!(made.values()["endpoint_ids"], ids);
    made.destroy();
}

#[test]
fn ipv6_clients_are_let_in_beside_ipv4_ones() {
    let mut made = Made::with(json!({ "client_cidr_blocks": ["192.168.10.0/24", "FD00:12::/32"] }));
    made.change("client_cidr_blocks", json!(["192.168.10.0/24", "fd00:34::/32"]), &["client_cidr_blocks"]);
    made.assert_imports();
    let group = made.text("endpoint_security_group_id");
    let more = tcp(443, 443).ipv6_ranges(Ipv6Range::builder().cidr_ipv6("fd99::/16").build()).build();
    made.outside.run(made.outside.ec2().authorize_security_group_ingress().group_id(group).ip_permissions(more).send());
    let plan = made.workspace.plan();
    assert!(plan.change().before["client_cidr_blocks"].to_string().contains("fd99::/16"), "{}", plan.text);
    made.assert_changes(&["client_cidr_blocks"]);
    made.destroy();
}

#[test]
fn each_rule_by_hand_is_told_and_taken_out_and_each_missing_one_put_back() {
    let made = Made::with(json!({ "client_cidr_blocks": ["192.168.10.0/24"] }));
    let ec2 = made.outside.ec2();
    let (endpoints, apps) = (made.text("endpoint_security_group_id"), made.text("domain_security_group_id"));
    let ssh = tcp(22, 22).ip_ranges(IpRange::builder().cidr_ip("10.1.0.0/16").build()).build();
    let open = tcp(8443, 8443).ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build()).build();
    let both = vec![ssh, open];
    made.outside.run(ec2.authorize_security_group_ingress().group_id(&endpoints).set_ip_permissions(Some(both)).send());
    let nfs = tcp(2049, 2049).user_id_group_pairs(UserIdGroupPair::builder().group_id(&apps).build()).build();
    made.outside.run(ec2.revoke_security_group_ingress().group_id(&apps).ip_permissions(nfs).send());

    let plan = made.workspace.plan();
    plan.assert_updates(&["drift"]);
    let drift = plan.change().before["drift"].clone();
    let told: Vec<String> = drift.as_array().expect("it is a list").iter().map(text).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("security group of the domain lacks the rules") && told[0].contains("2049"), "{told:?}");
    for said in
        ["security group of the endpoints has beside its own the rules", "22", "10.1.0.0/16", "8443", "0.0.0.0/0"]
    {
        assert!(told[1].contains(said), "{said}: {told:?}");
    }
    made.assert_changes(&["drift"]);
    made.destroy();
}

#[test]
fn groups_are_deleted_once_the_interfaces_that_have_them_are_gone() {
    let made = Made::alone_with(json!({ "client_cidr_blocks": ["192.168.10.0/24"] }));
    made.account.pace(json!({ "ec2:vpc-endpoint:detaching": 1.5, "sagemaker:domain:detaching": 2.5 }));
    made.workspace.destroy();
    let refused = made.account.calls().into_iter().filter(|call| call.operation == "DeleteSecurityGroup");
    let refused = refused.filter(|call| call.error.as_deref() == Some("DependencyViolation")).count();
    assert!(refused > 1, "the groups were in use for a while");
    made.account.assert_nothing_is_left();
}
