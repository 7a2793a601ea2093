//! Whether the conditions of a statement hold for a request.

use std::net::IpAddr;

use ipnet::IpNet;

use super::pattern::{Expanded, Token, arn_like, equals, expand, glob, plain};
use super::{Fact, Request, Truth, Version};
use crate::policy::document::{Conditions, Values};

/// An operator, taken apart.
struct Operator {
    quantifier: Quantifier,
    comparison: Comparison,
    negated: bool,
    if_exists: bool,
}

enum Quantifier {
    None,
    ForAnyValue,
    ForAllValues,
}

/// What is done with a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    /// `ArnEquals` and `ArnLike` do the same.
    ArnLike,
    IpAddress,
    Bool,
    Null,
}

/// What an operator does with values, and whether it is a set operator; `None` for one that is not
/// read here.
pub(in crate::policy) fn comparison(operator: &str) -> Option<(Comparison, bool)> {
    let operator = Operator::parse(operator)?;
    Some((operator.comparison, !matches!(operator.quantifier, Quantifier::None)))
}

/// Whether all conditions hold. A variable without a value anywhere in them makes the statement not
/// apply, whatever its operator: it is out of play.
pub(super) fn all_hold(conditions: &Conditions, version: Version, request: &Request) -> Truth {
    let mut truth = Truth::Yes;
    for (operator, keys) in conditions {
        for (key, values) in keys {
            truth = truth.and(Condition::new(operator, key, values, version).holds(request));
        }
    }
    truth
}

/// One operator with one key, made ready to be held against many requests.
pub(in crate::policy) struct Condition<'a> {
    /// `None` for an operator that is not read here.
    operator: Option<Operator>,
    key: &'a str,
    values: &'a Values,
    version: Version,
    /// The values, where none of them has a variable.
    fixed: Option<Vec<Pattern>>,
}

/// A value to compare with: as a pattern, and as the range that it may be.
struct Pattern {
    tokens: Vec<Token>,
    /// Read only where addresses are compared.
    range: Option<IpNet>,
}

impl<'a> Condition<'a> {
    pub(in crate::policy) fn new(operator: &str, key: &'a str, values: &'a Values, version: Version) -> Self {
        let mut condition = Self { operator: Operator::parse(operator), key, values, version, fixed: None };
        if version == Version::V2008 || values.iter().all(|value| !value.contains("${")) {
            // Without variables the request makes no difference.
            condition.fixed = condition.patterns(&Request::new("", "")).ok();
        }
        condition
    }

    pub(in crate::policy) fn holds(&self, request: &Request) -> Truth {
        let expanded;
        let patterns = match &self.fixed {
            Some(patterns) => patterns,
            None => match self.patterns(request) {
                Ok(patterns) => {
                    expanded = patterns;
                    &expanded
                }
                Err(out_of_play) => return out_of_play,
            },
        };
        match &self.operator {
            Some(operator) => operator.holds(request.fact(self.key), patterns),
            None => Truth::Unknown,
        }
    }

    /// The values with their variables filled in, or what a statement with them amounts to.
    fn patterns(&self, request: &Request) -> Result<Vec<Pattern>, Truth> {
        let mut unknown = false;
        let mut patterns = Vec::new();
        for value in self.values {
            match expand(value, self.version, request) {
                Expanded::Pattern(tokens) => patterns.push(self.pattern(tokens)),
                Expanded::NoValue => return Err(Truth::No),
                Expanded::Unknown => unknown = true,
            }
        }
        if unknown { Err(Truth::Unknown) } else { Ok(patterns) }
    }

    fn pattern(&self, tokens: Vec<Token>) -> Pattern {
        let addresses = self.operator.as_ref().is_some_and(|operator| operator.comparison == Comparison::IpAddress);
        let range = if addresses { range(&plain(&tokens)) } else { None };
        Pattern { tokens, range }
    }
}

