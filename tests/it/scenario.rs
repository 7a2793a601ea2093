//! What a person would try: the demo, Ctrl-C, a fault in the middle, wrong credentials, the logs.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    emulator::{Account, Network, SECRET_KEY},
    said::in_one_line,
    terraform::Workspace,
};

const ADDRESS: &str = "studio_private_domain.test";

fn demo(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The demo's folder, for another account.
fn demo_workspace(account: &Account, network: &Network) -> Workspace {
    let workspace = Workspace::with(account, &demo("main.tf"));
    fs::write(workspace.file("variables.tf"), demo("variables.tf")).unwrap();
    set_users(&workspace, network, &["demouser1"]);
    workspace
}

fn set_users(workspace: &Workspace, network: &Network, users: &[&str]) {
    let values = json!({
        "vpc_id": network.vpc_id,
        "subnet_ids": network.subnet_ids[..2],
        "execution_role_arn": network.role_arn,
        "users": users,
    });
    fs::write(workspace.file("terraform.tfvars.json"), values.to_string()).unwrap();
}

/// A private domain alone.
fn domain(network: &Network) -> String {
    let subnet_ids = json!(network.subnet_ids[..2]);
    let (vpc_id, role_arn) = (&network.vpc_id, &network.role_arn);
    format!(
        r#"
resource "studio_private_domain" "test" {{
  name               = "test"
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

// ---- The demo ----

#[test]
fn the_demo_has_three_resources_in_at_most_forty_lines() {
    let main = demo("main.tf");
    let lines = main.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 40, "examples/demo/main.tf has {lines} lines");
    assert_eq!(main.matches("\nresource ").count() + usize::from(main.starts_with("resource ")), 3);
}

#[test]
fn the_readme_shows_what_the_demo_applies() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let shown = format!("```terraform\n{}```\n", demo("main.tf"));
    assert!(readme.contains(&shown), "README.md must show examples/demo/main.tf as it is");
}

#[test]
fn the_demo_applied_twice_changes_nothing_the_second_time_and_destroy_leaves_nothing() {
    let account = Account::new();
    let network = account.network();
    let workspace = demo_workspace(&account, &network);

    let planned = workspace.plan();
    assert!(planned.text.contains("3 to add, 0 to change, 0 to destroy"), "{}", planned.text);
    workspace.apply();
    workspace.plan().assert_empty();

    let url = workspace.output("url").as_str().unwrap().to_owned();
    assert!(url.starts_with("https://d-") && url.contains(".studio.us-east-1.sagemaker.aws"), "{url}");
    let named_conf = workspace.output("named_conf").as_str().unwrap().to_owned();
    let domain = workspace.state().values("studio_private_domain.demo");
    let forwarding = workspace.state().values("studio_dns_forwarding.demo");
    for zone in domain["forward_zones"].as_array().unwrap() {
        let zone = zone.as_str().unwrap();
        assert!(named_conf.contains(&format!("zone \"{zone}\"")), "{zone}: {named_conf}");
    }
    for address in forwarding["inbound_ips"].as_array().unwrap() {
        assert!(named_conf.contains(address.as_str().unwrap()), "{address}: {named_conf}");
    }
    let policy = workspace.state().values("studio_presign_policy.demo");
    for endpoint in domain["access_endpoint_ids"].as_array().unwrap() {
        assert!(policy["policy_json"].as_str().unwrap().contains(endpoint.as_str().unwrap()));
    }

    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn a_second_user_in_the_demo_is_one_change() {
    let account = Account::new();
    let network = account.network();
    let workspace = demo_workspace(&account, &network);
    workspace.apply();
    set_users(&workspace, &network, &["demouser1", "demouser2"]);
    workspace.plan().assert_updates(&["user_profiles.demouser2"]);
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
    account.assert_nothing_is_left();
}

// ---- Ctrl-C ----

/// A domain whose making was interrupted while SageMaker worked on it.
fn interrupted() -> (Account, Workspace) {
    let account = Account::alone();
    let network = account.network();
    let workspace = Workspace::with(&account, &domain(&network));
    account.pace(json!({ "sagemaker:domain": 3600 }));
    // With the endpoints ready and the domain looked at, nothing but the domain is waited for.
    let text = workspace.apply_interrupted(|| {
        let calls = account.calls();
        let count = |name: &str| calls.iter().filter(|call| call.operation == name).count();
        count("CreateVpcEndpoint") == 3 && count("DescribeDomain") > 2
    });
    assert!(in_one_line(&text).contains("Interrupted"), "{text}");
    account.pace(json!({}));
    (account, workspace)
}

#[test]
fn ctrl_c_keeps_what_was_made_and_the_next_apply_finishes() {
    let (account, workspace) = interrupted();
    assert!(workspace.state().is_tainted(ADDRESS));
    let kept = workspace.state().values(ADDRESS);
    assert!(kept["domain_id"].as_str().unwrap().starts_with("d-"), "{kept}");
    assert_eq!(kept["endpoint_ids"].as_object().map(serde_json::Map::len), Some(3), "{kept}");

    workspace.apply();
    workspace.plan().assert_empty();
    assert!(!workspace.state().is_tainted(ADDRESS));
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn after_ctrl_c_destroy_leaves_nothing() {
    let (account, workspace) = interrupted();
    workspace.destroy();
    account.assert_nothing_is_left();
}

// ---- A fault in the middle ----

/// A domain whose third endpoint EC2 refuses once.
fn refused() -> (Account, Workspace) {
    let account = Account::alone();
    let network = account.network();
    let workspace = Workspace::with(&account, &domain(&network));
    let message = "The maximum number of VPC endpoints has been reached";
    account.rules(json!([{
        "service": "ec2",
        "operation": "CreateVpcEndpoint",
        "nth": 3,
        "times": 1,
        "error": { "code": "VpcEndpointLimitExceeded", "message": message, "status": 400 },
    }]));
    let text = in_one_line(&workspace.apply_expect_error());
    for needed in [
        "Could not create the VPC endpoint for",
        "VpcEndpointLimitExceeded",
        message,
        "These parts exist and are recorded:",
        "domain d-",
        "security group sg-",
        "VPC endpoint vpce-",
        "apply again to start over",
        "terraform untaint",
    ] {
        assert!(text.contains(needed), "{needed:?} is not in: {text}");
    }
    (account, workspace)
}

#[test]
fn after_a_fault_untaint_and_apply_makes_nothing_twice() {
    let (account, workspace) = refused();
    assert!(workspace.state().is_tainted(ADDRESS));
    workspace.untaint(ADDRESS);
    assert_eq!(workspace.plan().change().actions, ["update"]);
    workspace.apply();
    workspace.plan().assert_empty();

    for (operation, times) in [
        ("CreateSecurityGroup", 2),
        ("CreateVpcEndpoint", 3),
        ("CreateDomain", 1),
        ("CreateUserProfile", 1),
        ("CreateHostedZone", 2),
        ("DeleteDomain", 0),
        ("DeleteVpcEndpoints", 0),
    ] {
        assert_eq!(account.count(operation), times, "{operation}: {:#?}", account.changes());
    }
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn after_a_fault_a_plain_apply_starts_over() {
    let (account, workspace) = refused();
    assert_eq!(workspace.plan().change().actions, ["delete", "create"]);
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(account.count("CreateDomain"), 2);
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn after_a_fault_destroy_leaves_nothing() {
    let (account, workspace) = refused();
    workspace.destroy();
    account.assert_nothing_is_left();
}

// ---- A run that was killed ----

#[test]
fn what_a_killed_run_made_before_the_domain_is_taken_over() {
    let account = Account::alone();
    let network = account.network();
    let workspace = Workspace::with(&account, &domain(&network));
    account.rules(json!([{
        "service": "sagemaker",
        "operation": "CreateDomain",
        "times": 1,
        "error": { "code": "AccessDeniedException", "message": "not yet", "status": 400 },
    }]));
    workspace.apply_expect_error();
    // A killed run has saved no state.
    workspace.forget(ADDRESS);
    workspace.apply();
    workspace.plan().assert_empty();
    for (operation, times) in [("CreateSecurityGroup", 2), ("CreateVpcEndpoint", 3), ("CreateHostedZone", 2)] {
        assert_eq!(account.count(operation), times, "{operation}: {:#?}", account.changes());
    }
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn a_domain_that_a_killed_run_made_is_imported_with_everything_around_it() {
    let account = Account::new();
    let network = account.network();
    let workspace = Workspace::with(&account, &domain(&network));
    workspace.apply();
    let id = workspace.state().values(ADDRESS)["id"].as_str().expect("it has an id").to_owned();
    workspace.forget(ADDRESS);
    let text = in_one_line(&workspace.apply_expect_error());
    for needed in ["A domain of this name exists", &id, "import it"] {
        assert!(text.contains(needed), "{needed:?} is not in: {text}");
    }
    workspace.import(ADDRESS, &id);
    workspace.plan().assert_empty();
    assert_eq!(account.count("CreateVpcEndpoint"), 3);
    workspace.destroy();
    account.assert_nothing_is_left();
}

// ---- Logs ----

#[test]
fn no_log_shows_a_secret() {
    const TOKEN: &str = "FwoG-this-session-token-must-not-be-logged";
    let account = Account::new();
    let network = account.network();
    let mut workspace = Workspace::new(&account);
    workspace.provider.more = format!("  token = {TOKEN:?}");
    workspace.environment = vec![
        ("TF_LOG".to_owned(), "TRACE".to_owned()),
        ("TF_LOG_PATH".to_owned(), workspace.file("log.txt").to_str().unwrap().to_owned()),
    ];
    workspace.write(&domain(&network));
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();

    let log = fs::read_to_string(workspace.file("log.txt")).unwrap();
    let ours = log.lines().filter(|line| line.contains("provider.terraform-provider-studio"));
    assert!(ours.clone().count() > 100, "the provider logs what it does");
    assert!(ours.clone().any(|line| line.contains("CreateDomain")), "the provider logs its calls");
    for secret in [SECRET_KEY, TOKEN, "/auth?token="] {
        let found: Vec<_> = log.lines().filter(|line| line.contains(secret)).collect();
        assert!(found.is_empty(), "{secret:?} is in the log:\n{}", found.join("\n"));
    }
    let signed = ours.filter(|line| line.contains("X-Amz-Signature") || line.contains("Signature="));
    assert_eq!(signed.count(), 0, "a signature is in the log");
}

// ---- Wrong credentials, account, Region ----

/// A workspace in which nothing may be made, with the one error that says why.
fn assert_refused(account: &Account, workspace: &Workspace, needed: &[&str]) {
    let text = in_one_line(&workspace.apply_expect_error());
    assert_eq!(text.matches("Error: ").count(), 1, "{text}");
    for needed in needed {
        assert!(text.contains(needed), "{needed:?} is not in: {text}");
    }
    assert_eq!(account.changes(), [] as [&str; 0], "nothing may be made");
}

#[test]
fn credentials_that_aws_does_not_take_are_one_error() {
    for key in ["AKIADENIED0000000000", "AKIAEXPIRED000000000"] {
        let account = Account::new();
        let network = account.network();
        let mut workspace = Workspace::new(&account);
        workspace.provider.access_key = key.to_owned();
        workspace.write(&domain(&network));
        assert_refused(&account, &workspace, &["credentials"]);
        account.assert_nothing_is_left();
    }
}

#[test]
fn credentials_of_another_account_are_one_error() {
    let account = Account::new();
    let network = account.network();
    let mut workspace = Workspace::new(&account);
    workspace.provider.more = "  allowed_account_ids = [\"123456789012\"]".to_owned();
    workspace.write(&domain(&network));
    assert_refused(&account, &workspace, &[&account.id, "allowed_account_ids"]);

    workspace.provider.more = format!("  forbidden_account_ids = [{:?}]", account.id);
    workspace.write(&domain(&network));
    assert_refused(&account, &workspace, &[&account.id, "forbidden_account_ids"]);
}

#[test]
fn a_region_that_does_not_exist_is_one_error() {
    let account = Account::new();
    let network = account.network();
    let mut workspace = Workspace::new(&account);
    workspace.provider.region = "\"us-esat-1\"".to_owned();
    workspace.write(&domain(&network));
    assert_refused(&account, &workspace, &["us-esat-1"]);
}

#[test]
fn without_any_region_the_error_says_where_one_is_looked_for() {
    let account = Account::new();
    let network = account.network();
    let mut workspace = Workspace::new(&account);
    workspace.provider.region = "null".to_owned();
    workspace.write(&domain(&network));
    assert_refused(&account, &workspace, &["region", "AWS_REGION"]);
}

// ---- Values that are not known yet ----

#[test]
fn a_plan_works_before_the_providers_region_is_known() {
    let account = Account::new();
    let network = account.network();
    let mut workspace = Workspace::new(&account);
    workspace.provider.region = "terraform_data.region.output".to_owned();
    let region = "resource \"terraform_data\" \"region\" {\n  input = \"us-east-1\"\n}\n";
    workspace.write(&(region.to_owned() + &domain(&network)));

    let plan = workspace.plan();
    assert_eq!(plan.changes().len(), 2, "{}", plan.text);
    assert_eq!(account.calls().len(), 0, "nothing is asked before it is known whom to ask");
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
    account.assert_nothing_is_left();
}

#[test]
fn a_plan_works_before_a_resources_arguments_are_known() {
    let account = Account::new();
    let network = account.network();
    let data = json!({ "vpc": network.vpc_id, "subnets": network.subnet_ids[..2], "role": network.role_arn });
    let configuration = format!(
        r#"
resource "terraform_data" "made" {{
  input = {data}
}}

resource "studio_private_domain" "test" {{
  name               = "test"
  vpc_id             = terraform_data.made.output.vpc
  subnet_ids         = terraform_data.made.output.subnets
  execution_role_arn = terraform_data.made.output.role
  home_efs           = {{ enabled = false }}
}}
"#
    );
    let workspace = Workspace::with(&account, &configuration);
    assert_eq!(workspace.plan().changes().len(), 2);
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
    account.assert_nothing_is_left();
}
