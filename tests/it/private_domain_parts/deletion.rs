//! Destroying: what is in the way, in which order it goes, what goes with the file system, and going on half-way.

use std::fs;

use aws_sdk_sagemaker::types::{AppType, OwnershipSettings, SharingType, SpaceSharingSettings};
use serde_json::{Value as Json, json};

use super::domain::described;
use super::{ADDRESS, Made};
use crate::emulator::Account;
use crate::said::{assert_said, in_one_line};

/// What users do in a domain.
struct Users<'a>(&'a Made);

impl Users<'_> {
    fn id(&self) -> String {
        self.0.text("domain_id")
    }

    fn profile(&self, name: &str) {
        let create = self.0.outside.sagemaker().create_user_profile().domain_id(self.id()).user_profile_name(name);
        self.0.outside.run(create.send());
    }

    fn space(&self, name: &str, owner: &str, sharing: SharingType) {
        let owner = OwnershipSettings::builder().owner_user_profile_name(owner).build();
        let sharing = SpaceSharingSettings::builder().sharing_type(sharing).build();
        let create = self.0.outside.sagemaker().create_space().domain_id(self.id()).space_name(name);
        self.0.outside.run(create.ownership_settings(owner).space_sharing_settings(sharing).send());
    }

    fn app(&self, profile: Option<&str>, space: Option<&str>, name: &str) {
        let create = self.0.outside.sagemaker().create_app().domain_id(self.id()).app_name(name);
        let create = create.set_user_profile_name(profile.map(str::to_owned)).set_space_name(space.map(str::to_owned));
        self.0.outside.run(create.app_type(AppType::JupyterLab).send());
    }

    fn delete_app(&self, profile: &str, name: &str) {
        let delete = self.0.outside.sagemaker().delete_app().domain_id(self.id()).user_profile_name(profile);
        self.0.outside.run(delete.app_type(AppType::JupyterLab).app_name(name).send());
    }

    /// A foreign profile, spaces of both kinds, and apps everywhere.
    fn fill(&self) {
        self.profile("guest");
        self.space("private", "one", SharingType::Private);
        self.space("common", "guest", SharingType::Shared);
        self.app(Some("one"), None, "of-one");
        self.app(Some("guest"), None, "of-guest");
        self.app(None, Some("private"), "in-private");
        self.app(None, Some("common"), "in-common");
    }
}

const ALL: [&str; 7] = [
    "app JupyterLab/of-one of user profile one",
    "app JupyterLab/of-guest of user profile guest",
    "app JupyterLab/in-private of space private",
    "app JupyterLab/in-common of space common",
    "space private of user profile one",
    "space common of user profile guest",
    "user profile guest, which is not in user_profiles",
];

fn two_profiles() -> Json {
    json!({ "user_profiles": { "one": {}, "two": {} } })
}

// ---- What users have made ----

#[test]
fn a_domain_in_use_is_not_destroyed_and_everything_in_the_way_is_told() {
    let mut made = Made::with(two_profiles());
    Users(&made).fill();
    let changes = made.account.changes();
    let said = in_one_line(&made.workspace.plan_destroy_expect_error());
    assert_said(&said, &["The domain is not empty", "force_destroy", "Nothing was changed."]);
    assert_said(&said, &ALL);
    made.workspace.destroy_expect_error();
    assert_eq!(made.account.changes(), changes, "nothing is touched");

    made.change("force_destroy", json!(true), &["force_destroy"]);
    let from = made.account.calls().len();
    made.workspace.destroy();
    assert_order(&made, from);
    made.account.assert_nothing_is_left();
}

/// Everything goes before what it is in.
fn assert_order(made: &Made, from: usize) {
    let calls: Vec<_> = made.account.calls().into_iter().skip(from).filter(|call| call.error.is_none()).collect();
    let at = |operation: &str, name: &str, value: &str| {
        let is_it = |call: &crate::emulator::Call| call.operation == operation && call.params[name] == value;
        calls.iter().position(is_it).unwrap_or_else(|| panic!("{operation} of {value} is missing"))
    };
    let app = |name: &str| at("DeleteApp", "AppName", name);
    let space = |name: &str| at("DeleteSpace", "SpaceName", name);
    let profile = |name: &str| at("DeleteUserProfile", "UserProfileName", name);
    for (first, then) in [
        (app("in-private"), space("private")),
        (app("in-common"), space("common")),
        (app("of-one"), profile("one")),
        (app("of-guest"), profile("guest")),
        (space("private"), profile("one")),
        (space("common"), profile("guest")),
        (profile("one"), at("DeleteDomain", "DomainId", &domain_of(&calls))),
        (profile("guest"), at("DeleteDomain", "DomainId", &domain_of(&calls))),
    ] {
        assert!(first < then);
    }
}

