//! `studio_presign_policy` through its life: made, changed, drifted, imported, interrupted by faults, destroyed.

use aws_sdk_ec2::types::VpcEndpointType;
use serde_json::{Value as Json, json};

use crate::{
    emulator::{Account, Network, Outside, REGION},
    linter,
    said::in_one_line,
    terraform::Workspace,
};

pub const ADDRESS: &str = "studio_presign_policy.test";

/// What stood there before the policy: two endpoints, and principals to attach it to.
pub struct Ground {
    pub account: Account,
    pub network: Network,
    pub outside: Outside,
    pub studio: String,
    pub api: String,
}

impl Ground {
    pub fn new(account: Account) -> Self {
        let network = account.network();
        let outside = account.outside();
        let studio = make_endpoint(&outside, &network, &format!("aws.sagemaker.{REGION}.studio"));
        let api = make_endpoint(&outside, &network, &format!("com.amazonaws.{REGION}.sagemaker.api"));
        let iam = outside.iam();
        for role in ["analyst", "scientist"] {
            outside.run(iam.create_role().role_name(role).assume_role_policy_document(TRUST).send());
        }
        outside.run(iam.create_user().user_name("ana").send());
        outside.run(iam.create_group().group_name("data").send());
        Ground { account, network, outside, studio, api }
    }

