"""CreatePresignedDomainUrl.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedDomainUrl.html

What was handed out is remembered, so that tests can look for it where it must not be.

**Invariant:** the URL leads nowhere; nothing here answers for it, and its token says nothing.
"""

from __future__ import annotations

import string
from typing import Any

from ..registry import AwsError, Call, handles, random_id
from .model import STUDIOS, domain_of
from .profiles import profile_of
from .spaces import space_of


@handles("sagemaker", "CreatePresignedDomainUrl")
def create_presigned_domain_url(call: Call) -> dict[str, Any]:
    """A URL for a profile of a domain with AuthMode IAM, both in service."""
    domain, profile = domain_of(call, ready=True), profile_of(call)
    if domain.sent["AuthMode"] != "IAM":
        raise AwsError("ValidationException", "Presigned URLs are only available for domains with AuthMode IAM.")
    if profile.status not in ("InService", "Updating", "Update_Failed"):
        raise AwsError("ValidationException", f"UserProfile [{profile.name}] is not in service: {profile.status}.")
    if call.get("SpaceName"):
        space_of(call)
    token = random_id(160, string.ascii_letters + string.digits)
    url = f"{domain.url}/auth?token={token}"
    STUDIOS.of(call).presigned.append({"url": url, "token": token, "asked": dict(call.params)})
    return {"AuthorizedUrl": url}


def handed_out(account: str, region: str) -> list[dict[str, Any]]:
    """The URLs of an account and region, in order, each with its token and what was asked for."""
    return list(STUDIOS.at(account, region).presigned)
