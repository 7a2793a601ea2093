//! The allowed paths as Deny conditions.
//!
//! A path asks several things of a request at once; any path will do. A Deny statement fires when
//! all its conditions hold, so "on no path" has to be turned round: for `(A1 and A2) or B` there is
//! one Deny for "neither A1 nor B" and one for "neither A2 nor B". In general that is the product:
//! one Deny for each way of choosing a requirement from every path.
//!
//! **Invariant:** what [`simplify`] and [`denials`] leave out is implied by what they keep.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::document::Values;
use super::inputs::Key;

/// What a path asks: for each key, one of these values. As a denial: for each key, none of them.
pub(super) type Requirements = BTreeMap<Key, Accepted>;

/// The values of one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Accepted {
    Ids(BTreeSet<String>),
    Networks(BTreeSet<IpNet>),
}

/// Far more statements than fit into a policy. It only keeps the product from running away.
const MOST_DENIALS: usize = 128;

/// The product did not stay below this many statements.
#[derive(Debug)]
pub(super) struct TooMany(pub usize);

/// The same paths, fewer: without those that ask more than another one does, and with those that
/// differ in one key only put together.
pub(super) fn simplify(mut paths: Vec<Requirements>) -> Vec<Requirements> {
    loop {
        paths = without(paths, asks_no_less);
        let Some((merged, a, b)) = first_merge(&paths) else { break };
        paths[a] = merged;
        paths.remove(b);
    }
    paths.sort();
    paths
}

/// The denials that together deny exactly what is on none of the paths.
pub(super) fn denials(paths: &[Requirements]) -> Result<Vec<Requirements>, TooMany> {
    let mut denials = vec![Requirements::new()];
    for path in paths {
        let mut product = Vec::new();
        for denial in &denials {
            for (key, accepted) in path {
                let mut longer = denial.clone();
                match longer.get_mut(key) {
                    // Not in one set and not in the other is not in both together.
                    Some(refused) => refused.add(accepted),
                    None => drop(longer.insert(*key, accepted.clone())),
                }
                product.push(longer);
            }
        }
        if product.len() > MOST_DENIALS * Key::ALL.len() {
            return Err(TooMany(MOST_DENIALS));
        }
        denials = without(product, fires_no_more);
        if denials.len() > MOST_DENIALS {
            return Err(TooMany(MOST_DENIALS));
        }
    }
    denials.sort();
    Ok(denials)
}

impl Accepted {
    pub(super) fn ids(ids: impl IntoIterator<Item = String>) -> Self {
        Self::Ids(ids.into_iter().collect())
    }

    /// Ranges inside other ranges are left out.
    pub(super) fn networks(networks: impl IntoIterator<Item = IpNet>) -> Self {
        let all: BTreeSet<IpNet> = networks.into_iter().collect();
        let inside = |net: &&IpNet| all.iter().any(|other| other != *net && other.contains(*net));
        Self::Networks(all.iter().filter(|net| !inside(net)).copied().collect())
    }

    /// As a policy prints them.
    pub(super) fn to_values(&self) -> Values {
        match self {
            Self::Ids(ids) => ids.clone(),
            Self::Networks(networks) => networks.iter().map(ToString::to_string).collect(),
        }
    }

    /// Whether the value of a key is one of these.
    pub(super) fn has(&self, value: &str) -> bool {
        match self {
            Self::Ids(ids) => ids.contains(value),
            Self::Networks(networks) => {
                value.parse::<IpAddr>().is_ok_and(|address| networks.iter().any(|net| net.contains(&address)))
            }
        }
    }

    fn add(&mut self, more: &Self) {
        match (&mut *self, more) {
            (Self::Ids(ids), Self::Ids(more)) => ids.extend(more.iter().cloned()),
            (Self::Networks(networks), Self::Networks(more)) => {
                *self = Self::networks(networks.iter().chain(more).copied());
            }
            (Self::Ids(_), Self::Networks(_)) | (Self::Networks(_), Self::Ids(_)) => {
                unreachable!("a key holds either ids or networks")
            }
        }
    }

    fn within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ids(ids), Self::Ids(others)) => ids.is_subset(others),
            (Self::Networks(networks), Self::Networks(others)) => {
                networks.iter().all(|net| others.iter().any(|other| other.contains(net)))
            }
            (Self::Ids(_), Self::Networks(_)) | (Self::Networks(_), Self::Ids(_)) => false,
        }
    }
}

/// Whether a request on `path` is always on `other` too.
fn asks_no_less(path: &Requirements, other: &Requirements) -> bool {
    other.iter().all(|(key, wider)| path.get(key).is_some_and(|narrow| narrow.within(wider)))
}

/// Whether `other` fires wherever `denial` does.
fn fires_no_more(denial: &Requirements, other: &Requirements) -> bool {
    other.iter().all(|(key, fewer)| denial.get(key).is_some_and(|more| fewer.within(more)))
}

