"""What happens to a request, from the first byte to the record of it.

The control paths (`/_studio/…`) are answered by `control`. Everything else is an AWS call: it is
read, its credentials are looked at, rules may slow it down or refuse it, changes that are due
are made, and then our handler answers it, or moto does. Each call is recorded.

**Invariant:** every AWS call is answered with an AWS error or an AWS output, never with HTML, and
with a 5xx status only when a rule asks for one. An SDK would try again, and hide the fault.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import HTTPException
from werkzeug.test import run_wsgi_app

from . import accounts, control, lifecycle, recorder, rules, wire
from .registry import ASK_MOTO, HANDLERS, AwsError, Call

# Their refusals come with status 400; in the other services' protocols it is 403.
_JSON_SERVICES = {"sagemaker", "route53resolver", "organizations"}
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (UnauthorizedOperation)
_NO_PERMISSION = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
# What IAM calls a service in its actions, where that differs.
_PREFIXES = {"efs": "elasticfilesystem"}
_ERROR_CODE = re.compile(rb'<Code>([^<]+)</Code>|"__type":\s*"([^"]+)"')


class Application:
    """The WSGI application that the server runs."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        # moto's stores and ours are plain dictionaries: one call at a time.
        self._lock = threading.RLock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = _body(environ)
        path = environ.get("PATH_INFO", "")
        if path.startswith("/_studio"):
            with self._lock:
                status, headers, content = control.answer(environ, body)
        else:
            result = self._aws(environ, body)
            if result is None:
                return _hang_up(environ, start_response)
            status, headers, content = result
        headers["Content-Length"] = str(len(content))
        start_response(f"{status} {http.client.responses.get(status, 'Unknown')}", list(headers.items()))
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [content]

    def _aws(self, environ: dict[str, Any], body: bytes) -> wire.Response | None:
        began = recorder.now()
        try:
            call = wire.read(environ, body)
        except wire.Unreadable as unreadable:
            unknown = Call("", "", "", "", "", "", {"path": environ.get("PATH_INFO", "")})
            recorder.record(unknown, began, unreadable.response[0], unreadable.code, [])
            return unreadable.response
        with self._lock:
            effect = rules.effect_on(call)
        if effect.latency:
            time.sleep(effect.latency)
        if effect.error and not effect.lose_answer:
            response = wire.refuse(call, _ruled_error(call, effect.error))
        else:
            call.fail_reason = effect.fail_reason
            with self._lock:
                response = self._carry_out(call, environ, body, effect.answer)
            if effect.lose_answer and effect.error:
                response = wire.refuse(call, _ruled_error(call, effect.error))
            elif effect.lose_answer:
                recorder.record(call, began, None, None, effect.fired)
                return None
        recorder.record(call, began, response[0], _code_of(response), effect.fired)
        return response

    def _carry_out(self, call: Call, environ: dict[str, Any], body: bytes, instead: dict[str, Any]) -> wire.Response:
        try:
            lifecycle.settle()
            _refuse_credentials(call)
            handler = HANDLERS.get((call.service, call.operation))
            if handler is None:
                return self._ask_moto(call, environ, body)
            wire.check(call)
            output = handler(call)
            if output is ASK_MOTO:
                return self._ask_moto(call, environ, body)
            gone = {name for name, value in instead.items() if value is None}
            output = {name: value for name, value in {**(output or {}), **instead}.items() if name not in gone}
            return wire.answer(call, output)
        except (ServiceException, HTTPException) as error:
            return wire.refuse(call, error)
        except NotImplementedError as error:
            return wire.refuse(call, _not_emulated(call, str(error)))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return wire.refuse(call, AwsError("EmulatorFault", f"{type(error).__name__}: {error}", 400))

    def _ask_moto(self, call: Call, environ: dict[str, Any], body: bytes) -> wire.Response:
        inner = dict(environ)
        inner["wsgi.input"] = io.BytesIO(body)
        inner["CONTENT_LENGTH"] = str(len(body))
        inner["HTTP_X_MOTO_ACCOUNT_ID"] = call.account
        for name in ("HTTP_TRANSFER_ENCODING", "wsgi.input_terminated"):
            inner.pop(name, None)
        chunks, status, headers = run_wsgi_app(self._moto, inner, buffered=True)
        code, content = int(status.split()[0]), b"".join(chunks)
        if code == 404 and (not content or "html" in headers.get("Content-Type", "")):
            return wire.refuse(call, _not_emulated(call, ""))
        return wire.finish(code, dict(headers), content)


def _refuse_credentials(call: Call) -> None:
    """The two keys that AWS would not accept, with the error of each protocol.

    https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    json_protocol = call.service in ("sagemaker", "route53resolver", "organizations", "ram", "efs")
    if call.access_key == accounts.DENIED_KEY:
        if call.service == "ec2":
            raise AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
        code = "UnrecognizedClientException" if json_protocol else "InvalidClientTokenId"
        raise AwsError(code, "The security token included in the request is invalid.", 403)
    if call.access_key == accounts.EXPIRED_KEY:
        if call.service == "ec2":
            raise AwsError("RequestExpired", "Request has expired.", 400)
        code = "ExpiredTokenException" if json_protocol else "ExpiredToken"
        raise AwsError(code, "The security token included in the request is expired", 403)


def _not_emulated(call: Call, detail: str) -> AwsError:
    code = "InvalidAction" if call.service in ("ec2", "iam", "sts") else "UnknownOperationException"
    more = f" ({detail})" if detail else ""
    return AwsError(code, f"the emulator does not have {call.service} {call.operation}{more}", 400)


def _ruled_error(call: Call, error: dict[str, Any]) -> AwsError:
    """The error a rule asks for; what it does not say of a refused permission is as AWS says it."""
    code, status = str(error["code"]), error.get("status")
    message = error.get("message")
    if code in _NO_PERMISSION:
        message = message or _no_permission(call)
        if status is None and call.service not in _JSON_SERVICES:
            status = 403
    # Without a status, the service's model may know one for the code; 400 otherwise.
    return AwsError(code, str(message or "asked for by a rule"), None if status is None else int(status))


def _no_permission(call: Call) -> str:
    identity = accounts.identity_of(call.access_key, call.partition)
    action = f"{_PREFIXES.get(call.service, call.service)}:{call.operation}"
    text = f"is not authorized to perform: {action} because no identity-based policy allows the {action} action"
    start = "You are not authorized to perform this operation. " if call.service == "ec2" else ""
    return f"{start}User: {identity.arn} {text}"


def _code_of(response: wire.Response) -> str | None:
    if response[0] < 400:
        return None
    match = _ERROR_CODE.search(response[2])
    return (match.group(1) or match.group(2)).decode() if match else "unknown"


def _body(environ: dict[str, Any]) -> bytes:
    if environ.get("wsgi.input_terminated"):
        return environ["wsgi.input"].read()
    return environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def _hang_up(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Closes the connection without an answer, as a network that fails would."""
    connection = environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
    start_response("500 Lost", [("Connection", "close"), ("Content-Length", "0")])
    return []
