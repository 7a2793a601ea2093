//! `studio_presign_policy`: the IAM conditions that confine presigned URLs to the private path.
//!
//! The parts and their order stand at the top of `plan.rs`; what each attribute means, in `schema.rs`; how attributes
//! become rules and documents, in `settings.rs`, and back again, in `recover.rs`; which AWS calls are made, in
//! `apply.rs`.

pub mod apply;
pub mod desired;
pub mod findings;
pub mod import;
pub mod lookup;
pub mod names;
pub mod plan;
pub mod read;
pub mod recorded;
pub mod recover;
pub mod schema;
pub mod settings;
pub mod surroundings;

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::aws::{AwsError, Clients, PolicyArn};
use crate::connection::Connection;
use crate::framework::schema::Schema;
use crate::framework::typed::to_dynamic;
use crate::framework::{
    Applied, ApplyRequest, Call, Diagnostic, Diagnostics, PlanRequest, Planned, Private, Read, Resource, Value,
};
use crate::policy::analyze::{Documents, analyze, analyze_documents};
use crate::policy::document::Document;
use crate::policy::presign::Presign;
use crate::resources::common::{CONCURRENT_STEPS, Operation, RECORDED, Work, aws_error, explain, owner_id, tags_all};
use crate::resources::values::{id_and_region, planned_region, string_map};
use crate::steps;
use apply::Run;
use desired::Desired;
use findings::{Findings, OnLockout};
use recorded::Recorded;
use schema::Model;
use settings::Settings;
use surroundings::Seen;

/// The resource.
pub struct PresignPolicy {
    connection: Connection,
}

impl PresignPolicy {
    /// The resource, on the provider's connection.
    pub fn new(connection: Connection) -> Self {
        PresignPolicy { connection }
    }
}

#[async_trait]
impl Resource for PresignPolicy {
    type Model = Model;

    fn type_name(&self) -> &'static str {
        "studio_presign_policy"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn validate(&self, config: &Model) -> Diagnostics {
        schema::validate(config)
    }

    async fn plan(&self, _call: &Call, request: PlanRequest<Model>) -> Result<Planned<Model>, Diagnostics> {
        let mut model = request.proposed;
        let clients = self.connection.clients(request.config.region.text())?;
        let recorded: Recorded = request.private.get(RECORDED).unwrap_or_default();
        plan_givens(&mut model, &request.config, request.prior.as_ref(), clients.as_ref());
        plan::foretell(&mut model, &recorded);
        // What was not known when the configuration was checked may be known now.
        let mut diagnostics = schema::validate(&model);
        if !diagnostics.has_errors() {
            if let Some(clients) = &clients {
                diagnostics.extend(lookup::check_endpoints(clients, &model, &recorded).await);
            }
            diagnostics.extend(plan_findings(&mut model, request.prior.as_ref(), &recorded, clients.as_ref()).await);
        }
        Ok(Planned { state: model, replace: Vec::new(), private: request.private, diagnostics })
    }

    async fn apply(&self, call: &Call, request: ApplyRequest<Model>) -> Applied<Model> {
        let region = request.planned.as_ref().or(request.prior.as_ref()).and_then(|model| model.region.text());
        match self.connection.known_clients(region) {
            Ok(clients) => apply_with(clients, call, request).await,
            Err(diagnostics) => Applied { state: request.prior, private: request.private, diagnostics },
        }
    }

