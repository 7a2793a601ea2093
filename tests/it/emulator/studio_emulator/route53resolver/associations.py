"""Associations of rules with VPCs.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_AssociateResolverRule.html

**Invariant:** a VPC has at most one rule for a domain name.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from .. import lifecycle
from ..registry import AwsError, Call, handles, hex_id, page
from .model import RESOLVERS, Association, filtered
from .rules import rule_of

_FILTERS = {"Name", "ResolverRuleId", "Status", "VPCId"}


@handles("route53resolver", "AssociateResolverRule")
def associate_resolver_rule(call: Call) -> dict[str, Any]:
    """Associates a rule the caller can see with one of the caller's VPCs."""
    resolver, rule, vpc_id = RESOLVERS.of(call), rule_of(call, call["ResolverRuleId"]), call["VPCId"]
    if vpc_id not in ec2_backends[call.account][call.region].vpcs:
        raise AwsError("InvalidParameterException", f"The vpc ID '{vpc_id}' does not exist")
    if rule.status == "DELETING":
        raise AwsError("ResourceUnavailableException", f"The resolver rule '{rule.id}' is being deleted")
    for other in resolver.associations.values():
        if other.vpc_id != vpc_id:
            continue
        if other.rule_id == rule.id:
            message = f"[RSLVR-00501] The resolver rule '{rule.id}' is already associated with the VPC '{vpc_id}'"
            raise AwsError("ResourceExistsException", message)
        if rule_of(call, other.rule_id).domain == rule.domain:
            message = (
                "Cannot associate rules with same domain name with same VPC. Conflict with resolver rule "
                f"'{other.rule_id}'"
            )
            raise AwsError("InvalidRequestException", message)
    made = Association("rslvr-rrassoc-" + hex_id(), rule.id, vpc_id, call.get("Name"))
    resolver.associations[made.id] = made
    reason = call.fail_reason

    def end() -> None:
        if made.status == "CREATING":
            made.status, made.message = ("FAILED", reason) if reason else ("COMPLETE", "")

    lifecycle.after("route53resolver:association:creating", end)
    return {"ResolverRuleAssociation": made.shown()}


@handles("route53resolver", "GetResolverRuleAssociation")
def get_resolver_rule_association(call: Call) -> dict[str, Any]:
    """One association."""
    wanted = call["ResolverRuleAssociationId"]
    found = RESOLVERS.of(call).associations.get(wanted)
    if found is None:
        message = f"[RSLVR-00703] ResolverRuleAssociation '{wanted}' does not exist"
        raise AwsError("ResourceNotFoundException", message)
    return {"ResolverRuleAssociation": found.shown()}


@handles("route53resolver", "ListResolverRuleAssociations")
def list_resolver_rule_associations(call: Call) -> dict[str, Any]:
    """Associations by filter."""
    every = [association.shown() for association in RESOLVERS.of(call).associations.values()]
    kept = filtered(every, call.get("Filters"), _FILTERS)
    shown, token = page(kept, call.get("NextToken"), call.get("MaxResults"), 10)
    return {"ResolverRuleAssociations": shown, "NextToken": token, "MaxResults": call.get("MaxResults") or 10}


@handles("route53resolver", "DisassociateResolverRule")
def disassociate_resolver_rule(call: Call) -> dict[str, Any]:
    """Ends an association."""
    resolver = RESOLVERS.of(call)
    for association in resolver.associations.values():
        if (association.rule_id, association.vpc_id) == (call["ResolverRuleId"], call["VPCId"]):
            break
    else:
        message = f"[RSLVR-00703] The resolver rule '{call['ResolverRuleId']}' is not associated with '{call['VPCId']}'"
        raise AwsError("ResourceNotFoundException", message)
    association.status, association.message = "DELETING", "Deleting the association."

    def end() -> None:
        resolver.associations.pop(association.id, None)

    lifecycle.after("route53resolver:association:deleting", end)
    return {"ResolverRuleAssociation": association.shown()}
