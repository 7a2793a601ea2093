//! What is looked up beyond the rules, so that the analysis knows endpoints, domains and callers.
//!
//! What may not be read is left out and noted: fewer findings are made then, and none is guessed.
//!
//! **Invariant:** changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::schema::{Model, endpoint_kind, kind_of_service, known_set};
use super::settings::Settings;
use crate::aws::ec2::vpc::find_vpc;
use crate::aws::ec2::vpc_endpoint::{EndpointState, VpcEndpoint, list_vpc_endpoints, list_vpc_endpoints_by_id};
use crate::aws::iam::attachment::Principal;
use crate::aws::iam::permissions::{Permissions, find_identity, read_permissions};
use crate::aws::sagemaker::domain::find_domain;
use crate::aws::{AwsError, Clients, DomainId, PolicyArn, Region, VpcEndpointId, VpcId, sagemaker};
use crate::framework::{Diagnostic, Value};
use crate::policy::analyze::{AuthMode, Caller, Domain, Endpoint, Service, Surroundings};
use crate::policy::document::Document;
use crate::policy::evaluate::{Attached, Layer};
use crate::policy::inputs::DomainArn;
use crate::policy::presign::EndpointKind;
use crate::resources::note::Note;

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// For the analysis.
    pub surroundings: Surroundings,
    /// What could not be looked up.
    pub note: Option<Diagnostic>,
}

/// Looks up what the rules name. `own` are the policies of this resource, which count through the rules alone.
pub async fn look(clients: &Clients, model: &Model, own: &BTreeSet<PolicyArn>) -> Seen {
    let mut note = Note::default();
    let (endpoints, vpcs, domains, callers) =
        tokio::join!(endpoints(clients, model), vpcs(clients, model), domains(clients, model), callers(clients, model));
    let mut seen = Seen::default();
    let found = note.settle("endpoints that the paths name", Some(endpoints)).unwrap_or_default();
    let beside = partners(clients, &found).await;
    for endpoint in found.into_iter().chain(note.settle("endpoints beside those", Some(beside)).unwrap_or_default()) {
        put_endpoint(&mut seen.surroundings, endpoint);
    }
    for (id, listed) in vpcs {
        let Some(Some(listed)) = note.settle("endpoints of the paths' VPCs", Some(listed)) else { continue };
        // Where there is none of either yet, they are likely to be made in the same run.
        if listed.iter().any(|endpoint| kind_of_service(&endpoint.service_name).is_some()) {
            seen.surroundings.complete_vpcs.insert(id.to_string());
        }
        for endpoint in listed {
            put_endpoint(&mut seen.surroundings, endpoint);
        }
    }
    for (domain, found) in domains {
        if let Some(Some(found)) = note.settle("the domains", Some(found)) {
            seen.surroundings.domains.insert(domain.domain_id, self::domain(&found));
        }
    }
    for (found, permissions) in callers {
        // One who is not there yet may be made in the same run, and is looked at when Terraform plans again in the apply.
        if let Some(Some(identity)) = note.settle("the roles and users that the policy is attached to", Some(found)) {
            let permissions = note.settle("what else roles and users are allowed", permissions);
            let policies = permissions.and_then(|permissions| attached(permissions, own));
            seen.surroundings.callers.push(Caller { arn: identity.arn, policies });
        }
    }
    plan_endpoint_policies(&mut seen.surroundings, model);
    seen.note = note.into_diagnostic();
    seen
}

async fn endpoints(clients: &Clients, model: &Model) -> Result<Vec<VpcEndpoint>, AwsError> {
    let paths = model.allowed.known().into_iter().flatten().filter_map(Value::known);
    let named = paths.flat_map(|path| path.vpc_endpoint_ids.known().into_iter().flatten());
    let set = model.endpoint_policies.known().into_iter().flatten().map(|(_, id)| id);
    let ids: BTreeSet<VpcEndpointId> = named.chain(set).filter_map(Value::text).map(VpcEndpointId::from).collect();
    if ids.is_empty() { Ok(Vec::new()) } else { list_vpc_endpoints_by_id(clients, &ids).await }
}

