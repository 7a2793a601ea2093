//! Importing `studio_private_domain`: with and without the tags of the provider, into a configuration that is there and
//! into one that Terraform writes.

use std::fs;

use serde_json::{Value as Json, json};

use crate::{
    emulator::{Account, Network, Outside},
    terraform::Workspace,
};

const ADDRESS: &str = "studio_private_domain.test";

/// A configuration with something in every corner that an import has to find again.
fn rich(network: &Network) -> String {
    let subnet_ids = json!(network.subnet_ids[..2]);
    let (vpc_id, role_arn, table) = (&network.vpc_id, &network.role_arn, &network.route_table_id);
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": "*", "Action": "sts:GetCallerIdentity", "Resource": "*" }
    ] });
    let policy = json!(policy.to_string());
    format!(
        r#"
resource "studio_private_domain" "test" {{
  name               = "rich"
  vpc_id             = "{vpc_id}"
  subnet_ids         = {subnet_ids}
  execution_role_arn = "{role_arn}"
  client_cidr_blocks = ["192.168.10.0/24", "fd12:3456::/48"]
  user_profiles = {{
    demouser1 = {{}}
    demouser2 = {{ execution_role_arn = "{role_arn}", tags = {{ team = "ml" }} }}
  }}
  default_user_settings = {{
    studio_web_portal    = "ENABLED"
    idle_timeout_minutes = 120
  }}
  home_efs = {{ on_destroy = "delete" }}
  endpoints = {{
    services                   = ["studio", "sagemaker.api", "sagemaker.runtime", "sts"]
    policies                   = {{ sts = {policy} }}
    s3_gateway_route_table_ids = ["{table}"]
  }}
  hosted_zone = {{ record_type = "ip" }}
  tags        = {{ team = "data" }}
}}
"#
    )
}

fn plain(network: &Network) -> String {
    let subnet_ids = json!(network.subnet_ids[..2]);
    let (vpc_id, role_arn) = (&network.vpc_id, &network.role_arn);
    format!(
        r#"
resource "studio_private_domain" "test" {{
  name               = "plain"
  vpc_id             = "{vpc_id}"
  subnet_ids         = {subnet_ids}
  execution_role_arn = "{role_arn}"
  client_cidr_blocks = ["192.168.10.0/24"]
  user_profiles      = {{ demouser1 = {{}} }}
  home_efs           = {{ enabled = false }}
}}
"#
    )
}

/// Takes the provider's own tags off everything that a state names.
fn strip_tags(outside: &Outside, values: &Json) {
    const OURS: [&str; 4] = ["owner", "part", "home-efs", "settings"];
    let keys = OURS.map(|name| format!("terraform-provider-studio:{name}"));
    let mut ids: Vec<String> =
        ["domain_security_group_id", "endpoint_security_group_id"].map(|name| text(&values[name])).into();
    ids.extend(values["endpoint_ids"].as_object().expect("a map").values().map(text));
    let tags = keys.clone().map(|key| aws_sdk_ec2::types::Tag::builder().key(key).build());
    outside.run(outside.ec2().delete_tags().set_resources(Some(ids)).set_tags(Some(tags.into())).send());
    let delete = outside.sagemaker().delete_tags().resource_arn(text(&values["arn"]));
    outside.run(delete.set_tag_keys(Some(keys.clone().into())).send());
    for zone in values["hosted_zone_ids"].as_object().expect("a map").values() {
        let change = outside
            .route53()
            .change_tags_for_resource()
            .resource_type(aws_sdk_route53::types::TagResourceType::Hostedzone)
            .resource_id(text(zone))
            .set_remove_tag_keys(Some(keys.clone().into()));
        outside.run(change.send());
    }
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text")).to_owned()
}

