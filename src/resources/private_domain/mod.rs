//! `studio_private_domain`: a SageMaker domain that is reached privately.
//!
//! The parts and their order stand at the top of `plan.rs`; what each attribute means, in `schema.rs`; which AWS calls
//! are made, in `apply/`.

pub mod apply;
pub mod desired;
pub mod lookup;
pub mod model;
pub mod plan;
pub mod preflight;
pub mod read;
pub mod recorded;
pub mod schema;
pub mod validate;

#[cfg(test)]
mod tests;

use async_trait::async_trait;

use crate::aws::sagemaker::domain::HomeEfsRetention;
use crate::aws::tags::owner_and_part;
use crate::aws::{AwsError, Clients, DomainId, Tags, VpcId, sagemaker};
use crate::connection::Connection;
use crate::dns::zones::{self, Fips};
use crate::framework::schema::Schema;
use crate::framework::{
    Applied, ApplyRequest, Call, Diagnostic, Diagnostics, Path, PlanRequest, Planned, Private, Read, Resource, Value,
};
use crate::resources::common::{CONCURRENT_STEPS, Operation, RECORDED, Work, aws_error, explain, tags_all};
use crate::resources::values::{known_tags, planned_region};
use crate::steps;
use apply::Run;
use desired::{Desired, Facts};
use model::Model;
use preflight::Subject;
use preflight::name::Moment;
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
        let mut model = request.proposed;
        let clients = self.connection.clients(request.config.region.text())?;
        plan_givens(&mut model, &request.config, request.prior.as_ref(), clients.as_ref());
        check_home_efs(&model, request.prior.as_ref())?;

        // A creation that replaces an object is handed what was kept for the old one.
        let recorded = request.prior.as_ref().and_then(|_| request.private.get(RECORDED)).unwrap_or_default();
        let replaced = request.private.get(RECORDED).filter(|_| request.prior.is_none());
        let mut diagnostics = Diagnostics::new();
        let facts = match &clients {
            Some(clients) if needs_facts(&model, request.prior.as_ref(), &recorded) => {
                lookup::facts(clients, &model, &mut diagnostics).await?
            }
            Some(_) | None => None,
        };
        if let Some(clients) = &clients {
            let subject = Subject {
                model: &model,
                prior: request.prior.as_ref(),
                recorded: &recorded,
                replaced: replaced.as_ref(),
                facts: facts.as_ref(),
            };
            diagnostics.extend(preflight::check(clients, &subject).await);
            if diagnostics.has_errors() {
                return Err(diagnostics);
            }
        }
        if request.prior.is_some() {
            let desired = Desired::new(&model, request.prior.as_ref(), &recorded, facts);
            let steps = plan::steps(Some(&desired), &recorded);
            plan::mark_unknown(&steps, &desired, &recorded, &mut model);
        }
        Ok(Planned { state: model, replace: Vec::new(), private: request.private, diagnostics })
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
        match read::refresh(&clients, &before).await {
            Ok(recorded) => after_read(&clients, state, &before, recorded, private),
            Err(error) => {
                let diagnostics = aws_error("read the private domain", &error).into();
                Read { state: Some(state), private, diagnostics }
            }
        }
    }

    async fn import(&self, _call: &Call, id: &str) -> Result<(Model, Private), Diagnostics> {
        let clients = self.connection.known_clients(None)?;
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
        let Some((owner, _)) = owner_and_part(&tags) else {
            let text = format!(
                "{id} does not carry the tags of this provider, so its endpoints, groups and zones cannot be found by them."
            );
            return Err(Diagnostic::error("The domain was not made by studio_private_domain", text).into());
        };
        let vpc_id = VpcId::from(domain.vpc_id.as_str());
        let recorded = read::find_owned(&clients, owner, &vpc_id, Some(domain)).await.map_err(failed)?;
        let mut private = Private::default();
        private.set(RECORDED, &recorded);
        Ok((read::project(Model::nothing_written(clients.region().as_str()), &recorded, &clients), private))
    }
}

