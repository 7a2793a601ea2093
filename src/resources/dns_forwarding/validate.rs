//! How the attributes of `studio_dns_forwarding` fit each other.
//!
//! **Invariant:** calls nothing. What is not known yet is not complained about.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::desired::Desired;
use super::key::Side;
use super::model::{IpAddress, Model};
use crate::framework::{Diagnostic, Diagnostics, Path, Value};
use crate::resources::values::{Strings, known_list, known_set, overlaps};

/// Checks a configuration.
pub fn validate(model: &Model) -> Diagnostics {
    let mut found = Diagnostics::new();
    let inbound = Addresses::of_inbound(model);
    let outbound = Addresses::of_outbound(model);
    found.extend(match model.existing_inbound_endpoint_id {
        Value::Null => inbound.check(),
        Value::Known(_) | Value::Unknown => beside_existing(model),
    });
    found.extend(outbound.into_iter().flat_map(|addresses| addresses.check()));
    if model.existing_inbound_endpoint_id.is_null() {
        found.extend(access(model));
    }
    found.extend(overlaps(&model.client_cidr_blocks));
    found.extend(protocols(model));
    found.extend(zones(model));
    found.extend(targets(model));
    found.extend(loops(model));
    found
}

/// What says which addresses an endpoint has.
struct Addresses<'a> {
    of: Option<&'static str>,
    subnet_ids: &'a Strings,
    ip_addresses: &'a Value<Vec<Value<IpAddress>>>,
    family: Option<&'a str>,
}

impl<'a> Addresses<'a> {
    fn of_inbound(model: &'a Model) -> Self {
        Addresses {
            of: None,
            subnet_ids: &model.subnet_ids,
            ip_addresses: &model.ip_addresses,
            family: if model.ip_address_type.is_null() { Some("ipv4") } else { model.ip_address_type.text() },
        }
    }

    fn of_outbound(model: &'a Model) -> Option<Self> {
        let outbound = model.outbound.known()?;
        Some(Addresses {
            of: Some("outbound"),
            subnet_ids: &outbound.subnet_ids,
            ip_addresses: &outbound.ip_addresses,
            family: Desired::new(model).end(&Side::Outbound)?.address_type.known().map(|family| family.as_str()),
        })
    }

    fn path(&self, name: &str) -> Path {
        match self.of {
            Some(of) => Path::root(of).attribute(name),
            None => Path::root(name),
        }
    }

    fn check(&self) -> Vec<Diagnostic> {
        self.one_list().into_iter().chain(self.fixed()).collect()
    }

    fn one_list(&self) -> Option<Diagnostic> {
        let error = |summary: &str, text: &str, path: &str| Some(Diagnostic::error(summary, text).at(self.path(path)));
        match (self.subnet_ids.is_null(), self.ip_addresses.is_null()) {
            (true, true) => {
                let text =
                    "Give subnet_ids, and Resolver chooses the addresses; or ip_addresses, to choose them yourself.";
                return error("No addresses for the endpoint", text, "subnet_ids");
            }
            (false, false) => {
                let text =
                    "subnet_ids and ip_addresses both say which addresses the endpoint has. Give exactly one of them.";
                return error("Two lists of addresses", text, "ip_addresses");
            }
            (true, false) | (false, true) => {}
        }
        let path = if self.subnet_ids.is_null() { "ip_addresses" } else { "subnet_ids" };
        let subnets = self.known_subnets()?;
        if subnets.len() >= 2 && subnets.iter().collect::<BTreeSet<_>>().len() == 1 {
            let text = "All addresses are in one subnet, and so in one Availability Zone. Name two different subnets at least, in different zones.";
            return error("Only one subnet", text, path);
        }
        None
    }

    /// The subnets in order, if all are known.
    fn known_subnets(&self) -> Option<Vec<String>> {
        match self.ip_addresses {
            Value::Null => known_list(self.subnet_ids),
            Value::Unknown => None,
            Value::Known(addresses) => {
                addresses.iter().map(|address| address.known()?.subnet_id.known().cloned()).collect()
            }
        }
    }

    fn fixed(&self) -> Vec<Diagnostic> {
        let mut seen: BTreeSet<IpAddr> = BTreeSet::new();
        let mut found = Vec::new();
        for (index, address) in self.ip_addresses.known().into_iter().flatten().enumerate() {
            let Some(address) = address.known() else { continue };
            let families = [("ip", &address.ip, "ipv6", "an IPv4"), ("ipv6", &address.ipv6, "ipv4", "an IPv6")];
            for (name, ip, other, what) in families {
                let Some(ip) = ip.text().and_then(|ip| ip.parse().ok()) else { continue };
                let path = || self.path("ip_addresses").index(index).attribute(name);
                if !seen.insert(ip) {
                    let text = format!("{ip} stands in ip_addresses twice. Each address can be there once.");
                    found.push(Diagnostic::error("An address is there twice", text).at(path()));
                }
                if self.family == Some(other) {
                    let text = format!(
                        "{name} fixes {what} address, and the endpoint's addresses are {other} alone. Leave {name} out."
                    );
                    found.push(Diagnostic::error("An address of the other family", text).at(path()));
                }
            }
        }
        found
    }
}

