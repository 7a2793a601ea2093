"""Security groups and their rules, each rule with an id and a description of its own.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
A range with host bits is stored without them, as EC2 does, so two writings of one range are
duplicates.

**Invariant:** a request adds or takes away all of its rules, or none.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule

from ..registry import AwsError, Call, handles, page
from . import checks, filters

_TEXT = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")
_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
_RULES_PER_GROUP = 60


@handles("ec2", "CreateSecurityGroup")
def create_security_group(call: Call) -> dict[str, Any]:
    """Makes a group with the one rule that lets everything out."""
    backend = ec2_backends[call.account][call.region]
    name, description = call.get("GroupName") or "", call.get("Description") or ""
    vpc_id = call.get("VpcId") or backend.default_vpc.id
    if vpc_id not in backend.vpcs:
        raise AwsError("InvalidVpcID.NotFound", f"The vpc ID '{vpc_id}' does not exist")
    if not name:
        raise AwsError("MissingParameter", "The request must contain the parameter GroupName")
    if not description:
        raise AwsError("MissingParameter", "The request must contain the parameter GroupDescription")
    if name.startswith("sg-") or len(name) > 255:
        raise AwsError("InvalidParameterValue", f"Value ({name}) for parameter GroupName is invalid.")
    if not _TEXT.fullmatch(description):
        allowed = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
        message = (
            f"Value ({description}) for parameter GroupDescription is invalid. Character sets beyond "
            f"ASCII are not supported; allowed: {allowed}"
        )
        raise AwsError("InvalidParameterValue", message)
    if any(group.name == name for group in backend.groups[vpc_id].values()):
        message = f"The security group '{name}' already exists for VPC '{vpc_id}'"
        raise AwsError("InvalidGroup.Duplicate", message)
    tags = checks.tags_of(call, "security-group")
    group = backend.create_security_group(name, description, vpc_id=vpc_id, tags=tags)
    return {"GroupId": group.id, "Tags": _pairs(tags), "SecurityGroupArn": group.arn}


@handles("ec2", "AuthorizeSecurityGroupIngress")
def authorize_ingress(call: Call) -> dict[str, Any]:
    """Adds rules for what may come in."""
    return _authorize(call, is_egress=False)


@handles("ec2", "AuthorizeSecurityGroupEgress")
def authorize_egress(call: Call) -> dict[str, Any]:
    """Adds rules for what may go out."""
    return _authorize(call, is_egress=True)


@handles("ec2", "RevokeSecurityGroupIngress")
def revoke_ingress(call: Call) -> dict[str, Any]:
    """Takes incoming rules away, by id or by what they say."""
    return _revoke(call, is_egress=False)


@handles("ec2", "RevokeSecurityGroupEgress")
def revoke_egress(call: Call) -> dict[str, Any]:
    """Takes outgoing rules away, by id or by what they say."""
    return _revoke(call, is_egress=True)


@handles("ec2", "DescribeSecurityGroupRules")
def describe_security_group_rules(call: Call) -> dict[str, Any]:
    """Rules by id, each of which must exist, or by filter."""
    backend = ec2_backends[call.account][call.region]
    every = [_described(backend, g, r) for g in _all_groups(backend) for r in [*g.ingress_rules, *g.egress_rules]]
    wanted = call.get("SecurityGroupRuleIds")
    if wanted:
        known = {rule["SecurityGroupRuleId"]: rule for rule in every}
        for rule_id in wanted:
            if rule_id not in known:
                message = f"The security group rule ID '{rule_id}' does not exist"
                raise AwsError("InvalidSecurityGroupRuleId.NotFound", message)
        every = [known[rule_id] for rule_id in wanted]
    kept = filters.apply(call.get("Filters"), every, _FILTERS, "DescribeSecurityGroupRules")
    shown, token = page(kept, call.get("NextToken"), call.get("MaxResults"), 1000)
    return {"SecurityGroupRules": shown, "NextToken": token}


def referring_groups(backend: Any, group_id: str) -> list[str]:
    """The other groups whose rules name this one."""
    return [
        group.id
        for group in _all_groups(backend)
        if group.id != group_id
        and any(r.source_group.get("GroupId") == group_id for r in [*group.ingress_rules, *group.egress_rules])
    ]


def group_of(backend: Any, call: Call) -> SecurityGroup:
    """The group that a request names, by id or, in the default VPC, by name."""
    group_id = call.get("GroupId")
    if group_id:
        group = backend.get_security_group_from_id(group_id)
    else:
        group = backend.get_security_group_from_name(call.get("GroupName") or "", backend.default_vpc.id)
    if group is None:
        name = group_id or call.get("GroupName")
        raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
    return group


def matching(
    backend: Any, group: SecurityGroup, call: Call, is_egress: bool
) -> list[tuple[SecurityGroupRule, SecurityGroupRule]]:
    """The group's rules that a request describes, each with what was described."""
    held, found = group.egress_rules if is_egress else group.ingress_rules, []
    for parts in _parts(backend, group, call):
        wanted = _rule(backend, group, is_egress, *parts, {})
        same = [rule for rule in held if rule_key(rule) == rule_key(wanted)]
        if not same:
            message = "The specified rule does not exist in this security group."
            raise AwsError("InvalidPermission.NotFound", message)
        found.append((same[0], wanted))
    return found


