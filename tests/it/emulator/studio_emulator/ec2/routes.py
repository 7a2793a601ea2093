"""Routes: what they may lead to, which of them lead nowhere, and those that a gateway propagates.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html (the states)
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableVgwRoutePropagation.html
https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html (a route over a peering that
waits for acceptance is a blackhole)
The code for a transit gateway without an attachment in the VPC, and the text for a gateway of
another VPC, are quoted in public reports; the other texts are ours.

moto's tables hold the routes that somebody made; what is propagated is worked out when they are
shown, from the static routes of a gateway's VPN connections. There is no BGP here.

**Invariant:** a route is active only while its target could carry traffic out of the VPC's table.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.route_tables import Route, RouteTable

from ..registry import ASK_MOTO, AwsError, Call, handles


class PropagatedRoute(Route):
    """A route that a virtual private gateway put into a table."""

    @property
    def origin(self) -> str:
        """Where it comes from."""
        return "EnableVgwRoutePropagation"


@handles("ec2", "CreateRoute")
def create_route(call: Call) -> Any:
    """Refuses targets that the table's VPC cannot reach; moto makes the route."""
    _check_target(call)
    return ASK_MOTO


@handles("ec2", "ReplaceRoute")
def replace_route(call: Call) -> Any:
    """Refuses targets that the table's VPC cannot reach; moto changes the route."""
    _check_target(call)
    return ASK_MOTO


