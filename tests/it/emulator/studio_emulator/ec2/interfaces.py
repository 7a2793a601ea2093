"""Network interfaces that AWS services put into subnets, with addresses from those subnets.

Four addresses at the start of a subnet and the last one are AWS's own:
https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html

**Invariant:** no two interfaces have the same address of a subnet.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterface

from ..registry import AwsError

RESERVED_AT_START = 4

_filter_value = NetworkInterface.get_filter_value


def _with_ipv6(interface: NetworkInterface, filter_name: str, method_name: str | None = None) -> Any:
    if filter_name == "ipv6-addresses.ipv6-address":
        return interface.ipv6_addresses
    return _filter_value(interface, filter_name, method_name)


# moto knows no filter for IPv6 addresses.
NetworkInterface.get_filter_value = _with_ipv6  # type: ignore[method-assign]


def place(
    backend: Any,
    subnet_id: str,
    group_ids: list[str],
    description: str,
    kind: str,
    ipv4: str | None = None,
    ipv6: str | None = None,
    want_ipv4: bool = True,
    want_ipv6: bool = False,
) -> NetworkInterface:
    """Makes an interface that a service manages. Raises AwsError when no address is free."""
    subnet = backend.get_subnet(subnet_id)
    if want_ipv4:
        ipv4 = ipv4 or free_ipv4(backend, subnet)
    if want_ipv6:
        ipv6 = ipv6 or free_ipv6(backend, subnet)
    # moto wants an IPv4 address always; an interface without one loses it again below.
    made = backend.create_network_interface(subnet, ipv4 or "0.0.0.0", group_ids=group_ids, description=description)
    made.ipv6_addresses = [ipv6] if ipv6 else []
    if not want_ipv4:
        made.private_ip_address, made.private_ip_addresses, made.private_dns_name = None, [], None
    made.requester_managed = True
    made.requester_id = f"{backend.account_id}:{kind}"
    made.interface_type = "vpc_endpoint" if kind == "vpc-endpoint" else "interface"
    made.status = "in-use"
    return made


def remove(backend: Any, interface_id: str) -> None:
    """Takes an interface away; one that is gone already is no error."""
    backend.enis.pop(interface_id, None)


def taken(backend: Any, subnet_id: str) -> set[str]:
    """The addresses of a subnet that are in use, of both families."""
    used: set[str] = set()
    for interface in backend.enis.values():
        if interface.subnet.id == subnet_id:
            used.update(a["PrivateIpAddress"] for a in interface.private_ip_addresses)
            used.update(interface.ipv6_addresses)
    return used


def free_ipv4(backend: Any, subnet: Any) -> str:
    """The lowest free IPv4 address of a subnet."""
    used = taken(backend, subnet.id)
    for address in list(ipaddress.ip_network(subnet.cidr_block, strict=False))[RESERVED_AT_START:-1]:
        if str(address) not in used:
            return str(address)
    raise AwsError("InsufficientFreeAddressesInSubnet", f"Insufficient free addresses in subnet '{subnet.id}'.")


def free_ipv6(backend: Any, subnet: Any) -> str:
    """The lowest free IPv6 address of a subnet."""
    block = ipv6_block(subnet)
    if block is None:
        raise AwsError("InvalidParameter", f"The subnet {subnet.id} has no IPv6 CIDR block.")
    used = taken(backend, subnet.id)
    network = ipaddress.ip_network(block, strict=False)
    for offset in range(RESERVED_AT_START, 65536):
        address = str(network[offset])
        if address not in used:
            return address
    raise AwsError("InsufficientFreeAddressesInSubnet", f"Insufficient free addresses in subnet '{subnet.id}'.")


def ipv6_block(subnet: Any) -> str | None:
    """The IPv6 range of a subnet, if it has one."""
    for association in subnet.ipv6_cidr_block_associations.values():
        state = association["ipv6CidrBlockState"]
        if (state.get("State") or state.get("state")) == "associated":
            return association["ipv6CidrBlock"]
    return None


def usable(subnet: Any, address: str) -> bool:
    """Whether an address can be given out in a subnet: in its range, and not AWS's own."""
    wanted = ipaddress.ip_address(address)
    if wanted.version == 6:
        block = ipv6_block(subnet)
        return block is not None and wanted in ipaddress.ip_network(block, strict=False)
    network = ipaddress.ip_network(subnet.cidr_block, strict=False)
    if wanted not in network:
        return False
    offset = int(wanted) - int(network.network_address)
    return RESERVED_AT_START <= offset < network.num_addresses - 1


def backend_of_vpc(vpc_id: str, region: str | None = None) -> Any | None:
    """The store of the account that has a VPC, whoever asks."""
    for _account, found_region, backend in ec2_backends.iter_backends():
        if vpc_id in backend.vpcs and region in (None, found_region):
            return backend
    return None
