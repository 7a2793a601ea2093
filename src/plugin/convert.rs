//! Between protobuf and the framework: values, diagnostics, paths, schemas and whole answers.
//!
//! **Invariant:** pure. Nothing here looks anything up or decides anything; what cannot be decoded
//! is Terraform's mistake and becomes a gRPC status, never a half-read value.

use prost_types::Timestamp;
use serde_json::Value as Json;
use time::OffsetDateTime;
use tonic::Status;

use super::pb::tfplugin6::{
    self as pb, apply_resource_change, attribute_path, call_function, import_resource_state,
    move_resource_state, open_ephemeral_resource, plan_resource_change, read_data_source,
    read_resource, renew_ephemeral_resource, schema as pb_schema, upgrade_resource_state,
};
use crate::framework::{
    Applied, Diagnostic, Diagnostics, Dynamic, FunctionError, MoveSource, Opened, Parameter, Path,
    Planned, Private, Read, Severity, Signature, Step, Type,
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
    let decoded = if value.json.is_empty() {
        from_msgpack(&value.msgpack, of)
    } else {
        from_json(&json(&value.json)?, of)
    };
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
    let nanos =
        i32::try_from(moment.nanosecond()).expect("a second has fewer than 2^31 nanoseconds");
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
pub fn upgraded(
    upgraded: Result<Dynamic, Diagnostics>,
    of: &Type,
) -> upgrade_resource_state::Response {
    match upgraded {
        Ok(state) => upgrade_resource_state::Response {
            upgraded_state: encode(&state, of),
            diagnostics: Vec::new(),
        },
        Err(errors) => upgrade_resource_state::Response {
            upgraded_state: None,
            diagnostics: diagnostics(errors),
        },
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
        Err(errors) => import_resource_state::Response {
            diagnostics: diagnostics(errors),
            ..Default::default()
        },
    }
}

/// What `MoveResourceState` answers.
pub fn moved(moved: Result<Dynamic, Diagnostics>, of: &Type) -> move_resource_state::Response {
    match moved {
        Ok(state) => {
            move_resource_state::Response { target_state: encode(&state, of), ..Default::default() }
        }
        Err(errors) => {
            move_resource_state::Response { diagnostics: diagnostics(errors), ..Default::default() }
        }
    }
}

/// What `ReadDataSource` answers.
pub fn looked_up(
    found: Result<(Dynamic, Diagnostics), Diagnostics>,
    of: &Type,
) -> read_data_source::Response {
    match found {
        Ok((state, warnings)) => read_data_source::Response {
            state: encode(&state, of),
            diagnostics: diagnostics(warnings),
            deferred: None,
        },
        Err(errors) => {
            read_data_source::Response { diagnostics: diagnostics(errors), ..Default::default() }
        }
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
pub fn opened(opened: Result<Opened, Diagnostics>, of: &Type) -> open_ephemeral_resource::Response {
    match opened {
        Ok(opened) => open_ephemeral_resource::Response {
            result: encode(&opened.result, of),
            private: Some(opened.private.to_bytes()),
            renew_at: opened.renew_at.map(timestamp),
            ..Default::default()
        },
        Err(errors) => open_ephemeral_resource::Response {
            diagnostics: diagnostics(errors),
            ..Default::default()
        },
    }
}

/// What `RenewEphemeralResource` answers.
pub fn renewed(
    renewed: Result<(Private, Option<OffsetDateTime>), Diagnostics>,
) -> renew_ephemeral_resource::Response {
    match renewed {
        Ok((private, renew_at)) => renew_ephemeral_resource::Response {
            private: Some(private.to_bytes()),
            renew_at: renew_at.map(timestamp),
            diagnostics: Vec::new(),
        },
        Err(errors) => renew_ephemeral_resource::Response {
            diagnostics: diagnostics(errors),
            ..Default::default()
        },
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
