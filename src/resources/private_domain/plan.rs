//! Which parts a private domain has, what changes about them, and in which order.
//!
//! ```text
//! domain group ──┬── endpoint group ── endpoints (studio, sagemaker.api, sagemaker.runtime, …; together)
//!                │                         │ studio
//!                └── domain ───────────────┴── hosted zones (d-…, studio-d-…)
//!                       └── user profiles (together)
//! ```
//!
//! | part | needs | why |
//! | --- | --- | --- |
//! | domain group | – | |
//! | endpoint group | domain group | it lets the domain's apps in, by their group |
//! | endpoint | endpoint group | |
//! | domain | domain group | its users' apps have the group |
//! | user profile | domain | |
//! | hosted zone | domain, studio endpoint | its name is the domain's, its records point at the endpoint |
//!
//! A part is made or changed after what it needs, and deleted after everything that needs it.
//! The domain does not wait for the endpoints: it takes the longest, and it can be made without them.
//!
//! **Invariant:** pure.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::desired::{Desired, Profile as DesiredProfile};
use super::model::Model;
use super::recorded::{Domain, Endpoint, Group, Host, Profile, Recorded, Zone};
use crate::aws::ec2::security_group_rule::{Direction, Peer, Rule};
use crate::aws::ec2::vpc_endpoint::EndpointChange;
use crate::aws::route53::record::{Record, RecordData, RecordType};
use crate::aws::sagemaker::domain_types::{DomainChange, NetworkAccess, UserSettings};
use crate::aws::{SecurityGroupId, Tags};
use crate::framework::Value;
use crate::policy::document::Document;
use crate::steps::Step;

/// Names one part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The security group of the domain's apps.
    DomainGroup,
    /// The security group of the endpoints.
    EndpointGroup,
    /// The domain.
    Domain,
    /// The endpoint for a service.
    Endpoint(String),
    /// A user profile, by name.
    Profile(String),
    /// The hosted zone of a host name.
    Zone(Host),
}

/// The tag of the domain that keeps `home_efs.on_destroy`.
pub const ON_DESTROY: &str = "terraform-provider-studio:home-efs";

/// The service whose endpoint the hosted zones point at.
pub const STUDIO: &str = "studio";

/// The key of the S3 gateway endpoint, beside the services' own.
pub const GATEWAY: &str = "s3_gateway";

/// The services that presigned URLs are used and made through.
pub const ACCESS: [&str; 2] = [STUDIO, "sagemaker.api"];

impl Key {
    fn needs(&self) -> Vec<Key> {
        match self {
            Key::DomainGroup => vec![],
            Key::EndpointGroup => vec![Key::DomainGroup],
            Key::Endpoint(_) => vec![Key::EndpointGroup],
            Key::Domain => vec![Key::DomainGroup],
            Key::Profile(_) => vec![Key::Domain],
            Key::Zone(_) => vec![Key::Domain, Key::Endpoint(STUDIO.to_owned())],
        }
    }

    /// In words, for messages.
    pub fn name(&self) -> String {
        match self {
            Key::DomainGroup => "security group of the domain".to_owned(),
            Key::EndpointGroup => "security group of the endpoints".to_owned(),
            Key::Domain => "domain".to_owned(),
            Key::Endpoint(service) => format!("VPC endpoint for {service}"),
            Key::Profile(name) => format!("user profile {name}"),
            Key::Zone(Host::Domain) => "hosted zone of the domain".to_owned(),
            Key::Zone(Host::Portal) => "hosted zone of the web portal".to_owned(),
        }
    }

    /// The value of the tag that says which part of its owner something is.
    pub fn part(&self) -> String {
        match self {
            Key::DomainGroup => "domain-group".to_owned(),
            Key::EndpointGroup => "endpoint-group".to_owned(),
            Key::Domain => "domain".to_owned(),
            Key::Endpoint(service) => format!("endpoint/{service}"),
            Key::Profile(name) => format!("profile/{name}"),
            Key::Zone(Host::Domain) => "zone/domain".to_owned(),
            Key::Zone(Host::Portal) => "zone/portal".to_owned(),
        }
    }

