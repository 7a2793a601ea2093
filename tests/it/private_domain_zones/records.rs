//! What the records hold: the endpoint's name or its addresses.

use std::collections::BTreeSet;

use aws_sdk_route53::types::ChangeAction;
use serde_json::{Value as Json, json};

use super::{Place, address, both, change_record, records};
use crate::{emulator::Account, terraform::Workspace};

impl Place {
    fn target(&self) -> String {
        self.values()["endpoint_dns"]["studio"]["dns_name"].as_str().expect("it has a name").to_owned()
    }

    /// The addresses of the studio endpoint, of one family.
    fn addresses(&self, is_of_family: fn(&str) -> bool) -> String {
        let all = self.values()["endpoint_ips"]["studio"].clone();
        let all: BTreeSet<String> = serde_json::from_value(all).expect("a list of texts");
        all.into_iter().filter(|ip| is_of_family(ip)).collect::<Vec<_>>().join(" ")
    }

    /// Every zone has records of these types with this answer, and no others.
    fn assert_answers(&self, expected: &[(&str, &str)]) {
        assert_eq!(self.zone_names(), self.hosts());
        for (name, zone) in self.zone_ids() {
            let expected = expected.iter().flat_map(|(kind, answer)| both(&[kind], &name, answer));
            assert_eq!(records(&self.outside, &zone), expected.collect());
        }
    }
}

fn ipv4(ip: &str) -> bool {
    !ip.contains(':')
}

fn ipv6(ip: &str) -> bool {
    ip.contains(':')
}

fn zones(record_type: &str) -> Json {
    json!({ "hosted_zone": { "record_type": record_type } })
}

#[test]
fn the_record_type_is_changed_in_place() {
    let place = Place::new();
    place.make(&zones("alias"));
    place.assert_answers(&[("A", &place.target())]);
    place.change(&zones("ip"), &["hosted_zone.record_type"]);
    assert_eq!(place.addresses(ipv4).split(' ').count(), 2);
    place.assert_answers(&[("A", &place.addresses(ipv4))]);
    place.change(&zones("alias"), &["hosted_zone.record_type"]);
    place.assert_answers(&[("A", &place.target())]);
    place.destroy();
}

#[test]
fn addresses_follow_the_endpoint_to_other_subnets() {
    let place = Place::new();
    let in_subnets = |subnets: &[String]| json!({ "hosted_zone": { "record_type": "ip" }, "subnet_ids": subnets });
    let subnets = &place.network.subnet_ids;
    place.make(&in_subnets(&subnets[..2]));
    let paths = ["endpoint_dns", "endpoint_ips", "subnet_ids"];
    place.change(&in_subnets(subnets), &paths);
    assert_eq!(place.addresses(ipv4).split(' ').count(), 3);
    place.assert_answers(&[("A", &place.addresses(ipv4))]);
    place.change(&in_subnets(&subnets[2..]), &paths);
    assert_eq!(place.addresses(ipv4).split(' ').count(), 1);
    place.assert_answers(&[("A", &place.addresses(ipv4))]);
    place.destroy();
}

#[test]
fn addresses_follow_an_endpoint_that_was_moved_by_hand() {
    let place = Place::new();
    place.make(&zones("ip"));
    let before = place.addresses(ipv4);
    let [first, second, third] = [0, 1, 2].map(|index| place.network.subnet_ids[index].clone());
    let endpoint = place.values()["endpoint_ids"]["studio"].as_str().expect("it has one").to_owned();
    let modify = || place.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(&endpoint);
    place.outside.run(modify().add_subnet_ids(&third).remove_subnet_ids(&second).send());
    let available = || {
        let found = place.outside.run(place.outside.ec2().describe_vpc_endpoints().vpc_endpoint_ids(&endpoint).send());
        found.vpc_endpoints()[0].state().is_some_and(|state| state.as_str().eq_ignore_ascii_case("available"))
    };
    crate::terraform::wait_until("the endpoint is available", available);
    // It is put back, where it may have another address in the same subnet.
    let plan = place.workspace.plan();
    let drift = plan.change().before["drift"].to_string();
    assert!(drift.contains("VPC endpoint for studio") && drift.contains("hosted zone of the domain"), "{drift}");
    place.repair(&["drift", "endpoint_dns", "endpoint_ips"]);
    let found = place.outside.run(place.outside.ec2().describe_vpc_endpoints().vpc_endpoint_ids(&endpoint).send());
    let subnets: BTreeSet<&str> = found.vpc_endpoints()[0].subnet_ids().iter().map(String::as_str).collect();
    assert_eq!(subnets, [first.as_str(), second.as_str()].into());
    assert_eq!(before.split(' ').count(), place.addresses(ipv4).split(' ').count());
    place.assert_answers(&[("A", &place.addresses(ipv4))]);
    place.destroy();
}

