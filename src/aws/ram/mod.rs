//! What we do with RAM: sharing resources with other accounts.

pub mod share;

use super::error::{Call, Service};

fn call(operation: &'static str, object: impl Into<String>) -> Call {
    Call::new(Service::Ram, operation, object)
}
