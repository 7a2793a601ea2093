"""Zones, changes, and who owns a VPC.

**Invariant:** a zone is in the store of the account that made it, whoever's VPCs it serves.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from typing import Any

from moto.ec2.models import ec2_backends
from moto.route53.models import FakeZone, route53_backends

from .. import lifecycle
from ..registry import AwsError, Call, Store, random_id

Key = tuple[str, str, str]


class Zone(FakeZone):
    """A hosted zone with the records as they were sent."""

    account: str
    # By name, type and set identifier.
    records: dict[Key, dict[str, Any]]
    # VPCs of other accounts that may be associated: (region, id).
    authorized: list[tuple[str, str]]

    @property
    def resource_record_set_count(self) -> int:
        """As moto's listings show it."""
        return len(self.records)

    def vpc_list(self) -> list[dict[str, str]]:
        """The associated VPCs in AWS's form."""
        return [{"VPCRegion": vpc["vpc_region"], "VPCId": vpc["vpc_id"]} for vpc in self.vpcs]

    def serves(self, vpc_id: str) -> bool:
        """Whether a VPC is associated."""
        return any(vpc["vpc_id"] == vpc_id for vpc in self.vpcs)


@dataclasses.dataclass
class Change:
    """What GetChange answers."""

    id: str
    comment: str | None
    status: str = "PENDING"
    submitted: datetime.datetime = dataclasses.field(
        default_factory=lambda: datetime.datetime.now(datetime.timezone.utc)
    )

    def shown(self) -> dict[str, Any]:
        """As a ChangeInfo."""
        return {"Id": self.id, "Status": self.status, "SubmittedAt": self.submitted, "Comment": self.comment}


CHANGES: Store[dict[str, Change]] = Store(dict)
# Caller references that were used, also by zones that are gone.
REFERENCES: Store[set[str]] = Store(set)


def change(call: Call, comment: str | None = None) -> dict[str, Any]:
    """Starts a change: pending, and in sync once its time has come."""
    made = Change("/change/C" + random_id(20, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), comment)
    CHANGES.at(call.account, call.partition)[made.id] = made

    def end() -> None:
        made.status = "INSYNC"

    lifecycle.after("route53:change", end)
    return made.shown()


def zones_of(call: Call) -> dict[str, Zone]:
    """The caller's zones by id."""
    return route53_backends[call.account][call.partition].zones


def all_zones(partition: str | None = None) -> Iterator[Zone]:
    """Everybody's zones, of one partition or of all."""
    for _account, found, backend in route53_backends.iter_backends():
        if partition not in (None, found):
            continue
        yield from [zone for zone in backend.zones.values() if isinstance(zone, Zone)]


def zone_of(call: Call, zone_id: str) -> Zone:
    """One of the caller's zones."""
    found = zones_of(call).get(bare(zone_id))
    if not isinstance(found, Zone):
        raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {bare(zone_id)}")
    return found


def anyones_zone(zone_id: str) -> Zone:
    """A zone of any account, for who may associate VPCs with it."""
    for zone in all_zones():
        if zone.resource_id == bare(zone_id):
            return zone
    raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {bare(zone_id)}")


def bare(zone_id: str) -> str:
    """A zone id without the path that Route 53 puts before it."""
    return zone_id.rpartition("/")[2]


def vpc_is_in(account: str, region: str, vpc_id: str) -> bool:
    """Whether an account has a VPC in a region."""
    for found_account, found_region, backend in ec2_backends.iter_backends():
        if (found_account, found_region) == (account, region) and vpc_id in backend.vpcs:
            return True
    return False


def owner_of_vpc(vpc_id: str) -> str | None:
    """The account that has a VPC, if it still exists."""
    for account, _region, backend in ec2_backends.iter_backends():
        if vpc_id in backend.vpcs:
            return account
    return None


def managed_names(vpc_id: str) -> list[tuple[str, str]]:
    """Names that private DNS of endpoints serves in a VPC, each with the id of its endpoint."""
    found = []
    for _account, _region, backend in ec2_backends.iter_backends():
        for endpoint in backend.vpc_end_points.values():
            if endpoint.vpc_id == vpc_id and endpoint.private_dns_enabled:
                found += [(name, endpoint.id) for name in endpoint.service.private_zone_names]
    return found


def refuse_conflict(name: str, region: str, vpc_id: str) -> None:
    """A VPC has one source of answers for a name: one zone, or one endpoint's private DNS."""
    for zone in all_zones():
        if zone.name == name and zone.serves(vpc_id):
            message = (
                f"The VPC {vpc_id} in region {region} has already been associated with the hosted zone "
                f"{zone.resource_id} with the same domain name."
            )
            raise AwsError("ConflictingDomainExists", message)
    for managed, endpoint_id in managed_names(vpc_id):
        if managed + "." == name:
            message = f"The VPC {vpc_id} in region {region} has a domain {name} of the VPC endpoint {endpoint_id}."
            raise AwsError("ConflictingDomainExists", message)
