//! What a data source is. Shaped as `resource.rs` is.

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::diagnostics::{Diagnostic, Diagnostics};
use super::dynamic::{Dynamic, Type};
use super::plan;
use super::resource::Call;
use super::schema::Schema;
use super::typed::{from_dynamic, to_dynamic};
use super::validate::validate;

/// Something that is looked up.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
    /// A struct with one field for each attribute.
    type Model: Serialize + DeserializeOwned + Send + Sync;

    /// The full type name.
    fn type_name(&self) -> &'static str;

    /// The schema.
    fn schema(&self) -> Schema;

    /// Checks how attributes fit each other. Values may be unknown. Calls nothing.
    fn validate(&self, _config: &Self::Model) -> Diagnostics {
        Diagnostics::new()
    }

    /// Looks it up. Gets the configuration with defaults put in, wholly known; computed attributes are null.
    ///
    /// # Errors
    /// It could not be looked up.
    async fn read(&self, call: &Call, config: Self::Model) -> Result<(Self::Model, Diagnostics), Diagnostics>;
}

/// A data source of any model, as the plugin sees it.
#[async_trait]
pub trait AnyDataSource: Send + Sync {
    /// The full type name.
    fn type_name(&self) -> &'static str;
    /// The schema.
    fn schema(&self) -> &Schema;
    /// The type of its values.
    fn value_type(&self) -> &Type;
    /// Checks a configuration.
    fn validate(&self, config: Dynamic) -> Diagnostics;
    /// Looks it up.
    ///
    /// # Errors
    /// It could not be looked up.
    async fn read(&self, call: &Call, config: Dynamic) -> Result<(Dynamic, Diagnostics), Diagnostics>;
}

/// Makes a data source usable without its model's type.
pub fn erase_data_source<D: DataSource>(source: D) -> Box<dyn AnyDataSource> {
    let schema = source.schema();
    let value_type = schema.value_type();
    Box::new(Erased { source, schema, value_type })
}

struct Erased<D> {
    source: D,
    schema: Schema,
    value_type: Type,
}

impl<D: DataSource> Erased<D> {
    fn misfit(&self, error: &str) -> Diagnostics {
        Diagnostic::bug(format!("The model of {} does not fit its schema: {error}.", self.source.type_name())).into()
    }

    fn model(&self, value: Dynamic) -> Result<D::Model, Diagnostics> {
        from_dynamic(value).map_err(|error| self.misfit(&error.to_string()))
    }
}

#[async_trait]
impl<D: DataSource> AnyDataSource for Erased<D> {
    fn type_name(&self) -> &'static str {
        self.source.type_name()
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn value_type(&self) -> &Type {
        &self.value_type
    }

    fn validate(&self, config: Dynamic) -> Diagnostics {
        let mut found = validate(&self.schema, &config);
        match self.model(config) {
            Ok(model) if !found.has_errors() => found.extend(self.source.validate(&model)),
            Ok(_) => {}
            Err(diagnostics) => found.extend(diagnostics),
        }
        found.at_top_level()
    }

    async fn read(&self, call: &Call, config: Dynamic) -> Result<(Dynamic, Diagnostics), Diagnostics> {
        let proposed = plan::propose(&self.schema, &config, &Dynamic::Null).without_unknowns();
        let (model, diagnostics) = self.source.read(call, self.model(proposed)?).await?;
        let tree = to_dynamic(&model).map_err(|error| self.misfit(&error.to_string()))?;
        let state = tree.conform(&self.value_type).map_err(|error| self.misfit(&error))?;
        let state = plan::constrain(&self.schema, &config, &Dynamic::Null, &state);
        Ok((state, diagnostics))
    }
}
