//! Importing a domain with zones of every kind: they are found again, and nothing is left to do.

use serde_json::{Value as Json, json};

use super::{APP_PARENT, PARENT, Place, another_vpc, zone_by_hand};
use crate::emulator::Account;

fn without_private_dns(hosted_zone: Json) -> Json {
    json!({ "hosted_zone": hosted_zone, "endpoints": { "services": ["studio"], "private_dns_enabled": false } })
}

/// Makes it, imports it, and destroys what was imported.
fn survives_an_import(place: &Place, attributes: &Json) {
    place.make(attributes);
    place.import_again();
    place.workspace.destroy();
}

#[test]
fn every_mode_and_record_type() {
    for zones in [
        json!({ "mode": "none" }),
        json!({ "mode": "parent" }),
        json!({ "mode": "parent", "record_type": "ip" }),
        json!({ "mode": "domain", "record_type": "ip" }),
    ] {
        let place = Place::new();
        survives_an_import(&place, &without_private_dns(zones));
        place.account.assert_nothing_is_left();
    }
}

#[test]
fn associations_with_their_regions_and_roles() {
    let place = Place::new();
    let other = Account::new();
    let foreign = other.network().vpc_id;
    let far = place.account.elsewhere("eu-west-1").network().vpc_id;
    let role = format!("arn:aws:iam::{}:role/dns", other.id);
    let vpcs = json!([{ "vpc_id": foreign, "role_arn": role }, { "vpc_id": far, "region": "eu-west-1" }]);
    survives_an_import(&place, &json!({ "hosted_zone": { "vpc_associations": vpcs } }));
    other.assert_nothing_is_left();
}

#[test]
fn parent_zones_that_answer_in_other_vpcs_alone() {
    let place = Place::new();
    let vpc = another_vpc(&place.account);
    let zones = json!({ "mode": "parent", "vpc_associations": [{ "vpc_id": vpc }] });
    survives_an_import(&place, &json!({ "hosted_zone": zones }));
    place.account.assert_nothing_is_left();
}

#[test]
fn adopted_zones() {
    for mode in ["domain", "parent"] {
        for record_type in ["alias", "ip"] {
            let place = Place::new();
            let zone = zone_by_hand(&place.outside, PARENT, &place.network.vpc_id);
            // Of nobody's interest: it has no record of ours.
            zone_by_hand(&place.outside, APP_PARENT, &another_vpc(&place.account));
            let zones = json!({ "mode": mode, "record_type": record_type, "existing_zone_ids": { PARENT: zone } });
            survives_an_import(&place, &without_private_dns(zones));
        }
    }
}

#[test]
fn the_adopted_zone_of_one_name() {
    let place = Place::new();
    place.make(&json!({}));
    let name = place.hosts().remove(1);
    let zone = zone_by_hand(&place.outside, &name, &another_vpc(&place.account));
    let adopted = json!({ "hosted_zone": { "existing_zone_ids": { &name: zone } } });
    survives_an_import(&place, &adopted);
}
