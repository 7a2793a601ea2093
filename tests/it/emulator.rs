//! The AWS emulator, and what a test asks of it.
//!
//! Tests share one emulator, each with an AWS account of its own. A test that slows it down or
//! makes it refuse calls starts another, because rules and paces hold for all accounts.
//!
//! **Invariant:** no emulator outlives the process that runs the tests. It ends when its standard
//! input closes, and that happens whichever way this process ends.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// Where everything is made unless a test says otherwise.
pub const REGION: &str = "us-east-1";

/// Stands for a secret key wherever one is asked for. Tests look for it where it must not be.
pub const SECRET_KEY: &str = "wJalr-this-key-must-not-be-logged-anywhere";

static SHARED: LazyLock<Arc<Emulator>> = LazyLock::new(|| Arc::new(Emulator::start()));

/// A running emulator.
struct Emulator {
    url: String,
    process: Child,
    /// The emulator ends when this closes.
    input: Option<ChildStdin>,
}

impl Emulator {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/emulator/start.py");
        let mut process = Command::new("python3")
            .args([script, "--exit-with-parent"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "python3 does not start ({error}). The emulator needs Python 3.10 or newer with venv: \
                     on Debian and Ubuntu, apt-get install python3 python3-venv; on macOS, brew install python"
                )
            });
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        output.read_line(&mut line).expect("its output is text");
        let started: Started = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("the emulator did not start; what it wrote stands above"));
        Emulator { url: started.url, input: process.stdin.take(), process }
    }

    /// One request to the emulator itself.
    fn ask(&self, method: &str, path: &str, body: &Json) -> Json {
        let host = self.url.strip_prefix("http://").expect("it serves plain HTTP");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} /_studio/{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(host).expect("the emulator listens");
        stream.write_all(request.as_bytes()).expect("the emulator reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the emulator answers text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).unwrap_or_default();
        assert_eq!(status, "200", "{method} /_studio/{path}: {body}");
        serde_json::from_str(body).expect("control answers are JSON")
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.input.take());
        self.process.wait().expect("it can be waited for");
    }
}

/// The line that an emulator prints when it answers.
#[derive(Deserialize)]
struct Started {
    url: String,
}

/// An AWS account that no other test uses.
pub struct Account {
    emulator: Arc<Emulator>,
    is_shared: bool,
    before: Mutex<Vec<Json>>,
    /// Its twelve digits.
    pub id: String,
    /// The Region that the test is about.
    pub region: String,
}

/// What is there before a test: `POST /_studio/network`.
#[derive(Clone, Debug, Deserialize)]
pub struct Network {
    /// The VPC.
    pub vpc_id: String,
    /// Its subnets, each in another zone.
    pub subnet_ids: Vec<String>,
    /// The route table of its subnets.
    pub route_table_id: String,
    /// The VPC's default security group.
    pub default_security_group_id: String,
    /// A role that SageMaker may assume.
    pub role_arn: String,
}

/// A call that the emulator answered.
#[derive(Clone, Debug, Deserialize)]
pub struct Call {
    /// `ec2`, `sagemaker`, …
    pub service: String,
    /// `CreateVpcEndpoint`, …
    pub operation: String,
    /// AWS's error code, if it was refused.
    pub error: Option<String>,
    /// Its place among all calls, of whatever account.
    pub seq: u64,
    /// What was sent.
    pub params: Json,
}

/// A presigned URL that the emulator handed out.
#[derive(Clone, Debug, Deserialize)]
pub struct Presigned {
    /// The whole of it.
    pub url: String,
    /// What makes it a secret.
    pub token: String,
    /// The parameters of the call.
    pub asked: Json,
}

impl Account {
    /// One on the shared emulator.
    pub fn new() -> Self {
        Self::on(Arc::clone(&SHARED), true)
    }

    /// One on the shared emulator, in another Region, which may be of another partition.
    pub fn in_region(region: &str) -> Self {
        Account { region: region.to_owned(), ..Self::new() }
    }

    /// One on an emulator of its own, for a test that sets rules or a pace.
    pub fn alone() -> Self {
        Self::on(Arc::new(Emulator::start()), false)
    }

    fn on(emulator: Arc<Emulator>, is_shared: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(200_000_000_000);
        let id = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        Account { emulator, is_shared, before: Mutex::default(), id, region: REGION.to_owned() }
    }

    /// Another account on the same emulator.
    pub fn neighbour(&self) -> Self {
        Self::on(Arc::clone(&self.emulator), self.is_shared)
    }

    /// The account with these twelve digits, on the same emulator.
    pub fn named(&self, id: &str) -> Self {
        Account { id: id.to_owned(), ..self.neighbour() }
    }

    /// The same account in another Region.
    pub fn elsewhere(&self, region: &str) -> Self {
        let emulator = Arc::clone(&self.emulator);
        let (id, region) = (self.id.clone(), region.to_owned());
        Account { emulator, is_shared: self.is_shared, before: Mutex::default(), id, region }
    }

    /// Where AWS is.
    pub fn url(&self) -> &str {
        &self.emulator.url
    }

    /// An access key of this account.
    pub fn access_key(&self) -> String {
        format!("AKIA{}TEST", self.id)
    }

    /// Makes a VPC with three subnets (two in Regions with as many zones), and a role. Afterwards they count as what was
    /// there before.
    pub fn network(&self) -> Network {
        self.network_of(false)
    }

