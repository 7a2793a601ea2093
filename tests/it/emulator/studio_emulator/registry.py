"""Which function answers which AWS operation, and what such a function gets and gives.

A handler takes a `Call` and returns the operation's output as a dictionary with AWS's member
names, or raises `AwsError`, or returns `ASK_MOTO`. Operations without a handler go to moto.

**Invariant:** handlers run one at a time, under the middleware's lock. They need no locks.
"""

from __future__ import annotations

import dataclasses
import random
import string
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from moto.core.exceptions import ServiceException

T = TypeVar("T")


class AwsError(ServiceException):
    """An error with AWS's code and message. The service model knows the HTTP status for most codes.

    `status` overrides the HTTP status; further keyword arguments are members of the error's shape.
    """

    def __init__(self, code: str, message: str, status: int | None = None, **members: Any) -> None:
        super().__init__(code, message)
        self.status = status
        for name, value in members.items():
            setattr(self, name, value)


@dataclasses.dataclass
class Call:
    """One request, read: who asks where for what."""

    service: str
    operation: str
    account: str
    region: str
    partition: str
    access_key: str
    params: dict[str, Any]
    # Set by a rule: what is made by this call ends in its failed state, for this reason.
    fail_reason: str | None = None

    def __getitem__(self, name: str) -> Any:
        return self.params[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter, or the default where it was not sent."""
        return self.params.get(name, default)


Handler = Callable[[Call], Any]
# What a handler returns when it had only something to check, and moto shall carry the call out.
ASK_MOTO: Any = object()
HANDLERS: dict[tuple[str, str], Handler] = {}


def handles(service: str, operation: str) -> Callable[[Handler], Handler]:
    """Registers a function as the answer to one operation."""

    def register(function: Handler) -> Handler:
        HANDLERS[service, operation] = function
        return function

    return register


class Store(Generic[T]):
    """What a service holds, per account and region; made on first use, emptied by a reset.

    Global services use the region "aws".
    """

    every: list[Store[Any]] = []

    def __init__(self, factory: Callable[[], T]) -> None:
        self._factory = factory
        self._held: dict[tuple[str, str], T] = {}
        Store.every.append(self)

    def at(self, account: str, region: str) -> T:
        """The part of one account and region."""
        key = (account, region)
        if key not in self._held:
            self._held[key] = self._factory()
        return self._held[key]

    def of(self, call: Call) -> T:
        """The part that a call is about."""
        return self.at(call.account, call.region)

    def items(self) -> Iterator[tuple[str, str, T]]:
        """Account, region and part, for all that exist."""
        for (account, region), part in list(self._held.items()):
            yield account, region, part

    @staticmethod
    def reset_all() -> None:
        """Forgets everything."""
        for store in Store.every:
            store._held.clear()


_random = random.SystemRandom()


def random_id(length: int, alphabet: str = string.ascii_lowercase + string.digits) -> str:
    """Random characters, for the ids that AWS chooses."""
    return "".join(_random.choice(alphabet) for _ in range(length))


def hex_id(length: int = 17) -> str:
    """Random hexadecimal digits, as in EC2's ids."""
    return random_id(length, "0123456789abcdef")


def page(items: list[Any], token: str | None, size: int | None, default: int = 100) -> tuple[list[Any], str | None]:
    """One page of a list and the token of the next one. Tokens are positions."""
    start = int(token) if token else 0
    end = start + (int(size) if size else default)
    return items[start:end], str(end) if end < len(items) else None
