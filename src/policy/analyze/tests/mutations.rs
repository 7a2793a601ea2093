//! Documents with a hole put in on purpose: the analysis finds it, and its witness gets through.
//!
//! Every document of a rich set of settings is changed in every single way of a list, one at a
//! time. Requests over a grid, judged by the settings alone, say whether the change did harm.

use std::sync::LazyLock;

use expect_test::expect;

use super::mutants::mutants;
use super::*;
use crate::policy::analyze::systems::Kind;
use crate::policy::evaluate::{Fact, Request};
use crate::policy::presign::PRESIGN;

pub(super) const OTHER_ENDPOINT: &str = "vpce-0cccccccccccccccc";
pub(super) const PROFILE: &str = "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-abcdefghijkl/ada";
const OTHER_PROFILE: &str = "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-abcdefghijkl/eve";
const FOREIGN: &str = "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-mnopqrstuvwx/ada";

/// Endpoints or public addresses, or a VPC with private addresses; a tag by variable; exemptions.
fn rich(mode: Mode) -> PresignSettings {
    PresignSettings {
        user_profile: "${aws:username}".to_owned(),
        allow_via_aws_services: true,
        resource_tags: BTreeMap::from([("team".to_owned(), "${aws:PrincipalTag/team}".to_owned())]),
        ..settings(
            mode,
            vec![
                endpoints(&[STUDIO, API]),
                addresses(&["198.51.100.0/24", "203.0.113.0/24"]),
                AllowedPath { vpc_source_cidr_blocks: list(&["10.0.0.0/8"]), ..vpcs(&[VPC]) },
            ],
        )
    }
}

/// A request of the grid, and what it says, for judging it without any policy.
struct Asked {
    request: Request,
    on_path: bool,
    /// Whether the values of variables are there and fit.
    tagged: bool,
    /// Whether the profile is the caller's own.
    own: bool,
    named: bool,
    spared: bool,
}

/// Every route with every caller, tag and profile, not crossed where that shows nothing new.
fn grid() -> Vec<Asked> {
    let through = |endpoint: &str, vpc: &str, address: &str, on_path| {
        let request = Request::new(PRESIGN, "").with("aws:SourceVpce", endpoint).with("aws:SourceVpc", vpc);
        (request.with("aws:VpcSourceIp", address), on_path)
    };
    let from = |address: &str, on_path| (Request::new(PRESIGN, "").with("aws:SourceIp", address), on_path);
    let routes = [
        through(STUDIO, VPC, "10.1.2.3", true),
        through(API, OTHER_VPC, "192.168.0.1", true),
        through(OTHER_ENDPOINT, VPC, "10.1.2.3", true),
        through(OTHER_ENDPOINT, VPC, "192.168.0.1", false),
        through(OTHER_ENDPOINT, OTHER_VPC, "10.1.2.3", false),
        from("198.51.100.7", true),
        from("203.0.113.9", true),
        from("192.0.2.44", false),
        from("2001:db8::7", false),
    ];
    let callers =
        [(ROLE, None), (ROLE, Some("false")), (ROLE, Some("true")), (BREAK_GLASS, None), (BREAK_GLASS, Some("true"))];
    let profiles = [
        (PROFILE, Some("a"), Some("a")),
        (PROFILE, Some("a"), Some("b")),
        (PROFILE, Some("a"), None),
        (PROFILE, None, Some("a")),
        (OTHER_PROFILE, Some("a"), Some("a")),
        (FOREIGN, Some("a"), Some("a")),
        (FOREIGN, None, Some("a")),
    ];
    let mut grid = Vec::new();
    for (route, on_path) in routes {
        for (caller, via) in callers {
            for (resource, mine, theirs) in profiles {
                let mut request = route.clone().by(caller).with("aws:username", "ada");
                request.resource = resource.to_owned();
                let facts = [
                    ("aws:ViaAWSService", via),
                    ("aws:PrincipalTag/team", mine),
                    ("sagemaker:ResourceTag/team", theirs),
                ];
                for (key, value) in facts.into_iter().filter_map(|(key, value)| Some((key, value?))) {
                    request = request.with(key, value);
                }
                grid.push(Asked {
                    request,
                    on_path,
                    tagged: mine.is_some() && mine == theirs,
                    own: resource == PROFILE,
                    named: resource != FOREIGN,
                    spared: caller == BREAK_GLASS || via == Some("true"),
                });
            }
        }
    }
    grid
}

