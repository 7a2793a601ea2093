//! Runs the real Terraform, or OpenTofu, with the provider as it was just built.
//!
//! Each workspace is a folder of its own, in which a development override points at the provider,
//! so that nothing has to be installed and `init` is not needed.
//!
//! **Invariant:** every run ends: what takes too long is stopped, and the test fails with what
//! Terraform wrote.
//! **Invariant:** nothing of the environment of whoever runs the tests reaches Terraform.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::LazyLock,
    time::Duration,
};

use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::emulator::{Account, SECRET_KEY};

/// Longer than any run takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Between two looks at something that is about to happen.
const PAUSE: Duration = Duration::from_millis(20);

/// What is written into the provider's block.
#[derive(Clone, Debug)]
pub struct ProviderBlock {
    /// Where AWS is.
    pub url: String,
    /// The access key id.
    pub access_key: String,
    /// The secret key.
    pub secret_key: String,
    /// An expression.
    pub region: String,
    /// Further lines.
    pub more: String,
}

impl ProviderBlock {
    fn new(account: &Account) -> Self {
        ProviderBlock {
            url: account.url().to_owned(),
            access_key: account.access_key(),
            secret_key: SECRET_KEY.to_owned(),
            region: format!("{:?}", account.region),
            more: String::new(),
        }
    }

    fn hcl(&self) -> String {
        const SERVICES: [&str; 9] =
            ["ec2", "efs", "iam", "organizations", "ram", "route53", "route53resolver", "sagemaker", "sts"];
        let ProviderBlock { url, access_key, secret_key, region, more } = self;
        let endpoints: String = SERVICES.iter().map(|service| format!("    {service} = {url:?}\n")).collect();
        format!(
            "terraform {{\n  required_providers {{\n    studio = {{ source = \"studio-private/studio\" }}\n  }}\n}}\n\n\
             provider \"studio\" {{\n  region = {region}\n  access_key = {access_key:?}\n  secret_key = {secret_key:?}\n  \
             poll_interval = \"20ms\"\n{more}\n  endpoints {{\n{endpoints}  }}\n}}\n"
        )
    }
}

/// A folder in which Terraform runs.
pub struct Workspace {
    folder: TempDir,
    /// The provider's block, as the next [`Workspace::write`] writes it.
    pub provider: ProviderBlock,
    /// Set for each run.
    pub environment: Vec<(String, String)>,
    /// The command that runs Terraform in another place, and its arguments.
    pub within: Vec<String>,
}

