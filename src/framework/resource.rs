//! What a managed resource is.
//!
//! A resource implements [`Resource`] with a model of its own. The plugin sees [`AnyResource`], which every resource is
//! by way of [`erase`]; there the rules of `plan.rs` and `validate.rs` are applied, so no resource can forget them.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use super::checks::parse_duration;
use super::codec;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::dynamic::{Dynamic, Type};
use super::path::Path;
use super::plan;
use super::schema::Schema;
use super::typed::{from_dynamic, to_dynamic};
use super::validate::validate;

/// How long a read may take where the user says nothing. A read is a handful of calls.
const READ_LIMIT: Duration = Duration::from_secs(20 * 60);

/// What a resource remembers beside its state. Users do not see it; an imported resource starts without any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Private(BTreeMap<String, Json>);

impl Private {
    /// Reads what was kept under a name. What cannot be read is as good as absent.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.0.get(name).and_then(|json| serde_json::from_value(json.clone()).ok())
    }

    /// Keeps something under a name.
    pub fn set<T: Serialize>(&mut self, name: &str, value: &T) {
        let json = serde_json::to_value(value).expect("private data are plain structs");
        self.0.insert(name.to_owned(), json);
    }

    /// Reads the bytes that Terraform kept. What cannot be read is as good as absent.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Private(serde_json::from_slice(bytes).unwrap_or_default())
    }

    /// The bytes that Terraform is to keep.
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        serde_json::to_vec(&self.0).expect("JSON values can be written")
    }
}

/// What is known about a call, whatever it is.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// Cancelled when the user interrupts the run.
    pub stop: CancellationToken,
    /// Whether Terraform accepts "not now" as an answer.
    pub deferral_allowed: bool,
}

/// What [`Resource::plan`] starts from.
#[derive(Clone, Debug)]
pub struct PlanRequest<M> {
    /// As the user wrote it.
    pub config: M,
    /// What is there; `None` for a creation.
    pub prior: Option<M>,
    /// The configuration with defaults; computed attributes as they are, or unknown for a creation.
    pub proposed: M,
    /// What was kept at the last apply or read.
    pub private: Private,
}

/// A plan.
#[derive(Clone, Debug)]
pub struct Planned<M> {
    /// What there will be. Only computed attributes are taken from here.
    pub state: M,
    /// Further attributes whose change replaces the resource, beside those whose schema says so.
    pub replace: Vec<Path>,
    /// Handed to apply.
    pub private: Private,
    /// Warnings, and errors that keep the plan from being accepted.
    pub diagnostics: Diagnostics,
}

/// What [`Resource::apply`] starts from.
#[derive(Clone, Debug)]
pub struct ApplyRequest<M> {
    /// As the user wrote it, with write-only values; `None` for a destruction.
    pub config: Option<M>,
    /// What is there; `None` for a creation.
    pub prior: Option<M>,
    /// What was planned; `None` for a destruction.
    pub planned: Option<M>,
    /// From the plan.
    pub private: Private,
}

/// The result of an apply. Not a `Result`: whatever happened, there is a state to keep.
#[derive(Clone, Debug)]
pub struct Applied<M> {
    /// What there is now; `None` if nothing is left.
    pub state: Option<M>,
    /// Kept with the state.
    pub private: Private,
    /// What went wrong, or is worth knowing.
    pub diagnostics: Diagnostics,
}

/// The result of a read.
#[derive(Clone, Debug)]
pub struct Read<M> {
    /// What there is; `None` if the main object is gone.
    pub state: Option<M>,
    /// Kept with the state.
    pub private: Private,
    /// Warnings, or the errors that kept the state from being read.
    pub diagnostics: Diagnostics,
}

/// The state of another resource type that is to become this one's (`moved` blocks).
#[derive(Clone, Debug)]
pub struct MoveSource {
    /// The address of the provider that it comes from.
    pub provider: String,
    /// Its type name.
    pub type_name: String,
    /// Its schema version.
    pub version: i64,
    /// Its state.
    pub state: Json,
}

