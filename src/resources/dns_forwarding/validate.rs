//! How the attributes of `studio_dns_forwarding` fit each other.
//!
//! **Invariant:** calls nothing. What is not known yet is not complained about.

use std::collections::BTreeSet;

use super::schema::Model;
use crate::framework::{Diagnostic, Diagnostics, Path, Value};
use crate::resources::values::{known_list, known_set, overlaps};

/// Checks a configuration.
pub fn validate(model: &Model) -> Diagnostics {
    let mut found = Diagnostics::new();
    found.extend(addresses(model));
    found.extend(fixed_addresses(model));
    found.extend(access(model));
    found.extend(overlaps(&model.client_cidr_blocks));
    found.extend(protocols(model));
    found.extend(zones(model));
    found
}

fn addresses(model: &Model) -> Option<Diagnostic> {
    let error = |summary: &str, text: &str, path: &str| Some(Diagnostic::error(summary, text).at(Path::root(path)));
    match (model.subnet_ids.is_null(), model.ip_addresses.is_null()) {
        (true, true) => {
            let text = "Give subnet_ids, and Resolver chooses the addresses; or ip_addresses, to choose them yourself.";
            return error("No addresses for the endpoint", text, "subnet_ids");
        }
        (false, false) => {
            let text =
                "subnet_ids and ip_addresses both say which addresses the endpoint has. Give exactly one of them.";
            return error("Two lists of addresses", text, "ip_addresses");
        }
        (true, false) | (false, true) => {}
    }
    let path = if model.subnet_ids.is_null() { "ip_addresses" } else { "subnet_ids" };
    let subnets = subnet_ids(model)?;
    if subnets.len() >= 2 && subnets.iter().collect::<BTreeSet<_>>().len() == 1 {
        let text = "All addresses are in one subnet, and so in one Availability Zone. Name two different subnets at least, in different zones.";
        return error("Only one subnet", text, path);
    }
    None
}

/// The subnets in order, if all are known.
fn subnet_ids(model: &Model) -> Option<Vec<String>> {
    match &model.ip_addresses {
        Value::Null => known_list(&model.subnet_ids),
        Value::Unknown => None,
        Value::Known(addresses) => {
            addresses.iter().map(|address| address.known()?.subnet_id.known().cloned()).collect()
        }
    }
}

fn fixed_addresses(model: &Model) -> Vec<Diagnostic> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (index, address) in model.ip_addresses.known().into_iter().flatten().enumerate() {
        let Some(ip) = address.known().and_then(|address| address.ip.text()) else {
            continue;
        };
        let path = || Path::root("ip_addresses").index(index).attribute("ip");
        if !seen.insert(ip) {
            let text = format!("{ip} stands in ip_addresses twice. Each address can be there once.");
            found.push(Diagnostic::error("An address is there twice", text).at(path()));
        }
        if model.ip_address_type.text() == Some("ipv6") {
            let text = "ip fixes an IPv4 address, and ip_address_type is \"ipv6\". Leave ip out, and Resolver chooses the IPv6 address.";
            found.push(Diagnostic::error("An IPv4 address for IPv6", text).at(path()));
        }
    }
    found
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
    if model.domain_ids.is_null() {
        return None;
    }
    let text = "Only the host names of these domains are forwarded: the web portal and Studio Classic. JupyterLab, Code Editor and other apps have random names of their own, directly under Studio's parent zones, which no zone of a domain covers; they will not open on the private path. Remove domain_ids to forward the parents.";
    Some(Diagnostic::warning("Apps are left out of what is forwarded", text).at(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::Severity;
    use crate::resources::dns_forwarding::schema::IpAddress;
    use crate::resources::values::Strings;

    fn texts(list: &[&str]) -> Strings {
        Value::Known(list.iter().map(|text| Value::from(*text)).collect())
    }

    fn fixed(list: &[(&str, &str)]) -> Value<Vec<Value<IpAddress>>> {
        let one = |(subnet, ip): &(&str, &str)| {
            Value::Known(IpAddress { subnet_id: Value::from(*subnet), ip: Value::from(*ip) })
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
            Value::Known(IpAddress { subnet_id: "subnet-a".into(), ip: "10.0.0.10".into() }),
            Value::Known(IpAddress { subnet_id: "subnet-b".into(), ip: Value::Null }),
        ]);
        let six = Model { ip_addresses: addresses, subnet_ids: Value::Null, ip_address_type: "ipv6".into(), ..model() };
        assert_eq!(complaints(&six), ["error ip_addresses[0].ip: An IPv4 address for IPv6"]);
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
    fn zones_of_domains_are_warned_of_and_exclude_zones() {
        let domains = Model { domain_ids: texts(&["d-abc"]), ..model() };
        assert_eq!(complaints(&domains), ["warning domain_ids: Apps are left out of what is forwarded"]);
        let both = Model { zones: texts(&["studio.aws"]), ..domains };
        assert_eq!(complaints(&both), ["error domain_ids: Two lists of zones"]);
    }
}
