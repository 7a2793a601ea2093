//! The analysis decides as the evaluator does, and its classes leave nothing out.

use std::cell::Cell;

use fastrand::Rng;

use super::*;
use crate::policy::analyze::space::Choice;
use crate::policy::analyze::systems::{Analysis, Kind, anywhere};
use crate::policy::evaluate::{Request, Truth};
use crate::policy::presign::PRESIGN;
use crate::policy::presign::random::random_settings;

/// Whatever the paths, the documents made for them let nobody in and lock nobody out. Findings about
/// the paths themselves are another matter.
#[test]
fn documents_of_random_settings_do_what_the_settings_say() {
    let mut dice = Rng::with_seed(10);
    for _ in 0..40 {
        let settings = random_settings(&mut dice);
        for mode in [Mode::Both, Mode::Guard] {
            let settings = PresignSettings { mode, ..settings.clone() };
            let findings = analyze(&presign(&settings), &Surroundings::default());
            let bad = [Code::LetIn, Code::LockedOut, Code::CannotTell];
            let bad: Vec<_> = findings.iter().filter(|finding| bad.contains(&finding.code)).collect();
            assert!(bad.is_empty(), "{settings:?} {bad:?}");
        }
    }
}

/// Operators and keys, mixed at random with values that mean something to them.
const CONDITIONS: [(&[&str], &str, &[&str]); 7] = [
    (TEXT, "aws:SourceVpce", &[STUDIO, API, "vpce-0*", "vpce-0b?bb*"]),
    (TEXT, "AWS:sourcevpc", &[VPC, OTHER_VPC, "vpc-*"]),
    (ADDRESS, "aws:SourceIp", &["198.51.100.0/24", "198.51.100.128/25", "0.0.0.0/0", "2001:db8::/32"]),
    (ADDRESS, "aws:VpcSourceIp", &["10.0.0.0/8", "10.1.0.0/16", "fd00::/8"]),
    (ARN, "aws:PrincipalArn", &[BREAK_GLASS, "arn:aws:iam::*:role/Break*", "arn:aws:iam::123456789012:user/a?a"]),
    (TRUTH, "aws:ViaAWSService", &["true", "false"]),
    (TEXT, "sagemaker:ResourceTag/team", &["blue", "b*", "${aws:PrincipalTag/team}", "${aws:username, 'blue'}"]),
];
const TEXT: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIfExists",
    "ForAllValues:StringEquals",
    "ForAnyValue:StringNotEquals",
    "Null",
];
const ADDRESS: &[&str] = &["IpAddress", "NotIpAddress", "IpAddressIfExists", "ForAnyValue:NotIpAddress", "Null"];
const ARN: &[&str] = &["ArnLike", "ArnNotLike", "ArnEquals", "ArnNotLikeIfExists"];
const TRUTH: &[&str] = &["Bool", "BoolIfExists", "Null"];

const RESOURCES: [&str; 4] = [
    "*",
    "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-abcdefghijkl/*",
    "arn:aws:sagemaker:*:*:user-profile/*/${aws:username}",
    "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-*/ad?",
];

fn some<'a>(dice: &mut Rng, pool: &[&'a str]) -> Vec<&'a str> {
    let chosen: Vec<_> = pool.iter().copied().filter(|_| dice.bool()).collect();
    if chosen.is_empty() { vec![pool[dice.usize(..pool.len())]] } else { chosen }
}

fn random_statement(dice: &mut Rng) -> Statement {
    let effect = if dice.bool() { Effect::Allow } else { Effect::Deny };
    let resources = values(some(dice, &RESOURCES));
    let statement = Statement::new(effect, values(["sagemaker:*"]));
    let mut statement = if dice.u8(..4) == 0 { statement.on_all_but(resources) } else { statement.on(resources) };
    for _ in 0..dice.usize(..3) {
        let (operators, key, pool) = CONDITIONS[dice.usize(..CONDITIONS.len())];
        let operator = operators[dice.usize(..operators.len())];
        let chosen = if operator == "Null" { vec!["true"] } else { some(dice, pool) };
        statement = statement.when(operator, key, values(chosen));
    }
    statement
}

fn random_documents(dice: &mut Rng, presign: &Presign) -> Documents {
    let mut document = || Document::new((0..1 + dice.usize(..4)).map(|_| random_statement(dice)).collect());
    Documents { identity: vec![document(), document()], scp: Some(document()), ..Documents::of(presign) }
}

fn some_settings() -> PresignSettings {
    PresignSettings {
        user_profile: "${aws:username}".to_owned(),
        resource_tags: BTreeMap::from([("team".to_owned(), "blue".to_owned())]),
        ..settings(Mode::Both, vec![endpoints(&[STUDIO, API]), addresses(&["198.51.100.0/24"])])
    }
}

