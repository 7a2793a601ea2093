//! The ephemeral resource `studio_presigned_url`: what it gives, what it refuses, and that its URL is written nowhere.

use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use serde_json::{Value as Json, json};
use studio::{
    framework::{Call, Diagnostics, Provider, codec},
    provider::Studio,
};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::{
    emulator::{Account, Network, Presigned, SECRET_KEY},
    plan_rules::provider_with,
    said::in_one_line,
    terraform::{Workspace, wait_until},
    witness,
};

const PROFILE: &str = "demouser1";

// ---- In this process ----

/// A domain with a user profile, made by somebody else.
struct Ground {
    account: Account,
    domain_id: String,
}

impl Ground {
    fn new() -> Self {
        Self::on(Account::new())
    }

    fn on(account: Account) -> Self {
        use aws_sdk_sagemaker::types::{AuthMode, UserProfileStatus, UserSettings};
        let network = account.network();
        let outside = account.outside();
        let client = outside.sagemaker();
        let settings = UserSettings::builder().execution_role(&network.role_arn).build();
        let domain =
            client.create_domain().domain_name("demo").auth_mode(AuthMode::Iam).default_user_settings(settings);
        let domain = domain.vpc_id(&network.vpc_id).set_subnet_ids(Some(network.subnet_ids[..2].to_vec()));
        let domain_id = outside.run(domain.send()).domain_id.expect("a domain has an id");
        let describe = || client.describe_domain().domain_id(&domain_id).send();
        wait_until("the domain is in service", || {
            outside.run(describe()).status.is_some_and(|status| status.as_str() == "InService")
        });
        let profile = || client.describe_user_profile().domain_id(&domain_id).user_profile_name(PROFILE).send();
        outside.run(client.create_user_profile().domain_id(&domain_id).user_profile_name(PROFILE).send());
        wait_until("the profile is in service", || outside.run(profile()).status == Some(UserProfileStatus::InService));
        Ground { account, domain_id }
    }

    /// A configuration with this beside what has to be there.
    fn config(&self, more: &Json) -> Json {
        let mut config = json!({ "domain_id": self.domain_id, "user_profile_name": PROFILE });
        for (name, value) in more.as_object().expect("it is an object") {
            config[name] = value.clone();
        }
        config
    }

    fn host(&self) -> String {
        format!("{}.studio.us-east-1.sagemaker.aws", self.domain_id)
    }

    /// The URL that was handed out last.
    fn last(&self) -> Presigned {
        self.account.presigned().pop().expect("one was handed out")
    }
}

/// Runs what happens in one thread, where a subscriber sees all of it.
fn run<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(what)
}

async fn open(studio: &Studio, call: &Call, config: &Json) -> Result<Json, Diagnostics> {
    let resource = studio.ephemeral_resources().iter().find(|one| one.type_name() == "studio_presigned_url");
    let resource = resource.expect("the provider has it");
    let config = codec::from_json(config, resource.value_type()).unwrap();
    let found = resource.validate(config.clone());
    if found.has_errors() {
        return Err(found);
    }
    let opened = resource.open(call, config).await?;
    assert!(opened.renew_at.is_none());
    assert_eq!(opened.private.to_bytes(), [0_u8; 0], "nothing of it is handed to Terraform for later");
    Ok(codec::to_json(&opened.result))
}

/// Opens one on a provider for this account.
fn opened(ground: &Ground, more: Json) -> Result<Json, Diagnostics> {
    opened_at(ground, ground.account.url(), &Call::default(), more)
}

/// The same, with SageMaker at this address.
fn opened_at(ground: &Ground, sagemaker: &str, call: &Call, more: Json) -> Result<Json, Diagnostics> {
    run(async { open(&provider_with(&ground.account, sagemaker).await, call, &ground.config(&more)).await })
}

/// Summary, detail and attribute of the one error; no URL is in it that was handed out.
fn error(ground: &Ground, more: Json) -> String {
    error_of(ground, opened(ground, more))
}

