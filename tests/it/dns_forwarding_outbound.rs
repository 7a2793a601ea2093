//! The half of `studio_dns_forwarding` inside AWS: outbound endpoint, rules, associations, share.

use aws_sdk_route53resolver::types::{
    IpAddressUpdate, ResolverRule, ResolverRuleAssociation, ResolverRuleConfig, Tag, TargetAddress,
};
use serde_json::{Value as Json, json};

use crate::{
    dns_forwarding::{ADDRESS, Forwarding, assert_updates},
    emulator::{Account, Network, Outside, REGION},
    said::in_one_line,
    terraform::{Workspace, wait_until},
};

/// Four VPCs: that of the inbound endpoint, that of the outbound one, one that resolves through both, and a spare one.
pub struct Made {
    pub account: Account,
    pub inbound: Network,
    pub outbound: Network,
    pub client: Network,
    pub spare: Network,
    pub workspace: Workspace,
    pub outside: Outside,
    pub config: Forwarding,
    pub half: Json,
}

impl Made {
    pub fn new() -> Self {
        let made = Self::prepared(Account::new());
        made.workspace.apply();
        made
    }

    pub fn prepared(account: Account) -> Self {
        let [inbound, outbound, client, spare] = [(); 4].map(|()| account.network());
        let half = json!({
            "vpc_id": outbound.vpc_id,
            "subnet_ids": outbound.subnet_ids[..2],
            "vpc_ids": [client.vpc_id],
            "share_with": ["400000000001"],
        });
        let config = Forwarding::new(&inbound).with("outbound", half.clone());
        let workspace = Workspace::with(&account, &config.hcl());
        let outside = account.outside();
        Made { account, inbound, outbound, client, spare, workspace, outside, config, half }
    }

    pub fn values(&self) -> Json {
        self.workspace.state().values(ADDRESS)
    }

    pub fn text(&self, name: &str) -> String {
        self.values()[name].as_str().unwrap_or_else(|| panic!("{name} is not text")).to_owned()
    }

    /// Another configuration; exactly these attributes change, in place, and then nothing is left to do.
    pub fn change(&mut self, name: &str, value: Json, paths: &[&str]) {
        self.config = self.config.with(name, value);
        self.workspace.write(&self.config.hcl());
        self.assert_changes_only(paths);
    }

    /// The same for an attribute of `outbound`.
    pub fn change_half(&mut self, name: &str, value: Json, paths: &[&str]) {
        match value {
            Json::Null => self.half.as_object_mut().expect("it is an object").remove(name),
            value => self.half.as_object_mut().expect("it is an object").insert(name.to_owned(), value),
        };
        self.change("outbound", self.half.clone(), paths);
    }

    fn assert_changes_only(&self, paths: &[&str]) {
        assert_updates(&self.workspace.plan(), paths);
        self.workspace.apply();
        self.workspace.plan().assert_empty();
    }

    /// A look finds exactly this to differ, and the next apply repairs it.
    pub fn assert_repaired(&self, said: &str) {
        let plan = self.workspace.plan();
        let before = plan.change().before["drift"].to_string();
        assert!(before.contains(said), "{said}: {before}");
        self.workspace.apply();
        self.workspace.plan().assert_empty();
    }

    /// The rules of the account, by zone.
    pub fn rules(&self) -> Vec<ResolverRule> {
        let rules = self.outside.run(self.outside.route53resolver().list_resolver_rules().send()).resolver_rules;
        let mut rules: Vec<_> =
            rules.unwrap_or_default().into_iter().filter(|rule| rule.target_ips.is_some()).collect();
        rules.sort_by(|one, other| one.domain_name.cmp(&other.domain_name));
        rules
    }

    pub fn targets(&self) -> Vec<Vec<String>> {
        let targets = |rule: ResolverRule| {
            let mut ips: Vec<_> = rule.target_ips.unwrap_or_default().into_iter().filter_map(|one| one.ip).collect();
            ips.sort();
            ips
        };
        self.rules().into_iter().map(targets).collect()
    }

    pub fn inbound_ips(&self) -> Vec<String> {
        let ips = self.values()["inbound_ips"].as_array().expect("it is a list").clone();
        let mut ips: Vec<_> = ips.iter().filter_map(Json::as_str).map(str::to_owned).collect();
        ips.sort();
        ips
    }

    fn associations(&self) -> Vec<ResolverRuleAssociation> {
        let list = self.outside.route53resolver().list_resolver_rule_associations();
        self.outside.run(list.send()).resolver_rule_associations.unwrap_or_default()
    }

