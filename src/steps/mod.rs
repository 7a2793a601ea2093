//! Steps: the changes to one composite's sub-objects, and the order they may happen in.
//!
//! A composite computes its steps by comparing what is wanted with what is recorded. Create, update, destroy and
//! "go on after a failure" are the same comparison with another left or right side.
//!
//! There is no undo: Terraform keeps what was made, and the person decides. Deleting a part is the undo, and destroy
//! runs it.
//!
//! **Invariant:** nothing here knows about AWS, Terraform or any particular composite.
//! **Invariant:** a step's record is in the state before its outcome is reported.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

#[cfg(test)]
mod tests;

/// A resource made of several objects.
pub trait Composite {
    /// Names one sub-object. Its order is the order in which steps start when several are ready.
    type Key: Clone + Ord + fmt::Debug;
    /// What to do to one sub-object.
    type Action;
    /// What is known of one sub-object after a step, such as its id.
    type Record;
    /// Why a step failed.
    type Error;
    /// Everything recorded.
    type State;

    /// Starts one step. Reads what it needs of `state` now, so that the future borrows nothing and no lock is needed.
    fn start(
        &self,
        key: &Self::Key,
        action: Self::Action,
        state: &Self::State,
    ) -> BoxFuture<'static, Outcome<Self::Record, Self::Error>>;

    /// Writes one sub-object's record into the state.
    fn record(&self, key: &Self::Key, record: Self::Record, state: &mut Self::State);
}

/// How a step ended. A failed step may still have changed something worth recording, so this is not a `Result`.
#[derive(Debug, PartialEq)]
pub struct Outcome<R, E> {
    /// What there is now; `None` if nothing changed.
    pub record: Option<R>,
    /// Why the step is not done.
    pub error: Option<E>,
}

impl<R, E> Outcome<R, E> {
    /// Done.
    pub fn done(record: R) -> Self {
        Outcome { record: Some(record), error: None }
    }

    /// Changed something, and then failed.
    pub fn unfinished(record: R, error: E) -> Self {
        Outcome { record: Some(record), error: Some(error) }
    }

    /// Failed before anything changed.
    pub fn failed(error: E) -> Self {
        Outcome { record: None, error: Some(error) }
    }

    /// Done with `record` if the wait went well, and unfinished if not.
    pub fn after(record: R, waited: Result<(), E>) -> Self {
        Outcome { record: Some(record), error: waited.err() }
    }
}

/// One change, and the keys whose own changes must be done first.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<K, A> {
    /// Which sub-object.
    pub key: K,
    /// What to do to it.
    pub action: A,
    /// What must be done before. Keys without a step of their own count as done.
    pub after: BTreeSet<K>,
}

/// What became of the steps.
#[derive(Debug, PartialEq)]
pub struct Report<K, E> {
    /// In the order they were done.
    pub done: Vec<K>,
    /// In the order they failed.
    pub failed: Vec<(K, E)>,
    /// Never started, since something before them failed or the run was stopped.
    pub skipped: Vec<K>,
}

impl<K, E> Report<K, E> {
    /// Whether everything was done.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.skipped.is_empty()
    }
}

/// Runs the steps, at most `limit` at a time, and records each as it ends.
///
/// # Guarantees
/// A step starts when everything in its `after` is done. A failure keeps the steps that need it from starting; the
/// others go on. Cancelling `stop` starts nothing more and waits for what is running. Every step is in the report once.
///
/// # Caveats
/// Steps that wait for each other in a circle are never started and reported as skipped.
pub async fn run<C: Composite>(
    composite: &C,
    steps: impl IntoIterator<Item = Step<C::Key, C::Action>>,
    state: &mut C::State,
    limit: usize,
    stop: &CancellationToken,
) -> Report<C::Key, C::Error> {
    let mut waiting: BTreeMap<_, _> = steps.into_iter().map(|step| (step.key.clone(), step)).collect();
    let mut unfinished: BTreeSet<_> = waiting.keys().cloned().collect();
    let mut running = FuturesUnordered::new();
    let mut report = Report { done: Vec::new(), failed: Vec::new(), skipped: Vec::new() };

    loop {
        while running.len() < limit && !stop.is_cancelled() {
            let Some(key) = first_ready(&waiting, &unfinished) else { break };
            let step = waiting.remove(&key).expect("a ready step is waiting");
            let work = composite.start(&key, step.action, state);
            running.push(async move { (key, work.await) });
        }

        let Some((key, outcome)) = running.next().await else { break };
        if let Some(record) = outcome.record {
            composite.record(&key, record, state);
        }
        match outcome.error {
            None => {
                unfinished.remove(&key);
                report.done.push(key);
            }
            Some(error) => report.failed.push((key, error)),
        }
    }

    report.skipped = waiting.into_keys().collect();
    report
}

fn first_ready<K: Clone + Ord, A>(waiting: &BTreeMap<K, Step<K, A>>, unfinished: &BTreeSet<K>) -> Option<K> {
    waiting.values().find(|step| step.after.is_disjoint(unfinished)).map(|step| step.key.clone())
}