fn error_of(ground: &Ground, opened: Result<Json, Diagnostics>) -> String {
    let errors = opened.expect_err("it must be refused");
    let texts: Vec<String> = errors
        .iter()
        .map(|one| {
            let path = one.path.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{path}: {}. {}", one.summary, one.detail)
        })
        .collect();
    let [text] = <[String; 1]>::try_from(texts).expect("one error");
    assert!(!text.contains("token=") && !text.contains("/auth"), "{text}");
    for url in ground.account.presigned() {
        assert!(!text.contains(&url.token), "{text}");
    }
    text
}

fn assert_has(text: &str, needed: &[&str]) {
    for needed in needed {
        assert!(text.contains(needed), "{needed:?} is not in: {text}");
    }
}

#[test]
fn it_gives_the_url_its_host_and_when_it_ends() {
    let ground = Ground::new();
    let before = OffsetDateTime::now_utc();
    let more = json!({ "expires_in": "90s", "session_expiration": "1h30m", "landing_uri": "app:JupyterLab:lab/tree" });
    let found = opened(&ground, more).unwrap();
    let after = OffsetDateTime::now_utc();

    let last = ground.last();
    assert_eq!(found["url"], json!(last.url));
    assert_eq!(found["host"], json!(ground.host()));
    assert_eq!(found["region"], "us-east-1");
    assert_eq!(found["expires_in"], "90s");
    assert_eq!(
        last.asked,
        json!({
            "DomainId": ground.domain_id,
            "UserProfileName": PROFILE,
            "LandingUri": "app:JupyterLab:lab/tree",
            "ExpiresInSeconds": 90,
            "SessionExpirationDurationInSeconds": 5400,
        })
    );
    let end = found["expires_at"].as_str().unwrap();
    // In UTC and to the second, these sort as text.
    let second = |moment: OffsetDateTime| (moment + Duration::seconds(90)).format(&Rfc3339).unwrap()[..19].to_owned();
    assert!(end.len() == 20 && end.ends_with('Z'), "{end}");
    assert!(second(before).as_str() <= &end[..19] && &end[..19] <= second(after).as_str(), "{end}");
}

#[test]
fn what_is_not_written_is_what_sagemaker_takes_itself() {
    let ground = Ground::new();
    let found = opened(&ground, json!({})).unwrap();
    assert_eq!([&found["expires_in"], &found["session_expiration"]], ["5m", "12h"]);
    assert_eq!(found["landing_uri"], Json::Null);
    let asked = ground.last().asked;
    assert_eq!([&asked["ExpiresInSeconds"], &asked["SessionExpirationDurationInSeconds"]], [300, 43_200]);
    assert_eq!(asked.as_object().unwrap().len(), 4, "{asked}");
}

#[test]
fn what_does_not_exist_is_named_where_it_is_written() {
    let ground = Ground::new();
    let text = error(&ground, json!({ "domain_id": "d-000000000000" }));
    assert_has(&text, &["domain_id: There is no such domain", "d-000000000000", "us-east-1"]);
    let text = error(&ground, json!({ "user_profile_name": "nobody" }));
    assert_has(&text, &["user_profile_name: Could not create", "UserProfile [nobody] does not exist", "(request "]);
    let text = error(&ground, json!({ "space_name": "nowhere" }));
    assert_has(&text, &["Space [nowhere] does not exist", "a space of these names"]);
    assert!(ground.account.presigned().is_empty());
}

#[test]
fn a_domain_of_identity_center_has_no_presigned_urls() {
    let ground = Ground::on(Account::alone());
    let answer = json!({ "AuthMode": "SSO" });
    ground.account.rules(json!([{ "service": "sagemaker", "operation": "DescribeDomain", "answer": answer }]));
    let text = error(&ground, json!({}));
    assert_has(&text, &["domain_id: Presigned URLs exist in IAM mode only", "IAM Identity Center", &ground.domain_id]);
    assert_eq!(ground.account.count("CreatePresignedDomainUrl"), 0);
}

#[test]
fn a_refusal_says_that_the_path_may_be_the_wrong_one_and_names_the_request() {
    let ground = Ground::on(Account::alone());
    let refuse = |operation: &str| {
        let error = json!({ "code": "AccessDeniedException", "message": "with an explicit deny" });
        ground.account.rules(json!([{ "service": "sagemaker", "operation": operation, "error": error }]));
    };
    refuse("CreatePresignedDomainUrl");
    let text = error(&ground, json!({}));
    assert_has(&text, &["AccessDeniedException: with an explicit deny", "another path", "sagemaker.api", "CloudTrail"]);
    let id = text.split("(request ").nth(1).and_then(|rest| rest.split(')').next()).expect("the request is named");
    assert!(text.contains(&format!("requestID {id} ")), "{text}");

    refuse("DescribeDomain");
    assert_has(&error(&ground, json!({})), &["AccessDeniedException", "allow sagemaker:DescribeDomain"]);
}