    fn domain(&self, id: &str) -> String {
        format!("arn:aws:sagemaker:{REGION}:{}:domain/{id}", self.account.id)
    }

    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:policy/presign", self.account.id)
    }

    /// The document that holds.
    fn document(&self) -> Json {
        let iam = self.outside.iam();
        let policy = self.outside.run(iam.get_policy().policy_arn(self.arn()).send()).policy.expect("it is there");
        let version = policy.default_version_id.expect("one holds");
        let get = iam.get_policy_version().policy_arn(self.arn()).version_id(version);
        let found = self.outside.run(get.send()).policy_version.and_then(|version| version.document);
        let text = unescaped(&found.expect("it has a document"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Gives the policy another document behind Terraform's back.
    fn set_document(&self, document: &Json) {
        let create = self.outside.iam().create_policy_version().policy_arn(self.arn());
        self.outside.run(create.policy_document(document.to_string()).set_as_default(true).send());
    }

    fn versions(&self) -> usize {
        let list = self.outside.iam().list_policy_versions().policy_arn(self.arn());
        self.outside.run(list.send()).versions.unwrap_or_default().len()
    }

    /// Who has the policy, in order.
    pub fn attached(&self) -> Vec<String> {
        let list = self.outside.iam().list_entities_for_policy().policy_arn(self.arn());
        let found = self.outside.run(list.send());
        let roles = found.policy_roles.into_iter().flatten().filter_map(|role| role.role_name);
        let users = found.policy_users.into_iter().flatten().filter_map(|user| user.user_name);
        let groups = found.policy_groups.into_iter().flatten().filter_map(|group| group.group_name);
        let mut names: Vec<_> = roles.chain(users).chain(groups).collect();
        names.sort();
        names
    }

    /// How many managed policies a role has.
    fn attached_to(&self, role: &str) -> usize {
        let list = self.outside.iam().list_attached_role_policies().role_name(role);
        self.outside.run(list.send()).attached_policies.unwrap_or_default().len()
    }

    /// The policy of an endpoint.
    fn endpoint_policy(&self, id: &str) -> String {
        let found = self.outside.run(self.outside.ec2().describe_vpc_endpoints().vpc_endpoint_ids(id).send());
        let endpoint = found.vpc_endpoints.into_iter().flatten().next();
        endpoint.and_then(|endpoint| endpoint.policy_document).unwrap_or_default()
    }

    pub fn is_full_access(&self, id: &str) -> bool {
        let policy = self.endpoint_policy(id);
        !policy.contains("Deny") && policy.contains("\"*\"")
    }

    pub fn assert_nothing_is_left(&self) {
        let left: Vec<_> = self.account.leftovers().into_iter().filter(|left| left["kind"] == "iam:policy").collect();
        assert!(left.is_empty(), "these are left: {}", json!(left));
        assert!(self.is_full_access(&self.studio) && self.is_full_access(&self.api));
    }
}

/// The configuration, with everything that the tests change. What is null is not written.
#[derive(Clone)]
pub struct Policy(serde_json::Map<String, Json>);

impl Policy {
    pub fn new(ground: &Ground) -> Self {
        let attributes = json!({
            "name": "presign",
            "domain_arns": [ground.domain("d-abcdefghijkl")],
            "allowed": [{ "vpc_endpoint_ids": [ground.studio, ground.api] }],
        });
        Policy(attributes.as_object().expect("it is one").clone())
    }

    /// With attachments and endpoint policies.
    pub fn whole(ground: &Ground) -> Self {
        Policy::new(ground)
            .with("attach_to", json!({ "roles": ["analyst"], "users": ["ana"], "groups": ["data"] }))
            .with("endpoint_policies", json!({ "studio": ground.studio, "sagemaker.api": ground.api }))
            .with("tags", json!({ "team": "ml" }))
    }

    pub fn with(mut self, name: &str, value: Json) -> Self {
        self.set(name, value);
        self
    }

    fn set(&mut self, name: &str, value: Json) {
        self.0.insert(name.to_owned(), value);
    }

    /// JSON is HCL enough for values, but for `${`.
    pub fn hcl(&self) -> String {
        let lines: String = self.0.iter().map(|(name, value)| format!("  {name} = {value}\n")).collect();
        format!("resource \"studio_presign_policy\" \"test\" {{\n{}}}\n", lines.replace("${", "$${"))
    }
}

/// A policy that was made.
struct Made {
    ground: Ground,
    workspace: Workspace,
}

impl Made {
    fn new(policy: fn(&Ground) -> Policy) -> Self {
        let ground = Ground::new(Account::new());
        let workspace = Workspace::with(&ground.account, &policy(&ground).hcl());
        workspace.apply();
        Made { ground, workspace }
    }

    fn values(&self) -> Json {
        self.workspace.state().values(ADDRESS)
    }

    /// Exactly these attributes are planned to change, and after an apply nothing is left to do.
    fn assert_changes_only(&self, paths: &[&str]) {
        let change = self.workspace.plan().change();
        assert_eq!(change.actions, ["update"]);
        // What is found follows from the rest; there are tests of its own for it.
        let changed: Vec<_> = change.paths().into_iter().filter(|path| !path.starts_with("findings")).collect();
        assert_eq!(changed, paths);
        self.workspace.apply();
        linter::assert_clean(&linter::documents_of(&self.values()));
        self.workspace.plan().assert_empty();
    }

    fn destroy(self) {
        self.workspace.destroy();
        self.ground.assert_nothing_is_left();
    }
}

// ---- Made and destroyed ----

#[test]
fn each_mode_needs_no_second_apply_and_destroy_leaves_nothing() {
    let ground = Ground::new(Account::new());
    for (mode, effects) in [("guard", &["Deny"][..]), ("grant", &["Allow"]), ("both", &["Allow", "Deny"])] {
        let policy = Policy::whole(&ground).with("mode", json!(mode));
        let workspace = Workspace::with(&ground.account, &policy.hcl());
        let planned = workspace.plan().change();
        assert!(planned.after["policy_json"].is_string(), "{mode}: the document is known at plan");
        workspace.apply();
        workspace.plan().assert_empty();
        let values = workspace.state().values(ADDRESS);
        linter::assert_clean(&linter::documents_of(&values));
        assert_eq!(values["id"], json!(ground.arn()));
        assert_eq!(values["policy_json"], planned.after["policy_json"]);
        let document = ground.document();
        let found: Vec<_> = statements(&document).iter().map(|statement| statement["Effect"].clone()).collect();
        assert_eq!(json!(found), json!(effects), "{mode}");
        assert_eq!(parsed(&values["policy_json"]), document);
        assert_eq!(ground.attached(), ["ana", "analyst", "data"]);
        for id in [&ground.studio, &ground.api] {
            assert!(ground.endpoint_policy(id).contains("DenyOtherDomains"), "{mode}");
        }
        workspace.destroy();
        ground.assert_nothing_is_left();
    }
}

#[test]
fn what_is_made_in_the_same_run_is_unknown_at_first_and_checked_when_it_is_known() {
    let ground = Ground::new(Account::new());
    let policy = Policy::whole(&ground).hcl().replace(&format!("{:?}", ground.studio), "terraform_data.made.output");
    let made = |id: &str| format!("resource \"terraform_data\" \"made\" {{\n  input = {id:?}\n}}\n{policy}");

    // An endpoint of another service is found out before anything is made.
    let workspace = Workspace::with(&ground.account, &made(&ground.api));
    workspace.plan();
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("is given for sagemaker.api as well"), "{text}");
    assert_eq!(ground.account.count("CreatePolicy"), 0);

    workspace.write(&made(&ground.studio));
    let plan = workspace.plan();
    let change = plan.changes().into_iter().find(|change| change.address == ADDRESS).expect("it is to be made");
    assert_eq!(change.after_unknown["policy_json"], true);
    assert!(change.after["endpoint_policy_json"].is_object(), "it depends on the domains alone");
    workspace.apply();
    workspace.plan().assert_empty();
    assert!(ground.document().to_string().contains(&ground.studio));
    workspace.destroy();
    ground.assert_nothing_is_left();
}

#[test]
fn the_policy_carries_the_users_tags_and_not_those_of_the_provider() {
    let made = Made::new(Policy::whole);
    assert_eq!(made.values()["tags_all"], json!({ "team": "ml" }));
    let get = made.ground.outside.iam().list_policy_tags().policy_arn(made.ground.arn());
    let tags = made.ground.outside.run(get.send()).tags;
    assert!(tags.iter().any(|tag| tag.key == "terraform-provider-studio:owner"), "{tags:?}");
    made.destroy();
}

// ---- Changed ----

#[test]
fn each_rule_changes_alone_and_in_place() {
    let made = Made::new(Policy::new);
    let ground = &made.ground;
    let mut policy = Policy::new(ground);
    let mut changes_only = |name: &str, value: Json, paths: &[&str]| {
        policy.set(name, value);
        made.workspace.write(&policy.hcl());
        made.assert_changes_only(paths);
        assert!(ground.versions() <= 5);
    };
    let rule = ["policy_json", "scp_json"];
    changes_only("mode", json!("both"), &["mode", "policy_json"]);
    changes_only("user_profile", json!("${aws:username}"), &["policy_json", "user_profile"]);
    changes_only(
        "exempt_principal_arns",
        json!(["arn:aws:iam::123456789012:role/BreakGlass"]),
        &["exempt_principal_arns", rule[0], rule[1]],
    );
    changes_only("exempt_principal_arns", Json::Null, &["exempt_principal_arns", rule[0], rule[1]]);
    changes_only("allow_via_aws_services", json!(true), &["allow_via_aws_services", rule[0], rule[1]]);
    changes_only("allow_via_aws_services", Json::Null, &["allow_via_aws_services", rule[0], rule[1]]);
    changes_only("resource_tags", json!({ "team": "${aws:PrincipalTag/team}" }), &[rule[0], "resource_tags", rule[1]]);
    changes_only("resource_tags", json!({ "team": "ml" }), &[rule[0], "resource_tags.team", rule[1]]);
    changes_only("resource_tags", Json::Null, &[rule[0], "resource_tags", rule[1]]);
    let paths =
        json!([{ "vpc_endpoint_ids": [ground.studio, ground.api] }, { "source_cidr_blocks": ["203.0.113.0/24"] }]);
    changes_only("allowed", paths, &["allowed", rule[0], rule[1]]);
    changes_only("user_profile", Json::Null, &["policy_json", "user_profile"]);
    changes_only("mode", Json::Null, &["mode", "policy_json"]);
    let domains = json!([ground.domain("d-abcdefghijkl"), ground.domain("d-mnopqrstuvwx")]);
    changes_only(
        "domain_arns",
        domains,
        &["domain_arns", "endpoint_policy_json.sagemaker.api", "endpoint_policy_json.studio", rule[0], rule[1]],
    );
    assert_eq!(ground.account.count("CreatePolicy"), 1, "nothing of this replaces the policy");
    made.destroy();
}

#[test]
fn each_use_changes_alone_and_makes_no_new_version() {
    let made = Made::new(Policy::new);
    let ground = &made.ground;
    let mut policy = Policy::new(ground);
    let mut changes_only = |name: &str, value: Json, paths: &[&str]| {
        policy.set(name, value);
        made.workspace.write(&policy.hcl());
        made.assert_changes_only(paths);
    };
    changes_only("attach_to", json!({ "roles": ["analyst"] }), &["attach_to"]);
    assert_eq!(ground.attached(), ["analyst"]);
    changes_only(
        "attach_to",
        json!({ "roles": ["scientist"], "users": ["ana"] }),
        &["attach_to.roles", "attach_to.users"],
    );
    assert_eq!(ground.attached(), ["ana", "scientist"]);
    changes_only(
        "attach_to",
        json!({ "groups": ["data"] }),
        &["attach_to.groups", "attach_to.roles", "attach_to.users"],
    );
    assert_eq!(ground.attached(), ["data"]);
    changes_only("attach_to", Json::Null, &["attach_to"]);
    assert_eq!(ground.attached(), [""; 0]);

    changes_only("endpoint_policies", json!({ "studio": ground.studio }), &["endpoint_policies"]);
    assert!(!ground.is_full_access(&ground.studio) && ground.is_full_access(&ground.api));
    let both = json!({ "studio": ground.studio, "sagemaker.api": ground.api });
    changes_only("endpoint_policies", both, &["endpoint_policies.sagemaker.api"]);
    assert!(!ground.is_full_access(&ground.api));
    changes_only("endpoint_policies", json!({ "sagemaker.api": ground.api }), &["endpoint_policies.studio"]);
    assert!(ground.is_full_access(&ground.studio), "an endpoint that is taken out is set back");

    changes_only("tags", json!({ "team": "ml" }), &["tags", "tags_all.team"]);
    changes_only("tags", json!({ "team": "data" }), &["tags.team", "tags_all.team"]);
    changes_only("tags", Json::Null, &["tags", "tags_all.team"]);
    changes_only("timeouts", json!({ "update": "5m" }), &["timeouts"]);
    assert_eq!(ground.versions(), 1);
    made.destroy();
}

#[test]
fn another_endpoint_in_the_same_place_gets_the_policy_and_the_old_one_is_set_back() {
    let made = Made::new(Policy::whole);
    let ground = &made.ground;
    let other = make_endpoint(&ground.outside, &ground.network, &format!("aws.sagemaker.{REGION}.studio"));
    let places = json!({ "studio": other, "sagemaker.api": ground.api });
    made.workspace.write(&Policy::whole(ground).with("endpoint_policies", places).hcl());
    made.assert_changes_only(&["endpoint_policies.studio"]);
    assert!(ground.is_full_access(&ground.studio) && !ground.is_full_access(&other));
    made.workspace.destroy();
    assert!(ground.is_full_access(&other));
}

#[test]
fn another_name_path_or_description_replaces_the_policy() {
    let made = Made::new(Policy::whole);
    let mut policy = Policy::whole(&made.ground);
    for (name, value) in [("path", "/studio/"), ("description", "Presigned URLs"), ("name", "renamed")] {
        policy.set(name, json!(value));
        made.workspace.write(&policy.hcl());
        assert_eq!(made.workspace.plan().change().actions, ["delete", "create"], "{name}");
        made.workspace.apply();
        made.workspace.plan().assert_empty();
        assert_eq!(made.values()[name], json!(value));
    }
    made.destroy();
}

#[test]
fn the_sixth_version_takes_the_place_of_the_oldest() {
    let made = Made::new(Policy::new);
    let ground = &made.ground;
    let document = ground.document();
    for _ in 0..4 {
        ground.set_document(&document);
    }
    assert_eq!(ground.versions(), 5);
    made.workspace.write(&Policy::new(ground).with("mode", json!("both")).hcl());
    made.assert_changes_only(&["mode", "policy_json"]);
    assert_eq!(ground.versions(), 5);
    made.destroy();
}

#[test]
fn what_cannot_work_is_refused_at_its_attribute_before_anything_is_made() {
    let ground = Ground::new(Account::new());
    let before = ground.account.changes();
    let many: Vec<String> = (0..300).map(|n| format!("vpce-{n:017x}")).collect();
    let domain = |n| format!("arn:aws:sagemaker:us-east-1:123456789012:domain/d-{n:012}");
    let domains: Vec<String> = (0..100).map(domain).collect();
    for (name, value, said) in [
        ("allowed", json!([]), "allow at least one path"),
        ("allowed", json!([{}]), "allowed[0] asks nothing"),
        ("allowed", json!([{ "source_cidr_blocks": ["10.1.2.3/16"] }]), "10.1.0.0/16"),
        ("allowed", json!([{ "vpc_endpoint_ids": ["vpc-0abcdef0"] }]), "not the id of a VPC endpoint"),
        ("allowed", json!([{ "vpc_endpoint_ids": many }]), "more than the 6144 that IAM allows"),
        ("domain_arns", json!(domains), "divide the domains among several policies"),
        ("domain_arns", json!(["d-abcdefghijkl"]), "not the ARN of a SageMaker domain"),
        ("mode", json!("deny"), "is not one of grant, guard, both"),
        ("user_profile", json!("${username}"), "not a policy variable"),
        ("exempt_principal_arns", json!(["arn:aws:sts::123456789012:assumed-role/a/b"]), "the ARN of a session"),
        ("endpoint_policies", json!({ "studio": "vpce-0123456789abcdef0" }), "There is no VPC endpoint"),
        ("endpoint_policies", json!({ "studio": ground.api }), "is an endpoint for com.amazonaws"),
        ("endpoint_policies", json!({ "runtime": ground.api }), "is not one of studio, sagemaker.api"),
        ("attach_to", json!({ "roles": ["arn:aws:iam::123456789012:role/r"] }), "Give the name of a role"),
        ("name", json!("two words"), "is not the name of a policy"),
        ("path", json!("studio"), "is not a path"),
    ] {
        let policy = Policy::new(&ground).with(name, value);
        let text = in_one_line(&Workspace::with(&ground.account, &policy.hcl()).plan_expect_error());
        let shown = if name == "attach_to" { "Invalid roles" } else { name };
        assert!(text.contains(shown) && text.contains(said), "{name}, {said}: {text}");
    }
    assert_eq!(ground.account.changes(), before);
}

#[test]
fn a_policy_that_an_endpoint_has_already_is_not_replaced_silently() {
    let ground = Ground::new(Account::new());
    let own = json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Principal": "*", "Action": "sagemaker:*", "Resource": "*" } });
    let modify = ground.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(&ground.studio);
    ground.outside.run(modify.policy_document(own.to_string()).send());
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    let text = in_one_line(&workspace.plan().text);
    assert!(text.contains("The endpoint's policy will be replaced"), "{text}");
    assert_eq!(text.matches("will be replaced").count(), 1, "the other endpoint has full access: {text}");
    workspace.apply();
    assert!(!workspace.plan().text.contains("will be replaced"));
}

// ---- Drifted ----

#[test]
fn another_spelling_of_the_same_policy_is_no_drift() {
    let made = Made::new(Policy::new);
    let mut document = made.ground.document();
    let statement = &mut document["Statement"][0];
    statement["Action"] = json!(["sagemaker:createpresigneddomainurl"]);
    let ids = &mut statement["Condition"]["StringNotEquals"]["aws:SourceVpce"];
    ids.as_array_mut().expect("there are two").reverse();
    made.ground.set_document(&document);
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn a_widened_policy_shows_and_is_put_right() {
    let made = Made::new(Policy::new);
    let before = made.values()["policy_json"].clone();
    let mut document = made.ground.document();
    let ids = &mut document["Statement"][0]["Condition"]["StringNotEquals"]["aws:SourceVpce"];
    ids.as_array_mut().expect("there are two").push(json!("vpce-0eeeeeeeeeeeeeeee"));
    made.ground.set_document(&document);
    let plan = made.workspace.plan();
    assert!(plan.change().before["policy_json"].to_string().contains("vpce-0eeeeeeeeeeeeeeee"));
    assert_eq!(plan.change().after["policy_json"], before);
    made.assert_changes_only(&["policy_json"]);
    assert_eq!(made.ground.document(), parsed(&before));
    made.destroy();
}

#[test]
fn an_endpoint_policy_that_was_taken_away_is_set_again() {
    let made = Made::new(Policy::whole);
    let modify = made.ground.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(&made.ground.api);
    made.ground.outside.run(modify.reset_policy(true).send());
    made.assert_changes_only(&["endpoint_policy_json.sagemaker.api"]);
    assert!(!made.ground.is_full_access(&made.ground.api));
    made.destroy();
}

#[test]
fn a_lost_attachment_is_made_again_and_a_foreign_one_is_left_alone() {
    let made = Made::new(Policy::whole);
    let (iam, arn) = (made.ground.outside.iam(), made.ground.arn());
    made.ground.outside.run(iam.detach_user_policy().user_name("ana").policy_arn(&arn).send());
    made.ground.outside.run(iam.attach_role_policy().role_name("scientist").policy_arn(&arn).send());
    made.assert_changes_only(&["attach_to.users"]);
    assert_eq!(made.ground.attached(), ["ana", "analyst", "data", "scientist"]);

    // It keeps the policy from being deleted, and says so; what could go is gone.
    let text = in_one_line(&made.workspace.destroy_expect_error());
    assert!(text.contains("Could not delete the managed policy"), "{text}");
    assert!(text.contains("attached by others to role scientist"), "{text}");
    assert_eq!(made.ground.attached(), ["scientist"]);
    made.ground.outside.run(iam.detach_role_policy().role_name("scientist").policy_arn(&arn).send());
    made.destroy();
}

#[test]
fn a_tag_changed_by_hand_is_put_back() {
    let made = Made::new(Policy::whole);
    let tag = aws_sdk_iam::types::Tag::builder().key("team").value("other").build().expect("it is complete");
    made.ground.outside.run(made.ground.outside.iam().tag_policy().policy_arn(made.ground.arn()).tags(tag).send());
    made.assert_changes_only(&["tags.team", "tags_all.team"]);
    made.destroy();
}

#[test]
fn an_endpoint_that_is_gone_is_asked_for_in_the_configuration() {
    let made = Made::new(Policy::whole);
    let ground = &made.ground;
    ground.outside.run(ground.outside.ec2().delete_vpc_endpoints().vpc_endpoint_ids(&ground.api).send());
    let text = in_one_line(&made.workspace.plan_expect_error());
    assert!(text.contains("There is no VPC endpoint") && text.contains("endpoint_policies"), "{text}");
    made.workspace.write(&Policy::whole(ground).with("endpoint_policies", json!({ "studio": ground.studio })).hcl());
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.workspace.destroy();
}

#[test]
fn a_policy_that_was_deleted_is_planned_as_a_new_one() {
    let made = Made::new(Policy::new);
    made.ground.outside.run(made.ground.outside.iam().delete_policy().policy_arn(made.ground.arn()).send());
    assert_eq!(made.workspace.plan().change().actions, ["create"]);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn endpoint_policies_are_set_back_also_when_the_policy_was_deleted() {
    let made = Made::new(|ground| Policy::whole(ground).with("attach_to", Json::Null));
    let ground = &made.ground;
    ground.outside.run(ground.outside.iam().delete_policy().policy_arn(ground.arn()).send());
    let change = made.workspace.plan().change();
    assert_eq!(change.actions, ["update"]);
    assert_eq!(change.before["drift"], json!(["The managed policy is missing."]));
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.values()["arn"], json!(ground.arn()));
    ground.outside.run(ground.outside.iam().delete_policy().policy_arn(ground.arn()).send());
    assert!(!ground.is_full_access(&ground.studio));
    made.destroy();
}

#[test]
fn a_role_with_ten_policies_already_is_said_so() {
    let ground = Ground::new(Account::new());
    let iam = ground.outside.iam();
    let own =
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Action": "s3:*", "Resource": "*" }] });
    for number in 0..10 {
        let create = iam.create_policy().policy_name(format!("other-{number}")).policy_document(own.to_string());
        let arn = ground.outside.run(create.send()).policy.and_then(|policy| policy.arn).expect("it has one");
        ground.outside.run(iam.attach_role_policy().role_name("analyst").policy_arn(arn).send());
    }
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("Could not attach the policy to role analyst"), "{text}");
    assert!(text.contains("Detach one from role analyst that is not needed"), "{text}");
    workspace.destroy();
    assert_eq!(ground.attached_to("analyst"), 10, "what others attached stays");
}

#[test]
fn an_endpoint_whose_policy_a_private_domain_sets_is_refused() {
    let ground = Ground::new(Account::new());
    let own = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "sagemaker:*", "Resource": "*" }] });
    let ec2 = ground.outside.ec2();
    ground.outside.run(ec2.modify_vpc_endpoint().vpc_endpoint_id(&ground.api).policy_document(own.to_string()).send());
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    assert!(workspace.plan().text.contains("The endpoint's policy will be replaced"), "by nobody in particular");

    let tag = |key: &str, value: &str| aws_sdk_ec2::types::Tag::builder().key(key).value(value).build();
    let tags = ec2.create_tags().resources(&ground.api);
    let tags = tags.tags(tag("terraform-provider-studio:owner", "someone"));
    ground.outside.run(tags.tags(tag("terraform-provider-studio:part", "endpoint/sagemaker.api")).send());
    let text = in_one_line(&workspace.plan_expect_error());
    assert!(text.contains("Two resources would set the endpoint's policy"), "{text}");
    assert!(text.contains("endpoints.policies of studio_private_domain"), "{text}");
    ground.outside.run(ec2.modify_vpc_endpoint().vpc_endpoint_id(&ground.api).reset_policy(true).send());
    workspace.apply();
    workspace.destroy();
    ground.assert_nothing_is_left();
}

