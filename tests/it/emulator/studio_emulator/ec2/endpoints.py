"""VPC endpoints: create, describe, delete.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html
https://docs.aws.amazon.com/vpc/latest/privatelink/manage-dns-names.html

An interface endpoint is pending, then available; its interfaces are there from the start. Deleting
it takes as long again, and then its id is unknown. Its interfaces go with it, or later, if the pace
names "ec2:vpc-endpoint:detaching": users report groups that cannot be deleted just yet. The order of
DnsEntries (regional, zonal, private) and the "ZONEIDPENDING" of private names before the endpoint is
available are observed in public listings, not promised by AWS.

**Invariant:** the endpoints are moto's objects in moto's store, so that its tags and routes work.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ec2.models.vpcs import VPCEndPoint

from .. import lifecycle
from ..registry import AwsError, Call, Store, handles, hex_id, page, random_id
from . import catalog, checks, filters, interfaces

KIND = "ec2:vpc-endpoint"
FULL_ACCESS = json.dumps(
    {"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]}, indent=2
)
FULL_ACCESS_GATEWAY = json.dumps(VPCEndPoint.DEFAULT_POLICY)


class Endpoint(VPCEndPoint):
    """A VPC endpoint with what AWS keeps about it beyond moto's model."""

    service: catalog.Service
    address_type: str = "ipv4"
    dns_options: dict[str, Any]
    # By subnet id, in the order in which they were added.
    placed: dict[str, Any]
    suffix: str = ""
    last_error: dict[str, str] | None = None

    @property
    def is_interface(self) -> bool:
        """Whether it lives in subnets, and not in route tables."""
        return self.service.kind == "Interface"


# What was made for a client token: the request's parameters and the endpoint's id.
_tokens: Store[dict[str, tuple[Any, str]]] = Store(dict)


@handles("ec2", "CreateVpcEndpoint")
def create_vpc_endpoint(call: Call) -> dict[str, Any]:
    """Makes an endpoint, or answers the one that the same token made before."""
    backend = ec2_backends[call.account][call.region]
    token = call.get("ClientToken")
    asked = {k: v for k, v in call.params.items() if k not in ("ClientToken", "DryRun")}
    if token in _tokens.of(call):
        before, endpoint_id = _tokens.of(call)[token]
        if before != asked:
            raise AwsError("IdempotentParameterMismatch", "The request uses the same client token as an earlier one.")
        if endpoint_id in backend.vpc_end_points:
            return {"VpcEndpoint": described(backend.vpc_end_points[endpoint_id]), "ClientToken": token}
    plan = checks.creation(backend, call)
    endpoint = _make(backend, call, plan)
    if token:
        _tokens.of(call)[token] = (asked, endpoint.id)
    return {"VpcEndpoint": described(endpoint), "ClientToken": token}


@handles("ec2", "DescribeVpcEndpoints")
def describe_vpc_endpoints(call: Call) -> dict[str, Any]:
    """Endpoints by id, each of which must exist, or by filter."""
    backend = ec2_backends[call.account][call.region]
    wanted = call.get("VpcEndpointIds")
    for endpoint_id in wanted or []:
        find(backend, endpoint_id)
    chosen = [e for e in backend.vpc_end_points.values() if not wanted or e.id in wanted]
    items = filters.apply(call.get("Filters"), [described(e) for e in chosen], _FILTERS, "DescribeVpcEndpoints")
    shown, token = page(items, call.get("NextToken"), call.get("MaxResults"), 1000)
    return {"VpcEndpoints": shown, "NextToken": token}


@handles("ec2", "DeleteVpcEndpoints")
def delete_vpc_endpoints(call: Call) -> dict[str, Any]:
    """Starts the deletion of what exists. What does not is listed, in an answer with status 200."""
    backend = ec2_backends[call.account][call.region]
    unsuccessful = []
    for endpoint_id in call.get("VpcEndpointIds") or []:
        endpoint = backend.vpc_end_points.get(endpoint_id)
        if endpoint is None:
            message = f"The Vpc Endpoint Id '{endpoint_id}' does not exist"
            error = {"Code": "InvalidVpcEndpoint.NotFound", "Message": message}
            unsuccessful.append({"ResourceId": endpoint_id, "Error": error})
        elif endpoint.state != "deleting":
            endpoint.state = "deleting"
            lifecycle.after(f"{KIND}:deleting", lambda e=endpoint: _gone(backend, e))
    return {"Unsuccessful": unsuccessful}


def find(backend: Any, endpoint_id: str) -> Endpoint:
    """An endpoint by id."""
    if endpoint_id not in backend.vpc_end_points:
        message = f"The Vpc Endpoint Id '{endpoint_id}' does not exist"
        raise AwsError("InvalidVpcEndpointId.NotFound", message)
    return backend.vpc_end_points[endpoint_id]


def put_into(backend: Any, endpoint: Endpoint, subnet_id: str, wanted: dict[str, Any]) -> None:
    """Puts the endpoint's interface into a subnet."""
    endpoint.placed[subnet_id] = interfaces.place(
        backend,
        subnet_id,
        list(endpoint.security_group_ids),
        f"VPC Endpoint Interface {endpoint.id}",
        "vpc-endpoint",
        ipv4=wanted.get("Ipv4"),
        ipv6=wanted.get("Ipv6"),
        want_ipv4=endpoint.address_type != "ipv6",
        want_ipv6=endpoint.address_type != "ipv4",
    )
    _sync(endpoint)


