//! What is known to exist of a private domain: kept in the private data, refreshed by every read.
//!
//! **Invariant:** holds what AWS said, never what was wanted.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::model::Model;
use crate::aws::ec2::security_group_rule::Rule;
use crate::aws::route53::record::Record;
use crate::aws::{DomainId, FileSystemId, HostedZoneId, RoleArn, SecurityGroupId, SubnetId, Tags, VpcEndpointId};
use crate::framework::Value;

/// Everything of one resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The value of the ownership tag on everything that was made.
    pub owner: String,
    /// The security group of the domain's apps.
    pub domain_group: Option<Group>,
    /// The security group of the endpoints, unless the user handed some in.
    pub endpoint_group: Option<Group>,
    /// The interface endpoints, by service key.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// The domain.
    pub domain: Option<Domain>,
    /// The user profiles, by name.
    pub profiles: BTreeMap<String, Profile>,
    /// The hosted zones, by what they are for.
    pub zones: BTreeMap<Host, Zone>,
}

/// Which of the domain's host names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Host {
    /// `d-….studio.…`: the domain's URL, Studio Classic, and the target of presigned URLs.
    Domain,
    /// `studio-d-….studio.…`: the web portal of the current Studio.
    Portal,
}

impl Host {
    /// All of them.
    pub const ALL: [Host; 2] = [Host::Domain, Host::Portal];
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: SecurityGroupId,
    /// Its rules.
    pub rules: BTreeSet<Rule>,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
}

/// An interface endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id.
    pub id: VpcEndpointId,
    /// Whether it was seen available.
    pub ready: bool,
    /// The subnets that it was last asked to be in.
    pub asked_subnet_ids: BTreeSet<SubnetId>,
    /// The subnets that it is in.
    pub subnet_ids: BTreeSet<SubnetId>,
    /// Its security groups.
    pub security_group_ids: BTreeSet<SecurityGroupId>,
    /// Whether private DNS is on.
    pub private_dns_enabled: bool,
    /// The name that aliases point at, and the zone that it is in.
    pub dns: Option<(String, HostedZoneId)>,
    /// Its addresses, in the order of the subnets' ids.
    pub addresses: Vec<String>,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
}

impl Endpoint {
    /// An endpoint of which only the id is known.
    fn unseen(id: VpcEndpointId) -> Self {
        Endpoint {
            id,
            ready: false,
            asked_subnet_ids: BTreeSet::new(),
            subnet_ids: BTreeSet::new(),
            security_group_ids: BTreeSet::new(),
            private_dns_enabled: false,
            dns: None,
            addresses: Vec::new(),
            tags: Tags::new(),
        }
    }
}

/// The domain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    /// Its id.
    pub id: DomainId,
    /// Its ARN; empty until it was looked at once.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Whether it was seen in service.
    pub ready: bool,
    /// Its URL.
    pub url: Option<String>,
    /// The VPC.
    pub vpc_id: String,
    /// `IAM` or `SSO`.
    pub auth_mode: Option<String>,
    /// The key of its storage.
    pub kms_key_id: Option<String>,
    /// Whether apps reach the network through the VPC alone.
    pub vpc_only: bool,
    /// Its subnets.
    pub subnet_ids: BTreeSet<SubnetId>,
    /// The role that profiles run as.
    pub execution_role_arn: Option<RoleArn>,
    /// The groups of its users' apps.
    pub user_security_group_ids: BTreeSet<SecurityGroupId>,
    /// Its file system.
    pub file_system_id: Option<FileSystemId>,
    /// What is to become of the file system with the domain, from a tag of ours: AWS asks only when the domain is
    /// deleted, and an import has to know.
    pub on_destroy: Option<String>,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
}

/// A user profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Its ARN.
    pub arn: String,
    /// Whether it was seen in service.
    pub ready: bool,
    /// Its own role.
    pub execution_role_arn: Option<RoleArn>,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
}

/// A hosted zone with its records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Zone {
    /// Its id.
    pub id: HostedZoneId,
    /// Its name, without trailing dot.
    pub name: String,
    /// Its records, without those that Route 53 puts into every zone.
    pub records: BTreeSet<Record>,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
}

impl Recorded {
    /// What a state says exists, for a refresh to complete.
    ///
    /// When Terraform replaces a tainted object, it hands the destruction the private data of the new plan, not those of
    /// the object; then this is all there is to go by.
    pub fn from_model(model: &Model) -> Self {
        let group =
            |id: &Value<String>| id.text().map(|id| Group { id: id.into(), rules: BTreeSet::new(), tags: Tags::new() });
        let endpoint = |(service, id): (&String, &String)| (service.clone(), Endpoint::unseen(id.as_str().into()));
        let zone = |(name, id): (&String, &String)| {
            let host = if name.starts_with("studio-") { Host::Portal } else { Host::Domain };
            let id = HostedZoneId::from(id.as_str());
            (host, Zone { id, name: name.clone(), records: BTreeSet::new(), tags: Tags::new() })
        };
        let profile = |name: &String| (name.clone(), Profile::default());
        Recorded {
            owner: String::new(),
            domain_group: group(&model.domain_security_group_id),
            endpoint_group: group(&model.endpoint_security_group_id),
            endpoints: model.endpoint_ids.known().into_iter().flatten().map(endpoint).collect(),
            domain: model.domain_id.text().map(|id| Domain { id: id.into(), ..Domain::default() }),
            profiles: model
                .user_profiles
                .known()
                .into_iter()
                .flat_map(|profiles| profiles.keys())
                .map(profile)
                .collect(),
            zones: model.hosted_zone_ids.known().into_iter().flatten().map(zone).collect(),
        }
    }

    /// Whether nothing exists.
    pub fn is_empty(&self) -> bool {
        self.parts().is_empty()
    }

    /// The parts that exist, in words.
    pub fn parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        let unfinished = |ready: bool| if ready { "" } else { " (not ready)" };
        for (group, of) in [(&self.domain_group, "domain"), (&self.endpoint_group, "endpoints")] {
            parts.extend(group.iter().map(|group| format!("security group {} of the {of}", group.id)));
        }
        for (service, endpoint) in &self.endpoints {
            parts.push(format!("VPC endpoint {} for {service}{}", endpoint.id, unfinished(endpoint.ready)));
        }
        parts.extend(self.domain.iter().map(|domain| format!("domain {}{}", domain.id, unfinished(domain.ready))));
        for (name, profile) in &self.profiles {
            parts.push(format!("user profile {name}{}", unfinished(profile.ready)));
        }
        parts.extend(self.zones.values().map(|zone| format!("hosted zone {} for {}", zone.id, zone.name)));
        parts
    }
}
