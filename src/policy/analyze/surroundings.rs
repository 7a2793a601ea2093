//! What is known beyond the settings: endpoints, domains, callers.
//!
//! **Invariant:** what is missing here is not guessed. A finding that needs it is not made.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::document::Document;
use crate::policy::evaluate::Attached;

/// What was looked up. The default knows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// VPC endpoints, by id: those that the paths name, and any others that were found.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// VPCs of which all endpoints for `studio` and `sagemaker.api` are in `endpoints`.
    pub complete_vpcs: BTreeSet<String>,
    /// The domains, by id.
    pub domains: BTreeMap<String, Domain>,
    /// The roles and users that the policy is attached to.
    pub callers: Vec<Caller>,
}

/// A VPC endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// What it leads to.
    pub service: Option<Service>,
    /// The VPC that it is in.
    pub vpc_id: Option<String>,
    /// Whether the service's public names lead to it inside its VPC. `None` where that is not known, or something else
    /// than private DNS decides it.
    pub private_dns: Option<bool>,
    /// Its policy, as it is or is about to be.
    pub policy: Option<Document>,
}

/// What an endpoint leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Studio, where a URL is used.
    Studio,
    /// The SageMaker API, where a URL is made.
    SagemakerApi,
    /// Another service, by its name.
    Other(String),
}

/// A SageMaker domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Domain {
    /// How people sign in.
    pub auth_mode: Option<AuthMode>,
    /// The roles with which its apps run.
    pub execution_role_arns: BTreeSet<String>,
}

/// How people sign in to a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// With presigned URLs.
    Iam,
    /// Through IAM Identity Center.
    Sso,
}

/// A role or a user that the policy is attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its ARN, as `aws:PrincipalArn` has it.
    pub arn: String,
    /// All that applies to it beside this policy: attached and inline policies, those of its
    /// groups, its boundary. `None` if that could not be read.
    pub policies: Option<Vec<Attached>>,
}
