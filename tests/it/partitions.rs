//! The names of a private domain in each partition, as the emulator's services have them.

use serde_json::{Value as Json, json};

use crate::{emulator::Account, terraform::Workspace};

const ADDRESS: &str = "studio_private_domain.test";

/// Makes a domain, and gives its state.
fn made_in(region: &str, provider: &str) -> (Account, Workspace, Json) {
    let account = Account::in_region(region);
    let network = account.network();
    let mut workspace = Workspace::new(&account);
    workspace.provider.more = provider.to_owned();
    let subnet_ids = json!(network.subnet_ids[..2]);
    workspace.write(&format!(
        r#"
resource "studio_private_domain" "test" {{
  name               = "test"
  vpc_id             = "{}"
  subnet_ids         = {subnet_ids}
  execution_role_arn = "{}"
  client_cidr_blocks = ["192.168.10.0/24"]
  home_efs           = {{ enabled = false }}
}}
"#,
        network.vpc_id, network.role_arn
    ));
    workspace.apply();
    workspace.plan().assert_empty();
    let values = workspace.state().values(ADDRESS);
    (account, workspace, values)
}

/// The service of each endpoint, as EC2 has it.
fn services(account: &Account, values: &Json) -> Vec<String> {
    let outside = account.outside();
    let ids = values["endpoint_ids"].as_object().expect("a map").values();
    let ids = ids.map(|id| id.as_str().expect("an id").to_owned()).collect();
    let found = outside.run(outside.ec2().describe_vpc_endpoints().set_vpc_endpoint_ids(Some(ids)).send());
    let mut names: Vec<String> =
        found.vpc_endpoints().iter().filter_map(|endpoint| endpoint.service_name()).map(str::to_owned).collect();
    names.sort();
    names
}

fn destroyed(account: &Account, workspace: &Workspace) {
    workspace.destroy();
    account.assert_nothing_is_left();
}

/// Host names with the domain's id as it is written in the table.
fn hosts(values: &Json) -> Vec<String> {
    let id = values["domain_id"].as_str().expect("an id");
    let names = values["host_names"].as_array().expect("a list").iter();
    names.map(|name| name.as_str().expect("a name").replace(id, "d-x")).collect()
}

#[test]
fn china_has_names_of_its_own() {
    let (account, workspace, values) = made_in("cn-north-1", "");
    assert_eq!(
        services(&account, &values),
        [
            "aws.sagemaker.cn-north-1.studio",
            "cn.com.amazonaws.cn-north-1.sagemaker.api",
            "cn.com.amazonaws.cn-north-1.sagemaker.runtime",
        ]
    );
    let parent = "studio.cn-north-1.sagemaker.com.cn";
    assert_eq!(values["forward_zones"], json!([parent]));
    assert_eq!(hosts(&values), [format!("d-x.{parent}"), format!("studio-d-x.{parent}")]);
    assert!(values["arn"].as_str().is_some_and(|arn| arn.starts_with("arn:aws-cn:")), "{}", values["arn"]);
    destroyed(&account, &workspace);
}

#[test]
fn in_govcloud_the_fips_names_that_the_endpoint_serves_get_zones_too() {
    let (account, workspace, values) = made_in("us-gov-west-1", "  use_fips_endpoint = true\n");
    assert_eq!(
        services(&account, &values),
        [
            "aws.sagemaker.us-gov-west-1.studio",
            "com.amazonaws.us-gov-west-1.sagemaker.api-fips",
            "com.amazonaws.us-gov-west-1.sagemaker.runtime",
        ]
    );
    let (usual, fips) = ("studio.us-gov-west-1.sagemaker.aws", "studio-fips.us-gov-west-1.sagemaker.aws");
    assert_eq!(values["forward_zones"], json!([usual, fips]));
    let expected =
        [format!("d-x.{usual}"), format!("studio-d-x.{usual}"), format!("d-x.{fips}"), format!("studio-d-x.{fips}")];
    assert_eq!(hosts(&values), expected);
    assert_eq!(values["hosted_zone_ids"].as_object().map(serde_json::Map::len), Some(4));
    destroyed(&account, &workspace);
}

#[test]
fn with_fips_the_services_that_have_it_are_taken_in_that_form() {
    let (account, workspace, values) = made_in("us-east-1", "  use_fips_endpoint = true\n");
    assert_eq!(
        services(&account, &values),
        [
            "aws.sagemaker.us-east-1.studio",
            "com.amazonaws.us-east-1.sagemaker.api-fips",
            "com.amazonaws.us-east-1.sagemaker.runtime-fips",
        ]
    );
    destroyed(&account, &workspace);
}
