//! What others change in AWS.

use aws_sdk_route53resolver::types::{IpAddressUpdate, Tag};

use super::{Made, assert_updates, dns};
use crate::terraform::wait_until;

#[test]
fn an_endpoint_that_was_deleted_is_planned_as_a_new_one_and_its_group_is_taken_over() {
    let made = Made::new();
    let delete = made.outside.route53resolver().delete_resolver_endpoint().resolver_endpoint_id(made.text("id"));
    made.outside.run(delete.send());
    let exists = || made.account.leftovers().iter().any(|left| left["kind"] == "route53resolver:endpoint");
    wait_until("the endpoint is gone", || !exists());
    assert_eq!(made.workspace.plan().change().actions, ["create"]);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.account.count("CreateSecurityGroup"), 1);
    made.destroy();
}

#[test]
fn an_address_that_was_removed_comes_back() {
    let made = Made::with(|config| config.clone());
    let resolver = made.outside.route53resolver();
    let more = IpAddressUpdate::builder().subnet_id(&made.network.subnet_ids[2]).build();
    let add = resolver.associate_resolver_endpoint_ip_address().resolver_endpoint_id(made.text("id"));
    made.outside.run(add.ip_address(more).send());
    wait_until("the third address is there", || made.addresses().len() == 3);
    made.wait_until_at_rest();
    let gone = made.addresses()[0].ip_id.clone();
    let gone = IpAddressUpdate::builder().set_ip_id(gone).build();
    let remove = resolver.disassociate_resolver_endpoint_ip_address().resolver_endpoint_id(made.text("id"));
    made.outside.run(remove.ip_address(gone).send());
    wait_until("an address is gone", || made.addresses().len() == 2);
    made.wait_until_at_rest();
    made.assert_changes_only(&["forwarder_configs", "inbound_ips", "subnet_ids"]);
    made.destroy();
}

#[test]
fn a_client_range_opened_by_hand_is_closed_again() {
    let made = Made::new();
    let open = made.outside.ec2().authorize_security_group_ingress().group_id(made.text("security_group_id"));
    made.outside.run(open.ip_permissions(dns("udp", "10.99.0.0/16")).send());
    assert_updates(&made.workspace.plan(), &["client_cidr_blocks", "drift"]);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn a_client_range_closed_by_hand_is_opened_again() {
    let made = Made::new();
    for protocol in ["tcp", "udp"] {
        let shut = made.outside.ec2().revoke_security_group_ingress().group_id(made.text("security_group_id"));
        made.outside.run(shut.ip_permissions(dns(protocol, "192.168.10.0/24")).send());
    }
    made.assert_changes_only(&["client_cidr_blocks"]);
    made.destroy();
}

#[test]
fn one_rule_that_was_removed_is_named_and_put_back() {
    let made = Made::new();
    let shut = made.outside.ec2().revoke_security_group_ingress().group_id(made.text("security_group_id"));
    made.outside.run(shut.ip_permissions(dns("udp", "192.168.10.0/24")).send());
    let plan = made.workspace.plan();
    assert_updates(&plan, &["drift"]);
    assert!(plan.change().before["drift"].to_string().contains("udp 53"), "{}", plan.change().before["drift"]);
    made.assert_changes_only(&["drift"]);
    made.destroy();
}

#[test]
fn what_was_renamed_or_tagged_by_hand_is_put_back() {
    let made = Made::new();
    let resolver = made.outside.route53resolver();
    made.outside.run(resolver.update_resolver_endpoint().resolver_endpoint_id(made.text("id")).name("hand").send());
    made.wait_until_at_rest();
    made.assert_changes_only(&["name"]);
    let tag = Tag::builder().key("more").value("x").build().expect("it is complete");
    made.outside.run(resolver.tag_resource().resource_arn(made.text("arn")).tags(tag).send());
    made.assert_changes_only(&["tags.more", "tags_all.more"]);
    made.destroy();
}
