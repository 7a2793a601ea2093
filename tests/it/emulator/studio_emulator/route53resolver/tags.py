"""Tags of resolver endpoints and rules.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_TagResource.html

**Invariant:** only what exists has tags.
"""

from __future__ import annotations

from typing import Any

from ..registry import AwsError, Call, handles, page
from .model import RESOLVERS


@handles("route53resolver", "TagResource")
def tag_resource(call: Call) -> dict[str, Any]:
    """Adds tags, or changes their values."""
    _tags_of(call).update({tag["Key"]: tag["Value"] for tag in call["Tags"]})
    return {}


@handles("route53resolver", "UntagResource")
def untag_resource(call: Call) -> dict[str, Any]:
    """Takes tags away; keys that are not there are no error."""
    tags = _tags_of(call)
    for key in call["TagKeys"]:
        tags.pop(key, None)
    return {}


@handles("route53resolver", "ListTagsForResource")
def list_tags_for_resource(call: Call) -> dict[str, Any]:
    """Lists tags, one page at a time."""
    pairs = [{"Key": key, "Value": value} for key, value in _tags_of(call).items()]
    shown, token = page(pairs, call.get("NextToken"), call.get("MaxResults"), 100)
    return {"Tags": shown, "NextToken": token}


def _tags_of(call: Call) -> dict[str, str]:
    known = RESOLVERS.of(call).tags
    if call["ResourceArn"] not in known:
        raise AwsError("ResourceNotFoundException", f"The resource '{call['ResourceArn']}' does not exist")
    return known[call["ResourceArn"]]
