//! systemd-resolved.

use super::{Forwarding, lines, per_zone};

/// The drop-in.
///
/// The servers here are global ones, and resolved asks global servers for other names, too, as long as no link has
/// servers of its own: then everything would go to the VPC. No setting of this file prevents that.
///
/// Exemptions from validation have a place of their own, which is not this file, so they are a comment. `DNSSEC=no`
/// here would turn validation off for everything. Private addresses are not filtered.
pub(super) fn config(forwarding: &Forwarding) -> String {
    let mut text = lines([
        "# Put this file into /etc/systemd/resolved.conf.d/, under a name that ends in .conf.",
        "# Then restart systemd-resolved; that also empties its cache.",
        "# A network link must have DNS servers of its own, as from DHCP: else these are asked for every name.",
        "",
        "[Resolve]",
        "# The servers in the VPC. When they do not answer, the query fails.",
    ]);
    text += &lines(forwarding.addresses().iter().map(|address| format!("DNS={address}")));
    text += &lines(["# The zones that are theirs; \"~\" makes them a route and not a search suffix."]);
    text += &per_zone(forwarding, |zone| format!("Domains=~{zone}"));
    text += &lines([
        "",
        "# With DNSSEC= on, exempt the zones from validation in /etc/dnssec-trust-anchors.d/studio.negative:",
    ]);
    text + &per_zone(forwarding, |zone| format!("#     {zone}"))
}
