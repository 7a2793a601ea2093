//! Each kind of finding: made when it should be, not made when not, and shown by its witness.

mod facts;
mod mutants;
mod mutations;
mod proof;
mod speed;
mod traps;

use super::systems::{System, inventory};
use super::*;
use crate::policy::document::{Effect, Statement, values};
use crate::policy::evaluate::{Attached, Decision, Layer, decide};
use crate::policy::inputs::Key;
use crate::policy::presign::AllowedPath;

const DOMAIN: &str = "arn:aws:sagemaker:us-east-1:123456789012:domain/d-abcdefghijkl";
const STUDIO: &str = "vpce-0aaaaaaaaaaaaaaaa";
const API: &str = "vpce-0bbbbbbbbbbbbbbbb";
const VPC: &str = "vpc-0aaaaaaaaaaaaaaaa";
const OTHER_VPC: &str = "vpc-0bbbbbbbbbbbbbbbb";
const ROLE: &str = "arn:aws:iam::123456789012:role/Analyst";
const BREAK_GLASS: &str = "arn:aws:iam::123456789012:role/BreakGlass";

fn list(items: &[&str]) -> Option<Vec<String>> {
    Some(items.iter().map(|item| item.to_string()).collect())
}

fn endpoints(ids: &[&str]) -> AllowedPath {
    AllowedPath { vpc_endpoint_ids: list(ids), ..AllowedPath::default() }
}

fn addresses(ranges: &[&str]) -> AllowedPath {
    AllowedPath { source_cidr_blocks: list(ranges), ..AllowedPath::default() }
}

fn private(ranges: &[&str]) -> AllowedPath {
    AllowedPath { vpc_source_cidr_blocks: list(ranges), ..AllowedPath::default() }
}

fn vpcs(ids: &[&str]) -> AllowedPath {
    AllowedPath { vpc_ids: list(ids), ..AllowedPath::default() }
}

/// Settings that have nothing to find fault with.
fn settings(mode: Mode, allowed: Vec<AllowedPath>) -> PresignSettings {
    PresignSettings {
        mode,
        domain_arns: vec![DOMAIN.to_owned()],
        user_profile: "*".to_owned(),
        allowed,
        exempt_principal_arns: vec![BREAK_GLASS.to_owned()],
        allow_via_aws_services: false,
        resource_tags: BTreeMap::new(),
    }
}

fn presign(settings: &PresignSettings) -> Presign {
    Presign::new(settings).unwrap()
}

/// The endpoints for both stages, in one VPC.
fn both_endpoints() -> Surroundings {
    let endpoint = |service, vpc: &str| Endpoint {
        service: Some(service),
        vpc_id: Some(vpc.to_owned()),
        private_dns: Some(true),
        policy: Some(Document::full_access()),
    };
    let endpoints = BTreeMap::from([
        (STUDIO.to_owned(), endpoint(Service::Studio, VPC)),
        (API.to_owned(), endpoint(Service::SagemakerApi, VPC)),
    ]);
    Surroundings { endpoints, ..Surroundings::default() }
}

fn codes(findings: &[Finding]) -> Vec<(&'static str, Severity)> {
    findings.iter().map(|finding| (finding.code.as_str(), finding.severity)).collect()
}

fn found(settings: &PresignSettings, surroundings: &Surroundings) -> Vec<Finding> {
    let findings = analyze(&presign(settings), surroundings);
    for finding in &findings {
        check_form(finding);
    }
    findings
}

/// What goes for every finding: sentences for people, and a witness in the form that is read.
fn check_form(finding: &Finding) {
    let Finding { message, witness, .. } = finding;
    assert!(message.ends_with('.') && message.starts_with(|c: char| c.is_alphanumeric()), "{message}");
    assert_eq!(NamedRequest::parse(&witness.to_json()).unwrap(), *witness);
    assert!(witness.name.is_some(), "{witness:?}");
}

/// The one finding of this kind.
fn the(code: Code, findings: &[Finding]) -> &Finding {
    let found: Vec<_> = findings.iter().filter(|finding| finding.code == code).collect();
    assert_eq!(found.len(), 1, "{code}: {:?}", codes(findings));
    found[0]
}

fn context(finding: &Finding, key: &str) -> Option<String> {
    match finding.witness.to_request().fact(key) {
        Some(crate::policy::evaluate::Fact::Is(values)) => values.first().cloned(),
        _ => None,
    }
}

