//! The program that Terraform starts.

fn main() {}
