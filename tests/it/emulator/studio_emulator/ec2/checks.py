"""What AWS refuses when an endpoint is made or changed, in the order in which it is checked here.

Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
The texts for an unsupported zone and for a private DNS conflict are quoted in many public reports;
the other texts are ours.

**Invariant:** nothing is changed here, except by the two functions for gateway routes.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from ..registry import AwsError, Call
from . import catalog, interfaces


@dataclasses.dataclass
class Plan:
    """What CreateVpcEndpoint is going to make."""

    service: catalog.Service
    group_ids: list[str]
    # What was asked for in each subnet: {"Ipv4": …, "Ipv6": …}, both optional.
    subnets: dict[str, dict[str, Any]]
    private_dns: bool
    address_type: str
    dns_options: dict[str, Any]
    tags: dict[str, str]


def creation(backend: Any, call: Call) -> Plan:
    """Reads and checks a request for a new endpoint."""
    vpc = vpc_of(backend, call["VpcId"])
    kind = call.get("VpcEndpointType") or "Gateway"
    service = service_of(call, kind)
    policy(call.get("PolicyDocument"))
    tags = tags_of(call, "vpc-endpoint")
    if kind == "Gateway":
        gateway_only(call)
        for route_table_id in call.get("RouteTableIds") or []:
            gateway_route_table(backend, vpc.id, route_table_id, service)
        return Plan(service, [], {}, False, "ipv4", {}, tags)
    if call.get("RouteTableIds"):
        raise AwsError("InvalidParameter", "Route table IDs are only supported for Gateway type VPC Endpoint.")
    address_type = call.get("IpAddressType") or "ipv4"
    wanted = {c["SubnetId"]: c for c in call.get("SubnetConfigurations") or []}
    subnet_ids = list(dict.fromkeys((call.get("SubnetIds") or []) + list(wanted)))
    subnets(backend, vpc.id, service, subnet_ids, [])
    address_types(backend, service, address_type, subnet_ids)
    for subnet_id, addresses in wanted.items():
        free_addresses(backend, subnet_id, addresses)
    group_ids = list(call.get("SecurityGroupIds") or [])
    groups(backend, vpc.id, group_ids)
    if not group_ids:
        group_ids = [backend.get_default_security_group(vpc.id).id]
    asked = call.get("PrivateDnsEnabled")
    private_dns = bool(service.private_names) if asked is None else asked
    if private_dns:
        private_dns_allowed(backend, vpc, service, None)
    options = dns_options(backend, vpc.id, service, call.get("DnsOptions"), address_type, private_dns)
    chosen = {subnet_id: wanted.get(subnet_id, {}) for subnet_id in subnet_ids}
    return Plan(service, group_ids, chosen, private_dns, address_type, options, tags)


def vpc_of(backend: Any, vpc_id: str) -> Any:
    """The VPC of that id."""
    if vpc_id not in backend.vpcs:
        raise AwsError("InvalidVpcId.NotFound", f"The Vpc Id {vpc_id} does not exist")
    return backend.vpcs[vpc_id]


def service_of(call: Call, kind: str) -> catalog.Service:
    """The service of the request's name, as the kind that was asked for."""
    name = call.get("ServiceName") or ""
    found = catalog.named(call.region, name)
    if not found:
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
    for service in found:
        if service.kind == kind:
            return service
    available = ", ".join(service.kind for service in found)
    message = f"Endpoint type ({kind}) does not match available service types ([{available}])."
    raise AwsError("InvalidParameter", message)


def gateway_only(call: Call) -> None:
    """A gateway endpoint lives in route tables: it has no subnets, groups, names or address type."""
    for name in ("SubnetIds", "SubnetConfigurations", "SecurityGroupIds"):
        if call.get(name):
            raise AwsError("InvalidParameter", f"{name} is only supported for Interface type VPC Endpoint.")
    if call.get("PrivateDnsEnabled"):
        raise AwsError("InvalidParameter", "Private DNS can only be enabled for Interface endpoints.")
    if (call.get("DnsOptions") or {}).get("PrivateDnsOnlyForInboundResolverEndpoint") is not None:
        message = "DnsOptions PrivateDnsOnlyForInboundResolverEndpoint is applicable only to Interface VPC Endpoints."
        raise AwsError("InvalidParameter", message)
    if call.get("IpAddressType") not in (None, "ipv4"):
        message = f"A Gateway endpoint does not support the IP address type {call['IpAddressType']}."
        raise AwsError("InvalidParameter", message)