/// What the documents of these settings decide about a witness, beside an Allow for everything
/// where they only deny.
fn decision(settings: &PresignSettings, finding: &Finding) -> Decision {
    let systems = inventory(&presign(settings), &Documents::of(&presign(settings)), &Surroundings::default());
    let primary: &System = &systems[0];
    decide(&primary.policies, &finding.witness.to_request()).decision
}

use Severity::{Error, Info, Warning};

#[test]
fn paths_that_work_have_no_findings() {
    for mode in [Mode::Grant, Mode::Guard, Mode::Both] {
        for allowed in [
            vec![endpoints(&[STUDIO, API])],
            vec![vpcs(&[VPC])],
            vec![addresses(&["198.51.100.0/24", "2001:db8::/32"])],
            vec![AllowedPath { vpc_source_cidr_blocks: list(&["10.0.0.0/8"]), ..vpcs(&[VPC]) }],
            vec![endpoints(&[STUDIO, API]), addresses(&["198.51.100.0/24"])],
        ] {
            let settings = settings(mode, allowed);
            assert_eq!(codes(&found(&settings, &Surroundings::default())), [], "{settings:?}");
            assert_eq!(codes(&found(&settings, &both_endpoints())), [], "{settings:?}");
        }
    }
}

#[test]
fn tags_variables_exemptions_and_services_have_no_findings() {
    let rich = PresignSettings {
        user_profile: "${aws:username}".to_owned(),
        allow_via_aws_services: true,
        resource_tags: BTreeMap::from([
            ("employee".to_owned(), "${aws:PrincipalTag/employee}".to_owned()),
            ("team".to_owned(), "data science".to_owned()),
        ]),
        exempt_principal_arns: vec!["arn:aws:iam::*:role/Admin*".to_owned(), BREAK_GLASS.to_owned()],
        ..settings(Mode::Both, vec![endpoints(&[STUDIO, API]), addresses(&["198.51.100.0/24"])])
    };
    for mode in [Mode::Grant, Mode::Guard, Mode::Both] {
        let rich = PresignSettings { mode, ..rich.clone() };
        assert_eq!(codes(&found(&rich, &both_endpoints())), [], "{mode:?}");
    }
}

#[test]
fn a_guard_without_exemptions_is_told_that_nobody_is_left() {
    let settings =
        PresignSettings { exempt_principal_arns: Vec::new(), ..settings(Mode::Guard, vec![endpoints(&[STUDIO, API])]) };
    let findings = found(&settings, &both_endpoints());
    assert_eq!(codes(&findings), [("no_exempt_principal", Info)]);
    assert_eq!(decision(&settings, &findings[0]), Decision::ExplicitDeny);
    assert_eq!(context(&findings[0], "aws:SourceIp").as_deref(), Some("192.0.2.44"));
    // A grant denies nothing.
    let grant = PresignSettings { mode: Mode::Grant, ..settings };
    assert_eq!(codes(&found(&grant, &both_endpoints())), []);
}

#[test]
fn a_path_without_the_api_endpoint_cannot_make_urls() {
    for mode in [Mode::Grant, Mode::Guard, Mode::Both] {
        let settings = settings(mode, vec![endpoints(&[STUDIO])]);
        let findings = found(&settings, &both_endpoints());
        assert_eq!(codes(&findings), [("missing_api_endpoint", Error)], "{mode:?}");
        assert_ne!(decision(&settings, &findings[0]), Decision::Allow);
        assert!(findings[0].message.contains(&format!("add {API} to vpc_endpoint_ids")), "{}", findings[0].message);
        assert_eq!(context(&findings[0], "aws:SourceVpce").as_deref(), Some(API));
        assert_eq!(findings[0].at, Some(At::Path(0)));
    }
}

#[test]
fn a_path_without_the_studio_endpoint_cannot_use_urls() {
    let settings = settings(Mode::Guard, vec![endpoints(&[API])]);
    let findings = found(&settings, &both_endpoints());
    assert_eq!(codes(&findings), [("missing_studio_endpoint", Error)]);
    assert_eq!(context(&findings[0], "aws:SourceVpce").as_deref(), Some(STUDIO));
    assert_eq!(decision(&settings, &findings[0]), Decision::ExplicitDeny);
}

#[test]
fn another_path_for_the_missing_stage_makes_it_a_warning() {
    // URLs can be made from the office's public addresses, then.
    let settings = settings(Mode::Guard, vec![endpoints(&[STUDIO]), addresses(&["198.51.100.0/24"])]);
    assert_eq!(codes(&found(&settings, &both_endpoints())), [("missing_api_endpoint", Warning)]);
}