fn domain_of(calls: &[crate::emulator::Call]) -> String {
    let delete = calls.iter().find(|call| call.operation == "DeleteDomain").expect("the domain goes");
    super::text(&delete.params["DomainId"])
}

#[test]
fn only_what_belongs_to_a_profile_keeps_it_from_being_removed() {
    let mut made = Made::with(two_profiles());
    Users(&made).fill();
    made.change("user_profiles", json!({ "one": {} }), &["user_profiles.two"]);

    let changes = made.account.changes();
    made.set("user_profiles", json!({}));
    let said = in_one_line(&made.workspace.plan_expect_error());
    assert_said(&said, &["The domain is not empty", ALL[0], ALL[2], ALL[4]]);
    for other in [ALL[1], ALL[3], ALL[5], ALL[6]] {
        assert!(!said.contains(other), "{other}: {said}");
    }
    assert_eq!(made.account.changes(), changes);

    made.set("force_destroy", json!(true));
    made.assert_changes(&["force_destroy", "user_profiles.one"]);
    let left = made.account.leftovers();
    let left: Vec<_> = left.iter().filter_map(|left| left["name"].as_str()).collect();
    assert!(left.contains(&"guest") && left.contains(&"common"), "others' things stay: {left:?}");
    made.destroy();
}

#[test]
fn apps_that_are_gone_or_failed_are_not_in_the_way() {
    let made = Made::alone_with(two_profiles());
    let users = Users(&made);
    users.app(Some("one"), None, "gone");
    users.delete_app("one", "gone");
    made.account.rules(json!([{ "service": "sagemaker", "operation": "CreateApp", "fail": "no capacity" }]));
    users.app(Some("two"), None, "failed");
    let list = || made.outside.run(made.outside.sagemaker().list_apps().domain_id_equals(users.id()).send());
    crate::terraform::wait_until("both apps have ended", || {
        list()
            .apps()
            .iter()
            .all(|app| app.status().is_some_and(|status| ["Deleted", "Failed"].contains(&status.as_str())))
    });
    made.destroy();
}

#[test]
fn an_app_that_is_stopping_is_waited_for() {
    let made = Made::alone_with(two_profiles());
    let users = Users(&made);
    users.app(Some("one"), None, "stopping");
    made.account.pace(json!({ "sagemaker:app:deleting": 3 }));
    users.delete_app("one", "stopping");
    made.destroy();
}

#[test]
fn an_app_that_was_started_after_the_plan_stops_the_destruction_before_anything_is_touched() {
    let made = Made::with(two_profiles());
    made.workspace.plan_destroy();
    Users(&made).app(Some("one"), None, "late");
    let changes = made.account.changes();
    let said = in_one_line(&made.workspace.apply_plan_expect_error());
    assert_said(&said, &["The domain is not empty", "app JupyterLab/late of user profile one", "Nothing was changed."]);
    assert_eq!(made.account.changes(), changes);
    Users(&made).delete_app("one", "late");
    made.destroy();
}

// ---- Replaced ----

