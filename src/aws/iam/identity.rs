//! The account, from IAM: for where STS cannot be asked.

use super::call;
use crate::aws::{AccountId, AwsError, Clients};

/// The account that the credentials belong to, read off the ARN of the user, else of any role.
///
/// # Errors
/// Whatever IAM refuses, such as `AccessDenied`, of the second call.
pub async fn account_by_iam(clients: &Clients) -> Result<AccountId, AwsError> {
    let user = clients.iam().get_user().send().await.ok();
    let arn = user.as_ref().and_then(|answer| answer.user()).map(|user| user.arn().to_owned());
    if let Some(account) = arn.as_deref().and_then(account) {
        return Ok(account);
    }
    let call = call("ListRoles", "the account's roles");
    let roles = clients.iam().list_roles().max_items(1).send().await.map_err(|error| call.failed(error))?;
    roles.roles().first().and_then(|role| account(role.arn())).ok_or_else(|| call.lacks("role"))
}

fn account(arn: &str) -> Option<AccountId> {
    let account = arn.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then(|| account.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_the_account() {
        assert_eq!(account("arn:aws-cn:iam::123456789012:user/me"), Some("123456789012".into()));
        assert_eq!(account("arn:aws:s3:::bucket"), None);
    }
}
