"""How pending states end: by time, looked at whenever a request comes in.

`after("sagemaker:domain", then)` says that a change is under way. Once it has lasted as long as
the pace says for that kind, `then` is called, before the next request is handled. So what one
service's change does to another (an endpoint's interfaces go when it is gone) is never late.

Some things outlive what held them now and then, and mostly do not: `after_if_named` waits only where
the pace names that very kind.

The pace is in seconds by kind. A kind is looked up whole, then without its last part, and so on:
"route53resolver:ip:detaching", "route53resolver:ip", "route53resolver", "default". Changing the
pace also changes what is under way already.

**Invariant:** nothing here waits, and no thread changes any state.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

DEFAULT_SECONDS = 0.1

_pace: dict[str, float] = {"default": DEFAULT_SECONDS}
_under_way: list[tuple[float, int, str, Callable[[], None]]] = []
_order = itertools.count()


def after(kind: str, then: Callable[[], None]) -> None:
    """Calls `then` once the pace of that kind has passed."""
    _under_way.append((time.monotonic(), next(_order), kind, then))


def after_if_named(kind: str, then: Callable[[], None]) -> None:
    """Calls `then` at once, unless the pace names this kind: then once that has passed."""
    if kind in _pace:
        after(kind, then)
    else:
        then()


def settle() -> None:
    """Ends whatever has lasted long enough, in the order in which it would have ended."""
    while True:
        now = time.monotonic()
        due = [(started + seconds(kind), n) for started, n, kind, _ in _under_way if started + seconds(kind) <= now]
        if not due:
            return
        first = min(due)[1]
        index = next(i for i, entry in enumerate(_under_way) if entry[1] == first)
        # Taken out first: what it does may start the next change.
        _, _, _, then = _under_way.pop(index)
        then()


def seconds(kind: str) -> float:
    """How long that kind of change lasts."""
    while kind:
        if kind in _pace:
            return _pace[kind]
        kind = kind.rpartition(":")[0]
    return _pace.get("default", DEFAULT_SECONDS)


def pace() -> dict[str, float]:
    """The pace as it is set."""
    return dict(_pace)


def set_pace(wanted: dict[str, float]) -> None:
    """Replaces the pace. Kinds that are not named last as long as "default"."""
    checked = {str(kind): float(value) for kind, value in wanted.items()}
    _pace.clear()
    _pace.update({"default": DEFAULT_SECONDS}, **checked)


def reset() -> None:
    """Forgets what is under way and goes back to the default pace."""
    _under_way.clear()
    set_pace({})
