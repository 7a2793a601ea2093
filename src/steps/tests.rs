use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    SecurityGroup,
    Endpoint(u8),
    Domain,
}
use Part::*;

const ALL: [Part; 5] = [SecurityGroup, Endpoint(0), Endpoint(1), Endpoint(2), Domain];

#[derive(Clone, Debug, PartialEq)]
struct Made {
    id: String,
    ready: bool,
}

type State = BTreeMap<Part, Made>;

enum Action {
    Create,
    Await(String),
    Delete(String),
}

/// A pretend cloud that counts objects and calls, and can fail one part after making it.
#[derive(Clone, Default)]
struct Cloud {
    inside: Arc<Mutex<Inside>>,
    fail_on: Option<Part>,
}

#[derive(Default)]
struct Inside {
    live: BTreeMap<String, Part>,
    calls: u32,
    running: u32,
    most_running: u32,
}

fn needs(part: Part) -> Vec<Part> {
    match part {
        SecurityGroup => vec![],
        Endpoint(_) => vec![SecurityGroup],
        Domain => vec![SecurityGroup, Endpoint(0), Endpoint(1), Endpoint(2)],
    }
}

fn diff(wanted: &[Part], recorded: &State) -> Vec<Step<Part, Action>> {
    let create = wanted.iter().filter_map(|&key| {
        let action = match recorded.get(&key) {
            None => Action::Create,
            Some(made) if !made.ready => Action::Await(made.id.clone()),
            Some(_) => return None,
        };
        Some(Step { key, action, after: needs(key).into_iter().collect() })
    });
    let delete = recorded.iter().filter(|(part, _)| !wanted.contains(part)).map(|(&key, made)| Step {
        key,
        action: Action::Delete(made.id.clone()),
        after: recorded.keys().copied().filter(|&other| needs(other).contains(&key)).collect(),
    });
    create.chain(delete).collect()
}

impl Composite for Cloud {
    type Key = Part;
    type Action = Action;
    type Record = Option<Made>;
    type Error = &'static str;
    type State = State;

    fn start(
        &self,
        key: &Part,
        action: Action,
        state: &State,
    ) -> BoxFuture<'static, Outcome<Option<Made>, &'static str>> {
        let key = *key;
        if matches!(action, Action::Create) {
            let missing = needs(key).into_iter().find(|need| !state.contains_key(need));
            assert_eq!(missing, None, "{key:?} started too early");
        }
        let cloud = self.clone();
        async move {
            cloud.enter();
            tokio::time::sleep(Duration::from_secs(60)).await;
            cloud.leave(key, action)
        }
        .boxed()
    }

    fn record(&self, key: &Part, record: Option<Made>, state: &mut State) {
        match record {
            Some(made) => state.insert(*key, made),
            None => state.remove(key),
        };
    }
}

impl Cloud {
    fn enter(&self) {
        let mut inside = self.inside.lock().unwrap();
        inside.calls += 1;
        inside.running += 1;
        inside.most_running = inside.most_running.max(inside.running);
    }

    fn leave(&self, key: Part, action: Action) -> Outcome<Option<Made>, &'static str> {
        let mut inside = self.inside.lock().unwrap();
        inside.running -= 1;
        match action {
            Action::Create => {
                let id = format!("{key:?}-{}", inside.calls);
                inside.live.insert(id.clone(), key);
                // Made, then not ready: the record must survive the failure.
                let error = (self.fail_on == Some(key)).then_some("not ready");
                Outcome { record: Some(Some(Made { id, ready: error.is_none() })), error }
            }
            Action::Await(id) => Outcome::done(Some(Made { id, ready: true })),
            Action::Delete(id) => {
                inside.live.remove(&id);
                Outcome::done(None)
            }
        }
    }
}

async fn apply(cloud: &Cloud, wanted: &[Part], state: &mut State) -> Report<Part, &'static str> {
    let steps = diff(wanted, state);
    run(cloud, steps, state, 8, &CancellationToken::new()).await
}

#[tokio::test(start_paused = true)]
async fn everything_is_made_in_order_and_at_once_where_it_can_be() {
    let (cloud, mut state) = (Cloud::default(), State::new());
    let report = apply(&cloud, &ALL, &mut state).await;
    assert_eq!(report.done.len(), 5);
    assert_eq!(cloud.inside.lock().unwrap().most_running, 3, "the three endpoints overlap");
}

#[tokio::test(start_paused = true)]
async fn a_second_apply_calls_nothing() {
    let (cloud, mut state) = (Cloud::default(), State::new());
    apply(&cloud, &ALL, &mut state).await;
    let before = cloud.inside.lock().unwrap().calls;
    apply(&cloud, &ALL, &mut state).await;
    assert_eq!(cloud.inside.lock().unwrap().calls, before);
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_at_any_step_destroy_leaves_nothing() {
    for fail_on in ALL {
        let cloud = Cloud { fail_on: Some(fail_on), ..Cloud::default() };
        let mut state = State::new();
        let report = apply(&cloud, &ALL, &mut state).await;
        assert_eq!(report.failed, [(fail_on, "not ready")]);
        assert_eq!(report.done.len() + report.failed.len() + report.skipped.len(), 5);
        apply(&cloud, &[], &mut state).await;
        assert!(cloud.inside.lock().unwrap().live.is_empty(), "left behind after {fail_on:?}");
        assert!(state.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_at_any_step_the_next_apply_finishes_and_makes_nothing_twice() {
    for fail_on in ALL {
        let mut cloud = Cloud { fail_on: Some(fail_on), ..Cloud::default() };
        let mut state = State::new();
        apply(&cloud, &ALL, &mut state).await;
        cloud.fail_on = None;
        let report = apply(&cloud, &ALL, &mut state).await;
        assert!(report.is_complete(), "{fail_on:?}");
        assert_eq!(cloud.inside.lock().unwrap().live.len(), 5, "{fail_on:?}");
        assert!(state.values().all(|made| made.ready));
    }
}

#[tokio::test(start_paused = true)]
async fn stopping_starts_nothing_more_and_keeps_what_was_made() {
    let (cloud, mut state) = (Cloud::default(), State::new());
    let stop = CancellationToken::new();
    let steps = diff(&ALL, &state);
    let trigger = async {
        tokio::time::sleep(Duration::from_secs(70)).await;
        stop.cancel();
    };
    let (report, ()) = futures::join!(run(&cloud, steps, &mut state, 8, &stop), trigger);
    assert_eq!(report.skipped, [Domain]);
    assert_eq!(state.len(), 4);
}
