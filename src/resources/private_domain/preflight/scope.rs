//! What a plan is going to make or to turn on: what there is to check, and what a check goes by.
//!
//! **Invariant:** pure. What is not known yet is left out; what needs it is checked by the plan that Terraform makes
//! again during apply, when it is known.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::Subject;
use crate::aws::ec2::endpoint_service::EndpointService;
use crate::aws::ec2::vpc_endpoint::VpcEndpoint;
use crate::aws::route53::hosted_zone::ZoneVpc;
use crate::aws::tags::owner_and_part;
use crate::aws::{HostedZoneId, Region, RoleArn, SubnetId, Tags, VpcId};
use crate::framework::{Path, Value};
use crate::resources::private_domain::desired::{endpoint_subnet_inputs, one_per_zone};
use crate::resources::private_domain::model::{HostedZone, Model, VpcAssociation};
use crate::resources::private_domain::plan::{STUDIO, zone_name};
use crate::resources::private_domain::recorded::{Host, Recorded};
use crate::resources::values::{Strings, known_set};

/// A client range as it is written, and as it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRange {
    /// As it is written.
    pub text: String,
    /// As it is meant.
    pub range: IpNet,
}

/// A role that SageMaker is to assume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleUse {
    /// The role.
    pub arn: RoleArn,
    /// The first attribute that names it.
    pub path: Path,
}

/// Names that zones are to serve in a VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The VPC.
    pub vpc: ZoneVpc,
    /// The names of the zones.
    pub names: BTreeSet<String>,
    /// The attribute that puts them there.
    pub path: Path,
}

/// A subnet that something is going to be made in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetUse {
    /// The subnet.
    pub id: SubnetId,
    /// The attribute that names it.
    pub path: Path,
    /// How many endpoints are going to be made in it.
    pub endpoints: usize,
}

/// Whether the private DNS of an endpoint is going to be turned on. Its service's names have to be looked up then.
pub fn turns_on_private_dns(model: &Model, recorded: &Recorded) -> bool {
    !services_turned_on(model, recorded).is_empty()
}

/// The services that an endpoint is made for. `None` while that is not known.
fn made_services(model: &Model) -> Option<BTreeSet<String>> {
    let endpoints = model.endpoints.known()?;
    let adopted: BTreeSet<String> = match &endpoints.existing {
        Value::Known(existing) => existing.keys().cloned().collect(),
        Value::Null => BTreeSet::new(),
        Value::Unknown => return None,
    };
    Some(known_set(&endpoints.services)?.difference(&adopted).cloned().collect())
}

fn services_turned_on(model: &Model, recorded: &Recorded) -> BTreeSet<String> {
    let on = model.endpoints.known().is_some_and(|endpoints| endpoints.private_dns_enabled == Value::Known(true));
    let mut services = made_services(model).filter(|_| on).unwrap_or_default();
    services.retain(|service| recorded.endpoints.get(service).is_none_or(|endpoint| !endpoint.private_dns_enabled));
    services
}

