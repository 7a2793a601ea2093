"""AWS's wire formats, read and written with moto's parsers and serializers.

`read` finds out which operation of which service a request asks for and with what; `answer` and
`refuse` write outputs and errors in the service's protocol. What a service's public model says
about inputs (required members, lengths, patterns, allowed values) is checked here too, because
AWS checks it before anything else and moto does not.

**Invariant:** no module beyond this one knows about XML, JSON or query strings.
"""

from __future__ import annotations

import io
import json
import re
import uuid
from typing import Any

from moto.core import errors
from moto.core.exceptions import ServiceException
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import NotFound, get_service_router
from moto.core.serialize import DefaultAttributePicker, get_serializer_class
from moto.core.utils import get_service_model
from moto.utilities.utils import get_partition
from werkzeug.exceptions import HTTPException

from .accounts import account_of
from .registry import AwsError, Call

# AWS signs some services under another name than its service models use.
MODEL_OF_SIGNING_NAME = {"elasticfilesystem": "efs"}

# Checks of the model that the service itself does otherwise, with errors of its own.
UNCHECKED = {("CreateResolverEndpoint", "IpAddresses")}

# Service models do not list the errors that all services have. moto would warn about each of them.
errors.warn = lambda *_args, **_kwargs: None

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d+/([^/,\s]+)/([^/,\s]+)/aws4_request")
_UNSIGNED = {"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"}

Response = tuple[int, dict[str, str], bytes]


class Unreadable(Exception):
    """A request that asks for nothing we know: carries the answer to give."""

    def __init__(self, response: Response, code: str) -> None:
        super().__init__(code)
        self.response = response
        self.code = code


def read(environ: dict[str, Any], body: bytes) -> Call:
    """Reads a request into a call. The parameters are parsed, but not yet checked."""
    environ = dict(environ, **{"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    request = Request(environ)
    match = _SCOPE.search(request.headers.get("Authorization", ""))
    if match:
        access_key, region, signing_name = match.groups()
    elif request.values.get("Action") in _UNSIGNED:
        access_key, region, signing_name = "", "us-east-1", "sts"
    else:
        code = "MissingAuthenticationToken"
        raise Unreadable(refuse(None, AwsError(code, "Request is missing Authentication Token", 403)), code)
    service = MODEL_OF_SIGNING_NAME.get(signing_name, signing_name)
    call = Call(service, "", account_of(access_key), region, get_partition(region), access_key, {})
    uri_params: dict[str, Any] = {}
    try:
        model = get_service_model(service)
        call.operation, uri_params = _operation(model, request)
        operation = model.operation_model(call.operation)
        protocol = determine_request_protocol(model, request.content_type)
    except Exception:  # An unknown service or operation, whichever way the model says so.
        raise _unknown(call, request) from None
    parser = PROTOCOL_PARSERS[protocol](operation, map_type=dict)
    try:
        call.params = parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.data,
                "url_path": request.path,
                "url_params": uri_params,
            }
        )
    except Exception as error:
        code = "SerializationException"
        raise Unreadable(refuse(call, AwsError(code, f"the request cannot be read: {error}", 400)), code) from error
    return call


def check(call: Call) -> None:
    """Refuses input that the service's public model does not allow, in AWS's words."""
    shape = get_service_model(call.service).operation_model(call.operation).input_shape
    if shape is None:
        return
    findings: list[str] = []
    _check_shape(call.operation, "", shape, call.params, findings)
    if not findings:
        return
    plural = "error" if len(findings) == 1 else "errors"
    message = f"{len(findings)} validation {plural} detected: " + "; ".join(findings)
    codes = {"ec2": "MissingParameter", "route53": "InvalidInput", "iam": "ValidationError", "sts": "ValidationError"}
    raise AwsError(codes.get(call.service, "ValidationException"), message, 400)


def answer(call: Call, output: dict[str, Any] | None) -> Response:
    """Writes an operation's output."""
    return _serialize(call, output or {})


def refuse(call: Call | None, error: Exception) -> Response:
    """Writes an error: one of ours, or one that moto raised."""
    if isinstance(error, HTTPException) and not isinstance(error, ServiceException):
        # moto's older errors: they know their code as `error_type`.
        code = getattr(error, "error_type", None) or error.name.replace(" ", "")
        error = AwsError(str(code), str(getattr(error, "message", None) or error.description), error.code)
    code = str(getattr(error, "code", "InternalFailure"))
    status = getattr(error, "status", None)
    if call is None or not call.operation or not _known(call):
        return _plain_error(call, code, str(getattr(error, "message", error)), status or 400)
    response = _serialize(call, error)
    return (status or response[0], response[1], response[2])


def _known(call: Call) -> bool:
    try:
        return call.operation in get_service_model(call.service).operation_names
    except Exception:
        return False


