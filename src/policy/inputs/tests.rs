use super::*;

#[test]
fn a_domain_arn_is_taken_apart() {
    let arn = "arn:aws-cn:sagemaker:cn-north-1:123456789012:domain/d-abcdefghijkl";
    let domain = check_domain_arn(arn).unwrap();
    assert_eq!(domain.user_profiles("*"), "arn:aws-cn:sagemaker:cn-north-1:123456789012:user-profile/d-abcdefghijkl/*");
}

#[test]
fn what_is_not_the_arn_of_one_domain_is_refused() {
    for arn in [
        "d-abc",
        "arn:aws:sagemaker:us-east-1:123456789012:domain/*",
        "arn:aws:sagemaker:us-east-1:123456789012:domain/d-",
        "arn:aws:sagemaker:us-east-1:123456789012:domain/d-ABC",
        "arn:aws:sagemaker:us-east-1:123456789012:domain/d-abc/x",
        "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-abc/x",
        "arn:aws:sagemaker:us-east-1:12345:domain/d-abc",
        "arn:aws:sagemaker:*:123456789012:domain/d-abc",
        "arn:*:sagemaker:us-east-1:123456789012:domain/d-abc",
        "arn:aws:s3:us-east-1:123456789012:domain/d-abc",
        " arn:aws:sagemaker:us-east-1:123456789012:domain/d-abc",
    ] {
        assert_eq!(check_domain_arn(arn), Err(Problem::NotDomainArn(arn.to_owned())));
    }
}

#[test]
fn a_range_with_host_bits_is_refused_with_the_range_it_lies_in() {
    assert_eq!(
        check_cidr("10.1.2.3/16").unwrap_err().to_string(),
        "\"10.1.2.3/16\" is an address inside the range 10.1.0.0/16; write the range"
    );
    assert_eq!(
        check_cidr("10.1.2.3").unwrap_err().to_string(),
        "\"10.1.2.3\" is an address inside the range 10.1.2.3/32; write the range"
    );
    assert!(check_cidr("2001:db8::1/64").is_err());
}

#[test]
fn ranges_of_both_families_are_read() {
    for cidr in ["0.0.0.0/0", "10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::/0"] {
        assert_eq!(check_cidr(cidr).unwrap().to_string(), cidr);
    }
    for text in ["", "10.0.0.0/33", "10.0.0/8", "ten/8", "10.0.0.0/8 "] {
        assert_eq!(check_cidr(text), Err(Problem::NotCidr(text.to_owned())));
    }
}

#[test]
fn ids_are_checked_by_the_list_they_stand_in() {
    assert_eq!(check_id(Key::SourceVpce, "vpce-0123456789abcdef0"), Ok(()));
    assert_eq!(check_id(Key::SourceVpce, "vpce-01234567"), Ok(()));
    assert_eq!(check_id(Key::SourceVpc, "vpc-0123456789abcdef0"), Ok(()));
    for id in ["vpce-1", "vpce-", "vpce-0123456789ABCDEF0", "vpc-0123456789abcdef0", "vpce-*"] {
        assert_eq!(check_id(Key::SourceVpce, id), Err(Problem::NotEndpointId(id.to_owned())));
    }
    let endpoint = "vpce-0123456789abcdef0";
    assert_eq!(check_id(Key::SourceVpc, endpoint), Err(Problem::NotVpcId(endpoint.to_owned())));
}

#[test]
fn principals_may_be_patterns() {
    for (arn, partition) in [
        ("arn:aws:iam::123456789012:role/BreakGlass", Some("aws")),
        ("arn:aws:iam::123456789012:role/path/to/BreakGlass", Some("aws")),
        ("arn:aws:iam::123456789012:user/ada", Some("aws")),
        ("arn:aws:iam::123456789012:root", Some("aws")),
        ("arn:aws-us-gov:iam::*:role/Admin*", Some("aws-us-gov")),
        ("arn:*:iam::123456789012:role/Admin", None),
        ("arn:aws:iam::123456789012:*", Some("aws")),
        ("arn:aws:sts::123456789012:federated-user/ada", Some("aws")),
    ] {
        assert_eq!(check_principal_arn(arn), Ok(partition), "{arn}");
    }
}

#[test]
fn what_no_principal_has_as_its_arn_is_refused() {
    for arn in [
        "*",
        "BreakGlass",
        "123456789012",
        "arn:aws:iam::123456789012:group/admins",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam:us-east-1:123456789012:role/x",
        "arn:aws:iam::1234:role/x",
        "arn:aws:iam::123456789012:role/with space",
        "arn:aws:s3:::bucket",
    ] {
        assert_eq!(check_principal_arn(arn), Err(Problem::NotPrincipalArn(arn.to_owned())));
    }
    let session = "arn:aws:sts::123456789012:assumed-role/Admin/ada";
    assert_eq!(check_principal_arn(session), Err(Problem::SessionArn(session.to_owned())));
    let variable = "arn:aws:iam::123456789012:user/${aws:username}";
    assert_eq!(check_principal_arn(variable), Err(Problem::VariableInExemption(variable.to_owned())));
}

#[test]
fn a_profile_is_a_name_a_pattern_or_holds_variables() {
    let longest = "a".repeat(63);
    for profile in ["*", "ada", "team-?-*", "${aws:username}", "x-${aws:PrincipalTag/p}", &longest] {
        assert_eq!(check_user_profile(profile), Ok(()), "{profile}");
    }
    for profile in ["", "a/b", "ada lovelace", "a_b", "${*}", &"a".repeat(64)] {
        assert_eq!(check_user_profile(profile), Err(Problem::BadProfile(profile.to_owned())));
    }
    assert!(matches!(check_user_profile("${aws:username"), Err(Problem::BadVariable(_))));
}

#[test]
fn a_tag_gives_the_variables_that_a_request_may_lack() {
    assert_eq!(check_resource_tag("team", "data science"), Ok(vec![]));
    assert_eq!(check_resource_tag("team", ""), Ok(vec![]));
    assert_eq!(
        check_resource_tag("id", "${aws:PrincipalTag/a}-${aws:PrincipalTag/b, 'x'}"),
        Ok(vec!["aws:PrincipalTag/a".to_owned()])
    );
    assert_eq!(check_resource_tag("", "x"), Err(Problem::BadTagKey(String::new())));
    assert_eq!(check_resource_tag("${a:b}", "x"), Err(Problem::BadTagKey("${a:b}".to_owned())));
    assert_eq!(check_resource_tag("k", "a*"), Err(Problem::BadTagValue("a*".to_owned())));
    assert_eq!(check_resource_tag("k", "${*}"), Err(Problem::BadTagValue("${*}".to_owned())));
    assert!(matches!(check_resource_tag("k", "${x}"), Err(Problem::BadVariable(_))));
}

#[test]
fn a_place_reads_as_the_user_wrote_it() {
    assert_eq!(At::PathValue(1, Key::SourceIp, 2).to_string(), "allowed[1].source_cidr_blocks[2]");
    assert_eq!(At::PathList(0, Key::SourceVpc).to_string(), "allowed[0].vpc_ids");
    assert_eq!(At::ResourceTag("team".into()).to_string(), "resource_tags[\"team\"]");
}
