//! CoreDNS.

use super::{Forwarding, Kind, RenderError, joined, lines};

/// The most addresses that the plugin `forward` takes; with more, CoreDNS does not start.
pub(super) const MOST_ADDRESSES: usize = 15;

/// The server block.
///
/// Nothing else serves the zones: a query that fails in a server block is not passed to another. The port stays
/// CoreDNS's own, which is 53 unless it was started with another.
///
/// # Errors
/// [`RenderError::TooManyAddresses`].
pub(super) fn config(forwarding: &Forwarding) -> Result<String, RenderError> {
    if forwarding.addresses().len() > MOST_ADDRESSES {
        return Err(RenderError::TooManyAddresses { kind: Kind::CoreDns, most: MOST_ADDRESSES });
    }
    let zones = joined(forwarding.zones(), " ");
    let addresses = joined(forwarding.addresses(), " ");
    let mut text = lines([
        "# Name this file at the top level of the Corefile: import <path of this file>",
        "# Then restart CoreDNS: the answers from before are in its cache.",
        "",
        "# The zones. They need no exemption: CoreDNS does not validate, and filters no private addresses.",
    ]);
    text += &format!("{zones} {{\n");
    text += &lines([
        "    # Forward to the VPC only: when it does not answer, the query fails.".to_owned(),
        format!("    forward . {addresses}"),
        "    # Keep answers for a minute at most: the addresses of endpoints change.".to_owned(),
        "    cache 60".to_owned(),
        "    # Tell of queries that failed.".to_owned(),
        "    errors".to_owned(),
        "}".to_owned(),
    ]);
    Ok(text)
}
