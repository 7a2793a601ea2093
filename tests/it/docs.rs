//! `docs/` is what the schemas and the examples give, and the examples are written as Terraform formats them.
//!
//! `UPDATE=1 cargo test --test it docs` writes the pages anew. The guides are written by hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    process::Command,
};

use studio::{
    framework::{
        Provider,
        docs::{Page, Subject, function_page, page},
    },
    provider::Studio,
};

/// The folders whose pages are generated.
const GENERATED: [&str; 4] = ["resources", "data-sources", "functions", "ephemeral-resources"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page by its path below `docs/`.
fn pages() -> BTreeMap<String, String> {
    let studio = Studio::new();
    let mut pages = BTreeMap::new();
    let example = |path: &str| fs::read_to_string(root().join("examples").join(path)).ok();
    let file = |folder: &str, name: &str| format!("{folder}/{}.md", name.strip_prefix("studio_").unwrap_or(name));
    let about = |name: &'static str| Page { provider: "studio", name, example: None, import: None };

    let shown = example("provider/provider.tf");
    let provider = Page { example: shown.as_deref(), ..about("studio") };
    pages.insert("index.md".to_owned(), page(Subject::Provider, provider, Provider::schema(&studio)));
    for resource in studio.resources() {
        let name = resource.type_name();
        let shown = example(&format!("resources/{name}/resource.tf"));
        let import = example(&format!("resources/{name}/import.sh"));
        let about = Page { example: shown.as_deref(), import: import.as_deref(), ..about(name) };
        pages.insert(file("resources", name), page(Subject::Resource, about, resource.schema()));
    }
    for source in studio.data_sources() {
        let name = source.type_name();
        let shown = example(&format!("data-sources/{name}/data-source.tf"));
        let about = Page { example: shown.as_deref(), ..about(name) };
        pages.insert(file("data-sources", name), page(Subject::DataSource, about, source.schema()));
    }
    for resource in studio.ephemeral_resources() {
        let name = resource.type_name();
        let shown = example(&format!("ephemeral-resources/{name}/ephemeral-resource.tf"));
        let about = Page { example: shown.as_deref(), ..about(name) };
        let text = page(Subject::EphemeralResource, about, resource.schema());
        pages.insert(file("ephemeral-resources", name), text);
    }
    for function in studio.functions() {
        let name = function.name();
        let shown = example(&format!("functions/{name}/function.tf"));
        let about = Page { example: shown.as_deref(), ..about(name) };
        pages.insert(file("functions", name), function_page(about, &function.signature()));
    }
    pages
}

#[test]
fn the_pages_are_what_the_schemas_and_examples_give() {
    let (docs, pages) = (root().join("docs"), pages());
    if env::var_os("UPDATE").is_some() {
        for folder in GENERATED {
            fs::remove_dir_all(docs.join(folder)).ok();
        }
        for (path, text) in &pages {
            fs::create_dir_all(docs.join(path).parent().unwrap()).unwrap();
            fs::write(docs.join(path), text).unwrap();
        }
    }
    let kept = |path: &str| fs::read_to_string(docs.join(path)).unwrap_or_default();
    let mut wrong: Vec<String> =
        pages.iter().filter(|(path, text)| kept(path) != **text).map(|(path, _)| path.clone()).collect();
    for folder in GENERATED {
        let files = fs::read_dir(docs.join(folder)).into_iter().flatten();
        let names = files.map(|file| format!("{folder}/{}", file.unwrap().file_name().display()));
        wrong.extend(names.filter(|name| !pages.contains_key(name)));
    }
    assert!(wrong.is_empty(), "out of date in docs/: {}; run: UPDATE=1 cargo test --test it docs", wrong.join(", "));
}

#[test]
fn every_page_shows_an_example_and_describes_every_attribute() {
    for (path, text) in pages() {
        assert!(text.contains("## Example Usage"), "docs/{path} has no example: add it to examples/");
        assert!(!path.starts_with("resources/") || text.contains("## Import"), "docs/{path} shows no import");
        for line in text.lines().filter(|line| line.starts_with("- `")) {
            let described = line.split_once(") ").is_some_and(|(_, text)| !text.trim().is_empty());
            assert!(described, "docs/{path} does not describe {line}");
        }
    }
}

#[test]
fn the_examples_are_formatted() {
    let output = Command::new(crate::terraform::program())
        .args(["fmt", "-check", "-recursive", "-diff", "-no-color", "examples"])
        .current_dir(root())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "run: terraform fmt -recursive examples\n{text}");
}

/// STS answers this whatever the permissions.
const ALWAYS_ALLOWED: &str = "sts:GetCallerIdentity";

#[test]
fn the_policy_in_the_guide_covers_every_call() {
    let guide = fs::read_to_string(root().join("docs/guides/real-account.md")).unwrap();
    let policy = guide.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions: Vec<&str> =
        statements.filter_map(|one| one["Action"].as_array()).flatten().filter_map(|one| one.as_str()).collect();
    let covers = |call: &str| {
        actions.iter().any(|action| match action.strip_suffix('*') {
            Some(start) => call.starts_with(start),
            None => call == *action,
        })
    };
    let calls = calls();
    assert!(calls.len() > 50, "the calls are found: {calls:?}");
    let is_needed = |call: &&String| **call != ALWAYS_ALLOWED;
    let missing: Vec<_> = calls.iter().filter(is_needed).filter(|call| !covers(call)).collect();
    assert!(missing.is_empty(), "the policy in docs/guides/real-account.md lacks {missing:?}");
}

/// The names of the calls in `src/aws`, as IAM writes them.
fn calls() -> BTreeSet<String> {
    const SERVICES: [&str; 8] =
        ["ec2", "iam", "organizations", "ram", "route53", "route53resolver", "sagemaker", "sts"];
    const VERBS: [&str; 21] = [
        "Add",
        "Associate",
        "Attach",
        "Authorize",
        "Change",
        "Create",
        "Delete",
        "Describe",
        "Detach",
        "Disassociate",
        "Get",
        "List",
        "Modify",
        "Put",
        "Remove",
        "Revoke",
        "Set",
        "Simulate",
        "Tag",
        "Untag",
        "Update",
    ];
    let is_call = |word: &str| {
        let rest = VERBS.iter().find_map(|verb| word.strip_prefix(verb));
        let named = rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
        named && word.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let mut calls = BTreeSet::new();
    for service in SERVICES {
        for file in fs::read_dir(root().join("src/aws").join(service)).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            // Every second piece stands between quotation marks.
            let words = text.split('"').skip(1).step_by(2).filter(|word| is_call(word));
            calls.extend(words.map(|word| format!("{service}:{word}")));
        }
    }
    calls
}
