"""The objects of Route 53 Resolver and where they are kept.

Codes in brackets such as [RSLVR-00400] are those that public reports quote; messages without one
are ours.

**Invariant:** what is gone is not in its store.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from ..registry import AwsError, Call, Store, hex_id

FEWEST_ADDRESSES = 2
MOST_ADDRESSES = 6
MOST_ENDPOINTS = 4


def now() -> str:
    """The time as Resolver writes it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclasses.dataclass
class Address:
    """One address of an endpoint, with the interface that has it."""

    subnet_id: str
    ip: str | None
    ipv6: str | None
    interface_id: str
    id: str = dataclasses.field(default_factory=lambda: "rni-" + hex_id())
    status: str = "CREATING"
    message: str = "This IP address is being created."
    created: str = dataclasses.field(default_factory=now)
    changed: str = dataclasses.field(default_factory=now)

    def become(self, status: str, message: str) -> None:
        """Changes the status."""
        self.status, self.message, self.changed = status, message, now()

    def shown(self) -> dict[str, Any]:
        """As ListResolverEndpointIpAddresses shows it."""
        return {
            "IpId": self.id,
            "SubnetId": self.subnet_id,
            "Ip": self.ip,
            "Ipv6": self.ipv6,
            "Status": self.status,
            "StatusMessage": self.message,
            "CreationTime": self.created,
            "ModificationTime": self.changed,
        }


@dataclasses.dataclass
class Endpoint:
    """A resolver endpoint."""

    id: str
    arn: str
    asked: dict[str, Any]
    name: str | None
    direction: str
    group_ids: list[str]
    vpc_id: str
    type: str
    protocols: list[str]
    addresses: dict[str, Address] = dataclasses.field(default_factory=dict)
    status: str = "CREATING"
    message: str = "Creating the Resolver Endpoint"
    created: str = dataclasses.field(default_factory=now)
    changed: str = dataclasses.field(default_factory=now)
    # Changes that are under way besides those of addresses.
    pending: int = 0

    def become(self, status: str, message: str) -> None:
        """Changes the status."""
        self.status, self.message, self.changed = status, message, now()

    def settle(self) -> None:
        """Operational again, once neither an address nor the endpoint is changing."""
        moving = [a for a in self.addresses.values() if a.status not in ("ATTACHED", "FAILED_CREATION")]
        if self.status == "DELETING" or moving or self.pending:
            return
        failed = [a for a in self.addresses.values() if a.status == "FAILED_CREATION"]
        if failed:
            self.become("ACTION_NEEDED", failed[0].message)
        else:
            self.become("OPERATIONAL", "This Resolver Endpoint is operational.")

    def shown(self) -> dict[str, Any]:
        """As GetResolverEndpoint shows it."""
        return {
            "Id": self.id,
            "CreatorRequestId": self.asked["CreatorRequestId"],
            "Arn": self.arn,
            "Name": self.name,
            "SecurityGroupIds": list(self.group_ids),
            "Direction": self.direction,
            "IpAddressCount": len(self.addresses),
            "HostVPCId": self.vpc_id,
            "Status": self.status,
            "StatusMessage": self.message,
            "CreationTime": self.created,
            "ModificationTime": self.changed,
            "ResolverEndpointType": self.type,
            "Protocols": list(self.protocols),
            "RniEnhancedMetricsEnabled": bool(self.asked.get("RniEnhancedMetricsEnabled")),
            "TargetNameServerMetricsEnabled": bool(self.asked.get("TargetNameServerMetricsEnabled")),
        }


@dataclasses.dataclass
class Rule:
    """A resolver rule."""

    id: str
    arn: str
    asked: dict[str, Any]
    owner: str
    name: str | None
    kind: str
    domain: str
    targets: list[dict[str, Any]]
    endpoint_id: str | None
    status: str = "COMPLETE"
    message: str = ""
    share_status: str = "NOT_SHARED"
    created: str = dataclasses.field(default_factory=now)
    changed: str = dataclasses.field(default_factory=now)

    def shown(self) -> dict[str, Any]:
        """As GetResolverRule shows it."""
        return {
            "Id": self.id,
            "CreatorRequestId": self.asked.get("CreatorRequestId"),
            "Arn": self.arn,
            "DomainName": self.domain,
            "Status": self.status,
            "StatusMessage": self.message,
            "RuleType": self.kind,
            "Name": self.name,
            "TargetIps": [dict(target) for target in self.targets] or None,
            "ResolverEndpointId": self.endpoint_id,
            "OwnerId": self.owner,
            "ShareStatus": self.share_status,
            "CreationTime": self.created,
            "ModificationTime": self.changed,
        }


@dataclasses.dataclass
class Association:
    """A rule's association with a VPC."""

    id: str
    rule_id: str
    vpc_id: str
    name: str | None
    status: str = "CREATING"
    message: str = "Creating the association."

    def shown(self) -> dict[str, Any]:
        """As GetResolverRuleAssociation shows it."""
        return {
            "Id": self.id,
            "ResolverRuleId": self.rule_id,
            "Name": self.name,
            "VPCId": self.vpc_id,
            "Status": self.status,
            "StatusMessage": self.message,
        }


@dataclasses.dataclass
class Resolver:
    """Everything of one account and region."""

    endpoints: dict[str, Endpoint] = dataclasses.field(default_factory=dict)
    rules: dict[str, Rule] = dataclasses.field(default_factory=dict)
    associations: dict[str, Association] = dataclasses.field(default_factory=dict)
    tags: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)


RESOLVERS: Store[Resolver] = Store(Resolver)


def arn(call: Call, rest: str) -> str:
    """An ARN of Resolver in the call's account and region."""
    return f"arn:{call.partition}:route53resolver:{call.region}:{call.account}:{rest}"


def endpoint_of(call: Call, endpoint_id: str) -> Endpoint:
    """An endpoint by id."""
    found = RESOLVERS.of(call).endpoints.get(endpoint_id)
    if found is None:
        message = f"[RSLVR-00200] Resolver endpoint with ID '{endpoint_id}' does not exist"
        raise AwsError("ResourceNotFoundException", message)
    return found


def filtered(items: list[dict[str, Any]], wanted: list[dict[str, Any]] | None, known: set[str]) -> list[dict[str, Any]]:
    """Keeps the items that every filter matches. Names may be written HostVPCId or HOST_VPC_ID."""
    members = {_plain(name): name for name in known}
    for entry in wanted or []:
        name = _plain(entry["Name"])
        if name not in members:
            message = f"[RSLVR-00104] The filter '{entry['Name']}' is invalid"
            raise AwsError("InvalidParameterException", message)
        member = {"type": "RuleType"}.get(name, members[name])
        items = [item for item in items if _has(item.get(member), entry.get("Values") or [])]
    return items


def _has(value: Any, wanted: list[str]) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(str(one) in wanted for one in values if one is not None)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