/// What an endpoint that exists already has its own of.
fn beside_existing(model: &Model) -> Vec<Diagnostic> {
    let written = [
        ("subnet_ids", !model.subnet_ids.is_null()),
        ("ip_addresses", !model.ip_addresses.is_null()),
        ("client_cidr_blocks", !model.client_cidr_blocks.is_null()),
        ("security_group_ids", !model.security_group_ids.is_null()),
        ("untracked", !model.untracked.is_null()),
        ("protocols", !model.protocols.is_null()),
        ("ip_address_type", !model.ip_address_type.is_null()),
    ];
    let error = |name: &str| {
        let text = format!(
            "An endpoint that exists already is used as it is, with its own addresses, groups and protocols. Remove {name}."
        );
        Diagnostic::error(format!("{name} has no effect"), text).at(Path::root(name))
    };
    written.into_iter().filter(|(_, is_written)| *is_written).map(|(name, _)| error(name)).collect()
}

/// A rule takes addresses of one family.
fn targets(model: &Model) -> Option<Diagnostic> {
    let targets = known_set(&model.outbound.known()?.target_ips)?;
    let families: BTreeSet<bool> = targets.iter().filter_map(|ip| Some(ip.parse::<IpAddr>().ok()?.is_ipv4())).collect();
    let text = "A forward rule takes IPv4 addresses or IPv6 addresses, not both. Name those of one family.";
    let path = Path::root("outbound").attribute("target_ips");
    (families.len() > 1).then(|| Diagnostic::error("Addresses of two families", text).at(path))
}

/// A VPC whose rules forward to an endpoint inside it: the endpoint answers by the VPC's own rules, and so by asking
/// itself ("Avoid loop configurations with Resolver endpoints", Route 53 developer guide).
pub fn loops(model: &Model) -> Vec<Diagnostic> {
    let (Some(outbound), Some(vpc_id)) = (model.outbound.known(), model.vpc_id.text()) else {
        return Vec::new();
    };
    let inbound: BTreeSet<&str> = model.inbound_ips.known().into_iter().flatten().filter_map(Value::text).collect();
    let asks_inbound = match &outbound.target_ips {
        Value::Null => true,
        Value::Known(targets) => targets.iter().filter_map(Value::text).any(|ip| inbound.contains(ip)),
        Value::Unknown => false,
    };
    let is_inside = outbound.vpc_ids.known().into_iter().flatten().any(|vpc| vpc.text() == Some(vpc_id));
    if !asks_inbound || !is_inside {
        return Vec::new();
    }
    let text = format!(
        "The rules forward to the inbound endpoint, which is in {vpc_id} and answers as that VPC does. With the rules on {vpc_id} it would forward the queries to itself, round and round. {vpc_id} resolves Studio's names by itself; remove it from vpc_ids."
    );
    let path = Path::root("outbound").attribute("vpc_ids").element(vpc_id);
    vec![Diagnostic::error("The queries would go round in a loop", text).at(path)]
}

fn access(model: &Model) -> Vec<Diagnostic> {
    let clients = Path::root("client_cidr_blocks");
    let names_clients = model.client_cidr_blocks.known().is_some_and(|blocks| !blocks.is_empty());
    let untracked = model.untracked.known() == Some(&true);
    let mut found = Vec::new();
    if model.security_group_ids.is_known() {
        if names_clients {
            let text = "The endpoint has security groups of your own, so there is no group here that the ranges could be opened in. Open port 53, TCP and UDP, in those groups, and remove client_cidr_blocks.";
            found.push(Diagnostic::error("client_cidr_blocks has no effect", text).at(clients));
        }
        if untracked {
            let text = "The endpoint has security groups of your own, so there is no group here to open. Open those groups in both directions, and remove untracked.";
            found.push(Diagnostic::error("untracked has no effect", text).at(Path::root("untracked")));
        }
        return found;
    }
    let no_clients = match &model.client_cidr_blocks {
        Value::Null => true,
        Value::Known(blocks) => blocks.is_empty(),
        Value::Unknown => false,
    };
    let tracked = matches!(model.untracked, Value::Null | Value::Known(false));
    if untracked && names_clients {
        let text = "untracked opens the endpoint's group to every address. The ranges narrow nothing until untracked is false again; keep others out with routes, firewalls or network ACLs.";
        found.push(Diagnostic::warning("client_cidr_blocks has no effect", text).at(clients));
    } else if tracked && no_clients && model.security_group_ids.is_null() {
        let text = "The security group that is made lets nobody in. Name the ranges of the DNS servers that forward to the endpoint.";
        found.push(Diagnostic::warning("No client may query the endpoint", text).at(clients));
    }
    found
}

