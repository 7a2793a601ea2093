//! Requests and policies as people write them: the JSON forms that simulations take, and that
//! findings carry as their witness.
//!
//! ```json
//! {
//!   "name": "a person on the internet",
//!   "action": "sagemaker:CreatePresignedDomainUrl",
//!   "resource": "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-abcdefghijkl/ada",
//!   "principal_arn": "arn:aws:iam::123456789012:role/Scientist",
//!   "context": { "aws:SourceIp": "192.0.2.44" }
//! }
//! ```
//! ```json
//! { "kind": "identity", "document": { "Version": "2012-10-17", "Statement": [] } }
//! ```
//!
//! **Invariant:** this is the only place that knows the forms. What is written is read back as the
//! same request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{Document, ParseError};
use super::evaluate::{Attached, Decision, Fact, Layer, Outcome, Request, decide};

/// A request with a name, as a person writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedRequest {
    /// What the request is called in results; decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The action, `service:Name`.
    pub action: String,
    /// The ARN of the resource.
    pub resource: String,
    /// The caller as `aws:PrincipalArn` names it, a role rather than its session. Without it the
    /// caller is anonymous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_arn: Option<String>,
    /// Condition keys, in any letter case, with their values. A key that is not here, or is null,
    /// is absent from the request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, Option<ContextValue>>,
    /// Condition keys of which it is not known whether the request has them, or with what value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// The value of a condition key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ContextValue {
    /// Of a key with a single value.
    One(String),
    /// Truth values may be written without quotes.
    Truth(bool),
    /// Of a key with several values, such as `aws:TagKeys`.
    Many(Vec<String>),
}

/// A policy with the place where it is attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindedPolicy {
    /// Where it is attached.
    pub kind: PolicyKind,
    /// The document, as an object or as its text.
    pub document: Value,
}

/// Where a policy is attached, in the word that people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyKind {
    /// To the caller.
    Identity,
    /// To the caller's account or above it.
    Scp,
    /// To the VPC endpoint that the request comes through.
    Endpoint,
    /// To the caller, as a permissions boundary.
    Boundary,
}

/// A text that is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a request: {0}")]
pub struct BadRequest(String);

/// Decides each request by all policies. An endpoint policy counts only for requests that come
/// through an endpoint: those with `aws:SourceVpce`. Of a request that may or may not come through
/// one, both are tried; where they differ, it cannot be told.
pub fn simulate(policies: &[Attached], requests: &[NamedRequest]) -> Vec<Outcome> {
    let without: Vec<_> = policies.iter().map(without_endpoint_policy).collect();
    let outcome = |request: &NamedRequest| {
        let request = request.to_request();
        match request.fact("aws:SourceVpce") {
            Some(Fact::Is(_)) => decide(policies, &request),
            None => decide(&without, &request),
            Some(Fact::Unknown) => both(decide(policies, &request), decide(&without, &request)),
        }
    };
    requests.iter().map(outcome).collect()
}

impl NamedRequest {
    /// Reads one request.
    ///
    /// # Errors
    /// Text that is not JSON, missing or unknown fields, values of the wrong type.
    pub fn parse(json: &str) -> Result<Self, BadRequest> {
        serde_json::from_str(json).map_err(|error| BadRequest(error.to_string()))
    }

    /// Prints it as compact JSON. Equal requests give equal bytes.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text keys and text values always serialize")
    }

    /// The request that the evaluator takes. A key that is both given and unknown is unknown.
    pub fn to_request(&self) -> Request {
        let mut request = Request::new(&self.action, &self.resource);
        if let Some(principal) = &self.principal_arn {
            request = request.by(principal);
        }
        for (key, value) in &self.context {
            if let Some(value) = value {
                request = request.with_fact(key, Fact::Is(value.to_values()));
            }
        }
        for key in &self.unknown {
            request = request.with_fact(key, Fact::Unknown);
        }
        request
    }
}

impl KindedPolicy {
    /// Reads the document.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn to_attached(&self) -> Result<Attached, ParseError> {
        let document = match &self.document {
            Value::String(text) => Document::parse(text),
            value => Document::from_value(value),
        };
        Ok(Attached { layer: self.kind.layer(), document: document? })
    }
}

impl PolicyKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Scp, Self::Endpoint, Self::Boundary];

    /// The word that people write.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Scp => "scp",
            Self::Endpoint => "endpoint",
            Self::Boundary => "boundary",
        }
    }

    /// The layer in which such a policy counts.
    pub fn layer(self) -> Layer {
        match self {
            Self::Identity => Layer::Identity,
            Self::Scp => Layer::Scp,
            Self::Endpoint => Layer::Endpoint,
            Self::Boundary => Layer::Boundary,
        }
    }
}

