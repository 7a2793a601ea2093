//! What the documents decide, by the offline evaluator.

use super::*;
use crate::policy::evaluate::{Attached, Decision, Layer, Request, decide};

use Decision::{Allow as A, ExplicitDeny as E, ImplicitDeny as I};

const DOMAIN: &str = "arn:aws:sagemaker:us-east-1:123456789012:domain/d-abcdefghijkl";
pub(super) const PROFILE: &str = "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-abcdefghijkl/ada";
pub(super) const FOREIGN: &str = "arn:aws:sagemaker:us-east-1:210987654321:user-profile/d-mnopqrstuvwx/eve";
pub(super) const CALLER: &str = "arn:aws:iam::123456789012:role/Scientist";
pub(super) const BREAK_GLASS: &str = "arn:aws:iam::123456789012:role/BreakGlass";

const ENDPOINT: &str = "vpce-0aaaaaaaaaaaaaaaa";
pub(super) const OTHER_ENDPOINT: &str = "vpce-0ffffffffffffffff";
pub(super) const VPC: &str = "vpc-0aaaaaaaaaaaaaaaa";
pub(super) const OTHER_VPC: &str = "vpc-0ffffffffffffffff";

fn list(items: &[&str]) -> Option<Vec<String>> {
    Some(items.iter().map(|item| item.to_string()).collect())
}

fn by_endpoint() -> AllowedPath {
    AllowedPath { vpc_endpoint_ids: list(&[ENDPOINT]), ..AllowedPath::default() }
}

fn by_address() -> AllowedPath {
    AllowedPath { source_cidr_blocks: list(&["203.0.113.0/24"]), ..AllowedPath::default() }
}

pub(super) fn settings(mode: Mode, allowed: Vec<AllowedPath>) -> PresignSettings {
    PresignSettings {
        mode,
        domain_arns: vec![DOMAIN.to_owned()],
        user_profile: "*".to_owned(),
        allowed,
        exempt_principal_arns: Vec::new(),
        allow_via_aws_services: false,
        resource_tags: BTreeMap::new(),
    }
}

pub(super) fn identity(document: Document) -> Attached {
    Attached { layer: Layer::Identity, document }
}

/// An Allow for everything, as many callers have it from another policy.
pub(super) fn allow_all() -> Document {
    Document::new(vec![Statement::new(Effect::Allow, values(["*"])).on(values(["*"]))])
}

fn request() -> Request {
    Request::new(PRESIGN, PROFILE).by(CALLER)
}

/// Five ways to ask: the right endpoint, a wrong one, the internet, the VPN's public address, and
/// the console, which calls from the address of the person's browser.
fn five_requests() -> [Request; 5] {
    let through = |endpoint, vpc, address| {
        let request = request().with("aws:SourceVpce", endpoint).with("aws:SourceVpc", vpc);
        request.with("aws:VpcSourceIp", address)
    };
    [
        through(ENDPOINT, VPC, "10.1.2.3"),
        through(OTHER_ENDPOINT, OTHER_VPC, "10.200.0.1"),
        request().with("aws:SourceIp", "192.0.2.44"),
        request().with("aws:SourceIp", "203.0.113.9"),
        request().with("aws:SourceIp", "192.0.2.99").with("aws:ViaAWSService", "false"),
    ]
}

/// What the identity policy of these settings decides for the five, beside an Allow for everything
/// where it only denies.
fn five_decisions(settings: &PresignSettings) -> [Decision; 5] {
    let mut policies = vec![identity(Presign::new(settings).unwrap().identity_policy())];
    if settings.mode == Mode::Guard {
        policies.push(identity(allow_all()));
    }
    five_requests().map(|request| decide(&policies, &request).decision)
}