impl Asked {
    /// What the settings say for a kind of system.
    fn is_meant(&self, kind: &Kind) -> bool {
        match kind {
            Kind::Grant => self.own && self.on_path && self.tagged,
            Kind::Guard | Kind::Scp => !self.named || self.spared || (self.on_path && self.tagged),
            Kind::Endpoint(_) => self.named,
            Kind::Through(_) | Kind::Caller(_) => unreachable!("nothing was looked up"),
        }
    }
}

/// What a request of the grid shows of a system: is anyone let in, is anyone locked out?
fn harm(system: &System, grid: &[Asked]) -> (bool, bool) {
    let (mut let_in, mut locked_out) = (false, false);
    for asked in grid {
        let allowed = decide(&system.policies, &asked.request).decision == Decision::Allow;
        let meant = asked.is_meant(&system.kind);
        let_in |= allowed && !meant;
        locked_out |= !allowed && meant;
    }
    (let_in, locked_out)
}

/// Analyses a changed set of documents and holds the findings against the grid, for the systems
/// that the changed document is in. Gives whether the change did harm.
fn check(presign: &Presign, documents: &Documents, changed: &Document, how: &str, grid: &[Asked]) -> bool {
    let findings = analyze_documents(presign, documents, &Surroundings::default());
    let systems = inventory(presign, documents, &Surroundings::default());
    let (mut let_in, mut locked_out) = (false, false);
    for system in systems.iter().filter(|system| system.policies.iter().any(|policy| policy.document == *changed)) {
        let (inside, outside) = harm(system, grid);
        let_in |= inside;
        locked_out |= outside;
    }
    let has = |code| findings.iter().any(|finding| finding.code == code);
    assert!(!let_in || has(Code::LetIn), "{how}: somebody is let in, found {:?}", codes(&findings));
    let is_out = has(Code::LockedOut) || has(Code::EveryoneLockedOut);
    assert!(!locked_out || is_out, "{how}: somebody is locked out, found {:?}", codes(&findings));
    assert!(!has(Code::CannotTell), "{how}: {:?}", codes(&findings));
    for finding in findings.iter().filter(|finding| [Code::LetIn, Code::LockedOut].contains(&finding.code)) {
        check_form(finding);
        let decisions: Vec<_> =
            systems.iter().map(|system| decide(&system.policies, &finding.witness.to_request()).decision).collect();
        let shown = match finding.code {
            Code::LetIn => decisions.contains(&Decision::Allow),
            _ => decisions.iter().any(|decision| *decision != Decision::Allow),
        };
        assert!(shown, "{how}: {finding:?}");
    }
    has(Code::LetIn) || is_out
}

/// Changes one of the documents in every way of the list. Gives how many changes did harm,
/// and lists those that did not.
fn sweep(mode: Mode, pick: fn(&mut Documents) -> &mut Document) -> (usize, String) {
    let presign = presign(&rich(mode));
    let mut whole = Documents::of(&presign);
    let grid = grid();
    let original = pick(&mut whole).clone();
    assert!(!check(&presign, &whole, &original, "unchanged", &grid));
    let (mut harmful, mut harmless) = (0, String::new());
    for (how, mutant) in mutants(&original) {
        let mut documents = whole.clone();
        *pick(&mut documents) = mutant.clone();
        match check(&presign, &documents, &mutant, &how, &grid) {
            true => harmful += 1,
            false => harmless += &format!("{how}\n"),
        }
    }
    (harmful, harmless)
}

/// Several tests hold others against these two.
static GUARD: LazyLock<(usize, String)> = LazyLock::new(|| sweep(Mode::Guard, |documents| &mut documents.identity[0]));
static GRANT: LazyLock<(usize, String)> = LazyLock::new(|| sweep(Mode::Grant, |documents| &mut documents.identity[0]));

