//! Which hosted zones there are to be, for which names, with which records, and in which VPCs.
//!
//! | mode | names | zone of a name |
//! | --- | --- | --- |
//! | `domain` | `d-….studio.…`, `studio-d-….studio.…`, and the same under a FIPS parent | the zone of `existing_zone_ids` that it lies in, else its own |
//! | `parent` | the parents that the studio endpoint serves | the same |
//!
//! Every name gets records for itself and for everything below it: a private zone without a matching record answers
//! that the name does not exist, and is never followed by a public answer ("Working with private hosted zones",
//! Route 53 developer guide).
//!
//! **Invariant:** pure.

pub mod check;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::desired::{Desired, Mode};
use super::key::{STUDIO, Slot};
use super::recorded::{Association, Domain, Endpoint, Recorded};
use crate::aws::route53::hosted_zone::ZoneVpc;
use crate::aws::route53::record::{Record, RecordData, RecordType};
use crate::aws::{AccountId, HostedZoneId};
use crate::dns::name::is_within;
use crate::framework::Value;

/// How long an answer with addresses may be kept, in seconds: they change when an endpoint moves.
const ADDRESS_TTL: u32 = 60;

/// What is wanted of one zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Its name. `None` while the domain's names are not known.
    pub name: Option<String>,
    /// Its id, if it is adopted; unknown while the configuration of it is.
    pub existing: Value<HostedZoneId>,
    /// The names it gets records for. `None` while they are not known.
    pub names: Option<BTreeSet<String>>,
}

/// A name that gets records.
struct Name {
    slot: Slot,
    /// `None` while the domain's id is not known.
    name: Option<String>,
    parent: String,
}

/// The zones that are wanted. Where that is not known, those that exist.
pub fn wanted(desired: &Desired, recorded: &Recorded) -> BTreeMap<Slot, Wanted> {
    let (Value::Known(mode), Value::Known(parents)) = (&desired.zones.mode, &desired.parents) else {
        let existing = recorded.zones.keys().map(|slot| {
            let unknown = Wanted { name: None, existing: Value::Unknown, names: None };
            (slot.clone(), unknown)
        });
        return existing.collect();
    };
    let names = names(*mode, desired.domain(recorded), parents);
    let existing = desired.zones.existing.known();
    let mut zones: BTreeMap<Slot, Wanted> = BTreeMap::new();
    for name in names {
        let adopted =
            existing.into_iter().flatten().filter(|(zone, _)| name.lies_in(zone)).max_by_key(|(zone, _)| zone.len());
        let (slot, zone) = match adopted {
            Some((zone, id)) => (
                Slot::Existing(zone.clone()),
                Wanted { name: Some(zone.clone()), existing: id.clone(), names: Some(BTreeSet::new()) },
            ),
            None => (
                name.slot.clone(),
                Wanted { name: name.name.clone(), existing: Value::Null, names: Some(BTreeSet::new()) },
            ),
        };
        let zone = zones.entry(slot).or_insert(zone);
        zone.names = zone.names.take().zip(name.name).map(|(names, name)| names.into_iter().chain([name]).collect());
    }
    zones
}

/// The zones in `existing_zone_ids` that no name lies in, as far as that is known.
pub fn unused(desired: &Desired, recorded: &Recorded) -> Vec<String> {
    if !desired.zones.mode.is_known() || !desired.parents.is_known() {
        return Vec::new();
    }
    let wanted = wanted(desired, recorded);
    let existing = desired.zones.existing.known().into_iter().flatten().map(|(zone, _)| zone);
    existing.filter(|zone| !wanted.contains_key(&Slot::Existing((*zone).clone()))).cloned().collect()
}

/// The names that get records, where they are known; of those that are not, the form.
pub fn names_in_words(desired: &Desired, recorded: &Recorded) -> Vec<String> {
    let (Value::Known(mode), Value::Known(parents)) = (&desired.zones.mode, &desired.parents) else {
        return Vec::new();
    };
    let in_words = |Name { slot, name, parent }: Name| {
        let prefix = if matches!(slot, Slot::Portal | Slot::PortalFips) { "studio-" } else { "" };
        name.unwrap_or_else(|| format!("{prefix}d-….{parent}"))
    };
    names(*mode, desired.domain(recorded), parents).into_iter().map(in_words).collect()
}

fn names(mode: Mode, domain: Option<&Domain>, parents: &[String]) -> Vec<Name> {
    match mode {
        Mode::None => Vec::new(),
        Mode::Domain => host_slots(domain, parents),
        Mode::Parent => parents.iter().map(|parent| own(Slot::Parent(parent.clone()), parent)).collect(),
    }
}

impl Name {
    fn lies_in(&self, zone: &str) -> bool {
        match &self.name {
            Some(name) => is_within(name, zone),
            None => is_within(&self.parent, zone),
        }
    }
}

fn own(slot: Slot, name: &str) -> Name {
    Name { slot, name: Some(name.to_owned()), parent: name.to_owned() }
}

/// The domain's own names: under the parent of its URL, and under the FIPS parent where one is served.
fn host_slots(domain: Option<&Domain>, parents: &[String]) -> Vec<Name> {
    let fqdn = domain.and_then(fqdn);
    let split = fqdn.as_deref().and_then(|fqdn| fqdn.split_once('.'));
    let id = split.map(|(id, _)| id);
    let first = split.map(|(_, parent)| parent.to_owned()).or_else(|| parents.first().cloned()).unwrap_or_default();
    let fips = parents.iter().find(|parent| parent.starts_with("studio-fips.") && **parent != first).cloned();
    let two = |parent: String, slots: [Slot; 2]| {
        let [domain, portal] = slots;
        let name = |prefix: &str| id.map(|id| format!("{prefix}{id}.{parent}"));
        [
            Name { slot: domain, name: name(""), parent: parent.clone() },
            Name { slot: portal, name: name("studio-"), parent: parent.clone() },
        ]
    };
    let mut names: Vec<Name> = two(first, [Slot::Domain, Slot::Portal]).into();
    names.extend(fips.into_iter().flat_map(|parent| two(parent, [Slot::DomainFips, Slot::PortalFips])));
    names
}

