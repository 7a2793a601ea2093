"""Rules by which calls are slowed down, refused, or answered never.

A rule names a service and an operation ("*" is any) and says what happens to the calls that it
matches. `PUT /_studio/rules` takes a list of them:

    service, operation   what it matches; also account and region, if given
    nth                  the first matching call it acts on, counted from 1 (default 1)
    times                on how many calls it acts from there; default 1 with nth, else all
    latency_ms           how long the call is held back first
    error                {"code", "message", "status"}: the answer; the call is not carried out. Without a
                         status it is the service's own for that code, 400 where it has none
    lose_answer          true: the call is carried out, then the connection is closed without an
                         answer, or, if "error" is given as well, that error is the answer
    answer               an object: its members take the place of those of the answer, null takes one away.
                         Only for operations that are answered here and not by moto
    fail                 a reason: what the call makes ends in its failed state

**Invariant:** a rule counts every call it matches, whether it acts on it or not.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from .registry import Call

_MATCHING = {"service", "operation", "account", "region", "nth", "times"}
_KNOWN = _MATCHING | {"latency_ms", "error", "lose_answer", "answer", "fail"}


@dataclasses.dataclass
class Rule:
    """One rule and how often it was met."""

    text: dict[str, Any]
    matched: int = 0
    fired: int = 0

    def acts_on(self, call: Call) -> bool:
        """Counts a call, and says whether the rule acts on it."""
        for name in ("service", "operation", "account", "region"):
            wanted = self.text.get(name, "*")
            if wanted not in ("*", getattr(call, name)):
                return False
        self.matched += 1
        first = int(self.text.get("nth") or 1)
        times = self.text.get("times", 1 if self.text.get("nth") else None)
        if self.matched < first or (times is not None and self.matched >= first + int(times)):
            return False
        self.fired += 1
        return True


@dataclasses.dataclass
class Effect:
    """What the rules together do to one call."""

    latency: float = 0.0
    error: dict[str, Any] | None = None
    lose_answer: bool = False
    fail_reason: str | None = None
    answer: dict[str, Any] = dataclasses.field(default_factory=dict)
    fired: list[int] = dataclasses.field(default_factory=list)


_rules: list[Rule] = []


def set_rules(wanted: Any) -> None:
    """Replaces all rules; their counts start again. Raises ValueError for what is not a rule."""
    if not isinstance(wanted, list):
        raise ValueError("rules are a JSON list")
    for text in wanted:
        if not isinstance(text, dict) or not text.get("service") or not text.get("operation"):
            raise ValueError("a rule needs service and operation")
        unknown = set(text) - _KNOWN
        if unknown:
            raise ValueError("a rule has no " + ", ".join(sorted(unknown)))
        error = text.get("error")
        if error is not None and (not isinstance(error, dict) or not error.get("code")):
            raise ValueError("a rule's error needs a code")
        if not isinstance(text.get("answer") or {}, dict):
            raise ValueError("a rule's answer is an object")
    _rules[:] = [Rule(dict(text)) for text in wanted]


def shown() -> list[dict[str, Any]]:
    """The rules with their counts."""
    return [dict(rule.text, matched=rule.matched, fired=rule.fired) for rule in _rules]


def effect_on(call: Call) -> Effect:
    """Lets every rule look at a call. Delays add up; of several errors the first counts."""
    effect = Effect()
    for index, rule in enumerate(_rules):
        if not rule.acts_on(call):
            continue
        effect.fired.append(index)
        effect.latency += float(rule.text.get("latency_ms") or 0) / 1000
        effect.error = effect.error or rule.text.get("error")
        effect.lose_answer = effect.lose_answer or bool(rule.text.get("lose_answer"))
        effect.answer.update(rule.text.get("answer") or {})
        effect.fail_reason = effect.fail_reason or rule.text.get("fail")
    return effect
