//! What is known to exist of a private domain: kept in the private data, refreshed by every read.
//!
//! **Invariant:** holds what AWS said, never what was wanted.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::key::Slot;
use super::model::Model;
use crate::aws::ec2::security_group_rule::Rule;
use crate::aws::ec2::vpc_endpoint::PrivateDnsScope;
use crate::aws::route53::hosted_zone::ZoneVpc;
use crate::aws::route53::record::Record;
use crate::aws::sagemaker::Toggle;
use crate::aws::sagemaker::domain_types::{DomainAddressType, UserSettings};
use crate::aws::{
    DomainId, FileSystemId, HostedZoneId, RoleArn, RouteTableId, SecurityGroupId, SubnetId, Tags, VpcEndpointId, VpcId,
};
use crate::dns::name::is_within;
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
    /// The interface endpoints that were made, by service key.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// The endpoints that were adopted, by service key.
    pub adopted: BTreeMap<String, Endpoint>,
    /// The gateway endpoint for S3.
    pub gateway: Option<Gateway>,
    /// The domain.
    pub domain: Option<Domain>,
    /// The user profiles, by name.
    pub profiles: BTreeMap<String, Profile>,
    /// The hosted zones, by what they are for.
    pub zones: BTreeMap<Slot, Zone>,
    /// The domains that were deleted here with their file systems, with the VPC that the two groups of each may be left in.
    #[serde(default)]
    pub nfs_groups: BTreeMap<DomainId, VpcId>,
    /// Whether a destruction has begun and not come to its end.
    #[serde(default)]
    pub being_destroyed: bool,
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
    /// Where it was last asked to be.
    pub asked: Place,
    /// Where it is.
    pub place: Place,
    /// Its security groups.
    pub security_group_ids: BTreeSet<SecurityGroupId>,
    /// Whether private DNS is on.
    pub private_dns_enabled: bool,
    /// Whom private DNS answers, where EC2 says so.
    pub private_dns_scope: Option<PrivateDnsScope>,
    /// Its policy; nothing where EC2 shows none.
    pub policy: Option<String>,
    /// Whether the policy was set here.
    pub has_own_policy: bool,
    /// The name that aliases point at, and the zone that it is in.
    pub dns: Option<(String, HostedZoneId)>,
    /// The names that its service's private DNS answers for, wildcards included.
    pub private_names: Vec<String>,
    /// Its addresses, in the order of the subnets' ids.
    pub addresses: Vec<String>,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
}

/// Where an endpoint has its interfaces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Its subnets.
    pub subnet_ids: BTreeSet<SubnetId>,
    /// Whether it has IPv6 addresses beside IPv4.
    pub dual_stack: bool,
}

/// A gateway endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gateway {
    /// Its id.
    pub id: VpcEndpointId,
    /// The route tables that lead to it.
    pub route_table_ids: BTreeSet<RouteTableId>,
    /// Its policy; nothing where EC2 shows none.
    pub policy: Option<String>,
    /// Whether the policy was set here.
    pub has_own_policy: bool,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
}

/// The domain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    /// Its id.
    pub id: DomainId,
    /// Whether it was there before, and stays.
    pub adopted: bool,
    /// The groups that an adopted domain's users have been given here.
    #[serde(default)]
    pub added_groups: BTreeSet<SecurityGroupId>,
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
    /// The family of its addresses.
    pub address_type: Option<DomainAddressType>,
    /// The settings of its users.
    pub settings: UserSettings,
    /// Whether apps may run Docker.
    pub docker_access: Option<Toggle>,
    /// Its file system.
    pub file_system_id: Option<FileSystemId>,
    /// What the configuration says and AWS has no place for, from tags of ours.
    pub notes: Notes,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
}

/// What the configuration says and AWS does not keep, but an import has to know. Kept as tags of the domain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Notes {
    /// `home_efs.on_destroy`.
    pub on_destroy: Option<String>,
    /// Which of `default_user_settings` are written.
    pub settings: Option<String>,
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
    /// The names that it has records for, each with everything below it.
    pub names: BTreeSet<String>,
    /// Whether everything that was to be done to it is done.
    pub ready: bool,
    /// Its records, without those that Route 53 puts into every zone. Of an adopted zone, only ours.
    pub records: BTreeSet<Record>,
    /// The VPCs it answers in.
    pub vpcs: BTreeSet<ZoneVpc>,
    /// Those that were associated here.
    pub associated: BTreeSet<Association>,
    /// Its tags, without those that say whose it is.
    pub tags: Tags,
}

/// A VPC in which a zone answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Association {
    /// The VPC.
    pub vpc: ZoneVpc,
    /// The role of the account that owns it, where that is another one.
    pub role_arn: Option<RoleArn>,
}

impl Endpoint {
    /// An endpoint of which only the id is known.
    pub fn unseen(id: VpcEndpointId) -> Self {
        Endpoint {
            id,
            ready: false,
            asked: Place::default(),
            place: Place::default(),
            security_group_ids: BTreeSet::new(),
            private_dns_enabled: false,
            private_dns_scope: None,
            policy: None,
            has_own_policy: false,
            dns: None,
            private_names: Vec::new(),
            addresses: Vec::new(),
            tags: Tags::new(),
        }
    }
}

impl Zone {
    /// A zone of which only id and name are known.
    pub fn unseen(id: HostedZoneId, name: &str) -> Self {
        Zone {
            id,
            name: name.to_owned(),
            names: BTreeSet::new(),
            ready: false,
            records: BTreeSet::new(),
            vpcs: BTreeSet::new(),
            associated: BTreeSet::new(),
            tags: Tags::new(),
        }
    }
}

