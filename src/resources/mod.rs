//! The three composite resources.

pub mod common;
pub mod presign_policy;
pub mod private_domain;
