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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    /// `ArnEquals` and `ArnLike` do the same.
    ArnLike,
    IpAddress,
    Bool,
    Null,
}

/// Whether all conditions hold. A variable without a value anywhere in them makes the statement not
/// apply, whatever its operator: it is out of play.
pub(super) fn all_hold(conditions: &Conditions, version: Version, request: &Request) -> Truth {
    let mut truth = Truth::Yes;
    for (operator, keys) in conditions {
        let operator = Operator::parse(operator);
        for (key, values) in keys {
            let holds = match (patterns(values, version, request), &operator) {
                (Ok(patterns), Some(operator)) => operator.holds(request.fact(key), &patterns),
                (Err(out_of_play), _) => out_of_play,
                (Ok(_), None) => Truth::Unknown,
            };
            truth = truth.and(holds);
        }
    }
    truth
}

/// The values with their variables filled in, or what a statement with them amounts to.
fn patterns(values: &Values, version: Version, request: &Request) -> Result<Vec<Vec<Token>>, Truth> {
    let mut unknown = false;
    let mut patterns = Vec::new();
    for value in values {
        match expand(value, version, request) {
            Expanded::Pattern(pattern) => patterns.push(pattern),
            Expanded::NoValue => return Err(Truth::No),
            Expanded::Unknown => unknown = true,
        }
    }
    if unknown { Err(Truth::Unknown) } else { Ok(patterns) }
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

    fn holds(&self, fact: Option<&Fact>, patterns: &[Vec<Token>]) -> Truth {
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

    fn holds_for(&self, value: &str, patterns: &[Vec<Token>]) -> Truth {
        let matches = |pattern: &Vec<Token>| self.comparison.matches(pattern, value);
        let any = patterns.iter().map(matches).fold(Truth::No, Truth::or);
        if self.negated { any.not() } else { any }
    }
}

impl Comparison {
    fn matches(self, pattern: &[Token], value: &str) -> Truth {
        match self {
            Self::StringEquals => equals(pattern, value).into(),
            Self::StringEqualsIgnoreCase => (plain(pattern).to_lowercase() == value.to_lowercase()).into(),
            Self::StringLike => glob(pattern, value).into(),
            Self::ArnLike => arn_like(pattern, value).into(),
            Self::IpAddress => contains(&plain(pattern), value),
            Self::Bool => plain(pattern).eq_ignore_ascii_case(value).into(),
            Self::Null => unreachable!("Null does not compare values"),
        }
    }
}

fn is_null(fact: Option<&Fact>, patterns: &[Vec<Token>]) -> Truth {
    let absent = match fact {
        None => "true",
        Some(Fact::Is(_)) => "false",
        Some(Fact::Unknown) => return Truth::Unknown,
    };
    patterns.iter().any(|pattern| plain(pattern).eq_ignore_ascii_case(absent)).into()
}

/// Whether the range holds the address. What is no range or no address is not to be told.
fn contains(range: &str, address: &str) -> Truth {
    let range = range.parse::<IpNet>().or_else(|_| range.parse::<IpAddr>().map(IpNet::from));
    match (range, address.parse::<IpAddr>()) {
        (Ok(range), Ok(address)) => range.contains(&address).into(),
        (Err(_), _) | (_, Err(_)) => Truth::Unknown,
    }
}
