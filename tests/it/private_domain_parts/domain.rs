//! The domain itself: settings of users, what is sent to change it, and its user profiles.

use aws_sdk_sagemaker::operation::describe_domain::DescribeDomainOutput;
use aws_sdk_sagemaker::types::{
    AppLifecycleManagement, AppNetworkAccessType, DockerSettings, DomainSettingsForUpdate, FeatureStatus, IdleSettings,
    JupyterLabAppSettings, LifecycleManagement, StudioWebPortal, UserSettings,
};
use serde_json::{Value as Json, json};

use super::Made;
use super::groups::group;
use crate::emulator::Account;
use crate::said::{assert_said, in_one_line};

pub fn described(made: &Made) -> DescribeDomainOutput {
    made.outside.run(made.outside.sagemaker().describe_domain().domain_id(made.text("domain_id")).send())
}

fn settings(made: &Made) -> UserSettings {
    described(made).default_user_settings.expect("a domain has settings")
}

/// Changes settings of users as somebody else would.
fn set_outside(made: &Made, settings: UserSettings) {
    let update = made.outside.sagemaker().update_domain().domain_id(made.text("domain_id"));
    made.outside.run(update.default_user_settings(settings).send());
    wait_until_in_service(made);
}

fn wait_until_in_service(made: &Made) {
    let is_ready = || described(made).status().is_some_and(|status| status.as_str() == "InService");
    crate::terraform::wait_until("the domain is in service", is_ready);
}

fn idle_after(minutes: i32) -> UserSettings {
    let idle = IdleSettings::builder().lifecycle_management(LifecycleManagement::Enabled);
    let managed = AppLifecycleManagement::builder().idle_settings(idle.idle_timeout_in_minutes(minutes).build());
    let jupyter = JupyterLabAppSettings::builder().app_lifecycle_management(managed.build()).build();
    UserSettings::builder().jupyter_lab_app_settings(jupyter).build()
}

/// What was sent in the one UpdateDomain since a number of calls, beside the domain's id.
fn update_since(made: &Made, from: usize) -> Json {
    let calls = made.calls_since(from, "UpdateDomain");
    let [call] = calls.as_slice() else { panic!("{} updates", calls.len()) };
    let mut params = call.params.clone();
    params.as_object_mut().expect("parameters have names").remove("DomainId");
    params
}

/// Changes an attribute, and gives what was sent for it.
fn sent_for(made: &mut Made, name: &str, value: Json, paths: &[&str]) -> Json {
    let from = made.account.calls().len();
    made.change(name, value, paths);
    update_since(made, from)
}

// ---- Settings of users ----

#[test]
fn each_setting_is_sent_alone_and_one_that_is_taken_out_stays_as_it_is() {
    let account = Account::new();
    let network = account.network();
    let extra = group(&account.outside(), &network.vpc_id, "extra");
    account.keep_everything();
    let mut made = Made::of(account, network, json!({}));
    let own = made.text("domain_security_group_id");
    let mut both = vec![own.clone(), extra.clone()];
    both.sort();

    let mut wanted = json!({
        "studio_web_portal": "ENABLED",
        "default_landing_uri": "studio::",
        "security_group_ids": [extra],
        "idle_timeout_minutes": 120,
        "docker_access": "ENABLED",
    });
    let sent = sent_for(&mut made, "default_user_settings", wanted.clone(), &["default_user_settings"]);
    assert_eq!(sent["DefaultUserSettings"]["SecurityGroups"], json!(both));
    assert!(sent["DefaultUserSettings"].get("ExecutionRole").is_none(), "what has not changed is not sent: {sent}");
    made.assert_imports();

    let idle = json!({ "AppLifecycleManagement": { "IdleSettings": {
        "LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": 180,
    } } });
    let landing = "app:JupyterServer:";
    for (name, value, sent) in [
        (
            "idle_timeout_minutes",
            json!(180),
            json!({ "DefaultUserSettings": {
            "JupyterLabAppSettings": idle, "CodeEditorAppSettings": idle,
        } }),
        ),
        (
            "docker_access",
            json!("DISABLED"),
            json!({ "DomainSettingsForUpdate": {
            "DockerSettings": { "EnableDockerAccess": "DISABLED" },
        } }),
        ),
        ("default_landing_uri", json!(landing), json!({ "DefaultUserSettings": { "DefaultLandingUri": landing } })),
        ("studio_web_portal", json!("DISABLED"), json!({ "DefaultUserSettings": { "StudioWebPortal": "DISABLED" } })),
        ("security_group_ids", Json::Null, json!({ "DefaultUserSettings": { "SecurityGroups": [own] } })),
    ] {
        wanted[name] = value;
        let path = format!("default_user_settings.{name}");
        assert_eq!(sent_for(&mut made, "default_user_settings", wanted.clone(), &[&path]), sent, "{name}");
    }
    made.assert_imports();

    wanted["security_group_ids"] = json!([extra]);
    made.change("default_user_settings", wanted, &["default_user_settings.security_group_ids"]);
    let sent = sent_for(&mut made, "default_user_settings", Json::Null, &["default_user_settings"]);
    assert_eq!(sent, json!({ "DefaultUserSettings": { "SecurityGroups": [own] } }), "groups are taken off");
    assert_eq!(settings(&made).default_landing_uri(), Some(landing));
    assert_eq!(settings(&made).studio_web_portal(), Some(&StudioWebPortal::Disabled));
    made.destroy();
}

