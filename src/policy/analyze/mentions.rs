//! What policies and paths mention: for each condition key, the values that it is compared with.
//!
//! **Invariant:** every comparison of a document is collected, or there is a doubt that says which
//! one was not.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::texts::{self, Steps};
use crate::policy::document::{Document, Principals, Scope, Statement, Values, Version};
use crate::policy::evaluate::condition::{Comparison, comparison};
use crate::policy::evaluate::pattern::{self, Expanded, expand, plain};
use crate::policy::evaluate::{Fact, Request};
use crate::policy::variables::{Piece, pieces};

/// All that is mentioned.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    /// By condition key in lower case.
    pub(super) keys: BTreeMap<String, Mentioned>,
    /// Patterns of resources.
    pub(super) resources: Mentioned,
    /// Keys that give variables their values, in lower case.
    pub(super) variables: BTreeSet<String>,
    /// Comparisons whose values do not split requests into finitely many classes here.
    pub(super) doubts: BTreeSet<String>,
}

/// What one key is compared with.
#[derive(Debug, Default, Clone)]
pub(super) struct Mentioned {
    /// The key as it was first written.
    pub(super) name: String,
    /// Whole values.
    pub(super) literals: BTreeSet<String>,
    /// Patterns with wildcards.
    pub(super) patterns: BTreeSet<Steps>,
    /// Address ranges.
    pub(super) ranges: BTreeSet<IpNet>,
    /// Values with variables, with how they are read.
    pub(super) with_variables: BTreeSet<(String, Reading)>,
}

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reading {
    /// Letter by letter.
    Whole,
    /// Letter by letter, but for upper and lower case.
    AnyCase,
    /// With wildcards.
    Wild,
    /// With wildcards, as an ARN.
    Arn,
    /// As an address or a range.
    Address,
}

impl Mentions {
    /// Collects the values of a document.
    pub(super) fn add_document(&mut self, document: &Document) {
        for statement in &document.statements {
            self.add_statement(statement, document.version);
        }
    }

    fn add_statement(&mut self, statement: &Statement, version: Version) {
        if let Some(Scope::Only(arns) | Scope::AllBut(arns)) = &statement.resources {
            for arn in arns {
                let variables = self.resources.add(arn, Reading::Wild, version);
                self.variables.extend(variables);
            }
        }
        if let Some(Scope::Only(Principals::Listed(kinds))) = &statement.principals {
            let named = kinds.get("AWS").into_iter().flatten().filter(|who| who.starts_with("arn:"));
            for who in named {
                self.add("aws:PrincipalArn", who, Reading::Whole, Version::V2008);
            }
        }
        for (operator, keys) in &statement.conditions {
            for (key, values) in keys {
                self.add_condition(operator, key, values, version);
            }
        }
    }

    fn add_condition(&mut self, operator: &str, key: &str, values: &Values, version: Version) {
        let Some((comparison, is_set_operator)) = comparison(operator) else {
            self.doubts.insert(format!("the operator {operator} on {key} is not read here"));
            return;
        };
        if is_set_operator && !is_single_valued(key) {
            self.doubts.insert(format!("{key} is taken to have one value at most, and {operator} asks about several"));
        }
        let reading = match comparison {
            Comparison::StringEquals | Comparison::Bool => Reading::Whole,
            Comparison::StringEqualsIgnoreCase => Reading::AnyCase,
            Comparison::StringLike => Reading::Wild,
            Comparison::ArnLike => Reading::Arn,
            Comparison::IpAddress => Reading::Address,
            Comparison::Null => {
                self.key(key);
                return;
            }
        };
        if holds_addresses(key) && reading == Reading::Wild {
            self.doubts.insert(format!("{key} is compared with patterns, which ranges of addresses do not follow"));
        }
        for value in values {
            let value = if comparison == Comparison::Bool { value.to_ascii_lowercase() } else { value.clone() };
            self.add(key, &value, reading, version);
        }
        self.key(key);
    }

    /// Adds a value that a key is compared with.
    pub(super) fn add(&mut self, key: &str, value: &str, reading: Reading, version: Version) {
        let variables = self.key(key).add(value, reading, version);
        self.variables.extend(variables);
    }

    /// What a key is compared with, so far.
    pub(super) fn key(&mut self, key: &str) -> &mut Mentioned {
        let mentioned = self.keys.entry(key.to_ascii_lowercase()).or_default();
        if mentioned.name.is_empty() {
            mentioned.name = key.to_owned();
        }
        mentioned
    }