#[test]
fn an_endpoint_policy_that_others_have_taken_charge_of_is_left_to_them() {
    let made = Made::new(Policy::whole);
    let ground = &made.ground;
    let own = json!({ "Version": "2012-10-17", "Statement": { "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" } });
    let modify = ground.outside.ec2().modify_vpc_endpoint().vpc_endpoint_id(&ground.studio);
    ground.outside.run(modify.policy_document(own.to_string()).send());
    made.workspace.destroy_without_a_look();
    assert!(!ground.is_full_access(&ground.studio) && ground.is_full_access(&ground.api));
}

// ---- Imported ----

#[test]
fn an_imported_policy_needs_no_change() {
    let made = Made::new(|ground| {
        Policy::whole(ground).with("mode", json!("both")).with(
            "allowed",
            json!([{ "source_cidr_blocks": ["203.0.113.0/24"] }, { "vpc_endpoint_ids": [ground.studio, ground.api] }]),
        )
    });
    let mut before = made.values();
    made.workspace.forget(ADDRESS);
    made.workspace.import(ADDRESS, &made.ground.arn());
    let mut after = made.values();
    // Findings name paths by their place.
    before["findings"] = codes(&before);
    after["findings"] = codes(&after);
    // The order of the paths has no meaning; what is recovered has the order of the document.
    let mut paths = after["allowed"].as_array().expect("it is a list").clone();
    paths.sort_by_key(|path| path["source_cidr_blocks"].is_null());
    after["allowed"] = json!(paths);
    assert_eq!(after, before);
    made.destroy();
}

