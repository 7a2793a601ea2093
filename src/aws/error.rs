//! One error for every AWS call: what was asked, about which object, and what AWS answered.
//!
//! **Invariant:** never holds a request, a header or a credential; only AWS's own words about them.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::{CredentialsError, TokenError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::classify::kind_of;

/// An AWS service that we call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Amazon EC2, with the VPC's objects.
    Ec2,
    /// IAM.
    Iam,
    /// AWS Organizations.
    Organizations,
    /// AWS RAM.
    Ram,
    /// Route 53: hosted zones and records.
    Route53,
    /// Route 53 Resolver.
    Route53Resolver,
    /// Amazon SageMaker.
    SageMaker,
    /// AWS STS.
    Sts,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ec2 => "EC2",
            Self::Iam => "IAM",
            Self::Organizations => "Organizations",
            Self::Ram => "RAM",
            Self::Route53 => "Route 53",
            Self::Route53Resolver => "Route 53 Resolver",
            Self::SageMaker => "SageMaker",
            Self::Sts => "STS",
        })
    }
}

/// What kind of failure it was: what decides what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The object does not exist.
    NotFound,
    /// The object exists already.
    AlreadyExists,
    /// The object, or another one beside it, is in a state that does not allow it.
    Conflict,
    /// Something else still uses the object.
    InUse,
    /// The caller may not do this.
    AccessDenied,
    /// A quota is used up.
    LimitExceeded,
    /// Too many requests in a short time.
    Throttled,
    /// The request is wrong as it stands.
    Invalid,
    /// There are no usable credentials.
    Credentials,
    /// The service could not be reached, or gave no answer.
    Network,
    /// The service answered with a fault of its own.
    Unavailable,
    /// Terraform asked to stop.
    Interrupted,
    /// What was waited for did not happen in time.
    TimedOut,
    /// The object went into a state, or the service gave an answer, that is not on the way to
    /// what was asked.
    Unexpected,
}

/// A failed AWS call, or a wait that did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// The service that was asked.
    pub service: Service,
    /// The operation by AWS's name.
    pub operation: &'static str,
    /// What it was about, in words, such as `VPC endpoint vpce-1`.
    pub object: String,
    /// What kind of failure it was.
    pub kind: Kind,
    /// AWS's error code. `None` where AWS gave none, or was not reached.
    pub code: Option<String>,
    /// AWS's message, or ours where AWS was not reached.
    pub message: String,
    /// AWS's request id, for its support.
    pub request_id: Option<String>,
}

impl AwsError {
    /// Whether the object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.kind == Kind::NotFound
    }

    /// Whether the same call may well succeed in a moment.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Network | Kind::Unavailable)
    }

    /// Whether AWS's code is this one.
    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} for {}: ", self.service, self.operation, self.object)?;
        match &self.code {
            Some(code) if self.message.is_empty() => f.write_str(code)?,
            Some(code) => write!(f, "{code}: {}", self.message)?,
            None => f.write_str(&self.message)?,
        }
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl Error for AwsError {}

/// The call that is about to be made: what an error will say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    service: Service,
    operation: &'static str,
    object: String,
}

impl Call {
    /// Names a call, by AWS's operation and in words for the object.
    pub fn new(service: Service, operation: &'static str, object: impl Into<String>) -> Self {
        Self { service, operation, object: object.into() }
    }

    /// The error that the SDK's error stands for.
    pub fn failed<E>(&self, error: SdkError<E, Response>) -> AwsError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let request_id = error.request_id().or_else(|| error.meta().request_id()).map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let error = match (error.code(), &error) {
            (Some(code), _) => {
                let message = error.message().unwrap_or_default();
                self.answered(code, message, status)
            }
            (None, SdkError::ServiceError(_) | SdkError::ResponseError(_)) => {
                self.error(unnamed(status), format!("unreadable answer{}: {}", status_text(status), chain(&error)))
            }
            (None, SdkError::TimeoutError(_)) => self.error(Kind::Network, "no answer in time".to_owned()),
            (None, _) => self.undelivered(&error),
        };
        AwsError { request_id, ..error }
    }

    /// An error that AWS reported inside an answer that was itself a success.
    pub fn answered(&self, code: &str, message: &str, status: Option<u16>) -> AwsError {
        AwsError { code: Some(code.to_owned()), ..self.error(kind_of(code, message, status), one_line(message)) }
    }

    /// An error in our own words.
    pub fn error(&self, kind: Kind, message: impl Into<String>) -> AwsError {
        AwsError {
            service: self.service,
            operation: self.operation,
            object: self.object.clone(),
            kind,
            code: None,
            message: message.into(),
            request_id: None,
        }
    }

    /// The answer lacks a field that AWS's model always has.
    pub fn lacks(&self, field: &str) -> AwsError {
        self.error(Kind::Unexpected, format!("the answer has no {field}"))
    }

    /// The request never reached the service: credentials or the network.
    fn undelivered(&self, error: &(dyn Error + 'static)) -> AwsError {
        match credentials_failure(error) {
            Some(CredentialsFailure::NoneFound) => self.error(Kind::Credentials, "no credentials were found"),
            Some(CredentialsFailure::Broken) => {
                self.error(Kind::Credentials, format!("no usable credentials: {}", chain(error)))
            }
            None => self.error(Kind::Network, chain(error)),
        }
    }
}