    /// The part that such a tag names.
    pub fn from_part(part: &str) -> Option<Key> {
        match part {
            "domain-group" => Some(Key::DomainGroup),
            "endpoint-group" => Some(Key::EndpointGroup),
            "domain" => Some(Key::Domain),
            "zone/domain" => Some(Key::Zone(Host::Domain)),
            "zone/portal" => Some(Key::Zone(Host::Portal)),
            _ => match part.split_once('/')? {
                ("endpoint", service) => Some(Key::Endpoint(service.to_owned())),
                ("profile", name) => Some(Key::Profile(name.to_owned())),
                _ => None,
            },
        }
    }
}

/// What to do to a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make it.
    Create,
    /// Wait for it if it is not ready, and change what differs.
    Update,
    /// Delete it.
    Delete,
}

/// What it takes to get from what is recorded to what is wanted. Nothing wanted is a destruction.
pub fn steps(desired: Option<&Desired>, recorded: &Recorded) -> Vec<Step<Key, Action>> {
    let mut actions: Vec<(Key, Action)> = Vec::new();
    if let Some(desired) = desired {
        actions.extend(wanted_parts(desired, recorded));
    }
    let wanted = |key: &Key| desired.is_some_and(|desired| desired.wants(key));
    actions.extend(recorded_keys(recorded).into_iter().filter(|key| !wanted(key)).map(|key| (key, Action::Delete)));
    with_order(actions)
}

fn with_order(actions: Vec<(Key, Action)>) -> Vec<Step<Key, Action>> {
    let is_deleted = |key: &Key| actions.iter().any(|(other, action)| other == key && *action == Action::Delete);
    actions
        .iter()
        .map(|(key, action)| {
            let after: BTreeSet<Key> = match action {
                Action::Create | Action::Update => key.needs().into_iter().filter(|need| !is_deleted(need)).collect(),
                // Whatever needs this part, and is changed or deleted, lets go of it first.
                Action::Delete => actions
                    .iter()
                    .map(|(other, _)| other.clone())
                    .filter(|other| other != key && other.needs().contains(key))
                    .collect(),
            };
            Step { key: key.clone(), action: *action, after }
        })
        .collect()
}

fn recorded_keys(recorded: &Recorded) -> Vec<Key> {
    let one = |part: bool, key: Key| part.then_some(key);
    one(recorded.domain_group.is_some(), Key::DomainGroup)
        .into_iter()
        .chain(one(recorded.endpoint_group.is_some(), Key::EndpointGroup))
        .chain(one(recorded.domain.is_some(), Key::Domain))
        .chain(recorded.endpoints.keys().cloned().map(Key::Endpoint))
        .chain(recorded.profiles.keys().cloned().map(Key::Profile))
        .chain(recorded.zones.keys().copied().map(Key::Zone))
        .collect()
}

/// The wanted parts that are not there, not ready, or not as wanted.
fn wanted_parts(desired: &Desired, recorded: &Recorded) -> Vec<(Key, Action)> {
    let mut actions = Vec::new();
    let mut compare = |key: Key, exists: bool, as_wanted: bool| match (exists, as_wanted) {
        (false, _) => actions.push((key, Action::Create)),
        (true, false) => actions.push((key, Action::Update)),
        (true, true) => {}
    };

    let group = recorded.domain_group.as_ref();
    compare(Key::DomainGroup, group.is_some(), group.is_some_and(|group| is_domain_group_as_wanted(desired, group)));
    if desired.makes_endpoint_group() {
        let group = recorded.endpoint_group.as_ref();
        let as_wanted = group.is_some_and(|group| is_endpoint_group_as_wanted(desired, recorded, group));
        compare(Key::EndpointGroup, group.is_some(), as_wanted);
    }
    for service in desired.services() {
        let endpoint = recorded.endpoints.get(&service);
        let as_wanted = endpoint.is_some_and(|endpoint| {
            endpoint.ready
                && desired.has_tags(&endpoint.tags)
                && endpoint_change(desired, recorded, &service, endpoint).is_some_and(|change| change.is_empty())
        });
        compare(Key::Endpoint(service), endpoint.is_some(), as_wanted);
    }
    let domain = recorded.domain.as_ref();
    let as_wanted = domain.is_some_and(|domain| {
        domain.ready
            && desired.has_tags(&domain.tags)
            && desired.on_destroy.known() == domain.on_destroy.as_ref()
            && domain_change(desired, recorded, domain).is_some_and(|change| change.is_empty())
    });
    compare(Key::Domain, domain.is_some(), as_wanted);
    for (name, wanted) in desired.profiles() {
        let profile = recorded.profiles.get(&name);
        let as_wanted = profile.is_some_and(|profile| profile.ready && is_profile_as_wanted(desired, &wanted, profile));
        compare(Key::Profile(name), profile.is_some(), as_wanted);
    }
    for host in desired.hosts() {
        let zone = recorded.zones.get(&host);
        compare(
            Key::Zone(host),
            zone.is_some(),
            zone.is_some_and(|zone| is_zone_as_wanted(desired, recorded, host, zone)),
        );
    }
    actions
}

