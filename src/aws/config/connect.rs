//! From settings to clients, with the checks that the user wants.
//!
//! **Invariant:** nothing is changed at AWS here; the only questions are who we are, and where.

use std::sync::Mutex;
use std::time::Duration;

use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::{RetryConfig, RetryMode};
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;

use super::credentials::{base, metadata, profile_files, with_credentials};
use super::resolve::{DEFAULT_ATTEMPTS, Resolved, check_region, resolve};
use super::{ConfigError, Environment, Settings};
use crate::aws::assume::{AssumedRole, WebIdentityRole};
use crate::aws::clients::{Clients, Shared};
use crate::aws::error::{AwsError, Kind};
use crate::aws::http::{self, Trust};
use crate::aws::ids::{AccountId, Region};
use crate::aws::sts::identity::caller_identity;

/// How long a connection may take to come up. AWS is near, or not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take. CreateDomain and IAM answer within seconds.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Builds the clients, and checks credentials, account and Region as far as the settings ask for it.
///
/// # Errors
/// Names the argument at fault where there is one.
pub async fn connect(settings: Settings) -> Result<Clients, ConfigError> {
    connect_in(&settings, &Environment::of_process()).await
}

async fn connect_in(settings: &Settings, environment: &Environment) -> Result<Clients, ConfigError> {
    let resolved = resolve(settings, environment)?;
    let http = http::client(&resolved.proxies, trust(settings, &resolved)?);
    let provider = ProviderConfig::default().with_http_client(http.clone());
    let region = region(settings, &resolved, &provider).await?;
    let provider = provider.with_region(Some(aws_config::Region::new(region.to_string())));

    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .region(aws_config::Region::new(region.to_string()))
        .profile_files(profile_files(&resolved))
        .credentials_provider(base(settings, &resolved, &provider)?)
        .retry_config(retries(settings, &resolved)?)
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build());
    if let Some(name) = resolved.profile.name() {
        loader = loader.profile_name(name);
    }
    if let Some(fips) = settings.use_fips_endpoint {
        loader = loader.use_fips(fips);
    }
    if let Some(dualstack) = settings.use_dualstack_endpoint {
        loader = loader.use_dual_stack(dualstack);
    }
    let sdk = assume_roles(settings, &resolved, loader.load().await, &region);

    let clients = Clients::new(shared(settings, &resolved, sdk.clone(), None), region.clone());
    let account_id = account(settings, &clients).await?;
    check_account(settings, account_id.as_ref())?;
    Ok(Clients::new(shared(settings, &resolved, sdk, account_id), region))
}

fn trust(settings: &Settings, resolved: &Resolved) -> Result<Trust, ConfigError> {
    if settings.insecure {
        return Ok(Trust::Anyone);
    }
    let Some((file, named_by)) = &resolved.ca_bundle else {
        return Ok(Trust::System);
    };
    let argument = Some("custom_ca_bundle").filter(|argument| argument == named_by);
    let wrong = |fact: String| {
        ConfigError::new(argument, "could not use the certificates", fact, "name a file of certificates in PEM form")
    };
    let pem = std::fs::read(file)
        .map_err(|error| wrong(format!("{named_by} names {}, which cannot be read ({error})", file.display())))?;
    http::check_bundle(&pem).map_err(|error| wrong(format!("{} is of no use: {error}", file.display())))?;
    Ok(Trust::Bundle(pem))
}

/// The Region, from the argument or the environment, else from the profile, else from the machine we run on.
async fn region(settings: &Settings, resolved: &Resolved, provider: &ProviderConfig) -> Result<Region, ConfigError> {
    let mut found = resolved.region.clone();
    if found.is_none() {
        let mut profile =
            ProfileFileRegionProvider::builder().configure(provider).profile_files(profile_files(resolved));
        if let Some(name) = resolved.profile.name() {
            profile = profile.profile_name(name);
        }
        found = profile.build().region().await.map(|region| region.to_string());
    }
    if found.is_none() && resolved.use_metadata_service {
        let imds = ImdsRegionProvider::builder().configure(provider).imds_client(metadata(settings, provider)?).build();
        found = imds.region().await.map(|region| region.to_string());
    }
    let Some(region) = found else {
        let remedy = "set region, AWS_REGION, or a Region in the profile";
        return Err(ConfigError::new("region", "could not tell the Region", "no Region is configured", remedy));
    };
    check_region(&region, "region", settings.skip_region_validation)?;
    if let Some(region) = settings.sts_region.as_deref().filter(|region| !region.is_empty()) {
        check_region(region, "sts_region", settings.skip_region_validation)?;
    }
    Ok(Region::from(region.as_str()))
}

