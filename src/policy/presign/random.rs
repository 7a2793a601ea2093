//! Random settings against every request that their values can make.

use fastrand::Rng;

use super::decisions::{
    BREAK_GLASS, CALLER, FOREIGN, OTHER_ENDPOINT, OTHER_VPC, PROFILE, VPC, allow_all, identity, settings,
};
use super::*;
use crate::policy::evaluate::Decision::{Allow as A, ExplicitDeny as E, ImplicitDeny as I};
use crate::policy::evaluate::{Attached, Layer, Request, decide};

/// The documents decide exactly as the paths say, when a URL is made and when it is used.
#[test]
fn random_paths_are_allowed_on_and_denied_off() {
    let mut dice = Rng::with_seed(0x5eed_0001);
    let requests = all_requests();
    let (mut on, mut off) = (0, 0);
    for _ in 0..30 {
        let settings = random_settings(&mut dice);
        let with = |mode| Presign::new(&PresignSettings { mode, ..settings.clone() }).unwrap();
        let allow_all = identity(allow_all());
        let grant = [identity(with(Mode::Grant).identity_policy())];
        let guard = [identity(with(Mode::Guard).identity_policy()), allow_all.clone()];
        let both = [identity(with(Mode::Both).identity_policy())];
        let scp = |document| Attached { layer: Layer::Scp, document };
        let under_scp = [allow_all.clone(), scp(allow_all.document.clone()), scp(with(Mode::Grant).scp())];
        let through = EndpointKind::ALL.map(|kind| {
            let document = with(Mode::Both).endpoint_policy(kind);
            [both[0].clone(), Attached { layer: Layer::Endpoint, document }]
        });
        for asked in &requests {
            let request = asked.request();
            let meets = !asked.foreign && is_on_a_path(&settings, asked) && has_tags(&settings, asked);
            let spared = asked.foreign || is_spared(&settings, asked);
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
            // The same when a URL is made, seen from sagemaker.api, and used, seen from studio.
            // A foreign domain is opened through neither, whatever else the caller is allowed.
            for [own, endpoint] in through.iter().filter(|_| asked.endpoint.is_some()) {
                let policies = [own.clone(), endpoint.clone()];
                let expected = if asked.foreign { E } else { expected_both };
                assert_eq!(decide(&policies, &request).decision, expected, "{context:?}");
                let whoever = [allow_all.clone(), endpoint.clone()];
                let expected = if asked.foreign { E } else { A };
                assert_eq!(decide(&whoever, &request).decision, expected, "{context:?}");
            }
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
    /// Whether it is for another domain than the one that is named.
    foreign: bool,
}

impl Asked {
    fn request(&self) -> Request {
        let caller = if self.break_glass { BREAK_GLASS } else { CALLER };
        let mut request = Request::new(PRESIGN, if self.foreign { FOREIGN } else { PROFILE }).by(caller);
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
                        tag: [Some("blue"), Some("red"), Some("blue"), Some("blue"), None][turn % 5],
                        foreign: turn % 11 == 0,
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
        (Some(list), Some(value)) => list
            .iter()
            .any(|range| range.parse::<ipnet::IpNet>().unwrap().contains(&value.parse::<std::net::IpAddr>().unwrap())),
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

/// Settings with up to four paths, exemptions and a tag.
pub(in crate::policy) fn random_settings(dice: &mut Rng) -> PresignSettings {
    let paths = 1 + dice.u8(..4);
    let mut settings = settings(Mode::Guard, (0..paths).map(|_| random_path(dice)).collect());
    if dice.u8(..3) == 0 {
        settings.exempt_principal_arns = vec![BREAK_GLASS.to_owned()];
    }
    settings.allow_via_aws_services = dice.u8(..3) == 0;
    if dice.u8(..3) == 0 {
        settings.resource_tags.insert("team".to_owned(), "blue".to_owned());
    }
    settings
}

fn random_path(dice: &mut Rng) -> AllowedPath {
    let mut some = |pool: &[&str]| {
        let chosen: Vec<_> = pool.iter().filter(|_| dice.u8(..3) == 0).collect();
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
