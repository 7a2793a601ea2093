"""DescribeVpcEndpointServices, from the catalog.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpointServices.html
"""

from __future__ import annotations

from typing import Any

from ..registry import AwsError, Call, handles, page
from . import catalog, filters


@handles("ec2", "DescribeVpcEndpointServices")
def describe_vpc_endpoint_services(call: Call) -> dict[str, Any]:
    """The services asked for by name, or all, each kind by itself; an unknown name is an error."""
    known = catalog.services(call.region)
    wanted = call.get("ServiceNames")
    for name in wanted or []:
        if not catalog.named(call.region, name):
            raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
    chosen = [service for service in known if not wanted or service.name in wanted]
    chosen.sort(key=lambda service: (service.name, service.kind))
    details = [_detail(call.region, service) for service in chosen]
    kept = filters.apply(call.get("Filters"), details, _FILTERS, "DescribeVpcEndpointServices")
    shown, token = page(kept, call.get("NextToken"), call.get("MaxResults"), 1000)
    names = list(dict.fromkeys(detail["ServiceName"] for detail in shown))
    return {"ServiceDetails": shown, "ServiceNames": names, "NextToken": token}


def _detail(region: str, service: catalog.Service) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "ServiceName": service.name,
        "ServiceId": service.service_id,
        "ServiceType": [{"ServiceType": service.kind}],
        "ServiceRegion": region,
        "AvailabilityZones": [name for name, _ in service.zones],
        "AvailabilityZoneIds": [zone_id for _, zone_id in service.zones],
        "Owner": "amazon",
        "BaseEndpointDnsNames": list(service.base_names),
        "VpcEndpointPolicySupported": service.policy,
        "AcceptanceRequired": False,
        "ManagesVpcEndpoints": False,
        "Tags": [],
        "SupportedIpAddressTypes": list(service.address_types),
    }
    if service.private_names:
        detail["PrivateDnsName"] = service.private_names[0]
        detail["PrivateDnsNames"] = [{"PrivateDnsName": name} for name in service.private_names]
        detail["PrivateDnsNameVerificationState"] = "verified"
    return detail


_FILTERS = {
    "owner": lambda detail: [detail["Owner"]],
    "service-name": lambda detail: [detail["ServiceName"]],
    "service-region": lambda detail: [detail["ServiceRegion"]],
    "service-type": lambda detail: [kind["ServiceType"] for kind in detail["ServiceType"]],
    "supported-ip-address-types": lambda detail: detail["SupportedIpAddressTypes"],
}
