"""Whether a role can be assumed by SageMaker, from its trust policy.

https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
Conditions are not looked at: a statement with one counts as if it held.

**Invariant:** a role without a statement that allows it is never taken for one that SageMaker may assume.
"""

from __future__ import annotations

import fnmatch
import json
from typing import Any

PRINCIPAL = "sagemaker.amazonaws.com"
_ACTION = "sts:assumerole"


def lets_sagemaker_in(document: str | None) -> bool:
    """Whether a statement allows SageMaker to assume the role, and none denies it."""
    try:
        statements = json.loads(document or "{}").get("Statement") or []
    except (AttributeError, ValueError):
        return False
    effects = {s.get("Effect") for s in _list(statements) if isinstance(s, dict) and _is_about_it(s)}
    return effects == {"Allow"}


def _is_about_it(statement: dict[str, Any]) -> bool:
    actions = [str(action).lower() for action in _list(statement.get("Action") or [])]
    if not any(fnmatch.fnmatchcase(_ACTION, action) for action in actions):
        return False
    principal = statement.get("Principal")
    if principal == "*":
        return True
    services = principal.get("Service") if isinstance(principal, dict) else None
    return PRINCIPAL in _list(services or [])


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