def replacement(
    backend: Any, group: SecurityGroup, old: SecurityGroupRule, wanted: dict[str, Any]
) -> SecurityGroupRule:
    """A rule with the contents that ModifySecurityGroupRules gives for an old one."""
    text = wanted.get("Description")
    permission = {name: wanted.get(name) for name in ("IpProtocol", "FromPort", "ToPort")}
    for name, member, source in (
        ("IpRanges", "CidrIp", "CidrIpv4"),
        ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
        ("UserIdGroupPairs", "GroupId", "ReferencedGroupId"),
        ("PrefixListIds", "PrefixListId", "PrefixListId"),
    ):
        if wanted.get(source):
            permission[name] = [{member: wanted[source], "Description": text}]
    parts = _permission_parts(backend, group, permission)
    if len(parts) != 1:
        raise AwsError("InvalidParameterCombination", "A rule has exactly one source or destination.")
    return _rule(backend, group, old.is_egress, *parts[0], {})


def _all_groups(backend: Any) -> list[SecurityGroup]:
    return [group for groups in backend.groups.values() for group in groups.values()]


def _authorize(call: Call, is_egress: bool) -> dict[str, Any]:
    backend = ec2_backends[call.account][call.region]
    group = group_of(backend, call)
    held = group.egress_rules if is_egress else group.ingress_rules
    tags = checks.tags_of(call, "security-group-rule")
    made = [_rule(backend, group, is_egress, *parts, tags) for parts in _parts(backend, group, call)]
    keys = {rule_key(rule) for rule in held}
    for rule in made:
        if rule_key(rule) in keys:
            message = (
                f'the specified rule "{_peer(rule)}, {rule.ip_protocol}, {rule.from_port}-{rule.to_port}, '
                'ALLOW" already exists'
            )
            raise AwsError("InvalidPermission.Duplicate", message)
        keys.add(rule_key(rule))
    if len(keys) > _RULES_PER_GROUP:
        message = "The maximum number of rules per security group has been reached."
        raise AwsError("RulesPerSecurityGroupLimitExceeded", message)
    held.extend(made)
    return {"Return": True, "SecurityGroupRules": [_described(backend, group, rule) for rule in made]}


def _revoke(call: Call, is_egress: bool) -> dict[str, Any]:
    backend = ec2_backends[call.account][call.region]
    group = group_of(backend, call)
    held = group.egress_rules if is_egress else group.ingress_rules
    gone: list[SecurityGroupRule] = []
    for rule_id in call.get("SecurityGroupRuleIds") or []:
        found = [rule for rule in held if rule.id == rule_id]
        if not found:
            message = f"The security group rule ID '{rule_id}' does not exist"
            raise AwsError("InvalidSecurityGroupRuleId.NotFound", message)
        gone += found
    if not gone:
        gone = [rule for rule, _wanted in matching(backend, group, call, is_egress)]
    ids = {rule.id for rule in gone}
    held[:] = [rule for rule in held if rule.id not in ids]
    return {"Return": True, "RevokedSecurityGroupRules": []}


def _parts(backend: Any, group: SecurityGroup, call: Call) -> list[tuple[Any, ...]]:
    """What a request says, taken apart: one (protocol, from, to, peer kind, peer) for each rule."""
    permissions = call.get("IpPermissions")
    if permissions is None:
        single = {k: call.get(k) for k in ("IpProtocol", "FromPort", "ToPort")}
        single["IpRanges"] = [{"CidrIp": call["CidrIp"]}] if call.get("CidrIp") else []
        permissions = [single]
    parts = [part for permission in permissions for part in _permission_parts(backend, group, permission)]
    if not parts:
        raise AwsError(
            "MissingParameter", "Either ipPermissions with a source or destination, or rule ids, are needed."
        )
    return parts