    /// The same, with IPv6 addresses beside IPv4.
    pub fn dual_stack_network(&self) -> Network {
        self.network_of(true)
    }

    /// From here on, all that exists counts as what was there before.
    pub fn keep_everything(&self) {
        let found = self.everything();
        *self.before.lock().expect("no test panics with this lock") = found;
    }

    fn network_of(&self, ipv6: bool) -> Network {
        let subnets = if self.region == REGION { 3 } else { 2 };
        let wanted = json!({ "account": self.id, "region": self.region, "subnets": subnets, "ipv6": ipv6 });
        let made = self.emulator.ask("POST", "network", &wanted);
        self.keep_everything();
        serde_json::from_value(made.clone()).unwrap_or_else(|error| panic!("{error}: {made}"))
    }

    /// The calls that came in, in order.
    pub fn calls(&self) -> Vec<Call> {
        let calls = self.emulator.ask("GET", &format!("calls?account={}", self.id), &Json::Null);
        serde_json::from_value(calls).expect("calls have these fields")
    }

    /// How often an operation was called and not refused.
    pub fn count(&self, operation: &str) -> usize {
        let ended_well = |call: &Call| call.operation == operation && call.error.is_none();
        self.calls().iter().filter(|call| ended_well(call)).count()
    }

    /// The calls that changed something, as `service operation`.
    pub fn changes(&self) -> Vec<String> {
        const LOOKS: [&str; 5] = ["Describe", "List", "Get", "Assume", "Simulate"];
        let changes = |call: &Call| !LOOKS.iter().any(|look| call.operation.starts_with(look));
        let name = |call: &Call| format!("{} {}", call.service, call.operation);
        self.calls().iter().filter(|call| changes(call)).map(name).collect()
    }

    /// Replaces the rules by which calls are slowed down or refused.
    pub fn rules(&self, rules: Json) {
        self.assert_alone();
        self.emulator.ask("PUT", "rules", &rules);
    }

    /// Replaces how long changes take, in seconds by kind.
    pub fn pace(&self, pace: Json) {
        self.assert_alone();
        self.emulator.ask("PUT", "pace", &pace);
    }

    /// Replaces Route 53's limits of the account, by their names.
    pub fn limits(&self, mut limits: Json) {
        limits["account"] = json!(self.id);
        self.emulator.ask("PUT", "limits", &limits);
    }

    /// The presigned URLs that were handed out, in order.
    pub fn presigned(&self) -> Vec<Presigned> {
        let path = format!("presigned?account={}&region={}", self.id, self.region);
        let urls = self.emulator.ask("GET", &path, &Json::Null);
        serde_json::from_value(urls).expect("URLs have these fields")
    }

    /// What exists in the account and was not there before.
    pub fn leftovers(&self) -> Vec<Json> {
        let before = self.before.lock().expect("no test panics with this lock");
        self.everything().into_iter().filter(|found| !before.contains(found)).collect()
    }

    fn everything(&self) -> Vec<Json> {
        let path = format!("leftovers?account={}&region={}", self.id, self.region);
        match self.emulator.ask("GET", &path, &Json::Null) {
            Json::Array(left) => left,
            other => panic!("leftovers are a list: {other}"),
        }
    }

    /// Fails the test if anything exists beside the network.
    pub fn assert_nothing_is_left(&self) {
        let left = self.leftovers();
        assert!(left.is_empty(), "these are left: {}", json!(left));
    }

    /// Someone else with the account's credentials.
    pub fn outside(&self) -> Outside {
        Outside::new(self)
    }

    fn assert_alone(&self) {
        assert!(!self.is_shared, "rules and paces would hold for other tests: use Account::alone()");
    }
}

/// Changes things behind Terraform's back.
pub struct Outside {
    runtime: tokio::runtime::Runtime,
    config: aws_config::SdkConfig,
}

impl Outside {
    fn new(account: &Account) -> Self {
        let key = Credentials::new(account.access_key(), SECRET_KEY, None, None, "test");
        let config = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new(account.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(key))
            .endpoint_url(account.url())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
        Outside { runtime, config }
    }

    /// Waits for what a client was asked, and fails the test if AWS refuses it.
    pub fn run<T, E: std::fmt::Debug>(&self, call: impl Future<Output = Result<T, E>>) -> T {
        self.runtime.block_on(call).expect("what the test does outside is allowed")
    }

    /// EC2.
    pub fn ec2(&self) -> aws_sdk_ec2::Client {
        aws_sdk_ec2::Client::new(&self.config)
    }

    /// Route 53.
    pub fn route53(&self) -> aws_sdk_route53::Client {
        aws_sdk_route53::Client::new(&self.config)
    }

    /// SageMaker.
    pub fn sagemaker(&self) -> aws_sdk_sagemaker::Client {
        aws_sdk_sagemaker::Client::new(&self.config)
    }

    /// Route 53 Resolver.
    pub fn route53resolver(&self) -> aws_sdk_route53resolver::Client {
        aws_sdk_route53resolver::Client::new(&self.config)
    }

    /// Organizations.
    pub fn organizations(&self) -> aws_sdk_organizations::Client {
        aws_sdk_organizations::Client::new(&self.config)
    }

    /// RAM.
    pub fn ram(&self) -> aws_sdk_ram::Client {
        aws_sdk_ram::Client::new(&self.config)
    }

    /// IAM.
    pub fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.config)
    }
}
