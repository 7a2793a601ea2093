//! IAM documents.
