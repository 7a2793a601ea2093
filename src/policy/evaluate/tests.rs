use super::*;

const ACTION: &str = "s3:GetObject";
const RESOURCE: &str = "arn:aws:s3:::bucket/key";

fn attached(layer: Layer, statements: &[&str]) -> Attached {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    Attached { layer, document: Document::parse(&text).unwrap() }
}

fn request() -> Request {
    Request::new(ACTION, RESOURCE).by("arn:aws:iam::123456789012:role/ada")
}

fn decision(statements: &[&str], request: &Request) -> Decision {
    decide(&[attached(Layer::Identity, statements)], request).decision
}

/// Whether a statement with this condition applies.
fn holds(condition: &str, request: &Request) -> bool {
    let statement = format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#);
    match decision(&[&statement], request) {
        Decision::Allow => true,
        Decision::ImplicitDeny => false,
        other => panic!("{other:?} for {condition}"),
    }
}

const ALLOW: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
const DENY: &str = r#"{"Sid":"No","Effect":"Deny","Action":"*","Resource":"*"}"#;

#[test]
fn a_deny_beats_an_allow_and_silence_denies() {
    assert_eq!(decision(&[ALLOW], &request()), Decision::Allow);
    assert_eq!(decision(&[ALLOW, DENY], &request()), Decision::ExplicitDeny);
    assert_eq!(decision(&[], &request()), Decision::ImplicitDeny);
    assert_eq!(decide(&[], &request()).decision, Decision::ImplicitDeny);
}

#[test]
fn every_layer_that_is_there_must_allow() {
    let identity = attached(Layer::Identity, &[ALLOW]);
    for layer in [Layer::Endpoint, Layer::Scp, Layer::Boundary] {
        let silent = [identity.clone(), attached(layer, &[])];
        assert_eq!(decide(&silent, &request()).decision, Decision::ImplicitDeny);
        let open = [identity.clone(), attached(layer, &[ALLOW])];
        assert_eq!(decide(&open, &request()).decision, Decision::Allow);
        let closed = [identity.clone(), attached(layer, &[ALLOW, DENY])];
        assert_eq!(decide(&closed, &request()).decision, Decision::ExplicitDeny);
        let without_identity = [attached(layer, &[ALLOW])];
        assert_eq!(decide(&without_identity, &request()).decision, Decision::ImplicitDeny);
    }
}

#[test]
fn an_outcome_names_the_statements_that_made_it() {
    let outcome = decide(&[attached(Layer::Identity, &[ALLOW, DENY])], &request());
    assert_eq!(outcome.reason, "statement No of policy 0 denies it");
    let no = Matched { policy: 0, statement: 1, sid: Some("No".to_owned()) };
    assert_eq!(outcome.matched, [no]);
    assert_eq!(decide(&[], &request()).reason, "nothing in the identity policies allows it");
    let outcome = decide(&[attached(Layer::Identity, &[ALLOW])], &request());
    assert_eq!(outcome.reason, "statement 0 of policy 0 allows it");
}

#[test]
fn actions_ignore_letter_case_and_resources_do_not() {
    let with = |action: &str, resource: &str| {
        let statement = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#);
        decision(&[&statement], &request())
    };
    assert_eq!(with("S3:get*", "arn:aws:s3:::bucket/*"), Decision::Allow);
    assert_eq!(with("s3:GetObject", "arn:aws:s3:::BUCKET/*"), Decision::ImplicitDeny);
    assert_eq!(with("s3:GetObjectAcl", "*"), Decision::ImplicitDeny);
}

#[test]
fn the_not_elements_turn_a_match_round() {
    let not_action = r#"{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}"#;
    let not_resource = r#"{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::other/*"}"#;
    assert_eq!(decision(&[not_action], &request()), Decision::ImplicitDeny);
    assert_eq!(decision(&[not_resource], &request()), Decision::Allow);
}