impl Workspace {
    /// An empty one, for this account.
    pub fn new(account: &Account) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let provider = Path::new(env!("CARGO_BIN_EXE_terraform-provider-studio"));
        let provider = provider.parent().expect("a program is in a folder");
        let rc = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"studio-private/studio\" = {provider:?}\n  }}\n  direct {{}}\n}}\n"
        );
        fs::write(folder.path().join("terraform.rc"), rc).expect("the folder can be written to");
        Workspace { folder, provider: ProviderBlock::new(account), environment: Vec::new(), within: Vec::new() }
    }

    /// One with this configuration beside the provider's block.
    pub fn with(account: &Account, configuration: &str) -> Self {
        let workspace = Workspace::new(account);
        workspace.write(configuration);
        workspace
    }

    /// The path of a file in the folder.
    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces the configuration.
    pub fn write(&self, configuration: &str) {
        fs::write(self.file("provider.tf"), self.provider.hcl()).expect("the folder can be written to");
        fs::write(self.file("main.tf"), configuration).expect("the folder can be written to");
    }

    /// `terraform plan`. A plan is always made with a look at what is there.
    pub fn plan(&self) -> Plan {
        let text = self.run(&["plan", "-input=false", "-out=plan.bin"]).succeeded(self);
        let json = self.json(&["show", "-json", "plan.bin"]);
        Plan { json, text }
    }

    /// `terraform plan -generate-config-out`, which writes the configuration of what an `import` block names to a file.
    pub fn plan_generating(&self, file: &str) -> String {
        let out = format!("-generate-config-out={file}");
        self.run(&["plan", "-input=false", &out]).succeeded(self)
    }

    /// `terraform apply` of the plan that was made last, as it is; what it wrote.
    pub fn apply_plan(&self) -> String {
        self.run(&["apply", "-input=false", "plan.bin"]).succeeded(self)
    }

    /// The same, and it must fail. What Terraform wrote.
    pub fn apply_plan_expect_error(&self) -> String {
        self.run(&["apply", "-input=false", "plan.bin"]).failed(self)
    }

    /// `terraform plan -destroy`; what it wrote.
    pub fn plan_destroy(&self) -> String {
        self.run(&["plan", "-destroy", "-input=false", "-out=plan.bin"]).succeeded(self)
    }

    /// The same, and it must not come about; what Terraform wrote.
    pub fn plan_destroy_expect_error(&self) -> String {
        self.run(&["plan", "-destroy", "-input=false"]).failed(self)
    }

    /// A plan that must not come about; what Terraform wrote.
    pub fn plan_expect_error(&self) -> String {
        self.run(&["plan", "-input=false"]).failed(self)
    }

    /// `terraform apply`; what it wrote.
    pub fn apply(&self) -> String {
        self.run(&["apply", "-input=false", "-auto-approve"]).succeeded(self)
    }

    /// An apply that must fail; what Terraform wrote.
    pub fn apply_expect_error(&self) -> String {
        self.run(&["apply", "-input=false", "-auto-approve"]).failed(self)
    }

    /// Presses Ctrl-C during an apply, as soon as `when` says so; what Terraform wrote.
    ///
    /// As in a terminal, the provider gets the signal as well.
    pub fn apply_interrupted(&self, when: impl Fn() -> bool) -> String {
        let mut running = self.start(&["apply", "-input=false", "-auto-approve"]);
        running.wait_until(self, when);
        let group = format!("-{}", running.process.id());
        let sent = Command::new("kill").args(["-INT", "--", &group]).status();
        assert!(sent.expect("kill is on every Unix").success());
        running.end(self).failed(self)
    }

    /// `terraform destroy`; what it wrote.
    pub fn destroy(&self) -> String {
        self.run(&["destroy", "-input=false", "-auto-approve"]).succeeded(self)
    }

    /// A destroy that must fail; what Terraform wrote.
    pub fn destroy_expect_error(&self) -> String {
        self.run(&["destroy", "-input=false", "-auto-approve"]).failed(self)
    }

    /// `terraform destroy` of what is in the state, without a look at what is there.
    pub fn destroy_without_a_look(&self) -> String {
        self.run(&["destroy", "-input=false", "-auto-approve", "-refresh=false"]).succeeded(self)
    }

    /// `terraform import`.
    pub fn import(&self, address: &str, id: &str) -> String {
        self.run(&["import", "-input=false", address, id]).succeeded(self)
    }

    /// An import that must fail; what Terraform wrote.
    pub fn import_expect_error(&self, address: &str, id: &str) -> String {
        self.run(&["import", "-input=false", address, id]).failed(self)
    }

    /// `terraform untaint`.
    pub fn untaint(&self, address: &str) {
        self.run(&["untaint", address]).succeeded(self);
    }

    /// `terraform state rm`.
    pub fn forget(&self, address: &str) {
        self.run(&["state", "rm", address]).succeeded(self);
    }

    /// The value of an output.
    pub fn output(&self, name: &str) -> Json {
        self.json(&["output", "-json", name])
    }

    /// What is in the state.
    pub fn state(&self) -> State {
        State(self.json(&["show", "-json"]))
    }

    fn json(&self, arguments: &[&str]) -> Json {
        let text = self.run(arguments).succeeded(self);
        // Terraform's warning about the override stands before it, or on the other stream.
        let start = text.find(['{', '[', '"']).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter();
        values.next().and_then(Result::ok).unwrap_or_else(|| panic!("no JSON in: {text}"))
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).end(self)
    }

    fn start(&self, arguments: &[&str]) -> Running {
        let program = program().to_owned();
        let mut words = self.within.iter().chain([&program]);
        let mut command = Command::new(words.next().expect("the program is one"));
        command.args(words);
        let (subcommand, rest) = arguments.split_first().expect("there is a subcommand");
        command.arg(subcommand);
        // `state rm` is two words, and knows no colours.
        if *subcommand != "state" {
            command.arg("-no-color");
        }
        command.args(rest).current_dir(self.folder.path());
        self.set_environment(&mut command);
        // To files, because nobody reads from pipes before the end.
        let create = |name: &str| File::create(self.file(name)).expect("the folder can be written to");
        command.stdin(Stdio::null()).stdout(create("out.txt")).stderr(create("err.txt"));
        command.process_group(0);
        let process = command.spawn().expect("it was found before");
        Running { process, command: arguments.join(" ") }
    }

    fn set_environment(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            let is_setting = ["TF_", "AWS_"].iter().any(|prefix| name.starts_with(prefix));
            if is_setting || name.to_ascii_uppercase().ends_with("_PROXY") {
                command.env_remove(&*name);
            }
        }
        command
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_CLI_CONFIG_FILE", self.file("terraform.rc"))
            .env("AWS_CONFIG_FILE", self.file("no-such-file"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.file("no-such-file"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.environment.iter().cloned());
    }

    /// For a failing test: what was asked for, and what came of it.
    fn account_of(&self, command: &str, text: &str) -> String {
        let read = |name: &str| fs::read_to_string(self.file(name)).unwrap_or_default();
        format!("terraform {command}\n---- main.tf\n{}\n---- output\n{text}", read("main.tf"))
    }
}

