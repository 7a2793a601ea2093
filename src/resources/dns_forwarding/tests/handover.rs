//! All inbound addresses are exchanged, and the rules ask one that answers at every moment.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::*;
use crate::resources::dns_forwarding::addresses::{Move, next_move_but};
use crate::resources::dns_forwarding::schema::{FEWEST_ADDRESSES, MOST_ADDRESSES};

/// Carries out the steps as Resolver would, in an order that they allow, and says what was done. After each move there
/// must be an address in use that each of the rules asks.
fn play(model: &Model, mut now: Recorded) -> Vec<String> {
    let desired = Desired::new(model);
    let mut done = Vec::new();
    for key in order(Some(&desired), &now) {
        match &key {
            Key::Addresses(Side::Inbound) => {
                let held = changes::held(&desired, &now);
                exchange(&desired, &mut now, &held, &mut done);
            }
            Key::LastAddresses => exchange(&desired, &mut now, &BTreeSet::new(), &mut done),
            Key::Handover(zone) => {
                if let Some(targets) = changes::interim_targets(&desired, &now) {
                    turn(&mut now, zone, targets, &mut done);
                }
            }
            Key::Rule(zone) => {
                let targets = changes::targets(&desired, &now).expect("all is known by now");
                turn(&mut now, zone, targets, &mut done);
            }
            other => panic!("{other:?} has nothing to do here"),
        }
    }
    assert_eq!(steps(model, &now), [], "{done:?}");
    done
}

fn turn(now: &mut Recorded, zone: &str, targets: BTreeSet<IpAddr>, done: &mut Vec<String>) {
    let rule = now.rules.get_mut(zone).unwrap();
    if rule.targets != targets {
        rule.targets = targets;
        done.push(format!("rule {}", ZONES.iter().position(|one| *one == zone).unwrap()));
    }
    assert_answered(now, done);
}

fn exchange(
    desired: &Desired,
    now: &mut Recorded,
    held: &BTreeSet<crate::aws::ResolverAddressId>,
    done: &mut Vec<String>,
) {
    let slots = desired.inbound.slots().unwrap();
    while let Some(next) = next_move_but(&slots, &endpoint(now).addresses, held) {
        let there = &mut endpoint(now).addresses;
        match next {
            Move::Add(slot) => {
                let free = |last: &u8| !there.iter().any(|one| one.ipv4.unwrap().octets() == [10, 9, 9, *last]);
                let chosen = std::net::Ipv4Addr::new(10, 9, 9, (100..).find(free).unwrap());
                let ip = slot.ip.unwrap_or(chosen);
                there.push(address(&format!("{}={ip}", slot.subnet_id)));
                done.push(format!("+{ip}"));
            }
            Move::Remove(id) => {
                let place = there.iter().position(|one| one.id == id).unwrap();
                done.push(format!("-{}", there.remove(place).ipv4.unwrap()));
            }
        }
        assert!((FEWEST_ADDRESSES..=MOST_ADDRESSES).contains(&there.len()), "{done:?}");
        assert_answered(now, done);
        assert!(done.len() < 40, "no end: {done:?}");
    }
}

fn assert_answered(now: &Recorded, done: &[String]) {
    let addresses = &now.inbound.endpoint.as_ref().unwrap().addresses;
    let in_use: BTreeSet<IpAddr> = addresses.iter().filter_map(|one| one.ipv4.map(IpAddr::V4)).collect();
    for rule in now.rules.values() {
        assert!(!rule.targets.is_disjoint(&in_use), "{:?} are all gone: {done:?}", rule.targets);
    }
}

/// Both halves, with these inbound addresses, which the rules ask.
fn with_addresses(addresses: &[&str]) -> Recorded {
    let mut now = both_applied();
    endpoint(&mut now).addresses = addresses.iter().map(|text| address(text)).collect();
    let targets = changes::targets_in_use(&now).unwrap();
    now.rules.values_mut().for_each(|rule| rule.targets.clone_from(&targets));
    now
}

fn wanting(addresses: &[&str]) -> Model {
    Model { subnet_ids: Value::Null, ip_addresses: fixed(addresses), ..both_halves() }
}

#[test]
fn the_last_old_address_goes_when_the_rules_ask_the_new_ones() {
    let done = play(&wanting(&["subnet-a=10.0.0.20", "subnet-b=10.0.1.20"]), both_applied());
    assert_eq!(
        done,
        ["+10.0.0.20", "-10.0.0.5", "+10.0.1.20", "rule 0", "rule 1", "-10.0.1.5"],
        "one change of each rule is enough"
    );
}

