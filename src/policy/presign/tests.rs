//! What the documents look like, and what is wrong with settings.

use expect_test::expect_file;

use super::*;
use crate::policy::document::MANAGED_POLICY_LIMIT;

const DOMAIN: &str = "arn:aws:sagemaker:us-east-1:123456789012:domain/d-abcdefghijkl";
const OTHER: &str = "arn:aws:sagemaker:us-east-1:123456789012:domain/d-mnopqrstuvwx";

fn list(items: &[&str]) -> Option<Vec<String>> {
    Some(items.iter().map(|item| item.to_string()).collect())
}

/// The guard of one domain behind two endpoints.
fn settings() -> PresignSettings {
    PresignSettings {
        mode: Mode::Guard,
        domain_arns: vec![DOMAIN.to_owned()],
        user_profile: "*".to_owned(),
        allowed: vec![AllowedPath {
            vpc_endpoint_ids: list(&["vpce-0aaaaaaaaaaaaaaaa", "vpce-0bbbbbbbbbbbbbbbb"]),
            ..AllowedPath::default()
        }],
        exempt_principal_arns: Vec::new(),
        allow_via_aws_services: false,
        resource_tags: BTreeMap::new(),
    }
}

/// Everything at once.
fn rich_settings() -> PresignSettings {
    PresignSettings {
        mode: Mode::Both,
        domain_arns: vec![OTHER.to_owned(), DOMAIN.to_owned()],
        user_profile: "${aws:username}".to_owned(),
        allowed: vec![
            AllowedPath {
                vpc_ids: list(&["vpc-0aaaaaaaaaaaaaaaa"]),
                vpc_source_cidr_blocks: list(&["10.20.0.0/16", "10.10.0.0/16"]),
                ..AllowedPath::default()
            },
            AllowedPath { source_cidr_blocks: list(&["198.51.100.0/24"]), ..AllowedPath::default() },
        ],
        exempt_principal_arns: vec!["arn:aws:iam::123456789012:role/BreakGlass".to_owned()],
        allow_via_aws_services: true,
        resource_tags: BTreeMap::from([
            ("employee".to_owned(), "${aws:PrincipalTag/employee}".to_owned()),
            ("team".to_owned(), "data science".to_owned()),
        ]),
    }
}

fn presign(settings: &PresignSettings) -> Presign {
    Presign::new(settings).unwrap()
}

fn errors(settings: &PresignSettings) -> Vec<String> {
    Presign::new(settings).unwrap_err().iter().map(ToString::to_string).collect()
}

fn pretty(document: &Document) -> String {
    document.to_json_pretty() + "\n"
}

#[test]
fn the_guard_denies_off_the_endpoints() {
    let golden = expect_file!["../../../tests/golden/policy/guard.json"];
    golden.assert_eq(&pretty(&presign(&settings()).identity_policy()));
}

#[test]
fn the_grant_allows_through_the_endpoints() {
    let grant = PresignSettings { mode: Mode::Grant, ..settings() };
    let golden = expect_file!["../../../tests/golden/policy/grant.json"];
    golden.assert_eq(&pretty(&presign(&grant).identity_policy()));
}

#[test]
fn both_modes_and_every_setting_go_into_one_policy() {
    let golden = expect_file!["../../../tests/golden/policy/both.json"];
    golden.assert_eq(&pretty(&presign(&rich_settings()).identity_policy()));
}

#[test]
fn the_scp_is_the_guard_whatever_the_mode() {
    let golden = expect_file!["../../../tests/golden/policy/scp.json"];
    golden.assert_eq(&pretty(&presign(&rich_settings()).scp()));
    for mode in [Mode::Grant, Mode::Guard, Mode::Both] {
        let scp = presign(&PresignSettings { mode, ..rich_settings() }).scp();
        assert_eq!(scp, presign(&rich_settings()).scp());
    }
}

#[test]
fn an_endpoint_policy_keeps_everything_but_presigning_for_other_domains() {
    let golden = expect_file!["../../../tests/golden/policy/endpoint.json"];
    let presign = presign(&rich_settings());
    golden.assert_eq(&pretty(&presign.endpoint_policy(EndpointKind::Studio)));
    assert_eq!(presign.endpoint_policy(EndpointKind::Studio), presign.endpoint_policy(EndpointKind::SagemakerApi));
}

#[test]
fn the_order_of_settings_does_not_change_the_bytes() {
    let mut turned = rich_settings();
    turned.domain_arns.reverse();
    turned.allowed.reverse();
    turned.allowed[1].vpc_source_cidr_blocks.as_mut().unwrap().reverse();
    let (one, other) = (presign(&rich_settings()), presign(&turned));
    assert_eq!(one.identity_policy().to_json(), other.identity_policy().to_json());
    assert_eq!(one.scp().to_json(), other.scp().to_json());
}

#[test]
fn every_document_is_its_own_reading() {
    for settings in [settings(), rich_settings()] {
        let presign = presign(&settings);
        let endpoints = EndpointKind::ALL.map(|kind| presign.endpoint_policy(kind));
        for document in [presign.identity_policy(), presign.scp()].into_iter().chain(endpoints) {
            assert_eq!(Document::parse(&document.to_json()).unwrap(), document);
        }
    }
}

