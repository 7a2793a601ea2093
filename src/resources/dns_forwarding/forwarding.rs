//! The zones to forward, and the configurations that forward them.
//!
//! **Invariant:** pure. Nothing is said of what is not known yet.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::model::Model;
use crate::dns::name::ZoneName;
use crate::dns::render::{Forwarding, Kind, render};
use crate::dns::zones::{self, DomainId, Fips, Reach, Region, ZonesError};
use crate::framework::{Diagnostic, Path, Value};
use crate::resources::values::{StringMap, Strings, known_list, known_set};

/// The zones that a model forwards, each once, in the order given.
///
/// # Errors
/// Points at `zones` where the Region has no known names and none are given.
pub fn forward_zones(model: &Model) -> Result<Value<Vec<ZoneName>>, Diagnostic> {
    let Some(region) = region(model) else {
        return Ok(Value::Unknown);
    };
    let include_api = match model.include_api_zones {
        Value::Known(include) => include,
        Value::Null => false,
        Value::Unknown => return Ok(Value::Unknown),
    };
    let named = match (&model.zones, &model.domain_ids) {
        (Value::Null, Value::Null) => {
            zones::studio_parents(&region, Fips::No).map_err(|error| unknown_names(&error))?
        }
        (Value::Null, domain_ids) => match known_set(domain_ids) {
            Some(ids) => hosts(ids.iter(), &region)?,
            None => return Ok(Value::Unknown),
        },
        (names, _) => match known_list(names) {
            Some(names) => names.iter().filter_map(|name| ZoneName::parse(name).ok()).collect(),
            None => return Ok(Value::Unknown),
        },
    };
    let api = if include_api { zones::api_zones(&region, Fips::No) } else { Vec::new() };
    let mut all: Vec<ZoneName> = Vec::new();
    for zone in named.into_iter().chain(api) {
        if !all.contains(&zone) {
            all.push(zone);
        }
    }
    Ok(Value::Known(all))
}

/// The zones that are forwarded where none are named.
pub fn default_zones(model: &Model, include_api: bool) -> Vec<String> {
    let model =
        Model { zones: Value::Null, domain_ids: Value::Null, include_api_zones: include_api.into(), ..model.clone() };
    let zones = forward_zones(&model).unwrap_or_default().into_known().unwrap_or_default();
    zones.iter().map(ToString::to_string).collect()
}

/// The configuration for every kind of server. The kinds are known from the start; a text is known once everything in it
/// is. A kind whose server cannot express the forwarding is null.
pub fn configs(zones: &Value<Vec<ZoneName>>, ips: &Strings) -> StringMap {
    let text = |kind: Kind| match (zones, ips) {
        (Value::Known(zones), Value::Known(_)) => match known_list(ips) {
            Some(ips) => rendered(kind, zones, &ips).into(),
            None => without_addresses(kind, zones),
        },
        (Value::Known(zones), Value::Unknown) => without_addresses(kind, zones),
        (Value::Null, _) | (_, Value::Null) => Value::Null,
        (Value::Unknown, _) => Value::Unknown,
    };
    let of_kind = |kind: Kind| (kind.as_str().to_owned(), text(kind));
    Value::Known(Kind::ALL.into_iter().map(of_kind).collect::<BTreeMap<_, _>>())
}

/// Finds zones that take names of others with them. One that takes the names of all of AWS is an error.
pub fn wide_zones(model: &Model) -> Vec<Diagnostic> {
    let Some(region) = region(model) else {
        return Vec::new();
    };
    let named = model.zones.known().into_iter().flatten().enumerate();
    let wide = |(index, zone): (usize, &Value<String>)| {
        let zone = ZoneName::parse(zone.text()?).ok()?;
        let Reach::Swallows(names) = zones::reach(&zone, &region) else {
            return None;
        };
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let path = Path::root("zones").index(index);
        let suffixes = [region.partition().dns_suffix(), region.partition().dual_stack_suffix()];
        let all_of_aws = suffixes.into_iter().filter_map(|suffix| ZoneName::parse(suffix).ok());
        if all_of_aws.into_iter().any(|suffix| zone.covers(&suffix)) {
            let text = format!(
                "{zone} holds the names of every AWS service, in every Region. All of them would go to the VPC, and when the inbound endpoint is not reached, none of them resolves. Of the zones that Studio uses it holds {}; name those instead.",
                names.join(", ")
            );
            return Some(Diagnostic::error("A zone holds the names of all of AWS", text).at(path));
        }
        let text = format!(
            "Everything below {zone} goes to the VPC, also names that have nothing to do with Studio. Of the zones that Studio uses it holds {}; name those instead.",
            names.join(", ")
        );
        Some(Diagnostic::warning("A zone holds more than Studio's names", text).at(path))
    };
    named.filter_map(wide).collect()
}

