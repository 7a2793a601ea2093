//! Between protobuf and the framework: values, diagnostics, paths, schemas and whole answers.
//!
//! **Invariant:** pure. Nothing here looks anything up or decides anything; what cannot be decoded
//! is Terraform's mistake and becomes a gRPC status, never a half-read value.

use prost_types::Timestamp;
use serde_json::Value as Json;
use time::OffsetDateTime;
use tonic::Status;

use super::pb::tfplugin6::{
    self as pb, apply_resource_change, attribute_path, call_function, import_resource_state, move_resource_state,
    open_ephemeral_resource, plan_resource_change, read_data_source, read_resource, renew_ephemeral_resource,
    schema as pb_schema, upgrade_resource_state,
};
use crate::framework::{
    Applied, Diagnostic, Diagnostics, Dynamic, FunctionError, MoveSource, Opened, Parameter, Path, Planned, Private,
    Read, Severity, Signature, Step, Type,
    codec::{from_json, from_msgpack, to_msgpack},
    schema::{Attribute, Block, Kind, Mode, Nesting, Schema},
};

// ---- Values ----

/// Reads a value of a known type. An absent value is null.
///
/// # Errors
/// `INVALID_ARGUMENT` when the bytes are no value of this type.
pub fn decode(value: Option<pb::DynamicValue>, of: &Type) -> Result<Dynamic, Status> {
    let value = value.unwrap_or_default();
    let decoded =
        if value.json.is_empty() { from_msgpack(&value.msgpack, of) } else { from_json(&json(&value.json)?, of) };
    decoded.map_err(|error| Status::invalid_argument(error.to_string()))
}

/// Writes a value of a known type.
pub fn encode(value: &Dynamic, of: &Type) -> Option<pb::DynamicValue> {
    Some(pb::DynamicValue { msgpack: to_msgpack(value, of), json: Vec::new() })
}

/// Reads state as it was written to disk, whatever its schema was then.
///
/// # Errors
/// The state is in the form of Terraform 0.11, which no release of this provider ever wrote.
pub fn raw_state(state: Option<pb::RawState>) -> Result<Json, Diagnostics> {
    let state = state.unwrap_or_default();
    serde_json::from_slice(&state.json).map_err(|error| {
        let detail = format!(
            "It is not JSON ({error}). No version of this provider writes such state: it was \
             changed by hand, or belongs to another provider. Restore it from a backup, or remove \
             the resource from the state and import it."
        );
        Diagnostic::error("The state cannot be read", detail).into()
    })
}

/// Reads what is to be taken over from another resource type.
///
/// # Errors
/// As for [`raw_state`].
pub fn move_source(request: move_resource_state::Request) -> Result<MoveSource, Diagnostics> {
    Ok(MoveSource {
        provider: request.source_provider_address,
        type_name: request.source_type_name,
        version: request.source_schema_version,
        state: raw_state(request.source_state)?,
    })
}

fn json(bytes: &[u8]) -> Result<Json, Status> {
    serde_json::from_slice(bytes).map_err(|error| Status::invalid_argument(error.to_string()))
}

fn timestamp(moment: OffsetDateTime) -> Timestamp {
    let nanos = i32::try_from(moment.nanosecond()).expect("a second has fewer than 2^31 nanoseconds");
    Timestamp { seconds: moment.unix_timestamp(), nanos }
}

// ---- Messages for people ----

/// Writes diagnostics.
pub fn diagnostics(all: Diagnostics) -> Vec<pb::Diagnostic> {
    all.into_iter().map(diagnostic).collect()
}

/// Writes one diagnostic.
pub fn diagnostic(one: Diagnostic) -> pb::Diagnostic {
    let severity = match one.severity {
        Severity::Error => pb::diagnostic::Severity::Error,
        Severity::Warning => pb::diagnostic::Severity::Warning,
    };
    pb::Diagnostic {
        severity: severity.into(),
        summary: one.summary,
        detail: one.detail,
        attribute: one.path.as_ref().map(path),
    }
}

/// Writes a path, as far as the protocol can: it has no word for an element of a set, so the path
/// ends at the set.
pub fn path(path: &Path) -> pb::AttributePath {
    use attribute_path::step::Selector;

    let steps = path.0.iter().map_while(|step| match step {
        Step::Attribute(name) => Some(Selector::AttributeName(name.clone())),
        Step::Key(key) => Some(Selector::ElementKeyString(key.clone())),
        Step::Index(index) => Some(Selector::ElementKeyInt(*index)),
        Step::Element(_) => None,
    });
    let steps = steps.map(|selector| attribute_path::Step { selector: Some(selector) }).collect();
    pb::AttributePath { steps }
}