    async fn read(&self, _call: &Call, state: Model, mut private: Private) -> Read<Model> {
        let clients = match self.connection.clients(state.region.text()) {
            Ok(Some(clients)) => clients,
            // Nothing can be read yet; what is there stays.
            Ok(None) => return Read { state: Some(state), private, diagnostics: Diagnostics::new() },
            Err(diagnostics) => return Read { state: Some(state), private, diagnostics },
        };
        let before = private.get(RECORDED).unwrap_or_else(|| Recorded::from_model(&state));
        match read::refresh(&clients, &before).await {
            // A policy that was never made is not gone. One that is gone leaves endpoints whose policy is still set, and
            // that only this state remembers.
            Ok(now)
                if now.is_empty() || (before.policy.is_some() && now.policy.is_none() && now.endpoints.is_empty()) =>
            {
                Read { state: None, private, diagnostics: Diagnostics::new() }
            }
            Ok(now) => {
                private.set(RECORDED, &now);
                let mut state = state_of(state, &now, &clients);
                state.findings = current_findings(&state, &now, &clients).await;
                Read { state: Some(state), private, diagnostics: Diagnostics::new() }
            }
            Err(error) => {
                let diagnostics = aws_error("read the presign policy", &error).into();
                Read { state: Some(state), private, diagnostics }
            }
        }
    }

    async fn import(&self, _call: &Call, id: &str) -> Result<(Model, Private), Diagnostics> {
        let (id, region) = id_and_region(id);
        let clients = self.connection.known_clients(region)?;
        let (model, recorded) = import::import(&clients, id).await?;
        let mut private = Private::default();
        private.set(RECORDED, &recorded);
        Ok((state_of(model, &recorded, &clients), private))
    }
}

async fn apply_with(clients: Clients, call: &Call, request: ApplyRequest<Model>) -> Applied<Model> {
    let ApplyRequest { prior, planned, mut private, .. } = request;
    let mut recorded = match recall(&clients, prior.as_ref(), &private).await {
        Ok(recorded) => recorded,
        Err(error) => {
            let diagnostics = aws_error("read the presign policy", &error).into();
            return Applied { state: prior, private, diagnostics };
        }
    };
    let operation = Operation::of(prior.as_ref(), planned.as_ref());
    let desired = match planned.as_ref().map(Desired::new) {
        None => None,
        Some(Some(desired)) if desired.is_complete() => Some(desired),
        Some(_) => {
            let diagnostics = Diagnostic::bug("A presign policy was applied before its rules were known.").into();
            return Applied { state: prior, private, diagnostics };
        }
    };
    if let Some(desired) = desired.as_ref().filter(|_| recorded.owner.is_empty()) {
        recorded.owner = owner(&clients, desired);
    }
    let run =
        Run { work: start_work(&clients, call, operation, planned.as_ref().or(prior.as_ref()), &recorded), desired };
    let steps = plan::steps(run.desired.as_ref(), &recorded);
    let report = steps::run(&run, steps, &mut recorded, CONCURRENT_STEPS, &call.stop).await;
    let diagnostics = explain(operation, &report, &recorded.parts(), plan::Key::name);
    private.set(RECORDED, &recorded);
    let state = planned.or(prior).filter(|_| !recorded.is_empty());
    let mut state = match operation {
        Operation::Create | Operation::Update => state.map(|model| state_of(model, &recorded, &clients)),
        // What is left of it is not a drift from anything.
        Operation::Destroy => state.map(|model| project(model, &recorded, &clients)),
    };
    if let Some(state) = state.as_mut().filter(|state| state.findings.is_unknown()) {
        state.findings = current_findings(state, &recorded, &clients).await;
    }
    Applied { state, private, diagnostics }
}

/// What is recorded of the object that is there, or, where Terraform has not kept that, what its state leads to.
/// A creation starts from nothing: in a replacement Terraform hands it what was kept for the old object.
async fn recall(clients: &Clients, prior: Option<&Model>, private: &Private) -> Result<Recorded, AwsError> {
    match (prior, private.get(RECORDED)) {
        (None, _) => Ok(Recorded::default()),
        (Some(_), Some(recorded)) => Ok(recorded),
        (Some(prior), None) => read::refresh(clients, &Recorded::from_model(prior)).await,
    }
}

/// What the plan knows without asking AWS.
fn plan_givens(model: &mut Model, config: &Model, prior: Option<&Model>, clients: Option<&Clients>) {
    model.region = planned_region(&config.region, prior.map(|prior| &prior.region), clients);
    model.tags_all = match tags_all(clients, &model.tags) {
        Value::Known(tags) => string_map(tags),
        Value::Null => Value::Null,
        Value::Unknown => Value::Unknown,
    };
    model.drift = Value::Known(Vec::new());
}

