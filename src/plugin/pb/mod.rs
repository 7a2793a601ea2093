//! What `proto/` says, as Rust.
//!
//! The two modules are generated and kept in the tree, so that a build needs neither a build script
//! nor `protoc`. `tests/it/bindings.rs` says how they are made and fails when they are out of date.
//!
//! **Invariant:** nothing outside [`plugin`](super) names a type from here.

// Generated code is not held to the rules for written code: it has no comments where the
// `.proto` files have none, and clippy has nothing to say to a generator.
#![allow(missing_docs, clippy::all, rustdoc::all)]

#[rustfmt::skip]
pub mod plugin;
#[rustfmt::skip]
pub mod tfplugin6;
