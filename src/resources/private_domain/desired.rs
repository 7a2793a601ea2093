//! What is wanted of a private domain, as far as it is known.
//!
//! **Invariant:** pure; made from the model and from facts that were looked up before.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::key::{Key, STUDIO};
use super::model::{HostedZone, Model, UserProfile, VpcAssociation};
use super::recorded::{Association, Domain, Place, Recorded};
use super::zones;
use crate::aws::ec2::endpoint_service::EndpointService;
use crate::aws::ec2::subnet::Subnet;
use crate::aws::ec2::vpc_endpoint::AddressType;
use crate::aws::route53::hosted_zone::ZoneVpc;
use crate::aws::sagemaker::Toggle;
use crate::aws::sagemaker::domain_types::{AuthMode, IdleTimeout};
use crate::aws::{
    DomainId, HostedZoneId, Region, RoleArn, RouteTableId, SecurityGroupId, SubnetId, Tags, VpcEndpointId, VpcId,
};
use crate::framework::Value;
use crate::resources::values::{StringMap, Strings, known_set, known_tags};

/// What was looked up for the endpoints.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The services that exist, by service key.
    pub services: BTreeMap<String, EndpointService>,
    /// The subnets that endpoints may be in, in the order of their ids.
    pub subnets: Vec<Subnet>,
    /// The domain to adopt.
    pub domain: Option<Domain>,
}

/// What is wanted. Unknown parts are those whose configuration is not known yet.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The domain's name.
    pub name: Value<String>,
    /// The domain to adopt; null where one is made.
    pub existing_domain: Value<DomainId>,
    /// The VPC, with the Region.
    pub vpc: Value<ZoneVpc>,
    /// The domain's subnets.
    pub subnet_ids: Value<BTreeSet<SubnetId>>,
    /// How people sign in.
    pub auth_mode: Value<AuthMode>,
    /// The role that profiles run as.
    pub execution_role_arn: Value<RoleArn>,
    /// The key of the domain's storage.
    pub kms_key_id: Value<String>,
    /// Whether domain and endpoints have IPv6 addresses beside IPv4.
    pub dual_stack: Value<bool>,
    /// Whether there is a file system.
    pub home_efs_enabled: Value<bool>,
    /// What is to become of it with the domain.
    pub on_destroy: Value<String>,
    /// The settings of users that are written.
    pub settings: Settings,
    /// The ranges that may reach the endpoints.
    pub client_cidr_blocks: Value<BTreeSet<IpNet>>,
    /// The endpoints' groups, where the user hands some in.
    pub own_groups: Value<BTreeSet<SecurityGroupId>>,
    /// Whether private DNS is on.
    pub private_dns_enabled: Value<bool>,
    /// The adopted endpoints, by service.
    pub existing_endpoints: Value<BTreeMap<String, Value<VpcEndpointId>>>,
    /// The route tables that are to lead to S3; null for no gateway.
    pub route_tables: Value<BTreeSet<RouteTableId>>,
    /// What is wanted of the hosted zones.
    pub zones: Zones,
    /// The parents of Studio's names, as the studio endpoint serves them.
    pub parents: Value<Vec<String>>,
    /// All tags.
    pub tags: Value<Tags>,
    policies: Value<BTreeMap<String, Value<String>>>,
    profiles: Value<BTreeMap<String, Profile>>,
    services: Value<BTreeSet<String>>,
    facts: Option<Facts>,
    has_same_place: bool,
    recorded: Keys,
}

/// The settings of users that are written. Null is not written; an unknown one may turn out either way.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether users get the web portal.
    pub studio_web_portal: Value<Toggle>,
    /// Where users land.
    pub default_landing_uri: Value<String>,
    /// Groups beside the domain's own.
    pub security_group_ids: Value<BTreeSet<SecurityGroupId>>,
    /// When idle apps are shut down.
    pub idle_timeout: Value<IdleTimeout>,
    /// Whether apps may run Docker.
    pub docker_access: Value<Toggle>,
}

