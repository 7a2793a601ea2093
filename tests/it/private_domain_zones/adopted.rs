//! Zones that are there: our records go in and out, and nothing else changes.

use std::collections::BTreeSet;

use aws_sdk_route53::types::{ChangeAction, RrType};
use aws_sdk_sagemaker::types::{AppNetworkAccessType, AuthMode, HomeEfsFileSystemCreation, UserSettings};
use serde_json::{Value as Json, json};

use super::{
    APP_PARENT, PARENT, Place, address, another_vpc, both, change_record, delete_zone, foreign, of_values, records,
    vpcs, zone_by_hand,
};
use crate::said::in_one_line;
use crate::terraform::wait_until;

/// Without private DNS, so that a zone of a parent's name can answer in the VPC.
fn with(hosted_zone: Json) -> Json {
    json!({ "hosted_zone": hosted_zone, "endpoints": { "services": ["studio"], "private_dns_enabled": false } })
}

fn existing(mode: &str, zones: Json) -> Json {
    with(json!({ "mode": mode, "existing_zone_ids": zones }))
}

impl Place {
    fn parent_zone(&self) -> String {
        zone_by_hand(&self.outside, PARENT, &self.network.vpc_id)
    }

    /// Beside what was there, a zone has records of these names, and no others.
    fn assert_holds(&self, zone: &str, zone_name: &str, names: &[&String]) {
        let target = self.values()["endpoint_dns"]["studio"]["dns_name"].as_str().expect("it has a name").to_owned();
        let ours = names.iter().flat_map(|name| both(&["A"], name, &target));
        assert_eq!(records(&self.outside, zone), foreign(zone_name).into_iter().chain(ours).collect());
    }

    /// Everything goes but this zone, which is as it was.
    fn destroy_around(&self, zone: &str, zone_name: &str) {
        self.workspace.destroy();
        assert_eq!(records(&self.outside, zone), foreign(zone_name));
        delete_zone(&self.outside, zone);
        self.account.assert_nothing_is_left();
    }
}

#[test]
fn a_parent_zone_takes_the_records_of_either_mode_and_keeps_its_own() {
    let place = Place::new();
    let zone = place.parent_zone();
    let by_hand = place.account.count("ChangeResourceRecordSets");
    place.make(&existing("domain", json!({ PARENT: zone })));
    let hosts = place.hosts();
    assert_eq!(place.account.count("ChangeResourceRecordSets"), by_hand + 1, "one batch for both names");
    assert_eq!(place.values()["hosted_zone_ids"], json!({ PARENT: zone }));
    place.assert_holds(&zone, PARENT, &[&hosts[0], &hosts[1]]);

    place.change(&existing("parent", json!({ PARENT: zone })), &["hosted_zone.mode", "hosted_zone_ids"]);
    assert_eq!(place.zone_names(), [APP_PARENT, PARENT], "the other parent gets a zone of its own");
    assert_eq!(place.zone_ids()[PARENT], zone);
    place.assert_holds(&zone, PARENT, &[&PARENT.to_owned()]);
    place.change(&existing("domain", json!({ PARENT: zone })), &["hosted_zone.mode", "hosted_zone_ids"]);
    place.assert_holds(&zone, PARENT, &[&hosts[0], &hosts[1]]);

    place.change(&with(json!({})), &["hosted_zone.existing_zone_ids", "hosted_zone_ids"]);
    place.assert_holds(&zone, PARENT, &[]);
    assert_eq!(place.zone_names(), hosts);
    place.change(&existing("domain", json!({ PARENT: zone })), &["hosted_zone.existing_zone_ids", "hosted_zone_ids"]);
    place.assert_holds(&zone, PARENT, &[&hosts[0], &hosts[1]]);
    assert_eq!(vpcs(&place.outside, &zone), [place.network.vpc_id.clone()].into());
    place.destroy_around(&zone, PARENT);
}

