//! Knot Resolver 5, whose configuration is Lua.

use super::{Forwarding, lines, per_zone};

/// The one file.
///
/// `set_insecure` replaces the list of exemptions, so those from before are put in again. The exemption from the filter
/// for private addresses is a flag that the filter (the module `rebinding`) looks at; it is set before the rule that
/// forwards, which is the last one that a query comes to.
///
/// `todnames` turns the list itself into DNS's binary names. So it is called once, after the names were used as text;
/// called twice, it would leave rules that match nothing, and the queries would go to public DNS.
pub(super) fn config(forwarding: &Forwarding) -> String {
    let mut text = lines([
        "-- Load this file in kresd.conf, before other policies: dofile('<path of this file>')",
        "-- Restart kresd, then empty its cache, which outlives a restart: cache.clear() at the control socket.",
        "",
        "-- The zones, and the servers in the VPC.",
        "local zones = {",
    ]);
    text += &per_zone(forwarding, |zone| format!("    '{zone}',"));
    text += &lines(["}", "local servers = {"]);
    text += &lines(forwarding.addresses().iter().map(|address| format!("    '{address}',")));
    text += &lines([
        "}",
        "",
        "-- The private answers bear no signatures: do not validate below these zones. Keep what is exempt already.",
        "local insecure = {}",
        "for _, list in ipairs({ trust_anchors.insecure, zones }) do",
        "    for _, name in ipairs(list) do",
        "        table.insert(insecure, name)",
        "    end",
        "end",
        "trust_anchors.set_insecure(insecure)",
        "",
        "-- The answers are private addresses: do not filter them out (module rebinding).",
        "local suffixes = policy.todnames(zones)",
        "policy.add(policy.suffix(policy.FLAGS({ 'ALLOW_LOCAL' }), suffixes))",
        "",
        "-- Forward to the VPC only: when it does not answer, the query fails.",
        "policy.add(policy.suffix(policy.FORWARD(servers), suffixes))",
    ]);
    text
}
