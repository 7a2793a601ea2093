"""The addresses of resolver endpoints, each with a life of its own.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_AssociateResolverEndpointIpAddress.html
An address is created, attaching, attached, and on its way out detaching. While any address changes
the endpoint is updating. That an endpoint refuses a second change meanwhile is an assumption, on
the strict side.

**Invariant:** a detaching address is never the one that keeps the endpoint at two.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from moto.ec2.models import ec2_backends

from .. import lifecycle
from ..ec2 import interfaces
from ..registry import AwsError, Call, handles, page
from .model import FEWEST_ADDRESSES, MOST_ADDRESSES, Address, Endpoint, endpoint_of

_KIND = "route53resolver:ip"


@handles("route53resolver", "ListResolverEndpointIpAddresses")
def list_ip_addresses(call: Call) -> dict[str, Any]:
    """The addresses of an endpoint with their states."""
    endpoint = endpoint_of(call, call["ResolverEndpointId"])
    every = [address.shown() for address in endpoint.addresses.values()]
    shown, token = page(every, call.get("NextToken"), call.get("MaxResults"), 10)
    return {"IpAddresses": shown, "NextToken": token, "MaxResults": call.get("MaxResults") or 10}


@handles("route53resolver", "AssociateResolverEndpointIpAddress")
def associate_ip_address(call: Call) -> dict[str, Any]:
    """Adds one address."""
    endpoint = endpoint_of(call, call["ResolverEndpointId"])
    refuse_while_changing(endpoint)
    if len(endpoint.addresses) >= MOST_ADDRESSES:
        message = f"A resolver endpoint has at most {MOST_ADDRESSES} IP addresses"
        raise AwsError("LimitExceededException", message)
    backend, wanted = ec2_backends[call.account][call.region], call["IpAddress"]
    if not wanted.get("SubnetId"):
        raise AwsError("InvalidParameterException", "A new IP address needs a subnet")
    if subnet_of(backend, wanted["SubnetId"]).vpc_id != endpoint.vpc_id:
        raise AwsError("InvalidParameterException", f"The subnet '{wanted['SubnetId']}' is of another VPC")
    attach(backend, endpoint, wanted, call.fail_reason)
    endpoint.become("UPDATING", "Updating the Resolver Endpoint")
    return {"ResolverEndpoint": endpoint.shown()}


@handles("route53resolver", "DisassociateResolverEndpointIpAddress")
def disassociate_ip_address(call: Call) -> dict[str, Any]:
    """Takes one address away, named by its id or by subnet and address."""
    endpoint = endpoint_of(call, call["ResolverEndpointId"])
    backend, address = ec2_backends[call.account][call.region], _named(endpoint, call["IpAddress"])
    others = [a for a in endpoint.addresses.values() if a is not address and a.status != "DETACHING"]
    if not any(other.status == "ATTACHED" for other in others):
        message = "[RSLVR-00506] Can't remove the only attached IP address"
        raise AwsError("InvalidRequestException", message)
    refuse_while_changing(endpoint)
    if len(others) < FEWEST_ADDRESSES:
        message = "[RSLVR-00400] Resolver endpoint need to have at least 2 IP addresses"
        raise AwsError("InvalidRequestException", message)
    address.become("DETACHING", "This IP address is being detached.")
    endpoint.become("UPDATING", "Updating the Resolver Endpoint")

    def end() -> None:
        interfaces.remove(backend, address.interface_id)
        endpoint.addresses.pop(address.id, None)
        endpoint.settle()

    lifecycle.after(f"{_KIND}:detaching", end)
    return {"ResolverEndpoint": endpoint.shown()}


def attach(backend: Any, endpoint: Endpoint, wanted: dict[str, Any], fail_reason: str | None) -> None:
    """Adds an address to an endpoint and starts its life. Raises AwsError if it cannot be had."""
    subnet = subnet_of(backend, wanted["SubnetId"])
    for address, version in ((wanted.get("Ip"), 4), (wanted.get("Ipv6"), 6)):
        if address:
            _check(backend, subnet, address, version)
    interface = interfaces.place(
        backend,
        subnet.id,
        endpoint.group_ids,
        "",
        "route53resolver",
        ipv4=wanted.get("Ip"),
        ipv6=wanted.get("Ipv6"),
        want_ipv4=endpoint.type != "IPV6",
        want_ipv6=endpoint.type != "IPV4",
    )
    ipv6 = interface.ipv6_addresses[0] if interface.ipv6_addresses else None
    made = Address(subnet.id, interface.private_ip_address, ipv6, interface.id)
    interface.description = f"Route 53 Resolver: {endpoint.id}:{made.id}"
    endpoint.addresses[made.id] = made

    def attached() -> None:
        if made.status == "ATTACHING":
            made.become("ATTACHED", "This IP address is operational.")
            endpoint.settle()

    def created() -> None:
        if made.status != "CREATING":
            return
        if fail_reason:
            made.become("FAILED_CREATION", fail_reason)
            endpoint.settle()
        else:
            made.become("ATTACHING", "This IP address is being attached.")
            lifecycle.after(f"{_KIND}:attaching", attached)

    lifecycle.after(f"{_KIND}:creating", created)


def change_type(backend: Any, endpoint: Endpoint, kind: str, chosen: list[dict[str, Any]]) -> None:
    """Gives every address its IPv6 half, or takes it away."""
    wanted = {entry["IpId"]: entry["Ipv6"] for entry in chosen}
    plan: dict[str, str | None] = {}
    for address in endpoint.addresses.values():
        subnet = backend.get_subnet(address.subnet_id)
        if kind == "DUALSTACK":
            if address.id in wanted:
                _check(backend, subnet, wanted[address.id], 6)
            plan[address.id] = wanted.get(address.id) or interfaces.free_ipv6(backend, subnet)
        else:
            plan[address.id] = None
    for address_id, ipv6 in plan.items():
        address = endpoint.addresses[address_id]
        address.ipv6 = ipv6
        backend.enis[address.interface_id].ipv6_addresses = [ipv6] if ipv6 else []


def subnet_of(backend: Any, subnet_id: str) -> Any:
    """A subnet by id, with Resolver's error."""
    try:
        return backend.get_subnet(subnet_id)
    except Exception:
        message = f"The subnet ID '{subnet_id}' does not exist"
        raise AwsError("InvalidParameterException", message) from None


