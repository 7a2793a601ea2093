//! Checks before anything is made: read-only looks at what AWS would refuse in the middle of an apply, or would accept
//! and never work.
//!
//! Only what is going to be made or turned on is looked at, so that a plan without changes asks nothing. Each kind of
//! finding has a file; `scope` says what there is to check. A look-up that is not permitted leaves out what depends on
//! it, and one note at the end names them all.
//!
//! Terraform plans again during apply, when everything is known: what is unknown at first is checked then.
//!
//! **Invariant:** changes nothing.

pub mod name;
mod private_dns;
mod quota;
mod roles;
mod scope;
mod subnets;
mod trust;
mod vpc;
mod zones;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::desired::Facts;
use super::model::Model;
use super::recall::owner_of;
use super::recorded::Recorded;
use crate::aws::ec2::endpoint_service::EndpointService;
use crate::aws::ec2::route_table::{RouteTable, list_route_tables};
use crate::aws::ec2::subnet::{Subnet, find_subnets};
use crate::aws::ec2::vpc::{Vpc, find_vpc};
use crate::aws::ec2::vpc_endpoint::{VpcEndpoint, list_vpc_endpoints};
use crate::aws::iam::role::{Role, find_role, role_name};
use crate::aws::route53::hosted_zone::{ZoneOfVpc, ZoneVpc, list_hosted_zones_of_vpc};
use crate::aws::route53::limits::{Quota, hosted_zone_quota};
use crate::aws::route53::tags::list_tags_of_zones;
use crate::aws::{AwsError, Clients, HostedZoneId, SubnetId, VpcId};
use crate::framework::{Diagnostic, Diagnostics};
use crate::resources::clients::{self, ClientRange};
use crate::resources::note::Note;
use crate::resources::routes;
use name::Moment;
use scope::{Place, RoleUse, SubnetUse};

pub use scope::turns_on_private_dns;

/// What is planned, and what is there.
pub struct Subject<'a> {
    /// What is planned.
    pub model: &'a Model,
    /// What there was; `None` for a creation.
    pub prior: Option<&'a Model>,
    /// What exists of it.
    pub recorded: &'a Recorded,
    /// What exists of an object that this one replaces, and goes before this one comes.
    pub replaced: Option<&'a Recorded>,
    /// What was looked up for the endpoints.
    pub facts: Option<&'a Facts>,
}

/// Checks what is planned: errors and warnings at the attributes at fault, and a note of what could not be looked at.
pub async fn check(clients: &Clients, subject: &Subject<'_>) -> Diagnostics {
    let work = Work::of(clients, subject);
    let mut note = Note::default();
    let seen = work.look(clients, &mut note).await;
    let mut found = Diagnostics::new();
    found.extend(work.judge_vpc(&seen));
    found.extend(seen.name.clone().flatten());
    found.extend(work.judge_private_dns(clients, &seen));
    found.extend(work.judge_zones(clients, &seen, &mut note).await);
    found.extend(subnets::check(&work.subnets, &seen.subnets, subject.is_dual_stack(), &work.freed(&seen)));
    found.extend(work.judge_roles(clients, &seen));
    found.extend(seen.quota.and_then(|quota| quota::check(quota, work.zones)));
    if let Some(tables) = &seen.tables {
        let own = seen.vpc.as_ref().and_then(Option::as_ref).map(clients::ranges_of).unwrap_or_default();
        found.extend(routes::check(&work.clients, &work.endpoint_subnets, tables, &own));
    }
    found.extend(note.into_diagnostic());
    found
}

/// What there is to check.
struct Work<'a> {
    subject: &'a Subject<'a>,
    owner: String,
    vpc_id: Option<VpcId>,
    needs: vpc::Needs,
    turned_on: BTreeMap<String, &'a EndpointService>,
    clients: Vec<ClientRange>,
    endpoint_subnets: BTreeSet<SubnetId>,
    subnets: Vec<SubnetUse>,
    roles: Vec<RoleUse>,
    places: Vec<Place>,
    zones: usize,
}

/// What was seen. `None` is what there was no reason, or no permission, to look at.
struct Seen {
    vpc: Option<Option<Vpc>>,
    endpoints: Option<Vec<VpcEndpoint>>,
    zones: Vec<(ZoneVpc, Vec<ZoneOfVpc>)>,
    tables: Option<Vec<RouteTable>>,
    subnets: Vec<Subnet>,
    roles: Vec<(RoleUse, Option<Role>)>,
    quota: Option<Quota>,
    name: Option<Option<Diagnostic>>,
}

impl<'a> Work<'a> {
    fn of(clients: &Clients, subject: &'a Subject<'a>) -> Self {
        let needs = vpc::Needs {
            private_dns: turns_on_private_dns(subject.model, subject.recorded),
            domain: subject.makes_domain(),
        };
        // An IPv6 client has no business with endpoints of IPv4 alone, nor have they a route to take.
        let mut ranges = subject.client_ranges();
        ranges.retain(|client| subject.is_dual_stack() || client.range.addr().is_ipv4());
        Work {
            subject,
            owner: match subject.recorded.owner.as_str() {
                "" => owner(clients, subject.model),
                owner => owner.to_owned(),
            },
            vpc_id: subject.vpc_id(),
            needs,
            turned_on: subject.turned_on(),
            clients: ranges,
            endpoint_subnets: subject.endpoint_subnets(),
            subnets: subject.new_subnets(),
            roles: subject.new_roles(),
            places: subject.places(),
            zones: subject.zones_to_make(),
        }
    }

