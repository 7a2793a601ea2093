//! The hosted zones of `studio_private_domain`, with the real Terraform.
//!
//! `modes` and `records` are about zones that are made, `adopted` about those that are there, `associations` about the
//! VPCs that they answer in.

mod adopted;
mod associations;
mod imports;
mod modes;
mod records;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, HostedZoneConfig, ResourceRecord, ResourceRecordSet, RrType, Vpc, VpcRegion,
};
use serde_json::{Value as Json, json};

use crate::{
    emulator::{Account, Network, Outside, REGION},
    said::{assert_said, in_one_line},
    terraform::Workspace,
};

const ADDRESS: &str = "studio_private_domain.test";

/// The parents of Studio's names, in the Region of the tests.
const PARENT: &str = "studio.us-east-1.sagemaker.aws";
const APP_PARENT: &str = "studio.sagemaker.us-east-1.app.aws";

/// An account with a network, and a folder for Terraform.
struct Place {
    account: Account,
    network: Network,
    outside: Outside,
    workspace: Workspace,
}

impl Place {
    fn new() -> Self {
        Self::of(Account::new())
    }

    fn of(account: Account) -> Self {
        let network = account.network();
        Self::with(account, network)
    }

    fn with(account: Account, network: Network) -> Self {
        let outside = account.outside();
        let workspace = Workspace::new(&account);
        Place { account, network, outside, workspace }
    }

    /// Writes a private domain with as few endpoints as it takes, and these attributes. JSON is HCL enough for values.
    fn write(&self, attributes: &Json) {
        self.write_beside("", attributes);
    }

    /// The same beside other resources.
    fn write_beside(&self, others: &str, attributes: &Json) {
        let mut all = json!({
            "name": "test",
            "vpc_id": self.network.vpc_id,
            "subnet_ids": self.network.subnet_ids[..2],
            "execution_role_arn": self.network.role_arn,
            "home_efs": { "enabled": false },
            "endpoints": { "services": ["studio"] },
        });
        for (name, value) in attributes.as_object().expect("attributes have names") {
            all[name] = value.clone();
        }
        let lines = all.as_object().expect("it is one").iter().filter(|(_, value)| !value.is_null());
        let lines = lines.map(|(name, value)| format!("  {name} = {value}\n"));
        self.workspace.write(&format!(
            "{others}resource \"studio_private_domain\" \"test\" {{\n{}}}\n",
            lines.collect::<String>()
        ));
    }

    /// Makes it, and finds nothing more to do.
    fn make(&self, attributes: &Json) {
        self.write(attributes);
        self.workspace.apply();
        self.workspace.plan().assert_empty();
    }

    /// Exactly these attributes change, in place, and then nothing is left to do.
    fn change(&self, attributes: &Json, paths: &[&str]) {
        self.write(attributes);
        self.repair(paths);
        assert_eq!(self.account.count("CreateDomain"), 1, "the domain stays");
    }

    /// The same with the configuration that there is.
    fn repair(&self, paths: &[&str]) {
        self.workspace.plan().assert_updates(paths);
        self.workspace.apply();
        self.workspace.plan().assert_empty();
    }

    /// The plan fails with one error, which says all of this; nothing is changed.
    fn refuse(&self, attributes: &Json, needed: &[&str]) {
        let before = self.account.changes();
        self.write(attributes);
        let text = in_one_line(&self.workspace.plan_expect_error());
        assert_said(&text, needed);
        assert_eq!(text.matches("Error: ").count(), 1, "{text}");
        assert_eq!(self.account.changes(), before, "nothing may be changed");
    }

    fn destroy(&self) {
        self.workspace.destroy();
        self.account.assert_nothing_is_left();
    }

    fn values(&self) -> Json {
        self.workspace.state().values(ADDRESS)
    }

    fn text(&self, name: &str) -> String {
        self.values()[name].as_str().unwrap_or_else(|| panic!("{name} is not text")).to_owned()
    }

    /// `hosted_zone_ids`.
    fn zone_ids(&self) -> BTreeMap<String, String> {
        serde_json::from_value(self.values()["hosted_zone_ids"].clone()).expect("a map of texts")
    }

    fn zone_names(&self) -> Vec<String> {
        self.zone_ids().into_keys().collect()
    }

    /// The domain's host names.
    fn hosts(&self) -> Vec<String> {
        serde_json::from_value(self.values()["host_names"].clone()).expect("a list of texts")
    }

