//! What is wanted of a private domain, as far as it is known.
//!
//! **Invariant:** pure; made from the model and from facts that were looked up before.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::model::{Model, UserProfile};
use super::recorded::{Host, Recorded};
use crate::aws::ec2::endpoint_service::EndpointService;
use crate::aws::ec2::subnet::Subnet;
use crate::aws::sagemaker::domain_types::AuthMode;
use crate::aws::{RoleArn, SecurityGroupId, SubnetId, Tags};
use crate::framework::Value;
use crate::resources::values::{Strings, known_set, known_tags};

/// What was looked up for the endpoints.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The services that exist, by service key.
    pub services: BTreeMap<String, EndpointService>,
    /// The subnets that endpoints may be in, in the order of their ids.
    pub subnets: Vec<Subnet>,
}

/// What is wanted. Unknown parts are those whose configuration is not known yet.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The domain's name.
    pub name: Value<String>,
    /// The VPC.
    pub vpc_id: Value<String>,
    /// The domain's subnets.
    pub subnet_ids: Value<BTreeSet<SubnetId>>,
    /// How people sign in.
    pub auth_mode: Value<AuthMode>,
    /// The role that profiles run as.
    pub execution_role_arn: Value<RoleArn>,
    /// The key of the domain's storage.
    pub kms_key_id: Value<String>,
    /// Whether there is a file system.
    pub home_efs_enabled: Value<bool>,
    /// What is to become of it with the domain.
    pub on_destroy: Value<String>,
    /// The ranges that may reach the endpoints.
    pub client_cidr_blocks: Value<BTreeSet<IpNet>>,
    /// The endpoints' groups, where the user hands some in.
    pub own_groups: Value<BTreeSet<SecurityGroupId>>,
    /// Whether private DNS is on.
    pub private_dns_enabled: Value<bool>,
    /// All tags.
    pub tags: Value<Tags>,
    profiles: Value<BTreeMap<String, Profile>>,
    services: Value<BTreeSet<String>>,
    wants_zones: Value<bool>,
    facts: Option<Facts>,
    has_same_subnets: bool,
    recorded_services: BTreeSet<String>,
    recorded_profiles: BTreeSet<String>,
    recorded_hosts: BTreeSet<Host>,
}

/// What is wanted of a user profile.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its own role.
    pub execution_role_arn: Value<RoleArn>,
    /// Its own tags.
    pub tags: Value<Tags>,
}

impl Desired {
    /// What a planned model wants.
    ///
    /// Without facts, an endpoint's subnets are not known, unless `before` shows that what they were chosen from is the
    /// same as before.
    pub fn new(model: &Model, before: Option<&Model>, recorded: &Recorded, facts: Option<Facts>) -> Self {
        let endpoints = model.endpoints.known();
        let part = |part: fn(&super::model::Endpoints) -> &Strings| endpoints.map_or(&Value::Unknown, part);
        Desired {
            name: model.name.clone(),
            vpc_id: model.vpc_id.clone(),
            subnet_ids: set_of(&model.subnet_ids),
            auth_mode: match model.auth_mode.text().and_then(AuthMode::parse) {
                Some(mode) => Value::Known(mode),
                None => Value::Unknown,
            },
            execution_role_arn: model.execution_role_arn.clone().map(RoleArn::from),
            kms_key_id: model.kms_key_id.clone(),
            home_efs_enabled: model.home_efs.known().map_or(Value::Unknown, |efs| efs.enabled),
            on_destroy: model.home_efs.known().map_or(Value::Unknown, |efs| efs.on_destroy.clone()),
            client_cidr_blocks: client_blocks(&model.client_cidr_blocks),
            own_groups: set_of(part(|endpoints| &endpoints.security_group_ids)),
            private_dns_enabled: endpoints.map_or(Value::Unknown, |endpoints| endpoints.private_dns_enabled),
            tags: known_tags(&model.tags_all),
            profiles: profiles(&model.user_profiles),
            services: set_of(part(|endpoints| &endpoints.services)),
            wants_zones: match model.hosted_zone.known().map(|zone| zone.mode.text()) {
                Some(Some(mode)) => Value::Known(mode != "none"),
                _ => Value::Unknown,
            },
            facts,
            has_same_subnets: before.is_some_and(|before| subnet_inputs(before) == subnet_inputs(model)),
            recorded_services: recorded.endpoints.keys().cloned().collect(),
            recorded_profiles: recorded.profiles.keys().cloned().collect(),
            recorded_hosts: recorded.zones.keys().copied().collect(),
        }
    }

