//! dnsmasq.

use super::{Forwarding, lines, per_zone};

/// The one file.
///
/// There is no exemption from DNSSEC validation in it, and `trust-anchor` with a name alone is refused: for a domain
/// with a server of its own, dnsmasq turns validation off by itself (dnsmasq(8), `--server`).
pub(super) fn config(forwarding: &Forwarding) -> String {
    let mut text = lines([
        "# Put this file into /etc/dnsmasq.d/, or name it with conf-file= in dnsmasq.conf.",
        "# Then restart dnsmasq: a reload does not read this file again.",
        "",
        "# Forward to the VPC only: when it does not answer, the query fails. dnsmasq does not validate these.",
    ]);
    for zone in forwarding.zones() {
        text += &lines(forwarding.addresses().iter().map(|address| format!("server=/{zone}/{address}")));
    }
    text += &lines(["", "# The answers are private addresses: do not filter them out (stop-dns-rebind)."]);
    text + &per_zone(forwarding, |zone| format!("rebind-domain-ok=/{zone}/"))
}
