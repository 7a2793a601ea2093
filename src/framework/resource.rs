//! What a managed resource is.
//!
//! A resource implements [`Resource`] with a model of its own. The plugin sees an `AnyResource`, which every resource
//! becomes in `erased.rs`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use super::diagnostics::{Diagnostic, Diagnostics};
use super::path::Path;
use super::schema::Schema;

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
