"""How many zones, records and VPCs there may be, and how many there are.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetAccountLimit.html
https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZoneLimit.html
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html (the defaults)
The codes are documented; which text comes with them is not.

Tests set other limits for an account with `PUT /_studio/limits`.

**Invariant:** what is counted is what there is: nothing keeps a count of its own.
"""

from __future__ import annotations

from typing import Any

from ..registry import AwsError, Call, Store, handles
from .model import Zone, zone_of, zones_of

ACCOUNT_DEFAULTS = {
    "MAX_HEALTH_CHECKS_BY_OWNER": 200,
    "MAX_HOSTED_ZONES_BY_OWNER": 500,
    "MAX_REUSABLE_DELEGATION_SETS_BY_OWNER": 100,
    "MAX_TRAFFIC_POLICIES_BY_OWNER": 50,
    "MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER": 5,
}
ZONE_DEFAULTS = {"MAX_RRSETS_BY_ZONE": 10000, "MAX_VPCS_ASSOCIATED_BY_ZONE": 300}

# What was set for an account, by the limit's name; limits are global, so the region is "aws".
_set: Store[dict[str, int]] = Store(dict)


@handles("route53", "GetAccountLimit")
def get_account_limit(call: Call) -> dict[str, Any]:
    """An account's limit with the count it bounds. There are no objects here but zones."""
    kind = call["Type"]
    count = len(zones_of(call)) if kind == "MAX_HOSTED_ZONES_BY_OWNER" else 0
    return {"Limit": {"Type": kind, "Value": limit(call.account, kind)}, "Count": count}


@handles("route53", "GetHostedZoneLimit")
def get_hosted_zone_limit(call: Call) -> dict[str, Any]:
    """A zone's limit with the count it bounds."""
    zone, kind = zone_of(call, call["HostedZoneId"]), call["Type"]
    if kind == "MAX_VPCS_ASSOCIATED_BY_ZONE" and not zone.private_zone:
        raise AwsError("HostedZoneNotPrivate", "The specified hosted zone is a public hosted zone.")
    count = len(zone.records) if kind == "MAX_RRSETS_BY_ZONE" else len(zone.vpcs)
    return {"Limit": {"Type": kind, "Value": limit(zone.account, kind)}, "Count": count}


def limit(account: str, kind: str) -> int:
    """A limit of an account: what was set for it, or AWS's default."""
    return _set.at(account, "aws").get(kind, {**ACCOUNT_DEFAULTS, **ZONE_DEFAULTS}[kind])


def shown(account: str) -> dict[str, int]:
    """All limits of an account."""
    return {**ACCOUNT_DEFAULTS, **ZONE_DEFAULTS, **_set.at(account, "aws")}


def set_limits(account: str, wanted: dict[str, Any]) -> None:
    """Sets an account's limits; those that are not named are AWS's again."""
    unknown = set(wanted) - set(ACCOUNT_DEFAULTS) - set(ZONE_DEFAULTS)
    if unknown:
        raise ValueError("there is no limit " + ", ".join(sorted(unknown)))
    checked = {name: int(value) for name, value in wanted.items()}
    if any(value < 0 for value in checked.values()):
        raise ValueError("a limit is not below 0")
    held = _set.at(account, "aws")
    held.clear()
    held.update(checked)


def refuse_another_zone(call: Call) -> None:
    """An account at its limit gets no further zone."""
    most = limit(call.account, "MAX_HOSTED_ZONES_BY_OWNER")
    if len(zones_of(call)) >= most:
        raise AwsError("TooManyHostedZones", f"Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - {most} hosted zones exist.")


def refuse_another_vpc(zone: Zone) -> None:
    """A zone at its limit serves no further VPC."""
    most = limit(zone.account, "MAX_VPCS_ASSOCIATED_BY_ZONE")
    if len(zone.vpcs) >= most:
        message = f"Limits Exceeded: MAX_VPCS_ASSOCIATED_BY_ZONE - the hosted zone has {most} VPCs."
        raise AwsError("LimitsExceeded", message)


def fault_of_size(zone: Zone, count: int) -> list[str]:
    """What is wrong with that many records in a zone."""
    most = limit(zone.account, "MAX_RRSETS_BY_ZONE")
    if count <= max(most, len(zone.records)):
        return []
    return [f"Limits Exceeded: MAX_RRSETS_BY_ZONE - the hosted zone has at most {most} records."]
