//! `studio_private_domain`: a SageMaker domain that is reached privately.
//!
//! | file | what stands there |
//! | --- | --- |
//! | `schema.rs`, `model.rs`, `validate.rs` | the attributes, and how they fit each other |
//! | `desired.rs`, `zones.rs` | what is wanted |
//! | `recorded.rs`, `read/`, `recall.rs` | what there is |
//! | `key.rs`, `plan.rs`, `changes.rs` | the parts, what differs, and in which order it is changed |
//! | `apply/` | the AWS calls, one file for each kind of part |
//! | `lookup.rs`, `preflight/` | what is looked up and checked before anything is made |
//! | `emptied.rs` | what users have made in what is going to be deleted |
//! | `givens.rs`, `replacement.rs` | what a plan knows beforehand, and what it may not change |
//! | `project.rs`, `drift.rs`, `unknown.rs` | what Terraform is shown |

pub mod apply;
pub mod changes;
pub mod desired;
pub mod drift;
pub mod emptied;
pub mod givens;
pub mod key;
pub mod lookup;
pub mod model;
pub mod plan;
pub mod preflight;
pub mod project;
pub mod read;
pub mod recall;
pub mod recorded;
pub mod replacement;
pub mod schema;
pub mod unknown;
pub mod validate;
pub mod zones;

#[cfg(test)]
mod tests;

use async_trait::async_trait;

use crate::aws::tags::owner_and_part;
use crate::aws::{Clients, DomainId, sagemaker};
use crate::connection::Connection;
use crate::framework::schema::Schema;
use crate::framework::{
    Applied, ApplyRequest, Call, Diagnostic, Diagnostics, PlanRequest, Planned, Private, Read, Resource, Value,
};
use crate::resources::common::{CONCURRENT_STEPS, Operation, RECORDED, Work, aws_error, explain};
use crate::resources::values::id_and_region;
use crate::steps;
use apply::Run;
use desired::{Desired, Facts};
use emptied::{Emptied, in_the_way};
use key::Key;
use model::Model;
use preflight::Subject;
use recorded::Recorded;

/// The resource.
pub struct PrivateDomain {
    connection: Connection,
}

impl PrivateDomain {
    /// The resource, on the provider's connection.
    pub fn new(connection: Connection) -> Self {
        PrivateDomain { connection }
    }
}

#[async_trait]
impl Resource for PrivateDomain {
    type Model = Model;

    fn type_name(&self) -> &'static str {
        "studio_private_domain"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn validate(&self, config: &Model) -> Diagnostics {
        validate::validate(config)
    }

    async fn plan(&self, _call: &Call, request: PlanRequest<Model>) -> Result<Planned<Model>, Diagnostics> {
        let PlanRequest { config, prior, proposed: mut model, private } = request;
        let clients = self.connection.clients(config.region.text())?;
        // A creation that replaces an object is handed what was kept for the old one.
        let recorded: Recorded = prior.as_ref().and_then(|_| private.get(RECORDED)).unwrap_or_default();
        givens::plan_givens(&mut model, &config, prior.as_ref(), clients.as_ref());
        let replace = replacement::other_domain(&model, prior.as_ref());
        if !replace.is_empty() && config.name.is_null() {
            model.name = Value::Unknown;
        }
        replacement::check_home_efs(&model, prior.as_ref(), &recorded)?;
        let replacing = replacement::replaced_by(&model, prior.as_ref(), !replace.is_empty());
        replacement::check_replacement(prior.as_ref(), &recorded, &replacing)?;

        let replaced: Option<Recorded> = private.get(RECORDED).filter(|_| prior.is_none());
        let is_needed =
            lookup::is_needed(&model, prior.as_ref(), &recorded) || preflight::turns_on_private_dns(&model, &recorded);
        let mut diagnostics = Diagnostics::new();
        let facts = match &clients {
            Some(clients) if is_needed => lookup::facts(clients, &model, &mut diagnostics).await?,
            Some(_) | None => None,
        };
        if let Some(clients) = &clients {
            givens::plan_names(&mut model, &recorded, facts.as_ref(), clients);
            let subject = Subject {
                model: &model,
                prior: prior.as_ref(),
                recorded: &recorded,
                replaced: replaced.as_ref(),
                facts: facts.as_ref(),
            };
            diagnostics.extend(preflight::check(clients, &subject).await);
            if diagnostics.has_errors() {
                return Err(diagnostics);
            }
        }
        let adopted = facts.as_ref().and_then(|facts| facts.domain.clone());
        let desired = Desired::new(&model, prior.as_ref(), &recorded, facts);
        let account = clients.as_ref().and_then(Clients::account_id);
        let mut wrong: Diagnostics = zones::check::check(&desired, &recorded, account).into_iter().collect();
        wrong.extend(lookup::check_unused_zones(&desired, &recorded, adopted.as_ref()));
        if wrong.has_errors() {
            return Err(wrong);
        }
        if prior.is_some() {
            let steps = plan::steps(Some(&desired), &recorded);
            unknown::mark_unknown(&steps, &desired, &recorded, &mut model);
            let emptied = if replacing.is_empty() {
                steps.iter().any(|step| step.key == Key::Contents).then(|| Emptied::part(&desired, &recorded, &model))
            } else {
                prior.as_ref().map(|prior| Emptied::whole(&recorded, prior))
            };
            if let Some(diagnostic) = in_the_way(clients.as_ref(), emptied, &recorded).await {
                return Err(diagnostic.into());
            }
        }
        Ok(Planned { state: model, replace, private, diagnostics })
    }

