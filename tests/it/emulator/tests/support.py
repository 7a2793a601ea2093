"""One server for all tests, and clients for an account of each test's own."""

from __future__ import annotations

import itertools
import json
import threading
import time
import unittest
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from werkzeug.serving import make_server

from studio_emulator import services  # noqa: F401
from studio_emulator.middleware import Application
from studio_emulator.server import QuietHandler

REGION = "us-east-1"
_accounts = itertools.count(100000000001)
_server = make_server("127.0.0.1", 0, Application(), threaded=True, request_handler=QuietHandler)
URL = f"http://127.0.0.1:{_server.server_port}"
threading.Thread(target=_server.serve_forever, daemon=True).start()
_session = boto3.session.Session()


def client(service: str, account: str, region: str = REGION, retries: int = 0, key: str | None = None) -> Any:
    """A client of an account. It tries once unless told otherwise."""
    return _session.client(
        service,
        region_name=region,
        endpoint_url=URL,
        aws_access_key_id=key or f"AKIA{account}0000",
        aws_secret_access_key="unchecked",
        config=Config(retries={"total_max_attempts": 1 + retries}, parameter_validation=False),
    )


def control(method: str, path: str, body: Any = None) -> Any:
    """A control request; raises AssertionError for an answer that is not 200."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data=data, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error


class EmulatorTest(unittest.TestCase):
    """A test with an account, a quick pace, and no rules left by another test."""

    pace = {"default": 0.05}

    def setUp(self) -> None:
        self.account = str(next(_accounts))
        control("PUT", "/_studio/pace", self.pace)
        control("PUT", "/_studio/rules", [])

    def client(self, service: str, account: str | None = None, **more: Any) -> Any:
        """A client of the test's account, or of another one."""
        return client(service, account or self.account, **more)

    def network(self, **wanted: Any) -> dict[str, Any]:
        """A VPC with subnets and a role, in the test's account unless told otherwise."""
        return control("POST", "/_studio/network", {"account": self.account, "region": REGION, **wanted})

    def leftovers(self, account: str | None = None) -> list[dict[str, Any]]:
        """What exists in an account."""
        return control("GET", f"/_studio/leftovers?account={account or self.account}&region={REGION}")

    def calls(self, **wanted: str) -> list[dict[str, Any]]:
        """The recorded calls of the test's account."""
        query = "&".join(f"{k}={v}" for k, v in wanted.items())
        return control("GET", f"/_studio/calls?account={self.account}&{query}")

    def refused(self, code: str, function: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
        """Asserts that a call fails with a code; gives the whole answer."""
        with self.assertRaises(ClientError) as caught:
            function(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code, caught.exception)
        self.assertIn(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"] // 100, (4,))
        return caught.exception.response

    def until(self, look: Callable[[], Any], wanted: Any, seconds: float = 5) -> None:
        """Looks until the value is the wanted one."""
        deadline = time.monotonic() + seconds
        while (seen := look()) != wanted:
            self.assertLess(time.monotonic(), deadline, f"still {seen!r}, not {wanted!r}")
            time.sleep(0.01)

    def until_gone(self, look: Callable[..., Any], code: str, **arguments: Any) -> None:
        """Looks until the call fails with a code."""

        def code_now() -> str | None:
            try:
                look(**arguments)
                return None
            except ClientError as error:
                return error.response["Error"]["Code"]

        self.until(code_now, code)
