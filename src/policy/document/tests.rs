use super::*;

fn parse(text: &str) -> Document {
    Document::parse(text).unwrap()
}

fn same(a: &str, b: &str) -> bool {
    let (a, b) = (parse(a), parse(b));
    let bytes = a.normalized().to_json() == b.normalized().to_json();
    assert_eq!(a.same_meaning(&b), bytes, "equality and bytes must agree");
    bytes
}

/// A document with one statement whose inside is given.
fn one(inside: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{{inside}}}]}}"#)
}

const ALLOW: &str = r#""Effect":"Allow","Action":"s3:GetObject","Resource":"*""#;
const DENY: &str = r#""Effect":"Deny","Action":"s3:GetObject","Resource":"*""#;

#[test]
fn a_single_value_and_a_list_of_one_are_the_same() {
    let list =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["*"]}]}"#;
    let single = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;
    assert_eq!(parse(list), parse(single));
    assert_eq!(
        parse(list).to_json(),
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#
    );
}

#[test]
fn printing_sorts_sets_and_fixes_the_order_of_elements() {
    let text = r#"{"Statement":[{"Condition":{"StringEquals":{"b":["2","1"],"a":"x"}},"Resource":"*",
        "Action":["s3:Put","s3:Get"],"Effect":"Deny","Principal":{"AWS":["9","1"]},"Sid":"S"}],
        "Id":"doc","Version":"2012-10-17"}"#;
    assert_eq!(
        parse(text).to_json(),
        concat!(
            r#"{"Version":"2012-10-17","Id":"doc","Statement":[{"Sid":"S","Effect":"Deny","#,
            r#""Principal":{"AWS":["1","9"]},"Action":["s3:Get","s3:Put"],"Resource":"*","#,
            r#""Condition":{"StringEquals":{"a":"x","b":["1","2"]}}}]}"#
        )
    );
}