/// A managed resource.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// A struct with one field for each attribute.
    type Model: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// The full type name.
    fn type_name(&self) -> &'static str;

    /// The schema.
    fn schema(&self) -> Schema;

    /// Checks what one attribute's rules cannot: how attributes fit each other. Values may be unknown. Calls nothing.
    fn validate(&self, _config: &Self::Model) -> Diagnostics {
        Diagnostics::new()
    }

    /// Plans a creation or an update.
    ///
    /// The constraints that Terraform puts on a planned value hold whatever this answers: attributes that the user wrote
    /// are taken from the configuration, and only computed ones from the answer. What is known in the answer must come
    /// true; what may change must be unknown.
    ///
    /// # Errors
    /// What makes the plan impossible.
    async fn plan(&self, call: &Call, request: PlanRequest<Self::Model>) -> Result<Planned<Self::Model>, Diagnostics>;

    /// Looks at what destroying would do, for warnings and for errors that can be known before.
    async fn plan_destroy(&self, _call: &Call, _prior: Self::Model, _private: &Private) -> Diagnostics {
        Diagnostics::new()
    }

    /// Makes it so. Whatever was done is in the state that comes back, also after an error.
    async fn apply(&self, call: &Call, request: ApplyRequest<Self::Model>) -> Applied<Self::Model>;

    /// Reads what there is.
    async fn read(&self, call: &Call, state: Self::Model, private: Private) -> Read<Self::Model>;

    /// Finds what to read for an import id. A read follows. Everything that cannot be known from the id stays null.
    ///
    /// # Errors
    /// The id has another form, or nothing is there.
    async fn import(&self, call: &Call, id: &str) -> Result<(Self::Model, Private), Diagnostics>;

    /// Brings the state of an older schema version up to date.
    ///
    /// # Errors
    /// The version is not known.
    fn upgrade(&self, version: i64, state: Json) -> Result<Json, Diagnostics> {
        if version == self.schema().version {
            return Ok(state);
        }
        Err(Diagnostic::error(
            "The state is from another version of the provider",
            format!(
                "{} has state of schema version {version}; this provider knows version {}. Use the provider version that wrote it, or a newer one.",
                self.type_name(),
                self.schema().version
            ),
        )
        .into())
    }

    /// Takes over the state of another resource type. `None`: this type cannot come from that one.
    fn take_over(&self, _source: &MoveSource) -> Option<Result<Self::Model, Diagnostics>> {
        None
    }
}

/// A resource of any model, as the plugin sees it.
#[async_trait]
pub trait AnyResource: Send + Sync {
    /// The full type name.
    fn type_name(&self) -> &'static str;
    /// The schema.
    fn schema(&self) -> &Schema;
    /// The type of its values.
    fn value_type(&self) -> &Type;
    /// Checks a configuration.
    fn validate(&self, config: Dynamic) -> Diagnostics;
    /// Plans. A null `config` is a destruction.
    async fn plan(&self, call: &Call, config: Dynamic, prior: Dynamic, private: Private) -> Planned<Dynamic>;
    /// Applies. A null `planned` is a destruction.
    async fn apply(
        &self,
        call: &Call,
        config: Dynamic,
        prior: Dynamic,
        planned: Dynamic,
        private: Private,
    ) -> Applied<Dynamic>;
    /// Reads.
    async fn read(&self, call: &Call, state: Dynamic, private: Private) -> Read<Dynamic>;
    /// Imports.
    ///
    /// # Errors
    /// The id has another form, or nothing is there.
    async fn import(&self, call: &Call, id: &str) -> Result<(Dynamic, Private), Diagnostics>;
    /// Upgrades state.
    ///
    /// # Errors
    /// The version is not known, or the state does not fit it.
    fn upgrade(&self, version: i64, state: Json) -> Result<Dynamic, Diagnostics>;
    /// Takes over the state of another type.
    ///
    /// # Errors
    /// This type cannot come from that one.
    fn take_over(&self, source: &MoveSource) -> Result<Dynamic, Diagnostics>;
}

/// Makes a resource usable without its model's type.
pub fn erase<R: Resource>(resource: R) -> Box<dyn AnyResource> {
    let schema = resource.schema();
    let value_type = schema.value_type();
    Box::new(Erased { resource, schema, value_type })
}

struct Erased<R> {
    resource: R,
    schema: Schema,
    value_type: Type,
}

impl<R: Resource> Erased<R> {
    fn model(&self, value: Dynamic) -> Result<R::Model, Diagnostics> {
        from_dynamic(value).map_err(|error| self.misfit(&error.to_string()))
    }

    fn some_model(&self, value: Dynamic) -> Result<Option<R::Model>, Diagnostics> {
        if value.is_null() { Ok(None) } else { self.model(value).map(Some) }
    }