impl Operator {
    /// `None` for an operator that is not read here.
    fn parse(name: &str) -> Option<Self> {
        let (quantifier, name) = match name.split_once(':') {
            None => (Quantifier::None, name),
            Some(("ForAnyValue", name)) => (Quantifier::ForAnyValue, name),
            Some(("ForAllValues", name)) => (Quantifier::ForAllValues, name),
            Some(_) => return None,
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        use Comparison::*;
        let (comparison, negated) = match name {
            "StringEquals" => (StringEquals, false),
            "StringNotEquals" => (StringEquals, true),
            "StringEqualsIgnoreCase" => (StringEqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (StringEqualsIgnoreCase, true),
            "StringLike" => (StringLike, false),
            "StringNotLike" => (StringLike, true),
            "ArnLike" | "ArnEquals" => (ArnLike, false),
            "ArnNotLike" | "ArnNotEquals" => (ArnLike, true),
            "IpAddress" => (IpAddress, false),
            "NotIpAddress" => (IpAddress, true),
            "Bool" => (Bool, false),
            "Null" if !if_exists && matches!(quantifier, Quantifier::None) => (Null, false),
            _ => return None,
        };
        Some(Self { quantifier, comparison, negated, if_exists })
    }

    fn holds(&self, fact: Option<&Fact>, patterns: &[Pattern]) -> Truth {
        if self.comparison == Comparison::Null {
            return is_null(fact, patterns);
        }
        let values = match fact {
            Some(Fact::Is(values)) => values,
            Some(Fact::Unknown) => return Truth::Unknown,
            None => return self.holds_without_the_key(),
        };
        let one = |value: &String| self.holds_for(value, patterns);
        match self.quantifier {
            Quantifier::None if values.len() == 1 => one(&values[0]),
            // AWS warns against several values without a quantifier and does not say what they do.
            Quantifier::None => Truth::Unknown,
            Quantifier::ForAnyValue => values.iter().map(one).fold(Truth::No, Truth::or),
            Quantifier::ForAllValues => values.iter().map(one).fold(Truth::Yes, Truth::and),
        }
    }

    /// A plain negated operator holds for a request without the key, a plain one does not. Among
    /// none there is none that fits, and all fit: hence the two quantifiers.
    fn holds_without_the_key(&self) -> Truth {
        let holds = match self.quantifier {
            Quantifier::None => self.negated,
            Quantifier::ForAnyValue => false,
            Quantifier::ForAllValues => true,
        };
        Truth::from(holds || self.if_exists)
    }

    fn holds_for(&self, value: &str, patterns: &[Pattern]) -> Truth {
        let matches = |pattern: &Pattern| self.comparison.matches(pattern, value);
        let any = patterns.iter().map(matches).fold(Truth::No, Truth::or);
        if self.negated { any.not() } else { any }
    }
}

impl Comparison {
    fn matches(self, pattern: &Pattern, value: &str) -> Truth {
        let Pattern { tokens: pattern, range } = pattern;
        match self {
            Self::StringEquals => equals(pattern, value).into(),
            Self::StringEqualsIgnoreCase => (plain(pattern).to_lowercase() == value.to_lowercase()).into(),
            Self::StringLike => glob(pattern, value).into(),
            Self::ArnLike => arn_like(pattern, value).into(),
            Self::IpAddress => contains(range.as_ref(), value),
            Self::Bool => plain(pattern).eq_ignore_ascii_case(value).into(),
            Self::Null => unreachable!("Null does not compare values"),
        }
    }
}

fn is_null(fact: Option<&Fact>, patterns: &[Pattern]) -> Truth {
    let absent = match fact {
        None => "true",
        Some(Fact::Is(_)) => "false",
        Some(Fact::Unknown) => return Truth::Unknown,
    };
    patterns.iter().any(|pattern| plain(&pattern.tokens).eq_ignore_ascii_case(absent)).into()
}

/// A range, or a single address as a range of one.
fn range(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
}

/// Whether the range holds the address. What is no range or no address is not to be told.
fn contains(range: Option<&IpNet>, address: &str) -> Truth {
    match (range, address.parse::<IpAddr>()) {
        (Some(range), Ok(address)) => range.contains(&address).into(),
        (None, _) | (_, Err(_)) => Truth::Unknown,
    }
}
