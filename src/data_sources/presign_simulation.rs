//! `studio_presign_simulation`: what policies decide about requests, offline or by IAM's own simulator.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::aws::Clients;
use crate::aws::iam::simulate::{self, Answer, ContextEntry, ContextType, MatchedText, Question};
use crate::connection::Connection;
use crate::framework::schema::{Nesting, Schema};
use crate::framework::{Attribute, Call, DataSource, Diagnostic, Diagnostics, Path, Value, checks};
use crate::policy::document::Document;
use crate::policy::evaluate::{Attached, Layer, Matched};
use crate::policy::presign::PRESIGN;
use crate::policy::simulation::{ContextValue, NamedRequest, PolicyKind, simulate};

/// The data source.
pub struct PresignSimulation {
    connection: Connection,
}

impl PresignSimulation {
    /// The data source, on the provider's connection.
    pub fn new(connection: Connection) -> Self {
        PresignSimulation { connection }
    }
}

/// Policies, requests and results, as Terraform sees them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Model {
    pub engine: Value<String>,
    pub policies: Value<Vec<Value<Policy>>>,
    pub requests: Value<Vec<Value<Asked>>>,
    pub results: Value<Vec<Answered>>,
}

/// One element of `policies`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub kind: Value<String>,
    pub document: Value<String>,
}

/// One element of `requests`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    pub name: Value<String>,
    pub action: Value<String>,
    pub resource: Value<String>,
    pub principal_arn: Value<String>,
    pub context: Value<BTreeMap<String, Value<String>>>,
    pub context_lists: Value<BTreeMap<String, Value<Vec<String>>>>,
    pub unknown: Value<Vec<String>>,
}

/// One element of `results`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answered {
    pub name: Value<String>,
    pub decision: String,
    pub matched: Vec<Statement>,
    pub reason: String,
}

/// A statement that made a decision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Statement {
    pub policy: Value<i64>,
    pub statement: Value<i64>,
    pub sid: Value<String>,
}

#[async_trait]
impl DataSource for PresignSimulation {
    type Model = Model;

    fn type_name(&self) -> &'static str {
        "studio_presign_simulation"
    }

    fn schema(&self) -> Schema {
        Schema { description: DESCRIPTION, attributes: attributes(), ..Schema::default() }
    }

    fn validate(&self, config: &Model) -> Diagnostics {
        let mut found: Diagnostics = parse(config).1;
        if config.engine.text() == Some("aws") {
            found.extend(beyond_the_simulator(config));
        }
        found
    }

    async fn read(&self, _call: &Call, config: Model) -> Result<(Model, Diagnostics), Diagnostics> {
        let wrong = self.validate(&config);
        if wrong.has_errors() {
            return Err(wrong);
        }
        let policies = parse(&config).0;
        let requests: Vec<NamedRequest> =
            config.requests.known().into_iter().flatten().filter_map(Value::known).map(named).collect();
        let results = if config.engine.text() == Some("aws") {
            let clients = self.connection.known_clients(None)?;
            ask_iam(&clients, &policies, &requests).await?
        } else {
            let outcomes = simulate(&policies, &requests).into_iter().zip(&requests);
            outcomes
                .map(|(outcome, request)| Answered {
                    name: request.name.clone().into(),
                    decision: outcome.decision.as_str().to_owned(),
                    matched: outcome.matched.iter().map(statement).collect(),
                    reason: outcome.reason,
                })
                .collect()
        };
        Ok((Model { results: Value::Known(results), ..config }, Diagnostics::new()))
    }
}

const DESCRIPTION: &str = "What policies decide about requests, by AWS's evaluation rules: a Deny anywhere denies; else every layer that is there must allow, and without an identity policy nothing is allowed.

By default nobody is asked: the requests are decided offline, and what cannot be is `cannot_tell`, never a guess. With `engine = \"aws\"`, IAM's own simulator decides (`iam:SimulateCustomPolicy`). It takes identity policies and a permissions boundary, no service control policies and no endpoint policies.

An endpoint's policy counts for requests that come through an endpoint, which are those with `aws:SourceVpce`. Findings of `studio_presign_policy` carry such a request as their `witness`: `requests = [for finding in studio_presign_policy.example.findings : jsondecode(finding.witness)]`.";