def take_out(backend: Any, endpoint: Endpoint, subnet_id: str) -> None:
    """Takes the endpoint's interface out of a subnet."""
    interfaces.remove(backend, endpoint.placed.pop(subnet_id).id)
    _sync(endpoint)


def described(endpoint: Endpoint) -> dict[str, Any]:
    """The endpoint as DescribeVpcEndpoints shows it."""
    shown: dict[str, Any] = {
        "VpcEndpointId": endpoint.id,
        "VpcEndpointType": endpoint.service.kind,
        "VpcId": endpoint.vpc_id,
        "ServiceName": endpoint.service_name,
        "State": endpoint.state,
        "PolicyDocument": endpoint.policy_document,
        "RouteTableIds": list(endpoint.route_table_ids),
        "SubnetIds": list(endpoint.placed),
        "Groups": endpoint.groups,
        "PrivateDnsEnabled": endpoint.private_dns_enabled,
        "RequesterManaged": False,
        "NetworkInterfaceIds": [interface.id for interface in endpoint.placed.values()],
        "DnsEntries": dns_entries(endpoint) if endpoint.is_interface else [],
        "CreationTimestamp": endpoint.creation_timestamp,
        "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in endpoint.get_tags()],
        "OwnerId": endpoint.owner_id,
        "LastError": endpoint.last_error,
        "ServiceRegion": endpoint.ec2_backend.region_name,
    }
    if endpoint.is_interface:
        shown["IpAddressType"] = endpoint.address_type
        shown["DnsOptions"] = endpoint.dns_options
    return shown


def dns_entries(endpoint: Endpoint) -> list[dict[str, str]]:
    """Regional name, zonal names, then, with private DNS on, the private names."""
    names = []
    for base in endpoint.service.base_names:
        zone_id = catalog.zone_id_for(base)
        start = "*." if endpoint.service.has_wildcard_entries else ""
        names.append((f"{start}{endpoint.id}-{endpoint.suffix}.{base}", zone_id))
        for interface in endpoint.placed.values():
            zone = interface.subnet.availability_zone
            names.append((f"{start}{endpoint.id}-{endpoint.suffix}-{zone}.{base}", zone_id))
    if endpoint.private_dns_enabled:
        for name in endpoint.service.private_names:
            made = catalog.zone_id_for(endpoint.id + name.removeprefix("*."))
            names.append((name, "ZONEIDPENDING" if endpoint.state == "pending" else made))
    return [{"DnsName": name, "HostedZoneId": zone_id} for name, zone_id in names]


def _make(backend: Any, call: Call, plan: checks.Plan) -> Endpoint:
    endpoint = Endpoint(
        backend,
        "vpce-0" + hex_id(16),
        call["VpcId"],
        plan.service.name,
        plan.service.kind,
        call.get("PolicyDocument") or (FULL_ACCESS if plan.service.kind == "Interface" else FULL_ACCESS_GATEWAY),
        route_table_ids=list(call.get("RouteTableIds") or []),
        security_group_ids=plan.group_ids,
        tags=plan.tags,
        private_dns_enabled=plan.private_dns,
    )
    endpoint.creation_timestamp = utcnow()
    endpoint.service, endpoint.placed, endpoint.suffix = plan.service, {}, random_id(8)
    endpoint.address_type, endpoint.dns_options = plan.address_type, plan.dns_options
    backend.vpc_end_points[endpoint.id] = endpoint
    try:
        for subnet_id, wanted in plan.subnets.items():
            put_into(backend, endpoint, subnet_id, wanted)
    except AwsError:
        _gone(backend, endpoint)
        raise
    if endpoint.is_interface:
        endpoint.state = "pending"
        lifecycle.after(f"{KIND}:pending", lambda: _ready(endpoint, call.fail_reason))
    else:
        for route_table_id in endpoint.route_table_ids:
            checks.add_gateway_route(backend, route_table_id, endpoint)
    return endpoint


def _ready(endpoint: Endpoint, fail_reason: str | None) -> None:
    if endpoint.state == "pending":
        endpoint.state = "failed" if fail_reason else "available"
        endpoint.last_error = {"Code": "InternalError", "Message": fail_reason} if fail_reason else None


def _gone(backend: Any, endpoint: Endpoint) -> None:
    placed = [interface.id for interface in endpoint.placed.values()]
    lifecycle.after_if_named(f"{KIND}:detaching", lambda: [interfaces.remove(backend, held) for held in placed])
    for route_table_id in endpoint.route_table_ids:
        checks.remove_gateway_route(backend, route_table_id, endpoint)
    backend.vpc_end_points.pop(endpoint.id, None)
    backend.tags.pop(endpoint.id, None)


def _sync(endpoint: Endpoint) -> None:
    endpoint.subnet_ids = list(endpoint.placed)
    endpoint.network_interface_ids = [interface.id for interface in endpoint.placed.values()]


_FILTERS = {
    "ip-address-type": lambda e: [e.get("IpAddressType")],
    "service-name": lambda e: [e["ServiceName"]],
    "vpc-endpoint-id": lambda e: [e["VpcEndpointId"]],
    "vpc-endpoint-state": lambda e: [e["State"]],
    "vpc-endpoint-type": lambda e: [e["VpcEndpointType"]],
    "vpc-id": lambda e: [e["VpcId"]],
}
