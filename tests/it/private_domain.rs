//! `studio_private_domain` through its life: made, changed, drifted, imported, destroyed.

use aws_sdk_ec2::types::{IpPermission, IpRange};
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use aws_sdk_sagemaker::types::{RetentionPolicy, RetentionType};
use serde_json::{Value as Json, json};

use crate::{
    emulator::{Account, Network, Outside},
    terraform::Workspace,
};

const ADDRESS: &str = "studio_private_domain.test";

/// The configuration, with everything that the tests change.
#[derive(Clone)]
struct Domain<'a> {
    network: &'a Network,
    subnets: usize,
    client_cidr_blocks: Json,
    user_profiles: Json,
    services: Json,
    home_efs: Json,
    tags: Json,
}

impl<'a> Domain<'a> {
    fn new(network: &'a Network) -> Self {
        Domain {
            network,
            subnets: 2,
            client_cidr_blocks: json!(["192.168.10.0/24"]),
            user_profiles: json!({ "demouser1": {} }),
            services: json!(["studio", "sagemaker.api", "sagemaker.runtime"]),
            home_efs: json!({ "enabled": false }),
            tags: json!({ "team": "data" }),
        }
    }

    /// JSON is HCL enough for values.
    fn hcl(&self) -> String {
        let Domain { network, subnets, client_cidr_blocks, user_profiles, services, home_efs, tags } = self;
        let subnet_ids = json!(network.subnet_ids[..*subnets]);
        let (vpc_id, role_arn) = (&network.vpc_id, &network.role_arn);
        format!(
            r#"
resource "studio_private_domain" "test" {{
  name               = "test"
  vpc_id             = "{vpc_id}"
  subnet_ids         = {subnet_ids}
  execution_role_arn = "{role_arn}"
  client_cidr_blocks = {client_cidr_blocks}
  user_profiles      = {user_profiles}
  endpoints          = {{ services = {services} }}
  home_efs           = {home_efs}
  tags               = {tags}
}}
"#
        )
    }
}

/// A domain that was made, and what it takes to look at it from outside.
struct Made {
    account: Account,
    network: Network,
    workspace: Workspace,
    outside: Outside,
}

impl Made {
    fn new() -> Self {
        let account = Account::new();
        let network = account.network();
        let workspace = Workspace::with(&account, &Domain::new(&network).hcl());
        workspace.apply();
        let outside = account.outside();
        Made { account, network, workspace, outside }
    }

    fn values(&self) -> Json {
        self.workspace.state().values(ADDRESS)
    }

    fn text(&self, name: &str) -> String {
        self.values()[name].as_str().unwrap_or_else(|| panic!("{name} is not text")).to_owned()
    }

    /// One hosted zone: its name and id.
    fn zone(&self) -> (String, String) {
        let domain = self.text("fqdn");
        let id = self.values()["hosted_zone_ids"][&domain].as_str().expect("it has a zone").to_owned();
        (domain, id)
    }

    /// Exactly these attributes are planned to change, and after an apply nothing is left to do.
    fn assert_changes_only(&self, paths: &[&str]) {
        self.workspace.plan().assert_updates(paths);
        self.workspace.apply();
        self.workspace.plan().assert_empty();
    }

    fn destroy(self) {
        self.workspace.destroy();
        self.account.assert_nothing_is_left();
    }
}

// ---- Made and destroyed ----

#[test]
fn what_was_applied_needs_no_second_apply_and_destroy_leaves_nothing() {
    let made = Made::new();
    made.workspace.plan().assert_empty();
    let values = made.values();
    assert_eq!(values["id"], values["domain_id"]);
    assert_eq!(values["account_id"], json!(made.account.id));
    let api_and_studio = ["sagemaker.api", "studio"].map(|service| &values["endpoint_ids"][service]);
    let mut access = values["access_endpoint_ids"].as_array().expect("it is a list").clone();
    access.sort_by_key(ToString::to_string);
    let mut expected = api_and_studio.map(Clone::clone).to_vec();
    expected.sort_by_key(ToString::to_string);
    assert_eq!(access, expected);
    assert_eq!(values["endpoint_ips"]["studio"].as_array().map(Vec::len), Some(2));
    assert_eq!(values["forward_zones"].as_array().map(Vec::len), Some(2));
    made.destroy();
}

