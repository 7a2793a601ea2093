//! What could not be looked at, said once at the end.
//!
//! A look-up that fails keeps nobody from applying: AWS itself refuses what is wrong, only later.
//!
//! **Invariant:** pure.

use crate::aws::{AwsError, Kind, Service};
use crate::framework::Diagnostic;

/// The look-ups that failed, with what was to be learnt from them.
#[derive(Debug, Default)]
pub struct Note(Vec<(String, AwsError)>);

impl Note {
    /// The answer to a look-up that was made. A failure is noted, with what it was for.
    pub fn settle<T>(&mut self, what: &str, answer: Option<Result<T, AwsError>>) -> Option<T> {
        match answer? {
            Ok(answer) => Some(answer),
            Err(error) => {
                // Several look-ups for the same purpose fail for the same reason.
                let is_noted =
                    |(noted, other): &(String, AwsError)| noted == what && other.operation == error.operation;
                if !self.0.iter().any(is_noted) {
                    self.0.push((what.to_owned(), error));
                }
                None
            }
        }
    }

    /// The note, if there is something to say.
    pub fn into_diagnostic(self) -> Option<Diagnostic> {
        let lines: Vec<String> = self.0.iter().map(|(what, error)| format!("- {what}: {}", reason(error))).collect();
        let text = format!(
            "Not checked, because it could not be looked up:\n{}\nNothing is changed by that. If something is wrong there, AWS refuses it during apply, or it shows later.",
            lines.join("\n")
        );
        (!lines.is_empty()).then(|| Diagnostic::warning("Not everything could be checked beforehand", text))
    }
}

fn reason(error: &AwsError) -> String {
    match error.kind {
        Kind::AccessDenied => format!("needs {}", action(error)),
        _ => error.to_string(),
    }
}

/// The IAM action of a call. For all look-ups that are made here it has the operation's own name.
fn action(error: &AwsError) -> String {
    let prefix = match error.service {
        Service::Ec2 => "ec2",
        Service::Iam => "iam",
        Service::Organizations => "organizations",
        Service::Ram => "ram",
        Service::Route53 => "route53",
        Service::Route53Resolver => "route53resolver",
        Service::SageMaker => "sagemaker",
        Service::Sts => "sts",
    };
    format!("{prefix}:{}", error.operation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn error(service: Service, operation: &'static str, kind: Kind) -> AwsError {
        AwsError {
            service,
            operation,
            object: "it".to_owned(),
            kind,
            code: Some("Code".to_owned()),
            message: "text".to_owned(),
            request_id: None,
        }
    }

    #[test]
    fn what_was_answered_or_not_asked_needs_no_note() {
        let mut note = Note::default();
        assert_eq!(note.settle("a", Some(Ok(1))), Some(1));
        assert_eq!(note.settle::<u8>("b", None), None);
        assert_eq!(note.into_diagnostic(), None);
    }

    #[test]
    fn one_note_names_each_action_that_is_missing_once() {
        let mut note = Note::default();
        let denied = |service, operation| Some(Err::<(), _>(error(service, operation, Kind::AccessDenied)));
        note.settle("zones", denied(Service::Route53, "ListHostedZonesByVPC"));
        note.settle("roles", denied(Service::Iam, "GetRole"));
        note.settle("roles", denied(Service::Iam, "GetRole"));
        note.settle("routes", Some(Err::<(), _>(error(Service::Ec2, "DescribeRouteTables", Kind::Throttled))));
        expect![[r#"
            Not checked, because it could not be looked up:
            - zones: needs route53:ListHostedZonesByVPC
            - roles: needs iam:GetRole
            - routes: EC2 DescribeRouteTables for it: Code: text
            Nothing is changed by that. If something is wrong there, AWS refuses it during apply, or it shows later."#]]
        .assert_eq(&note.into_diagnostic().unwrap().detail);
    }
}
