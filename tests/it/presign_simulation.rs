//! `studio_presign_policy_document`, `studio_presign_simulation` and `presign_decision`, read by the real Terraform.

use serde_json::{Value as Json, json};

use crate::{emulator::Account, linter, terraform::Workspace};

const RULES: &str = r#"
data "studio_presign_policy_document" "test" {
  mode        = "both"
  domain_arns = ["arn:aws:sagemaker:us-east-1:123456789012:domain/d-abcdefghijkl"]
  allowed     = [{ vpc_endpoint_ids = ["vpce-0aaaaaaaaaaaaaaaa", "vpce-0bbbbbbbbbbbbbbbb"] }]
}

locals {
  ada      = "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-abcdefghijkl/ada"
  role     = "arn:aws:iam::123456789012:role/Scientist"
  requests = [
    { name = "on the path", resource = local.ada, principal_arn = local.role, context = { "aws:SourceVpce" = "vpce-0aaaaaaaaaaaaaaaa" } },
    { name = "elsewhere", resource = local.ada, principal_arn = local.role, context = { "aws:SourceIp" = "192.0.2.44" } },
    { name = "another domain", resource = replace(local.ada, "ijkl", "wxyz"), principal_arn = local.role, context = { "aws:SourceVpce" = "vpce-0aaaaaaaaaaaaaaaa" } },
  ]
}
"#;

fn simulation(settings: &str) -> String {
    format!(
        "{RULES}\ndata \"studio_presign_simulation\" \"test\" {{\n{settings}\n}}\noutput \"results\" {{\n  value = data.studio_presign_simulation.test.results\n}}\n"
    )
}

fn decisions(results: &Json) -> Vec<&str> {
    results.as_array().expect("it is a list").iter().map(|one| one["decision"].as_str().expect("it is text")).collect()
}

/// But for whose the credentials are, which is asked when the provider is configured.
fn assert_nothing_is_asked(account: &Account) {
    let asked: Vec<_> = account.calls().into_iter().filter(|call| call.operation != "GetCallerIdentity").collect();
    assert!(asked.is_empty(), "{asked:?}");
}

#[test]
fn documents_and_findings_come_without_asking_aws() {
    let account = Account::new();
    let hcl = format!("{RULES}\noutput \"all\" {{\n  value = data.studio_presign_policy_document.test\n}}\n");
    let workspace = Workspace::with(&account, &hcl);
    workspace.apply();
    let all = workspace.output("all");
    linter::assert_clean(&linter::documents_of(&all));
    assert_eq!(all["managed_policies_json"], json!([all["policy_json"]]));
    for (name, effects) in [("policy_json", 2), ("scp_json", 1)] {
        let document: Json = serde_json::from_str(all[name].as_str().expect("it is text")).expect("it is JSON");
        assert_eq!(document["Statement"].as_array().map(Vec::len), Some(effects), "{name}");
    }
    assert!(all["endpoint_policy_json"]["sagemaker.api"].is_string());
    assert_eq!(all["findings"][0]["code"], "no_exempt_principal");
    assert_nothing_is_asked(&account);
}

#[test]
fn a_lockout_stops_the_plan_of_a_document_unless_it_is_said_otherwise() {
    let account = Account::new();
    let wrong = |more: &str| {
        let allowed = r#"[{ vpc_ids = ["vpc-0aaaaaaaa"], source_cidr_blocks = ["203.0.113.0/24"] }]"#;
        let all = format!("{RULES}\noutput \"all\" {{\n  value = data.studio_presign_policy_document.test\n}}\n");
        let (before, after) = all.split_once("  allowed     = ").expect("it is there");
        format!("{before}  allowed = {allowed}\n{more}{}", after.split_once('\n').expect("a line ends").1)
    };
    let workspace = Workspace::with(&account, &wrong(""));
    let text = workspace.plan_expect_error();
    assert!(text.contains("source_ip_over_endpoint") && text.contains("on_lockout"), "{text}");
    workspace.write(&wrong("  on_lockout = \"ignore\"\n"));
    workspace.apply();
    assert_eq!(workspace.output("all")["findings"][0]["code"], "source_ip_over_endpoint");
}