impl PrivateDomain {
    async fn apply_with(&self, clients: Clients, call: &Call, request: ApplyRequest<Model>) -> Applied<Model> {
        let ApplyRequest { prior, planned, mut private, .. } = request;
        let mut diagnostics = Diagnostics::new();
        let operation = match (&prior, &planned) {
            (None, _) => Operation::Create,
            (Some(_), Some(_)) => Operation::Update,
            (Some(_), None) => Operation::Destroy,
        };
        let prepared = async {
            let recorded = match &prior {
                None => take_over(&clients, planned.as_ref()).await?,
                Some(prior) => recall(&clients, &private, prior)
                    .await
                    .map_err(|error| aws_error("read the private domain", &error))?,
            };
            let facts = match &planned {
                Some(model) if needs_facts(model, prior.as_ref(), &recorded) => {
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

        let run = start(&clients, call, operation, prior.as_ref(), planned.as_ref(), &recorded, facts);
        let steps = plan::steps(run.desired.as_ref(), &recorded);
        let report = steps::run(&run, steps, &mut recorded, CONCURRENT_STEPS, &call.stop).await;
        diagnostics.extend(explain(operation, &report, &recorded.parts(), plan::Key::name));
        private.set(RECORDED, &recorded);
        let state = match planned.or(prior) {
            Some(_) if recorded.is_empty() => None,
            Some(model) if operation == Operation::Destroy => Some(read::project(model, &recorded, &clients)),
            Some(model) => {
                let mut state = read::project(model, &recorded, &clients);
                state.drift = remaining(&state, &recorded, None);
                Some(state)
            }
            None => None,
        };
        Applied { state, private, diagnostics }
    }
}

/// What the plan knows without asking AWS.
fn plan_givens(model: &mut Model, config: &Model, prior: Option<&Model>, clients: Option<&Clients>) {
    model.region = planned_region(&config.region, prior.map(|prior| &prior.region), clients);
    model.tags_all = tags_all(clients, &model.tags)
        .map(|tags| tags.into_iter().map(|(key, value)| (key, Value::Known(value))).collect());
    model.forward_zones = match &model.region {
        Value::Known(region) => forward_zones(region),
        Value::Unknown | Value::Null => Value::Unknown,
    };
    model.drift = Value::Known(Vec::new());
}

/// The parents of Studio's host names; null where they are not known.
fn forward_zones(region: &str) -> Value<Vec<String>> {
    let parents = zones::Region::new(region).and_then(|region| zones::studio_parents(&region, Fips::No));
    parents.ok().map(|parents| parents.iter().map(|zone| zone.as_str().to_owned()).collect()).into()
}

/// The file system cannot be taken away from a domain (UpdateDomain, SageMaker API reference).
fn check_home_efs(model: &Model, prior: Option<&Model>) -> Result<(), Diagnostics> {
    let enabled = |model: &Model| model.home_efs.known().and_then(|efs| efs.enabled.known().copied());
    if prior.and_then(enabled) == Some(true) && enabled(model) == Some(false) {
        let text =
            "SageMaker can give a domain a file system later, but not take it away. Set home_efs.enabled back to true.";
        let path = Path::root("home_efs").attribute("enabled");
        return Err(Diagnostic::error("The file system cannot be removed", text).at(path).into());
    }
    Ok(())
}

/// Whether the services and subnets have to be looked up: something is to be made, or chosen anew.
fn needs_facts(model: &Model, prior: Option<&Model>, recorded: &Recorded) -> bool {
    let desired = Desired::new(model, prior, recorded, None);
    let services = desired.services();
    let is_new = services
        .iter()
        .any(|service| !recorded.endpoints.contains_key(service) || desired.endpoint_subnets(service).is_unknown());
    is_new || preflight::turns_on_private_dns(model, recorded)
}

/// What is recorded of an object, or, where Terraform has not kept that, what its state leads to.
async fn recall(clients: &Clients, private: &Private, prior: &Model) -> Result<Recorded, AwsError> {
    match private.get(RECORDED) {
        Some(recorded) => Ok(recorded),
        None => read::refresh(clients, &Recorded::from_model(prior)).await,
    }
}

/// What a run that was killed has left behind, if it never came to the domain. A domain that is there is either in use
/// by another configuration or to be imported; making another one of its name fails and says so.
async fn take_over(clients: &Clients, planned: Option<&Model>) -> Result<Recorded, Diagnostics> {
    let Some(model) = planned else {
        return Ok(Recorded::default());
    };
    let owner = preflight::owner(clients, model);
    let taken = preflight::name::check(clients, model.name.text().unwrap_or_default(), &owner, Moment::Apply)
        .await
        .map_err(|error| aws_error("look for a domain of the same name", &error))?;
    if let Some(taken) = taken {
        return Err(taken.into());
    }
    let vpc_id = VpcId::from(model.vpc_id.text().unwrap_or_default());
    read::find_owned(clients, &owner, &vpc_id, None)
        .await
        .map_err(|error| aws_error("look for parts of an earlier run", &error).into())
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
    let timeouts = model.and_then(|model| model.timeouts.known()).cloned().unwrap_or_default();
    let limit = match operation {
        Operation::Create => &timeouts.create,
        Operation::Update => &timeouts.update,
        Operation::Destroy => &timeouts.delete,
    };
    let on_destroy = model.and_then(|model| model.home_efs.known()).and_then(|efs| efs.on_destroy.text());
    Run {
        work: Work::start(clients.clone(), call, &recorded.owner, limit),
        desired: planned.map(|planned| Desired::new(planned, prior, recorded, facts)),
        retention: match on_destroy {
            Some("delete") => HomeEfsRetention::Delete,
            Some(_) | None => HomeEfsRetention::Retain,
        },
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
    // A domain that was never made is not gone.
    if recorded.is_empty() || (before.domain.is_some() && recorded.domain.is_none()) {
        return Read { state: None, private, diagnostics };
    }
    let applied = known_tags(&state.tags_all).into_known();
    let mut model = read::project(state, &recorded, clients);
    model.drift = remaining(&model, &recorded, applied);
    model.forward_zones = forward_zones(clients.region().as_str());
    private.set(RECORDED, &recorded);
    Read { state: Some(model), private, diagnostics }
}

/// What would still have to be done to get what the model says, beside what its attributes show.
///
/// The domain's tags are shown by `tags_all`. The other parts are held against the tags that were applied: a tag that
/// somebody put on the domain is not missing anywhere else.
fn remaining(model: &Model, recorded: &Recorded, applied: Option<Tags>) -> Value<Vec<String>> {
    let mut desired = Desired::new(model, Some(model), recorded, None);
    let mut recorded = recorded.clone();
    if let (Some(applied), Some(domain)) = (applied, &mut recorded.domain) {
        domain.tags = applied.clone();
        desired.tags = Value::Known(applied);
    }
    Value::Known(read::drift(&plan::steps(Some(&desired), &recorded), &desired, &recorded))
}
