//! What a data source is. Shaped as `resource.rs` is.

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::diagnostics::Diagnostics;
use super::dynamic::{Dynamic, Type};
use super::form::Form;
use super::resource::Call;
use super::schema::Schema;

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
    let form = Form::new(source.type_name(), source.schema());
    Box::new(Erased { source, form })
}

struct Erased<D> {
    source: D,
    form: Form,
}

#[async_trait]
impl<D: DataSource> AnyDataSource for Erased<D> {
    fn type_name(&self) -> &'static str {
        self.source.type_name()
    }

    fn schema(&self) -> &Schema {
        &self.form.schema
    }

    fn value_type(&self) -> &Type {
        &self.form.value_type
    }

    fn validate(&self, config: Dynamic) -> Diagnostics {
        self.form.validate(config, |model| self.source.validate(model))
    }

    async fn read(&self, call: &Call, config: Dynamic) -> Result<(Dynamic, Diagnostics), Diagnostics> {
        let (model, diagnostics) = self.source.read(call, self.form.asked(&config)?).await?;
        Ok((self.form.answered(&config, &model)?, diagnostics))
    }
}