#[test]
fn a_url_with_another_host_is_an_error_that_does_not_hold_it() {
    let ground = Ground::on(Account::alone());
    let hand_out = |url: &str| {
        let answer = json!({ "AuthorizedUrl": url });
        ground.account.rules(json!([
            { "service": "sagemaker", "operation": "CreatePresignedDomainUrl", "answer": answer }
        ]));
    };
    let (host, id) = (ground.host(), ground.domain_id.clone());
    for own in [host.clone(), format!("studio-{host}"), host.replace("studio.", "studio-fips.")] {
        let url = format!("https://{own}/auth?token=secret-part");
        hand_out(&url);
        let found = opened(&ground, json!({})).unwrap_or_else(|error| panic!("{own}: {error:?}"));
        assert_eq!([&found["url"], &found["host"]], [&url, &own]);
    }
    for (authority, said) in [
        ("d-zzzzzzzzzzzz.studio.us-east-1.sagemaker.aws", "d-zzzzzzzzzzzz.studio.us-east-1.sagemaker.aws"),
        ("evil.example", "evil.example"),
        (&format!("{id}.studio.eu-west-1.sagemaker.aws"), "eu-west-1"),
        (&format!("{host}@evil.example"), "no host"),
        (&format!("{host}:8443"), "no host"),
    ] {
        hand_out(&format!("https://{authority}/auth?token=secret-part"));
        let text = error(&ground, json!({}));
        assert_has(&text, &["does not lead to the domain", said]);
        assert!(!text.contains("secret-part"), "{text}");
    }
    ground.account.rules(json!([
        { "service": "sagemaker", "operation": "CreatePresignedDomainUrl", "answer": { "AuthorizedUrl": null } }
    ]));
    assert_has(&error(&ground, json!({})), &["the answer has no URL"]);
}

#[test]
fn a_run_that_is_stopped_says_so() {
    let ground = Ground::new();
    let call = Call::default();
    call.stop.cancel();
    let text = error_of(&ground, opened_at(&ground, ground.account.url(), &call, json!({})));
    assert_has(&text, &["The run was interrupted"]);
}

/// A SageMaker that describes a domain, and breaks off in the middle of a URL.
fn breaking_off(domain: Json) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 16 << 10];
            let read = stream.read(&mut request).unwrap();
            let body = match String::from_utf8_lossy(&request[..read]).contains("SageMaker.DescribeDomain") {
                true => domain.to_string(),
                false => r#"{"AuthorizedUrl":"https://d-1.example.com/auth?token=secret-part"#.to_owned(),
            };
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close";
            write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    url
}

#[test]
fn an_answer_that_cannot_be_read_is_not_quoted() {
    let ground = Ground::new();
    let sagemaker = breaking_off(json!({
        "DomainArn": format!("arn:aws:sagemaker:us-east-1:{}:domain/{}", ground.account.id, ground.domain_id),
        "DomainId": ground.domain_id,
        "DomainName": "demo",
        "Status": "InService",
        "AuthMode": "IAM",
        "Url": format!("https://{}", ground.host()),
        "VpcId": "vpc-1",
        "SubnetIds": ["subnet-1"],
        "DefaultUserSettings": {},
    }));
    let text = error_of(&ground, opened_at(&ground, &sagemaker, &Call::default(), json!({})));
    assert_has(&text, &["Could not create the presigned URL", "CreatePresignedDomainUrl", "unreadable answer"]);
    assert!(!text.contains("secret-part"), "{text}");
}

// ---- Logs ----

/// Keeps everything that anything logs.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<Vec<(String, String)>>>);

struct Text(String);

impl tracing::field::Visit for Text {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Everything {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push((event.metadata().target().to_owned(), text.0));
    }
}

