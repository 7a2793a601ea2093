"""Changes of rules that keep their ids: ModifySecurityGroupRules and the two calls for descriptions.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySecurityGroupRules.html

**Invariant:** a rule never becomes the same as another one of its group.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule

from ..registry import AwsError, Call, handles
from .groups import group_of, matching, replacement, rule_key


@handles("ec2", "ModifySecurityGroupRules")
def modify_security_group_rules(call: Call) -> dict[str, Any]:
    """Gives rules other contents under the same ids."""
    backend = ec2_backends[call.account][call.region]
    group = group_of(backend, call)
    planned = [
        (_rule(group, wanted["SecurityGroupRuleId"]), wanted["SecurityGroupRule"])
        for wanted in call["SecurityGroupRules"]
    ]
    made = [(old, replacement(backend, group, old, contents)) for old, contents in planned]
    for held in (group.ingress_rules, group.egress_rules):
        keys = [rule_key(next((new for old, new in made if old is rule), rule)) for rule in held]
        if len(keys) != len(set(keys)):
            raise AwsError("InvalidPermission.Duplicate", "the specified rule already exists")
    for old, new in made:
        for name in (
            "ip_protocol",
            "from_port",
            "to_port",
            "ip_range",
            "source_group",
            "prefix_list_id",
            "own_description",
        ):
            setattr(old, name, getattr(new, name))
    return {"Return": True}


@handles("ec2", "UpdateSecurityGroupRuleDescriptionsIngress")
def update_ingress_descriptions(call: Call) -> dict[str, Any]:
    """Changes what incoming rules are described as."""
    return _describe(call, is_egress=False)


@handles("ec2", "UpdateSecurityGroupRuleDescriptionsEgress")
def update_egress_descriptions(call: Call) -> dict[str, Any]:
    """Changes what outgoing rules are described as."""
    return _describe(call, is_egress=True)


def _describe(call: Call, is_egress: bool) -> dict[str, Any]:
    backend = ec2_backends[call.account][call.region]
    group = group_of(backend, call)
    changes: list[tuple[SecurityGroupRule, str | None]] = []
    if call.get("SecurityGroupRuleDescriptions"):
        for entry in call["SecurityGroupRuleDescriptions"]:
            changes.append((_rule(group, entry["SecurityGroupRuleId"]), entry.get("Description")))
    else:
        for rule, wanted in matching(backend, group, call, is_egress):
            changes.append((rule, getattr(wanted, "own_description", None)))
    for rule, text in changes:
        rule.own_description = text
        for peer in (rule.ip_range, rule.source_group):
            if peer:
                peer.pop("Description", None)
                if text is not None:
                    peer["Description"] = text
    return {"Return": True}


def _rule(group: SecurityGroup, rule_id: str) -> SecurityGroupRule:
    for rule in [*group.ingress_rules, *group.egress_rules]:
        if rule.id == rule_id:
            return rule
    message = f"The security group rule ID '{rule_id}' does not exist"
    raise AwsError("InvalidSecurityGroupRuleId.NotFound", message)