/// The host names that can be told beforehand. Apps have further ones, under the same parents.
pub fn host_names(domain: &Domain, parents: &[String]) -> Vec<String> {
    host_slots(Some(domain), parents).into_iter().filter_map(|name| name.name).collect()
}

/// The domain's first host name, from its URL.
pub fn fqdn(domain: &Domain) -> Option<String> {
    let url = domain.url.as_deref()?;
    let host = url.strip_prefix("https://").unwrap_or(url).split('/').next()?;
    Some(host.to_ascii_lowercase())
}

/// The endpoint that records are to point at. `None` while it is not there, as where another one is adopted instead.
pub fn target<'a>(desired: &Desired, recorded: &'a Recorded) -> Option<&'a Endpoint> {
    if desired.adopted().contains(STUDIO) {
        let is_wanted = |endpoint: &&Endpoint| desired.existing_endpoint(STUDIO) == Value::Known(endpoint.id.clone());
        return recorded.adopted.get(STUDIO).filter(is_wanted);
    }
    recorded.endpoints.get(STUDIO)
}

/// The records for names: each and everything below it, pointing at the studio endpoint. IPv6 records only where the
/// endpoint has such addresses. `None` while the endpoint has no name.
pub fn records(endpoint: &Endpoint, names: &BTreeSet<String>, by_address: bool) -> Option<BTreeSet<Record>> {
    let (dns_name, hosted_zone_id) = endpoint.dns.clone()?;
    let addresses: Vec<IpAddr> = endpoint.addresses.iter().filter_map(|text| text.parse().ok()).collect();
    let mut found = BTreeSet::new();
    for (record_type, of_type) in [
        (RecordType::A, IpAddr::is_ipv4 as fn(&IpAddr) -> bool),
        (RecordType::Aaaa, IpAddr::is_ipv6 as fn(&IpAddr) -> bool),
    ] {
        let mut values: Vec<String> = addresses.iter().filter(|ip| of_type(ip)).map(ToString::to_string).collect();
        if values.is_empty() {
            continue;
        }
        values.sort();
        let data = if by_address {
            RecordData::Values { ttl: ADDRESS_TTL, values }
        } else {
            RecordData::Alias { dns_name: dns_name.clone(), hosted_zone_id: hosted_zone_id.clone() }
        };
        for name in names.iter().flat_map(|name| [name.clone(), format!("*.{name}")]) {
            found.insert(Record { name, record_type: record_type.clone(), data: data.clone() });
        }
    }
    Some(found)
}

/// Whether a record is one of those that a name gets.
pub fn is_for(record: &Record, names: &BTreeSet<String>) -> bool {
    matches!(record.record_type, RecordType::A | RecordType::Aaaa) && names.contains(base(record))
}

/// Whether a record has the place of one of those that a name gets: nothing can stand beside a `CNAME`.
pub fn stands_for(record: &Record, names: &BTreeSet<String>) -> bool {
    let is_cname = matches!(&record.record_type, RecordType::Other(name) if name == "CNAME");
    is_for(record, names) || (is_cname && names.contains(base(record)))
}

fn base(record: &Record) -> &str {
    record.name.strip_prefix("*.").unwrap_or(&record.name)
}

/// The VPCs that zones made for a slot are to answer in. `None` while that is not known.
pub fn vpcs(desired: &Desired, recorded: &Recorded, slot: &Slot) -> Option<BTreeSet<Association>> {
    let mut vpcs = desired.zones.associations.known()?.clone();
    let is_served = matches!(slot, Slot::Parent(_)) && *desired.has_private_parents(recorded).known()?;
    if !is_served {
        vpcs.insert(Association { vpc: desired.vpc.known()?.clone(), role_arn: None });
    }
    Some(vpcs)
}

/// The VPC that a zone is made with: it has to be of the zone's own account. The resource's own, if it is among them.
pub fn first_vpc<'a>(
    vpcs: &'a BTreeSet<Association>,
    own: Option<&ZoneVpc>,
    account: Option<&AccountId>,
) -> Option<&'a Association> {
    let is_own_account = |association: &&Association| match &association.role_arn {
        None => true,
        Some(role) => account.is_some_and(|account| role.as_str().split(':').nth(4) == Some(account.as_str())),
    };
    vpcs.iter().find(|association| Some(&association.vpc) == own).or_else(|| vpcs.iter().find(is_own_account))
}

/// Why a zone cannot be made. Completes "CreateHostedZone for …: ".
pub fn no_first_vpc(vpcs: &BTreeSet<Association>) -> &'static str {
    if vpcs.is_empty() {
        "a private hosted zone needs a VPC to answer in, and there is none. AWS serves this name in vpc_id, with the private DNS of the studio endpoint: name other VPCs in hosted_zone.vpc_associations, or choose another hosted_zone.mode"
    } else {
        "a hosted zone is made with a VPC of its own account, and all VPCs that it is to answer in are of other accounts. Add one of this account to hosted_zone.vpc_associations"
    }
}