impl Subject<'_> {
    /// The VPC.
    pub fn vpc_id(&self) -> Option<VpcId> {
        self.model.vpc_id.text().map(VpcId::from)
    }

    /// Whether a domain is going to be made.
    pub fn makes_domain(&self) -> bool {
        self.recorded.domain.is_none() && self.model.existing_domain_id.is_null()
    }

    /// The services that get an endpoint that they do not have.
    pub fn new_services(&self) -> BTreeSet<String> {
        let mut services = made_services(self.model).unwrap_or_default();
        services.retain(|service| !self.recorded.endpoints.contains_key(service));
        services
    }

    /// The services whose private DNS is going to be turned on, as far as they were looked up.
    pub fn turned_on(&self) -> BTreeMap<String, &EndpointService> {
        let services = services_turned_on(self.model, self.recorded);
        let facts = |service: String| Some((service.clone(), self.facts?.services.get(&service)?));
        services.into_iter().filter_map(facts).collect()
    }

    /// The subnets that the endpoints are going to be in.
    pub fn endpoint_subnets(&self) -> BTreeSet<SubnetId> {
        let services = made_services(self.model).unwrap_or_default();
        services.iter().flat_map(|service| self.subnets_of(service)).collect()
    }

    fn subnets_of(&self, service: &str) -> BTreeSet<SubnetId> {
        let looked_up = self.facts.and_then(|facts| {
            let subnets = one_per_zone(&facts.subnets, facts.services.get(service)?);
            Some(subnets.into_iter().map(|subnet| subnet.id.clone()).collect())
        });
        let recorded = || Some(self.recorded.endpoints.get(service)?.subnet_ids.clone());
        looked_up.or_else(recorded).unwrap_or_default()
    }

    /// The subnets that something is going to be made in, or that get IPv6.
    pub fn new_subnets(&self) -> Vec<SubnetUse> {
        let domain_path = Path::root("subnet_ids");
        let endpoint_path = match self.model.endpoints.known().map(|endpoints| &endpoints.subnet_ids) {
            Some(Value::Known(_)) => Path::root("endpoints").attribute("subnet_ids"),
            Some(Value::Null | Value::Unknown) | None => domain_path.clone(),
        };
        let mut endpoints: BTreeMap<SubnetId, usize> = BTreeMap::new();
        for service in self.new_services() {
            self.subnets_of(&service).into_iter().for_each(|subnet| *endpoints.entry(subnet).or_default() += 1);
        }
        let is_all_new = self.makes_domain() || self.gets_ipv6();
        let added = |ids: &dyn Fn(&Model) -> Option<BTreeSet<String>>| -> BTreeSet<SubnetId> {
            let before = self.prior.filter(|_| !is_all_new).and_then(ids).unwrap_or_default();
            let now = ids(self.model).unwrap_or_default();
            now.difference(&before).map(|id| SubnetId::from(id.as_str())).collect()
        };
        let of_domain = added(&|model| known_set(&model.subnet_ids));
        let mut of_endpoints = added(&|model| known_set(endpoint_subnet_inputs(model)));
        of_endpoints.extend(endpoints.keys().cloned());
        let places = of_endpoints.iter().map(|id| (id, &endpoint_path));
        let places = places.chain(of_domain.difference(&of_endpoints).map(|id| (id, &domain_path)));
        places
            .map(|(id, path)| SubnetUse {
                id: id.clone(),
                path: path.element(id.as_str()),
                endpoints: endpoints.get(id).copied().unwrap_or(0),
            })
            .collect()
    }

    /// Whether IPv6 is wanted.
    pub fn is_dual_stack(&self) -> bool {
        self.model.ip_address_type.text() == Some("dualstack")
    }

    fn gets_ipv6(&self) -> bool {
        self.is_dual_stack() && self.prior.is_none_or(|prior| prior.ip_address_type != self.model.ip_address_type)
    }

    /// The client ranges that were not opened before, or that reach endpoints in other places than before.
    pub fn client_ranges(&self) -> Vec<ClientRange> {
        let moves =
            |prior: &Model| known_set(endpoint_subnet_inputs(prior)) != known_set(endpoint_subnet_inputs(self.model));
        let before = match self.prior {
            Some(prior) if self.new_services().is_empty() && !moves(prior) && !self.gets_ipv6() => {
                ranges(&prior.client_cidr_blocks)
            }
            Some(_) | None => Vec::new(),
        };
        let mut now = ranges(&self.model.client_cidr_blocks);
        now.retain(|range| !before.iter().any(|other| other.range == range.range));
        now
    }

    /// The roles that SageMaker is newly to assume, each once.
    pub fn new_roles(&self) -> Vec<RoleUse> {
        let mut roles: Vec<RoleUse> = Vec::new();
        let mut add = |arn: &Value<String>, path: Path| {
            let arn = arn.text().map(RoleArn::from);
            if let Some(arn) = arn.filter(|arn| !roles.iter().any(|role| role.arn == *arn)) {
                roles.push(RoleUse { arn, path });
            }
        };
        let before = self.prior.filter(|_| !self.makes_domain());
        if before.is_none_or(|prior| prior.execution_role_arn != self.model.execution_role_arn) {
            add(&self.model.execution_role_arn, Path::root("execution_role_arn"));
        }
        for (name, profile) in self.model.user_profiles.known().into_iter().flatten() {
            let before = self.prior.and_then(|prior| prior.user_profiles.known()).and_then(|before| before.get(name));
            let is_there = self.recorded.profiles.contains_key(name);
            if !is_there || before.is_none_or(|before| before.execution_role_arn != profile.execution_role_arn) {
                let path = Path::root("user_profiles").key(name).attribute("execution_role_arn");
                add(&profile.execution_role_arn, path);
            }
        }
        roles
    }

    /// How many hosted zones are going to be made.
    pub fn zones_to_make(&self) -> usize {
        let Some(zone) = self.model.hosted_zone.known() else {
            return 0;
        };
        let is_covered = || self.parents().unwrap_or_default().iter().any(|parent| is_covered(zone, parent));
        match (self.zone_names(zone), zone.mode.text()) {
            (Some(names), _) => self.made_names(zone, &names).len(),
            // The names begin with the domain's id, which is not known before the domain is there.
            (None, Some("domain")) if !is_covered() => Host::ALL.len().saturating_sub(self.recorded.zones.len()),
            (None, _) => 0,
        }
    }

    /// Where zones are going to answer under names that are known.
    pub fn places(&self, region: &Region) -> Vec<Place> {
        let Some(zone) = self.model.hosted_zone.known() else {
            return Vec::new();
        };
        let names = self.zone_names(zone).unwrap_or_default();
        let made = self.made_names(zone, &names);
        let mut places = Vec::new();
        if let Some(vpc_id) = self.vpc_id().filter(|_| self.answers_in_own_vpc(zone)) {
            let vpc = ZoneVpc { vpc_id, region: region.clone() };
            places.push(Place { vpc, names: made.clone(), path: Path::root("hosted_zone") });
        }
        let adopted = zone.existing_zone_ids.known().into_iter().flat_map(|zones| zones.keys().cloned());
        let all: BTreeSet<String> = names.into_iter().chain(adopted).collect();
        for association in zone.vpc_associations.known().into_iter().flatten() {
            // What answers in another account's VPC is that account's to see.
            if let Some(vpc) = zone_vpc(association, region).filter(|_| association.role_arn.is_null()) {
                let names = if self.is_new(association) { all.clone() } else { made.clone() };
                places.push(Place { vpc, names, path: Path::root("hosted_zone").attribute("vpc_associations") });
            }
        }
        places.retain(|place| !place.names.is_empty());
        places
    }

    /// The zones that are this resource's: made, adopted, or about to go.
    pub fn own_zones(&self) -> BTreeSet<HostedZoneId> {
        let recorded = [Some(self.recorded), self.replaced].into_iter().flatten();
        let made = recorded.flat_map(|recorded| recorded.zones.values().map(|zone| zone.id.clone()));
        let zone = self.model.hosted_zone.known();
        let adopted = zone.and_then(|zone| zone.existing_zone_ids.known()).into_iter().flat_map(|zones| zones.values());
        made.chain(adopted.filter_map(|id| id.text().map(HostedZoneId::from))).collect()
    }

    /// Whether an endpoint is this resource's: recorded, about to go, or left by a run that was killed.
    pub fn is_own_endpoint(&self, endpoint: &VpcEndpoint, owner: &str) -> bool {
        let recorded = [Some(self.recorded), self.replaced].into_iter().flatten();
        recorded.flat_map(|recorded| recorded.endpoints.values()).any(|own| own.id == endpoint.id)
            || is_owned(&endpoint.tags, owner)
    }

    /// The names of all zones. `None` while they are not known.
    fn zone_names(&self, zone: &HostedZone) -> Option<BTreeSet<String>> {
        match zone.mode.text()? {
            "none" => Some(BTreeSet::new()),
            "parent" => self.parents(),
            _ => Host::ALL.iter().map(|host| zone_name(self.recorded, *host)).collect(),
        }
    }

    /// The parents of Studio's names. `None` while they are not known.
    fn parents(&self) -> Option<BTreeSet<String>> {
        Some(self.model.forward_zones.known()?.iter().cloned().collect())
    }

    fn made_names(&self, zone: &HostedZone, names: &BTreeSet<String>) -> BTreeSet<String> {
        let is_there = |name: &String| self.recorded.zones.values().any(|zone| zone.name == *name);
        names.iter().filter(|name| !is_there(name) && !is_covered(zone, name)).cloned().collect()
    }

    /// Zones of the parents answer in the VPC only where no endpoint serves the parents there. Of an adopted endpoint
    /// that is not known here.
    fn answers_in_own_vpc(&self, zone: &HostedZone) -> bool {
        let is_served = || {
            self.model.endpoints.known().is_none_or(|endpoints| {
                let adopts_studio = endpoints.existing.known().is_some_and(|existing| existing.contains_key(STUDIO));
                adopts_studio || endpoints.private_dns_enabled != Value::Known(false)
            })
        };
        zone.mode.text() != Some("parent") || !is_served()
    }

    fn is_new(&self, association: &VpcAssociation) -> bool {
        let before = self.prior.and_then(|prior| prior.hosted_zone.known()).map(|zone| &zone.vpc_associations);
        !before.and_then(Value::known).is_some_and(|before| before.contains(association))
    }
}

