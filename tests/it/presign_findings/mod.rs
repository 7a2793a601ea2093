//! What `studio_presign_policy` finds at plan, each kind as an error or a warning, and ignored.

mod cases;
mod looked_up;

use std::collections::BTreeSet;

use aws_sdk_route53::types::{HostedZoneConfig, Vpc, VpcRegion};
use serde_json::{Value as Json, json};
use studio::policy::analyze::{Code, Severity};

use self::cases::{Case, EVERYTHING, Shows, cases, clean, clean_ground};
use crate::{
    emulator::{Account, REGION},
    presign_policy::{ADDRESS, Ground, Policy, codes},
    said::in_one_line,
    terraform::Workspace,
};

/// What shows by the rules and the endpoints that they name.
const BY_PATHS: &[Code] = &[
    Code::MissingStudioEndpoint,
    Code::MissingApiEndpoint,
    Code::SourceIpOverEndpoint,
    Code::VpcSourceIpWithoutVpc,
    Code::UnreachablePath,
    Code::EveryoneLockedOut,
];
const BY_PATHS_AND_PLACES: &[Code] =
    &[Code::PublicPath, Code::EndpointOfOtherVpc, Code::PrivateDnsOff, Code::NoExemptPrincipal];
/// What shows only by what else there is in AWS.
const BY_LOOKING: &[Code] = &[
    Code::GrantIsNoRestriction,
    Code::ExecutionRoleRestricted,
    Code::SsoDomain,
    Code::NarrowApiEndpointPolicy,
    Code::LockedOut,
    Code::CannotTell,
];
/// Refused before anything is looked for, in a test of its own.
const REFUSED: &[Code] = &[Code::EmptyPath];
/// Of documents that do not do what the rules say. Those that are planned are made from the rules, so that no
/// configuration shows it: the tests of the analysis change documents by hand.
const OF_CHANGED_DOCUMENTS: &[Code] = &[Code::LetIn];

#[test]
fn every_kind_of_finding_has_a_test() {
    let tested = [BY_PATHS, BY_PATHS_AND_PLACES, BY_LOOKING, REFUSED, OF_CHANGED_DOCUMENTS].concat();
    let different: BTreeSet<_> = tested.iter().collect();
    assert_eq!(different.len(), tested.len(), "each is in one place");
    assert_eq!(different, Code::ALL.iter().collect());
}

#[test]
fn findings_about_paths_do_what_on_lockout_says() {
    check_all(BY_PATHS);
}

#[test]
fn findings_about_places_do_what_on_lockout_says() {
    check_all(BY_PATHS_AND_PLACES);
}

#[test]
fn findings_about_surroundings_do_what_on_lockout_says() {
    check_all(BY_LOOKING);
}

fn check_all(codes: &[Code]) {
    for code in codes {
        let cases = cases(*code);
        assert!(!cases.is_empty(), "{code} has no case");
        for case in cases {
            check_error(&case);
            check_lenient(&case);
        }
    }
}

/// By default an error stops the run before anything is made; a warning and less do not.
fn check_error(case: &Case) {
    let workspace = Workspace::with(&case.ground.account, &case.policy.hcl());
    match case.severity {
        Severity::Error => {
            let before = case.ground.account.changes();
            let text = workspace.apply_expect_error();
            assert_eq!(case.ground.account.changes(), before, "{}: nothing may be made", case.code);
            assert_eq!(workspace.state().addresses(), [""; 0]);
            let told = Told::read(&text, "Error", case.code);
            let told = told.unwrap_or_else(|| panic!("{} is not told: {text}", case.code));
            told.check(case);
            let way_out = "If this is meant, set on_lockout to \"warn\" or \"ignore\".";
            assert!(told.detail.contains(way_out), "{text}");
        }
        Severity::Warning | Severity::Info => check_told(&workspace.plan().text, case),
    }
}

