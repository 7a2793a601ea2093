//! Whose credentials they are, and whether that account is to be worked in.
//!
//! **Invariant:** an error names where the credentials came from, and never what they are.

use super::{ConfigError, Settings};
use crate::aws::clients::Clients;
use crate::aws::error::{AwsError, Kind};
use crate::aws::iam::identity::account_by_iam;
use crate::aws::ids::AccountId;
use crate::aws::sts::identity::caller_identity;

/// Gives the clients the account they are of, once it is one to be worked in.
pub(super) async fn check_account(settings: &Settings, clients: Clients) -> Result<Clients, ConfigError> {
    let account_id = if !settings.skip_credentials_validation {
        let identity = caller_identity(&clients).await.map_err(|error| refused(settings, &error))?;
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
        (Some("assume_role"), "let the role's trust policy name the caller, and the caller assume the role")
    } else if settings.assume_role_with_web_identity.is_some() && fact.contains(" AssumeRoleWithWebIdentity for ") {
        (Some("assume_role_with_web_identity"), "let the role trust the token's issuer and audience")
    } else if settings.access_key.is_some() {
        (Some("access_key"), "correct access_key, secret_key and token")
    } else if settings.profile.is_some() {
        (Some("profile"), "let the shared files have this profile with credentials, or sign in to it again")
    } else if fact.contains("no credentials were found") {
        let remedy = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile, \
                      or run where a web identity or a role of the machine is at hand";
        (None, remedy)
    } else {
        (None, "correct the source of credentials that this names")
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
        let fact = format!("the credentials are of account {account_id}, which is not among the allowed ones");
        return Err(ConfigError::new("allowed_account_ids", "could not work in this account", fact, remedy));
    }
    if forbidden.contains(account_id.as_str()) {
        let fact = format!("the credentials are of account {account_id}, which is forbidden");
        return Err(ConfigError::new("forbidden_account_ids", "could not work in this account", fact, remedy));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::config::AssumeRole;

    fn lists(allowed: &[&str], forbidden: &[&str]) -> Settings {
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Settings { allowed_account_ids: set(allowed), forbidden_account_ids: set(forbidden), ..Settings::default() }
    }

    fn argument_at_fault(settings: &Settings, account: Option<&str>) -> Option<&'static str> {
        check_lists(settings, account.map(AccountId::from).as_ref()).err().and_then(|error| error.argument)
    }

    #[test]
    fn an_account_off_the_allowed_list_is_refused() {
        let settings = lists(&["111111111111"], &[]);
        assert_eq!(argument_at_fault(&settings, Some("111111111111")), None);
        assert_eq!(argument_at_fault(&settings, Some("222222222222")), Some("allowed_account_ids"));
        assert_eq!(argument_at_fault(&settings, None), Some("allowed_account_ids"));
    }

    #[test]
    fn refused_credentials_point_at_where_they_came_from() {
        let found = |settings: &Settings, fact: &str| source_of_credentials(settings, fact).0;
        let keys = Settings { access_key: Some("AKIA1".into()), ..Settings::default() };
        assert_eq!(found(&keys, "ExpiredToken"), Some("access_key"));
        let roles = Settings { assume_role: vec![AssumeRole::default()], ..keys };
        assert_eq!(found(&roles, "STS AssumeRole for role r: AccessDenied"), Some("assume_role"));
        assert_eq!(found(&roles, "STS GetCallerIdentity for x: ExpiredToken"), Some("access_key"));
        assert_eq!(found(&Settings::default(), "ExpiredToken"), None);
    }

    #[test]
    fn a_forbidden_account_is_refused() {
        let settings = lists(&[], &["111111111111"]);
        assert_eq!(argument_at_fault(&settings, Some("111111111111")), Some("forbidden_account_ids"));
        assert_eq!(argument_at_fault(&settings, Some("222222222222")), None);
    }

    #[test]
    fn without_lists_an_unknown_account_will_do() {
        assert_eq!(argument_at_fault(&Settings::default(), None), None);
    }
}
