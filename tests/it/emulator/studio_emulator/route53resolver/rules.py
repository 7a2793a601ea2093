"""Resolver rules.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_CreateResolverRule.html
Every region lists one rule that AWS made: the Internet Resolver.

When a rule is no longer shared with an account, it is off that account's VPCs ("Sharing Resolver rules
with other AWS accounts and using shared rules", Route 53 developer guide).

**Invariant:** a rule that is associated with a VPC is never deleted.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from .. import lifecycle
from ..ram import ON_LESS, is_shared, shares_of
from ..registry import AwsError, Call, handles, hex_id, page
from ..route53.zones import zone_name
from .model import RESOLVERS, Rule, arn, endpoint_of, filtered, now

MOST_TARGETS = 6
AUTODEFINED = "rslvr-autodefined-rr-internet-resolver"
_FILTERS = {"CreatorRequestId", "DomainName", "Name", "ResolverEndpointId", "Status", "Type"}


@handles("route53resolver", "CreateResolverRule")
def create_resolver_rule(call: Call) -> dict[str, Any]:
    """Makes a rule, or answers the one that the same request made before."""
    resolver = RESOLVERS.of(call)
    for other in resolver.rules.values():
        if other.asked["CreatorRequestId"] == call["CreatorRequestId"]:
            if other.asked == call.params:
                return {"ResolverRule": other.shown()}
            message = f"[RSLVR-00501] Resolver rule with creator request ID '{call['CreatorRequestId']}' already exists"
            raise AwsError("ResourceExistsException", message)
    targets = _targets(call.get("TargetIps") or [])
    kind = call["RuleType"]
    if not call.get("DomainName"):
        raise AwsError("InvalidParameterException", "A rule needs a domain name")
    if kind == "FORWARD":
        if not targets or not call.get("ResolverEndpointId"):
            raise AwsError("InvalidParameterException", "A FORWARD rule needs target addresses and an endpoint")
        _check_endpoint(call, call["ResolverEndpointId"])
    elif targets or call.get("ResolverEndpointId"):
        raise AwsError("InvalidParameterException", f"A {kind} rule has neither target addresses nor an endpoint")
    rule_id = "rslvr-rr-" + hex_id()
    rule = Rule(
        rule_id,
        arn(call, f"resolver-rule/{rule_id}"),
        dict(call.params),
        call.account,
        call.get("Name"),
        kind,
        zone_name(call["DomainName"]),
        targets,
        call.get("ResolverEndpointId"),
    )
    rule.message = f"[Trace id: 1-{hex_id(8)}-{hex_id(24)}] Successfully created Resolver Rule [{rule_id}]"
    resolver.rules[rule_id] = rule
    resolver.tags[rule.arn] = {tag["Key"]: tag["Value"] for tag in call.get("Tags") or []}
    return {"ResolverRule": rule.shown()}


@handles("route53resolver", "GetResolverRule")
def get_resolver_rule(call: Call) -> dict[str, Any]:
    """One rule, the caller's or one that is shared with the caller."""
    if call["ResolverRuleId"] == AUTODEFINED:
        return {"ResolverRule": _internet_resolver(call)}
    return {"ResolverRule": _shown_to(call, rule_of(call, call["ResolverRuleId"]))}


@handles("route53resolver", "ListResolverRules")
def list_resolver_rules(call: Call) -> dict[str, Any]:
    """Rules by filter: the caller's, those shared with the caller, and AWS's own."""
    every = [_internet_resolver(call)] + [_shown_to(call, rule) for rule in visible_rules(call)]
    kept = filtered(every, call.get("Filters"), _FILTERS)
    shown, token = page(kept, call.get("NextToken"), call.get("MaxResults"), 10)
    return {"ResolverRules": shown, "NextToken": token, "MaxResults": call.get("MaxResults") or 10}


@handles("route53resolver", "UpdateResolverRule")
def update_resolver_rule(call: Call) -> dict[str, Any]:
    """Changes name, targets or endpoint."""
    rule, config = own_rule(call, call["ResolverRuleId"]), call["Config"]
    if rule.status == "DELETING":
        raise AwsError("ResourceUnavailableException", f"The resolver rule '{rule.id}' is being deleted")
    targets = _targets(config["TargetIps"]) if config.get("TargetIps") else rule.targets
    if config.get("ResolverEndpointId"):
        _check_endpoint(call, config["ResolverEndpointId"])
        rule.endpoint_id = config["ResolverEndpointId"]
    rule.targets = targets
    if config.get("Name") is not None:
        rule.name = config["Name"]
    rule.status, rule.changed = "UPDATING", now()

    def end() -> None:
        if rule.status == "UPDATING":
            rule.status = "COMPLETE"

    lifecycle.after("route53resolver:rule:updating", end)
    return {"ResolverRule": rule.shown()}