/// With `ignore` an error is in `findings` only, as what is worth knowing always is; a warning still warns. With `warn` an
/// error is a warning as well. Either way the apply goes through. The witness, pasted into a simulation of the same run,
/// gives what the finding says.
fn check_lenient(case: &Case) {
    let with = |on_lockout: &str| case.policy.clone().with("on_lockout", json!(on_lockout)).hcl();
    let workspace = Workspace::with(&case.ground.account, &with("ignore"));
    let text = workspace.apply();
    match case.severity {
        // Others of the kind may be warnings.
        Severity::Error => assert_eq!(told_as_warnings(&text, case.code), case.warnings_of_its_kind, "{text}"),
        Severity::Warning | Severity::Info => check_told(&text, case),
    }
    check_listed(&workspace, case);

    workspace.write(&format!("{}{}", with("warn"), case.simulation()));
    check_told(&workspace.apply(), case);
    check_listed(&workspace, case);
    let decided = workspace.output("decided");
    let fits = match case.shows {
        Shows::LetIn => decided == "allowed",
        Shows::LockedOut => decided == "explicit_deny" || decided == "implicit_deny",
        Shows::CannotTell => decided == "cannot_tell",
    };
    assert!(fits, "{}: {decided} for {}", case.code, workspace.state().values(ADDRESS)["findings"]);
}

/// A warning, with its witness as a line to copy; nothing of what is only worth knowing.
fn check_told(text: &str, case: &Case) {
    assert!(!text.contains("Error: "), "{text}");
    let told = Told::read(text, "Warning", case.code);
    match case.severity {
        Severity::Error | Severity::Warning => {
            told.unwrap_or_else(|| panic!("{} is not told: {text}", case.code)).check(case);
        }
        Severity::Info => assert_eq!(told, None, "{text}"),
    }
}

/// The policy is made, and the finding is in `findings`, with no others than were expected.
#[track_caller]
fn check_listed(workspace: &Workspace, case: &Case) {
    let values = workspace.state().values(ADDRESS);
    assert!(values["arn"].is_string(), "{}: it is made", case.code);
    assert_eq!(codes(&values), json!(case.found()), "{}", values["findings"]);
    let all = values["findings"].as_array().expect("there is a list");
    let found = all.iter().find(|found| found["code"] == case.code.as_str()).expect("it is listed");
    assert_eq!(found["severity"], case.severity.as_str(), "{found}");
    let message = found["message"].as_str().expect("it is text");
    for words in &case.words {
        assert!(message.contains(words), "{words:?} is not in: {message}");
    }
}

/// What Terraform shows a user of a finding.
#[derive(Debug, PartialEq)]
struct Told {
    /// The attribute in the line that it points at.
    attribute: String,
    /// All that it says.
    detail: String,
    /// The request, if it stands in one line.
    witness: String,
}

impl Told {
    /// The first of its kind.
    fn read(text: &str, kind: &str, code: Code) -> Option<Self> {
        let mut lines = text.lines().map(|line| line.trim_start_matches(['│', ' ', '╷']));
        lines.by_ref().find(|line| is_about(line, kind, code))?;
        let is_next = |line: &&str| line.starts_with("Error: ") || line.starts_with("Warning: ");
        let lines: Vec<_> = lines.take_while(|line| !is_next(line)).collect();
        let attribute = lines.iter().find_map(|line| {
            let (number, code) = line.split_once(':')?;
            number.parse::<usize>().ok()?;
            Some(code.split_once('=')?.0.trim().to_owned())
        });
        let witness = lines.iter().find(|line| line.starts_with('{')).map(|line| (*line).to_owned());
        let (attribute, witness) = (attribute.unwrap_or_default(), witness.unwrap_or_default());
        Some(Told { attribute, detail: in_one_line(&lines.join("\n")), witness })
    }

    fn check(&self, case: &Case) {
        assert_eq!(self.attribute, case.at, "{self:?}");
        for words in &case.words {
            assert!(self.detail.contains(words.as_str()), "{words:?} is not in: {}", self.detail);
        }
        let read: Json = serde_json::from_str(&self.witness).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(read["action"].as_str().map(|action| action.starts_with("sagemaker:")), Some(true), "{read}");
    }
}

/// Whether this is the first line of such a diagnostic.
fn is_about(line: &str, kind: &str, code: Code) -> bool {
    let rest = line.strip_prefix(&format!("{kind}: Presigned URLs: {}", code.as_str().replace('_', " ")));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
}

fn told_as_warnings(text: &str, code: Code) -> usize {
    text.lines().filter(|line| is_about(line.trim_start_matches(['│', ' ', '╷']), "Warning", code)).count()
}

// ---- Nothing to find ----

