//! Which VPC a zone is made with, and whose a record is.

use super::*;
use crate::aws::route53::hosted_zone::ZoneVpc;

const NAME: &str = "d-1.studio.eu-west-1.sagemaker.aws";
const ACCOUNT: &str = "111111111111";

fn vpc(id: &str) -> ZoneVpc {
    ZoneVpc { vpc_id: id.into(), region: "eu-west-1".into() }
}

fn of_account(id: &str, account: Option<&str>) -> Association {
    let role = |account: &str| format!("arn:aws:iam::{account}:role/dns").as_str().into();
    Association { vpc: vpc(id), role_arn: account.map(role) }
}

fn first<'a>(vpcs: &'a BTreeSet<Association>, own: &str, account: Option<&str>) -> Option<&'a str> {
    let account = account.map(AccountId::from);
    first_vpc(vpcs, Some(&vpc(own)), account.as_ref()).map(|first| first.vpc.vpc_id.as_str())
}

fn record(name: &str, record_type: RecordType) -> Record {
    let data = RecordData::Values { ttl: 60, values: vec!["10.0.0.5".to_owned()] };
    Record { name: name.to_owned(), record_type, data }
}

#[test]
fn a_zone_is_made_with_the_resources_own_vpc_if_it_answers_there() {
    let vpcs = [of_account("vpc-1", None), of_account("vpc-2", None)].into();
    assert_eq!(first(&vpcs, "vpc-2", Some(ACCOUNT)), Some("vpc-2"));
    assert_eq!(first(&vpcs, "vpc-3", Some(ACCOUNT)), Some("vpc-1"));
}

#[test]
fn a_zone_is_made_with_a_vpc_of_its_own_account() {
    let foreign = of_account("vpc-1", Some("222222222222"));
    let vpcs = [foreign.clone(), of_account("vpc-2", Some(ACCOUNT))].into();
    assert_eq!(first(&vpcs, "vpc-3", Some(ACCOUNT)), Some("vpc-2"), "a role may be of the zone's own account");
    assert_eq!(first(&vpcs, "vpc-3", None), None, "whose the role is, is not known");
    assert_eq!(first(&[foreign].into(), "vpc-3", Some(ACCOUNT)), None);
    assert_eq!(first(&BTreeSet::new(), "vpc-3", Some(ACCOUNT)), None);
}

#[test]
fn addresses_of_a_name_and_of_all_below_it_are_its_records() {
    let names = [NAME.to_owned()].into();
    let wildcard = format!("*.{NAME}");
    for ours in [record(NAME, RecordType::A), record(&wildcard, RecordType::Aaaa)] {
        assert!(is_for(&ours, &names) && stands_for(&ours, &names), "{ours:?}");
    }
    let text = record(NAME, RecordType::Other("TXT".to_owned()));
    let below = record(&format!("more.{NAME}"), RecordType::A);
    let beside = record("*.studio.eu-west-1.sagemaker.aws", RecordType::A);
    for other in [text, below, beside] {
        assert!(!is_for(&other, &names) && !stands_for(&other, &names), "{other:?}");
    }
}

#[test]
fn a_cname_has_the_place_of_a_record_and_is_none_of_ours() {
    let names = [NAME.to_owned()].into();
    let cname = record(&format!("*.{NAME}"), RecordType::Other("CNAME".to_owned()));
    assert!(stands_for(&cname, &names) && !is_for(&cname, &names));
}
