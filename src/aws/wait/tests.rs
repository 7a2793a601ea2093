use std::cell::Cell;

use super::*;
use crate::aws::error::Service;

const PACE: Pace = Pace::millis(1_000, 1_000, 10_000);

fn call() -> Call {
    Call::new(Service::Ec2, "DescribeVpcEndpoints", "VPC endpoint vpce-1")
}

fn patience(seconds: u64) -> Patience {
    Patience::lasting(Duration::from_secs(seconds), CancellationToken::new(), None)
}

fn pending<T>() -> Result<Judgement<T>, AwsError> {
    Ok(Judgement::Pending("pending".to_owned()))
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_when_the_object_is_ready() {
    let looks = Cell::new(0);
    let answer = until(&call(), "available", PACE, &patience(600), async || {
        looks.set(looks.get() + 1);
        if looks.get() < 4 { pending() } else { Ok(Judgement::Ready("done")) }
    })
    .await;
    assert_eq!(answer, Ok("done"));
    assert_eq!(looks.get(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_wait_looks_once_more_at_its_deadline_and_names_the_state() {
    let started = Instant::now();
    let last_look = Cell::new(started);
    let error = until(&call(), "available", PACE, &patience(60), async || {
        last_look.set(Instant::now());
        pending::<()>()
    })
    .await
    .unwrap_err();
    assert_eq!(error.kind, Kind::TimedOut);
    assert_eq!(
        error.to_string(),
        "EC2 DescribeVpcEndpoints for VPC endpoint vpce-1: not available after 60 s, last seen: pending"
    );
    assert_eq!((last_look.get() - started).as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_wait_looks_less_often_as_time_goes_by() {
    let looks = Cell::new(0_u32);
    let _ = until(&call(), "available", PACE, &patience(600), async || {
        looks.set(looks.get() + 1);
        pending::<()>()
    })
    .await;
    // 600 looks would be one a second, 60 one every ten.
    assert!((60..110).contains(&looks.get()), "{} looks", looks.get());
}

#[tokio::test(start_paused = true)]
async fn the_users_pause_replaces_the_shortest_one() {
    let looks = Cell::new(0_u32);
    let patience = Patience { poll_interval: Some(Duration::from_millis(5)), ..patience(600) };
    let started = Instant::now();
    let answer = until(&call(), "available", PACE, &patience, async || {
        looks.set(looks.get() + 1);
        if looks.get() < 10 { pending() } else { Ok(Judgement::Ready(())) }
    })
    .await;
    assert_eq!(answer, Ok(()));
    assert!(started.elapsed() < Duration::from_millis(250), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_failed_object_ends_the_wait_with_its_reason() {
    let error = until(&call(), "available", PACE, &patience(600), async || {
        Ok(Judgement::<()>::Failed("rejected by the owner".to_owned()))
    })
    .await
    .unwrap_err();
    assert_eq!(error.kind, Kind::Unexpected);
    assert_eq!(error.message, "not available: rejected by the owner");
}

#[tokio::test(start_paused = true)]
async fn throttling_does_not_end_a_wait() {
    let looks = Cell::new(0);
    let answer = until(&call(), "available", PACE, &patience(600), async || {
        looks.set(looks.get() + 1);
        if looks.get() == 1 {
            Err(call().answered("Throttling", "Rate exceeded", Some(400)))
        } else {
            Ok(Judgement::Ready(()))
        }
    })
    .await;
    assert_eq!(answer, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_denial_ends_a_wait_at_once() {
    let started = Instant::now();
    let error = until(&call(), "available", PACE, &patience(600), async || {
        Err::<Judgement<()>, _>(call().answered("AccessDenied", "no", Some(403)))
    })
    .await
    .unwrap_err();
    assert_eq!(error.kind, Kind::AccessDenied);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_wait_at_once() {
    let patience = patience(600);
    let stop = patience.stop.clone();
    let started = Instant::now();
    let call = call();
    let waiting = until(&call, "available", PACE, &patience, async || pending::<()>());
    let (ended, ()) = tokio::join!(waiting, async move {
        tokio::time::sleep(Duration::from_millis(3_300)).await;
        stop.cancel();
    });
    assert_eq!(ended.unwrap_err().kind, Kind::Interrupted);
    assert_eq!(started.elapsed().as_millis(), 3_300);
}

#[tokio::test(start_paused = true)]
async fn a_stop_drops_a_look_that_hangs() {
    let patience = patience(600);
    patience.stop.cancel();
    let hanging = || std::future::pending::<Result<Judgement<()>, AwsError>>();
    let ended = until(&call(), "available", PACE, &patience, hanging).await;
    assert_eq!(ended.unwrap_err().kind, Kind::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_hangs_at_the_deadline_is_given_up() {
    let started = Instant::now();
    let hanging = || std::future::pending::<Result<Judgement<()>, AwsError>>();
    let ended = until(&call(), "available", PACE, &patience(60), hanging).await;
    assert_eq!(ended.unwrap_err().kind, Kind::TimedOut);
    assert!(started.elapsed() <= Duration::from_secs(121), "{:?}", started.elapsed());
}

fn in_use() -> AwsError {
    call().answered("DependencyViolation", "resource sg-1 has a dependent object", Some(400))
}

fn passes(error: &AwsError) -> bool {
    error.kind == Kind::InUse
}

#[tokio::test(start_paused = true)]
async fn a_passing_error_is_tried_again() {
    let attempts = Cell::new(0);
    let answer = retry_while(passes, Duration::from_secs(120), PACE, &patience(600), async || {
        attempts.set(attempts.get() + 1);
        if attempts.get() < 3 { Err(in_use()) } else { Ok(attempts.get()) }
    })
    .await;
    assert_eq!(answer, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn trying_again_ends_at_its_bound_with_the_calls_own_error() {
    let started = Instant::now();
    let answer: Result<(), _> =
        retry_while(passes, Duration::from_secs(120), PACE, &patience(600), async || Err(in_use()))
            .await;
    assert_eq!(answer, Err(in_use()));
    assert_eq!(started.elapsed().as_secs(), 120);
}

#[tokio::test(start_paused = true)]
async fn another_error_is_not_tried_again() {
    let attempts = Cell::new(0);
    let answer: Result<(), _> =
        retry_while(passes, Duration::from_secs(120), PACE, &patience(600), async || {
            attempts.set(attempts.get() + 1);
            Err(call().answered("AccessDenied", "no", Some(403)))
        })
        .await;
    assert_eq!(answer.unwrap_err().kind, Kind::AccessDenied);
    assert_eq!(attempts.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_trying_again_and_keeps_the_last_answer() {
    let patience = patience(600);
    patience.stop.cancel();
    let answer: Result<(), _> =
        retry_while(passes, Duration::from_secs(120), PACE, &patience, async || Err(in_use()))
            .await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind, Kind::Interrupted);
    assert!(error.message.contains("has a dependent object"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_was_never_seen_is_waited_for_a_minute() {
    let visibility = Visibility::new();
    let absent = || visibility.judge(None::<()>, Judgement::Ready);
    assert!(matches!(absent(), Judgement::Pending(_)));
    tokio::time::advance(Duration::from_secs(61)).await;
    assert!(matches!(absent(), Judgement::Failed(_)));
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_and_is_absent_is_gone() {
    let visibility = Visibility::new();
    assert_eq!(visibility.judge(Some(7), Judgement::Ready), Judgement::Ready(7));
    assert!(matches!(visibility.judge(None::<i32>, Judgement::Ready), Judgement::Failed(_)));
}
