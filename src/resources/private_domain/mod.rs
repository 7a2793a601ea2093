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
//! | `emptied.rs` | what users have made in what is going to be deleted |
//! | `project.rs`, `drift.rs`, `unknown.rs` | what Terraform is shown |

pub mod apply;
pub mod changes;
pub mod desired;
pub mod drift;
pub mod emptied;
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

use crate::aws::tags::owner_and_part;
use crate::aws::{AwsError, Clients, DomainId, Tags, sagemaker};
use crate::connection::Connection;
use crate::framework::schema::Schema;
use crate::framework::{
    Applied, ApplyRequest, Call, Diagnostic, Diagnostics, Path, PlanRequest, Planned, Private, Read, Resource, Value,
};
use crate::resources::common::{CONCURRENT_STEPS, Operation, RECORDED, Work, aws_error, explain, owner_id, tags_all};
use crate::resources::values::{known_tags, planned_region};
use crate::steps;
use apply::Run;
use desired::{Desired, Facts};
use emptied::{Emptied, in_the_way};
use key::{Key, STUDIO};
use model::Model;
use preflight::Subject;
use preflight::name::Moment;
use recorded::{Notes, Recorded};

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
        if !replace.is_empty() && config.name.is_null() {
            model.name = Value::Unknown;
        }
        check_home_efs(&model, prior.as_ref(), &recorded)?;
        let replacing = replaced_by(&model, prior.as_ref(), !replace.is_empty());
        check_replacement(prior.as_ref(), &recorded, &replacing)?;

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
        let owner = owner_and_part(&tags).map(|(owner, _)| owner.to_owned());
        let found = match &owner {
            Some(owner) => read::find::owned(&clients, owner).await.map_err(failed)?,
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

/// The attributes whose change replaces the resource.
fn replaced_by(model: &Model, prior: Option<&Model>, other_domain: bool) -> Vec<&'static str> {
    let Some(prior) = prior else {
        return Vec::new();
    };
    [
        ("region", prior.region != model.region),
        ("name", prior.name != model.name),
        ("vpc_id", prior.vpc_id != model.vpc_id),
        ("auth_mode", prior.auth_mode != model.auth_mode),
        ("kms_key_id", prior.kms_key_id != model.kms_key_id),
        ("existing_domain_id", other_domain),
    ]
    .into_iter()
    .filter_map(|(attribute, differs)| differs.then_some(attribute))
    .collect()
}

/// A domain that is replaced starts without its users' home folders.
fn check_replacement(prior: Option<&Model>, recorded: &Recorded, replaced: &[&str]) -> Result<(), Diagnostics> {
    let file_system =
        recorded.domain.as_ref().filter(|domain| !domain.adopted).and_then(|domain| domain.file_system_id.clone());
    let on_destroy = prior.and_then(|prior| prior.home_efs.known()).and_then(|efs| efs.on_destroy.text());
    let (Some(attribute), Some(file_system), true) = (replaced.first(), file_system, on_destroy != Some("delete"))
    else {
        return Ok(());
    };
    let text = format!(
        "A domain cannot change its {attribute}, so this would replace it, and the new one would start with an empty file system: the home folders of all users are in {file_system}, which would stay behind. If they are not needed, set home_efs.on_destroy to \"delete\" and apply that first; then the file system goes with the domain. If they are, make a second resource, copy them, and remove this one afterwards."
    );
    Err(Diagnostic::error("This would lose the home folders", text).at(Path::root(attribute)).into())
}

/// The file system cannot be taken away from a domain (UpdateDomain, SageMaker API reference).
fn check_home_efs(model: &Model, prior: Option<&Model>, recorded: &Recorded) -> Result<(), Diagnostics> {
    let enabled = |model: &Model| model.home_efs.known().and_then(|efs| efs.enabled.known().copied());
    let has = match &recorded.domain {
        // Of an adopted domain, the attribute says nothing.
        Some(domain) if domain.adopted => domain.file_system_id.is_some(),
        Some(_) | None => prior.and_then(enabled) == Some(true),
    };
    if prior.is_some() && has && enabled(model) == Some(false) {
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

/// What a run that was killed has left behind, if it never came to the domain. A domain that is there is either in use
/// by another configuration or to be imported; making another one of its name fails and says so.
async fn take_over(clients: &Clients, planned: Option<&Model>) -> Result<Recorded, Diagnostics> {
    let text = |value: Option<&Value<String>>| value.and_then(Value::text).unwrap_or_default().to_owned();
    let name = text(planned.map(|model| &model.name));
    let vpc_id = text(planned.map(|model| &model.vpc_id));
    if let Some(id) = planned.and_then(|model| model.existing_domain_id.text()) {
        return found_before(clients, &owner_of(clients, &vpc_id, id)).await;
    }
    let owner = owner_of(clients, &vpc_id, &name);
    let taken = preflight::name::check(clients, &name, &owner, Moment::Apply)
        .await
        .map_err(|error| aws_error("look for a domain of the same name", &error))?;
    if let Some(taken) = taken {
        return Err(taken.into());
    }
    found_before(clients, &owner).await
}

async fn found_before(clients: &Clients, owner: &str) -> Result<Recorded, Diagnostics> {
    let found = read::find::owned(clients, owner).await;
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
    Run {
        work: Work::start(clients.clone(), call, &recorded.owner, limit),
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
    let applied = Marks::of(&state, before);
    let mut model = project::project(state, &recorded, clients);
    model.drift = remaining(&model, &recorded, Some(applied));
    private.set(RECORDED, &recorded);
    Read { state: Some(model), private, diagnostics }
}

/// What was applied of the tags.
struct Marks {
    tags: Option<Tags>,
    notes: Option<Notes>,
}

impl Marks {
    fn of(state: &Model, recorded: &Recorded) -> Self {
        let desired = Desired::new(state, Some(state), recorded, None);
        Marks { tags: known_tags(&state.tags_all).into_known(), notes: changes::notes(&desired) }
    }
}

/// What would still have to be done to get what the model says, beside what its attributes show.
///
/// The domain's tags are shown by `tags_all`, its notes by what they are about. The other parts are held against the tags
/// that were applied: a tag that somebody put on the domain is not missing anywhere else.
fn remaining(model: &Model, recorded: &Recorded, applied: Option<Marks>) -> Value<Vec<String>> {
    let mut desired = Desired::new(model, Some(model), recorded, None);
    let mut recorded = recorded.clone();
    if let (Some(Marks { tags, notes }), Some(domain)) = (applied, &mut recorded.domain) {
        if notes.as_ref() == Some(&domain.notes) {
            domain.notes = changes::notes(&desired).unwrap_or_default();
        }
        if let Some(tags) = tags {
            domain.tags = tags.clone();
            desired.tags = Value::Known(tags);
        }
    }
    Value::Known(drift::drift(&plan::steps(Some(&desired), &recorded), &desired, &recorded))
}
