//! What an ephemeral resource is: opened when needed, never stored.

use async_trait::async_trait;
use time::OffsetDateTime;

use super::diagnostics::Diagnostics;
use super::dynamic::Dynamic;
use super::resource::{Call, Private};
use super::schema::Schema;

/// What opening gave.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The values, configuration included.
    pub result: Dynamic,
    /// Handed to renew and close.
    pub private: Private,
    /// When to renew; never, if `None`.
    pub renew_at: Option<OffsetDateTime>,
}

/// An ephemeral resource.
#[async_trait]
pub trait EphemeralResource: Send + Sync {
    /// The full type name.
    fn type_name(&self) -> &'static str;

    /// The schema.
    fn schema(&self) -> &Schema;

    /// Checks a configuration. Values may be unknown. Calls nothing.
    fn validate(&self, config: Dynamic) -> Diagnostics;

    /// Opens it.
    ///
    /// # Errors
    /// It could not be opened.
    async fn open(&self, call: &Call, config: Dynamic) -> Result<Opened, Diagnostics>;

    /// Keeps it open. Gives new private data and when to renew again.
    ///
    /// # Errors
    /// It could not be kept open.
    async fn renew(&self, _call: &Call, private: Private) -> Result<(Private, Option<OffsetDateTime>), Diagnostics> {
        Ok((private, None))
    }

    /// Closes it.
    ///
    /// # Errors
    /// It could not be closed.
    async fn close(&self, _call: &Call, _private: Private) -> Result<(), Diagnostics> {
        Ok(())
    }
}
