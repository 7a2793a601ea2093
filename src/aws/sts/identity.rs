//! Who the credentials belong to.

use aws_config::retry::RetryConfig;
use aws_sdk_sts as sts;

use crate::aws::error::{Call, Service};
use crate::aws::{AccountId, AwsError, Clients};

/// Who the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account_id: AccountId,
    /// The user, or the role and its session.
    pub arn: String,
}

/// It is the first call of all. That an endpoint cannot be reached should be known in seconds, not after as many attempts
/// as a long apply may make.
const ATTEMPTS: u32 = 4;

/// Asks STS who we are. It needs no permission, so it tells valid credentials from others.
///
/// # Errors
/// `Credentials` when there are none, or they are expired or unknown to AWS.
pub async fn caller_identity(clients: &Clients) -> Result<Identity, AwsError> {
    let call = Call::new(Service::Sts, "GetCallerIdentity", "the credentials in use");
    let retries = sts::config::Builder::new().retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
    let request = clients.sts().get_caller_identity().customize().config_override(retries);
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    Ok(Identity {
        account_id: answer.account().ok_or_else(|| call.lacks("account id"))?.into(),
        arn: answer.arn().unwrap_or_default().to_owned(),
    })
}