#[test]
fn settings_changed_by_hand_are_put_back_where_they_are_written() {
    let account = Account::new();
    let network = account.network();
    let extra = group(&account.outside(), &network.vpc_id, "extra");
    account.keep_everything();
    let written = json!({
        "studio_web_portal": "ENABLED",
        "default_landing_uri": "studio::",
        "idle_timeout_minutes": 120,
        "docker_access": "ENABLED",
    });
    let made = Made::of(account, network, json!({ "default_user_settings": written }));
    let own = made.text("domain_security_group_id");

    set_outside(&made, idle_after(600));
    made.assert_changes(&["default_user_settings.idle_timeout_minutes"]);
    let elsewhere = UserSettings::builder().default_landing_uri("app:JupyterServer:");
    set_outside(&made, elsewhere.studio_web_portal(StudioWebPortal::Disabled).build());
    made.assert_changes(&["default_user_settings.default_landing_uri", "default_user_settings.studio_web_portal"]);
    let docker = DockerSettings::builder().enable_docker_access(FeatureStatus::Disabled).build();
    let docker = DomainSettingsForUpdate::builder().docker_settings(docker).build();
    let update = made.outside.sagemaker().update_domain().domain_id(made.text("domain_id"));
    made.outside.run(update.domain_settings_for_update(docker).send());
    wait_until_in_service(&made);
    made.assert_changes(&["default_user_settings.docker_access"]);
    set_outside(&made, UserSettings::builder().security_groups(&own).security_groups(&extra).build());
    made.assert_changes(&["default_user_settings.security_group_ids"]);
    assert_eq!(settings(&made).security_groups(), [own]);
    made.destroy();
}

#[test]
fn settings_that_were_never_written_are_left_alone_but_for_the_groups() {
    let account = Account::new();
    let network = account.network();
    let extra = group(&account.outside(), &network.vpc_id, "extra");
    account.keep_everything();
    let made = Made::of(account, network, json!({}));
    set_outside(&made, idle_after(600));
    let portal = UserSettings::builder().studio_web_portal(StudioWebPortal::Enabled).default_landing_uri("studio::");
    set_outside(&made, portal.build());
    made.workspace.plan().assert_empty();

    let from = made.account.calls().len();
    set_outside(&made, UserSettings::builder().security_groups(&extra).build());
    let own = made.text("domain_security_group_id");
    made.assert_drift(&[&format!(
        "The domain lacks the security groups {own}, and has beside its own the security groups {extra}."
    )]);
    let sent = made.calls_since(from, "UpdateDomain").pop().expect("it was put back").params;
    assert_eq!(sent["DefaultUserSettings"], json!({ "SecurityGroups": [own] }));
    assert_eq!(settings(&made).default_landing_uri(), Some("studio::"));
    made.destroy();
}

