//! What we do with Route 53 Resolver: endpoints, forward rules, and rules on VPCs.

pub mod association;
pub mod endpoint;
pub mod endpoint_types;
pub mod rule;
pub mod tags;

use super::error::{Call, Service};

fn call(operation: &'static str, object: impl Into<String>) -> Call {
    Call::new(Service::Route53Resolver, operation, object)
}
