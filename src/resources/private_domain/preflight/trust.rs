//! Whether SageMaker may assume a role, by the role's trust policy.
//!
//! **Invariant:** pure, and never a guess: what depends on a condition, or on a principal that is not read here, cannot
//! be told.

use std::collections::BTreeSet;

use crate::policy::document::{Document, Effect, Principals, Scope, Statement};
use crate::policy::evaluate::{Attached, Decision, Fact, Layer, Request, decide};

/// The service as IAM names it, in every partition whose documentation we know ("How to use SageMaker execution roles",
/// SageMaker developer guide; the same in the China Regions').
pub const SERVICE: &str = "sagemaker.amazonaws.com";

const ACTION: &str = "sts:AssumeRole";

/// What a trust policy says of SageMaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It may assume the role, or that cannot be told.
    NotRefused,
    /// No statement allows it. These principals are trusted instead.
    NotAllowed(BTreeSet<String>),
    /// A statement denies it, whatever the circumstances.
    Denied,
}

/// Reads a trust policy.
pub fn trust(document: &str) -> Trust {
    let Ok(document) = Document::parse(document) else {
        return Trust::NotRefused;
    };
    let with = |wanted: &[Named]| -> Decision {
        let statements = document.statements.iter().filter(|statement| wanted.contains(&named(statement)));
        // Who is meant is decided already.
        let statements = statements.map(|statement| Statement { principals: None, ..statement.clone() }).collect();
        decision(&document, statements)
    };
    match with(&[Named::Yes]) {
        Decision::Allow | Decision::CantTell => Trust::NotRefused,
        Decision::ExplicitDeny => Trust::Denied,
        Decision::ImplicitDeny => {
            let maybe = document
                .statements
                .iter()
                .filter(|statement| statement.effect == Effect::Allow && named(statement) == Named::Perhaps);
            let maybe = maybe.map(|statement| Statement { principals: None, ..statement.clone() }).collect();
            match decision(&document, maybe) {
                Decision::Allow | Decision::CantTell => Trust::NotRefused,
                Decision::ImplicitDeny | Decision::ExplicitDeny => Trust::NotAllowed(trusted(&document)),
            }
        }
    }
}

fn decision(document: &Document, statements: Vec<Statement>) -> Decision {
    // What SageMaker's request has for these keys is not known.
    let keys = statements.iter().flat_map(|statement| statement.conditions.values().flat_map(|keys| keys.keys()));
    let request = keys.fold(Request::new(ACTION, ""), |request, key| request.with_fact(key, Fact::Unknown));
    let document = Document { statements: statements.clone(), ..document.clone() };
    decide(&[Attached { layer: Layer::Identity, document }], &request).decision
}

/// Whether a statement is about SageMaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Yes,
    No,
    Perhaps,
}

fn named(statement: &Statement) -> Named {
    match &statement.principals {
        Some(Scope::Only(Principals::Listed(kinds))) => {
            let of = |kind: &str| kinds.get(kind).into_iter().flatten();
            if of("Service").any(|service| service == SERVICE) {
                Named::Yes
            // Another form of its name, or everyone: IAM knows.
            } else if of("Service").any(|service| service.starts_with("sagemaker.") || service == "*")
                || of("AWS").any(|principal| principal == "*")
            {
                Named::Perhaps
            } else {
                Named::No
            }
        }
        Some(Scope::Only(Principals::Everyone) | Scope::AllBut(_)) | None => Named::Perhaps,
    }
}

/// Who is allowed something.
fn trusted(document: &Document) -> BTreeSet<String> {
    let allowing = document.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let principals = allowing.filter_map(|statement| match &statement.principals {
        Some(Scope::Only(Principals::Listed(kinds))) => Some(kinds.values().flatten().cloned()),
        Some(Scope::Only(Principals::Everyone) | Scope::AllBut(_)) | None => None,
    });
    principals.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(statements: Value, expected: &Trust) {
        let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        assert_eq!(trust(&document), *expected, "{document}");
    }

    fn allow(principal: Value) -> Value {
        json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" })
    }

    fn not_allowed(principals: &[&str]) -> Trust {
        Trust::NotAllowed(principals.iter().map(|&principal| principal.to_owned()).collect())
    }

    #[test]
    fn a_role_that_names_the_service_is_trusted_in_any_legal_form() {
        check(allow(json!({ "Service": SERVICE })), &Trust::NotRefused);
        check(json!([allow(json!({ "Service": ["lambda.amazonaws.com", SERVICE] }))]), &Trust::NotRefused);
        let wide = json!({ "Effect": "Allow", "Principal": { "Service": SERVICE }, "Action": ["STS:*"] });
        check(wide, &Trust::NotRefused);
    }

    #[test]
    fn a_role_of_another_service_is_not() {
        check(allow(json!({ "Service": "lambda.amazonaws.com" })), &not_allowed(&["lambda.amazonaws.com"]));
        check(
            allow(json!({ "AWS": "arn:aws:iam::111111111111:root" })),
            &not_allowed(&["arn:aws:iam::111111111111:root"]),
        );
    }

    #[test]
    fn another_action_does_not_count() {
        let tag = json!({ "Effect": "Allow", "Principal": { "Service": SERVICE }, "Action": "sts:TagSession" });
        check(tag, &not_allowed(&[SERVICE]));
        let but = json!({ "Effect": "Allow", "Principal": { "Service": SERVICE }, "NotAction": "sts:AssumeRole" });
        check(but, &not_allowed(&[SERVICE]));
    }

    #[test]
    fn what_depends_on_a_condition_is_not_judged() {
        let mut statement = allow(json!({ "Service": SERVICE }));
        statement["Condition"] = json!({ "StringEquals": { "aws:SourceAccount": "222222222222" } });
        check(statement.clone(), &Trust::NotRefused);
        statement["Effect"] = json!("Deny");
        check(json!([allow(json!({ "Service": SERVICE })), statement]), &Trust::NotRefused);
    }

    #[test]
    fn an_allow_for_everyone_or_for_a_name_we_do_not_know_is_not_judged() {
        check(allow(json!("*")), &Trust::NotRefused);
        check(allow(json!({ "AWS": "*" })), &Trust::NotRefused);
        check(allow(json!({ "Service": "sagemaker.amazonaws.com.cn" })), &Trust::NotRefused);
        let but = json!({ "Effect": "Allow", "NotPrincipal": { "AWS": "111111111111" }, "Action": "sts:AssumeRole" });
        check(but, &Trust::NotRefused);
    }

    #[test]
    fn a_deny_without_conditions_refuses_it() {
        let deny = json!({ "Effect": "Deny", "Principal": { "Service": SERVICE }, "Action": "*" });
        check(json!([allow(json!({ "Service": SERVICE })), deny]), &Trust::Denied);
        let everyone = json!({ "Effect": "Deny", "Principal": "*", "Action": "*" });
        check(json!([allow(json!({ "Service": SERVICE })), everyone]), &Trust::NotRefused);
    }

    #[test]
    fn what_does_not_read_as_a_policy_is_not_judged() {
        assert_eq!(trust("{"), Trust::NotRefused);
    }
}
