//! Cases that show only by what there is in AWS: endpoints, domains, callers.

use aws_sdk_sagemaker::types::{AuthMode, UserSettings};
use serde_json::{Value as Json, json};
use studio::policy::analyze::{Code, Severity};

use super::cases::{Case, EVERYTHING, Shows, clean, clean_ground};
use crate::presign_policy::{ADDRESS, Ground, Policy};

pub fn private_dns_off(code: Code) -> Case {
    let ground = clean_ground();
    let modify = ground.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(&ground.api);
    ground.outside.run(modify.private_dns_enabled(false).send());
    let (policy, id) = (clean(&ground), ground.api.clone());
    Case::new(code, ground, policy)
        .severity(Severity::Warning)
        .says(&[&format!("Private DNS is off on the endpoint {id} for sagemaker.api"), "and are denied"])
}

fn set_endpoint_policy(ground: &Ground, id: &str, action: &str) -> String {
    let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*" });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let modify = ground.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(id);
    ground.outside.run(modify.policy_document(&policy).send());
    format!("jsonencode({policy})")
}

pub fn narrow_api_endpoint_policy(code: Code) -> Case {
    let ground = clean_ground();
    let narrow = set_endpoint_policy(&ground, &ground.api, "sagemaker:CreatePresignedDomainUrl");
    let policy = clean(&ground);
    let everything = format!("jsonencode({EVERYTHING})");
    Case::new(code, ground, policy)
        .severity(Severity::Warning)
        .says(&["denies sagemaker:CreateApp", "make these calls through it and break"])
        .beside(&[("identity", &everything), ("endpoint", &narrow)])
}

fn make_domain(ground: &Ground, mode: AuthMode) -> (Json, String) {
    let settings = UserSettings::builder().execution_role(&ground.network.role_arn).build();
    let create = ground.outside.sagemaker().create_domain().domain_name("test").auth_mode(mode);
    let create = create.default_user_settings(settings).vpc_id(&ground.network.vpc_id);
    let made = ground.outside.run(create.subnet_ids(&ground.network.subnet_ids[0]).send());
    let arn = made.domain_arn.expect("it has an ARN");
    let id = arn.rsplit('/').next().expect("it has an id").to_owned();
    (json!([arn]), id)
}

pub fn sso_domain(code: Code) -> Case {
    let ground = clean_ground();
    let (arns, id) = make_domain(&ground, AuthMode::Sso);
    let policy = clean(&ground).with("domain_arns", arns);
    Case::new(code, ground, policy)
        .at("domain_arns")
        .says(&[&format!("People sign in to {id} through IAM Identity Center"), "the policy confines nobody"])
        .shows(Shows::LetIn)
        .and(&[Code::ExecutionRoleRestricted])
}

pub fn execution_role_restricted(code: Code) -> Vec<Case> {
    let everything = format!("jsonencode({EVERYTHING})");
    let scp = format!("{ADDRESS}.scp_json");
    let ground = clean_ground();
    let (arns, _) = make_domain(&ground, AuthMode::Iam);
    let policy = clean(&ground).with("domain_arns", arns);
    let role = ground.network.role_arn.clone();
    let by_scp = Case::new(code, ground, policy)
        .severity(Severity::Info)
        .says(&["As a service control policy", &role])
        .beside(&[("identity", &everything), ("scp", &everything), ("scp", &scp)]);

    let ground = clean_ground();
    let (arns, _) = make_domain(&ground, AuthMode::Iam);
    let role = ground.network.role_arn.clone();
    let name = role.rsplit('/').next().expect("it has a name");
    let inline = ground.outside.iam().put_role_policy().role_name(name).policy_name("all").policy_document(EVERYTHING);
    ground.outside.run(inline.send());
    let policy = clean(&ground).with("domain_arns", arns).with("attach_to", json!({ "roles": [name] }));
    let attached = Case::new(code, ground, policy)
        .severity(Severity::Warning)
        .at("attach_to")
        .says(&[&format!("attached to the execution role {role} and denies it presigning"), "exempt_principal_arns"]);
    vec![by_scp, attached]
}

// ---- Callers ----

/// Another policy of the role.
fn put_inline(ground: &Ground, role: &str, document: &str) {
    let put = ground.outside.iam().put_role_policy().role_name(role).policy_name("other").policy_document(document);
    ground.outside.run(put.send());
}

pub fn grant_is_no_restriction(code: Code) -> Vec<Case> {
    let by_role = clean_ground();
    put_inline(&by_role, "analyst", EVERYTHING);
    let policy = clean(&by_role).with("mode", json!("grant")).with("attach_to", json!({ "roles": ["analyst"] }));
    let of_role = (by_role, policy, "role/analyst");

    // A user's groups count, and managed policies.
    let by_group = clean_ground();
    let (iam, run) = (by_group.outside.iam(), &by_group.outside);
    let create = iam.create_policy().policy_name("everything").policy_document(EVERYTHING);
    let arn = run.run(create.send()).policy.and_then(|policy| policy.arn).expect("it has one");
    run.run(iam.attach_group_policy().group_name("data").policy_arn(&arn).send());
    run.run(iam.add_user_to_group().group_name("data").user_name("ana").send());
    let policy = clean(&by_group).with("mode", json!("grant")).with("attach_to", json!({ "users": ["ana"] }));
    let of_user = (by_group, policy, "user/ana");

    let case = |(ground, policy, who): (Ground, Policy, &str)| {
        Case::new(code, ground, policy)
            .at("mode")
            .says(&[
                who,
                "may presign off the allowed paths already, by another of its policies",
                "no restriction for it",
            ])
            .shows(Shows::LetIn)
    };
    vec![case(of_role), case(of_user)]
}

pub fn locked_out(code: Code) -> Vec<Case> {
    let ground = clean_ground();
    let closed = set_endpoint_policy(&ground, &ground.studio, "s3:*");
    let (policy, id) = (clean(&ground), ground.studio.clone());
    let everything = format!("jsonencode({EVERYTHING})");
    let by_endpoint = Case::new(code, ground, policy)
        .says(&[&format!("The policy of the endpoint {id} does not let requests through"), "is locked out"])
        .beside(&[("identity", &everything), ("endpoint", &closed)]);

    let ground = clean_ground();
    let policy = clean(&ground).with("attach_to", json!({ "roles": ["analyst"] }));
    let by_nothing = Case::new(code, ground, policy)
        .severity(Severity::Warning)
        .says(&["role/analyst may not presign on any of the allowed paths", "A guard allows nothing by itself"])
        .beside(&[]);
    vec![by_endpoint, by_nothing]
}

pub fn cannot_tell(code: Code) -> Case {
    let ground = clean_ground();
    let when = json!({ "DateGreaterThan": { "aws:CurrentTime": "2030-01-01T00:00:00Z" } });
    let statement = json!({ "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": when });
    let other = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    put_inline(&ground, "analyst", &other);
    let policy = clean(&ground).with("mode", json!("grant")).with("attach_to", json!({ "roles": ["analyst"] }));
    Case::new(code, ground, policy)
        .severity(Severity::Warning)
        .says(&["DateGreaterThan"])
        .shows(Shows::CannotTell)
        .beside(&[("identity", &format!("jsonencode({other})"))])
        .and(&[code])
}
