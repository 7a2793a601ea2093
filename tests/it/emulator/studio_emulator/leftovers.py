"""What exists in an account and region, for checks that a destroy left nothing.

What every account has from the start does not count: the default VPC with its parts, default
groups, main route tables, AWS's policies and prefix lists, service-linked roles. What is only still
listed as deleted does not count either.

A private zone that serves a VPC of another account shows in both: as an association of that VPC.

**Invariant:** looking changes nothing but what is due anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.ec2.models import ec2_backends
from moto.efs.models import efs_backends
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from .ram import SHARES
from .route53.model import all_zones, owner_of_vpc
from .route53resolver.model import RESOLVERS
from .sagemaker.model import STUDIOS

Found = Iterator[tuple[str, str, str | None]]


def of(account: str, region: str) -> list[dict[str, Any]]:
    """Everything, as {"kind", "id", "name"}."""
    found: list[tuple[str, str, str | None]] = []
    for part in (_network, _endpoints, _sagemaker, _files, _resolver, _zones, _iam, _shares):
        found += part(account, region)
    return [{"kind": kind, "id": identity, "name": name} for kind, identity, name in found]


def _network(account: str, region: str) -> Found:
    backend = ec2_backends[account][region]
    default = backend.get_default_vpc()
    default_id = default.id if default else None
    for vpc in backend.vpcs.values():
        if vpc.id != default_id:
            yield "ec2:vpc", vpc.id, _name(backend, vpc.id)
    for zone in backend.subnets.values():
        for subnet in zone.values():
            if not (subnet.vpc_id == default_id and subnet.default_for_az):
                yield "ec2:subnet", subnet.id, _name(backend, subnet.id)
    for groups in backend.groups.values():
        for group in groups.values():
            if group.name != "default":
                yield "ec2:security-group", group.id, group.name
    for interface in backend.enis.values():
        yield "ec2:network-interface", interface.id, interface.description or None
    for table in backend.route_tables.values():
        if table.main_association_id is None:
            yield "ec2:route-table", table.id, _name(backend, table.id)
    yield from _ways_out(backend)


def _ways_out(backend: Any) -> Found:
    for kind, held in (
        ("internet-gateway", backend.internet_gateways),
        ("egress-only-internet-gateway", backend.egress_only_internet_gateways),
        ("nat-gateway", backend.nat_gateways),
        ("elastic-ip", {address.allocation_id: address for address in backend.addresses}),
        ("vpn-gateway", backend.vpn_gateways),
        ("vpn-connection", backend.vpn_connections),
        ("customer-gateway", backend.customer_gateways),
        ("transit-gateway", backend.transit_gateways),
        ("transit-gateway-attachment", backend.transit_gateway_attachments),
        ("vpc-peering-connection", backend.vpc_pcxs),
        ("prefix-list", {k: v for k, v in backend.managed_prefix_lists.items() if v.owner_id != "AWS"}),
    ):
        for identity, thing in held.items():
            if _state(thing) not in ("deleted", "rejected", "delete-complete"):
                yield f"ec2:{kind}", identity, _name(backend, identity)


def _endpoints(account: str, region: str) -> Found:
    backend = ec2_backends[account][region]
    for endpoint in backend.vpc_end_points.values():
        yield "ec2:vpc-endpoint", endpoint.id, endpoint.service_name


def _sagemaker(account: str, region: str) -> Found:
    studio = STUDIOS.at(account, region)
    for domain in studio.domains.values():
        yield "sagemaker:domain", domain.id, domain.sent["DomainName"]
    for profile in studio.profiles.values():
        yield "sagemaker:user-profile", profile.arn, profile.name
    for space in studio.spaces.values():
        yield "sagemaker:space", space.arn, space.name
    for app in studio.apps.values():
        if app.is_there:
            yield "sagemaker:app", app.arn, app.name


def _files(account: str, region: str) -> Found:
    backend = efs_backends[account][region]
    for file_system in backend.file_systems_by_id.values():
        yield "efs:file-system", file_system.file_system_id, None
    for target in backend.mount_targets_by_id.values():
        yield "efs:mount-target", target.mount_target_id, None


def _resolver(account: str, region: str) -> Found:
    resolver = RESOLVERS.at(account, region)
    for endpoint in resolver.endpoints.values():
        yield "route53resolver:endpoint", endpoint.id, endpoint.name
    for rule in resolver.rules.values():
        yield "route53resolver:rule", rule.id, rule.name
    for association in resolver.associations.values():
        yield "route53resolver:rule-association", association.id, association.name


def _zones(account: str, region: str) -> Found:
    """Zones are global: they show whichever region is asked for, of the same partition."""
    for zone in all_zones(get_partition(region)):
        if zone.account == account:
            yield "route53:hosted-zone", zone.resource_id, zone.name
            for region_of_vpc, vpc_id in zone.authorized:
                yield "route53:vpc-association-authorization", vpc_id, f"{zone.name} in {region_of_vpc}"
        for vpc in zone.vpcs:
            owner = owner_of_vpc(vpc["vpc_id"])
            if owner not in (None, zone.account) and account in (owner, zone.account):
                yield "route53:vpc-association", vpc["vpc_id"], f"{zone.name} of {zone.account}"


def _iam(account: str, region: str) -> Found:
    backend = iam_backends[account][get_partition(region)]
    for policy in backend.managed_policies.values():
        if f"::{account}:" in policy.arn:
            yield "iam:policy", policy.arn, policy.name
    for role in backend.roles.values():
        if not role.path.startswith("/aws-service-role/"):
            yield "iam:role", role.arn, role.name
    for user in backend.users.values():
        yield "iam:user", user.arn, user.name
    for group in backend.groups.values():
        yield "iam:group", group.arn, group.name


def _shares(account: str, region: str) -> Found:
    for share in SHARES.at(account, region).values():
        if share.status != "DELETED":
            yield "ram:resource-share", share.arn, share.name


def _state(thing: Any) -> str | None:
    """The state of what moto keeps after its deletion; a peering has it in its status."""
    status = getattr(thing, "status", None)
    return status.get("Code") if isinstance(status, dict) else getattr(thing, "state", None)


def _name(backend: Any, resource_id: str) -> str | None:
    return backend.tags.get(resource_id, {}).get("Name")
