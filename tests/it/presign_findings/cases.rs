//! For each kind of finding, what has to be written and to be there so that it shows.
//!
//! Each case changes one thing about a policy that is found no fault with.

use aws_sdk_sagemaker::types::{AuthMode, UserSettings};
use serde_json::{Value as Json, json};
use studio::policy::analyze::{Code, Severity};

use crate::{
    emulator::{Account, REGION},
    presign_policy::{ADDRESS, Ground, Policy, make_endpoint},
};

pub const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// Something to find.
pub struct Case {
    pub code: Code,
    pub severity: Severity,
    pub ground: Ground,
    pub policy: Policy,
    /// The attribute that Terraform points at.
    pub at: &'static str,
    /// What the message says.
    pub words: Vec<String>,
    pub shows: Shows,
    /// What else is found, behind it or before it, in order.
    before: Vec<Code>,
    behind: Vec<Code>,
    /// How many of the same kind are warnings where this one is an error.
    pub warnings_of_its_kind: usize,
    /// The policies that the witness is simulated with beside the one that is made, as HCL.
    beside: Vec<String>,
}

/// What a simulation says of the witness.
#[derive(Debug, Clone, Copy)]
pub enum Shows {
    LetIn,
    LockedOut,
    CannotTell,
}

impl Case {
    /// An error about `allowed` that locks people out, of a guard beside a policy that allows everything.
    fn new(code: Code, ground: Ground, policy: Policy) -> Self {
        Case {
            code,
            severity: Severity::Error,
            ground,
            policy,
            at: "allowed",
            words: Vec::new(),
            shows: Shows::LockedOut,
            before: Vec::new(),
            behind: Vec::new(),
            warnings_of_its_kind: 0,
            beside: vec![policy_of("identity", &format!("jsonencode({EVERYTHING})"))],
        }
    }

    /// One about other paths.
    fn of_paths(code: Code, allowed: fn(&Ground) -> Json) -> Self {
        let ground = clean_ground();
        let policy = clean(&ground).with("allowed", allowed(&ground));
        Case::new(code, ground, policy)
    }

    fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    fn at(mut self, attribute: &'static str) -> Self {
        self.at = attribute;
        self
    }

    fn says(mut self, words: &[&str]) -> Self {
        self.words.extend(words.iter().map(|words| (*words).to_owned()));
        self
    }

    fn shows(mut self, shows: Shows) -> Self {
        self.shows = shows;
        self
    }

    fn after(mut self, codes: &[Code]) -> Self {
        self.before = codes.to_vec();
        self
    }

    fn and(mut self, codes: &[Code]) -> Self {
        self.behind = codes.to_vec();
        self
    }

    /// Beside these policies instead of one that allows everything, each a kind and an expression.
    fn beside(mut self, policies: &[(&str, &str)]) -> Self {
        self.beside = policies.iter().map(|(kind, document)| policy_of(kind, document)).collect();
        self
    }

    /// Behind it come so many of the same kind that are warnings.
    fn and_warnings_of_its_kind(mut self, count: usize) -> Self {
        self.warnings_of_its_kind = count;
        self.behind = vec![self.code; count];
        self
    }

    /// The codes of all that is found.
    pub fn found(&self) -> Vec<&'static str> {
        self.before.iter().chain([&self.code]).chain(&self.behind).map(|code| code.as_str()).collect()
    }

    /// The witness, pasted into a simulation.
    pub fn simulation(&self) -> String {
        let policies = [vec![policy_of("identity", &format!("{ADDRESS}.policy_json"))], self.beside.clone()].concat();
        format!(
            r#"
data "studio_presign_simulation" "test" {{
  policies = [{}]
  requests = [jsondecode([for found in {ADDRESS}.findings : found.witness if found.code == "{}"][0])]
}}

output "decided" {{
  value = data.studio_presign_simulation.test.results[0].decision
}}
"#,
            policies.join(", "),
            self.code
        )
    }
}

fn policy_of(kind: &str, document: &str) -> String {
    format!("{{ kind = {kind:?}, document = {document} }}")
}

/// Endpoints to which the services' names lead.
pub fn clean_ground() -> Ground {
    let ground = Ground::new(Account::new());
    for id in [&ground.studio, &ground.api] {
        let modify = ground.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(id);
        ground.outside.run(modify.private_dns_enabled(true).send());
    }
    ground
}

/// A policy with which nothing is found there.
pub fn clean(ground: &Ground) -> Policy {
    let break_glass = format!("arn:aws:iam::{}:role/BreakGlass", ground.account.id);
    Policy::new(ground).with("exempt_principal_arns", json!([break_glass]))
}

