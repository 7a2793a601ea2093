//! Where AWS is, and who we are there: the provider's settings, as `provider "aws"` has them.
//!
//! Four steps, each in its own file: `resolve` sets arguments against the environment,
//! `credentials` puts together where credentials come from, `connect` builds the clients, and
//! `account` checks whose they are.
//!
//! **Invariant:** no secret is ever printed: `Debug` of everything here leaves secrets out, and no
//! error quotes one.

mod account;
mod connect;
mod credentials;
mod environment;
mod resolve;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use connect::connect;
pub use environment::Environment;

use super::ids::{Region, RoleArn};
use super::tags::{IgnoreTags, Tags};

/// A text that must not be printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// What the provider's configuration says, argument by argument. `None` or empty where it says
/// nothing, so that the environment and the shared files can.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `region`
    pub region: Option<String>,
    /// `profile`
    pub profile: Option<String>,
    /// `access_key`
    pub access_key: Option<Secret>,
    /// `secret_key`
    pub secret_key: Option<Secret>,
    /// `token`
    pub token: Option<Secret>,
    /// `shared_config_files`
    pub shared_config_files: Vec<PathBuf>,
    /// `shared_credentials_files`
    pub shared_credentials_files: Vec<PathBuf>,
    /// `sts_region`
    pub sts_region: Option<String>,
    /// `assume_role`, in the order in which the roles are assumed
    pub assume_role: Vec<AssumeRole>,
    /// `assume_role_with_web_identity`
    pub assume_role_with_web_identity: Option<AssumeRoleWithWebIdentity>,
    /// `endpoints`: URLs by the names `ec2`, `iam`, `route53`, `route53resolver`, `sagemaker`,
    /// `sts`. Other names are for services that we do not call yet.
    pub endpoints: BTreeMap<String, String>,
    /// `default_tags`
    pub default_tags: Tags,
    /// `ignore_tags`
    pub ignore_tags: IgnoreTags,
    /// `allowed_account_ids`
    pub allowed_account_ids: BTreeSet<String>,
    /// `forbidden_account_ids`
    pub forbidden_account_ids: BTreeSet<String>,
    /// `max_retries`: how often a call is made at most
    pub max_retries: Option<u32>,
    /// `retry_mode`: `standard` or `adaptive`
    pub retry_mode: Option<String>,
    /// `use_fips_endpoint`
    pub use_fips_endpoint: Option<bool>,
    /// `use_dualstack_endpoint`
    pub use_dualstack_endpoint: Option<bool>,
    /// `http_proxy`: may hold a password
    pub http_proxy: Option<Secret>,
    /// `https_proxy`: may hold a password
    pub https_proxy: Option<Secret>,
    /// `no_proxy`
    pub no_proxy: Option<String>,
    /// `custom_ca_bundle`
    pub custom_ca_bundle: Option<PathBuf>,
    /// `insecure`
    pub insecure: bool,
    /// `ec2_metadata_service_endpoint`
    pub ec2_metadata_service_endpoint: Option<String>,
    /// `ec2_metadata_service_endpoint_mode`: `IPv4` or `IPv6`
    pub ec2_metadata_service_endpoint_mode: Option<String>,
    /// `skip_credentials_validation`
    pub skip_credentials_validation: bool,
    /// `skip_metadata_api_check`
    pub skip_metadata_api_check: Option<bool>,
    /// `skip_region_validation`
    pub skip_region_validation: bool,
    /// `skip_requesting_account_id`
    pub skip_requesting_account_id: bool,
    /// `user_agent`
    pub user_agent: Vec<String>,
    /// `poll_interval`
    pub poll_interval: Option<Duration>,
}

/// A role to assume.
#[derive(Debug, Clone, Default)]
pub struct AssumeRole {
    /// `role_arn`
    pub role_arn: String,
    /// `session_name`
    pub session_name: Option<String>,
    /// `external_id`
    pub external_id: Option<Secret>,
    /// `duration`
    pub duration: Option<Duration>,
    /// `policy`
    pub policy: Option<String>,
    /// `policy_arns`
    pub policy_arns: Vec<String>,
    /// `source_identity`
    pub source_identity: Option<String>,
    /// `tags`
    pub tags: Tags,
    /// `transitive_tag_keys`
    pub transitive_tag_keys: BTreeSet<String>,
}

impl AssumeRole {
    /// A role with nothing beside it.
    pub fn of(role: &RoleArn) -> Self {
        Self { role_arn: role.to_string(), ..Self::default() }
    }
}

/// A role to assume with a token of another identity provider.
#[derive(Debug, Clone, Default)]
pub struct AssumeRoleWithWebIdentity {
    /// `role_arn`, else `AWS_ROLE_ARN`
    pub role_arn: Option<String>,
    /// `session_name`, else `AWS_ROLE_SESSION_NAME`
    pub session_name: Option<String>,
    /// `web_identity_token`, else `AWS_WEB_IDENTITY_TOKEN`
    pub web_identity_token: Option<Secret>,
    /// `web_identity_token_file`, else `AWS_WEB_IDENTITY_TOKEN_FILE`
    pub web_identity_token_file: Option<PathBuf>,
    /// `duration`
    pub duration: Option<Duration>,
    /// `policy`
    pub policy: Option<String>,
    /// `policy_arns`
    pub policy_arns: Vec<String>,
}

/// Why the provider cannot be used as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The argument at fault, where there is one.
    pub argument: Option<&'static str>,
    /// What failed.
    pub failed: String,
    /// What is true now.
    pub fact: String,
    /// What to do.
    pub remedy: String,
}

impl ConfigError {
    fn new(
        argument: impl Into<Option<&'static str>>,
        failed: impl Into<String>,
        fact: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { argument: argument.into(), failed: failed.into(), fact: fact.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.failed, self.fact, self.remedy)
    }
}

impl std::error::Error for ConfigError {}

/// Checks a Region that a resource names for itself, as the provider's own is checked.
///
/// # Errors
/// A text that no Region can be, or a Region that AWS's tables do not have.
pub fn check_region(region: &Region, skip_validation: bool) -> Result<(), ConfigError> {
    resolve::check_region(region.as_str(), "region", skip_validation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_print_no_secret() {
        let settings = Settings {
            access_key: Some("AKIASECRET1".into()),
            secret_key: Some("SECRET2".into()),
            token: Some("SECRET3".into()),
            https_proxy: Some("http://me:SECRET4@proxy".into()),
            assume_role: vec![AssumeRole { external_id: Some("SECRET5".into()), ..AssumeRole::default() }],
            assume_role_with_web_identity: Some(AssumeRoleWithWebIdentity {
                web_identity_token: Some("SECRET6".into()),
                ..AssumeRoleWithWebIdentity::default()
            }),
            ..Settings::default()
        };
        let printed = format!("{settings:?}");
        assert!(printed.contains("access_key"), "{printed}");
        assert!(!printed.contains("SECRET"), "{printed}");
    }
}
