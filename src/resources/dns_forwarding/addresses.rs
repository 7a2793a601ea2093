//! Which address stands for which place in the configuration, and how to get from some addresses to others without a
//! gap.
//!
//! A *slot* is one element of `subnet_ids` or `ip_addresses`. The way from the addresses that are there to the slots is
//! taken one move at a time; after each, the addresses are looked at again:
//!
//! ```text
//!   one is wanted and not there ── add it ── wait until it is attached ──┐
//!              ▲                                                         │
//!              └── wait until it is gone ── remove one that is too many ─┘
//! ```
//!
//! An address that failed is in the way when its fixed IP is wanted again. It goes first then, and where that would
//! leave too few, a stopgap comes before it and goes at the end.
//!
//! **Invariant:** pure.
//! **Invariant:** no move removes an address while fewer than two others are in use, unless the endpoint is full and the
//! address is of no use itself.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::recorded::{Address, State};
use super::schema::{FEWEST_ADDRESSES, MOST_ADDRESSES};
use crate::aws::{ResolverAddressId, SubnetId};

/// A wanted address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The subnet.
    pub subnet_id: SubnetId,
    /// A fixed address; without one, Resolver chooses.
    pub ip: Option<Ipv4Addr>,
    /// A fixed IPv6 address; without one, Resolver chooses, where the endpoint has IPv6.
    pub ipv6: Option<Ipv6Addr>,
}

/// The next thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Add an address, and wait until it is attached.
    Add(Slot),
    /// Remove an address, and wait until it is gone.
    Remove(ResolverAddressId),
}

impl Slot {
    fn takes(&self, address: &Address) -> bool {
        self.subnet_id == address.subnet_id
            && self.ip.is_none_or(|ip| address.ipv4 == Some(ip))
            && self.ipv6.is_none_or(|ip| address.ipv6 == Some(ip))
    }

    /// Whether one of its fixed addresses is this one's.
    fn claims(&self, address: &Address) -> bool {
        (self.ip.is_some() && self.ip == address.ipv4) || (self.ipv6.is_some() && self.ipv6 == address.ipv6)
    }

    fn is_fixed(&self) -> bool {
        self.ip.is_some() || self.ipv6.is_some()
    }
}

/// The address that stands for each slot, by its place among the addresses. Slots with a fixed address choose first;
/// among equals, the first address is taken, one that failed only where there is no other.
pub fn assign(slots: &[Slot], addresses: &[Address]) -> Vec<Option<usize>> {
    let mut assigned = vec![None; slots.len()];
    let sound = (0..addresses.len()).filter(|place| addresses[*place].is_sound());
    let failed = (0..addresses.len()).filter(|place| addresses[*place].failure().is_some());
    // One whose halves are wanted in two places, or only one of them here, is in the way of another.
    let is_usable = |place: &usize| {
        let mut claims = slots.iter().filter(|slot| slot.claims(&addresses[*place]));
        claims.next().is_none_or(|slot| slot.takes(&addresses[*place])) && claims.next().is_none()
    };
    let places: Vec<usize> = sound.chain(failed).filter(is_usable).collect();
    for fixed in [true, false] {
        for (index, slot) in slots.iter().enumerate().filter(|(_, slot)| slot.is_fixed() == fixed) {
            let is_free = |place: &&usize| !assigned.contains(&Some(**place));
            let found = places.iter().filter(is_free).find(|place| slot.takes(&addresses[**place])).copied();
            assigned[index] = found;
        }
    }
    assigned
}

/// Whether every slot has a sound address, and no address is beside them. Those on their way out are not counted.
pub fn is_as_wanted(slots: &[Slot], addresses: &[Address]) -> bool {
    let staying = addresses.iter().filter(|address| address.state != State::Going).count();
    let assigned = assign(slots, addresses);
    let sound = assigned.iter().flatten().filter(|place| addresses[**place].is_sound()).count();
    sound == slots.len() && staying == slots.len()
}

/// What to do next, once no address is on its way. `None` when the addresses are as wanted.
pub fn next_move(slots: &[Slot], addresses: &[Address]) -> Option<Move> {
    next_move_but(slots, addresses, &BTreeSet::new())
}

