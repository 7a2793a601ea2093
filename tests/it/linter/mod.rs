//! Emitted policy documents, judged by a linter that nobody here wrote: PyPI's parliament, by `lint.py` beside this
//! file. Where it cannot run, the test fails.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value as Json, json};

/// What the linter says wrongly, and nothing else is passed over: that two condition keys do not go with the two
/// actions. The Service Authorization Reference has `sagemaker:ResourceTag/${TagKey}` for both actions, and
/// `aws:ViaAWSService` is a global key, which the linter's list, made before, does not have.
fn is_false(found: &Json) -> bool {
    let detail = found["detail"].as_str().unwrap_or_default();
    let parts = detail.strip_prefix("Unknown condition ").and_then(|rest| rest.split_once(" for action "));
    let Some((key, action)) = parts.filter(|_| found["issue"] == "UNKNOWN_CONDITION_FOR_ACTION") else { return false };
    let key_exists =
        key == "aws:ViaAWSService" || key.strip_prefix("sagemaker:ResourceTag/").is_some_and(|tag| !tag.is_empty());
    key_exists && ["sagemaker:CreatePresignedDomainUrl", "sagemaker:DescribeUserProfile"].contains(&action)
}

/// What is found in each of these documents.
fn lint(documents: &[String]) -> Vec<Vec<Json>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/linter/lint.py");
    let started =
        Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut process = started.unwrap_or_else(|error| {
        panic!(
            "python3 does not start ({error}). The linter needs Python 3.10 or newer with venv: on Debian and Ubuntu, apt-get install python3 python3-venv"
        )
    });
    let mut input = process.stdin.take().expect("it is piped");
    input.write_all(json!(documents).to_string().as_bytes()).expect("the linter reads");
    drop(input);
    let output = process.wait_with_output().expect("it can be waited for");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Vec<Vec<Json>> = serde_json::from_slice(&output.stdout).expect("it answers JSON");
    assert_eq!(found.len(), documents.len(), "each document is judged");
    found
}

/// Fails the test if there is anything to say about one of these documents.
#[track_caller]
pub fn assert_clean(documents: &[String]) {
    assert!(!documents.is_empty());
    for (document, found) in documents.iter().zip(lint(documents)) {
        let found: Vec<_> = found.iter().filter(|found| !is_false(found)).collect();
        assert!(found.is_empty(), "{} in {document}", json!(found));
    }
}

/// The documents in the attributes of a presign policy, resource or data source.
pub fn documents_of(values: &Json) -> Vec<String> {
    let whole = [&values["policy_json"], &values["scp_json"]];
    let endpoints = values["endpoint_policy_json"].as_object().into_iter().flat_map(|map| map.values());
    let split = values["managed_policies_json"].as_array().into_iter().flatten();
    whole.into_iter().chain(endpoints).chain(split).map(|text| text.as_str().expect("it is text").to_owned()).collect()
}

fn golden(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/policy").join(name);
    fs::read_to_string(file).expect("it is checked in")
}

const GOLDEN: [&str; 5] = ["both.json", "endpoint.json", "grant.json", "guard.json", "scp.json"];

#[test]
fn nothing_is_found_in_the_documents_that_are_checked_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/policy");
    let mut there: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    there.sort();
    // The table of decisions holds policies with mistakes on purpose.
    there.retain(|name| name != "decisions.json");
    assert_eq!(there, GOLDEN, "every document is judged");
    assert_clean(&GOLDEN.map(golden));
}

#[test]
fn mistakes_that_are_put_in_on_purpose_are_found() {
    let guard = golden("guard.json");
    let both = golden("both.json");
    let broken = |text: &str, part: &str, by: &str| {
        assert!(text.contains(part), "{part:?} is not in: {text}");
        text.replacen(part, by, 1)
    };
    let cases = [
        (broken(&guard, "StringNotEquals", "StringNotEqual"), "UNKNOWN_OPERATOR"),
        (broken(&guard, "CreatePresignedDomainUrl", "CreatePresignedDomainURLs"), "UNKNOWN_ACTION"),
        (broken(&guard, "aws:SourceVpce", "sagemaker:SourceVpce"), "UNKNOWN_CONDITION_FOR_ACTION"),
        (broken(&guard, "DenyOffPath1", "Deny off path"), "INVALID_SID"),
        (broken(&both, "sagemaker:ResourceTag/", "sagemaker:ResourceTags/"), "UNKNOWN_CONDITION_FOR_ACTION"),
        (broken(&both, "aws:ViaAWSService", "aws:ViaAWSServices"), "UNKNOWN_CONDITION_FOR_ACTION"),
    ];
    let documents: Vec<_> = cases.iter().map(|(document, _)| document.clone()).collect();
    for ((document, issue), found) in cases.iter().zip(lint(&documents)) {
        let found: Vec<_> = found.iter().filter(|found| !is_false(found)).collect();
        assert!(found.iter().any(|found| found["issue"] == *issue), "{issue}: {} in {document}", json!(found));
    }
}
