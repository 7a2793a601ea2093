"""A network to start from: what `POST /_studio/network` makes, with moto's own backends.

The body: {"account", "region", "subnets": 2, "cidr": "10.0.0.0/16", "name": "studio",
"ipv6": false, "corporate": []}. All are optional; `corporate` are ranges that a virtual private
gateway leads to. The answer has the ids of what was made.

**Invariant:** subnets are in different zones, and none is in a zone that SageMaker does not offer.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from .accounts import DEFAULT_ACCOUNT
from .ec2 import catalog

_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def make(wanted: dict[str, Any]) -> dict[str, Any]:
    """Makes a VPC with DNS on, subnets, and a role that SageMaker may assume."""
    account, region = str(wanted.get("account", DEFAULT_ACCOUNT)), str(wanted.get("region", "us-east-1"))
    name, count = str(wanted.get("name", "studio")), int(wanted.get("subnets", 2))
    backend = ec2_backends[account][region]
    zones = sorted(catalog.named(region, f"aws.sagemaker.{region}.studio")[0].zone_names)
    if not 1 <= count <= len(zones):
        raise ValueError(f"{region} has {len(zones)} zones for subnets, not {count}")
    vpc = backend.create_vpc(
        str(wanted.get("cidr", "10.0.0.0/16")),
        amazon_provided_ipv6_cidr_block=bool(wanted.get("ipv6")),
        tags=[{"Key": "Name", "Value": name}],
    )
    vpc.enable_dns_support, vpc.enable_dns_hostnames = True, True
    subnets = [_subnet(backend, vpc, index, zones[index], name) for index in range(count)]
    main = next(table for table in backend.route_tables.values() if table.vpc_id == vpc.id)
    _lead_to(backend, vpc, main, [str(block) for block in wanted.get("corporate", [])])
    return {
        "account": account,
        "region": region,
        "vpc_id": vpc.id,
        "cidr": vpc.cidr_block,
        "subnet_ids": [subnet.id for subnet in subnets],
        "zones": [subnet.availability_zone for subnet in subnets],
        "default_security_group_id": backend.get_default_security_group(vpc.id).id,
        "route_table_id": main.id,
        "role_arn": _role(account, region, f"{name}-execution"),
    }


def _lead_to(backend: Any, vpc: Any, table: Any, blocks: list[str]) -> None:
    """Routes to a corporate network, through a virtual private gateway as a VPN has it."""
    if not blocks:
        return
    gateway = backend.create_vpn_gateway("ipsec.1")
    backend.attach_vpn_gateway(gateway.id, vpc.id)
    for block in blocks:
        backend.create_route(table.id, block, gateway_id=gateway.id)


def _subnet(backend: Any, vpc: Any, index: int, zone: str, name: str) -> Any:
    block = list(ipaddress.ip_network(vpc.cidr_block).subnets(new_prefix=24))[index]
    ipv6 = vpc.get_cidr_block_association_set(ipv6=True)
    ipv6_block = None
    if ipv6:
        ipv6_block = str(list(ipaddress.ip_network(ipv6[0]["cidr_block"]).subnets(new_prefix=64))[index])
    subnet = backend.create_subnet(vpc.id, str(block), ipv6_block, availability_zone=zone)
    backend.create_tags([subnet.id], {"Name": f"{name}-{index + 1}"})
    return subnet


def _role(account: str, region: str, name: str) -> str:
    backend = iam_backends[account][get_partition(region)]
    for role in backend.roles.values():
        if role.name == name:
            return role.arn
    made = backend.create_role(
        role_name=name,
        assume_role_policy_document=_TRUST,
        path="/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )
    return made.arn
