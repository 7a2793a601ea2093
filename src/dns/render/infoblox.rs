//! Infoblox NIOS: a file for CSV import.
//!
//! CSV import rather than a request to the WAPI: a person can import it as it is, also again (with "merge" or
//! "override"), while a request that makes a zone fails where the zone is already there. The columns are those of
//! "Forward-Mapping Zone" in the CSV Import Reference; all Booleans are given, because "override" asks for that.

use super::{Forwarding, lines};

const HEADER: &str =
    "header-forwardzone,fqdn,zone_format,forward_to,forwarders_only,disabled,disable_ns_generation,comment";

/// What the file cannot say stands in the comment of each zone, of which NIOS keeps 256 characters. The format has no
/// lines of comment, no column for an exemption from validation, and only the user knows the grid's members.
const COMMENT: &str = "Forwarded to the VPC only. Assign the members that serve it. With DNSSEC validation: \
                       add it to the negative trust anchors. Then clear the DNS cache.";

/// The file: a header, then one line for each zone. A forwarder has a name beside its address; ours have none, so the
/// address stands for it.
pub(super) fn config(forwarding: &Forwarding) -> String {
    let forwarders: Vec<_> = forwarding.addresses().iter().map(|address| format!("{address}/{address}")).collect();
    let forwarders = forwarders.join(",");
    let row = |zone| format!("forwardzone,{zone},FORWARD,\"{forwarders}\",True,False,False,{COMMENT}");
    lines([HEADER.to_owned()]) + &lines(forwarding.zones().iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_fits_and_needs_no_quotes() {
        assert!(COMMENT.len() <= 256);
        assert!(!COMMENT.contains([',', '"', ';', '\n']), "{COMMENT}");
    }
}