/// What is wanted of the hosted zones.
#[derive(Clone, Debug)]
pub struct Zones {
    /// Which zones.
    pub mode: Value<Mode>,
    /// The zones to adopt, by name.
    pub existing: Value<BTreeMap<String, Value<HostedZoneId>>>,
    /// The further VPCs.
    pub associations: Value<BTreeSet<Association>>,
    /// Whether records hold addresses instead of the endpoint's name.
    pub by_address: Value<bool>,
}

/// Which hosted zones there are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// None.
    None,
    /// One for each of the domain's names.
    Domain,
    /// One for each parent of Studio's names.
    Parent,
}

/// What is wanted of a user profile.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its own role.
    pub execution_role_arn: Value<RoleArn>,
    /// Its own tags.
    pub tags: Value<Tags>,
}

/// What exists: where the configuration is not known, that is what stays.
#[derive(Clone, Debug)]
struct Keys {
    endpoints: BTreeSet<String>,
    adopted: BTreeSet<String>,
    profiles: BTreeSet<String>,
}

impl Desired {
    /// What a planned model wants.
    ///
    /// Without facts, an endpoint's place is not known, unless `before` shows that what it was chosen from is the same
    /// as before.
    pub fn new(model: &Model, before: Option<&Model>, recorded: &Recorded, facts: Option<Facts>) -> Self {
        let endpoints = model.endpoints.known();
        let part = |part: fn(&super::model::Endpoints) -> &Strings| endpoints.map_or(&Value::Unknown, part);
        let map = |part: fn(&super::model::Endpoints) -> &StringMap| endpoints.map_or(&Value::Unknown, part);
        Desired {
            name: model.name.clone(),
            existing_domain: model.existing_domain_id.clone().map(DomainId::from),
            vpc: zone_vpc(&model.vpc_id, &model.region),
            subnet_ids: set_of(&model.subnet_ids),
            auth_mode: parsed(&model.auth_mode, AuthMode::parse),
            execution_role_arn: model.execution_role_arn.clone().map(RoleArn::from),
            kms_key_id: model.kms_key_id.clone(),
            dual_stack: model.ip_address_type.as_ref().map(|kind| kind == "dualstack"),
            home_efs_enabled: model.home_efs.known().map_or(Value::Unknown, |efs| efs.enabled),
            on_destroy: model.home_efs.known().map_or(Value::Unknown, |efs| efs.on_destroy.clone()),
            settings: Settings::new(model),
            client_cidr_blocks: client_blocks(&model.client_cidr_blocks),
            own_groups: set_of(part(|endpoints| &endpoints.security_group_ids)),
            private_dns_enabled: endpoints.map_or(Value::Unknown, |endpoints| endpoints.private_dns_enabled),
            existing_endpoints: ids(map(|endpoints| &endpoints.existing)),
            route_tables: set_of(part(|endpoints| &endpoints.s3_gateway_route_table_ids)),
            zones: Zones::new(&model.hosted_zone, &model.region),
            parents: model.forward_zones.clone(),
            tags: known_tags(&model.tags_all),
            policies: ids(map(|endpoints| &endpoints.policies)),
            profiles: profiles(&model.user_profiles),
            services: set_of(part(|endpoints| &endpoints.services)),
            facts,
            has_same_place: before.is_some_and(|before| place_inputs(before) == place_inputs(model)),
            recorded: Keys {
                endpoints: recorded.endpoints.keys().cloned().collect(),
                adopted: recorded.adopted.keys().cloned().collect(),
                profiles: recorded.profiles.keys().cloned().collect(),
            },
        }
    }

