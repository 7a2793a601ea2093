//! From settings to clients.
//!
//! **Invariant:** without validation, no call is made here but those that find the Region.

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

use super::resolve::{DEFAULT_ATTEMPTS, Profile, Resolved, check_region, resolve};
use super::{ConfigError, Environment, Settings, credentials};
use crate::aws::assume::{AssumedRole, WebIdentityRole};
use crate::aws::clients::{Clients, Shared};
use crate::aws::error::{AwsError, Kind};
use crate::aws::http::{self, Trust};
use crate::aws::iam::identity::account_by_iam;
use crate::aws::ids::{AccountId, Region};
use crate::aws::sts::identity::caller_identity;

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
    let resolved = resolve(&settings, &environment)?;
    let trust = trust(&settings, &resolved).await?;
    let http = http::client(&resolved.proxies, trust);
    let provider = ProviderConfig::default().with_http_client(http.clone());
    let region = region(&settings, &resolved, &provider).await?;
    let provider = provider.with_region(Some(aws_config::Region::new(region.to_string())));
    let base = credentials::base(&settings, &resolved, &provider)?;
    let sdk = load(&settings, &resolved, &region, http, base).await?;
    let clients = Clients::new(shared(&settings, resolved, sdk)?, region);
    let clients = in_roles(&settings, clients, &environment)?;
    check_account(&settings, clients).await
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
        ConfigError::new(
            (*source == "custom_ca_bundle").then_some("custom_ca_bundle"),
            failed.clone(),
            fact,
            remedy,
        )
    };
    let pem = tokio::fs::read(file)
        .await
        .map_err(|error| refused(format!("it could not be read ({error})")))?;
    http::check_bundle(&pem).map_err(refused)?;
    Ok(Trust::Bundle(pem))
}

