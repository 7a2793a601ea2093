"""IAM's policy simulator: SimulateCustomPolicy and SimulatePrincipalPolicy.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
Identity policies and permissions boundaries are evaluated; resource policies are not, and are
refused. Positions of matched statements are those of the whole policy.

**Invariant:** an explicit denial wins over every permission.
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.iam.models import iam_backends

from ..registry import AwsError, Call, handles, page
from .conditions import Context, hold, like

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


@handles("iam", "SimulateCustomPolicy")
def simulate_custom_policy(call: Call) -> dict[str, Any]:
    """What policies that are sent decide."""
    names = [f"PolicyInputList.{index + 1}" for index in range(len(call["PolicyInputList"]))]
    return _simulate(call, list(zip(names, call["PolicyInputList"], strict=True)))


@handles("iam", "SimulatePrincipalPolicy")
def simulate_principal_policy(call: Call) -> dict[str, Any]:
    """What a principal's own policies, and those that are sent, decide."""
    backend = iam_backends[call.account][call.partition]
    source = call["PolicySourceArn"]
    for holder in [*backend.roles.values(), *backend.users.values(), *backend.groups.values()]:
        if holder.arn == source:
            break
    else:
        raise AwsError("NoSuchEntity", f"The entity {source} cannot be found.")
    attached = holder.managed_policies.values()
    policies = [(p.name, v.document) for p in attached for v in p.versions if v.version_id == p.default_version_id]
    policies += [(name, text) for name, text in holder.policies.items()]
    sent = call.get("PolicyInputList") or []
    policies += [(f"PolicyInputList.{index + 1}", text) for index, text in enumerate(sent)]
    return _simulate(call, policies)


def _simulate(call: Call, policies: list[tuple[str, str]]) -> dict[str, Any]:
    if call.get("ResourcePolicy"):
        raise AwsError("InvalidInput", "Resource policies are not emulated.")
    context: Context = {e["ContextKeyName"]: e["ContextKeyValues"] for e in call.get("ContextEntries") or []}
    boundaries = [(f"boundary.{i + 1}", t) for i, t in enumerate(call.get("PermissionsBoundaryPolicyInputList") or [])]
    results = [
        _decide(action, resource, policies, boundaries, context)
        for action in call["ActionNames"]
        for resource in call.get("ResourceArns") or ["*"]
    ]
    shown, token = page(results, call.get("Marker"), call.get("MaxItems"))
    return {"EvaluationResults": shown, "IsTruncated": token is not None, "Marker": token}


def _decide(
    action: str, resource: str, policies: list[tuple[str, str]], boundaries: list[tuple[str, str]], context: Context
) -> dict[str, Any]:
    missing: set[str] = set()
    decision, matched = _evaluate(action, resource, policies, context, missing)
    allowed_by_boundary = True
    if boundaries:
        within, more = _evaluate(action, resource, boundaries, context, missing)
        allowed_by_boundary = within == "allowed"
        if within == "explicitDeny":
            decision, matched = within, more
        elif decision == "allowed" and not allowed_by_boundary:
            decision, matched = "implicitDeny", []
    return {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": decision,
        "MatchedStatements": matched,
        "MissingContextValues": sorted(missing),
        "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": allowed_by_boundary}
        if boundaries
        else None,
        "ResourceSpecificResults": [
            {
                "EvalResourceName": resource,
                "EvalResourceDecision": decision,
                "MatchedStatements": matched,
                "MissingContextValues": sorted(missing),
            }
        ],
    }


def _evaluate(
    action: str, resource: str, policies: list[tuple[str, str]], context: Context, missing: set[str]
) -> tuple[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {"Allow": [], "Deny": []}
    for name, text in policies:
        for statement in _statements(text):
            if _applies(statement, action, resource, context, missing):
                found[statement["Effect"]].append(_matched(name, text))
    if found["Deny"]:
        return "explicitDeny", found["Deny"]
    return ("allowed", found["Allow"]) if found["Allow"] else ("implicitDeny", [])


def _statements(text: str) -> list[dict[str, Any]]:
    try:
        statements = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError):
        raise AwsError("InvalidInput", "Syntax errors in policy.") from None
    return statements if isinstance(statements, list) else [statements]


def _applies(statement: dict[str, Any], action: str, resource: str, context: Context, missing: set[str]) -> bool:
    actions = [name.lower() for name in _listed(statement, "Action", "NotAction")]
    resources = [_filled(pattern, context) for pattern in _listed(statement, "Resource", "NotResource")]
    if any(like(pattern, action.lower()) for pattern in actions) == ("NotAction" in statement):
        return False
    if any(pattern is not None and like(pattern, resource) for pattern in resources) == ("NotResource" in statement):
        return False
    return hold(_with_variables(statement.get("Condition") or {}, context), context, missing)


def _listed(statement: dict[str, Any], name: str, negated: str) -> list[str]:
    value = statement.get(name, statement.get(negated, []))
    return [value] if isinstance(value, str) else list(value)


def _filled(pattern: str, context: Context) -> str | None:
    """A pattern with its variables filled in; None if the context lacks one, which matches nothing."""
    lower = {key.lower(): values for key, values in context.items()}
    lacking = [name for name in _VARIABLE.findall(pattern) if name not in "*?$" and name.lower() not in lower]
    if lacking:
        return None
    return _VARIABLE.sub(lambda m: m[1] if m[1] in "*?$" else lower[m[1].lower()][0], pattern)


def _with_variables(conditions: dict[str, Any], context: Context) -> dict[str, Any]:
    def filled(wanted: Any) -> Any:
        values = wanted if isinstance(wanted, list) else [wanted]
        texts = [_filled(value, context) if isinstance(value, str) else value for value in values]
        return [text for text in texts if text is not None]

    return {op: {key: filled(wanted) for key, wanted in keys.items()} for op, keys in conditions.items()}


def _matched(name: str, text: str) -> dict[str, Any]:
    lines = text.split("\n")
    return {
        "SourcePolicyId": name,
        "SourcePolicyType": "IAM Policy",
        "StartPosition": {"Line": 1, "Column": 1},
        "EndPosition": {"Line": len(lines), "Column": len(lines[-1]) + 1},
    }