fn is_domain_group_as_wanted(desired: &Desired, group: &Group) -> bool {
    same_traffic(&domain_group_rules(&group.id), &group.rules) && desired.has_tags(&group.tags)
}

fn is_endpoint_group_as_wanted(desired: &Desired, recorded: &Recorded, group: &Group) -> bool {
    endpoint_group_rules(desired, recorded).is_some_and(|rules| same_traffic(&rules, &group.rules))
        && desired.has_tags(&group.tags)
}

fn is_profile_as_wanted(desired: &Desired, wanted: &DesiredProfile, profile: &Profile) -> bool {
    profile_settings(desired, wanted, profile).is_some_and(|settings| settings.is_empty())
        && profile_tags(desired, wanted) == Value::Known(profile.tags.clone())
}

fn is_zone_as_wanted(desired: &Desired, recorded: &Recorded, host: Host, zone: &Zone) -> bool {
    zone_name(recorded, host).as_ref() == Some(&zone.name)
        && alias_records(recorded, &zone.name).is_some_and(|records| records == zone.records)
        && desired.has_tags(&zone.tags)
}

/// The rules of the domain's group: NFS and app traffic within the group, and HTTPS out.
///
/// Ports: "Connect Studio in a VPC to external resources", SageMaker developer guide.
pub fn domain_group_rules(own: &SecurityGroupId) -> BTreeSet<Rule> {
    let within = || Peer::Group(own.clone());
    let mut rules = BTreeSet::new();
    for direction in [Direction::Inbound, Direction::Outbound] {
        rules.insert(Rule::ports(direction, "tcp", (2049, 2049), within(), "NFS for home folders"));
        rules.insert(Rule::ports(direction, "tcp", (8192, 65535), within(), "Between apps of the domain"));
    }
    let anywhere = Peer::Cidr4("0.0.0.0/0".to_owned());
    rules.insert(Rule::ports(Direction::Outbound, "tcp", (443, 443), anywhere, "HTTPS to endpoints and services"));
    rules
}

/// The rules of the endpoints' group: HTTPS from the clients and from the domain's apps. An endpoint opens no
/// connections itself. `None` while something they depend on is not known.
pub fn endpoint_group_rules(desired: &Desired, recorded: &Recorded) -> Option<BTreeSet<Rule>> {
    let clients = desired.client_cidr_blocks.known()?;
    let domain = Peer::Group(recorded.domain_group.as_ref()?.id.clone());
    let https = |peer, text| Rule::ports(Direction::Inbound, "tcp", (443, 443), peer, text);
    let clients = clients.iter().map(|block| https(peer_of(block), CLIENT_RULE));
    Some(clients.chain([https(domain, "HTTPS from apps of the domain")]).collect())
}

const CLIENT_RULE: &str = "HTTPS from clients";

fn peer_of(block: &IpNet) -> Peer {
    match block {
        IpNet::V4(block) => Peer::Cidr4(block.to_string()),
        IpNet::V6(block) => Peer::Cidr6(block.to_string()),
    }
}

/// The client ranges that a group's rules open.
pub fn client_blocks(rules: &BTreeSet<Rule>) -> BTreeSet<IpNet> {
    let is_https = |rule: &&Rule| rule.direction == Direction::Inbound && rule.ports == Some((443, 443));
    rules
        .iter()
        .filter(is_https)
        .filter_map(|rule| match &rule.peer {
            Peer::Cidr4(block) | Peer::Cidr6(block) => block.parse().ok(),
            Peer::Group(_) | Peer::PrefixList(_) => None,
        })
        .collect()
}

