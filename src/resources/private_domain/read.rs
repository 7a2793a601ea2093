//! What AWS says of a private domain: into the record, and from there into the model.
//!
//! **Invariant:** changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{try_join, try_join_all};
use ipnet::IpNet;

use super::desired::Desired;
use super::model::{EndpointDns, Endpoints, HomeEfs, HostedZone, Model, UserProfile};
use super::plan::{self, Action, Key, ON_DESTROY};
use super::recorded::{Domain, Endpoint, Group, Host, Profile, Recorded, Zone};
use crate::aws::ec2::network_interface::find_network_interfaces;
use crate::aws::ec2::security_group::{find_security_group, list_security_groups_by_tag};
use crate::aws::ec2::security_group_rule::{Rule, list_rules};
use crate::aws::ec2::vpc_endpoint::{EndpointState, VpcEndpoint, regional_dns_entry};
use crate::aws::ec2::vpc_endpoint::{find_vpc_endpoint, list_vpc_endpoints_by_tag};
use crate::aws::route53::hosted_zone::{ZoneOfVpc, ZoneVpc, find_hosted_zone, list_hosted_zones_of_vpc};
use crate::aws::route53::record::{Record, RecordType, list_records};
use crate::aws::sagemaker::domain::find_domain;
use crate::aws::sagemaker::domain_types::{AuthMode, NetworkAccess};
use crate::aws::sagemaker::user_profile::{find_user_profile, list_user_profiles};
use crate::aws::sagemaker::{self, Status, domain_types};
use crate::aws::tags::{OWNER, merge, owner_and_part, visible};
use crate::aws::{
    AwsError, Clients, DomainId, HostedZoneId, SecurityGroupId, SubnetId, Tags, VpcEndpointId, VpcId, route53,
};
use crate::framework::Value;
use crate::resources::values::{Strings, known_set, known_tags, shown_tags, string_map, strings};
use crate::steps::Step;

/// Looks at every recorded part again. Parts that are gone are left out.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn refresh(clients: &Clients, recorded: &Recorded) -> Result<Recorded, AwsError> {
    let groups = try_join(
        refresh_group(clients, recorded.domain_group.as_ref()),
        refresh_group(clients, recorded.endpoint_group.as_ref()),
    );
    let endpoints = try_join_all(
        recorded
            .endpoints
            .iter()
            .map(async |(service, endpoint)| Ok((service.clone(), refresh_endpoint(clients, endpoint).await?))),
    );
    let zones =
        try_join_all(recorded.zones.iter().map(async |(host, zone)| Ok((*host, read_zone(clients, &zone.id).await?))));
    let domain = async {
        match &recorded.domain {
            Some(domain) => read_domain(clients, &domain.id).await,
            None => Ok(None),
        }
    };
    let profiles = async {
        match &recorded.domain {
            Some(domain) => read_profiles(clients, &domain.id, recorded.profiles.keys()).await,
            None => Ok(BTreeMap::new()),
        }
    };
    let ((domain_group, endpoint_group), endpoints, zones, domain, profiles) =
        tokio::try_join!(groups, endpoints, zones, domain, profiles)?;
    Ok(Recorded {
        owner: recorded.owner.clone(),
        domain_group,
        endpoint_group,
        endpoints: present(endpoints),
        profiles: if domain.is_some() { profiles } else { BTreeMap::new() },
        domain,
        zones: present(zones),
    })
}

fn present<K: Ord, V>(parts: Vec<(K, Option<V>)>) -> BTreeMap<K, V> {
    parts.into_iter().filter_map(|(key, part)| Some((key, part?))).collect()
}