// ---- Changed ----

#[test]
fn each_attribute_changes_alone_and_in_place() {
    let made = Made::new();
    let id = made.text("domain_id");
    let mut domain = Domain::new(&made.network);
    let changes_only = |domain: &Domain<'_>, paths: &[&str]| {
        made.workspace.write(&domain.hcl());
        made.assert_changes_only(paths);
    };

    domain.client_cidr_blocks = json!(["192.168.10.0/24", "10.9.0.0/16"]);
    changes_only(&domain, &["client_cidr_blocks"]);

    domain.user_profiles = json!({ "demouser1": {}, "demouser2": {} });
    changes_only(&domain, &["user_profiles.demouser2"]);
    domain.user_profiles["demouser1"] = json!({ "execution_role_arn": made.network.role_arn });
    changes_only(&domain, &["user_profiles.demouser1.execution_role_arn"]);
    domain.user_profiles["demouser1"] = json!({});
    changes_only(&domain, &["user_profiles.demouser1.execution_role_arn"]);
    domain.user_profiles = json!({ "demouser2": {} });
    changes_only(&domain, &["user_profiles.demouser1"]);

    domain.tags = json!({ "team": "ml" });
    changes_only(&domain, &["tags.team", "tags_all.team"]);

    domain.subnets = 3;
    changes_only(&domain, &["endpoint_dns", "endpoint_ips", "subnet_ids"]);
    domain.subnets = 2;
    changes_only(&domain, &["endpoint_dns", "endpoint_ips", "subnet_ids"]);

    let endpoints = ["endpoint_dns", "endpoint_ids", "endpoint_ips", "endpoints.services"];
    domain.services = json!(["studio", "sagemaker.api", "sagemaker.runtime", "sts"]);
    changes_only(&domain, &endpoints);
    domain.services = json!(["studio", "sagemaker.api"]);
    changes_only(&domain, &endpoints);

    assert_eq!(made.text("domain_id"), id, "nothing of this replaces the domain");
    assert_eq!(made.account.count("CreateDomain"), 1);
    made.destroy();
}