/// Leaves out each item that `redundant` finds covered by another one, and keeps one of equals.
fn without<T: PartialEq>(items: Vec<T>, redundant: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for item in items {
        if !kept.iter().any(|other| redundant(&item, other)) {
            kept.retain(|other| !redundant(other, &item));
            kept.push(item);
        }
    }
    kept
}

/// Two paths that ask for the same keys and differ in the values of one: together they are one path
/// with both sets of values. Gives the path and the two that it replaces.
fn first_merge(paths: &[Requirements]) -> Option<(Requirements, usize, usize)> {
    for (b, second) in paths.iter().enumerate() {
        for (a, first) in paths[..b].iter().enumerate() {
            let differing = || first.iter().filter(|(key, set)| second.get(key) != Some(set));
            if first.keys().eq(second.keys()) && differing().count() == 1 {
                let mut merged = first.clone();
                for (key, set) in &mut merged {
                    set.add(&second[key]);
                }
                return Some((merged, a, b));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(parts: &[(Key, &[&str])]) -> Requirements {
        let accepted = |key: Key, list: &[&str]| match key.holds_addresses() {
            true => Accepted::networks(list.iter().map(|net| net.parse().unwrap())),
            false => Accepted::ids(list.iter().map(|id| id.to_string())),
        };
        parts.iter().map(|(key, list)| (*key, accepted(*key, list))).collect()
    }

    fn denied(paths: Vec<Requirements>) -> Vec<Requirements> {
        denials(&simplify(paths)).unwrap()
    }

    use Key::{SourceIp, SourceVpc, SourceVpce, VpcSourceIp};

    #[test]
    fn two_requirements_and_one_alternative_give_two_denials() {
        let paths = vec![
            path(&[(SourceVpce, &["a1"]), (VpcSourceIp, &["10.0.0.0/8"])]),
            path(&[(SourceIp, &["198.51.100.0/24"])]),
        ];
        assert_eq!(
            denied(paths),
            [
                path(&[(SourceVpce, &["a1"]), (SourceIp, &["198.51.100.0/24"])]),
                path(&[(SourceIp, &["198.51.100.0/24"]), (VpcSourceIp, &["10.0.0.0/8"])]),
            ]
        );
    }

    #[test]
    fn alternatives_with_one_key_share_one_list() {
        let paths = vec![path(&[(SourceVpce, &["a"])]), path(&[(SourceVpce, &["b"])])];
        assert_eq!(denied(paths), [path(&[(SourceVpce, &["a", "b"])])]);
    }

    #[test]
    fn a_path_inside_another_one_adds_nothing() {
        let wide = path(&[(SourceIp, &["10.0.0.0/8"])]);
        let narrow = path(&[(SourceIp, &["10.1.0.0/16"]), (SourceVpc, &["v"])]);
        for paths in [vec![narrow.clone(), wide.clone()], vec![wide.clone(), narrow]] {
            assert_eq!(simplify(paths), std::slice::from_ref(&wide));
        }
    }

    #[test]
    fn a_denial_that_another_one_covers_is_left_out() {
        // (a and v) or (a and w and an address): "not a" covers every denial that has it.
        let paths = vec![
            path(&[(SourceVpce, &["a"]), (SourceVpc, &["v"])]),
            path(&[(SourceVpce, &["a"]), (SourceVpc, &["w"]), (VpcSourceIp, &["10.0.0.0/8"])]),
        ];
        assert_eq!(
            denied(paths),
            [
                path(&[(SourceVpce, &["a"])]),
                path(&[(SourceVpc, &["v"]), (VpcSourceIp, &["10.0.0.0/8"])]),
                path(&[(SourceVpc, &["v", "w"])]),
            ]
        );
    }

    #[test]
    fn paths_that_differ_in_two_keys_are_not_merged() {
        let paths = vec![
            path(&[(SourceVpce, &["a"]), (SourceVpc, &["v"])]),
            path(&[(SourceVpce, &["b"]), (SourceVpc, &["w"])]),
        ];
        assert_eq!(simplify(paths.clone()), paths);
        assert_eq!(denied(paths).len(), 4);
    }

    #[test]
    fn a_range_inside_another_range_is_left_out() {
        let nested = path(&[(SourceIp, &["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"])]);
        assert_eq!(nested, path(&[(SourceIp, &["2001:db8::/32", "10.0.0.0/8"])]));
    }

    #[test]
    fn a_product_that_runs_away_is_stopped() {
        let id = |kind: &str, n: usize| format!("{kind}{n}");
        let paths: Vec<_> =
            (0..12).map(|n| path(&[(SourceVpce, &[&id("e", n)]), (SourceVpc, &[&id("v", n)])])).collect();
        assert!(denials(&simplify(paths)).is_err());
    }
}