/// Finds everything that carries an owner's tag, the domain aside: what a run that was killed left behind, or, beside
/// its domain, what an import is about.
///
/// # Errors
/// Whatever AWS refuses.
pub async fn find_owned(
    clients: &Clients,
    owner: &str,
    vpc_id: &VpcId,
    domain: Option<Domain>,
) -> Result<Recorded, AwsError> {
    let (groups, endpoints, zones) = tokio::try_join!(
        list_security_groups_by_tag(clients, OWNER, owner),
        list_vpc_endpoints_by_tag(clients, OWNER, owner),
        find_zones(clients, owner, vpc_id),
    )?;
    let mut found = Recorded { owner: owner.to_owned(), zones, ..Recorded::default() };
    for group in groups {
        match owner_and_part(&group.tags).and_then(|(_, part)| Key::from_part(part)) {
            Some(Key::DomainGroup) => found.domain_group = Some(read_group(clients, group.id, &group.tags).await?),
            Some(Key::EndpointGroup) => found.endpoint_group = Some(read_group(clients, group.id, &group.tags).await?),
            _ => {}
        }
    }
    for endpoint in endpoints {
        let part = owner_and_part(&endpoint.tags).and_then(|(_, part)| Key::from_part(part));
        if let (Some(Key::Endpoint(service)), false) = (part, endpoint.state == EndpointState::Deleting) {
            let asked = endpoint.subnet_ids.clone();
            let addresses = endpoint_addresses(clients, &endpoint).await?;
            found.endpoints.insert(service, self::endpoint(endpoint, addresses, &asked, clients));
        }
    }
    if let Some(domain) = domain {
        let names = list_user_profiles(clients, &domain.id).await?.into_iter().map(|profile| profile.name);
        let names: Vec<String> = names.collect();
        found.profiles = read_profiles(clients, &domain.id, names.iter()).await?;
        found.domain = Some(domain);
    }
    Ok(found)
}

async fn find_zones(clients: &Clients, owner: &str, vpc_id: &VpcId) -> Result<BTreeMap<Host, Zone>, AwsError> {
    let vpc = ZoneVpc { vpc_id: vpc_id.clone(), region: clients.region().clone() };
    let zones = list_hosted_zones_of_vpc(clients, &vpc).await?;
    // Other accounts' zones, and those of AWS services, are not ours to read.
    let is_own =
        |zone: &&ZoneOfVpc| zone.owning_service.is_none() && zone.owning_account.as_ref() == clients.account_id();
    let ids: Vec<HostedZoneId> = zones.iter().filter(is_own).map(|zone| zone.id.clone()).collect();
    let mut found = BTreeMap::new();
    for (id, tags) in route53::tags::list_tags_of_zones(clients, &ids).await? {
        let Some((_, part)) = owner_and_part(&tags).filter(|(of, _)| *of == owner) else {
            continue;
        };
        if let Some(Key::Zone(host)) = Key::from_part(part) {
            found.extend(read_zone(clients, &id).await?.map(|zone| (host, zone)));
        }
    }
    Ok(found)
}

async fn refresh_group(clients: &Clients, group: Option<&Group>) -> Result<Option<Group>, AwsError> {
    let Some(group) = group else {
        return Ok(None);
    };
    match find_security_group(clients, &group.id).await? {
        Some(found) => Ok(Some(read_group(clients, found.id, &found.tags).await?)),
        None => Ok(None),
    }
}

async fn read_group(clients: &Clients, id: SecurityGroupId, tags: &Tags) -> Result<Group, AwsError> {
    let rules = list_rules(clients, &id).await?;
    let rules: BTreeSet<Rule> = rules.into_iter().map(|recorded| recorded.rule).collect();
    Ok(Group { id, rules, tags: visible(tags, clients.ignore_tags()) })
}

async fn refresh_endpoint(clients: &Clients, recorded: &Endpoint) -> Result<Option<Endpoint>, AwsError> {
    let id: &VpcEndpointId = &recorded.id;
    match find_vpc_endpoint(clients, id).await? {
        Some(found) if found.state != EndpointState::Deleting => {
            let addresses = endpoint_addresses(clients, &found).await?;
            Ok(Some(endpoint(found, addresses, &recorded.asked_subnet_ids, clients)))
        }
        Some(_) | None => Ok(None),
    }
}