/// The causes of an error in one line. The SDK's own headings, which say nothing, are left out,
/// and so is a cause that its parent has quoted already.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    const HEADINGS: [&str; 10] = [
        "dispatch failure",
        "service error",
        "response error",
        "failed to construct request",
        "io error",
        "other",
        "timeout",
        "client error (Connect)",
        "unhandled error",
        "an error occurred while loading credentials",
    ];
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        let text = one_line(&cause.to_string());
        let said = parts.iter().any(|part| part.contains(&text));
        if !text.is_empty() && !said && !HEADINGS.contains(&text.as_str()) {
            parts.push(text);
        }
        next = cause.source();
    }
    if parts.is_empty() { one_line(&error.to_string()) } else { parts.join(": ") }
}

enum CredentialsFailure {
    /// No source had any.
    NoneFound,
    /// A source had some, or should have, and failed.
    Broken,
}

fn credentials_failure(error: &(dyn Error + 'static)) -> Option<CredentialsFailure> {
    let mut next = Some(error);
    while let Some(cause) = next {
        match cause.downcast_ref::<CredentialsError>() {
            Some(CredentialsError::CredentialsNotLoaded(_)) => {
                return Some(CredentialsFailure::NoneFound);
            }
            Some(_) => return Some(CredentialsFailure::Broken),
            None if cause.is::<TokenError>() => return Some(CredentialsFailure::Broken),
            None => next = cause.source(),
        }
    }
    None
}

fn unnamed(status: Option<u16>) -> Kind {
    match status {
        Some(500..) => Kind::Unavailable,
        Some(429) => Kind::Throttled,
        _ => Kind::Unexpected,
    }
}

fn status_text(status: Option<u16>) -> String {
    status.map(|status| format!(" with HTTP status {status}")).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    #[derive(Debug)]
    struct Modelled(ErrorMetadata);

    impl fmt::Display for Modelled {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("unhandled error")
        }
    }

    impl Error for Modelled {}

    impl ProvideErrorMetadata for Modelled {
        fn meta(&self) -> &ErrorMetadata {
            &self.0
        }
    }

    fn call() -> Call {
        Call::new(Service::Ec2, "CreateVpcEndpoint", "VPC endpoint of sagemaker.api")
    }

    fn answer(status: u16) -> Response {
        let mut response = Response::new(status.try_into().unwrap(), SdkBody::empty());
        response.headers_mut().insert("x-amzn-requestid", "1a2b");
        response
    }

    fn refused(code: &str, message: &str, status: u16) -> AwsError {
        let meta = ErrorMetadata::builder().code(code).message(message).build();
        call().failed(SdkError::service_error(Modelled(meta), answer(status)))
    }

    fn unreached(cause: impl Into<Box<dyn Error + Send + Sync>>) -> AwsError {
        call().failed(SdkError::<Modelled, _>::dispatch_failure(ConnectorError::io(cause.into())))
    }

    #[test]
    fn a_refusal_prints_operation_object_code_message_and_request() {
        let error = refused("VpcEndpointLimitExceeded", "The maximum\n is reached.", 400);
        assert_eq!(
            error.to_string(),
            "EC2 CreateVpcEndpoint for VPC endpoint of sagemaker.api: \
             VpcEndpointLimitExceeded: The maximum is reached. (request 1a2b)"
        );
        assert_eq!(error.kind, Kind::LimitExceeded);
    }

    #[test]
    fn a_fault_without_a_code_is_unavailable() {
        let error = call().failed(SdkError::service_error(Modelled(ErrorMetadata::builder().build()), answer(503)));
        assert_eq!(error.kind, Kind::Unavailable);
        assert!(error.to_string().contains("HTTP status 503"), "{error}");
    }

    #[test]
    fn an_unreachable_service_is_a_network_error_with_its_cause() {
        let error = unreached(std::io::Error::other("connection refused"));
        assert_eq!(error.kind, Kind::Network);
        assert!(error.to_string().ends_with(": connection refused"), "{error}");
        assert!(error.is_transient());
    }

    #[test]
    fn a_failing_credential_source_is_not_a_network_error() {
        let cause = CredentialsError::provider_error("the SSO session has expired");
        let error = unreached(cause);
        assert_eq!(error.kind, Kind::Credentials);
        assert!(error.to_string().contains("no usable credentials"), "{error}");
        assert!(error.to_string().contains("the SSO session has expired"), "{error}");
        assert!(!error.is_transient());
    }

    #[test]
    fn missing_credentials_are_said_to_be_missing() {
        let error = unreached(CredentialsError::not_loaded("Attempted: Environment, Profile"));
        assert_eq!(error.kind, Kind::Credentials);
        assert_eq!(error.message, "no credentials were found");
    }

    #[test]
    fn an_error_is_small_enough_to_be_returned_by_value() {
        assert!(size_of::<AwsError>() < 128);
    }
}
