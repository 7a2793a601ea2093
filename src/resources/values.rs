//! Values as users write them, in the forms that the three composites share.
//!
//! **Invariant:** pure.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use crate::aws::tags::merge;
use crate::aws::{Clients, Tags};
use crate::framework::{Diagnostic, Path, Value};

/// Strings whose elements may each be unknown.
pub type Strings = Value<Vec<Value<String>>>;
/// A map whose elements may each be unknown.
pub type StringMap = Value<BTreeMap<String, Value<String>>>;

/// The elements in their order, if something is written and all of it is known.
pub fn known_list(strings: &Strings) -> Option<Vec<String>> {
    strings.known()?.iter().map(|element| element.known().cloned()).collect()
}

/// The elements, if something is written and all of it is known.
pub fn known_set(strings: &Strings) -> Option<BTreeSet<String>> {
    Some(known_list(strings)?.into_iter().collect())
}

/// Tags whose values are all known.
pub fn known_tags(tags: &StringMap) -> Value<Tags> {
    match tags {
        Value::Null => Value::Null,
        Value::Unknown => Value::Unknown,
        Value::Known(tags) => {
            let known: Option<Tags> =
                tags.iter().map(|(key, value)| Some((key.clone(), value.known()?.clone()))).collect();
            known.map_or(Value::Unknown, Value::Known)
        }
    }
}

/// A set or list of known strings.
pub fn strings<T: ToString>(items: impl IntoIterator<Item = T>) -> Strings {
    Value::Known(items.into_iter().map(|item| Value::Known(item.to_string())).collect())
}

/// A map of known strings.
pub fn string_map(entries: impl IntoIterator<Item = (String, String)>) -> StringMap {
    Value::Known(entries.into_iter().map(|(key, value)| (key, Value::Known(value))).collect())
}

/// `tags` and `tags_all` for tags that AWS shows. The user's own stay as written where the result is the same.
pub fn shown_tags(own: &StringMap, all: &Tags, default_tags: &Tags) -> (StringMap, StringMap) {
    let written = known_tags(own).into_known().unwrap_or_default();
    let is_own =
        |(key, value): &(&String, &String)| written.contains_key(*key) || default_tags.get(*key) != Some(*value);
    let own = if merge(default_tags, &written) == *all {
        own.clone()
    } else {
        string_map(all.iter().filter(is_own).map(|(key, value)| (key.clone(), value.clone())))
    };
    (own, string_map(all.clone()))
}

/// The Region of a plan: as written, or the provider's, or, while that is unknown, as before.
pub fn planned_region(
    written: &Value<String>,
    prior: Option<&Value<String>>,
    clients: Option<&Clients>,
) -> Value<String> {
    match (written, clients, prior) {
        (Value::Known(_) | Value::Unknown, _, _) => written.clone(),
        (Value::Null, Some(clients), _) => Value::Known(clients.region().to_string()),
        (Value::Null, None, Some(prior)) => prior.clone(),
        (Value::Null, None, None) => Value::Unknown,
    }
}

/// Warns of client ranges inside others, which have no effect of their own.
pub fn overlaps(blocks: &Strings) -> Vec<Diagnostic> {
    let known = blocks.known().into_iter().flatten().filter_map(Value::text);
    let ranges: Vec<(&str, IpNet)> = known.filter_map(|text| Some((text, text.parse().ok()?))).collect();
    let mut found = Vec::new();
    for (inner, range) in &ranges {
        if let Some((outer, _)) = ranges.iter().find(|(text, other)| text != inner && other.contains(range)) {
            let text = format!("{inner} lies inside {outer}, which opens it already.");
            let path = Path::root("client_cidr_blocks").element(*inner);
            found.push(Diagnostic::warning("Overlapping client_cidr_blocks", text).at(path));
        }
    }
    found
}
