//! `studio_dns_check`, run by the real Terraform on the lab's application host.

use std::net::IpAddr;

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use serde_json::{Value as Json, json};

use super::{
    aws::Aws,
    lab::{CORPORATE, Lab, PUBLIC},
    servers::BIND,
};
use crate::terraform::Workspace;

/// A corporate network whose DNS is forwarded by BIND, and Terraform in it.
struct Office {
    aws: Aws,
    lab: Lab,
    workspace: Workspace,
}

impl Office {
    fn new() -> Self {
        let aws = Aws::new();
        let mut lab = Lab::start(&aws.account, &aws.inbound);
        lab.tell("public unsigned");
        BIND.start_with(&mut lab, &aws);
        let mut workspace = Workspace::new(&aws.account);
        workspace.within = lab.within(&workspace.file(""));
        let names = [aws.host_names[0].clone(), "app7f3k2.studio.us-east-1.sagemaker.aws".to_owned()];
        // No servers: those of the machine, which are the lab's.
        workspace.write(&format!(
            r#"
data "studio_dns_check" "corporate" {{
  host_names   = {}
  expected_ips = {}
  attempts     = 2
  timeout      = "1s"
}}

check "studio_is_private" {{
  assert {{
    condition     = data.studio_dns_check.corporate.passed
    error_message = join(" ", distinct(data.studio_dns_check.corporate.results[*].reason))
  }}
}}

output "results" {{
  value = data.studio_dns_check.corporate
}}
"#,
            json!(names),
            json!(aws.endpoint),
        ));
        Office { aws, lab, workspace }
    }

    /// Runs the check: the results, and what Terraform wrote. The run itself must succeed.
    fn check(&self) -> (Json, String) {
        let text = self.workspace.apply();
        let text = text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        (self.workspace.output("results"), text)
    }

    #[track_caller]
    fn assert_private(&self) {
        let (found, text) = self.check();
        assert!(!text.contains("Check block assertion failed"), "{text}");
        assert_eq!(found["passed"], true, "{found:#}\n{}", self.lab.logs());
        let results = found["results"].as_array().unwrap();
        assert_eq!(results.len(), 4, "two names over two transports");
        for result in results {
            assert_eq!((&result["server"], &result["rcode"]), (&json!(CORPORATE), &json!("NOERROR")));
            let answers = result["answers"].as_array().unwrap().iter().map(|answer| answer.as_str().unwrap());
            assert_eq!(answers.map(|answer| answer.parse::<IpAddr>().unwrap()).collect::<Vec<_>>(), self.aws.endpoint);
        }
    }

    /// Every result fails, each for one of these reasons, and Terraform says so.
    #[track_caller]
    fn assert_broken(&self, reasons: &[&str]) {
        let (found, text) = self.check();
        assert!(text.contains("Warning: Check block assertion failed"), "{text}");
        assert_eq!(found["passed"], false, "{found:#}");
        for result in found["results"].as_array().unwrap() {
            let reason = result["reason"].as_str().unwrap();
            assert_eq!(result["passed"], false, "{result:#}");
            assert!(reasons.iter().any(|expected| reason.contains(expected)), "{reasons:?}: {result:#}");
            assert!(text.contains(reason), "{reason:?} is not in: {text}");
        }
    }

    /// The records of a zone's addresses.
    fn records(&self) -> Vec<(String, ResourceRecordSet)> {
        let client = self.aws.outside.route53();
        let mut found = Vec::new();
        for zone in self.aws.outside.run(client.list_hosted_zones().send()).hosted_zones {
            let sets = self.aws.outside.run(client.list_resource_record_sets().hosted_zone_id(&zone.id).send());
            let addresses = sets.resource_record_sets.into_iter().filter(|set| set.alias_target.is_some());
            found.extend(addresses.map(|set| (zone.id.clone(), set)));
        }
        assert!(found.len() >= 8, "apex and wildcard, A and AAAA, in two zones: {found:?}");
        found
    }

    fn change(&self, zone: &str, action: ChangeAction, set: ResourceRecordSet) {
        let change = Change::builder().action(action).resource_record_set(set).build().unwrap();
        let batch = ChangeBatch::builder().changes(change).build().unwrap();
        let client = self.aws.outside.route53();
        self.aws.outside.run(client.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send());
    }
}

#[test]
fn the_path_is_private_and_each_kind_of_damage_is_told() {
    let mut office = Office::new();
    office.assert_private();

    let inbound = office.aws.inbound.join(" ");
    office.lab.tell(&format!("cut {inbound}"));
    office.assert_broken(&["did not answer within 1s", "(SERVFAIL)"]);
    office.lab.tell(&format!("mend {inbound}"));

    office.lab.tell("stop corporate");
    // A kernel does not say of every datagram that nobody wanted it.
    let over_udp = ["Nothing listens for DNS over UDP", "did not answer within 1s over UDP"];
    office.assert_broken(&[&over_udp[..], &["Nothing listens for DNS over TCP"]].concat());
    BIND.start_without(&mut office.lab);
    office.assert_broken(&["198.18.0.10 and 2001:2::10, which is public: it does not forward this name to the VPC"]);
    BIND.start_with(&mut office.lab, &office.aws);
    office.assert_private();

    let records = office.records();
    for (zone, record) in records.iter().filter(|(_, record)| record.r#type == RrType::A) {
        let value = ResourceRecord::builder().value("198.18.0.10").build().unwrap();
        let name = record.name.clone();
        let public = ResourceRecordSet::builder().name(name).r#type(RrType::A).ttl(1).resource_records(value);
        office.change(zone, ChangeAction::Upsert, public.build().unwrap());
    }
    BIND.start_with(&mut office.lab, &office.aws);
    office.assert_broken(&["answers with 198.18.0.10, which is public"]);

    for (zone, record) in &records {
        office.change(zone, ChangeAction::Upsert, record.clone());
        office.change(zone, ChangeAction::Delete, record.clone());
    }
    BIND.start_with(&mut office.lab, &office.aws);
    office.assert_broken(&["the name does not exist (NXDOMAIN)"]);

    for (zone, record) in &records {
        office.change(zone, ChangeAction::Create, record.clone());
    }
    BIND.start_with(&mut office.lab, &office.aws);
    office.assert_private();
}

/// A machine that does not ask the corporate server.
#[test]
fn a_host_that_asks_public_dns_is_told_beside_one_that_does_not() {
    let office = Office::new();
    let servers = [office.aws.inbound.clone(), vec![CORPORATE.to_owned(), PUBLIC.to_owned()]].concat();
    office.workspace.write(&format!(
        "data \"studio_dns_check\" \"all\" {{\n  host_names = {}\n  servers = {}\n  expected_ips = {}\n}}\n\
         output \"results\" {{\n  value = data.studio_dns_check.all\n}}\n",
        json!(office.aws.host_names),
        json!(servers),
        json!(office.aws.endpoint),
    ));
    let (found, _) = office.check();
    assert_eq!(found["passed"], false);
    let results = found["results"].as_array().unwrap();
    assert_eq!(results.len(), office.aws.host_names.len() * 4 * 2);
    for result in results {
        let is_public = result["server"] == PUBLIC;
        assert_eq!(result["passed"], !is_public, "{result:#}");
        assert_eq!(result["reason"].as_str().unwrap().contains("which is public"), is_public, "{result:#}");
    }
}