#[test]
fn a_dual_stack_endpoint_has_records_of_both_families() {
    let account = Account::new();
    let network = account.dual_stack_network();
    let place = Place::with(account, network);
    let with = |address_type: &str, record_type: &str| json!({ "ip_address_type": address_type, "hosted_zone": { "record_type": record_type } });
    place.make(&with("dualstack", "alias"));
    place.assert_answers(&[("A", &place.target()), ("AAAA", &place.target())]);
    place.change(&with("dualstack", "ip"), &["hosted_zone.record_type"]);
    place.assert_answers(&[("A", &place.addresses(ipv4)), ("AAAA", &place.addresses(ipv6))]);
    let paths = ["endpoint_dns", "endpoint_ips", "ip_address_type"];
    place.change(&with("ipv4", "ip"), &paths);
    assert_eq!(place.addresses(ipv6), "");
    place.assert_answers(&[("A", &place.addresses(ipv4))]);
    place.change(&with("dualstack", "ip"), &paths);
    assert_ne!(place.addresses(ipv6), "");
    place.assert_answers(&[("A", &place.addresses(ipv4)), ("AAAA", &place.addresses(ipv6))]);
    place.change(&with("dualstack", "alias"), &["hosted_zone.record_type"]);
    place.change(&with("ipv4", "alias"), &paths);
    place.assert_answers(&[("A", &place.target())]);
    place.destroy();
}

#[test]
fn an_address_that_was_changed_is_put_back_and_a_foreign_record_removed() {
    let place = Place::new();
    place.make(&zones("ip"));
    let (name, zone) = place.zone_ids().pop_first().expect("there is a zone");
    change_record(&place.outside, &zone, ChangeAction::Upsert, &address(&name, "10.99.0.1"));
    change_record(&place.outside, &zone, ChangeAction::Create, &address(&format!("more.{name}"), "10.99.0.2"));
    let drift = place.workspace.plan().change().before["drift"].to_string();
    assert!(drift.contains(&format!("A {name}")) && drift.contains(&format!("A more.{name}")), "{drift}");
    place.repair(&["drift"]);
    place.assert_answers(&[("A", &place.addresses(ipv4))]);
    place.destroy();
}

#[test]
fn records_of_an_adopted_endpoint_point_at_it() {
    let place = Place::new();
    place.make(&json!({}));
    let endpoint = place.values()["endpoint_ids"]["studio"].clone();
    // Another domain in the same VPC, on the first one's endpoint.
    let (vpc_id, role) = (&place.network.vpc_id, &place.network.role_arn);
    let subnets = json!(place.network.subnet_ids[..2]);
    let second = Workspace::with(
        &place.account,
        &format!(
            r#"
resource "studio_private_domain" "test" {{
  name               = "second"
  vpc_id             = "{vpc_id}"
  subnet_ids         = {subnets}
  execution_role_arn = "{role}"
  home_efs           = {{ enabled = false }}
  endpoints          = {{ services = [], existing = {{ studio = {endpoint} }} }}
}}
"#
        ),
    );
    second.apply();
    second.plan().assert_empty();
    let values = second.state().values(super::ADDRESS);
    for (name, zone) in values["hosted_zone_ids"].as_object().expect("a map") {
        let zone = zone.as_str().expect("it is an id");
        assert_eq!(records(&place.outside, zone), both(&["A"], name, &place.target()));
    }
    second.destroy();
    place.assert_answers(&[("A", &place.target())]);
    place.destroy();
}
