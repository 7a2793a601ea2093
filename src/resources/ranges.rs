//! What lies outside of a set of address ranges.
//!
//! **Invariant:** pure.

use ipnet::IpNet;

/// The parts of a range that none of the others covers.
pub fn outside(range: IpNet, others: &[IpNet]) -> Vec<IpNet> {
    let mut parts = Vec::new();
    split(range, others, &mut |part| {
        if !others.iter().any(|other| other.contains(&part)) {
            parts.push(part);
        }
    });
    IpNet::aggregate(&parts)
}

/// Cuts a range into parts that lie each wholly inside or wholly outside of every border.
///
/// A range is halved only where a border lies strictly inside it, so there are no more parts than borders times bits of
/// an address.
pub fn split(range: IpNet, borders: &[IpNet], take: &mut dyn FnMut(IpNet)) {
    let cuts = |border: &&IpNet| **border != range && range.contains(*border);
    let inside: Vec<IpNet> = borders.iter().filter(cuts).copied().collect();
    match range.subnets(range.prefix_len() + 1) {
        Ok(halves) if !inside.is_empty() => halves.for_each(|half| split(half, &inside, take)),
        _ => take(range),
    }
}

/// Whether two ranges share an address.
pub fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

/// Ranges in a sentence: the first few, and how many more there are.
pub fn listed(ranges: &[IpNet]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<String> = ranges.iter().take(SHOWN).map(ToString::to_string).collect();
    match ranges.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn check(range: &str, others: &[&str], expected: &[&str]) {
        assert_eq!(outside(range.parse().unwrap(), &nets(others)), nets(expected), "{range} without {others:?}");
    }

    #[test]
    fn what_is_covered_by_one_or_by_several_leaves_nothing() {
        check("10.0.0.0/16", &["10.0.0.0/8"], &[]);
        check("10.0.0.0/16", &["10.0.0.0/16"], &[]);
        check("10.0.0.0/16", &["10.0.0.0/17", "10.0.128.0/17"], &[]);
    }

    #[test]
    fn a_hole_leaves_what_is_around_it() {
        check("10.0.0.0/16", &["10.0.64.0/18"], &["10.0.0.0/18", "10.0.128.0/17"]);
    }

    #[test]
    fn other_ranges_and_other_families_take_nothing_away() {
        check("10.0.0.0/16", &["10.1.0.0/16", "::/0"], &["10.0.0.0/16"]);
        check("fd00::/8", &["0.0.0.0/0", "fd12::/16"], &outside_of_fd12());
    }

    fn outside_of_fd12() -> Vec<&'static str> {
        vec!["fd00::/12", "fd10::/15", "fd13::/16", "fd14::/14", "fd18::/13", "fd20::/11", "fd40::/10", "fd80::/9"]
    }

    #[test]
    fn the_whole_of_the_addresses_can_be_cut_by_single_ones() {
        let holes = ["0.0.0.0/32", "255.255.255.255/32"];
        let parts = outside("0.0.0.0/0".parse().unwrap(), &nets(&holes));
        assert_eq!(parts.len(), 62);
    }

    #[test]
    fn a_long_list_is_cut_short() {
        assert_eq!(listed(&nets(&["10.0.0.0/8"])), "10.0.0.0/8");
        let many = ["10.0.0.0/24", "10.0.2.0/24", "10.0.4.0/24", "10.0.6.0/24", "10.0.8.0/24"];
        assert_eq!(listed(&nets(&many)), "10.0.0.0/24, 10.0.2.0/24, 10.0.4.0/24, 10.0.6.0/24 and 1 more");
    }
}