fn attributes() -> Vec<Attribute> {
    let string = |name, text| Attribute::string(name).describe(text);
    let computed = |name, text| Attribute::string(name).computed().describe(text);
    let number = |name, text| Attribute::number(name).computed().describe(text);
    let policies = vec![
        string("kind", "Where it is attached: `identity`, `scp`, `endpoint` or `boundary`.")
            .required()
            .check(checks::one_of(&["identity", "scp", "endpoint", "boundary"])),
        string("document", "The policy document, as JSON.").required(),
    ];
    let requests = vec![
        string("name", "What the request is called in `results`; decides nothing."),
        string(
            "action",
            "The action. By default the one that makes presigned URLs, and that is asked with every use of one.",
        )
        .default_to(PRESIGN),
        string("resource", "The ARN of the resource, such as that of a user profile.").required(),
        string(
            "principal_arn",
            "The caller as `aws:PrincipalArn` names it: a role rather than its session. Without it the caller is anonymous.",
        ),
        Attribute::string_map("context")
            .describe("Condition keys with their values. A key that is not here is absent from the request."),
        Attribute::of(
            "context_lists",
            crate::framework::Type::map(crate::framework::Type::list(crate::framework::Type::String)),
        )
        .describe("Condition keys that have several values, such as `aws:TagKeys`."),
        Attribute::string_set("unknown").describe(
            "Condition keys of which it is not known whether the request has them, or with what value. Offline only.",
        ),
    ];
    let matched = vec![
        number("policy", "Which of `policies`, counted from 0."),
        number("statement", "Which statement of it, counted from 0; null where IAM does not tell."),
        computed("sid", "The statement's name."),
    ];
    let results = vec![
        computed("name", "The request's name."),
        computed("decision", "`allowed`, `implicit_deny` (nothing allows it), `explicit_deny` or `cannot_tell`."),
        Attribute::nested("matched", Nesting::List, matched)
            .computed()
            .describe("The statements that made the decision: those that deny, else those that cannot be told, else those that allow."),
        computed("reason", "The same in words."),
    ];
    vec![
        string("engine", "Who decides: `offline`, the provider itself, or `aws`, IAM's simulator.")
            .default_to("offline")
            .check(checks::one_of(&["offline", "aws"])),
        Attribute::nested("policies", Nesting::List, policies).required().describe("The policies that apply together."),
        Attribute::nested("requests", Nesting::List, requests).required().describe("The requests to decide."),
        Attribute::nested("results", Nesting::List, results)
            .computed()
            .describe("What is decided, in the order of `requests`."),
    ]
}

/// The policies that can be read, and what is wrong with the others.
fn parse(config: &Model) -> (Vec<Attached>, Diagnostics) {
    let mut attached = Vec::new();
    let mut found = Diagnostics::new();
    for (index, policy) in config.policies.known().into_iter().flatten().enumerate() {
        let Some(Policy { kind, document }) = policy.known() else { continue };
        let kind = PolicyKind::ALL.into_iter().find(|known| kind.text() == Some(known.as_str()));
        let (Some(kind), Some(text)) = (kind, document.text()) else { continue };
        match Document::parse(text) {
            Ok(document) => attached.push(Attached { layer: kind.layer(), document }),
            Err(error) => {
                let path = Path::root("policies").index(index).attribute("document");
                let text = format!("policies[{index}].document is not a policy: {error}.");
                found.push(Diagnostic::error("Invalid policy document", text).at(path));
            }
        }
    }
    (attached, found)
}