#[test]
fn an_imported_guard_with_one_path_needs_no_change_at_all() {
    let made = Made::new(Policy::whole);
    made.workspace.forget(ADDRESS);
    made.workspace.import(ADDRESS, &made.ground.arn());
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn a_policy_of_somebody_else_is_imported_as_it_is_and_the_plan_shows_the_change() {
    let ground = Ground::new(Account::new());
    let own = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Action": "sagemaker:CreatePresignedDomainUrl", "Resource": "*" }] });
    let create = ground.outside.iam().create_policy().policy_name("presign");
    ground.outside.run(create.policy_document(own.to_string()).send());
    let workspace = Workspace::with(&ground.account, &Policy::new(&ground).hcl());
    workspace.import(ADDRESS, &ground.arn());
    let values = workspace.state().values(ADDRESS);
    assert!(values["domain_arns"].is_null() && values["mode"].is_null());
    assert!(values["policy_json"].as_str().is_some_and(|json| json.contains("\"Resource\":\"*\"")), "{values}");
    let change = workspace.plan().change();
    assert_eq!(change.actions, ["update"]);
    assert!(change.paths().contains(&"policy_json".to_owned()));
    workspace.apply();
    workspace.plan().assert_empty();
    workspace.destroy();
    ground.assert_nothing_is_left();
}

#[test]
fn an_arn_of_nothing_is_not_imported() {
    let ground = Ground::new(Account::new());
    let workspace = Workspace::with(&ground.account, &Policy::new(&ground).hcl());
    let text = workspace.import_expect_error(ADDRESS, &ground.arn());
    assert!(text.contains("There is nothing to import"), "{text}");
    for wrong in ["presign", "arn:aws:iam::aws:policy/ReadOnlyAccess"] {
        let text = workspace.import_expect_error(ADDRESS, wrong);
        assert!(text.contains("Invalid import id"), "{text}");
    }
}

// ---- Faults ----

#[test]
fn a_name_that_is_taken_is_said_so_and_nothing_else_is_touched() {
    let ground = Ground::new(Account::new());
    let own = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Action": "*", "Resource": "*" }] });
    ground
        .outside
        .run(ground.outside.iam().create_policy().policy_name("presign").policy_document(own.to_string()).send());
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("Could not create the managed policy") && text.contains("or import the policy"), "{text}");
    assert_eq!(workspace.state().addresses(), [""; 0]);
    assert_eq!(ground.document(), own);
    assert_eq!(ground.attached(), [""; 0]);
    assert!(ground.is_full_access(&ground.studio));
}

