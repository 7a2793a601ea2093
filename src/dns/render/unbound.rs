//! Unbound.

use super::{Forwarding, lines, per_zone};

/// The one file. `server:` may occur more than once in Unbound's configuration; its lists add up.
pub(super) fn config(forwarding: &Forwarding) -> String {
    let mut text = lines([
        "# Put this file into /etc/unbound/unbound.conf.d/, or include it at the end of unbound.conf.",
        "# Reload, then flush the zones (unbound-control flush_zone): answers from before stay cached.",
        "",
        "server:",
        "    # The private answers bear no signatures: do not validate below these zones.",
    ]);
    text += &per_zone(forwarding, |zone| format!("    domain-insecure: \"{zone}\""));
    text += &lines(["    # The answers are private addresses: do not filter them out."]);
    text += &per_zone(forwarding, |zone| format!("    private-domain: \"{zone}\""));
    for zone in forwarding.zones() {
        text += &lines([
            String::new(),
            "# Forward to the VPC only: when it does not answer, the query fails.".to_owned(),
            "forward-zone:".to_owned(),
            format!("    name: \"{zone}\""),
        ]);
        text += &lines(forwarding.addresses().iter().map(|a| format!("    forward-addr: {a}")));
        text += &lines(["    forward-first: no"]);
    }
    text
}
