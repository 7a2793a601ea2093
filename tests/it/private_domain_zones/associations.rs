//! The VPCs that zones answer in: of this and of other accounts, made here and elsewhere.

use serde_json::{Value as Json, json};

use super::{ADDRESS, Place, another_vpc, authorizations, route53_vpc, vpcs};
use crate::{
    emulator::{Account, Network},
    said::{assert_said, in_one_line},
    terraform::Workspace,
};

/// The calls that an association takes, in short.
const ASSOCIATION: [(&str, &str); 4] = [
    ("CreateVPCAssociationAuthorization", "authorize"),
    ("AssociateVPCWithHostedZone", "associate"),
    ("DeleteVPCAssociationAuthorization", "take back"),
    ("DisassociateVPCFromHostedZone", "disassociate"),
];

/// A place, and another account with a VPC on the same emulator.
struct Two {
    place: Place,
    other: Account,
    network: Network,
}

impl Two {
    fn new() -> Self {
        Self::of(Account::new())
    }

    fn of(account: Account) -> Self {
        let other = account.neighbour();
        let network = other.network();
        Two { place: Place::of(account), other, network }
    }

    fn role(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.other.id)
    }

    fn foreign_vpc(&self) -> Json {
        json!({ "vpc_id": self.network.vpc_id, "role_arn": self.role("dns") })
    }

    /// Which account did what for the associations of a zone, in order.
    fn association_calls(&self, zone: &str) -> Vec<String> {
        let here = self.place.account.calls().into_iter().map(|call| ("here", call));
        let there = self.other.calls().into_iter().map(|call| ("there", call));
        let mut calls: Vec<_> = here.chain(there).filter(|(_, call)| call.params["HostedZoneId"] == zone).collect();
        calls.sort_by_key(|(_, call)| call.seq);
        let short = |operation: &str| Some(ASSOCIATION.iter().find(|(long, _)| *long == operation)?.1);
        let line = |(account, call): &(&str, crate::emulator::Call)| {
            let failed = call.error.as_ref().map(|_| " failed").unwrap_or_default();
            Some(format!("{account}: {}{failed}", short(&call.operation)?))
        };
        calls.iter().filter_map(line).collect()
    }

    /// The zones answer in the resource's VPC and in these, and nothing more is permitted.
    fn assert_answers_in(&self, more: &[&str]) {
        let own = self.place.network.vpc_id.as_str();
        for zone in self.place.zone_ids().values() {
            let expected = more.iter().chain([&own]).map(|vpc| (*vpc).to_owned()).collect();
            assert_eq!(vpcs(&self.place.outside, zone), expected);
            assert_eq!(authorizations(&self.place.outside, zone), 0);
        }
    }

    fn destroy(&self) {
        self.place.destroy();
        self.other.assert_nothing_is_left();
    }
}

fn with(vpcs: Json) -> Json {
    json!({ "hosted_zone": { "vpc_associations": vpcs } })
}

const ASSOCIATIONS: [&str; 1] = ["hosted_zone.vpc_associations"];

#[test]
fn vpcs_of_the_account_are_added_and_taken_away_in_place() {
    let two = Two::new();
    let place = &two.place;
    let vpc = another_vpc(&place.account);
    let far = place.account.elsewhere("eu-west-1");
    let far_vpc = far.network().vpc_id;
    place.make(&with(json!([{ "vpc_id": vpc }])));
    two.assert_answers_in(&[&vpc]);
    place.change(&with(json!([{ "vpc_id": vpc }, { "vpc_id": far_vpc, "region": "eu-west-1" }])), &ASSOCIATIONS);
    two.assert_answers_in(&[&vpc, &far_vpc]);
    place.change(&with(json!([{ "vpc_id": far_vpc, "region": "eu-west-1" }])), &ASSOCIATIONS);
    two.assert_answers_in(&[&far_vpc]);
    place.change(&with(Json::Null), &ASSOCIATIONS);
    two.assert_answers_in(&[]);
    place.destroy();
}

#[test]
fn a_vpc_of_another_account_is_permitted_associated_and_not_permitted_any_more() {
    let two = Two::new();
    two.place.make(&with(json!([two.foreign_vpc()])));
    two.assert_answers_in(&[&two.network.vpc_id]);
    let zones: Vec<String> = two.place.zone_ids().into_values().collect();
    for zone in &zones {
        assert_eq!(two.association_calls(zone), ["here: authorize", "there: associate", "here: take back"]);
    }
    two.place.change(&with(Json::Null), &ASSOCIATIONS);
    two.assert_answers_in(&[]);
    two.other.assert_nothing_is_left();
    for zone in &zones {
        assert_eq!(two.association_calls(zone)[3..], ["here: disassociate"]);
    }
    two.place.change(&with(json!([two.foreign_vpc()])), &ASSOCIATIONS);
    two.assert_answers_in(&[&two.network.vpc_id]);
    two.destroy();
}

