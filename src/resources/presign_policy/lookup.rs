//! What is looked up before anything is made: the endpoints whose policy is to be set.
//!
//! **Invariant:** changes nothing.

use futures::future::join_all;

use super::plan;
use super::recorded::{Endpoint, Recorded};
use super::schema::{Model, endpoint_kind, kind_of_service};
use super::settings::Settings;
use crate::aws::ec2::vpc_endpoint::{EndpointState, VpcEndpoint, find_vpc_endpoint};
use crate::aws::tags::owner_and_part;
use crate::aws::{Clients, Kind, VpcEndpointId};
use crate::framework::{Diagnostic, Diagnostics, Path};
use crate::policy::document::Document;
use crate::policy::presign::EndpointKind;
use crate::resources::common::aws_error;

/// Checks the endpoints that are new to `endpoint_policies`: that they exist, and are for their service. Warns where one
/// has a policy that would be replaced.
pub async fn check_endpoints(clients: &Clients, model: &Model, recorded: &Recorded) -> Diagnostics {
    let given = model.endpoint_policies.known().into_iter().flatten();
    let new = given.filter_map(|(service, id)| {
        let id = VpcEndpointId::from(id.text()?);
        (!recorded.endpoints.contains_key(&id)).then_some((endpoint_kind(service)?, id))
    });
    let documents = Settings::of(model).documents().endpoints;
    let checks = new.map(async |(kind, id)| {
        let wanted = documents.as_ref().and_then(|documents| documents.get(&kind));
        check_endpoint(clients, kind, &id, wanted).await
    });
    join_all(checks).await.into_iter().flatten().collect()
}

async fn check_endpoint(
    clients: &Clients,
    kind: EndpointKind,
    id: &VpcEndpointId,
    wanted: Option<&Document>,
) -> Option<Diagnostic> {
    let path = Path::root("endpoint_policies").key(kind.as_str());
    let found = match find_vpc_endpoint(clients, id).await {
        Ok(found) => found.filter(|found| found.state != EndpointState::Deleting),
        // What may not be read is not checked; AWS refuses it later.
        Err(error) if error.kind == Kind::AccessDenied => return None,
        Err(error) => return Some(aws_error(&format!("look up {id}"), &error).at(path)),
    };
    let complaint = match found {
        None => {
            wrong(format!("There is no VPC endpoint {id} in {}, in the account of the credentials.", clients.region()))
        }
        Some(found) => complaint(kind, found, wanted)?,
    };
    Some(complaint.at(path))
}

fn complaint(kind: EndpointKind, found: VpcEndpoint, wanted: Option<&Document>) -> Option<Diagnostic> {
    if kind_of_service(&found.service_name) != Some(kind) {
        let text = format!("{} is an endpoint for {}, not for {}.", found.id, found.service_name, kind.as_str());
        return Some(wrong(text));
    }
    let id = found.id;
    let maker = owner_and_part(&found.tags).is_some();
    let endpoint = Endpoint { service: kind.as_str().to_owned(), document: found.policy };
    let is = |document: &Document| plan::is_policy_of(&endpoint, document);
    if is(&Document::full_access()) || wanted.is_none_or(is) {
        return None;
    }
    if maker {
        let text = format!(
            "{id} is an endpoint that a studio_private_domain made, and its policy there is neither full access nor the one that this resource would set: each of the two would undo what the other one did. Leave {kind:?} out of endpoint_policies and merge endpoint_policy_json[{kind:?}] into endpoints.policies of studio_private_domain, or take it out of endpoints.policies and apply that first.",
            kind = kind.as_str()
        );
        return Some(Diagnostic::error("Two resources would set the endpoint's policy", text));
    }
    let text = format!(
        "{id} has a policy other than full access. Applying replaces it; when the endpoint is taken out of endpoint_policies, or this resource is destroyed, full access is what the endpoint gets. To keep what it has, leave the endpoint out, and merge endpoint_policy_json into its policy where that is managed."
    );
    Some(Diagnostic::warning("The endpoint's policy will be replaced", text))
}

fn wrong(text: String) -> Diagnostic {
    Diagnostic::error("Invalid endpoint_policies", text)
}