    pub fn principals(&self) -> Vec<String> {
        let kind = aws_sdk_ram::types::ResourceShareAssociationType::Principal;
        let list = self.outside.ram().get_resource_share_associations().association_type(kind);
        let links = self.outside.run(list.send()).resource_share_associations.unwrap_or_default();
        let active = links.into_iter().filter(|link| link.status.as_ref().is_some_and(|s| s.as_str() == "ASSOCIATED"));
        let mut found: Vec<_> = active.filter_map(|link| link.associated_entity).collect();
        found.sort();
        found
    }

    pub fn destroy(self) {
        self.workspace.destroy();
        self.account.assert_nothing_is_left();
    }
}

fn zones() -> [String; 2] {
    [format!("studio.{REGION}.sagemaker.aws"), format!("studio.sagemaker.{REGION}.app.aws")]
}

// ---- Made and destroyed ----

#[test]
fn both_halves_are_made_in_order_and_destroyed_the_other_way() {
    let made = Made::new();
    made.workspace.plan().assert_empty();
    let values = made.values();
    let ids = values["rule_ids"].as_object().expect("it is a map");
    assert_eq!(ids.len(), 2);
    assert!(zones().iter().all(|zone| ids.contains_key(zone)), "{ids:?}");
    let rules = made.rules();
    assert!(rules.iter().all(|rule| ids.values().any(|id| id.as_str() == rule.id.as_deref())), "{rules:?}");
    assert!(made.targets().iter().all(|targets| *targets == made.inbound_ips()), "{rules:?}");
    assert!(rules.iter().all(|rule| rule.resolver_endpoint_id.as_deref() == values["outbound_endpoint_id"].as_str()));
    let on_client = |one: &ResolverRuleAssociation| one.vpc_id.as_deref() == Some(&made.client.vpc_id);
    assert_eq!(made.associations().iter().filter(|one| on_client(one)).count(), 2);
    assert_eq!(made.principals(), ["400000000001"]);
    assert!(values["resource_share_arn"].is_string() && values["outbound_security_group_id"].is_string());

    let before = made.account.changes().len();
    made.workspace.destroy();
    let gone = made.account.changes()[before..].to_vec();
    let first = |operation: &str| gone.iter().position(|one| one.ends_with(operation)).expect("it was called");
    let last = |operation: &str| gone.iter().rposition(|one| one.ends_with(operation)).expect("it was called");
    assert!(last(" DeleteResourceShare") < first(" DeleteResolverRule"), "{gone:?}");
    assert!(last(" DisassociateResolverRule") < first(" DeleteResolverRule"), "{gone:?}");
    assert!(last(" DeleteResolverRule") < first(" DeleteResolverEndpoint"), "{gone:?}");
    made.account.assert_nothing_is_left();
}

#[test]
fn an_account_that_uses_a_shared_rule_does_not_keep_it_from_going() {
    let made = Made::new();
    // A share that is in force at the end of an apply can be used at once.
    let other = Account::new();
    let their_vpc = other.network();
    let mut made = made;
    made.change_half("share_with", json!(["400000000001", other.id]), &["outbound.share_with"]);
    let theirs = other.outside();
    let rule = made.rules()[0].id.clone();
    let associate = theirs.route53resolver().associate_resolver_rule().set_resolver_rule_id(rule);
    theirs.run(associate.vpc_id(&their_vpc.vpc_id).send());
    made.destroy();
    other.assert_nothing_is_left();
}

// ---- Changed ----

