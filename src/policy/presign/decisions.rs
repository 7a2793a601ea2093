//! What the documents decide, by the offline evaluator.

use super::*;
use crate::policy::evaluate::{Attached, Decision, Layer, Request, decide};

use Decision::{Allow as A, ExplicitDeny as E, ImplicitDeny as I};

const DOMAIN: &str = "arn:aws:sagemaker:us-east-1:123456789012:domain/d-abcdefghijkl";
const PROFILE: &str = "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-abcdefghijkl/ada";
const FOREIGN: &str = "arn:aws:sagemaker:us-east-1:210987654321:user-profile/d-mnopqrstuvwx/eve";
const CALLER: &str = "arn:aws:iam::123456789012:role/Scientist";
const BREAK_GLASS: &str = "arn:aws:iam::123456789012:role/BreakGlass";

const ENDPOINT: &str = "vpce-0aaaaaaaaaaaaaaaa";
const OTHER_ENDPOINT: &str = "vpce-0ffffffffffffffff";
const VPC: &str = "vpc-0aaaaaaaaaaaaaaaa";
const OTHER_VPC: &str = "vpc-0ffffffffffffffff";

fn list(items: &[&str]) -> Option<Vec<String>> {
    Some(items.iter().map(|item| item.to_string()).collect())
}

fn by_endpoint() -> AllowedPath {
    AllowedPath { vpc_endpoint_ids: list(&[ENDPOINT]), ..AllowedPath::default() }
}

fn by_address() -> AllowedPath {
    AllowedPath { source_cidr_blocks: list(&["203.0.113.0/24"]), ..AllowedPath::default() }
}

fn settings(mode: Mode, allowed: Vec<AllowedPath>) -> PresignSettings {
    PresignSettings {
        mode,
        domain_arns: vec![DOMAIN.to_owned()],
        user_profile: "*".to_owned(),
        allowed,
        exempt_principal_arns: Vec::new(),
        allow_via_aws_services: false,
        resource_tags: BTreeMap::new(),
    }
}

fn identity(document: Document) -> Attached {
    Attached { layer: Layer::Identity, document }
}

/// An Allow for everything, as many callers have it from another policy.
fn allow_all() -> Document {
    Document::new(vec![Statement::new(Effect::Allow, values(["*"])).on(values(["*"]))])
}

fn request() -> Request {
    Request::new(PRESIGN, PROFILE).by(CALLER)
}

/// Five ways to ask: the right endpoint, a wrong one, the internet, the VPN's public address, and
/// the console, which calls from the address of the person's browser.
fn five_requests() -> [Request; 5] {
    let through = |endpoint, vpc, address| {
        let request = request().with("aws:SourceVpce", endpoint).with("aws:SourceVpc", vpc);
        request.with("aws:VpcSourceIp", address)
    };
    [
        through(ENDPOINT, VPC, "10.1.2.3"),
        through(OTHER_ENDPOINT, OTHER_VPC, "10.200.0.1"),
        request().with("aws:SourceIp", "192.0.2.44"),
        request().with("aws:SourceIp", "203.0.113.9"),
        request().with("aws:SourceIp", "192.0.2.99").with("aws:ViaAWSService", "false"),
    ]
}

/// What the identity policy of these settings decides for the five, beside an Allow for everything
/// where it only denies.
fn five_decisions(settings: &PresignSettings) -> [Decision; 5] {
    let mut policies = vec![identity(Presign::new(settings).unwrap().identity_policy())];
    if settings.mode == Mode::Guard {
        policies.push(identity(allow_all()));
    }
    five_requests().map(|request| decide(&policies, &request).decision)
}

