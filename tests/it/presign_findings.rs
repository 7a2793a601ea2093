//! What `studio_presign_policy` finds at plan, each kind as an error or a warning, and ignored.

use aws_sdk_sagemaker::types::{AuthMode, UserSettings};
use serde_json::{Value as Json, json};
use studio::policy::{
    document::Document,
    evaluate::Decision,
    simulation::{KindedPolicy, NamedRequest, simulate},
};

use crate::{
    emulator::{Account, REGION},
    presign_policy::{ADDRESS, Ground, Policy, codes, in_one_line, make_endpoint},
    terraform::{Plan, Workspace},
};

const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// The finding of this kind in a plan.
#[track_caller]
fn finding(plan: &Plan, code: &str) -> Json {
    let after = plan.change().after;
    let found = after["findings"].as_array().unwrap_or_else(|| panic!("{after}")).iter();
    let found = found.into_iter().find(|found| found["code"] == code);
    found.unwrap_or_else(|| panic!("{code} is not among {}", after["findings"])).clone()
}

fn says(plan: &Plan, code: &str) -> bool {
    plan.text.contains(&format!("Presigned URLs: {}", code.replace('_', " ")))
}

/// Plans with each value of `on_lockout`, and gives the finding.
#[track_caller]
fn check(ground: &Ground, policy: &Policy, code: &str, severity: &str) -> Json {
    let with = |on_lockout: &str| policy.clone().with("on_lockout", json!(on_lockout)).hcl();
    let workspace = Workspace::with(&ground.account, &with("ignore"));
    let ignored = workspace.plan();
    let found = finding(&ignored, code);
    assert_eq!(found["severity"], severity, "{found}");
    assert!(!says(&ignored, code), "{}", ignored.text);

    workspace.write(&with("warn"));
    let warned = workspace.plan();
    assert_eq!(finding(&warned, code), found);
    assert_eq!(says(&warned, code), severity != "info", "{}", warned.text);

    workspace.write(&policy.hcl());
    if severity == "error" {
        let text = in_one_line(&workspace.plan_expect_error());
        assert!(text.contains(&format!("Finding {code}, shown by this request")), "{text}");
        assert!(text.contains("set on_lockout to \"warn\" or \"ignore\""), "{text}");
    } else {
        assert_eq!(finding(&workspace.plan(), code), found);
    }
    found
}

/// What the planned documents decide about a finding's witness, beside a policy that allows everything.
fn decision(policy: &Json, witness: &Json) -> Decision {
    let kinded = |document: Json| {
        let policy = json!({ "kind": "identity", "document": document });
        serde_json::from_value::<KindedPolicy>(policy).unwrap().to_attached().unwrap()
    };
    let request = NamedRequest::parse(witness.as_str().unwrap()).unwrap();
    simulate(&[kinded(json!(EVERYTHING)), kinded(policy.clone())], &[request])[0].decision
}

#[test]
fn what_the_rules_alone_tell() {
    let ground = Ground::new(Account::new());
    let (studio, api) = (&ground.studio, &ground.api);
    let sts = make_endpoint(&ground.outside, &ground.network, &format!("com.amazonaws.{REGION}.sts"));
    let vpc = &ground.network.vpc_id;
    for (code, severity, allowed) in [
        ("missing_studio_endpoint", "error", json!([{ "vpc_endpoint_ids": [api] }])),
        ("missing_api_endpoint", "error", json!([{ "vpc_endpoint_ids": [studio] }])),
        ("source_ip_over_endpoint", "error", json!([{ "vpc_ids": [vpc], "source_cidr_blocks": ["203.0.113.0/24"] }])),
        ("everyone_locked_out", "error", json!([{ "vpc_ids": [vpc], "source_cidr_blocks": ["203.0.113.0/24"] }])),
        ("vpc_source_ip_without_vpc", "error", json!([{ "vpc_source_cidr_blocks": ["10.0.0.0/8"] }])),
        ("unreachable_path", "error", json!([{ "vpc_endpoint_ids": [sts] }])),
        ("public_path", "error", json!([{ "source_cidr_blocks": ["0.0.0.0/0"] }])),
        (
            "endpoint_of_other_vpc",
            "error",
            json!([{ "vpc_endpoint_ids": [studio, api], "vpc_ids": ["vpc-0eeeeeeee"] }]),
        ),
        ("private_dns_off", "warning", json!([{ "vpc_endpoint_ids": [studio, api] }])),
        ("no_exempt_principal", "info", json!([{ "vpc_endpoint_ids": [studio, api] }])),
    ] {
        check(&ground, &Policy::new(&ground).with("allowed", allowed), code, severity);
    }
    assert!(ground.account.changes().iter().all(|change| !change.contains("Policy")), "plans change nothing");
}

