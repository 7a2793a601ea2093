//! `provider::studio::forwarder_config(kind, zones, ips)`.

use std::fmt::Display;

use super::{parameter, text, texts, wrong};
use crate::dns::address::parse_address;
use crate::dns::name::ZoneName;
use crate::dns::render::{Forwarding, Kind, RenderError, render};
use crate::framework::{Dynamic, Function, FunctionError, Signature, Type};

const KINDS: &str = "`bind` (BIND, included at the top level), `bind_options` (BIND, included inside `options { }`: the exemptions), `unbound`, `dnsmasq`, `coredns` (a server block for the Corefile), `powerdns_recursor` (a file for the configuration folder), `powerdns_recursor_lua` (for the Lua file: the exemptions), `knot_resolver`, `systemd_resolved`, `windows_dns` (a PowerShell script), `infoblox` (a file for CSV import) or `zscaler` (lists of domains and addresses for Private Access).";

/// Forwarder configuration without a resource.
pub struct ForwarderConfig;

impl Function for ForwarderConfig {
    fn name(&self) -> &'static str {
        "forwarder_config"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "Forwarder configuration for a DNS server.",
            description: "The same text as `forwarder_configs` of `studio_dns_forwarding`, for zones and addresses of your own choice. It forwards only, fails closed, and says in its first line where it goes, if its format has comments.",
            parameters: vec![
                parameter("kind", Type::String, KINDS),
                parameter("zones", Type::list(Type::String), "The zones to forward, such as those of `forward_zones`."),
                parameter(
                    "ips",
                    Type::list(Type::String),
                    "The addresses to forward to, such as the `inbound_ips` of `studio_dns_forwarding`.",
                ),
            ],
            result: Type::String,
        }
    }

    fn call(&self, arguments: Vec<Dynamic>) -> Result<Dynamic, FunctionError> {
        let kind: Kind = text(&arguments, 0).parse().map_err(|error| wrong(0, error))?;
        let zones = list(&arguments, 1, ZoneName::parse)?;
        let ips = list(&arguments, 2, parse_address)?;
        let rendered = Forwarding::new(zones, ips).and_then(|forwarding| render(kind, &forwarding));
        Ok(rendered.map_err(|error| wrong(argument_at_fault(&error), error))?.into())
    }
}

/// The elements of a list, all of them: one that is null is refused, for without it fewer servers would be asked.
fn list<T, E: Display>(
    arguments: &[Dynamic],
    index: usize,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, FunctionError> {
    let argument = index as i64;
    let elements = texts(arguments, index);
    if arguments.get(index).and_then(Dynamic::as_list).is_some_and(|all| all.len() > elements.len()) {
        return Err(wrong(argument, "an element of the list is null"));
    }
    elements.into_iter().map(|text| parse(text).map_err(|error| wrong(argument, error))).collect()
}

fn argument_at_fault(error: &RenderError) -> i64 {
    match error {
        RenderError::UnknownKind(_) => 0,
        RenderError::NoZones => 1,
        RenderError::NoAddresses | RenderError::Address(_) | RenderError::TooManyAddresses { .. } => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(kind: &str, zones: &[&str], ips: &[&str]) -> Result<String, (Option<i64>, String)> {
        let list = |texts: &[&str]| texts.iter().copied().collect::<Dynamic>();
        let arguments = vec![kind.into(), list(zones), list(ips)];
        let result = ForwarderConfig.call(arguments).map_err(|error| (error.argument, error.text))?;
        Ok(result.as_str().unwrap().to_owned())
    }

    const ZONES: [&str; 1] = ["studio.eu-central-1.sagemaker.aws"];

    #[test]
    fn every_kind_is_rendered_and_described() {
        for kind in Kind::ALL {
            let text = call(kind.as_str(), &ZONES, &["10.0.1.10", "fd00::10"]).unwrap();
            assert!(text.contains(ZONES[0]), "{kind}");
            assert!(KINDS.contains(&format!("`{kind}`")), "{kind} is not in: {KINDS}");
        }
    }

    #[test]
    fn what_no_server_should_see_is_refused_at_its_argument() {
        let refused = |zone: &str, ip: &str| call("bind", &[ZONES[0], zone], &["10.0.1.10", ip]).unwrap_err();
        let (zone, ip) = (ZONES[0], "10.0.2.10");
        assert_eq!(refused("*.studio.aws", ip).0, Some(1));
        assert_eq!(refused("\u{201c}studio.aws\u{201d}", ip).0, Some(1));
        assert_eq!(refused("st\u{fc}dio.aws", ip).0, Some(1));
        assert_eq!(refused("", ip), (Some(1), "a zone name is needed".to_owned()));
        let host = "\"resolver.example.com\" is not an IP address".to_owned();
        assert_eq!(refused(zone, "resolver.example.com"), (Some(2), host));
        assert_eq!(refused(zone, "10.0.2.0/24").0, Some(2));
        assert_eq!(refused(zone, "[fd00::10]:53").0, Some(2));
        assert_eq!(refused(zone, "0.0.0.0").0, Some(2));
    }

    #[test]
    fn empty_lists_and_unknown_kinds_are_refused_at_their_arguments() {
        assert_eq!(call("bind", &[], &["10.0.1.10"]).unwrap_err().0, Some(1));
        let none = call("bind", &ZONES, &[]).unwrap_err();
        assert_eq!(none, (Some(2), "name at least one address to forward to".to_owned()));
        assert_eq!(call("named", &ZONES, &["10.0.1.10"]).unwrap_err().0, Some(0));
    }

    #[test]
    fn an_element_that_is_null_is_refused() {
        let ips = Dynamic::List(vec!["10.0.1.10".into(), Dynamic::Null]);
        let arguments = vec!["bind".into(), ZONES.into_iter().collect(), ips];
        let error = ForwarderConfig.call(arguments).unwrap_err();
        assert_eq!((error.argument, error.text.as_str()), (Some(2), "an element of the list is null"));
    }

    #[test]
    fn more_addresses_than_a_server_takes_are_refused() {
        let many: Vec<String> = (1..=16).map(|last| format!("10.0.1.{last}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(call("bind", &ZONES, &many).is_ok());
        let error = call("coredns", &ZONES, &many).unwrap_err();
        assert_eq!(error, (Some(2), "coredns takes at most 15 addresses".to_owned()));
    }
}
