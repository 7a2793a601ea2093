//! Endpoints that exist, brought into a state.

use serde_json::{Value as Json, json};

use super::{ADDRESS, Forwarding, Made};
use crate::{emulator::Account, terraform::Workspace};

#[test]
fn an_imported_endpoint_needs_no_change() {
    let made = Made::new();
    let id = made.text("id");
    made.workspace.forget(ADDRESS);
    made.workspace.import(ADDRESS, &id);
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn an_untracked_endpoint_is_imported_as_one() {
    let made = Made::with(|config| config.with("client_cidr_blocks", Json::Null).with("untracked", json!(true)));
    let id = made.text("id");
    made.workspace.forget(ADDRESS);
    made.workspace.import(ADDRESS, &id);
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn an_id_of_nothing_is_not_imported() {
    let account = Account::new();
    let network = account.network();
    let workspace = Workspace::with(&account, &Forwarding::new(&network).hcl());
    let text = workspace.import_expect_error(ADDRESS, "rslvr-in-0123456789abcdef0");
    assert!(text.contains("There is nothing to import"), "{text}");
    let text = workspace.import_expect_error(ADDRESS, "rslvr-out-0123456789abcdef0");
    assert!(text.contains("Invalid import id"), "{text}");
}
