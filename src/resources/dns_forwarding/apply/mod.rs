//! Starts one step, and records what became of it. One file for each kind of part.
//!
//! **Invariant:** decides nothing; what differs is computed in `plan.rs`, `changes.rs` and `addresses.rs`.
//! **Invariant:** once AWS has given an id, it is in the outcome, whatever happens after.

mod addresses;
mod association;
mod endpoint;
mod group;
mod rule;
mod settle;
mod share;

pub use endpoint::unmark;

use futures::future::BoxFuture;

use super::desired::Desired;
use super::key::{Key, Side};
use super::plan::Action;
use super::recorded::{Address, Association, Endpoint, Group, Recorded, Rule, Share};
use crate::aws::AwsError;
use crate::aws::organizations::organization::Organization;
use crate::framework::Value;
use crate::resources::common::{Fault, Work};
use crate::steps::{Composite, Outcome};

/// One apply of a DNS forwarding.
pub struct Run {
    /// Clients, deadline, ownership.
    pub work: Work,
    /// What is wanted; nothing when everything is to go.
    pub desired: Option<Desired>,
    /// The organization, where ids are to be completed from it.
    pub organization: Option<Organization>,
}

/// What is known of a part after a step. `None` inside: it is gone.
#[derive(Clone, Debug)]
pub enum Part {
    /// A security group.
    Group(Option<Group>),
    /// An endpoint.
    Endpoint(Option<Box<Endpoint>>),
    /// An endpoint's addresses.
    Addresses(Vec<Address>),
    /// A forward rule.
    Rule(Option<Box<Rule>>),
    /// A rule on a VPC.
    Association(Option<Association>),
    /// The resource share.
    Share(Option<Share>),
}

type Done = Outcome<Part, Fault>;

impl Composite for Run {
    type Key = Key;
    type Action = Action;
    type Record = Part;
    type Error = Fault;
    type State = Recorded;

    fn start(&self, key: &Key, action: Action, state: &Recorded) -> BoxFuture<'static, Done> {
        let step = Step::new(self.work.clone(), key, action, state);
        let desired = self.desired.as_ref().filter(|_| action != Action::Delete);
        match (key, desired) {
            (Key::Group(side), Some(desired)) => group::apply(step, side, desired, state),
            (Key::Group(side), None) => group::delete(step, state.end(side).group),
            (Key::Endpoint(side), Some(desired)) => endpoint::apply(step, side, desired, state),
            (Key::Endpoint(side), None) => endpoint::delete(step, state.end(side).endpoint),
            (Key::Addresses(side), Some(desired)) => addresses::apply(step, side, desired, state),
            (Key::LastAddresses, Some(desired)) => addresses::finish(step, desired, state),
            (Key::Addresses(_) | Key::LastAddresses, None) => unreachable!("addresses go with their endpoint"),
            (Key::Handover(zone), Some(desired)) => rule::hand_over(step, zone, desired, state),
            (Key::Handover(_), None) => unreachable!("a rule that goes asks nobody else before"),
            (Key::Rule(zone), Some(desired)) => rule::apply(step, zone, desired, state),
            (Key::Rule(zone), None) => rule::delete(step, state.rules.get(zone).cloned()),
            (Key::Association(zone, vpc), Some(desired)) => association::apply(step, zone, vpc, desired, state),
            (Key::Association(zone, vpc), None) => association::delete(step, zone, vpc, state),
            (Key::Share, Some(desired)) => share::apply(step, desired, state, self.organization.as_ref()),
            (Key::Share, None) => share::delete(step, state.share.clone()),
        }
    }

    fn record(&self, key: &Key, record: Part, state: &mut Recorded) {
        match (key, record) {
            (Key::Group(side), Part::Group(group)) => state.change_end(side, |end| end.group = group),
            (Key::Endpoint(side), Part::Endpoint(endpoint)) => {
                state.change_end(side, |end| end.endpoint = endpoint.map(|endpoint| *endpoint));
            }
            (Key::Addresses(side), Part::Addresses(addresses)) => state.change_end(side, |end| {
                if let Some(endpoint) = &mut end.endpoint {
                    endpoint.addresses = addresses;
                }
            }),
            (Key::LastAddresses, addresses @ Part::Addresses(_)) => {
                self.record(&Key::Addresses(Side::Inbound), addresses, state);
            }
            (Key::Handover(zone) | Key::Rule(zone), Part::Rule(Some(rule))) => {
                state.put_rule(zone, *rule);
            }
            (Key::Rule(zone), Part::Rule(None)) => {
                state.rules.remove(zone);
            }
            (Key::Association(zone, vpc), Part::Association(association)) => {
                let Some(rule) = state.rules.get_mut(zone) else { return };
                match association {
                    Some(association) => rule.associations.insert(vpc.clone(), association),
                    None => rule.associations.remove(vpc),
                };
            }
            (Key::Share, Part::Share(share)) => state.share = share,
            (key, _) => unreachable!("{key:?} is recorded as what it is"),
        }
    }
}

/// One running step.
struct Step {
    work: Work,
    key: Key,
    /// Completes "Could not …".
    what: String,
}

impl Step {
    fn new(work: Work, key: &Key, action: Action, state: &Recorded) -> Self {
        let is_adopted = *key == Key::Endpoint(Side::Inbound) && state.has_adopted();
        let verb = match action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete if is_adopted => "let go of",
            Action::Delete => "delete",
        };
        Step { work, key: key.clone(), what: format!("{verb} the {}", key.name()) }
    }

    /// Nothing changed, and it failed.
    fn failed(self, error: AwsError) -> Done {
        Outcome::failed(Fault::new(self.what, error))
    }

    /// It exists as recorded, and something may have failed after that.
    fn ended(self, record: Part, result: Result<(), AwsError>) -> Done {
        Outcome::after(record, result.map_err(Fault::of(self.what)))
    }

    /// It was to be deleted. Until it is, it stays on record.
    fn deleted(self, nothing: Part, result: Result<(), AwsError>) -> Done {
        match result {
            Ok(()) => Outcome::done(nothing),
            Err(error) => self.failed(error),
        }
    }
}

/// During apply everything is known.
fn known<T: Clone>(value: &Value<T>) -> T {
    value.known().cloned().expect("Terraform applies only what is wholly known")
}