    /// Takes it out of Terraform's hands, imports it, and finds nothing to do.
    fn import_again(&self) {
        let (id, before) = (self.text("domain_id"), self.values());
        self.workspace.forget(ADDRESS);
        self.workspace.import(ADDRESS, &id);
        let after = self.values();
        for name in ["hosted_zone", "hosted_zone_ids", "host_names", "forward_zones"] {
            assert_eq!(after[name], before[name], "{name}");
        }
        self.workspace.plan().assert_empty();
    }
}

/// Another VPC of the account.
fn another_vpc(account: &Account) -> String {
    account.network().vpc_id
}

// ---- What is in Route 53 ----

/// The records of a zone beside its own two, as `A name target`; addresses are in order.
fn records(outside: &Outside, zone: &str) -> BTreeSet<String> {
    let found = outside.run(outside.route53().list_resource_record_sets().hosted_zone_id(zone).send());
    let sets = found.resource_record_sets().iter().filter(|set| ![RrType::Ns, RrType::Soa].contains(set.r#type()));
    sets.map(line).collect()
}

fn line(set: &ResourceRecordSet) -> String {
    let name = set.name().trim_end_matches('.').replace("\\052", "*");
    let mut values: Vec<&str> = set.resource_records().iter().map(ResourceRecord::value).collect();
    values.sort_unstable();
    let target = set.alias_target().map(|target| target.dns_name().trim_end_matches('.'));
    format!("{} {name} {}", set.r#type().as_str(), target.map_or_else(|| values.join(" "), str::to_owned))
}

/// What a name's records are to be, of these types and with this answer.
fn both(types: &[&str], name: &str, target: &str) -> BTreeSet<String> {
    types.iter().flat_map(|kind| [format!("{kind} {name} {target}"), format!("{kind} *.{name} {target}")]).collect()
}

/// The VPCs that a zone answers in.
fn vpcs(outside: &Outside, zone: &str) -> BTreeSet<String> {
    let found = outside.run(outside.route53().get_hosted_zone().id(zone).send());
    found.vpcs().iter().filter_map(|vpc| vpc.vpc_id().map(str::to_owned)).collect()
}

fn authorizations(outside: &Outside, zone: &str) -> usize {
    let found = outside.run(outside.route53().list_vpc_association_authorizations().hosted_zone_id(zone).send());
    found.vpcs().len()
}

fn route53_vpc(id: &str) -> Vpc {
    Vpc::builder().vpc_id(id).vpc_region(VpcRegion::from(REGION)).build()
}

/// Makes a private zone by hand, in a VPC, and with a record of somebody else's.
fn zone_by_hand(outside: &Outside, name: &str, vpc: &str) -> String {
    let config = HostedZoneConfig::builder().private_zone(true).build();
    let request = outside.route53().create_hosted_zone().name(name).caller_reference(format!("{name} in {vpc}"));
    let made = outside.run(request.vpc(route53_vpc(vpc)).hosted_zone_config(config).send());
    let id = made.hosted_zone().expect("it was made").id();
    let id = id.rsplit('/').next().expect("there is a last part").to_owned();
    change_record(outside, &id, ChangeAction::Create, &address(&format!("own.{name}"), "10.1.2.3"));
    id
}

/// What somebody else has put into [`zone_by_hand`].
fn foreign(name: &str) -> BTreeSet<String> {
    [format!("A own.{name} 10.1.2.3")].into()
}

fn address(name: &str, value: &str) -> ResourceRecordSet {
    of_values(RrType::A, name, value)
}

fn of_values(kind: RrType, name: &str, value: &str) -> ResourceRecordSet {
    let value = ResourceRecord::builder().value(value).build().expect("it is complete");
    let set = ResourceRecordSet::builder().name(name).r#type(kind).ttl(60);
    set.resource_records(value).build().expect("it is complete")
}

fn change_record(outside: &Outside, zone: &str, action: ChangeAction, set: &ResourceRecordSet) {
    let change = Change::builder().action(action).resource_record_set(set.clone()).build();
    let batch = ChangeBatch::builder().changes(change.expect("it is complete")).build();
    let batch = batch.expect("it is complete");
    outside.run(outside.route53().change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send());
}

/// Deletes a zone with all its records.
fn delete_zone(outside: &Outside, zone: &str) {
    let found = outside.run(outside.route53().list_resource_record_sets().hosted_zone_id(zone).send());
    for set in found.resource_record_sets().iter().filter(|set| ![RrType::Ns, RrType::Soa].contains(set.r#type())) {
        change_record(outside, zone, ChangeAction::Delete, set);
    }
    outside.run(outside.route53().delete_hosted_zone().id(zone).send());
}
