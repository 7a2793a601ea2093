//! The service over a provider that panics, waits or echoes, as the name of its resource says.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tonic::Code;

use super::*;
use crate::framework::{
    Applied, ApplyRequest, Call, DataSource, Diagnostic, Diagnostics, Dynamic, EphemeralResource, FunctionError,
    MoveSource, Opened, Parameter, Path, PlanRequest, Planned, Read, Resource, Signature, Type, Value, erase,
    erase_data_source, erase_ephemeral_resource,
    schema::{Attribute, Schema},
};
use crate::plugin::pb::tfplugin6::{self as pb, DynamicValue, provider_server::Provider as _};

#[derive(Clone, Serialize, Deserialize)]
struct Model {
    id: Value<String>,
    name: Value<String>,
}

fn attributes() -> Schema {
    let attributes = vec![Attribute::string("id").computed(), Attribute::string("name").required().replaces()];
    Schema { version: 1, attributes, ..Default::default() }
}

/// Panics for the name `panic`; waits to be stopped for the name `wait`.
async fn act(call: &Call, name: &Value<String>) {
    match name.text() {
        Some("panic") => panic!("told to"),
        Some("wait") => call.stop.cancelled().await,
        _ => {}
    }
}

struct Thing;

#[async_trait]
impl Resource for Thing {
    type Model = Model;

    fn type_name(&self) -> &'static str {
        "test_thing"
    }

    fn schema(&self) -> Schema {
        attributes()
    }

    fn validate(&self, config: &Model) -> Diagnostics {
        match config.name.text() {
            Some("bad") => Diagnostic::error("Bad name", "It is bad.").at(Path::root("name")).into(),
            _ => Diagnostics::new(),
        }
    }

    async fn plan(&self, call: &Call, request: PlanRequest<Model>) -> Result<Planned<Model>, Diagnostics> {
        act(call, &request.config.name).await;
        let mut private = request.private;
        private.set("planned", &true);
        let state = request.proposed;
        Ok(Planned { state, replace: vec![], private, diagnostics: Diagnostics::new() })
    }

    async fn apply(&self, call: &Call, request: ApplyRequest<Model>) -> Applied<Model> {
        let target = request.planned.or(request.prior).unwrap();
        act(call, &target.name).await;
        let mut diagnostics = Diagnostics::new();
        if call.stop.is_cancelled() {
            diagnostics.push(Diagnostic::error("Interrupted", "It was made before."));
        }
        let state = request.config.map(|_| Model { id: "made".into(), ..target });
        Applied { state, private: request.private, diagnostics }
    }

    async fn read(&self, call: &Call, state: Model, private: Private) -> Read<Model> {
        act(call, &state.name).await;
        let state = (state.name.text() != Some("gone")).then_some(state);
        Read { state, private, diagnostics: Diagnostics::new() }
    }

    async fn import(&self, _: &Call, id: &str) -> Result<(Model, Private), Diagnostics> {
        match id {
            "none" => Err(Diagnostic::error("Not found", "Nothing is there.").into()),
            id => Ok((Model { id: id.into(), name: Value::Null }, Private::default())),
        }
    }

    fn take_over(&self, source: &MoveSource) -> Option<Result<Model, Diagnostics>> {
        let id = source.state.get("id").and_then(Json::as_str)?;
        (source.type_name == "other_thing").then(|| Ok(Model { id: id.into(), name: "moved".into() }))
    }
}

struct Source;

#[async_trait]
impl DataSource for Source {
    type Model = Model;

    fn type_name(&self) -> &'static str {
        "test_source"
    }

    fn schema(&self) -> Schema {
        attributes()
    }

    async fn read(&self, call: &Call, config: Model) -> Result<(Model, Diagnostics), Diagnostics> {
        act(call, &config.name).await;
        Ok((Model { id: "found".into(), ..config }, Diagnostics::new()))
    }
}

struct Shout;

