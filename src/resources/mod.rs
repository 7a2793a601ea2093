//! The three composite resources.

pub mod clients;
pub mod common;
pub mod dns_forwarding;
pub mod landing;
pub mod note;
pub mod presign_policy;
pub mod private_domain;
pub mod ranges;
pub mod routes;
pub mod values;