/// The names that the private DNS of a service answers for, without wildcards.
pub fn private_names(service: &EndpointService) -> BTreeSet<String> {
    service.private_dns_names.iter().map(|name| name.strip_prefix("*.").unwrap_or(name).to_ascii_lowercase()).collect()
}

/// Whether something carries the mark of this resource.
pub fn is_owned(tags: &Tags, owner: &str) -> bool {
    owner_and_part(tags).is_some_and(|(of, _)| of == owner)
}

fn ranges(blocks: &Strings) -> Vec<ClientRange> {
    let texts = blocks.known().into_iter().flatten().filter_map(Value::text);
    texts.filter_map(|text| Some(ClientRange { text: text.to_owned(), range: text.parse().ok()? })).collect()
}

/// Whether records of this name go into a zone that is adopted: one of the same name, or above it.
fn is_covered(zone: &HostedZone, name: &str) -> bool {
    let adopted = zone.existing_zone_ids.known().into_iter().flat_map(|zones| zones.keys());
    adopted
        .into_iter()
        .any(|zone| name == zone || name.strip_suffix(zone.as_str()).is_some_and(|rest| rest.ends_with('.')))
}

fn zone_vpc(association: &VpcAssociation, region: &Region) -> Option<ZoneVpc> {
    let region = match &association.region {
        Value::Known(region) => Region::from(region.as_str()),
        Value::Null => region.clone(),
        Value::Unknown => return None,
    };
    Some(ZoneVpc { vpc_id: association.vpc_id.text()?.into(), region })
}

#[cfg(test)]
mod tests;
