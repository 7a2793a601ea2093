//! What happens around every call: our name in the user agent, and one line in the log.
//!
//! **Invariant:** logs names, numbers and AWS's request id; never a header, a body or a URL.

use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_types::region::SigningRegion;
use aws_types::request_id::RequestId;
use tokio::time::Instant;

const USER_AGENT: &str = "user-agent";

/// Names us to AWS, and logs each attempt of each call.
#[derive(Debug)]
pub(super) struct CallLog {
    user_agent: String,
}

impl CallLog {
    /// `user_agent` is added to what the SDK calls itself.
    pub(super) fn new(user_agent: &str) -> Self {
        Self { user_agent: user_agent.to_owned() }
    }
}

/// When an attempt began.
#[derive(Debug)]
struct Started(Instant);

impl Storable for Started {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for CallLog {
    fn name(&self) -> &'static str {
        "CallLog"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state().store_put(Started(Instant::now()));
        Ok(())
    }

    // After signing, which leaves this header out, and after the SDK has set it.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        let user_agent = match headers.get(USER_AGENT) {
            Some(sdk) => format!("{sdk} {}", self.user_agent),
            None => self.user_agent.clone(),
        };
        headers.try_insert(USER_AGENT, user_agent)?;
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let elapsed = bag.load::<Started>().map_or(Duration::ZERO, |started| started.0.elapsed());
        let response = context.response();
        tracing::debug!(
            service = bag.load::<Metadata>().map(Metadata::service),
            operation = bag.load::<Metadata>().map(Metadata::name),
            region = bag.load::<SigningRegion>().map(AsRef::<str>::as_ref),
            attempt = bag.load::<RequestAttempts>().map(RequestAttempts::attempts),
            status = response.map(|response| response.status().as_u16()),
            request_id = response.and_then(RequestId::request_id),
            elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "called AWS"
        );
        Ok(())
    }
}