#[test]
fn what_is_printed_parses_to_the_same_document() {
    for text in [
        one(ALLOW),
        one(r#""Effect":"Deny","NotPrincipal":{"AWS":"123456789012"},"NotAction":"a:b","NotResource":["x","y"]"#),
        one(
            r#""Effect":"Allow","Principal":"*","Action":"*","Condition":{"Bool":{"k":true},"NumericLessThan":{"n":3.5}}"#,
        ),
        r#"{"Statement":[]}"#.to_owned(),
    ] {
        let document = parse(&text);
        assert_eq!(parse(&document.to_json()), document);
        assert_eq!(parse(&document.to_json_pretty()), document);
    }
}

#[test]
fn condition_values_may_be_booleans_and_numbers() {
    let typed = one(
        r#""Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:ViaAWSService":false},"NumericLessThan":{"x":[1,2]}}"#,
    );
    let text = one(
        r#""Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:ViaAWSService":"False"},"NumericLessThan":{"x":["2","1"]}}"#,
    );
    assert!(same(&typed, &text));
}

#[test]
fn order_and_repetition_have_no_meaning() {
    let a = format!(r#"{{"Version":"2012-10-17","Statement":[{{{ALLOW}}},{{{DENY}}}]}}"#);
    let b = format!(r#"{{"Version":"2012-10-17","Statement":[{{{DENY}}},{{{ALLOW}}},{{{DENY}}}]}}"#);
    assert!(same(&a, &b));
}

#[test]
fn letter_case_counts_in_resources_and_values_but_not_in_actions_and_keys() {
    let with = |action, key, value, resource| {
        one(&format!(
            r#""Effect":"Allow","Action":"{action}","Resource":"{resource}","Condition":{{"StringEquals":{{"{key}":"{value}"}}}}"#
        ))
    };
    let base = with("s3:GetObject", "aws:SourceVpce", "vpce-1", "arn:x");
    assert!(same(&base, &with("S3:getobject", "aws:sourcevpce", "vpce-1", "arn:x")));
    assert!(!same(&base, &with("s3:GetObject", "aws:SourceVpce", "VPCE-1", "arn:x")));
    assert!(!same(&base, &with("s3:GetObject", "aws:SourceVpce", "vpce-1", "arn:X")));
}

#[test]
fn operators_that_ask_the_same_are_the_same() {
    let with =
        |operator: &str, key: &str| one(&format!(r#"{DENY},"Condition":{{"{operator}":{{"{key}":["a","b"]}}}}"#));
    let endpoint = "aws:SourceVpce";
    assert!(same(&with("ForAnyValue:StringEquals", endpoint), &with("StringEquals", "aws:sourceVpce")));
    assert!(same(&with("StringNotEqualsIfExists", endpoint), &with("StringNotEquals", endpoint)));
    assert!(same(&with("ArnNotEquals", "aws:PrincipalArn"), &with("ArnNotLike", "aws:PrincipalArn")));
    // These differ where the key is absent, or has several values.
    assert!(!same(&with("StringEqualsIfExists", endpoint), &with("StringEquals", endpoint)));
    assert!(!same(&with("ForAllValues:StringEquals", endpoint), &with("StringEquals", endpoint)));
    assert!(!same(&with("ForAnyValue:StringNotEquals", endpoint), &with("StringNotEquals", endpoint)));
    assert!(!same(&with("ForAnyValue:StringEqualsIfExists", endpoint), &with("StringEquals", endpoint)));
    assert!(!same(&with("ForAnyValue:StringEquals", "aws:TagKeys"), &with("StringEquals", "aws:TagKeys")));
}

#[test]
fn two_conditions_on_one_key_do_not_become_one() {
    let both = |first: &str, second: &str| {
        let keys = |value| format!(r#"{{"aws:SourceVpce":"{value}"}}"#);
        let (first, second) = (keys(first), keys(second));
        one(&format!(r#"{DENY},"Condition":{{"StringEquals":{first},"ForAnyValue:StringEquals":{second}}}"#))
    };
    let one_of_two = one(&format!(r#"{DENY},"Condition":{{"StringEquals":{{"aws:SourceVpce":["a","b"]}}}}"#));
    assert!(!same(&both("a", "b"), &one_of_two));
    assert!(same(&both("a", "b"), &both("a", "b")));
    assert!(!same(&both("a", "b"), &both("b", "c")));
}

#[test]
fn ranges_are_the_same_in_any_spelling() {
    let with = |range: &str| one(&format!(r#"{DENY},"Condition":{{"NotIpAddress":{{"aws:SourceIp":"{range}"}}}}"#));
    assert!(same(&with("192.0.2.7"), &with("192.0.2.7/32")));
    assert!(same(&with("10.1.2.3/16"), &with("10.1.0.0/16")));
    assert!(same(&with("2001:DB8:0::/32"), &with("2001:db8::/32")));
    assert!(!same(&with("10.0.0.0/8"), &with("10.0.0.0/9")));
}

#[test]
fn an_account_id_and_its_root_arn_are_the_same_principal() {
    let with = |who| one(&format!(r#"{DENY},"Principal":{{"AWS":"{who}"}}"#));
    assert!(same(&with("123456789012"), &with("arn:aws:iam::123456789012:root")));
    assert!(same(&with("123456789012"), &with("arn:aws-cn:iam::123456789012:root")));
    assert!(!same(&with("123456789012"), &with("arn:aws:iam::123456789013:root")));
    assert!(!same(&with("123456789012"), &with("arn:aws:iam::123456789012:role/root")));
}

#[test]
fn the_two_stars_are_the_same_for_allow_only() {
    let with = |effect: &str, who| one(&format!(r#"{effect},"Principal":{who}"#));
    assert!(same(&with(ALLOW, r#""*""#), &with(ALLOW, r#"{"AWS":"*"}"#)));
    assert!(same(&with(ALLOW, r#""*""#), &with(ALLOW, r#"{"AWS":["*","123456789012"]}"#)));
    assert!(!same(&with(DENY, r#""*""#), &with(DENY, r#"{"AWS":"*"}"#)));
    assert!(!same(&with(ALLOW, r#""*""#), &with(ALLOW, r#"{"AWS":"*","Service":"x"}"#)));
}

#[test]
fn the_version_counts_only_where_a_variable_could_stand() {
    let with = |version: &str, resource| {
        format!(r#"{{{version}"Statement":{{"Effect":"Allow","Action":"*","Resource":"{resource}"}}}}"#)
    };
    let current = r#""Version":"2012-10-17","#;
    let old = r#""Version":"2008-10-17","#;
    assert!(same(&with("", "*"), &with(current, "*")));
    assert!(!same(&with("", "${aws:username}"), &with(current, "${aws:username}")));
    assert!(same(&with("", "${aws:username}"), &with(old, "${aws:username}")));
}

#[test]
fn different_effects_scopes_and_sids_are_different() {
    assert!(!same(&one(ALLOW), &one(DENY)));
    assert!(!same(
        &one(r#""Effect":"Deny","Action":"a:b","Resource":"x""#),
        &one(r#""Effect":"Deny","Action":"a:b","NotResource":"x""#)
    ));
    assert!(!same(&one(ALLOW), &one(&format!(r#""Sid":"Named",{ALLOW}"#))));
}

#[test]
fn the_default_endpoint_policy_is_recognised_as_aws_prints_it() {
    let aws =
        r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
    assert!(parse(aws).same_meaning(&Document::full_access()));
    let without_version = r#"{"Statement":[{"Action":"*","Effect":"Allow","Principal":{"AWS":"*"},"Resource":"*"}]}"#;
    assert!(parse(without_version).same_meaning(&Document::full_access()));
}

#[test]
fn errors_say_which_element_is_at_fault() {
    let message = |text: &str| Document::parse(text).unwrap_err().to_string();
    assert!(message("{").starts_with("document: is not valid JSON: "));
    assert_eq!(message("[]"), "document: is not an object");
    assert_eq!(message("{}"), "document: has no Statement");
    assert_eq!(message(r#"{"Statement":[],"Comment":"x"}"#), "document: has an unknown element Comment");
    assert_eq!(
        message(r#"{"Version":"2020-01-01","Statement":[]}"#),
        r#"Version: is neither "2012-10-17" nor "2008-10-17""#
    );
    assert_eq!(
        message(&one(r#""Effect":"allow","Action":"*""#)),
        r#"Statement[0].Effect: is neither "Allow" nor "Deny""#
    );
    assert_eq!(message(&one(r#""Effect":"Allow","Resource":"*""#)), "Statement[0]: has neither Action nor NotAction");
    assert_eq!(message(&one(&format!(r#"{ALLOW},"NotAction":"x""#))), "Statement[0]: has both Action and NotAction");
    assert_eq!(message(&one(r#""Effect":"Allow","Action":[]"#)), "Statement[0].Action: is an empty list");
    assert_eq!(
        message(&one(&format!(r#"{ALLOW},"Principal":"123456789012""#))),
        "Statement[0].Principal: is neither \"*\" nor an object of principals by kind"
    );
    assert_eq!(
        message(&one(&format!(r#"{ALLOW},"Principal":{{"Aws":"*"}}"#))),
        "Statement[0].Principal.Aws: is not a kind of principal"
    );
    assert_eq!(
        message(&one(&format!(r#"{ALLOW},"Condition":{{"Bool":{{"k":{{}}}}}}"#))),
        "Statement[0].Condition.Bool.k: has a value that is not text, a number or a boolean"
    );
    assert_eq!(
        message(&one(&format!(r#"{ALLOW},"Condition":{{"Bool":{{"k":"true","K":"true"}}}}"#))),
        "Statement[0].Condition.Bool: has the key k twice"
    );
}

#[test]
fn the_size_leaves_out_white_space_between_elements_only() {
    let compact = parse(&one(ALLOW));
    let spread = parse(&compact.to_json_pretty());
    assert_eq!(compact.iam_size(), spread.iam_size());
    assert_eq!(compact.iam_size(), compact.to_json().len());
    let with = |value| one(&format!(r#"{ALLOW},"Condition":{{"StringEquals":{{"k":"{value}"}}}}"#));
    assert_eq!(parse(&with("a b")).iam_size(), parse(&with("ab")).iam_size() + 1);
    assert_eq!(parse(&with("ä")).iam_size(), parse(&with("a")).iam_size());
}