#[test]
fn a_change_that_would_lose_the_home_folders_is_refused_until_they_may_go() {
    let mut made = Made::with(json!({ "home_efs": {} }));
    let file_system = made.text("home_efs_file_system_id");
    for (name, value) in [
        ("name", json!("other")),
        ("kms_key_id", json!("alias/other")),
        ("auth_mode", json!("SSO")),
        ("vpc_id", json!("vpc-0other")),
    ] {
        made.assert_refused(
            name,
            value,
            &["This would lose the home folders", &format!("change its {name}"), &file_system],
        );
    }
    made.change("home_efs", json!({ "on_destroy": "delete" }), &["home_efs.on_destroy"]);
    made.set("name", json!("other"));
    assert_eq!(made.workspace.plan().change().actions, ["delete", "create"]);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn a_domain_in_use_is_not_replaced() {
    let mut made = Made::with(two_profiles());
    Users(&made).app(Some("one"), None, "running");
    let needed = ["The domain is not empty", "app JupyterLab/running of user profile one"];
    made.assert_refused("kms_key_id", json!("alias/other"), &needed);
    made.set("kms_key_id", json!("alias/other"));
    Users(&made).delete_app("one", "running");
    assert_eq!(made.workspace.plan().change().actions, ["delete", "create"], "without a file system nothing is lost");
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.destroy();
}

// ---- Half-way ----

fn with_file_system() -> Json {
    json!({ "home_efs": { "on_destroy": "delete" }, "user_profiles": { "one": {} } })
}

/// The deletion of the first NFS group is refused once.
fn refuse_one_nfs_group(made: &Made) {
    let error = json!({ "code": "UnauthorizedOperation", "message": "not now" });
    // The groups of the endpoints and of the domain are others' business: the first to go is of the endpoints.
    made.account.rules(json!([{ "service": "ec2", "operation": "DeleteSecurityGroup", "nth": 2, "error": error }]));
}

/// The names of the groups that are left.
fn groups_left(made: &Made) -> Vec<String> {
    let left = made.account.leftovers().into_iter().filter(|left| left["kind"] == "ec2:security-group");
    left.map(|left| super::text(&left["name"])).collect()
}

#[test]
fn a_destruction_that_failed_at_the_nfs_groups_goes_on_from_there() {
    let made = Made::alone_with(with_file_system());
    let id = made.text("domain_id");
    refuse_one_nfs_group(&made);
    let said = in_one_line(&made.workspace.destroy_expect_error());
    let part = format!("security groups for NFS of the deleted domain {id}");
    assert_said(&said, &["Could not delete the pair of NFS groups of the file system", "not now", &part]);
    assert_said(&said, &["destroy again to continue from here"]);
    assert_eq!(made.account.count("DeleteDomain"), 1);
    assert!(groups_left(&made).iter().any(|name| name.contains("nfs")), "{:?}", groups_left(&made));

    let plan = in_one_line(&made.workspace.plan_destroy());
    assert_said(&plan, &["1 to destroy"]);
    made.workspace.destroy();
    assert_eq!(made.account.count("DeleteDomain"), 1);
    made.account.assert_nothing_is_left();
}

#[test]
fn a_destruction_that_was_killed_goes_on_from_there() {
    let made = Made::alone_with(with_file_system());
    let state = fs::read(made.workspace.file("terraform.tfstate")).expect("there is a state");
    refuse_one_nfs_group(&made);
    made.workspace.destroy_expect_error();
    // A killed run has saved no state.
    fs::write(made.workspace.file("terraform.tfstate"), state).expect("the folder can be written to");
    made.destroy();
}

#[test]
fn a_destruction_that_failed_half_way_can_be_made_good_instead() {
    let made = Made::alone_with(with_file_system());
    let id = made.text("domain_id");
    refuse_one_nfs_group(&made);
    made.workspace.destroy_expect_error();
    let plan = made.workspace.plan();
    assert_eq!(plan.change().actions, ["update"], "{}", plan.text);
    let told = plan.change().before["drift"].to_string();
    assert_said(
        &told,
        &["The domain is missing.", "The pair of NFS groups of the file system exists and is not wanted."],
    );
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_ne!(made.text("domain_id"), id);
    assert!(groups_left(&made).iter().all(|name| !name.contains(&id)), "{:?}", groups_left(&made));
    made.destroy();
}

#[test]
fn a_destruction_that_was_stopped_while_the_domain_went_goes_on_with_everything_else() {
    let made = Made::alone_with(with_file_system());
    made.account.rules(json!([{
        "service": "sagemaker", "operation": "DeleteDomain", "nth": 1, "fail": "the service is out of sorts",
    }]));
    let said = in_one_line(&made.workspace.destroy_expect_error());
    assert_said(&said, &["Could not delete the domain", "Delete_Failed", "out of sorts"]);
    made.account.pace(json!({ "sagemaker:domain:deleting": 2 }));
    let delete = made.outside.sagemaker().delete_domain().domain_id(made.text("domain_id"));
    let all = aws_sdk_sagemaker::types::RetentionPolicy::builder()
        .home_efs_file_system(aws_sdk_sagemaker::types::RetentionType::Delete)
        .build();
    made.outside.run(delete.retention_policy(all).send());
    assert_eq!(described(&made).status().map(|status| status.as_str().to_owned()).as_deref(), Some("Deleting"));
    made.workspace.destroy();
    made.account.assert_nothing_is_left();
}

#[test]
fn a_profile_that_is_going_already_is_waited_for() {
    let made = Made::alone_with(two_profiles());
    made.account.pace(json!({ "sagemaker:user-profile:deleting": 2 }));
    let delete = made.outside.sagemaker().delete_user_profile().domain_id(made.text("domain_id"));
    made.outside.run(delete.user_profile_name("one").send());
    made.destroy();
}

#[test]
fn a_file_system_that_goes_with_its_domain_takes_groups_and_mount_targets_along() {
    let account = Account::alone();
    let network = account.network();
    account.pace(json!({ "efs:mount-target:deleting": 2 }));
    let made = Made::of(account, network, with_file_system());
    assert!(made.workspace.state().values(ADDRESS)["home_efs_file_system_id"].is_string());
    made.destroy();
}
