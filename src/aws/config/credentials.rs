//! Where credentials come from, in the order of `provider "aws"`: the configuration, a profile it
//! names, the environment, a web identity, the shared files, and the machine we run on.
//!
//! **Invariant:** asks no one. The chain that is put together here is asked when the first call is
//! signed.

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::credentials::EnvironmentVariableCredentialsProvider;
use aws_config::imds::client::EndpointMode;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use super::resolve::{Profile, Resolved};
use super::{ConfigError, Settings};

/// The first link of the chain of roles: what the user, or the machine, is by itself.
pub(super) fn base(
    settings: &Settings,
    resolved: &Resolved,
    provider: &ProviderConfig,
) -> Result<SharedCredentialsProvider, ConfigError> {
    if let Some(keys) = &resolved.static_credentials {
        let token = keys.token.as_ref().map(|token| token.expose().to_owned());
        let (access, secret) = (keys.access_key.expose(), keys.secret_key.expose());
        return Ok(SharedCredentialsProvider::new(Credentials::new(access, secret, token, None, "Configuration")));
    }
    let files = profile_files(resolved);
    let mut profile = ProfileFileCredentialsProvider::builder().configure(provider).profile_files(files);
    if let Some(name) = resolved.profile.name() {
        profile = profile.profile_name(name);
    }
    let profile = profile.build();
    if matches!(resolved.profile, Profile::Chosen(_)) {
        return Ok(SharedCredentialsProvider::new(profile));
    }
    let mut chain = CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new())
        .or_else("WebIdentityToken", WebIdentityTokenCredentialsProvider::builder().configure(provider).build())
        .or_else("Profile", profile)
        .or_else("EcsContainer", EcsCredentialsProvider::builder().configure(provider).build());
    if resolved.use_metadata_service {
        let imds = ImdsCredentialsProvider::builder().configure(provider).imds_client(metadata(settings, provider)?);
        chain = chain.or_else("Ec2InstanceMetadata", imds.build());
    }
    Ok(SharedCredentialsProvider::new(chain))
}

/// The way to the metadata service of the machine we run on.
pub(super) fn metadata(
    settings: &Settings,
    provider: &ProviderConfig,
) -> Result<aws_config::imds::Client, ConfigError> {
    let mut client = aws_config::imds::Client::builder().configure(provider);
    if let Some(mode) = settings.ec2_metadata_service_endpoint_mode.as_deref().filter(|mode| !mode.is_empty()) {
        let mode: EndpointMode = mode.parse().map_err(|_| {
            let argument = "ec2_metadata_service_endpoint_mode";
            let fact = format!("{mode:?} is neither IPv4 nor IPv6");
            ConfigError::new(argument, "could not reach the metadata service", fact, "write IPv4 or IPv6")
        })?;
        client = client.endpoint_mode(mode);
    }
    if let Some(url) = settings.ec2_metadata_service_endpoint.as_deref().filter(|url| !url.is_empty()) {
        client = client.endpoint(url).map_err(|_| {
            let argument = "ec2_metadata_service_endpoint";
            let fact = format!("{url:?} is not a URL");
            ConfigError::new(argument, "could not reach the metadata service", fact, "write the whole URL")
        })?;
    }
    Ok(client.build())
}

/// The shared files: those the configuration names in the place of the usual ones.
pub(super) fn profile_files(resolved: &Resolved) -> EnvConfigFiles {
    let mut files = EnvConfigFiles::builder()
        .include_default_config_file(resolved.config_files.is_empty())
        .include_default_credentials_file(resolved.credentials_files.is_empty());
    for file in &resolved.config_files {
        files = files.with_file(EnvConfigFileKind::Config, file);
    }
    for file in &resolved.credentials_files {
        files = files.with_file(EnvConfigFileKind::Credentials, file);
    }
    files.build()
}
