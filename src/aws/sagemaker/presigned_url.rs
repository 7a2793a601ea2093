//! Presigned URLs of a domain.
//!
//! **Invariant:** a URL is as good as a password. It is never printed, and never part of an error.

use std::fmt;

use super::call;
use crate::aws::{AwsError, Clients, DomainId};

/// What a presigned URL is to be for.
#[derive(Debug, Clone)]
pub struct PresignRequest {
    /// The domain.
    pub domain_id: DomainId,
    /// The user profile to sign in as.
    pub user_profile_name: String,
    /// The space to open.
    pub space_name: Option<String>,
    /// Where to land, such as `studio::`.
    pub landing_uri: Option<String>,
    /// How long the URL can be used, 5 to 300 seconds. `None` leaves SageMaker's default, 300.
    pub expires_in_seconds: Option<u32>,
    /// How long the session lasts, 1800 to 43200 seconds. `None` leaves SageMaker's default, 43200.
    pub session_seconds: Option<u32>,
}

/// A presigned URL.
#[derive(Clone, PartialEq, Eq)]
pub struct PresignedUrl(String);

impl PresignedUrl {
    /// The URL itself, for the one place that hands it out.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its host, which is no secret.
    pub fn host(&self) -> Option<String> {
        host_of(&self.0)
    }
}

/// The host of a URL for HTTPS, in small letters. `None` for any other URL, and where anything but a host name stands
/// before the path: a name and password, or a port.
pub fn host_of(url: &str) -> Option<String> {
    let host = url.strip_prefix("https://")?.split(['/', '?', '#']).next()?;
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (!host.is_empty() && host.chars().all(legal)).then(|| host.to_ascii_lowercase())
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresignedUrl({})", self.host().as_deref().unwrap_or("no host"))
    }
}

/// Makes a presigned URL.
///
/// # Errors
/// `AccessDenied` where a policy confines presigning to another path; `NotFound` for an unknown
/// domain or user profile.
pub async fn create_presigned_url(clients: &Clients, request: &PresignRequest) -> Result<PresignedUrl, AwsError> {
    let object = format!("user profile {} of domain {}", request.user_profile_name, request.domain_id);
    let call = call("CreatePresignedDomainUrl", object);
    let seconds = |seconds: Option<u32>| seconds.and_then(|seconds| i32::try_from(seconds).ok());
    let sending = clients
        .sagemaker()
        .create_presigned_domain_url()
        .domain_id(request.domain_id.as_str())
        .user_profile_name(&request.user_profile_name)
        .set_space_name(request.space_name.clone())
        .set_landing_uri(request.landing_uri.clone())
        .set_expires_in_seconds(seconds(request.expires_in_seconds))
        .set_session_expiration_duration_in_seconds(seconds(request.session_seconds));
    let answer = sending.send().await.map_err(|error| call.failed(error))?;
    answer.authorized_url.map(PresignedUrl).ok_or_else(|| call.lacks("URL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_presigned_url_prints_its_host_alone() {
        let url = PresignedUrl("https://d-1.studio.eu-west-1.sagemaker.aws/auth?token=secret".to_owned());
        assert_eq!(format!("{url:?}"), "PresignedUrl(d-1.studio.eu-west-1.sagemaker.aws)");
    }

    #[test]
    fn a_host_is_read_from_plain_https_urls_alone() {
        assert_eq!(host_of("https://D-1.example.com/auth?token=secret").as_deref(), Some("d-1.example.com"));
        assert_eq!(host_of("https://d-1.example.com").as_deref(), Some("d-1.example.com"));
        for url in [
            "http://d-1.example.com/auth",
            "https://d-1.example.com@evil.example/auth",
            "https://d-1.example.com:8443/auth",
            "https:///auth?token=secret",
            "https://?token=secret",
            "token=secret",
            "",
        ] {
            assert_eq!(host_of(url), None, "{url}");
            assert_eq!(format!("{:?}", PresignedUrl(url.to_owned())), "PresignedUrl(no host)");
        }
    }
}