#[test]
fn a_path_that_asks_nothing_is_refused_whatever_on_lockout_says() {
    let ground = Ground::new(Account::new());
    let policy = Policy::new(&ground).with("allowed", json!([{}])).with("on_lockout", json!("ignore"));
    let text = in_one_line(&Workspace::with(&ground.account, &policy.hcl()).plan_expect_error());
    assert!(text.contains("Invalid allowed[0]"), "{text}");
}

#[test]
fn the_witness_shows_who_is_let_in_or_locked_out() {
    let ground = Ground::new(Account::new());
    for (code, allowed, expected) in [
        ("public_path", json!([{ "source_cidr_blocks": ["0.0.0.0/0"] }]), Decision::Allow),
        ("missing_studio_endpoint", json!([{ "vpc_endpoint_ids": [ground.api] }]), Decision::ExplicitDeny),
    ] {
        let policy = Policy::new(&ground).with("allowed", allowed);
        let found = check(&ground, &policy, code, "error");
        let workspace = Workspace::with(&ground.account, &policy.with("on_lockout", json!("ignore")).hcl());
        let document = workspace.plan().change().after["policy_json"].clone();
        assert!(Document::parse(document.as_str().unwrap()).is_ok());
        assert_eq!(decision(&document, &found["witness"]), expected, "{code}");
    }
}

#[test]
fn a_vpc_with_one_of_the_endpoints_lacks_the_other_one() {
    let ground = Ground::new(Account::new());
    let in_vpc = Policy::new(&ground).with("allowed", json!([{ "vpc_ids": [ground.network.vpc_id] }]));
    let workspace = Workspace::with(&ground.account, &in_vpc.hcl());
    assert_eq!(codes(&workspace.plan().change().after), json!(["no_exempt_principal"]));
    let delete = |id: &str| {
        ground.outside.run(ground.outside.ec2().delete_vpc_endpoints().vpc_endpoint_ids(id).send());
    };
    delete(&ground.studio);
    check(&ground, &in_vpc, "missing_studio_endpoint", "error");
    // Where there is neither, both may be made in the same run.
    delete(&ground.api);
    assert_eq!(codes(&workspace.plan().change().after), json!(["no_exempt_principal"]));
}

#[test]
fn a_grant_is_no_restriction_for_those_who_are_allowed_elsewhere() {
    let ground = Ground::new(Account::new());
    let (iam, run) = (ground.outside.iam(), &ground.outside);
    let grant = Policy::new(&ground).with("mode", json!("grant"));
    let to_role = grant.clone().with("attach_to", json!({ "roles": ["analyst"] }));
    let to_user = grant.with("attach_to", json!({ "users": ["ana"] }));
    let is_found = |policy: &Policy| {
        let plan = Workspace::with(&ground.account, &policy.clone().with("on_lockout", json!("warn")).hcl()).plan();
        codes(&plan.change().after).to_string().contains("grant_is_no_restriction")
    };
    assert!(!is_found(&to_role) && !is_found(&to_user));
    let inline = iam.put_role_policy().role_name("analyst").policy_name("all").policy_document(EVERYTHING);
    run.run(inline.send());
    let found = check(&ground, &to_role, "grant_is_no_restriction", "error");
    assert!(found["message"].as_str().is_some_and(|text| text.contains("role/analyst")), "{found}");

    // A user's groups count, and managed policies.
    let create = iam.create_policy().policy_name("everything").policy_document(EVERYTHING);
    let arn = run.run(create.send()).policy.and_then(|policy| policy.arn).expect("it has one");
    run.run(iam.attach_group_policy().group_name("data").policy_arn(&arn).send());
    run.run(iam.add_user_to_group().group_name("data").user_name("ana").send());
    check(&ground, &to_user, "grant_is_no_restriction", "error");
    // What the resource itself attaches is not another policy.
    let both = to_role.with("mode", json!("both"));
    assert!(!is_found(&both));
}

