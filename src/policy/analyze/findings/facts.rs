//! Findings about what was looked up.

use super::{Shown, by_route};
use crate::policy::analyze::space::{Choice, FROM_INTERNET, Found, PRINCIPAL, Rules};
use crate::policy::analyze::surroundings::{AuthMode, Domain, Endpoint, Service};
use crate::policy::analyze::systems::{Analysis, Kind, allow_all, anywhere};
use crate::policy::analyze::{Code, Finding, Severity, Stage};
use crate::policy::evaluate::{Attached, Decision, Layer, Truth, decide};
use crate::policy::inputs::{At, DomainArn, Key};
use crate::policy::paths::Accepted;
use crate::policy::simulation::NamedRequest;

pub(super) fn findings(analysis: &Analysis<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for domain in analysis.presign.domains() {
        let Some(known) = analysis.surroundings.domains.get(&domain.domain_id) else { continue };
        findings.extend(sso_domain(analysis, domain, known));
        for role in &known.execution_role_arns {
            findings.extend(execution_role(analysis, domain, role));
        }
    }
    for (id, endpoint) in &analysis.surroundings.endpoints {
        findings.extend(private_dns(analysis, id, endpoint));
        findings.extend(narrow_policy(analysis, id, endpoint));
    }
    findings
}

/// `CreatePresignedDomainUrl` is for domains with IAM sign-in only.
fn sso_domain(analysis: &Analysis<'_>, domain: &DomainArn, known: &Domain) -> Option<Finding> {
    match known.auth_mode {
        Some(AuthMode::Sso) => {}
        Some(AuthMode::Iam) | None => return None,
    }
    let resource = domain.user_profiles("ada");
    let only = [(super::super::space::RESOURCE, analysis.class(super::super::space::RESOURCE, &resource))];
    // Best shown by someone on a path, whom the documents let through.
    let system = analysis.primary();
    let search = |goal: &dyn Fn(&Choice) -> Truth| analysis.space().search(Rules { only: &only, ..anywhere() }, goal);
    let allowed = |choice: &Choice| match analysis.is_ordinary(choice) {
        Truth::No => Truth::No,
        ordinary => ordinary.and(analysis.allowed(system, choice)),
    };
    let choice = match (search(&allowed), search(&|choice| analysis.is_ordinary(choice))) {
        (Found::Yes(choice), _) | (_, Found::Yes(choice)) => choice,
        (Found::No | Found::CantTell(_), Found::No | Found::CantTell(_)) => return None,
    };
    let message = format!(
        "People sign in to {} through IAM Identity Center, and SageMaker makes presigned URLs only for domains with IAM sign-in: nobody gets one by the allowed paths, and the policy confines nobody. Restrict access in Identity Center, or take the domain out.",
        domain.domain_id
    );
    let shown = Shown { choice, stage: Some(Stage::Creation) };
    Some(analysis.finding(Code::SsoDomain, Severity::Error, system, &shown, message).at(At::DomainArns))
}

/// Studio's portal asks the execution role for the action when it opens an app. That is inferred
/// from what it shows people who lack it; AWS does not document it, nor from where it asks.
fn execution_role(analysis: &Analysis<'_>, domain: &DomainArn, role: &str) -> Option<Finding> {
    let is_attached = analysis.surroundings.callers.iter().any(|caller| caller.arn == role);
    let only = [(PRINCIPAL, analysis.caller(role))];
    let denied = |system: usize| {
        let found = analysis.space().search(Rules { only: &only, ..anywhere() }, |choice| {
            let off = analysis
                .tables
                .is_named(&analysis.intent, choice)
                .and(analysis.tables.is_on_any(&analysis.intent, choice).not());
            if off == Truth::No { Truth::No } else { off.and(analysis.allowed(system, choice).not()) }
        });
        match found {
            Found::Yes(choice) => Some(Shown { choice, stage: Some(Stage::Creation) }),
            Found::No | Found::CantTell(_) => None,
        }
    };
    let advice = format!(
        "Studio's portal seems to ask that role for the action when it opens an app; AWS does not document it. Try it in {}, or name the role in exempt_principal_arns.",
        domain.domain_id
    );
    let guard = analysis.system(&Kind::Guard).filter(|_| is_attached);
    if let Some((system, shown)) = guard.and_then(|system| Some((system, denied(system)?))) {
        let message = format!(
            "The policy is attached to the execution role {role} and denies it presigning off the allowed paths. {advice}"
        );
        return Some(analysis.finding(Code::ExecutionRoleRestricted, Severity::Warning, system, &shown, message));
    }
    let system = analysis.system(&Kind::Scp)?;
    let shown = denied(system)?;
    let message = format!(
        "As a service control policy, the guard also denies the execution role {role} presigning off the allowed paths. {advice}"
    );
    Some(analysis.finding(Code::ExecutionRoleRestricted, Severity::Info, system, &shown, message))
}

