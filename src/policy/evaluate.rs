//! What a set of policies decides about one request, offline.
//!
//! The layers are AWS's: a Deny in any of them denies; beyond that each layer that is there must
//! allow. Missing condition keys count as AWS counts them: negated operators hold, others do not.
//!
//! **Invariant:** never a guess. Whatever depends on an unknown value, or on an operator or a kind
//! of principal that is not read here, comes out as [`Decision::CantTell`].

pub(super) mod condition;
pub(super) mod pattern;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use self::pattern::{Expanded, expand, glob};
use super::document::{Document, Effect, Principals, Scope, Statement, Values, Version};

/// A document and the layer in which it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The layer.
    pub layer: Layer,
    /// The document.
    pub document: Document,
}

/// Where a policy is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// To the caller. This layer always counts: without a policy in it nothing is allowed.
    Identity,
    /// To the VPC endpoint that the request comes through.
    Endpoint,
    /// To the caller's account or above it. All documents are read as attached at one level.
    Scp,
    /// To the caller, as a boundary.
    Boundary,
}

/// A request, as IAM sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The action, `service:Name`.
    pub action: String,
    /// The ARN of the resource.
    pub resource: String,
    /// The caller, as in `aws:PrincipalArn`; `None` for an anonymous one.
    pub principal: Option<String>,
    /// Condition keys in lower case, with what is known of them. What is not here is absent from
    /// the request.
    context: BTreeMap<String, Fact>,
}

/// What is known of a condition key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The request has it, with these values; single-valued keys have one.
    Is(Vec<String>),
    /// It may have any value, or be absent.
    Unknown,
}

/// What the policies decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Allowed.
    Allow,
    /// Denied, because a layer does not allow it. Whether a Deny applies too may be unknown.
    ImplicitDeny,
    /// Denied by a Deny.
    ExplicitDeny,
    /// It depends on something unknown.
    CantTell,
}

/// A decision and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The decision.
    pub decision: Decision,
    /// The statements that made it: those that deny, else those that cannot be told, else those
    /// that allow. None for an implicit deny.
    pub matched: Vec<Matched>,
    /// The same in words.
    pub reason: String,
}

/// A statement, by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// Which of the policies, counted from 0.
    pub policy: usize,
    /// Which statement of it, counted from 0.
    pub statement: usize,
    /// Its name.
    pub sid: Option<String>,
}

/// Yes, no, or not to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    Yes,
    No,
    Unknown,
}

impl Decision {
    /// The word that people read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allowed",
            Self::ImplicitDeny => "implicit_deny",
            Self::ExplicitDeny => "explicit_deny",
            Self::CantTell => "cannot_tell",
        }
    }
}

impl Request {
    /// A request of an anonymous caller with nothing in its context.
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), principal: None, context: BTreeMap::new() }
    }

    /// Made by this principal, which also becomes `aws:PrincipalArn`.
    pub fn by(mut self, principal: impl Into<String>) -> Self {
        let principal = principal.into();
        self.principal = Some(principal.clone());
        self.with("aws:PrincipalArn", principal)
    }

    /// With one value for a condition key, in any letter case.
    pub fn with(self, key: &str, value: impl Into<String>) -> Self {
        self.with_fact(key, Fact::Is(vec![value.into()]))
    }

    /// With what is known of a condition key, in any letter case.
    pub fn with_fact(mut self, key: &str, fact: Fact) -> Self {
        self.context.insert(key.to_ascii_lowercase(), fact);
        self
    }

    /// What is known of a key; `None` if the request does not have it.
    pub fn fact(&self, key: &str) -> Option<&Fact> {
        let fact = self.context.get(&key.to_ascii_lowercase());
        fact.filter(|fact| !matches!(fact, Fact::Is(values) if values.is_empty()))
    }
}

/// Decides a request. Endpoint policies are to be given for the endpoint that the request comes
/// through, and none for a request that comes through no endpoint.
pub fn decide(policies: &[Attached], request: &Request) -> Outcome {
    let mut denying = Found::default();
    let mut allowing: BTreeMap<Layer, Found> = BTreeMap::from([(Layer::Identity, Found::default())]);
    for (policy, Attached { layer, document }) in policies.iter().enumerate() {
        let allowing = allowing.entry(*layer).or_default();
        for (index, statement) in document.statements.iter().enumerate() {
            let found = match statement.effect {
                Effect::Allow => &mut *allowing,
                Effect::Deny => &mut denying,
            };
            let sid = statement.sid.clone();
            let place = Matched { policy, statement: index, sid };
            found.note(applies(statement, document.version, request), place);
        }
    }
    conclude(denying, allowing)
}

/// The statements of one effect that apply, and those that may.
#[derive(Default)]
struct Found {
    yes: Vec<Matched>,
    unknown: Vec<Matched>,
}

impl Found {
    fn note(&mut self, truth: Truth, place: Matched) {
        match truth {
            Truth::Yes => self.yes.push(place),
            Truth::Unknown => self.unknown.push(place),
            Truth::No => {}
        }
    }

    fn truth(&self) -> Truth {
        match (self.yes.is_empty(), self.unknown.is_empty()) {
            (false, _) => Truth::Yes,
            (true, false) => Truth::Unknown,
            (true, true) => Truth::No,
        }
    }
}

