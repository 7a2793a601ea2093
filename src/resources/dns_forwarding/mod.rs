//! `studio_dns_forwarding`: the way from corporate DNS to the VPC, and from other VPCs.
//!
//! | file | what stands there |
//! | --- | --- |
//! | `schema.rs`, `model.rs`, `validate.rs` | the attributes, and how they fit each other |
//! | `desired.rs`, `forwarding.rs` | what is wanted |
//! | `recorded.rs`, `read.rs`, `find.rs` | what there is |
//! | `key.rs`, `plan.rs`, `changes.rs` | the parts, what differs, and in which order it is changed |
//! | `addresses.rs` | how addresses are changed without a gap |
//! | `principal.rs`, `sharing.rs` | with whom rules are shared |
//! | `apply/` | the AWS calls, one file for each kind of part |
//! | `lookup.rs`, `preflight.rs` | what is looked up before anything is made |
//! | `project.rs`, `drift.rs`, `unknown.rs` | what Terraform is shown |

pub mod addresses;
pub mod apply;
pub mod changes;
pub mod desired;
pub mod drift;
pub mod find;
pub mod forwarding;
pub mod key;
pub mod lookup;
pub mod model;
pub mod plan;
pub mod preflight;
pub mod principal;
pub mod project;
pub mod read;
pub mod recorded;
pub mod schema;
pub mod sharing;
pub mod unknown;
pub mod validate;

#[cfg(test)]
mod tests;

use async_trait::async_trait;

use crate::aws::route53resolver::endpoint::Direction;
use crate::aws::{AwsError, Clients, ResolverEndpointId};
use crate::connection::Connection;
use crate::framework::schema::Schema;
use crate::framework::{
    Applied, ApplyRequest, Call, Diagnostic, Diagnostics, PlanRequest, Planned, Private, Read, Resource, Value,
};
use crate::resources::common::{CONCURRENT_STEPS, Operation, RECORDED, Work, aws_error, explain, owner_id, tags_all};
use crate::resources::note::Note;
use crate::resources::values::{id_and_region, planned_region};
use crate::steps;
use apply::Run;
use desired::Desired;
use key::Key;
use model::Model;
use recorded::{End, Group, Recorded};

/// The resource.
pub struct DnsForwarding {
    connection: Connection,
}

impl DnsForwarding {
    /// The resource, on the provider's connection.
    pub fn new(connection: Connection) -> Self {
        DnsForwarding { connection }
    }
}

#[async_trait]
impl Resource for DnsForwarding {
    type Model = Model;

    fn type_name(&self) -> &'static str {
        "studio_dns_forwarding"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn validate(&self, config: &Model) -> Diagnostics {
        validate::validate(config)
    }

    async fn plan(&self, _call: &Call, request: PlanRequest<Model>) -> Result<Planned<Model>, Diagnostics> {
        let prior = request.prior.as_ref();
        let mut model = request.proposed;
        let clients = self.connection.clients(request.config.region.text())?;
        model.region = planned_region(&request.config.region, prior.map(|prior| &prior.region), clients.as_ref());
        let mut recorded = recorded_of(prior, &request.private);
        let mut note = Note::default();
        if let Some(clients) = clients.as_ref().filter(|_| lookup::is_needed(&model, prior)) {
            lookup::check(clients, &model, &mut note).await?;
            adopt(clients, &model, &mut recorded).await?;
        }
        let (replace, mut diagnostics) = plan_results(&mut model, &request.config, prior, clients.as_ref(), &recorded)?;
        // A plan that replaces is made again as a creation, and checked then.
        if let Some(clients) = clients.as_ref().filter(|_| replace.is_empty()) {
            let replaced: Option<Recorded> = request.private.get(RECORDED).filter(|_| prior.is_none());
            diagnostics.extend(preflight(clients, &model, prior, &recorded, replaced.as_ref(), &mut note).await);
        }
        diagnostics.extend(note.into_diagnostic());
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        Ok(Planned { state: model, replace, private: request.private, diagnostics })
    }

    async fn apply(&self, call: &Call, request: ApplyRequest<Model>) -> Applied<Model> {
        let model = request.planned.as_ref().or(request.prior.as_ref());
        match self.connection.known_clients(model.and_then(|model| model.region.text())) {
            Ok(clients) => apply_with(clients, call, request).await,
            Err(diagnostics) => Applied { state: request.prior, private: request.private, diagnostics },
        }
    }

