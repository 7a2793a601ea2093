//! What the provider offers, its schema, and how it is configured.
