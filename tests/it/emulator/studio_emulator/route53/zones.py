"""Hosted zones: create, get, delete, and the state of changes.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html

**Invariant:** no two zones of one name serve the same VPC.
"""

from __future__ import annotations

import re
from typing import Any

from moto.route53.models import DelegationSet

from ..registry import AwsError, Call, handles, random_id
from .limits import refuse_another_zone
from .model import (
    CHANGES,
    REFERENCES,
    Zone,
    all_zones,
    change,
    refuse_conflict,
    vpc_is_in,
    zone_of,
    zones_of,
)

_LABEL = re.compile(r"[a-z0-9_*\\]([a-z0-9_*\\-]{0,61}[a-z0-9_*\\])?")


@handles("route53", "CreateHostedZone")
def create_hosted_zone(call: Call) -> dict[str, Any]:
    """Makes a zone: private if it comes with a VPC, which is the caller's own."""
    used = REFERENCES.at(call.account, call.partition)
    if call["CallerReference"] in used:
        message = "A hosted zone has already been created with the specified caller reference."
        raise AwsError("HostedZoneAlreadyExists", message)
    config, vpc = call.get("HostedZoneConfig") or {}, call.get("VPC")
    name = zone_name(call["Name"])
    if config.get("PrivateZone") and not vpc:
        raise AwsError("InvalidInput", "A private hosted zone needs VPCId and VPCRegion.")
    if vpc:
        if not vpc_is_in(call.account, vpc["VPCRegion"], vpc["VPCId"]):
            message = f"The VPC {vpc['VPCId']} in region {vpc['VPCRegion']} does not exist or is not yours."
            raise AwsError("InvalidVPCId", message)
        refuse_conflict(name, vpc["VPCRegion"], vpc["VPCId"])
    refuse_another_zone(call)
    used.add(call["CallerReference"])
    zone = _make(call, name, config.get("Comment") or "", vpc)
    zones_of(call)[zone.resource_id] = zone
    return {
        "HostedZone": shown(zone),
        "ChangeInfo": change(call),
        "DelegationSet": None if vpc else {"NameServers": zone.delegation_set.name_servers},
        "VPC": vpc,
        "Location": f"https://route53.amazonaws.com/2013-04-01/hostedzone/{zone.resource_id}",
    }


@handles("route53", "GetHostedZone")
def get_hosted_zone(call: Call) -> dict[str, Any]:
    """A zone with its VPCs."""
    zone = zone_of(call, call["Id"])
    return {
        "HostedZone": shown(zone),
        "DelegationSet": None if zone.private_zone else {"NameServers": zone.delegation_set.name_servers},
        "VPCs": zone.vpc_list() if zone.private_zone else None,
    }


@handles("route53", "UpdateHostedZoneComment")
def update_hosted_zone_comment(call: Call) -> dict[str, Any]:
    """Changes the comment."""
    zone = zone_of(call, call["Id"])
    zone.comment = call.get("Comment") or ""
    return {"HostedZone": shown(zone)}


@handles("route53", "DeleteHostedZone")
def delete_hosted_zone(call: Call) -> dict[str, Any]:
    """Deletes a zone that holds only the records it was made with."""
    zone = zone_of(call, call["Id"])
    if any(kind not in ("SOA", "NS") or name != zone.name for name, kind, _ in zone.records):
        message = "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
        raise AwsError("HostedZoneNotEmpty", message)
    zones_of(call).pop(zone.resource_id)
    return {"ChangeInfo": change(call)}


@handles("route53", "GetChange")
def get_change(call: Call) -> dict[str, Any]:
    """The state of a change, by its id with or without the path."""
    change_id = "/change/" + call["Id"].rpartition("/")[2]
    found = CHANGES.at(call.account, call.partition).get(change_id)
    if found is None:
        raise AwsError("NoSuchChange", f"Could not find resource with ID: {change_id.rpartition('/')[2]}")
    return {"ChangeInfo": found.shown()}


def zone_name(text: str) -> str:
    """A domain name as Route 53 keeps it: small letters, and a dot at the end."""
    name = text.lower().rstrip(".") + "."
    labels = name[:-1].split(".")
    if len(name) > 255 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AwsError("InvalidDomainName", f"{text} is not a valid domain name.")
    return name


def shown(zone: Zone) -> dict[str, Any]:
    """A zone as every answer shows it."""
    return {
        "Id": zone.id,
        "Name": zone.name,
        "CallerReference": zone.caller_reference,
        "Config": {"Comment": zone.comment or None, "PrivateZone": zone.private_zone},
        "ResourceRecordSetCount": zone.resource_record_set_count,
    }


def names_in_vpc(vpc_id: str) -> list[str]:
    """The names of the zones that serve a VPC, without the dot at the end."""
    return [zone.name.rstrip(".") for zone in all_zones() if zone.serves(vpc_id)]


def _make(call: Call, name: str, comment: str, vpc: dict[str, str] | None) -> Zone:
    zone = Zone(
        name,
        "Z0" + random_id(19, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
        private_zone=vpc is not None,
        caller_reference=call["CallerReference"],
        comment=comment,
        delegation_set=DelegationSet(call["CallerReference"], None, None),
    )
    zone.account, zone.authorized, zone.records = call.account, [], {}
    if vpc:
        zone.add_vpc(vpc["VPCId"], vpc["VPCRegion"])
    servers = [server + "." for server in zone.delegation_set.name_servers]
    soa = f"{servers[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    for kind, ttl, values in (("NS", 172800, servers), ("SOA", 900, [soa])):
        records = [{"Value": value} for value in values]
        zone.records[name, kind, ""] = {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": records}
    return zone