    async fn read(&self, _call: &Call, state: Model, private: Private) -> Read<Model> {
        let clients = match self.connection.clients(state.region.text()) {
            Ok(Some(clients)) => clients,
            // Nothing can be read yet; what is there stays.
            Ok(None) => return Read { state: Some(state), private, diagnostics: Diagnostics::new() },
            Err(diagnostics) => return Read { state: Some(state), private, diagnostics },
        };
        match look(&clients, &state, &private).await {
            Ok(found) => after_read(&clients, state, found, private),
            Err(error) => {
                let diagnostics = aws_error("read the DNS forwarding", &error).into();
                Read { state: Some(state), private, diagnostics }
            }
        }
    }

    async fn import(&self, _call: &Call, id: &str) -> Result<(Model, Private), Diagnostics> {
        let (id, region) = id_and_region(id);
        let clients = self.connection.known_clients(region)?;
        let recorded = find_for_import(&clients, id).await?;
        let mut private = Private::default();
        private.set(RECORDED, &recorded);
        let model = project::imported(&recorded, clients.region().as_str());
        Ok((project::project(model, &recorded, clients.region().as_str(), clients.default_tags()), private))
    }
}

/// What was recorded of the object that is there. A creation that replaces it starts from nothing, although Terraform
/// hands over what was kept for the old one.
fn recorded_of(prior: Option<&Model>, private: &Private) -> Recorded {
    prior.and_then(|_| private.get(RECORDED)).unwrap_or_default()
}

async fn preflight(
    clients: &Clients,
    model: &Model,
    prior: Option<&Model>,
    recorded: &Recorded,
    replaced: Option<&Recorded>,
    note: &mut Note,
) -> Diagnostics {
    let owner = owner(clients, model.vpc_id.text().unwrap_or_default(), model.name.text().unwrap_or_default());
    let owner = if recorded.owner.is_empty() { &owner } else { &recorded.owner };
    preflight::check(clients, &preflight::Subject { model, prior, recorded, replaced, owner }, note).await
}

/// Puts an endpoint that is to be adopted on record. Nothing about it is changed by that.
async fn adopt(clients: &Clients, model: &Model, recorded: &mut Recorded) -> Result<(), Diagnostics> {
    if let Some(endpoint) = lookup::adopted(clients, model).await? {
        recorded.inbound = End { group: None, endpoint: Some(endpoint) };
    }
    Ok(())
}

/// The computed attributes, as far as they are known, and what forces a replacement.
fn plan_results(
    model: &mut Model,
    config: &Model,
    prior: Option<&Model>,
    clients: Option<&Clients>,
    recorded: &Recorded,
) -> Result<(Vec<crate::framework::Path>, Diagnostics), Diagnostics> {
    model.tags_all = tags_all(clients, &model.tags)
        .map(|tags| tags.into_iter().map(|(key, value)| (key, Value::Known(value))).collect());
    model.drift = Value::Known(Vec::new());
    if !model.existing_inbound_endpoint_id.is_null() {
        show_existing(model, config, recorded);
    }
    let zones = forwarding::forward_zones(model)?;
    let desired = Desired::new(model);
    let retiring = plan::retiring(&desired, recorded);
    if prior.is_some() {
        unknown::mark_unknown(&plan::steps(Some(&desired), &retiring), model);
    } else if !desired.makes_group() && !desired.own_groups.is_unknown() {
        model.security_group_id = Value::Null;
    }
    unknown::outbound_results(&desired, &retiring, model);
    model.inbound_ips = changes::inbound_ips(&desired, recorded);
    model.forwarder_configs = forwarding::configs(&zones, &model.inbound_ips);
    model.forward_zones = zones.map(|zones| zones.iter().map(ToString::to_string).collect());
    let loops: Diagnostics = validate::loops(model).into_iter().collect();
    if loops.has_errors() {
        return Err(loops);
    }
    let replace = if prior.is_some() { plan::replacing(&desired, recorded) } else { Vec::new() };
    Ok((replace, forwarding::wide_zones(model).into_iter().chain(forwarding::gaps(model)).collect()))
}