    /// Whether a part is wanted. What is not known yet counts as wanted where it exists: nothing is deleted on a guess.
    pub fn wants(&self, key: &Key, recorded: &Recorded) -> bool {
        match key {
            Key::Domain => true,
            Key::DomainGroup => !self.adopts_domain(),
            Key::EndpointGroup => self.makes_endpoint_group() || self.own_groups.is_unknown(),
            Key::Endpoint(service) => self.services().contains(service),
            Key::Adopted(service) => self.adopted().contains(service),
            Key::Gateway => !self.route_tables.is_null(),
            Key::Profile(name) => self.profiles().contains_key(name),
            Key::Contents | Key::NfsGroups => false,
            Key::Zone(slot) => zones::wanted(self, recorded).contains_key(slot),
        }
    }

    /// Whether the domain is one that is there.
    pub fn adopts_domain(&self) -> bool {
        !self.existing_domain.is_null()
    }

    /// Whether the endpoints get a group of their own.
    pub fn makes_endpoint_group(&self) -> bool {
        self.own_groups.is_null() && !self.services().is_empty()
    }

    /// The services that an endpoint is made for.
    pub fn services(&self) -> BTreeSet<String> {
        let adopted = self.adopted();
        let services = self.services.known().unwrap_or(&self.recorded.endpoints);
        services.iter().filter(|service| !adopted.contains(*service)).cloned().collect()
    }

    /// The services that an endpoint is adopted for.
    pub fn adopted(&self) -> BTreeSet<String> {
        match &self.existing_endpoints {
            Value::Known(existing) => existing.keys().cloned().collect(),
            Value::Null => BTreeSet::new(),
            Value::Unknown => self.recorded.adopted.clone(),
        }
    }

    /// The endpoint to adopt for a service.
    pub fn existing_endpoint(&self, service: &str) -> Value<VpcEndpointId> {
        match &self.existing_endpoints {
            Value::Known(existing) => existing.get(service).cloned().unwrap_or(Value::Null),
            Value::Null => Value::Null,
            Value::Unknown => Value::Unknown,
        }
    }

    /// The policy of an endpoint; null where none is written.
    pub fn policy(&self, service: &str) -> Value<String> {
        match &self.policies {
            Value::Known(policies) => policies.get(service).cloned().unwrap_or(Value::Null),
            Value::Null => Value::Null,
            Value::Unknown => Value::Unknown,
        }
    }

    /// The profiles, by name.
    pub fn profiles(&self) -> BTreeMap<String, Profile> {
        let unknown = || Profile { execution_role_arn: Value::Unknown, tags: Value::Unknown };
        match &self.profiles {
            Value::Known(profiles) => profiles.clone(),
            Value::Null => BTreeMap::new(),
            Value::Unknown => self.recorded.profiles.iter().map(|name| (name.clone(), unknown())).collect(),
        }
    }

    /// Whether something already has all tags, and no others.
    pub fn has_tags(&self, tags: &Tags) -> bool {
        self.tags.known() == Some(tags)
    }

    /// Where a service's endpoint is to be: in one subnet for each zone that the service supports, and with IPv6 if the
    /// service speaks it. Null means that what this was chosen from has not changed.
    pub fn place(&self, service: &str) -> Value<Place> {
        let Some(facts) = &self.facts else {
            return if self.has_same_place { Value::Null } else { Value::Unknown };
        };
        match (facts.services.get(service), &self.dual_stack) {
            (Some(service), Value::Known(dual_stack)) => Value::Known(Place {
                subnet_ids: one_per_zone(&facts.subnets, service).into_iter().map(|subnet| subnet.id.clone()).collect(),
                dual_stack: *dual_stack && speaks_ipv6(service),
            }),
            _ => Value::Unknown,
        }
    }

    /// The domain: as it is recorded or, before that, as it was found to be adopted.
    pub fn domain<'a>(&'a self, recorded: &'a Recorded) -> Option<&'a Domain> {
        recorded.domain.as_ref().or_else(|| self.facts.as_ref()?.domain.as_ref())
    }

    /// The service as EC2 describes it.
    pub fn service(&self, service: &str) -> Option<&EndpointService> {
        self.facts.as_ref()?.services.get(service)
    }

