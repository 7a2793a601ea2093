//! The provider service of `tfplugin6`: one short method for each RPC.
//!
//! Each has the same shape: look up, decode, call, encode. What holds for all of them is in
//! `rpc.rs`, and the conversions are in `convert.rs`. An RPC without a method here answers
//! UNIMPLEMENTED, which Terraform takes for "this provider has none of that".
//!
//! **Invariant:** decides nothing about any resource, and knows none.

use std::sync::Arc;

use tonic::{Request, Response, Status, async_trait};
use tracing::debug;

use super::{
    convert::{self, decode, diagnostics},
    pb::tfplugin6::{
        ServerCapabilities, apply_resource_change, call_function, close_ephemeral_resource, configure_provider,
        get_functions, get_metadata, get_provider_schema, get_resource_identity_schemas, import_resource_state,
        move_resource_state, open_ephemeral_resource, plan_resource_change, provider_server, read_data_source,
        read_resource, renew_ephemeral_resource, stop_provider, upgrade_resource_identity, upgrade_resource_state,
        validate_data_resource_config, validate_ephemeral_resource_config, validate_provider_config,
        validate_resource_config,
    },
    rpc::{Stop, answer},
};
use crate::framework::{AnyDataSource, AnyEphemeralResource, AnyResource, Function, Private, Provider};

/// Answers Terraform for a provider.
pub struct Service {
    provider: Arc<dyn Provider>,
    stop: Stop,
}

impl Service {
    /// Serves `provider`; `stop` interrupts its work.
    pub fn new(provider: Arc<dyn Provider>, stop: Stop) -> Self {
        Self { provider, stop }
    }

    fn provider(&self) -> Arc<dyn Provider> {
        Arc::clone(&self.provider)
    }
}

type Answered<A> = Result<Response<A>, Status>;

#[async_trait]
impl provider_server::Provider for Service {
    // ---- What there is ----