#[test]
fn negated_operators_hold_where_the_key_is_absent_and_others_do_not() {
    for (condition, expected) in [
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, false),
        (r#"{"StringLike":{"aws:SourceVpce":"*"}}"#, false),
        (r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#, false),
        (r#"{"Bool":{"aws:ViaAWSService":"false"}}"#, false),
        (r#"{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#, true),
        (r#"{"NotIpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#, true),
        (r#"{"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}}"#, true),
        (r#"{"StringNotEqualsIfExists":{"aws:SourceVpce":"vpce-1"}}"#, true),
        (r#"{"BoolIfExists":{"aws:ViaAWSService":"false"}}"#, true),
        (r#"{"ForAllValues:StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, true),
        (r#"{"ForAnyValue:StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, false),
        (r#"{"ForAnyValue:StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#, false),
        (r#"{"Null":{"aws:SourceVpce":"true"}}"#, true),
        (r#"{"Null":{"aws:SourceVpce":"false"}}"#, false),
    ] {
        assert_eq!(holds(condition, &request()), expected, "{condition}");
    }
}

#[test]
fn operators_compare_with_any_value_and_negated_ones_with_none() {
    let request =
        request().with("aws:SourceVpce", "vpce-1").with("aws:SourceIp", "10.1.2.3").with("aws:ViaAWSService", "false");
    for (condition, expected) in [
        (r#"{"StringEquals":{"AWS:sourcevpce":["vpce-2","vpce-1"]}}"#, true),
        (r#"{"StringEquals":{"aws:SourceVpce":"VPCE-1"}}"#, false),
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-*"}}"#, false),
        (r#"{"StringEqualsIgnoreCase":{"aws:SourceVpce":"VPCE-1"}}"#, true),
        (r#"{"StringLike":{"aws:SourceVpce":"vpce-*"}}"#, true),
        (r#"{"StringNotLike":{"aws:SourceVpce":"vpce-*"}}"#, false),
        (r#"{"StringNotEquals":{"aws:SourceVpce":["vpce-2","vpce-1"]}}"#, false),
        (r#"{"StringNotEquals":{"aws:SourceVpce":["vpce-2","vpce-3"]}}"#, true),
        (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/a*"}}"#, true),
        (r#"{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/a*"}}"#, false),
        (r#"{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","10.1.0.0/16"]}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":"10.1.2.3"}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":"::/0"}}"#, false),
        (r#"{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","10.1.0.0/16"]}}"#, false),
        (r#"{"Bool":{"aws:ViaAWSService":false}}"#, true),
        (r#"{"Bool":{"aws:ViaAWSService":"FALSE"}}"#, true),
        (r#"{"Bool":{"aws:ViaAWSService":true}}"#, false),
        (r#"{"Null":{"aws:SourceVpce":false}}"#, true),
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"},"Bool":{"aws:ViaAWSService":"true"}}"#, false),
    ] {
        assert_eq!(holds(condition, &request), expected, "{condition}");
    }
}

#[test]
fn a_variable_without_a_value_takes_its_statement_out_of_play() {
    let deny = r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":
        {"StringNotEquals":{"aws:SourceVpce":"${aws:PrincipalTag/endpoint}"}}}"#;
    assert_eq!(decision(&[ALLOW, deny], &request()), Decision::Allow);
    let tagged = request().with("aws:PrincipalTag/endpoint", "vpce-1");
    assert_eq!(decision(&[ALLOW, deny], &tagged), Decision::ExplicitDeny);
    let on_path = tagged.with("aws:SourceVpce", "vpce-1");
    assert_eq!(decision(&[ALLOW, deny], &on_path), Decision::Allow);
    let resource = r#"{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::${aws:username}/*"}"#;
    assert_eq!(decision(&[ALLOW, resource], &request()), Decision::Allow);
    let named = request().with("aws:username", "ada");
    assert_eq!(decision(&[ALLOW, resource], &named), Decision::ExplicitDeny);
}

#[test]
fn a_default_stands_in_for_a_variable_without_a_value() {
    let allow = r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:PrincipalTag/b, 'bucket'}/*"}"#;
    assert_eq!(decision(&[allow], &request()), Decision::Allow);
    let tagged = request().with("aws:PrincipalTag/b", "other");
    assert_eq!(decision(&[allow], &tagged), Decision::ImplicitDeny);
}

#[test]
fn the_old_version_has_no_variables() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}"}}"#;
    let old = [Attached { layer: Layer::Identity, document: Document::parse(text).unwrap() }];
    let request = Request::new(ACTION, "arn:aws:s3:::${aws:username}").with("aws:username", "ada");
    assert_eq!(decide(&old, &request).decision, Decision::Allow);
}

#[test]
fn what_depends_on_something_unknown_cannot_be_told() {
    let deny = r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":
        {"StringNotEquals":{"aws:SourceVpce":"vpce-1"},"Bool":{"aws:SecureTransport":"true"}}}"#;
    let unknown = request().with_fact("aws:SourceVpce", Fact::Unknown);
    let secure = unknown.clone().with("aws:SecureTransport", "true");
    assert_eq!(decision(&[ALLOW, deny], &secure), Decision::CantTell);
    // The other condition fails, whatever the endpoint is.
    assert_eq!(decision(&[ALLOW, deny], &unknown), Decision::Allow);
    // Nothing allows it, whatever the endpoint is.
    assert_eq!(decision(&[deny], &secure), Decision::ImplicitDeny);
    // Another Deny applies, whatever the endpoint is.
    assert_eq!(decision(&[ALLOW, deny, DENY], &secure), Decision::ExplicitDeny);
}

#[test]
fn what_is_not_read_here_cannot_be_told() {
    let with = |condition: &str| {
        let deny = format!(r#"{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{condition}}}"#);
        let request = request()
            .with("aws:SourceIp", "10.0.0.1")
            .with_fact("aws:TagKeys", Fact::Is(vec!["a".to_owned(), "b".to_owned()]));
        decision(&[ALLOW, &deny], &request)
    };
    assert_eq!(with(r#"{"NumericLessThan":{"s3:max-keys":"10"}}"#), Decision::CantTell);
    assert_eq!(with(r#"{"NotIpAddress":{"aws:SourceIp":"ten/8"}}"#), Decision::CantTell);
    assert_eq!(with(r#"{"StringEquals":{"aws:TagKeys":"a"}}"#), Decision::CantTell);
    assert_eq!(with(r#"{"StringEquals":{"aws:SourceIp":"${broken"}}"#), Decision::CantTell);
    assert_eq!(with(r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":"a"}}"#), Decision::ExplicitDeny);
    assert_eq!(with(r#"{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}"#), Decision::Allow);
}

#[test]
fn principals_of_an_endpoint_policy_are_matched() {
    let with = |principal: &str| {
        let statement = format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"*","Resource":"*"}}"#);
        let endpoint = attached(Layer::Endpoint, &[&statement]);
        decide(&[attached(Layer::Identity, &[ALLOW]), endpoint], &request()).decision
    };
    assert_eq!(with(r#""*""#), Decision::Allow);
    assert_eq!(with(r#"{"AWS":"*"}"#), Decision::Allow);
    assert_eq!(with(r#"{"AWS":"123456789012"}"#), Decision::Allow);
    assert_eq!(with(r#"{"AWS":"arn:aws:iam::123456789012:root"}"#), Decision::Allow);
    assert_eq!(with(r#"{"AWS":"arn:aws:iam::123456789012:role/ada"}"#), Decision::Allow);
    assert_eq!(with(r#"{"AWS":"arn:aws:iam::123456789012:role/eve"}"#), Decision::ImplicitDeny);
    assert_eq!(with(r#"{"AWS":"210987654321"}"#), Decision::ImplicitDeny);
    assert_eq!(with(r#"{"Service":"sagemaker.amazonaws.com"}"#), Decision::ImplicitDeny);
}