def policy(text: str | None) -> None:
    """A policy must be a JSON object with statements."""
    if text is None:
        return
    try:
        document = json.loads(text)
    except ValueError:
        raise AwsError("InvalidPolicyDocument", "The policy document is not valid json") from None
    statements = document.get("Statement") if isinstance(document, dict) else None
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        raise AwsError("InvalidPolicyDocument", "Syntax errors in policy: no statement")
    for statement in statements:
        if statement.get("Effect") not in ("Allow", "Deny") or not {"Principal", "NotPrincipal"} & set(statement):
            raise AwsError("InvalidPolicyDocument", "Syntax errors in policy: a statement lacks effect or principal")


def subnets(backend: Any, vpc_id: str, service: catalog.Service, added: list[str], present: list[str]) -> None:
    """Subnets exist, are of the VPC, in zones of the service, and each in a zone of its own."""
    zones = {backend.get_subnet(subnet_id).availability_zone for subnet_id in present}
    for subnet_id in added:
        try:
            subnet = backend.get_subnet(subnet_id)
        except Exception:
            message = f"The subnet ID '{subnet_id}' does not exist"
            raise AwsError("InvalidSubnetID.NotFound", message) from None
        if subnet.vpc_id != vpc_id:
            raise AwsError("InvalidParameter", f"The subnet {subnet_id} does not belong to the VPC {vpc_id}.")
        if subnet.availability_zone not in service.zone_names:
            raise AwsError(
                "InvalidParameter",
                f"The VPC endpoint service {service.name} does not support the availability zone of the subnet: "
                f"{subnet_id}.",
            )
        if subnet.availability_zone in zones:
            message = f"Found another VPC endpoint subnet in the availability zone of {subnet_id}."
            raise AwsError("DuplicateSubnetsInSameZone", message)
        zones.add(subnet.availability_zone)


def address_types(backend: Any, service: catalog.Service, wanted: str, subnet_ids: list[str]) -> None:
    """The address type is one the service and every subnet have.

    https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
    """
    needed = {"ipv4": {"ipv4"}, "ipv6": {"ipv6"}, "dualstack": {"ipv4", "ipv6"}}.get(wanted)
    if needed is None:
        raise AwsError("InvalidParameter", f"The IP address type {wanted} is not valid.")
    if not needed <= set(service.address_types):
        message = f"The VPC endpoint service {service.name} does not support the IP address type {wanted}."
        raise AwsError("InvalidParameter", message)
    for subnet_id in subnet_ids:
        subnet = backend.get_subnet(subnet_id)
        present = {"ipv6"} if interfaces.ipv6_block(subnet) is not None else set()
        if not subnet.ipv6_native:
            present.add("ipv4")
        # An endpoint with IPv6 alone is for subnets with IPv6 alone.
        if not needed <= present or (wanted == "ipv6" and present != needed):
            message = f"The subnet {subnet_id} does not support the IP address type {wanted}."
            raise AwsError("InvalidParameter", message)


def free_addresses(backend: Any, subnet_id: str, wanted: dict[str, Any]) -> None:
    """Addresses that were chosen lie in the subnet and are free."""
    subnet = backend.get_subnet(subnet_id)
    for address in (wanted.get("Ipv4"), wanted.get("Ipv6")):
        if address and not interfaces.usable(subnet, address):
            message = f"Address {address} does not fall within the subnet's address range"
            raise AwsError("InvalidParameterValue", message)
        if address and address in interfaces.taken(backend, subnet_id):
            raise AwsError("InvalidIPAddress.InUse", f"Address {address} is in use.")


def groups(backend: Any, vpc_id: str, group_ids: list[str]) -> None:
    """Security groups exist and are of the VPC."""
    for group_id in group_ids:
        group = backend.get_security_group_from_id(group_id)
        if group is None:
            raise AwsError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
        if group.vpc_id != vpc_id:
            message = f"The security group {group_id} does not belong to the VPC {vpc_id}."
            raise AwsError("InvalidParameter", message)


def private_dns_allowed(backend: Any, vpc: Any, service: catalog.Service, own_id: str | None) -> None:
    """Private DNS needs both DNS attributes of the VPC, and names that nothing else there serves."""
    if not service.private_names:
        message = (
            f"Private DNS can't be enabled because the service {service.name} does not provide a private DNS name."
        )
        raise AwsError("InvalidParameter", message)
    if not (vpc.enable_dns_support and vpc.enable_dns_hostnames):
        raise AwsError(
            "InvalidParameter",
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true "
            f"for {vpc.id}",
        )
    from ..route53.zones import names_in_vpc  # Zones know endpoints, and endpoints know zones.

    served = set(names_in_vpc(vpc.id))
    for other in backend.vpc_end_points.values():
        if other.vpc_id == vpc.id and other.id != own_id and other.private_dns_enabled:
            served.update(other.service.private_zone_names)
    for name in service.private_zone_names:
        if name in served:
            raise AwsError(
                "InvalidParameter",
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                f"{name} in the VPC {vpc.id}",
            )


