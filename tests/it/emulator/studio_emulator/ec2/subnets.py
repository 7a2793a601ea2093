"""What moto gets wrong about subnets and the ARNs of subnets and groups.

DescribeSubnets shows the state of an IPv6 range one level too deep, so that no SDK reads it. The
ARNs are of the partition "aws" everywhere.

**Invariant:** nothing here is more than another way to show what moto keeps.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.models.subnets import Subnet


def _associations(subnet: Subnet) -> list[dict[str, object]]:
    return [
        {
            "ipv6CidrBlock": one["ipv6CidrBlock"],
            "associationId": one["associationId"],
            "ipv6CidrBlockState": {"state": one["ipv6CidrBlockState"]["State"]},
        }
        for one in subnet.ipv6_cidr_block_associations.values()
        if one["ipv6CidrBlockState"]["State"] == "associated"
    ]


def _arn(kind: str, owner: Any) -> str:
    backend = owner.ec2_backend
    return f"arn:{backend.partition}:ec2:{backend.region_name}:{backend.account_id}:{kind}/{owner.id}"


def _leave(_group: SecurityGroup, _arn_of_moto: str) -> None:
    """moto sets the ARN of a new group; ours is worked out instead."""


Subnet.ipv6_cidr_block_association_set = property(_associations)
Subnet.arn = property(lambda subnet: _arn("subnet", subnet))
SecurityGroup.arn = property(lambda group: _arn("security-group", group), _leave)