/// The endpoints of VPCs in which only one of the two that are needed is named: what to add can be said then.
async fn partners(clients: &Clients, named: &[VpcEndpoint]) -> Result<Vec<VpcEndpoint>, AwsError> {
    let mut kinds: BTreeMap<&VpcId, BTreeSet<&'static str>> = BTreeMap::new();
    for endpoint in named {
        if let Some(kind) = kind_of_service(&endpoint.service_name) {
            kinds.entry(&endpoint.vpc_id).or_default().insert(kind.as_str());
        }
    }
    let lacking = kinds.into_iter().filter(|(_, kinds)| kinds.len() < EndpointKind::ALL.len()).map(|(vpc, _)| vpc);
    let listed = join_all(lacking.map(|vpc| list_vpc_endpoints(clients, vpc, None))).await;
    let listed: Vec<Vec<VpcEndpoint>> = listed.into_iter().collect::<Result<_, _>>()?;
    Ok(listed.into_iter().flatten().filter(|endpoint| kind_of_service(&endpoint.service_name).is_some()).collect())
}

/// The endpoints of each VPC that a path names, if it is one of this account: what others have made in theirs cannot be
/// seen.
async fn vpcs(clients: &Clients, model: &Model) -> Vec<(VpcId, Result<Option<Vec<VpcEndpoint>>, AwsError>)> {
    let paths = model.allowed.known().into_iter().flatten().filter_map(Value::known);
    let named = paths.flat_map(|path| path.vpc_ids.known().into_iter().flatten());
    let ids: BTreeSet<VpcId> = named.filter_map(Value::text).map(VpcId::from).collect();
    let list = async |id: &VpcId| {
        let found = find_vpc(clients, id).await?;
        let is_own = found.is_some_and(|vpc| vpc.owner_id.is_none() || vpc.owner_id.as_ref() == clients.account_id());
        Ok(if is_own { Some(list_vpc_endpoints(clients, id, None).await?) } else { None })
    };
    join_all(ids.iter().map(async |id| (id.clone(), list(id).await))).await
}

type FoundDomain = Result<Option<sagemaker::domain::Domain>, AwsError>;

async fn domains(clients: &Clients, model: &Model) -> Vec<(DomainArn, FoundDomain)> {
    let is_own = |domain: &DomainArn| clients.account_id().is_none_or(|account| account.as_str() == domain.account);
    let domains = Settings::of(model).domains().into_iter().filter(is_own);
    join_all(domains.map(async |domain| {
        let clients = clients.in_region(&Region::from(domain.region.as_str()));
        let found = find_domain(&clients, &DomainId::from(domain.domain_id.as_str())).await;
        (domain, found)
    }))
    .await
}

type FoundCaller =
    (Result<Option<crate::aws::iam::permissions::Identity>, AwsError>, Option<Result<Permissions, AwsError>>);

async fn callers(clients: &Clients, model: &Model) -> Vec<FoundCaller> {
    let Some(to) = model.attach_to.known() else { return Vec::new() };
    let roles = known_set(&to.roles).unwrap_or_default().into_iter().map(Principal::Role);
    let users = known_set(&to.users).unwrap_or_default().into_iter().map(Principal::User);
    join_all(roles.chain(users).map(async |principal| {
        let found = find_identity(clients, &principal).await;
        let permissions = match &found {
            Ok(Some(identity)) => Some(read_permissions(clients, &principal, identity.boundary.as_ref()).await),
            Ok(None) | Err(_) => None,
        };
        (found, permissions)
    }))
    .await
}