#[test]
fn where_one_address_stays_nothing_is_held_back() {
    let model = wanting(&["subnet-a=10.0.0.20", "subnet-b=10.0.1.5"]);
    assert_eq!(play(&model, both_applied()), ["+10.0.0.20", "-10.0.0.5", "rule 0", "rule 1"]);
    assert!(
        !steps(&model, &both_applied()).iter().any(|(key, _)| matches!(key, Key::Handover(_) | Key::LastAddresses))
    );
    let alone = Model { outbound: Value::Null, ..wanting(&["subnet-a=10.0.0.20", "subnet-b=10.0.1.20"]) };
    assert_eq!(steps(&alone, &recorded()), [(Key::Addresses(Side::Inbound), Action::Update)]);
}

#[test]
fn a_full_endpoint_is_exchanged_with_two_changes_of_each_rule() {
    let six = |last: u8| {
        let one =
            |index: usize| format!("subnet-{}=10.0.{}.{}", ["a", "b"][index % 2], index % 2, usize::from(last) + index);
        (0..6).map(one).collect::<Vec<_>>()
    };
    let (old, new) = (six(10), six(20));
    let old = with_addresses(&old.iter().map(String::as_str).collect::<Vec<_>>());
    let done = play(&wanting(&new.iter().map(String::as_str).collect::<Vec<_>>()), old);
    assert_eq!(done.iter().filter(|what| what.starts_with("rule")).count(), 4, "{done:?}");
    assert_eq!(done.len(), 12 + 4, "no address comes or goes twice: {done:?}");
}

#[test]
fn rules_that_ask_written_addresses_are_turned_to_the_new_ones_too() {
    let model = wanting(&["subnet-a=10.0.0.20", "subnet-b=10.0.1.20"]);
    let targets = Outbound { target_ips: texts(&["10.0.0.20", "10.0.1.20"]), ..outbound() };
    play(&Model { outbound: Value::Known(targets), ..model.clone() }, both_applied());
    // Those that ask somebody else are not touched.
    let mut elsewhere = both_applied();
    elsewhere.rules.values_mut().for_each(|rule| rule.targets = ["192.168.1.1".parse().unwrap()].into());
    assert!(changes::held(&Desired::new(&model), &elsewhere).is_empty());
}

#[test]
fn every_exchange_leaves_the_rules_an_address() {
    fastrand::seed(13);
    for _ in 0..1_000 {
        let some = || {
            let mut texts: BTreeSet<String> = BTreeSet::new();
            while texts.len() < FEWEST_ADDRESSES {
                for _ in 0..fastrand::usize(2..=6) {
                    let subnet = fastrand::usize(0..2);
                    texts.insert(format!("subnet-{}=10.0.{subnet}.{}", ["a", "b"][subnet], fastrand::u8(5..13)));
                }
            }
            texts.into_iter().take(MOST_ADDRESSES).collect::<Vec<_>>()
        };
        let (old, new) = (some(), some());
        let old = with_addresses(&old.iter().map(String::as_str).collect::<Vec<_>>());
        play(&wanting(&new.iter().map(String::as_str).collect::<Vec<_>>()), old);
    }
}

#[test]
fn after_a_break_in_the_middle_the_rest_is_done() {
    let wanted = wanting(&["subnet-a=10.0.0.20", "subnet-b=10.0.1.20"]);
    // Before the handover, and after it.
    play(&wanted, {
        let mut now = both_applied();
        endpoint(&mut now).addresses =
            ["subnet-a=10.0.0.20", "subnet-b=10.0.1.5", "subnet-b=10.0.1.20"].map(address).to_vec();
        now
    });
    let mut turned = both_applied();
    endpoint(&mut turned).addresses =
        ["subnet-a=10.0.0.20", "subnet-b=10.0.1.5", "subnet-b=10.0.1.20"].map(address).to_vec();
    let targets: BTreeSet<IpAddr> = ["10.0.0.20".parse().unwrap(), "10.0.1.20".parse().unwrap()].into();
    turned.rules.values_mut().for_each(|rule| rule.targets.clone_from(&targets));
    assert_eq!(play(&wanted, turned), ["-10.0.1.5"]);
}
