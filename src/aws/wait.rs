//! Waiting for AWS: ask, judge, pause, ask again.
//!
//! **Invariant:** never changes anything, and never waits past its deadline or past a stop.
//! **Invariant:** a mutating call that is under way is not dropped; a stop takes effect before the
//! next one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::error::{AwsError, Call, Kind};

/// What one look at an object says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement<T> {
    /// It is as wanted.
    Ready(T),
    /// It is on its way; the text is the state AWS reports.
    Pending(String),
    /// It will not get there; the text is the state, and AWS's reason where there is one.
    Failed(String),
}

impl<T> Judgement<T> {
    /// The same judgement with what is ready turned into something else.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Judgement<U> {
        match self {
            Self::Ready(value) => Judgement::Ready(turn(value)),
            Self::Pending(state) => Judgement::Pending(state),
            Self::Failed(state) => Judgement::Failed(state),
        }
    }
}

/// How often to look, chosen per kind of object by how long AWS usually takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Pause before the first look.
    pub first: Duration,
    /// Shortest pause between two looks.
    pub shortest: Duration,
    /// Longest pause between two looks.
    pub longest: Duration,
}

impl Pace {
    /// A pace in milliseconds.
    pub const fn millis(first: u64, shortest: u64, longest: u64) -> Self {
        Self {
            first: Duration::from_millis(first),
            shortest: Duration::from_millis(shortest),
            longest: Duration::from_millis(longest),
        }
    }

    /// A pause that the user chose replaces the shortest one and bounds the others.
    fn limited(self, chosen: Option<Duration>) -> Self {
        match chosen {
            None => self,
            Some(chosen) => Self {
                first: self.first.min(chosen),
                shortest: chosen,
                longest: self.longest.min(chosen * 4).max(chosen),
            },
        }
    }
}

/// How long to go on, and what ends it early.
#[derive(Debug, Clone)]
pub struct Patience {
    /// When to give up.
    pub deadline: Instant,
    /// Terraform's request to stop.
    pub stop: CancellationToken,
    /// The user's own pause between two looks.
    pub poll_interval: Option<Duration>,
}

impl Patience {
    /// Patience for so long from now.
    pub fn lasting(
        limit: Duration,
        stop: CancellationToken,
        poll_interval: Option<Duration>,
    ) -> Self {
        Self { deadline: Instant::now() + limit, stop, poll_interval }
    }

    /// The same with at most so long from now.
    pub fn at_most(&self, limit: Duration) -> Self {
        Self { deadline: self.deadline.min(Instant::now() + limit), ..self.clone() }
    }
}

/// How long the look that is under way at the deadline may still take.
const GRACE: Duration = Duration::from_secs(30);

/// Looks at an object until it is as wanted.
///
/// `goal` completes the sentence "not … in time", such as `available`.
///
/// # Guarantees
/// Looks at least once, and once more at the deadline. Throttling, an unreachable service and
/// AWS's own faults during a look do not end the wait.
///
/// # Errors
/// `Unexpected` when the object goes into a state that does not lead to the goal, `TimedOut` with
/// the state last seen, `Interrupted` on a stop, and whatever the look itself fails with.
pub async fn until<T, F, Fut>(
    call: &Call,
    goal: &str,
    pace: Pace,
    patience: &Patience,
    mut probe: F,
) -> Result<T, AwsError>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Judgement<T>, AwsError>>,
{
    let pace = pace.limited(patience.poll_interval);
    let started = Instant::now();
    let mut seen = "nothing yet".to_owned();
    let mut pause = pace.first;
    loop {
        let is_last = pause_until(call, goal, pause, patience, &seen).await?;
        let look = timeout_at(patience.deadline.max(Instant::now()) + GRACE, probe());
        let looked = tokio::select! {
            biased;
            () = patience.stop.cancelled() => return Err(interrupted(call, goal, &seen)),
            looked = look => looked,
        };
        match looked {
            Ok(Ok(Judgement::Ready(value))) => return Ok(value),
            Ok(Ok(Judgement::Failed(state))) => {
                return Err(call.error(Kind::Unexpected, format!("not {goal}: {state}")));
            }
            Ok(Ok(Judgement::Pending(state))) => seen = state,
            Ok(Err(error)) if error.is_transient() => {
                seen = format!("no answer ({})", error.message)
            }
            Ok(Err(error)) => return Err(error),
            Err(_) => seen = "no answer".to_owned(),
        }
        if is_last {
            let after = started.elapsed().as_secs();
            return Err(call
                .error(Kind::TimedOut, format!("not {goal} after {after} s, last seen: {seen}")));
        }
        pause = next_pause(pace, started.elapsed());
    }
}