    async fn look(&self, clients: &Clients, note: &mut Note) -> Seen {
        let vpc_id = self.vpc_id.as_ref();
        let needs_vpc = self.needs.private_dns || self.needs.domain || !self.clients.is_empty();
        let needs_endpoints = !self.turned_on.is_empty();
        let needs_tables = !self.clients.is_empty() && !self.endpoint_subnets.is_empty();
        let zone_vpcs = self.zone_vpcs(clients);
        let unseen = self.unseen_subnets();
        let name = self.subject.model.name.text().filter(|_| self.needs.domain);
        let replaced = self.subject.replaced.and_then(|replaced| replaced.domain.as_ref()).map(|domain| &domain.id);
        let account = clients.account_id();
        let roles = self.roles.iter().filter(|role| !roles::is_foreign(&role.arn, account));
        let (vpc, endpoints, zones, tables, subnets, roles, quota, name) = tokio::join!(
            some(vpc_id.filter(|_| needs_vpc).map(|id| find_vpc(clients, id))),
            some(vpc_id.filter(|_| needs_endpoints).map(|id| list_vpc_endpoints(clients, id, None))),
            join_all(zone_vpcs.iter().map(|vpc| list_hosted_zones_of_vpc(clients, vpc))),
            some(vpc_id.filter(|_| needs_tables).map(|id| list_route_tables(clients, id))),
            some((!unseen.is_empty()).then(|| find_subnets(clients, &unseen))),
            join_all(roles.map(|role| async { (role.clone(), find_role(clients, role_name(&role.arn)).await) })),
            some((self.zones > 0).then(|| hosted_zone_quota(clients))),
            some(name.map(|name| name::check(clients, name, &self.owner, Moment::Plan { replaced }))),
        );
        let looked_up = self.subject.facts.map(|facts| facts.subnets.clone()).unwrap_or_default();
        let more = note.settle("IPv6 ranges and free addresses of the subnets", subnets).unwrap_or_default();
        Seen {
            vpc: note.settle("the VPC, its DNS attributes and its ranges", vpc),
            endpoints: note.settle("whether the VPC has endpoints for the same services", endpoints),
            zones: settle_zones(zone_vpcs, zones, note),
            tables: note.settle("routes from the endpoints back to the clients", tables),
            subnets: looked_up.into_iter().chain(more).collect(),
            roles: settle_roles(roles, note),
            quota: note.settle("the quota of hosted zones", quota),
            name: note.settle("whether the domain's name is taken", name),
        }
    }

    /// The VPCs whose zones matter.
    fn zone_vpcs(&self, clients: &Clients) -> Vec<ZoneVpc> {
        let own = self.vpc_id.iter().filter(|_| !self.turned_on.is_empty());
        let own = own.map(|id| ZoneVpc { vpc_id: id.clone(), region: clients.region().clone() });
        let vpcs: BTreeSet<ZoneVpc> = own.chain(self.places.iter().map(|place| place.vpc.clone())).collect();
        vpcs.into_iter().collect()
    }

    /// The subnets that have to be looked up beside those of the endpoints.
    fn unseen_subnets(&self) -> Vec<SubnetId> {
        let seen = self.subject.facts.map(|facts| facts.subnets.as_slice()).unwrap_or_default();
        let is_seen = |id: &SubnetId| seen.iter().any(|subnet| subnet.id == *id);
        self.subnets.iter().map(|subnet| subnet.id.clone()).filter(|id| !is_seen(id)).collect()
    }

    fn judge_vpc(&self, seen: &Seen) -> Vec<Diagnostic> {
        let (Some(id), Some(vpc)) = (&self.vpc_id, &seen.vpc) else {
            return Vec::new();
        };
        let mut found = vpc::check(id, vpc.as_ref(), self.needs);
        if let Some(vpc) = vpc {
            found.extend(clients::check_clients(id, &clients::ranges_of(vpc), &self.clients));
        }
        found
    }

    fn judge_private_dns(&self, clients: &Clients, seen: &Seen) -> Vec<Diagnostic> {
        let Some(vpc_id) = &self.vpc_id else {
            return Vec::new();
        };
        let zones = seen.zones.iter().find(|(vpc, _)| vpc.vpc_id == *vpc_id).map(|(_, zones)| zones.as_slice());
        let seen =
            private_dns::Seen { vpc_id, account: clients.account_id(), endpoints: seen.endpoints.as_deref(), zones };
        let is_own = |endpoint: &VpcEndpoint| self.subject.is_own_endpoint(endpoint, &self.owner);
        private_dns::check(&self.turned_on, &seen, is_own, &self.subject.made_zones())
    }

