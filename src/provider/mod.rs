//! What the provider offers, its schema, and how it is configured.
//!
//! **Invariant:** no AWS call and no look-up of credentials happens for the schema, for validation or for functions.

mod schema;
mod settings;

use async_trait::async_trait;

use crate::aws::config::{ConfigError, connect};
use crate::connection::Connection;
use crate::data_sources::{DnsCheck, Domain, PresignPolicyDocument, PresignSimulation};
use crate::ephemeral::PresignedUrl;
use crate::framework::schema::Schema;
use crate::framework::typed::from_dynamic;
use crate::framework::validate::validate;
use crate::framework::{
    AnyDataSource, AnyEphemeralResource, AnyResource, Call, Diagnostic, Diagnostics, Dynamic, Function, Path, Provider,
    erase, erase_data_source, erase_ephemeral_resource,
};
use crate::functions;
use crate::resources::dns_forwarding::DnsForwarding;
use crate::resources::presign_policy::PresignPolicy;
use crate::resources::private_domain::PrivateDomain;
use schema::Model;

/// The provider.
pub struct Studio {
    schema: Schema,
    connection: Connection,
    resources: Vec<Box<dyn AnyResource>>,
    data_sources: Vec<Box<dyn AnyDataSource>>,
    functions: Vec<Box<dyn Function>>,
    ephemeral_resources: Vec<Box<dyn AnyEphemeralResource>>,
}

impl Studio {
    /// The provider, not yet configured.
    pub fn new() -> Self {
        let connection = Connection::default();
        let resources = vec![
            erase(DnsForwarding::new(connection.clone())),
            erase(PresignPolicy::new(connection.clone())),
            erase(PrivateDomain::new(connection.clone())),
        ];
        let data_sources = vec![
            erase_data_source(DnsCheck),
            erase_data_source(Domain::new(connection.clone())),
            erase_data_source(PresignPolicyDocument),
            erase_data_source(PresignSimulation::new(connection.clone())),
        ];
        let ephemeral_resources = vec![erase_ephemeral_resource(PresignedUrl::new(connection.clone()))];
        Studio {
            schema: schema::schema(),
            resources,
            data_sources,
            functions: functions::all(),
            ephemeral_resources,
            connection,
        }
    }
}

impl Default for Studio {
    fn default() -> Self {
        Studio::new()
    }
}

#[async_trait]
impl Provider for Studio {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, config: Dynamic) -> Diagnostics {
        validate(&self.schema, &config)
    }

    async fn configure(&self, call: &Call, config: Dynamic, _terraform_version: &str) -> Diagnostics {
        if !config.is_wholly_known() {
            self.connection.set_unknown();
            return Diagnostics::new();
        }
        let model: Model = match from_dynamic(config) {
            Ok(model) => model,
            Err(error) => {
                return Diagnostic::bug(format!("The model of the configuration does not fit its schema: {error}."))
                    .into();
            }
        };
        tokio::select! {
            connected = connect(settings::settings(&model)) => match connected {
                Ok(clients) => {
                    self.connection.set_ready(clients);
                    Diagnostics::new()
                }
                Err(error) => explain(&error).into(),
            },
            () = call.stop.cancelled() => Diagnostic::error(
                "The run was interrupted",
                "It stopped while the provider was being configured. Nothing was changed.",
            )
            .into(),
        }
    }

    fn resources(&self) -> &[Box<dyn AnyResource>] {
        &self.resources
    }

    fn data_sources(&self) -> &[Box<dyn AnyDataSource>] {
        &self.data_sources
    }

    fn functions(&self) -> &[Box<dyn Function>] {
        &self.functions
    }

    fn ephemeral_resources(&self) -> &[Box<dyn AnyEphemeralResource>] {
        &self.ephemeral_resources
    }
}

fn explain(error: &ConfigError) -> Diagnostic {
    let detail = format!("{}.\n\nNothing was changed. {}.", sentence(&error.fact), sentence(&error.remedy));
    let diagnostic = Diagnostic::error(sentence(&error.failed), detail);
    match error.argument {
        Some(argument) => diagnostic.at(Path::root(argument)),
        None => diagnostic,
    }
}

/// With a capital letter, and without a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
