//! `studio_dns_check`: what DNS servers answer for host names, and whether that is private.
//!
//! **Invariant:** no answer, and no lack of one, is an error. It is a result, so that the run goes on and a `check` block
//! can tell.
//! **Invariant:** it ends within [`WHOLE_TIME`], however many servers do not answer.
//! **Invariant:** it calls no AWS service, so it works where there are no credentials.

mod exchange;
mod message;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream;
use hickory_resolver::system_conf::read_system_conf;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use self::exchange::{Question, ask};
use self::message::RecordType;
use crate::dns::check::{Asked, Transport, check_host_name, judge, parse_server};
use crate::framework::checks::parse_duration;
use crate::framework::schema::{Check, Nesting, Schema};
use crate::framework::{Attribute, Call, DataSource, Diagnostic, Diagnostics, Dynamic, Path, Value, checks};

/// How long the whole check may take.
const WHOLE_TIME: Duration = Duration::from_secs(120);

/// How many questions are under way at once. Each has a socket, and a process may have about a thousand by default.
const AT_ONCE: usize = 100;

/// The longest time that one attempt may be given.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The data source.
#[derive(Default)]
pub struct DnsCheck;

/// The configuration, and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Model {
    /// Names to ask for.
    pub host_names: Value<Vec<Value<String>>>,
    /// Whom to ask.
    pub servers: Value<Vec<Value<String>>>,
    /// Addresses that may be answered.
    pub expected_ips: Value<Vec<Value<String>>>,
    /// `udp`, `tcp` or `both`.
    pub transport: Value<String>,
    /// How often to ask.
    pub attempts: Value<i64>,
    /// How long to wait each time.
    pub timeout: Value<String>,
    /// Whether all results passed.
    pub passed: Value<bool>,
    /// One for each name, server and transport.
    pub results: Value<Vec<ResultModel>>,
}

/// What one server answers for one name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ResultModel {
    /// The name asked for.
    pub host_name: Value<String>,
    /// The server asked.
    pub server: Value<String>,
    /// `udp` or `tcp`.
    pub transport: Value<String>,
    /// The addresses.
    pub answers: Value<Vec<String>>,
    /// The response code; null without an answer.
    pub rcode: Value<String>,
    /// Of the slower question; null without an answer.
    pub latency_ms: Value<i64>,
    /// Whether all addresses are private.
    pub private: Value<bool>,
    /// Whether it is as it should be.
    pub passed: Value<bool>,
    /// Why.
    pub reason: Value<String>,
}

#[async_trait]
impl DataSource for DnsCheck {
    type Model = Model;

    fn type_name(&self) -> &'static str {
        "studio_dns_check"
    }

    fn schema(&self) -> Schema {
        Schema {
            description: "Asks DNS servers for host names, over UDP and TCP, and tells whether the answers are private: the proof that \
                Studio is reached through the VPC. A server that does not answer, refuses or gives the wrong answer is a result and \
                never fails the run, so this suits `check` blocks and continuous validation. The questions go out from where Terraform \
                runs, which must be inside the network for the result to mean anything. Each is for A and for AAAA, desires recursion, \
                and is not cached. The whole check ends within two minutes.",
            attributes: attributes(),
            ..Schema::default()
        }
    }

    async fn read(&self, call: &Call, config: Model) -> Result<(Model, Diagnostics), Diagnostics> {
        let plan = Plan::new(&config)?;
        tokio::select! {
            results = plan.carry_out(Instant::now() + WHOLE_TIME) => {
                let passed = results.iter().all(|result| result.passed == Value::Known(true));
                let model = Model { passed: passed.into(), results: results.into(), ..config };
                Ok((model, Diagnostics::new()))
            }
            () = call.stop.cancelled() => {
                let text = "DNS servers were being asked. Nothing was changed.";
                Err(Diagnostic::error("The run was interrupted", text).into())
            }
        }
    }
}

