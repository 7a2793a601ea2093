//! For each kind of finding, what has to be written and to be there so that it shows.
//!
//! Each case changes one thing about a policy that is found no fault with.

use serde_json::{Value as Json, json};
use studio::policy::analyze::{Code, Severity};

use super::looked_up;
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
    pub fn new(code: Code, ground: Ground, policy: Policy) -> Self {
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

    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub fn at(mut self, attribute: &'static str) -> Self {
        self.at = attribute;
        self
    }

    pub fn says(mut self, words: &[&str]) -> Self {
        self.words.extend(words.iter().map(|words| (*words).to_owned()));
        self
    }

    pub fn shows(mut self, shows: Shows) -> Self {
        self.shows = shows;
        self
    }

    fn after(mut self, codes: &[Code]) -> Self {
        self.before = codes.to_vec();
        self
    }

    pub fn and(mut self, codes: &[Code]) -> Self {
        self.behind = codes.to_vec();
        self
    }

    /// Beside these policies instead of one that allows everything, each a kind and an expression.
    pub fn beside(mut self, policies: &[(&str, &str)]) -> Self {
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
        Code::GrantIsNoRestriction => looked_up::grant_is_no_restriction(code),
        Code::ExecutionRoleRestricted => looked_up::execution_role_restricted(code),
        Code::SsoDomain => vec![looked_up::sso_domain(code)],
        Code::EndpointOfOtherVpc => endpoint_of_other_vpc(code),
        Code::PrivateDnsOff => vec![looked_up::private_dns_off(code)],
        Code::NarrowApiEndpointPolicy => vec![looked_up::narrow_api_endpoint_policy(code)],
        Code::NoExemptPrincipal => vec![no_exempt_principal(code)],
        Code::LockedOut => looked_up::locked_out(code),
        Code::CannotTell => vec![looked_up::cannot_tell(code)],
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