/// Every way in which a kind of finding comes up.
pub fn cases(code: Code) -> Vec<Case> {
    match code {
        Code::MissingStudioEndpoint => missing_studio_endpoint(code),
        Code::MissingApiEndpoint => missing_api_endpoint(code),
        Code::SourceIpOverEndpoint => source_ip_over_endpoint(code),
        Code::VpcSourceIpWithoutVpc => vec![
            Case::of_paths(code, |_| json!([{ "vpc_source_cidr_blocks": ["10.0.0.0/8"] }]))
                .says(&["in any VPC of anyone", "gets in from a VPC of their own", "Add vpc_ids or vpc_endpoint_ids"])
                .shows(Shows::LetIn),
        ],
        Code::UnreachablePath => vec![unreachable_path(code)],
        Code::EveryoneLockedOut => vec![
            Case::of_paths(
                code,
                |ground| json!([{ "vpc_ids": [ground.network.vpc_id], "source_cidr_blocks": ["203.0.113.0/24"] }]),
            )
            .says(&["Nobody can make a presigned URL", "denied to everyone but exempt principals"])
            .after(&[Code::SourceIpOverEndpoint]),
        ],
        Code::PublicPath => public_path(code),
        Code::GrantIsNoRestriction => grant_is_no_restriction(code),
        Code::ExecutionRoleRestricted => execution_role_restricted(code),
        Code::SsoDomain => vec![sso_domain(code)],
        Code::EndpointOfOtherVpc => endpoint_of_other_vpc(code),
        Code::PrivateDnsOff => vec![private_dns_off(code)],
        Code::NarrowApiEndpointPolicy => vec![narrow_api_endpoint_policy(code)],
        Code::NoExemptPrincipal => vec![no_exempt_principal(code)],
        Code::LockedOut => locked_out(code),
        Code::CannotTell => vec![cannot_tell(code)],
        Code::EmptyPath | Code::LetIn => Vec::new(),
    }
}

// ---- The rules ----

fn missing_studio_endpoint(code: Code) -> Vec<Case> {
    let opening = "a presigned URL can be made on it, but opening it fails";
    let everyone = ["allowed[0] has no endpoint for studio", opening, "everyone is locked out"];
    vec![
        missing(code, |ground| json!([{ "vpc_endpoint_ids": [ground.api] }])).says(&everyone),
        missing(code, |ground| json!([{ "vpc_endpoint_ids": [ground.api], "vpc_ids": [ground.network.vpc_id] }]))
            .says(&everyone),
        missing(
            code,
            |ground| json!([{ "vpc_endpoint_ids": [ground.api] }, { "source_cidr_blocks": ["203.0.113.0/24"] }]),
        )
        .severity(Severity::Warning)
        .says(&[opening, "Only those who can take another path for that get in"]),
    ]
}

fn missing_api_endpoint(code: Code) -> Vec<Case> {
    let making = "a presigned URL cannot be made on it, only used";
    let everyone = ["allowed[0] has no endpoint for sagemaker.api", making, "everyone is locked out"];
    vec![
        missing(code, |ground| json!([{ "vpc_endpoint_ids": [ground.studio] }])).says(&everyone),
        missing(code, |ground| json!([{ "vpc_endpoint_ids": [ground.studio], "vpc_ids": [ground.network.vpc_id] }]))
            .says(&everyone),
        missing(
            code,
            |ground| json!([{ "source_cidr_blocks": ["203.0.113.0/24"] }, { "vpc_endpoint_ids": [ground.studio] }]),
        )
        .severity(Severity::Warning)
        .says(&["allowed[1]", making, "Only those who can take another path for that get in"]),
    ]
}

/// The one to add is looked up in the VPC of the other one.
fn missing(code: Code, allowed: fn(&Ground) -> Json) -> Case {
    let case = Case::of_paths(code, allowed);
    let Ground { studio, api, .. } = &case.ground;
    let id = if code == Code::MissingStudioEndpoint { studio } else { api };
    let add = format!("add {id} to vpc_endpoint_ids");
    case.says(&[&add])
}

fn source_ip_over_endpoint(code: Code) -> Vec<Case> {
    vec![
        Case::of_paths(code, |ground| {
            let both = json!([ground.studio, ground.api]);
            json!([{ "vpc_endpoint_ids": both }, { "vpc_endpoint_ids": both, "source_cidr_blocks": ["203.0.113.0/24"] }])
        })
        .says(&["allowed[1] asks for public addresses of requests through a VPC endpoint", "everyone on it is locked out"]),
        Case::of_paths(code, |ground| {
            json!([{ "vpc_endpoint_ids": [ground.studio, ground.api] }, { "source_cidr_blocks": ["10.0.0.0/8"] }])
        })
        .says(&["allowed[1] names private addresses", "Write the ranges under vpc_source_cidr_blocks"]),
    ]
}

