//! How long an analysis takes. `cargo test --profile speed --no-default-features --lib speed -- --nocapture` says it in
//! milliseconds, and holds it to the figure; the other profiles have more time.

use super::*;

/// Optimized, ten paths take less than this. Unoptimized code, on a machine that has other things
/// to do, gets more time.
const LIMIT: f64 = if cfg!(debug_assertions) { 5_000.0 } else { 50.0 };

/// The least of a few runs, in milliseconds: other programs on the machine only add to it.
fn milliseconds(presign: &Presign, surroundings: &Surroundings) -> f64 {
    let run = || {
        let start = clock();
        let findings = analyze(presign, surroundings);
        assert!(findings.iter().all(|finding| finding.code != Code::CannotTell));
        clock() - start
    };
    (0..3).map(|_| run()).fold(f64::MAX, f64::min)
}

/// Milliseconds that this thread has been on a processor, where the system tells; else of the day.
fn clock() -> f64 {
    let on_processor = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = on_processor.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let of_day = || std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0.0, |elapsed| elapsed.as_secs_f64() * 1e9);
    nanoseconds.unwrap_or_else(of_day) / 1e6
}

fn endpoint(n: usize, service: usize) -> String {
    format!("vpce-{service}{n:016x}")
}

/// Ten paths with twenty endpoints and ten ranges. Those below `double` ask for two or three things
/// at once, which is what multiplies.
fn ten_paths(double: usize) -> PresignSettings {
    let path = |n: usize| {
        let range = vec![format!("10.{n}.0.0/16"), format!("10.{n}.{n}.0/24")];
        AllowedPath {
            vpc_endpoint_ids: Some(vec![endpoint(n, 0), endpoint(n, 1)]),
            vpc_source_cidr_blocks: (n < double).then_some(range),
            ..AllowedPath::default()
        }
    };
    let mut settings = settings(Mode::Both, (0..10).map(path).collect());
    for (n, path) in settings.allowed.iter_mut().enumerate().skip(double) {
        path.vpc_ids = (n < 6).then(|| vec![format!("vpc-0{n:016x}")]);
    }
    settings
}

/// All endpoints, with a policy each.
fn known(presign: &Presign) -> Surroundings {
    let one = |n: usize, service: usize| Endpoint {
        service: Some(if service == 0 { Service::Studio } else { Service::SagemakerApi }),
        vpc_id: Some(format!("vpc-0{n:016x}")),
        private_dns: Some(true),
        policy: Some(presign.endpoint_policy(EndpointKind::Studio)),
    };
    let all = (0..10).flat_map(|n| [0, 1].map(|service| (endpoint(n, service), one(n, service))));
    Surroundings { endpoints: all.collect(), ..Surroundings::default() }
}

#[test]
fn ten_paths_are_analysed_quickly() {
    for double in [0, 3, 5, 6] {
        let settings = ten_paths(double);
        let presign = presign(&settings);
        for surroundings in [Surroundings::default(), known(&presign)] {
            let took = milliseconds(&presign, &surroundings);
            let statements = presign.identity_policy().statements.len();
            eprintln!("{took:.1} ms for {statements} statements and {} known endpoints", surroundings.endpoints.len());
            assert!(took < LIMIT, "{double}: {took} ms for {statements} statements");
        }
    }
}

#[test]
fn tags_with_variables_do_not_multiply() {
    let tag =
        |n: usize| (format!("tag{n}"), if n < 3 { format!("${{aws:PrincipalTag/tag{n}}}") } else { "x".to_owned() });
    let settings = PresignSettings {
        resource_tags: (0..6).map(tag).collect(),
        user_profile: "${aws:username}".to_owned(),
        allow_via_aws_services: true,
        ..ten_paths(3)
    };
    let took = milliseconds(&presign(&settings), &Surroundings::default());
    eprintln!("{took:.1} ms with six tags");
    assert!(took < LIMIT, "{took} ms");
}
