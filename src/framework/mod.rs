//! What resources, data sources, functions and providers are.
//!
//! Reading order: [`Value`] and [`Dynamic`] are values with and without a type; `schema` says what values there may be;
//! `resource` is what a resource implements; `plan` and `validate` are the rules that hold for all of them.
//!
//! **Invariant:** nothing here knows AWS, gRPC or any particular resource.

pub mod checks;
pub mod codec;
pub mod docs;
pub mod plan;
pub mod schema;
pub mod typed;
pub mod validate;

mod data_source;
mod diagnostics;
mod dynamic;
mod ephemeral;
mod erased;
mod form;
mod function;
mod path;
mod provider;
mod resource;
mod timeouts;
mod value;

pub use data_source::{AnyDataSource, DataSource, erase_data_source};
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use dynamic::{Dynamic, Number, Refinements, Type};
pub use ephemeral::{AnyEphemeralResource, EphemeralResource, Opened, erase_ephemeral_resource};
pub use erased::{AnyResource, erase};
pub use function::{Function, FunctionError, Parameter, Signature};
pub use path::{Path, Step};
pub use provider::Provider;
pub use resource::{Applied, ApplyRequest, Call, MoveSource, PlanRequest, Planned, Private, Read, Resource};
pub use schema::Attribute;
pub use timeouts::{Timeouts, timeout};
pub use value::Value;
