//! Arguments against the environment: an argument wins, then a variable, then the shared files,
//! which the SDK reads, then the default.
//!
//! **Invariant:** pure, but for the one file of certificates that it is told to read elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{AssumeRoleWithWebIdentity, ConfigError, Environment, Secret, Settings};
use crate::aws::error::Service;
use crate::aws::http::Proxies;
use crate::aws::partition::{Partition, is_region_shaped};
use crate::aws::tags::{IgnoreTags, Tags};

/// How often a call is made at most, as in `provider "aws"`.
pub(super) const DEFAULT_ATTEMPTS: u32 = 25;

/// The settings that an argument or a variable decides.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) region: Option<String>,
    pub(super) static_credentials: Option<StaticCredentials>,
    pub(super) profile: Profile,
    pub(super) config_files: Vec<PathBuf>,
    pub(super) credentials_files: Vec<PathBuf>,
    pub(super) web_identity: Option<AssumeRoleWithWebIdentity>,
    pub(super) endpoints: BTreeMap<Service, String>,
    pub(super) max_attempts: Option<u32>,
    pub(super) proxies: Proxies,
    pub(super) ca_bundle: Option<(PathBuf, &'static str)>,
    pub(super) use_metadata_service: bool,
    pub(super) user_agent: String,
    pub(super) default_tags: Tags,
    pub(super) ignore_tags: IgnoreTags,
}

/// Keys that stand in the configuration itself.
#[derive(Debug, PartialEq)]
pub(super) struct StaticCredentials {
    pub(super) access_key: Secret,
    pub(super) secret_key: Secret,
    pub(super) token: Option<Secret>,
}

/// The profile of the shared files.
#[derive(Debug, PartialEq)]
pub(super) enum Profile {
    /// Named by the argument: the credentials come from it and from nowhere else.
    Chosen(String),
    /// Named by a variable: it is one source among others.
    FromEnvironment(String),
    /// `default`.
    Default,
}

impl Profile {
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Chosen(name) | Self::FromEnvironment(name) => Some(name),
            Self::Default => None,
        }
    }
}

pub(super) fn resolve(settings: &Settings, environment: &Environment) -> Result<Resolved, ConfigError> {
    let home = environment.first(&["HOME", "USERPROFILE"]);
    Ok(Resolved {
        region: text(settings.region.as_ref())
            .or_else(|| environment.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]).map(str::to_owned)),
        static_credentials: static_credentials(settings)?,
        profile: profile(settings, environment),
        config_files: files(&settings.shared_config_files, home),
        credentials_files: files(&settings.shared_credentials_files, home),
        web_identity: settings
            .assume_role_with_web_identity
            .as_ref()
            .map(|role| web_identity(role, environment, home))
            .transpose()?,
        endpoints: endpoints(settings)?,
        max_attempts: max_attempts(settings, environment)?,
        proxies: proxies(settings, environment)?,
        ca_bundle: ca_bundle(settings, environment, home),
        use_metadata_service: match settings.skip_metadata_api_check {
            Some(skip) => !skip,
            None => !environment.says_yes("AWS_EC2_METADATA_DISABLED"),
        },
        user_agent: user_agent(settings, environment),
        default_tags: default_tags(settings, environment),
        ignore_tags: ignore_tags(settings, environment),
    })
}

/// Checks the shape of a Region, and that AWS's tables have it.
pub(super) fn check_region(region: &str, argument: &'static str, skip_validation: bool) -> Result<(), ConfigError> {
    if !is_region_shaped(region) {
        let fact = format!("{region:?} is not shaped like a Region, such as eu-central-1");
        return Err(ConfigError::new(argument, "could not take the Region", fact, "write the Region's code"));
    }
    if skip_validation || Partition::knows(&region.into()) {
        return Ok(());
    }
    let fact = format!("{region:?} is not among the Regions this version knows");
    let remedy = "correct it, or set skip_region_validation = true if it is newer than this provider";
    Err(ConfigError::new(argument, "could not take the Region", fact, remedy))
}

