//! The three composite resources.

pub mod common;
pub mod dns_forwarding;
pub mod private_domain;
