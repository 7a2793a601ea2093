"""Resolver endpoints: create, get, list, update, delete.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_CreateResolverEndpoint.html

**Invariant:** an endpoint has at least two addresses from its creation to its end.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from .. import lifecycle
from ..ec2 import interfaces
from ..registry import AwsError, Call, handles, hex_id, page
from . import addresses
from .model import FEWEST_ADDRESSES, MOST_ADDRESSES, MOST_ENDPOINTS, RESOLVERS, Endpoint, arn, endpoint_of, filtered

_FILTERS = {"CreatorRequestId", "Direction", "HostVPCId", "IpAddressCount", "Name", "SecurityGroupIds", "Status"}


@handles("route53resolver", "CreateResolverEndpoint")
def create_resolver_endpoint(call: Call) -> dict[str, Any]:
    """Makes an endpoint, or answers the one that the same request made before."""
    resolver = RESOLVERS.of(call)
    for other in resolver.endpoints.values():
        if other.asked["CreatorRequestId"] == call["CreatorRequestId"]:
            if other.asked == call.params:
                return {"ResolverEndpoint": other.shown()}
            message = (
                f"[RSLVR-00501] Resolver endpoint with creator request ID '{call['CreatorRequestId']}' already exists"
            )
            raise AwsError("ResourceExistsException", message)
    if len(resolver.endpoints) >= MOST_ENDPOINTS:
        message = f"[RSLVR-00500] Account '{call.account}' has reached the limit of {MOST_ENDPOINTS} resolver endpoints"
        raise AwsError("LimitExceededException", message)
    backend = ec2_backends[call.account][call.region]
    vpc_id = _check(call, backend)
    inbound = call["Direction"] != "OUTBOUND"
    endpoint_id = f"rslvr-{'in' if inbound else 'out'}-{hex_id()}"
    endpoint = Endpoint(
        endpoint_id,
        arn(call, f"resolver-endpoint/{endpoint_id}"),
        dict(call.params),
        call.get("Name"),
        call["Direction"],
        list(call["SecurityGroupIds"]),
        vpc_id,
        call.get("ResolverEndpointType") or "IPV4",
        list(call.get("Protocols") or ["Do53"]),
    )
    try:
        for wanted in call["IpAddresses"]:
            addresses.attach(backend, endpoint, wanted, call.fail_reason)
    except AwsError:
        _remove_interfaces(backend, endpoint)
        raise
    resolver.endpoints[endpoint_id] = endpoint
    resolver.tags[endpoint.arn] = {tag["Key"]: tag["Value"] for tag in call.get("Tags") or []}
    return {"ResolverEndpoint": endpoint.shown()}


@handles("route53resolver", "GetResolverEndpoint")
def get_resolver_endpoint(call: Call) -> dict[str, Any]:
    """One endpoint."""
    return {"ResolverEndpoint": endpoint_of(call, call["ResolverEndpointId"]).shown()}


@handles("route53resolver", "ListResolverEndpoints")
def list_resolver_endpoints(call: Call) -> dict[str, Any]:
    """Endpoints by filter, named or not."""
    every = [endpoint.shown() for endpoint in RESOLVERS.of(call).endpoints.values()]
    kept = filtered(every, call.get("Filters"), _FILTERS)
    shown, token = page(kept, call.get("NextToken"), call.get("MaxResults"), 10)
    return {"ResolverEndpoints": shown, "NextToken": token, "MaxResults": call.get("MaxResults") or 10}


@handles("route53resolver", "UpdateResolverEndpoint")
def update_resolver_endpoint(call: Call) -> dict[str, Any]:
    """Changes name, type or protocols. Direction, groups and addresses are not changed by this call."""
    endpoint = endpoint_of(call, call["ResolverEndpointId"])
    addresses.refuse_while_changing(endpoint)
    backend = ec2_backends[call.account][call.region]
    kind = call.get("ResolverEndpointType") or endpoint.type
    protocols = call.get("Protocols") or endpoint.protocols
    if "IPV6" in (kind, endpoint.type) and kind != endpoint.type:
        message = "An endpoint of type IPV6 cannot be changed, nor can one become IPV6."
        raise AwsError("InvalidRequestException", message)
    _check_protocols(endpoint.direction, protocols)
    if not set(protocols) & set(endpoint.protocols):
        message = "Protocols must be changed in two steps: first add the new one, then take the old one away."
        raise AwsError("InvalidRequestException", message)
    if kind != endpoint.type:
        addresses.change_type(backend, endpoint, kind, call.get("UpdateIpAddresses") or [])
    if call.get("Name") is not None:
        endpoint.name = call["Name"]
    endpoint.type, endpoint.protocols = kind, list(protocols)
    endpoint.pending += 1
    endpoint.become("UPDATING", "Updating the Resolver Endpoint")

    def end() -> None:
        endpoint.pending -= 1
        endpoint.settle()

    lifecycle.after("route53resolver:endpoint:updating", end)
    return {"ResolverEndpoint": endpoint.shown()}


@handles("route53resolver", "DeleteResolverEndpoint")
def delete_resolver_endpoint(call: Call) -> dict[str, Any]:
    """Deletes an endpoint that no rule uses."""
    endpoint, resolver = endpoint_of(call, call["ResolverEndpointId"]), RESOLVERS.of(call)
    if any(rule.endpoint_id == endpoint.id for rule in resolver.rules.values()):
        message = "[RSLVR-00600] Cannot delete resolver endpoint unless its related resolver rules are deleted"
        raise AwsError("InvalidRequestException", message)
    if endpoint.status != "DELETING":
        endpoint.become("DELETING", "Deleting the Resolver Endpoint")
        for address in endpoint.addresses.values():
            address.become("DELETING", "This IP address is being deleted.")
        backend = ec2_backends[call.account][call.region]

        def end() -> None:
            _remove_interfaces(backend, endpoint)
            resolver.endpoints.pop(endpoint.id, None)
            resolver.tags.pop(endpoint.arn, None)

        lifecycle.after("route53resolver:endpoint:deleting", end)
    return {"ResolverEndpoint": endpoint.shown()}


def _check(call: Call, backend: Any) -> str:
    """Checks a creation; returns the id of the VPC."""
    wanted = call.get("IpAddresses") or []
    if len(wanted) < FEWEST_ADDRESSES:
        message = "[RSLVR-00400] Resolver endpoint need to have at least 2 IP addresses"
        raise AwsError("InvalidRequestException", message)
    if len(wanted) > MOST_ADDRESSES:
        message = f"A resolver endpoint has at most {MOST_ADDRESSES} IP addresses"
        raise AwsError("LimitExceededException", message)
    _check_protocols(call["Direction"], call.get("Protocols") or ["Do53"])
    vpc_ids = {addresses.subnet_of(backend, address["SubnetId"]).vpc_id for address in wanted}
    if len(vpc_ids) > 1:
        raise AwsError("InvalidParameterException", "The subnets of a resolver endpoint must be of one VPC")
    vpc_id = vpc_ids.pop()
    if not call["SecurityGroupIds"]:
        raise AwsError("InvalidParameterException", "At least one security group is needed")
    for group_id in call["SecurityGroupIds"]:
        group = backend.get_security_group_from_id(group_id)
        if group is None:
            raise AwsError("InvalidParameterException", f"The security group '{group_id}' does not exist")
        if group.vpc_id != vpc_id:
            raise AwsError("InvalidParameterException", f"The security group '{group_id}' is of another VPC")
    return vpc_id


def _check_protocols(direction: str, protocols: list[str]) -> None:
    if len(set(protocols)) != len(protocols):
        raise AwsError("InvalidParameterException", "A protocol is named twice")
    if "DoH-FIPS" in protocols and (direction != "INBOUND" or "DoH" in protocols):
        message = "DoH-FIPS is for inbound endpoints only, and not together with DoH"
        raise AwsError("InvalidParameterException", message)


def _remove_interfaces(backend: Any, endpoint: Endpoint) -> None:
    for address in endpoint.addresses.values():
        interfaces.remove(backend, address.interface_id)