#[test]
fn each_attribute_of_the_outbound_half_changes_alone_and_in_place() {
    let mut made = Made::new();
    let inbound = made.text("id");
    let more = made.spare.clone();
    let subnets = made.outbound.subnet_ids.clone();
    made.change_half("subnet_ids", json!([subnets[0], subnets[2]]), &["outbound.subnet_ids"]);
    let fixed = json!([{ "subnet_id": subnets[0], "ip": "10.0.0.20" }, { "subnet_id": subnets[1], "ip": "10.0.1.20" }]);
    made.half.as_object_mut().expect("it is an object").remove("subnet_ids");
    made.change_half("ip_addresses", fixed, &["outbound.ip_addresses", "outbound.subnet_ids"]);
    made.change_half("vpc_ids", json!([made.client.vpc_id, more.vpc_id]), &["outbound.vpc_ids"]);
    assert_eq!(made.associations().len(), 4);
    made.change_half("vpc_ids", json!([more.vpc_id]), &["outbound.vpc_ids"]);
    assert_eq!(made.associations().len(), 2);
    made.change_half("vpc_ids", Json::Null, &["outbound.vpc_ids"]);
    made.change_half("target_ips", json!(["192.168.1.53"]), &["outbound.target_ips"]);
    assert_eq!(made.targets(), [["192.168.1.53"], ["192.168.1.53"]]);
    made.change_half("target_ips", Json::Null, &["outbound.target_ips"]);
    assert_eq!(made.targets()[0], made.inbound_ips());
    let unit = "arn:aws:organizations::111111111111:ou/o-abc/ou-abc-def";
    made.change_half("share_with", json!(["400000000002", unit]), &["outbound.share_with"]);
    assert_eq!(made.principals(), ["400000000002", unit]);
    made.change_half("share_with", Json::Null, &["outbound.share_with", "resource_share_arn"]);
    made.change_half("share_with", json!([unit]), &["outbound.share_with", "resource_share_arn"]);
    made.change("name", json!("other name"), &["name"]);
    assert!(made.rules().iter().all(|rule| rule.name.as_deref().is_some_and(|name| name.starts_with("other name "))));
    made.change("tags", json!({ "team": "ml" }), &["tags.team", "tags_all.team"]);
    made.change(
        "zones",
        json!([zones()[0], "studio.example.com"]),
        &[
            "forward_zones",
            "forwarder_configs",
            "rule_ids.studio.example.com",
            &format!("rule_ids.{}", zones()[1]),
            "zones",
        ],
    );
    made.change(
        "zones",
        Json::Null,
        &[
            "forward_zones",
            "forwarder_configs",
            "rule_ids.studio.example.com",
            &format!("rule_ids.{}", zones()[1]),
            "zones",
        ],
    );
    assert_eq!(made.text("id"), inbound);
    assert_eq!(made.account.count("CreateResolverEndpoint"), 2);
    made.destroy();
}

#[test]
fn the_rules_follow_the_inbound_addresses() {
    let mut made = Made::new();
    let subnets = made.inbound.subnet_ids.clone();
    made.change("subnet_ids", json!([subnets[1], subnets[2]]), &["forwarder_configs", "inbound_ips", "subnet_ids"]);
    assert!(made.targets().iter().all(|targets| *targets == made.inbound_ips()));
    assert_eq!(made.account.count("CreateResolverRule"), 2);
    made.destroy();
}

#[test]
fn the_outbound_half_comes_and_goes_beside_the_inbound_one() {
    let mut made = Made::new();
    let id = made.text("id");
    made.config = made.config.with("outbound", Json::Null);
    made.workspace.write(&made.config.hcl());
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    let left: Vec<_> = made.account.leftovers().iter().map(|one| one["kind"].as_str().map(str::to_owned)).collect();
    assert!(!left.contains(&Some("route53resolver:rule".to_owned())), "{left:?}");
    assert_eq!(made.values()["rule_ids"], json!({}));
    assert_eq!(made.values()["outbound_endpoint_id"], Json::Null);
    made.config = made.config.with("outbound", made.half.clone());
    made.workspace.write(&made.config.hcl());
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.text("id"), id);
    made.destroy();
}

#[test]
fn another_vpc_gets_an_outbound_endpoint_of_its_own_before_the_old_one_goes() {
    let mut made = Made::new();
    let (id, rules, old) = (made.text("id"), made.values()["rule_ids"].clone(), made.text("outbound_endpoint_id"));
    let other = made.spare.clone();
    let half = made.half.as_object_mut().expect("it is an object");
    half.insert("vpc_id".to_owned(), json!(other.vpc_id));
    half.insert("subnet_ids".to_owned(), json!(other.subnet_ids[..2]));
    made.change(
        "outbound",
        made.half.clone(),
        &["outbound.subnet_ids", "outbound.vpc_id", "outbound_endpoint_id", "outbound_security_group_id"],
    );
    assert_eq!((made.text("id"), &made.values()["rule_ids"]), (id, &rules), "rules and inbound endpoint stay");
    assert_ne!(made.text("outbound_endpoint_id"), old);
    let kinds = made.account.leftovers().into_iter().filter(|one| one["kind"] == "route53resolver:endpoint").count();
    assert_eq!(kinds, 2, "the old one is gone");
    made.destroy();
}