impl Function for Shout {
    fn name(&self) -> &'static str {
        "shout"
    }

    fn signature(&self) -> Signature {
        let parameters = vec![Parameter { name: "text", of: Type::String, description: "" }];
        Signature { summary: "", description: "", parameters, result: Type::String }
    }

    fn call(&self, arguments: Vec<Dynamic>) -> Result<Dynamic, FunctionError> {
        match arguments[0].as_str() {
            Some("panic") => panic!("told to"),
            Some("") => Err(FunctionError { argument: Some(0), text: "it is empty".to_owned() }),
            text => Ok(text.unwrap_or_default().to_uppercase().into()),
        }
    }
}

struct Link;

#[async_trait]
impl EphemeralResource for Link {
    type Model = Model;

    fn type_name(&self) -> &'static str {
        "test_link"
    }

    fn schema(&self) -> Schema {
        attributes()
    }

    async fn open(&self, call: &Call, config: Model) -> Result<Option<Opened<Model>>, Diagnostics> {
        act(call, &config.name).await;
        let mut private = Private::default();
        private.set("opened", &1);
        Ok(Some(Opened { result: Model { id: "open".into(), ..config }, private, renew_at: None }))
    }

    async fn close(&self, _: &Call, private: Private) -> Result<(), Diagnostics> {
        match private.get::<i64>("opened") {
            Some(1) => Ok(()),
            _ => Err(Diagnostic::error("Not open", "It was never opened.").into()),
        }
    }
}

struct Fake {
    schema: Schema,
    resources: Vec<Box<dyn AnyResource>>,
    data_sources: Vec<Box<dyn AnyDataSource>>,
    functions: Vec<Box<dyn Function>>,
    ephemerals: Vec<Box<dyn AnyEphemeralResource>>,
}

#[async_trait]
impl Provider for Fake {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, _: Dynamic) -> Diagnostics {
        Diagnostics::new()
    }

    async fn configure(&self, _: &Call, _: Dynamic, terraform_version: &str) -> Diagnostics {
        Diagnostic::warning("Configured by", terraform_version).into()
    }

    fn resources(&self) -> &[Box<dyn AnyResource>] {
        &self.resources
    }

    fn data_sources(&self) -> &[Box<dyn AnyDataSource>] {
        &self.data_sources
    }

    fn functions(&self) -> &[Box<dyn Function>] {
        &self.functions
    }

    fn ephemeral_resources(&self) -> &[Box<dyn AnyEphemeralResource>] {
        &self.ephemerals
    }
}

fn service() -> Service {
    let fake = Fake {
        schema: Schema::default(),
        resources: vec![erase(Thing)],
        data_sources: vec![erase_data_source(Source)],
        functions: vec![Box::new(Shout)],
        ephemerals: vec![erase_ephemeral_resource(Link)],
    };
    Service::new(Arc::new(fake), Stop::default())
}

fn of() -> Type {
    attributes().value_type()
}

fn thing(id: Option<&str>, name: &str) -> Option<DynamicValue> {
    thing_with(id.map_or(Dynamic::Null, Dynamic::from), name)
}

fn thing_with(id: Dynamic, name: &str) -> Option<DynamicValue> {
    let value = Dynamic::Map([("id".to_owned(), id), ("name".to_owned(), name.into())].into());
    convert::encode(&value, &of())
}

fn null() -> Option<DynamicValue> {
    convert::encode(&Dynamic::Null, &of())
}

fn value(written: Option<DynamicValue>) -> Dynamic {
    decode(written, &of()).unwrap()
}

fn summaries(diagnostics: &[pb::Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|diagnostic| diagnostic.summary.as_str()).collect()
}

const BUG: [&str; 1] = ["The provider made a mistake"];

fn apply(prior: Option<DynamicValue>, name: &str) -> apply_resource_change::Request {
    apply_resource_change::Request {
        type_name: "test_thing".to_owned(),
        prior_state: prior,
        planned_state: thing_with(Dynamic::unknown(), name),
        config: thing(None, name),
        planned_private: br#"{"kept":1}"#.to_vec(),
        ..Default::default()
    }
}

async fn applied(service: &Service, request: apply_resource_change::Request) -> apply_resource_change::Response {
    service.apply_resource_change(Request::new(request)).await.unwrap().into_inner()
}