#[test]
fn the_sdk_would_log_the_url_and_this_provider_does_not() {
    let ground = Ground::new();
    let log = Everything::default();
    let subscriber = tracing_subscriber::registry().with(log.clone());
    // Where there is one subscriber alone, an event that another test's thread comes to first is switched off for all
    // threads, because nobody listens in that one. Where there are two, each of them is asked.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let found = tracing::subscriber::with_default(subscriber, || opened(&ground, json!({}))).unwrap();
    assert_eq!(found["url"], json!(ground.last().url));

    let token = ground.last().token;
    let (ours, others): (Vec<_>, Vec<_>) =
        log.0.lock().unwrap().iter().cloned().partition(|(target, _)| target.split("::").next() == Some("studio"));
    assert!(ours.iter().any(|(_, text)| text.contains("CreatePresignedDomainUrl")), "the call is logged: {ours:#?}");
    for (target, text) in &ours {
        assert!(!text.contains(&token) && !text.contains("token="), "{target}: {text}");
    }
    // Without this the test of the log in the next section could not fail.
    assert!(others.iter().any(|(target, text)| target.starts_with("aws_") && text.contains(&token)), "{others:#?}");
}

// ---- In the real Terraform ----

/// A workspace that logs everything, with the witness beside the provider.
fn workspace(account: &Account) -> Workspace {
    let mut workspace = Workspace::new(account);
    let rc = fs::read_to_string(workspace.file("terraform.rc")).unwrap();
    let folder = workspace.file("witness");
    fs::create_dir(&folder).unwrap();
    witness::install(&folder);
    let overrides = format!("dev_overrides {{\n    {:?} = {folder:?}", witness::SOURCE);
    fs::write(workspace.file("terraform.rc"), rc.replace("dev_overrides {", &overrides)).unwrap();
    workspace.environment = vec![
        ("TF_LOG".to_owned(), "TRACE".to_owned()),
        ("TF_LOG_PATH".to_owned(), workspace.file("log.txt").to_str().unwrap().to_owned()),
    ];
    workspace
}

/// A domain; a URL of it in a module, from there in a write-only argument; and another URL in the configuration of a
/// provider, which a data source is looked up with.
fn configuration(account: &Account, network: &Network, trigger: &str) -> String {
    let subnet_ids = json!(network.subnet_ids[..2]);
    let (vpc_id, role_arn, url) = (&network.vpc_id, &network.role_arn, account.url());
    let key = account.access_key();
    format!(
        r#"
resource "studio_private_domain" "test" {{
  name               = "test"
  vpc_id             = "{vpc_id}"
  subnet_ids         = {subnet_ids}
  execution_role_arn = "{role_arn}"
  user_profiles      = {{ {PROFILE} = {{}} }}
  home_efs           = {{ enabled = false }}
}}

module "link" {{
  source    = "./link"
  domain_id = studio_private_domain.test.domain_id
  profile   = one(keys(studio_private_domain.test.user_profiles))
}}

module "note" {{
  source  = "./note"
  trigger = "{trigger}"
  value   = module.link.url
}}

ephemeral "studio_presigned_url" "direct" {{
  domain_id         = studio_private_domain.test.domain_id
  user_profile_name = "{PROFILE}"
  expires_in        = "30s"
}}

provider "studio" {{
  alias      = "second"
  access_key = "{key}"
  secret_key = "{SECRET_KEY}"
  region     = split(".", ephemeral.studio_presigned_url.direct.host)[2]
  token      = ephemeral.studio_presigned_url.direct.url
  endpoints {{
    sagemaker = "{url}"
    sts       = "{url}"
  }}
}}

data "studio_domain" "seen" {{
  provider  = studio.second
  domain_id = studio_private_domain.test.domain_id
}}

output "seen" {{
  value = data.studio_domain.seen.name
}}

output "digest" {{
  value = module.note.digest
}}
"#
    )
}

const LINK: &str = r#"
terraform {
  required_providers {
    studio = { source = "studio-private/studio" }
  }
}

variable "domain_id" {}
variable "profile" {}

ephemeral "studio_presigned_url" "this" {
  domain_id         = var.domain_id
  user_profile_name = var.profile
}

