//! Which zones there are: by mode, and by the private DNS of the studio endpoint.

use serde_json::json;

use super::{APP_PARENT, PARENT, Place, another_vpc, both, delete_zone, records, vpcs};

const PUBLIC: [&str; 2] = ["hosted_zone.mode", "hosted_zone_ids"];

#[test]
fn each_mode_has_its_zones_and_is_changed_in_place() {
    let place = Place::new();
    let endpoints = json!({ "services": ["studio"], "private_dns_enabled": false });
    let mode = |mode: &str| json!({ "endpoints": endpoints, "hosted_zone": { "mode": mode } });
    place.make(&mode("domain"));
    let hosts = place.hosts();
    let id = place.text("domain_id");
    assert_eq!(hosts, [format!("{id}.{PARENT}"), format!("studio-{id}.{PARENT}")]);
    assert_eq!(place.values()["forward_zones"], json!([PARENT, APP_PARENT]));
    let target = place.values()["endpoint_dns"]["studio"]["dns_name"].as_str().expect("it has a name").to_owned();
    let assert_zones_of = |names: &[&str]| {
        assert_eq!(place.zone_names(), names);
        for (name, zone) in place.zone_ids() {
            assert_eq!(records(&place.outside, &zone), both(&["A"], &name, &target));
            assert_eq!(vpcs(&place.outside, &zone), [place.network.vpc_id.clone()].into());
        }
        assert_eq!(place.hosts(), hosts);
        assert_eq!(place.values()["forward_zones"], json!([PARENT, APP_PARENT]));
    };
    assert_zones_of(&[&hosts[0], &hosts[1]]);

    place.change(&mode("parent"), &PUBLIC);
    assert_zones_of(&[APP_PARENT, PARENT]);
    place.change(&mode("none"), &PUBLIC);
    assert_zones_of(&[]);
    place.change(&mode("parent"), &PUBLIC);
    assert_zones_of(&[APP_PARENT, PARENT]);
    place.change(&mode("domain"), &PUBLIC);
    assert_zones_of(&[&hosts[0], &hosts[1]]);
    place.destroy();
}

#[test]
fn a_zone_gets_all_its_records_in_one_batch_and_loses_them_in_one() {
    let place = Place::new();
    place.make(&json!({}));
    assert_eq!(place.account.count("ChangeResourceRecordSets"), 2, "one batch for each of two zones");
    place.change(&json!({ "hosted_zone": { "record_type": "ip" } }), &["hosted_zone.record_type"]);
    assert_eq!(place.account.count("ChangeResourceRecordSets"), 4);
    place.destroy();
    assert_eq!(place.account.count("ChangeResourceRecordSets"), 6);
}

#[test]
fn parent_zones_that_would_answer_nowhere_are_refused() {
    let place = Place::new();
    let nowhere = ["hosted_zone.mode", "private DNS is on", "vpc_associations"];
    place.refuse(&json!({ "hosted_zone": { "mode": "parent" } }), &nowhere);
    // One parent is adopted, the other one would be made.
    let vpc = another_vpc(&place.account);
    let zone = super::zone_by_hand(&place.outside, PARENT, &vpc);
    let adopted = json!({ "mode": "parent", "existing_zone_ids": { PARENT: zone } });
    place.refuse(&json!({ "hosted_zone": adopted }), &nowhere);
}

#[test]
fn where_aws_serves_the_parents_their_zones_are_for_other_vpcs_alone() {
    let place = Place::new();
    let vpc = another_vpc(&place.account);
    let zones = json!({ "mode": "parent", "vpc_associations": [{ "vpc_id": vpc }] });
    place.make(&json!({ "hosted_zone": zones }));
    assert_eq!(place.zone_names(), [APP_PARENT, PARENT]);
    for zone in place.zone_ids().into_values() {
        assert_eq!(vpcs(&place.outside, &zone), [vpc.clone()].into());
    }
    place.destroy();
}

#[test]
fn parent_zones_join_and_leave_the_vpc_when_private_dns_goes_and_comes() {
    let place = Place::new();
    let vpc = another_vpc(&place.account);
    let with = |private_dns: bool| {
        let zones = json!({ "mode": "parent", "vpc_associations": [{ "vpc_id": vpc }] });
        json!({ "hosted_zone": zones, "endpoints": { "services": ["studio"], "private_dns_enabled": private_dns } })
    };
    let answer_in = |expected: &[&String]| {
        for zone in place.zone_ids().into_values() {
            assert_eq!(vpcs(&place.outside, &zone), expected.iter().map(|vpc| (*vpc).clone()).collect());
        }
    };
    place.make(&with(true));
    answer_in(&[&vpc]);
    place.change(&with(false), &["endpoints.private_dns_enabled"]);
    answer_in(&[&vpc, &place.network.vpc_id]);
    place.change(&with(true), &["endpoints.private_dns_enabled"]);
    answer_in(&[&vpc]);
    place.destroy();
}

#[test]
fn parent_zones_make_room_for_private_dns() {
    let place = Place::new();
    let endpoints = json!({ "services": ["studio"], "private_dns_enabled": false });
    place.make(&json!({ "hosted_zone": { "mode": "parent" }, "endpoints": endpoints }));
    place.change(&json!({}), &["endpoints.private_dns_enabled", "hosted_zone.mode", "hosted_zone_ids"]);
    assert_eq!(place.zone_names(), place.hosts());
    place.change(
        &json!({ "hosted_zone": { "mode": "parent" }, "endpoints": endpoints }),
        &["endpoints.private_dns_enabled", "hosted_zone.mode", "hosted_zone_ids"],
    );
    place.destroy();
}

#[test]
fn a_parent_zone_that_was_deleted_is_made_again() {
    let place = Place::new();
    let endpoints = json!({ "services": ["studio"], "private_dns_enabled": false });
    place.make(&json!({ "hosted_zone": { "mode": "parent" }, "endpoints": endpoints }));
    delete_zone(&place.outside, &place.zone_ids()[PARENT]);
    place.repair(&["drift", "hosted_zone_ids"]);
    assert_eq!(place.zone_names(), [APP_PARENT, PARENT]);
    place.destroy();
}

#[test]
fn attributes_of_zones_have_no_effect_without_zones() {
    let place = Place::new();
    let zones = json!({ "mode": "none", "vpc_associations": [{ "vpc_id": "vpc-0123456789abcdef0" }] });
    place.refuse(&json!({ "hosted_zone": zones }), &["hosted_zone.vpc_associations", "there are no zones"]);
    let zones = json!({ "mode": "none", "existing_zone_ids": { PARENT: "Z0123456789ABCDEFGHIJ" } });
    place.refuse(&json!({ "hosted_zone": zones }), &["hosted_zone.existing_zone_ids", "there are no zones"]);
}