// ---- Every RPC ----

#[tokio::test]
async fn what_there_is_is_the_same_in_metadata_and_schema() {
    let service = service();
    let metadata = service.get_metadata(Request::new(Default::default())).await.unwrap();
    let schema = service.get_provider_schema(Request::new(Default::default())).await.unwrap();
    let (metadata, schema) = (metadata.into_inner(), schema.into_inner());

    assert_eq!(metadata.resources[0].type_name, "test_thing");
    assert_eq!(metadata.data_sources[0].type_name, "test_source");
    assert_eq!(metadata.functions[0].name, "shout");
    assert_eq!(metadata.ephemeral_resources[0].type_name, "test_link");
    assert_eq!(metadata.server_capabilities, schema.server_capabilities);

    assert_eq!(schema.resource_schemas["test_thing"].version, 1);
    assert!(schema.data_source_schemas.contains_key("test_source"));
    assert_eq!(schema.functions["shout"].parameters[0].r#type, br#""string""#);
    assert!(schema.ephemeral_resource_schemas.contains_key("test_link"));
    let functions = service.get_functions(Request::new(Default::default())).await.unwrap();
    assert_eq!(functions.into_inner().functions, schema.functions);
}

#[tokio::test]
async fn validation_points_at_the_attribute() {
    let request = validate_resource_config::Request {
        type_name: "test_thing".to_owned(),
        config: thing(None, "bad"),
        client_capabilities: None,
    };
    let answer = service().validate_resource_config(Request::new(request)).await.unwrap();
    let diagnostics = answer.into_inner().diagnostics;
    assert_eq!(summaries(&diagnostics), ["Bad name"]);
    assert_eq!(diagnostics[0].attribute, Some(convert::path(&Path::root("name"))));
}

#[tokio::test]
async fn configure_hears_terraforms_version() {
    let config = convert::encode(&Dynamic::Null, &Schema::default().value_type());
    let request =
        configure_provider::Request { terraform_version: "1.11.4".to_owned(), config, client_capabilities: None };
    let answer = service().configure_provider(Request::new(request)).await.unwrap();
    assert_eq!(answer.into_inner().diagnostics[0].detail, "1.11.4");
}

#[tokio::test]
async fn a_plan_says_what_replaces_and_what_is_kept_for_apply() {
    let request = plan_resource_change::Request {
        type_name: "test_thing".to_owned(),
        prior_state: thing(Some("made"), "before"),
        proposed_new_state: thing(Some("made"), "after"),
        config: thing(None, "after"),
        ..Default::default()
    };
    let answer = service().plan_resource_change(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
    assert_eq!(value(answer.planned_state).get("name").as_str(), Some("after"));
    assert_eq!(answer.requires_replace, [convert::path(&Path::root("name"))]);
    assert_eq!(answer.planned_private, br#"{"planned":true}"#);
}

#[tokio::test]
async fn apply_makes_and_destroys() {
    let service = service();
    let made = applied(&service, apply(null(), "x")).await;
    assert_eq!(made.diagnostics, []);
    assert_eq!(value(made.new_state.clone()).get("id").as_str(), Some("made"));
    assert_eq!(made.private, br#"{"kept":1}"#);

    let destroy =
        apply_resource_change::Request { planned_state: null(), config: null(), ..apply(made.new_state, "x") };
    let gone = applied(&service, destroy).await;
    assert_eq!((value(gone.new_state), gone.diagnostics), (Dynamic::Null, vec![]));
}

#[tokio::test]
async fn what_is_gone_reads_as_null() {
    let request = |name| read_resource::Request {
        type_name: "test_thing".to_owned(),
        current_state: thing(Some("made"), name),
        ..Default::default()
    };
    let service = service();
    let there = service.read_resource(Request::new(request("x"))).await.unwrap().into_inner();
    assert_eq!(there.new_state, thing(Some("made"), "x"));
    let gone = service.read_resource(Request::new(request("gone"))).await.unwrap().into_inner();
    assert_eq!(gone.new_state, null());
}

#[tokio::test]
async fn import_gives_one_resource_or_an_error() {
    let request = |id: &str| import_resource_state::Request {
        type_name: "test_thing".to_owned(),
        id: id.to_owned(),
        ..Default::default()
    };
    let service = service();
    let found = service.import_resource_state(Request::new(request("i"))).await.unwrap();
    let found = found.into_inner().imported_resources;
    assert_eq!((found.len(), found[0].type_name.as_str()), (1, "test_thing"));
    assert_eq!(value(found[0].state.clone()).get("id").as_str(), Some("i"));

    let missing = service.import_resource_state(Request::new(request("none"))).await.unwrap();
    let missing = missing.into_inner();
    assert_eq!(missing.imported_resources, []);
    assert_eq!(summaries(&missing.diagnostics), ["Not found"]);
}

#[tokio::test]
async fn state_of_the_same_version_is_upgraded_and_of_an_unknown_one_is_not() {
    let request = |version| upgrade_resource_state::Request {
        type_name: "test_thing".to_owned(),
        version,
        raw_state: Some(pb::RawState { json: br#"{"id":"made","name":"x"}"#.to_vec(), ..Default::default() }),
    };
    let service = service();
    let same = service.upgrade_resource_state(Request::new(request(1))).await.unwrap();
    assert_eq!(same.into_inner().upgraded_state, thing(Some("made"), "x"));
    let newer = service.upgrade_resource_state(Request::new(request(2))).await.unwrap();
    let newer = newer.into_inner();
    assert_eq!((newer.upgraded_state, newer.diagnostics.len()), (None, 1));
}

#[tokio::test]
async fn a_move_from_a_known_type_keeps_the_id() {
    let request = |from: &str| move_resource_state::Request {
        source_type_name: from.to_owned(),
        source_state: Some(pb::RawState { json: br#"{"id":"i"}"#.to_vec(), ..Default::default() }),
        target_type_name: "test_thing".to_owned(),
        ..Default::default()
    };
    let service = service();
    let moved = service.move_resource_state(Request::new(request("other_thing"))).await.unwrap();
    assert_eq!(moved.into_inner().target_state, thing(Some("i"), "moved"));
    let refused = service.move_resource_state(Request::new(request("third"))).await.unwrap();
    assert_eq!(refused.into_inner().diagnostics.len(), 1);
}

#[tokio::test]
async fn a_data_source_is_looked_up() {
    let request = read_data_source::Request {
        type_name: "test_source".to_owned(),
        config: thing(None, "x"),
        ..Default::default()
    };
    let answer = service().read_data_source(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(answer.state, thing(Some("found"), "x"));
}

#[tokio::test]
async fn a_function_gives_a_result_or_names_the_argument_at_fault() {
    let request = |arguments: &[&str]| call_function::Request {
        name: "shout".to_owned(),
        arguments: arguments.iter().map(|text| convert::encode(&(*text).into(), &Type::String).unwrap()).collect(),
    };
    let service = service();
    let result = service.call_function(Request::new(request(&["hey"]))).await.unwrap();
    let result = decode(result.into_inner().result, &Type::String).unwrap();
    assert_eq!(result.as_str(), Some("HEY"));

    let failed = service.call_function(Request::new(request(&[""]))).await.unwrap();
    let error = failed.into_inner().error.unwrap();
    assert_eq!((error.text.as_str(), error.function_argument), ("it is empty", Some(0)));

    let status = service.call_function(Request::new(request(&[]))).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_ephemeral_resource_is_closed_with_what_opening_gave() {
    let service = service();
    let open = open_ephemeral_resource::Request {
        type_name: "test_link".to_owned(),
        config: thing(None, "x"),
        client_capabilities: None,
    };
    let opened = service.open_ephemeral_resource(Request::new(open)).await.unwrap().into_inner();
    assert_eq!(opened.result, thing(Some("open"), "x"));

    let close = |private| close_ephemeral_resource::Request { type_name: "test_link".to_owned(), private };
    let closed = service.close_ephemeral_resource(Request::new(close(opened.private))).await;
    assert_eq!(closed.unwrap().into_inner().diagnostics, []);
    let again = service.close_ephemeral_resource(Request::new(close(None))).await.unwrap();
    assert_eq!(summaries(&again.into_inner().diagnostics), ["Not open"]);
}

#[tokio::test]
async fn an_unknown_type_is_terraforms_mistake() {
    let request = apply_resource_change::Request { type_name: "x".to_owned(), ..apply(null(), "x") };
    let status = service().apply_resource_change(Request::new(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(status.message(), "this provider has no resource \"x\"");
}

// ---- Panics ----

#[tokio::test]
async fn a_panic_in_apply_keeps_the_prior_state_and_the_service() {
    let service = service();
    let prior = thing(Some("made"), "before");
    let answer = applied(&service, apply(prior.clone(), "panic")).await;
    assert_eq!(summaries(&answer.diagnostics), BUG);
    assert!(answer.diagnostics[0].detail.contains("told to"));
    assert_eq!(answer.new_state, prior);
    assert_eq!(answer.private, br#"{"kept":1}"#);

    assert_eq!(applied(&service, apply(null(), "x")).await.diagnostics, []);
}

#[tokio::test]
async fn a_panic_in_read_or_plan_keeps_the_prior_state() {
    let service = service();
    let prior = thing(Some("made"), "panic");
    let request = read_resource::Request {
        type_name: "test_thing".to_owned(),
        current_state: prior.clone(),
        private: vec![1],
        ..Default::default()
    };
    let read = service.read_resource(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(summaries(&read.diagnostics), BUG);
    assert_eq!((read.new_state, read.private), (prior.clone(), vec![1]));

    let request = plan_resource_change::Request {
        type_name: "test_thing".to_owned(),
        prior_state: prior.clone(),
        config: thing(None, "panic"),
        prior_private: vec![1],
        ..Default::default()
    };
    let plan = service.plan_resource_change(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(summaries(&plan.diagnostics), BUG);
    assert_eq!((plan.planned_state, plan.planned_private), (prior, vec![1]));
}

#[tokio::test]
async fn a_panic_in_a_function_is_its_error() {
    let request = call_function::Request {
        name: "shout".to_owned(),
        arguments: vec![convert::encode(&"panic".into(), &Type::String).unwrap()],
    };
    let answer = service().call_function(Request::new(request)).await.unwrap().into_inner();
    assert!(answer.error.unwrap().text.starts_with(BUG[0]));
}

// ---- Stop ----

#[tokio::test(start_paused = true)]
async fn stop_interrupts_what_is_in_flight_and_nothing_later() {
    let service = Arc::new(service());
    let (first, second) = (Arc::clone(&service), Arc::clone(&service));
    let waiting = tokio::spawn(async move { applied(&first, apply(null(), "wait")).await });
    // Paused time stands still until everything waits, so the apply is under way after this.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(!waiting.is_finished());

    second.stop_provider(Request::new(stop_provider::Request {})).await.unwrap();
    let interrupted = waiting.await.unwrap();
    assert_eq!(summaries(&interrupted.diagnostics), ["Interrupted"]);
    assert_eq!(value(interrupted.new_state).get("id").as_str(), Some("made"));

    assert_eq!(applied(&service, apply(null(), "x")).await.diagnostics, []);
}

#[tokio::test(start_paused = true)]
async fn work_goes_on_when_the_client_has_gone() {
    let service = Arc::new(service());
    let (done, mut answered) = tokio::sync::mpsc::channel(1);
    let request = apply(null(), "x");
    let (stop, call_made) = (service.stop.clone(), tokio::sync::Notify::new());
    let call_made = Arc::new(call_made);
    let begun = Arc::clone(&call_made);
    let client = tokio::spawn(async move {
        answer(request, &stop, |_, _| async move {
            begun.notify_one();
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
            done.send(()).await.unwrap();
            Ok(apply_resource_change::Response::default())
        })
        .await
    });
    call_made.notified().await;
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    assert_eq!(answered.recv().await, Some(()));
}
