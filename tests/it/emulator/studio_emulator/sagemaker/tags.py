"""Tags of domains, profiles, spaces and apps.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddTags.html

**Invariant:** only what exists has tags.
"""

from __future__ import annotations

from typing import Any

from ..registry import AwsError, Call, handles, page
from .model import STUDIOS


@handles("sagemaker", "AddTags")
def add_tags(call: Call) -> dict[str, Any]:
    """Adds tags, or changes their values."""
    tags = _tags_of(call)
    changed = dict(tags, **{tag["Key"]: tag["Value"] for tag in call["Tags"]})
    if len(changed) > 50:
        raise AwsError("ResourceLimitExceeded", "A resource has at most 50 tags.")
    tags.update(changed)
    return {"Tags": call["Tags"]}


@handles("sagemaker", "ListTags")
def list_tags(call: Call) -> dict[str, Any]:
    """Lists tags, one page at a time."""
    pairs = [{"Key": key, "Value": value} for key, value in sorted(_tags_of(call).items())]
    shown, token = page(pairs, call.get("NextToken"), call.get("MaxResults"), 50)
    return {"Tags": shown, "NextToken": token}


@handles("sagemaker", "DeleteTags")
def delete_tags(call: Call) -> dict[str, Any]:
    """Takes tags away; keys that are not there are no error."""
    tags = _tags_of(call)
    for key in call["TagKeys"]:
        tags.pop(key, None)
    return {}


def _tags_of(call: Call) -> dict[str, str]:
    known = STUDIOS.of(call).tags
    if call["ResourceArn"] not in known:
        raise AwsError("ResourceNotFound", f"Resource {call['ResourceArn']} does not exist.")
    return known[call["ResourceArn"]]