# A postcondition of the ephemeral resource itself would say the same, but `terraform show -json` of a plan with one
# crashes in Terraform 1.11.4 ("unsupported resource mode").
output "url" {
  value     = ephemeral.studio_presigned_url.this.url
  ephemeral = true

  precondition {
    condition     = startswith(local.link.url, "https://${local.link.host}/auth?token=")
    error_message = "The host is not that of the URL."
  }

  precondition {
    condition     = timecmp(local.link.expires_at, timeadd(plantimestamp(), "2m")) > 0
    error_message = "It has ended."
  }
}

locals {
  link = ephemeral.studio_presigned_url.this
}
"#;

const NOTE: &str = r#"
terraform {
  required_providers {
    witness = { source = "studio-private/witness" }
  }
}

variable "trigger" {}

variable "value" {
  ephemeral = true
}

resource "witness_note" "this" {
  trigger = var.trigger
  value   = var.value
}

output "digest" {
  value = witness_note.this.digest
}
"#;

fn write(workspace: &Workspace, account: &Account, network: &Network, trigger: &str) {
    for (name, text) in [("link", LINK), ("note", NOTE)] {
        fs::create_dir_all(workspace.file(name)).unwrap();
        fs::write(workspace.file(name).join("main.tf"), text).unwrap();
    }
    // Modules are looked for where `init` would have put them down; without `init` somebody else has to.
    fs::create_dir_all(workspace.file(".terraform/modules")).unwrap();
    let module = |key: &str, dir: &str| json!({ "Key": key, "Source": if key.is_empty() { String::new() } else { format!("./{dir}") }, "Dir": dir });
    let modules = json!({ "Modules": [module("", "."), module("link", "link"), module("note", "note")] });
    fs::write(workspace.file(".terraform/modules/modules.json"), modules.to_string()).unwrap();
    workspace.write(&configuration(account, network, trigger));
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn unzip(archive: &Path, folder: &Path) {
    let run = Command::new("python3").args(["-m", "zipfile", "-e"]).args([archive, folder]).status();
    assert!(run.unwrap().success(), "{} is a zip file", archive.display());
}

#[test]
fn the_url_is_used_and_written_nowhere() {
    let account = Account::new();
    let network = account.network();
    let workspace = workspace(&account);
    let handed_out = || account.presigned().len();
    let mut said = String::new();

    // While the domain is not there, nothing is opened; the apply opens both.
    write(&workspace, &account, &network, "first");
    said += &workspace.plan().text;
    assert_eq!(handed_out(), 0);
    said += &workspace.apply();
    assert_eq!(handed_out(), 2);
    assert_eq!(workspace.output("seen"), "test", "the provider that was configured with a URL works");
    let arrived = |workspace: &Workspace| {
        let digest = workspace.output("digest");
        account.presigned().iter().any(|one| digest == json!(witness::digest(&one.url)))
    };
    assert!(arrived(&workspace), "the write-only argument got the URL");

    // Now a plan opens both too, and an apply once more.
    write(&workspace, &account, &network, "second");
    let plan = workspace.plan();
    assert_eq!(handed_out(), 4);
    said += &(plan.text.clone() + &plan.json.to_string());
    unzip(&workspace.file("plan.bin"), &workspace.file("plan"));
    assert!(workspace.file("plan/tfplan").is_file());
    said += &workspace.apply();
    assert_eq!(handed_out(), 8, "the apply plans once more");
    assert!(arrived(&workspace));
    let used = workspace.output("digest").as_str().expect("it is text").to_owned();
    workspace.plan().assert_empty();

    let log = fs::read_to_string(workspace.file("log.txt")).unwrap();
    let ours: Vec<&str> = log.lines().filter(|line| line.contains("provider.terraform-provider-studio:")).collect();
    assert!(ours.iter().any(|line| line.contains("CreatePresignedDomainUrl")), "the provider logs its calls");
    for line in ours {
        let own = line.contains("@module=studio.") || line.contains("@module=studio ");
        assert!(own, "not an event of this project: {line}");
    }
    assert!(log.contains("[TRACE]"), "Terraform logs all there is");

    said += &workspace.destroy();
    let urls = account.presigned();
    assert!(urls.len() >= 10, "{}", urls.len());
    let read = |path: &PathBuf| (path.clone(), fs::read(path).unwrap());
    let mut written: Vec<_> = files(workspace.file("log.txt").parent().unwrap()).iter().map(read).collect();
    for needed in
        ["log.txt", "terraform.tfstate", "terraform.tfstate.backup", "plan.bin", "plan/tfplan", "plan/tfstate"]
    {
        assert!(written.iter().any(|(path, _)| path.ends_with(needed)), "{needed} is looked at");
    }
    written.push((PathBuf::from("what Terraform says"), said.into_bytes()));
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(written.iter().any(|(_, bytes)| holds(bytes, &used)), "what was made of a URL is found in the state");
    for (path, bytes) in &written {
        for url in &urls {
            assert!(!holds(bytes, &url.token), "a URL is in {}", path.display());
        }
    }
    account.assert_nothing_is_left();
}

#[test]
fn wrong_arguments_are_refused_where_they_stand_before_anything_is_asked() {
    let account = Account::new();
    let long = format!("studio::{}", "x".repeat(1016));
    let cases = [
        ("expires_in", "4s", "is not within 5s to 5m"),
        ("expires_in", "301s", "is not within 5s to 5m"),
        ("expires_in", "300", "is not a duration"),
        ("expires_in", "5500ms", "is not in whole seconds"),
        ("session_expiration", "29m", "is not within 30m to 12h"),
        ("session_expiration", "13h", "is not within 30m to 12h"),
        ("landing_uri", "https://example.com", "is neither studio::"),
        ("landing_uri", "app:JupyterLab", "is neither studio::"),
        ("landing_uri", "app::lab", "is neither studio::"),
        ("landing_uri", "app:jupyterlab:", "is written JupyterLab"),
        ("landing_uri", &long, "up to 1023 are allowed"),
        ("space_name", "-x", "up to 63 letters"),
        ("region", "Frankfurt", "form of a Region"),
    ];
    let block = |(index, (name, value, _)): (usize, &(&str, &str, &str))| {
        format!(
            "ephemeral \"studio_presigned_url\" \"case_{index}\" {{\n  domain_id = \"d-abcdefghijkl\"\n  \
             user_profile_name = \"demouser1\"\n  {name} = {value:?}\n}}\n"
        )
    };
    let hcl: String = cases.iter().enumerate().map(block).collect();
    let text = Workspace::with(&account, &hcl).plan_expect_error();
    assert_eq!(text.matches("Error: ").count(), cases.len(), "{text}");
    let line = in_one_line(&text);
    for (name, value, wrong) in cases {
        assert_has(&line, &[wrong]);
        // The line that Terraform shows is the argument's.
        if value.len() < 100 {
            assert_has(&line, &[&format!("{name} = {value:?}")]);
        }
    }
    assert_eq!(account.calls().len(), 0);
}

#[test]
fn forms_that_sagemaker_takes_are_taken() {
    let long = format!("studio::{}", "x".repeat(1015));
    let ground = Ground::new();
    for (name, value) in [
        ("expires_in", "5s"),
        ("expires_in", "300s"),
        ("session_expiration", "30m"),
        ("session_expiration", "43200s"),
        ("landing_uri", "studio::"),
        ("landing_uri", "studio::relative/path"),
        ("landing_uri", "app:RStudioServerPro:"),
        ("landing_uri", "app:SomethingNew:a:b"),
        ("landing_uri", &long),
        ("region", "us-east-1"),
    ] {
        opened(&ground, json!({ name: value })).unwrap_or_else(|error| panic!("{name} = {value}: {error:?}"));
    }
}

#[test]
fn a_plan_works_before_the_providers_region_is_known() {
    let ground = Ground::new();
    let mut workspace = Workspace::new(&ground.account);
    workspace.provider.region = "terraform_data.region.output".to_owned();
    let domain_id = &ground.domain_id;
    workspace.write(&format!(
        r#"
resource "terraform_data" "region" {{
  input = "us-east-1"
}}

ephemeral "studio_presigned_url" "test" {{
  domain_id         = "{domain_id}"
  user_profile_name = "{PROFILE}"
}}
"#
    ));
    workspace.plan();
    assert_eq!(ground.account.presigned().len(), 0, "nothing is asked before it is known whom to ask");
    workspace.apply();
    assert_eq!(ground.account.presigned().len(), 1);
}
