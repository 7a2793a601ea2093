//! What a provider is: a configuration, and lists of what it offers.

use async_trait::async_trait;

use super::data_source::AnyDataSource;
use super::diagnostics::Diagnostics;
use super::dynamic::Dynamic;
use super::ephemeral::AnyEphemeralResource;
use super::erased::AnyResource;
use super::function::Function;
use super::resource::Call;
use super::schema::Schema;

/// A provider, as the plugin serves it.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The schema of its configuration.
    fn schema(&self) -> &Schema;

    /// Checks its configuration. Values may be unknown. Calls nothing.
    fn validate(&self, config: Dynamic) -> Diagnostics;

    /// Takes its configuration. Values may be unknown during a plan.
    async fn configure(&self, call: &Call, config: Dynamic, terraform_version: &str) -> Diagnostics;

    /// Its managed resources.
    fn resources(&self) -> &[Box<dyn AnyResource>];

    /// Its data sources.
    fn data_sources(&self) -> &[Box<dyn AnyDataSource>];

    /// Its functions.
    fn functions(&self) -> &[Box<dyn Function>];

    /// Its ephemeral resources.
    fn ephemeral_resources(&self) -> &[Box<dyn AnyEphemeralResource>];
}
