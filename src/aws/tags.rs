//! Tags: what the user wrote, what the provider's settings add or hide, and the marks of ownership.
//!
//! **Invariant:** pure. Reading and writing tags is in each service's own `tags.rs`.

use std::collections::{BTreeMap, BTreeSet};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Marks what this provider made. Its value is an ownership id that is fixed at plan.
pub const OWNER: &str = "terraform-provider-studio:owner";

/// Says which part of the composite an object is.
pub const PART: &str = "terraform-provider-studio:part";

/// Tags with this prefix are ours, and not the user's to see.
const OUR_PREFIX: &str = "terraform-provider-studio:";

/// Tags with this prefix belong to AWS. They can be read, but not set.
const AWS_PREFIX: &str = "aws:";

/// Which tags on AWS's side the provider looks past.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IgnoreTags {
    /// Whole keys.
    pub keys: BTreeSet<String>,
    /// Beginnings of keys.
    pub key_prefixes: BTreeSet<String>,
}

impl IgnoreTags {
    /// Whether a key is to be looked past.
    pub fn covers(&self, key: &str) -> bool {
        self.keys.contains(key) || self.key_prefixes.iter().any(|prefix| key.starts_with(prefix.as_str()))
    }
}

/// What to do to an object's tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagChange {
    /// To be set, new or with a new value.
    pub set: Tags,
    /// Keys to be removed.
    pub remove: BTreeSet<String>,
}

impl TagChange {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }
}

/// The provider's default tags with the resource's own on top.
pub fn merge(defaults: &Tags, own: &Tags) -> Tags {
    let mut merged = defaults.clone();
    merged.extend(own.clone());
    merged
}

/// Adds the marks of ownership to the tags of a new object.
pub fn with_owner(tags: &Tags, owner: &str, part: &str) -> Tags {
    let mut marked = tags.clone();
    marked.insert(OWNER.to_owned(), owner.to_owned());
    marked.insert(PART.to_owned(), part.to_owned());
    marked
}

/// The tags that are the user's to see: without AWS's own, the marks of ownership, and what is to
/// be ignored.
pub fn visible(tags: &Tags, ignore: &IgnoreTags) -> Tags {
    tags.iter()
        .filter(|(key, _)| !is_internal(key) && !ignore.covers(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The owner and the part that an object's tags name, where it carries both marks.
pub fn owner_and_part(tags: &Tags) -> Option<(&str, &str)> {
    Some((tags.get(OWNER)?.as_str(), tags.get(PART)?.as_str()))
}

/// What leads from the old tags to the new ones. Tags that belong to AWS or mark ownership are
/// never removed, whichever side they stand on.
pub fn diff(old: &Tags, new: &Tags) -> TagChange {
    TagChange {
        set: new
            .iter()
            .filter(|(key, value)| old.get(*key) != Some(value) && !key.starts_with(AWS_PREFIX))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        remove: old.keys().filter(|key| !new.contains_key(*key) && !is_internal(key)).cloned().collect(),
    }
}

fn is_internal(key: &str) -> bool {
    key.starts_with(AWS_PREFIX) || key.starts_with(OUR_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_resources_own_tag_wins_over_the_default() {
        let merged = merge(&tags(&[("team", "a"), ("cost", "1")]), &tags(&[("team", "b")]));
        assert_eq!(merged, tags(&[("team", "b"), ("cost", "1")]));
    }

    #[test]
    fn marks_of_ownership_and_awss_own_tags_do_not_show() {
        let marked = with_owner(&tags(&[("team", "a"), ("aws:cloudformation:stack-name", "s")]), "o-1", "studio");
        assert_eq!(visible(&marked, &IgnoreTags::default()), tags(&[("team", "a")]));
        assert_eq!(owner_and_part(&marked), Some(("o-1", "studio")));
    }

    #[test]
    fn ignored_keys_and_prefixes_do_not_show() {
        let ignore = IgnoreTags { keys: ["audit".to_owned()].into(), key_prefixes: ["backup/".to_owned()].into() };
        let shown = visible(&tags(&[("audit", "1"), ("auditor", "2"), ("backup/plan", "3")]), &ignore);
        assert_eq!(shown, tags(&[("auditor", "2")]));
    }

    #[test]
    fn a_difference_sets_what_changed_and_removes_what_went() {
        let change = diff(&tags(&[("a", "1"), ("b", "2"), ("c", "3")]), &tags(&[("a", "1"), ("b", "9"), ("d", "4")]));
        assert_eq!(change.set, tags(&[("b", "9"), ("d", "4")]));
        assert_eq!(change.remove, ["c".to_owned()].into());
    }

    #[test]
    fn a_difference_never_removes_a_mark_of_ownership() {
        let old = with_owner(&tags(&[("a", "1")]), "o-1", "studio");
        assert!(diff(&old, &tags(&[("a", "1")])).is_empty());
    }
}