/// The same without removing those that are held: `None` when only that is left to do, or what has to wait for it.
pub fn next_move_but(slots: &[Slot], addresses: &[Address], held: &BTreeSet<ResolverAddressId>) -> Option<Move> {
    let assigned = assign(slots, addresses);
    let has_sound = |index: usize| assigned[index].is_some_and(|place| addresses[place].is_sound());
    let missing: Vec<&Slot> = (0..slots.len()).filter(|index| !has_sound(*index)).map(|index| &slots[index]).collect();
    let is_kept = |place: usize| addresses[place].is_sound() && assigned.contains(&Some(place));
    let extra: Vec<&Address> =
        (0..addresses.len()).filter(|place| !is_kept(*place)).map(|place| &addresses[place]).collect();
    let extra: Vec<&Address> = extra.into_iter().filter(|address| !held.contains(&address.id)).collect();

    let removal = removable(&extra, addresses).map(|address| Move::Remove(address.id.clone()));
    // An address that is there already, if only as a failed one, cannot be had a second time.
    let is_taken = |slot: &Slot| addresses.iter().any(|address| slot.claims(address));
    let addition = missing.iter().find(|slot| !is_taken(slot)).map(|slot| Move::Add((*slot).clone()));
    let has_room = addresses.len() < MOST_ADDRESSES;
    match missing.first() {
        None => removal,
        // One more than wanted is there already: let an old one go before the next comes.
        Some(_) if addresses.len() > slots.len() && removal.is_some() => removal,
        Some(_) if has_room && addition.is_some() => addition,
        Some(_) if removal.is_some() => removal,
        // What is missing waits for those that are held; no detour is needed.
        Some(_) if !held.is_empty() => None,
        Some(slot) if has_room => Some(Move::Add(Slot { subnet_id: slot.subnet_id.clone(), ip: None, ipv6: None })),
        // Full of failed addresses: nothing can come before one goes.
        Some(_) => extra.iter().find(|one| one.failure().is_some()).map(|one| Move::Remove(one.id.clone())),
    }
}

/// The addresses that are to stay: those that stand for a slot, and are in use or will be.
pub fn staying<'a>(slots: &[Slot], addresses: &'a [Address]) -> Vec<&'a Address> {
    let assigned = assign(slots, addresses);
    assigned.into_iter().flatten().map(|place| &addresses[place]).filter(|address| address.is_sound()).collect()
}

/// The first address that may go: a failed one before one that is in use.
fn removable<'a>(extra: &[&'a Address], addresses: &[Address]) -> Option<&'a Address> {
    let others_in_use =
        |one: &Address| addresses.iter().filter(|other| other.id != one.id && other.state == State::Attached).count();
    let may_go = |one: &&&Address| others_in_use(one) >= FEWEST_ADDRESSES;
    let failed = extra.iter().filter(|one| one.failure().is_some());
    failed.chain(extra.iter().filter(|one| one.failure().is_none())).find(may_go).copied()
}