#[test]
fn a_grant_by_vpc_endpoint_or_private_address_allows_on_that_path_only() {
    let by_vpc = AllowedPath { vpc_ids: list(&[VPC]), ..AllowedPath::default() };
    let by_private_address = AllowedPath {
        vpc_ids: list(&[VPC]),
        vpc_source_cidr_blocks: list(&["10.1.0.0/16"]),
        ..AllowedPath::default()
    };
    for path in [by_vpc, by_endpoint(), by_private_address] {
        assert_eq!(five_decisions(&settings(Mode::Grant, vec![path])), [A, I, I, I, I]);
    }
}

#[test]
fn a_grant_by_public_address_allows_from_there_only() {
    assert_eq!(five_decisions(&settings(Mode::Grant, vec![by_address()])), [I, I, I, A, I]);
}

#[test]
fn a_guard_by_endpoint_denies_everything_else() {
    assert_eq!(five_decisions(&settings(Mode::Guard, vec![by_endpoint()])), [A, E, E, E, E]);
}

#[test]
fn a_guard_with_two_paths_lets_both_through() {
    let guard = settings(Mode::Guard, vec![by_endpoint(), by_address()]);
    assert_eq!(five_decisions(&guard), [A, E, E, A, E]);
    assert_eq!(Presign::new(&guard).unwrap().identity_policy().statements.len(), 1);
}

#[test]
fn an_endpoint_and_a_public_address_in_one_path_lock_everyone_out() {
    // A request through an endpoint has no public address, so no request meets both.
    let path = AllowedPath { source_cidr_blocks: list(&["203.0.113.0/24"]), ..by_endpoint() };
    assert_eq!(five_decisions(&settings(Mode::Guard, vec![path.clone()])), [E, E, E, E, E]);
    assert_eq!(five_decisions(&settings(Mode::Grant, vec![path])), [I, I, I, I, I]);
}

#[test]
fn both_modes_together_need_no_other_policy() {
    let both = settings(Mode::Both, vec![by_endpoint(), by_address()]);
    assert_eq!(five_decisions(&both), [A, E, E, A, E]);
}

#[test]
fn a_grant_also_describes_profiles_and_a_guard_leaves_that_alone() {
    let describe = |mut request: Request| {
        request.action = "sagemaker:DescribeUserProfile".to_owned();
        request
    };
    let grant = Presign::new(&settings(Mode::Grant, vec![by_endpoint()])).unwrap();
    let guard = Presign::new(&settings(Mode::Guard, vec![by_endpoint()])).unwrap();
    let [right, _, internet, ..] = five_requests().map(describe);
    let granted = [identity(grant.identity_policy())];
    assert_eq!(decide(&granted, &right).decision, A);
    assert_eq!(decide(&granted, &internet).decision, I);
    let guarded = [identity(guard.identity_policy()), identity(allow_all())];
    assert_eq!(decide(&guarded, &internet).decision, A);
}

#[test]
fn other_domains_are_left_alone_by_the_guard_and_not_granted() {
    let elsewhere = |mut request: Request| {
        request.resource = FOREIGN.to_owned();
        request
    };
    let guard = Presign::new(&settings(Mode::Guard, vec![by_endpoint()])).unwrap();
    let grant = Presign::new(&settings(Mode::Grant, vec![by_endpoint()])).unwrap();
    for request in five_requests().map(elsewhere) {
        let guarded = [identity(guard.identity_policy()), identity(allow_all())];
        assert_eq!(decide(&guarded, &request).decision, A);
        assert_eq!(decide(&[identity(grant.identity_policy())], &request).decision, I);
    }
}

