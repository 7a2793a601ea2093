//! IAM policy documents: types, parsing, printing, and equality by meaning.
//!
//! One form inside, many outside: lists are sets, a single value is a set of one, condition values
//! are text. [`Document::parse`] takes any legal JSON form, [`Document::to_json`] prints one.
//!
//! **Invariant:** nothing here judges whether a policy is wise; a document that parses is kept
//! whole, and printing what was parsed never changes what it decides.

mod meaning;
mod parse;
mod print;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use parse::ParseError;

/// A set of values; IAM gives their order no meaning.
pub type Values = BTreeSet<String>;

/// The conditions of a statement: operator, then condition key, then values. All operators and all
/// keys must hold, any value of a key.
pub type Conditions = BTreeMap<String, BTreeMap<String, Values>>;

/// Characters a customer managed policy may have, white space between its parts not counted.
pub const MANAGED_POLICY_LIMIT: usize = 6_144;

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The language version. It decides whether `${…}` is a variable.
    pub version: Version,
    /// The optional name of the document.
    pub id: Option<String>,
    /// The statements; their order has no meaning.
    pub statements: Vec<Statement>,
}

/// The version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Version {
    /// `2008-10-17`, also what a document without a version has: `${…}` is plain text.
    V2008,
    /// `2012-10-17`: `${…}` is a variable.
    #[default]
    V2012,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// The statement's name.
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// Who; only in policies of resources and endpoints.
    pub principals: Option<Scope<Principals>>,
    /// Which actions.
    pub actions: Scope<Values>,
    /// Which resources; policies attached to a resource may leave it out.
    pub resources: Option<Scope<Values>>,
    /// Under which conditions.
    pub conditions: Conditions,
}

/// What a matching statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Allows.
    Allow,
    /// Denies, whatever else allows.
    Deny,
}

/// An element or its `Not…` twin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope<T> {
    /// `Action`, `Resource`, `Principal`.
    Only(T),
    /// `NotAction`, `NotResource`, `NotPrincipal`.
    AllBut(T),
}

/// Who a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principals {
    /// `"*"`.
    Everyone,
    /// By kind (`AWS`, `Service`, `Federated`, `CanonicalUser`).
    Listed(BTreeMap<String, Values>),
}

impl Document {
    /// A document in the current version, without an id.
    pub fn new(statements: Vec<Statement>) -> Self {
        Self { version: Version::V2012, id: None, statements }
    }

    /// What a VPC endpoint without a policy of its own has: everything is allowed to everyone.
    pub fn full_access() -> Self {
        let everything = Statement::new(Effect::Allow, values(["*"])).on(values(["*"]));
        Self::new(vec![everything.by(Principals::Everyone)])
    }
}

impl Statement {
    /// A statement about `actions` and nothing else yet.
    pub fn new(effect: Effect, actions: Values) -> Self {
        Self {
            sid: None,
            effect,
            principals: None,
            actions: Scope::Only(actions),
            resources: None,
            conditions: Conditions::new(),
        }
    }

    /// Names the statement.
    pub fn named(mut self, sid: impl Into<String>) -> Self {
        self.sid = Some(sid.into());
        self
    }

    /// Limits it to `resources`.
    pub fn on(mut self, resources: Values) -> Self {
        self.resources = Some(Scope::Only(resources));
        self
    }

    /// Limits it to every resource but these.
    pub fn on_all_but(mut self, resources: Values) -> Self {
        self.resources = Some(Scope::AllBut(resources));
        self
    }

    /// Says whom it is about.
    pub fn by(mut self, principals: Principals) -> Self {
        self.principals = Some(Scope::Only(principals));
        self
    }

    /// Adds one condition. A second one under the same operator and key adds its values to the
    /// first, which for a negated operator reads "none of all these".
    pub fn when(mut self, operator: &str, key: impl Into<String>, values: Values) -> Self {
        let keys = self.conditions.entry(operator.to_owned()).or_default();
        keys.entry(key.into()).or_default().extend(values);
        self
    }
}

/// A set from anything that gives text.
pub fn values<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Values {
    items.into_iter().map(Into::into).collect()
}