/// Whether two endpoint policies mean the same. What is no policy document means what it says.
pub fn same_policy(one: &str, other: &str) -> bool {
    match (Document::parse(one), Document::parse(other)) {
        (Ok(one), Ok(other)) => one.same_meaning(&other),
        _ => one == other,
    }
}

fn same_traffic(one: &BTreeSet<Rule>, other: &BTreeSet<Rule>) -> bool {
    missing(one, other).is_empty() && missing(other, one).is_empty()
}

/// The rules of `wanted` that `have` lacks.
pub fn missing<'a>(wanted: &'a BTreeSet<Rule>, have: &BTreeSet<Rule>) -> Vec<&'a Rule> {
    wanted.iter().filter(|rule| !have.iter().any(|other| rule.is_same_traffic(other))).collect()
}

/// The groups that endpoints are to have. `None` while they are not known.
pub fn endpoint_groups(desired: &Desired, recorded: &Recorded) -> Option<BTreeSet<SecurityGroupId>> {
    match &desired.own_groups {
        Value::Known(groups) => Some(groups.clone()),
        Value::Null => Some([recorded.endpoint_group.as_ref()?.id.clone()].into()),
        Value::Unknown => None,
    }
}

/// What differs about an endpoint, tags aside. `None` while something it depends on is not known.
pub fn endpoint_change(
    desired: &Desired,
    recorded: &Recorded,
    service: &str,
    endpoint: &Endpoint,
) -> Option<EndpointChange> {
    let subnets = match desired.endpoint_subnets(service) {
        Value::Known(subnets) => subnets,
        // The configuration has not changed what they were chosen from.
        Value::Null => endpoint.asked_subnet_ids.clone(),
        Value::Unknown => return None,
    };
    let groups = endpoint_groups(desired, recorded)?;
    let private_dns = *desired.private_dns_enabled.known()?;
    Some(EndpointChange {
        add_subnet_ids: subnets.difference(&endpoint.subnet_ids).cloned().collect(),
        remove_subnet_ids: endpoint.subnet_ids.difference(&subnets).cloned().collect(),
        add_security_group_ids: groups.difference(&endpoint.security_group_ids).cloned().collect(),
        remove_security_group_ids: endpoint.security_group_ids.difference(&groups).cloned().collect(),
        private_dns_enabled: (private_dns != endpoint.private_dns_enabled).then_some(private_dns),
        ..EndpointChange::default()
    })
}

/// What differs about the domain, tags aside. `None` while something it depends on is not known.
pub fn domain_change(desired: &Desired, recorded: &Recorded, domain: &Domain) -> Option<DomainChange> {
    let subnets = desired.subnet_ids.known()?;
    let role = desired.execution_role_arn.known()?;
    let groups: BTreeSet<_> = [recorded.domain_group.as_ref()?.id.clone()].into();
    let wants_efs = *desired.home_efs_enabled.known()?;
    Some(DomainChange {
        subnet_ids: (*subnets != domain.subnet_ids).then(|| subnets.clone()),
        network_access: (!domain.vpc_only).then_some(NetworkAccess::VpcOnly),
        default_user_settings: UserSettings {
            execution_role: (domain.execution_role_arn.as_ref() != Some(role)).then(|| role.clone()),
            security_group_ids: (domain.user_security_group_ids != groups).then_some(groups),
            ..UserSettings::default()
        },
        home_efs: (wants_efs && domain.file_system_id.is_none()).then_some(crate::aws::sagemaker::Toggle::Enabled),
        ..DomainChange::default()
    })
}

/// What differs about a profile's settings. `None` while it is not known.
///
/// SageMaker cannot take a profile's role back; a profile that is to have none of its own gets the domain's.
pub fn profile_settings(desired: &Desired, wanted: &DesiredProfile, profile: &Profile) -> Option<UserSettings> {
    let role = match &wanted.execution_role_arn {
        Value::Known(role) => Some(role),
        Value::Null if profile.execution_role_arn.is_some() => Some(desired.execution_role_arn.known()?),
        Value::Null => None,
        Value::Unknown => return None,
    };
    Some(UserSettings {
        execution_role: role.filter(|role| profile.execution_role_arn.as_ref() != Some(role)).cloned(),
        ..UserSettings::default()
    })
}