/// Imports by a block, lets Terraform write the configuration, and finds nothing to do.
fn assert_generated_is_complete(workspace: &Workspace, id: &str) {
    workspace.forget(ADDRESS);
    workspace.write(&format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n"));
    let text = workspace.plan_generating("generated.tf");
    let written = fs::read_to_string(workspace.file("generated.tf")).expect("it was written");
    assert!(text.contains("1 to import, 0 to add, 0 to change, 0 to destroy"), "{text}\n{written}");
    workspace.apply();
    workspace.plan().assert_empty();
}

#[test]
fn what_was_made_is_imported_whole_into_its_own_configuration() {
    let account = Account::new();
    let network = account.network();
    let workspace = Workspace::with(&account, &rich(&network));
    workspace.apply();
    workspace.plan().assert_empty();
    let before = workspace.state().values(ADDRESS);
    workspace.forget(ADDRESS);
    workspace.import(ADDRESS, &text(&before["domain_id"]));
    workspace.plan().assert_empty();
    let after = workspace.state().values(ADDRESS);
    for name in ["endpoint_ids", "endpoint_ips", "hosted_zone_ids", "domain_security_group_id", "host_names"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn terraform_writes_a_configuration_that_needs_no_change() {
    let account = Account::new();
    let network = account.network();
    let workspace = Workspace::with(&account, &rich(&network));
    workspace.apply();
    let id = text(&workspace.state().values(ADDRESS)["domain_id"]);
    assert_generated_is_complete(&workspace, &id);
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn a_domain_without_tags_is_imported_with_what_serves_it() {
    let account = Account::new();
    let network = account.network();
    let workspace = Workspace::with(&account, &plain(&network));
    workspace.apply();
    let before = workspace.state().values(ADDRESS);
    strip_tags(&account.outside(), &before);
    workspace.forget(ADDRESS);
    workspace.import(ADDRESS, &text(&before["domain_id"]));
    let after = workspace.state().values(ADDRESS);
    for name in ["endpoint_ids", "hosted_zone_ids", "domain_security_group_id", "endpoint_security_group_id"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    workspace.plan().assert_empty();
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn terraform_writes_the_configuration_of_a_domain_without_tags() {
    let account = Account::new();
    let network = account.network();
    let workspace = Workspace::with(&account, &plain(&network));
    workspace.apply();
    let values = workspace.state().values(ADDRESS);
    strip_tags(&account.outside(), &values);
    assert_generated_is_complete(&workspace, &text(&values["domain_id"]));
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn endpoints_of_another_resource_are_adopted_by_an_import() {
    let account = Account::new();
    let network = account.network();
    let other = plain(&network).replace("\"test\"", "\"other\"").replace("\"plain\"", "\"second\"").replace(
        "  user_profiles ",
        "  endpoints = { existing = studio_private_domain.test.endpoint_ids }\n  user_profiles ",
    );
    let other = other.replace("  client_cidr_blocks = [\"192.168.10.0/24\"]\n", "");
    let workspace = Workspace::with(&account, &format!("{}{other}", plain(&network)));
    workspace.apply();
    workspace.plan().assert_empty();
    let before = workspace.state().values("studio_private_domain.other");
    workspace.forget("studio_private_domain.other");
    workspace.import("studio_private_domain.other", &text(&before["domain_id"]));
    workspace.plan().assert_empty();
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn an_endpoint_policy_that_a_presign_policy_sets_is_left_to_it_by_an_import() {
    let account = Account::new();
    let network = account.network();
    let presign = r#"
resource "studio_presign_policy" "test" {
  name              = "presign"
  domain_arns       = [studio_private_domain.test.arn]
  allowed           = [{ vpc_endpoint_ids = studio_private_domain.test.access_endpoint_ids }]
  endpoint_policies = { for service in ["studio", "sagemaker.api"] : service => studio_private_domain.test.endpoint_ids[service] }
}
"#;
    let workspace = Workspace::with(&account, &format!("{}{presign}", plain(&network)));
    workspace.apply();
    let id = text(&workspace.state().values(ADDRESS)["domain_id"]);
    workspace.forget(ADDRESS);
    workspace.import(ADDRESS, &id);
    assert_eq!(workspace.state().values(ADDRESS)["endpoints"]["policies"], Json::Null);
    workspace.plan().assert_empty();
    workspace.destroy();
    account.assert_nothing_is_left();
}