impl ContextValue {
    fn to_values(&self) -> Vec<String> {
        match self {
            Self::One(value) => vec![value.clone()],
            Self::Truth(truth) => vec![truth.to_string()],
            Self::Many(values) => values.clone(),
        }
    }
}

/// The same place in the list, so that outcomes name policies by their number.
fn without_endpoint_policy(policy: &Attached) -> Attached {
    match policy.layer {
        Layer::Endpoint => Attached { layer: Layer::Identity, document: Document::new(Vec::new()) },
        Layer::Identity | Layer::Scp | Layer::Boundary => policy.clone(),
    }
}

fn both(through: Outcome, not_through: Outcome) -> Outcome {
    if through.decision == not_through.decision {
        return through;
    }
    let reason = "it depends on whether the request comes through the endpoint".to_owned();
    Outcome { decision: Decision::CantTell, matched: through.matched, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        let request = NamedRequest {
            name: Some("x".to_owned()),
            action: "a:b".to_owned(),
            resource: "r".to_owned(),
            principal_arn: Some("arn:aws:iam::123456789012:role/x".to_owned()),
            context: BTreeMap::from([
                ("aws:SourceIp".to_owned(), Some(ContextValue::One("192.0.2.44".to_owned()))),
                ("aws:TagKeys".to_owned(), Some(ContextValue::Many(vec!["a".to_owned(), "b".to_owned()]))),
            ]),
            unknown: vec!["aws:username".to_owned()],
        };
        assert_eq!(NamedRequest::parse(&request.to_json()).unwrap(), request);
    }

    #[test]
    fn a_key_that_is_null_is_absent_and_an_unknown_one_is_unknown() {
        let text = r#"{"action":"a:b","resource":"r","context":{"k":null,"l":true,"m":["1","2"]},"unknown":["N"]}"#;
        let request = NamedRequest::parse(text).unwrap().to_request();
        assert_eq!(request.fact("k"), None);
        assert_eq!(request.fact("L"), Some(&Fact::Is(vec!["true".to_owned()])));
        assert_eq!(request.fact("m"), Some(&Fact::Is(vec!["1".to_owned(), "2".to_owned()])));
        assert_eq!(request.fact("n"), Some(&Fact::Unknown));
        assert_eq!(request.principal, None);
    }

    #[test]
    fn a_field_that_is_not_known_is_refused() {
        let error = NamedRequest::parse(r#"{"action":"a:b","resource":"r","contxt":{}}"#).unwrap_err();
        assert!(error.to_string().contains("contxt"), "{error}");
        assert!(NamedRequest::parse(r#"{"action":"a:b"}"#).is_err());
    }

    #[test]
    fn a_policy_is_an_object_or_its_text() {
        let object = r#"{"kind":"endpoint","document":{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}}"#;
        let read = |text: &str| serde_json::from_str::<KindedPolicy>(text).unwrap().to_attached().unwrap();
        let Attached { layer, document } = read(object);
        assert_eq!(layer, Layer::Endpoint);
        let text = serde_json::json!({ "kind": "endpoint", "document": document.to_json() }).to_string();
        assert_eq!(read(&text).document, document);
        for kind in PolicyKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn an_endpoint_policy_counts_only_for_requests_through_an_endpoint() {
        let policy =
            |kind, statement: &str| KindedPolicy { kind, document: format!(r#"{{"Statement":{statement}}}"#).into() };
        let allow = policy(PolicyKind::Identity, r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
        let closed = policy(PolicyKind::Endpoint, r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#);
        let policies = [allow, closed].map(|policy| policy.to_attached().unwrap());
        let request =
            |context: &str| NamedRequest::parse(&format!(r#"{{"action":"a:b","resource":"r",{context}}}"#)).unwrap();
        let requests = [
            request(r#""context":{"aws:SourceVpce":"vpce-1"}"#),
            request(r#""context":{"aws:SourceIp":"192.0.2.44"}"#),
            request(r#""unknown":["aws:SourceVpce"]"#),
        ];
        let decisions: Vec<_> = simulate(&policies, &requests).into_iter().map(|outcome| outcome.decision).collect();
        assert_eq!(decisions, [Decision::ExplicitDeny, Decision::Allow, Decision::CantTell]);
    }
}
