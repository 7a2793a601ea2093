# Run this script on the DNS server, in a PowerShell of an administrator. It can be run again.

# Stop at the first error.
$ErrorActionPreference = 'Stop'

# The zones, and the servers in the VPC.
$zones = @(
    'studio.us-east-1.sagemaker.aws',
    'studio.sagemaker.us-east-1.app.aws'
)
$servers = @(
    '10.0.1.10',
    '10.0.2.10',
    '2001:db8::10'
)

# A domain controller (roles 4 and 5) shares the forwarders with the forest; others keep them to themselves.
$controller = (Get-CimInstance -ClassName Win32_ComputerSystem).DomainRole -ge 4

foreach ($zone in $zones) {
    $there = Get-DnsServerZone -Name $zone -ErrorAction SilentlyContinue
    if ($there -and $there.ZoneType -ne 'Forwarder') {
        throw "This server has a zone $zone of its own. Remove it before the zone can be forwarded."
    }

    # Forward to the VPC only: without recursion the query fails when the VPC does not answer.
    if ($there) {
        Set-DnsServerConditionalForwarderZone -Name $zone -MasterServers $servers -UseRecursion $false
    } elseif ($controller) {
        Add-DnsServerConditionalForwarderZone -Name $zone -MasterServers $servers -UseRecursion:$false -ReplicationScope 'Forest'
    } else {
        Add-DnsServerConditionalForwarderZone -Name $zone -MasterServers $servers -UseRecursion:$false
    }
}

# The private answers bear no signatures, and Windows DNS has no exemption from validation.
if (Get-DnsServerTrustAnchor -Name '.' -ErrorAction SilentlyContinue) {
    Write-Warning 'This server validates below the root. If a parent of these zones is signed, their answers fail: remove the trust anchor, or forward the zones on another server.'
}

# Forget the answers from before. Private ones are not filtered, so there is no more to exempt.
Clear-DnsServerCache -Force