#[test]
fn requests_are_decided_offline_in_every_layer() {
    let account = Account::new();
    let hcl = simulation(
        r#"
  policies = [
    { kind = "identity", document = data.studio_presign_policy_document.test.policy_json },
    { kind = "endpoint", document = data.studio_presign_policy_document.test.endpoint_policy_json["sagemaker.api"] },
    { kind = "scp", document = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] }) },
    { kind = "boundary", document = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sagemaker:*", Resource = "*" }] }) },
  ]
  requests = concat(local.requests, [{ name = "who knows", resource = local.ada, unknown = ["aws:SourceVpce"] }])"#,
    );
    let workspace = Workspace::with(&account, &hcl);
    workspace.apply();
    let results = workspace.output("results");
    assert_eq!(decisions(&results), ["allowed", "explicit_deny", "explicit_deny", "cannot_tell"]);
    assert_eq!(results[1]["name"], "elsewhere");
    assert_eq!(results[1]["matched"], json!([{ "policy": 0, "statement": 1, "sid": "DenyOffPath1" }]));
    assert_eq!(results[2]["matched"][0]["sid"], "DenyOtherDomains");
    assert_nothing_is_asked(&account);
}

#[test]
fn the_witness_of_a_finding_is_a_request_as_it_stands() {
    let account = Account::new();
    let hcl = simulation(
        r#"
  policies = [
    { kind = "identity", document = data.studio_presign_policy_document.test.policy_json },
  ]
  requests = [for found in data.studio_presign_policy_document.test.findings : jsondecode(found.witness)]"#,
    );
    let decided = r#"
output "decided" {
  value = [for found in data.studio_presign_policy_document.test.findings : provider::studio::presign_decision(
    [{ kind = "identity", document = data.studio_presign_policy_document.test.policy_json }], found.witness)]
}
output "as_object" {
  value = provider::studio::presign_decision(
    [{ kind = "identity", document = jsondecode(data.studio_presign_policy_document.test.policy_json) }],
    { action = "sagemaker:CreatePresignedDomainUrl", resource = local.ada, principal_arn = null,
      context = { "aws:SourceVpce" = "vpce-0aaaaaaaaaaaaaaaa" } })
}
"#;
    let workspace = Workspace::with(&account, &format!("{hcl}{decided}"));
    workspace.apply();
    // Without an exempt principal, this is who is locked out.
    assert_eq!(decisions(&workspace.output("results")), ["explicit_deny"]);
    assert_eq!(decisions(&workspace.output("decided")), ["explicit_deny"]);
    assert_eq!(workspace.output("as_object")["decision"], "allowed");
}

#[test]
fn iams_own_simulator_decides_the_same() {
    let account = Account::new();
    let policies = r#"
  policies = [
    { kind = "identity", document = data.studio_presign_policy_document.test.policy_json },
    { kind = "boundary", document = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sagemaker:*", Resource = "*" }] }) },
  ]
  requests = local.requests"#;
    let workspace = Workspace::with(&account, &simulation(policies));
    workspace.apply();
    let offline = workspace.output("results");
    assert_eq!(account.count("SimulateCustomPolicy"), 0);
    workspace.write(&simulation(&format!("{policies}\n  engine = \"aws\"")));
    workspace.apply();
    let iam = workspace.output("results");
    assert!(account.count("SimulateCustomPolicy") >= 3);
    assert_eq!(decisions(&offline), ["allowed", "explicit_deny", "implicit_deny"]);
    assert_eq!(decisions(&iam), decisions(&offline));
    assert!(iam[1]["reason"].as_str().is_some_and(|text| text.contains("explicitDeny")), "{iam}");
}

#[test]
fn what_iams_simulator_does_not_take_is_refused_at_its_place() {
    let account = Account::new();
    for kind in ["scp", "endpoint"] {
        let policies = format!(
            "  engine   = \"aws\"\n  policies = [\n    {{ kind = \"identity\", document = data.studio_presign_policy_document.test.policy_json }},\n    {{ kind = {kind:?}, document = data.studio_presign_policy_document.test.scp_json }},\n  ]\n  requests = local.requests"
        );
        let text = Workspace::with(&account, &simulation(&policies)).plan_expect_error();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&format!("policies[1] is of the kind \"{kind}\"")), "{text}");
    }
    let policies = "  policies = [{ kind = \"identity\", document = \"{\" }]\n  requests = local.requests";
    let text = Workspace::with(&account, &simulation(policies)).plan_expect_error();
    assert!(text.contains("policies[0].document"), "{text}");
    assert_eq!(account.count("SimulateCustomPolicy"), 0);
}