#[test]
fn a_file_system_that_is_to_stay_stays_and_one_that_is_to_go_goes_with_all_of_it() {
    let account = Account::new();
    let network = account.network();
    let kept = Domain { home_efs: json!({}), ..Domain::new(&network) };
    let workspace = Workspace::with(&account, &kept.hcl());
    workspace.apply();
    assert!(workspace.state().values(ADDRESS)["home_efs_file_system_id"].is_string());
    workspace.plan().assert_empty();

    let deleted = Domain { home_efs: json!({ "on_destroy": "delete" }), ..kept.clone() };
    workspace.write(&deleted.hcl());
    workspace.plan().assert_updates(&["home_efs.on_destroy"]);
    workspace.apply();
    workspace.destroy();
    account.assert_nothing_is_left();

    workspace.write(&kept.hcl());
    workspace.apply();
    workspace.destroy();
    let left = account.leftovers();
    let mut kinds: Vec<_> = left.iter().filter_map(|left| left["kind"].as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let stays = ["ec2:network-interface", "ec2:security-group", "efs:file-system", "efs:mount-target"];
    assert_eq!(kinds, stays, "{}", json!(left));
}

#[test]
fn a_file_system_can_be_added_and_not_taken_away() {
    let made = Made::new();
    let with = Domain { home_efs: json!({ "on_destroy": "delete" }), ..Domain::new(&made.network) };
    made.workspace.write(&with.hcl());
    made.assert_changes_only(&["home_efs.enabled", "home_efs.on_destroy", "home_efs_file_system_id"]);
    made.workspace.write(&Domain::new(&made.network).hcl());
    let text = made.workspace.plan_expect_error();
    assert!(text.contains("home_efs.enabled"), "{text}");
    made.workspace.write(&with.hcl());
    made.destroy();
}

#[test]
fn another_name_replaces_the_domain() {
    let made = Made::new();
    let renamed = Domain::new(&made.network).hcl().replace("= \"test\"", "= \"renamed\"");
    made.workspace.write(&renamed);
    assert_eq!(made.workspace.plan().change().actions, ["delete", "create"]);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn what_cannot_work_is_refused_at_its_attribute_before_anything_is_made() {
    let account = Account::new();
    let network = account.network();
    let first = Domain::new(&network);
    for (wrong, attribute, said) in [
        (
            Domain { client_cidr_blocks: json!(["192.168.10.1/24"]), ..first.clone() },
            "client_cidr_blocks",
            "192.168.10.0/24",
        ),
        (Domain { services: json!(["sagemaker.api"]), ..first.clone() }, "services", "studio"),
        (
            Domain { services: json!(["studio", "sagemaker.api", "no-such-service"]), ..first.clone() },
            "endpoint service",
            "no-such-service",
        ),
        (Domain { user_profiles: json!({ "-": {} }), ..first.clone() }, "user_profiles", "letter or digit"),
    ] {
        let text = Workspace::with(&account, &wrong.hcl()).plan_expect_error();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(attribute) && text.contains(said), "{attribute}, {said}: {text}");
    }
    assert_eq!(account.changes(), [] as [&str; 0]);
}

// ---- Drifted ----

#[test]
fn an_endpoint_that_was_deleted_is_made_again() {
    let made = Made::new();
    let id = made.values()["endpoint_ids"]["sagemaker.runtime"].as_str().expect("it has one").to_owned();
    made.outside.run(made.outside.ec2().delete_vpc_endpoints().vpc_endpoint_ids(id).send());
    made.assert_changes_only(&["endpoint_dns", "endpoint_ids", "endpoint_ips", "endpoints.services"]);
    made.destroy();
}

#[test]
fn a_client_range_opened_by_hand_is_closed_again() {
    let made = Made::new();
    let ec2 = made.outside.ec2();
    let group = made.text("endpoint_security_group_id");
    let more = https_from("10.99.0.0/16");
    made.outside.run(ec2.authorize_security_group_ingress().group_id(group).ip_permissions(more).send());
    made.assert_changes_only(&["client_cidr_blocks"]);
    made.destroy();
}

#[test]
fn a_client_range_closed_by_hand_is_opened_again() {
    let made = Made::new();
    let ec2 = made.outside.ec2();
    let group = made.text("endpoint_security_group_id");
    let gone = https_from("192.168.10.0/24");
    made.outside.run(ec2.revoke_security_group_ingress().group_id(group).ip_permissions(gone).send());
    made.assert_changes_only(&["client_cidr_blocks"]);
    made.destroy();
}

#[test]
fn another_rule_in_a_group_is_named_and_removed() {
    let made = Made::new();
    let ec2 = made.outside.ec2();
    let group = made.text("domain_security_group_id");
    let ssh = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22);
    let ssh = ssh.ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build()).build();
    made.outside.run(ec2.authorize_security_group_ingress().group_id(&group).ip_permissions(ssh).send());
    let plan = made.workspace.plan();
    plan.assert_updates(&["drift"]);
    assert!(plan.change().before["drift"].to_string().contains("22"), "{}", plan.change().before["drift"]);
    made.assert_changes_only(&["drift"]);
    made.destroy();
}

#[test]
fn a_record_that_was_changed_is_put_back() {
    let made = Made::new();
    let (name, zone) = made.zone();
    change_record(&made.outside, &zone, ChangeAction::Upsert, &plain_address(&name));
    made.assert_changes_only(&["drift"]);
    made.destroy();
}

