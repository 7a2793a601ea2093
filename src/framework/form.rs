//! What a model has to fit: a schema and its type. Between the untyped trees that the plugin has and the structs that
//! resources, data sources and ephemeral resources work with.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::diagnostics::{Diagnostic, Diagnostics};
use super::dynamic::{Dynamic, Type};
use super::plan;
use super::schema::Schema;
use super::typed::{from_dynamic, to_dynamic};
use super::validate::validate;

/// The form of one type's values.
pub(super) struct Form {
    type_name: &'static str,
    /// The schema.
    pub(super) schema: Schema,
    /// The type of a whole value.
    pub(super) value_type: Type,
}

impl Form {
    /// The form that a schema gives.
    pub(super) fn new(type_name: &'static str, schema: Schema) -> Self {
        let value_type = schema.value_type();
        Form { type_name, schema, value_type }
    }

    /// Reads a model.
    pub(super) fn model<M: DeserializeOwned>(&self, value: Dynamic) -> Result<M, Diagnostics> {
        from_dynamic(value).map_err(|error| self.misfit(&error.to_string()))
    }

    /// Writes a model.
    pub(super) fn value<M: Serialize>(&self, model: &M) -> Result<Dynamic, Diagnostics> {
        let tree = to_dynamic(model).map_err(|error| self.misfit(&error.to_string()))?;
        tree.conform(&self.value_type).map_err(|error| self.misfit(&error))
    }

    /// Reads a configuration for something that has no prior state: with defaults put in, and what is to be computed
    /// null.
    pub(super) fn asked<M: DeserializeOwned>(&self, config: &Dynamic) -> Result<M, Diagnostics> {
        self.model(plan::propose(&self.schema, config, &Dynamic::Null).without_unknowns())
    }

    /// Writes what came of a configuration that [`Form::asked`] read. What the user wrote stays as it was written.
    pub(super) fn answered<M: Serialize>(&self, config: &Dynamic, model: &M) -> Result<Dynamic, Diagnostics> {
        Ok(plan::constrain(&self.schema, config, &Dynamic::Null, &self.value(model)?))
    }

    /// Checks a configuration against the schema, and then by `further` rules.
    pub(super) fn validate<M: DeserializeOwned>(
        &self,
        config: Dynamic,
        further: impl FnOnce(&M) -> Diagnostics,
    ) -> Diagnostics {
        let mut found = validate(&self.schema, &config);
        match self.model(config) {
            // A value of the wrong form would only be complained about twice.
            Ok(model) if !found.has_errors() => found.extend(further(&model)),
            Ok(_) => {}
            Err(diagnostics) => found.extend(diagnostics),
        }
        found.at_top_level()
    }

    fn misfit(&self, error: &str) -> Diagnostics {
        Diagnostic::bug(format!("The model of {} does not fit its schema: {error}.", self.type_name)).into()
    }
}