    async fn get_metadata(&self, request: Request<get_metadata::Request>) -> Answered<get_metadata::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |_, _| async move { Ok(metadata(&*provider)) }).await
    }

    async fn get_provider_schema(
        &self,
        request: Request<get_provider_schema::Request>,
    ) -> Answered<get_provider_schema::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |_, _| async move { Ok(schemas(&*provider)) }).await
    }

    /// No resource has an identity apart from its id.
    async fn get_resource_identity_schemas(
        &self,
        _: Request<get_resource_identity_schemas::Request>,
    ) -> Answered<get_resource_identity_schemas::Response> {
        Ok(Response::new(Default::default()))
    }

    async fn get_functions(&self, request: Request<get_functions::Request>) -> Answered<get_functions::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |_, _| async move {
            Ok(get_functions::Response { functions: schemas(&*provider).functions, diagnostics: Vec::new() })
        })
        .await
    }

    // ---- The provider itself ----

    async fn validate_provider_config(
        &self,
        request: Request<validate_provider_config::Request>,
    ) -> Answered<validate_provider_config::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |_, request| async move {
            let config = decode(request.config, &provider.schema().value_type())?;
            let diagnostics = diagnostics(provider.validate(config));
            Ok(validate_provider_config::Response { diagnostics })
        })
        .await
    }

    async fn configure_provider(
        &self,
        request: Request<configure_provider::Request>,
    ) -> Answered<configure_provider::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |call, request| async move {
            let config = decode(request.config, &provider.schema().value_type())?;
            let found = provider.configure(&call, config, &request.terraform_version).await;
            Ok(configure_provider::Response { diagnostics: diagnostics(found) })
        })
        .await
    }

    /// Interrupts what is in flight. The process goes on: Terraform still wants its answers.
    async fn stop_provider(&self, _: Request<stop_provider::Request>) -> Answered<stop_provider::Response> {
        debug!("told to stop");
        self.stop.in_flight();
        Ok(Response::new(Default::default()))
    }

    // ---- Managed resources ----

    async fn validate_resource_config(
        &self,
        request: Request<validate_resource_config::Request>,
    ) -> Answered<validate_resource_config::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |_, request| async move {
            let resource = resource(&*provider, &request.type_name)?;
            let config = decode(request.config, resource.value_type())?;
            let diagnostics = diagnostics(resource.validate(config));
            Ok(validate_resource_config::Response { diagnostics })
        })
        .await
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<upgrade_resource_state::Request>,
    ) -> Answered<upgrade_resource_state::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |_, request| async move {
            let resource = resource(&*provider, &request.type_name)?;
            let upgraded =
                convert::raw_state(request.raw_state).and_then(|state| resource.upgrade(request.version, state));
            Ok(convert::upgraded(upgraded, resource.value_type()))
        })
        .await
    }

    /// No state has an identity, as there are no identity schemas.
    async fn upgrade_resource_identity(
        &self,
        _: Request<upgrade_resource_identity::Request>,
    ) -> Answered<upgrade_resource_identity::Response> {
        Ok(Response::new(Default::default()))
    }

    async fn read_resource(&self, request: Request<read_resource::Request>) -> Answered<read_resource::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |call, request| async move {
            let resource = resource(&*provider, &request.type_name)?;
            let state = decode(request.current_state, resource.value_type())?;
            let read = resource.read(&call, state, Private::from_bytes(&request.private)).await;
            Ok(convert::read(read, resource.value_type()))
        })
        .await
    }

    async fn plan_resource_change(
        &self,
        request: Request<plan_resource_change::Request>,
    ) -> Answered<plan_resource_change::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |call, request| async move {
            let resource = resource(&*provider, &request.type_name)?;
            let config = decode(request.config, resource.value_type())?;
            let prior = decode(request.prior_state, resource.value_type())?;
            let private = Private::from_bytes(&request.prior_private);
            let planned = resource.plan(&call, config, prior, private).await;
            Ok(convert::planned(planned, resource.value_type()))
        })
        .await
    }

    async fn apply_resource_change(
        &self,
        request: Request<apply_resource_change::Request>,
    ) -> Answered<apply_resource_change::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |call, request| async move {
            let resource = resource(&*provider, &request.type_name)?;
            let config = decode(request.config, resource.value_type())?;
            let prior = decode(request.prior_state, resource.value_type())?;
            let planned = decode(request.planned_state, resource.value_type())?;
            let private = Private::from_bytes(&request.planned_private);
            let applied = resource.apply(&call, config, prior, planned, private).await;
            Ok(convert::applied(applied, resource.value_type()))
        })
        .await
    }

    async fn import_resource_state(
        &self,
        request: Request<import_resource_state::Request>,
    ) -> Answered<import_resource_state::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |call, request| async move {
            let resource = resource(&*provider, &request.type_name)?;
            let imported = resource.import(&call, &request.id).await;
            Ok(convert::imported(&request.type_name, imported, resource.value_type()))
        })
        .await
    }

    async fn move_resource_state(
        &self,
        request: Request<move_resource_state::Request>,
    ) -> Answered<move_resource_state::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |_, request| async move {
            let resource = resource(&*provider, &request.target_type_name)?;
            let moved = convert::move_source(request).and_then(|from| resource.take_over(&from));
            Ok(convert::moved(moved, resource.value_type()))
        })
        .await
    }

    // ---- Data sources ----

    async fn validate_data_resource_config(
        &self,
        request: Request<validate_data_resource_config::Request>,
    ) -> Answered<validate_data_resource_config::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |_, request| async move {
            let source = data_source(&*provider, &request.type_name)?;
            let config = decode(request.config, source.value_type())?;
            let diagnostics = diagnostics(source.validate(config));
            Ok(validate_data_resource_config::Response { diagnostics })
        })
        .await
    }

    async fn read_data_source(
        &self,
        request: Request<read_data_source::Request>,
    ) -> Answered<read_data_source::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |call, request| async move {
            let source = data_source(&*provider, &request.type_name)?;
            let config = decode(request.config, source.value_type())?;
            let found = source.read(&call, config).await;
            Ok(convert::looked_up(found, source.value_type()))
        })
        .await
    }

    // ---- Functions ----

    async fn call_function(&self, request: Request<call_function::Request>) -> Answered<call_function::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |_, request| async move {
            let function = function(&*provider, &request.name)?;
            let signature = function.signature();
            if request.arguments.len() != signature.parameters.len() {
                return Err(Status::invalid_argument("the wrong number of arguments"));
            }
            let arguments = request.arguments.into_iter().zip(&signature.parameters);
            let arguments =
                arguments.map(|(value, parameter)| decode(Some(value), &parameter.of)).collect::<Result<_, _>>()?;
            Ok(convert::called(function.call(arguments), &signature.result))
        })
        .await
    }

    // ---- Ephemeral resources ----

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<validate_ephemeral_resource_config::Request>,
    ) -> Answered<validate_ephemeral_resource_config::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |_, request| async move {
            let ephemeral = ephemeral(&*provider, &request.type_name)?;
            let config = decode(request.config, ephemeral.value_type())?;
            let diagnostics = diagnostics(ephemeral.validate(config));
            Ok(validate_ephemeral_resource_config::Response { diagnostics })
        })
        .await
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<open_ephemeral_resource::Request>,
    ) -> Answered<open_ephemeral_resource::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |call, request| async move {
            let ephemeral = ephemeral(&*provider, &request.type_name)?;
            let config = decode(request.config, ephemeral.value_type())?;
            let opened = ephemeral.open(&call, config).await;
            Ok(convert::opened(opened, ephemeral.value_type()))
        })
        .await
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<renew_ephemeral_resource::Request>,
    ) -> Answered<renew_ephemeral_resource::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |call, request| async move {
            let ephemeral = ephemeral(&*provider, &request.type_name)?;
            let private = Private::from_bytes(request.private());
            Ok(convert::renewed(ephemeral.renew(&call, private).await))
        })
        .await
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<close_ephemeral_resource::Request>,
    ) -> Answered<close_ephemeral_resource::Response> {
        let provider = self.provider();
        answer(request.into_inner(), &self.stop, |call, request| async move {
            let ephemeral = ephemeral(&*provider, &request.type_name)?;
            let private = Private::from_bytes(request.private());
            let errors = ephemeral.close(&call, private).await.err().unwrap_or_default();
            Ok(close_ephemeral_resource::Response { diagnostics: diagnostics(errors) })
        })
        .await
    }
}

