"""Program of the body workers: decodes and checks large request bodies in a worker process."""

from __future__ import annotations

from functools import lru_cache

import orjson

from wfx.api import body
from wfx.api.bad_request import BadRequest, BodyInvalid, one_line
from wfx.api.inputs import INPUTS
from wfx.api.schema_checks import BodyValidator
from wfx.api.strict_bodies import require_strict
from wfx.domain.errors import WfxError
from wfx.sandbox.frames import Frame

MAKE, CHECK = b"m", b"c"
"""Requests: make the input of an operation, or only check the body. The head is the operationId, a space and the schema
of the body."""
MADE, INVALID, REFUSED = b"M", b"I", b"R"
"""Answers: the packed input; one line that says why the body is invalid, or pairs of a place and a reason; an error of
the domain."""
LARGEST_HEAD = 128 * 1024
"""Bytes that a large body may have as JSON, its definition, context or workflow apart."""

one_line("\0")  # loads a codec, which is impossible once no file can be opened


def answer(request: Frame) -> Frame:
    """Read one body."""
    operation, _, schema = request.head.partition(b" ")
    try:
        return _made(request, operation.decode(), _validator(schema))
    except BodyInvalid as exc:
        return Frame(INVALID, orjson.dumps([[*fault] for fault in exc.faults]))
    except BadRequest as exc:
        return Frame(INVALID, orjson.dumps(str(exc)))
    except WfxError as exc:
        return Frame(REFUSED, orjson.dumps([type(exc).__name__, exc.args, vars(exc)]))


def _made(request: Frame, operation: str, validator: BodyValidator) -> Frame:
    value, good = body.check(request.body, validator.is_valid)
    kind = INPUTS[operation]
    if not good:
        raise BodyInvalid(kind.explain(value) or validator.faults(value))
    if kind.is_strict:
        require_strict(request.body)
    if request.kind == CHECK:
        return Frame(MADE)
    small, document = kind.pack(kind.make(value))
    head = orjson.dumps(small)
    if len(head) > LARGEST_HEAD:
        raise BadRequest(f"the body: names and tags have more than {LARGEST_HEAD} bytes together")
    return Frame(MADE, head, document)


@lru_cache(maxsize=16)
def _validator(schema: bytes) -> BodyValidator:
    return BodyValidator.of(orjson.loads(schema))