/// The addresses of an endpoint, in the order of its subnets' ids.
///
/// # Errors
/// Whatever EC2 refuses.
pub async fn endpoint_addresses(clients: &Clients, endpoint: &VpcEndpoint) -> Result<Vec<String>, AwsError> {
    let mut interfaces = find_network_interfaces(clients, &endpoint.network_interface_ids).await?;
    interfaces.sort_by(|one, other| one.subnet_id.cmp(&other.subnet_id));
    let addresses = interfaces.iter().flat_map(|interface| {
        let ipv4 = interface.ipv4.iter().map(ToString::to_string);
        ipv4.chain(interface.ipv6.iter().map(ToString::to_string))
    });
    Ok(addresses.collect())
}

/// An endpoint as EC2 describes it, for the record.
pub fn endpoint(found: VpcEndpoint, addresses: Vec<String>, asked: &BTreeSet<SubnetId>, clients: &Clients) -> Endpoint {
    let dns = regional_dns_entry(&found.dns_entries)
        .and_then(|entry| Some((entry.dns_name.clone(), entry.hosted_zone_id.clone()?)));
    Endpoint {
        id: found.id,
        ready: found.state == EndpointState::Available,
        asked_subnet_ids: asked.clone(),
        subnet_ids: found.subnet_ids,
        security_group_ids: found.security_group_ids,
        private_dns_enabled: found.private_dns_enabled,
        dns,
        addresses,
        tags: visible(&found.tags, clients.ignore_tags()),
    }
}

/// Looks a domain up with its tags. One that is being deleted counts as gone.
///
/// # Errors
/// Whatever SageMaker refuses.
pub async fn read_domain(clients: &Clients, id: &DomainId) -> Result<Option<Domain>, AwsError> {
    match find_domain(clients, id).await? {
        Some(found) if found.status != Status::Deleting => {
            let tags = sagemaker::tags::list_tags(clients, &found.arn).await?;
            let on_destroy = tags.get(ON_DESTROY).cloned();
            Ok(Some(domain(found, visible(&tags, clients.ignore_tags()), on_destroy)))
        }
        Some(_) | None => Ok(None),
    }
}

/// A domain as SageMaker describes it, for the record.
pub fn domain(found: domain_types::Domain, tags: Tags, on_destroy: Option<String>) -> Domain {
    Domain {
        id: found.id,
        arn: found.arn,
        name: found.name,
        ready: found.status == Status::InService,
        url: found.url,
        vpc_id: found.vpc_id.to_string(),
        auth_mode: found.auth_mode.map(|mode: AuthMode| mode.as_str().to_owned()),
        kms_key_id: found.kms_key_id,
        vpc_only: found.network_access == Some(NetworkAccess::VpcOnly),
        subnet_ids: found.subnet_ids,
        execution_role_arn: found.default_user_settings.execution_role,
        user_security_group_ids: found.default_user_settings.security_group_ids.unwrap_or_default(),
        file_system_id: found.home_efs_file_system_id,
        on_destroy,
        tags,
    }
}

async fn read_profiles(
    clients: &Clients,
    domain: &DomainId,
    names: impl Iterator<Item = &String>,
) -> Result<BTreeMap<String, Profile>, AwsError> {
    let profiles = names.map(async |name| Ok((name.clone(), read_profile(clients, domain, name).await?)));
    Ok(present(try_join_all(profiles).await?))
}

async fn read_profile(clients: &Clients, domain: &DomainId, name: &str) -> Result<Option<Profile>, AwsError> {
    match find_user_profile(clients, domain, name).await? {
        Some(found) if found.status != Status::Deleting => {
            let tags = sagemaker::tags::list_tags(clients, &found.arn).await?;
            Ok(Some(Profile {
                arn: found.arn,
                ready: found.status == Status::InService,
                execution_role_arn: found.settings.execution_role,
                tags: visible(&tags, clients.ignore_tags()),
            }))
        }
        Some(_) | None => Ok(None),
    }
}