    /// Whether a part is wanted. What is not known yet counts as wanted where it exists: nothing is deleted on a guess.
    pub fn wants(&self, key: &super::plan::Key) -> bool {
        use super::plan::Key;
        match key {
            Key::DomainGroup | Key::Domain => true,
            Key::EndpointGroup => self.makes_endpoint_group() || self.own_groups.is_unknown(),
            Key::Endpoint(service) => self.services().contains(service),
            Key::Profile(name) => self.profiles().contains_key(name),
            Key::Zone(host) => self.hosts().contains(host),
        }
    }

    /// Whether the endpoints get a group of their own.
    pub fn makes_endpoint_group(&self) -> bool {
        self.own_groups.is_null()
    }

    /// The services that get an endpoint.
    pub fn services(&self) -> BTreeSet<String> {
        self.services.known().unwrap_or(&self.recorded_services).clone()
    }

    /// The profiles, by name.
    pub fn profiles(&self) -> BTreeMap<String, Profile> {
        let unknown = || Profile { execution_role_arn: Value::Unknown, tags: Value::Unknown };
        match &self.profiles {
            Value::Known(profiles) => profiles.clone(),
            Value::Null => BTreeMap::new(),
            Value::Unknown => self.recorded_profiles.iter().map(|name| (name.clone(), unknown())).collect(),
        }
    }

    /// The host names that get a zone.
    pub fn hosts(&self) -> BTreeSet<Host> {
        match self.wants_zones {
            Value::Known(true) => Host::ALL.into(),
            Value::Known(false) | Value::Null => BTreeSet::new(),
            Value::Unknown => self.recorded_hosts.clone(),
        }
    }

    /// Whether something already has all tags, and no others.
    pub fn has_tags(&self, tags: &Tags) -> bool {
        self.tags.known() == Some(tags)
    }

    /// The subnets of a service's endpoint: one for each zone that the service supports.
    /// Null means that what they were chosen from has not changed.
    pub fn endpoint_subnets(&self, service: &str) -> Value<BTreeSet<SubnetId>> {
        match &self.facts {
            None if self.has_same_subnets => Value::Null,
            None => Value::Unknown,
            Some(facts) => facts.services.get(service).map_or(Value::Unknown, |service| {
                Value::Known(
                    one_per_zone(&facts.subnets, service).into_iter().map(|subnet| subnet.id.clone()).collect(),
                )
            }),
        }
    }

    /// The whole name of a service.
    pub fn service_name(&self, service: &str) -> Option<&str> {
        Some(self.facts.as_ref()?.services.get(service)?.name.as_str())
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

/// The subnets that the endpoints' are chosen from.
pub fn endpoint_subnet_inputs(model: &Model) -> &Strings {
    match model.endpoints.known().map(|endpoints| &endpoints.subnet_ids) {
        Some(Value::Null) => &model.subnet_ids,
        Some(subnets) => subnets,
        None => &Value::Unknown,
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

/// Everything that the choice of endpoint subnets depends on.
fn subnet_inputs(model: &Model) -> Option<(BTreeSet<String>, BTreeSet<String>)> {
    let services = known_set(&model.endpoints.known()?.services)?;
    Some((known_set(endpoint_subnet_inputs(model))?, services))
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