    /// Whether AWS serves Studio's parents in the VPC, with the studio endpoint's private DNS.
    pub fn has_private_parents(&self, recorded: &Recorded) -> Value<bool> {
        if self.adopted().contains(STUDIO) {
            let adopted = recorded.adopted.get(STUDIO);
            return adopted.map_or(Value::Unknown, |endpoint| Value::Known(endpoint.private_dns_enabled));
        }
        self.private_dns_enabled
    }
}

impl Settings {
    fn new(model: &Model) -> Self {
        let Value::Known(settings) = &model.default_user_settings else {
            let all = |unknown: bool| Settings {
                studio_web_portal: if unknown { Value::Unknown } else { Value::Null },
                default_landing_uri: if unknown { Value::Unknown } else { Value::Null },
                security_group_ids: if unknown { Value::Unknown } else { Value::Null },
                idle_timeout: if unknown { Value::Unknown } else { Value::Null },
                docker_access: if unknown { Value::Unknown } else { Value::Null },
            };
            return all(model.default_user_settings.is_unknown());
        };
        Settings {
            studio_web_portal: parsed(&settings.studio_web_portal, Toggle::parse),
            default_landing_uri: settings.default_landing_uri.clone(),
            security_group_ids: set_of(&settings.security_group_ids),
            idle_timeout: settings.idle_timeout_minutes.map(IdleTimeout::Minutes),
            docker_access: parsed(&settings.docker_access, Toggle::parse),
        }
    }

    /// Which of them are written, in one word each. `None` while that is not known.
    pub fn written(&self) -> Option<String> {
        let Settings { studio_web_portal, default_landing_uri, security_group_ids, idle_timeout, docker_access } = self;
        let written = [
            ("portal", studio_web_portal.is_unknown(), studio_web_portal.is_known()),
            ("landing", default_landing_uri.is_unknown(), default_landing_uri.is_known()),
            ("groups", security_group_ids.is_unknown(), security_group_ids.is_known()),
            ("idle", idle_timeout.is_unknown(), idle_timeout.is_known()),
            ("docker", docker_access.is_unknown(), docker_access.is_known()),
        ];
        if written.iter().any(|(_, unknown, _)| *unknown) {
            return None;
        }
        let words: Vec<_> = written.iter().filter(|(_, _, known)| *known).map(|(word, _, _)| *word).collect();
        Some(words.join(" "))
    }
}

impl Zones {
    fn new(zone: &Value<HostedZone>, region: &Value<String>) -> Self {
        let Value::Known(zone) = zone else {
            return Zones {
                mode: Value::Unknown,
                existing: Value::Unknown,
                associations: Value::Unknown,
                by_address: Value::Unknown,
            };
        };
        let mode = |mode: &str| match mode {
            "none" => Some(Mode::None),
            "domain" => Some(Mode::Domain),
            "parent" => Some(Mode::Parent),
            _ => None,
        };
        Zones {
            mode: parsed(&zone.mode, mode),
            existing: ids(&zone.existing_zone_ids),
            associations: associations(&zone.vpc_associations, region),
            by_address: zone.record_type.as_ref().map(|kind| kind == "ip"),
        }
    }
}

/// The subnets that an endpoint for a service can be in, one for each zone, the first of each zone by id.
///
/// EC2 takes one subnet for each zone, and only in zones that the service supports ("Access an AWS service using an
/// interface VPC endpoint", AWS PrivateLink guide).
pub fn one_per_zone<'a>(subnets: &'a [Subnet], service: &EndpointService) -> Vec<&'a Subnet> {
    let mut zones = BTreeSet::new();
    subnets
        .iter()
        .filter(|subnet| service.serves_zone(&subnet.zone, &subnet.zone_id))
        .filter(|subnet| zones.insert(subnet.zone_id.clone()))
        .collect()
}

/// Whether a service's endpoints can have IPv6 addresses beside IPv4.
pub fn speaks_ipv6(service: &EndpointService) -> bool {
    service.address_types.contains(&AddressType::Dualstack)
}