/// Makes a call again for as long as it fails in a way that passes, within `bound`.
///
/// This is for the moments in which AWS's parts disagree, such as a role that IAM has made and
/// SageMaker cannot assume yet.
///
/// # Errors
/// The call's last error when the bound or the deadline is reached, or when the error is not one
/// that passes; `Interrupted` on a stop.
pub async fn retry_while<T, F, Fut>(
    passes: impl Fn(&AwsError) -> bool,
    bound: Duration,
    pace: Pace,
    patience: &Patience,
    mut attempt: F,
) -> Result<T, AwsError>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, AwsError>>,
{
    let patience = patience.at_most(bound);
    let pace = pace.limited(patience.poll_interval);
    let started = Instant::now();
    let mut pause = pace.shortest;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if !passes(&error) || Instant::now() >= patience.deadline {
            return Err(error);
        }
        let wake = (Instant::now() + jittered(pause)).min(patience.deadline);
        tokio::select! {
            biased;
            () = patience.stop.cancelled() => {
                let message = format!("stopped before trying again; the last answer was: {}", error.message);
                return Err(AwsError { kind: Kind::Interrupted, message, ..error });
            }
            () = sleep_until(wake) => {}
        }
        pause = next_pause(pace, started.elapsed()).max(pause);
    }
}

/// Tells "not visible yet" from "gone": AWS may deny for a while that what it has just made exists.
#[derive(Debug)]
pub(super) struct Visibility {
    seen: AtomicBool,
    since: Instant,
}

impl Visibility {
    /// How long an object may stay out of sight before it counts as gone.
    const BOUND: Duration = Duration::from_secs(60);

    /// Nothing seen so far.
    pub(super) fn new() -> Self {
        Self { seen: AtomicBool::new(false), since: Instant::now() }
    }

    /// Judges one look that may have found nothing.
    pub(super) fn judge<O, T>(
        &self,
        found: Option<O>,
        judge: impl FnOnce(O) -> Judgement<T>,
    ) -> Judgement<T> {
        match found {
            Some(object) => {
                self.seen.store(true, Ordering::Relaxed);
                judge(object)
            }
            None if self.seen.load(Ordering::Relaxed) || self.since.elapsed() > Self::BOUND => {
                Judgement::Failed("it does not exist any more".to_owned())
            }
            None => Judgement::Pending("not visible yet".to_owned()),
        }
    }
}

/// Pauses before a look; says whether it is the last one.
async fn pause_until(
    call: &Call,
    goal: &str,
    pause: Duration,
    patience: &Patience,
    seen: &str,
) -> Result<bool, AwsError> {
    let wake = Instant::now() + jittered(pause);
    let is_last = wake >= patience.deadline;
    tokio::select! {
        biased;
        () = patience.stop.cancelled() => Err(interrupted(call, goal, seen)),
        () = sleep_until(wake.min(patience.deadline)) => Ok(is_last),
    }
}

fn interrupted(call: &Call, goal: &str, seen: &str) -> AwsError {
    call.error(Kind::Interrupted, format!("stopped while waiting until {goal}, last seen: {seen}"))
}

/// An eighth of the time waited so far: what takes long is looked at rarely, and still noticed
/// within an eighth of its own duration.
fn next_pause(pace: Pace, waited: Duration) -> Duration {
    (waited / 8).clamp(pace.shortest, pace.longest)
}

/// Up to a fifth less or more, so that parallel waits do not ask at the same moment.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.8 + 0.4 * fastrand::f64())
}

#[cfg(test)]
mod tests;