impl Domain {
    /// Whether its file system, and what belongs to that, is deleted with it.
    pub fn takes_file_system(&self) -> bool {
        !self.adopted && self.notes.on_destroy.as_deref() == Some("delete")
    }
}

impl Recorded {
    /// The endpoint for a service, be it made or adopted.
    pub fn endpoint(&self, service: &str) -> Option<&Endpoint> {
        self.adopted.get(service).or_else(|| self.endpoints.get(service))
    }

    /// All endpoints, made and adopted, by service.
    pub fn all_endpoints(&self) -> BTreeMap<&String, &Endpoint> {
        self.endpoints.iter().chain(&self.adopted).collect()
    }

    /// Whether the domain was there before, and stays.
    pub fn has_adopted_domain(&self) -> bool {
        self.domain.as_ref().is_some_and(|domain| domain.adopted)
    }

    /// What a state says exists, for a refresh to complete.
    ///
    /// When Terraform replaces a tainted object, it hands the destruction the private data of the new plan, not those of
    /// the object; then this is all there is to go by.
    pub fn from_model(model: &Model) -> Self {
        let group =
            |id: &Value<String>| id.text().map(|id| Group { id: id.into(), rules: BTreeSet::new(), tags: Tags::new() });
        let endpoints = model.endpoints.known();
        let existing = endpoints.and_then(|endpoints| endpoints.existing.known()).cloned().unwrap_or_default();
        let ids = || model.endpoint_ids.known().into_iter().flatten();
        let unseen = |(service, id): (&String, &String)| (service.clone(), Endpoint::unseen(id.as_str().into()));
        let policies = endpoints.and_then(|endpoints| endpoints.policies.known()).cloned().unwrap_or_default();
        let adopted = ids().filter(|(service, _)| existing.contains_key(*service)).map(|(service, id)| {
            let has_own_policy = policies.contains_key(service);
            (service.clone(), Endpoint { has_own_policy, ..Endpoint::unseen(id.as_str().into()) })
        });
        let made =
            |(service, _): &(&String, &String)| *service != super::key::GATEWAY && !existing.contains_key(*service);
        let gateway = ids().find(|(service, _)| *service == super::key::GATEWAY).map(|(_, id)| Gateway {
            id: id.as_str().into(),
            route_table_ids: BTreeSet::new(),
            policy: None,
            has_own_policy: false,
            tags: Tags::new(),
        });
        Recorded {
            owner: String::new(),
            domain_group: group(&model.domain_security_group_id),
            endpoint_group: group(&model.endpoint_security_group_id),
            endpoints: ids().filter(made).map(unseen).collect(),
            adopted: adopted.collect(),
            gateway,
            domain: model.domain_id.text().map(|id| Domain {
                id: id.into(),
                adopted: model.existing_domain_id.is_known(),
                ..Domain::default()
            }),
            profiles: model
                .user_profiles
                .known()
                .into_iter()
                .flat_map(|profiles| profiles.keys())
                .map(|name| (name.clone(), Profile::default()))
                .collect(),
            zones: model
                .hosted_zone_ids
                .known()
                .into_iter()
                .flatten()
                .map(|(name, id)| zone(model, name, id))
                .collect(),
            nfs_groups: BTreeMap::new(),
            being_destroyed: false,
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
        for (service, endpoint) in &self.adopted {
            parts.push(format!("adopted VPC endpoint {} for {service}", endpoint.id));
        }
        parts.extend(self.gateway.iter().map(|gateway| format!("gateway endpoint {} for S3", gateway.id)));
        parts.extend(self.domain.iter().map(|domain| {
            let adopted = if domain.adopted { "adopted " } else { "" };
            format!("{adopted}domain {}{}", domain.id, unfinished(domain.ready))
        }));
        for (name, profile) in &self.profiles {
            parts.push(format!("user profile {name}{}", unfinished(profile.ready)));
        }
        for (slot, zone) in &self.zones {
            let adopted = if matches!(slot, Slot::Existing(_)) { "records in the adopted " } else { "" };
            parts.push(format!("{adopted}hosted zone {} for {}", zone.id, zone.name));
        }
        let left = self.nfs_groups.keys();
        parts.extend(left.map(|domain| format!("security groups for NFS of the deleted domain {domain}")));
        parts
    }
}

/// A zone from what a state says of it.
fn zone(model: &Model, name: &str, id: &str) -> (Slot, Zone) {
    let written = model.hosted_zone.known();
    let adopted = written
        .and_then(|zone| zone.existing_zone_ids.known())
        .is_some_and(|zones| zones.get(name).is_some_and(|existing| existing.text() == Some(id)));
    let is_fips = name.contains(".studio-fips.");
    let slot = match (adopted, name.starts_with("studio-d-"), name.starts_with("d-")) {
        (true, _, _) => Slot::Existing(name.to_owned()),
        (false, true, _) if is_fips => Slot::PortalFips,
        (false, true, _) => Slot::Portal,
        (false, false, true) if is_fips => Slot::DomainFips,
        (false, false, true) => Slot::Domain,
        (false, false, false) => Slot::Parent(name.to_owned()),
    };
    let mode = written.and_then(|zone| zone.mode.text());
    let names = if mode == Some("parent") { &model.forward_zones } else { &model.host_names };
    let names = names.known().into_iter().flatten().filter(|base| is_within(base, name)).cloned().collect();
    (slot, Zone { names, ..Zone::unseen(id.into(), name) })
}