#[test]
fn another_role_for_an_association_leaves_it_as_it_is() {
    let two = Two::new();
    two.place.make(&with(json!([two.foreign_vpc()])));
    let calls = |two: &Two| two.place.zone_ids().values().map(|zone| two.association_calls(zone).len()).sum::<usize>();
    let before = calls(&two);
    let other_role = json!({ "vpc_id": two.network.vpc_id, "role_arn": two.role("network") });
    two.place.change(&with(json!([other_role])), &ASSOCIATIONS);
    assert_eq!(calls(&two), before);
    two.place.import_again();
    two.destroy();
}

#[test]
fn an_association_that_was_removed_is_shown_and_made_again() {
    let two = Two::new();
    let place = &two.place;
    let vpc = another_vpc(&place.account);
    place.make(&with(json!([{ "vpc_id": vpc }, two.foreign_vpc()])));
    for zone in place.zone_ids().into_values() {
        let route53 = place.outside.route53();
        let request = route53.disassociate_vpc_from_hosted_zone().hosted_zone_id(&zone);
        place.outside.run(request.vpc(route53_vpc(&two.network.vpc_id)).send());
    }
    let plan = place.workspace.plan();
    let before = plan.change().before["hosted_zone"]["vpc_associations"].to_string();
    assert!(before.contains(&vpc) && !before.contains(&two.network.vpc_id), "{before}");
    place.repair(&ASSOCIATIONS);
    two.assert_answers_in(&[&vpc, &two.network.vpc_id]);

    // The resource's own VPC does not stand among them.
    let zone = place.zone_ids().pop_first().expect("there is a zone").1;
    let request = place.outside.route53().disassociate_vpc_from_hosted_zone().hosted_zone_id(zone);
    place.outside.run(request.vpc(route53_vpc(&place.network.vpc_id)).send());
    let drift = place.workspace.plan().change().before["drift"].to_string();
    assert!(drift.contains(&format!("lacks the VPCs {}", place.network.vpc_id)), "{drift}");
    place.repair(&["drift"]);
    two.assert_answers_in(&[&vpc, &two.network.vpc_id]);
    two.destroy();
}

#[test]
fn associations_of_somebody_else_are_left_alone() {
    let two = Two::new();
    let place = &two.place;
    let [vpc, theirs] = [another_vpc(&place.account), another_vpc(&place.account)];
    place.make(&with(json!([{ "vpc_id": vpc }])));
    for zone in place.zone_ids().into_values() {
        let request = place.outside.route53().associate_vpc_with_hosted_zone().hosted_zone_id(zone);
        place.outside.run(request.vpc(route53_vpc(&theirs)).send());
    }
    place.workspace.plan().assert_empty();
    assert!(!place.values()["hosted_zone"].to_string().contains(&theirs));
    place.change(&with(Json::Null), &ASSOCIATIONS);
    two.assert_answers_in(&[&theirs]);
    place.destroy();
}

#[test]
fn an_association_that_fails_is_made_by_the_next_apply() {
    let two = Two::of(Account::alone());
    let place = &two.place;
    place.make(&json!({}));
    place.account.rules(json!([{
        "service": "route53",
        "operation": "AssociateVPCWithHostedZone",
        "account": two.other.id,
        "error": { "code": "AccessDenied" },
    }]));
    place.write(&with(json!([two.foreign_vpc()])));
    let text = in_one_line(&place.workspace.apply_expect_error());
    assert_said(&text, &["Could not update the hosted zone of the domain", "AccessDenied", &two.network.vpc_id]);
    two.assert_answers_in(&[]);
    for zone in place.zone_ids().values() {
        assert_eq!(two.association_calls(zone), ["here: authorize", "there: associate failed", "here: take back"]);
    }
    place.account.rules(json!([]));
    place.workspace.apply();
    place.workspace.plan().assert_empty();
    two.assert_answers_in(&[&two.network.vpc_id]);
    two.destroy();
}

#[test]
fn a_permission_that_could_not_be_taken_back_is_by_the_next_apply() {
    let two = Two::of(Account::alone());
    let place = &two.place;
    place.make(&json!({}));
    let refuse = || {
        let operation = "DeleteVPCAssociationAuthorization";
        let error = json!({ "code": "AccessDenied" });
        place.account.rules(json!([{ "service": "route53", "operation": operation, "error": error }]));
        place.write(&with(json!([two.foreign_vpc()])));
        place.workspace.apply_expect_error();
        place.account.rules(json!([]));
        for zone in place.zone_ids().values() {
            assert_eq!(authorizations(&place.outside, zone), 1);
        }
    };
    refuse();
    place.workspace.apply();
    place.workspace.plan().assert_empty();
    two.assert_answers_in(&[&two.network.vpc_id]);
    place.change(&with(Json::Null), &ASSOCIATIONS);
    // Also if the association is not wanted any more.
    refuse();
    place.write(&with(Json::Null));
    place.workspace.apply();
    place.workspace.plan().assert_empty();
    two.assert_answers_in(&[]);
    two.destroy();
}