fn text(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

fn static_credentials(settings: &Settings) -> Result<Option<StaticCredentials>, ConfigError> {
    let given = |secret: &Option<Secret>| secret.clone().filter(|secret| !secret.expose().is_empty());
    let half = |argument, has| {
        let fact = format!("{has} is set without {argument}");
        Err(ConfigError::new(argument, "could not use the keys in the configuration", fact, "set both, or neither"))
    };
    match (given(&settings.access_key), given(&settings.secret_key), given(&settings.token)) {
        (Some(access_key), Some(secret_key), token) => Ok(Some(StaticCredentials { access_key, secret_key, token })),
        (Some(_), None, _) => half("secret_key", "access_key"),
        (None, Some(_), _) => half("access_key", "secret_key"),
        (None, None, Some(_)) => half("access_key", "token"),
        (None, None, None) => Ok(None),
    }
}

fn profile(settings: &Settings, environment: &Environment) -> Profile {
    match (text(settings.profile.as_ref()), environment.first(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])) {
        (Some(name), _) => Profile::Chosen(name),
        (None, Some(name)) => Profile::FromEnvironment(name.to_owned()),
        (None, None) => Profile::Default,
    }
}

fn files(files: &[PathBuf], home: Option<&str>) -> Vec<PathBuf> {
    files.iter().filter(|file| !file.as_os_str().is_empty()).map(|file| at_home(file, home)).collect()
}

/// A shell would have put the home folder in the place of `~`; a configuration does not.
fn at_home(file: &Path, home: Option<&str>) -> PathBuf {
    match (file.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => Path::new(home).join(rest),
        _ => file.to_owned(),
    }
}

fn web_identity(
    role: &AssumeRoleWithWebIdentity,
    environment: &Environment,
    home: Option<&str>,
) -> Result<AssumeRoleWithWebIdentity, ConfigError> {
    let variable = |name: &str| environment.get(name).map(str::to_owned);
    let resolved = AssumeRoleWithWebIdentity {
        role_arn: text(role.role_arn.as_ref()).or_else(|| variable("AWS_ROLE_ARN")),
        session_name: text(role.session_name.as_ref()).or_else(|| variable("AWS_ROLE_SESSION_NAME")),
        web_identity_token: role
            .web_identity_token
            .clone()
            .filter(|token| !token.expose().is_empty())
            .or_else(|| variable("AWS_WEB_IDENTITY_TOKEN").map(Secret::new)),
        web_identity_token_file: role
            .web_identity_token_file
            .clone()
            .or_else(|| variable("AWS_WEB_IDENTITY_TOKEN_FILE").map(PathBuf::from))
            .map(|file| at_home(&file, home)),
        ..role.clone()
    };
    let incomplete = |fact: &str, remedy: &str| {
        let failed = "could not assume a role with a web identity";
        Err(ConfigError::new("assume_role_with_web_identity", failed, fact, remedy))
    };
    if resolved.role_arn.is_none() {
        return incomplete("no role is named", "set role_arn or AWS_ROLE_ARN");
    }
    if resolved.web_identity_token.is_none() && resolved.web_identity_token_file.is_none() {
        return incomplete("there is no token", "set web_identity_token or web_identity_token_file");
    }
    Ok(resolved)
}

fn endpoints(settings: &Settings) -> Result<BTreeMap<Service, String>, ConfigError> {
    let mut endpoints = BTreeMap::new();
    for (name, url) in settings.endpoints.iter().filter(|(_, url)| !url.is_empty()) {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let fact = format!("{url:?} for {name} is not a URL with http:// or https://");
            return Err(ConfigError::new("endpoints", "could not take an endpoint", fact, "write the whole URL"));
        }
        if let Some(service) = service(name) {
            endpoints.insert(service, url.clone());
        }
    }
    Ok(endpoints)
}

fn service(name: &str) -> Option<Service> {
    match name {
        "ec2" => Some(Service::Ec2),
        "iam" => Some(Service::Iam),
        "organizations" => Some(Service::Organizations),
        "ram" => Some(Service::Ram),
        "route53" => Some(Service::Route53),
        "route53resolver" => Some(Service::Route53Resolver),
        "sagemaker" => Some(Service::SageMaker),
        "sts" => Some(Service::Sts),
        _ => None,
    }
}