/// Puts what was found into the order of before: what stays keeps its place, and what is new comes behind, by address.
pub fn in_order(before: &[Address], mut found: Vec<Address>) -> Vec<Address> {
    found.sort_by_key(|address| {
        let place = before.iter().position(|one| one.id == address.id).unwrap_or(before.len());
        (place, address.ipv4, address.ipv6, address.id.clone())
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(text: &str) -> Slot {
        let (subnet, ips) = text.split_once('=').unwrap_or((text, ""));
        let (ip, ipv6) = ips.split_once('+').unwrap_or((ips, ""));
        Slot { subnet_id: subnet.into(), ip: ip.parse().ok(), ipv6: ipv6.parse().ok() }
    }

    fn slots(texts: &[&str]) -> Vec<Slot> {
        texts.iter().map(|text| slot(text)).collect()
    }

    /// `subnet=ip` or `subnet=ip+ipv6`, with `!` before it for one that failed.
    fn address(text: &str) -> Address {
        let (sound, text) = text.strip_prefix('!').map_or((true, text), |text| (false, text));
        let wanted = slot(text);
        Address {
            id: format!("rni-{text}").as_str().into(),
            subnet_id: wanted.subnet_id,
            ipv4: wanted.ip,
            ipv6: wanted.ipv6,
            state: if sound { State::Attached } else { State::Failed("FAILED_CREATION".to_owned()) },
        }
    }

    fn addresses(texts: &[&str]) -> Vec<Address> {
        texts.iter().map(|text| address(text)).collect()
    }

    /// Plays the moves, as Resolver would carry them out, and says what was done.
    fn play(wanted: &[&str], there: &[&str]) -> Vec<String> {
        let (wanted, mut there) = (slots(wanted), addresses(there));
        let mut done = Vec::new();
        let mut next_ip = 100;
        let in_use = |there: &[Address]| there.iter().filter(|one| one.state == State::Attached).count();
        let fewest = in_use(&there).min(FEWEST_ADDRESSES);
        while let Some(step) = next_move(&wanted, &there) {
            match step {
                Move::Add(slot) => {
                    done.push(format!("+{}{}", slot.subnet_id, slot.ip.map(|ip| format!("={ip}")).unwrap_or_default()));
                    let ip = slot.ip.unwrap_or_else(|| Ipv4Addr::new(10, 9, 9, next_ip));
                    next_ip += 1;
                    let ipv6 = slot.ipv6.unwrap_or_else(|| Ipv6Addr::from(0xfd09_u128 << 112 | u128::from(next_ip)));
                    assert!(
                        there.iter().all(|one| one.ipv4 != Some(ip) && one.ipv6 != Some(ipv6)),
                        "{ip} or {ipv6} is taken: {done:?}"
                    );
                    there.push(address(&format!("{}={ip}+{ipv6}", slot.subnet_id)));
                }
                Move::Remove(id) => {
                    let place = there.iter().position(|one| one.id == id).unwrap();
                    let gone = there.remove(place);
                    done.push(format!("-{}", gone.ipv4.unwrap()));
                }
            }
            assert!(there.len() <= MOST_ADDRESSES && in_use(&there) >= fewest, "{done:?}");
            assert!(done.len() < 40, "no end: {done:?}");
        }
        assert!(is_as_wanted(&wanted, &there), "{wanted:?} is not {there:?}");
        done
    }

    #[test]
    fn nothing_is_done_where_all_is_as_wanted() {
        assert_eq!(play(&["a", "b"], &["b=10.0.1.5", "a=10.0.0.5"]), [""; 0]);
        assert_eq!(play(&["a=10.0.0.5", "a"], &["a=10.0.0.9", "a=10.0.0.5"]), [""; 0]);
    }

    #[test]
    fn an_address_is_added_before_one_is_removed() {
        assert_eq!(play(&["a", "c"], &["a=10.0.0.5", "b=10.0.1.5"]), ["+c", "-10.0.1.5"]);
        assert_eq!(
            play(&["a=10.0.0.10", "b=10.0.1.10"], &["a=10.0.0.5", "b=10.0.1.5"]),
            ["+a=10.0.0.10", "-10.0.0.5", "+b=10.0.1.10", "-10.0.1.5"]
        );
    }

    #[test]
    fn more_and_fewer_addresses_take_no_detour() {
        assert_eq!(play(&["a", "b", "c"], &["a=10.0.0.5", "b=10.0.1.5"]), ["+c"]);
        assert_eq!(play(&["a", "b"], &["a=10.0.0.5", "b=10.0.1.5", "c=10.0.2.5"]), ["-10.0.2.5"]);
    }

    #[test]
    fn a_full_endpoint_lets_one_go_first() {
        let there = ["a=10.0.0.1", "a=10.0.0.2", "a=10.0.0.3", "b=10.0.1.1", "b=10.0.1.2", "b=10.0.1.3"];
        let done = play(&["a", "a", "a", "b", "b", "c"], &there);
        assert_eq!(done, ["-10.0.1.3", "+c"]);
    }

    #[test]
    fn a_failed_address_is_replaced() {
        assert_eq!(play(&["a", "b"], &["a=10.0.0.5", "!b=10.0.1.5"]), ["+b", "-10.0.1.5"]);
        assert_eq!(play(&["a", "b", "c"], &["a=10.0.0.5", "b=10.0.1.5", "!c=10.0.2.5"]), ["+c", "-10.0.2.5"]);
    }

    #[test]
    fn a_failed_fixed_address_goes_before_it_can_come_again() {
        let done = play(&["a", "b", "c=10.0.2.5"], &["a=10.0.0.5", "b=10.0.1.5", "!c=10.0.2.5"]);
        assert_eq!(done, ["-10.0.2.5", "+c=10.0.2.5"]);
    }

    #[test]
    fn a_stopgap_comes_where_too_few_would_be_left() {
        let done = play(&["a", "b=10.0.1.5"], &["a=10.0.0.5", "!b=10.0.1.5"]);
        assert_eq!(done, ["+b", "-10.0.1.5", "+b=10.0.1.5", "-10.9.9.100"]);
    }

    #[test]
    fn an_endpoint_whose_addresses_all_failed_is_repaired() {
        play(&["a=10.0.0.5", "b=10.0.1.5"], &["!a=10.0.0.5", "!b=10.0.1.5"]);
        let full = ["!a=10.0.0.1", "!a=10.0.0.2", "!a=10.0.0.3", "!b=10.0.1.1", "!b=10.0.1.2", "!b=10.0.1.3"];
        play(&["a=10.0.0.1", "b=10.0.1.1"], &full);
    }

    #[test]
    fn every_way_from_some_addresses_to_others_ends_without_a_gap() {
        fastrand::seed(7);
        for _ in 0..2_000 {
            let some = |failures: bool| {
                let mut texts: Vec<String> = Vec::new();
                for _ in 0..fastrand::usize(2..=6) {
                    let subnet = fastrand::usize(0..3);
                    let text = format!("{}=10.0.{subnet}.{}", ["a", "b", "c"][subnet], fastrand::u8(1..9));
                    if !texts.iter().any(|other| other.ends_with(&text)) {
                        texts.push(if failures && fastrand::u8(0..4) == 0 { format!("!{text}") } else { text });
                    }
                }
                texts
            };
            let (there, wanted) = (some(true), some(false));
            if there.len() < 2 || wanted.len() < 2 {
                continue;
            }
            let free = |text: &String| if fastrand::bool() { text.clone() } else { text[..1].to_owned() };
            let wanted: Vec<String> = wanted.iter().map(free).collect();
            play(
                &wanted.iter().map(String::as_str).collect::<Vec<_>>(),
                &there.iter().map(String::as_str).collect::<Vec<_>>(),
            );
        }
    }

    #[test]
    fn an_address_whose_halves_are_wanted_apart_goes() {
        let there = ["a=10.0.0.5+fd00::5", "a=10.0.0.6+fd00::6", "b=10.0.1.5+fd01::5"];
        play(&["a=10.0.0.5", "a=+fd00::5", "b"], &there);
        play(&["a=10.0.0.5+fd00::6", "a=10.0.0.6+fd00::5", "b"], &there);
        assert_eq!(play(&["b", "a=+fd00::6", "a=10.0.0.5"], &there), [""; 0]);
    }

    #[test]
    fn every_way_of_two_families_ends_too() {
        fastrand::seed(11);
        for _ in 0..2_000 {
            let one = || (fastrand::usize(0..2), fastrand::u8(1..4), fastrand::u8(1..4));
            let text = |(subnet, ip, ipv6): (usize, u8, u8)| {
                let name = ["a", "b"][subnet];
                (name, format!("10.0.{subnet}.{ip}"), format!("fd0{subnet}::{ipv6}"))
            };
            let mut sets: [Vec<String>; 2] = Default::default();
            for (which, set) in sets.iter_mut().enumerate() {
                let mut used = std::collections::BTreeSet::new();
                for _ in 0..fastrand::usize(2..5) {
                    let (name, ip, ipv6) = text(one());
                    let keep_ip = which == 0 || fastrand::bool();
                    let keep_ipv6 = which == 0 || fastrand::bool();
                    if (keep_ip && used.contains(&ip)) || (keep_ipv6 && used.contains(&ipv6)) {
                        continue;
                    }
                    let half = |keep: bool, text: &String| if keep { text.clone() } else { String::new() };
                    set.push(format!("{name}={}+{}", half(keep_ip, &ip), half(keep_ipv6, &ipv6)));
                    used.extend([ip, ipv6]);
                }
            }
            let [there, wanted] = &sets;
            if there.len() >= 2 && wanted.len() >= 2 {
                let texts = |list: &[String]| list.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
                let (wanted, there) = (texts(wanted), texts(there));
                play(&wanted.split(' ').collect::<Vec<_>>(), &there.split(' ').collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn what_stays_keeps_its_place() {
        let before = addresses(&["a=10.0.0.9", "a=10.0.0.7"]);
        let found = addresses(&["a=10.0.0.5", "a=10.0.0.7", "a=10.0.0.9"]);
        let ordered: Vec<_> = in_order(&before, found).iter().map(|one| one.ipv4.unwrap().to_string()).collect();
        assert_eq!(ordered, ["10.0.0.9", "10.0.0.7", "10.0.0.5"]);
    }

    #[test]
    fn a_fixed_slot_chooses_before_one_that_takes_any() {
        let there = addresses(&["a=10.0.0.5", "a=10.0.0.6"]);
        assert_eq!(assign(&slots(&["a", "a=10.0.0.5"]), &there), [Some(1), Some(0)]);
    }
}
