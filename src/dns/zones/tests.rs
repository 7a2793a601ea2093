use super::*;

fn region(name: &str) -> Region {
    Region::new(name).unwrap()
}

fn zone(name: &str) -> ZoneName {
    ZoneName::parse(name).unwrap()
}

fn text(names: Vec<ZoneName>) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn a_region_knows_its_partition() {
    for (name, partition, suffix) in [
        ("us-east-1", "aws", "amazonaws.com"),
        ("ap-southeast-2", "aws", "amazonaws.com"),
        ("mx-central-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
        ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
        ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
    ] {
        assert_eq!(region(name).partition().as_str(), partition);
        assert_eq!(region(name).partition().dns_suffix(), suffix);
    }
}

#[test]
fn what_is_not_the_form_of_a_region_is_refused() {
    for name in ["", "us", "us-east", "us-east-1a", "US-EAST-1", "us-east-one", "useast-1", "us-east-1-2", "aws-global"]
    {
        assert_eq!(Region::new(name), Err(ZonesError::NotARegion(name.to_owned())));
    }
}

#[test]
fn parents_by_region_and_fips() {
    use Fips::{No, Yes};
    let table: [(&str, Fips, &[&str]); 6] = [
        ("us-west-2", No, &["studio.us-west-2.sagemaker.aws", "studio.sagemaker.us-west-2.app.aws"]),
        ("us-west-2", Yes, &["studio.us-west-2.sagemaker.aws", "studio.sagemaker.us-west-2.app.aws"]),
        ("cn-north-1", No, &["studio.cn-north-1.sagemaker.com.cn"]),
        ("cn-northwest-1", Yes, &["studio.cn-northwest-1.sagemaker.com.cn"]),
        ("us-gov-east-1", No, &["studio.us-gov-east-1.sagemaker.aws", "studio.sagemaker.us-gov-east-1.app.aws"]),
        (
            "us-gov-west-1",
            Yes,
            &[
                "studio.us-gov-west-1.sagemaker.aws",
                "studio-fips.us-gov-west-1.sagemaker.aws",
                "studio.sagemaker.us-gov-west-1.app.aws",
            ],
        ),
    ];
    for (name, fips, expected) in table {
        assert_eq!(text(studio_parents(&region(name), fips).unwrap()), expected, "{name} {fips:?}");
    }
}

#[test]
fn a_partition_without_known_names_gets_none() {
    for name in ["eusc-de-east-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-east-1"] {
        let region = region(name);
        let unknown = ZonesError::UnknownNames(region.partition());
        assert_eq!(studio_parents(&region, Fips::No), Err(unknown.clone()));
        assert_eq!(host_names(&DomainId::new("d-abc").unwrap(), &region), Err(unknown));
    }
}

#[test]
fn a_domain_has_two_host_names_in_every_partition() {
    let domain = DomainId::new("d-abcdefghijkl").unwrap();
    assert_eq!(
        text(host_names(&domain, &region("us-east-1")).unwrap()),
        ["d-abcdefghijkl.studio.us-east-1.sagemaker.aws", "studio-d-abcdefghijkl.studio.us-east-1.sagemaker.aws"]
    );
    assert_eq!(
        text(host_names(&domain, &region("cn-north-1")).unwrap()),
        [
            "d-abcdefghijkl.studio.cn-north-1.sagemaker.com.cn",
            "studio-d-abcdefghijkl.studio.cn-north-1.sagemaker.com.cn"
        ]
    );
}

#[test]
fn a_domain_id_must_fit_into_a_host_name() {
    for id in ["d-1", "d-abcdefghijkl", "d--a", &format!("d-{}", "a".repeat(54))] {
        assert!(DomainId::new(id).is_ok(), "{id}");
    }
    for id in ["", "d-", "abc", "D-abc", "d-ABC", "d-a_b", "d-a-", &format!("d-{}", "a".repeat(55))] {
        assert_eq!(DomainId::new(id), Err(ZonesError::NotADomainId(id.to_owned())));
    }
}

#[test]
fn api_zones_by_region_and_fips() {
    use Fips::{No, Yes};
    let table: [(&str, Fips, &[&str]); 6] = [
        (
            "us-west-2",
            No,
            &[
                "api.sagemaker.us-west-2.amazonaws.com",
                "api.sagemaker.us-west-2.api.aws",
                "runtime.sagemaker.us-west-2.amazonaws.com",
                "runtime.sagemaker.us-west-2.api.aws",
            ],
        ),
        (
            "us-east-1",
            Yes,
            &[
                "api.sagemaker.us-east-1.amazonaws.com",
                "api.sagemaker.us-east-1.api.aws",
                "api-fips.sagemaker.us-east-1.amazonaws.com",
                "api.sagemaker-fips.us-east-1.api.aws",
                "runtime.sagemaker.us-east-1.amazonaws.com",
                "runtime.sagemaker.us-east-1.api.aws",
                "runtime-fips.sagemaker.us-east-1.amazonaws.com",
                "runtime.sagemaker-fips.us-east-1.api.aws",
            ],
        ),
        (
            "us-gov-west-1",
            Yes,
            &[
                "api.sagemaker.us-gov-west-1.amazonaws.com",
                "api.sagemaker.us-gov-west-1.api.aws",
                "api-fips.sagemaker.us-gov-west-1.amazonaws.com",
                "api.sagemaker-fips.us-gov-west-1.api.aws",
                "runtime.sagemaker.us-gov-west-1.amazonaws.com",
                "runtime.sagemaker.us-gov-west-1.api.aws",
                "runtime.sagemaker-fips.us-gov-west-1.api.aws",
            ],
        ),
        (
            "cn-north-1",
            No,
            &[
                "api.sagemaker.cn-north-1.amazonaws.com.cn",
                "api.sagemaker.cn-north-1.api.amazonwebservices.com.cn",
                "runtime.sagemaker.cn-north-1.amazonaws.com.cn",
                "runtime.sagemaker.cn-north-1.api.amazonwebservices.com.cn",
            ],
        ),
        (
            "us-iso-east-1",
            No,
            &[
                "api.sagemaker.us-iso-east-1.c2s.ic.gov",
                "api.sagemaker.us-iso-east-1.api.aws.ic.gov",
                "runtime.sagemaker.us-iso-east-1.c2s.ic.gov",
                "runtime.sagemaker.us-iso-east-1.api.aws.ic.gov",
            ],
        ),
        (
            "eusc-de-east-1",
            No,
            &[
                "api.sagemaker.eusc-de-east-1.amazonaws.eu",
                "api.sagemaker.eusc-de-east-1.api.amazonwebservices.eu",
                "runtime.sagemaker.eusc-de-east-1.amazonaws.eu",
                "runtime.sagemaker.eusc-de-east-1.api.amazonwebservices.eu",
            ],
        ),
    ];
    for (name, fips, expected) in table {
        assert_eq!(text(api_zones(&region(name), fips)), expected, "{name} {fips:?}");
    }
}

#[test]
fn service_names_by_key_region_and_fips() {
    use Fips::{No, Yes};
    let table: [(&str, &str, Fips, &[&str]); 16] = [
        ("studio", "us-east-1", No, &["aws.sagemaker.us-east-1.studio"]),
        ("studio", "us-gov-west-1", No, &["aws.sagemaker.us-gov-west-1.studio"]),
        ("studio", "cn-north-1", No, &["aws.sagemaker.cn-north-1.studio"]),
        (
            "studio",
            "us-gov-west-1",
            Yes,
            &["aws.sagemaker.us-gov-west-1.studio-fips", "aws.sagemaker.us-gov-west-1.studio"],
        ),
        ("notebook", "cn-north-1", No, &["aws.sagemaker.cn-north-1.notebook"]),
        ("sagemaker.api", "us-east-1", No, &["com.amazonaws.us-east-1.sagemaker.api"]),
        (
            "sagemaker.api",
            "us-east-1",
            Yes,
            &["com.amazonaws.us-east-1.sagemaker.api-fips", "com.amazonaws.us-east-1.sagemaker.api"],
        ),
        (
            "sagemaker.runtime",
            "cn-northwest-1",
            No,
            &["cn.com.amazonaws.cn-northwest-1.sagemaker.runtime", "com.amazonaws.cn-northwest-1.sagemaker.runtime"],
        ),
        // Logs in China keeps the usual prefix.
        ("logs", "cn-north-1", No, &["com.amazonaws.cn-north-1.logs", "cn.com.amazonaws.cn-north-1.logs"]),
        (
            "transcribe",
            "cn-north-1",
            No,
            &["cn.com.amazonaws.cn-north-1.transcribe.cn", "com.amazonaws.cn-north-1.transcribe.cn"],
        ),
        (
            "sagemaker.api",
            "us-iso-east-1",
            No,
            &["gov.ic.c2s.us-iso-east-1.sagemaker.api", "com.amazonaws.us-iso-east-1.sagemaker.api"],
        ),
        (
            "sagemaker.runtime",
            "us-isob-east-1",
            No,
            &["gov.sgov.sc2s.us-isob-east-1.sagemaker.runtime", "com.amazonaws.us-isob-east-1.sagemaker.runtime"],
        ),
        (
            "sagemaker.api",
            "eusc-de-east-1",
            No,
            &["com.amazonaws.eusc-de-east-1.sagemaker.api", "eu.amazonaws.eusc-de-east-1.sagemaker.api"],
        ),
        (
            "ecr.api",
            "eusc-de-east-1",
            No,
            &["eu.amazonaws.eusc-de-east-1.ecr.api", "com.amazonaws.eusc-de-east-1.ecr.api"],
        ),
        ("ecr.dkr", "eu-west-1", No, &["com.amazonaws.eu-west-1.ecr.dkr"]),
        ("sts-fips", "us-east-1", Yes, &["com.amazonaws.us-east-1.sts-fips"]),
    ];
    for (key, name, fips, expected) in table {
        assert_eq!(service_names(key, &region(name), fips).unwrap(), expected, "{key} {name}");
    }
}

#[test]
fn a_whole_service_name_or_other_text_is_no_key() {
    let region = region("us-east-1");
    for key in ["", ".", "a..b", "Studio", "com.amazonaws.us-east-1.sts", "aws.sagemaker.us-east-1.studio", "a b"] {
        assert_eq!(service_names(key, &region, Fips::No), Err(BadService(key.to_owned())));
    }
}

#[test]
fn a_zone_above_studios_names_swallows_more() {
    let region = region("us-east-1");
    for name in ["aws", "sagemaker.aws", "us-east-1.sagemaker.aws", "app.aws", "amazonaws.com", "com"] {
        assert!(matches!(reach(&zone(name), &region), Reach::Swallows(_)), "{name}");
    }
    for name in [
        "studio.us-east-1.sagemaker.aws",
        "d-abc.studio.us-east-1.sagemaker.aws",
        "studio.sagemaker.us-east-1.app.aws",
        "api.sagemaker.us-east-1.amazonaws.com",
    ] {
        assert_eq!(reach(&zone(name), &region), Reach::Within, "{name}");
    }
    for name in ["studio.us-east-2.sagemaker.aws", "example.com", "notebook.us-east-1.sagemaker.aws"] {
        assert_eq!(reach(&zone(name), &region), Reach::Elsewhere, "{name}");
    }
    let swallowed = reach(&zone("sagemaker.aws"), &region);
    assert_eq!(swallowed, Reach::Swallows(vec![zone("studio.us-east-1.sagemaker.aws")]));
}

/// Every name that follows from a Region and FIPS, one block each.
fn all_names(name: &str, fips: Fips) -> String {
    let region = region(name);
    let form = if fips == Fips::Yes { " with FIPS" } else { "" };
    let mut lines = vec![format!("{name} ({}){form}", region.partition())];
    let mut put = |what: &str, names: Vec<String>| lines.push(format!("  {what}: {}", names.join(" ")));
    match studio_parents(&region, fips) {
        Ok(parents) => put("parents", text(parents)),
        Err(error) => put("parents", vec![format!("({error})")]),
    }
    if let Ok(hosts) = host_names(&DomainId::new("d-x").unwrap(), &region) {
        put("hosts", text(hosts));
    }
    put("apis", text(api_zones(&region, fips)));
    for key in ["studio", "sagemaker.api", "sagemaker.runtime", "s3", "sts"] {
        put(key, service_names(key, &region, fips).unwrap());
    }
    lines.join("\n")
}

/// The file is written from AWS's own tables (the Public Suffix List, the SDKs' endpoint rules, the CDK's table of
/// endpoint services), and checked by hand where it changes.
#[test]
fn every_name_of_every_partition_is_as_in_the_table() {
    let regions = [
        "us-east-1",
        "us-west-2",
        "eu-central-1",
        "ap-southeast-2",
        "us-gov-west-1",
        "us-gov-east-1",
        "cn-north-1",
        "cn-northwest-1",
        "eusc-de-east-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "eu-isoe-west-1",
        "us-isof-south-1",
    ];
    let names = regions.into_iter().flat_map(|region| [Fips::No, Fips::Yes].map(|fips| all_names(region, fips)));
    let table = names.collect::<Vec<_>>().join("\n\n");
    expect_test::expect_file!["names.txt"].assert_eq(&format!("{table}\n"));
}

#[test]
fn parents_follow_what_the_endpoint_serves() {
    let served = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        text(served_parents(&names, &region("us-west-2"), Fips::No))
    };
    let (usual, newer) = ("studio.us-west-2.sagemaker.aws", "studio.sagemaker.us-west-2.app.aws");
    assert_eq!(served(&[]), [usual, newer], "nothing is known of it");
    assert_eq!(served(&["*.studio.us-west-2.sagemaker.aws", usual]), [usual], "the newer one is not served");
    let third = "studio.us-west-2.example.aws";
    assert_eq!(served(&[third, newer, usual, usual]), [usual, newer, third], "one that nobody knew comes last");
}
