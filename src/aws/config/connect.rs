//! From settings to clients.
//!
//! **Invariant:** without validation, no call is made here but those that find the Region.

use std::path::PathBuf;
use std::time::Duration;

use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::{RetryConfig, RetryMode};
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::account::check_account;
use super::resolve::{DEFAULT_ATTEMPTS, Profile, Resolved, check_region, resolve};
use super::{AssumeRole, AssumeRoleWithWebIdentity, ConfigError, Environment, Settings, credentials};
use crate::aws::assume::{AssumedRole, WebIdentityRole};
use crate::aws::clients::{Clients, Shared};
use crate::aws::http::{self, Trust};
use crate::aws::ids::Region;

/// How often the SDK itself makes a call where no one says anything.
const SDK_ATTEMPTS: u32 = 3;

/// A connection takes longer than this only where there is none.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// AWS answers every call we make within seconds.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Builds the clients, and checks what the settings do not say to skip: that the Region is known,
/// that the credentials hold, and that their account is one to be worked in.
///
/// # Errors
/// Whatever keeps the provider from being used, with the argument at fault where there is one.
pub async fn connect(settings: Settings) -> Result<Clients, ConfigError> {
    let environment = Environment::of_process();
    let mut resolved = resolve(&settings, &environment)?;
    check_files(&resolved.config_files, "shared_config_files").await?;
    check_files(&resolved.credentials_files, "shared_credentials_files").await?;
    let trust = trust(&settings, &resolved).await?;
    let http = http::client(&resolved.proxies, trust);
    let provider = ProviderConfig::default().with_http_client(http.clone());
    let region = region(&settings, &resolved, &provider).await?;
    let provider = provider.with_region(Some(aws_config::Region::new(region.to_string())));
    let base = credentials::base(&settings, &resolved, &provider)?;
    let sdk = load(&settings, &resolved, &region, http, base).await?;
    let web_identity = resolved.web_identity.take();
    let clients = Clients::new(shared(&settings, resolved, sdk)?, region);
    let clients = in_roles(clients, web_identity, &settings.assume_role);
    check_account(&settings, clients).await
}

/// A file that the configuration names has to be there; the usual ones need not.
async fn check_files(files: &[PathBuf], argument: &'static str) -> Result<(), ConfigError> {
    for file in files {
        if let Err(error) = tokio::fs::metadata(file).await {
            let failed = format!("could not read {}", file.display());
            let remedy = "correct the name, or take it out of the list";
            return Err(ConfigError::new(argument, failed, error.to_string(), remedy));
        }
    }
    Ok(())
}

async fn trust(settings: &Settings, resolved: &Resolved) -> Result<Trust, ConfigError> {
    if settings.insecure {
        return Ok(Trust::Anyone);
    }
    let Some((file, source)) = &resolved.ca_bundle else {
        return Ok(Trust::System);
    };
    let failed = format!("could not use the certificates in {}", file.display());
    let refused = |fact: String| {
        let remedy = format!("point {source} at a file of PEM certificates");
        ConfigError::new((*source == "custom_ca_bundle").then_some("custom_ca_bundle"), failed.clone(), fact, remedy)
    };
    let pem = tokio::fs::read(file).await.map_err(|error| refused(format!("it could not be read ({error})")))?;
    http::check_bundle(&pem).map_err(refused)?;
    Ok(Trust::Bundle(pem))
}

async fn region(settings: &Settings, resolved: &Resolved, provider: &ProviderConfig) -> Result<Region, ConfigError> {
    let mut region = resolved.region.clone();
    if region.is_none() {
        region = region_of_profile(resolved, provider).await;
    }
    // A machine's own Region is only of interest where its own credentials may be.
    let on_machine = resolved.static_credentials.is_none() && !matches!(resolved.profile, Profile::Chosen(_));
    if region.is_none() && on_machine && resolved.use_metadata_service {
        let metadata = credentials::metadata(settings, provider)?;
        let machine = ImdsRegionProvider::builder().configure(provider).imds_client(metadata).build();
        region = machine.region().await.map(|region| region.to_string());
    }
    let region = region.ok_or_else(|| {
        let fact = "neither the configuration nor the environment nor a shared file names one";
        ConfigError::new("region", "could not find the Region", fact, "set region, or AWS_REGION")
    })?;
    check_region(&region, "region", settings.skip_region_validation)?;
    Ok(region.into())
}

async fn region_of_profile(resolved: &Resolved, provider: &ProviderConfig) -> Option<String> {
    let files = credentials::profile_files(resolved);
    let mut profile = ProfileFileRegionProvider::builder().configure(provider).profile_files(files);
    if let Some(name) = resolved.profile.name() {
        profile = profile.profile_name(name);
    }
    profile.build().region().await.map(|region| region.to_string())
}