/// Names that do not lead to the endpoint lead to the internet.
fn private_dns(analysis: &Analysis<'_>, id: &str, endpoint: &Endpoint) -> Option<Finding> {
    let stage = match (&endpoint.service, endpoint.private_dns) {
        (Some(Service::Studio), Some(false)) => Stage::Use,
        (Some(Service::SagemakerApi), Some(false)) => Stage::Creation,
        (Some(Service::Studio | Service::SagemakerApi), Some(true) | None) | (Some(Service::Other(_)) | None, _) => {
            return None;
        }
    };
    let named = |path: &crate::policy::paths::Requirements| match path.get(&Key::SourceVpce) {
        Some(Accepted::Ids(ids)) => ids.contains(id),
        Some(Accepted::Networks(_)) | None => false,
    };
    let place = analysis.presign.paths_as_written().iter().position(named)?;
    let system = analysis.primary();
    let shown = analysis.at_stage(stage, |choice: &Choice| {
        let out = by_route(FROM_INTERNET, choice).and(analysis.is_ordinary(choice));
        if out == Truth::No { Truth::No } else { out.and(analysis.allowed(system, choice).not()) }
    })?;
    let message = format!(
        "Private DNS is off on the endpoint {id} for {}: where nothing else leads the service's names to it, requests leave through the internet, have no aws:SourceVpce and are denied. Turn private DNS on, or see that a private hosted zone answers for the names.",
        stage.endpoint().as_str()
    );
    Some(
        analysis
            .finding(Code::PrivateDnsOff, Severity::Warning, system, &shown, message)
            .at(At::PathList(place, Key::SourceVpce)),
    )
}

/// Calls that Studio's apps make through the endpoint of the SageMaker API when they have no other
/// way out, as resource types below a domain. A few that show a policy was written for presigning
/// alone, not all.
const OWN_CALLS: [(&str, &str); 6] = [
    ("sagemaker:CreateApp", "app/{domain}/ada/JupyterLab/default"),
    ("sagemaker:DescribeApp", "app/{domain}/ada/JupyterLab/default"),
    ("sagemaker:AddTags", "app/{domain}/ada/JupyterLab/default"),
    ("sagemaker:DescribeDomain", "domain/{domain}"),
    ("sagemaker:DescribeUserProfile", "user-profile/{domain}/ada"),
    ("sagemaker:ListApps", "*"),
];

fn narrow_policy(analysis: &Analysis<'_>, id: &str, endpoint: &Endpoint) -> Option<Finding> {
    if endpoint.service != Some(Service::SagemakerApi) {
        return None;
    }
    let policy = Attached { layer: Layer::Endpoint, document: endpoint.policy.clone()? };
    let policies = [allow_all(Layer::Identity), policy];
    let domain = analysis.presign.domains().next()?;
    let denied: Vec<NamedRequest> = OWN_CALLS
        .iter()
        .map(|(action, resource)| own_call(analysis, domain, action, resource, id))
        .filter(|call| match decide(&policies, &call.to_request()).decision {
            Decision::ImplicitDeny | Decision::ExplicitDeny => true,
            Decision::Allow | Decision::CantTell => false,
        })
        .collect();
    let actions: Vec<_> = denied.iter().map(|call| call.action.as_str()).collect();
    let message = format!(
        "The policy of the endpoint {id} denies {}: apps in a domain without internet access make these calls through it and break. Allow everything and deny presigning for other domains, as endpoint_policies does.",
        actions.join(", ")
    );
    let witness = denied.first()?.clone();
    Some(Finding { code: Code::NarrowApiEndpointPolicy, severity: Severity::Warning, message, witness, at: None })
}

fn own_call(analysis: &Analysis<'_>, domain: &DomainArn, action: &str, resource: &str, endpoint: &str) -> NamedRequest {
    let DomainArn { partition, region, account, domain_id } = domain;
    let resource = match resource {
        "*" => "*".to_owned(),
        resource => format!("arn:{partition}:sagemaker:{region}:{account}:{}", resource.replace("{domain}", domain_id)),
    };
    let known = analysis.surroundings.domains.get(domain_id);
    let role = known.and_then(|known| known.execution_role_arns.first()).cloned();
    let principal = role.unwrap_or_else(|| format!("arn:{partition}:iam::{account}:role/Scientist"));
    let value = |value: &str| Some(crate::policy::simulation::ContextValue::One(value.to_owned()));
    NamedRequest {
        name: Some(format!("an app calling {action} through {endpoint}")),
        action: action.to_owned(),
        resource,
        principal_arn: Some(principal),
        context: [("aws:SourceVpce".to_owned(), value(endpoint))].into(),
        unknown: Vec::new(),
    }
}
