//! What we do with SageMaker: domains, user profiles, and what has to go before them.

pub mod app;
pub mod domain;
pub mod domain_types;
pub mod landing;
pub mod presigned_url;
pub mod space;
pub mod tags;
pub mod user_profile;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::{AwsError, Call, Service};
use super::wait::Judgement;

/// Where a domain, a user profile or a space is in its life. SageMaker has one set of words for
/// the three.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Status {
    /// Being made.
    Pending,
    /// In use.
    InService,
    /// Being changed.
    Updating,
    /// In use, but not as the last change wanted it.
    UpdateFailed,
    /// Could not be made.
    Failed,
    /// Being deleted.
    Deleting,
    /// Could not be deleted.
    DeleteFailed,
    /// A word that we do not know.
    Other(String),
}

impl Status {
    fn parse(text: &str) -> Self {
        match text {
            "Pending" => Self::Pending,
            "InService" => Self::InService,
            "Updating" => Self::Updating,
            "Update_Failed" => Self::UpdateFailed,
            "Failed" => Self::Failed,
            "Deleting" => Self::Deleting,
            "Delete_Failed" => Self::DeleteFailed,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "Pending",
            Self::InService => "InService",
            Self::Updating => "Updating",
            Self::UpdateFailed => "Update_Failed",
            Self::Failed => "Failed",
            Self::Deleting => "Deleting",
            Self::DeleteFailed => "Delete_Failed",
            Self::Other(text) => text,
        })
    }
}

/// On or off, in SageMaker's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Toggle {
    /// `ENABLED`.
    Enabled,
    /// `DISABLED`.
    Disabled,
}

impl Toggle {
    /// The word that SageMaker and users write.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
        }
    }

    /// Reads the word, whose capitals differ between SageMaker's fields.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "ENABLED" => Some(Self::Enabled),
            "DISABLED" => Some(Self::Disabled),
            _ => None,
        }
    }
}

/// Whether the error is that SageMaker cannot assume a role, which passes within minutes where
/// IAM has only just made the role, or its trust.
pub fn is_role_not_assumable(error: &AwsError) -> bool {
    error.has_code("ValidationException") && error.message.to_ascii_lowercase().contains("assume")
}

fn call(operation: &'static str, object: impl Into<String>) -> Call {
    Call::new(Service::SageMaker, operation, object)
}

/// Judges a status on the way to `InService`.
fn judge_in_service<T>(status: &Status, reason: Option<&str>, ready: T) -> Judgement<T> {
    match status {
        Status::InService => Judgement::Ready(ready),
        Status::Pending | Status::Updating => Judgement::Pending(status.to_string()),
        Status::UpdateFailed | Status::Failed | Status::Deleting | Status::DeleteFailed | Status::Other(_) => {
            Judgement::Failed(with_reason(status, reason))
        }
    }
}

/// Judges a status on the way to being gone.
fn judge_deleted(status: &Status, reason: Option<&str>) -> Judgement<()> {
    match status {
        // The delete may not show yet, whatever the status was before.
        Status::Deleting
        | Status::InService
        | Status::Pending
        | Status::Updating
        | Status::UpdateFailed
        | Status::Failed => Judgement::Pending(status.to_string()),
        Status::DeleteFailed | Status::Other(_) => Judgement::Failed(with_reason(status, reason)),
    }
}

fn with_reason(status: &Status, reason: Option<&str>) -> String {
    match reason.filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("{status} ({reason})"),
        None => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_prints_as_it_is_read() {
        for word in ["Pending", "InService", "Updating", "Update_Failed", "Failed", "Deleting", "Delete_Failed", "New"]
        {
            assert_eq!(Status::parse(word).to_string(), word);
        }
    }

    #[test]
    fn a_failed_domain_tells_why() {
        let judged = judge_in_service(&Status::Failed, Some("subnet has no free address"), ());
        assert_eq!(judged, Judgement::Failed("Failed (subnet has no free address)".to_owned()));
    }

    #[test]
    fn a_domain_that_went_into_deleting_will_not_be_in_service() {
        assert!(matches!(judge_in_service(&Status::Deleting, None, ()), Judgement::Failed(_)));
        assert!(matches!(judge_deleted(&Status::Deleting, None), Judgement::Pending(_)));
    }

    #[test]
    fn a_role_that_sagemaker_cannot_assume_is_told_from_other_faults() {
        let call = call("CreateDomain", "domain research");
        let role = "Could not assume role arn:aws:iam::123456789012:role/r. Please ensure that the role exists";
        assert!(is_role_not_assumable(&call.answered("ValidationException", role, Some(400))));
        assert!(!is_role_not_assumable(&call.answered("ValidationException", "bad subnet", Some(400))));
    }
}
