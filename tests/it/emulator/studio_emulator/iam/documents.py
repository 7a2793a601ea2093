"""What IAM refuses in a policy document beyond moto's own checks.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html

**Invariant:** what passes here still goes through moto's checks.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..registry import AwsError

LARGEST_MANAGED_POLICY = 6144
_SID = re.compile(r"[A-Za-z0-9]*")


def check(text: str) -> None:
    """Refuses a document for a managed policy."""
    size = len("".join(text.split()))
    if size > LARGEST_MANAGED_POLICY:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for PolicySize: {LARGEST_MANAGED_POLICY}", 409)
    try:
        document = json.loads(text)
    except ValueError:
        raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.", 400) from None
    if not isinstance(document, dict):
        raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.", 400)
    statements = document.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    for statement in statements if isinstance(statements, list) else []:
        if isinstance(statement, dict):
            _check_statement(statement)


def _check_statement(statement: dict[str, Any]) -> None:
    sid = statement.get("Sid")
    if isinstance(sid, str) and not _SID.fullmatch(sid):
        message = (
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
            "expression [0-9A-Za-z]*"
        )
        raise AwsError("MalformedPolicyDocument", message, 400)
    if "Principal" in statement or "NotPrincipal" in statement:
        raise AwsError("MalformedPolicyDocument", "Policy document should not specify a principal.", 400)
    if "Resource" not in statement and "NotResource" not in statement:
        raise AwsError("MalformedPolicyDocument", "Policy statement must contain resources.", 400)
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.", 400)