async fn read_zone(clients: &Clients, id: &HostedZoneId) -> Result<Option<Zone>, AwsError> {
    let Some(found) = find_hosted_zone(clients, id).await? else {
        return Ok(None);
    };
    let (records, tags) = try_join(zone_records(clients, id), route53::tags::list_tags(clients, id)).await?;
    Ok(Some(Zone { id: found.id, name: found.name, records, tags: visible(&tags, clients.ignore_tags()) }))
}

/// The records of a zone, without the two that Route 53 puts into every one.
///
/// # Errors
/// `NotFound` when the zone is gone.
pub async fn zone_records(clients: &Clients, id: &HostedZoneId) -> Result<BTreeSet<Record>, AwsError> {
    let is_own =
        |record: &Record| !matches!(&record.record_type, RecordType::Other(name) if name == "NS" || name == "SOA");
    Ok(list_records(clients, id).await?.into_iter().filter(is_own).collect())
}

/// The model, with everything that is known to exist put in. What the user wrote and AWS does not show stays.
pub fn project(mut model: Model, recorded: &Recorded, clients: &Clients) -> Model {
    project_endpoints(&mut model, recorded);
    project_zones(&mut model, recorded);
    if let Some(group) = &recorded.endpoint_group {
        model.client_cidr_blocks = client_blocks(&model.client_cidr_blocks, &plan::client_blocks(&group.rules));
    }
    model.domain_security_group_id = recorded.domain_group.as_ref().map(|group| group.id.to_string()).into();
    model.endpoint_security_group_id = recorded.endpoint_group.as_ref().map(|group| group.id.to_string()).into();
    model.region = Value::Known(clients.region().to_string());
    model.account_id = clients.account_id().map(ToString::to_string).into();
    match &recorded.domain {
        Some(domain) => project_domain(&mut model, domain, recorded, clients.default_tags()),
        None => {
            for missing in [&mut model.id, &mut model.domain_id, &mut model.arn, &mut model.url, &mut model.fqdn] {
                *missing = Value::Null;
            }
            model.host_names = Value::Null;
            model.home_efs_file_system_id = Value::Null;
        }
    }
    model
}

/// The client ranges that are open, in the user's spelling where there is one.
fn client_blocks(written: &Strings, open: &BTreeSet<IpNet>) -> Strings {
    if written.is_null() && open.is_empty() {
        return Value::Null;
    }
    let written = known_set(written).unwrap_or_default();
    let spelled = |block: &IpNet| {
        let as_written = written.iter().find(|text| text.parse::<IpNet>().ok().as_ref() == Some(block));
        as_written.cloned().unwrap_or_else(|| block.to_string())
    };
    strings(open.iter().map(spelled).collect::<BTreeSet<_>>())
}

fn project_domain(model: &mut Model, domain: &Domain, recorded: &Recorded, default_tags: &Tags) {
    let id = Value::Known(domain.id.to_string());
    model.id = id.clone();
    model.domain_id = id;
    // A domain cannot change its key, so another form of it (an alias, an ARN) is no drift, and must not replace the
    // domain. Only an import, where nothing is written yet, takes over what AWS shows.
    if model.name.is_null() {
        model.kms_key_id = domain.kms_key_id.clone().into();
    }
    model.name = Value::Known(domain.name.clone());
    model.vpc_id = Value::Known(domain.vpc_id.clone());
    model.auth_mode = domain.auth_mode.clone().map_or(model.auth_mode.clone(), Value::Known);
    model.subnet_ids = strings(domain.subnet_ids.iter().map(ToString::to_string));
    model.execution_role_arn = domain.execution_role_arn.as_ref().map(ToString::to_string).into();
    model.arn = Some(domain.arn.clone()).filter(|arn| !arn.is_empty()).into();
    model.url = domain.url.clone().into();
    model.fqdn = plan::fqdn(domain).into();
    let hosts = Host::ALL.iter().filter_map(|host| plan::zone_name(recorded, *host));
    model.host_names = Value::Known(hosts.collect());
    model.home_efs_file_system_id = domain.file_system_id.as_ref().map(ToString::to_string).into();
    let efs = model.home_efs.known();
    let on_destroy = domain.on_destroy.clone().unwrap_or_else(|| "retain".to_owned()).into();
    let enabled = match efs.map(|efs| efs.enabled) {
        // A domain that is still being made has its file system some time later.
        Some(wanted) if !domain.ready => wanted,
        Some(_) | None => Value::Known(domain.file_system_id.is_some()),
    };
    model.home_efs = Value::Known(HomeEfs { enabled, on_destroy });
    model.user_profiles = profiles(&model.user_profiles, recorded, domain);
    (model.tags, model.tags_all) = shown_tags(&model.tags, &domain.tags, default_tags);
}

