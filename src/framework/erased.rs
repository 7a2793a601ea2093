//! A resource without its model's type, as the plugin sees it.
//!
//! Here the rules of `plan.rs` and `validate.rs`, and the limit of `timeouts.read`, are put around what a resource
//! answers, so that no resource can forget them.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value as Json;

use super::checks::parse_duration;
use super::codec;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::dynamic::{Dynamic, Type};
use super::form::Form;
use super::path::Path;
use super::plan;
use super::resource::{Applied, ApplyRequest, Call, MoveSource, PlanRequest, Planned, Private, Read, Resource};
use super::schema::Schema;

/// How long a read may take where the user says nothing. A read is a handful of calls.
const READ_LIMIT: Duration = Duration::from_secs(20 * 60);

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
    let form = Form::new(resource.type_name(), resource.schema());
    Box::new(Erased { resource, form })
}

struct Erased<R> {
    resource: R,
    form: Form,
}

impl<R: Resource> Erased<R> {
    fn some_model(&self, value: Dynamic) -> Result<Option<R::Model>, Diagnostics> {
        if value.is_null() { Ok(None) } else { self.form.model(value).map(Some) }
    }

    fn some_value(&self, model: Option<&R::Model>) -> Result<Dynamic, Diagnostics> {
        model.map_or(Ok(Dynamic::Null), |model| self.form.value(model))
    }

    async fn try_plan(
        &self,
        call: &Call,
        config: Dynamic,
        prior: Dynamic,
        private: Private,
    ) -> Result<Planned<Dynamic>, Diagnostics> {
        let proposed = plan::propose(&self.form.schema, &config, &prior);
        let request = PlanRequest {
            config: self.form.model(config.clone())?,
            prior: self.some_model(prior.clone())?,
            proposed: self.form.model(proposed)?,
            private,
        };
        let planned = self.resource.plan(call, request).await?;
        let state = plan::constrain(&self.form.schema, &config, &prior, &self.form.value(&planned.state)?);
        let mut replace = planned.replace;
        for path in plan::replacing(&self.form.schema, &prior, &state) {
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
        &self.form.schema
    }

    fn value_type(&self) -> &Type {
        &self.form.value_type
    }

    fn validate(&self, config: Dynamic) -> Diagnostics {
        self.form.validate(config, |model| self.resource.validate(model))
    }

    async fn plan(&self, call: &Call, config: Dynamic, prior: Dynamic, private: Private) -> Planned<Dynamic> {
        if config.is_null() {
            let diagnostics = match self.form.model(prior) {
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
        let model = match self.form.model(state.clone()) {
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
                let value = plan::keep_form(&self.form.schema, &state, value);
                Read { state: present(value), private: read.private, diagnostics: read.diagnostics }
            }
            Err(diagnostics) => Read { state: Some(state), private: read.private, diagnostics },
        }
    }

    async fn import(&self, call: &Call, id: &str) -> Result<(Dynamic, Private), Diagnostics> {
        let (model, private) = self.resource.import(call, id).await?;
        Ok((self.form.value(&model)?, private))
    }

    fn upgrade(&self, version: i64, state: Json) -> Result<Dynamic, Diagnostics> {
        let state = self.resource.upgrade(version, state)?;
        codec::from_json(&state, &self.form.value_type).map_err(|error| {
            let text = format!(
                "{}: {error}. The state was written by another version of the provider, or changed by hand.",
                self.type_name()
            );
            Diagnostic::error("The state cannot be read", text).into()
        })
    }

    fn take_over(&self, source: &MoveSource) -> Result<Dynamic, Diagnostics> {
        match self.resource.take_over(source) {
            Some(model) => self.form.value(&model?),
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
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::framework::typed::to_dynamic;
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
