//! IAM documents: what they are, and how they read and print.
//!
//! **Invariant:** pure. Nothing here calls AWS, reads a clock or looks anything up.

pub mod document;
