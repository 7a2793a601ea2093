//! What resources reach AWS with: nothing yet, nothing known yet, or clients.
//!
//! **Invariant:** no AWS call is made before the provider is configured, and none while its configuration is unknown.

use std::sync::{Arc, PoisonError, RwLock};

use crate::aws::{Clients, Region};
use crate::framework::{Diagnostic, Diagnostics};

/// A handle that the provider and its resources share.
#[derive(Clone, Default)]
pub struct Connection(Arc<RwLock<State>>);

#[derive(Clone, Default)]
enum State {
    #[default]
    NotConfigured,
    Unknown,
    Ready(Clients),
}

impl Connection {
    /// From now on these clients are used.
    pub fn set_ready(&self, clients: Clients) {
        self.set(State::Ready(clients));
    }

    /// The configuration depends on something that is not made yet.
    pub fn set_unknown(&self) {
        self.set(State::Unknown);
    }

    /// The clients for a resource's own Region, or for the provider's. `None` while the configuration is unknown.
    ///
    /// # Errors
    /// The provider was not configured at all, which is a mistake of its own.
    pub fn clients(&self, region: Option<&str>) -> Result<Option<Clients>, Diagnostics> {
        match self.0.read().unwrap_or_else(PoisonError::into_inner).clone() {
            State::Ready(clients) => Ok(Some(match region {
                Some(region) => clients.in_region(&Region::from(region)),
                None => clients,
            })),
            State::Unknown => Ok(None),
            State::NotConfigured => {
                Err(Diagnostic::bug("A resource was used before the provider was configured.").into())
            }
        }
    }

    /// The same, where the configuration must be known by now.
    ///
    /// # Errors
    /// It is not.
    pub fn known_clients(&self, region: Option<&str>) -> Result<Clients, Diagnostics> {
        self.clients(region)?.ok_or_else(|| {
            Diagnostic::error(
                "The provider's configuration is not known yet",
                "It depends on something that this run has yet to make. Apply that first, with -target, and then run again.",
            )
            .into()
        })
    }

    fn set(&self, state: State) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = state;
    }
}
