//! `studio_private_domain`: a SageMaker domain that is reached privately.
//!
//! | file | what stands there |
//! | --- | --- |
//! | `schema.rs`, `model.rs`, `validate.rs` | the attributes, and how they fit each other |
//! | `desired.rs`, `zones.rs` | what is wanted |
//! | `recorded.rs`, `read/` | what there is |
//! | `key.rs`, `plan.rs`, `changes.rs` | the parts, what differs, and in which order it is changed |
//! | `apply/` | the AWS calls, one file for each kind of part |
//! | `lookup.rs`, `preflight/` | what is looked up and checked before anything is made |
//! | `project.rs`, `drift.rs`, `unknown.rs` | what Terraform is shown |

pub mod apply;
pub mod changes;
pub mod desired;
pub mod drift;
pub mod key;
pub mod lookup;
pub mod model;
pub mod plan;
pub mod preflight;
pub mod project;
pub mod read;
pub mod recorded;
pub mod schema;
pub mod unknown;
pub mod validate;
pub mod zones;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::aws::sagemaker::domain::HomeEfsRetention;
use crate::aws::tags::owner_and_part;
use crate::aws::{AwsError, Clients, DomainId, Tags, VpcId, sagemaker};
use crate::connection::Connection;
use crate::framework::schema::Schema;
use crate::framework::{
    Applied, ApplyRequest, Call, Diagnostic, Diagnostics, Path, PlanRequest, Planned, Private, Read, Resource, Value,
};
use crate::resources::common::{CONCURRENT_STEPS, Operation, RECORDED, Work, aws_error, explain, owner_id, tags_all};
use crate::resources::values::{known_tags, planned_region};
use crate::steps::{self, Step};
use apply::{Run, contents};
use desired::{Desired, Facts};
use key::{Key, STUDIO};
use model::Model;
use plan::Action;
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
        let PlanRequest { config, prior, proposed: mut model, private } = request;
        let clients = self.connection.clients(config.region.text())?;
        // A creation that replaces an object is handed what was kept for the old one.
        let recorded: Recorded = prior.as_ref().and_then(|_| private.get(RECORDED)).unwrap_or_default();
        plan_givens(&mut model, &config, prior.as_ref(), clients.as_ref());
        let replace = other_domain(&model, prior.as_ref());
        check_home_efs(&model, prior.as_ref())?;
        check_replacement(&model, prior.as_ref(), &recorded, !replace.is_empty())?;

        let replaced: Option<Recorded> = private.get(RECORDED).filter(|_| prior.is_none());
        let is_needed =
            lookup::is_needed(&model, prior.as_ref(), &recorded) || preflight::turns_on_private_dns(&model, &recorded);
        let mut diagnostics = Diagnostics::new();
        let facts = match &clients {
            Some(clients) if is_needed => lookup::facts(clients, &model, &mut diagnostics).await?,
            Some(_) | None => None,
        };
        if let Some(clients) = &clients {
            plan_names(&mut model, &recorded, facts.as_ref(), clients);
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
        let unused: Diagnostics =
            lookup::check_unused_zones(&desired, &recorded, adopted.as_ref()).into_iter().collect();
        if unused.has_errors() {
            return Err(unused);
        }
        if prior.is_some() {
            let steps = plan::steps(Some(&desired), &recorded);
            unknown::mark_unknown(&steps, &desired, &recorded, &mut model);
        }
        Ok(Planned { state: model, replace, private, diagnostics })
    }

    async fn plan_destroy(&self, _call: &Call, prior: Model, private: &Private) -> Diagnostics {
        let recorded = private.get(RECORDED).unwrap_or_else(|| Recorded::from_model(&prior));
        let forced = prior.force_destroy.known() == Some(&true);
        let (Some(domain), false) = (&recorded.domain, forced) else {
            return Diagnostics::new();
        };
        let Ok(Some(clients)) = self.connection.clients(prior.region.text()) else {
            return Diagnostics::new();
        };
        let scope = contents::Scope::of(None, &recorded);
        match contents::find(&clients, &domain.id, &scope).await {
            Ok(found) if !found.is_empty() => not_empty(&domain.id, &found).into(),
            // What may not be read now is met, and told, when it is destroyed.
            Ok(_) | Err(_) => Diagnostics::new(),
        }
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
        match look_again(&clients, &before).await {
            Ok(recorded) => after_read(&clients, state, &before, recorded, private),
            Err(diagnostics) => Read { state: Some(state), private, diagnostics },
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
        let vpc_id = VpcId::from(domain.vpc_id.as_str());
        let owner = owner_and_part(&tags).map(|(owner, _)| owner.to_owned());
        let found = match &owner {
            Some(owner) => read::find::owned(&clients, owner, &vpc_id).await.map_err(failed)?,
            None => Recorded { owner: owner_of(&clients, &domain.vpc_id, &domain.name), ..Recorded::default() },
        };
        let found = read::find::serving(&clients, found, domain, owner.is_some()).await.map_err(failed)?;
        let recorded = with_private_names(&clients, found).await?;
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
            plan_names(model, &recorded, facts.as_ref(), &clients);
        }
        let run = start(&clients, call, operation, prior.as_ref(), planned.as_ref(), &recorded, facts);
        let steps = plan::steps(run.desired.as_ref(), &recorded);
        if let Some(diagnostic) = in_the_way(&run, &steps, &recorded).await {
            return Applied { state: prior, private, diagnostics: diagnostic.into() };
        }
        let report = steps::run(&run, steps, &mut recorded, CONCURRENT_STEPS, &call.stop).await;
        diagnostics.extend(explain(operation, &report, &recorded.parts(), Key::name));
        private.set(RECORDED, &recorded);
        let state = match planned.or(prior) {
            Some(_) if recorded.is_empty() => None,
            Some(model) if operation == Operation::Destroy => Some(project::project(model, &recorded, &clients)),
            Some(model) => {
                let mut state = project::project(model, &recorded, &clients);
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
    model.forward_zones = Value::Unknown;
    model.drift = Value::Known(Vec::new());
}

/// The names that follow from what the studio endpoint serves, or, without one, from the Region; and those of a domain
/// that is adopted.
fn plan_names(model: &mut Model, recorded: &Recorded, facts: Option<&Facts>, clients: &Clients) {
    let wants_studio = Desired::new(model, None, recorded, None);
    let wants_studio = wants_studio.services().contains(STUDIO) || wants_studio.adopted().contains(STUDIO);
    let service = facts.and_then(|facts| facts.services.get(STUDIO));
    let is_recorded = recorded.endpoint(STUDIO).is_some();
    model.forward_zones = match service {
        _ if model.region.is_unknown() => Value::Unknown,
        Some(service) if wants_studio && !is_recorded => {
            Value::Known(project::served_by(&service.private_dns_names, clients))
        }
        None if wants_studio && !is_recorded => Value::Unknown,
        Some(_) | None if wants_studio => Value::Known(project::parents(recorded, clients)),
        Some(_) | None => Value::Known(project::served_by(&[], clients)),
    };
    if let Some(domain) = facts.and_then(|facts| facts.domain.as_ref()).filter(|_| !model.name.is_known()) {
        model.name = Value::Known(domain.name.clone());
    }
}

/// Another domain than the one there is. Taking over the management of an adopted domain, or letting go of it, changes
/// nothing about which domain it is, and replaces nothing.
fn other_domain(model: &Model, prior: Option<&Model>) -> Vec<Path> {
    let Some(prior) = prior else {
        return Vec::new();
    };
    let (before, now) = (&prior.existing_domain_id, &model.existing_domain_id);
    let is_the_same = match (before, now) {
        (Value::Known(id), Value::Null) | (Value::Null, Value::Known(id)) => prior.domain_id.text() == Some(id),
        (before, now) => before == now,
    };
    if is_the_same { Vec::new() } else { vec![Path::root("existing_domain_id")] }
}

/// A domain that is replaced starts without its users' home folders.
fn check_replacement(
    model: &Model,
    prior: Option<&Model>,
    recorded: &Recorded,
    other_domain: bool,
) -> Result<(), Diagnostics> {
    let Some(prior) = prior else {
        return Ok(());
    };
    let replaced: Vec<&str> = [
        ("region", prior.region != model.region),
        ("name", prior.name != model.name),
        ("vpc_id", prior.vpc_id != model.vpc_id),
        ("auth_mode", prior.auth_mode != model.auth_mode),
        ("kms_key_id", prior.kms_key_id != model.kms_key_id),
        ("existing_domain_id", other_domain),
    ]
    .into_iter()
    .filter_map(|(attribute, differs)| differs.then_some(attribute))
    .collect();
    let file_system =
        recorded.domain.as_ref().filter(|domain| !domain.adopted).and_then(|domain| domain.file_system_id.clone());
    let keeps = prior.home_efs.known().and_then(|efs| efs.on_destroy.text()) != Some("delete");
    let (Some(attribute), Some(file_system), true) = (replaced.first(), file_system, keeps) else {
        return Ok(());
    };
    let text = format!(
        "A domain cannot change its {attribute}, so this would replace it, and the new one would start with an empty file system: the home folders of all users are in {file_system}, which would stay behind. If they are not needed, set home_efs.on_destroy to \"delete\" and apply that first; then the file system goes with the domain. If they are, make a second resource, copy them, and remove this one afterwards."
    );
    Err(Diagnostic::error("This would lose the home folders", text).at(Path::root(attribute)).into())
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

/// What is recorded of an object, or, where Terraform has not kept that, what its state leads to.
async fn recall(clients: &Clients, private: &Private, prior: &Model) -> Result<Recorded, AwsError> {
    match private.get(RECORDED) {
        Some(recorded) => Ok(recorded),
        None => read::refresh(clients, &Recorded::from_model(prior)).await,
    }
}

/// Looks at everything again, and at what the studio endpoint serves if that is not known.
async fn look_again(clients: &Clients, before: &Recorded) -> Result<Recorded, Diagnostics> {
    let found = read::refresh(clients, before).await.map_err(|error| aws_error("read the private domain", &error))?;
    with_private_names(clients, found).await
}

/// The same with the names that the studio endpoint's service answers for, which do not show on an endpoint.
async fn with_private_names(clients: &Clients, mut recorded: Recorded) -> Result<Recorded, Diagnostics> {
    if recorded.endpoint(STUDIO).is_none_or(|endpoint| !endpoint.private_names.is_empty()) {
        return Ok(recorded);
    }
    let services = lookup::find_services(clients, &BTreeSet::from([STUDIO.to_owned()])).await?;
    let names = services.get(STUDIO).map(|service| service.private_dns_names.clone()).unwrap_or_default();
    for endpoints in [&mut recorded.endpoints, &mut recorded.adopted] {
        if let Some(endpoint) = endpoints.get_mut(STUDIO) {
            endpoint.private_names.clone_from(&names);
        }
    }
    Ok(recorded)
}

/// What the objects of a resource are tagged with.
fn owner_of(clients: &Clients, vpc_id: &str, name: &str) -> String {
    let account = clients.account_id().map(ToString::to_string).unwrap_or_default();
    owner_id(&["private_domain", &account, clients.region().as_str(), vpc_id, name])
}

/// What users have made, where that keeps a part from being deleted and may not be deleted itself: found before anything
/// else is touched.
async fn in_the_way(run: &Run, steps: &[Step<Key, Action>], recorded: &Recorded) -> Option<Diagnostic> {
    let empties = !run.force_destroy && steps.iter().any(|step| step.key == Key::Contents);
    let domain = recorded.domain.as_ref().filter(|_| empties)?;
    let scope = contents::Scope::of(run.desired.as_ref(), recorded);
    // What cannot be read is met again, and told, where it is deleted.
    let found = contents::find(&run.work.clients, &domain.id, &scope).await.ok()?;
    (!found.is_empty()).then(|| not_empty(&domain.id, &found))
}

fn not_empty(domain: &DomainId, contents: &contents::Contents) -> Diagnostic {
    let text = format!("In {domain} {}.\n\nNothing was changed.", contents::in_the_way(contents));
    Diagnostic::error("The domain is not empty", text).at(Path::root("force_destroy"))
}

/// What a run that was killed has left behind, if it never came to the domain. A domain that is there is either in use
/// by another configuration or to be imported; making another one of its name fails and says so.
async fn take_over(clients: &Clients, planned: Option<&Model>) -> Result<Recorded, Diagnostics> {
    let text = |value: Option<&Value<String>>| value.and_then(Value::text).unwrap_or_default().to_owned();
    let name = text(planned.map(|model| &model.name));
    let vpc_id = text(planned.map(|model| &model.vpc_id));
    if let Some(id) = planned.and_then(|model| model.existing_domain_id.text()) {
        return found_before(clients, &owner_of(clients, &vpc_id, id), &vpc_id).await;
    }
    let owner = owner_of(clients, &vpc_id, &name);
    let taken = preflight::name::check(clients, &name, &owner, Moment::Apply)
        .await
        .map_err(|error| aws_error("look for a domain of the same name", &error))?;
    if let Some(taken) = taken {
        return Err(taken.into());
    }
    found_before(clients, &owner, &vpc_id).await
}

async fn found_before(clients: &Clients, owner: &str, vpc_id: &str) -> Result<Recorded, Diagnostics> {
    let found = read::find::owned(clients, owner, &VpcId::from(vpc_id)).await;
    found.map_err(|error| aws_error("look for parts of an earlier run", &error).into())
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
    // A domain that was never made is not gone.
    if recorded.is_empty() || (before.domain.is_some() && recorded.domain.is_none()) {
        return Read { state: None, private, diagnostics };
    }
    let applied = known_tags(&state.tags_all).into_known();
    let mut model = project::project(state, &recorded, clients);
    model.drift = remaining(&model, &recorded, applied);
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
    Value::Known(drift::drift(&plan::steps(Some(&desired), &recorded), &desired, &recorded))
}