#[test]
fn the_parents_can_be_adopted_in_a_vpc_where_aws_does_not_serve_them() {
    let place = Place::new();
    let vpc = another_vpc(&place.account);
    let [zone, app_zone] = [PARENT, APP_PARENT].map(|name| zone_by_hand(&place.outside, name, &vpc));
    let zones = json!({ "mode": "parent", "existing_zone_ids": { PARENT: zone, APP_PARENT: app_zone } });
    place.make(&json!({ "hosted_zone": zones }));
    place.assert_holds(&zone, PARENT, &[&PARENT.to_owned()]);
    place.assert_holds(&app_zone, APP_PARENT, &[&APP_PARENT.to_owned()]);
    assert_eq!(place.account.count("CreateHostedZone"), 2, "both by hand");
    place.workspace.destroy();
    for (name, zone) in [(PARENT, &zone), (APP_PARENT, &app_zone)] {
        assert_eq!(records(&place.outside, zone), foreign(name));
        delete_zone(&place.outside, zone);
    }
    place.account.assert_nothing_is_left();
}

#[test]
fn the_zone_of_one_name_is_adopted_once_the_domain_is_there() {
    let place = Place::new();
    place.make(&json!({}));
    let hosts = place.hosts();
    let own = place.zone_ids();
    // In the resource's VPC there is one of this name already: ours.
    let zone = zone_by_hand(&place.outside, &hosts[0], &another_vpc(&place.account));
    let adopted = json!({ "hosted_zone": { "existing_zone_ids": { &hosts[0]: zone } } });
    place.change(&adopted, &["hosted_zone.existing_zone_ids", "hosted_zone_ids"]);
    assert_eq!(place.values()["hosted_zone_ids"], json!({ &hosts[0]: zone, &hosts[1]: own[&hosts[1]] }));
    place.assert_holds(&zone, &hosts[0], &[&hosts[0]]);
    place.destroy_around(&zone, &hosts[0]);
}

#[test]
fn the_zones_of_an_adopted_domain_are_adopted_with_it() {
    let place = Place::new();
    let domain = place.domain_by_hand();
    let name = format!("studio-{domain}.{PARENT}");
    let zone = zone_by_hand(&place.outside, &name, &place.network.vpc_id);
    let adopted = json!({
        "name": null,
        "execution_role_arn": null,
        "home_efs": null,
        "existing_domain_id": domain,
        "hosted_zone": { "existing_zone_ids": { &name: zone } },
    });
    place.make(&adopted);
    assert_eq!(place.zone_names(), place.hosts());
    assert_eq!(place.zone_ids()[&name], zone);
    place.assert_holds(&zone, &name, &[&name]);
    place.workspace.destroy();
    assert_eq!(records(&place.outside, &zone), foreign(&name));
    delete_zone(&place.outside, &zone);
    place.delete_domain(&domain);
    place.account.assert_nothing_is_left();
}

#[test]
fn a_record_of_ours_that_is_lost_in_an_adopted_zone_is_put_back() {
    let place = Place::new();
    let zone = place.parent_zone();
    place.make(&existing("domain", json!({ PARENT: zone })));
    let hosts = place.hosts();
    let route53 = place.outside.route53();
    let found = place.outside.run(route53.list_resource_record_sets().hosted_zone_id(&zone).send());
    let lost = found.resource_record_sets().iter().find(|set| set.name() == format!("\\052.{}.", hosts[1]));
    change_record(&place.outside, &zone, ChangeAction::Delete, lost.expect("it is there"));
    change_record(&place.outside, &zone, ChangeAction::Upsert, &address(&hosts[0], "10.9.9.9"));
    // What is not of our names is nobody's business.
    change_record(&place.outside, &zone, ChangeAction::Create, &address(&format!("more.{PARENT}"), "10.9.9.9"));
    let drift = place.workspace.plan().change().before["drift"].to_string();
    assert!(drift.contains(&format!("A *.{}", hosts[1])) && !drift.contains("more."), "{drift}");
    place.repair(&["drift"]);
    change_record(&place.outside, &zone, ChangeAction::Delete, &address(&format!("more.{PARENT}"), "10.9.9.9"));
    place.assert_holds(&zone, PARENT, &[&hosts[0], &hosts[1]]);
    place.destroy_around(&zone, PARENT);
}