#[test]
fn a_grant_by_vpc_endpoint_or_private_address_allows_on_that_path_only() {
    let by_vpc = AllowedPath { vpc_ids: list(&[VPC]), ..AllowedPath::default() };
    let by_private_address =
        AllowedPath { vpc_ids: list(&[VPC]), vpc_source_cidr_blocks: list(&["10.1.0.0/16"]), ..AllowedPath::default() };
    for path in [by_vpc, by_endpoint(), by_private_address] {
        assert_eq!(five_decisions(&settings(Mode::Grant, vec![path])), [A, I, I, I, I]);
    }
}

#[test]
fn a_grant_by_public_address_allows_from_there_only() {
    assert_eq!(five_decisions(&settings(Mode::Grant, vec![by_address()])), [I, I, I, A, I]);
}

#[test]
fn a_guard_by_endpoint_denies_everything_else() {
    assert_eq!(five_decisions(&settings(Mode::Guard, vec![by_endpoint()])), [A, E, E, E, E]);
}

#[test]
fn a_guard_with_two_paths_lets_both_through() {
    let guard = settings(Mode::Guard, vec![by_endpoint(), by_address()]);
    assert_eq!(five_decisions(&guard), [A, E, E, A, E]);
    assert_eq!(Presign::new(&guard).unwrap().identity_policy().statements.len(), 1);
}

#[test]
fn an_endpoint_and_a_public_address_in_one_path_lock_everyone_out() {
    // A request through an endpoint has no public address, so no request meets both.
    let path = AllowedPath { source_cidr_blocks: list(&["203.0.113.0/24"]), ..by_endpoint() };
    assert_eq!(five_decisions(&settings(Mode::Guard, vec![path.clone()])), [E, E, E, E, E]);
    assert_eq!(five_decisions(&settings(Mode::Grant, vec![path])), [I, I, I, I, I]);
}

