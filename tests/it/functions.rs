//! Provider-defined functions, called by the real Terraform.

use serde_json::json;

use crate::{emulator::Account, terraform::Workspace};

#[test]
fn functions_give_names_and_configuration_without_asking_aws() {
    let account = Account::new();
    let workspace = Workspace::with(
        &account,
        r#"
locals {
  zones = provider::studio::forward_zones("eu-central-1")
}

output "all" {
  value = {
    zones   = local.zones
    hosts   = provider::studio::host_names("d-abcdefghijkl", "eu-central-1")
    service = provider::studio::service_name("sagemaker.api", "eu-central-1")
    unbound = provider::studio::forwarder_config("unbound", local.zones, ["10.0.0.4", "10.0.1.4"])
  }
}
"#,
    );
    workspace.apply();
    let all = workspace.output("all");
    assert_eq!(all["zones"], json!(["studio.eu-central-1.sagemaker.aws", "studio.sagemaker.eu-central-1.app.aws"]));
    assert_eq!(all["hosts"][1], json!("studio-d-abcdefghijkl.studio.eu-central-1.sagemaker.aws"));
    assert_eq!(all["service"], json!("com.amazonaws.eu-central-1.sagemaker.api"));
    let unbound = all["unbound"].as_str().expect("it is text");
    assert!(unbound.contains("forward-first: no") && unbound.contains("10.0.1.4"), "{unbound}");
    assert_eq!(account.calls().len(), 0);
}

#[test]
fn an_argument_that_a_function_cannot_take_is_named() {
    let account = Account::new();
    let hcl = "output \"wrong\" {\n  value = provider::studio::host_names(\"research\", \"eu-central-1\")\n}\n";
    let text = Workspace::with(&account, hcl).plan_expect_error();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Invalid value for \"domain_id\" parameter"), "{text}");
    assert!(text.contains("\"research\" is not the id of a SageMaker domain"), "{text}");
}
