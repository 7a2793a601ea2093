//! A private domain as Terraform sees it: one field for each attribute of the schema.
//!
//! **Invariant:** plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::framework::{Timeouts, Value};
use crate::resources::values::{StringMap, Strings};

/// A domain that is reached privately, as Terraform sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema")]
pub struct Model {
    pub id: Value<String>,
    pub region: Value<String>,
    pub name: Value<String>,
    pub vpc_id: Value<String>,
    pub subnet_ids: Strings,
    pub auth_mode: Value<String>,
    pub execution_role_arn: Value<String>,
    pub client_cidr_blocks: Strings,
    pub existing_domain_id: Value<String>,
    pub kms_key_id: Value<String>,
    pub ip_address_type: Value<String>,
    pub home_efs: Value<HomeEfs>,
    pub default_user_settings: Value<DefaultUserSettings>,
    pub user_profiles: Value<BTreeMap<String, UserProfile>>,
    pub force_destroy: Value<bool>,
    pub endpoints: Value<Endpoints>,
    pub hosted_zone: Value<HostedZone>,
    pub arn: Value<String>,
    pub domain_id: Value<String>,
    pub url: Value<String>,
    pub fqdn: Value<String>,
    pub host_names: Value<Vec<String>>,
    pub forward_zones: Value<Vec<String>>,
    pub endpoint_ids: Value<BTreeMap<String, String>>,
    pub access_endpoint_ids: Value<Vec<String>>,
    pub endpoint_ips: Value<BTreeMap<String, Vec<String>>>,
    pub endpoint_dns: Value<BTreeMap<String, EndpointDns>>,
    pub hosted_zone_ids: Value<BTreeMap<String, String>>,
    pub endpoint_security_group_id: Value<String>,
    pub domain_security_group_id: Value<String>,
    pub home_efs_file_system_id: Value<String>,
    pub account_id: Value<String>,
    pub tags: StringMap,
    pub tags_all: StringMap,
    pub drift: Value<Vec<String>>,
    pub timeouts: Value<Timeouts>,
}

/// `home_efs`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema")]
pub struct HomeEfs {
    pub enabled: Value<bool>,
    pub on_destroy: Value<String>,
}

/// `default_user_settings`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema")]
pub struct DefaultUserSettings {
    pub studio_web_portal: Value<String>,
    pub default_landing_uri: Value<String>,
    pub security_group_ids: Strings,
    pub idle_timeout_minutes: Value<u32>,
    pub docker_access: Value<String>,
}

/// One element of `user_profiles`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema")]
pub struct UserProfile {
    pub execution_role_arn: Value<String>,
    pub tags: StringMap,
}

/// `endpoints`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema")]
pub struct Endpoints {
    pub services: Strings,
    pub existing: StringMap,
    pub subnet_ids: Strings,
    pub security_group_ids: Strings,
    pub private_dns_enabled: Value<bool>,
    pub policies: StringMap,
    pub s3_gateway_route_table_ids: Strings,
}

/// `hosted_zone`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema")]
pub struct HostedZone {
    pub mode: Value<String>,
    pub existing_zone_ids: StringMap,
    pub vpc_associations: Value<Vec<VpcAssociation>>,
    pub record_type: Value<String>,
}

/// One element of `hosted_zone.vpc_associations`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema")]
pub struct VpcAssociation {
    pub vpc_id: Value<String>,
    pub region: Value<String>,
    pub role_arn: Value<String>,
}

/// One element of `endpoint_dns`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema")]
pub struct EndpointDns {
    pub dns_name: String,
    pub hosted_zone_id: Option<String>,
}

impl Model {
    /// Nothing but the Region: what an import starts from.
    pub fn nothing_written(region: &str) -> Self {
        Model {
            id: Value::Null,
            region: Value::Known(region.to_owned()),
            name: Value::Null,
            vpc_id: Value::Null,
            subnet_ids: Value::Null,
            auth_mode: Value::Null,
            execution_role_arn: Value::Null,
            client_cidr_blocks: Value::Null,
            existing_domain_id: Value::Null,
            kms_key_id: Value::Null,
            ip_address_type: Value::Null,
            home_efs: Value::Null,
            default_user_settings: Value::Null,
            user_profiles: Value::Null,
            force_destroy: Value::Null,
            endpoints: Value::Null,
            hosted_zone: Value::Null,
            arn: Value::Null,
            domain_id: Value::Null,
            url: Value::Null,
            fqdn: Value::Null,
            host_names: Value::Null,
            forward_zones: Value::Null,
            endpoint_ids: Value::Null,
            access_endpoint_ids: Value::Null,
            endpoint_ips: Value::Null,
            endpoint_dns: Value::Null,
            hosted_zone_ids: Value::Null,
            endpoint_security_group_id: Value::Null,
            domain_security_group_id: Value::Null,
            home_efs_file_system_id: Value::Null,
            account_id: Value::Null,
            tags: Value::Null,
            tags_all: Value::Null,
            drift: Value::Null,
            timeouts: Value::<Timeouts>::Null,
        }
    }
}
