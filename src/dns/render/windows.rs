//! Windows DNS Server: a script for PowerShell.
//!
//! Parameters are those of the DnsServer module's reference (Windows Server 2022). `UseRecursion` is a switch on `Add-…`
//! and a Boolean on `Set-…`; off, it keeps the server from asking others when the forwarders fail.

use super::{Forwarding, lines};

/// The script. Run again, it finds the zones and sets what it would have made.
///
/// Where the zones are kept depends on the machine: on a domain controller in Active Directory, on any other server in
/// the registry, where `ReplicationScope` is refused. `Set-…` takes `ReplicationScope` in a call of its own only; so a
/// forwarder that is there keeps its scope.
///
/// There is no exemption from validation to set: Windows DNS has none. It validates below the trust anchors that it was
/// given only, so the script looks for one above the zones and warns.
pub(super) fn config(forwarding: &Forwarding) -> String {
    let mut text = lines([
        "# Run this script on the DNS server, in a PowerShell of an administrator. It can be run again.",
        "",
        "# Stop at the first error.",
        "$ErrorActionPreference = 'Stop'",
        "",
        "# The zones, and the servers in the VPC.",
    ]);
    text += &array("zones", forwarding.zones());
    text += &array("servers", forwarding.addresses());
    text + &lines([
        "",
        "# A domain controller (roles 4 and 5) shares the forwarders with the forest; others keep them to themselves.",
        "$controller = (Get-CimInstance -ClassName Win32_ComputerSystem).DomainRole -ge 4",
        "",
        "foreach ($zone in $zones) {",
        "    $there = Get-DnsServerZone -Name $zone -ErrorAction SilentlyContinue",
        "    if ($there -and $there.ZoneType -ne 'Forwarder') {",
        "        throw \"This server has a zone $zone of its own. Remove it before the zone can be forwarded.\"",
        "    }",
        "",
        "    # Forward to the VPC only: without recursion the query fails when the VPC does not answer.",
        "    if ($there) {",
        "        Set-DnsServerConditionalForwarderZone -Name $zone -MasterServers $servers -UseRecursion $false",
        "    } elseif ($controller) {",
        "        Add-DnsServerConditionalForwarderZone -Name $zone -MasterServers $servers -UseRecursion:$false -ReplicationScope 'Forest'",
        "    } else {",
        "        Add-DnsServerConditionalForwarderZone -Name $zone -MasterServers $servers -UseRecursion:$false",
        "    }",
        "}",
        "",
        "# The private answers bear no signatures, and Windows DNS has no exemption from validation.",
        "if (Get-DnsServerTrustAnchor -Name '.' -ErrorAction SilentlyContinue) {",
        "    Write-Warning 'This server validates below the root. If a parent of these zones is signed, their answers fail: remove the trust anchor, or forward the zones on another server.'",
        "}",
        "",
        "# Forget the answers from before. Private ones are not filtered, so there is no more to exempt.",
        "Clear-DnsServerCache -Force",
    ])
}

fn array<T: ToString>(name: &str, items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(|item| format!("    '{}'", item.to_string())).collect();
    format!("${name} = @(\n{}\n)\n", items.join(",\n"))
}