/// What IAM's simulator does not take.
fn beyond_the_simulator(config: &Model) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut boundaries = 0;
    for (index, policy) in config.policies.known().into_iter().flatten().enumerate() {
        let kind = policy.known().and_then(|policy| policy.kind.text());
        boundaries += usize::from(kind == Some("boundary"));
        let problem = match kind {
            Some(kind @ ("scp" | "endpoint")) => format!(
                "policies[{index}] is of the kind {kind:?}. IAM's simulator takes identity policies and one boundary; leave it out, or take engine = \"offline\"."
            ),
            Some("boundary") if boundaries > 1 => {
                format!("policies[{index}] is a second boundary, and a caller has one at most.")
            }
            Some(_) | None => continue,
        };
        let path = Path::root("policies").index(index).attribute("kind");
        found.push(Diagnostic::error("Not a policy for IAM's simulator", problem).at(path));
    }
    for (index, request) in config.requests.known().into_iter().flatten().enumerate() {
        let unknown = request.known().and_then(|request| request.unknown.known());
        if unknown.is_some_and(|keys| !keys.is_empty()) {
            let path = Path::root("requests").index(index).attribute("unknown");
            let text = format!(
                "requests[{index}] has keys of which nothing is known. IAM's simulator needs to know what a request has; give values, or take engine = \"offline\"."
            );
            found.push(Diagnostic::error("Not a request for IAM's simulator", text).at(path));
        }
    }
    found
}

fn named(asked: &Asked) -> NamedRequest {
    let single = asked.context.known().into_iter().flatten();
    let single = single.map(|(key, value)| (key.clone(), value.known().cloned().map(ContextValue::One)));
    let several = asked.context_lists.known().into_iter().flatten();
    let several = several.map(|(key, value)| (key.clone(), value.known().cloned().map(ContextValue::Many)));
    NamedRequest {
        name: asked.name.known().cloned(),
        action: asked.action.text().unwrap_or(PRESIGN).to_owned(),
        resource: asked.resource.text().unwrap_or_default().to_owned(),
        principal_arn: asked.principal_arn.known().cloned(),
        context: single.chain(several).collect(),
        unknown: asked.unknown.known().cloned().unwrap_or_default(),
    }
}

fn statement(matched: &Matched) -> Statement {
    let number = |number: usize| Value::Known(i64::try_from(number).expect("a list has fewer than 2^63 elements"));
    Statement { policy: number(matched.policy), statement: number(matched.statement), sid: matched.sid.clone().into() }
}

async fn ask_iam(
    clients: &Clients,
    policies: &[Attached],
    requests: &[NamedRequest],
) -> Result<Vec<Answered>, Diagnostics> {
    let ask = requests.iter().map(async |request| {
        let answer = simulate::simulate(clients, &question(policies, request)).await;
        answer.map(|answer| answered(policies, request, answer))
    });
    try_join_all(ask)
        .await
        .map_err(|error| Diagnostic::error("Could not simulate a request", format!("{error}.")).into())
}

fn question(policies: &[Attached], request: &NamedRequest) -> Question {
    let of = |layer: Layer| policies.iter().filter(move |policy| policy.layer == layer);
    // IAM takes the caller's ARN as a key like any other; the parameter of its own is for users alone.
    let caller = request.principal_arn.as_ref().map(|arn| ("aws:PrincipalArn".to_owned(), vec![arn.clone()]));
    let context = request.context.iter().filter_map(|(key, value)| {
        Some(match value.as_ref()? {
            ContextValue::One(value) => (key.clone(), vec![value.clone()]),
            ContextValue::Truth(truth) => (key.clone(), vec![truth.to_string()]),
            ContextValue::Many(values) => (key.clone(), values.clone()),
        })
    });
    let entry = |(key, values): (String, Vec<String>)| ContextEntry { of: type_of(&key, &values), key, values };
    Question {
        identity: of(Layer::Identity).map(|policy| policy.document.to_json()).collect(),
        boundary: of(Layer::Boundary).map(|policy| policy.document.to_json()).next(),
        action: request.action.clone(),
        resource: request.resource.clone(),
        context: caller.into_iter().chain(context).map(entry).collect(),
    }
}

fn type_of(key: &str, values: &[String]) -> ContextType {
    match key.to_ascii_lowercase().as_str() {
        "aws:sourceip" | "aws:vpcsourceip" => ContextType::Address,
        "aws:viaawsservice" | "aws:securetransport" | "aws:multifactorauthpresent" => ContextType::Truth,
        _ if values.len() == 1 => ContextType::Text,
        _ => ContextType::TextList,
    }
}

