//! `studio_presign_policy` through its life: made, changed, drifted, imported, interrupted by faults, destroyed.

mod changed;
mod drifted;
mod faults;
mod imported;

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