    async fn judge_zones(&self, clients: &Clients, seen: &Seen, note: &mut Note) -> Vec<Diagnostic> {
        let mut own = self.subject.made_zones();
        own.extend(self.subject.adopted_zones());
        let given_up = self.subject.names_given_up();
        let mut conflicts: Vec<(&Place, &ZoneOfVpc)> = Vec::new();
        for place in &self.places {
            let is_own_vpc = self.vpc_id.as_ref() == Some(&place.vpc.vpc_id);
            let goes = |zone: &ZoneOfVpc| is_own_vpc && zone.owning_service.is_some() && given_up.contains(&zone.name);
            let others = seen.zones.iter().find(|(vpc, _)| *vpc == place.vpc).map(|(_, zones)| zones.as_slice());
            let others = zones::conflicts(place, others.unwrap_or_default()).into_iter();
            let others = others.filter(|zone| !own.contains(&zone.id) && !goes(zone));
            conflicts.extend(others.map(|zone| (place, zone)));
        }
        let marked = self.marked_zones(clients, &conflicts, note).await;
        let others = conflicts.into_iter().filter(|(_, zone)| !marked.contains(&zone.id));
        others.map(|(place, zone)| zones::conflict(place, zone, clients.account_id())).collect()
    }

    /// Those of the zones that carry the mark of this resource, from a run that was killed or before a replacement.
    async fn marked_zones(
        &self,
        clients: &Clients,
        zones: &[(&Place, &ZoneOfVpc)],
        note: &mut Note,
    ) -> BTreeSet<HostedZoneId> {
        let is_of_account =
            |zone: &&ZoneOfVpc| zone.owning_service.is_none() && zone.owning_account.as_ref() == clients.account_id();
        let ids: BTreeSet<HostedZoneId> =
            zones.iter().map(|(_, zone)| *zone).filter(is_of_account).map(|zone| zone.id.clone()).collect();
        if ids.is_empty() {
            return BTreeSet::new();
        }
        let ids: Vec<HostedZoneId> = ids.into_iter().collect();
        let tags = note.settle("whose the hosted zones are", Some(list_tags_of_zones(clients, &ids).await));
        let marked = tags.unwrap_or_default().into_iter().filter(|(_, tags)| scope::is_owned(tags, &self.owner));
        marked.map(|(id, _)| id).collect()
    }

    fn judge_roles(&self, clients: &Clients, seen: &Seen) -> Vec<Diagnostic> {
        let account = clients.account_id();
        let foreign = self.roles.iter().filter(|role| roles::is_foreign(&role.arn, account));
        let foreign = foreign.filter_map(|role| Some(roles::foreign(role, account?.as_str())));
        let found = seen.roles.iter().filter_map(|(role, found)| roles::check(role, found.as_ref()));
        foreign.chain(found).collect()
    }

    /// How many addresses in each subnet the endpoints hold that go before the new ones come.
    fn freed(&self, seen: &Seen) -> BTreeMap<SubnetId, usize> {
        let mut freed = BTreeMap::new();
        let recorded = |endpoint: &&VpcEndpoint| {
            !self.subject.recorded.endpoints.values().any(|recorded| recorded.id == endpoint.id)
        };
        let going = seen.endpoints.iter().flatten().filter(|one| self.subject.is_own_endpoint(one, &self.owner));
        for subnet in going.filter(recorded).flat_map(|endpoint| &endpoint.subnet_ids) {
            *freed.entry(subnet.clone()).or_default() += 1;
        }
        freed
    }
}

fn settle_zones(
    vpcs: Vec<ZoneVpc>,
    answers: Vec<Result<Vec<ZoneOfVpc>, AwsError>>,
    note: &mut Note,
) -> Vec<(ZoneVpc, Vec<ZoneOfVpc>)> {
    let settled = vpcs.into_iter().zip(answers).filter_map(|(vpc, zones)| {
        let what = format!("whether a hosted zone in {} has one of the names", vpc.vpc_id);
        Some((vpc, note.settle(&what, Some(zones))?))
    });
    settled.collect()
}

fn settle_roles(
    answers: Vec<(RoleUse, Result<Option<Role>, AwsError>)>,
    note: &mut Note,
) -> Vec<(RoleUse, Option<Role>)> {
    let what = "whether SageMaker may assume the execution roles";
    answers.into_iter().filter_map(|(role, found)| Some((role, note.settle(what, Some(found))?))).collect()
}

/// Makes a call if there is one to make.
async fn some<T>(call: Option<impl Future<Output = Result<T, AwsError>>>) -> Option<Result<T, AwsError>> {
    match call {
        Some(call) => Some(call.await),
        None => None,
    }
}

/// The mark of what an earlier run of this resource has made, if it was killed before it could save its state.
fn owner(clients: &Clients, model: &Model) -> String {
    let identity = model.existing_domain_id.text().or(model.name.text()).unwrap_or_default();
    owner_of(clients, model.vpc_id.text().unwrap_or_default(), identity)
}