#[test]
fn endpoints_of_unknown_kind_are_not_said_to_be_missing() {
    let settings = settings(Mode::Guard, vec![endpoints(&[STUDIO])]);
    assert_eq!(codes(&found(&settings, &Surroundings::default())), []);
    let mut half_known = both_endpoints();
    half_known.endpoints.remove(STUDIO);
    assert_eq!(codes(&found(&settings, &half_known)), []);
}

#[test]
fn a_vpc_whose_endpoints_are_all_known_can_lack_one_too() {
    let settings = settings(Mode::Guard, vec![vpcs(&[VPC])]);
    let mut surroundings = both_endpoints();
    surroundings.complete_vpcs.insert(VPC.to_owned());
    assert_eq!(codes(&found(&settings, &surroundings)), []);
    surroundings.endpoints.remove(API);
    let findings = found(&settings, &surroundings);
    assert_eq!(codes(&findings), [("missing_api_endpoint", Error)]);
    assert!(findings[0].message.contains("make one in the path's VPCs"), "{}", findings[0].message);
    surroundings.endpoints.remove(STUDIO);
    let findings = found(&settings, &surroundings);
    assert_eq!(codes(&findings), [("unreachable_path", Error), ("everyone_locked_out", Error)]);
    assert_ne!(decision(&settings, the(Code::UnreachablePath, &findings)), Decision::Allow);
}

#[test]
fn a_public_address_over_an_endpoint_is_no_path() {
    let path = AllowedPath { source_cidr_blocks: list(&["198.51.100.0/24"]), ..endpoints(&[STUDIO, API]) };
    let settings = settings(Mode::Guard, vec![path, vpcs(&[VPC])]);
    let findings = found(&settings, &Surroundings::default());
    assert_eq!(codes(&findings), [("source_ip_over_endpoint", Error)]);
    assert_eq!(findings[0].at, Some(At::PathList(0, Key::SourceIp)));
    assert_eq!(decision(&settings, &findings[0]), Decision::ExplicitDeny);
    // Someone whom the path was meant for, that is.
    assert_eq!(context(&findings[0], "aws:VpcSourceIp").as_deref(), Some("198.51.100.7"));
}

#[test]
fn private_ranges_as_public_addresses_are_no_path() {
    let settings = settings(Mode::Guard, vec![addresses(&["10.20.0.0/16"]), vpcs(&[VPC])]);
    let findings = found(&settings, &Surroundings::default());
    assert_eq!(codes(&findings), [("source_ip_over_endpoint", Error)]);
    assert_eq!(context(&findings[0], "aws:VpcSourceIp").as_deref(), Some("10.20.0.1"));
    assert!(findings[0].message.contains("vpc_source_cidr_blocks"), "{}", findings[0].message);
}

#[test]
fn a_path_that_takes_nobody_locks_everyone_out_if_it_is_the_only_one() {
    let path = AllowedPath { source_cidr_blocks: list(&["198.51.100.0/24"]), ..endpoints(&[STUDIO, API]) };
    for mode in [Mode::Grant, Mode::Guard, Mode::Both] {
        let settings = settings(mode, vec![path.clone()]);
        let findings = found(&settings, &Surroundings::default());
        assert_eq!(codes(&findings), [("source_ip_over_endpoint", Error), ("everyone_locked_out", Error)]);
        assert_ne!(decision(&settings, the(Code::EveryoneLockedOut, &findings)), Decision::Allow);
    }
}

#[test]
fn private_addresses_in_any_vpc_let_strangers_in() {
    for mode in [Mode::Grant, Mode::Guard, Mode::Both] {
        let settings = settings(mode, vec![private(&["10.0.0.0/8"])]);
        let findings = found(&settings, &both_endpoints());
        assert_eq!(codes(&findings), [("vpc_source_ip_without_vpc", Error)], "{mode:?}");
        assert_eq!(decision(&settings, &findings[0]), Decision::Allow);
        let vpc = context(&findings[0], "aws:SourceVpc").unwrap();
        assert!(vpc != VPC && context(&findings[0], "aws:VpcSourceIp").as_deref() == Some("10.1.2.3"));
    }
}

