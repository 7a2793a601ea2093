//! Starts one step, and records what became of it. One file for each kind of part.
//!
//! **Invariant:** decides nothing; what differs is computed in `plan.rs` and `addresses.rs`.
//! **Invariant:** once AWS has given an id, it is in the outcome, whatever happens after.

mod addresses;
mod endpoint;
mod group;
mod settle;

use futures::future::BoxFuture;

use super::desired::Desired;
use super::plan::{Action, Key};
use super::recorded::{Address, Endpoint, Group, Recorded};
use crate::aws::AwsError;
use crate::framework::Value;
use crate::resources::common::{Fault, Work};
use crate::steps::{Composite, Outcome};

/// One apply of a DNS forwarding.
pub struct Run {
    /// Clients, deadline, ownership.
    pub work: Work,
    /// What is wanted; nothing when everything is to go.
    pub desired: Option<Desired>,
}

/// What is known of a part after a step. `None` inside: it is gone.
#[derive(Clone, Debug)]
pub enum Part {
    /// The security group.
    Group(Option<Group>),
    /// The endpoint.
    Endpoint(Option<Box<Endpoint>>),
    /// The endpoint's addresses.
    Addresses(Vec<Address>),
}

type Done = Outcome<Part, Fault>;

impl Composite for Run {
    type Key = Key;
    type Action = Action;
    type Record = Part;
    type Error = Fault;
    type State = Recorded;

    fn start(&self, key: &Key, action: Action, state: &Recorded) -> BoxFuture<'static, Done> {
        let step = Step::new(self.work.clone(), *key, action);
        let desired = self.desired.as_ref().filter(|_| action != Action::Delete);
        match (key, desired) {
            (Key::Group, Some(desired)) => group::apply(step, desired, state),
            (Key::Group, None) => group::delete(step, state),
            (Key::Endpoint, Some(desired)) => endpoint::apply(step, desired, state),
            (Key::Endpoint, None) => endpoint::delete(step, state),
            (Key::Addresses, Some(desired)) => addresses::apply(step, desired, state),
            (Key::Addresses, None) => unreachable!("addresses go with their endpoint"),
        }
    }

    fn record(&self, _key: &Key, record: Part, state: &mut Recorded) {
        match record {
            Part::Group(group) => state.group = group,
            Part::Endpoint(endpoint) => state.endpoint = endpoint.map(|endpoint| *endpoint),
            Part::Addresses(addresses) => {
                if let Some(endpoint) = &mut state.endpoint {
                    endpoint.addresses = addresses;
                }
            }
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
    fn new(work: Work, key: Key, action: Action) -> Self {
        let verb = match action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
        };
        Step { work, key, what: format!("{verb} the {}", key.name()) }
    }

    /// Nothing changed, and it failed.
    fn failed(self, error: AwsError) -> Done {
        Outcome::failed(Fault::new(self.what, error))
    }

    /// It exists as recorded, and something may have failed after that.
    fn ended(self, record: Part, result: Result<(), AwsError>) -> Done {
        Outcome::after(record, result.map_err(Fault::of(self.what)))
    }
}

/// During apply everything is known.
fn known<T: Clone>(value: &Value<T>) -> T {
    value.known().cloned().expect("Terraform applies only what is wholly known")
}