fn max_attempts(settings: &Settings, environment: &Environment) -> Result<Option<u32>, ConfigError> {
    if let Some(attempts) = settings.max_retries {
        return Ok(Some(attempts.max(1)));
    }
    let Some(text) = environment.get("AWS_MAX_ATTEMPTS") else {
        return Ok(None);
    };
    match text.parse::<u32>() {
        Ok(attempts) => Ok(Some(attempts.max(1))),
        Err(_) => {
            let fact = format!("AWS_MAX_ATTEMPTS is {text:?}, which is not a number");
            Err(ConfigError::new(None, "could not tell how often to retry", fact, "correct or unset the variable"))
        }
    }
}

fn proxies(settings: &Settings, environment: &Environment) -> Result<Proxies, ConfigError> {
    let argument = |secret: &Option<Secret>| secret.clone().filter(|secret| !secret.expose().is_empty());
    let variable = |names: &[&str]| environment.first(names).map(Secret::from);
    let http = argument(&settings.http_proxy).or_else(|| variable(&["HTTP_PROXY", "http_proxy"]));
    let https = argument(&settings.https_proxy)
        .or_else(|| variable(&["HTTPS_PROXY", "https_proxy"]))
        // As in `provider "aws"`: an http_proxy that stands alone serves both.
        .or_else(|| argument(&settings.http_proxy));
    let no_proxy =
        text(settings.no_proxy.as_ref()).or_else(|| environment.first(&["NO_PROXY", "no_proxy"]).map(str::to_owned));
    Proxies::new(http.as_ref().map(Secret::expose), https.as_ref().map(Secret::expose), no_proxy.as_deref()).map_err(
        |scheme| {
            let argument = if scheme == "http" { "http_proxy" } else { "https_proxy" };
            let fact = "its address is not a URL of the form http://host:port";
            ConfigError::new(argument, "could not use the proxy", fact, "correct the argument or the variable")
        },
    )
}

fn ca_bundle(settings: &Settings, environment: &Environment, home: Option<&str>) -> Option<(PathBuf, &'static str)> {
    let argument = settings.custom_ca_bundle.as_ref().filter(|file| !file.as_os_str().is_empty());
    match (argument, environment.get("AWS_CA_BUNDLE")) {
        (Some(file), _) => Some((at_home(file, home), "custom_ca_bundle")),
        (None, Some(file)) => Some((at_home(Path::new(file), home), "AWS_CA_BUNDLE")),
        (None, None) => None,
    }
}

fn user_agent(settings: &Settings, environment: &Environment) -> String {
    let ours = format!("terraform-provider-studio/{}", env!("CARGO_PKG_VERSION"));
    let appended = environment.get("TF_APPEND_USER_AGENT").map(str::to_owned);
    let parts = [ours].into_iter().chain(settings.user_agent.iter().cloned()).chain(appended);
    // A header is one line of visible ASCII.
    let clean = |part: String| part.chars().filter(|char| (' '..='~').contains(char)).collect::<String>();
    parts.map(clean).filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join(" ")
}

fn default_tags(settings: &Settings, environment: &Environment) -> Tags {
    let variables = environment.with_prefix("TF_AWS_DEFAULT_TAGS_");
    let mut tags: Tags = variables.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    tags.extend(settings.default_tags.clone());
    tags
}

fn ignore_tags(settings: &Settings, environment: &Environment) -> IgnoreTags {
    let listed = |name: &str| {
        let items = environment.get(name).unwrap_or_default().split(',');
        items.map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect::<Vec<_>>()
    };
    let mut ignore = settings.ignore_tags.clone();
    ignore.keys.extend(listed("TF_AWS_IGNORE_TAGS_KEYS"));
    ignore.key_prefixes.extend(listed("TF_AWS_IGNORE_TAGS_KEY_PREFIXES"));
    ignore
}

#[cfg(test)]
mod tests;
