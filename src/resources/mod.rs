//! The three composite resources.

pub mod common;
pub mod dns_forwarding;
pub mod note;
pub mod presign_policy;
pub mod private_domain;
pub mod values;
