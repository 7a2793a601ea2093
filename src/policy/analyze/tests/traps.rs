//! Documents as people write them: the analysis finds what is wrong, and its witness shows it.

use super::mutations::PROFILE;
use super::*;
use crate::policy::document::Conditions;
use crate::policy::presign::PRESIGN;

/// Documents as people write them, with what is wrong with each.
#[test]
fn the_traps_are_found_in_documents_of_others() {
    let conditions = |text: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{text}}}}}"#
        );
        Document::parse(&text).unwrap().statements.remove(0).conditions
    };
    let statement = |effect, conditions: Conditions| {
        let mut statement = Statement::new(effect, values([PRESIGN])).on(values([&PROFILE.replace("ada", "*")]));
        statement.conditions = conditions;
        statement
    };
    let deny = |text| statement(Effect::Deny, conditions(text));
    let allow = |text| statement(Effect::Allow, conditions(text));
    let by_endpoint = vec![endpoints(&[STUDIO, API])];
    let or_address = vec![endpoints(&[STUDIO, API]), addresses(&["198.51.100.0/24"])];
    let endpoint = r#""aws:SourceVpce":["vpce-0aaaaaaaaaaaaaaaa","vpce-0bbbbbbbbbbbbbbbb"]"#;
    let address = r#""aws:SourceIp":"198.51.100.0/24""#;
    for (what, mode, allowed, statements, expected) in [
        (
            "two Denies for alternatives",
            Mode::Guard,
            &or_address,
            vec![
                deny(&format!(r#"{{"StringNotEquals":{{{endpoint}}}}}"#)),
                deny(&format!(r#"{{"NotIpAddress":{{{address}}}}}"#)),
            ],
            Code::EveryoneLockedOut,
        ),
        (
            "an Allow with IfExists",
            Mode::Grant,
            &by_endpoint,
            vec![allow(&format!(r#"{{"StringEqualsIfExists":{{{endpoint}}}}}"#))],
            Code::LetIn,
        ),
        (
            "an Allow with ForAllValues",
            Mode::Grant,
            &by_endpoint,
            vec![allow(&format!(r#"{{"ForAllValues:StringEquals":{{{endpoint}}}}}"#))],
            Code::LetIn,
        ),
        (
            "a Deny with ForAnyValue",
            Mode::Guard,
            &by_endpoint,
            vec![deny(&format!(r#"{{"ForAnyValue:StringNotEquals":{{{endpoint}}}}}"#))],
            Code::LetIn,
        ),
        (
            "a Deny with a variable that may have no value",
            Mode::Guard,
            &by_endpoint,
            vec![deny(&format!(
                r#"{{"StringNotEquals":{{{endpoint},"aws:username":"${{aws:PrincipalTag/nobody}}"}}}}"#
            ))],
            Code::LetIn,
        ),
        (
            "one endpoint too few in a Deny",
            Mode::Guard,
            &by_endpoint,
            vec![deny(r#"{"StringNotEquals":{"aws:SourceVpce":"vpce-0aaaaaaaaaaaaaaaa"}}"#)],
            Code::LockedOut,
        ),
        (
            "a pattern for endpoints",
            Mode::Guard,
            &by_endpoint,
            vec![deny(r#"{"StringNotLike":{"aws:SourceVpce":"vpce-0*"}}"#)],
            Code::LetIn,
        ),
        (
            "a Deny of public addresses for requests through endpoints",
            Mode::Guard,
            &by_endpoint,
            vec![deny(&format!(r#"{{"NotIpAddress":{{{address}}}}}"#))],
            Code::LockedOut,
        ),
        (
            "one Deny for two requirements",
            Mode::Guard,
            &vec![AllowedPath { vpc_source_cidr_blocks: list(&["10.0.0.0/8"]), ..endpoints(&[STUDIO, API]) }],
            vec![deny(&format!(
                r#"{{"StringNotEquals":{{{endpoint}}},"NotIpAddress":{{"aws:VpcSourceIp":"10.0.0.0/8"}}}}"#
            ))],
            Code::LetIn,
        ),
        ("nothing at all", Mode::Guard, &by_endpoint, vec![], Code::LetIn),
    ] {
        let settings = PresignSettings { exempt_principal_arns: Vec::new(), ..settings(mode, allowed.clone()) };
        let presign = presign(&settings);
        let documents = Documents { identity: vec![Document::new(statements)], ..Documents::of(&presign) };
        let findings = analyze_documents(&presign, &documents, &Surroundings::default());
        let finding = findings.iter().find(|finding| finding.code == expected);
        let finding = finding.unwrap_or_else(|| panic!("{what}: {:?}", codes(&findings)));
        let system = &inventory(&presign, &documents, &Surroundings::default())[0];
        let decision = decide(&system.policies, &finding.witness.to_request()).decision;
        assert_eq!(decision == Decision::Allow, expected == Code::LetIn, "{what}: {finding:?}");
    }
}
