//! The AWS calls we make, and no others. No resource makes those of `sagemaker::app`,
//! `sagemaker::space`, `sagemaker::presigned_url`, gateway endpoints and zone associations yet.
//!
//! One folder per service, one file per kind of object. `find_` answers `None` for what is not
//! there, `create_` is one call and returns the id at once, `delete_` counts what is gone as
//! success, and `wait_until_` polls. What they take and return are our own plain structs.
//!
//! **Invariant:** knows neither Terraform's diagnostics nor its values.
//! **Invariant:** no type of the SDK stands in a public signature.

mod assume;
mod classify;
mod clients;
pub mod config;
pub mod ec2;
mod error;
mod http;
mod http_insecure;
pub mod iam;
mod ids;
mod interceptor;
pub mod organizations;
mod partition;
pub mod ram;
mod retry;
pub mod route53;
pub mod route53resolver;
pub mod sagemaker;
pub mod sts;
pub mod tags;
pub mod wait;

pub use clients::Clients;
pub use config::{ConfigError, Settings, connect};
pub use error::{AwsError, Call, Kind, Service};
pub use ids::*;
pub use partition::Partition;
pub use tags::{IgnoreTags, TagChange, Tags};

/// The names behind a list of ids, for a request.
fn names<'a, T: AsRef<str> + 'a>(ids: impl IntoIterator<Item = &'a T>) -> Vec<String> {
    ids.into_iter().map(|id| id.as_ref().to_owned()).collect()
}

/// A list of ids for a request, where an empty one is left out.
fn some_names<'a, T: AsRef<str> + 'a>(ids: impl IntoIterator<Item = &'a T>) -> Option<Vec<String>> {
    Some(names(ids)).filter(|names| !names.is_empty())
}

/// The ids in an answer.
fn ids<I: FromIterator<T>, T: for<'a> From<&'a str>>(names: &[String]) -> I {
    names.iter().map(|name| T::from(name.as_str())).collect()
}

/// Several words in a sentence: `a, b and c`.
fn listed<T: std::fmt::Display>(items: &[T]) -> String {
    match items {
        [] => "none".to_owned(),
        [one] => one.to_string(),
        [most @ .., last] => {
            let most: Vec<_> = most.iter().map(ToString::to_string).collect();
            format!("{} and {last}", most.join(", "))
        }
    }
}