fn attributes() -> Vec<Attribute> {
    vec![
        Attribute::strings("host_names")
            .required()
            .check(checks::at_least(1))
            .check(checks::at_most(100))
            .check_each(checks::text(check_host_name))
            .describe("The names to ask for, such as the `host_names` of a `studio_private_domain`. At most 100; none with a wildcard."),
        Attribute::strings("servers")
            .check(checks::at_least(1))
            .check(checks::at_most(20))
            .check_each(checks::text(|text| parse_server(text).map(drop).map_err(|error| format!("{error}."))))
            .describe(
                "The servers to ask, each an IP address with or without a port: `10.0.1.10`, `10.0.1.10:5353`, `[fd00::10]:5353`. \
                 By default those of the machine that Terraform runs on.",
            ),
        Attribute::string_set("expected_ips").check(checks::at_least(1)).check_each(checks::address()).describe(
            "The addresses that may be answered, such as those of the Studio endpoint. Any other fails the check. By default \
             every private address passes (RFC 1918, RFC 6598, RFC 4193) and every other fails; so name the addresses of dual-stack \
             endpoints, whose IPv6 addresses are not of a private range.",
        ),
        Attribute::string("transport")
            .default_to("both")
            .check(checks::one_of(&["udp", "tcp", "both"]))
            .describe("How to ask: `udp`, `tcp` or `both`."),
        Attribute::number("attempts")
            .default_to(3i64)
            .check(Arc::new(attempts))
            .describe("How often a question is asked at most, from 1 to 10, until there is an answer other than `SERVFAIL`."),
        Attribute::string("timeout")
            .default_to("2s")
            .check(checks::duration())
            .check(timeout())
            .describe("How long each attempt waits for an answer, at most `30s`."),
        Attribute::bool("passed").computed().describe("Whether all `results` passed."),
        Attribute::nested("results", Nesting::List, results())
            .computed()
            .describe("One result for each host name, server and transport, in that order."),
    ]
}

fn results() -> Vec<Attribute> {
    let string = |name, text| Attribute::string(name).computed().describe(text);
    let bool = |name, text| Attribute::bool(name).computed().describe(text);
    vec![
        string("host_name", "The name that was asked for."),
        string("server", "The server that was asked."),
        string("transport", "`udp` or `tcp`."),
        Attribute::strings("answers")
            .computed()
            .describe("The IPv4 and IPv6 addresses of the name, or of what it is an alias of."),
        string("rcode", "The response code, such as `NOERROR` or `NXDOMAIN`; null without an answer."),
        Attribute::number("latency_ms").computed().describe(
            "How long the answer took, in milliseconds; null without one. Of the questions for A and AAAA, the slower.",
        ),
        bool("private", "Whether there are addresses and all of them are private."),
        bool(
            "passed",
            "Whether both questions were answered, with addresses that are all expected or, without `expected_ips`, all private.",
        ),
        string("reason", "Why it passed or not, in words."),
    ]
}

fn attempts(value: &Dynamic) -> Result<(), String> {
    match value {
        Dynamic::Number(number) if number.as_i64().is_some_and(|number| (1..=10).contains(&number)) => Ok(()),
        _ => Err("The number of attempts is a whole number from 1 to 10.".to_owned()),
    }
}

fn timeout() -> Check {
    checks::text(|text| match parse_duration(text) {
        Some(duration) if duration > LONGEST_TIMEOUT => {
            Err(format!("{text:?} is longer than the 30s that one attempt may be given."))
        }
        _ => Ok(()),
    })
}

/// Everything that is asked, and how the answers are judged.
struct Plan {
    names: Vec<String>,
    servers: Vec<(String, SocketAddr)>,
    transports: &'static [Transport],
    expected: Option<BTreeSet<IpAddr>>,
    attempts: u32,
    timeout_text: String,
    timeout: Duration,
}

impl Plan {
    fn new(config: &Model) -> Result<Self, Diagnostics> {
        let timeout_text = config.timeout.text().unwrap_or("2s").to_owned();
        let servers = match config.servers.known() {
            Some(_) => texts(&config.servers)
                .into_iter()
                .filter_map(|text| Some((text.clone(), parse_server(&text).ok()?)))
                .collect(),
            None => system_servers()?,
        };
        Ok(Plan {
            names: texts(&config.host_names),
            servers,
            transports: Transport::named(config.transport.text().unwrap_or("both")),
            expected: config.expected_ips.known().map(|_| {
                texts(&config.expected_ips)
                    .iter()
                    .filter_map(|text| Some(text.parse::<IpAddr>().ok()?.to_canonical()))
                    .collect()
            }),
            attempts: config.attempts.known().and_then(|number| u32::try_from(*number).ok()).unwrap_or(3),
            timeout: parse_duration(&timeout_text).unwrap_or(Duration::from_secs(2)),
            timeout_text,
        })
    }