// ---- Answers ----

/// What `UpgradeResourceState` answers.
pub fn upgraded(upgraded: Result<Dynamic, Diagnostics>, of: &Type) -> upgrade_resource_state::Response {
    match upgraded {
        Ok(state) => upgrade_resource_state::Response { upgraded_state: encode(&state, of), diagnostics: Vec::new() },
        Err(errors) => upgrade_resource_state::Response { upgraded_state: None, diagnostics: diagnostics(errors) },
    }
}

/// What `ReadResource` answers.
pub fn read(read: Read<Dynamic>, of: &Type) -> read_resource::Response {
    read_resource::Response {
        new_state: encode(&read.state.unwrap_or_default(), of),
        private: read.private.to_bytes(),
        diagnostics: diagnostics(read.diagnostics),
        ..Default::default()
    }
}

/// What `PlanResourceChange` answers.
pub fn planned(planned: Planned<Dynamic>, of: &Type) -> plan_resource_change::Response {
    plan_resource_change::Response {
        planned_state: encode(&planned.state, of),
        requires_replace: planned.replace.iter().map(path).collect(),
        planned_private: planned.private.to_bytes(),
        diagnostics: diagnostics(planned.diagnostics),
        ..Default::default()
    }
}

/// What `ApplyResourceChange` answers.
pub fn applied(applied: Applied<Dynamic>, of: &Type) -> apply_resource_change::Response {
    apply_resource_change::Response {
        new_state: encode(&applied.state.unwrap_or_default(), of),
        private: applied.private.to_bytes(),
        diagnostics: diagnostics(applied.diagnostics),
        ..Default::default()
    }
}

/// What `ImportResourceState` answers.
pub fn imported(
    type_name: &str,
    imported: Result<(Dynamic, Private), Diagnostics>,
    of: &Type,
) -> import_resource_state::Response {
    match imported {
        Ok((state, private)) => import_resource_state::Response {
            imported_resources: vec![import_resource_state::ImportedResource {
                type_name: type_name.to_owned(),
                state: encode(&state, of),
                private: private.to_bytes(),
                identity: None,
            }],
            ..Default::default()
        },
        Err(errors) => import_resource_state::Response { diagnostics: diagnostics(errors), ..Default::default() },
    }
}

/// What `MoveResourceState` answers.
pub fn moved(moved: Result<Dynamic, Diagnostics>, of: &Type) -> move_resource_state::Response {
    match moved {
        Ok(state) => move_resource_state::Response { target_state: encode(&state, of), ..Default::default() },
        Err(errors) => move_resource_state::Response { diagnostics: diagnostics(errors), ..Default::default() },
    }
}

/// What `ReadDataSource` answers.
pub fn looked_up(found: Result<(Dynamic, Diagnostics), Diagnostics>, of: &Type) -> read_data_source::Response {
    match found {
        Ok((state, warnings)) => {
            read_data_source::Response { state: encode(&state, of), diagnostics: diagnostics(warnings), deferred: None }
        }
        Err(errors) => read_data_source::Response { diagnostics: diagnostics(errors), ..Default::default() },
    }
}

/// What `CallFunction` answers.
pub fn called(called: Result<Dynamic, FunctionError>, of: &Type) -> call_function::Response {
    match called {
        Ok(result) => call_function::Response { result: encode(&result, of), error: None },
        Err(error) => call_function::Response {
            result: None,
            error: Some(pb::FunctionError { text: error.text, function_argument: error.argument }),
        },
    }
}

/// What `OpenEphemeralResource` answers.
pub fn opened(opened: Result<Opened<Dynamic>, Diagnostics>, of: &Type) -> open_ephemeral_resource::Response {
    match opened {
        Ok(opened) => open_ephemeral_resource::Response {
            result: encode(&opened.result, of),
            private: Some(opened.private.to_bytes()),
            renew_at: opened.renew_at.map(timestamp),
            ..Default::default()
        },
        Err(errors) => open_ephemeral_resource::Response { diagnostics: diagnostics(errors), ..Default::default() },
    }
}

/// What `RenewEphemeralResource` answers.
pub fn renewed(renewed: Result<(Private, Option<OffsetDateTime>), Diagnostics>) -> renew_ephemeral_resource::Response {
    match renewed {
        Ok((private, renew_at)) => renew_ephemeral_resource::Response {
            private: Some(private.to_bytes()),
            renew_at: renew_at.map(timestamp),
            diagnostics: Vec::new(),
        },
        Err(errors) => renew_ephemeral_resource::Response { diagnostics: diagnostics(errors), ..Default::default() },
    }
}