#[test]
fn an_endpoint_refuses_other_domains_to_everyone_and_nothing_else() {
    let mut settings = settings(Mode::Guard, vec![by_endpoint()]);
    settings.exempt_principal_arns = vec![BREAK_GLASS.to_owned()];
    let presign = Presign::new(&settings).unwrap();
    for kind in EndpointKind::ALL {
        let document = presign.endpoint_policy(kind);
        let policies = [identity(allow_all()), Attached { layer: Layer::Endpoint, document }];
        let ask = |action: &str, resource: &str| {
            decide(&policies, &Request::new(action, resource).by(BREAK_GLASS)).decision
        };
        assert_eq!(ask(PRESIGN, PROFILE), A);
        assert_eq!(ask(PRESIGN, FOREIGN), E);
        // A domain whose id starts like the named one is another domain.
        assert_eq!(ask(PRESIGN, &PROFILE.replace("ijkl/", "ijklm/")), E);
        let app =
            "arn:aws:sagemaker:us-east-1:123456789012:app/d-mnopqrstuvwx/eve/JupyterLab/default";
        assert_eq!(ask("sagemaker:CreateApp", app), A);
        assert_eq!(ask("sagemaker:DescribeDomain", FOREIGN), A);
    }
}

#[test]
fn an_exempt_principal_escapes_every_deny_and_gains_nothing() {
    let mut settings = settings(Mode::Both, vec![by_endpoint()]);
    settings.exempt_principal_arns = vec![BREAK_GLASS.to_owned()];
    settings.resource_tags.insert("team".to_owned(), "${aws:PrincipalTag/team}".to_owned());
    let policy = identity(Presign::new(&settings).unwrap().identity_policy());
    let internet = Request::new(PRESIGN, PROFILE).with("aws:SourceIp", "192.0.2.44");
    let exempt = internet.clone().by(BREAK_GLASS);
    let allow_all = identity(allow_all());
    assert_eq!(decide(&[policy.clone(), allow_all.clone()], &exempt).decision, A);
    assert_eq!(decide(std::slice::from_ref(&policy), &exempt).decision, I);
    // Not even without a principal in the request.
    assert_eq!(decide(&[policy, allow_all], &internet).decision, E);
}

#[test]
fn services_on_behalf_of_the_caller_escape_only_if_asked_for() {
    let with = |allow, via: Option<&str>| {
        let mut settings = settings(Mode::Guard, vec![by_endpoint()]);
        settings.allow_via_aws_services = allow;
        let policy = Presign::new(&settings).unwrap().identity_policy();
        let request = match via {
            Some(via) => request().with("aws:ViaAWSService", via),
            None => request(),
        };
        decide(&[identity(policy), identity(allow_all())], &request).decision
    };
    assert_eq!(with(true, Some("true")), A);
    assert_eq!(with(true, Some("false")), E);
    assert_eq!(with(true, None), E);
    assert_eq!(with(false, Some("true")), E);
}

#[test]
fn a_tag_by_variable_denies_callers_without_a_value_for_it() {
    let mut settings = settings(Mode::Both, vec![by_endpoint()]);
    settings.resource_tags.insert("employee".to_owned(), "${aws:PrincipalTag/employee}".to_owned());
    let policies =
        [identity(Presign::new(&settings).unwrap().identity_policy()), identity(allow_all())];
    let on_path = request().with("aws:SourceVpce", ENDPOINT);
    let ask = |caller: Option<&str>, profile: Option<&str>| {
        let mut request = on_path.clone();
        if let Some(caller) = caller {
            request = request.with("aws:PrincipalTag/employee", caller);
        }
        if let Some(profile) = profile {
            request = request.with("sagemaker:ResourceTag/employee", profile);
        }
        decide(&policies, &request).decision
    };
    assert_eq!(ask(Some("7"), Some("7")), A);
    assert_eq!(ask(Some("7"), Some("8")), E);
    assert_eq!(ask(Some("7"), None), E);
    assert_eq!(ask(None, Some("7")), E);
    assert_eq!(ask(None, None), E);
}

#[test]
fn a_grant_by_user_name_is_for_ones_own_profile() {
    let mut settings = settings(Mode::Grant, vec![by_endpoint()]);
    settings.user_profile = "${aws:username}".to_owned();
    let policies = [identity(Presign::new(&settings).unwrap().identity_policy())];
    let on_path = request().with("aws:SourceVpce", ENDPOINT);
    let named =
        |name: &str| decide(&policies, &on_path.clone().with("aws:username", name)).decision;
    assert_eq!(named("ada"), A);
    assert_eq!(named("eve"), I);
    assert_eq!(decide(&policies, &on_path).decision, I);
}