    fn value(&self, model: &R::Model) -> Result<Dynamic, Diagnostics> {
        let tree = to_dynamic(model).map_err(|error| self.misfit(&error.to_string()))?;
        tree.conform(&self.value_type).map_err(|error| self.misfit(&error))
    }

    fn some_value(&self, model: Option<&R::Model>) -> Result<Dynamic, Diagnostics> {
        model.map_or(Ok(Dynamic::Null), |model| self.value(model))
    }

    fn misfit(&self, error: &str) -> Diagnostics {
        Diagnostic::bug(format!("The model of {} does not fit its schema: {error}.", self.resource.type_name())).into()
    }

    async fn try_plan(
        &self,
        call: &Call,
        config: Dynamic,
        prior: Dynamic,
        private: Private,
    ) -> Result<Planned<Dynamic>, Diagnostics> {
        let proposed = plan::propose(&self.schema, &config, &prior);
        let request = PlanRequest {
            config: self.model(config.clone())?,
            prior: self.some_model(prior.clone())?,
            proposed: self.model(proposed)?,
            private,
        };
        let planned = self.resource.plan(call, request).await?;
        let state = plan::constrain(&self.schema, &config, &prior, &self.value(&planned.state)?);
        let mut replace = planned.replace;
        for path in plan::replacing(&self.schema, &prior, &state) {
            if !replace.contains(&path) {
                replace.push(path);
            }
        }
        Ok(Planned { state, replace, private: planned.private, diagnostics: planned.diagnostics })
    }

    async fn try_apply(
        &self,
        call: &Call,
        [config, prior, planned]: [Dynamic; 3],
        private: Private,
    ) -> Result<Applied<Dynamic>, Diagnostics> {
        let request = ApplyRequest {
            config: self.some_model(config)?,
            prior: self.some_model(prior)?,
            planned: self.some_model(planned.clone())?,
            private,
        };
        let Applied { state, private, mut diagnostics } = self.resource.apply(call, request).await;
        let state = self.some_value(state.as_ref())?;
        if diagnostics.has_errors() || state.is_null() || planned.is_null() {
            return Ok(Applied { state: present(state.without_unknowns()), private, diagnostics });
        }
        let state = plan::settle(&planned, state.clone()).unwrap_or_else(|missing| {
            let names: Vec<_> = missing.iter().map(Path::to_string).collect();
            diagnostics.push(Diagnostic::bug(format!("Still unknown after apply: {}.", names.join(", "))));
            state.without_unknowns()
        });
        Ok(Applied { state: present(state), private, diagnostics })
    }
}

/// How long a read may take: what the user says in `timeouts.read`, which every resource has.
fn read_limit(state: &Dynamic) -> Duration {
    state.get("timeouts").get("read").as_str().and_then(parse_duration).unwrap_or(READ_LIMIT)
}

fn present(state: Dynamic) -> Option<Dynamic> {
    (!state.is_null()).then_some(state)
}