#[test]
fn a_record_of_somebody_else_under_one_of_our_names_is_named_and_left() {
    let place = Place::new();
    let zone = place.parent_zone();
    place.make(&existing("domain", json!({ PARENT: zone })));
    let wildcard = format!("*.{PARENT}");
    let others = [of_values(RrType::Cname, &wildcard, "proxy.example.com"), address(&wildcard, "10.9.9.9")];
    place.write(&existing("parent", json!({ PARENT: zone })));
    for (kind, other) in ["CNAME", "A"].into_iter().zip(&others) {
        change_record(&place.outside, &zone, ChangeAction::Create, other);
        let text = in_one_line(&place.workspace.apply_expect_error());
        for said in [&format!("{kind} {wildcard}"), &zone, "existing_zone_ids"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        let left: BTreeSet<String> = records(&place.outside, &zone);
        assert!(left.iter().any(|line| line.starts_with(&format!("{kind} {wildcard}"))), "{left:?}");
        change_record(&place.outside, &zone, ChangeAction::Delete, other);
    }
    place.workspace.apply();
    place.workspace.plan().assert_empty();
    place.assert_holds(&zone, PARENT, &[&PARENT.to_owned()]);
    place.destroy_around(&zone, PARENT);
}

#[test]
fn what_is_not_the_private_zone_of_that_name_is_refused_at_its_key() {
    let place = Place::new();
    let zone = place.parent_zone();
    let request = place.outside.route53().create_hosted_zone().name("sagemaker.aws").caller_reference("public");
    let public = place.outside.run(request.send());
    let public = public.hosted_zone().expect("it was made").id().rsplit('/').next().expect("it has one").to_owned();
    let at = |name: &str| format!("hosted_zone.existing_zone_ids[\"{name}\"]");
    for (name, id, said) in [
        (PARENT, "Z0123456789ABCDEFGHIJ", "There is no hosted zone Z0123456789ABCDEFGHIJ in this account"),
        ("sagemaker.aws", zone.as_str(), "It is the zone studio.us-east-1.sagemaker.aws"),
        ("sagemaker.aws", public.as_str(), "It is a public zone"),
        (PARENT, "zone", "a hosted zone id such as"),
    ] {
        place.refuse(&existing("domain", json!({ name: id })), &[&at(name), said]);
    }
    let other = zone_by_hand(&place.outside, "example.com", &place.network.vpc_id);
    place.refuse(&existing("domain", json!({ "example.com": other })), &[&at("example.com"), "has no use"]);
    let app_zone = zone_by_hand(&place.outside, APP_PARENT, &place.network.vpc_id);
    let form = format!("these get records: d-….{PARENT}, studio-d-….{PARENT}.");
    place.refuse(&existing("domain", json!({ APP_PARENT: app_zone })), &[&at(APP_PARENT), "has no use", &form]);
    let name = format!("d-abcdefghijkl.{PARENT}");
    let host = zone_by_hand(&place.outside, &name, &place.network.vpc_id);
    place.refuse(&existing("domain", json!({ &name: host })), &[&at(&name), "once that domain exists"]);
    let vpc_associations = json!([{ "vpc_id": another_vpc(&place.account) }]);
    let adopted = json!({ "existing_zone_ids": { PARENT: zone }, "vpc_associations": vpc_associations });
    place.refuse(&with(adopted), &["hosted_zone.vpc_associations", "All zones are adopted"]);
}

#[test]
fn a_zone_that_was_made_here_is_not_adopted() {
    let place = Place::new();
    place.make(&json!({}));
    let (name, zone) = place.zone_ids().pop_first().expect("there is a zone");
    let adopted = json!({ "hosted_zone": { "existing_zone_ids": { &name: zone } } });
    place.refuse(&adopted, &["hosted_zone.existing_zone_ids", "this resource's own"]);
    place.write(&json!({}));
    place.destroy();
}

#[test]
fn another_zone_is_adopted_instead_of_the_first() {
    let place = Place::new();
    let zone = place.parent_zone();
    let other = zone_by_hand(&place.outside, PARENT, &another_vpc(&place.account));
    place.make(&existing("domain", json!({ PARENT: zone })));
    let hosts = place.hosts();
    let key = format!("hosted_zone.existing_zone_ids.{PARENT}");
    place.change(&existing("domain", json!({ PARENT: other })), &[&key, "hosted_zone_ids"]);
    place.assert_holds(&zone, PARENT, &[]);
    place.assert_holds(&other, PARENT, &[&hosts[0], &hosts[1]]);
    delete_zone(&place.outside, &zone);
    place.destroy_around(&other, PARENT);
}

#[test]
fn an_adopted_zone_that_was_deleted_is_told_and_can_be_left_out() {
    let place = Place::new();
    let zone = place.parent_zone();
    let adopted = existing("domain", json!({ PARENT: zone }));
    place.make(&adopted);
    delete_zone(&place.outside, &zone);
    place.refuse(&adopted, &["hosted_zone.existing_zone_ids", &format!("There is no hosted zone {zone}")]);
    // The refresh of the state has taken the zone out.
    place.write(&with(json!({})));
    place.workspace.apply();
    place.workspace.plan().assert_empty();
    assert_eq!(place.zone_names(), place.hosts());
    place.destroy();
}

#[test]
fn a_destroy_does_not_need_the_adopted_zone_any_more() {
    let place = Place::new();
    let zone = place.parent_zone();
    place.make(&existing("domain", json!({ PARENT: zone })));
    delete_zone(&place.outside, &zone);
    place.workspace.destroy_without_a_look();
    place.account.assert_nothing_is_left();
}

#[test]
fn a_zone_whose_id_is_not_known_at_plan_is_adopted() {
    let place = Place::new();
    let zone = place.parent_zone();
    let made = |name: &str| format!("resource \"terraform_data\" \"{name}\" {{\n  input = \"{zone}\"\n}}\n");
    let adopting = |name: &str| {
        let id = format!("${{terraform_data.{name}.output}}");
        place.write_beside(&made(name), &existing("domain", json!({ PARENT: id })));
    };
    adopting("first");
    place.workspace.apply();
    place.workspace.plan().assert_empty();
    place.assert_holds(&zone, PARENT, &[&place.hosts()[0], &place.hosts()[1]]);
    let batches = place.account.count("ChangeResourceRecordSets");
    // Another way to say the same is not known to be the same before it is made.
    adopting("second");
    place.workspace.apply();
    place.workspace.plan().assert_empty();
    assert_eq!(place.account.count("ChangeResourceRecordSets"), batches);
    place.destroy_around(&zone, PARENT);
}

// ---- What tests do outside ----

impl Place {
    /// Makes a domain by hand, and waits for it.
    fn domain_by_hand(&self) -> String {
        let sagemaker = self.outside.sagemaker();
        let settings = UserSettings::builder().execution_role(&self.network.role_arn).build();
        let request = sagemaker.create_domain().domain_name("by-hand").auth_mode(AuthMode::Iam);
        let request = request.default_user_settings(settings).vpc_id(&self.network.vpc_id);
        let request = request.set_subnet_ids(Some(self.network.subnet_ids[..2].to_vec()));
        let request = request.home_efs_file_system_creation(HomeEfsFileSystemCreation::Disabled);
        let made = self.outside.run(request.app_network_access_type(AppNetworkAccessType::VpcOnly).send());
        let id = made.domain_arn().and_then(|arn| arn.rsplit('/').next()).expect("it has an ARN").to_owned();
        wait_until("the domain is in service", || {
            let found = self.outside.run(sagemaker.describe_domain().domain_id(&id).send());
            found.status().is_some_and(|status| status.as_str() == "InService")
        });
        id
    }

    fn delete_domain(&self, id: &str) {
        self.outside.run(self.outside.sagemaker().delete_domain().domain_id(id).send());
        let is_domain = |left: &Json| left["kind"] == "sagemaker:domain";
        wait_until("the domain is gone", || !self.account.leftovers().iter().any(is_domain));
    }
}
