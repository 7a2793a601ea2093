//! BIND 9.
//!
//! Two files, because BIND takes the exemptions inside `options { }` only.

use super::{Forwarding, lines};

/// The forward zones.
///
/// A zone is named by its parent: BIND takes `*.studio…` as a name and then forwards nothing, and
/// `forward first` would ask public DNS when the VPC does not answer.
pub(super) fn zones(forwarding: &Forwarding) -> String {
    let addresses: String = forwarding.addresses().iter().map(|address| format!(" {address};")).collect();
    let mut text = lines([
        "// Include this file at the top level of named.conf; with views, inside each view instead.",
        "// Reload, then flush the cache (rndc flush): answers from before stay in it otherwise.",
    ]);
    for zone in forwarding.zones() {
        text += &lines([
            String::new(),
            "// Forward to the VPC only: when it does not answer, the query fails.".to_owned(),
            format!("zone \"{zone}\" {{"),
            "    type forward;".to_owned(),
            "    forward only;".to_owned(),
            format!("    forwarders {{{addresses} }};"),
            "};".to_owned(),
        ]);
    }
    text
}

/// The exemptions.
///
/// The one from DNSSEC validation is a statement of its own. The one from the filter for private
/// addresses is part of `deny-answer-addresses`, which an include cannot add to and which is not
/// set by default; setting it here would start filtering every other zone. So it is a comment.
pub(super) fn options(forwarding: &Forwarding) -> String {
    let mut text = lines([
        "// Include this file inside the options { } block of named.conf.",
        "// Where a validate-except is there already, add the names to that one instead: two are refused.",
        "",
        "// The private answers bear no signatures: do not validate below these zones.",
        "validate-except {",
    ]);
    text += &lines(names(forwarding).map(|name| format!("    {name}")));
    text += &lines([
        "};",
        "",
        "// The answers are private addresses: where deny-answer-addresses is set, exempt them at its end:",
        "//     except-from {",
    ]);
    text += &lines(names(forwarding).map(|name| format!("//         {name}")));
    text + &lines(["//     };"])
}

fn names(forwarding: &Forwarding) -> impl Iterator<Item = String> {
    forwarding.zones().iter().map(|zone| format!("\"{zone}\";"))
}