#[test]
fn a_policy_without_fault_says_nothing_in_any_mode() {
    let ground = clean_ground();
    for mode in ["grant", "guard", "both"] {
        let clean = clean(&ground).with("mode", json!(mode));
        let workspace = Workspace::new(&ground.account);
        for on_lockout in ["ignore", "warn", "error"] {
            workspace.write(&clean.clone().with("on_lockout", json!(on_lockout)).hcl());
            let text = workspace.apply();
            assert!(!text.contains("Presigned URLs") && !text.contains("Error:"), "{text}");
            // The one that Terraform gives for the override by which it finds the provider.
            assert_eq!(text.matches("Warning:").count(), 1, "{text}");
            assert_eq!(codes(&workspace.state().values(ADDRESS)), json!([]), "{mode}");
        }
        workspace.destroy();
    }
}

// ---- Paths that ask nothing ----

#[test]
fn a_path_that_asks_nothing_is_refused_whatever_on_lockout_says() {
    let ground = clean_ground();
    for (allowed, place, who) in [
        (json!([{}]), "allowed[0] asks nothing", "would be let in"),
        (
            json!([{ "vpc_endpoint_ids": [ground.studio, ground.api] }, { "vpc_ids": [] }]),
            "allowed[1].vpc_ids is an empty list",
            "are locked out",
        ),
    ] {
        for on_lockout in ["error", "warn", "ignore"] {
            let policy = clean(&ground).with("allowed", allowed.clone()).with("on_lockout", json!(on_lockout));
            let before = ground.account.changes();
            let workspace = Workspace::with(&ground.account, &policy.hcl());
            let text = workspace.apply_expect_error();
            let told = Told::read(&text, "Error", Code::EmptyPath).unwrap_or_else(|| panic!("it is not told: {text}"));
            assert_eq!(told.attribute, "allowed");
            for words in [place, who, "Finding empty_path", "This is refused whatever on_lockout says"] {
                assert!(told.detail.contains(words), "{words:?} is not in: {text}");
            }
            assert!(serde_json::from_str::<Json>(&told.witness).is_ok(), "{text}");
            assert_eq!(ground.account.changes(), before);
        }
    }
}

// ---- What counts, and what does not ----

/// What a plan warns of, in order.
fn found(ground: &Ground, policy: &Policy) -> Vec<String> {
    let policy = policy.clone().with("on_lockout", json!("warn"));
    let text = Workspace::with(&ground.account, &policy.hcl()).plan().text;
    let said = text.lines().filter_map(|line| line.split_once("Warning: Presigned URLs: ")).map(|(_, said)| said);
    said.map(|said| said.split(" (").next().unwrap_or_default().replace(' ', "_")).collect()
}

#[test]
fn a_vpc_with_one_of_the_endpoints_lacks_the_other_one() {
    let ground = clean_ground();
    let in_vpc = clean(&ground).with("allowed", json!([{ "vpc_ids": [ground.network.vpc_id] }]));
    assert_eq!(found(&ground, &in_vpc), [""; 0]);
    let delete = |id: &str| {
        ground.outside.run(ground.outside.ec2().delete_vpc_endpoints().vpc_endpoint_ids(id).send());
    };
    delete(&ground.studio);
    assert_eq!(found(&ground, &in_vpc), ["missing_studio_endpoint"]);
    // Where there is neither, both may be made in the same run.
    delete(&ground.api);
    assert_eq!(found(&ground, &in_vpc), [""; 0]);
}

#[test]
fn a_grant_is_a_restriction_for_those_who_are_allowed_nowhere_else() {
    let ground = clean_ground();
    let grant = clean(&ground).with("mode", json!("grant"));
    let to_role = grant.clone().with("attach_to", json!({ "roles": ["analyst"] }));
    assert_eq!(found(&ground, &to_role), [""; 0]);
    assert_eq!(found(&ground, &grant.with("attach_to", json!({ "users": ["ana"] }))), [""; 0]);
    let inline = ground.outside.iam().put_role_policy().role_name("analyst").policy_name("all");
    ground.outside.run(inline.policy_document(EVERYTHING).send());
    assert_eq!(found(&ground, &to_role), ["grant_is_no_restriction"]);
    // What denies is no grant.
    assert_eq!(found(&ground, &to_role.with("mode", json!("both"))), [""; 0]);
}

