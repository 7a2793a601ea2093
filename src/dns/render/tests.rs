use expect_test::{ExpectFile, expect_file};

use super::*;
use crate::dns::zones::{Fips, Region, studio_parents};

/// The parents of a region, forwarded to two addresses of each family.
fn forwarding() -> Forwarding {
    let region = Region::new("us-east-1").unwrap();
    let zones = studio_parents(&region, Fips::No).unwrap();
    Forwarding::new(zones, addresses(&["10.0.1.10", "10.0.2.10", "2001:db8::10"])).unwrap()
}

fn addresses(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|address| address.parse().unwrap()).collect()
}

fn zone(name: &str) -> ZoneName {
    ZoneName::parse(name).unwrap()
}

fn check(kind: Kind, golden: ExpectFile) {
    golden.assert_eq(&render(kind, &forwarding()).unwrap());
}

#[test]
fn bind_forwards_each_zone_only_to_the_vpc() {
    check(Kind::Bind, expect_file!["../../../tests/golden/dns/bind.conf"]);
}

#[test]
fn bind_options_exempt_the_zones_from_validation() {
    check(Kind::BindOptions, expect_file!["../../../tests/golden/dns/bind_options.conf"]);
}

#[test]
fn unbound_forwards_and_exempts_in_one_file() {
    check(Kind::Unbound, expect_file!["../../../tests/golden/dns/unbound.conf"]);
}

#[test]
fn every_file_is_ascii_and_ends_its_last_line() {
    for kind in Kind::ALL {
        let text = render(kind, &forwarding()).unwrap();
        assert!(text.is_ascii() && text.ends_with('\n') && !text.ends_with("\n\n"), "{kind}");
        assert!(text.lines().all(|line| line == line.trim_end()), "{kind}");
    }
}

#[test]
fn every_zone_is_named_in_every_file() {
    for kind in Kind::ALL {
        let text = render(kind, &forwarding()).unwrap();
        for zone in forwarding().zones() {
            assert!(text.contains(&format!("\"{zone}\"")), "{kind}: {zone}");
        }
    }
}

#[test]
fn repeated_zones_and_addresses_are_rendered_once() {
    let name = zone("studio.us-east-1.sagemaker.aws");
    let twice = [name.clone(), zone("Studio.us-east-1.sagemaker.aws.")];
    let forwarding = Forwarding::new(twice, addresses(&["10.0.1.10", "10.0.1.10"])).unwrap();
    assert_eq!(forwarding.zones(), [name]);
    assert_eq!(forwarding.addresses(), addresses(&["10.0.1.10"]));
}

#[test]
fn nothing_is_rendered_without_a_zone_or_an_address() {
    let some = addresses(&["10.0.1.10"]);
    assert_eq!(Forwarding::new([], some), Err(RenderError::NoZones));
    let zones = [zone("studio.us-east-1.sagemaker.aws")];
    assert_eq!(Forwarding::new(zones.clone(), []), Err(RenderError::NoAddresses));
    assert!(matches!(
        Forwarding::new(zones, addresses(&["0.0.0.0"])),
        Err(RenderError::Address(AddressError::Unusable(_)))
    ));
}

#[test]
fn kinds_are_known_by_their_names() {
    for kind in Kind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
    let unknown = "BIND".parse::<Kind>().unwrap_err();
    assert_eq!(unknown.to_string(), "\"BIND\" is not a kind of forwarder; choose one of bind, bind_options, unbound");
}