fn put_endpoint(surroundings: &mut Surroundings, found: VpcEndpoint) {
    if matches!(found.state, EndpointState::Deleting | EndpointState::Deleted) {
        return;
    }
    let service = match kind_of_service(&found.service_name) {
        Some(EndpointKind::Studio) => Service::Studio,
        Some(EndpointKind::SagemakerApi) => Service::SagemakerApi,
        None => Service::Other(found.service_name),
    };
    let endpoint = Endpoint {
        service: Some(service),
        vpc_id: Some(found.vpc_id.to_string()),
        private_dns: Some(found.private_dns_enabled),
        policy: match found.policy {
            None => Some(Document::full_access()),
            Some(text) => Document::parse(&text).ok(),
        },
    };
    surroundings.endpoints.insert(found.id.to_string(), endpoint);
}

/// An endpoint whose policy is about to be set has that policy.
fn plan_endpoint_policies(surroundings: &mut Surroundings, model: &Model) {
    let documents = Settings::of(model).documents().endpoints;
    for (service, id) in model.endpoint_policies.known().into_iter().flatten() {
        let wanted = endpoint_kind(service).and_then(|kind| documents.as_ref()?.get(&kind));
        if let Some(endpoint) = id.text().and_then(|id| surroundings.endpoints.get_mut(id)) {
            endpoint.policy = wanted.cloned();
        }
    }
}

fn domain(found: &sagemaker::domain::Domain) -> Domain {
    Domain {
        auth_mode: found.auth_mode.map(|mode| match mode {
            sagemaker::domain::AuthMode::Iam => AuthMode::Iam,
            sagemaker::domain::AuthMode::Sso => AuthMode::Sso,
        }),
        execution_role_arns: found.default_user_settings.execution_role.iter().map(ToString::to_string).collect(),
    }
}

/// All that applies beside our own policies. `None` where one of them cannot be understood.
fn attached(permissions: Permissions, own: &BTreeSet<PolicyArn>) -> Option<Vec<Attached>> {
    let others = permissions.managed.into_iter().filter(|(arn, _)| !own.contains(arn)).map(|(_, text)| text);
    let identity = others.chain(permissions.inline).map(|text| (Layer::Identity, text));
    let boundary = permissions.boundary.into_iter().map(|text| (Layer::Boundary, text));
    let parse = |(layer, text): (Layer, String)| Some(Attached { layer, document: Document::parse(&text).ok()? });
    identity.chain(boundary).map(parse).collect()
}

/// The policies by which callers are told apart from what this resource gives them: those that were made, and those
/// of the same name that a run which was killed has left.
pub fn own_policies(
    clients: &Clients,
    model: &Model,
    made: impl IntoIterator<Item = PolicyArn>,
) -> BTreeSet<PolicyArn> {
    let mut own: BTreeSet<PolicyArn> = made.into_iter().collect();
    if let (Some(account), Some(name)) = (clients.account_id(), model.name.text()) {
        let path = model.path.text().unwrap_or("/");
        let partition = clients.partition().name;
        own.insert(PolicyArn::from(format!("arn:{partition}:iam::{account}:policy{path}{name}")));
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

    #[test]
    fn our_own_policy_does_not_count_as_another_one() {
        let arn = PolicyArn::from("arn:aws:iam::123456789012:policy/presign");
        let permissions = |arn: &PolicyArn| Permissions {
            managed: vec![(arn.clone(), ALLOW.to_owned())],
            inline: vec![ALLOW.to_owned()],
            boundary: Some(ALLOW.to_owned()),
        };
        let own = BTreeSet::from([arn.clone()]);
        let layers = |arn: &PolicyArn| -> Vec<Layer> {
            attached(permissions(arn), &own).unwrap().into_iter().map(|policy| policy.layer).collect()
        };
        assert_eq!(layers(&arn), [Layer::Identity, Layer::Boundary]);
        assert_eq!(layers(&"other".into()), [Layer::Identity, Layer::Identity, Layer::Boundary]);
    }

    #[test]
    fn a_policy_that_cannot_be_understood_leaves_it_open_what_a_caller_may_do() {
        let permissions = Permissions { managed: Vec::new(), inline: vec!["no policy".to_owned()], boundary: None };
        assert_eq!(attached(permissions, &BTreeSet::new()), None);
    }
}
