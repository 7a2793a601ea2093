"""Zones and VPCs: association within an account and, with authorization, across accounts.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-associate-vpcs-different-accounts.html
Assumed: an authorization names a VPC that exists, and a private zone.

**Invariant:** a private zone always has at least one VPC.
"""

from __future__ import annotations

from typing import Any

from ..registry import AwsError, Call, handles, page
from .limits import refuse_another_vpc
from .model import Zone, anyones_zone, change, refuse_conflict, vpc_is_in, zone_of

_MOST_AUTHORIZATIONS = 1000


@handles("route53", "AssociateVPCWithHostedZone")
def associate_vpc(call: Call) -> dict[str, Any]:
    """Associates the caller's VPC with the caller's zone, or with one that was opened to it."""
    zone, region, vpc_id = _named(call)
    if not zone.private_zone:
        raise AwsError("PublicZoneVPCAssociation", "A public hosted zone cannot be associated with a VPC.")
    if not vpc_is_in(call.account, region, vpc_id):
        if zone.account == call.account and _exists(region, vpc_id):
            message = f"The VPC {vpc_id} is of another account; that account must make the association."
            raise AwsError("NotAuthorizedException", message, 401)
        raise AwsError("InvalidVPCId", f"The VPC {vpc_id} in region {region} does not exist.")
    if zone.account != call.account and (region, vpc_id) not in zone.authorized:
        message = f"The VPC: {vpc_id} has not authorized to associate with your hosted zone."
        raise AwsError("NotAuthorizedException", message, 401)
    refuse_conflict(zone.name, region, vpc_id)
    refuse_another_vpc(zone)
    zone.add_vpc(vpc_id, region)
    return {"ChangeInfo": change(call, call.get("Comment"))}


@handles("route53", "DisassociateVPCFromHostedZone")
def disassociate_vpc(call: Call) -> dict[str, Any]:
    """Ends an association: the zone's owner may, and the VPC's."""
    zone, region, vpc_id = _named(call)
    if zone.account != call.account and not vpc_is_in(call.account, region, vpc_id):
        raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {zone.resource_id}")
    if not zone.serves(vpc_id):
        message = f"The VPC {vpc_id} is not associated with the hosted zone {zone.resource_id}."
        raise AwsError("VPCAssociationNotFound", message)
    if len(zone.vpcs) == 1:
        message = f"The VPC {vpc_id} is the last one associated with the private hosted zone {zone.resource_id}."
        raise AwsError("LastVPCAssociation", message)
    zone.delete_vpc(vpc_id)
    return {"ChangeInfo": change(call, call.get("Comment"))}


@handles("route53", "CreateVPCAssociationAuthorization")
def create_authorization(call: Call) -> dict[str, Any]:
    """Lets another account associate one of its VPCs. Saying it twice is no error."""
    zone = zone_of(call, call["HostedZoneId"])
    wanted = (call["VPC"]["VPCRegion"], call["VPC"]["VPCId"])
    if not zone.private_zone:
        raise AwsError("InvalidInput", "A public hosted zone cannot be associated with a VPC.")
    if not _exists(*wanted):
        raise AwsError("InvalidVPCId", f"The VPC {wanted[1]} in region {wanted[0]} does not exist.")
    if len(zone.authorized) >= _MOST_AUTHORIZATIONS:
        message = f"The hosted zone {zone.resource_id} has the most authorizations it can have."
        raise AwsError("TooManyVPCAssociationAuthorizations", message)
    if wanted not in zone.authorized:
        zone.authorized.append(wanted)
    return {"HostedZoneId": zone.resource_id, "VPC": call["VPC"]}


@handles("route53", "DeleteVPCAssociationAuthorization")
def delete_authorization(call: Call) -> dict[str, Any]:
    """Takes an authorization back. An association made under it stays."""
    zone = zone_of(call, call["HostedZoneId"])
    wanted = (call["VPC"]["VPCRegion"], call["VPC"]["VPCId"])
    if wanted not in zone.authorized:
        message = f"The VPC {wanted[1]} is not authorized for the hosted zone {zone.resource_id}."
        raise AwsError("VPCAssociationAuthorizationNotFound", message)
    zone.authorized.remove(wanted)
    return {}


@handles("route53", "ListVPCAssociationAuthorizations")
def list_authorizations(call: Call) -> dict[str, Any]:
    """The authorizations of a zone."""
    zone = zone_of(call, call["HostedZoneId"])
    vpcs = [{"VPCRegion": region, "VPCId": vpc_id} for region, vpc_id in zone.authorized]
    shown, token = page(vpcs, call.get("NextToken"), call.get("MaxResults"), 50)
    return {"HostedZoneId": zone.resource_id, "VPCs": shown, "NextToken": token}


def _named(call: Call) -> tuple[Zone, str, str]:
    return anyones_zone(call["HostedZoneId"]), call["VPC"]["VPCRegion"], call["VPC"]["VPCId"]


def _exists(region: str, vpc_id: str) -> bool:
    from ..ec2.interfaces import backend_of_vpc

    return backend_of_vpc(vpc_id, region) is not None
