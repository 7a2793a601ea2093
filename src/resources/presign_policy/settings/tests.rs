use super::*;
use crate::resources::values::{string_map, strings};

const DOMAIN: &str = "arn:aws:sagemaker:us-east-1:123456789012:domain/d-abcdefghijkl";

fn through(endpoints: &[&str]) -> Value<Allowed> {
    let endpoints = strings(endpoints.iter().map(ToString::to_string));
    Value::Known(Allowed { vpc_endpoint_ids: endpoints, ..Allowed::default() })
}

fn model() -> Model {
    Model {
        domain_arns: strings([DOMAIN.to_owned()]),
        allowed: Value::Known(vec![through(&["vpce-0aaaaaaaa"])]),
        ..Model::default()
    }
}

fn complaints(model: &Model) -> Vec<String> {
    let found = Settings::of(model).check();
    found.iter().map(|found| format!("{}: {}", found.path.as_ref().unwrap(), found.detail)).collect()
}

fn known(documents: &Documents) -> (bool, bool, bool) {
    (documents.policy.is_some(), documents.scp.is_some(), documents.endpoints.is_some())
}

#[test]
fn what_is_not_written_has_its_default() {
    let settings = Settings::of(&model());
    assert_eq!(settings.known.mode, Mode::Guard);
    assert_eq!(settings.known.user_profile, "*");
    assert_eq!(settings.gaps, Gaps::default());
    assert_eq!(complaints(&model()), [""; 0]);
    assert_eq!(known(&settings.documents()), (true, true, true));
}