fn answered(policies: &[Attached], request: &NamedRequest, answer: Answer) -> Answered {
    let matched: Vec<Statement> = answer.matched.iter().map(|text| found(policies, text)).collect();
    let names: Vec<_> = matched.iter().filter_map(|statement| statement.sid.text()).collect();
    let decision = match answer.decision.as_str() {
        "allowed" => "allowed",
        "implicitDeny" => "implicit_deny",
        "explicitDeny" => "explicit_deny",
        _ => "cannot_tell",
    };
    let mut reason = format!("IAM's simulator answers {}", answer.decision);
    if !names.is_empty() {
        reason += &format!(", by {}", names.join(", "));
    }
    if !answer.missing_keys.is_empty() {
        reason += &format!("; the request does not have {}", answer.missing_keys.join(", "));
    }
    Answered { name: request.name.clone().into(), decision: decision.to_owned(), matched, reason }
}

/// The statement in whose text the match lies. IAM's documentation does not say whether the end counts, so that one
/// character more or less decides nothing.
fn found(policies: &[Attached], text: &MatchedText) -> Statement {
    let identity = || policies.iter().enumerate().filter(|(_, policy)| policy.layer == Layer::Identity);
    let boundary = || policies.iter().enumerate().find(|(_, policy)| policy.layer == Layer::Boundary);
    let policy = text.policy.map_or_else(boundary, |number| identity().nth(number));
    let Some((index, policy)) = policy else {
        return Statement { policy: Value::Null, statement: Value::Null, sid: Value::Null };
    };
    let printed = policy.document.to_json();
    let spans = policy.document.statements.iter().map(|statement| {
        let alone = Document { statements: vec![statement.clone()], ..policy.document.clone() }.to_json();
        let (from, to) = (alone.find("\"Statement\":[")? + "\"Statement\":[".len(), alone.rfind("]}")?);
        let start = printed.find(alone.get(from..to)?)?;
        Some((printed[..start].chars().count(), printed[..start + to - from].chars().count()))
    });
    let overlaps = |span: Option<(usize, usize)>| match (span, text.span) {
        (Some((from, to)), Some((start, end))) => from + 1 < end && start + 1 < to,
        (None, _) | (_, None) => true,
    };
    let mut candidates = spans.enumerate().filter(|(_, span)| overlaps(*span)).map(|(number, _)| number);
    let only = match (candidates.next(), candidates.next()) {
        (Some(number), None) => Some(number),
        _ => None,
    };
    let number = |number: usize| i64::try_from(number).expect("a list has fewer than 2^63 elements");
    Statement {
        policy: Value::Known(number(index)),
        statement: only.map(number).into(),
        sid: only.and_then(|number| policy.document.statements[number].sid.clone()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policies() -> Vec<Attached> {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Sid":"One","Effect":"Allow","Action":"a:b","Resource":"*"},{"Sid":"Two","Effect":"Deny","Action":"a:c","Resource":"*"}]}"#;
        vec![Attached { layer: Layer::Identity, document: Document::parse(text).unwrap() }]
    }

    #[test]
    fn a_match_is_the_statement_in_whose_text_it_lies() {
        let policies = policies();
        let printed = policies[0].document.to_json();
        let from = printed.find("{\"Sid\":\"Two\"").unwrap();
        let sid = |span| found(&policies, &MatchedText { policy: Some(0), span }).sid.text().map(str::to_owned);
        assert_eq!(sid(Some((from, printed.len() - 2))).as_deref(), Some("Two"));
        assert_eq!(sid(Some((from - 1, printed.len()))).as_deref(), Some("Two"));
        assert_eq!(sid(Some((0, printed.len()))), None);
        assert_eq!(sid(None), None);
    }

    #[test]
    fn keys_are_sent_with_the_type_that_iam_reads_them_as() {
        let text = r#"{"action":"a:b","resource":"r","principal_arn":"arn:aws:iam::123456789012:role/x","context":{"AWS:SourceIp":"192.0.2.4","aws:ViaAWSService":true,"aws:TagKeys":["a","b"],"gone":null}}"#;
        let question = question(&policies(), &NamedRequest::parse(text).unwrap());
        let sent: Vec<_> = question.context.iter().map(|entry| (entry.key.as_str(), entry.of)).collect();
        assert_eq!(
            sent,
            [
                ("aws:PrincipalArn", ContextType::Text),
                ("AWS:SourceIp", ContextType::Address),
                ("aws:TagKeys", ContextType::TextList),
                ("aws:ViaAWSService", ContextType::Truth)
            ]
        );
    }
}
