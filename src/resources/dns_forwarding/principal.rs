//! With whom rules are shared. An organization and its units have an id and an ARN; users write either, and RAM takes
//! and shows the ARN.
//!
//! **Invariant:** pure.

use std::collections::BTreeSet;

use crate::aws::organizations::organization::Organization;
use crate::framework::Dynamic;

/// What a text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal<'a> {
    /// An account, by its id.
    Account(&'a str),
    /// An organization, by its id.
    Organization(&'a str),
    /// An organizational unit, by its id.
    Unit(&'a str),
    /// An organization or a unit, by its ARN.
    Arn {
        /// Its id.
        id: &'a str,
        /// The id of the organization.
        organization: &'a str,
    },
}

impl<'a> Principal<'a> {
    /// Reads a text. The shapes of ids are those of the AWS Organizations API reference ("Organization",
    /// "OrganizationalUnit"); a longer id than they allow is left for AWS to refuse.
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()) {
            return Some(Principal::Account(text));
        }
        if is_id(text, "o-", 1) {
            return Some(Principal::Organization(text));
        }
        if is_id(text, "ou-", 2) {
            return Some(Principal::Unit(text));
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", _, "organizations", "", _, what] = parts[..] else {
            return None;
        };
        let path: Vec<&str> = what.split('/').collect();
        match path[..] {
            ["organization", id] if is_id(id, "o-", 1) => Some(Principal::Arn { id, organization: id }),
            ["ou", organization, id] if is_id(organization, "o-", 1) && is_id(id, "ou-", 2) => {
                Some(Principal::Arn { id, organization })
            }
            _ => None,
        }
    }
}

fn is_id(text: &str, prefix: &str, parts: usize) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let Some(rest) = text.strip_prefix(prefix) else {
        return false;
    };
    rest.split('-').count() == parts && rest.split('-').all(is_part)
}

/// What two spellings of one principal have in common.
pub fn id_of(text: &str) -> &str {
    match Principal::parse(text) {
        Some(
            Principal::Account(id) | Principal::Organization(id) | Principal::Unit(id) | Principal::Arn { id, .. },
        ) => id,
        None => text,
    }
}

/// Whether it takes the organization to say what RAM takes.
pub fn lacks_arn(text: &str) -> bool {
    matches!(Principal::parse(text), Some(Principal::Organization(_) | Principal::Unit(_)))
}

/// The same in RAM's spelling: as it is shared with already, or completed from the organization where that is known.
pub fn spelled<'a>(
    text: &str,
    mut shared: impl Iterator<Item = &'a String>,
    organization: Option<&Organization>,
) -> String {
    if let Some(shared) = shared.find(|shared| id_of(shared) == id_of(text)) {
        return shared.clone();
    }
    match (Principal::parse(text), organization) {
        (Some(Principal::Organization(id)), Some(organization)) if id == organization.id => organization.arn.clone(),
        (Some(Principal::Unit(id)), Some(organization)) => organization.unit_arn(id),
        _ => text.to_owned(),
    }
}

/// Whether two sets name the same principals.
pub fn same(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    let ids = |texts: &BTreeSet<String>| texts.iter().map(|text| id_of(text).to_owned()).collect::<BTreeSet<_>>();
    ids(one) == ids(other)
}

/// [`same`] for attribute values.
pub fn same_values(one: &Dynamic, other: &Dynamic) -> bool {
    let texts = |value: &Dynamic| -> Option<BTreeSet<String>> {
        value.as_list()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
    };
    match (texts(one), texts(other)) {
        (Some(one), Some(other)) => same(&one, &other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &str = "arn:aws:organizations::111111111111:ou/o-abc/ou-r1-u1";

    fn organization() -> Organization {
        let arn = "arn:aws:organizations::111111111111:organization/o-abc".to_owned();
        Organization { id: "o-abc".to_owned(), arn }
    }

    #[test]
    fn ids_and_arns_are_told_apart() {
        assert_eq!(Principal::parse("123456789012"), Some(Principal::Account("123456789012")));
        assert_eq!(Principal::parse("o-abc"), Some(Principal::Organization("o-abc")));
        assert_eq!(Principal::parse("ou-r1-u1"), Some(Principal::Unit("ou-r1-u1")));
        assert_eq!(Principal::parse(UNIT), Some(Principal::Arn { id: "ou-r1-u1", organization: "o-abc" }));
        for bad in ["12345678901", "ou-abc", "o-", "o-ABC", "arn:aws:iam::123456789012:role/r", "r-abc"] {
            assert_eq!(Principal::parse(bad), None, "{bad}");
        }
        assert_eq!(Principal::parse("arn:aws:organizations::1:ou/ou-r1-u1"), None);
    }

    #[test]
    fn an_id_is_completed_from_the_organization_unless_it_is_shared_with_already() {
        let none = Vec::new();
        let whole = organization();
        assert_eq!(spelled("o-abc", none.iter(), Some(&whole)), whole.arn);
        assert_eq!(spelled("ou-r1-u1", none.iter(), Some(&whole)), UNIT);
        assert_eq!(spelled("123456789012", none.iter(), Some(&whole)), "123456789012");
        assert_eq!(spelled("ou-r1-u1", none.iter(), None), "ou-r1-u1");
        assert_eq!(spelled("ou-r1-u1", [UNIT.to_owned()].iter(), None), UNIT);
        assert_eq!(spelled("o-other", none.iter(), Some(&whole)), "o-other");
    }

    #[test]
    fn both_spellings_are_the_same() {
        let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
        assert!(same(&set(&["ou-r1-u1", "o-abc"]), &set(&[UNIT, &organization().arn])));
        assert!(!same(&set(&["ou-r1-u2"]), &set(&[UNIT])));
    }
}