@handles("route53resolver", "DeleteResolverRule")
def delete_resolver_rule(call: Call) -> dict[str, Any]:
    """Deletes a rule without associations, in whichever account."""
    rule, resolver = own_rule(call, call["ResolverRuleId"]), RESOLVERS.of(call)
    for _account, _region, other in RESOLVERS.items():
        if any(association.rule_id == rule.id for association in other.associations.values()):
            message = f"[RSLVR-00703] The resolver rule '{rule.id}' is still associated with a VPC"
            raise AwsError("ResourceInUseException", message)
    rule.status, rule.changed = "DELETING", now()

    def end() -> None:
        resolver.rules.pop(rule.id, None)
        resolver.tags.pop(rule.arn, None)

    lifecycle.after("route53resolver:rule:deleting", end)
    return {"ResolverRule": rule.shown()}


def visible_rules(call: Call, through_organizations: bool = False) -> list[Rule]:
    """The caller's rules and those shared with the caller in this region."""
    found = list(RESOLVERS.of(call).rules.values())
    shared = shares_of(call.account, through_organizations)
    for account, region, resolver in RESOLVERS.items():
        if account != call.account and region == call.region:
            found += [rule for rule in resolver.rules.values() if rule.arn in shared]
    return found


def rule_of(call: Call, rule_id: str) -> Rule:
    """A rule the caller may use."""
    for rule in visible_rules(call, through_organizations=True):
        if rule.id == rule_id:
            return rule
    message = f"[RSLVR-00703] Resolver rule with ID '{rule_id}' does not exist"
    raise AwsError("ResourceNotFoundException", message)


def _release() -> None:
    owners = {rule.id: rule for _account, _region, resolver in RESOLVERS.items() for rule in resolver.rules.values()}
    for account, _region, resolver in RESOLVERS.items():
        shared = shares_of(account, through_organizations=True)
        for association in list(resolver.associations.values()):
            rule = owners.get(association.rule_id)
            if rule is not None and rule.owner != account and rule.arn not in shared:
                resolver.associations.pop(association.id)


ON_LESS.append(_release)


def own_rule(call: Call, rule_id: str) -> Rule:
    """A rule the caller may change."""
    rule = rule_of(call, rule_id)
    if rule.owner != call.account:
        raise AwsError("AccessDeniedException", f"The resolver rule '{rule_id}' is of account {rule.owner}")
    return rule


def _shown_to(call: Call, rule: Rule) -> dict[str, Any]:
    shown = rule.shown()
    if rule.owner != call.account:
        shown["ShareStatus"] = "SHARED_WITH_ME"
    elif is_shared(rule.arn):
        shown["ShareStatus"] = "SHARED_BY_ME"
    return shown


def _internet_resolver(call: Call) -> dict[str, Any]:
    return {
        "Id": AUTODEFINED,
        "CreatorRequestId": "",
        "Arn": f"arn:{call.partition}:route53resolver:{call.region}::autodefined-rule/{AUTODEFINED}",
        "DomainName": ".",
        "Status": "COMPLETE",
        "RuleType": "RECURSIVE",
        "Name": "Internet Resolver",
        "OwnerId": "Route 53 Resolver",
        "ShareStatus": "NOT_SHARED",
    }


def _targets(wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(wanted) > MOST_TARGETS:
        raise AwsError("LimitExceededException", f"A rule has at most {MOST_TARGETS} target addresses")
    targets, versions = [], set()
    for entry in wanted:
        address = entry.get("Ip") or entry.get("Ipv6")
        try:
            versions.add(ipaddress.ip_address(address or "").version)
        except ValueError:
            raise AwsError("InvalidParameterException", f"'{address}' is not an IP address") from None
        target = {"Port": 53, "Protocol": "Do53"}
        target.update({name: value for name, value in entry.items() if value is not None})
        targets.append(target)
    if len(versions) > 1:
        raise AwsError("InvalidParameterException", "Target addresses are of IPv4 or of IPv6, not of both")
    return targets


def _check_endpoint(call: Call, endpoint_id: str) -> None:
    endpoint = endpoint_of(call, endpoint_id)
    if endpoint.direction != "OUTBOUND":
        message = f"The resolver endpoint '{endpoint_id}' is not an outbound endpoint"
        raise AwsError("InvalidRequestException", message)
    if endpoint.status == "DELETING":
        message = f"The resolver endpoint '{endpoint_id}' is being deleted"
        raise AwsError("ResourceUnavailableException", message)