/// What an endpoint that exists already has, in place of defaults.
fn show_existing(model: &mut Model, config: &Model, recorded: &Recorded) {
    let endpoint = recorded.inbound.endpoint.as_ref();
    let endpoint = endpoint.filter(|one| model.existing_inbound_endpoint_id.text() == Some(one.id.as_str()));
    if config.protocols.is_null() {
        model.protocols = endpoint.map_or(Value::Unknown, |one| crate::resources::values::strings(&one.protocols));
    }
    if config.ip_address_type.is_null() {
        model.ip_address_type = endpoint.map_or(Value::Unknown, |one| one.address_type.as_str().into());
    }
}

async fn apply_with(clients: Clients, call: &Call, request: ApplyRequest<Model>) -> Applied<Model> {
    let ApplyRequest { prior, planned, mut private, .. } = request;
    let operation = Operation::of(prior.as_ref(), planned.as_ref());
    let ready = prepare(&clients, prior.as_ref(), planned.as_ref(), &private);
    let (before, organization) = match sharing::with_organization(&clients, planned.as_ref(), ready).await {
        Ok(ready) => ready,
        Err(diagnostics) => return Applied { state: prior, private, diagnostics },
    };
    let mut recorded = before.clone();
    let work = start(&clients, call, operation, prior.as_ref(), planned.as_ref(), &recorded.owner);
    let run = Run { work, desired: planned.as_ref().map(Desired::new), organization };
    if let Some(desired) = &run.desired {
        recorded = plan::retiring(desired, &recorded);
    }
    let steps = plan::steps(run.desired.as_ref(), &recorded);
    let report = steps::run(&run, steps, &mut recorded, CONCURRENT_STEPS, &call.stop).await;
    let mut diagnostics = explain(operation, &report, &recorded.parts(), Key::name);
    diagnostics.extend(sharing::invitations(&before, &recorded));
    if let Err(error) = apply::unmark(&run.work, &mut recorded).await {
        diagnostics.push(aws_error("finish the endpoints", &error));
    }
    private.set(RECORDED, &recorded);
    let state = planned.or(prior).filter(|_| !recorded.is_empty());
    let state =
        state.map(|model| project::project(model, &recorded, clients.region().as_str(), clients.default_tags()));
    Applied { state, private, diagnostics }
}

/// What is known to exist before the first step, with what was unknown at plan checked now.
async fn prepare(
    clients: &Clients,
    prior: Option<&Model>,
    planned: Option<&Model>,
    private: &Private,
) -> Result<Recorded, Diagnostics> {
    match (prior, planned) {
        (None, Some(planned)) => {
            lookup::check(clients, planned, &mut Note::default()).await?;
            let mut left = take_over(clients, planned).await?;
            adopt(clients, planned, &mut left).await?;
            Ok(left)
        }
        (Some(prior), planned) => {
            if let Some(planned) = planned.filter(|planned| lookup::is_needed(planned, Some(prior))) {
                lookup::check(clients, planned, &mut Note::default()).await?;
            }
            match private.get(RECORDED) {
                Some(recorded) => Ok(recorded),
                None => {
                    recall(clients, prior).await.map_err(|error| aws_error("read the DNS forwarding", &error).into())
                }
            }
        }
        (None, None) => Ok(Recorded::default()),
    }
}

/// What a state leads to. When Terraform replaces a tainted object, it hands the destruction the private data of the new
/// plan, not those of the object.
async fn recall(clients: &Clients, state: &Model) -> Result<Recorded, AwsError> {
    let adopted = !state.existing_inbound_endpoint_id.is_null();
    if let Some(id) = state.id.text().filter(|_| !adopted) {
        return match read::read_endpoint(clients, &ResolverEndpointId::from(id), &[]).await? {
            Some(endpoint) => find::made_with(clients, endpoint).await,
            None => Ok(Recorded::default()),
        };
    }
    let group = state.security_group_id.text().map(Group::unseen);
    let mut recorded = Recorded { inbound: End { group, endpoint: None }, ..Recorded::default() };
    if let Some(id) = state.id.text() {
        let endpoint = read::read_endpoint(clients, &ResolverEndpointId::from(id), &[]).await?;
        recorded.inbound.endpoint = endpoint.map(recorded::Endpoint::adopted);
        recorded.owner = owner(clients, state.vpc_id.text().unwrap_or_default(), state.name.text().unwrap_or_default());
        find::outbound_of(clients, &mut recorded, state.outbound_endpoint_id.text()).await?;
    }
    read::refresh(clients, &recorded).await
}