/// For random documents, in every class that is left after merging.
#[test]
fn tables_and_the_evaluator_decide_alike_in_every_class() {
    let mut dice = Rng::with_seed(11);
    let presign = presign(&some_settings());
    let classes = Cell::new(0);
    for _ in 0..4 {
        let documents = random_documents(&mut dice, &presign);
        let systems = inventory(&presign, &documents, &Surroundings::default());
        let nothing = Surroundings::default();
        let analysis = Analysis::new(&presign, &nothing, &systems);
        let visit = |choice: &Choice| {
            if choice.iter().any(Option::is_none) {
                return Truth::Unknown;
            }
            classes.set(classes.get() + 1);
            // One in a few, for there are many.
            if classes.get() % 37 == 0 {
                for (index, system) in systems.iter().enumerate() {
                    let request = analysis.space().witness(choice, String::new()).to_request();
                    let decision = decide(&system.policies, &request).decision;
                    let allowed = analysis.allowed(index, choice);
                    assert_eq!(allowed, Truth::from(decision == Decision::Allow), "{request:?}");
                }
            }
            Truth::No
        };
        analysis.space().search(anywhere(), visit);
    }
    assert!(classes.get() > 20_000, "{}", classes.get());
}

/// Whatever a request picked at random shows of random documents, the analysis has found.
#[test]
fn nothing_that_a_random_request_shows_is_missed() {
    let mut dice = Rng::with_seed(12);
    let settings = some_settings();
    let presign = presign(&settings);
    let (mut let_in, mut locked_out) = (0, 0);
    for _ in 0..20 {
        let documents = random_documents(&mut dice, &presign);
        let findings = analyze_documents(&presign, &documents, &Surroundings::default());
        let has = |code| findings.iter().any(|finding| finding.code == code);
        let systems = inventory(&presign, &documents, &Surroundings::default());
        for _ in 0..50 {
            let (request, on_path) = random_request(&mut dice);
            for system in &systems {
                let tagged = is(&request, "sagemaker:ResourceTag/team", "blue");
                let exempt = request.principal.as_deref() == Some(BREAK_GLASS);
                let named = request.resource.contains("d-abcdefghijkl/");
                let own = named && is(&request, "aws:username", request.resource.rsplit('/').next().unwrap());
                let meant = match system.kind {
                    Kind::Grant => own && on_path && tagged,
                    Kind::Guard | Kind::Scp => !named || exempt || (on_path && tagged),
                    _ => continue,
                };
                let allowed = decide(&system.policies, &request).decision == Decision::Allow;
                if allowed && !meant {
                    let_in += 1;
                    assert!(has(Code::LetIn), "{request:?} {:?}", codes(&findings));
                }
                if !allowed && meant && is_settled(system, &request) {
                    locked_out += 1;
                    let found = has(Code::LockedOut) || has(Code::EveryoneLockedOut);
                    assert!(found, "{request:?} {documents:?} {:?}", codes(&findings));
                }
            }
        }
    }
    assert!(let_in > 100 && locked_out > 100, "{let_in} {locked_out}");
}

/// Whether the request is denied whatever it says for the key that no setting speaks of.
fn is_settled(system: &System, request: &Request) -> bool {
    let tagged = |value: &str| request.clone().with("aws:PrincipalTag/team", value);
    let others = ["blue", "b", "green", "alpha", "beta", "delta"].map(tagged);
    let absent = request.clone().with_fact("aws:PrincipalTag/team", crate::policy::evaluate::Fact::Is(Vec::new()));
    others.iter().chain([&absent]).all(|request| decide(&system.policies, request).decision != Decision::Allow)
}

fn is(request: &Request, key: &str, value: &str) -> bool {
    request.fact(key) == Some(&crate::policy::evaluate::Fact::Is(vec![value.to_owned()]))
}

/// With values of which most are nowhere mentioned, and whether it is on a path.
fn random_request(dice: &mut Rng) -> (Request, bool) {
    let pick = |dice: &mut Rng, pool: &[&str]| pool[dice.usize(..pool.len())].to_owned();
    let domain = pick(dice, &["d-abcdefghijkl", "d-abcdefghijkl", "d-other"]);
    let profile = pick(dice, &["ada", "adb", "eve", "x"]);
    let resource = format!("arn:aws:sagemaker:us-east-1:123456789012:user-profile/{domain}/{profile}");
    let principals =
        [BREAK_GLASS, ROLE, "arn:aws:iam::123456789012:role/Breaker", "arn:aws:iam::123456789012:user/aba"];
    let mut request = Request::new(PRESIGN, resource).by(pick(dice, &principals));
    let on_path;
    if dice.bool() {
        let endpoint = pick(dice, &[STUDIO, API, "vpce-0b0bb11111111111b", "vpce-11111111111111111"]);
        on_path = endpoint == STUDIO || endpoint == API;
        let vpc = pick(dice, &[VPC, OTHER_VPC, "vpc-11111111111111111"]);
        let address = pick(dice, &["10.1.7.7", "10.7.7.7", "fd00::7", "172.16.0.1"]);
        request = request.with("aws:SourceVpce", endpoint).with("aws:SourceVpc", vpc).with("aws:VpcSourceIp", address);
    } else {
        let address = pick(dice, &["198.51.100.5", "198.51.100.205", "8.8.8.8", "2001:db8::5", "2a00::1"]);
        on_path = address.starts_with("198.51.100.");
        request = request.with("aws:SourceIp", address);
    }
    for (key, pool) in [
        ("aws:ViaAWSService", &["", "false"][..]),
        ("sagemaker:ResourceTag/team", &["", "blue", "b", "green"]),
        ("aws:PrincipalTag/team", &["", "blue", "b", "green"]),
        ("aws:username", &["", "ada", "eve", "blue"]),
    ] {
        match pick(dice, pool) {
            absent if absent.is_empty() => {}
            value => request = request.with(key, value),
        }
    }
    (request, on_path)
}
