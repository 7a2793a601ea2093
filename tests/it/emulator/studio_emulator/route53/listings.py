"""Listings of zones, and their tags.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByVPC.html
That the zones of endpoints' private DNS appear there, owned by a service, is inferred from the
shape of the answer; the owner's name is ours. Assumed: only the VPC's owner may ask.

**Invariant:** listings show a zone the moment it exists, whatever its change's state.
"""

from __future__ import annotations

from typing import Any

from moto.route53.models import route53_backends

from ..ec2.catalog import zone_id_for
from ..registry import AwsError, Call, handles, page
from .model import Zone, all_zones, bare, managed_names, vpc_is_in, zone_of, zones_of
from .zones import shown, zone_name


@handles("route53", "ListHostedZones")
def list_hosted_zones(call: Call) -> dict[str, Any]:
    """The caller's zones, one page at a time."""
    every = [shown(zone) for zone in zones_of(call).values() if isinstance(zone, Zone)]
    kind = call.get("HostedZoneType")
    if kind:
        every = [zone for zone in every if zone["Config"]["PrivateZone"] == (kind == "PrivateHostedZone")]
    zones, token = page(every, call.get("Marker"), call.get("MaxItems"), 100)
    return {
        "HostedZones": zones,
        "Marker": call.get("Marker") or "",
        "IsTruncated": token is not None,
        "NextMarker": token,
        "MaxItems": str(call.get("MaxItems") or 100),
    }


@handles("route53", "ListHostedZonesByName")
def list_hosted_zones_by_name(call: Call) -> dict[str, Any]:
    """The caller's zones in the order of their names read from the right, from a name on."""
    zones = sorted((z for z in zones_of(call).values() if isinstance(z, Zone)), key=lambda z: (_order(z.name), z.id))
    start = call.get("DNSName")
    if start:
        first = _order(zone_name(start))
        zones = [zone for zone in zones if _order(zone.name) >= first]
    if call.get("HostedZoneId"):
        wanted = bare(call["HostedZoneId"])
        position = next((i for i, zone in enumerate(zones) if zone.resource_id == wanted), 0)
        zones = zones[position:]
    size = int(call.get("MaxItems") or 100)
    following = zones[size] if len(zones) > size else None
    return {
        "HostedZones": [shown(zone) for zone in zones[:size]],
        "DNSName": start,
        "HostedZoneId": call.get("HostedZoneId"),
        "IsTruncated": following is not None,
        "NextDNSName": following.name if following else None,
        "NextHostedZoneId": following.resource_id if following else None,
        "MaxItems": str(size),
    }


@handles("route53", "ListHostedZonesByVPC")
def list_hosted_zones_by_vpc(call: Call) -> dict[str, Any]:
    """The zones that serve one of the caller's VPCs: anybody's, and those of endpoints with private DNS."""
    if not vpc_is_in(call.account, call["VPCRegion"], call["VPCId"]):
        message = f"The VPC {call['VPCId']} in region {call['VPCRegion']} does not exist or is not yours."
        raise AwsError("InvalidInput", message)
    found = [
        {"HostedZoneId": zone.resource_id, "Name": zone.name, "Owner": {"OwningAccount": zone.account}}
        for zone in all_zones()
        if any(v == {"vpc_id": call["VPCId"], "vpc_region": call["VPCRegion"]} for v in zone.vpcs)
    ]
    for name, endpoint_id in managed_names(call["VPCId"]):
        owner = {"OwningService": "vpce.amazonaws.com"}
        found.append({"HostedZoneId": zone_id_for(endpoint_id + name), "Name": name + ".", "Owner": owner})
    zones, token = page(found, call.get("NextToken"), call.get("MaxItems"), 100)
    return {"HostedZoneSummaries": zones, "MaxItems": str(call.get("MaxItems") or 100), "NextToken": token}


@handles("route53", "ChangeTagsForResource")
def change_tags(call: Call) -> dict[str, Any]:
    """Adds and takes away tags of a zone."""
    _refuse_unknown(call, call["ResourceId"])
    tags = route53_backends[call.account][call.partition].resource_tags[call["ResourceId"]]
    tags.update({tag["Key"]: tag.get("Value") or "" for tag in call.get("AddTags") or []})
    for key in call.get("RemoveTagKeys") or []:
        tags.pop(key, None)
    return {}


@handles("route53", "ListTagsForResource")
def list_tags(call: Call) -> dict[str, Any]:
    """The tags of one zone."""
    _refuse_unknown(call, call["ResourceId"])
    return {"ResourceTagSet": _tag_set(call, call["ResourceId"])}


@handles("route53", "ListTagsForResources")
def list_tags_of_several(call: Call) -> dict[str, Any]:
    """The tags of up to ten zones."""
    for zone_id in call["ResourceIds"]:
        _refuse_unknown(call, zone_id)
    return {"ResourceTagSets": [_tag_set(call, zone_id) for zone_id in call["ResourceIds"]]}


def _tag_set(call: Call, zone_id: str) -> dict[str, Any]:
    tags = route53_backends[call.account][call.partition].resource_tags.get(zone_id, {})
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {"ResourceType": call["ResourceType"], "ResourceId": zone_id, "Tags": pairs}


def _refuse_unknown(call: Call, zone_id: str) -> None:
    if call["ResourceType"] != "hostedzone":
        raise AwsError("InvalidInput", "The emulator has tags of hosted zones only.")
    if "/" in zone_id:
        raise AwsError("InvalidInput", f"'{zone_id}' is not a hosted zone id: it must come without a path.")
    zone_of(call, zone_id)


def _order(name: str) -> tuple[str, ...]:
    return tuple(reversed(name.rstrip(".").split(".")))
