//! DNS forwarding rules for Studio's private names.
