//! What a plan is going to make or to turn on: what there is to check, and what a check goes by.
//!
//! **Invariant:** pure. What is not known yet is left out; what needs it is checked by the plan that Terraform makes
//! again during apply, when it is known.

use std::collections::{BTreeMap, BTreeSet};

use super::Subject;
use crate::aws::ec2::endpoint_service::EndpointService;
use crate::aws::ec2::vpc_endpoint::VpcEndpoint;
use crate::aws::route53::hosted_zone::ZoneVpc;
use crate::aws::tags::owner_and_part;
use crate::aws::{HostedZoneId, RoleArn, SubnetId, Tags, VpcId};
use crate::framework::{Path, Value};
use crate::resources::clients::{ClientRange, known_ranges};
use crate::resources::private_domain::desired::{Desired, endpoint_subnet_inputs, one_per_zone};
use crate::resources::private_domain::key::Slot;
use crate::resources::private_domain::model::Model;
use crate::resources::private_domain::recorded::Recorded;
use crate::resources::private_domain::zones;
use crate::resources::values::known_set;

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
        let recorded = || Some(self.recorded.endpoints.get(service)?.place.subnet_ids.clone());
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
                known_ranges(&prior.client_cidr_blocks)
            }
            Some(_) | None => Vec::new(),
        };
        let mut now = known_ranges(&self.model.client_cidr_blocks);
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
        let (desired, recorded) = self.zones_given();
        let wanted = zones::wanted(&desired, &recorded).into_keys();
        wanted.filter(|slot| !is_adopted(slot) && !recorded.zones.contains_key(slot)).count()
    }

    /// Where zones are going to answer under names that are known.
    pub fn places(&self) -> Vec<Place> {
        let (desired, recorded) = self.zones_given();
        let mut places: BTreeMap<ZoneVpc, BTreeSet<String>> = BTreeMap::new();
        for (slot, zone) in zones::wanted(&desired, &recorded).into_iter().filter(|(slot, _)| !is_adopted(slot)) {
            let before = recorded.zones.get(&slot).filter(|before| Some(&before.name) == zone.name.as_ref());
            let vpcs = zones::vpcs(&desired, &recorded, &slot).unwrap_or_default().into_iter();
            // What answers in another account's VPC is that account's to see.
            let vpcs = vpcs.filter(|association| association.role_arn.is_none()).map(|association| association.vpc);
            let Some(name) = &zone.name else { continue };
            for vpc in vpcs.filter(|vpc| before.is_none_or(|before| !before.vpcs.contains(vpc))) {
                places.entry(vpc).or_default().insert(name.clone());
            }
        }
        let place = |(vpc, names): (ZoneVpc, BTreeSet<String>)| {
            let zone = Path::root("hosted_zone");
            let is_own = desired.vpc.known() == Some(&vpc);
            Place { vpc, names, path: if is_own { zone } else { zone.attribute("vpc_associations") } }
        };
        places.into_iter().map(place).collect()
    }

    /// What the zones follow from. The names of an adopted domain are known before it is recorded.
    fn zones_given(&self) -> (Desired, Recorded) {
        let mut recorded = self.recorded.clone();
        recorded.domain = recorded.domain.or_else(|| self.facts.and_then(|facts| facts.domain.clone()));
        (Desired::new(self.model, self.prior, &recorded, None), recorded)
    }

    /// The zones that this resource has made, those that are about to go included.
    pub fn made_zones(&self) -> BTreeSet<HostedZoneId> {
        let recorded = [Some(self.recorded), self.replaced].into_iter().flatten();
        let zones = recorded.flat_map(|recorded| &recorded.zones).filter(|(slot, _)| !is_adopted(slot));
        zones.map(|(_, zone)| zone.id.clone()).collect()
    }

    /// The zones that this resource adopts.
    pub fn adopted_zones(&self) -> BTreeSet<HostedZoneId> {
        let zone = self.model.hosted_zone.known();
        let adopted = zone.and_then(|zone| zone.existing_zone_ids.known()).into_iter().flat_map(|zones| zones.values());
        adopted.filter_map(|id| id.text().map(HostedZoneId::from)).collect()
    }

    /// The names that private DNS of this resource's own endpoints serves now and will not serve any more. The zones that
    /// AWS has for them go, too.
    pub fn names_given_up(&self) -> BTreeSet<String> {
        let made = made_services(self.model);
        let stays_on = |service: &String| {
            let private_dns = self.model.endpoints.known().map(|endpoints| endpoints.private_dns_enabled);
            private_dns != Some(Value::Known(false)) && made.as_ref().is_none_or(|made| made.contains(service))
        };
        let recorded = self.recorded.endpoints.iter().filter(|(service, _)| !stays_on(service));
        let replaced = self.replaced.into_iter().flat_map(|replaced| &replaced.endpoints);
        let endpoints = recorded.chain(replaced).map(|(_, endpoint)| endpoint);
        let names = endpoints.filter(|endpoint| endpoint.private_dns_enabled).flat_map(|one| &one.private_names);
        names.map(|name| bare(name)).collect()
    }

    /// Whether an endpoint is this resource's: recorded, about to go, or left by a run that was killed.
    pub fn is_own_endpoint(&self, endpoint: &VpcEndpoint, owner: &str) -> bool {
        let recorded = [Some(self.recorded), self.replaced].into_iter().flatten();
        recorded.flat_map(|recorded| recorded.endpoints.values()).any(|own| own.id == endpoint.id)
            || is_owned(&endpoint.tags, owner)
    }
}

/// The names that the private DNS of a service answers for, without wildcards.
pub fn private_names(service: &EndpointService) -> BTreeSet<String> {
    service.private_dns_names.iter().map(|name| bare(name)).collect()
}

fn bare(name: &str) -> String {
    name.strip_prefix("*.").unwrap_or(name).to_ascii_lowercase()
}

/// Whether something carries the mark of this resource.
pub fn is_owned(tags: &Tags, owner: &str) -> bool {
    owner_and_part(tags).is_some_and(|(of, _)| of == owner)
}

fn is_adopted(slot: &Slot) -> bool {
    matches!(slot, Slot::Existing(_))
}

#[cfg(test)]
mod tests;
