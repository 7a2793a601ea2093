"""IAM's condition operators, as far as policies about presigned URLs use them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html

**Invariant:** an operator that is not known is an error, never a match.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Callable

from ..registry import AwsError

Context = dict[str, list[str]]


def hold(conditions: dict[str, dict[str, object]], context: Context, missing: set[str]) -> bool:
    """Whether all conditions of a statement hold. Keys that the context lacks are noted."""
    return all(
        _holds(operator, key, _texts(wanted), context, missing)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def like(pattern: str, text: str) -> bool:
    """IAM's wildcards: * and ?, nothing else."""
    return re.fullmatch(fnmatch.translate(pattern.replace("[", "[[]")), text) is not None


def _holds(operator: str, key: str, wanted: list[str], context: Context, missing: set[str]) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    present = {k.lower(): v for k, v in context.items()}.get(key.lower())
    if name == "Null":
        return (present is None) == (wanted[0].lower() == "true")
    if name not in _OPERATORS:
        raise AwsError("InvalidInput", f"The operator {operator} is not emulated.")
    compare, negated = _OPERATORS[name]
    if present is None:
        missing.add(key)
        return quantifier == "ForAllValues" or if_exists or (negated and quantifier != "ForAnyValue")
    # A negated operator holds for a value that matches none of the wanted ones.
    results = [any(compare(one, value) for one in wanted) != negated for value in present]
    return any(results) if quantifier == "ForAnyValue" else all(results)


def _texts(wanted: object) -> list[str]:
    values = wanted if isinstance(wanted, list) else [wanted]
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]


def _in_range(wanted: str, value: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _arn_like(wanted: str, value: str) -> bool:
    left, right = wanted.split(":", 5), value.split(":", 5)
    return len(left) == len(right) == 6 and all(like(p, t) for p, t in zip(left, right, strict=True))


def _number(test: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compare(wanted: str, value: str) -> bool:
        try:
            return test(float(value), float(wanted))
        except ValueError:
            return False

    return compare


# Each operator's comparison, and whether the operator is its negation.
_OPERATORS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (lambda wanted, value: wanted == value, False),
    "StringNotEquals": (lambda wanted, value: wanted == value, True),
    "StringEqualsIgnoreCase": (lambda wanted, value: wanted.lower() == value.lower(), False),
    "StringNotEqualsIgnoreCase": (lambda wanted, value: wanted.lower() == value.lower(), True),
    "StringLike": (like, False),
    "StringNotLike": (like, True),
    "ArnEquals": (_arn_like, False),
    "ArnNotEquals": (_arn_like, True),
    "ArnLike": (_arn_like, False),
    "ArnNotLike": (_arn_like, True),
    "IpAddress": (_in_range, False),
    "NotIpAddress": (_in_range, True),
    "Bool": (lambda wanted, value: wanted.lower() == value.lower(), False),
    "NumericEquals": (_number(lambda value, wanted: value == wanted), False),
    "NumericNotEquals": (_number(lambda value, wanted: value == wanted), True),
    "NumericLessThan": (_number(lambda value, wanted: value < wanted), False),
    "NumericLessThanEquals": (_number(lambda value, wanted: value <= wanted), False),
    "NumericGreaterThan": (_number(lambda value, wanted: value > wanted), False),
    "NumericGreaterThanEquals": (_number(lambda value, wanted: value >= wanted), False),
}