/// Random settings against every request that their values can make: the documents decide exactly
/// as the paths say.
#[test]
fn random_paths_are_allowed_on_and_denied_off() {
    let mut dice = Dice(0x5eed_0001);
    let requests = all_requests();
    let (mut on, mut off) = (0, 0);
    for _ in 0..40 {
        let settings = random_settings(&mut dice);
        let with = |mode| Presign::new(&PresignSettings { mode, ..settings.clone() }).unwrap();
        let allow_all = identity(allow_all());
        let grant = [identity(with(Mode::Grant).identity_policy())];
        let guard = [identity(with(Mode::Guard).identity_policy()), allow_all.clone()];
        let both = [identity(with(Mode::Both).identity_policy())];
        let scp = |document| Attached { layer: Layer::Scp, document };
        let under_scp =
            [allow_all.clone(), scp(allow_all.document.clone()), scp(with(Mode::Grant).scp())];
        for asked in &requests {
            let request = asked.request();
            let meets = is_on_a_path(&settings, asked) && has_tags(&settings, asked);
            let spared = is_spared(&settings, asked);
            let expected_guard = if meets || spared { A } else { E };
            let expected_both = if meets {
                A
            } else if spared {
                I
            } else {
                E
            };
            let context = (&settings, asked);
            assert_eq!(decide(&grant, &request).decision, if meets { A } else { I }, "{context:?}");
            assert_eq!(decide(&guard, &request).decision, expected_guard, "{context:?}");
            assert_eq!(decide(&under_scp, &request).decision, expected_guard, "{context:?}");
            assert_eq!(decide(&both, &request).decision, expected_both, "{context:?}");
            if meets { on += 1 } else { off += 1 }
        }
    }
    assert!(on > 1_000 && off > 1_000, "both sides are tried: {on} on, {off} off");
}

const ENDPOINTS: [&str; 4] =
    ["vpce-0aaaaaaaaaaaaaaaa", "vpce-0bbbbbbbbbbbbbbbb", "vpce-0cccccccccccccccc", OTHER_ENDPOINT];
const VPCS: [&str; 3] = [VPC, "vpc-0bbbbbbbbbbbbbbbb", OTHER_VPC];
const PUBLIC: [&str; 4] = ["198.51.100.0/24", "198.51.100.0/28", "203.0.113.0/24", "2001:db8::/32"];
const PRIVATE: [&str; 3] = ["10.0.0.0/8", "10.1.0.0/16", "172.16.0.0/12"];
const PUBLIC_ADDRESSES: [&str; 4] = ["198.51.100.3", "198.51.100.200", "192.0.2.1", "2001:db8::7"];
const PRIVATE_ADDRESSES: [&str; 3] = ["10.1.2.3", "10.2.0.1", "192.168.0.1"];

/// A request as plain facts, to be judged without any policy.
#[derive(Debug, Clone, Copy)]
struct Asked {
    endpoint: Option<&'static str>,
    vpc: Option<&'static str>,
    public: Option<&'static str>,
    private: Option<&'static str>,
    break_glass: bool,
    via_service: Option<bool>,
    tag: Option<&'static str>,
}

impl Asked {
    fn request(&self) -> Request {
        let caller = if self.break_glass { BREAK_GLASS } else { CALLER };
        let mut request = Request::new(PRESIGN, PROFILE).by(caller);
        let facts = [
            ("aws:SourceVpce", self.endpoint),
            ("aws:SourceVpc", self.vpc),
            ("aws:SourceIp", self.public),
            ("aws:VpcSourceIp", self.private),
            ("aws:ViaAWSService", self.via_service.map(|via| if via { "true" } else { "false" })),
            ("sagemaker:ResourceTag/team", self.tag),
        ];
        for (key, value) in facts {
            if let Some(value) = value {
                request = request.with(key, value);
            }
        }
        request
    }
}