fn unreachable_path(code: Code) -> Case {
    let ground = clean_ground();
    let sts = make_endpoint(&ground.outside, &ground.network, &format!("com.amazonaws.{REGION}.sts"));
    let allowed = json!([{ "vpc_endpoint_ids": [ground.studio, ground.api], "vpc_source_cidr_blocks": ["10.0.0.0/8"] }, { "vpc_endpoint_ids": [sts] }]);
    let policy = clean(&ground).with("allowed", allowed);
    Case::new(code, ground, policy).says(&[
        "No request can be on allowed[1]",
        "neither studio nor sagemaker.api",
        "are locked out",
    ])
}

fn public_path(code: Code) -> Vec<Case> {
    let anyone = "whoever has the caller's credentials gets in from there";
    vec![
        Case::of_paths(code, |_| json!([{ "source_cidr_blocks": ["0.0.0.0/0"] }]))
            .says(&["allowed[0] is open to the whole internet", anyone])
            .shows(Shows::LetIn),
        Case::of_paths(code, |ground| {
            json!([{ "vpc_endpoint_ids": [ground.studio, ground.api] }, { "source_cidr_blocks": ["2000::/3"] }])
        })
        .says(&["allowed[1] is open to the whole IPv6 internet", anyone])
        .shows(Shows::LetIn),
        Case::of_paths(code, |_| json!([{ "source_cidr_blocks": ["198.0.0.0/8"] }]))
            .severity(Severity::Warning)
            .says(&["allowed[0] is open to a large part of the internet", anyone])
            .shows(Shows::LetIn),
        Case::of_paths(code, |ground| json!([{ "vpc_endpoint_ids": [ground.studio, ground.api], }, { "source_cidr_blocks": ["0.0.0.0/1"] }, { "vpc_ids": [ground.network.vpc_id] }, { "source_cidr_blocks": ["128.0.0.0/1"] }]))
            .says(&["The paths together are open to the whole internet", anyone])
            .shows(Shows::LetIn)
            .and_warnings_of_its_kind(2),
    ]
}

fn endpoint_of_other_vpc(code: Code) -> Vec<Case> {
    let other = clean_ground();
    let foreign = json!([{ "vpc_endpoint_ids": [other.studio, other.api], "vpc_ids": ["vpc-0eeeeeeee"] }]);
    let policy = clean(&other).with("allowed", foreign);
    let vpc = other.network.vpc_id.clone();
    let all = Case::new(code, other, policy)
        .says(&[
            &format!("which is in {vpc} and so in none of the path's VPCs"),
            "whoever comes through it is locked out",
        ])
        .and(&[code])
        .after(&[Code::EveryoneLockedOut]);

    // One among good ones.
    let ground = clean_ground();
    let elsewhere = ground.account.network();
    let third = make_endpoint(&ground.outside, &elsewhere, &format!("aws.sagemaker.{REGION}.studio"));
    let modify = ground.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(&third);
    ground.outside.run(modify.private_dns_enabled(true).send());
    let ids = json!([ground.studio, ground.api, third]);
    let policy =
        clean(&ground).with("allowed", json!([{ "vpc_endpoint_ids": ids, "vpc_ids": [ground.network.vpc_id] }]));
    let one = Case::new(code, ground, policy).severity(Severity::Warning).says(&[&third, &elsewhere.vpc_id]);
    vec![all, one]
}

fn no_exempt_principal(code: Code) -> Case {
    let ground = clean_ground();
    let policy = Policy::new(&ground);
    Case::new(code, ground, policy)
        .severity(Severity::Info)
        .says(&["nobody can open Studio another way", "exempt_principal_arns"])
}

// ---- Endpoints and domains ----

fn private_dns_off(code: Code) -> Case {
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

fn narrow_api_endpoint_policy(code: Code) -> Case {
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

fn sso_domain(code: Code) -> Case {
    let ground = clean_ground();
    let (arns, id) = make_domain(&ground, AuthMode::Sso);
    let policy = clean(&ground).with("domain_arns", arns);
    Case::new(code, ground, policy)
        .at("domain_arns")
        .says(&[&format!("People sign in to {id} through IAM Identity Center"), "the policy confines nobody"])
        .shows(Shows::LetIn)
        .and(&[Code::ExecutionRoleRestricted])
}

fn execution_role_restricted(code: Code) -> Vec<Case> {
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

fn grant_is_no_restriction(code: Code) -> Vec<Case> {
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

fn locked_out(code: Code) -> Vec<Case> {
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

fn cannot_tell(code: Code) -> Case {
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