#[test]
fn sids_are_letters_and_digits_and_unique() {
    let presign = presign(&rich_settings());
    for document in [presign.identity_policy(), presign.endpoint_policy(EndpointKind::Studio)] {
        let sids: Vec<_> = document.statements.iter().map(|s| s.sid.clone().unwrap()).collect();
        assert!(sids.iter().all(|sid| sid.chars().all(|c| c.is_ascii_alphanumeric())), "{sids:?}");
        assert_eq!(sids.iter().collect::<BTreeSet<_>>().len(), sids.len(), "{sids:?}");
    }
}

#[test]
fn no_set_operator_is_ever_used() {
    let json = presign(&rich_settings()).identity_policy().to_json();
    assert!(!json.contains("ForA"));
}

#[test]
fn every_setting_at_fault_is_named() {
    let bad = PresignSettings {
        domain_arns: vec![DOMAIN.to_owned(), "d-abc".to_owned()],
        user_profile: "a/b".to_owned(),
        allowed: vec![
            AllowedPath::default(),
            AllowedPath {
                vpc_endpoint_ids: list(&["vpce-0aaaaaaaaaaaaaaaa", "vpce-x"]),
                vpc_ids: list(&[]),
                source_cidr_blocks: list(&["10.0.0.1/8"]),
                ..AllowedPath::default()
            },
        ],
        exempt_principal_arns: vec!["ada".to_owned()],
        resource_tags: BTreeMap::from([("k".to_owned(), "*".to_owned())]),
        ..settings()
    };
    let places: Vec<_> = Presign::new(&bad).unwrap_err().into_iter().map(|e| e.at).collect();
    assert_eq!(
        places,
        [
            At::DomainArn(1),
            At::UserProfile,
            At::Path(0),
            At::PathValue(1, Key::SourceVpce, 1),
            At::PathList(1, Key::SourceVpc),
            At::PathValue(1, Key::SourceIp, 0),
            At::ExemptPrincipalArn(0),
            At::ResourceTag("k".to_owned()),
        ]
    );
}

#[test]
fn no_domains_and_no_paths_are_errors() {
    let empty = PresignSettings { domain_arns: Vec::new(), allowed: Vec::new(), ..settings() };
    assert_eq!(errors(&empty), ["domain_arns: name at least one domain", "allowed: allow at least one path"]);
}

#[test]
fn partitions_may_not_be_mixed() {
    let china = "arn:aws-cn:sagemaker:cn-north-1:123456789012:domain/d-abcdefghijkl";
    let role = "arn:aws-us-gov:iam::123456789012:role/BreakGlass";
    let mixed = PresignSettings {
        domain_arns: vec![DOMAIN.to_owned(), china.to_owned()],
        exempt_principal_arns: vec![role.to_owned(), "arn:*:iam::*:role/BreakGlass".to_owned()],
        ..settings()
    };
    assert_eq!(
        errors(&mixed),
        [
            format!("domain_arns[1]: \"{china}\" is not in the partition aws of the first domain"),
            format!(
                "exempt_principal_arns[0]: \"{role}\" is not in the partition aws of the first \
                 domain"
            ),
        ]
    );
}

#[test]
fn paths_that_multiply_too_far_are_an_error() {
    let path = |n| AllowedPath {
        vpc_endpoint_ids: Some(vec![format!("vpce-000000{n:02}")]),
        vpc_ids: Some(vec![format!("vpc-000000{n:02}")]),
        ..AllowedPath::default()
    };
    let many = PresignSettings { allowed: (0..12).map(path).collect(), ..settings() };
    let errors = Presign::new(&many).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].at, At::Allowed);
    assert!(matches!(errors[0].problem, Problem::TooManyDenies(_)));
}

#[test]
fn a_policy_that_is_too_large_names_the_setting_to_shorten() {
    let presign_with = |count: usize| {
        let ids = (0..count).map(|n| format!("vpce-{n:017x}")).collect();
        let allowed = vec![AllowedPath { vpc_endpoint_ids: Some(ids), ..AllowedPath::default() }];
        presign(&PresignSettings { allowed, ..settings() })
    };
    let small = presign_with(200);
    assert_eq!(small.check_size(&small.identity_policy(), MANAGED_POLICY_LIMIT), Ok(()));
    let large = presign_with(300);
    let error = large.check_size(&large.identity_policy(), MANAGED_POLICY_LIMIT).unwrap_err();
    assert_eq!(error.heaviest.attribute, "allowed");
    assert_eq!(error.heaviest.characters, 300 * 22);
    assert_eq!(error.size, large.identity_policy().iam_size());
    assert!(error.to_string().contains("more than the 6144 that IAM allows"), "{error}");
}

#[test]
fn the_policies_for_endpoints_are_known_again_and_others_are_not() {
    let presign = presign(&settings());
    for kind in EndpointKind::ALL {
        let text = presign.endpoint_policy(kind).to_json();
        assert!(is_endpoint_policy(&Document::parse(&text).unwrap()));
    }
    let mut wider = presign.endpoint_policy(EndpointKind::Studio);
    wider.statements.remove(1);
    assert!(!is_endpoint_policy(&wider));
    let mut narrower = presign.endpoint_policy(EndpointKind::Studio);
    narrower.statements.remove(0);
    assert!(!is_endpoint_policy(&narrower));
    assert!(!is_endpoint_policy(&Document::full_access()));
    assert!(!is_endpoint_policy(&presign.scp()));
}
