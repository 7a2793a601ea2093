//! Findings about what was looked up: made with the fact, and not without it.

use std::collections::BTreeSet;

use super::*;
use crate::policy::analyze::systems::allow_all;

#[test]
fn a_grant_is_no_restriction_for_a_role_that_may_already() {
    let other = |statement: Statement| Attached { layer: Layer::Identity, document: Document::new(vec![statement]) };
    let full = Statement::new(Effect::Allow, values(["sagemaker:*"])).on(values(["*"]));
    let surroundings =
        |policies| Surroundings { callers: vec![Caller { arn: ROLE.to_owned(), policies }], ..both_endpoints() };
    let known = surroundings(Some(vec![other(full.clone())]));
    let settings_in = |mode| settings(mode, vec![endpoints(&[STUDIO, API])]);
    let findings = found(&settings_in(Mode::Grant), &known);
    assert_eq!(codes(&findings), [("grant_is_no_restriction", Error)]);
    let witness = findings[0].witness.to_request();
    assert_eq!(witness.principal.as_deref(), Some(ROLE));
    assert_eq!(decision(&settings_in(Mode::Grant), &findings[0]), Decision::ImplicitDeny);
    let mut policies = known.callers[0].policies.clone().unwrap();
    policies.push(Attached { layer: Layer::Identity, document: presign(&settings_in(Mode::Grant)).identity_policy() });
    assert_eq!(decide(&policies, &witness).decision, Decision::Allow);
    // A Deny settles it, and so does an Allow that is no wider than the paths.
    for mode in [Mode::Guard, Mode::Both] {
        assert_eq!(codes(&found(&settings_in(mode), &known)), []);
    }
    let narrow = full.when("StringEquals", "aws:SourceVpce", values([STUDIO]));
    assert_eq!(codes(&found(&settings_in(Mode::Grant), &surroundings(Some(vec![other(narrow)])))), []);
    // What could not be read is not guessed.
    assert_eq!(codes(&found(&settings_in(Mode::Grant), &surroundings(None))), []);
}

#[test]
fn a_boundary_can_take_away_what_another_policy_allows() {
    let full = Statement::new(Effect::Allow, values(["*"])).on(values(["*"]));
    let inside = full.clone().when("StringEquals", "aws:SourceVpce", values([STUDIO, API]));
    let policies = vec![
        Attached { layer: Layer::Identity, document: Document::new(vec![full]) },
        Attached { layer: Layer::Boundary, document: Document::new(vec![inside]) },
    ];
    let callers = vec![Caller { arn: ROLE.to_owned(), policies: Some(policies) }];
    let surroundings = Surroundings { callers, ..Surroundings::default() };
    assert_eq!(codes(&found(&settings(Mode::Grant, vec![endpoints(&[STUDIO, API])]), &surroundings)), []);
}

#[test]
fn a_policy_that_asks_what_is_not_read_here_cannot_be_told() {
    let late = Statement::new(Effect::Allow, values(["*"])).on(values(["*"])).when(
        "DateGreaterThan",
        "aws:CurrentTime",
        values(["2030-01-01T00:00:00Z"]),
    );
    let policies = vec![Attached { layer: Layer::Identity, document: Document::new(vec![late]) }];
    let callers = vec![Caller { arn: ROLE.to_owned(), policies: Some(policies) }];
    let surroundings = Surroundings { callers, ..Surroundings::default() };
    let findings = found(&settings(Mode::Grant, vec![endpoints(&[STUDIO, API])]), &surroundings);
    assert!(codes(&findings).iter().all(|finding| *finding == ("cannot_tell", Warning)), "{findings:?}");
    assert!(findings.iter().any(|finding| finding.message.contains("DateGreaterThan")), "{findings:?}");
}

#[test]
fn a_role_to_which_nothing_allows_the_action_is_locked_out_by_a_guard() {
    let callers = vec![Caller { arn: ROLE.to_owned(), policies: Some(Vec::new()) }];
    let surroundings = Surroundings { callers, ..both_endpoints() };
    let allowed = vec![endpoints(&[STUDIO, API])];
    let findings = found(&settings(Mode::Guard, allowed.clone()), &surroundings);
    assert_eq!(codes(&findings), [("locked_out", Warning)]);
    assert!(findings[0].message.starts_with(ROLE));
    assert_eq!(codes(&found(&settings(Mode::Both, allowed), &surroundings)), []);
}

#[test]
fn a_deny_that_asks_for_more_than_the_paths_is_no_lockout_where_it_can_be_met() {
    // Multi-factor authentication is for the person to bring.
    let statement = |effect| Statement::new(effect, values(["*"])).on(values(["*"]));
    let deny = statement(Effect::Deny).when("BoolIfExists", "aws:MultiFactorAuthPresent", values(["false"]));
    let never = statement(Effect::Deny).when("StringNotEquals", "aws:SourceVpce", values(["vpce-0dddddddddddddddd"]));
    let surroundings = |deny: Statement| {
        let document = Document::new(vec![statement(Effect::Allow), deny]);
        let policies = Some(vec![Attached { layer: Layer::Identity, document }]);
        Surroundings { callers: vec![Caller { arn: ROLE.to_owned(), policies }], ..both_endpoints() }
    };
    let settings = settings(Mode::Both, vec![endpoints(&[STUDIO, API])]);
    assert_eq!(codes(&found(&settings, &surroundings(deny))), []);
    assert_eq!(codes(&found(&settings, &surroundings(never))), [("locked_out", Warning)]);
}

