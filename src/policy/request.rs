//! A request as people write it: the JSON form that simulations take and that findings carry.
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
//!
//! **Invariant:** this is the only place that knows the form. What is written is read back as the
//! same request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::evaluate::{Fact, Request};

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

/// A text that is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a request: {0}")]
pub struct BadRequest(String);

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

impl ContextValue {
    fn to_values(&self) -> Vec<String> {
        match self {
            Self::One(value) => vec![value.clone()],
            Self::Truth(truth) => vec![truth.to_string()],
            Self::Many(values) => values.clone(),
        }
    }
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
}
