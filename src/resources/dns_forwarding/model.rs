//! A DNS forwarding as Terraform sees it: one field for each attribute of the schema.
//!
//! **Invariant:** plain data.

use serde::{Deserialize, Serialize};

use crate::framework::{Timeouts, Value};
use crate::resources::values::{StringMap, Strings};

/// Corporate DNS to the VPC, as Terraform sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema")]
pub struct Model {
    pub id: Value<String>,
    pub region: Value<String>,
    pub name: Value<String>,
    pub vpc_id: Value<String>,
    pub subnet_ids: Strings,
    pub ip_addresses: Value<Vec<Value<IpAddress>>>,
    pub client_cidr_blocks: Strings,
    pub security_group_ids: Strings,
    pub untracked: Value<bool>,
    pub existing_inbound_endpoint_id: Value<String>,
    pub zones: Strings,
    pub domain_ids: Strings,
    pub include_api_zones: Value<bool>,
    pub protocols: Strings,
    pub ip_address_type: Value<String>,
    pub outbound: Value<Outbound>,
    pub arn: Value<String>,
    pub inbound_endpoint_id: Value<String>,
    pub inbound_ips: Strings,
    pub outbound_endpoint_id: Value<String>,
    pub rule_ids: StringMap,
    pub resource_share_arn: Value<String>,
    pub security_group_id: Value<String>,
    pub outbound_security_group_id: Value<String>,
    pub forward_zones: Value<Vec<String>>,
    pub forwarder_configs: StringMap,
    pub tags: StringMap,
    pub tags_all: StringMap,
    pub drift: Value<Vec<String>>,
    pub timeouts: Value<Timeouts>,
}

/// One element of `ip_addresses`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema")]
pub struct IpAddress {
    pub subnet_id: Value<String>,
    pub ip: Value<String>,
    pub ipv6: Value<String>,
}

/// `outbound`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema")]
pub struct Outbound {
    pub vpc_id: Value<String>,
    pub subnet_ids: Strings,
    pub ip_addresses: Value<Vec<Value<IpAddress>>>,
    pub vpc_ids: Strings,
    pub target_ips: Strings,
    pub share_with: Strings,
}

impl Model {
    /// Nothing written and nothing known: what an import starts from.
    pub fn empty() -> Self {
        Model {
            id: Value::Null,
            region: Value::Null,
            name: Value::Null,
            vpc_id: Value::Null,
            subnet_ids: Value::Null,
            ip_addresses: Value::Null,
            client_cidr_blocks: Value::Null,
            security_group_ids: Value::Null,
            untracked: Value::Null,
            existing_inbound_endpoint_id: Value::Null,
            zones: Value::Null,
            domain_ids: Value::Null,
            include_api_zones: Value::Null,
            protocols: Value::Null,
            ip_address_type: Value::Null,
            outbound: Value::Null,
            arn: Value::Null,
            inbound_endpoint_id: Value::Null,
            inbound_ips: Value::Null,
            outbound_endpoint_id: Value::Null,
            rule_ids: Value::Null,
            resource_share_arn: Value::Null,
            security_group_id: Value::Null,
            outbound_security_group_id: Value::Null,
            forward_zones: Value::Null,
            forwarder_configs: Value::Null,
            tags: Value::Null,
            tags_all: Value::Null,
            drift: Value::Null,
            timeouts: Value::Null,
        }
    }
}

impl Outbound {
    /// Nothing written.
    pub fn empty() -> Self {
        Outbound {
            vpc_id: Value::Null,
            subnet_ids: Value::Null,
            ip_addresses: Value::Null,
            vpc_ids: Value::Null,
            target_ips: Value::Null,
            share_with: Value::Null,
        }
    }
}
