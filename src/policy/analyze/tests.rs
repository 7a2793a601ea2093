//! Each kind of finding: made when it should be, not made when not, and shown by its witness.

mod mutations;
mod proof;
mod speed;

use std::collections::BTreeSet;

use super::systems::{System, inventory};
use super::*;
use crate::policy::document::{Statement, values};
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
