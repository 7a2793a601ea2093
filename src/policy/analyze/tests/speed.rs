//! How long an analysis takes.

use super::*;

/// The least of a few runs, in milliseconds: other programs on the machine only add to it.
fn milliseconds(presign: &Presign, surroundings: &Surroundings) -> f64 {
    let run = || {
        let start = std::time::SystemTime::now();
        let findings = analyze(presign, surroundings);
        assert!(findings.iter().all(|finding| finding.code != Code::CannotTell));
        start.elapsed().map_or(f64::MAX, |elapsed| elapsed.as_secs_f64() * 1_000.0)
    };
    (0..5).map(|_| run()).fold(f64::MAX, f64::min)
}

/// Ten paths with twenty endpoints and ten ranges. Three of them ask for two things at once, which
/// is what multiplies.
fn ten_paths(double: usize) -> PresignSettings {
    let path = |n: usize| {
        let ids = [format!("vpce-0{n:016x}"), format!("vpce-1{n:016x}")];
        let range = vec![format!("10.{n}.0.0/16")];
        AllowedPath {
            vpc_endpoint_ids: Some(ids.to_vec()),
            vpc_source_cidr_blocks: (n < double).then_some(range.clone()),
            ..AllowedPath::default()
        }
    };
    let mut paths: Vec<_> = (0..10).map(path).collect();
    for n in double..10 {
        paths[n].vpc_ids = (n < 6).then(|| vec![format!("vpc-0{n:016x}")]);
    }
    settings(Mode::Both, paths)
}

#[test]
fn ten_paths_are_analysed_quickly() {
    // Unoptimized code, on a machine that has other things to do, gets more time.
    let limit = if cfg!(debug_assertions) { 2_000.0 } else { 50.0 };
    for double in [3, 5] {
        let settings = ten_paths(double);
        let presign = presign(&settings);
        let took = milliseconds(&presign, &Surroundings::default());
        assert!(took < limit, "{double}: {took} ms for {} statements", presign.identity_policy().statements.len());
        eprintln!("{double}: {took} ms for {} statements", presign.identity_policy().statements.len());
    }
}