#[test]
fn an_empty_path_takes_everyone_and_an_empty_list_nobody() {
    let empty_list = AllowedPath { vpc_ids: Some(Vec::new()), ..AllowedPath::default() };
    let settings = settings(Mode::Guard, vec![AllowedPath::default(), empty_list]);
    let wrong = PresignSettings { domain_arns: vec!["d-abc".to_owned()], ..settings.clone() };
    let empty_paths = |settings: &PresignSettings| -> Vec<Finding> {
        let errors = Presign::new(settings).unwrap_err();
        errors.iter().filter_map(|error| empty_path(settings, error)).collect()
    };
    let findings = empty_paths(&settings);
    assert_eq!(codes(&findings), [("empty_path", Error), ("empty_path", Error)]);
    assert_eq!(findings[0].at, Some(At::Path(0)));
    assert_eq!(findings[1].at, Some(At::PathList(1, Key::SourceVpc)));
    findings.iter().for_each(check_form);
    // An error about something else is none of this kind.
    assert_eq!(codes(&empty_paths(&wrong)), codes(&findings));
}

#[test]
fn a_path_open_to_the_internet_is_found_by_what_it_takes() {
    for (ranges, expected) in [
        (&["0.0.0.0/0"][..], Some(Error)),
        (&["0.0.0.0/1", "128.0.0.0/1"], Some(Error)),
        // All that is public, without what is private.
        (&["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"], Some(Error)),
        (&["::/0"], Some(Error)),
        (&["2000::/3"], Some(Error)),
        (&["0.0.0.0/1"], Some(Warning)),
        (&["198.0.0.0/8"], Some(Warning)),
        (&["198.0.0.0/9"], None),
        (&["2001::/16"], Some(Warning)),
        (&["2001:db8::/32"], None),
    ] {
        for mode in [Mode::Grant, Mode::Guard] {
            let settings = settings(mode, vec![addresses(ranges)]);
            let findings = found(&settings, &Surroundings::default());
            let expected: Vec<_> = expected.into_iter().map(|severity| ("public_path", severity)).collect();
            assert_eq!(codes(&findings), expected, "{ranges:?}");
            for finding in &findings {
                assert_eq!(decision(&settings, finding), Decision::Allow);
                assert!(context(finding, "aws:SourceVpce").is_none());
            }
        }
    }
}

#[test]
fn paths_can_be_open_to_the_internet_together() {
    let settings = settings(Mode::Guard, vec![addresses(&["0.0.0.0/1"]), addresses(&["128.0.0.0/1"])]);
    let findings = found(&settings, &Surroundings::default());
    assert_eq!(codes(&findings), [("public_path", Error), ("public_path", Warning), ("public_path", Warning)]);
    assert_eq!(findings[0].at, Some(At::Allowed));
}

#[test]
fn an_endpoint_outside_of_the_vpcs_of_its_path_is_found() {
    let path = AllowedPath { vpc_ids: list(&[OTHER_VPC]), ..endpoints(&[STUDIO, API]) };
    let settings = settings(Mode::Guard, vec![path]);
    let findings = found(&settings, &both_endpoints());
    let expected = [("endpoint_of_other_vpc", Error), ("endpoint_of_other_vpc", Error), ("everyone_locked_out", Error)];
    let mut codes = codes(&findings);
    codes.sort();
    assert_eq!(codes, expected);
    for finding in findings.iter().filter(|finding| finding.code == Code::EndpointOfOtherVpc) {
        assert_eq!(decision(&settings, finding), Decision::ExplicitDeny);
        assert_eq!(context(finding, "aws:SourceVpc").as_deref(), Some(VPC));
    }
    assert_eq!(self::codes(&found(&settings, &Surroundings::default())), []);
}

#[test]
fn one_endpoint_of_another_vpc_among_good_ones_is_a_warning() {
    let third = "vpce-0ccccccccccccccc0";
    let path = AllowedPath { vpc_ids: list(&[VPC]), ..endpoints(&[STUDIO, API, third]) };
    let settings = settings(Mode::Guard, vec![path]);
    let mut surroundings = both_endpoints();
    let mut other = surroundings.endpoints[STUDIO].clone();
    other.vpc_id = Some(OTHER_VPC.to_owned());
    surroundings.endpoints.insert(third.to_owned(), other);
    let findings = found(&settings, &surroundings);
    assert_eq!(codes(&findings), [("endpoint_of_other_vpc", Warning)]);
    assert_eq!(context(&findings[0], "aws:SourceVpce").as_deref(), Some(third));
}