    async fn plan_destroy(&self, _call: &Call, prior: Model, private: &Private) -> Diagnostics {
        let recorded = private.get(RECORDED).unwrap_or_else(|| Recorded::from_model(&prior));
        let clients = self.connection.clients(prior.region.text()).ok().flatten();
        let emptied = Emptied::whole(&recorded, &prior);
        in_the_way(clients.as_ref(), Some(emptied), &recorded).await.into_iter().collect()
    }

    async fn apply(&self, call: &Call, request: ApplyRequest<Model>) -> Applied<Model> {
        let kept = request.prior.clone();
        let model = request.planned.as_ref().or(request.prior.as_ref());
        let region = model.and_then(|model| model.region.text());
        match self.connection.known_clients(region) {
            Ok(clients) => self.apply_with(clients, call, request).await,
            Err(diagnostics) => Applied { state: kept, private: request.private, diagnostics },
        }
    }

    async fn read(&self, _call: &Call, state: Model, private: Private) -> Read<Model> {
        let clients = match self.connection.clients(state.region.text()) {
            Ok(Some(clients)) => clients,
            // Nothing can be read yet; what is there stays.
            Ok(None) => return Read { state: Some(state), private, diagnostics: Diagnostics::new() },
            Err(diagnostics) => return Read { state: Some(state), private, diagnostics },
        };
        let before = private.get(RECORDED).unwrap_or_else(|| Recorded::from_model(&state));
        match recall::look_again(&clients, &before).await {
            Ok(recorded) => after_read(&clients, state, &before, recorded, private),
            Err(diagnostics) => Read { state: Some(state), private, diagnostics },
        }
    }

    async fn import(&self, _call: &Call, id: &str) -> Result<(Model, Private), Diagnostics> {
        let (id, region) = id_and_region(id);
        let clients = self.connection.known_clients(region)?;
        let failed = |error| Diagnostics::from(aws_error("import the domain", &error));
        if !id.starts_with("d-") {
            let text = format!("{id:?} is not the id of a domain, such as d-abcdefghijkl.");
            return Err(Diagnostic::error("Invalid import id", text).into());
        }
        let domain = read::read_domain(&clients, &DomainId::from(id)).await.map_err(failed)?;
        let Some(domain) = domain else {
            let text = format!("There is no domain {id} in {}, in the account of the credentials.", clients.region());
            return Err(Diagnostic::error("There is nothing to import", text).into());
        };
        let tags = sagemaker::tags::list_tags(&clients, &domain.arn).await.map_err(failed)?;
        let owner = owner_and_part(&tags).map(|(owner, _)| owner.to_owned());
        let found = match &owner {
            Some(owner) => read::find::owned(&clients, owner).await.map_err(failed)?,
            None => Recorded { owner: recall::owner_of(&clients, &domain.vpc_id, &domain.name), ..Recorded::default() },
        };
        let found = read::find::serving(&clients, found, domain, owner.is_some()).await.map_err(failed)?;
        let recorded = recall::with_private_names(&clients, found).await?;
        let mut private = Private::default();
        private.set(RECORDED, &recorded);
        let nothing = Model::nothing_written(clients.region().as_str());
        Ok((project::project(nothing, &recorded, &clients), private))
    }
}

