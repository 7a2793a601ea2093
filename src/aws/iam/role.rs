//! Roles: looked at, never made.

use super::{call, unescaped};
use crate::aws::{AwsError, Clients, RoleArn, Tags};

/// What we need to know of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: RoleArn,
    /// Its name.
    pub name: String,
    /// Who may assume it: its trust policy.
    pub trust_document: String,
    /// Its tags.
    pub tags: Tags,
}

/// Looks a role up by name.
///
/// # Errors
/// Whatever IAM refuses, such as `AccessDenied`.
pub async fn find_role(clients: &Clients, name: &str) -> Result<Option<Role>, AwsError> {
    let call = call("GetRole", format!("role {name}"));
    let answer = match clients
        .iam()
        .get_role()
        .role_name(name)
        .send()
        .await
        .map_err(|error| call.failed(error))
    {
        Ok(answer) => answer,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    let role = answer.role().ok_or_else(|| call.lacks("role"))?;
    Ok(Some(Role {
        arn: role.arn().into(),
        name: role.role_name().to_owned(),
        trust_document: unescaped(role.assume_role_policy_document().unwrap_or_default()),
        tags: role
            .tags()
            .iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect(),
    }))
}

/// The name at the end of a role's ARN, behind its path.
pub fn role_name(arn: &RoleArn) -> &str {
    arn.as_str().rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roles_name_stands_behind_its_path() {
        assert_eq!(
            role_name(&"arn:aws:iam::123456789012:role/service-role/studio".into()),
            "studio"
        );
        assert_eq!(role_name(&"arn:aws:iam::123456789012:role/studio".into()), "studio");
    }
}
