//! The three composite resources.

pub mod common;
pub mod private_domain;
