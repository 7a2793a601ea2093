"""What EC2 refuses to delete because something still uses it.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (DependencyViolation)

**Invariant:** nothing that an interface, a rule or an endpoint names can disappear under it.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from ..registry import AwsError, Call, handles
from .groups import group_of, referring_groups


@handles("ec2", "DeleteSecurityGroup")
def delete_security_group(call: Call) -> dict[str, Any]:
    """Deletes a group that no interface has and no other group's rule names."""
    backend = ec2_backends[call.account][call.region]
    group = group_of(backend, call)
    if group.name == "default":
        message = f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
        raise AwsError("CannotDelete", message)
    used = any(group.id == held.id for eni in backend.enis.values() for held in eni.group_set)
    if used or referring_groups(backend, group.id):
        raise AwsError("DependencyViolation", f"resource {group.id} has a dependent object")
    backend.delete_security_group(group_id=group.id)
    backend.tags.pop(group.id, None)
    return {"Return": True, "GroupId": group.id}


@handles("ec2", "DeleteSubnet")
def delete_subnet(call: Call) -> dict[str, Any]:
    """Deletes a subnet without interfaces."""
    backend = ec2_backends[call.account][call.region]
    subnet = backend.get_subnet(call["SubnetId"])
    if any(eni.subnet.id == subnet.id for eni in backend.enis.values()):
        message = f"The subnet '{subnet.id}' has dependencies and cannot be deleted."
        raise AwsError("DependencyViolation", message)
    backend.delete_subnet(subnet.id)
    backend.tags.pop(subnet.id, None)
    return {}


@handles("ec2", "DeleteVpc")
def delete_vpc(call: Call) -> dict[str, Any]:
    """Deletes a VPC that holds nothing but what came with it."""
    backend = ec2_backends[call.account][call.region]
    vpc = backend.get_vpc(call["VpcId"])
    groups = [group for group in backend.groups[vpc.id].values() if group.name != "default"]
    endpoints = [endpoint for endpoint in backend.vpc_end_points.values() if endpoint.vpc_id == vpc.id]
    if groups or endpoints:
        message = f"The vpc '{vpc.id}' has dependencies and cannot be deleted."
        raise AwsError("DependencyViolation", message)
    backend.delete_vpc(vpc.id)
    backend.tags.pop(vpc.id, None)
    return {}


@handles("ec2", "DeleteNetworkInterface")
def delete_network_interface(call: Call) -> dict[str, Any]:
    """Deletes an interface, unless an AWS service made it and still uses it."""
    backend = ec2_backends[call.account][call.region]
    interface = backend.get_network_interface(call["NetworkInterfaceId"])
    if interface.requester_managed or interface.instance:
        message = f"Network interface '{interface.id}' is currently in use."
        raise AwsError("InvalidParameterValue", message)
    backend.delete_network_interface(interface.id)
    backend.tags.pop(interface.id, None)
    return {}


@handles("ec2", "DeleteNatGateway")
def delete_nat_gateway(call: Call) -> dict[str, Any]:
    """Deletes a NAT gateway with its interface, which moto would leave behind."""
    backend = ec2_backends[call.account][call.region]
    gateway = backend.nat_gateways.get(call["NatGatewayId"])
    if gateway is None:
        raise AwsError("NatGatewayNotFound", f"NatGateway {call['NatGatewayId']} was not found")
    backend.delete_nat_gateway(gateway.id)
    for address in gateway.address_set:
        backend.enis.pop(address["networkInterfaceId"], None)
    return {"NatGatewayId": gateway.id}
