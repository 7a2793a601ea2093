"""ModifyVpcEndpoint.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcEndpoint.html

**Invariant:** a request that is refused changed nothing: everything is checked first.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from .. import lifecycle
from ..registry import AwsError, Call, handles
from . import checks, interfaces
from .endpoints import FULL_ACCESS, FULL_ACCESS_GATEWAY, KIND, Endpoint, find, put_into, take_out


@handles("ec2", "ModifyVpcEndpoint")
def modify_vpc_endpoint(call: Call) -> dict[str, Any]:
    """Changes subnets, addresses, groups, route tables, private DNS, or the policy."""
    backend = ec2_backends[call.account][call.region]
    endpoint = find(backend, call["VpcEndpointId"])
    if endpoint.state == "deleting":
        raise AwsError("InvalidParameter", f"The VPC endpoint {endpoint.id} is being deleted.")
    if call.get("PolicyDocument") and call.get("ResetPolicy"):
        raise AwsError("InvalidParameterCombination", "PolicyDocument and ResetPolicy cannot be set together.")
    checks.policy(call.get("PolicyDocument"))
    if endpoint.is_interface:
        _interface(backend, endpoint, call)
    else:
        _gateway(backend, endpoint, call)
    if call.get("PolicyDocument"):
        endpoint.policy_document = call["PolicyDocument"]
    elif call.get("ResetPolicy"):
        endpoint.policy_document = FULL_ACCESS if endpoint.is_interface else FULL_ACCESS_GATEWAY
    return {"Return": True}


def _interface(backend: Any, endpoint: Endpoint, call: Call) -> None:
    if call.get("AddRouteTableIds") or call.get("RemoveRouteTableIds"):
        raise AwsError("InvalidParameter", "Route tables can only be modified for Gateway endpoints.")
    wanted = {c["SubnetId"]: c for c in call.get("SubnetConfigurations") or []}
    added, removed, kept = _subnet_changes(endpoint, call, wanted)
    address_type = call.get("IpAddressType") or endpoint.address_type
    private_dns = call.get("PrivateDnsEnabled")
    _check(backend, endpoint, call, added, kept, address_type, wanted)
    if private_dns and not endpoint.private_dns_enabled:
        checks.private_dns_allowed(backend, backend.vpcs[endpoint.vpc_id], endpoint.service, endpoint.id)
    options = dict(endpoint.dns_options, **{k: v for k, v in (call.get("DnsOptions") or {}).items() if v is not None})
    if address_type != endpoint.address_type and "DnsRecordIpType" not in (call.get("DnsOptions") or {}):
        options.pop("DnsRecordIpType", None)
    after = endpoint.private_dns_enabled if private_dns is None else private_dns
    endpoint.dns_options = checks.dns_options(
        backend, endpoint.vpc_id, endpoint.service, options, address_type, after
    )

    _regroup(backend, endpoint, call)
    replaced = list(kept) if address_type != endpoint.address_type else [s for s in kept if s in wanted]
    endpoint.address_type = address_type
    # A changed address is another interface in the same subnet.
    for subnet_id in [*removed, *replaced]:
        take_out(backend, endpoint, subnet_id)
    for subnet_id in [*replaced, *added]:
        put_into(backend, endpoint, subnet_id, wanted.get(subnet_id, {}))
    if private_dns is not None:
        endpoint.private_dns_enabled = private_dns
    if added or removed or replaced or private_dns is not None:
        endpoint.state = "pending"
        lifecycle.after(f"{KIND}:modifying", lambda: _ready(endpoint))


def _subnet_changes(endpoint: Endpoint, call: Call, wanted: dict[str, Any]) -> tuple[list[str], list[str], list[str]]:
    removed = [s for s in dict.fromkeys(call.get("RemoveSubnetIds") or []) if s in endpoint.placed]
    added = [s for s in dict.fromkeys((call.get("AddSubnetIds") or []) + list(wanted)) if s not in endpoint.placed]
    return added, removed, [s for s in endpoint.placed if s not in removed]


def _check(
    backend: Any,
    endpoint: Endpoint,
    call: Call,
    added: list[str],
    kept: list[str],
    address_type: str,
    wanted: dict[str, Any],
) -> None:
    checks.subnets(backend, endpoint.vpc_id, endpoint.service, added, kept)
    checks.address_types(backend, endpoint.service, address_type, kept + added)
    for subnet_id, addresses in wanted.items():
        own = interfaces.taken(backend, subnet_id) if subnet_id in endpoint.placed else set()
        placed = endpoint.placed.get(subnet_id)
        held = {placed.private_ip_address, *placed.ipv6_addresses} if placed else set()
        fresh = {k: v for k, v in addresses.items() if k == "SubnetId" or v not in own & held}
        checks.free_addresses(backend, subnet_id, fresh)
    checks.groups(backend, endpoint.vpc_id, call.get("AddSecurityGroupIds") or [])
    left = _groups_after(endpoint, call)
    if not left:
        raise AwsError("InvalidParameter", "An interface endpoint needs at least one security group.")


def _groups_after(endpoint: Endpoint, call: Call) -> list[str]:
    removed = set(call.get("RemoveSecurityGroupIds") or [])
    present = [g for g in endpoint.security_group_ids if g not in removed]
    return list(dict.fromkeys(present + (call.get("AddSecurityGroupIds") or [])))


def _regroup(backend: Any, endpoint: Endpoint, call: Call) -> None:
    endpoint.security_group_ids = _groups_after(endpoint, call)
    groups = [backend.get_security_group_from_id(g) for g in endpoint.security_group_ids]
    for interface in endpoint.placed.values():
        interface._group_set = list(groups)


def _gateway(backend: Any, endpoint: Endpoint, call: Call) -> None:
    for name in ("AddSubnetIds", "RemoveSubnetIds", "AddSecurityGroupIds", "RemoveSecurityGroupIds"):
        if call.get(name):
            raise AwsError("InvalidParameter", f"{name} can only be used with Interface endpoints.")
    checks.gateway_only(call)
    added = [t for t in call.get("AddRouteTableIds") or [] if t not in endpoint.route_table_ids]
    for route_table_id in added:
        checks.gateway_route_table(backend, endpoint.vpc_id, route_table_id, endpoint.service)
    for route_table_id in call.get("RemoveRouteTableIds") or []:
        if route_table_id in endpoint.route_table_ids:
            endpoint.route_table_ids.remove(route_table_id)
            checks.remove_gateway_route(backend, route_table_id, endpoint)
    for route_table_id in added:
        endpoint.route_table_ids.append(route_table_id)
        checks.add_gateway_route(backend, route_table_id, endpoint)


def _ready(endpoint: Endpoint) -> None:
    if endpoint.state == "pending":
        endpoint.state = "available"