const CAPABILITIES: ServerCapabilities = ServerCapabilities {
    plan_destroy: true,
    get_provider_schema_optional: true,
    move_resource_state: true,
    generate_resource_config: false,
};

fn metadata(provider: &dyn Provider) -> get_metadata::Response {
    let resources = provider.resources().iter().map(|resource| resource.type_name().to_owned());
    let sources = provider.data_sources().iter().map(|source| source.type_name().to_owned());
    let functions = provider.functions().iter().map(|function| function.name().to_owned());
    let ephemerals = provider.ephemeral_resources().iter().map(|one| one.type_name().to_owned());
    get_metadata::Response {
        server_capabilities: Some(CAPABILITIES),
        resources: resources.map(|type_name| get_metadata::ResourceMetadata { type_name }).collect(),
        data_sources: sources.map(|type_name| get_metadata::DataSourceMetadata { type_name }).collect(),
        functions: functions.map(|name| get_metadata::FunctionMetadata { name }).collect(),
        ephemeral_resources: ephemerals.map(|type_name| get_metadata::EphemeralMetadata { type_name }).collect(),
        ..Default::default()
    }
}

fn schemas(provider: &dyn Provider) -> get_provider_schema::Response {
    let resources = provider.resources().iter();
    let sources = provider.data_sources().iter();
    let functions = provider.functions().iter();
    let ephemerals = provider.ephemeral_resources().iter();
    get_provider_schema::Response {
        server_capabilities: Some(CAPABILITIES),
        provider: Some(convert::schema(provider.schema())),
        resource_schemas: resources.map(|one| (one.type_name().to_owned(), convert::schema(one.schema()))).collect(),
        data_source_schemas: sources.map(|one| (one.type_name().to_owned(), convert::schema(one.schema()))).collect(),
        functions: functions.map(|one| (one.name().to_owned(), convert::function(&one.signature()))).collect(),
        ephemeral_resource_schemas: ephemerals
            .map(|one| (one.type_name().to_owned(), convert::schema(one.schema())))
            .collect(),
        ..Default::default()
    }
}

fn resource<'a>(provider: &'a dyn Provider, name: &str) -> Result<&'a dyn AnyResource, Status> {
    let found = provider.resources().iter().find(|one| one.type_name() == name);
    found.map(AsRef::as_ref).ok_or_else(|| unknown("resource", name))
}

fn data_source<'a>(provider: &'a dyn Provider, name: &str) -> Result<&'a dyn AnyDataSource, Status> {
    let found = provider.data_sources().iter().find(|one| one.type_name() == name);
    found.map(AsRef::as_ref).ok_or_else(|| unknown("data source", name))
}

fn function<'a>(provider: &'a dyn Provider, name: &str) -> Result<&'a dyn Function, Status> {
    let found = provider.functions().iter().find(|one| one.name() == name);
    found.map(AsRef::as_ref).ok_or_else(|| unknown("function", name))
}

fn ephemeral<'a>(provider: &'a dyn Provider, name: &str) -> Result<&'a dyn AnyEphemeralResource, Status> {
    let found = provider.ephemeral_resources().iter().find(|one| one.type_name() == name);
    found.map(AsRef::as_ref).ok_or_else(|| unknown("ephemeral resource", name))
}

fn unknown(kind: &str, name: &str) -> Status {
    Status::not_found(format!("this provider has no {kind} {name:?}"))
}

#[cfg(test)]
mod tests;