/// What is listed decides the same. Negated operators hold for an absent key with or without
/// `IfExists`; for a key with one value, the set operators differ in an absent key only; and what
/// one Deny lets through for want of a key of the network, the other one stops.
#[test]
fn every_hole_in_a_guard_is_found() {
    let (harmful, harmless) = &*GUARD;
    expect![[r#"
        DenyOffPath1: ArnNotLike aws:PrincipalArn as ForAllValues:ArnNotLike
        DenyOffPath1: ArnNotLike aws:PrincipalArn as ForAnyValue:ArnNotLike
        DenyOffPath1: ArnNotLike aws:PrincipalArn as ArnNotLikeIfExists
        DenyOffPath1: BoolIfExists aws:ViaAWSService as ForAllValues:BoolIfExists
        DenyOffPath1: BoolIfExists aws:ViaAWSService as ForAnyValue:BoolIfExists
        DenyOffPath1: NotIpAddress aws:SourceIp as ForAllValues:NotIpAddress
        DenyOffPath1: NotIpAddress aws:SourceIp as NotIpAddressIfExists
        DenyOffPath1: NotIpAddress aws:SourceIp with 0.0.0.0/0
        DenyOffPath1: NotIpAddress aws:SourceIp with ::/0
        DenyOffPath1: StringNotEquals aws:SourceVpc as ForAllValues:StringNotEquals
        DenyOffPath1: StringNotEquals aws:SourceVpc as ForAnyValue:StringNotEquals
        DenyOffPath1: StringNotEquals aws:SourceVpc as StringNotEqualsIfExists
        DenyOffPath1: StringNotEquals aws:SourceVpce as ForAllValues:StringNotEquals
        DenyOffPath1: StringNotEquals aws:SourceVpce as ForAnyValue:StringNotEquals
        DenyOffPath1: StringNotEquals aws:SourceVpce as StringNotEqualsIfExists
        DenyOffPath2: ArnNotLike aws:PrincipalArn as ForAllValues:ArnNotLike
        DenyOffPath2: ArnNotLike aws:PrincipalArn as ForAnyValue:ArnNotLike
        DenyOffPath2: ArnNotLike aws:PrincipalArn as ArnNotLikeIfExists
        DenyOffPath2: BoolIfExists aws:ViaAWSService as ForAllValues:BoolIfExists
        DenyOffPath2: BoolIfExists aws:ViaAWSService as ForAnyValue:BoolIfExists
        DenyOffPath2: NotIpAddress aws:SourceIp as ForAllValues:NotIpAddress
        DenyOffPath2: NotIpAddress aws:SourceIp as NotIpAddressIfExists
        DenyOffPath2: NotIpAddress aws:SourceIp with 0.0.0.0/0
        DenyOffPath2: NotIpAddress aws:SourceIp with ::/0
        DenyOffPath2: NotIpAddress aws:VpcSourceIp as ForAllValues:NotIpAddress
        DenyOffPath2: NotIpAddress aws:VpcSourceIp as ForAnyValue:NotIpAddress
        DenyOffPath2: NotIpAddress aws:VpcSourceIp as NotIpAddressIfExists
        DenyOffPath2: StringNotEquals aws:SourceVpce as ForAllValues:StringNotEquals
        DenyOffPath2: StringNotEquals aws:SourceVpce as ForAnyValue:StringNotEquals
        DenyOffPath2: StringNotEquals aws:SourceVpce as StringNotEqualsIfExists
        DenyWithoutTag1: ArnNotLike aws:PrincipalArn as ForAllValues:ArnNotLike
        DenyWithoutTag1: ArnNotLike aws:PrincipalArn as ForAnyValue:ArnNotLike
        DenyWithoutTag1: ArnNotLike aws:PrincipalArn as ArnNotLikeIfExists
        DenyWithoutTag1: BoolIfExists aws:ViaAWSService as ForAllValues:BoolIfExists
        DenyWithoutTag1: BoolIfExists aws:ViaAWSService as ForAnyValue:BoolIfExists
        DenyWithoutTag1: StringNotEquals sagemaker:ResourceTag/team as ForAllValues:StringNotEquals
        DenyWithoutTag1: StringNotEquals sagemaker:ResourceTag/team as StringNotEqualsIfExists
        DenyWithoutValue1: ArnNotLike aws:PrincipalArn as ForAllValues:ArnNotLike
        DenyWithoutValue1: ArnNotLike aws:PrincipalArn as ForAnyValue:ArnNotLike
        DenyWithoutValue1: ArnNotLike aws:PrincipalArn as ArnNotLikeIfExists
        DenyWithoutValue1: BoolIfExists aws:ViaAWSService as ForAllValues:BoolIfExists
        DenyWithoutValue1: BoolIfExists aws:ViaAWSService as ForAnyValue:BoolIfExists
    "#]]
    .assert_eq(harmless);
    assert!(*harmful > 60, "{harmful}");
}

/// What is listed decides the same: a request with a private address has a VPC too.
#[test]
fn every_hole_in_a_grant_is_found() {
    let (harmful, harmless) = &*GRANT;
    expect![[r#"
        AllowOnPath1: StringEquals aws:SourceVpce as ForAnyValue:StringEquals
        AllowOnPath1: StringEquals sagemaker:ResourceTag/team as ForAnyValue:StringEquals
        AllowOnPath2: IpAddress aws:VpcSourceIp as ForAllValues:IpAddress
        AllowOnPath2: IpAddress aws:VpcSourceIp as ForAnyValue:IpAddress
        AllowOnPath2: IpAddress aws:VpcSourceIp as IpAddressIfExists
        AllowOnPath2: StringEquals aws:SourceVpc as ForAllValues:StringEquals
        AllowOnPath2: StringEquals aws:SourceVpc as ForAnyValue:StringEquals
        AllowOnPath2: StringEquals aws:SourceVpc as StringEqualsIfExists
        AllowOnPath2: StringEquals sagemaker:ResourceTag/team as ForAnyValue:StringEquals
        AllowOnPath3: IpAddress aws:SourceIp as ForAnyValue:IpAddress
        AllowOnPath3: StringEquals sagemaker:ResourceTag/team as ForAnyValue:StringEquals
    "#]]
    .assert_eq(harmless);
    assert!(*harmful > 30, "{harmful}");
}

/// One document is the grant and the guard, and has the holes of both.
#[test]
fn every_hole_in_a_policy_that_is_both_is_found() {
    let (harmful, harmless) = sweep(Mode::Both, |documents| &mut documents.identity[0]);
    assert_eq!(harmless, format!("{}{}", GRANT.1, GUARD.1));
    // Its version is one and not two.
    assert_eq!(harmful, GRANT.0 + GUARD.0 - 1);
}

/// It is the guard, and has its holes.
#[test]
fn every_hole_in_a_service_control_policy_is_found() {
    let scp = sweep(Mode::Grant, |documents| documents.scp.as_mut().unwrap());
    assert_eq!(scp, *GUARD);
}

#[test]
fn every_hole_in_an_endpoint_policy_is_found() {
    let picks: [fn(&mut Documents) -> &mut Document; 2] = [
        |documents| documents.endpoints.get_mut(&EndpointKind::Studio).unwrap(),
        |documents| documents.endpoints.get_mut(&EndpointKind::SagemakerApi).unwrap(),
    ];
    for pick in picks {
        for mode in [Mode::Grant, Mode::Guard, Mode::Both] {
            let (harmful, harmless) = sweep(mode, pick);
            // It has no variables, and the Allow is for everything already.
            assert_eq!(harmless, "Version of 2008\nAllowEverythingElse: all resources\n");
            assert!(harmful > 5, "{harmful}");
        }
    }
}

/// The grid has what a person would try, on both sides.
#[test]
fn the_grid_tries_all_sides() {
    let grid = grid();
    for kind in [Kind::Grant, Kind::Guard, Kind::Endpoint(EndpointKind::Studio)] {
        let meant = grid.iter().filter(|asked| asked.is_meant(&kind)).count();
        assert!(meant > 10 && grid.len() - meant > 10, "{kind:?}: {meant} of {}", grid.len());
    }
    assert!(grid.iter().all(|asked| !matches!(asked.request.fact("aws:username"), Some(Fact::Unknown))));
}
