//! What is known to exist of a presign policy: kept in the private data, refreshed by every read.
//!
//! **Invariant:** holds what AWS said, never what was wanted.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::schema::{AttachTo, Model, known_set};
use crate::aws::iam::attachment::Principal;
use crate::aws::{PolicyArn, Tags, VpcEndpointId};
use crate::framework::Value;
use crate::policy::document::Document;
use crate::resources::values::Strings;

/// Everything of one resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The value of the ownership tag on the policy; empty after an import.
    pub owner: String,
    /// The managed policy.
    pub policy: Option<Policy>,
    /// Who it is attached to by this resource.
    pub attached: Attached,
    /// The endpoints whose policy this resource sets.
    pub endpoints: BTreeMap<VpcEndpointId, Endpoint>,
}

/// The managed policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Its ARN.
    pub arn: PolicyArn,
    /// Its unique id.
    pub policy_id: String,
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// What it is for.
    pub description: Option<String>,
    /// The document that holds, as IAM keeps it.
    pub document: String,
    /// Whether IAM was seen to show it like this.
    pub ready: bool,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
}

/// Principals by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// Names of roles.
    pub roles: BTreeSet<String>,
    /// Names of users.
    pub users: BTreeSet<String>,
    /// Names of groups.
    pub groups: BTreeSet<String>,
}

/// An endpoint whose policy is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The service key that it was given for.
    pub service: String,
    /// Its policy as EC2 keeps it; `None` where EC2 shows none.
    pub document: Option<String>,
}

impl Attached {
    /// All of them.
    pub fn principals(&self) -> BTreeSet<Principal> {
        let roles = self.roles.iter().cloned().map(Principal::Role);
        let users = self.users.iter().cloned().map(Principal::User);
        roles.chain(users).chain(self.groups.iter().cloned().map(Principal::Group)).collect()
    }

    /// Adds one, or takes it out.
    pub fn set(&mut self, principal: &Principal, attached: bool) {
        let (names, name) = match principal {
            Principal::Role(name) => (&mut self.roles, name),
            Principal::User(name) => (&mut self.users, name),
            Principal::Group(name) => (&mut self.groups, name),
        };
        if attached {
            names.insert(name.clone());
        } else {
            names.remove(name);
        }
    }
}

impl FromIterator<Principal> for Attached {
    fn from_iter<I: IntoIterator<Item = Principal>>(principals: I) -> Self {
        let mut attached = Attached::default();
        principals.into_iter().for_each(|principal| attached.set(&principal, true));
        attached
    }
}

impl Recorded {
    /// What a state says exists, for a refresh to complete.
    ///
    /// When Terraform replaces a tainted object, it hands the destruction the private data of the new plan, not those of
    /// the object; then this is all there is to go by.
    pub fn from_model(model: &Model) -> Self {
        let attach_to = model.attach_to.known();
        let names = |part: fn(&AttachTo) -> &Strings| attach_to.and_then(|to| known_set(part(to))).unwrap_or_default();
        let policy = |arn: &str| Policy { arn: arn.into(), ..Policy::default() };
        let endpoint = |(service, id): (&String, &Value<String>)| {
            Some((VpcEndpointId::from(id.text()?), Endpoint { service: service.clone(), document: None }))
        };
        Recorded {
            owner: String::new(),
            policy: model.arn.text().map(policy),
            attached: Attached {
                roles: names(|to| &to.roles),
                users: names(|to| &to.users),
                groups: names(|to| &to.groups),
            },
            endpoints: model.endpoint_policies.known().into_iter().flatten().filter_map(endpoint).collect(),
        }
    }

    /// Whether nothing exists.
    pub fn is_empty(&self) -> bool {
        self.parts().is_empty()
    }

    /// The parts that exist, in words.
    pub fn parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if let Some(policy) = &self.policy {
            parts.push(format!("policy {}{}", policy.arn, if policy.ready { "" } else { " (not ready)" }));
        }
        parts.extend(self.attached.principals().iter().map(|principal| format!("attachment to {principal}")));
        parts.extend(self.endpoints.keys().map(|id| format!("policy of {id}")));
        parts
    }
}

/// Whether a document as AWS keeps it means the same as this one. What cannot be read means something else.
pub fn says(kept: &str, wanted: &Document) -> bool {
    Document::parse(kept).is_ok_and(|kept| kept.same_meaning(wanted))
}
