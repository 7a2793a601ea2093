//! The `timeouts` attribute that every managed resource has.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::checks::{duration, parse_duration};
use super::schema::{Attribute, Nesting};
use super::value::Value;

/// How long the operations may take, as the user wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// For creation.
    pub create: Value<String>,
    /// For reading.
    pub read: Value<String>,
    /// For changes.
    pub update: Value<String>,
    /// For destruction.
    pub delete: Value<String>,
}

impl Timeouts {
    /// The attribute's schema.
    pub fn attribute() -> Attribute {
        let one = |name, text| Attribute::string(name).describe(text).check(duration());
        Attribute::nested(
            "timeouts",
            Nesting::Single,
            vec![
                one("create", "How long creation may take, such as `\"30m\"` or `\"1h30m\"`."),
                one("read", "How long reading may take."),
                one("update", "How long a change may take."),
                one("delete", "How long destruction may take."),
            ],
        )
        .describe(
            "How long operations may take before Terraform gives up. What was made until then is kept in the state.",
        )
    }
}

/// One of the four, or what holds without it.
pub fn timeout(written: &Value<String>, otherwise: Duration) -> Duration {
    written.text().and_then(parse_duration).unwrap_or(otherwise)
}
