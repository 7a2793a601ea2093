//! What the analysis finds, as an attribute and as messages of a plan.
//!
//! **Invariant:** pure. What a finding says is said by the analysis.

use serde::{Deserialize, Serialize};

use super::settings::Settings;
use crate::framework::schema::Nesting;
use crate::framework::{Attribute, Diagnostic, Diagnostics, Path, Value, checks};
use crate::policy::analyze::{Code, Finding, Severity};

/// One element of `findings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema below")]
pub struct Shown {
    pub code: String,
    pub severity: String,
    pub message: String,
    pub witness: String,
}

/// `findings`, computed.
pub type Findings = Value<Vec<Shown>>;

/// What findings of severity `error` do to a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnLockout {
    /// The plan fails.
    Error,
    /// The plan warns.
    Warn,
    /// The plan says nothing of them; the attribute does.
    Ignore,
}

/// `on_lockout`.
pub fn on_lockout_attribute() -> Attribute {
    Attribute::string("on_lockout")
        .default_to("error")
        .describe("What a finding of severity `error` does to a plan: `error` stops it, `warn` makes a warning of it, `ignore` leaves it to `findings`, which lists all of them in any case. Findings of severity `warning` warn whatever this says, and those of severity `info` are in `findings` only.")
        .check(checks::one_of(&["error", "warn", "ignore"]))
}

const CODES: &str = "What kind of finding it is: `missing_studio_endpoint`, `missing_api_endpoint`, `source_ip_over_endpoint`, `vpc_source_ip_without_vpc`, `unreachable_path`, `everyone_locked_out`, `public_path`, `grant_is_no_restriction`, `execution_role_restricted`, `sso_domain`, `endpoint_of_other_vpc`, `private_dns_off`, `narrow_api_endpoint_policy`, `no_exempt_principal`, `let_in`, `locked_out` or `cannot_tell`. A path that asks nothing, `empty_path`, is refused before there are findings.";

/// `findings`.
pub fn findings_attribute(description: &'static str) -> Attribute {
    let string = |name, text| Attribute::string(name).computed().describe(text);
    Attribute::nested(
        "findings",
        Nesting::List,
        vec![
            string("code", CODES),
            string("severity", "`error`: somebody is locked out for whom a path was meant, or a condition does not hold. `warning`: that may be so. `info`: worth knowing."),
            string("message", "Who is locked out or let in, and what to change."),
            string("witness", "A request that shows it, as JSON, in the form that `requests` of `studio_presign_simulation` takes after `jsondecode`."),
        ],
    )
    .computed()
    .describe(description)
}

impl OnLockout {
    /// Reads the attribute.
    pub fn of(value: &Value<String>) -> Self {
        match value.text() {
            Some("warn") => OnLockout::Warn,
            Some("ignore") => OnLockout::Ignore,
            Some(_) | None => OnLockout::Error,
        }
    }
}

/// The attribute's value. Errors come first, as the analysis has it.
pub fn shown(findings: &[Finding]) -> Vec<Shown> {
    let one = |finding: &Finding| Shown {
        code: finding.code.to_string(),
        severity: finding.severity.to_string(),
        message: finding.message.clone(),
        witness: finding.witness.to_json(),
    };
    findings.iter().map(one).collect()
}

/// What a plan says of the findings, on the attributes at fault.
pub fn diagnostics(findings: &[Finding], on_lockout: OnLockout, settings: &Settings) -> Diagnostics {
    let mut said = Diagnostics::new();
    for (index, finding) in findings.iter().enumerate() {
        let text = told(finding);
        // Of warnings with the same first line Terraform shows one, and counts the others.
        let is_same = |other: &&Finding| other.code == finding.code;
        let (all, before) = (findings.iter().filter(is_same).count(), findings[..index].iter().filter(is_same).count());
        let number = if all > 1 { format!(" ({} of {all})", before + 1) } else { String::new() };
        let summary = summary(finding) + &number;
        let diagnostic = match (finding.severity, on_lockout) {
            (Severity::Error, OnLockout::Ignore) | (Severity::Info, _) => continue,
            (Severity::Error, OnLockout::Error) => Diagnostic::error(
                summary,
                format!("{text}\n\nIf this is meant, set on_lockout to \"warn\" or \"ignore\"."),
            ),
            (Severity::Error, OnLockout::Warn) | (Severity::Warning, _) => Diagnostic::warning(summary, text),
        };
        said.push(diagnostic.at(path(finding, settings)));
    }
    said
}