#[async_trait]
impl<R: Resource> AnyResource for Erased<R> {
    fn type_name(&self) -> &'static str {
        self.resource.type_name()
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
            // A value of the wrong form would only be complained about twice.
            Ok(model) if !found.has_errors() => found.extend(self.resource.validate(&model)),
            Ok(_) => {}
            Err(diagnostics) => found.extend(diagnostics),
        }
        found.at_top_level()
    }

    async fn plan(&self, call: &Call, config: Dynamic, prior: Dynamic, private: Private) -> Planned<Dynamic> {
        if config.is_null() {
            let diagnostics = match self.model(prior) {
                Ok(prior) => self.resource.plan_destroy(call, prior, &private).await,
                Err(diagnostics) => diagnostics,
            };
            return Planned {
                state: Dynamic::Null,
                replace: Vec::new(),
                private,
                diagnostics: diagnostics.at_top_level(),
            };
        }
        // With errors Terraform looks at nothing else, but it wants a value that can be decoded.
        let fallback = prior.clone();
        let planned = self.try_plan(call, config, prior, private.clone()).await.unwrap_or_else(|diagnostics| Planned {
            state: fallback,
            replace: Vec::new(),
            private,
            diagnostics,
        });
        Planned { diagnostics: planned.diagnostics.at_top_level(), ..planned }
    }

    async fn apply(
        &self,
        call: &Call,
        config: Dynamic,
        prior: Dynamic,
        planned: Dynamic,
        private: Private,
    ) -> Applied<Dynamic> {
        let before = prior.clone();
        let applied = self
            .try_apply(call, [config, prior, planned], private.clone())
            .await
            .unwrap_or_else(|diagnostics| Applied { state: present(before), private, diagnostics });
        Applied { diagnostics: applied.diagnostics.at_top_level(), ..applied }
    }

    async fn read(&self, call: &Call, state: Dynamic, private: Private) -> Read<Dynamic> {
        let model = match self.model(state.clone()) {
            Ok(model) => model,
            Err(diagnostics) => return Read { state: Some(state), private, diagnostics },
        };
        let limit = read_limit(&state);
        let Ok(read) = tokio::time::timeout(limit, self.resource.read(call, model, private.clone())).await else {
            let text = format!(
                "It took longer than {} s. What the state says is as it was. Give it more time with timeouts.read, or find out why AWS is slow to answer.",
                limit.as_secs()
            );
            let diagnostics = Diagnostic::error("The resource could not be read in time", text).into();
            return Read { state: Some(state), private, diagnostics };
        };
        match self.some_value(read.state.as_ref()) {
            Ok(value) => {
                let value = plan::keep_form(&self.schema, &state, value);
                Read { state: present(value), private: read.private, diagnostics: read.diagnostics }
            }
            Err(diagnostics) => Read { state: Some(state), private: read.private, diagnostics },
        }
    }

    async fn import(&self, call: &Call, id: &str) -> Result<(Dynamic, Private), Diagnostics> {
        let (model, private) = self.resource.import(call, id).await?;
        Ok((self.value(&model)?, private))
    }

    fn upgrade(&self, version: i64, state: Json) -> Result<Dynamic, Diagnostics> {
        let state = self.resource.upgrade(version, state)?;
        codec::from_json(&state, &self.value_type).map_err(|error| {
            let text = format!(
                "{}: {error}. The state was written by another version of the provider, or changed by hand.",
                self.type_name()
            );
            Diagnostic::error("The state cannot be read", text).into()
        })
    }

    fn take_over(&self, source: &MoveSource) -> Result<Dynamic, Diagnostics> {
        match self.resource.take_over(source) {
            Some(model) => self.value(&model?),
            None => Err(Diagnostic::error(
                "This move is not possible",
                format!(
                    "{} cannot take over the state of {} of {}. Import the object instead.",
                    self.type_name(),
                    source.type_name,
                    source.provider
                ),
            )
            .into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::framework::{Attribute, Timeouts, Value};

    /// A resource that AWS never answers for.
    struct Silent;

    #[derive(Clone, Serialize, Deserialize)]
    struct Model {
        name: Value<String>,
        timeouts: Value<Timeouts>,
    }

    #[async_trait]
    impl Resource for Silent {
        type Model = Model;

        fn type_name(&self) -> &'static str {
            "studio_silent"
        }

        fn schema(&self) -> Schema {
            let attributes = vec![Attribute::string("name").required(), Timeouts::attribute()];
            Schema { attributes, ..Schema::default() }
        }

        async fn plan(&self, _: &Call, request: PlanRequest<Model>) -> Result<Planned<Model>, Diagnostics> {
            let (private, diagnostics) = (request.private, Diagnostics::new());
            Ok(Planned { state: request.proposed, replace: Vec::new(), private, diagnostics })
        }

        async fn apply(&self, _: &Call, request: ApplyRequest<Model>) -> Applied<Model> {
            Applied { state: request.planned, private: request.private, diagnostics: Diagnostics::new() }
        }

        async fn read(&self, _: &Call, _: Model, _: Private) -> Read<Model> {
            std::future::pending().await
        }

        async fn import(&self, _: &Call, id: &str) -> Result<(Model, Private), Diagnostics> {
            Ok((Model { name: id.into(), timeouts: Value::Null }, Private::default()))
        }
    }

    fn state(read: &str) -> Dynamic {
        let timeouts = Timeouts { read: read.into(), ..Timeouts::default() };
        to_dynamic(&Model { name: "x".into(), timeouts: timeouts.into() }).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_ends_when_the_user_says_and_keeps_the_state() {
        let begun = tokio::time::Instant::now();
        let read = erase(Silent).read(&Call::default(), state("90s"), Private::default()).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(90));
        assert_eq!(read.state, Some(state("90s")));
        assert!(read.diagnostics.has_errors());
    }
}
