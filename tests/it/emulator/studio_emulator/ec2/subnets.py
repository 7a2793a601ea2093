"""What moto gets wrong about subnets.

DescribeSubnets shows the state of an IPv6 range one level too deep, so that no SDK reads it.
"""

from __future__ import annotations

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


Subnet.ipv6_cidr_block_association_set = property(_associations)