fn profiles(
    written: &Value<BTreeMap<String, UserProfile>>,
    recorded: &Recorded,
    domain: &Domain,
) -> Value<BTreeMap<String, UserProfile>> {
    if recorded.profiles.is_empty() && written.is_null() {
        return Value::Null;
    }
    let project = |(name, profile): (&String, &Profile)| {
        let written = written.known().and_then(|written| written.get(name));
        let role = profile.execution_role_arn.as_ref();
        // A profile whose own role was taken back has the domain's.
        let inherits = written.is_none_or(|written| written.execution_role_arn.is_null())
            && role == domain.execution_role_arn.as_ref();
        let own: Tags =
            profile.tags.iter().filter(|(key, value)| domain.tags.get(*key) != Some(value)).map(owned).collect();
        let same_tags = written.is_some_and(|written| {
            let written = known_tags(&written.tags).into_known().unwrap_or_default();
            merge(&domain.tags, &written) == profile.tags
        });
        let tags = match written {
            Some(written) if same_tags => written.tags.clone(),
            _ if own.is_empty() => Value::Null,
            _ => string_map(own),
        };
        let execution_role_arn = role.filter(|_| !inherits).map(ToString::to_string).into();
        (name.clone(), UserProfile { execution_role_arn, tags })
    };
    Value::Known(recorded.profiles.iter().map(project).collect())
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

fn project_endpoints(model: &mut Model, recorded: &Recorded) {
    let endpoints = &recorded.endpoints;
    let ids = endpoints.iter().map(|(service, endpoint)| (service.clone(), endpoint.id.to_string()));
    model.endpoint_ids = Value::Known(ids.collect());
    let access = plan::ACCESS.iter().filter_map(|service| endpoints.get(*service));
    model.access_endpoint_ids = Value::Known(access.map(|endpoint| endpoint.id.to_string()).collect());
    let ips = endpoints.iter().map(|(service, endpoint)| (service.clone(), endpoint.addresses.clone()));
    model.endpoint_ips = Value::Known(ips.collect());
    let dns = endpoints.iter().filter_map(|(service, endpoint)| {
        let (dns_name, zone) = endpoint.dns.clone()?;
        Some((service.clone(), EndpointDns { dns_name, hosted_zone_id: Some(zone.to_string()) }))
    });
    model.endpoint_dns = Value::Known(dns.collect());

    let private_dns: BTreeSet<bool> = endpoints.values().map(|endpoint| endpoint.private_dns_enabled).collect();
    let agreed = (private_dns.len() == 1).then(|| private_dns.contains(&true));
    let services = strings(endpoints.keys().cloned());
    model.endpoints = Value::Known(match model.endpoints.known() {
        Some(written) => Endpoints {
            services,
            private_dns_enabled: agreed.map_or(written.private_dns_enabled, Value::Known),
            ..written.clone()
        },
        None => Endpoints {
            services,
            subnet_ids: imported_subnets(recorded),
            security_group_ids: match recorded.endpoint_group {
                Some(_) => Value::Null,
                None => strings(
                    endpoints
                        .values()
                        .flat_map(|endpoint| &endpoint.security_group_ids)
                        .map(ToString::to_string)
                        .collect::<BTreeSet<_>>(),
                ),
            },
            private_dns_enabled: agreed.map_or(Value::Known(true), Value::Known),
            existing: Value::Null,
            policies: Value::Null,
            s3_gateway_route_table_ids: Value::Null,
        },
    });
}

/// The endpoints' subnets after an import: not written where they are among the domain's.
fn imported_subnets(recorded: &Recorded) -> Strings {
    let subnets: BTreeSet<_> = recorded.endpoints.values().flat_map(|endpoint| endpoint.subnet_ids.clone()).collect();
    match &recorded.domain {
        Some(domain) if subnets.is_subset(&domain.subnet_ids) => Value::Null,
        _ => strings(subnets.iter().map(ToString::to_string)),
    }
}

fn project_zones(model: &mut Model, recorded: &Recorded) {
    let ids = recorded.zones.values().map(|zone| (zone.name.clone(), zone.id.to_string()));
    model.hosted_zone_ids = Value::Known(ids.collect());
    if model.hosted_zone.is_null() {
        let mode = if recorded.zones.is_empty() { "none" } else { "domain" };
        model.hosted_zone = Value::Known(HostedZone {
            mode: mode.into(),
            existing_zone_ids: Value::Null,
            vpc_associations: Value::Null,
            record_type: "alias".into(),
        });
    }
}

/// What differs from what was applied and no attribute shows.
pub fn drift(steps: &[Step<Key, Action>], desired: &Desired, recorded: &Recorded) -> Vec<String> {
    steps.iter().map(|step| describe(&step.key, step.action, desired, recorded)).collect()
}

fn describe(key: &Key, action: Action, desired: &Desired, recorded: &Recorded) -> String {
    let name = key.name();
    match action {
        Action::Create => format!("The {name} is missing."),
        Action::Delete => format!("The {name} exists and is not wanted."),
        Action::Update => {
            let details = match key {
                Key::DomainGroup => {
                    recorded.domain_group.as_ref().map(|group| rules(&plan::domain_group_rules(&group.id), group))
                }
                Key::EndpointGroup => recorded
                    .endpoint_group
                    .as_ref()
                    .and_then(|group| Some(rules(&plan::endpoint_group_rules(desired, recorded)?, group))),
                Key::Zone(host) => recorded.zones.get(host).and_then(|zone| {
                    let wanted = plan::alias_records(recorded, &zone.name)?;
                    Some(lists(
                        "records",
                        wanted.difference(&zone.records).map(|record| record.name.clone()).collect(),
                        zone.records.difference(&wanted).map(|record| record.name.clone()).collect(),
                    ))
                }),
                Key::Endpoint(service) => {
                    recorded.endpoints.get(service).filter(|endpoint| !endpoint.ready).map(|_| NOT_READY.to_owned())
                }
                Key::Domain => recorded.domain.as_ref().filter(|domain| !domain.ready).map(|_| NOT_READY.to_owned()),
                Key::Profile(name) => {
                    recorded.profiles.get(name).filter(|profile| !profile.ready).map(|_| NOT_READY.to_owned())
                }
            };
            match details.filter(|details| !details.is_empty()) {
                Some(details) => format!("The {name} {details}."),
                None => format!("The {name} has settings or tags other than those applied."),
            }
        }
    }
}

const NOT_READY: &str = "is not ready";

fn rules(wanted: &BTreeSet<Rule>, group: &Group) -> String {
    lists(
        "rules",
        plan::missing(wanted, &group.rules).into_iter().map(ToString::to_string).collect(),
        plan::missing(&group.rules, wanted).into_iter().map(ToString::to_string).collect(),
    )
}

fn lists(of: &str, lacks: Vec<String>, extra: Vec<String>) -> String {
    let part =
        |verb: &str, items: Vec<String>| (!items.is_empty()).then(|| format!("{verb} the {of} {}", items.join(", ")));
    let parts: Vec<_> = [part("lacks", lacks), part("has beside its own", extra)].into_iter().flatten().collect();
    parts.join(", and ")
}