#[test]
fn a_role_that_cannot_be_assumed_is_named() {
    let two = Two::of(Account::alone());
    let place = &two.place;
    place.make(&json!({}));
    place.account.rules(json!([{
        "service": "sts",
        "operation": "AssumeRole",
        "error": { "code": "AccessDenied", "message": "not authorized to perform: sts:AssumeRole" },
    }]));
    place.write(&with(json!([two.foreign_vpc()])));
    let text = in_one_line(&place.workspace.apply_expect_error());
    assert_said(&text, &[&two.role("dns"), "AccessDenied", "sts:AssumeRole", &two.network.vpc_id]);
    two.assert_answers_in(&[]);
    place.account.rules(json!([]));
    place.workspace.apply();
    place.workspace.plan().assert_empty();
    two.destroy();
}

#[test]
fn zones_that_could_be_made_in_other_accounts_alone_are_refused() {
    let two = Two::new();
    let zones = |vpcs: Json| json!({ "hosted_zone": { "mode": "parent", "vpc_associations": vpcs } });
    let needed = ["hosted_zone.vpc_associations", "of other accounts", &two.place.account.id];
    two.place.refuse(&zones(json!([two.foreign_vpc()])), &needed);

    let vpc = another_vpc(&two.place.account);
    two.place.make(&zones(json!([two.foreign_vpc(), { "vpc_id": vpc }])));
    for zone in two.place.zone_ids().values() {
        assert_eq!(vpcs(&two.place.outside, zone), [vpc.clone(), two.network.vpc_id.clone()].into());
        assert_eq!(authorizations(&two.place.outside, zone), 0);
    }
    // The first VPC has done its service; a zone of this account may answer in others' alone.
    two.place.change(&zones(json!([two.foreign_vpc()])), &ASSOCIATIONS);
    for zone in two.place.zone_ids().values() {
        assert_eq!(vpcs(&two.place.outside, zone), [two.network.vpc_id.clone()].into());
    }
    two.destroy();
}

#[test]
fn associations_follow_the_zones_from_mode_to_mode() {
    let two = Two::new();
    let vpc = another_vpc(&two.place.account);
    let zones = |mode: &str| {
        let vpcs = json!([two.foreign_vpc(), { "vpc_id": vpc }]);
        json!({ "hosted_zone": { "mode": mode, "vpc_associations": vpcs } })
    };
    let paths = ["hosted_zone.mode", "hosted_zone_ids"];
    two.place.make(&zones("domain"));
    two.assert_answers_in(&[&vpc, &two.network.vpc_id]);
    two.place.change(&zones("parent"), &paths);
    two.place.change(&zones("domain"), &paths);
    two.assert_answers_in(&[&vpc, &two.network.vpc_id]);
    two.destroy();
}

#[test]
fn zones_take_more_tags_than_route_53_takes_at_once() {
    let two = Two::new();
    let tags = |value: &str| -> Json { (0..12).map(|number| (format!("tag-{number}"), json!(value))).collect() };
    let with = |value: &str| json!({ "tags": tags(value), "hosted_zone": { "vpc_associations": [two.foreign_vpc()] } });
    two.place.make(&with("one"));
    assert_eq!(two.place.account.count("ChangeTagsForResource"), 4, "two calls for each of two zones");
    two.place.make(&with("two"));
    two.place.make(&json!({ "hosted_zone": { "vpc_associations": [two.foreign_vpc()] } }));
    two.destroy();
}

#[test]
fn a_vpc_that_is_made_in_the_same_run_is_associated() {
    let place = Place::new();
    let (vpc_id, role) = (&place.network.vpc_id, &place.network.role_arn);
    let subnets = json!(place.network.subnet_ids[..2]);
    let vpc = another_vpc(&place.account);
    // Its id is unknown at plan, as a new VPC's is.
    let hcl = format!(
        r#"
resource "terraform_data" "vpc" {{
  input = "{vpc}"
}}

resource "studio_private_domain" "test" {{
  name               = "test"
  vpc_id             = "{vpc_id}"
  subnet_ids         = {subnets}
  execution_role_arn = "{role}"
  home_efs           = {{ enabled = false }}
  endpoints          = {{ services = ["studio"] }}
  hosted_zone        = {{ vpc_associations = [{{ vpc_id = terraform_data.vpc.output }}] }}
}}
"#
    );
    let workspace = Workspace::with(&place.account, &hcl);
    workspace.apply();
    workspace.plan().assert_empty();
    let ids = workspace.state().values(ADDRESS)["hosted_zone_ids"].clone();
    for zone in ids.as_object().expect("a map").values() {
        let zone = zone.as_str().expect("it is an id");
        assert_eq!(vpcs(&place.outside, zone), [vpc_id.clone(), vpc.clone()].into());
    }
    workspace.destroy();
    place.account.assert_nothing_is_left();
}