#[test]
fn what_a_killed_run_made_is_taken_over() {
    let made = Made::new(Policy::whole);
    made.workspace.forget(ADDRESS);
    made.workspace.write(&Policy::whole(&made.ground).with("mode", json!("both")).hcl());
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.ground.account.count("CreatePolicy"), 1);
    assert_eq!(statements(&made.ground.document()).len(), 2);
    made.destroy();
}

#[test]
fn after_a_fault_in_any_step_destroy_leaves_nothing_and_the_next_apply_finishes() {
    let ground = Ground::new(Account::alone());
    for (service, operation) in [
        ("iam", "CreatePolicy"),
        ("iam", "GetPolicyVersion"),
        ("iam", "AttachRolePolicy"),
        ("iam", "AttachUserPolicy"),
        ("iam", "AttachGroupPolicy"),
        ("iam", "ListEntitiesForPolicy"),
        ("ec2", "ModifyVpcEndpoint"),
    ] {
        let refuse = || {
            let error = json!({ "code": "AccessDenied", "message": "not today", "status": 403 });
            ground.account.rules(json!([{ "service": service, "operation": operation, "error": error }]));
            let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
            let text = in_one_line(&workspace.apply_expect_error());
            assert!(text.contains("not today") && text.contains("Could not"), "{operation}: {text}");
            ground.account.rules(json!([]));
            workspace
        };
        let workspace = refuse();
        workspace.destroy();
        ground.assert_nothing_is_left();

        let workspace = refuse();
        if operation != "CreatePolicy" {
            assert!(workspace.state().is_tainted(ADDRESS), "{operation}");
            workspace.untaint(ADDRESS);
        }
        let before = ground.account.count("CreatePolicy");
        workspace.apply();
        workspace.plan().assert_empty();
        let made = ground.account.count("CreatePolicy") - before;
        assert_eq!(made, usize::from(operation == "CreatePolicy"), "{operation}");
        assert_eq!(ground.attached(), ["ana", "analyst", "data"], "{operation}");
        workspace.destroy();
        ground.assert_nothing_is_left();
    }
}

