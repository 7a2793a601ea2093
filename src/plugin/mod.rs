//! How Terraform talks to this process.
