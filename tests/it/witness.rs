//! A second provider, whose one resource has a write-only argument: it shows that an ephemeral value arrives.
//!
//! No provider that is built into Terraform has such an argument. This one is served by the program that runs the
//! tests: Terraform starts a script, which starts that program with the one test that serves.
//!
//! **Invariant:** the value goes into a digest and nowhere else.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use studio::{
    framework::{
        AnyDataSource, AnyEphemeralResource, AnyResource, Applied, ApplyRequest, Attribute, Call, Diagnostics, Dynamic,
        Function, PlanRequest, Planned, Private, Provider, Read, Resource, Value, erase, schema::Schema,
    },
    plugin,
};

/// Set by the script, so that the test that serves does nothing when it is run as a test.
const SERVE: &str = "STUDIO_TEST_WITNESS";

/// Its address in Terraform.
pub const SOURCE: &str = "studio-private/witness";

/// Puts the script into a folder, for a development override.
pub fn install(folder: &Path) {
    let program = std::env::current_exe().expect("a running program has a path");
    // The test harness writes to standard output before the handshake, where nothing may stand.
    let script = format!(
        "#!/bin/sh\n{SERVE}=1 {program:?} --exact witness::the_witness_serves --nocapture --test-threads=2 | \
         grep --line-buffered -o '1|6|.*'\n"
    );
    let path = folder.join("terraform-provider-witness");
    fs::write(&path, script).expect("the folder can be written to");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

/// What the resource makes of a value.
pub fn digest(value: &str) -> String {
    Sha256::digest(value.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn the_witness_serves() {
    if std::env::var_os(SERVE).is_some() {
        plugin::serve(Witness::new()).await.unwrap();
    }
}

/// `witness_note`.
struct Note;

#[derive(Clone, Serialize, Deserialize)]
struct Model {
    trigger: Value<String>,
    value: Value<String>,
    digest: Value<String>,
}

#[async_trait]
impl Resource for Note {
    type Model = Model;

    fn type_name(&self) -> &'static str {
        "witness_note"
    }

    fn schema(&self) -> Schema {
        let attributes = vec![
            Attribute::string("trigger").required().replaces(),
            Attribute::string("value").required().write_only(),
            Attribute::string("digest").computed(),
        ];
        Schema { attributes, ..Schema::default() }
    }

    async fn plan(&self, _: &Call, request: PlanRequest<Model>) -> Result<Planned<Model>, Diagnostics> {
        let same = request.prior.is_some_and(|prior| prior.trigger == request.proposed.trigger);
        let digest = if same { request.proposed.digest.clone() } else { Value::Unknown };
        let state = Model { digest, ..request.proposed };
        Ok(Planned { state, replace: vec![], private: request.private, diagnostics: Diagnostics::new() })
    }

    async fn apply(&self, _: &Call, request: ApplyRequest<Model>) -> Applied<Model> {
        let value = request.config.and_then(|config| config.value.into_known());
        let digest = value.map(|value| digest(&value)).into();
        let state = request.planned.map(|planned| Model { digest, ..planned });
        Applied { state, private: request.private, diagnostics: Diagnostics::new() }
    }

    async fn read(&self, _: &Call, state: Model, private: Private) -> Read<Model> {
        Read { state: Some(state), private, diagnostics: Diagnostics::new() }
    }

    async fn import(&self, _: &Call, _: &str) -> Result<(Model, Private), Diagnostics> {
        unimplemented!("no test imports it")
    }
}

struct Witness {
    schema: Schema,
    resources: Vec<Box<dyn AnyResource>>,
}

impl Witness {
    fn new() -> Self {
        Witness { schema: Schema::default(), resources: vec![erase(Note)] }
    }
}

#[async_trait]
impl Provider for Witness {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, _: Dynamic) -> Diagnostics {
        Diagnostics::new()
    }

    async fn configure(&self, _: &Call, _: Dynamic, _: &str) -> Diagnostics {
        Diagnostics::new()
    }

    fn resources(&self) -> &[Box<dyn AnyResource>] {
        &self.resources
    }

    fn data_sources(&self) -> &[Box<dyn AnyDataSource>] {
        &[]
    }

    fn functions(&self) -> &[Box<dyn Function>] {
        &[]
    }

    fn ephemeral_resources(&self) -> &[Box<dyn AnyEphemeralResource>] {
        &[]
    }
}
