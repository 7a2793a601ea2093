//! Starts one step, and records what became of it. One file for each kind of part.
//!
//! **Invariant:** decides nothing; what differs is computed in `plan.rs`.
//! **Invariant:** once AWS has given an id, it is in the outcome, whatever happens after.

mod adopted;
pub mod contents;
mod domain;
mod endpoint;
mod gateway;
mod group;
mod profile;
mod zone;

use std::collections::BTreeMap;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::desired::Desired;
use super::key::Key;
use super::plan::Action;
use super::recorded::{Domain, Endpoint, Gateway, Group, Profile, Recorded, Zone};
use crate::aws::AwsError;
use crate::resources::common::{Fault, Work};
use crate::steps::{Composite, Outcome};

/// One apply of a private domain.
pub struct Run {
    /// Clients, deadline, ownership.
    pub work: Work,
    /// What is wanted; nothing when everything is to go.
    pub desired: Option<Desired>,
    /// Whether what users have made may be deleted.
    pub force_destroy: bool,
}

/// What is known of a part after a step. `None` inside: it is gone.
#[derive(Clone, Debug)]
pub enum Part {
    /// A security group.
    Group(Option<Group>),
    /// An endpoint, made or adopted.
    Endpoint(Option<Endpoint>),
    /// The gateway endpoint.
    Gateway(Option<Gateway>),
    /// What users have made is gone.
    Contents,
    /// The groups of deleted file systems are gone.
    NfsGroups,
    /// The domain.
    Domain(Option<Box<Domain>>),
    /// A user profile.
    Profile(Option<Profile>),
    /// A hosted zone.
    Zone(Option<Zone>),
}

type Done = Outcome<Part, Fault>;

impl Composite for Run {
    type Key = Key;
    type Action = Action;
    type Record = Part;
    type Error = Fault;
    type State = Recorded;

    fn start(&self, key: &Key, action: Action, state: &Recorded) -> BoxFuture<'static, Done> {
        let step = Step::new(self.work.clone(), key, action);
        let Some(desired) = self.desired.as_ref().filter(|_| action != Action::Delete) else {
            return self.delete(step, key, state);
        };
        match key {
            Key::DomainGroup => group::apply_domain_group(step, desired, state),
            Key::EndpointGroup => group::apply_endpoint_group(step, desired, state),
            Key::Endpoint(service) => endpoint::apply(step, service, desired, state),
            Key::Adopted(service) => adopted::apply(step, service, desired, state),
            Key::Gateway => gateway::apply(step, desired, state),
            Key::Domain if desired.adopts_domain() => domain::adopt(step, desired, state),
            Key::Domain => domain::apply(step, desired, state),
            Key::Profile(name) => profile::apply(step, name, desired, state),
            Key::Zone(slot) => zone::apply(step, slot, desired, state),
            Key::Contents | Key::NfsGroups => unreachable!("they are never made here"),
        }
    }

    fn record(&self, key: &Key, record: Part, state: &mut Recorded) {
        match (key, record) {
            (Key::DomainGroup, Part::Group(group)) => state.domain_group = group,
            (Key::EndpointGroup, Part::Group(group)) => state.endpoint_group = group,
            (Key::Endpoint(service), Part::Endpoint(endpoint)) => set(&mut state.endpoints, service.clone(), endpoint),
            (Key::Adopted(service), Part::Endpoint(endpoint)) => set(&mut state.adopted, service.clone(), endpoint),
            (Key::Gateway, Part::Gateway(gateway)) => state.gateway = gateway,
            (Key::Contents, Part::Contents) => {}
            (Key::NfsGroups, Part::NfsGroups) => state.nfs_groups.clear(),
            (Key::Domain, Part::Domain(None)) => {
                let deleted = state.domain.take().filter(Domain::takes_file_system);
                state.nfs_groups.extend(deleted.map(|domain| (domain.id, domain.vpc_id.into())));
            }
            (Key::Domain, Part::Domain(domain)) => state.domain = domain.map(|domain| *domain),
            (Key::Profile(name), Part::Profile(profile)) => set(&mut state.profiles, name.clone(), profile),
            (Key::Zone(slot), Part::Zone(zone)) => set(&mut state.zones, slot.clone(), zone),
            (key, _) => unreachable!("{key:?} is recorded as what it is"),
        }
    }
}

impl Run {
    fn delete(&self, step: Step, key: &Key, state: &Recorded) -> BoxFuture<'static, Done> {
        match key {
            // The apps of a domain that is let go keep their group.
            Key::DomainGroup if self.desired.as_ref().is_some_and(Desired::adopts_domain) => {
                std::future::ready(step.deleted::<Group>(Part::Group, Ok(()))).boxed()
            }
            Key::DomainGroup => group::delete(step, state.domain_group.clone()),
            Key::EndpointGroup => group::delete(step, state.endpoint_group.clone()),
            Key::Endpoint(service) => endpoint::delete(step, state.endpoints.get(service).cloned()),
            Key::Adopted(service) => adopted::let_go(step, state.adopted.get(service).cloned()),
            Key::Gateway => gateway::delete(step, state.gateway.clone()),
            Key::Domain => domain::delete(step, state),
            Key::NfsGroups => domain::delete_nfs_groups(step, state.nfs_groups.clone()),
            Key::Profile(name) => profile::delete(step, name, state),
            Key::Contents => contents::delete(step, self.desired.as_ref(), state, self.force_destroy),
            Key::Zone(slot) => zone::delete(step, slot, state.zones.get(slot).cloned()),
        }
    }
}

fn set<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

/// One running step.
struct Step {
    work: Work,
    /// The value of the tag that says which part this is.
    part: String,
    /// Completes "Could not …".
    what: String,
}

impl Step {
    fn new(work: Work, key: &Key, action: Action) -> Self {
        let is_adopted = matches!(key, Key::Adopted(_) | Key::Zone(super::key::Slot::Existing(_)));
        let verb = match action {
            Action::Create if is_adopted => "use",
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete if is_adopted => "let go of",
            Action::Delete => "delete",
        };
        Step { work, part: key.part(), what: format!("{verb} the {}", key.name()) }
    }

    /// Nothing changed, and it failed.
    fn failed(self, error: AwsError) -> Done {
        Outcome::failed(Fault::new(self.what, error))
    }

    /// It exists, and may have failed after that.
    fn ended<T>(self, wrap: fn(Option<T>) -> Part, made: T, result: Result<T, AwsError>) -> Done {
        match result {
            Ok(now) => Outcome::done(wrap(Some(now))),
            Err(error) => Outcome::unfinished(wrap(Some(made)), Fault::new(self.what, error)),
        }
    }

    /// It was to be deleted. Until it is, it stays on record.
    fn deleted<T>(self, wrap: fn(Option<T>) -> Part, result: Result<(), AwsError>) -> Done {
        match result {
            Ok(()) => Outcome::done(wrap(None)),
            Err(error) => self.failed(error),
        }
    }
}
