//! Execution roles: whether they are there, in the domain's account, and whether SageMaker may assume them.
//!
//! **Invariant:** pure.

use super::scope::RoleUse;
use super::trust::{SERVICE, Trust, trust};
use crate::aws::iam::role::{Role, role_name};
use crate::aws::{AccountId, RoleArn};
use crate::framework::Diagnostic;

/// Whether a role is of another account than this one. Then it cannot be looked at, and need not be.
pub fn is_foreign(arn: &RoleArn, account: Option<&AccountId>) -> bool {
    account.is_some_and(|account| account_of(arn) != account.as_str())
}

/// What is wrong with a role of another account. A role can be passed only to a service in its own account ("Grant a
/// user permissions to pass a role to an AWS service", IAM user guide).
pub fn foreign(role: &RoleUse, account: &str) -> Diagnostic {
    let text = format!(
        "{} is of account {}, and the domain is in account {account}. A role can be handed only to a service in its own account. Give a role of account {account}; it may be allowed to assume the other one.",
        role.arn,
        account_of(&role.arn),
    );
    Diagnostic::error("The role is of another account", text).at(role.path.clone())
}

/// What is wrong with a role, as it was found by its name.
pub fn check(role: &RoleUse, found: Option<&Role>) -> Option<Diagnostic> {
    let name = role_name(&role.arn);
    let error = |summary: &str, text: String| Some(Diagnostic::error(summary, text).at(role.path.clone()));
    let Some(found) = found else {
        let text =
            format!("There is no role {name:?} in account {}. Check the ARN {}.", account_of(&role.arn), role.arn);
        return error("The role does not exist", text);
    };
    if account_of(&found.arn) != account_of(&role.arn) {
        return Some(foreign(role, account_of(&found.arn)));
    }
    if found.arn != role.arn {
        let text = format!(
            "There is no role {}, but there is {}. Names of roles are unique in an account, whatever their path. Give the whole ARN.",
            role.arn, found.arn
        );
        return error("The role does not exist", text);
    }
    match trust(&found.trust_document) {
        Trust::NotRefused => None,
        Trust::Denied => {
            let text = format!(
                "A statement of the trust policy of {} denies {SERVICE} to assume it. Remove the statement, or give another role. {IN_THE_SAME_RUN}",
                role.arn
            );
            error(NOT_ASSUMABLE, text)
        }
        Trust::NotAllowed(trusted) => {
            let trusted: Vec<_> = trusted.into_iter().collect();
            let now = match trusted.as_slice() {
                [] => "it names nobody whom we know".to_owned(),
                trusted => format!("it trusts {}", trusted.join(", ")),
            };
            let text = format!(
                "No statement of the trust policy of {} allows {SERVICE} to assume it; {now}. Add this statement: {{ \"Effect\": \"Allow\", \"Principal\": {{ \"Service\": {SERVICE:?} }}, \"Action\": \"sts:AssumeRole\" }}. {IN_THE_SAME_RUN}",
                role.arn
            );
            error(NOT_ASSUMABLE, text)
        }
    }
}

const NOT_ASSUMABLE: &str = "SageMaker cannot assume the role";

const IN_THE_SAME_RUN: &str = "If this configuration corrects it, apply the role alone first, with -target.";

fn account_of(arn: &RoleArn) -> &str {
    arn.as_str().split(':').nth(4).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Tags;
    use crate::framework::Path;
    use expect_test::expect;

    const ARN: &str = "arn:aws:iam::111111111111:role/studio";

    fn role_use(arn: &str) -> RoleUse {
        RoleUse { arn: arn.into(), path: Path::root("execution_role_arn") }
    }

    fn role(arn: &str, service: &str) -> Role {
        let trust_document = format!(
            r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"Service": {service:?}}}, "Action": "sts:AssumeRole"}}}}"#
        );
        Role { arn: arn.into(), name: "studio".to_owned(), trust_document, tags: Tags::new() }
    }

    fn text(found: Option<&Role>) -> String {
        check(&role_use(ARN), found).map(|found| format!("{}: {}", found.summary, found.detail)).unwrap_or_default()
    }

    #[test]
    fn a_role_that_sagemaker_may_assume_is_right() {
        assert_eq!(text(Some(&role(ARN, SERVICE))), "");
    }

    #[test]
    fn a_role_of_another_service_is_told_the_statement_that_it_lacks() {
        expect![[r#"SageMaker cannot assume the role: No statement of the trust policy of arn:aws:iam::111111111111:role/studio allows sagemaker.amazonaws.com to assume it; it trusts lambda.amazonaws.com. Add this statement: { "Effect": "Allow", "Principal": { "Service": "sagemaker.amazonaws.com" }, "Action": "sts:AssumeRole" }. If this configuration corrects it, apply the role alone first, with -target."#]]
        .assert_eq(&text(Some(&role(ARN, "lambda.amazonaws.com"))));
    }

    #[test]
    fn a_role_that_is_not_there_or_elsewhere_is_told() {
        assert!(text(None).contains("There is no role \"studio\" in account 111111111111."));
        let elsewhere = role("arn:aws:iam::111111111111:role/path/studio", SERVICE);
        assert!(text(Some(&elsewhere)).contains("but there is arn:aws:iam::111111111111:role/path/studio"));
        // Without a look at whose the credentials are, the role that is found tells.
        let foreign = role("arn:aws:iam::222222222222:role/studio", SERVICE);
        assert!(text(Some(&foreign)).contains("the domain is in account 222222222222"));
    }

    #[test]
    fn a_foreign_role_is_known_where_the_account_is() {
        assert!(is_foreign(&ARN.into(), Some(&"222222222222".into())));
        assert!(!is_foreign(&ARN.into(), Some(&"111111111111".into())));
        assert!(!is_foreign(&ARN.into(), None));
    }
}