#[test]
fn a_failed_change_shows_what_still_holds_and_the_next_apply_finishes() {
    let ground = Ground::new(Account::alone());
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    workspace.apply();
    let before = workspace.state().values(ADDRESS)["policy_json"].clone();
    let error = json!({ "code": "AccessDenied", "message": "not today", "status": 403 });
    ground.account.rules(json!([{ "service": "iam", "operation": "CreatePolicyVersion", "error": error }]));
    let changed =
        Policy::whole(&ground).with("mode", json!("both")).with("attach_to", json!({ "roles": ["scientist"] }));
    workspace.write(&changed.hcl());
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("Could not update the managed policy"), "{text}");
    assert!(text.contains("Not started: attachment to role scientist"), "{text}");
    let values = workspace.state().values(ADDRESS);
    assert_eq!(values["policy_json"], before);
    assert_eq!(values["attach_to"]["roles"], json!([]), "the old one is gone, the new one not there");
    ground.account.rules(json!([]));
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(ground.attached(), ["scientist"]);
    workspace.destroy();
    ground.assert_nothing_is_left();
}

#[test]
fn what_iam_does_not_know_everywhere_yet_is_waited_for() {
    let ground = Ground::new(Account::alone());
    let unknown = json!({ "code": "NoSuchEntity", "message": "not seen yet", "status": 404 });
    ground.account.rules(json!([
        { "service": "iam", "operation": "GetPolicy", "nth": 1, "times": 2, "error": unknown },
        { "service": "iam", "operation": "AttachRolePolicy", "nth": 1, "times": 2, "error": unknown },
    ]));
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    workspace.apply();
    let unseen = |call: &&crate::emulator::Call| call.error.as_deref() == Some("NoSuchEntity");
    let refused = ground.account.calls().iter().filter(unseen).count();
    assert_eq!(refused, 4);
    workspace.plan().assert_empty();
    workspace.destroy();
    ground.assert_nothing_is_left();
}

