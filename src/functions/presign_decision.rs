//! `provider::studio::presign_decision(policies, request)`.

use serde_json::Value as Json;

use super::{parameter, wrong};
use crate::framework::codec::to_json;
use crate::framework::{Dynamic, Function, FunctionError, Signature, Type};
use crate::policy::evaluate::Matched;
use crate::policy::simulation::{KindedPolicy, NamedRequest, simulate};

const POLICIES: &str = "The policies that apply together: a list of objects with a `kind` (`identity`, `scp`, `endpoint` or `boundary`) and a `document`, which is JSON text or the same as an object. Without an `identity` policy nothing is allowed.";
const REQUEST: &str = "The request, as an object or as JSON text, such as the `witness` of a finding: `action`, `resource`, `principal_arn`, and the condition keys under `context`. A key that is not there is absent from the request; the names of keys that may have any value stand in the list `unknown`.";

/// What policies decide about one request.
pub struct PresignDecision;

impl Function for PresignDecision {
    fn name(&self) -> &'static str {
        "presign_decision"
    }

    fn signature(&self) -> Signature {
        let matched = Type::object([("policy", Type::Number), ("statement", Type::Number), ("sid", Type::String)]);
        Signature {
            summary: "What policies decide about a request.",
            description: "Decides one request by AWS's evaluation rules, without asking AWS: a Deny anywhere denies; else every layer that is there must allow. The result has the `decision` (`allowed`, `implicit_deny`, `explicit_deny` or `cannot_tell`), the `matched` statements that made it, by their place counted from 0, and the `reason` in words. What cannot be decided offline is never guessed. An endpoint's policy counts for requests with `aws:SourceVpce` only.",
            parameters: vec![
                parameter("policies", Type::Dynamic, POLICIES),
                parameter("request", Type::Dynamic, REQUEST),
            ],
            result: Type::object([
                ("decision", Type::String),
                ("matched", Type::list(matched)),
                ("reason", Type::String),
            ]),
        }
    }

    fn call(&self, arguments: Vec<Dynamic>) -> Result<Dynamic, FunctionError> {
        let policies = json(&arguments, 0);
        let Json::Array(policies) = policies else {
            return Err(wrong(0, "a list of policies is needed"));
        };
        let mut attached = Vec::new();
        for (index, policy) in policies.into_iter().enumerate() {
            let at_fault = |error: String| wrong(0, format!("policy {index}: {error}"));
            let policy: KindedPolicy = serde_json::from_value(policy).map_err(|error| at_fault(error.to_string()))?;
            attached.push(policy.to_attached().map_err(|error| at_fault(error.to_string()))?);
        }
        let text = match json(&arguments, 1) {
            Json::String(text) => text,
            object => without_nulls(object).to_string(),
        };
        let request = NamedRequest::parse(&text).map_err(|error| wrong(1, format!("the text {error}")))?;
        let outcome = simulate(&attached, &[request]).pop().expect("there is one outcome for each request");
        Ok(object([
            ("decision", outcome.decision.as_str().into()),
            ("matched", Dynamic::List(outcome.matched.iter().map(matched).collect())),
            ("reason", outcome.reason.as_str().into()),
        ]))
    }
}

/// An argument of any type, in the form in which policies and requests are read.
fn json(arguments: &[Dynamic], index: usize) -> Json {
    match arguments.get(index) {
        Some(Dynamic::Typed(typed)) => to_json(&typed.1),
        Some(argument) => to_json(argument),
        None => Json::Null,
    }
}

/// Terraform gives every object of a list the attributes of all of them, with null where one has none.
fn without_nulls(request: Json) -> Json {
    match request {
        Json::Object(fields) => Json::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}

fn matched(matched: &Matched) -> Dynamic {
    let number = |number: usize| Dynamic::from(i64::try_from(number).expect("a list has fewer than 2^63 elements"));
    object([
        ("policy", number(matched.policy)),
        ("statement", number(matched.statement)),
        ("sid", matched.sid.as_deref().map_or(Dynamic::Null, Dynamic::from)),
    ])
}

fn object<const N: usize>(fields: [(&str, Dynamic); N]) -> Dynamic {
    Dynamic::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const REQUEST: &str =
        r#"{"action":"sagemaker:CreatePresignedDomainUrl","resource":"r","context":{"aws:SourceVpce":"vpce-1"}}"#;

    fn policy(kind: &str, effect: &str) -> Dynamic {
        let document = json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "S", "Effect": effect, "Action": "*", "Resource": "*" }] });
        object([("kind", kind.into()), ("document", document.to_string().as_str().into())])
    }

    fn decide(policies: Vec<Dynamic>, request: &str) -> Result<Json, FunctionError> {
        PresignDecision.call(vec![Dynamic::List(policies), request.into()]).map(|result| to_json(&result))
    }

    #[test]
    fn every_layer_counts_and_the_statement_is_named() {
        let result = decide(vec![policy("identity", "Allow"), policy("endpoint", "Deny")], REQUEST).unwrap();
        assert_eq!(result["decision"], "explicit_deny");
        assert_eq!(result["matched"], json!([{ "policy": 1, "statement": 0, "sid": "S" }]));
        assert_eq!(decide(vec![policy("identity", "Allow")], REQUEST).unwrap()["decision"], "allowed");
        assert_eq!(decide(Vec::new(), REQUEST).unwrap()["decision"], "implicit_deny");
    }

    #[test]
    fn the_argument_at_fault_is_named() {
        let refused = |policies, request| decide(policies, request).unwrap_err();
        assert_eq!(refused(vec![policy("identity", "Allow")], "{}").argument, Some(1));
        let error = refused(vec![policy("identity", "Allow"), policy("resource", "Allow")], REQUEST);
        assert_eq!(error.argument, Some(0));
        assert!(error.text.starts_with("policy 1: unknown variant `resource`"), "{}", error.text);
        assert_eq!(
            refused(vec![object([("kind", "scp".into()), ("document", "{".into())])], REQUEST).argument,
            Some(0)
        );
    }
}
