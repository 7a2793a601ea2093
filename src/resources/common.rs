//! What the three composites have in common: shared attributes, the words of their diagnostics, and how long they may
//! take.
//!
//! **Invariant:** nothing here calls AWS.

use std::fmt::Write as _;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::aws::tags::{merge, with_owner};
use crate::aws::wait::Patience;
use crate::aws::{AwsError, Clients, Kind, Tags};
use crate::framework::{Attribute, Call, Diagnostic, Diagnostics, Timeouts, Value, checks, timeout};
use crate::steps::Report;

/// How long an operation may take where the user says nothing. A domain takes some minutes, its deletion with apps more.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// The steps that may run at once. EC2 and SageMaker take far more; Route 53 and its Resolver, five requests a second
/// an account, are slowed by the SDK's own retries.
pub const CONCURRENT_STEPS: usize = 16;

/// Where a composite keeps what it has recorded, in the private data.
pub const RECORDED: &str = "recorded";

/// `region`.
pub fn region_attribute() -> Attribute {
    Attribute::string("region")
        .describe("The Region that the objects are in. By default the provider's. An import takes another one behind the id, as in `<id>@eu-west-1`.")
        .optional_computed()
        .replaces()
        .check(checks::region())
}

/// `id`, with its own description.
pub fn id_attribute(description: &'static str) -> Attribute {
    Attribute::string("id").computed().describe(description)
}

/// `tags`, `tags_all`, `drift` and `timeouts`: the attributes that stand at the end of every composite's schema.
pub fn closing_attributes() -> Vec<Attribute> {
    vec![
        Attribute::string_map("tags")
            .describe("Tags for everything that the resource makes. They are joined with the provider's `default_tags`; where both have a key, this one holds.")
            .check(checks_for_tags()),
        Attribute::string_map("tags_all")
            .computed()
            .describe("All tags, those of the provider's `default_tags` included."),
        Attribute::strings("drift").computed().describe(
            "What the last look found different from what was applied and no other attribute shows, such as a missing record or a rule added by hand. The next apply repairs it.",
        ),
        Timeouts::attribute(),
    ]
}

fn checks_for_tags() -> crate::framework::schema::Check {
    std::sync::Arc::new(|tags| {
        let keys = tags.as_map().into_iter().flat_map(|tags| tags.keys());
        for key in keys {
            if key.starts_with("aws:") || key.starts_with("terraform-provider-studio:") {
                return Err(format!("The key {key:?} is reserved. Choose another."));
            }
            if key.is_empty() || key.chars().count() > 128 {
                return Err(format!("The key {key:?} is not 1 to 128 characters long."));
            }
        }
        Ok(())
    })
}

/// All tags of a resource, as far as they are known.
pub fn tags_all(
    clients: Option<&Clients>,
    tags: &Value<std::collections::BTreeMap<String, Value<String>>>,
) -> Value<Tags> {
    let Some(clients) = clients else {
        return Value::Unknown;
    };
    match tags {
        Value::Unknown => Value::Unknown,
        Value::Null => Value::Known(merge(clients.default_tags(), &Tags::new())),
        Value::Known(tags) => {
            let own: Option<Tags> =
                tags.iter().map(|(key, value)| Some((key.clone(), value.known()?.clone()))).collect();
            own.map_or(Value::Unknown, |own| Value::Known(merge(clients.default_tags(), &own)))
        }
    }
}

/// What a running operation has at hand.
#[derive(Clone)]
pub struct Work {
    /// The clients of the resource's Region.
    pub clients: Clients,
    /// When to give up, and when to stop.
    pub patience: Patience,
    /// What this resource's objects are tagged with.
    pub owner: String,
    attempt: u64,
}

impl Work {
    /// Starts an operation that may take as long as the user says.
    pub fn start(clients: Clients, call: &Call, owner: &str, limit: &Value<String>) -> Self {
        let patience = clients.patience(timeout(limit, DEFAULT_TIMEOUT), call.stop.clone());
        Work { clients, patience, owner: owner.to_owned(), attempt: fastrand::u64(..) }
    }

    /// A token that makes a creation idempotent within this operation. AWS allows 64 characters.
    pub fn token(&self, part: &str) -> String {
        digest(&[&self.owner, part, &self.attempt.to_string()])
    }

    /// Tags for one object, with those that say whose it is.
    pub fn tags(&self, tags: &Tags, part: &str) -> Tags {
        with_owner(tags, &self.owner, part)
    }
}

/// An ownership id made from what identifies a resource. The same resource has the same one after a run that was killed
/// before it could save its state, so that what it made can be found again.
pub fn owner_id(parts: &[&str]) -> String {
    digest(parts)[..24].to_owned()
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// Why a step failed: what it was to do, and what AWS said.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Completes "Could not …".
    pub what: String,
    /// What AWS said.
    pub error: AwsError,
}

impl Fault {
    /// A fault while doing this.
    pub fn new(what: impl Into<String>, error: AwsError) -> Self {
        Fault { what: what.into(), error }
    }

    /// For `map_err`.
    pub fn of(what: impl Into<String>) -> impl FnOnce(AwsError) -> Fault {
        let what = what.into();
        move |error| Fault { what, error }
    }
}