    /// Asks everything, several questions at once, and gives the results in their order.
    async fn carry_out(&self, deadline: Instant) -> Vec<ResultModel> {
        let mut cases = Vec::new();
        for name in &self.names {
            for server in &self.servers {
                cases.extend(self.transports.iter().map(|transport| self.look_up(name, server, *transport, deadline)));
            }
        }
        // Two questions to a case.
        stream::iter(cases).buffered(AT_ONCE / 2).collect().await
    }

    async fn look_up(
        &self,
        name: &str,
        (text, server): &(String, SocketAddr),
        transport: Transport,
        deadline: Instant,
    ) -> ResultModel {
        let question = |record_type| Question {
            name,
            record_type,
            server: *server,
            transport,
            attempts: self.attempts,
            timeout: self.timeout,
            deadline,
        };
        let (a, aaaa) = tokio::join!(ask(question(RecordType::A)), ask(question(RecordType::AAAA)));
        let asked = Asked { server: text, transport, attempts: self.attempts, timeout: &self.timeout_text };
        let verdict = judge(asked, &a.outcome, &aaaa.outcome, self.expected.as_ref());
        let latency = a.latency.max(aaaa.latency).map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        tracing::debug!(host_name = name, server = %server, transport = transport.as_str(), passed = verdict.passed, "asked");
        ResultModel {
            host_name: name.into(),
            server: text.clone().into(),
            transport: transport.as_str().into(),
            answers: verdict.answers.iter().map(ToString::to_string).collect::<Vec<_>>().into(),
            rcode: verdict.rcode.into(),
            latency_ms: latency.into(),
            private: verdict.private.into(),
            passed: verdict.passed.into(),
            reason: verdict.reason.into(),
        }
    }
}

fn texts(list: &Value<Vec<Value<String>>>) -> Vec<String> {
    list.known().into_iter().flatten().filter_map(|element| element.known().cloned()).collect()
}

/// The servers that this machine asks itself.
fn system_servers() -> Result<Vec<(String, SocketAddr)>, Diagnostics> {
    let cannot = |why: String| {
        let text = format!("{why}. Name the servers to ask.");
        Diagnostics::from(
            Diagnostic::error("The DNS servers of this machine cannot be told", text).at(Path::root("servers")),
        )
    };
    let (config, _) =
        read_system_conf().map_err(|error| cannot(format!("Reading the system's configuration: {error}")))?;
    // A server is listed once for each transport on some systems.
    let mut found: Vec<(String, SocketAddr)> = Vec::new();
    for server in config.name_servers() {
        let address = SocketAddr::new(server.ip, 53);
        if !found.iter().any(|(_, known)| *known == address) {
            found.push((server.ip.to_string(), address));
        }
    }
    match found.is_empty() {
        true => Err(cannot("The system's configuration names none".to_owned())),
        false => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UdpSocket;

    #[tokio::test(start_paused = true)]
    async fn the_whole_check_ends_in_time_however_much_is_asked_in_vain() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = silent.local_addr().unwrap();
        let plan = Plan {
            names: (0..100).map(|number| format!("host{number}.studio.aws")).collect(),
            servers: (0..20).map(|_| (server.to_string(), server)).collect(),
            transports: Transport::named("udp"),
            expected: None,
            attempts: 10,
            timeout: LONGEST_TIMEOUT,
            timeout_text: "30s".to_owned(),
        };
        let started = Instant::now();
        let results = plan.carry_out(started + WHOLE_TIME).await;
        assert_eq!(started.elapsed().as_secs(), WHOLE_TIME.as_secs());
        assert_eq!(results.len(), 2000);
        assert!(results.iter().all(|result| result.reason.text().unwrap().contains("The check ended before")));
    }
}