#[test]
fn a_record_that_was_deleted_is_put_back() {
    let made = Made::new();
    let (name, zone) = made.zone();
    let wildcard = record(&made.outside, &zone, &format!("\\052.{name}"));
    change_record(&made.outside, &zone, ChangeAction::Delete, &wildcard);
    made.assert_changes_only(&["drift"]);
    made.destroy();
}

#[test]
fn a_zone_that_was_deleted_is_made_again() {
    let made = Made::new();
    let (name, zone) = made.zone();
    for name in [name.clone(), format!("\\052.{name}")] {
        let found = record(&made.outside, &zone, &name);
        change_record(&made.outside, &zone, ChangeAction::Delete, &found);
    }
    made.outside.run(made.outside.route53().delete_hosted_zone().id(&zone).send());
    made.assert_changes_only(&["drift", "hosted_zone_ids"]);
    made.destroy();
}

#[test]
fn a_profile_that_was_deleted_is_made_again() {
    let made = Made::new();
    delete_profile(&made);
    made.assert_changes_only(&["user_profiles.demouser1"]);
    made.destroy();
}

#[test]
fn a_domain_that_was_deleted_is_planned_as_a_new_one() {
    let made = Made::new();
    delete_profile(&made);
    let policy = RetentionPolicy::builder().home_efs_file_system(RetentionType::Delete).build();
    let delete = made.outside.sagemaker().delete_domain().domain_id(made.text("domain_id"));
    made.outside.run(delete.retention_policy(policy).send());
    made.wait_until_gone("domain");
    assert_eq!(made.workspace.plan().change().actions, ["create"]);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.destroy();
}

// ---- Imported ----

#[test]
fn an_imported_domain_needs_no_change() {
    let made = Made::new();
    let id = made.text("domain_id");
    made.workspace.forget(ADDRESS);
    made.workspace.import(ADDRESS, &id);
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn an_id_of_nothing_is_not_imported() {
    let account = Account::new();
    let network = account.network();
    let workspace = Workspace::with(&account, &Domain::new(&network).hcl());
    let text = workspace.import_expect_error(ADDRESS, "d-nosuchdomain");
    assert!(text.contains("There is nothing to import"), "{text}");
    let text = workspace.import_expect_error(ADDRESS, "vpc-1");
    assert!(text.contains("Invalid import id"), "{text}");
}

// ---- Tags ----

#[test]
fn default_tags_reach_every_part_and_ignored_ones_are_left_alone() {
    let account = Account::new();
    let network = account.network();
    let mut workspace = Workspace::new(&account);
    workspace.provider.more = r#"
  default_tags {
    tags = { owner = "platform", team = "nobody" }
  }
  ignore_tags {
    key_prefixes = ["scan:"]
  }
"#
    .to_owned();
    workspace.write(&Domain::new(&network).hcl());
    workspace.apply();
    let values = workspace.state().values(ADDRESS);
    assert_eq!(values["tags_all"], json!({ "owner": "platform", "team": "data" }), "the resource's own tag holds");
    let outside = account.outside();
    let group = values["endpoint_security_group_id"].as_str().expect("it has a group");
    let found = outside.run(outside.ec2().describe_security_groups().group_ids(group).send());
    let tags = found.security_groups()[0].tags();
    assert!(tags.iter().any(|tag| tag.key() == Some("owner") && tag.value() == Some("platform")), "{tags:?}");

    let put = |key: &str| {
        let tag = aws_sdk_sagemaker::types::Tag::builder().key(key).value("x").build();
        let arn = values["arn"].as_str().expect("it has an ARN");
        outside.run(outside.sagemaker().add_tags().resource_arn(arn).tags(tag).send());
    };
    put("scan:last");
    workspace.plan().assert_empty();
    put("by-hand");
    workspace.plan().assert_updates(&["tags.by-hand", "tags_all.by-hand"]);
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
    account.assert_nothing_is_left();
}

// ---- Looked up ----

#[test]
fn a_domain_is_found_by_its_id_and_by_its_name() {
    let made = Made::new();
    let (id, vpc_id) = (made.text("id"), &made.network.vpc_id);
    let hcl = format!(
        r#"
data "studio_domain" "by_id" {{
  domain_id = "{id}"
}}

data "studio_domain" "by_name" {{
  name   = "test"
  vpc_id = "{vpc_id}"
}}

output "domains" {{
  value = [data.studio_domain.by_id, data.studio_domain.by_name]
}}
"#
    );
    let reader = Workspace::with(&made.account, &hcl);
    reader.apply();
    let domains = reader.output("domains");
    assert_eq!(domains[0], domains[1]);
    for name in ["arn", "url", "host_names", "vpc_id", "home_efs_file_system_id", "auth_mode"] {
        assert_eq!(domains[0][name], made.values()[name], "{name}");
    }
    assert_eq!(domains[0]["security_group_ids"], json!([made.text("domain_security_group_id")]));
    assert_eq!(domains[0]["tags"], json!({ "team": "data" }), "marks of ownership are not the user's to see");
    made.destroy();
}

#[test]
fn a_domain_that_does_not_exist_is_an_error_that_says_what_was_looked_for() {
    let account = Account::new();
    for (hcl, said) in [
        ("data \"studio_domain\" \"no\" {\n  name = \"nowhere\"\n}\n", "has the name \"nowhere\""),
        ("data \"studio_domain\" \"no\" {\n  domain_id = \"d-nosuchdomain\"\n}\n", "has the id d-nosuchdomain"),
        ("data \"studio_domain\" \"no\" {\n}\n", "Neither domain_id nor name"),
    ] {
        let text = Workspace::with(&account, hcl).plan_expect_error();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(said), "{said}: {text}");
    }
}