fn protocols(model: &Model) -> Option<Diagnostic> {
    let protocols = known_set(&model.protocols)?;
    let path = Path::root("protocols");
    if protocols.contains("DoH") && protocols.contains("DoH-FIPS") {
        let text = "An inbound endpoint takes DoH or DoH-FIPS, not both. Remove one of them.";
        return Some(Diagnostic::error("DoH and DoH-FIPS exclude each other", text).at(path));
    }
    if !protocols.is_empty() && !protocols.contains("Do53") {
        let text = "The configurations in forwarder_configs forward over port 53, and without Do53 the endpoint does not answer there.";
        return Some(Diagnostic::warning("The rendered configurations will not work", text).at(path));
    }
    None
}

fn zones(model: &Model) -> Option<Diagnostic> {
    let path = Path::root("domain_ids");
    if !model.zones.is_null() && !model.domain_ids.is_null() {
        let text = "zones and domain_ids both say what is forwarded. Give one of them.";
        return Some(Diagnostic::error("Two lists of zones", text).at(path));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::Severity;
    use crate::resources::dns_forwarding::model::Outbound;

    fn texts(list: &[&str]) -> Strings {
        Value::Known(list.iter().map(|text| Value::from(*text)).collect())
    }

    fn fixed(list: &[(&str, &str)]) -> Value<Vec<Value<IpAddress>>> {
        let one = |(subnet, ip): &(&str, &str)| {
            Value::Known(IpAddress { subnet_id: Value::from(*subnet), ip: Value::from(*ip), ipv6: Value::Null })
        };
        Value::Known(list.iter().map(one).collect())
    }

    fn model() -> Model {
        Model {
            name: "dns".into(),
            vpc_id: "vpc-1".into(),
            subnet_ids: texts(&["subnet-a", "subnet-b"]),
            client_cidr_blocks: texts(&["10.0.0.0/8"]),
            ..Model::empty()
        }
    }

    fn complaints(model: &Model) -> Vec<String> {
        let word = |severity| match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let found = validate(model);
        found
            .iter()
            .map(|one| format!("{} {}: {}", word(one.severity), one.path.as_ref().unwrap(), one.summary))
            .collect()
    }

    #[test]
    fn a_usual_configuration_passes() {
        assert_eq!(complaints(&model()), [""; 0]);
    }

    #[test]
    fn exactly_one_list_says_which_addresses_there_are() {
        let none = Model { subnet_ids: Value::Null, ..model() };
        assert_eq!(complaints(&none), ["error subnet_ids: No addresses for the endpoint"]);
        let both = Model { ip_addresses: fixed(&[("subnet-a", "10.0.0.10"), ("subnet-b", "10.0.1.10")]), ..model() };
        assert_eq!(complaints(&both), ["error ip_addresses: Two lists of addresses"]);
        let unknown = Model { subnet_ids: Value::Unknown, ..model() };
        assert_eq!(complaints(&unknown), [""; 0]);
    }

    #[test]
    fn one_subnet_twice_is_not_two_subnets() {
        let twice = Model { subnet_ids: texts(&["subnet-a", "subnet-a"]), ..model() };
        assert_eq!(complaints(&twice), ["error subnet_ids: Only one subnet"]);
        let perhaps = Model { subnet_ids: Value::Known(vec!["subnet-a".into(), Value::Unknown]), ..model() };
        assert_eq!(complaints(&perhaps), [""; 0]);
        let three = Model { subnet_ids: texts(&["subnet-a", "subnet-a", "subnet-b"]), ..model() };
        assert_eq!(complaints(&three), [""; 0]);
    }

    #[test]
    fn a_fixed_address_stands_once_and_is_of_the_endpoints_family() {
        let addresses = fixed(&[("subnet-a", "10.0.0.10"), ("subnet-b", "10.0.0.10")]);
        let twice = Model { subnet_ids: Value::Null, ip_addresses: addresses, ..model() };
        assert_eq!(complaints(&twice), ["error ip_addresses[1].ip: An address is there twice"]);
        let addresses = Value::Known(vec![
            Value::Known(IpAddress { subnet_id: "subnet-a".into(), ip: "10.0.0.10".into(), ipv6: Value::Null }),
            Value::Known(IpAddress { subnet_id: "subnet-b".into(), ip: Value::Null, ipv6: Value::Null }),
        ]);
        let six = Model { ip_addresses: addresses, subnet_ids: Value::Null, ip_address_type: "ipv6".into(), ..model() };
        assert_eq!(complaints(&six), ["error ip_addresses[0].ip: An address of the other family"]);
    }

    #[test]
    fn an_existing_endpoint_is_used_as_it_is() {
        let existing = Model { existing_inbound_endpoint_id: "rslvr-in-1".into(), ..model() };
        assert_eq!(
            complaints(&existing),
            [
                "error subnet_ids: subnet_ids has no effect",
                "error client_cidr_blocks: client_cidr_blocks has no effect"
            ]
        );
        let alone = Model { subnet_ids: Value::Null, client_cidr_blocks: Value::Null, ..existing };
        assert_eq!(complaints(&alone), [""; 0]);
    }

    fn with_outbound(outbound: Outbound) -> Model {
        Model { outbound: Value::Known(outbound), ..model() }
    }

    fn outbound() -> Outbound {
        Outbound { subnet_ids: texts(&["subnet-a", "subnet-b"]), ..Outbound::empty() }
    }

    #[test]
    fn the_outbound_endpoint_is_held_to_the_same_rules() {
        assert_eq!(complaints(&with_outbound(outbound())), [""; 0]);
        let none = with_outbound(Outbound::empty());
        assert_eq!(complaints(&none), ["error outbound.subnet_ids: No addresses for the endpoint"]);
        let twice = with_outbound(Outbound { subnet_ids: texts(&["subnet-a", "subnet-a"]), ..outbound() });
        assert_eq!(complaints(&twice), ["error outbound.subnet_ids: Only one subnet"]);
        let mixed = with_outbound(Outbound { target_ips: texts(&["10.0.0.1", "fd00::1"]), ..outbound() });
        assert_eq!(complaints(&mixed), ["error outbound.target_ips: Addresses of two families"]);
    }

    #[test]
    fn rules_on_the_vpc_of_their_own_target_are_a_loop() {
        let on_own = |targets: Strings| {
            with_outbound(Outbound { vpc_ids: texts(&["vpc-2", "vpc-1"]), target_ips: targets, ..outbound() })
        };
        let found = ["error outbound.vpc_ids[\"vpc-1\"]: The queries would go round in a loop"];
        assert_eq!(complaints(&on_own(Value::Null)), found);
        assert_eq!(complaints(&on_own(texts(&["10.9.0.1"]))), [""; 0]);
        let to_itself = Model { inbound_ips: texts(&["10.9.0.1"]), ..on_own(texts(&["10.9.0.1"])) };
        assert_eq!(complaints(&to_itself), found);
    }

    #[test]
    fn handed_in_groups_leave_nothing_to_open() {
        let groups = Model { security_group_ids: texts(&["sg-1"]), untracked: true.into(), ..model() };
        assert_eq!(
            complaints(&groups),
            ["error client_cidr_blocks: client_cidr_blocks has no effect", "error untracked: untracked has no effect"]
        );
    }

    #[test]
    fn a_group_that_lets_nobody_in_or_everybody_is_warned_of() {
        let nobody = Model { client_cidr_blocks: Value::Null, ..model() };
        assert_eq!(complaints(&nobody), ["warning client_cidr_blocks: No client may query the endpoint"]);
        let everybody = Model { untracked: true.into(), ..model() };
        assert_eq!(complaints(&everybody), ["warning client_cidr_blocks: client_cidr_blocks has no effect"]);
        let open = Model { untracked: true.into(), client_cidr_blocks: Value::Null, ..model() };
        assert_eq!(complaints(&open), [""; 0]);
    }

    #[test]
    fn a_range_inside_another_is_warned_of() {
        let nested = Model { client_cidr_blocks: texts(&["10.0.0.0/8", "10.1.0.0/16"]), ..model() };
        assert_eq!(
            complaints(&nested),
            ["warning client_cidr_blocks[\"10.1.0.0/16\"]: Overlapping client_cidr_blocks"]
        );
    }

    #[test]
    fn doh_comes_in_one_form_and_not_alone() {
        let both = Model { protocols: texts(&["DoH", "DoH-FIPS"]), ..model() };
        assert_eq!(complaints(&both), ["error protocols: DoH and DoH-FIPS exclude each other"]);
        let alone = Model { protocols: texts(&["DoH"]), ..model() };
        assert_eq!(complaints(&alone), ["warning protocols: The rendered configurations will not work"]);
    }

    #[test]
    fn zones_of_domains_exclude_zones() {
        let domains = Model { domain_ids: texts(&["d-abc"]), ..model() };
        assert_eq!(complaints(&domains), [""; 0]);
        let both = Model { zones: texts(&["studio.aws"]), ..domains };
        assert_eq!(complaints(&both), ["error domain_ids: Two lists of zones"]);
    }
}