#[test]
fn users_cannot_land_in_a_portal_that_is_turned_off() {
    let account = Account::new();
    let network = account.network();
    let wrong = json!({ "studio_web_portal": "DISABLED", "default_landing_uri": "studio::" });
    let made = Made::planned(account, network, json!({ "default_user_settings": wrong }));
    let said = in_one_line(&made.workspace.plan_expect_error());
    assert_said(&said, &["Nowhere to land", "default_user_settings.default_landing_uri", "studio_web_portal"]);
    assert_eq!(made.account.calls().len(), 0, "validation asks AWS nothing");
}

// ---- What is sent ----

#[test]
fn a_change_of_the_domain_sends_that_and_what_sagemaker_demands_beside_it() {
    let mut made = Made::with(json!({}));
    let mut subnets = made.network.subnet_ids.clone();
    subnets.sort();
    let paths = ["endpoint_dns", "endpoint_ips", "subnet_ids"];
    let sent = sent_for(&mut made, "subnet_ids", json!(subnets), &paths);
    assert_eq!(sent, json!({ "SubnetIds": subnets }));

    let efs = json!({ "on_destroy": "delete" });
    let paths = ["home_efs.enabled", "home_efs.on_destroy", "home_efs_file_system_id"];
    let sent = sent_for(&mut made, "home_efs", efs, &paths);
    assert_eq!(sent, json!({ "HomeEfsFileSystemCreation": "Enabled" }));

    let update = made.outside.sagemaker().update_domain().domain_id(made.text("domain_id"));
    made.outside.run(update.app_network_access_type(AppNetworkAccessType::PublicInternetOnly).send());
    wait_until_in_service(&made);
    let from = made.account.calls().len();
    made.assert_drift(&["The domain lets its apps reach the network past the VPC."]);
    let expected = json!({
        "AppNetworkAccessType": "VpcOnly", "SubnetIds": subnets, "VpcId": made.network.vpc_id,
    });
    assert_eq!(update_since(&made, from), expected);
    made.destroy();
}

#[test]
fn a_failed_change_of_the_domain_is_told_and_the_next_apply_repairs_it() {
    let mut made = Made::alone_with(json!({}));
    let reason = "the service is out of sorts";
    made.account.rules(json!([{ "service": "sagemaker", "operation": "UpdateDomain", "nth": 1, "fail": reason }]));
    made.set("default_user_settings", json!({ "idle_timeout_minutes": 90 }));
    let said = in_one_line(&made.workspace.apply_expect_error());
    assert_said(&said, &["Could not update the domain", "Update_Failed", reason, "apply again to continue from here"]);
    assert_eq!(described(&made).status().map(|status| status.as_str().to_owned()).as_deref(), Some("Update_Failed"));
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(described(&made).status().map(|status| status.as_str().to_owned()).as_deref(), Some("InService"));
    made.destroy();
}

#[test]
fn an_address_family_that_a_subnet_does_not_have_is_refused_with_the_subnet() {
    let mut made = Made::with(json!({}));
    made.set("ip_address_type", json!("dualstack"));
    let said = in_one_line(&made.workspace.apply_expect_error());
    assert!(made.network.subnet_ids.iter().any(|subnet| said.contains(subnet)), "{said}");
    assert_said(&said, &["dualstack"]);
    made.set("ip_address_type", Json::Null);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.destroy();
}

// ---- User profiles ----

#[test]
fn profiles_are_added_changed_and_removed_in_one_apply() {
    let first = json!({ "one": {}, "two": { "tags": { "of": "two" } }, "three": {}, "four": {} });
    let mut made = Made::with(json!({ "user_profiles": first }));
    let role = made.network.role_arn.clone();
    let second = json!({
        "two": { "tags": { "of": "the second" } }, "three": { "execution_role_arn": role }, "five": {}, "six": {},
    });
    made.change(
        "user_profiles",
        second,
        &[
            "user_profiles.five",
            "user_profiles.four",
            "user_profiles.one",
            "user_profiles.six",
            "user_profiles.three.execution_role_arn",
            "user_profiles.two.tags.of",
        ],
    );
    let list = made.outside.sagemaker().list_user_profiles().domain_id_equals(made.text("domain_id"));
    let found = made.outside.run(list.send());
    let mut names: Vec<_> = found.user_profiles().iter().filter_map(|profile| profile.user_profile_name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["five", "six", "three", "two"]);
    made.assert_imports();
    made.change("user_profiles", Json::Null, &["user_profiles"]);
    made.destroy();
}
