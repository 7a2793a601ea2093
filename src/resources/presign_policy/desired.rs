//! What is wanted of a presign policy.
//!
//! **Invariant:** pure; made from a model in which everything that AWS is asked for is known.

use std::collections::{BTreeMap, BTreeSet};

use super::schema::{Model, endpoint_kind, known_map, known_set};
use super::settings::{Documents, Settings};
use crate::aws::iam::attachment::Principal;
use crate::aws::{Tags, VpcEndpointId};
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
    /// What a model wants. Terraform applies only what is wholly known, and keeps only what is.
    pub fn new(model: &Model) -> Self {
        let attach_to = model.attach_to.known().cloned().unwrap_or_default();
        let names = |strings| known_set(strings).unwrap_or_default().into_iter();
        let attached = names(&attach_to.roles)
            .map(Principal::Role)
            .chain(names(&attach_to.users).map(Principal::User))
            .chain(names(&attach_to.groups).map(Principal::Group));
        let endpoints = known_map(&model.endpoint_policies).unwrap_or_default();
        Desired {
            name: model.name.text().unwrap_or_default().to_owned(),
            path: model.path.text().unwrap_or("/").to_owned(),
            description: model.description.known().cloned(),
            tags: known_map(&model.tags_all).unwrap_or_default(),
            attached: attached.collect(),
            endpoints: endpoints.into_iter().map(|(service, id)| (VpcEndpointId::from(id), service)).collect(),
            documents: Settings::of(model).documents(),
        }
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