/// What a run that was killed has left behind.
async fn take_over(clients: &Clients, planned: &Model) -> Result<Recorded, Diagnostics> {
    let text = |value: &Value<String>| value.text().unwrap_or_default().to_owned();
    let (name, vpc_id) = (text(&planned.name), text(&planned.vpc_id));
    let owner = owner(clients, &vpc_id, &name);
    let left = find::left_behind(clients, &owner, &name)
        .await
        .map_err(|error| aws_error("look for parts of an earlier run", &error))?;
    match &left.inbound.endpoint {
        Some(endpoint) if !plan::is_of_use(&Desired::new(planned), &left) => {
            let text = format!(
                "An earlier run that was broken off has left the inbound endpoint {} with security groups or a family of addresses that cannot be changed. Nothing was changed. Delete it, then apply again.",
                endpoint.id
            );
            Err(Diagnostic::error("An endpoint of an earlier run is in the way", text).into())
        }
        Some(_) | None => Ok(left),
    }
}

fn owner(clients: &Clients, vpc_id: &str, name: &str) -> String {
    let account = clients.account_id().map(ToString::to_string).unwrap_or_default();
    owner_id(&["dns_forwarding", &account, clients.region().as_str(), vpc_id, name])
}

fn start(
    clients: &Clients,
    call: &Call,
    operation: Operation,
    prior: Option<&Model>,
    planned: Option<&Model>,
    owner: &str,
) -> Work {
    let limit = planned.or(prior).map_or(Value::Null, |model| operation.limit(&model.timeouts));
    Work::start(clients.clone(), call, owner, &limit)
}

/// What was found of an object.
struct Found {
    recorded: Recorded,
    is_gone: bool,
}

/// Looks at what is recorded, or, where the record was lost, at what the state names.
async fn look(clients: &Clients, state: &Model, private: &Private) -> Result<Found, AwsError> {
    let Some(before) = private.get::<Recorded>(RECORDED) else {
        let recorded = recall(clients, state).await?;
        let is_gone = recorded.is_empty() || (state.id.is_known() && recorded.inbound.endpoint.is_none());
        return Ok(Found { recorded, is_gone });
    };
    let recorded = read::refresh(clients, &before).await?;
    // An endpoint that was never made is not gone.
    let is_gone = recorded.is_empty() || (before.inbound.endpoint.is_some() && recorded.inbound.endpoint.is_none());
    Ok(Found { recorded, is_gone })
}

fn after_read(clients: &Clients, state: Model, found: Found, mut private: Private) -> Read<Model> {
    let diagnostics = Diagnostics::new();
    if found.is_gone {
        return Read { state: None, private, diagnostics };
    }
    private.set(RECORDED, &found.recorded);
    let model = project::project(state, &found.recorded, clients.region().as_str(), clients.default_tags());
    Read { state: Some(model), private, diagnostics }
}

async fn find_for_import(clients: &Clients, id: &str) -> Result<Recorded, Diagnostics> {
    let failed = |error| Diagnostics::from(aws_error("import the inbound endpoint", &error));
    if !id.starts_with("rslvr-in-") {
        let text = format!("{id:?} is not the id of an inbound Resolver endpoint, such as rslvr-in-0123456789abcdef0.");
        return Err(Diagnostic::error("Invalid import id", text).into());
    }
    let found = read::find_endpoint(clients, &ResolverEndpointId::from(id)).await.map_err(failed)?;
    let Some((_, endpoint)) = found.filter(|(found, _)| found.direction == Some(Direction::Inbound)) else {
        let text =
            format!("There is no inbound endpoint {id} in {}, in the account of the credentials.", clients.region());
        return Err(Diagnostic::error("There is nothing to import", text).into());
    };
    let mut found = find::made_with(clients, endpoint).await.map_err(failed)?;
    if let (true, Some(endpoint)) = (found.owner.is_empty(), &found.inbound.endpoint) {
        found.owner = owner(clients, &endpoint.vpc_id, &endpoint.name);
    }
    Ok(found)
}