def _operation(model: Any, request: Request) -> tuple[str, dict[str, Any]]:
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2], {}
    action = request.values.get("Action")
    if action and str(model.protocol) in ("ec2", "query"):
        return str(action), {}
    try:
        operation, uri_params = get_service_router(model.service_name).match(request)
    except NotFound:
        return "", {}
    return operation.name, uri_params


def _unknown(call: Call, request: Request) -> Unreadable:
    name = call.operation or f"{request.method} {request.path}"
    if request.values.get("Action"):
        name, code = str(request.values["Action"]), "InvalidAction"
    else:
        code = "UnknownOperationException"
    call.operation = name
    return Unreadable(refuse(call, AwsError(code, f"{call.service} has no operation {name}", 400)), code)


def _serialize(call: Call, result: Any) -> Response:
    model = get_service_model(call.service)
    protocol = str(model.protocol)
    serializer = get_serializer_class(model.service_name, protocol)(
        operation_model=model.operation_model(call.operation),
        pretty_print=False,
        value_picker=DefaultAttributePicker(),
    )
    done = serializer.serialize(result)
    return finish(int(done["status_code"]), dict(done["headers"]), done["body"])


def finish(status: int, headers: dict[str, str], body: str | bytes) -> Response:
    """Gives an answer its request id, in the header and in an XML body."""
    request_id = str(uuid.uuid4())
    text = body.decode("utf-8") if isinstance(body, bytes) else body
    text = re.sub(r"<(RequestId|RequestID|requestId)>[^<]*</", rf"<\1>{request_id}</", text)
    headers = {name: str(value) for name, value in headers.items() if name.lower() not in ("status", "content-length")}
    headers["x-amzn-RequestId"] = request_id
    return status, headers, text.encode("utf-8")


def _plain_error(call: Call | None, code: str, message: str, status: int) -> Response:
    """An error for a request whose operation is not known: only the service's protocol may be."""
    try:
        protocol = str(get_service_model(call.service).protocol) if call else "query"
    except Exception:
        protocol = "query"
    if protocol in ("json", "rest-json"):
        body = json.dumps({"__type": code, "message": message})
        return finish(status, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}, body)
    escaped = message.replace("&", "&amp;").replace("<", "&lt;")
    error = f"<Code>{code}</Code><Message>{escaped}</Message>"
    if protocol == "ec2":
        body = f"<Response><Errors><Error>{error}</Error></Errors><RequestID></RequestID></Response>"
    else:
        body = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId></RequestId></ErrorResponse>"
    return finish(status, {"Content-Type": "text/xml"}, body)


def _check_shape(operation: str, path: str, shape: Any, value: Any, findings: list[str]) -> None:
    if shape.type_name == "structure":
        for name in getattr(shape, "required_members", []):
            if value.get(name) is None:
                findings.append(
                    f"Value null at '{_member(path, name)}' failed to satisfy constraint: Member must not be null"
                )
        for name, member in shape.members.items():
            if value.get(name) is not None and (operation, name) not in UNCHECKED:
                _check_shape(operation, _member(path, name), member, value[name], findings)
    elif shape.type_name == "list":
        _check_size(path, shape, len(value), value, findings)
        for index, item in enumerate(value):
            _check_shape(operation, f"{path}.{index + 1}.member", shape.member, item, findings)
    elif shape.type_name == "string":
        _check_text(path, shape, str(value), findings)
    elif shape.type_name in ("integer", "long"):
        for bound, wrong in (("min", lambda limit: value < limit), ("max", lambda limit: value > limit)):
            limit = shape.metadata.get(bound)
            if limit is not None and wrong(limit):
                word = "greater than or equal to" if bound == "min" else "less than or equal to"
                findings.append(_finding(path, value, f"Member must have value {word} {limit}"))


def _check_text(path: str, shape: Any, text: str, findings: list[str]) -> None:
    allowed = shape.metadata.get("enum")
    if allowed and text not in allowed:
        findings.append(_finding(path, text, f"Member must satisfy enum value set: [{', '.join(allowed)}]"))
    _check_size(path, shape, len(text), text, findings)
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, text):
        findings.append(_finding(path, text, f"Member must satisfy regular expression pattern: {pattern}"))


def _check_size(path: str, shape: Any, size: int, value: Any, findings: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        findings.append(_finding(path, value, f"Member must have length greater than or equal to {low}"))
    if high is not None and size > high:
        findings.append(_finding(path, value, f"Member must have length less than or equal to {high}"))


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:  # Patterns are written for Java; the few that Python cannot read are passed over.
        return True


def _finding(path: str, value: Any, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


def _member(path: str, name: str) -> str:
    first = name[:1].lower() + name[1:]
    return f"{path}.{first}" if path else first
