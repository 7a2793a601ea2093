//! Quotas that Route 53 tells.

use aws_sdk_route53 as route53;
use route53::types::{AccountLimit, AccountLimitType};

use super::call;
use crate::aws::{AwsError, Clients};

/// A quota, and how much of it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many there may be.
    pub limit: u64,
    /// How many there are.
    pub used: u64,
}

/// How many hosted zones the account may have, and has (`MAX_HOSTED_ZONES_BY_OWNER`).
///
/// # Errors
/// Whatever Route 53 refuses, such as `AccessDenied`.
pub async fn hosted_zone_quota(clients: &Clients) -> Result<Quota, AwsError> {
    let call = call("GetAccountLimit", "the account's quota of hosted zones");
    let request = clients.route53().get_account_limit().r#type(AccountLimitType::MaxHostedZonesByOwner);
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    let limit = answer.limit().map(AccountLimit::value).ok_or_else(|| call.lacks("limit"))?;
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(Quota { limit: count(limit), used: count(answer.count()) })
}