/// What is said of a path that asks nothing: there is no document for it, so that it is refused whatever `on_lockout`
/// says.
pub fn refusal(finding: &Finding, settings: &Settings) -> Diagnostic {
    let detail =
        format!("{}\n\nThis is refused whatever on_lockout says: there is no policy for such a path.", told(finding));
    Diagnostic::error(summary(finding), detail).at(path(finding, settings))
}

fn summary(finding: &Finding) -> String {
    format!("Presigned URLs: {}", finding.code.as_str().replace('_', " "))
}

/// The message with the witness. Terraform breaks the lines of a text, but for those that begin with a space: that of
/// the witness is to be copied whole.
fn told(Finding { message, code, witness, .. }: &Finding) -> String {
    format!("{message}\n\nFinding {code}, shown by this request:\n  {}", witness.to_json())
}

/// The attribute to change. Where no rule is at fault, that is what makes the rules matter to a caller, or else the
/// paths as a whole.
fn path(finding: &Finding, settings: &Settings) -> Path {
    match (&finding.at, finding.code) {
        (Some(at), _) => settings.path(at),
        (None, Code::GrantIsNoRestriction) => Path::root("mode"),
        (None, Code::ExecutionRoleRestricted) => Path::root("attach_to"),
        (None, _) => Path::root("allowed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::Severity as Said;
    use crate::policy::inputs::{At, Key};
    use crate::policy::simulation::NamedRequest;

    fn finding(severity: Severity) -> Finding {
        Finding {
            code: Code::SourceIpOverEndpoint,
            severity,
            message: "Everyone is locked out.".to_owned(),
            witness: NamedRequest { action: "a:b".to_owned(), resource: "r".to_owned(), ..NamedRequest::default() },
            at: Some(At::PathList(1, Key::SourceIp)),
        }
    }

    fn said(severity: Severity, on_lockout: OnLockout) -> Option<Said> {
        let settings = Settings::of(&Default::default());
        diagnostics(&[finding(severity)], on_lockout, &settings).iter().next().map(|one| one.severity)
    }

    #[test]
    fn on_lockout_decides_what_an_error_does_and_warnings_always_warn() {
        assert_eq!(said(Severity::Error, OnLockout::Error), Some(Said::Error));
        assert_eq!(said(Severity::Error, OnLockout::Warn), Some(Said::Warning));
        assert_eq!(said(Severity::Error, OnLockout::Ignore), None);
        for on_lockout in [OnLockout::Error, OnLockout::Warn, OnLockout::Ignore] {
            assert_eq!(said(Severity::Warning, on_lockout), Some(Said::Warning));
            assert_eq!(said(Severity::Info, on_lockout), None);
        }
    }

    #[test]
    fn findings_of_one_kind_are_numbered() {
        let found = [finding(Severity::Error), finding(Severity::Warning)];
        let said = diagnostics(&found, OnLockout::Warn, &Settings::of(&Default::default()));
        let summaries: Vec<_> = said.iter().map(|one| one.summary.as_str()).collect();
        let summary = "Presigned URLs: source ip over endpoint";
        assert_eq!(summaries, [format!("{summary} (1 of 2)"), format!("{summary} (2 of 2)")]);
    }

    #[test]
    fn the_schema_names_every_code() {
        for code in Code::ALL {
            assert!(CODES.contains(&format!("`{code}`")), "{code} is not in {CODES}");
        }
    }

    #[test]
    fn a_path_that_asks_nothing_is_refused() {
        let finding = Finding { code: Code::EmptyPath, at: Some(At::Path(0)), ..finding(Severity::Error) };
        let said = refusal(&finding, &Settings::of(&Default::default()));
        assert_eq!(said.severity, Said::Error);
        assert_eq!(said.path.as_ref().unwrap().to_string(), "allowed[0]");
        assert!(said.detail.contains("Finding empty_path") && said.detail.contains("whatever"), "{}", said.detail);
    }

    #[test]
    fn a_message_stands_at_the_attribute_and_carries_its_witness() {
        let settings = Settings::of(&Default::default());
        let said = diagnostics(&[finding(Severity::Error)], OnLockout::Error, &settings);
        let said = said.iter().next().unwrap();
        assert_eq!(said.path.as_ref().unwrap().to_string(), "allowed[1].source_cidr_blocks");
        // In a line that Terraform leaves whole.
        assert!(said.detail.contains("\n  {\"action\":\"a:b\",\"resource\":\"r\"}\n"), "{}", said.detail);
        assert!(said.detail.contains("source_ip_over_endpoint"), "{}", said.detail);
    }
}