/// Without an argument or AWS_MAX_ATTEMPTS, the SDK would try three times. Route 53 throttles sooner than that.
fn retries(settings: &Settings, resolved: &Resolved) -> Result<RetryConfig, ConfigError> {
    let mode = match settings.retry_mode.as_deref().filter(|mode| !mode.is_empty()) {
        None => RetryMode::Standard,
        Some(text) => text.parse().map_err(|_| {
            let fact = format!("{text:?} is neither standard nor adaptive");
            ConfigError::new("retry_mode", "could not tell how to retry", fact, "write standard or adaptive")
        })?,
    };
    Ok(RetryConfig::standard()
        .with_retry_mode(mode)
        .with_max_attempts(resolved.max_attempts.unwrap_or(DEFAULT_ATTEMPTS)))
}

/// The web identity first, then each role with the credentials of the one before.
fn assume_roles(settings: &Settings, resolved: &Resolved, sdk: SdkConfig, region: &Region) -> SdkConfig {
    let sts =
        |sdk: &SdkConfig| Clients::new(shared(settings, resolved, sdk.clone(), None), region.clone()).sts().clone();
    let mut sdk = sdk;
    if let Some(role) = &resolved.web_identity {
        let provider = WebIdentityRole::new(sts(&sdk), role.clone());
        sdk = with_credentials(&sdk, SharedCredentialsProvider::new(provider));
    }
    for role in &settings.assume_role {
        let provider = AssumedRole::new(sts(&sdk), role.clone());
        sdk = with_credentials(&sdk, SharedCredentialsProvider::new(provider));
    }
    sdk
}

fn shared(settings: &Settings, resolved: &Resolved, sdk: SdkConfig, account_id: Option<AccountId>) -> Shared {
    Shared {
        sdk,
        endpoints: resolved.endpoints.clone(),
        sts_region: settings.sts_region.as_deref().filter(|region| !region.is_empty()).map(Region::from),
        user_agent: resolved.user_agent.clone(),
        account_id,
        default_tags: resolved.default_tags.clone(),
        ignore_tags: resolved.ignore_tags.clone(),
        poll_interval: settings.poll_interval,
        regions: Mutex::default(),
    }
}

/// Asks STS who we are, which tells valid credentials from others and gives the account.
async fn account(settings: &Settings, clients: &Clients) -> Result<Option<AccountId>, ConfigError> {
    if settings.skip_credentials_validation && settings.skip_requesting_account_id {
        return Ok(None);
    }
    match caller_identity(clients).await {
        Ok(identity) => Ok(Some(identity.account_id)),
        // Whoever skips the validation wants to go on without STS.
        Err(_) if settings.skip_credentials_validation => Ok(None),
        Err(error) => Err(unusable(&error)),
    }
}

fn unusable(error: &AwsError) -> ConfigError {
    let remedy = match error.kind {
        Kind::Network | Kind::TimedOut | Kind::Unavailable => {
            "check the network, the proxy and the endpoints, or set skip_credentials_validation = true"
        }
        _ => "check the credentials, the profile and the roles to assume",
    };
    ConfigError::new(None, "could not find out whose the AWS credentials are", error.to_string(), remedy)
}

fn check_account(settings: &Settings, account: Option<&AccountId>) -> Result<(), ConfigError> {
    let failed = "could not accept the account of the credentials";
    let remedy = "use credentials of another account, or correct the list";
    let (allowed, forbidden) = (&settings.allowed_account_ids, &settings.forbidden_account_ids);
    if allowed.is_empty() && forbidden.is_empty() {
        return Ok(());
    }
    let argument = if allowed.is_empty() { "forbidden_account_ids" } else { "allowed_account_ids" };
    let Some(account) = account else {
        let fact = "the account is not known, since it was not to be asked for";
        let remedy = "remove skip_requesting_account_id, or the list of accounts";
        return Err(ConfigError::new(argument, failed, fact, remedy));
    };
    if !allowed.is_empty() && !allowed.contains(account.as_str()) {
        let fact = format!("the credentials are of account {account}, which is not among the allowed ones");
        return Err(ConfigError::new("allowed_account_ids", failed, fact, remedy));
    }
    if forbidden.contains(account.as_str()) {
        let fact = format!("the credentials are of account {account}, which is forbidden");
        return Err(ConfigError::new("forbidden_account_ids", failed, fact, remedy));
    }
    Ok(())
}