/// The subnets that the endpoints' are chosen from.
pub fn endpoint_subnet_inputs(model: &Model) -> &Strings {
    match model.endpoints.known().map(|endpoints| &endpoints.subnet_ids) {
        Some(Value::Null) => &model.subnet_ids,
        Some(subnets) => subnets,
        None => &Value::Unknown,
    }
}

/// The VPC associations, if all of them are known.
pub fn associations(written: &Value<Vec<VpcAssociation>>, region: &Value<String>) -> Value<BTreeSet<Association>> {
    let one = |written: &VpcAssociation| {
        let region = if written.region.is_null() { region } else { &written.region };
        let role_arn = match &written.role_arn {
            Value::Known(role) => Some(RoleArn::from(role.as_str())),
            Value::Null => None,
            Value::Unknown => return None,
        };
        Some(Association { vpc: zone_vpc(&written.vpc_id, region).into_known()?, role_arn })
    };
    match written {
        Value::Known(written) => written.iter().map(one).collect::<Option<_>>().map_or(Value::Unknown, Value::Known),
        Value::Null => Value::Known(BTreeSet::new()),
        Value::Unknown => Value::Unknown,
    }
}

fn zone_vpc(vpc_id: &Value<String>, region: &Value<String>) -> Value<ZoneVpc> {
    match (vpc_id.text(), region.text()) {
        (Some(vpc_id), Some(region)) => {
            Value::Known(ZoneVpc { vpc_id: VpcId::from(vpc_id), region: Region::from(region) })
        }
        _ => Value::Unknown,
    }
}

fn parsed<T>(text: &Value<String>, parse: impl Fn(&str) -> Option<T>) -> Value<T> {
    match text {
        Value::Known(text) => parse(text).map_or(Value::Unknown, Value::Known),
        Value::Null => Value::Null,
        Value::Unknown => Value::Unknown,
    }
}

/// Ranges as EC2 has them, whatever way they are written.
fn client_blocks(blocks: &Strings) -> Value<BTreeSet<IpNet>> {
    match blocks {
        Value::Null => Value::Known(BTreeSet::new()),
        Value::Unknown => Value::Unknown,
        Value::Known(_) => {
            let known = known_set(blocks).and_then(|texts| texts.iter().map(|text| text.parse().ok()).collect());
            known.map_or(Value::Unknown, Value::Known)
        }
    }
}

/// Everything that the choice of the endpoints' places depends on.
fn place_inputs(model: &Model) -> Option<(BTreeSet<String>, BTreeSet<String>, String)> {
    let services = known_set(&model.endpoints.known()?.services)?;
    Some((known_set(endpoint_subnet_inputs(model))?, services, model.ip_address_type.text()?.to_owned()))
}

fn set_of<T: for<'a> From<&'a str> + Ord>(strings: &Strings) -> Value<BTreeSet<T>> {
    match strings {
        Value::Null => Value::Null,
        Value::Unknown => Value::Unknown,
        Value::Known(_) => match known_set(strings) {
            Some(known) => Value::Known(known.iter().map(|text| T::from(text.as_str())).collect()),
            None => Value::Unknown,
        },
    }
}

fn ids<T: From<String>>(map: &StringMap) -> Value<BTreeMap<String, Value<T>>> {
    map.as_ref().map(|map| map.iter().map(|(key, id)| (key.clone(), id.clone().map(T::from))).collect())
}

fn profiles(profiles: &Value<BTreeMap<String, UserProfile>>) -> Value<BTreeMap<String, Profile>> {
    profiles.as_ref().map(|profiles| {
        profiles
            .iter()
            .map(|(name, profile)| {
                let wanted = Profile {
                    execution_role_arn: profile.execution_role_arn.clone().map(RoleArn::from),
                    tags: known_tags(&profile.tags),
                };
                (name.clone(), wanted)
            })
            .collect()
    })
}