    /// Puts values in place of the variables. Each variable takes each of its values.
    pub(super) fn instantiate(&mut self, values: &BTreeMap<String, Vec<String>>) {
        let Self { keys, resources, doubts, .. } = self;
        for mentioned in keys.values_mut().chain([resources]) {
            for (text, reading) in mentioned.with_variables.clone() {
                let requests = assignments(&text, values);
                if requests.is_none() {
                    doubts.insert(format!("\"{text}\" has too many variables"));
                }
                for request in requests.into_iter().flatten() {
                    mentioned.add_expanded(&text, reading, Version::V2012, &request);
                }
            }
        }
    }
}

impl Mentioned {
    /// The variables in its values, as keys in lower case.
    pub(super) fn variables(&self) -> BTreeSet<String> {
        self.with_variables.iter().flat_map(|(text, _)| variables(text)).collect()
    }

    /// Whether nothing is compared with the key itself.
    pub(super) fn is_unasked(&self) -> bool {
        self.literals.is_empty() && self.patterns.is_empty() && self.ranges.is_empty() && self.with_variables.is_empty()
    }

    /// Gives the variables in the value.
    pub(super) fn add(&mut self, value: &str, reading: Reading, version: Version) -> BTreeSet<String> {
        let variables = if version == Version::V2008 { BTreeSet::new() } else { variables(value) };
        if variables.is_empty() {
            self.add_expanded(value, reading, version, &Request::new("", ""));
        } else {
            self.with_variables.insert((value.to_owned(), reading));
        }
        variables
    }

    fn add_expanded(&mut self, value: &str, reading: Reading, version: Version, request: &Request) {
        let Expanded::Pattern(tokens) = expand(value, version, request) else { return };
        let text = plain(&tokens);
        let is_wild = tokens.iter().any(|token| token.wild && matches!(token.character, '*' | '?'));
        match reading {
            Reading::Whole => drop(self.literals.insert(text)),
            Reading::AnyCase => self.literals.extend([text.to_lowercase(), text.to_uppercase(), text]),
            Reading::Wild | Reading::Arn if !is_wild => drop(self.literals.insert(text)),
            Reading::Wild => drop(self.patterns.insert(texts::wild(&tokens))),
            Reading::Arn => self.patterns.extend(texts::arn(&tokens)),
            Reading::Address => {}
        }
        let text = pattern::plain(&tokens);
        if let Ok(range) = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            self.ranges.insert(range);
        }
    }
}

/// The variables in a value, as keys in lower case.
pub(super) fn variables(value: &str) -> BTreeSet<String> {
    let key = |piece: Piece| match piece {
        Piece::Variable { key, .. } => Some(key.to_ascii_lowercase()),
        Piece::Text(_) | Piece::Escaped(_) => None,
    };
    pieces(value).into_iter().flatten().filter_map(key).collect()
}

/// Whether a request has one value for the key at most, so that a set operator asks nothing new.
fn is_single_valued(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let named = [
        "aws:sourcevpce",
        "aws:sourcevpc",
        "aws:sourceip",
        "aws:vpcsourceip",
        "aws:viaawsservice",
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:username",
        "aws:userid",
    ];
    named.contains(&key.as_str())
        || ["aws:principaltag/", "sagemaker:resourcetag/", "aws:resourcetag/"].iter().any(|p| key.starts_with(p))
}

/// Whether a key holds an address.
pub(super) fn holds_addresses(key: &str) -> bool {
    ["aws:sourceip", "aws:vpcsourceip"].contains(&key.to_ascii_lowercase().as_str())
}

/// A request for each way to give the variables of a text their values, also leaving them out where
/// they have a default. `None` if there are too many ways.
fn assignments(text: &str, values: &BTreeMap<String, Vec<String>>) -> Option<Vec<Request>> {
    const MOST: usize = 512;
    let mut requests = vec![Request::new("", "")];
    for variable in variables(text) {
        let values = values.get(&variable).map(Vec::as_slice).unwrap_or_default();
        let facts = values.iter().map(|value| Some(Fact::Is(vec![value.clone()]))).chain([None]);
        let facts: Vec<_> = facts.collect();
        let with = |request: &Request| {
            let request = request.clone();
            let set = |fact: &Option<Fact>| match fact {
                Some(fact) => request.clone().with_fact(&variable, fact.clone()),
                None => request.clone(),
            };
            facts.iter().map(set).collect::<Vec<_>>()
        };
        requests = requests.iter().flat_map(with).collect();
        if requests.len() > MOST {
            return None;
        }
    }
    Some(requests)
}
