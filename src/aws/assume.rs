//! Credentials of another role, by STS.
//!
//! The SDK's own provider knows neither source identities nor transitive tags, so this is ours.
//!
//! **Invariant:** keeps no credentials. The SDK's cache does, and asks again before they expire.

use std::path::PathBuf;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_sts as sts;
use sts::types::PolicyDescriptorType;

use super::config::{AssumeRole, AssumeRoleWithWebIdentity, Secret};
use super::error::{Call, Service};

/// What our sessions are called where the user does not say.
const SESSION_NAME: &str = "terraform-provider-studio";

/// A role assumed with other credentials of AWS.
#[derive(Debug)]
pub(super) struct AssumedRole {
    sts: sts::Client,
    role: AssumeRole,
}

impl AssumedRole {
    /// The client carries the credentials to assume the role with.
    pub(super) fn new(sts: sts::Client, role: AssumeRole) -> Self {
        Self { sts, role }
    }

    async fn assume(&self) -> Result<Credentials, CredentialsError> {
        let call = Call::new(Service::Sts, "AssumeRole", format!("role {}", self.role.role_arn));
        let role = self.role.clone();
        let tags: Result<Vec<_>, _> = role
            .tags
            .iter()
            .map(|(key, value)| sts::types::Tag::builder().key(key).value(value).build())
            .collect();
        let tags = tags.map_err(CredentialsError::invalid_configuration)?;
        let request = self
            .sts
            .assume_role()
            .role_arn(role.role_arn)
            .role_session_name(role.session_name.unwrap_or_else(|| SESSION_NAME.to_owned()))
            .set_external_id(role.external_id.map(|id| id.expose().to_owned()))
            .set_duration_seconds(
                role.duration.and_then(|duration| duration.as_secs().try_into().ok()),
            )
            .set_policy(role.policy)
            .set_policy_arns(policies(&role.policy_arns))
            .set_source_identity(role.source_identity)
            .set_tags(Some(tags).filter(|tags| !tags.is_empty()))
            .set_transitive_tag_keys(
                Some(role.transitive_tag_keys.into_iter().collect())
                    .filter(|keys: &Vec<_>| !keys.is_empty()),
            );
        let answer = request
            .send()
            .await
            .map_err(|error| CredentialsError::provider_error(call.failed(error)))?;
        credentials(&call, answer.credentials())
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

/// A role assumed with a token of another identity provider.
#[derive(Debug)]
pub(super) struct WebIdentityRole {
    sts: sts::Client,
    role: AssumeRoleWithWebIdentity,
}

impl WebIdentityRole {
    /// The client needs no credentials.
    pub(super) fn new(sts: sts::Client, role: AssumeRoleWithWebIdentity) -> Self {
        Self { sts, role }
    }

    async fn assume(&self) -> Result<Credentials, CredentialsError> {
        let role_arn = self.role.role_arn.clone().unwrap_or_default();
        let call = Call::new(Service::Sts, "AssumeRoleWithWebIdentity", format!("role {role_arn}"));
        let request = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(role_arn)
            .role_session_name(
                self.role.session_name.clone().unwrap_or_else(|| SESSION_NAME.to_owned()),
            )
            .web_identity_token(token(&self.role).await?.expose())
            .set_duration_seconds(
                self.role.duration.and_then(|duration| duration.as_secs().try_into().ok()),
            )
            .set_policy(self.role.policy.clone())
            .set_policy_arns(policies(&self.role.policy_arns));
        let answer = request
            .send()
            .await
            .map_err(|error| CredentialsError::provider_error(call.failed(error)))?;
        credentials(&call, answer.credentials())
    }
}

impl ProvideCredentials for WebIdentityRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

/// The token itself, else the file's content as it is now: whoever writes it renews it.
async fn token(role: &AssumeRoleWithWebIdentity) -> Result<Secret, CredentialsError> {
    if let Some(token) = &role.web_identity_token {
        return Ok(token.clone());
    }
    let file: &PathBuf = role
        .web_identity_token_file
        .as_ref()
        .ok_or_else(|| CredentialsError::invalid_configuration("there is no web identity token"))?;
    match tokio::fs::read_to_string(file).await {
        Ok(token) => Ok(Secret::new(token.trim())),
        Err(error) => Err(CredentialsError::invalid_configuration(format!(
            "the web identity token in {} could not be read: {error}",
            file.display()
        ))),
    }
}

fn policies(arns: &[String]) -> Option<Vec<PolicyDescriptorType>> {
    let policies: Vec<_> =
        arns.iter().map(|arn| PolicyDescriptorType::builder().arn(arn).build()).collect();
    Some(policies).filter(|policies| !policies.is_empty())
}

fn credentials(
    call: &Call,
    answer: Option<&sts::types::Credentials>,
) -> Result<Credentials, CredentialsError> {
    let answer =
        answer.ok_or_else(|| CredentialsError::provider_error(call.lacks("credentials")))?;
    let expiry =
        SystemTime::try_from(*answer.expiration()).map_err(CredentialsError::provider_error)?;
    Ok(Credentials::new(
        answer.access_key_id(),
        answer.secret_access_key(),
        Some(answer.session_token().to_owned()),
        Some(expiry),
        "StudioAssumeRole",
    ))
}