def _permission_parts(backend: Any, group: SecurityGroup, permission: dict[str, Any]) -> list[tuple[Any, ...]]:
    parts: list[tuple[Any, ...]] = []
    protocol, first, last = _ports(permission)
    for name, member in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")):
        for entry in permission.get(name) or []:
            peer = dict(entry, **{member: _range(entry[member], member)})
            parts.append((protocol, first, last, "range", _with_text(peer)))
    for entry in permission.get("UserIdGroupPairs") or []:
        source = backend.get_security_group_from_id(entry.get("GroupId") or "")
        if source is None and entry.get("GroupName"):
            source = backend.get_security_group_from_name(entry["GroupName"], group.vpc_id)
        if source is None:
            name = entry.get("GroupId") or entry.get("GroupName")
            raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
        peer = {"GroupId": source.id, "UserId": backend.account_id, "Description": entry.get("Description")}
        parts.append((protocol, first, last, "group", _with_text(peer)))
    for entry in permission.get("PrefixListIds") or []:
        if entry["PrefixListId"] not in backend.managed_prefix_lists:
            message = f"The prefix list ID '{entry['PrefixListId']}' does not exist"
            raise AwsError("InvalidPrefixListID.NotFound", message)
        parts.append((protocol, first, last, "prefix list", _with_text(entry)))
    return parts


def _ports(permission: dict[str, Any]) -> tuple[str, int | None, int | None]:
    protocol = str(permission.get("IpProtocol") or "").lower()
    protocol = _PROTOCOLS.get(protocol, protocol)
    if protocol not in ("tcp", "udp", "icmp", "icmpv6", "-1") and not protocol.isdigit():
        raise AwsError("InvalidParameterValue", f"Invalid value '{protocol}' for IP protocol. Unknown protocol.")
    first, last = permission.get("FromPort"), permission.get("ToPort")
    if protocol in ("tcp", "udp"):
        if first is None or last is None:
            message = "Invalid value for portRange. Must specify both from and to ports with TCP/UDP."
            raise AwsError("InvalidParameterValue", message)
        if not 0 <= first <= last <= 65535:
            raise AwsError("InvalidParameterValue", f"Invalid TCP/UDP port range ({first}:{last})")
    if protocol == "-1":
        first = last = None
    return protocol, first, last


def _range(text: str, member: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise AwsError("InvalidParameterValue", f"CIDR block {text} is malformed") from None
    if (network.version == 4) != (member == "CidrIp") or "/" not in text:
        raise AwsError("InvalidParameterValue", f"CIDR block {text} is malformed")
    return str(network)


def _with_text(peer: dict[str, Any]) -> dict[str, Any]:
    text = peer.get("Description")
    if text is not None and not _TEXT.fullmatch(text):
        message = (
            "Invalid rule description. Valid descriptions are strings less than 256 characters from the "
            "following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
        )
        raise AwsError("InvalidParameterValue", message)
    return {name: value for name, value in peer.items() if value is not None}


def _rule(
    backend: Any,
    group: SecurityGroup,
    is_egress: bool,
    protocol: str,
    first: Any,
    last: Any,
    kind: str,
    peer: Any,
    tags: dict[str, str],
) -> SecurityGroupRule:
    made = SecurityGroupRule(
        backend,
        protocol,
        group.id,
        first if first is not None else -1,
        last if last is not None else -1,
        peer if kind == "range" else None,
        peer if kind == "group" else None,
        peer if kind == "prefix list" else None,
        is_egress=is_egress,
        tags=tags,
    )
    # moto keeps a description only for ranges.
    made.own_description = peer.get("Description")
    return made


def rule_key(rule: SecurityGroupRule) -> tuple[Any, ...]:
    """What makes two rules the same: everything but id, description and tags."""
    return (rule.ip_protocol, rule.from_port, rule.to_port, _peer(rule))


def _peer(rule: SecurityGroupRule) -> str:
    ranges = rule.ip_range or {}
    return str(
        ranges.get("CidrIp") or ranges.get("CidrIpv6") or rule.source_group.get("GroupId") or rule.prefix_list_id
    )


def _described(backend: Any, group: SecurityGroup, rule: SecurityGroupRule) -> dict[str, Any]:
    source = rule.source_group
    return {
        "SecurityGroupRuleId": rule.id,
        "GroupId": group.id,
        "GroupOwnerId": backend.account_id,
        "IsEgress": rule.is_egress,
        "IpProtocol": rule.ip_protocol,
        "FromPort": -1 if rule.from_port is None else rule.from_port,
        "ToPort": -1 if rule.to_port is None else rule.to_port,
        "CidrIpv4": rule.ip_range.get("CidrIp"),
        "CidrIpv6": rule.ip_range.get("CidrIpv6"),
        "PrefixListId": rule.prefix_list_id,
        "ReferencedGroupInfo": {"GroupId": source["GroupId"], "UserId": source.get("UserId")} if source else None,
        "Description": getattr(rule, "own_description", None),
        "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in rule.get_tags()],
        "SecurityGroupRuleArn": f"arn:{backend.partition}:ec2:{backend.region_name}:{backend.account_id}"
        f":security-group-rule/{rule.id}",
    }


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


_FILTERS = {
    "group-id": lambda rule: [rule["GroupId"]],
    "security-group-rule-id": lambda rule: [rule["SecurityGroupRuleId"]],
}