#[test]
fn an_execution_role_is_told_of_only_where_it_is_known() {
    let domain = Domain { auth_mode: Some(AuthMode::Iam), execution_role_arns: BTreeSet::from([ROLE.to_owned()]) };
    let mut surroundings = both_endpoints();
    surroundings.domains.insert("d-abcdefghijkl".to_owned(), domain);
    let settings_in = |mode| settings(mode, vec![endpoints(&[STUDIO, API])]);
    // As long as the policy is not attached to it, only the SCP could do harm.
    assert_eq!(codes(&found(&settings_in(Mode::Guard), &surroundings)), [("execution_role_restricted", Info)]);
    surroundings.callers.push(Caller { arn: ROLE.to_owned(), policies: None });
    let findings = found(&settings_in(Mode::Guard), &surroundings);
    assert_eq!(codes(&findings), [("execution_role_restricted", Warning)]);
    assert_eq!(findings[0].witness.principal_arn.as_deref(), Some(ROLE));
    assert_eq!(decision(&settings_in(Mode::Guard), &findings[0]), Decision::ExplicitDeny);
    let exempt = PresignSettings { exempt_principal_arns: vec![ROLE.to_owned()], ..settings_in(Mode::Guard) };
    assert_eq!(codes(&found(&exempt, &surroundings)), []);
}

#[test]
fn a_domain_with_identity_center_makes_no_presigned_urls() {
    let domain = |auth_mode| Domain { auth_mode, ..Domain::default() };
    for (auth_mode, expected) in [(Some(AuthMode::Sso), 1), (Some(AuthMode::Iam), 0), (None, 0)] {
        let domains = BTreeMap::from([("d-abcdefghijkl".to_owned(), domain(auth_mode))]);
        let surroundings = Surroundings { domains, ..both_endpoints() };
        let findings = found(&settings(Mode::Guard, vec![endpoints(&[STUDIO, API])]), &surroundings);
        assert_eq!(codes(&findings), vec![("sso_domain", Error); expected]);
    }
}

#[test]
fn private_dns_that_is_off_sends_requests_over_the_internet() {
    let mut surroundings = both_endpoints();
    surroundings.endpoints.get_mut(API).unwrap().private_dns = Some(false);
    let guard = settings(Mode::Guard, vec![endpoints(&[STUDIO, API])]);
    let findings = found(&guard, &surroundings);
    assert_eq!(codes(&findings), [("private_dns_off", Warning)]);
    assert_eq!(decision(&guard, &findings[0]), Decision::ExplicitDeny);
    assert_eq!(findings[0].at, Some(At::PathList(0, Key::SourceVpce)));
    surroundings.endpoints.get_mut(API).unwrap().private_dns = None;
    assert_eq!(codes(&found(&guard, &surroundings)), []);
}

#[test]
fn an_endpoint_policy_for_presigning_alone_breaks_apps() {
    let narrow = Statement::new(Effect::Allow, values(["sagemaker:CreatePresignedDomainUrl"])).on(values(["*"]));
    let narrow = Document::new(vec![narrow.by(crate::policy::document::Principals::Everyone)]);
    let mut surroundings = both_endpoints();
    surroundings.endpoints.get_mut(API).unwrap().policy = Some(narrow.clone());
    let guard = settings(Mode::Guard, vec![endpoints(&[STUDIO, API])]);
    let findings = found(&guard, &surroundings);
    assert_eq!(codes(&findings), [("narrow_api_endpoint_policy", Warning)]);
    let call = findings[0].witness.to_request();
    assert_eq!(call.action, "sagemaker:CreateApp");
    let policies = [allow_all(Layer::Identity), Attached { layer: Layer::Endpoint, document: narrow }];
    assert_eq!(decide(&policies, &call).decision, Decision::ImplicitDeny);
    // Ours is not narrow.
    let ours = presign(&guard).endpoint_policy(EndpointKind::SagemakerApi);
    surroundings.endpoints.get_mut(API).unwrap().policy = Some(ours);
    assert_eq!(codes(&found(&guard, &surroundings)), []);
}

#[test]
fn an_endpoint_policy_that_stops_the_action_locks_everyone_out() {
    let deny = Statement::new(Effect::Allow, values(["s3:*"])).on(values(["*"]));
    let mut surroundings = both_endpoints();
    surroundings.endpoints.get_mut(STUDIO).unwrap().policy = Some(Document::new(vec![deny]));
    let findings = found(&settings(Mode::Guard, vec![endpoints(&[STUDIO, API])]), &surroundings);
    assert_eq!(codes(&findings), [("locked_out", Error)]);
    assert_eq!(context(&findings[0], "aws:SourceVpce").as_deref(), Some(STUDIO));
    // Where no path leads through it, it locks nobody out.
    let elsewhere = settings(Mode::Guard, vec![addresses(&["198.51.100.0/24"])]);
    assert_eq!(codes(&found(&elsewhere, &surroundings)), []);
}