/// Policies as people write them, cell by cell: what each decides for the five.
#[test]
fn the_published_shapes_decide_as_measured() {
    const ASKED: [&str; 5] =
        ["the right endpoint", "a wrong endpoint", "the internet", "the VPN's address", "the console"];
    let statement = |effect: &str, conditions: &str| {
        format!(r#"{{"Effect":"{effect}","Action":"{PRESIGN}","Resource":"*","Condition":{conditions}}}"#)
    };
    let allow = |conditions: &str| statement("Allow", conditions);
    let deny = |conditions: &str| statement("Deny", conditions);
    let everything = || r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#.to_owned();
    let endpoint = format!(r#""aws:sourceVpce":"{ENDPOINT}""#);
    let vpc = format!(r#""aws:SourceVpc":"{VPC}""#);
    let address = r#""aws:SourceIp":"203.0.113.0/24""#;
    let private = r#""aws:VpcSourceIp":"10.1.0.0/16""#;
    for (row, statements, expected) in [
        ("Allow by VPC", vec![allow(&format!(r#"{{"StringEquals":{{{vpc}}}}}"#))], [A, I, I, I, I]),
        ("Allow by endpoint", vec![allow(&format!(r#"{{"StringEquals":{{{endpoint}}}}}"#))], [A, I, I, I, I]),
        (
            "Allow by any value of the endpoint",
            vec![allow(&format!(r#"{{"ForAnyValue:StringEquals":{{{endpoint}}}}}"#))],
            [A, I, I, I, I],
        ),
        (
            "Allow by private address and VPC",
            vec![allow(&format!(r#"{{"IpAddress":{{{private}}},"StringEquals":{{{vpc}}}}}"#))],
            [A, I, I, I, I],
        ),
        ("Allow by public address", vec![allow(&format!(r#"{{"IpAddress":{{{address}}}}}"#))], [I, I, I, A, I]),
        (
            "Allow all, Deny off the endpoint",
            vec![everything(), deny(&format!(r#"{{"StringNotEquals":{{{endpoint}}}}}"#))],
            [A, E, E, E, E],
        ),
        (
            "Allow all, one Deny off the endpoint and the address",
            vec![
                everything(),
                deny(&format!(r#"{{"StringNotEqualsIfExists":{{{endpoint}}},"NotIpAddressIfExists":{{{address}}}}}"#)),
            ],
            [A, E, E, A, E],
        ),
        (
            "Allow all, one Deny for each of them",
            vec![
                everything(),
                deny(&format!(r#"{{"StringNotEquals":{{{endpoint}}}}}"#)),
                deny(&format!(r#"{{"NotIpAddress":{{{address}}}}}"#)),
            ],
            [E, E, E, E, E],
        ),
        // The two that open to the internet, and the one that does not close.
        (
            "Allow by endpoint if there is one",
            vec![allow(&format!(r#"{{"StringEqualsIfExists":{{{endpoint}}}}}"#))],
            [A, I, A, A, A],
        ),
        (
            "Allow by all values of the endpoint",
            vec![allow(&format!(r#"{{"ForAllValues:StringEquals":{{{endpoint}}}}}"#))],
            [A, I, A, A, A],
        ),
        (
            "Allow all, Deny by any value of the endpoint",
            vec![everything(), deny(&format!(r#"{{"ForAnyValue:StringNotEquals":{{{endpoint}}}}}"#))],
            [A, E, A, A, A],
        ),
    ] {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        let policy = [identity(Document::parse(&text).unwrap())];
        for ((column, request), expected) in ASKED.into_iter().zip(five_requests()).zip(expected) {
            assert_eq!(decide(&policy, &request).decision, expected, "{row}, from {column}: {text}");
        }
    }
}

#[test]
fn both_modes_together_need_no_other_policy() {
    let both = settings(Mode::Both, vec![by_endpoint(), by_address()]);
    assert_eq!(five_decisions(&both), [A, E, E, A, E]);
}

#[test]
fn a_grant_also_describes_profiles_and_a_guard_leaves_that_alone() {
    let describe = |mut request: Request| {
        request.action = "sagemaker:DescribeUserProfile".to_owned();
        request
    };
    let grant = Presign::new(&settings(Mode::Grant, vec![by_endpoint()])).unwrap();
    let guard = Presign::new(&settings(Mode::Guard, vec![by_endpoint()])).unwrap();
    let [right, _, internet, ..] = five_requests().map(describe);
    let granted = [identity(grant.identity_policy())];
    assert_eq!(decide(&granted, &right).decision, A);
    assert_eq!(decide(&granted, &internet).decision, I);
    let guarded = [identity(guard.identity_policy()), identity(allow_all())];
    assert_eq!(decide(&guarded, &internet).decision, A);
}

#[test]
fn other_domains_are_left_alone_by_the_guard_and_not_granted() {
    let elsewhere = |mut request: Request| {
        request.resource = FOREIGN.to_owned();
        request
    };
    let guard = Presign::new(&settings(Mode::Guard, vec![by_endpoint()])).unwrap();
    let grant = Presign::new(&settings(Mode::Grant, vec![by_endpoint()])).unwrap();
    for request in five_requests().map(elsewhere) {
        let guarded = [identity(guard.identity_policy()), identity(allow_all())];
        assert_eq!(decide(&guarded, &request).decision, A);
        assert_eq!(decide(&[identity(grant.identity_policy())], &request).decision, I);
    }
}

#[test]
fn an_endpoint_refuses_other_domains_to_everyone_and_nothing_else() {
    let mut settings = settings(Mode::Guard, vec![by_endpoint()]);
    settings.exempt_principal_arns = vec![BREAK_GLASS.to_owned()];
    let presign = Presign::new(&settings).unwrap();
    for kind in EndpointKind::ALL {
        let document = presign.endpoint_policy(kind);
        let policies = [identity(allow_all()), Attached { layer: Layer::Endpoint, document }];
        let ask =
            |action: &str, resource: &str| decide(&policies, &Request::new(action, resource).by(BREAK_GLASS)).decision;
        assert_eq!(ask(PRESIGN, PROFILE), A);
        assert_eq!(ask(PRESIGN, FOREIGN), E);
        // A domain whose id starts like the named one is another domain.
        assert_eq!(ask(PRESIGN, &PROFILE.replace("ijkl/", "ijklm/")), E);
        let app = "arn:aws:sagemaker:us-east-1:123456789012:app/d-mnopqrstuvwx/eve/JupyterLab/default";
        assert_eq!(ask("sagemaker:CreateApp", app), A);
        assert_eq!(ask("sagemaker:DescribeDomain", FOREIGN), A);
    }
}

#[test]
fn an_exempt_principal_escapes_every_deny_and_gains_nothing() {
    let mut settings = settings(Mode::Both, vec![by_endpoint()]);
    settings.exempt_principal_arns = vec![BREAK_GLASS.to_owned()];
    settings.resource_tags.insert("team".to_owned(), "${aws:PrincipalTag/team}".to_owned());
    let policy = identity(Presign::new(&settings).unwrap().identity_policy());
    let internet = Request::new(PRESIGN, PROFILE).with("aws:SourceIp", "192.0.2.44");
    let exempt = internet.clone().by(BREAK_GLASS);
    let allow_all = identity(allow_all());
    assert_eq!(decide(&[policy.clone(), allow_all.clone()], &exempt).decision, A);
    assert_eq!(decide(std::slice::from_ref(&policy), &exempt).decision, I);
    // Not even without a principal in the request.
    assert_eq!(decide(&[policy, allow_all], &internet).decision, E);
}

#[test]
fn services_on_behalf_of_the_caller_escape_only_if_asked_for() {
    let with = |allow, via: Option<&str>| {
        let mut settings = settings(Mode::Guard, vec![by_endpoint()]);
        settings.allow_via_aws_services = allow;
        let policy = Presign::new(&settings).unwrap().identity_policy();
        let request = match via {
            Some(via) => request().with("aws:ViaAWSService", via),
            None => request(),
        };
        decide(&[identity(policy), identity(allow_all())], &request).decision
    };
    assert_eq!(with(true, Some("true")), A);
    assert_eq!(with(true, Some("false")), E);
    assert_eq!(with(true, None), E);
    assert_eq!(with(false, Some("true")), E);
}

#[test]
fn a_tag_by_variable_denies_callers_without_a_value_for_it() {
    let mut settings = settings(Mode::Both, vec![by_endpoint()]);
    settings.resource_tags.insert("employee".to_owned(), "${aws:PrincipalTag/employee}".to_owned());
    let policies = [identity(Presign::new(&settings).unwrap().identity_policy()), identity(allow_all())];
    let on_path = request().with("aws:SourceVpce", ENDPOINT);
    let ask = |caller: Option<&str>, profile: Option<&str>| {
        let mut request = on_path.clone();
        if let Some(caller) = caller {
            request = request.with("aws:PrincipalTag/employee", caller);
        }
        if let Some(profile) = profile {
            request = request.with("sagemaker:ResourceTag/employee", profile);
        }
        decide(&policies, &request).decision
    };
    assert_eq!(ask(Some("7"), Some("7")), A);
    assert_eq!(ask(Some("7"), Some("8")), E);
    assert_eq!(ask(Some("7"), None), E);
    assert_eq!(ask(None, Some("7")), E);
    assert_eq!(ask(None, None), E);
}

#[test]
fn a_grant_by_user_name_is_for_ones_own_profile() {
    let mut settings = settings(Mode::Grant, vec![by_endpoint()]);
    settings.user_profile = "${aws:username}".to_owned();
    let policies = [identity(Presign::new(&settings).unwrap().identity_policy())];
    let on_path = request().with("aws:SourceVpce", ENDPOINT);
    let named = |name: &str| decide(&policies, &on_path.clone().with("aws:username", name)).decision;
    assert_eq!(named("ada"), A);
    assert_eq!(named("eve"), I);
    assert_eq!(decide(&policies, &on_path).decision, I);
}
