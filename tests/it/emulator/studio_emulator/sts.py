"""STS: who is calling, and sessions of roles in any account.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
The role does not have to exist, so that a test can use several accounts without preparing them.

**Invariant:** a session's key belongs to the account in the role's ARN.
"""

from __future__ import annotations

import datetime
import re
import string
from typing import Any

from .accounts import Identity, identity_of, remember
from .registry import AwsError, Call, handles, random_id

_ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}):role/(?:.*/)?([\w+=,.@-]+)")


@handles("sts", "GetCallerIdentity")
def get_caller_identity(call: Call) -> dict[str, Any]:
    """Account, ARN and id of the caller."""
    identity = identity_of(call.access_key, call.partition)
    return {"UserId": identity.user_id, "Account": identity.account, "Arn": identity.arn}


@handles("sts", "AssumeRole")
def assume_role(call: Call) -> dict[str, Any]:
    """A session of a role."""
    return _session(call)


@handles("sts", "AssumeRoleWithWebIdentity")
def assume_role_with_web_identity(call: Call) -> dict[str, Any]:
    """A session of a role for any token that is not empty."""
    if not call.get("WebIdentityToken"):
        raise AwsError("InvalidIdentityToken", "The web identity token is empty.")
    answer = _session(call)
    answer.update({"Provider": "accounts.example.com", "SubjectFromWebIdentityToken": "subject"})
    return answer


def _session(call: Call) -> dict[str, Any]:
    match = _ROLE.fullmatch(call["RoleArn"])
    if not match:
        raise AwsError("ValidationError", f"{call['RoleArn']} is invalid")
    account, role = match.groups()
    key = f"ASIA{account}" + random_id(4, string.ascii_uppercase)
    role_id = "AROA" + account + "0ROLE"
    session = call["RoleSessionName"]
    arn = f"arn:{call.partition}:sts::{account}:assumed-role/{role}/{session}"
    remember(key, Identity(account, arn, f"{role_id}:{session}"))
    lifetime = datetime.timedelta(seconds=int(call.get("DurationSeconds") or 3600))
    return {
        "Credentials": {
            "AccessKeyId": key,
            "SecretAccessKey": random_id(40, string.ascii_letters + string.digits),
            "SessionToken": random_id(200, string.ascii_letters + string.digits),
            "Expiration": datetime.datetime.now(datetime.timezone.utc) + lifetime,
        },
        "AssumedRoleUser": {"AssumedRoleId": f"{role_id}:{session}", "Arn": arn},
        "PackedPolicySize": 6,
    }