#[test]
fn answers_that_are_lost_make_nothing_twice() {
    let ground = Ground::new(Account::alone());
    let lost = |operation: &str| json!([{ "service": "iam", "operation": operation, "nth": 1, "lose_answer": true }]);
    ground.account.rules(lost("CreatePolicy"));
    let workspace = Workspace::with(&ground.account, &Policy::whole(&ground).hcl());
    workspace.apply();
    assert_eq!(ground.attached(), ["ana", "analyst", "data"]);

    // The version whose answer is lost takes the last place.
    let document = ground.document();
    for _ in 0..3 {
        ground.set_document(&document);
    }
    ground.account.rules(lost("CreatePolicyVersion"));
    workspace.write(&Policy::whole(&ground).with("mode", json!("both")).hcl());
    workspace.apply();
    workspace.plan().assert_empty();
    let refused = |call: &crate::emulator::Call| call.error.as_deref() == Some("LimitExceeded");
    assert!(ground.account.calls().iter().any(refused), "the second try found no room");
    ground.account.rules(json!([]));
    workspace.destroy();
    ground.assert_nothing_is_left();
}

// ---- What tests do outside ----

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

pub fn make_endpoint(outside: &Outside, network: &Network, service: &str) -> String {
    let create = outside.ec2().create_vpc_endpoint().vpc_endpoint_type(VpcEndpointType::Interface);
    let create = create.vpc_id(&network.vpc_id).service_name(service).subnet_ids(&network.subnet_ids[0]);
    let made = outside.run(create.private_dns_enabled(false).send());
    made.vpc_endpoint.and_then(|endpoint| endpoint.vpc_endpoint_id).expect("it has an id")
}

