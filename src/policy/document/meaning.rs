//! Equality by meaning: the form that all spellings of one policy share.
//!
//! AWS hands documents back in another spelling than it was given: values in another order, a list
//! for a single value, an ARN for an account id. None of that is drift.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Conditions, Document, Effect, Principals, Scope, Statement, Values, Version};

impl Document {
    /// Whether both documents decide every request alike, as far as spelling goes.
    ///
    /// Ignored: order, single value or list, repeated values and statements, letter case of
    /// actions and condition keys, spelling of an account or an address range, the version where
    /// nothing depends on it, names of operators that ask the same, and for Allow the difference
    /// between `"*"` and `{"AWS": "*"}`.
    ///
    /// Not ignored: `Sid` and `Id`. They decide nothing, but AWS keeps them as they are, and a
    /// person who renames one wants it renamed. Not recognised: one rule split over statements in
    /// different ways.
    pub fn same_meaning(&self, other: &Self) -> bool {
        self.normalized() == other.normalized()
    }

    /// The form that all spellings share: two documents are the same by
    /// [`same_meaning`](Self::same_meaning) exactly if their normal forms print the same bytes.
    /// It is for comparing; people would miss the capitals in it.
    pub fn normalized(&self) -> Self {
        let mut statements: Vec<_> = self.statements.iter().map(normal_statement).collect();
        statements.sort();
        statements.dedup();
        let version = match self.mentions_variables() {
            true => self.version,
            // The version decides what `${` is, and nothing else.
            false => Version::V2012,
        };
        Self { version, id: self.id.clone(), statements }
    }

    /// Whether `${` stands where the version decides if it is a variable.
    fn mentions_variables(&self) -> bool {
        let resources = self.statements.iter().filter_map(|s| s.resources.as_ref());
        let resources = resources.flat_map(|scope| match scope {
            Scope::Only(arns) | Scope::AllBut(arns) => arns,
        });
        let conditions = self.statements.iter().flat_map(|s| s.conditions.values());
        let conditions = conditions.flat_map(BTreeMap::values).flatten();
        resources.chain(conditions).any(|text| text.contains("${"))
    }
}

fn normal_statement(statement: &Statement) -> Statement {
    let principals = statement.principals.as_ref().map(|scope| match scope {
        Scope::Only(who) => Scope::Only(normal_principals(who, statement.effect)),
        // `NotPrincipal` with everyone in it matches nobody or anonymous callers only; the
        // equivalence of the two stars is not documented for it.
        Scope::AllBut(who) => Scope::AllBut(normal_principals(who, Effect::Deny)),
    });
    let actions = match &statement.actions {
        Scope::Only(actions) => Scope::Only(lower(actions)),
        Scope::AllBut(actions) => Scope::AllBut(lower(actions)),
    };
    Statement {
        sid: statement.sid.clone(),
        effect: statement.effect,
        principals,
        actions,
        resources: statement.resources.clone(),
        conditions: normal_conditions(&statement.conditions),
    }
}

/// For Allow, `"*"` and `{"AWS": "*"}` are the same in policies of resources and endpoints, the only
/// ones with principals that occur here. For Deny they are kept apart, and so are trust policies of
/// roles wherever they come from: this module is not meant for those.
fn normal_principals(who: &Principals, effect: Effect) -> Principals {
    let Principals::Listed(kinds) = who else { return Principals::Everyone };
    let mut normal = kinds.clone();
    if let Some(aws) = normal.get_mut("AWS") {
        *aws = aws.iter().map(|principal| account_of_root(principal)).collect();
        if effect == Effect::Allow && aws.contains("*") {
            // The star takes in every other AWS principal beside it.
            *aws = Values::from(["*".to_owned()]);
            if kinds.len() == 1 {
                return Principals::Everyone;
            }
        }
    }
    Principals::Listed(normal)
}

/// An account's root ARN as the bare account id. This way round no partition has to be guessed: an
/// account belongs to one partition only.
fn account_of_root(principal: &str) -> String {
    let parts: Vec<_> = principal.split(':').collect();
    match parts[..] {
        ["arn", _, "iam", "", account, "root"]
            if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) =>
        {
            account.to_owned()
        }
        _ => principal.to_owned(),
    }
}

/// Keys in lower case, values in one spelling, and one operator for those that ask the same.
fn normal_conditions(conditions: &Conditions) -> Conditions {
    let mut spelled = Conditions::new();
    for (operator, keys) in conditions {
        let slot = spelled.entry(operator.clone()).or_default();
        for (key, values) in keys {
            slot.entry(key.to_ascii_lowercase()).or_default().extend(normal_values(operator, values));
        }
    }
    let mut normal = Conditions::new();
    let taken = |operator: &str, key: &str| {
        let same = |(other, keys): &(&String, &BTreeMap<String, Values>)| {
            keys.contains_key(key) && normal_operator(other, key) == operator
        };
        spelled.iter().filter(same).count() > 1
    };
    for (operator, keys) in &spelled {
        for (key, values) in keys {
            let common = normal_operator(operator, key);
            // Two conditions that become one would be "and" no more.
            let name = if taken(&common, key) { operator.clone() } else { common };
            normal.entry(name).or_default().insert(key.clone(), values.clone());
        }
    }
    normal
}

/// Truth values may be written `true` or `True`, a range with or without what follows its length,
/// and a single address without a length.
fn normal_values(operator: &str, values: &Values) -> Values {
    let plain = operator.rsplit(':').next().unwrap_or(operator);
    match plain.strip_suffix("IfExists").unwrap_or(plain) {
        "Bool" | "Null" => lower(values),
        "IpAddress" | "NotIpAddress" => values.iter().map(|value| normal_range(value)).collect(),
        _ => values.clone(),
    }
}

fn normal_range(text: &str) -> String {
    let range = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    range.map_or_else(|_| text.to_owned(), |range| range.trunc().to_string())
}

/// `ArnEquals` does what `ArnLike` does; a negated operator holds for an absent key with or without
/// `IfExists`; and of a key with one value at most, "any value" is the value. AWS's own example for
/// presigning by endpoint is written in that last way.
fn normal_operator(operator: &str, key: &str) -> String {
    let single = ["aws:sourcevpce", "aws:sourcevpc", "aws:sourceip", "aws:vpcsourceip"].contains(&key);
    let (set, plain) = operator.split_once(':').map_or(("", operator), |(set, plain)| (set, plain));
    let exists = plain.strip_suffix("IfExists").unwrap_or(plain);
    let name = match exists {
        "ArnEquals" => "ArnLike",
        "ArnNotEquals" => "ArnNotLike",
        other => other,
    };
    let negated = name.contains("Not");
    let if_exists = exists.len() < plain.len() && !(negated && set.is_empty());
    let suffix = if if_exists { "IfExists" } else { "" };
    match set {
        "" => format!("{name}{suffix}"),
        "ForAnyValue" if single && !negated && !if_exists => name.to_owned(),
        set => format!("{set}:{name}{suffix}"),
    }
}

fn lower(values: &Values) -> Values {
    values.iter().map(|value| value.to_ascii_lowercase()).collect()
}
