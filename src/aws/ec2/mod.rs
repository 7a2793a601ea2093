//! What we do with EC2: VPC endpoints, security groups, and looking at networks.

pub mod endpoint_service;
pub mod network_interface;
pub mod route_table;
pub mod security_group;
pub mod security_group_rule;
pub mod subnet;
pub mod tags;
pub mod vpc;
pub mod vpc_endpoint;
mod vpc_endpoint_types;

use aws_sdk_ec2 as ec2;

use super::error::{Call, Service};

/// How many values EC2 takes in one filter.
const FILTER_LIMIT: usize = 200;

fn call(operation: &'static str, object: impl Into<String>) -> Call {
    Call::new(Service::Ec2, operation, object)
}

fn filter<T: AsRef<str>>(name: &str, values: impl IntoIterator<Item = T>) -> ec2::types::Filter {
    let values = values.into_iter().map(|value| value.as_ref().to_owned()).collect();
    ec2::types::Filter::builder().name(name).set_values(Some(values)).build()
}

fn tag_filter(key: &str, value: &str) -> ec2::types::Filter {
    filter(&format!("tag:{key}"), [value])
}