impl PrivateDomain {
    async fn apply_with(&self, clients: Clients, call: &Call, request: ApplyRequest<Model>) -> Applied<Model> {
        let ApplyRequest { prior, mut planned, mut private, .. } = request;
        let mut diagnostics = Diagnostics::new();
        let operation = Operation::of(prior.as_ref(), planned.as_ref());
        let prepared = async {
            let recorded = match &prior {
                None => recall::take_over(&clients, planned.as_ref()).await?,
                Some(prior) => recall::recall(&clients, &private, prior)
                    .await
                    .map_err(|error| aws_error("read the private domain", &error))?,
            };
            let facts = match &planned {
                Some(model) if lookup::is_needed(model, prior.as_ref(), &recorded) => {
                    lookup::facts(&clients, model, &mut diagnostics).await?
                }
                Some(_) | None => None,
            };
            Ok((recorded, facts))
        };
        let (mut recorded, facts) = match prepared.await {
            Ok(prepared) => prepared,
            Err(diagnostics) => return Applied { state: prior, private, diagnostics },
        };

        if let Some(model) = &mut planned {
            givens::plan_names(model, &recorded, facts.as_ref(), &clients);
        }
        let run = start(&clients, call, operation, prior.as_ref(), planned.as_ref(), &recorded, facts);
        let steps = plan::steps(run.desired.as_ref(), &recorded);
        let emptied = steps.iter().any(|step| step.key == Key::Contents).then(|| Emptied::by(&run, &recorded));
        if let Some(diagnostic) = in_the_way(Some(&clients), emptied, &recorded).await {
            return Applied { state: prior, private, diagnostics: diagnostic.into() };
        }
        let report = steps::run(&run, steps, &mut recorded, CONCURRENT_STEPS, &call.stop).await;
        recorded.being_destroyed = operation == Operation::Destroy;
        diagnostics.extend(explain(operation, &report, &recorded.parts(), Key::name));
        private.set(RECORDED, &recorded);
        let state = match planned.or(prior) {
            Some(_) if recorded.is_empty() => None,
            Some(model) if operation == Operation::Destroy => Some(project::project(model, &recorded, &clients)),
            Some(model) => {
                let mut state = project::project(model, &recorded, &clients);
                state.drift = drift::remaining(&state, &recorded, None);
                Some(state)
            }
            None => None,
        };
        Applied { state, private, diagnostics }
    }
}

fn start(
    clients: &Clients,
    call: &Call,
    operation: Operation,
    prior: Option<&Model>,
    planned: Option<&Model>,
    recorded: &Recorded,
    facts: Option<Facts>,
) -> Run {
    let model = planned.or(prior);
    let limit = model.map_or(Value::Null, |model| operation.limit(&model.timeouts));
    Run {
        work: Work::start(clients.clone(), call, &recorded.owner, &limit),
        desired: planned.map(|planned| Desired::new(planned, prior, recorded, facts)),
        force_destroy: model.and_then(|model| model.force_destroy.known()) == Some(&true),
    }
}

fn after_read(
    clients: &Clients,
    state: Model,
    before: &Recorded,
    recorded: Recorded,
    mut private: Private,
) -> Read<Model> {
    let diagnostics = Diagnostics::new();
    // A domain that was never made is not gone, and what is left of one that is being destroyed is still to go.
    let is_lost = before.domain.is_some() && recorded.domain.is_none() && !recorded.being_destroyed;
    if recorded.is_empty() || is_lost {
        return Read { state: None, private, diagnostics };
    }
    let applied = drift::Marks::of(&state, before);
    let mut model = project::project(state, &recorded, clients);
    model.drift = drift::remaining(&model, &recorded, Some(applied));
    private.set(RECORDED, &recorded);
    Read { state: Some(model), private, diagnostics }
}