#[test]
fn what_the_resource_attaches_itself_is_not_another_policy() {
    let ground = clean_ground();
    let grant = clean(&ground).with("mode", json!("grant")).with("attach_to", json!({ "roles": ["analyst"] }));
    let workspace = Workspace::with(&ground.account, &grant.hcl());
    workspace.apply();
    // As long as it is in force, it allows what the next one does not.
    let path = json!({ "vpc_endpoint_ids": [ground.studio, ground.api], "vpc_source_cidr_blocks": ["10.0.0.0/8"] });
    workspace.write(&grant.with("allowed", json!([path])).hcl());
    let text = workspace.apply();
    assert!(!text.contains("Presigned URLs"), "{text}");
    assert_eq!(codes(&workspace.state().values(ADDRESS)), json!([]));
    workspace.plan().assert_empty();
    workspace.destroy();
}

#[test]
fn the_endpoint_policy_that_is_about_to_be_set_is_the_one_that_counts() {
    let ground = clean_ground();
    let narrow = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "sagemaker:CreatePresignedDomainUrl", "Resource": "*" }] });
    let modify = ground.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(&ground.api);
    ground.outside.run(modify.policy_document(narrow.to_string()).send());
    assert_eq!(found(&ground, &clean(&ground)), ["narrow_api_endpoint_policy"]);
    let set = clean(&ground).with("endpoint_policies", json!({ "sagemaker.api": ground.api }));
    assert_eq!(found(&ground, &set), [""; 0]);
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
    for on_lockout in ["error", "ignore"] {
        let policy = Policy::new(&ground).with("attach_to", json!({ "roles": ["analyst"] }));
        let policy = policy.with("on_lockout", json!(on_lockout));
        let plan = Workspace::with(&ground.account, &policy.hcl()).plan();
        assert!(!plan.text.contains("Presigned URLs"), "{}", plan.text);
        for action in ["ec2:DescribeVpcEndpoints", "iam:ListRolePolicies", "sagemaker:DescribeDomain"] {
            assert_eq!(plan.text.matches(&format!("needs {action}")).count(), 1, "{}", plan.text);
        }
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
fn a_hosted_zone_in_the_place_of_private_dns_will_do() {
    let ground = Ground::new(Account::new());
    assert_eq!(found(&ground, &clean(&ground)), ["private_dns_off", "private_dns_off"]);
    let zone = |name: &str| {
        let vpc = Vpc::builder().vpc_id(&ground.network.vpc_id).vpc_region(VpcRegion::from(REGION)).build();
        let private = HostedZoneConfig::builder().private_zone(true).build();
        let request = ground.outside.route53().create_hosted_zone().name(name).caller_reference(name);
        ground.outside.run(request.vpc(vpc).hosted_zone_config(private).send());
    };
    zone(&format!("studio.{REGION}.sagemaker.aws"));
    assert_eq!(found(&ground, &clean(&ground)), ["private_dns_off"]);
    zone(&format!("api.sagemaker.{REGION}.amazonaws.com"));
    assert_eq!(found(&ground, &clean(&ground)), [""; 0]);
}

#[test]
fn a_role_that_the_same_run_makes_is_looked_at_when_it_is_there() {
    let ground = clean_ground();
    let grant = clean(&ground).with("mode", json!("grant")).with("attach_to", json!({ "roles": ["later"] }));
    assert_eq!(found(&ground, &grant), [""; 0]);
    let iam = ground.outside.iam();
    let trust = r#"{"Version":"2012-10-17","Statement":[]}"#;
    ground.outside.run(iam.create_role().role_name("later").assume_role_policy_document(trust).send());
    let inline = iam.put_role_policy().role_name("later").policy_name("all").policy_document(EVERYTHING);
    ground.outside.run(inline.send());
    assert_eq!(found(&ground, &grant), ["grant_is_no_restriction"]);
}

#[test]
fn what_is_found_only_after_the_plan_does_not_break_its_apply() {
    let ground = clean_ground();
    let policy = clean(&ground)
        .with("mode", json!("grant"))
        .with("attach_to", json!({ "roles": ["analyst"] }))
        .with("on_lockout", json!("warn"));
    let workspace = Workspace::with(&ground.account, &policy.hcl());
    workspace.plan();
    let inline = ground.outside.iam().put_role_policy().role_name("analyst").policy_name("all");
    ground.outside.run(inline.policy_document(EVERYTHING).send());
    let text = in_one_line(&workspace.apply_plan());
    assert!(text.contains("arn:aws:iam::") && text.contains("grant takes nothing away"), "{text}");
    let found = codes(&workspace.state().values(ADDRESS));
    assert!(found.to_string().contains("grant_is_no_restriction"), "{found}");
    workspace.plan().assert_empty();
}