// ---- What tests do outside ----

impl Made {
    /// Waits until the emulator has deleted what it was asked to delete.
    fn wait_until_gone(&self, kind: &str) {
        let exists = || self.account.leftovers().iter().any(|left| left["kind"] == format!("sagemaker:{kind}"));
        crate::terraform::wait_until(&format!("the {kind} is gone"), || !exists());
    }
}

fn delete_profile(made: &Made) {
    let delete = made.outside.sagemaker().delete_user_profile().user_profile_name("demouser1");
    made.outside.run(delete.domain_id(made.text("domain_id")).send());
    made.wait_until_gone("user-profile");
}

fn https_from(range: &str) -> IpPermission {
    let range = IpRange::builder().cidr_ip(range).build();
    IpPermission::builder().ip_protocol("tcp").from_port(443).to_port(443).ip_ranges(range).build()
}

fn plain_address(name: &str) -> ResourceRecordSet {
    let address = ResourceRecord::builder().value("10.1.2.3").build().expect("it is complete");
    let set = ResourceRecordSet::builder().name(name).r#type(RrType::A).ttl(60);
    set.resource_records(address).build().expect("it is complete")
}

fn record(outside: &Outside, zone: &str, name: &str) -> ResourceRecordSet {
    let found = outside.run(outside.route53().list_resource_record_sets().hosted_zone_id(zone).send());
    let mut sets = found.resource_record_sets.into_iter();
    let name = format!("{name}.");
    sets.find(|set| set.name == name && set.r#type == RrType::A).expect("the record is there")
}

fn change_record(outside: &Outside, zone: &str, action: ChangeAction, set: &ResourceRecordSet) {
    let change = Change::builder().action(action).resource_record_set(set.clone()).build();
    let batch = ChangeBatch::builder().changes(change.expect("it is complete")).build();
    let batch = batch.expect("it is complete");
    outside.run(outside.route53().change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send());
}