async fn region(
    settings: &Settings,
    resolved: &Resolved,
    provider: &ProviderConfig,
) -> Result<Region, ConfigError> {
    let mut region = resolved.region.clone();
    if region.is_none() {
        region = region_of_profile(resolved, provider).await;
    }
    // A machine's own Region is only of interest where its own credentials may be.
    let on_machine =
        resolved.static_credentials.is_none() && !matches!(resolved.profile, Profile::Chosen(_));
    if region.is_none() && on_machine && resolved.use_metadata_service {
        let metadata = credentials::metadata(settings, provider)?;
        let machine =
            ImdsRegionProvider::builder().configure(provider).imds_client(metadata).build();
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
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(READ_TIMEOUT)
                .build(),
        );
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
fn retries(
    settings: &Settings,
    resolved: &Resolved,
    read: Option<&RetryConfig>,
) -> Result<RetryConfig, ConfigError> {
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
            return Err(ConfigError::new(
                "retry_mode",
                "could not set up retries",
                fact,
                "write standard or adaptive",
            ));
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
fn in_roles(
    settings: &Settings,
    clients: Clients,
    environment: &Environment,
) -> Result<Clients, ConfigError> {
    let mut clients = clients;
    if let Some(role) = resolve(settings, environment)?.web_identity {
        let provider = WebIdentityRole::new(clients.sts().clone(), role);
        clients = clients.with_credentials(SharedCredentialsProvider::new(provider));
    }
    for role in &settings.assume_role {
        let provider = AssumedRole::new(clients.sts().clone(), role.clone());
        clients = clients.with_credentials(SharedCredentialsProvider::new(provider));
    }
    Ok(clients)
}

async fn check_account(settings: &Settings, clients: Clients) -> Result<Clients, ConfigError> {
    let account_id = if !settings.skip_credentials_validation {
        let identity =
            caller_identity(&clients).await.map_err(|error| refused(settings, &error))?;
        Some(identity.account_id)
    } else if !settings.skip_requesting_account_id {
        Some(find_account(settings, &clients).await?)
    } else {
        None
    };
    check_lists(settings, account_id.as_ref())?;
    Ok(clients.with_account(account_id))
}

/// Where STS cannot be asked, IAM may tell.
async fn find_account(settings: &Settings, clients: &Clients) -> Result<AccountId, ConfigError> {
    let by_sts = match caller_identity(clients).await {
        Ok(identity) => return Ok(identity.account_id),
        Err(error) if error.kind == Kind::Credentials => return Err(refused(settings, &error)),
        Err(error) => error,
    };
    account_by_iam(clients).await.map_err(|by_iam| {
        let fact = format!("STS and IAM did not tell ({by_sts}; {by_iam})");
        let remedy = "allow sts:GetCallerIdentity, or set skip_requesting_account_id = true";
        ConfigError::new("skip_requesting_account_id", "could not find the account", fact, remedy)
    })
}

fn refused(settings: &Settings, error: &AwsError) -> ConfigError {
    let failed = "could not validate the credentials";
    let fact = error.to_string();
    match error.kind {
        Kind::Credentials => {
            let (argument, remedy) = source_of_credentials(settings, &fact);
            ConfigError::new(argument, failed, fact, remedy)
        }
        Kind::Network | Kind::Unavailable => {
            let remedy = "check the network, the proxy, and the endpoint of STS; \
                          skip_credentials_validation = true leaves this check out";
            ConfigError::new(None, failed, fact, remedy)
        }
        Kind::NotFound
        | Kind::AlreadyExists
        | Kind::Conflict
        | Kind::InUse
        | Kind::AccessDenied
        | Kind::LimitExceeded
        | Kind::Throttled
        | Kind::Invalid
        | Kind::Interrupted
        | Kind::TimedOut
        | Kind::Unexpected => ConfigError::new(None, failed, fact, "correct what AWS names"),
    }
}

/// Which argument the credentials came from, as far as the configuration tells.
fn source_of_credentials(settings: &Settings, fact: &str) -> (Option<&'static str>, &'static str) {
    if !settings.assume_role.is_empty() && fact.contains(" AssumeRole for ") {
        (
            Some("assume_role"),
            "let the role's trust policy name the caller, and the caller assume the role",
        )
    } else if settings.assume_role_with_web_identity.is_some()
        && fact.contains(" AssumeRoleWithWebIdentity for ")
    {
        (
            Some("assume_role_with_web_identity"),
            "let the role trust the token's issuer and audience",
        )
    } else if settings.access_key.is_some() {
        (Some("access_key"), "correct access_key, secret_key and token")
    } else if settings.profile.is_some() {
        (Some("profile"), "correct the profile, or sign in to it again")
    } else {
        let remedy = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile, \
                      or run where a web identity or a role of the machine is at hand";
        (None, remedy)
    }
}

fn check_lists(settings: &Settings, account_id: Option<&AccountId>) -> Result<(), ConfigError> {
    let (allowed, forbidden) = (&settings.allowed_account_ids, &settings.forbidden_account_ids);
    if allowed.is_empty() && forbidden.is_empty() {
        return Ok(());
    }
    let argument = if allowed.is_empty() { "forbidden_account_ids" } else { "allowed_account_ids" };
    let Some(account_id) = account_id else {
        let fact = "the account is unknown, since it was not to be asked for";
        let remedy = "take out skip_requesting_account_id, or the list of accounts";
        return Err(ConfigError::new(argument, "could not check the account", fact, remedy));
    };
    let remedy = "use credentials of another account, or correct the list";
    if !allowed.is_empty() && !allowed.contains(account_id.as_str()) {
        let fact = format!(
            "the credentials are of account {account_id}, which is not among the allowed ones"
        );
        return Err(ConfigError::new(
            "allowed_account_ids",
            "could not work in this account",
            fact,
            remedy,
        ));
    }
    if forbidden.contains(account_id.as_str()) {
        let fact = format!("the credentials are of account {account_id}, which is forbidden");
        return Err(ConfigError::new(
            "forbidden_account_ids",
            "could not work in this account",
            fact,
            remedy,
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(allowed: &[&str], forbidden: &[&str]) -> Settings {
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Settings {
            allowed_account_ids: set(allowed),
            forbidden_account_ids: set(forbidden),
            ..Settings::default()
        }
    }

    fn argument_at_fault(settings: &Settings, account: Option<&str>) -> Option<&'static str> {
        check_lists(settings, account.map(AccountId::from).as_ref())
            .err()
            .and_then(|error| error.argument)
    }

    #[test]
    fn an_account_off_the_allowed_list_is_refused() {
        let settings = lists(&["111111111111"], &[]);
        assert_eq!(argument_at_fault(&settings, Some("111111111111")), None);
        assert_eq!(argument_at_fault(&settings, Some("222222222222")), Some("allowed_account_ids"));
        assert_eq!(argument_at_fault(&settings, None), Some("allowed_account_ids"));
    }

    #[test]
    fn a_forbidden_account_is_refused() {
        let settings = lists(&[], &["111111111111"]);
        assert_eq!(
            argument_at_fault(&settings, Some("111111111111")),
            Some("forbidden_account_ids")
        );
        assert_eq!(argument_at_fault(&settings, Some("222222222222")), None);
    }

    #[test]
    fn without_lists_an_unknown_account_will_do() {
        assert_eq!(argument_at_fault(&Settings::default(), None), None);
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
        let argument = Settings {
            max_retries: Some(2),
            retry_mode: Some("standard".to_owned()),
            ..Settings::default()
        };
        let told = retries(&argument, &resolved(&argument), Some(&file)).unwrap();
        assert_eq!((told.max_attempts(), told.mode()), (2, RetryMode::Standard));
        let wrong = Settings { retry_mode: Some("never".to_owned()), ..Settings::default() };
        assert_eq!(
            retries(&wrong, &resolved(&wrong), None).unwrap_err().argument,
            Some("retry_mode")
        );
    }
}