async fn load(
    settings: &Settings,
    resolved: &Resolved,
    region: &Region,
    http: SharedHttpClient,
    base: SharedCredentialsProvider,
) -> Result<SdkConfig, ConfigError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(aws_config::Region::new(region.to_string()))
        .http_client(http)
        .credentials_provider(base)
        .profile_files(credentials::profile_files(resolved))
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build());
    if let Some(name) = resolved.profile.name() {
        loader = loader.profile_name(name);
    }
    if let Some(use_fips) = settings.use_fips_endpoint {
        loader = loader.use_fips(use_fips);
    }
    if let Some(use_dual_stack) = settings.use_dualstack_endpoint {
        loader = loader.use_dual_stack(use_dual_stack);
    }
    let sdk = loader.load().await;
    let retries = retries(settings, resolved, sdk.retry_config())?;
    Ok(sdk.into_builder().retry_config(retries).build())
}

/// The SDK has read its variables and the shared files; an argument wins over them.
fn retries(settings: &Settings, resolved: &Resolved, read: Option<&RetryConfig>) -> Result<RetryConfig, ConfigError> {
    let read = read.cloned().unwrap_or_else(RetryConfig::standard);
    // Three is what the SDK gives where no file says anything. A file that says three is taken for
    // silence; who wants that writes it as an argument or a variable.
    let from_file = Some(read.max_attempts()).filter(|attempts| *attempts != SDK_ATTEMPTS);
    let attempts = resolved.max_attempts.or(from_file).unwrap_or(DEFAULT_ATTEMPTS);
    let mode = match settings.retry_mode.as_deref().filter(|mode| !mode.is_empty()) {
        Some("standard") => RetryMode::Standard,
        Some("adaptive") => RetryMode::Adaptive,
        Some(other) => {
            let fact = format!("{other:?} is not a mode");
            return Err(ConfigError::new("retry_mode", "could not set up retries", fact, "write standard or adaptive"));
        }
        None => read.mode(),
    };
    Ok(read.with_retry_mode(mode).with_max_attempts(attempts))
}

fn shared(settings: &Settings, resolved: Resolved, sdk: SdkConfig) -> Result<Shared, ConfigError> {
    let sts_region = settings.sts_region.as_deref().filter(|region| !region.is_empty());
    if let Some(region) = sts_region {
        check_region(region, "sts_region", settings.skip_region_validation)?;
    }
    Ok(Shared {
        sdk,
        endpoints: resolved.endpoints,
        sts_region: sts_region.map(Region::from),
        user_agent: resolved.user_agent,
        account_id: None,
        default_tags: resolved.default_tags,
        ignore_tags: resolved.ignore_tags,
        poll_interval: settings.poll_interval,
        regions: std::sync::Mutex::default(),
    })
}

/// Goes from role to role. Nothing is assumed until the first call is signed.
fn in_roles(clients: Clients, web_identity: Option<AssumeRoleWithWebIdentity>, roles: &[AssumeRole]) -> Clients {
    let mut clients = clients;
    if let Some(role) = web_identity {
        let provider = WebIdentityRole::new(clients.sts().clone(), role);
        clients = clients.with_credentials(SharedCredentialsProvider::new(provider));
    }
    for role in roles {
        let provider = AssumedRole::new(clients.sts().clone(), role.clone());
        clients = clients.with_credentials(SharedCredentialsProvider::new(provider));
    }
    clients
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_shared_file_that_is_not_there_is_refused_at_its_argument() {
        let files = [PathBuf::from("/nonexistent/config")];
        let error = check_files(&files, "shared_config_files").await.unwrap_err();
        assert_eq!(error.argument, Some("shared_config_files"));
        assert!(error.failed.contains("/nonexistent/config"), "{error}");
    }

    #[test]
    fn retries_are_twenty_five_unless_someone_says_otherwise() {
        let resolved = |settings: &Settings| resolve(settings, &Environment::default()).unwrap();
        let plain = Settings::default();
        let silent = retries(&plain, &resolved(&plain), Some(&RetryConfig::standard())).unwrap();
        assert_eq!((silent.max_attempts(), silent.mode()), (25, RetryMode::Standard));
        let file = RetryConfig::adaptive().with_max_attempts(7);
        let read = retries(&plain, &resolved(&plain), Some(&file)).unwrap();
        assert_eq!((read.max_attempts(), read.mode()), (7, RetryMode::Adaptive));
        let argument =
            Settings { max_retries: Some(2), retry_mode: Some("standard".to_owned()), ..Settings::default() };
        let told = retries(&argument, &resolved(&argument), Some(&file)).unwrap();
        assert_eq!((told.max_attempts(), told.mode()), (2, RetryMode::Standard));
        let wrong = Settings { retry_mode: Some("never".to_owned()), ..Settings::default() };
        assert_eq!(retries(&wrong, &resolved(&wrong), None).unwrap_err().argument, Some("retry_mode"));
    }
}
