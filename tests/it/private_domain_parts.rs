//! `studio_private_domain`, part by part: each feature made, changed in place, drifted and repaired, and destroyed.
//!
//! **Invariant:** every test ends with a destruction after which nothing is left.

mod deletion;
mod domain;
mod endpoints;
mod groups;
mod policies;

use serde_json::{Value as Json, json};

use crate::{
    emulator::{Account, Call, Network, Outside},
    said::{assert_said, in_one_line},
    terraform::Workspace,
};

pub const ADDRESS: &str = "studio_private_domain.test";

/// A private domain that Terraform has made, its configuration, and somebody else who works in the account.
pub struct Made {
    pub account: Account,
    pub network: Network,
    pub workspace: Workspace,
    pub outside: Outside,
    config: Json,
}

impl Made {
    /// One with these attributes beside the usual ones.
    pub fn with(attributes: Json) -> Self {
        let account = Account::new();
        let network = account.network();
        Self::of(account, network, attributes)
    }

    /// One on an emulator of its own, for rules and paces.
    pub fn alone_with(attributes: Json) -> Self {
        let account = Account::alone();
        let network = account.network();
        Self::of(account, network, attributes)
    }

    /// One in this network. What exists in the account already counts as what was there before.
    pub fn of(account: Account, network: Network, attributes: Json) -> Self {
        let made = Self::planned(account, network, attributes);
        made.workspace.apply();
        made.workspace.plan().assert_empty();
        made
    }

    /// A configuration that nothing was done with yet.
    pub fn planned(account: Account, network: Network, attributes: Json) -> Self {
        let (workspace, outside) = (Workspace::new(&account), account.outside());
        let config = json!({
            "name": "test",
            "vpc_id": network.vpc_id,
            "subnet_ids": network.subnet_ids[..2],
            "execution_role_arn": network.role_arn,
            "home_efs": { "enabled": false },
            "tags": { "team": "data" },
        });
        let mut made = Made { account, network, workspace, outside, config };
        for (name, value) in attributes.as_object().expect("attributes have names") {
            made.config[name] = value.clone();
        }
        made.write();
        made
    }

    /// Writes an attribute into the configuration. Null takes it out.
    pub fn set(&mut self, name: &str, value: Json) {
        self.config[name] = value;
        self.write();
    }

    /// JSON is HCL enough for values.
    fn write(&self) {
        let attributes = self.config.as_object().expect("it is one").iter().filter(|(_, value)| !value.is_null());
        let lines: String = attributes.map(|(name, value)| format!("  {name} = {value}\n")).collect();
        self.workspace.write(&format!("resource \"studio_private_domain\" \"test\" {{\n{lines}}}\n"));
    }

    /// Writes an attribute; exactly these change in the plan, in place, and after an apply nothing is left to do.
    pub fn change(&mut self, name: &str, value: Json, paths: &[&str]) {
        self.set(name, value);
        self.assert_changes(paths);
    }

    /// Exactly these attributes are planned to change, in place, and after an apply nothing is left to do.
    pub fn assert_changes(&self, paths: &[&str]) {
        self.workspace.plan().assert_updates(paths);
        self.workspace.apply();
        self.workspace.plan().assert_empty();
    }

    /// The plan repairs this and nothing else, which `drift` tells in these words.
    pub fn assert_drift(&self, words: &[&str]) {
        let plan = self.workspace.plan();
        plan.assert_updates(&["drift"]);
        assert_eq!(plan.change().before["drift"], json!(words), "{}", plan.text);
        self.workspace.apply();
        self.workspace.plan().assert_empty();
    }

    /// The plan fails at an attribute, in these words, and nothing is changed by it.
    pub fn assert_refused(&mut self, name: &str, value: Json, needed: &[&str]) {
        let (changes, before) = (self.account.changes(), self.config[name].clone());
        self.set(name, value);
        let text = in_one_line(&self.workspace.plan_expect_error());
        assert_said(&text, needed);
        assert_eq!(self.account.changes(), changes);
        self.set(name, before);
    }

    /// What an import finds needs no change.
    pub fn assert_imports(&self) {
        let id = self.text("domain_id");
        self.workspace.forget(ADDRESS);
        self.workspace.import(ADDRESS, &id);
        self.workspace.plan().assert_empty();
    }

    pub fn values(&self) -> Json {
        self.workspace.state().values(ADDRESS)
    }

    pub fn text(&self, name: &str) -> String {
        text(&self.values()[name])
    }

    pub fn endpoint(&self, service: &str) -> String {
        text(&self.values()["endpoint_ids"][service])
    }

    /// The calls of an operation since `from`, which is a number of calls.
    pub fn calls_since(&self, from: usize, operation: &str) -> Vec<Call> {
        self.account.calls().into_iter().skip(from).filter(|call| call.operation == operation).collect()
    }

    pub fn destroy(self) {
        self.workspace.destroy();
        self.account.assert_nothing_is_left();
    }
}

pub fn text(json: &Json) -> String {
    json.as_str().unwrap_or_else(|| panic!("{json} is not text")).to_owned()
}