// ---- Schemas ----

/// Writes a schema.
pub fn schema(schema: &Schema) -> pb::Schema {
    pb::Schema {
        version: schema.version,
        block: Some(pb_schema::Block {
            attributes: schema.attributes.iter().map(attribute).collect(),
            block_types: schema.blocks.iter().map(block).collect(),
            description: schema.description.to_owned(),
            description_kind: pb::StringKind::Markdown.into(),
            deprecated: schema.deprecation.is_some(),
            deprecation_message: schema.deprecation.unwrap_or_default().to_owned(),
            ..Default::default()
        }),
    }
}

/// Writes a function's signature.
pub fn function(signature: &Signature) -> pb::Function {
    pb::Function {
        parameters: signature.parameters.iter().map(parameter).collect(),
        r#return: Some(pb::function::Return { r#type: type_json(&signature.result) }),
        summary: signature.summary.to_owned(),
        description: signature.description.to_owned(),
        description_kind: pb::StringKind::Markdown.into(),
        ..Default::default()
    }
}

fn parameter(parameter: &Parameter) -> pb::function::Parameter {
    pb::function::Parameter {
        name: parameter.name.to_owned(),
        r#type: type_json(&parameter.of),
        description: parameter.description.to_owned(),
        description_kind: pb::StringKind::Markdown.into(),
        allow_null_value: false,
        allow_unknown_values: false,
    }
}

fn attribute(attribute: &Attribute) -> pb_schema::Attribute {
    let (r#type, nested_type) = match &attribute.kind {
        Kind::Plain(of) => (type_json(of), None),
        Kind::Nested(nesting, attributes) => (Vec::new(), Some(object(*nesting, attributes))),
    };
    pb_schema::Attribute {
        name: attribute.name.to_owned(),
        r#type,
        nested_type,
        description: attribute.description.to_owned(),
        description_kind: pb::StringKind::Markdown.into(),
        required: attribute.mode == Mode::Required,
        optional: matches!(attribute.mode, Mode::Optional | Mode::OptionalComputed),
        computed: matches!(attribute.mode, Mode::Computed | Mode::OptionalComputed),
        sensitive: attribute.sensitive,
        write_only: attribute.write_only,
        deprecated: attribute.deprecation.is_some(),
        deprecation_message: attribute.deprecation.unwrap_or_default().to_owned(),
    }
}

fn object(nesting: Nesting, attributes: &[Attribute]) -> pb_schema::Object {
    use pb_schema::object::NestingMode;

    let nesting = match nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Set => NestingMode::Set,
        Nesting::Map => NestingMode::Map,
    };
    pb_schema::Object {
        attributes: attributes.iter().map(attribute).collect(),
        nesting: nesting.into(),
        ..Default::default()
    }
}

fn block(block: &Block) -> pb_schema::NestedBlock {
    use pb_schema::nested_block::NestingMode;

    let nesting = match block.nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Set => NestingMode::Set,
        Nesting::Map => NestingMode::Map,
    };
    pb_schema::NestedBlock {
        type_name: block.name.to_owned(),
        nesting: nesting.into(),
        max_items: block.max_items,
        min_items: 0,
        block: Some(pb_schema::Block {
            attributes: block.attributes.iter().map(attribute).collect(),
            description: block.description.to_owned(),
            description_kind: pb::StringKind::Markdown.into(),
            ..Default::default()
        }),
    }
}

