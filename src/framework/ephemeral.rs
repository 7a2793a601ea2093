//! What an ephemeral resource is: opened when it is needed, never stored. Shaped as `data_source.rs` is.
//!
//! **Invariant:** an ephemeral resource is opened with a configuration that is wholly known, and not before.

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use super::diagnostics::Diagnostics;
use super::dynamic::{Dynamic, Type};
use super::form::Form;
use super::plan;
use super::resource::{Call, Private};
use super::schema::Schema;

/// What opening gave.
#[derive(Clone)]
pub struct Opened<V> {
    /// The values, configuration included.
    pub result: V,
    /// Handed to renew and close.
    pub private: Private,
    /// When to renew; never, if `None`.
    pub renew_at: Option<OffsetDateTime>,
}

/// Something that is opened when it is needed.
#[async_trait]
pub trait EphemeralResource: Send + Sync + 'static {
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

    /// Opens it. Gets the configuration with defaults put in, wholly known; computed attributes are null.
    /// `None` is "not yet": what is to be computed is then unknown, and Terraform opens it again when it applies.
    ///
    /// # Errors
    /// It could not be opened.
    async fn open(&self, call: &Call, config: Self::Model) -> Result<Option<Opened<Self::Model>>, Diagnostics>;

    /// Keeps it open. Gives new private data and when to renew again.
    ///
    /// # Errors
    /// It could not be kept open.
    async fn renew(&self, _call: &Call, private: Private) -> Result<(Private, Option<OffsetDateTime>), Diagnostics> {
        Ok((private, None))
    }

    /// Closes it.
    ///
    /// # Errors
    /// It could not be closed.
    async fn close(&self, _call: &Call, _private: Private) -> Result<(), Diagnostics> {
        Ok(())
    }
}

/// An ephemeral resource of any model, as the plugin sees it.
#[async_trait]
pub trait AnyEphemeralResource: Send + Sync {
    /// The full type name.
    fn type_name(&self) -> &'static str;
    /// The schema.
    fn schema(&self) -> &Schema;
    /// The type of its values.
    fn value_type(&self) -> &Type;
    /// Checks a configuration.
    fn validate(&self, config: Dynamic) -> Diagnostics;
    /// Opens it.
    ///
    /// # Errors
    /// It could not be opened.
    async fn open(&self, call: &Call, config: Dynamic) -> Result<Opened<Dynamic>, Diagnostics>;
    /// Keeps it open.
    ///
    /// # Errors
    /// It could not be kept open.
    async fn renew(&self, call: &Call, private: Private) -> Result<(Private, Option<OffsetDateTime>), Diagnostics>;
    /// Closes it.
    ///
    /// # Errors
    /// It could not be closed.
    async fn close(&self, call: &Call, private: Private) -> Result<(), Diagnostics>;
}

/// Makes an ephemeral resource usable without its model's type.
pub fn erase_ephemeral_resource<E: EphemeralResource>(resource: E) -> Box<dyn AnyEphemeralResource> {
    let form = Form::new(resource.type_name(), resource.schema());
    Box::new(Erased { resource, form })
}

struct Erased<E> {
    resource: E,
    form: Form,
}

impl<E: EphemeralResource> Erased<E> {
    /// Terraform opens during a plan too, whatever is known by then. In the answer what was written is as it was
    /// written, and what is to be computed is unknown.
    fn not_yet(&self, config: &Dynamic) -> Opened<Dynamic> {
        let result = plan::propose(&self.form.schema, config, &Dynamic::Null);
        Opened { result, private: Private::default(), renew_at: None }
    }
}

#[async_trait]
impl<E: EphemeralResource> AnyEphemeralResource for Erased<E> {
    fn type_name(&self) -> &'static str {
        self.resource.type_name()
    }

    fn schema(&self) -> &Schema {
        &self.form.schema
    }

    fn value_type(&self) -> &Type {
        &self.form.value_type
    }

    fn validate(&self, config: Dynamic) -> Diagnostics {
        self.form.validate(config, |model| self.resource.validate(model))
    }

    async fn open(&self, call: &Call, config: Dynamic) -> Result<Opened<Dynamic>, Diagnostics> {
        if !config.is_wholly_known() {
            return Ok(self.not_yet(&config));
        }
        match self.resource.open(call, self.form.asked(&config)?).await? {
            None => Ok(self.not_yet(&config)),
            Some(Opened { result, private, renew_at }) => {
                Ok(Opened { result: self.form.answered(&config, &result)?, private, renew_at })
            }
        }
    }

    async fn renew(&self, call: &Call, private: Private) -> Result<(Private, Option<OffsetDateTime>), Diagnostics> {
        self.resource.renew(call, private).await
    }

    async fn close(&self, call: &Call, private: Private) -> Result<(), Diagnostics> {
        self.resource.close(call, private).await
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::framework::{Attribute, Value};

    /// Opens unless its name is `later`.
    struct Door;

    #[derive(Clone, Serialize, Deserialize)]
    struct Model {
        name: Value<String>,
        lock: Value<String>,
        key: Value<String>,
    }

    #[async_trait]
    impl EphemeralResource for Door {
        type Model = Model;

        fn type_name(&self) -> &'static str {
            "studio_door"
        }

        fn schema(&self) -> Schema {
            let attributes = vec![
                Attribute::string("name").required(),
                Attribute::string("lock").default_to("bolt"),
                Attribute::string("key").computed(),
            ];
            Schema { attributes, ..Schema::default() }
        }

        async fn open(&self, _: &Call, config: Model) -> Result<Option<Opened<Model>>, Diagnostics> {
            if config.name.text() == Some("later") {
                return Ok(None);
            }
            let key = format!("{} of {}", config.lock.text().unwrap(), config.name.text().unwrap());
            // The name is not this resource's to change, and the framework sees to it.
            let result = Model { name: "another".into(), key: Value::Known(key), ..config };
            Ok(Some(Opened { result, private: Private::default(), renew_at: None }))
        }
    }

    async fn opened(name: Dynamic) -> Dynamic {
        let names = [("name", name), ("lock", Dynamic::Null), ("key", Dynamic::Null)];
        let config = Dynamic::Map(names.map(|(name, value)| (name.to_owned(), value)).into());
        erase_ephemeral_resource(Door).open(&Call::default(), config).await.unwrap().result
    }

    #[tokio::test]
    async fn what_is_opened_has_its_defaults_and_what_was_written_stays() {
        let result = opened("front".into()).await;
        let texts = ["name", "lock", "key"].map(|name| result.get(name).as_str());
        assert_eq!(texts, [Some("front"), Some("bolt"), Some("bolt of front")]);
    }

    #[tokio::test]
    async fn nothing_is_opened_while_the_configuration_is_unknown() {
        let result = opened(Dynamic::unknown()).await;
        assert!(result.get("name").is_unknown() && result.get("key").is_unknown());
        assert_eq!(result.get("lock").as_str(), Some("bolt"));
    }

    #[tokio::test]
    async fn a_resource_that_is_not_ready_leaves_what_it_computes_unknown() {
        let result = opened("later".into()).await;
        assert_eq!(result.get("name").as_str(), Some("later"));
        assert!(result.get("key").is_unknown());
    }
}
