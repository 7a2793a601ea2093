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

/// An import id in the form of `provider "aws"`: an id, and behind an `@` the Region, where it is not the provider's.
/// Names in IAM may have an `@` too, so that only what looks like a Region is taken for one.
pub fn id_and_region(text: &str) -> (&str, Option<&str>) {
    let are_letters = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    let are_digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let is_region = |text: &str| {
        let (words, number) = text.rsplit_once('-').unwrap_or_default();
        words.contains('-') && words.split('-').all(are_letters) && are_digits(number)
    };
    match text.rsplit_once('@') {
        Some((id, region)) if is_region(region) => (id, Some(region)),
        Some(_) | None => (text, None),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_stands_behind_the_id_of_an_import() {
        assert_eq!(id_and_region("d-abc"), ("d-abc", None));
        assert_eq!(id_and_region("d-abc@eu-west-1"), ("d-abc", Some("eu-west-1")));
        let policy = "arn:aws:iam::123456789012:policy/ana@example.com";
        assert_eq!(id_and_region(policy), (policy, None));
        let far = format!("{policy}@us-gov-west-1");
        assert_eq!(id_and_region(&far), (policy, Some("us-gov-west-1")));
        for odd in ["d-abc@", "d-abc@west-1", "d-abc@eu-west-", "d-abc@eu-west-1a"] {
            assert_eq!(id_and_region(odd), (odd, None));
        }
    }
}