/// The tags that a profile is to have: the resource's, and its own.
pub fn profile_tags(desired: &Desired, wanted: &DesiredProfile) -> Value<Tags> {
    match (&desired.tags, &wanted.tags) {
        (Value::Known(all), Value::Known(own)) => Value::Known(crate::aws::tags::merge(all, own)),
        (Value::Known(all), Value::Null) => Value::Known(all.clone()),
        (Value::Unknown | Value::Null, _) | (_, Value::Unknown) => Value::Unknown,
    }
}

/// The records that a zone is to have: its name and everything below it, pointing at the studio endpoint.
/// `None` while the endpoint is not there.
pub fn alias_records(recorded: &Recorded, zone: &str) -> Option<BTreeSet<Record>> {
    let (dns_name, hosted_zone_id) = recorded.endpoints.get(STUDIO)?.dns.clone()?;
    let record = |name: String| Record {
        name,
        record_type: RecordType::A,
        data: RecordData::Alias { dns_name: dns_name.clone(), hosted_zone_id: hosted_zone_id.clone() },
    };
    Some([record(zone.to_owned()), record(format!("*.{zone}"))].into())
}

/// The name of the zone for a host name of the domain. `None` while SageMaker has not told the domain's URL.
pub fn zone_name(recorded: &Recorded, host: Host) -> Option<String> {
    let fqdn = fqdn(recorded.domain.as_ref()?)?;
    Some(match host {
        Host::Domain => fqdn,
        Host::Portal => format!("studio-{fqdn}"),
    })
}

/// The domain's first host name, from its URL.
pub fn fqdn(domain: &Domain) -> Option<String> {
    let url = domain.url.as_deref()?;
    let host = url.strip_prefix("https://").unwrap_or(url).split('/').next()?;
    Some(host.to_ascii_lowercase())
}

/// Marks as unknown what the steps may change, in the plan of an update.
pub fn mark_unknown(steps: &[Step<Key, Action>], desired: &Desired, recorded: &Recorded, model: &mut Model) {
    for step in steps {
        match (&step.key, step.action) {
            (Key::DomainGroup, Action::Create | Action::Delete) => model.domain_security_group_id = Value::Unknown,
            (Key::EndpointGroup, Action::Create | Action::Delete) => model.endpoint_security_group_id = Value::Unknown,
            (Key::Endpoint(service), Action::Create | Action::Delete) => {
                if ACCESS.contains(&service.as_str()) {
                    model.access_endpoint_ids = Value::Unknown;
                }
                model.endpoint_ids = Value::Unknown;
                model.endpoint_ips = Value::Unknown;
                model.endpoint_dns = Value::Unknown;
            }
            (Key::Endpoint(service), Action::Update) => {
                let endpoint = recorded.endpoints.get(service);
                let change = endpoint.and_then(|endpoint| endpoint_change(desired, recorded, service, endpoint));
                let moves =
                    |change: EndpointChange| !change.add_subnet_ids.is_empty() || !change.remove_subnet_ids.is_empty();
                if change.is_none_or(moves) || endpoint.is_some_and(|endpoint| !endpoint.ready) {
                    model.endpoint_ips = Value::Unknown;
                    model.endpoint_dns = Value::Unknown;
                }
            }
            (Key::Zone(_), Action::Create | Action::Delete) => model.hosted_zone_ids = Value::Unknown,
            (Key::Domain, Action::Create) => {
                for name in [&mut model.id, &mut model.domain_id, &mut model.arn, &mut model.url, &mut model.fqdn] {
                    *name = Value::Unknown;
                }
                model.host_names = Value::Unknown;
                model.home_efs_file_system_id = Value::Unknown;
            }
            (Key::Domain, Action::Update) => {
                let change = recorded.domain.as_ref().and_then(|domain| domain_change(desired, recorded, domain));
                if change.is_some_and(|change| change.home_efs.is_some()) {
                    model.home_efs_file_system_id = Value::Unknown;
                }
            }
            (Key::Profile(_), _)
            | (Key::Domain, Action::Delete)
            | (Key::DomainGroup | Key::EndpointGroup | Key::Zone(_), Action::Update) => {}
        }
    }
}
