"""Managed policies: documents that are refused, and deletions that would leave something behind.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html

**Invariant:** a policy that is attached, or has older versions, is never deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.iam.models import iam_backends

from ..registry import ASK_MOTO, AwsError, Call, handles
from . import documents

_MOST_ATTACHED = 10


@handles("iam", "CreatePolicy")
def create_policy(call: Call) -> Any:
    """Checks the document; moto does the rest."""
    documents.check(call["PolicyDocument"])
    return ASK_MOTO


@handles("iam", "CreatePolicyVersion")
def create_policy_version(call: Call) -> Any:
    """Checks the document; moto counts the versions."""
    documents.check(call["PolicyDocument"])
    return ASK_MOTO


@handles("iam", "DeletePolicy")
def delete_policy(call: Call) -> Any:
    """Refuses a policy that is attached or has versions besides the default one."""
    backend = iam_backends[call.account][call.partition]
    policy = backend.get_policy(call["PolicyArn"])
    if any(policy.arn in held.managed_policies for held in _holders(backend)):
        raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        message = (
            "This policy has more than one version. Before you delete a policy, you must delete the "
            "policy's versions. The default version is deleted with the policy."
        )
        raise AwsError("DeleteConflict", message)
    return ASK_MOTO


@handles("iam", "AttachRolePolicy")
def attach_role_policy(call: Call) -> Any:
    """Attaching twice is attaching once; moto would count it twice."""
    return _attach(call, iam_backends[call.account][call.partition].get_role(call["RoleName"]))


@handles("iam", "AttachUserPolicy")
def attach_user_policy(call: Call) -> Any:
    """Attaching twice is attaching once; moto would count it twice."""
    return _attach(call, iam_backends[call.account][call.partition].get_user(call["UserName"]))


@handles("iam", "AttachGroupPolicy")
def attach_group_policy(call: Call) -> Any:
    """Attaching twice is attaching once."""
    return _attach(call, iam_backends[call.account][call.partition].get_group(call["GroupName"]))


def _attach(call: Call, holder: Any) -> Any:
    held = holder.managed_policies
    if call["PolicyArn"] in held:
        return {}
    if len(held) >= _MOST_ATTACHED:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for PoliciesPerRole: {_MOST_ATTACHED}", 409)
    return ASK_MOTO


def _holders(backend: Any) -> Iterator[Any]:
    yield from backend.roles.values()
    yield from backend.users.values()
    yield from backend.groups.values()
