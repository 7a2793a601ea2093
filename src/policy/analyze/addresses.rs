//! The classes of addresses: sets that no range in question splits.
//!
//! **Invariant:** every address of the kind asked for is in exactly one class.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// A class of addresses: all lie in the same ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Atom {
    /// One of them.
    pub(super) example: IpAddr,
    /// How many there are; more than fit are as many as fit.
    pub(super) size: u128,
}

/// Which addresses are in question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    /// Those that a request from the internet can come from.
    Public,
    /// Those of clients of a VPC endpoint: any at all, for a VPC may use public ranges inside.
    All,
}

/// IPv4 that no request from the internet has as its source: "this network", private use, shared
/// between carriers, loopback, link-local, multicast, reserved (IANA's special-purpose registry).
/// The ranges for documentation are left in, so that examples work as they would elsewhere.
const NOT_PUBLIC: [&str; 9] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// IPv6 is public inside this range only.
const PUBLIC_IPV6: &str = "2000::/3";

/// Addresses that make good examples, where they lie in the class.
const EXAMPLES: [&str; 10] = [
    "192.0.2.44",
    "10.1.2.3",
    "172.31.0.10",
    "192.168.0.10",
    "100.64.0.10",
    "198.51.100.7",
    "203.0.113.9",
    "2001:db8::7",
    "fd00::10",
    "10.200.0.1",
];

/// Splits the addresses of both families by `ranges`, in a fixed order: outside of all ranges first.
pub(super) fn atoms<'a>(ranges: impl IntoIterator<Item = &'a IpNet>, among: Among) -> Vec<Atom> {
    let ranges: Vec<IpNet> = ranges.into_iter().copied().collect();
    let mut atoms: BTreeMap<(bool, Vec<usize>), Atom> = BTreeMap::new();
    let class = |address: IpAddr| {
        let inside = ranges.iter().enumerate().filter(|(_, range)| range.contains(&address));
        (address.is_ipv6(), inside.map(|(index, _)| index).collect::<Vec<_>>())
    };
    let examples = EXAMPLES.iter().map(|text| text.parse::<IpAddr>().expect("the examples are addresses"));
    for example in examples.filter(|address| is_among(*address, among)) {
        atoms.entry(class(example)).or_insert(Atom { example, size: 0 });
    }
    for (start, size) in intervals(&ranges) {
        if is_among(start, among) {
            let example = if size > 2 { next(start) } else { start };
            let atom = atoms.entry(class(start)).or_insert(Atom { example, size: 0 });
            atom.size = atom.size.saturating_add(size);
        }
    }
    atoms.into_values().filter(|atom| atom.size > 0).collect()
}

fn is_among(address: IpAddr, among: Among) -> bool {
    match (among, address) {
        (Among::All, _) => true,
        (Among::Public, IpAddr::V4(_)) => !NOT_PUBLIC.iter().any(|range| net(range).contains(&address)),
        (Among::Public, IpAddr::V6(_)) => net(PUBLIC_IPV6).contains(&address),
    }
}

/// The pieces between all the borders of the ranges, as first address and length. The borders of
/// what is public are among them, so that a piece is public as a whole or not at all.
fn intervals(ranges: &[IpNet]) -> Vec<(IpAddr, u128)> {
    let mut starts: [Vec<u128>; 2] = [vec![0], vec![0]];
    let fixed = NOT_PUBLIC.iter().chain([&PUBLIC_IPV6]).map(|range| net(range));
    for range in ranges.iter().copied().chain(fixed) {
        let family = &mut starts[usize::from(range.addr().is_ipv6())];
        family.push(number(range.network()));
        // Behind the last address of the family there is nothing to start.
        family.extend(number(range.broadcast()).checked_add(1).filter(|n| range.addr().is_ipv6() || *n >> 32 == 0));
    }
    let mut pieces = Vec::new();
    for (family, mut starts) in starts.into_iter().enumerate() {
        starts.sort_unstable();
        starts.dedup();
        let last = if family == 1 { u128::MAX } else { u128::from(u32::MAX) };
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).map_or(last, |next| next - 1);
            pieces.push((address(family == 1, *start), (end - start).saturating_add(1)));
        }
    }
    pieces
}

fn next(address: IpAddr) -> IpAddr {
    self::address(address.is_ipv6(), number(address) + 1)
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

fn address(ipv6: bool, number: u128) -> IpAddr {
    match u32::try_from(number) {
        Ok(number) if !ipv6 => Ipv4Addr::from(number).into(),
        Ok(_) | Err(_) => Ipv6Addr::from(number).into(),
    }
}

fn net(text: &str) -> IpNet {
    text.parse().expect("the fixed ranges are ranges")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(ranges: &[&str]) -> Vec<IpNet> {
        ranges.iter().map(|range| net(range)).collect()
    }

    /// Example and size of each class.
    fn of(ranges: &[&str], among: Among) -> Vec<(String, u128)> {
        atoms(&nets(ranges), among).into_iter().map(|atom| (atom.example.to_string(), atom.size)).collect()
    }

    #[test]
    fn nested_ranges_split_into_rings() {
        let found = of(&["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24"], Among::All);
        let ipv4: Vec<_> = found.iter().filter(|(example, _)| example.contains('.')).cloned().collect();
        assert_eq!(
            ipv4,
            [
                ("192.0.2.44".to_owned(), (1 << 32) - (1 << 24)),
                ("10.200.0.1".to_owned(), (1 << 24) - (1 << 16)),
                ("10.1.0.1".to_owned(), (1 << 16) - (1 << 8)),
                ("10.1.2.3".to_owned(), 1 << 8),
            ]
        );
    }

    #[test]
    fn the_sizes_add_up_to_all_addresses() {
        for ranges in [
            &[][..],
            &["0.0.0.0/0"],
            &["::/0"],
            &["255.255.255.255/32", "0.0.0.0/32", "128.0.0.0/1"],
            &["198.51.100.0/24", "198.51.100.0/28", "203.0.113.0/24", "2001:db8::/32"],
        ] {
            let atoms = atoms(&nets(ranges), Among::All);
            let sum = |ipv6| {
                atoms.iter().filter(|a| a.example.is_ipv6() == ipv6).map(|a| a.size).reduce(u128::saturating_add)
            };
            assert_eq!(sum(false), Some(1 << 32), "{ranges:?}");
            assert_eq!(sum(true), Some(u128::MAX), "{ranges:?}");
        }
    }

    #[test]
    fn each_example_lies_in_its_own_class_only() {
        let ranges = nets(&["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/1", "192.0.2.0/24", "2001:db8::/32", "10.2.0.4/32"]);
        let atoms = atoms(&ranges, Among::All);
        let class = |atom: &Atom| ranges.iter().map(|range| range.contains(&atom.example)).collect::<Vec<_>>();
        for (index, atom) in atoms.iter().enumerate() {
            let same_family = |other: &&Atom| other.example.is_ipv6() == atom.example.is_ipv6();
            assert!(atoms[..index].iter().filter(same_family).all(|other| class(other) != class(atom)), "{atom:?}");
        }
    }

    #[test]
    fn a_private_range_has_no_public_class() {
        let inside =
            |range: &str| atoms(&nets(&[range]), Among::Public).iter().any(|a| net(range).contains(&a.example));
        for range in ["10.0.0.0/8", "192.168.7.0/24", "fd00::/8", "100.64.0.0/10"] {
            assert!(!inside(range), "{range}");
        }
        for range in ["0.0.0.0/0", "198.51.100.0/24", "8.0.0.0/6", "2001:db8::/32"] {
            assert!(inside(range), "{range}");
        }
    }
}
