//! What is wanted of a presign policy.
//!
//! **Invariant:** pure; made from a model in which everything that AWS is asked for is known.

use std::collections::{BTreeMap, BTreeSet};

use super::schema::{AttachTo, Model, endpoint_kind, known_map, known_set};
use super::settings::{Documents, Settings};
use crate::aws::iam::attachment::Principal;
use crate::aws::{Tags, VpcEndpointId};
use crate::framework::Value;
use crate::policy::document::Document;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The policy's name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// What it is for.
    pub description: Option<String>,
    /// All tags.
    pub tags: Tags,
    /// Who it is attached to.
    pub attached: BTreeSet<Principal>,
    /// The endpoints whose policy is set, with the service that each is for.
    pub endpoints: BTreeMap<VpcEndpointId, String>,
    documents: Documents,
}

impl Desired {
    /// What a model wants. `None` while something that AWS would be asked for is not known: Terraform applies only what
    /// is, and to take it for nothing would detach and reset what is wanted.
    pub fn new(model: &Model) -> Option<Self> {
        let attach_to = match &model.attach_to {
            Value::Known(attach_to) => attach_to.clone(),
            Value::Null => AttachTo::default(),
            Value::Unknown => return None,
        };
        let roles = known_set(&attach_to.roles)?.into_iter().map(Principal::Role);
        let users = known_set(&attach_to.users)?.into_iter().map(Principal::User);
        let groups = known_set(&attach_to.groups)?.into_iter().map(Principal::Group);
        let endpoints = known_map(&model.endpoint_policies)?;
        Some(Desired {
            name: model.name.text().unwrap_or_default().to_owned(),
            path: model.path.text().unwrap_or("/").to_owned(),
            description: model.description.known().cloned(),
            tags: known_map(&model.tags_all)?,
            attached: roles.chain(users).chain(groups).collect(),
            endpoints: endpoints.into_iter().map(|(service, id)| (VpcEndpointId::from(id), service)).collect(),
            documents: Settings::of(model).documents(),
        })
    }

    /// Whether every document is known, so that it can be applied.
    pub fn is_complete(&self) -> bool {
        self.policy().is_some() && self.endpoints.values().all(|service| self.endpoint_policy(service).is_some())
    }

    /// The managed policy. `None` after the import of a policy whose rules could not be told: then whatever there is
    /// will do, until a configuration says more.
    pub fn policy(&self) -> Option<&Document> {
        self.documents.policy.as_ref()
    }

    /// The policy of an endpoint for this service.
    pub fn endpoint_policy(&self, service: &str) -> Option<&Document> {
        self.documents.endpoints.as_ref()?.get(&endpoint_kind(service)?)
    }
}