/// Analyses what is planned, for messages. The attribute is left to the apply wherever there will be one: what is looked
/// up may change until then, and Terraform takes what was planned as promised.
async fn plan_findings(
    model: &mut Model,
    prior: Option<&Model>,
    recorded: &Recorded,
    clients: Option<&Clients>,
) -> Diagnostics {
    let before = prior.filter(|prior| is_the_same(model, prior)).map(|prior| prior.findings.clone());
    model.findings = before.unwrap_or(Value::Unknown);
    let settings = Settings::of(model);
    let Some(presign) = settings.presign() else {
        return Diagnostics::new();
    };
    let seen = match clients {
        Some(clients) => surroundings::look(clients, model, &own_policies(clients, model, recorded)).await,
        None => Seen::default(),
    };
    let found = analyze(&presign, &seen.surroundings);
    let on_lockout = OnLockout::of(&model.on_lockout);
    let mut diagnostics = findings::diagnostics(&found, on_lockout, &settings);
    diagnostics.extend(seen.note);
    diagnostics
}

/// Whether nothing differs, so that nothing is going to be applied.
fn is_the_same(model: &Model, prior: &Model) -> bool {
    let without_findings = |model: &Model| to_dynamic(&Model { findings: Value::Null, ..model.clone() });
    without_findings(model).expect(PLAIN) == without_findings(prior).expect(PLAIN)
}

const PLAIN: &str = "a model has nothing but what Terraform has types for";

/// The findings as things are now. Null where the rules of an imported policy are not known.
async fn current_findings(model: &Model, recorded: &Recorded, clients: &Clients) -> Findings {
    let Some(presign) = Settings::of(model).presign() else { return Value::Null };
    let seen = surroundings::look(clients, model, &own_policies(clients, model, recorded)).await;
    let documents = documents_in_force(&presign, recorded);
    Value::Known(findings::shown(&analyze_documents(&presign, &documents, &seen.surroundings)))
}

/// What the rules give, with the managed policy as IAM has it: somebody may have changed it. One that cannot be read shows
/// in `policy_json` alone.
fn documents_in_force(presign: &Presign, recorded: &Recorded) -> Documents {
    let wanted = Documents::of(presign);
    match recorded.policy.as_ref().and_then(|policy| Document::parse(&policy.document).ok()) {
        Some(found) => Documents { identity: vec![found], ..wanted },
        None => wanted,
    }
}

fn own_policies(clients: &Clients, model: &Model, recorded: &Recorded) -> BTreeSet<PolicyArn> {
    surroundings::own_policies(clients, model, recorded.policy.iter().map(|policy| policy.arn.clone()))
}

/// The same policy has the same owner after a run that was killed. The Region is no part of it: IAM has none.
fn owner(clients: &Clients, desired: &Desired) -> String {
    let account = clients.account_id().map(ToString::to_string).unwrap_or_default();
    owner_id(&["presign_policy", &account, &desired.path, &desired.name])
}

fn start_work(
    clients: &Clients,
    call: &Call,
    operation: Operation,
    model: Option<&Model>,
    recorded: &Recorded,
) -> Work {
    let limit = model.map_or(Value::Null, |model| operation.limit(&model.timeouts));
    Work::start(clients.clone(), call, &recorded.owner, &limit)
}

fn project(model: Model, recorded: &Recorded, clients: &Clients) -> Model {
    read::project(model, recorded, clients.region().as_str(), clients.default_tags())
}

/// The model with what exists, and with what differs from it and no attribute shows.
fn state_of(model: Model, recorded: &Recorded, clients: &Clients) -> Model {
    let mut state = project(model, recorded, clients);
    state.drift = Value::Known(read::drift(&state, recorded));
    state
}