@handles("ec2", "DeleteRoute")
def delete_route(call: Call) -> Any:
    """Refuses to take away what came with the table, or belongs to a gateway endpoint."""
    table = _table(call)
    wanted = [call.get(n) for n in ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")]
    for route in table._routes.values():
        destination = _destination(route)
        if destination not in wanted:
            continue
        if route.local:
            message = f"cannot remove local route {destination} in route table {table.id}"
            raise AwsError("InvalidParameterValue", message)
        if route.gateway_id and route.gateway_id.startswith("vpce-"):
            message = f"cannot remove VPC endpoint route {route.gateway_id} in route table {table.id}"
            raise AwsError("InvalidParameterValue", message)
    return ASK_MOTO


@handles("ec2", "EnableVgwRoutePropagation")
def enable_propagation(call: Call) -> dict[str, Any]:
    """Lets a gateway that is attached to the table's VPC put its routes there."""
    table, gateway_id = _table(call), call["GatewayId"]
    gateway = table.ec2_backend.get_vpn_gateway(gateway_id)
    if not _is_attached(gateway, table.vpc_id):
        raise AwsError("Gateway.NotAttached", f"{gateway_id} is not attached to the VPC {table.vpc_id}")
    if gateway_id not in _propagating(table):
        _propagating(table).append(gateway_id)
    return {}


@handles("ec2", "DisableVgwRoutePropagation")
def disable_propagation(call: Call) -> dict[str, Any]:
    """Takes a gateway's routes out of the table again; one that put none there is no error."""
    table = _table(call)
    if call["GatewayId"] in _propagating(table):
        _propagating(table).remove(call["GatewayId"])
    return {}


@handles("ec2", "CreateVpnConnectionRoute")
def create_vpn_connection_route(call: Call) -> dict[str, Any]:
    """Adds a static route to a VPN connection; its gateway propagates it."""
    connection, destination = _connection(call), call["DestinationCidrBlock"]
    if any(route["DestinationCidrBlock"] == destination for route in _static_routes(connection)):
        raise AwsError("RouteAlreadyExists", f"The VPN connection has a route to {destination} already.")
    _static_routes(connection).append({"DestinationCidrBlock": destination, "Source": "Static", "State": "available"})
    return {}


@handles("ec2", "DeleteVpnConnectionRoute")
def delete_vpn_connection_route(call: Call) -> dict[str, Any]:
    """Takes a static route away from a VPN connection."""
    connection, destination = _connection(call), call["DestinationCidrBlock"]
    kept = [route for route in _static_routes(connection) if route["DestinationCidrBlock"] != destination]
    if len(kept) == len(_static_routes(connection)):
        raise AwsError("InvalidRoute.NotFound", f"The VPN connection has no route to {destination}.")
    connection.routes = kept
    return {}


def _table(call: Call) -> RouteTable:
    return ec2_backends[call.account][call.region].get_route_table(call["RouteTableId"])


def _connection(call: Call) -> Any:
    connection = ec2_backends[call.account][call.region].vpn_connections.get(call["VpnConnectionId"])
    if connection is None or connection.state == "deleted":
        message = f"The vpnConnection ID '{call['VpnConnectionId']}' does not exist"
        raise AwsError("InvalidVpnConnectionID.NotFound", message)
    return connection


def _check_target(call: Call) -> None:
    table = _table(call)
    backend, transit_gateway_id = table.ec2_backend, call.get("TransitGatewayId")
    if transit_gateway_id and not _is_joined(backend, transit_gateway_id, table.vpc_id):
        # AWS says so too of a transit gateway that exists but is not attached to the VPC.
        message = f"The transitGateway ID '{transit_gateway_id}' does not exist."
        raise AwsError("InvalidTransitGatewayID.NotFound", message)
    if call.get("NatGatewayId") and call["NatGatewayId"] not in backend.nat_gateways:
        message = f"The natGateway ID '{call['NatGatewayId']}' does not exist"
        raise AwsError("InvalidNatGatewayID.NotFound", message)
    gateway = _gateway(backend, call.get("GatewayId") or "")
    if gateway is not None and not _is_attached(gateway, table.vpc_id):
        message = f"route table {table.id} and network gateway {gateway.id} belong to different networks"
        raise AwsError("InvalidParameterValue", message)


def _gateway(backend: Any, gateway_id: str) -> Any | None:
    """A gateway that exists; moto has the errors for those that do not."""
    return backend.vpn_gateways.get(gateway_id) or backend.internet_gateways.get(gateway_id)


def _is_attached(gateway: Any, vpc_id: str) -> bool:
    if gateway.id.startswith("igw-"):
        return gateway.vpc is not None and gateway.vpc.id == vpc_id
    attachment = gateway.attachments.get(vpc_id)
    return gateway.state == "available" and attachment is not None and attachment.state == "attached"


def _is_joined(backend: Any, transit_gateway_id: str, vpc_id: str) -> bool:
    return transit_gateway_id in backend.transit_gateways and any(
        attachment.transit_gateway_id == transit_gateway_id
        and attachment.resource_id == vpc_id
        and attachment.state == "available"
        for attachment in backend.transit_gateway_attachments.values()
    )


def _destination(route: Route) -> str | None:
    return route.destination_cidr_block or route.destination_ipv6_cidr_block or route.destination_prefix_list_id


def _propagating(table: RouteTable) -> list[str]:
    if not hasattr(table, "own_propagating"):
        table.own_propagating = []
    return table.own_propagating


def _static_routes(connection: Any) -> list[dict[str, str]]:
    if not hasattr(connection, "routes"):
        connection.routes = []
    return connection.routes


def _shown_gateways(table: RouteTable) -> list[dict[str, str]]:
    return [{"GatewayId": gateway_id} for gateway_id in _propagating(table)]


def _shown_routes(table: RouteTable) -> list[Route]:
    """The table's own routes, then what its gateways propagate; a route of its own goes before."""
    shown = list(table._routes.values())
    taken = {_destination(route) for route in shown}
    for gateway_id in _propagating(table):
        gateway = table.ec2_backend.vpn_gateways[gateway_id]
        for connection in table.ec2_backend.vpn_connections.values():
            if connection.vpn_gateway_id != gateway_id or connection.state == "deleted":
                continue
            for route in _static_routes(connection):
                destination = route["DestinationCidrBlock"]
                if destination not in taken and _is_attached(gateway, table.vpc_id):
                    taken.add(destination)
                    shown.append(PropagatedRoute(table, destination, None, gateway=gateway))
    return shown


def _state(route: Route) -> str:
    return "active" if _leads_somewhere(route) else "blackhole"


def _leads_somewhere(route: Route) -> bool:
    backend, vpc_id = route.route_table.ec2_backend, route.route_table.vpc_id
    if route.vpc_pcx:
        return route.vpc_pcx.status["Code"] == "active"
    if route.transit_gateway:
        return _is_joined(backend, route.transit_gateway.id, vpc_id)
    if route.nat_gateway:
        return route.nat_gateway.state == "available"
    if route.egress_only_igw:
        return route.egress_only_igw.id in backend.egress_only_internet_gateways
    if route.interface:
        return route.interface.id in backend.enis and route.interface.status == "in-use"
    if route.gateway and route.gateway.id.startswith("vpce-"):
        return route.gateway.id in backend.vpc_end_points
    if route.gateway:
        return _gateway(backend, route.gateway.id) is not None and _is_attached(route.gateway, vpc_id)
    return True


RouteTable.propagating_vgws = property(_shown_gateways)
RouteTable.routes = property(_shown_routes)
Route.state = property(_state)
