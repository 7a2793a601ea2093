//! Printing a document: one layout for all.
//!
//! `Version` first, then `Id`, then `Statement`, always as a list; inside a statement `Sid`,
//! `Effect`, who, which actions, which resources, `Condition`. Sets are sorted. A set of one value
//! is printed as that value alone: AWS's console and published examples write it so, and the two
//! characters saved count against IAM's limit.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Conditions, Document, Effect, Principals, Scope, Statement, Values, Version};

impl Document {
    /// The document as compact JSON. Equal documents give equal bytes.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text keys and text values always serialize")
    }

    /// The same over several lines, for people.
    pub fn to_json_pretty(&self) -> String {
        serde_json::to_string_pretty(self).expect("text keys and text values always serialize")
    }

    /// The size that IAM holds against its limits, in characters. IAM does not count white space;
    /// whether that also goes for white space inside a value is not said, so that is counted here.
    pub fn iam_size(&self) -> usize {
        self.to_json().chars().count()
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Version", self.version.as_str())?;
        if let Some(id) = &self.id {
            map.serialize_entry("Id", id)?;
        }
        map.serialize_entry("Statement", &self.statements)?;
        map.end()
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(sid) = &self.sid {
            map.serialize_entry("Sid", sid)?;
        }
        map.serialize_entry("Effect", self.effect.as_str())?;
        match &self.principals {
            Some(Scope::Only(who)) => map.serialize_entry("Principal", who)?,
            Some(Scope::AllBut(who)) => map.serialize_entry("NotPrincipal", who)?,
            None => {}
        }
        match &self.actions {
            Scope::Only(actions) => map.serialize_entry("Action", &OneOrMany(actions))?,
            Scope::AllBut(actions) => map.serialize_entry("NotAction", &OneOrMany(actions))?,
        }
        match &self.resources {
            Some(Scope::Only(arns)) => map.serialize_entry("Resource", &OneOrMany(arns))?,
            Some(Scope::AllBut(arns)) => map.serialize_entry("NotResource", &OneOrMany(arns))?,
            None => {}
        }
        if !self.conditions.is_empty() {
            map.serialize_entry("Condition", &ConditionBlock(&self.conditions))?;
        }
        map.end()
    }
}

impl Serialize for Principals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Everyone => serializer.serialize_str("*"),
            Self::Listed(kinds) => serializer.collect_map(kinds.iter().map(|(kind, who)| (kind, OneOrMany(who)))),
        }
    }
}

impl Version {
    /// The date that names the version.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

impl Effect {
    /// The word in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

struct OneOrMany<'a>(&'a Values);

impl Serialize for OneOrMany<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0.len(), self.0.first()) {
            (1, Some(only)) => serializer.serialize_str(only),
            _ => serializer.collect_seq(self.0),
        }
    }
}

struct ConditionBlock<'a>(&'a Conditions);

impl Serialize for ConditionBlock<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(operator, keys)| (operator, Keys(keys))))
    }
}

struct Keys<'a>(&'a std::collections::BTreeMap<String, Values>);

impl Serialize for Keys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, values)| (key, OneOrMany(values))))
    }
}