#[test]
fn the_outbound_endpoint_is_in_the_inbound_ones_vpc_by_default() {
    let account = Account::new();
    let network = account.network();
    let half = json!({ "subnet_ids": network.subnet_ids[..2] });
    let config = Forwarding::new(&network).with("outbound", half.clone());
    let workspace = Workspace::with(&account, &config.hcl());
    workspace.apply();
    workspace.plan().assert_empty();
    let id = workspace.state().values(ADDRESS)["id"].as_str().expect("it has one").to_owned();
    workspace.forget(ADDRESS);
    workspace.import(ADDRESS, &id);
    workspace.plan().assert_empty();
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn rules_on_the_vpc_of_the_inbound_endpoint_are_refused_at_plan() {
    let made = Made::prepared(Account::new());
    let mut half = made.half.clone();
    half["vpc_ids"] = json!([made.client.vpc_id, made.inbound.vpc_id]);
    made.workspace.write(&made.config.with("outbound", half).hcl());
    let text = in_one_line(&made.workspace.plan_expect_error());
    assert!(text.contains("The queries would go round in a loop") && text.contains(&made.inbound.vpc_id), "{text}");
    // Also where the VPC is known only once something else has been made.
    let late = format!(
        "  outbound = {{\n    vpc_id = {:?}\n    subnet_ids = {}\n    vpc_ids = [terraform_data.vpc.output]\n  }}\n",
        made.outbound.vpc_id,
        json!(made.outbound.subnet_ids[..2]),
    );
    let data = format!("resource \"terraform_data\" \"vpc\" {{\n  input = {:?}\n}}\n", made.inbound.vpc_id);
    made.workspace.write(&(made.config.with("outbound", Json::Null).hcl_with(&late) + &data));
    let text = in_one_line(&made.workspace.apply_expect_error());
    assert!(text.contains("The queries would go round in a loop"), "{text}");
    assert_eq!(made.account.changes(), [] as [&str; 0]);
}

// ---- Drifted ----

#[test]
fn each_part_of_the_outbound_half_is_repaired() {
    let made = Made::new();
    let resolver = made.outside.route53resolver();
    let rule = made.rules()[0].clone();
    let id = rule.id.clone().expect("it has one");

    let config = ResolverRuleConfig::builder().target_ips(TargetAddress::builder().ip("10.6.6.6").port(53).build());
    made.outside.run(resolver.update_resolver_rule().resolver_rule_id(&id).config(config.build()).send());
    made.assert_repaired("forwards to 10.6.6.6 instead of");
    assert_eq!(made.targets()[0], made.inbound_ips());

    let off = resolver.disassociate_resolver_rule().resolver_rule_id(&id).vpc_id(&made.client.vpc_id);
    made.outside.run(off.send());
    wait_until("the rule is off", || made.associations().len() == 1);
    made.assert_repaired("The association of the rule for");

    let off = resolver.disassociate_resolver_rule().resolver_rule_id(&id).vpc_id(&made.client.vpc_id);
    made.outside.run(off.send());
    wait_until("the rule is off", || made.associations().len() == 1);
    made.outside.run(resolver.delete_resolver_rule().resolver_rule_id(&id).send());
    wait_until("the rule is gone", || made.rules().len() == 1);
    made.assert_repaired("The forward rule for");
    assert_eq!(made.rules().len(), 2);

    let share = made.text("resource_share_arn");
    made.outside.run(made.outside.ram().delete_resource_share().resource_share_arn(&share).send());
    wait_until("the share is gone", || made.principals().is_empty());
    made.assert_repaired("The resource share is missing");
    assert_ne!(made.text("resource_share_arn"), share);

    let group = made.text("outbound_security_group_id");
    let rules = made.outside.ec2().describe_security_groups().group_ids(&group);
    let out = made.outside.run(rules.send()).security_groups.unwrap_or_default()[0].ip_permissions_egress.clone();
    let shut = made.outside.ec2().revoke_security_group_egress().group_id(&group).set_ip_permissions(out);
    made.outside.run(shut.send());
    made.assert_repaired("The security group of the outbound endpoint lacks the rules");
    made.destroy();
}

#[test]
fn what_was_added_by_hand_is_seen_and_taken_away() {
    let made = Made::new();
    let more = made.spare.clone();
    for rule in made.rules() {
        let on = made.outside.route53resolver().associate_resolver_rule().set_resolver_rule_id(rule.id);
        made.outside.run(on.vpc_id(&more.vpc_id).send());
    }
    let add = made.outside.ram().associate_resource_share().resource_share_arn(made.text("resource_share_arn"));
    made.outside.run(add.principals("400000000009").send());
    wait_until("it is shared", || made.principals().len() == 2);
    let subnet = IpAddressUpdate::builder().subnet_id(&made.outbound.subnet_ids[2]).build();
    let add = made.outside.route53resolver().associate_resolver_endpoint_ip_address();
    made.outside.run(add.resolver_endpoint_id(made.text("outbound_endpoint_id")).ip_address(subnet).send());
    let found = || made.workspace.plan().change().paths().join(" ");
    wait_until("the address is there", || found().contains("outbound.subnet_ids"));
    let paths = made.workspace.plan().change().paths();
    assert!(
        paths.contains(&"outbound.vpc_ids".to_owned()) && paths.contains(&"outbound.share_with".to_owned()),
        "{paths:?}"
    );
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!((made.principals().len(), made.associations().len()), (1, 2));
    made.destroy();
}

// ---- Imported ----

#[test]
fn an_import_brings_both_halves() {
    let made = Made::new();
    let (id, before) = (made.text("id"), made.values());
    made.workspace.forget(ADDRESS);
    made.workspace.import(ADDRESS, &id);
    made.workspace.plan().assert_empty();
    let after = made.values();
    for name in ["outbound_endpoint_id", "rule_ids", "resource_share_arn", "outbound_security_group_id", "outbound"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    made.destroy();
}

#[test]
fn a_generated_configuration_plans_nothing_but_the_import() {
    let made = Made::new();
    let id = made.text("id");
    made.workspace.forget(ADDRESS);
    made.workspace.write(&format!("import {{\n  to = {ADDRESS}\n  id = {id:?}\n}}\n"));
    let text = made.workspace.plan_generating("generated.tf");
    assert!(text.contains("1 to import, 0 to add, 0 to change, 0 to destroy"), "{text}");
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.destroy();
}

// ---- Broken in the middle ----

#[test]
fn a_creation_that_failed_in_the_outbound_half_is_continued() {
    let made = Made::prepared(Account::alone());
    let error = json!({ "code": "InvalidRequestException", "message": "no more", "status": 400 });
    made.account.rules(json!([
        { "service": "route53resolver", "operation": "CreateResolverRule", "nth": 2, "error": error },
    ]));
    let text = in_one_line(&made.workspace.apply_expect_error());
    assert!(text.contains("Could not create the forward rule for"), "{text}");
    assert!(text.contains("Not started:") && text.contains("resource share"), "{text}");
    made.workspace.untaint(ADDRESS);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.account.count("CreateResolverEndpoint"), 2);
    assert_eq!(made.account.count("CreateResolverRule"), 2);
    made.destroy();
}

#[test]
fn lost_answers_and_late_rules_make_nothing_twice() {
    let made = Made::prepared(Account::alone());
    let early = json!({ "code": "ResourceNotFoundException", "message": "no such rule", "status": 400 });
    let unknown = json!({ "code": "UnknownResourceException", "message": "no such rule", "status": 400 });
    made.account.rules(json!([
        { "service": "route53resolver", "operation": "CreateResolverRule", "nth": 1, "lose_answer": true },
        { "service": "route53resolver", "operation": "AssociateResolverRule", "nth": 1, "times": 2, "error": early },
        { "service": "ram", "operation": "CreateResourceShare", "nth": 1, "error": unknown },
    ]));
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!((made.rules().len(), made.associations().len()), (2, 2));
    made.destroy();
}

#[test]
fn an_association_that_failed_is_made_anew() {
    let made = Made::prepared(Account::alone());
    made.account.rules(json!([
        { "service": "route53resolver", "operation": "AssociateResolverRule", "nth": 1, "fail": "no capacity" },
    ]));
    let text = in_one_line(&made.workspace.apply_expect_error());
    assert!(
        text.contains("Could not create the association of the rule for") && text.contains("no capacity"),
        "{text}"
    );
    made.workspace.untaint(ADDRESS);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.associations().len(), 2);
    made.destroy();
}

#[test]
fn what_a_killed_run_left_of_both_halves_is_taken_over() {
    let made = Made::new();
    let values = made.values();
    for (arn, part) in [(made.text("arn"), "inbound"), (arn_of(&made, &made.text("outbound_endpoint_id")), "outbound")]
    {
        let mark = format!("{part}-endpoint/in-the-making");
        let mark = Tag::builder().key("terraform-provider-studio:part").value(mark).build().expect("it is complete");
        made.outside.run(made.outside.route53resolver().tag_resource().resource_arn(arn).tags(mark).send());
    }
    made.workspace.forget(ADDRESS);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    for name in ["id", "outbound_endpoint_id", "rule_ids", "resource_share_arn"] {
        assert_eq!(made.values()[name], values[name], "{name}");
    }
    made.destroy();
}

fn arn_of(made: &Made, id: &str) -> String {
    let get = made.outside.route53resolver().get_resolver_endpoint().resolver_endpoint_id(id);
    made.outside.run(get.send()).resolver_endpoint.and_then(|endpoint| endpoint.arn).expect("it has one")
}