fn statements(document: &Json) -> &Vec<Json> {
    document["Statement"].as_array().expect("we print a list")
}

/// The codes of the findings.
pub fn codes(values: &Json) -> Json {
    values["findings"].as_array().expect("there is a list").iter().map(|found| found["code"].clone()).collect()
}

fn parsed(text: &Json) -> Json {
    serde_json::from_str(text.as_str().expect("it is text")).expect("it is JSON")
}

/// IAM answers with URL escapes.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digits = (byte == b'%').then(|| [rest.next(), rest.next()]);
        let value = digits.and_then(|[one, two]| String::from_utf8(vec![one?, two?]).ok());
        bytes.push(value.and_then(|digits| u8::from_str_radix(&digits, 16).ok()).unwrap_or(byte));
    }
    String::from_utf8(bytes).expect("a document is text")
}

#[test]
fn what_is_found_only_after_the_plan_does_not_break_its_apply() {
    let ground = Ground::new(Account::new());
    let policy = Policy::new(&ground)
        .with("mode", json!("grant"))
        .with("attach_to", json!({ "roles": ["analyst"] }))
        .with("on_lockout", json!("warn"));
    let workspace = Workspace::with(&ground.account, &policy.hcl());
    workspace.plan();
    let everything = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let inline = ground.outside.iam().put_role_policy().role_name("analyst").policy_name("all");
    ground.outside.run(inline.policy_document(everything).send());
    let text = in_one_line(&workspace.apply_plan());
    assert!(text.contains("arn:aws:iam::") && text.contains("grant takes nothing away"), "{text}");
    let found = codes(&workspace.state().values(ADDRESS));
    assert!(found.to_string().contains("grant_is_no_restriction"), "{found}");
    workspace.plan().assert_empty();
}