#[test]
fn a_wrong_value_is_named_where_it_stands() {
    let mut wrong = model();
    wrong.domain_arns = strings(["d-1".to_owned(), DOMAIN.to_owned()]);
    wrong.resource_tags = string_map([("team".to_owned(), "${team}".to_owned())]);
    wrong.exempt_principal_arns = strings(["arn:aws:sts::123456789012:assumed-role/a/b".to_owned()]);
    let ranges = strings(["10.0.0.0/8".to_owned(), "10.1.2.3/16".to_owned()]);
    let second = Allowed { source_cidr_blocks: ranges, vpc_ids: Value::Known(Vec::new()), ..Allowed::default() };
    wrong.allowed = Value::Known(vec![Value::Known(Allowed::default()), Value::Known(second)]);
    let found = complaints(&wrong).join("\n");
    expect_test::expect![[r#"
        domain_arns["d-1"]: "d-1" is not the ARN of a SageMaker domain, such as arn:aws:sagemaker:us-east-1:123456789012:domain/d-abcdefghijkl.
        allowed[0]: allowed[0] asks nothing, so every request from anywhere would be on it, and whoever has the caller's credentials would be let in. Give it endpoints, VPCs or address ranges.

        Finding empty_path, shown by this request:
          {"name":"anyone on the internet","action":"sagemaker:CreatePresignedDomainUrl","resource":"arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-abcdefghijkl/ada","principal_arn":"arn:aws:iam::123456789012:role/Scientist","context":{"aws:SourceIp":"192.0.2.44"}}

        This is refused whatever on_lockout says: there is no policy for such a path.
        allowed[1].vpc_ids: allowed[1].vpc_ids is an empty list, so no request is on this path, and those for whom it is meant are locked out. Leave the list out to ask nothing there, or fill it.

        Finding empty_path, shown by this request:
          {"name":"someone whom the path does not take","action":"sagemaker:CreatePresignedDomainUrl","resource":"arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-abcdefghijkl/ada","principal_arn":"arn:aws:iam::123456789012:role/Scientist","context":{"aws:SourceIp":"192.0.2.44"}}

        This is refused whatever on_lockout says: there is no policy for such a path.
        allowed[1].source_cidr_blocks["10.1.2.3/16"]: "10.1.2.3/16" is an address inside the range 10.1.0.0/16; write the range.
        exempt_principal_arns["arn:aws:sts::123456789012:assumed-role/a/b"]: "arn:aws:sts::123456789012:assumed-role/a/b" is the ARN of a session, which never matches; give the ARN of its role.
        resource_tags["team"]: "${team}" is not a policy variable such as ${aws:username}."#]]
    .assert_eq(&found);
}

#[test]
fn the_summary_says_which_of_the_paths_is_wrong() {
    let mut wrong = model();
    let second = Allowed { vpc_ids: strings(["vpce-0aaaaaaaa".to_owned()]), ..Allowed::default() };
    wrong.allowed = Value::Known(vec![through(&["vpce-0aaaaaaaa"]), Value::Known(second)]);
    let found: Vec<_> = Settings::of(&wrong).check().into_iter().map(|found| found.summary).collect();
    assert_eq!(found, ["Invalid allowed[1].vpc_ids"]);
}

#[test]
fn no_path_at_all_is_an_error() {
    let mut wrong = model();
    wrong.allowed = Value::Known(vec![]);
    assert_eq!(complaints(&wrong), ["allowed: allow at least one path."]);
    wrong.allowed = Value::Unknown;
    assert_eq!(complaints(&wrong), [""; 0]);
}

#[test]
fn an_endpoint_that_is_made_in_the_same_run_hides_the_rules_and_not_the_endpoints_policies() {
    let mut unknown = model();
    let endpoints = Value::Known(vec![Value::Unknown, "vpce-0aaaaaaaa".into()]);
    unknown.allowed = Value::Known(vec![Value::Known(Allowed { vpc_endpoint_ids: endpoints, ..Allowed::default() })]);
    assert_eq!(complaints(&unknown), [""; 0]);
    assert_eq!(known(&Settings::of(&unknown).documents()), (false, false, true));
    unknown.domain_arns = Value::Known(vec![Value::Unknown]);
    assert_eq!(known(&Settings::of(&unknown).documents()), (false, false, false));
}

#[test]
fn what_is_known_is_checked_beside_what_is_not() {
    let mut unknown = model();
    let list = Allowed {
        vpc_endpoint_ids: Value::Unknown,
        source_cidr_blocks: Value::Known(vec![Value::Unknown, "10.0.0.1/8".into()]),
        ..Allowed::default()
    };
    unknown.allowed = Value::Known(vec![Value::Unknown, Value::Known(list), Value::Known(Allowed::default())]);
    let [range, empty] = complaints(&unknown).try_into().expect("two are wrong");
    assert_eq!(
        range,
        "allowed[1].source_cidr_blocks[\"10.0.0.1/8\"]: \"10.0.0.1/8\" is an address inside the range 10.0.0.0/8; write the range.",
    );
    assert!(empty.starts_with("allowed[2]: allowed[2] asks nothing"), "{empty}");
}

#[test]
fn the_mode_and_the_profile_do_not_concern_the_service_control_policy() {
    let mut unknown = model();
    unknown.user_profile = Value::Unknown;
    assert_eq!(known(&Settings::of(&unknown).documents()), (true, true, true), "a guard covers all profiles");
    unknown.mode = "both".into();
    assert_eq!(known(&Settings::of(&unknown).documents()), (false, true, true));
    unknown.mode = Value::Unknown;
    assert_eq!(known(&Settings::of(&unknown).documents()), (false, true, true));
}

#[test]
fn a_policy_that_is_too_long_names_what_to_shorten() {
    let mut long = model();
    let ids: Vec<String> = (0..400).map(|n| format!("vpce-0{n:016x}")).collect();
    long.allowed = Value::Known(vec![Value::Known(Allowed { vpc_endpoint_ids: strings(ids), ..Allowed::default() })]);
    let [complaint] = &complaints(&long)[..] else { panic!("one complaint") };
    assert!(complaint.starts_with("allowed: The policy has "), "{complaint}");
    assert!(complaint.contains("more than the 6144 that IAM allows"), "{complaint}");
}

#[test]
fn after_an_import_of_another_policy_nothing_is_known_and_nothing_is_wrong() {
    assert_eq!(complaints(&Model::default()), [""; 0]);
    assert_eq!(known(&Settings::of(&Model::default()).documents()), (false, false, false));
}
