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
fn dnsmasq_has_a_server_line_for_each_zone_and_address() {
    check(Kind::Dnsmasq, expect_file!["../../../tests/golden/dns/dnsmasq.conf"]);
}

#[test]
fn coredns_serves_the_zones_in_a_block_of_their_own() {
    check(Kind::CoreDns, expect_file!["../../../tests/golden/dns/coredns.conf"]);
}

#[test]
fn powerdns_forwards_in_one_file_and_exempts_in_another() {
    check(Kind::PowerDnsRecursor, expect_file!["../../../tests/golden/dns/powerdns_recursor.conf"]);
    check(Kind::PowerDnsRecursorLua, expect_file!["../../../tests/golden/dns/powerdns_recursor.lua"]);
}

#[test]
fn knot_resolver_keeps_the_exemptions_of_others() {
    check(Kind::KnotResolver, expect_file!["../../../tests/golden/dns/knot_resolver.lua"]);
}

#[test]
fn systemd_resolved_takes_the_zones_as_routes() {
    check(Kind::SystemdResolved, expect_file!["../../../tests/golden/dns/systemd_resolved.conf"]);
}

#[test]
fn windows_finds_out_where_it_keeps_the_zones() {
    check(Kind::WindowsDns, expect_file!["../../../tests/golden/dns/windows_dns.ps1"]);
}

#[test]
fn infoblox_imports_a_row_for_each_zone() {
    check(Kind::Infoblox, expect_file!["../../../tests/golden/dns/infoblox.csv"]);
}

#[test]
fn zscaler_gets_each_zone_with_and_without_what_is_below_it() {
    check(Kind::Zscaler, expect_file!["../../../tests/golden/dns/zscaler.txt"]);
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
            assert!(words(&text).any(|word| word == zone.as_str()), "{kind}: {zone}");
        }
    }
}

/// `bind_options` and `powerdns_recursor_lua` have exemptions in them, which are the same whatever the addresses.
#[test]
fn every_address_is_named_in_every_file_that_forwards() {
    for kind in Kind::ALL {
        let text = render(kind, &forwarding()).unwrap();
        for address in forwarding().addresses() {
            let named = words(&text).any(|word| word == address.to_string());
            assert_eq!(named, !matches!(kind, Kind::BindOptions | Kind::PowerDnsRecursorLua), "{kind}: {address}");
        }
    }
}

#[test]
fn no_file_names_a_wildcard_that_a_server_would_forward_by() {
    for kind in Kind::ALL {
        let text = render(kind, &forwarding()).unwrap();
        assert_eq!(text.contains("*."), kind == Kind::Zscaler, "{kind}");
    }
}

/// Infoblox's format has no comments; a column of it says the same.
#[test]
fn the_first_line_says_where_the_file_goes() {
    for kind in Kind::ALL {
        let text = render(kind, &forwarding()).unwrap();
        let first = text.lines().next().unwrap();
        let is_comment = ["// ", "# ", "-- "].iter().any(|start| first.starts_with(start));
        assert_eq!(is_comment, kind != Kind::Infoblox, "{kind}: {first}");
    }
}

#[test]
fn the_same_input_gives_the_same_text_and_the_order_is_kept() {
    let zones = [zone("b.example.com"), zone("a.example.com")];
    let ordered = Forwarding::new(zones, addresses(&["10.0.2.10", "10.0.1.10"])).unwrap();
    for kind in Kind::ALL {
        let text = render(kind, &ordered).unwrap();
        assert_eq!(text, render(kind, &ordered.clone()).unwrap());
        assert!(text.find("b.example.com") < text.find("a.example.com"), "{kind}");
        assert!(text.find("10.0.2.10") <= text.find("10.0.1.10"), "{kind}");
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
fn an_ipv4_address_in_ipv6_form_is_rendered_as_ipv4() {
    let zones = [zone("studio.us-east-1.sagemaker.aws")];
    let forwarding = Forwarding::new(zones.clone(), addresses(&["::ffff:10.0.1.10", "10.0.1.10"])).unwrap();
    assert_eq!(forwarding.addresses(), addresses(&["10.0.1.10"]));
    let unusable = Forwarding::new(zones, addresses(&["::ffff:0.0.0.0"]));
    assert!(matches!(unusable, Err(RenderError::Address(AddressError::Unusable(_)))));
}

#[test]
fn coredns_refuses_more_addresses_than_it_would_start_with() {
    let many: Vec<IpAddr> = (1..=16).map(|last| IpAddr::from([10, 0, 1, last])).collect();
    let rendered = |count: usize| {
        let zones = [zone("studio.us-east-1.sagemaker.aws")];
        render(Kind::CoreDns, &Forwarding::new(zones, many[..count].to_vec()).unwrap())
    };
    assert!(rendered(15).is_ok());
    assert_eq!(rendered(16).unwrap_err().to_string(), "coredns takes at most 15 addresses");
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
    let names = "bind, bind_options, unbound, dnsmasq, coredns, powerdns_recursor, powerdns_recursor_lua, \
                 knot_resolver, systemd_resolved, windows_dns, infoblox, zscaler";
    assert_eq!(unknown.to_string(), format!("\"BIND\" is not a kind of forwarder; choose one of {names}"));
}

/// What stands between characters that neither a name nor an address has.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.' | ':'))
}
