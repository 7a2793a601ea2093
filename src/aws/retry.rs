//! What the SDK would try again, although trying again cannot help.
//!
//! **Invariant:** only forbids. What else is tried again stays the SDK's own choice.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};

/// Resolver's answer where a quota is used up. The SDK counts this code among those of throttling, and a run would hang
/// for as many attempts as it may make before it said what is wrong.
const USED_UP: &[u8] = b"LimitExceededException";

/// Ends a call that a quota refused.
#[derive(Debug)]
pub(super) struct QuotasStand;

impl ClassifyRetry for QuotasStand {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let is_error = matches!(context.output_or_error(), Some(Err(_)));
        let body = context.response().and_then(|response| response.body().bytes()).unwrap_or_default();
        if is_error && names_used_up_quota(body) { RetryAction::RetryForbidden } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "quotas stand"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Whether an answer in JSON has the code, and not a longer one that ends in it, such as `RequestLimitExceededException`.
fn names_used_up_quota(body: &[u8]) -> bool {
    let starts = |start: usize| start == 0 || !body[start - 1].is_ascii_alphanumeric();
    body.windows(USED_UP.len()).enumerate().any(|(start, text)| text == USED_UP && starts(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_known_by_its_code_alone() {
        assert!(names_used_up_quota(br#"{"__type":"LimitExceededException","Message":"4 endpoints"}"#));
        assert!(names_used_up_quota(br#"{"__type":"com.amazonaws.route53resolver#LimitExceededException"}"#));
        assert!(!names_used_up_quota(br#"{"__type":"RequestLimitExceededException"}"#));
        assert!(!names_used_up_quota(br#"{"__type":"ThrottlingException","Message":"Rate exceeded"}"#));
        assert!(!names_used_up_quota(b""));
    }
}
