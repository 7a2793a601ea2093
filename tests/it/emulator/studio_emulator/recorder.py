"""The list of the calls that came in, for tests that count them.

**Invariant:** tokens and policy texts are cut short; nothing else of a request is kept.
"""

from __future__ import annotations

import datetime
import itertools
import time
from typing import Any

from .registry import Call

LONGEST_TEXT = 200
_SECRET = {"WebIdentityToken", "SAMLAssertion"}

_started = time.monotonic()
_numbers = itertools.count()
_calls: list[dict[str, Any]] = []


def now() -> float:
    """Seconds since the server started."""
    return round(time.monotonic() - _started, 4)


def record(call: Call, began: float, status: int | None, error: str | None, rules: list[int]) -> None:
    """Notes a finished call. `status` is None when the answer was lost on purpose."""
    _calls.append(
        {
            "seq": next(_numbers),
            "time": began,
            "duration": round(now() - began, 4),
            "service": call.service,
            "operation": call.operation,
            "account": call.account,
            "region": call.region,
            "status": status,
            "error": error,
            "rules": rules,
            "params": _short(call.params),
        }
    )


def shown(since: int = 0, **wanted: str) -> list[dict[str, Any]]:
    """The calls from a number on, in the order in which they ended."""
    matching = [c for c in _calls if c["seq"] >= since]
    return [c for c in matching if all(c[name] == value for name, value in wanted.items())]


def clear() -> None:
    """Forgets the calls. Numbers go on from where they were."""
    _calls.clear()


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): "…" if k in _SECRET else _short(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(item) for item in value]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return value[:LONGEST_TEXT] + "…"
    return value
