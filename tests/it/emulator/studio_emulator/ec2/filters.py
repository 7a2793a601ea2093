"""EC2's filters: names with several values, any of which may match; * and ? are wildcards."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from ..registry import AwsError


def apply(
    wanted: list[dict[str, Any]] | None,
    items: list[dict[str, Any]],
    known: dict[str, Callable[[dict[str, Any]], list[Any]]],
    operation: str,
) -> list[dict[str, Any]]:
    """Keeps the items that every filter matches. Tags are looked up in the item's "Tags"."""
    for entry in wanted or []:
        name, values = entry["Name"], entry.get("Values") or []
        if name.startswith("tag:"):
            items = [i for i in items if _any(values, [t["Value"] for t in i["Tags"] if t["Key"] == name[4:]])]
        elif name == "tag-key":
            items = [i for i in items if _any(values, [t["Key"] for t in i["Tags"]])]
        elif name in known:
            items = [i for i in items if _any(values, known[name](i))]
        else:
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid for {operation}")
    return items


def _any(patterns: list[str], values: list[Any]) -> bool:
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    return any(fnmatch.fnmatchcase(text, pattern) for text in texts for pattern in patterns)
