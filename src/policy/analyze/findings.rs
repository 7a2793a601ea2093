//! The findings: each a search for a class of requests that shows it.
//!
//! **Invariant:** no finding without a search that found something, or that went through every class
//! and found nothing.

mod documents;
mod facts;
mod paths;

use std::collections::BTreeMap;

use super::space::{ADDRESS, Choice, ENDPOINT, FROM_INTERNET, Found, ROUTE, THROUGH_ENDPOINT, VPC_ADDRESS};
use super::systems::{Analysis, Kind, at};
use super::{Code, Finding, Severity, Stage};
use crate::policy::evaluate::Truth;
use crate::policy::inputs::{At, DomainArn, InputError, Problem, check_domain_arn};
use crate::policy::presign::{PRESIGN, PresignSettings};
use crate::policy::simulation::{ContextValue, NamedRequest};

/// All findings, in no order.
pub(super) fn all(analysis: &Analysis<'_>) -> Vec<Finding> {
    let mut findings = paths::findings(analysis);
    findings.extend(documents::findings(analysis, &findings));
    findings.extend(facts::findings(analysis));
    findings
}

/// The finding behind an error about a path that asks nothing, or for one value out of none. There are no documents for
/// it: the witness is who would be on such a path, or whom it was meant for.
pub(super) fn empty_path(settings: &PresignSettings, error: &InputError) -> Option<Finding> {
    let (message, name) = match error.problem {
        Problem::EmptyPath => (
            format!(
                "{} asks nothing, so every request from anywhere would be on it, and whoever has the caller's credentials would be let in. Give it endpoints, VPCs or address ranges.",
                error.at
            ),
            "anyone on the internet",
        ),
        Problem::EmptyList => (
            format!(
                "{} is an empty list, so no request is on this path, and those for whom it is meant are locked out. Leave the list out to ask nothing there, or fill it.",
                error.at
            ),
            "someone whom the path does not take",
        ),
        _ => return None,
    };
    let domain = settings.domain_arns.iter().find_map(|arn| check_domain_arn(arn).ok());
    let role =
        |DomainArn { partition, account, .. }: &DomainArn| format!("arn:{partition}:iam::{account}:role/Scientist");
    let witness = NamedRequest {
        name: Some(name.to_owned()),
        action: PRESIGN.to_owned(),
        resource: domain.as_ref().map(|domain| domain.user_profiles("ada")).unwrap_or_default(),
        principal_arn: domain.as_ref().map(role),
        context: BTreeMap::from([("aws:SourceIp".to_owned(), Some(ContextValue::One("192.0.2.44".to_owned())))]),
        unknown: Vec::new(),
    };
    let at = Some(error.at.clone());
    Some(Finding { code: Code::EmptyPath, severity: Severity::Error, message, witness, at })
}

impl Analysis<'_> {
    /// A finding shown by a class of requests.
    fn finding(&self, code: Code, severity: Severity, system: usize, shown: &Shown, message: String) -> Finding {
        let name = self.describe(&shown.choice, shown.stage);
        let witness = self.witness(system, &shown.choice, name);
        Finding { code, severity, message, witness, at: None }
    }

    /// The request in a few words.
    fn describe(&self, choice: &Choice, stage: Option<Stage>) -> String {
        let value = |dimension: usize| {
            let class = choice[dimension]?;
            self.space().dimensions[dimension].classes[class].value.as_deref()
        };
        let what = match stage {
            Some(Stage::Creation) => "making a URL",
            Some(Stage::Use) => "using a URL",
            None => "making or using a URL",
        };
        let route = match choice[ROUTE] {
            Some(THROUGH_ENDPOINT) => {
                format!(
                    "through {} from {}",
                    value(ENDPOINT).unwrap_or_default(),
                    value(VPC_ADDRESS).unwrap_or_default()
                )
            }
            Some(FROM_INTERNET) => format!("over the internet from {}", value(ADDRESS).unwrap_or_default()),
            Some(_) | None => "by an AWS service from within AWS".to_owned(),
        };
        format!("{what} {route}")
    }

    /// Looks for a class at either stage.
    fn at_any_stage(&self, goal: impl Fn(&Choice) -> Truth) -> Option<Shown> {
        Stage::ALL.into_iter().find_map(|stage| self.at_stage(stage, &goal))
    }

    fn at_stage(&self, stage: Stage, goal: impl Fn(&Choice) -> Truth) -> Option<Shown> {
        match self.space().search(at(stage), goal) {
            Found::Yes(choice) => Some(Shown { choice, stage: Some(stage) }),
            Found::No | Found::CantTell(_) => None,
        }
    }

    /// Whether the request is of an ordinary caller for one of the domains.
    fn is_ordinary(&self, choice: &Choice) -> Truth {
        self.tables.is_named(&self.intent, choice).and(self.tables.is_out_of_the_ordinary(&self.intent, choice).not())
    }
}

/// A class of requests, and when they are made if that matters.
struct Shown {
    choice: Choice,
    stage: Option<Stage>,
}

/// Whether the request takes a route.
fn by_route(route: usize, choice: &Choice) -> Truth {
    choice[ROUTE].map_or(Truth::Unknown, |chosen| Truth::from(chosen == route))
}

impl Finding {
    fn at(mut self, at: At) -> Self {
        self.at = Some(at);
        self
    }
}

impl Kind {
    /// The policy in words, with an article.
    fn describe(&self, analysis: &Analysis<'_>) -> String {
        match self {
            Self::Guard | Self::Grant => "the identity policy".to_owned(),
            Self::Scp => "the service control policy".to_owned(),
            Self::Endpoint(kind) => format!("the policy for the {} endpoint", kind.as_str()),
            Self::Through(id) => format!("the policy of the endpoint {id}"),
            Self::Caller(index) => format!("what {} is given", analysis.surroundings.callers[*index].arn),
        }
    }
}