fn conclude(denying: Found, allowing: BTreeMap<Layer, Found>) -> Outcome {
    match weigh(denying.truth(), allowing.values().map(Found::truth)) {
        Decision::ExplicitDeny => {
            let first = denying.yes.first().expect("a Deny applies");
            let reason = format!("{first} denies it");
            Outcome { decision: Decision::ExplicitDeny, matched: denying.yes, reason }
        }
        Decision::ImplicitDeny => {
            let silent = allowing.iter().find(|(_, found)| found.truth() == Truth::No);
            let (layer, _) = silent.expect("a layer does not allow");
            let reason = format!("nothing in the {} allows it", layer.name());
            Outcome { decision: Decision::ImplicitDeny, matched: Vec::new(), reason }
        }
        Decision::CantTell => {
            // An Allow that is unknown does not matter beside one in the same layer that applies.
            let open = allowing.into_values().filter(|found| found.yes.is_empty());
            let matched: Vec<_> = denying.unknown.into_iter().chain(open.flat_map(|found| found.unknown)).collect();
            let first = matched.first().expect("a statement is unknown");
            let reason = format!("whether {first} applies depends on something unknown");
            Outcome { decision: Decision::CantTell, matched, reason }
        }
        Decision::Allow => {
            let matched: Vec<_> = allowing.into_values().flat_map(|found| found.yes).collect();
            let first = matched.first().expect("every layer has a statement that allows");
            Outcome { decision: Decision::Allow, reason: format!("{first} allows it"), matched }
        }
    }
}

/// The rule: a Deny that applies denies; then each layer must allow; what is left open by either
/// cannot be told.
pub(super) fn weigh(denied: Truth, layers: impl IntoIterator<Item = Truth>) -> Decision {
    let allowed = layers.into_iter().fold(Truth::Yes, Truth::and);
    match (denied, allowed) {
        (Truth::Yes, _) => Decision::ExplicitDeny,
        (_, Truth::No) => Decision::ImplicitDeny,
        (Truth::Unknown, _) | (_, Truth::Unknown) => Decision::CantTell,
        (Truth::No, Truth::Yes) => Decision::Allow,
    }
}

/// Whether a statement is about this request.
fn applies(statement: &Statement, version: Version, request: &Request) -> Truth {
    let conditions = condition::all_hold(&statement.conditions, version, request);
    is_about_caller(statement, request)
        .and(is_about_action(statement, request))
        .and(is_about_resource(statement, version, request))
        .and(conditions)
}

/// Whether a statement is about the caller.
pub(super) fn is_about_caller(statement: &Statement, request: &Request) -> Truth {
    match &statement.principals {
        None => Truth::Yes,
        Some(Scope::Only(who)) => is_among(who, request.principal.as_deref()),
        // `NotPrincipal` also names sessions, accounts and services around a caller.
        Some(Scope::AllBut(_)) => Truth::Unknown,
    }
}

/// Whether a statement is about the action.
pub(super) fn is_about_action(statement: &Statement, request: &Request) -> Truth {
    let matches = |pattern: &String| {
        let pattern = pattern::literal(&pattern.to_ascii_lowercase());
        glob(&pattern, &request.action.to_ascii_lowercase())
    };
    match &statement.actions {
        Scope::Only(actions) => actions.iter().any(matches).into(),
        Scope::AllBut(actions) => (!actions.iter().any(matches)).into(),
    }
}

/// Whether a statement is about the resource.
pub(super) fn is_about_resource(statement: &Statement, version: Version, request: &Request) -> Truth {
    match &statement.resources {
        None => Truth::Yes,
        Some(Scope::Only(arns)) => is_resource(arns, version, request).0,
        Some(Scope::AllBut(arns)) => {
            let (truth, in_play) = is_resource(arns, version, request);
            truth.not().and(in_play)
        }
    }
}

/// Whether the resource is one of these, and whether all their variables have values. A variable
/// without one takes the statement out of play.
fn is_resource(arns: &Values, version: Version, request: &Request) -> (Truth, Truth) {
    let (mut matches, mut in_play) = (Truth::No, Truth::Yes);
    for arn in arns {
        let (truth, known) = match expand(arn, version, request) {
            Expanded::Pattern(pattern) => (glob(&pattern, &request.resource).into(), Truth::Yes),
            Expanded::NoValue => (Truth::No, Truth::No),
            Expanded::Unknown => (Truth::Unknown, Truth::Unknown),
        };
        matches = matches.or(truth);
        in_play = in_play.and(known);
    }
    (matches.and(in_play), in_play)
}

fn is_among(who: &Principals, principal: Option<&str>) -> Truth {
    let Principals::Listed(kinds) = who else { return Truth::Yes };
    let Some(aws) = kinds.get("AWS") else { return Truth::No };
    if aws.contains("*") {
        return Truth::Yes;
    }
    let Some(principal) = principal else { return Truth::No };
    let account = principal.split(':').nth(4).unwrap_or_default();
    let named = |who: &String| {
        let root = who.strip_suffix(":root").and_then(|arn| arn.split(':').nth(4));
        who == principal || who == account || root == Some(account)
    };
    Truth::from(aws.iter().any(named))
}

impl Truth {
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::Yes } else { Self::No }
    }
}

impl Layer {
    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity policies",
            Self::Endpoint => "endpoint policies",
            Self::Scp => "service control policies",
            Self::Boundary => "permissions boundary",
        }
    }
}

impl std::fmt::Display for Matched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { policy, statement, sid } = self;
        match sid {
            Some(sid) => write!(f, "statement {sid} of policy {policy}"),
            None => write!(f, "statement {statement} of policy {policy}"),
        }
    }
}
