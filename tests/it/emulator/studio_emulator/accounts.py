"""Who is calling: account and identity, from the access key alone.

Signatures are not checked. An access key id of the form `AKIA` + twelve digits (+ anything)
belongs to the account of those digits, so every test can have an account of its own. Keys that
STS hands out here start with `ASIA` + the role's account. All other keys are of account
123456789012. Two keys are refused as AWS refuses them: `AKIADENIED0000000000` and
`AKIAEXPIRED000000000`.

**Invariant:** a key always belongs to the same account, until a reset.
"""

from __future__ import annotations

import dataclasses
import re

DEFAULT_ACCOUNT = "123456789012"
DENIED_KEY = "AKIADENIED0000000000"
EXPIRED_KEY = "AKIAEXPIRED000000000"

_ACCOUNT_IN_KEY = re.compile(r"^A[KS]IA(\d{12})")


@dataclasses.dataclass
class Identity:
    """What GetCallerIdentity answers for a key."""

    account: str
    arn: str
    user_id: str


_sessions: dict[str, Identity] = {}


def account_of(access_key: str) -> str:
    """The account that a key belongs to."""
    if access_key in _sessions:
        return _sessions[access_key].account
    match = _ACCOUNT_IN_KEY.match(access_key)
    return match.group(1) if match else DEFAULT_ACCOUNT


def identity_of(access_key: str, partition: str) -> Identity:
    """Who a key is: a session of an assumed role, or the account's one user."""
    if access_key in _sessions:
        return _sessions[access_key]
    account = account_of(access_key)
    return Identity(account, f"arn:{partition}:iam::{account}:user/studio", "AIDA" + account + "0USER")


def remember(access_key: str, identity: Identity) -> None:
    """Makes a key that STS handed out known."""
    _sessions[access_key] = identity


def reset() -> None:
    """Forgets all sessions."""
    _sessions.clear()
