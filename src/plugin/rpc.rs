//! What holds for every RPC: a span, a duration in the log, a stop signal, and an answer even when
//! the work panics.
//!
//! **Invariant:** no RPC's work can end the process or take state away. It runs in a task of its
//! own, and when that panics, the answer is a diagnostic beside the state that there was before.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Response, Status};
use tracing::{Instrument, debug, error_span};

use super::{
    convert,
    pb::tfplugin6::{
        ClientCapabilities, FunctionError, apply_resource_change, call_function, close_ephemeral_resource,
        configure_provider, get_functions, get_metadata, get_provider_schema, import_resource_state,
        move_resource_state, open_ephemeral_resource, plan_resource_change, read_data_source, read_resource,
        renew_ephemeral_resource, upgrade_resource_state, validate_data_resource_config,
        validate_ephemeral_resource_config, validate_provider_config, validate_resource_config,
    },
};
use crate::framework::{Call, Diagnostic};

/// Stops the work in flight, and nothing that comes after.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Mutex<CancellationToken>>);

impl Stop {
    /// Tells everything that has a token so far to stop.
    pub fn in_flight(&self) {
        let mut token = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *token).cancel();
    }

    fn token(&self) -> CancellationToken {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A request, and what it says about itself.
pub trait Ask: Send + 'static {
    /// The RPC's name.
    const RPC: &'static str;

    /// What answers it.
    type Answer: Answer;

    /// The resource, data source or function that it is about.
    fn about(&self) -> Option<&str> {
        None
    }

    /// Whether "not now" is an answer.
    fn deferral_allowed(&self) -> bool {
        false
    }

    /// What to answer, beside a diagnostic, when the work comes to nothing.
    fn kept(&self) -> Self::Answer {
        Self::Answer::default()
    }
}

/// An answer, to which something can be added for people to read.
pub trait Answer: Default + Send + 'static {
    /// Adds it.
    fn tell(&mut self, diagnostic: Diagnostic);
}

/// Answers a request with the outcome of `work`.
///
/// Guarantees: the answer does not depend on the client staying; once begun, the work goes on to
/// its end, as state may depend on it.
///
/// # Errors
/// The status that the work gives, which is for mistakes in Terraform's use of the protocol.
pub async fn answer<A, F>(
    request: A,
    stop: &Stop,
    work: impl FnOnce(Call, A) -> F,
) -> Result<Response<A::Answer>, Status>
where
    A: Ask,
    F: Future<Output = Result<A::Answer, Status>> + Send + 'static,
{
    let begin = Instant::now();
    let kept = request.kept();
    // At the level of errors, so that every event has these fields, whatever the log's level.
    let span = error_span!("rpc", tf_rpc = A::RPC, tf_resource_type = request.about());
    let call = Call { stop: stop.token(), deferral_allowed: request.deferral_allowed() };
    let task = tokio::spawn(work(call, request).instrument(span.clone())).await;
    let answer = task.unwrap_or_else(|error| Ok(after_panic(kept, A::RPC, error)));
    let duration_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = answer.as_ref().err().map(|status| status.to_string());
    span.in_scope(|| debug!(duration_ms, status, "answered"));
    answer.map(Response::new)
}

fn after_panic<A: Answer>(mut kept: A, rpc: &str, error: tokio::task::JoinError) -> A {
    let reason = match error.try_into_panic() {
        Ok(payload) => match (payload.downcast_ref::<String>(), payload.downcast_ref::<&str>()) {
            (Some(text), _) => text.clone(),
            (None, Some(text)) => (*text).to_owned(),
            (None, None) => "no reason given".to_owned(),
        },
        Err(error) => error.to_string(),
    };
    kept.tell(Diagnostic::bug(format!(
        "{rpc} ended unexpectedly: {reason}. What the state held before is kept; what was being \
         done may be done in part."
    )));
    kept
}

/// Implements [`Ask`] for a request, and [`Answer`] for its response by way of `diagnostics`.
macro_rules! rpcs {
    ($($module:ident $rpc:literal { $($overrides:tt)* })*) => {$(
        impl Ask for $module::Request {
            const RPC: &'static str = $rpc;
            type Answer = $module::Response;
            $($overrides)*
        }

        impl Answer for $module::Response {
            fn tell(&mut self, diagnostic: Diagnostic) {
                self.diagnostics.push(convert::diagnostic(diagnostic));
            }
        }
    )*};
}

/// The usual [`Ask::about`].
macro_rules! about_type {
    () => {
        fn about(&self) -> Option<&str> {
            Some(&self.type_name)
        }
    };
}

/// The usual [`Ask::deferral_allowed`].
macro_rules! may_defer {
    () => {
        fn deferral_allowed(&self) -> bool {
            allows_deferral(self.client_capabilities)
        }
    };
}

rpcs! {
    get_metadata "GetMetadata" {}
    get_provider_schema "GetProviderSchema" {}
    get_functions "GetFunctions" {}
    validate_provider_config "ValidateProviderConfig" {}
    configure_provider "ConfigureProvider" { may_defer!(); }

    validate_resource_config "ValidateResourceConfig" { about_type!(); }
    upgrade_resource_state "UpgradeResourceState" { about_type!(); }
    import_resource_state "ImportResourceState" { about_type!(); may_defer!(); }
    move_resource_state "MoveResourceState" {
        fn about(&self) -> Option<&str> {
            Some(&self.target_type_name)
        }
    }
    read_resource "ReadResource" {
        about_type!();
        may_defer!();

        fn kept(&self) -> Self::Answer {
            read_resource::Response {
                new_state: self.current_state.clone(),
                private: self.private.clone(),
                ..Default::default()
            }
        }
    }
    plan_resource_change "PlanResourceChange" {
        about_type!();
        may_defer!();

        fn kept(&self) -> Self::Answer {
            plan_resource_change::Response {
                planned_state: self.prior_state.clone(),
                planned_private: self.prior_private.clone(),
                ..Default::default()
            }
        }
    }
    apply_resource_change "ApplyResourceChange" {
        about_type!();

        fn kept(&self) -> Self::Answer {
            apply_resource_change::Response {
                new_state: self.prior_state.clone(),
                private: self.planned_private.clone(),
                ..Default::default()
            }
        }
    }

    validate_data_resource_config "ValidateDataResourceConfig" { about_type!(); }
    read_data_source "ReadDataSource" { about_type!(); may_defer!(); }

    validate_ephemeral_resource_config "ValidateEphemeralResourceConfig" { about_type!(); }
    open_ephemeral_resource "OpenEphemeralResource" { about_type!(); may_defer!(); }
    renew_ephemeral_resource "RenewEphemeralResource" { about_type!(); }
    close_ephemeral_resource "CloseEphemeralResource" { about_type!(); }
}

impl Ask for call_function::Request {
    const RPC: &'static str = "CallFunction";
    type Answer = call_function::Response;

    fn about(&self) -> Option<&str> {
        Some(&self.name)
    }
}

impl Answer for call_function::Response {
    /// A function's answer has room for one error and no diagnostics.
    fn tell(&mut self, diagnostic: Diagnostic) {
        let text = format!("{}: {}", diagnostic.summary, diagnostic.detail);
        self.error = Some(FunctionError { text, function_argument: None });
    }
}

fn allows_deferral(capabilities: Option<ClientCapabilities>) -> bool {
    capabilities.is_some_and(|capabilities| capabilities.deferral_allowed)
}
