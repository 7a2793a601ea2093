"""The control API under `/_studio`: what tests and the demo ask the emulator itself.

    GET, DELETE /_studio/calls      the recorded calls; ?since=N &service= &operation= &account= &region=
    GET, PUT    /_studio/rules      see `rules`
    GET, PUT    /_studio/pace       see `lifecycle`
    GET, PUT    /_studio/limits     Route 53's limits of an account, see `route53.limits`; ?account=
    POST        /_studio/reset      forget everything
    GET         /_studio/leftovers  what exists; ?account= &region=
    GET         /_studio/presigned  the presigned URLs that were handed out; ?account= &region=
    POST        /_studio/network    make a VPC, subnets and a role to start from

**Invariant:** control requests are not recorded as calls.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from moto.core.base_backend import BackendDict

from . import accounts, leftovers, lifecycle, network, recorder, rules
from .registry import Store
from .route53 import limits
from .sagemaker import presigned

Response = tuple[int, dict[str, str], bytes]


def answer(environ: dict[str, Any], body: bytes) -> Response:
    """Answers one control request."""
    lifecycle.settle()
    key = (environ["REQUEST_METHOD"], environ["PATH_INFO"].rstrip("/"))
    handler = _PATHS.get(key)
    if handler is None:
        return _json(404, {"error": f"no such control path: {key[0]} {key[1]}"})
    query = {name: values[-1] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    try:
        return _json(200, handler(query, json.loads(body) if body.strip() else None))
    except (KeyError, TypeError, ValueError) as error:
        return _json(400, {"error": f"{type(error).__name__}: {error}"})


def _calls(query: dict[str, str], _body: Any) -> Any:
    wanted = {name: query[name] for name in ("service", "operation", "account", "region") if name in query}
    return recorder.shown(int(query.get("since", "0")), **wanted)


def _clear_calls(_query: dict[str, str], _body: Any) -> Any:
    recorder.clear()
    return {}


def _show_rules(_query: dict[str, str], _body: Any) -> Any:
    return rules.shown()


def _set_rules(_query: dict[str, str], body: Any) -> Any:
    rules.set_rules(body)
    return rules.shown()


def _show_pace(_query: dict[str, str], _body: Any) -> Any:
    return lifecycle.pace()


def _set_pace(_query: dict[str, str], body: Any) -> Any:
    lifecycle.set_pace(body or {})
    return lifecycle.pace()


def _show_limits(query: dict[str, str], _body: Any) -> Any:
    return limits.shown(query.get("account", accounts.DEFAULT_ACCOUNT))


def _set_limits(_query: dict[str, str], body: Any) -> Any:
    wanted = dict(body or {})
    account = str(wanted.pop("account", accounts.DEFAULT_ACCOUNT))
    limits.set_limits(account, wanted)
    return limits.shown(account)


def _reset(_query: dict[str, str], _body: Any) -> Any:
    lifecycle.reset()
    rules.set_rules([])
    recorder.clear()
    accounts.reset()
    Store.reset_all()
    BackendDict.reset()
    return {}


def _leftovers(query: dict[str, str], _body: Any) -> Any:
    return leftovers.of(query.get("account", accounts.DEFAULT_ACCOUNT), query.get("region", "us-east-1"))


def _presigned(query: dict[str, str], _body: Any) -> Any:
    return presigned.handed_out(query.get("account", accounts.DEFAULT_ACCOUNT), query.get("region", "us-east-1"))


def _network(_query: dict[str, str], body: Any) -> Any:
    return network.make(body or {})


def _json(status: int, value: Any) -> Response:
    return status, {"Content-Type": "application/json"}, (json.dumps(value, default=str) + "\n").encode()


_PATHS: dict[tuple[str, str], Callable[[dict[str, str], Any], Any]] = {
    ("GET", "/_studio"): lambda _query, _body: sorted(f"{method} {path}" for method, path in _PATHS),
    ("GET", "/_studio/calls"): _calls,
    ("DELETE", "/_studio/calls"): _clear_calls,
    ("GET", "/_studio/rules"): _show_rules,
    ("PUT", "/_studio/rules"): _set_rules,
    ("GET", "/_studio/pace"): _show_pace,
    ("PUT", "/_studio/pace"): _set_pace,
    ("GET", "/_studio/limits"): _show_limits,
    ("PUT", "/_studio/limits"): _set_limits,
    ("POST", "/_studio/reset"): _reset,
    ("GET", "/_studio/leftovers"): _leftovers,
    ("GET", "/_studio/presigned"): _presigned,
    ("POST", "/_studio/network"): _network,
}