/// What to do to a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make it, or adopt it.
    Create,
    /// Wait for it if it is not ready, and change what differs.
    Update,
    /// Delete it; let go of it where it was adopted, and set back what was only set.
    Delete,
}

/// Which operation a report is about; it decides how to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Terraform marks what is there as tainted.
    Create,
    /// Terraform keeps the state.
    Update,
    /// What is left stays in the state.
    Destroy,
}

impl Operation {
    /// The operation that leads from what was to what is planned.
    pub fn of<M>(prior: Option<&M>, planned: Option<&M>) -> Self {
        match (prior, planned) {
            (None, _) => Operation::Create,
            (Some(_), Some(_)) => Operation::Update,
            (Some(_), None) => Operation::Destroy,
        }
    }

    /// How long it may take, as the user wrote it.
    pub fn limit(self, timeouts: &Value<Timeouts>) -> Value<String> {
        let timeouts = timeouts.known().cloned().unwrap_or_default();
        match self {
            Operation::Create => timeouts.create,
            Operation::Update => timeouts.update,
            Operation::Destroy => timeouts.delete,
        }
    }
}

/// Turns what became of the steps into messages that say what failed, what is true now, and how to go on.
///
/// `existing` names the parts that exist and are recorded; `name` completes "was not started: …".
pub fn explain<K>(
    operation: Operation,
    report: &Report<K, Fault>,
    existing: &[String],
    name: impl Fn(&K) -> String,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    let state = state_of_things(operation, report, existing, name);
    for (_, fault) in &report.failed {
        let summary = match fault.error.kind {
            Kind::Interrupted => format!("Interrupted: could not {}", fault.what),
            _ => format!("Could not {}", fault.what),
        };
        found.push(Diagnostic::error(summary, format!("{}.\n\n{state}", fault.error)));
    }
    if report.failed.is_empty() && !report.skipped.is_empty() {
        found.push(Diagnostic::error("The run was interrupted", state));
    }
    found
}

fn state_of_things<K>(
    operation: Operation,
    report: &Report<K, Fault>,
    existing: &[String],
    name: impl Fn(&K) -> String,
) -> String {
    let mut text = match existing {
        [] => "Nothing exists of this resource.".to_owned(),
        parts => format!("These parts exist and are recorded: {}.", parts.join(", ")),
    };
    if !report.skipped.is_empty() {
        let skipped: Vec<_> = report.skipped.iter().map(name).collect();
        let _ = write!(text, "\nNot started: {}.", skipped.join(", "));
    }
    let way_on = match operation {
        Operation::Create if existing.is_empty() => "Remove the cause, then apply again.",
        Operation::Create => {
            "Remove the cause. Then apply again to start over (the parts above are deleted first), or first run \"terraform untaint\" with the address shown above, to keep them and continue from here."
        }
        Operation::Update => "Remove the cause, then apply again to continue from here.",
        Operation::Destroy => "Remove the cause, then destroy again to continue from here.",
    };
    let _ = write!(text, "\n\n{way_on}");
    text
}

/// An AWS error outside of steps: while planning, reading or importing.
pub fn aws_error(what: &str, error: &AwsError) -> Diagnostic {
    Diagnostic::error(format!("Could not {what}"), format!("{error}.\n\nNothing was changed."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use expect_test::expect;

    fn fault() -> Fault {
        let error = AwsError {
            service: Service::Ec2,
            operation: "CreateVpcEndpoint",
            object: "VPC endpoint of sagemaker.api".to_owned(),
            kind: Kind::LimitExceeded,
            code: Some("VpcEndpointLimitExceeded".to_owned()),
            message: "no more".to_owned(),
            request_id: Some("1a2b".to_owned()),
        };
        Fault::new("create the VPC endpoint for sagemaker.api", error)
    }

    #[test]
    fn a_failed_creation_says_what_exists_and_offers_both_ways_on() {
        let report = Report { done: vec!["group"], failed: vec![("api", fault())], skipped: vec!["zone"] };
        let existing = ["security group sg-1".to_owned()];
        let found = explain(Operation::Create, &report, &existing, |key| (*key).to_owned());
        let text: Vec<_> = found.iter().map(|one| format!("{}\n{}", one.summary, one.detail)).collect();
        expect![[r#"
            Could not create the VPC endpoint for sagemaker.api
            EC2 CreateVpcEndpoint for VPC endpoint of sagemaker.api: VpcEndpointLimitExceeded: no more (request 1a2b).

            These parts exist and are recorded: security group sg-1.
            Not started: zone.

            Remove the cause. Then apply again to start over (the parts above are deleted first), or first run "terraform untaint" with the address shown above, to keep them and continue from here."#]]
        .assert_eq(&text.join("\n"));
    }

    #[test]
    fn a_run_that_was_stopped_between_two_steps_is_not_a_success() {
        let report = Report { done: vec!["group"], failed: vec![], skipped: vec!["zone"] };
        assert!(explain(Operation::Update, &report, &[], |key| (*key).to_owned()).has_errors());
    }

    #[test]
    fn an_owner_id_depends_on_every_part_and_on_where_it_ends() {
        assert_eq!(owner_id(&["a", "b"]), owner_id(&["a", "b"]));
        assert_ne!(owner_id(&["a", "b"]), owner_id(&["ab", ""]));
        assert_eq!(owner_id(&["a"]).len(), 24);
    }
}