def refuse_while_changing(endpoint: Endpoint) -> None:
    """One change at a time."""
    if endpoint.status in ("CREATING", "UPDATING", "DELETING"):
        message = f"Resolver endpoint '{endpoint.id}' cannot be changed while its status is {endpoint.status}"
        raise AwsError("InvalidRequestException", message)


def _check(backend: Any, subnet: Any, address: str, version: int) -> None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise AwsError("InvalidParameterException", f"'{address}' is not an IP address") from None
    if parsed.version != version or not interfaces.usable(subnet, address):
        message = f"The IP address '{address}' cannot be used in the subnet '{subnet.id}'"
        raise AwsError("InvalidRequestException", message)
    if address in interfaces.taken(backend, subnet.id):
        message = f"The IP address '{address}' of the subnet '{subnet.id}' is in use"
        raise AwsError("InvalidRequestException", message)


def _named(endpoint: Endpoint, wanted: dict[str, Any]) -> Address:
    for address in endpoint.addresses.values():
        by_id = wanted.get("IpId") == address.id
        by_place = not wanted.get("IpId") and wanted.get("SubnetId") == address.subnet_id
        same = wanted.get("Ip") in (None, address.ip) and wanted.get("Ipv6") in (None, address.ipv6)
        if by_id or (by_place and same):
            return address
    name = wanted.get("IpId") or wanted.get("Ip") or wanted.get("SubnetId")
    message = f"The IP address '{name}' is not associated with the resolver endpoint '{endpoint.id}'"
    raise AwsError("ResourceNotFoundException", message)
