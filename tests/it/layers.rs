//! Who may use whom. The picture is in `src/architecture.md`; here it is checked.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each part of the crate, and the parts that it may name. Itself is always allowed.
const MAY_USE: [(&str, &[&str]); 12] = [
    ("framework", &[]),
    ("steps", &[]),
    ("policy", &[]),
    ("dns", &[]),
    ("aws", &[]),
    ("plugin", &["framework"]),
    ("connection", &["aws", "framework"]),
    ("resources", &["framework", "steps", "aws", "policy", "dns", "connection"]),
    ("data_sources", &["framework", "aws", "policy", "dns", "connection", "resources"]),
    ("ephemeral", &["framework", "aws", "connection"]),
    ("functions", &["framework", "policy", "dns"]),
    ("provider", &["framework", "aws", "connection", "resources", "data_sources", "functions", "ephemeral"]),
];

/// Crates that only one part may name: AWS's SDK, and what speaks to DNS servers and to Terraform.
const ONLY_IN: [(&str, &str); 6] = [
    ("hickory_", "data_sources"),
    ("aws_sdk_", "aws"),
    ("aws_config", "aws"),
    ("aws_smithy_", "aws"),
    ("tonic", "plugin"),
    ("prost", "plugin"),
];

#[test]
fn no_part_names_one_that_it_must_not_know() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in files(&source) {
        let path = file.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
        let part = path.split('/').next().unwrap().trim_end_matches(".rs");
        if ["lib", "main", "architecture"].contains(&part) {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == part) else {
            wrong.push(format!("src/{path}: the part {part:?} is not in the table"));
            continue;
        };
        let text = without_comments(&fs::read_to_string(&file).unwrap());
        for used in names_after_crate(&text) {
            if used != part && !allowed.contains(&used) {
                wrong.push(format!("src/{path}: {part} must not use {used}"));
            }
        }
        for (name, home) in ONLY_IN.iter().filter(|(_, home)| *home != part) {
            if names_crate(&text, name) {
                wrong.push(format!("src/{path}: only {home} may use {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The Rust files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The parts named in `crate::a` and in `crate::{a, b::{c, d}}`; in the latter these are `a` and `b`.
fn names_after_crate(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let mut depth = 0;
        let mut at_start = true;
        for (at, found) in rest.char_indices() {
            match found {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => at_start = true,
                c if at_start && !c.is_whitespace() => {
                    if depth <= 1 {
                        names.push(word(&rest[at..]));
                    }
                    at_start = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    names
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// Whether a path starts with this crate, or with one whose name starts so.
fn names_crate(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let inside = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"');
        let rest = text[at..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
        !inside && rest.starts_with("::")
    })
}

#[test]
fn groups_of_names_are_read_as_what_they_are() {
    let text = "use crate::{aws, dns::{self, zones}, policy};\nlet x = crate::steps::run();";
    assert_eq!(names_after_crate(text), ["aws", "dns", "policy", "steps"]);
    assert!(names_crate("use aws_sdk_ec2::Client;", "aws_sdk_"));
    assert!(!names_crate("my_aws_sdk_ec2::Client", "aws_sdk_"));
}
