//! Zscaler Private Access, which takes no file but lists that are pasted into a form.

use super::{Forwarding, lines, per_zone};

/// The lists.
///
/// A domain with a `*` in front covers what is below it and not itself; so each zone stands in both forms. This is the
/// one place where a wildcard is right: the names are for matching, and no server forwards by them.
///
/// Connectors look up every name of a segment themselves, with the DNS servers of their hosts. When those do not answer,
/// nothing is opened by another path. Exemptions are up to these servers; there is nothing of the kind in Zscaler.
pub(super) fn config(forwarding: &Forwarding) -> String {
    let mut text = lines([
        "# Paste these lists, without the lines that start with \"#\", into the forms that they name.",
        "",
        "# Zscaler Private Access, application segment for Studio, TCP port 443: the applications.",
    ]);
    text += &per_zone(forwarding, |zone| format!("{zone}\n*.{zone}"));
    text += &lines([
        "",
        "# The only DNS servers by which the segment's App Connectors may look these names up (port 53, TCP and UDP).",
    ]);
    text + &lines(forwarding.addresses().iter().map(ToString::to_string))
}