def dns_options(
    backend: Any,
    vpc_id: str,
    service: catalog.Service,
    wanted: dict[str, Any] | None,
    address_type: str,
    private_dns: bool,
) -> dict[str, Any]:
    """DnsOptions with what AWS fills in: the record type follows the address type."""
    options = {"DnsRecordIpType": address_type}
    options.update({k: v for k, v in (wanted or {}).items() if v is not None})
    allowed = {"ipv4": {"ipv4"}, "ipv6": {"ipv6"}, "dualstack": {"ipv4", "ipv6", "dualstack"}}[address_type]
    if options["DnsRecordIpType"] not in allowed | {"service-defined"}:
        raise AwsError(
            "InvalidParameter",
            f"The DNS record IP type {options['DnsRecordIpType']} does not go with the IP address type {address_type}.",
        )
    return _inbound_option(backend, vpc_id, service, options, private_dns)


def _inbound_option(
    backend: Any, vpc_id: str, service: catalog.Service, options: dict[str, Any], private_dns: bool
) -> dict[str, Any]:
    """Private DNS for inbound resolvers only, which S3 has by default and needs a gateway endpoint for.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DnsOptionsSpecification.html. That it is
    the default wherever private DNS is on, and the text, are quoted in public reports.
    """
    member = "PrivateDnsOnlyForInboundResolverEndpoint"
    if not any(other.kind == "Gateway" for other in _same_service(backend, service)):
        if options.get(member):
            raise AwsError("InvalidParameter", f"{member} is not available for the service {service.name}.")
        return options
    if private_dns:
        options.setdefault(member, True)
    if private_dns and options[member]:
        gateways = [e for e in backend.vpc_end_points.values() if e.vpc_id == vpc_id and not e.is_interface]
        if not any(endpoint.state == "available" for endpoint in gateways):
            message = f"To set {member} to true, the VPC {vpc_id} must have a Gateway endpoint for the service."
            raise AwsError("InvalidParameter", message)
    return options


def _same_service(backend: Any, service: catalog.Service) -> list[catalog.Service]:
    """A service in all its kinds: in China they differ in their names' start."""
    suffix = service.name.removeprefix("cn.")
    return [s for s in catalog.services(backend.region_name) if s.name.removeprefix("cn.") == suffix]


def tags_of(call: Call, kind: str) -> dict[str, str]:
    """The tags for one kind of resource in a request; for another kind they are refused."""
    tags: dict[str, str] = {}
    for specification in call.get("TagSpecifications") or []:
        found = specification.get("ResourceType")
        if found != kind:
            message = f"'{found}' is not a valid taggable resource type for this operation."
            raise AwsError("InvalidParameterValue", message)
        for tag in specification.get("Tags") or []:
            if tag["Key"].lower().startswith("aws:"):
                message = (
                    f"Value ( {tag['Key']} ) for parameter key is invalid. Tag keys starting with 'aws:' are "
                    "reserved for internal use"
                )
                raise AwsError("InvalidParameterValue", message)
            tags[tag["Key"]] = tag.get("Value") or ""
    return tags


def gateway_route_table(backend: Any, vpc_id: str, route_table_id: str, service: catalog.Service) -> None:
    """A route table exists, is of the VPC, and has no route of that service yet."""
    table = backend.route_tables.get(route_table_id)
    if table is None:
        raise AwsError("InvalidRouteTableID.NotFound", f"The routeTable ID '{route_table_id}' does not exist")
    if table.vpc_id != vpc_id:
        raise AwsError("InvalidParameter", f"The route table {route_table_id} does not belong to the VPC {vpc_id}.")
    for other in backend.vpc_end_points.values():
        if other.service_name == service.name and route_table_id in other.route_table_ids:
            prefix_list = prefix_list_id(backend, service.name)
            message = f"route table {route_table_id} already has a route with destination-prefix-list-id {prefix_list}"
            raise AwsError("RouteAlreadyExists", message)


def prefix_list_id(backend: Any, service_name: str) -> str | None:
    """The prefix list of AWS for a gateway service."""
    for prefix_list in backend.managed_prefix_lists.values():
        if prefix_list.prefix_list_name == service_name:
            return prefix_list.id
    return None


def add_gateway_route(backend: Any, route_table_id: str, endpoint: Any) -> None:
    """Puts a gateway endpoint's route into a route table."""
    prefix_list = prefix_list_id(backend, endpoint.service_name)
    if prefix_list:
        backend.create_route(route_table_id, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list)


def remove_gateway_route(backend: Any, route_table_id: str, endpoint: Any) -> None:
    """Takes a gateway endpoint's route out of a route table, if both are still there."""
    if route_table_id in backend.route_tables:
        table = backend.route_tables[route_table_id]
        for route in [r for r in table.routes if r.gateway and r.gateway.id == endpoint.id]:
            table._routes.pop(route.id)
