"""Holds every request and response of a test against its OpenAPI document, with openapi-core.

A client made here works like any other, and raises :class:`NotConforming` as soon as an answer is not as documented, or
a request that the server carried out is not. Requests that the server refuses may be as wrong as they like; a request
that is wrong on purpose and still carried out is marked with ``extensions={"deliberate": "why"}``.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, ClassVar

import httpx
from jsonschema import FormatChecker, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from jsonschema_path import SchemaPath
from openapi_core import Config, OpenAPI, V30RequestValidator, V30ResponseValidator
from openapi_core.casting.schemas import oas30_write_schema_casters_factory
from openapi_core.casting.schemas.factories import SchemaCastersFactory
from openapi_core.datatypes import Parameters, RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.datatypes import PathOperationServer
from openapi_core.validation.request.exceptions import MissingParameter
from openapi_core.validation.schemas.factories import SchemaValidatorsFactory
from openapi_core.validation.validators import BaseAPICallValidator
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator
from werkzeug.datastructures import Headers, ImmutableMultiDict

from wfx.api import spec

_DOCUMENTS = ("/openapi.json", "/openapiv3.json", "/swagger.json")
_OUTSIDE = (307, 404, 405)
_KINDS_OF_ERRORS = ("application/json", "application/problem+json")
_MOST_PARTS = 100_000
"""More than the document has parts."""


class NotConforming(AssertionError):
    """A request or response is not as the OpenAPI document says."""


def conforming_client(base_url: str = "http://localhost", **options: Any) -> httpx.Client:
    """Return a client whose traffic is held against the document; the options are those of httpx."""
    return httpx.Client(base_url=base_url, event_hooks={"response": [_check]}, **options)


def conforming_async_client(base_url: str = "http://localhost", **options: Any) -> httpx.AsyncClient:
    """Return an asynchronous client whose traffic is held against the document; the options are those of httpx."""
    return httpx.AsyncClient(base_url=base_url, event_hooks={"response": [_check_async]}, **options)


def _check(response: httpx.Response) -> None:
    if _is_stream(response):
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _Events(response.stream)
    else:
        response.read()
    check(response)


async def _check_async(response: httpx.Response) -> None:
    if _is_stream(response):
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _AsyncEvents(response.stream)
    else:
        await response.aread()
    check(response)


def check(response: httpx.Response) -> None:
    """Hold an answer, unless it is a stream already read, and its request against the document."""
    request = _Request.of(response.request)
    if request is None or not _is_described(request, response):
        return
    if response.status_code < 400 and "deliberate" not in response.request.extensions:
        _demand(response, _openapi(request.document).validate_request, request)
    if _is_stream(response):
        if request.path != f"{_base(spec.DOCUMENTS[0])}/jobs/events" or response.status_code != 200:
            raise NotConforming(f"{_shown(response)}: only events are streamed")
    elif not _is_filtered_to_nothing(response):
        _demand(response, _openapi(request.document).validate_response, request, _Response.of(response))
    if response.status_code >= 400 and response.headers.get("content-type") in _KINDS_OF_ERRORS:
        _check_errors(response, request.document)


def _is_described(request: _Request, response: httpx.Response) -> bool:
    """Tell whether the document has the operation; if not, look whether the answer says so."""
    route = request.path.removeprefix(_base(request.document))
    if request.method == "head" or route in _DOCUMENTS:
        return False
    if (item := spec.document(request.document)["paths"].get(route)) is not None and request.method not in item:
        return _outside(response, (405,))
    described = (each for each in spec.operations().values() if each.document == request.document)
    if not any(_matches(operation, request.method, route) for operation in described):
        return _outside(response, _OUTSIDE)
    return True


def _outside(response: httpx.Response, allowed: tuple[int, ...]) -> bool:
    if response.status_code not in allowed:
        raise NotConforming(f"{_shown(response)}: the document has no such operation")
    return False


def _matches(operation: spec.Operation, method: str, route: str) -> bool:
    wanted, given = operation.path.split("/"), route.split("/")
    return (
        operation.method.lower() == method
        and len(wanted) == len(given)
        and all(there == here or (there.startswith("{") and here) for there, here in zip(wanted, given, strict=True))
    )


def _demand(response: httpx.Response, validate: Any, *parts: Any) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # allowEmptyValue, which OpenAPI 3.0 has
            validate(*parts)
    except OpenAPIError as exc:
        reason = exc if exc.__cause__ is None else f"{exc}: {exc.__cause__}"
        raise NotConforming(f"{_shown(response)}: {reason}") from exc


def _check_errors(response: httpx.Response, document: str) -> None:
    """Each error code has one constant reference."""
    if document == spec.RULES:  # its errors are texts
        return
    rows = spec.document(document)["components"]["schemas"]["Error"]["x-wfx-errors"]
    known = {row["code"]: row["logref"] for row in rows}
    for error in response.json().get("errors", ()):
        if known.get(error["code"]) != error["logref"]:
            raise NotConforming(f"{_shown(response)}: {error['code']} with logref {error['logref']} is not documented")


def _shown(response: httpx.Response) -> str:
    return f"{response.request.method} {response.request.url} -> {response.status_code}"


def _is_stream(response: httpx.Response) -> bool:
    return str(response.headers.get("content-type", "")).startswith("text/event-stream")


def _is_filtered_to_nothing(response: httpx.Response) -> bool:
    """Tell whether a filter without outputs left an empty body without a type (rest-api section 11)."""
    return response.status_code == 200 and not response.content and "x-response-filter" in response.headers


@cache
def _openapi(name: str) -> OpenAPI:
    """A document; where its parts are is looked up once, since that takes longest."""

    class Requests(_Requests):
        schema_validators_factory = _Validators(_remembering(OAS30WriteValidator))
        schema_casters_factory = SchemaCastersFactory(
            schema_validators_factory, oas30_write_schema_casters_factory.types_caster
        )
        _valid: ClassVar[set[str]] = set()
        _left_out: ClassVar[dict[str, tuple[str, str]]] = {}

    class Responses(_Finding, V30ResponseValidator):
        schema_validators_factory = _Validators(_remembering(OAS30ReadValidator))

    config = Config(
        spec_validator_cls=None,
        request_validator_cls=Requests,
        response_validator_cls=Responses,
        extra_media_type_deserializers={"application/problem+json": json.loads, "text/javascript": bytes.decode},
    )
    return OpenAPI(SchemaPath.from_dict(spec.document(name), resolved_cache_maxsize=_MOST_PARTS), config=config)


def _remembering(kind: type[Validator]) -> type[Validator]:
    """Return a validator that does not look again at what it found to be valid, such as the workflow of each job."""
    follow, valid = kind.VALIDATORS["$ref"], set[bytes]()

    def look(validator: Validator, ref: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
        known = sha256(f"{ref} {json.dumps(instance)}".encode()).digest()
        if known not in valid:
            wrong = list(follow(validator, ref, instance, schema))
            yield from wrong
            if not wrong:
                valid.add(known)

    remembering: type[Validator] = extend(kind, {"$ref": look})
    return remembering


class _Validators(SchemaValidatorsFactory):
    """Makes validators that share a check of formats: copying it takes as long as validating."""

    def get_format_checker(self, *_: object) -> FormatChecker:
        return self.format_checker


_READING = _remembering(OAS30ReadValidator)


class _Finding(BaseAPICallValidator):
    """Looks up once to which operation a request goes, for its answer too."""

    _found: ClassVar[dict[tuple[str, str], PathOperationServer]] = {}

    def _find_path(self, request: _Request) -> PathOperationServer:
        key = request.method, request.host_url + request.path
        if key not in self._found:
            self._found[key] = super()._find_path(request)
        return self._found[key]


class _Requests(_Finding, V30RequestValidator):
    """Does not look again at parameters that were found to be valid, or to need not be there, for an operation."""

    _valid: ClassVar[set[str]]
    _left_out: ClassVar[dict[str, tuple[str, str]]]
    """Names and places of parameters that requests were seen to do without."""

    def _get_parameters(self, parameters: RequestParameters, operation: SchemaPath, path: SchemaPath) -> Parameters:
        headers = [(name, value) for name, value in parameters.header.items() if name.lower() != "content-length"]
        query = list(parameters.query.items(multi=True))
        known = f"{operation} {dict(parameters.path)} {query} {headers}"
        if known in self._valid:
            return Parameters()
        found = super()._get_parameters(parameters, operation, path)
        self._valid.add(known)
        return found

    def _get_parameter(self, parameters: RequestParameters, param: SchemaPath) -> Any:
        name, location = self._left_out.get(key := str(param), ("", ""))
        if name and name not in parameters[location]:
            raise MissingParameter(name, location)
        try:
            return super()._get_parameter(parameters, param)
        except MissingParameter as exc:
            self._left_out[key] = exc.name, exc.location
            raise


def _base(name: str) -> str:
    return str(spec.document(name)["servers"][0]["url"])


@dataclass
class _Request:
    """A request as openapi-core wants to see it."""

    document: str
    """The file of the document that its path belongs to."""
    host_url: str
    path: str
    method: str
    content_type: str
    body: bytes | None
    parameters: RequestParameters

    @classmethod
    def of(cls, request: httpx.Request) -> _Request | None:
        """Convert a request; None if it goes to a path beside the API."""
        path = request.url.raw_path.partition(b"?")[0].decode("ascii")
        document = next((name for name in spec.DOCUMENTS if path.startswith(_base(name) + "/")), None)
        if document is None:
            return None
        parameters = RequestParameters(
            query=ImmutableMultiDict(request.url.params.multi_items()), header=Headers(list(request.headers.items()))
        )
        content_type = request.headers.get("content-type", "")
        body = request.content if isinstance(request.stream, httpx.ByteStream) else request.read()
        return cls(
            document,
            str(request.url.copy_with(path="/", query=None))[:-1],
            path,
            request.method.lower(),
            content_type,
            body or None,
            parameters,
        )


@dataclass
class _Response:
    """A response as openapi-core wants to see it."""

    data: bytes | None
    status_code: int
    content_type: str
    headers: Headers

    @classmethod
    def of(cls, response: httpx.Response) -> _Response:
        """Convert a response that was read."""
        headers = Headers(list(response.headers.items()))
        return cls(response.content or None, response.status_code, response.headers.get("content-type", ""), headers)


class _Blocks:
    """Cuts a stream into blocks and checks the event in each."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the stream. Raises NotConforming for a block that is not as documented."""
        *blocks, self._rest = (self._rest + chunk).split(b"\n\n")
        for block in blocks:
            for line in block.split(b"\n"):
                self._check_line(line)

    def _check_line(self, line: bytes) -> None:
        name, _, value = line.partition(b": ")
        if name == b"data":
            check_schema("JobEvent", json.loads(value))
        elif name not in (b"", b"id"):
            raise NotConforming(f"an event stream has no line {line!r}")


def check_schema(name: str, value: Any) -> None:
    """Hold a JSON value of a response against a schema of the document. Raises NotConforming."""
    root = {"$ref": f"#/components/schemas/{name}", "components": spec.document()["components"]}
    for error in _READING(root, format_checker=_READING.FORMAT_CHECKER).iter_errors(value):
        raise NotConforming(f"{name} at /{'/'.join(map(str, error.absolute_path))}: {error.message}")


class _Events(httpx.SyncByteStream):
    """A stream whose events are checked on their way."""

    def __init__(self, inner: httpx.SyncByteStream) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        blocks = _Blocks()
        for chunk in self._inner:
            blocks.feed(chunk)
            yield chunk

    def close(self) -> None:
        self._inner.close()


class _AsyncEvents(httpx.AsyncByteStream):
    """A stream whose events are checked on their way."""

    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        blocks = _Blocks()
        async for chunk in self._inner:
            blocks.feed(chunk)
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