/// Warns of the names that forwarding domain by domain leaves out.
pub fn gaps(model: &Model) -> Option<Diagnostic> {
    if model.domain_ids.is_null() {
        return None;
    }
    let parents = region(model).and_then(|region| zones::studio_parents(&region, Fips::No).ok()).unwrap_or_default();
    let covered = forward_zones(model).ok().and_then(Value::into_known).unwrap_or_default();
    let left: Vec<String> = parents.iter().map(|parent| format!("*.{parent}")).collect();
    let covered: Vec<String> = covered.iter().map(ToString::to_string).collect();
    let names = match left.is_empty() {
        true => "directly under Studio's parent zones".to_owned(),
        false => format!("directly under Studio's parent zones: {}", left.join(" and ")),
    };
    let only = match covered.is_empty() {
        true => "the host names of these domains".to_owned(),
        false => covered.join(", "),
    };
    let text = format!(
        "Only {only} and what lies below are forwarded: the web portal and Studio Classic. JupyterLab, Code Editor and other apps have random names of their own, {names}. No zone of a domain covers those; they stay with public DNS and will not open on the private path. Remove domain_ids to forward the parents."
    );
    Some(Diagnostic::warning("Apps are left out of what is forwarded", text).at(Path::root("domain_ids")))
}

fn region(model: &Model) -> Option<Region> {
    Region::new(model.region.text()?).ok()
}

fn hosts<'a>(ids: impl Iterator<Item = &'a String>, region: &Region) -> Result<Vec<ZoneName>, Diagnostic> {
    let mut hosts = Vec::new();
    for id in ids {
        let names = DomainId::new(id).and_then(|id| zones::host_names(&id, region));
        hosts.extend(names.map_err(|error| unknown_names(&error))?);
    }
    Ok(hosts)
}

fn unknown_names(error: &ZonesError) -> Diagnostic {
    Diagnostic::error("The zones to forward are not known", format!("{error}.")).at(Path::root("zones"))
}

/// The text of a kind that names no addresses, which is the same whatever they are.
fn without_addresses(kind: Kind, zones: &[ZoneName]) -> Value<String> {
    // Addresses for documentation, one of each family.
    let [one, other] = ["192.0.2.1", "2001:db8::1"].map(|ip| rendered(kind, zones, &[ip.to_owned()]));
    match one {
        Some(text) if other.as_ref() == Some(&text) => Value::Known(text),
        Some(_) | None => Value::Unknown,
    }
}

