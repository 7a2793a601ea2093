//! PowerDNS Recursor.
//!
//! Two files, because the exemption from validation can be given in Lua only. There is no filter for private addresses
//! to be exempted from.

use super::{Forwarding, joined, lines, per_zone};

/// The forward zones.
///
/// `forward-zones-recurse`, not `forward-zones`, which asks without "recursion desired" and gets no answer from
/// Resolver; nor a `+` before the zone, which means the same in a zones file only and is taken for a part of the name
/// here.
///
/// The first zone is set and the others are added (`+=`). Set, it replaces what an earlier file may say of other zones;
/// but added to nothing it keeps the recursor from starting, so a comment says what to do where there is something.
pub(super) fn config(forwarding: &Forwarding) -> String {
    let addresses = joined(forwarding.addresses(), ";");
    let text = lines([
        "# Put this file into the recursor's include-dir (Debian: /etc/powerdns/recursor.d/) as studio.conf.",
        "# Put powerdns_recursor_lua in its place, too: the exemption from validation is there.",
        "# Then restart the recursor, from 5.2 on with --enable-old-settings; that also empties its cache.",
        "",
        "# Forward to the VPC only: when it does not answer, the query fails.",
        "# Where forward-zones-recurse is set already, make the first = a +=: it replaces what is there.",
    ]);
    let operator = |index| if index == 0 { "=" } else { "+=" };
    let line = |(index, zone)| format!("forward-zones-recurse{}{zone}={addresses}", operator(index));
    text + &lines(forwarding.zones().iter().enumerate().map(line))
}

/// The exemption from validation.
pub(super) fn lua(forwarding: &Forwarding) -> String {
    let text = lines([
        "-- Make this the recursor's lua-config-file, or add it to the one there is (Debian: /etc/powerdns/recursor.lua).",
        "-- Then restart the recursor.",
        "",
        "-- The private answers bear no signatures: do not validate below these zones.",
    ]);
    text + &per_zone(forwarding, |zone| format!("addNTA(\"{zone}\", \"forwarded to the VPC\")"))
}