fn maybe<T: Copy>(items: &[T]) -> Vec<Option<T>> {
    std::iter::once(None).chain(items.iter().copied().map(Some)).collect()
}

/// Every endpoint with every VPC and address, whether or not AWS could ever send it so. The other
/// facts go round in turn.
fn all_requests() -> Vec<Asked> {
    let mut requests = Vec::new();
    for endpoint in maybe(&ENDPOINTS) {
        for vpc in maybe(&VPCS) {
            for public in maybe(&PUBLIC_ADDRESSES) {
                for private in maybe(&PRIVATE_ADDRESSES) {
                    let turn = requests.len();
                    requests.push(Asked {
                        endpoint,
                        vpc,
                        public,
                        private,
                        break_glass: turn % 7 == 0,
                        via_service: [None, Some(false), Some(true)][turn % 3],
                        tag: [Some("blue"), Some("red"), Some("blue"), Some("blue"), None]
                            [turn % 5],
                    });
                }
            }
        }
    }
    requests
}

fn is_on_a_path(settings: &PresignSettings, asked: &Asked) -> bool {
    let id = |list: &Option<Vec<String>>, value: Option<&str>| match (list, value) {
        (None, _) => true,
        (Some(list), Some(value)) => list.iter().any(|id| id == value),
        (Some(_), None) => false,
    };
    let address = |list: &Option<Vec<String>>, value: Option<&str>| match (list, value) {
        (None, _) => true,
        (Some(list), Some(value)) => list.iter().any(|range| {
            range
                .parse::<ipnet::IpNet>()
                .unwrap()
                .contains(&value.parse::<std::net::IpAddr>().unwrap())
        }),
        (Some(_), None) => false,
    };
    settings.allowed.iter().any(|path| {
        id(&path.vpc_endpoint_ids, asked.endpoint)
            && id(&path.vpc_ids, asked.vpc)
            && address(&path.source_cidr_blocks, asked.public)
            && address(&path.vpc_source_cidr_blocks, asked.private)
    })
}

fn has_tags(settings: &PresignSettings, asked: &Asked) -> bool {
    settings.resource_tags.get("team").is_none_or(|team| asked.tag == Some(team))
}

fn is_spared(settings: &PresignSettings, asked: &Asked) -> bool {
    (asked.break_glass && !settings.exempt_principal_arns.is_empty())
        || (asked.via_service == Some(true) && settings.allow_via_aws_services)
}

fn random_settings(dice: &mut Dice) -> PresignSettings {
    let paths = 1 + dice.below(4);
    let mut settings = settings(Mode::Guard, (0..paths).map(|_| random_path(dice)).collect());
    if dice.below(3) == 0 {
        settings.exempt_principal_arns = vec![BREAK_GLASS.to_owned()];
    }
    settings.allow_via_aws_services = dice.below(3) == 0;
    if dice.below(3) == 0 {
        settings.resource_tags.insert("team".to_owned(), "blue".to_owned());
    }
    settings
}

fn random_path(dice: &mut Dice) -> AllowedPath {
    let mut some = |pool: &[&str]| {
        let chosen: Vec<_> = pool.iter().filter(|_| dice.below(3) == 0).collect();
        let list: Vec<String> = chosen.into_iter().map(|item| item.to_string()).collect();
        (!list.is_empty()).then_some(list)
    };
    loop {
        let path = AllowedPath {
            // The last of each pool is never allowed by name, so that something is always off.
            vpc_endpoint_ids: some(&ENDPOINTS[..3]),
            vpc_ids: some(&VPCS[..2]),
            source_cidr_blocks: some(&PUBLIC),
            vpc_source_cidr_blocks: some(&PRIVATE),
        };
        if path != AllowedPath::default() {
            return path;
        }
    }
}

/// A small generator (xorshift), so that every run tries the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}