fn rendered(kind: Kind, zones: &[ZoneName], ips: &[String]) -> Option<String> {
    let addresses: Option<Vec<IpAddr>> = ips.iter().map(|ip| ip.parse().ok()).collect();
    let forwarding = Forwarding::new(zones.iter().cloned(), addresses?).ok()?;
    render(kind, &forwarding).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Strings {
        Value::Known(list.iter().map(|text| Value::from(*text)).collect())
    }

    fn model() -> Model {
        Model { region: "eu-central-1".into(), ..Model::empty() }
    }

    fn zones_of(model: &Model) -> Vec<String> {
        let zones = forward_zones(model).unwrap().into_known().unwrap();
        zones.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn without_a_word_both_parents_are_forwarded() {
        assert_eq!(zones_of(&model()), ["studio.eu-central-1.sagemaker.aws", "studio.sagemaker.eu-central-1.app.aws"]);
    }

    #[test]
    fn domains_are_forwarded_by_their_two_hosts() {
        let model = Model { domain_ids: texts(&["d-abc"]), ..model() };
        assert_eq!(
            zones_of(&model),
            ["d-abc.studio.eu-central-1.sagemaker.aws", "studio-d-abc.studio.eu-central-1.sagemaker.aws"]
        );
    }

    #[test]
    fn zones_keep_their_order_and_stand_once_and_the_api_follows() {
        let zones = texts(&["B.example.com.", "a.example.com", "b.example.com"]);
        let model = Model { zones, include_api_zones: true.into(), ..model() };
        let zones = zones_of(&model);
        assert_eq!(zones[..2], ["b.example.com", "a.example.com"]);
        assert!(zones.contains(&"api.sagemaker.eu-central-1.amazonaws.com".to_owned()), "{zones:?}");
    }

    #[test]
    fn a_region_without_known_names_needs_zones() {
        let unknown = Model { region: "eusc-de-east-1".into(), ..model() };
        assert_eq!(forward_zones(&unknown).unwrap_err().path, Some(Path::root("zones")));
        let named = Model { zones: texts(&["studio.example.com"]), ..unknown };
        assert_eq!(zones_of(&named), ["studio.example.com"]);
    }

    #[test]
    fn what_depends_on_something_unknown_is_unknown() {
        let region = Model { region: Value::Unknown, ..model() };
        assert!(forward_zones(&region).unwrap().is_unknown());
        let domain = Model { domain_ids: Value::Known(vec![Value::Unknown]), ..model() };
        assert!(forward_zones(&domain).unwrap().is_unknown());
    }

    #[test]
    fn configurations_are_known_when_every_address_in_them_is() {
        let zones = forward_zones(&model()).unwrap();
        let half = Value::Known(vec!["10.0.1.10".into(), Value::Unknown]);
        let configs = configs(&zones, &half).into_known().unwrap();
        assert_eq!(configs.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            let names_no_address = matches!(kind, Kind::BindOptions | Kind::PowerDnsRecursorLua);
            assert_eq!(configs[kind.as_str()].is_known(), names_no_address, "{kind}");
        }
        let whole = texts(&["10.0.1.10", "10.0.2.10"]);
        let configs = super::configs(&zones, &whole).into_known().unwrap();
        for kind in Kind::ALL {
            let text = configs[kind.as_str()].text().unwrap();
            assert!(text.contains("studio.eu-central-1.sagemaker.aws"), "{kind}: {text}");
        }
        let bind = configs["bind"].text().unwrap();
        assert!(bind.contains("forwarders { 10.0.1.10; 10.0.2.10; };"), "{bind}");
    }

    #[test]
    fn a_zone_above_all_of_aws_is_an_error() {
        for zone in ["amazonaws.com", "com", "api.aws", "aws"] {
            let model = Model { zones: texts(&[zone]), ..model() };
            let severities: Vec<_> = wide_zones(&model).into_iter().map(|one| one.severity).collect();
            assert_eq!(severities, [crate::framework::Severity::Error], "{zone}");
        }
        let regional = Model { zones: texts(&["eu-central-1.amazonaws.com"]), ..model() };
        assert_eq!(wide_zones(&regional)[0].severity, crate::framework::Severity::Warning);
    }

    #[test]
    fn the_names_that_domains_leave_out_are_named() {
        assert_eq!(gaps(&model()), None);
        let text = gaps(&Model { domain_ids: texts(&["d-abc"]), ..model() }).unwrap().detail;
        for name in ["studio-d-abc.studio.eu-central-1", "*.studio.eu-central-1.sagemaker.aws and *.studio.sagemaker."]
        {
            assert!(text.contains(name), "{name}: {text}");
        }
    }

    #[test]
    fn a_zone_above_studios_is_warned_of() {
        let model = Model { zones: texts(&["sagemaker.aws", "studio.eu-central-1.sagemaker.aws"]), ..model() };
        let paths: Vec<_> = wide_zones(&model).into_iter().map(|one| one.path.unwrap().to_string()).collect();
        assert_eq!(paths, ["zones[0]"]);
    }
}