#[test]
fn an_endpoint_policy_for_presigning_alone_breaks_apps() {
    let ground = Ground::new(Account::new());
    let narrow = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "sagemaker:CreatePresignedDomainUrl", "Resource": "*" }] });
    let modify = ground.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(&ground.api);
    ground.outside.run(modify.policy_document(narrow.to_string()).send());
    let policy = Policy::new(&ground);
    check(&ground, &policy, "narrow_api_endpoint_policy", "warning");
    // The policy that is about to be set is the one that counts.
    let set = policy.with("endpoint_policies", json!({ "sagemaker.api": ground.api }));
    let after = Workspace::with(&ground.account, &set.hcl()).plan().change().after;
    assert!(!codes(&after).to_string().contains("narrow_api_endpoint_policy"), "{after}");
}

#[test]
fn domains_are_looked_up() {
    let ground = Ground::new(Account::new());
    let domain = |name: &str, mode: AuthMode| {
        let settings = UserSettings::builder().execution_role(&ground.network.role_arn).build();
        let create = ground.outside.sagemaker().create_domain().domain_name(name).auth_mode(mode);
        let create = create.default_user_settings(settings).vpc_id(&ground.network.vpc_id);
        let made = ground.outside.run(create.subnet_ids(&ground.network.subnet_ids[0]).send());
        json!([made.domain_arn.expect("it has an ARN")])
    };
    let sso = Policy::new(&ground).with("domain_arns", domain("sso", AuthMode::Sso));
    check(&ground, &sso, "sso_domain", "error");
    let role = ground.network.role_arn.rsplit('/').next().expect("it has a name").to_owned();
    let own = Policy::new(&ground).with("domain_arns", domain("iam", AuthMode::Iam));
    check(&ground, &own, "execution_role_restricted", "info");
    let attached = own.with("attach_to", json!({ "roles": [role] }));
    check(&ground, &attached, "execution_role_restricted", "warning");
}

#[test]
fn what_may_not_be_read_is_left_out_and_said_once() {
    let ground = Ground::new(Account::alone());
    let denied = json!({ "code": "AccessDenied", "message": "no", "status": 403 });
    let deny = |service: &str, operation: &str| json!({ "service": service, "operation": operation, "error": denied });
    ground.account.rules(json!([
        deny("ec2", "DescribeVpcEndpoints"),
        deny("iam", "ListRolePolicies"),
        deny("sagemaker", "DescribeDomain"),
    ]));
    let policy = Policy::new(&ground).with("attach_to", json!({ "roles": ["analyst"] }));
    let plan = Workspace::with(&ground.account, &policy.hcl()).plan();
    assert_eq!(codes(&plan.change().after), json!(["no_exempt_principal"]));
    for action in ["ec2:DescribeVpcEndpoints", "iam:ListRolePolicies", "sagemaker:DescribeDomain"] {
        assert_eq!(plan.text.matches(&format!("needs {action}")).count(), 1, "{}", plan.text);
    }
}

#[test]
fn what_changes_around_the_policy_shows_and_is_no_change_of_it() {
    let ground = Ground::new(Account::new());
    let workspace = Workspace::with(&ground.account, &Policy::new(&ground).with("mode", json!("grant")).hcl());
    workspace.apply();
    let state = || codes(&workspace.state().values(ADDRESS));
    assert_eq!(state(), json!(["private_dns_off", "private_dns_off"]));
    let modify = ground.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(&ground.api);
    ground.outside.run(modify.private_dns_enabled(true).send());
    workspace.plan().assert_empty();
    workspace.apply();
    assert_eq!(state(), json!(["private_dns_off"]));
    workspace.destroy();
}

#[test]
fn a_role_that_the_same_run_makes_is_looked_at_when_it_is_there() {
    let ground = Ground::new(Account::new());
    let policy = Policy::new(&ground).with("mode", json!("grant")).with("attach_to", json!({ "roles": ["later"] }));
    let workspace = Workspace::with(&ground.account, &policy.hcl());
    let change = workspace.plan().change();
    assert_eq!(change.after_unknown["findings"], true);
    let iam = ground.outside.iam();
    let trust = r#"{"Version":"2012-10-17","Statement":[]}"#;
    ground.outside.run(iam.create_role().role_name("later").assume_role_policy_document(trust).send());
    assert!(workspace.plan().change().after["findings"].is_array());
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
}
