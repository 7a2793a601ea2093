use super::*;
use crate::resources::values::string_map;

fn complaints(endpoints: &[(&str, &str)]) -> Vec<String> {
    let map = endpoints.iter().map(|(service, id)| ((*service).to_owned(), (*id).to_owned()));
    let found = check_endpoint_policies(&string_map(map));
    found.iter().map(|found| format!("{}: {}", found.path.as_ref().unwrap(), found.detail)).collect()
}

#[test]
fn an_endpoint_policy_is_set_by_service_and_id() {
    assert_eq!(complaints(&[("studio", "vpce-0aaaaaaaa"), ("sagemaker.api", "vpce-0bbbbbbbb")]), [""; 0]);
    assert_eq!(
        complaints(&[("sagemaker.runtime", "vpce-0aaaaaaaa")]),
        ["endpoint_policies[\"sagemaker.runtime\"]: \"sagemaker.runtime\" is not one of studio, sagemaker.api."]
    );
    assert_eq!(
        complaints(&[("studio", "vpc-0aaaaaaaa")]),
        [
            "endpoint_policies[\"studio\"]: \"vpc-0aaaaaaaa\" is not the id of a VPC endpoint, such as vpce-0123456789abcdef0."
        ]
    );
    assert_eq!(
        complaints(&[("studio", "vpce-0aaaaaaaa"), ("sagemaker.api", "vpce-0aaaaaaaa")]),
        [
            "endpoint_policies[\"studio\"]: vpce-0aaaaaaaa is given for sagemaker.api as well. An endpoint is for one service."
        ]
    );
}

#[test]
fn a_service_is_told_by_the_end_of_its_name() {
    use EndpointKind::{SagemakerApi, Studio};
    for (name, expected) in [
        ("aws.sagemaker.eu-west-1.studio", Some(Studio)),
        ("com.amazonaws.eu-west-1.sagemaker.api", Some(SagemakerApi)),
        ("com.amazonaws.us-gov-west-1.sagemaker.api-fips", Some(SagemakerApi)),
        ("cn.com.amazonaws.cn-north-1.sagemaker.api", Some(SagemakerApi)),
        ("com.amazonaws.eu-west-1.sagemaker.runtime", None),
        ("aws.sagemaker.eu-west-1.notebook", None),
    ] {
        assert_eq!(kind_of_service(name), expected, "{name}");
    }
}

#[test]
fn names_are_told_from_arns() {
    assert!(iam_name("studio-presign_1+2=3,4.5@6", "a policy").is_ok());
    for wrong in ["", "two words", "path/name", "arn:aws:iam::123456789012:role/r"] {
        assert!(iam_name(wrong, "a role").is_err(), "{wrong}");
    }
    assert!(iam_path("/").is_ok() && iam_path("/studio/").is_ok());
    assert!(iam_path("studio/").is_err() && iam_path("/studio").is_err());
}
