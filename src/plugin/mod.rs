//! How Terraform talks to this process.

pub mod pb;