/// `terraform`, or `tofu` where only that is installed.
pub fn program() -> &'static str {
    &TERRAFORM
}

static TERRAFORM: LazyLock<String> = LazyLock::new(|| {
    for name in ["terraform", "tofu"] {
        let mut command = Command::new(name);
        let found = command.arg("version").env("CHECKPOINT_DISABLE", "1").output();
        if found.is_ok_and(|found| found.status.success()) {
            return name.to_owned();
        }
    }
    panic!(
        "neither terraform nor tofu is in the PATH. Install Terraform 1.11 or newer \
         (https://developer.hashicorp.com/terraform/install) or OpenTofu 1.11 or newer (https://opentofu.org/docs/intro/install)"
    )
});

/// Waits for something that must happen, and fails the test if it does not.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "it did not happen that {what}");
        std::thread::sleep(PAUSE);
    }
}

/// Terraform while it runs.
struct Running {
    process: Child,
    command: String,
}

impl Running {
    /// Fails the test if it ends before the condition holds.
    fn wait_until(&mut self, workspace: &Workspace, condition: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition() {
            let ended = self.process.try_wait().expect("it can be asked").is_some();
            if ended || Instant::now() > deadline {
                let text = written(workspace);
                let account = workspace.account_of(&self.command, &text);
                self.stop();
                panic!("what was waited for did not happen: {account}");
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn end(mut self, workspace: &Workspace) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().expect("it can be asked") {
                return Ended { status, text: written(workspace), command: self.command };
            }
            if Instant::now() > deadline {
                self.stop();
                panic!("does not end: {}", workspace.account_of(&self.command, &written(workspace)));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn stop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn written(workspace: &Workspace) -> String {
    let read = |name: &str| fs::read_to_string(workspace.file(name)).unwrap_or_default();
    read("out.txt") + &read("err.txt")
}

/// Terraform after it ran.
struct Ended {
    status: ExitStatus,
    text: String,
    command: String,
}

impl Ended {
    fn succeeded(self, workspace: &Workspace) -> String {
        assert!(self.status.success(), "failed: {}", workspace.account_of(&self.command, &self.text));
        self.text
    }

    fn failed(self, workspace: &Workspace) -> String {
        assert!(!self.status.success(), "succeeded: {}", workspace.account_of(&self.command, &self.text));
        self.text
    }
}

/// What Terraform would do.
pub struct Plan {
    /// `terraform show -json` of it.
    pub json: Json,
    /// What a user sees.
    pub text: String,
}

/// What it would do to one resource.
#[derive(Clone, Debug)]
pub struct Change {
    /// `studio_private_domain.example`
    pub address: String,
    /// `create`; `update`; `delete` and `create` for a replacement.
    pub actions: Vec<String>,
    /// Before.
    pub before: Json,
    /// After, without what is not known yet.
    pub after: Json,
    /// True where it is not known yet.
    pub after_unknown: Json,
}

impl Plan {
    /// What changes, resource by resource.
    pub fn changes(&self) -> Vec<Change> {
        let all = self.json["resource_changes"].as_array().cloned().unwrap_or_default();
        all.iter().map(Change::read).filter(|change| change.actions != ["no-op"]).collect()
    }

    /// The one change; fails the test if there are more or none.
    pub fn change(&self) -> Change {
        match <[Change; 1]>::try_from(self.changes()) {
            Ok([change]) => change,
            Err(changes) => panic!("{} changes instead of one: {}", changes.len(), self.text),
        }
    }

    /// Fails the test unless nothing is planned.
    pub fn assert_empty(&self) {
        assert!(self.changes().is_empty(), "the plan is not empty: {}", self.text);
    }

    /// Fails the test unless exactly these attributes of one resource change, in place.
    /// Computed attributes that follow from them are named as well.
    pub fn assert_updates(&self, paths: &[&str]) {
        let change = self.change();
        assert_eq!(change.actions, ["update"], "{}", self.text);
        assert_eq!(change.paths(), paths, "{}", self.text);
    }
}

impl Change {
    fn read(json: &Json) -> Self {
        let change = &json["change"];
        let actions = change["actions"].as_array().expect("a change has actions");
        Change {
            address: text(&json["address"]),
            actions: actions.iter().map(text).collect(),
            before: change["before"].clone(),
            after: change["after"].clone(),
            after_unknown: change["after_unknown"].clone(),
        }
    }

    /// The paths of the attributes that change, in order. Lists and sets are compared as a whole.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        differences(&self.before, &self.after, &self.after_unknown, "", &mut paths);
        paths
    }
}

fn differences(before: &Json, after: &Json, unknown: &Json, path: &str, paths: &mut Vec<String>) {
    if let (Json::Object(one), Json::Object(two)) = (before, after) {
        let unknowns = unknown.as_object();
        let names: BTreeSet<&String> =
            one.keys().chain(two.keys()).chain(unknowns.into_iter().flat_map(|map| map.keys())).collect();
        for name in names {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            differences(&before[name], &after[name], &unknown[name], &path, paths);
        }
        return;
    }
    if before != after || holds_true(unknown) {
        paths.push(path.to_owned());
    }
}

fn holds_true(unknown: &Json) -> bool {
    match unknown {
        Json::Bool(is_unknown) => *is_unknown,
        Json::Array(elements) => elements.iter().any(holds_true),
        Json::Object(elements) => elements.values().any(holds_true),
        Json::Null | Json::Number(_) | Json::String(_) => false,
    }
}

/// What Terraform remembers: `terraform show -json`.
pub struct State(Json);

impl State {
    /// The addresses of the resources in it.
    pub fn addresses(&self) -> Vec<String> {
        self.resources().iter().map(|resource| text(&resource["address"])).collect()
    }

    /// The attributes of a resource; fails the test if there is none.
    pub fn values(&self, address: &str) -> Json {
        self.resource(address)["values"].clone()
    }

    /// Whether the next apply would replace it.
    pub fn is_tainted(&self, address: &str) -> bool {
        self.resource(address)["tainted"] == true
    }

    fn resource(&self, address: &str) -> Json {
        let found = self.resources().into_iter().find(|resource| resource["address"] == address);
        found.unwrap_or_else(|| panic!("{address} is not in the state: {}", self.0))
    }

    fn resources(&self) -> Vec<Json> {
        self.0["values"]["root_module"]["resources"].as_array().cloned().unwrap_or_default()
    }
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}
