//! Resources in another Region than the provider's.

use serde_json::json;

use crate::{
    emulator::{Account, Network, REGION},
    said::in_one_line,
    terraform::Workspace,
};

const FAR: &str = "eu-west-1";

/// All three resources in a Region that only their own argument names.
fn far(network: &Network) -> String {
    let (vpc_id, subnet_ids, role) = (&network.vpc_id, json!(network.subnet_ids[..2]), &network.role_arn);
    format!(
        r#"
resource "studio_private_domain" "test" {{
  region             = "{FAR}"
  name               = "far"
  vpc_id             = "{vpc_id}"
  subnet_ids         = {subnet_ids}
  execution_role_arn = "{role}"
  client_cidr_blocks = ["192.168.10.0/24"]
  home_efs           = {{ enabled = false }}
}}

resource "studio_dns_forwarding" "test" {{
  region             = "{FAR}"
  name               = "far"
  vpc_id             = "{vpc_id}"
  subnet_ids         = {subnet_ids}
  client_cidr_blocks = ["192.168.10.0/24"]
}}

resource "studio_presign_policy" "test" {{
  region      = "{FAR}"
  name        = "far"
  domain_arns = [studio_private_domain.test.arn]
  allowed     = [{{ vpc_endpoint_ids = studio_private_domain.test.access_endpoint_ids }}]
}}
"#
    )
}

#[test]
fn resources_of_another_region_are_made_there_and_imported_by_it() {
    let account = Account::new();
    let there = account.elsewhere(FAR);
    let workspace = Workspace::with(&account, &far(&there.network()));
    workspace.apply();
    workspace.plan().assert_empty();
    let addresses = ["studio_private_domain.test", "studio_dns_forwarding.test", "studio_presign_policy.test"];
    let ids = addresses.map(|address| workspace.state().values(address)["id"].as_str().expect("an id").to_owned());
    for (address, id) in addresses.into_iter().zip(&ids) {
        workspace.forget(address);
        workspace.import(address, &format!("{id}@{FAR}"));
        assert_eq!(workspace.state().values(address)["region"], FAR);
        workspace.plan().assert_empty();
    }

    // Without the Region, it is looked for in the provider's.
    workspace.forget(addresses[0]);
    let text = in_one_line(&workspace.import_expect_error(addresses[0], &ids[0]));
    assert!(text.contains(&format!("There is no domain {} in {REGION}", ids[0])), "{text}");
    workspace.import(addresses[0], &format!("{}@{FAR}", ids[0]));
    workspace.destroy();
    there.assert_nothing_is_left();
}
