//! What there is of an object: as it was kept, as it is seen now, or as a run that was killed has left it.
//!
//! **Invariant:** changes nothing.

use std::collections::BTreeSet;

use super::key::STUDIO;
use super::lookup;
use super::model::Model;
use super::preflight::name::{self, Moment};
use super::read;
use super::recorded::Recorded;
use crate::aws::{AwsError, Clients};
use crate::framework::{Diagnostics, Private, Value};
use crate::resources::common::{RECORDED, aws_error, owner_id};

/// What is recorded of an object, or, where Terraform has not kept that, what its state leads to.
pub async fn recall(clients: &Clients, private: &Private, prior: &Model) -> Result<Recorded, AwsError> {
    match private.get(RECORDED) {
        Some(recorded) => Ok(recorded),
        None => read::refresh(clients, &Recorded::from_model(prior)).await,
    }
}

/// Looks at everything again, and at what the studio endpoint serves if that is not known.
pub async fn look_again(clients: &Clients, before: &Recorded) -> Result<Recorded, Diagnostics> {
    let found = read::refresh(clients, before).await.map_err(|error| aws_error("read the private domain", &error))?;
    with_private_names(clients, found).await
}

/// The same with the names that the studio endpoint's service answers for, which do not show on an endpoint.
pub async fn with_private_names(clients: &Clients, mut recorded: Recorded) -> Result<Recorded, Diagnostics> {
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
pub fn owner_of(clients: &Clients, vpc_id: &str, name: &str) -> String {
    let account = clients.account_id().map(ToString::to_string).unwrap_or_default();
    owner_id(&["private_domain", &account, clients.region().as_str(), vpc_id, name])
}

/// What a run that was killed has left behind, if it never came to the domain. A domain that is there is either in use
/// by another configuration or to be imported; making another one of its name fails and says so.
pub async fn take_over(clients: &Clients, planned: Option<&Model>) -> Result<Recorded, Diagnostics> {
    let text = |value: Option<&Value<String>>| value.and_then(Value::text).unwrap_or_default().to_owned();
    let called = text(planned.map(|model| &model.name));
    let vpc_id = text(planned.map(|model| &model.vpc_id));
    if let Some(id) = planned.and_then(|model| model.existing_domain_id.text()) {
        return found_before(clients, &owner_of(clients, &vpc_id, id)).await;
    }
    let owner = owner_of(clients, &vpc_id, &called);
    let taken = name::check(clients, &called, &owner, Moment::Apply)
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