fn type_json(of: &Type) -> Vec<u8> {
    of.to_json().to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::checks;

    fn sample() -> Type {
        Type::object([("name", Type::String), ("ports", Type::set(Type::Number))])
    }

    fn object(name: Dynamic, ports: Dynamic) -> Dynamic {
        Dynamic::Map([("name".to_owned(), name), ("ports".to_owned(), ports)].into())
    }

    #[test]
    fn a_value_survives_the_way_there_and_back() {
        let ports: Dynamic = [80_i64, 443].into_iter().collect();
        for value in [
            object("x".into(), ports.clone()),
            object(Dynamic::Null, Dynamic::unknown()),
            Dynamic::unknown(),
            Dynamic::Null,
        ] {
            assert_eq!(decode(encode(&value, &sample()), &sample()).unwrap(), value);
        }
    }

    #[test]
    fn a_value_may_come_as_json() {
        let json = br#"{"name":"x","ports":[443,80]}"#.to_vec();
        let value = pb::DynamicValue { msgpack: Vec::new(), json };
        let expected = object("x".into(), [80_i64, 443].into_iter().collect());
        assert_eq!(decode(Some(value), &sample()).unwrap(), expected);
    }

    #[test]
    fn an_absent_value_is_null() {
        assert_eq!(decode(None, &sample()).unwrap(), Dynamic::Null);
    }

    #[test]
    fn a_value_of_another_type_is_terraforms_mistake() {
        let text = encode(&"x".into(), &Type::String);
        assert_eq!(decode(text, &sample()).unwrap_err().code(), tonic::Code::InvalidArgument);
    }

    #[test]
    fn state_that_is_not_json_says_what_to_do() {
        let flatmap = [("id".to_owned(), "x".to_owned())].into();
        let errors = raw_state(Some(pb::RawState { json: Vec::new(), flatmap })).unwrap_err();
        let error = errors.iter().next().unwrap();
        assert_eq!(error.summary, "The state cannot be read");
        assert!(error.detail.contains("import"));
    }

    #[test]
    fn a_path_goes_as_far_as_the_protocol_can_say() {
        use attribute_path::step::Selector::{AttributeName, ElementKeyInt, ElementKeyString};

        let check = |from: Path, expected: Vec<attribute_path::step::Selector>| {
            let steps = path(&from).steps.into_iter().map(|step| step.selector.unwrap());
            assert_eq!(steps.collect::<Vec<_>>(), expected, "{from}");
        };
        let policies = || AttributeName("policies".to_owned());
        check(Path::root("policies").key("studio"), vec![policies(), ElementKeyString("studio".to_owned())]);
        check(Path::root("policies").index(2), vec![policies(), ElementKeyInt(2)]);
        check(Path::root("policies").element("x").attribute("y"), vec![policies()]);
    }

    #[test]
    fn a_diagnostic_keeps_its_severity_and_its_attribute() {
        let written = diagnostic(Diagnostic::warning("a", "b").at(Path::root("x")));
        assert_eq!(written.severity(), pb::diagnostic::Severity::Warning);
        assert_eq!((written.summary.as_str(), written.detail.as_str()), ("a", "b"));
        assert_eq!(written.attribute.unwrap().steps.len(), 1);
        assert_eq!(diagnostic(Diagnostic::error("a", "b")).attribute, None);
    }

    #[test]
    fn every_mode_of_an_attribute_is_said_in_terraforms_three_words() {
        let check = |written: Attribute, expected: [bool; 3]| {
            let found = attribute(&written);
            assert_eq!([found.required, found.optional, found.computed], expected, "{written:?}");
        };
        check(Attribute::string("x").required(), [true, false, false]);
        check(Attribute::string("x"), [false, true, false]);
        check(Attribute::string("x").optional_computed(), [false, true, true]);
        check(Attribute::string("x").default_to("y"), [false, true, true]);
        check(Attribute::string("x").computed(), [false, false, true]);
    }

    #[test]
    fn a_plain_attribute_has_a_type_and_a_nested_one_has_attributes() {
        let plain = attribute(&Attribute::string_set("x").sensitive().write_only());
        assert_eq!(plain.r#type, br#"["set","string"]"#);
        assert_eq!((plain.sensitive, plain.write_only, plain.nested_type), (true, true, None));

        let inner = Attribute::string("y").check(checks::at_least(1));
        let nested = attribute(&Attribute::nested("x", Nesting::Map, vec![inner]));
        assert!(nested.r#type.is_empty());
        let object = nested.nested_type.unwrap();
        assert_eq!(object.nesting(), pb_schema::object::NestingMode::Map);
        assert_eq!(object.attributes[0].name, "y");
    }

    #[test]
    fn a_blocks_limit_and_a_deprecation_are_passed_on() {
        let block = Block {
            name: "assume_role",
            nesting: Nesting::List,
            attributes: vec![Attribute::string("role_arn")],
            description: "",
            max_items: 1,
        };
        let written =
            schema(&Schema { version: 3, blocks: vec![block], deprecation: Some("use y"), ..Default::default() });
        assert_eq!(written.version, 3);
        let top = written.block.unwrap();
        assert!(top.deprecated);
        assert_eq!(top.deprecation_message, "use y");
        let block = &top.block_types[0];
        assert_eq!((block.type_name.as_str(), block.max_items), ("assume_role", 1));
        assert_eq!(block.nesting(), pb_schema::nested_block::NestingMode::List);
    }

    #[test]
    fn a_moment_before_1970_is_written_as_protobuf_wants_it() {
        let moment = OffsetDateTime::UNIX_EPOCH - time::Duration::milliseconds(250);
        assert_eq!(timestamp(moment), Timestamp { seconds: -1, nanos: 750_000_000 });
    }
}
