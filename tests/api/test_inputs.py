"""What handlers work with is the same whether a body is read at once or in a worker process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given

from tests.domain.samples import objects
from wfx.api import body
from wfx.api.bad_request import BadRequest, DocumentTooLarge
from wfx.api.body_worker import LARGEST_HEAD
from wfx.api.bulk_inputs import BulkInput
from wfx.api.inputs import INPUTS, JobRequest
from wfx.api.large_bodies import LargeBodies
from wfx.api.request_schemas import compile_body
from wfx.api.script_inputs import ScriptRun
from wfx.api.spec import operations
from wfx.domain.definition import Definition
from wfx.domain.device import DeviceDescription
from wfx.domain.errors import TooManyTags, WorkflowInvalid
from wfx.domain.job import Status

MANY = [[] for _ in range(60_000)]
"""Makes a body heavy."""
WORKFLOW = {
    "name": "w",
    "description": "a <workflow>",
    "states": [{"name": "A"}, {"name": "B", "description": "b"}],
    "transitions": [{"from": "A", "to": "B", "eligible": "WFX", "action": "IMMEDIATE"}],
    "groups": [{"name": "G", "states": ["B"]}],
    "unknown": MANY,
}
BODIES: list[tuple[str, Any]] = [
    ("PostWorkflows", WORKFLOW),
    ("PostRulesScriptsNameRun", {"payload": MANY, "next": "A", "nflow_data": {"a": 1.0}, "seed": 7}),
    ("PostRulesScriptsNameRun", {"time": "2026-07-01T12:00:00.5Z", "unknown": MANY}),
    ("PostWorkflows", {"name": "w", "states": [{"name": "A"}], "transitions": [], "unknown": MANY}),
    ("PostWorkflows", {"name": "w", "states": [{"name": "A"}], "transitions": [], "groups": [], "unknown": MANY}),
    ("PostJobs", {"clientId": "<ü>", "workflow": "w", "tags": ["b", "a", "b"], "definition": {"n": 1.0, "m": MANY}}),
    ("PostJobs", {"clientId": "c", "workflow": "w", "unknown": MANY}),
    ("PostJobs", {"clientId": "c", "workflow": "w", "tags": [], "definition": {}, "unknown": MANY}),
    ("PutJobsIdStatus", {"state": "A", "clientId": "c", "progress": 0, "message": "m", "context": {"m": MANY}}),
    ("PutJobsIdStatus", {"state": "A", "context": {}, "unknown": MANY}),
    ("PutJobsIdStatus", {"state": "A", "unknown": MANY}),
    ("PutJobsIdStatus", {"state": "A", "progress": 0, "unknown": MANY}),
    ("PutJobsIdDefinition", {"n": [1.0, 1e21, -0.0, "\u2028", 2**64 - 1], "m": MANY}),
    ("PostJobsIdTags", ["b", "a"] * 40_000),
    ("DeleteJobsIdTags", ["b", "a"] * 40_000),
    ("PutFleetJobsIdStatus", {"state": "A", "progress": 0, "message": "m", "context": {"m": MANY}}),
    (
        "PutFleetDevicesClientIdAttributes",
        {"attributes": dict.fromkeys("ihgfedcba", "<ü>" * 60), "labels": ["b", "a"]},
    ),
    (
        "PostFleetJobsBatch",
        {
            "workflow": "w",
            "tags": ["<b>", "a"],
            "definition": {"n": 1.0, "m": MANY[:500]},
            "dryRun": True,
            "jobs": [
                {"clientId": "a\n\t"},
                {"clientId": "b", "variables": {"n": -0.0, "m": None}, "tags": ["c"]},
                {"clientId": "c", "workflow": "v", "definition": {"m": MANY}, "variables": {"n": 1}},
            ],
        },
    ),
    (
        "PostFleetJobsUpdate",
        {
            "selection": {"state": "A", "tag": ["a"], "createdBefore": "2026-07-01T12:00:00Z", "unchangedFor": "1h"},
            "expect": 7,
            "limit": 5,
            "after": "YS43",
            "status": {"state": "B", "progress": 1, "context": {"m": MANY}},
        },
    ),
    ("PostFleetJobsDelete", {"ids": [str(number) for number in range(10_000)]}),
    ("PostFleetJobsTag", {"ids": [str(n) for n in range(10_000)], "add": ["b", "a", "b"], "remove": ["c"]}),
    ("PostRulesEvents", {"id": "<e>", "type": "t", "payload": {"n": -0.0}, "unknown": MANY}),
    ("PostRulesEventsBatch", [{"type": "a", "meta": {"m": MANY[:9_000]}}, {"type": "b", "unknown": MANY}]),
]


@pytest.fixture
async def large_bodies() -> AsyncIterator[LargeBodies]:
    """The workers that read large bodies."""
    async with LargeBodies(10 * 1024 * 1024) as opened:
        yield opened


async def read(large_bodies: LargeBodies, operation: str, raw: bytes, *, only_check: bool = False) -> Any:
    """Have a body read in a worker."""
    pieces = [raw[at : at + 65_536] for at in range(0, len(raw), 65_536)]
    made, _ = await large_bodies.read(operation, pieces, len(raw), "client", only_check=only_check)
    return made


def shown(made: Any) -> Any:
    """What of an input can be seen from outside."""
    match made:
        case bytes():
            return made
        case JobRequest():
            return made.client_id, made.workflow, made.tags, made.definition
        case Status() | Definition() | DeviceDescription() | BulkInput() | ScriptRun():
            return made
        case list():
            return made
    return made.encoded, made.states, made.transitions, made.groups or ()


def test_all_operations_with_a_body_are_here() -> None:
    """Every operation that takes a body says what is made of it."""
    assert set(INPUTS) == {name for name in operations() if compile_body(name) is not None}
    assert {operation for operation, _ in BODIES} == set(INPUTS)


@pytest.mark.parametrize(("operation", "document"), BODIES)
async def test_both_ways_make_the_same(
    large_bodies: LargeBodies, monkeypatch: pytest.MonkeyPatch, operation: str, document: Any
) -> None:
    """A heavy body becomes in a worker what it would have become here; here nobody looks into it."""
    raw = orjson.dumps(document)
    assert not body.is_light(raw)
    here = shown(INPUTS[operation].make(body.decode(raw)))
    for name in ("decode", "_decode", "_decode_leniently"):
        monkeypatch.setattr(body, name, None)
    assert shown(await read(large_bodies, operation, raw)) == here
    assert await read(large_bodies, operation, raw, only_check=True) is None


REFUSED: list[tuple[str, bytes]] = [
    ("PutJobsIdDefinition", b"[" + b"[]," * 60_000 + b"0]"),
    ("PutJobsIdDefinition", b'{"a":[' + b"1," * 80_000),
    ("PutJobsIdDefinition", b'{"a":[' + b"-0," * 60_000),
    ("PutJobsIdDefinition", b"[" * 200_000),
    ("PutJobsIdDefinition", b'{"a":' + b"[" * 101 + b"]" * 101 + b',"b":"' + b"," * 200_000 + b'"}'),
    ("PutJobsIdStatus", b'{"state":1,"context":{"a":[' + b"0," * 80_000 + b"0]}}"),
    ("PutJobsIdStatus", b'{"state":"\\u0000","context":{"a":[' + b"0," * 80_000 + b"0]}}"),
    ("PutJobsIdStatus", b'{"state":"a","definitionHash":"","context":{"a":[' + b"0," * 80_000 + b"0]}}"),
    ("PostRulesEvents", b'{"type":1,"payload":{"a":[' + b"0," * 80_000 + b"0]}}"),
]


@pytest.mark.parametrize(("operation", "raw"), REFUSED)
async def test_both_ways_refuse_the_same(large_bodies: LargeBodies, operation: str, raw: bytes) -> None:
    """A heavy body that breaks a rule is refused in the words in which it would have been refused here."""
    assert not body.is_light(raw)
    checker = compile_body(operation)
    assert checker is not None
    try:
        expected = str(BadRequest(checker.complaint(body.decode(raw))))
    except BadRequest as exc:
        expected = str(exc)
    for only_check in (False, True):
        with pytest.raises(BadRequest) as caught:
            await read(large_bodies, operation, raw, only_check=only_check)
        assert (caught.value.status, str(caught.value)) == (400, expected)


async def test_progress_may_be_negative_zero(large_bodies: LargeBodies) -> None:
    """The literal -0 is a whole number in a heavy body as in a light one."""
    raw = b'{"state":"A","progress":-0,"unknown":[' + b"0," * 80_000 + b"0]}"
    assert (await read(large_bodies, "PutJobsIdStatus", raw)).progress == 0


async def test_errors_of_the_domain_come_through(large_bodies: LargeBodies) -> None:
    """What only the domain refuses is refused with the same error, and all it says."""
    states = [{"name": name} for name in ("A", "A", "B", "B")]
    document = {"name": "w", "states": states, "transitions": [], "unknown": MANY}
    with pytest.raises(WorkflowInvalid) as here:
        INPUTS["PostWorkflows"].make(document)
    with pytest.raises(WorkflowInvalid) as there:
        await read(large_bodies, "PostWorkflows", orjson.dumps(document))
    assert (str(there.value), list(there.value.faults)) == (str(here.value), list(here.value.faults))


@pytest.mark.parametrize("names", [[f"{n:05}" for n in range(30_000)], ["x" * 140_000]])
async def test_more_tags_than_a_job_may_have(large_bodies: LargeBodies, names: list[str]) -> None:
    """Tags that no job may have are refused before the store is asked, in a request for tags and in one for a job."""
    request = {"clientId": "c", "workflow": "w", "tags": names[:16], "unknown": MANY}
    for operation, document in (("PostJobsIdTags", names), ("PostJobs", request)):
        if sum(map(len, document.get("tags", ()) if isinstance(document, dict) else names)) < LARGEST_HEAD:
            continue
        with pytest.raises(TooManyTags):
            await read(large_bodies, operation, orjson.dumps(document))


@pytest.mark.parametrize(
    ("operation", "document"),
    [
        ("PostJobs", {"clientId": "c" * 200_000, "workflow": "w"}),
        ("PutJobsIdStatus", {"state": "s" * 200_000}),
        ("DeleteJobsIdTags", [f"{n:06}" for n in range(40_000)]),
    ],
)
async def test_names_have_a_bound(large_bodies: LargeBodies, operation: str, document: Any) -> None:
    """Only definitions, contexts and workflows may have megabytes; names and tags that do are refused."""
    with pytest.raises(BadRequest, match="names and tags have more than 131072 bytes together"):
        await read(large_bodies, operation, orjson.dumps(document))


@given(objects)
def test_packing_loses_nothing(document: dict[str, Any]) -> None:
    """What comes out of a worker process is what was made in it."""
    for operation, wanted in (
        ("PutJobsIdDefinition", document),
        ("PutJobsIdStatus", {"state": "s", "context": document}),
        ("PostJobs", {"clientId": "c", "workflow": "w", "definition": document}),
    ):
        kind = INPUTS[operation]
        made = kind.make(wanted)
        head, packed = kind.pack(made)
        assert shown(kind.unpack(orjson.loads(orjson.dumps(head)), packed)) == shown(made)


LIGHT: Sequence[bytes] = (
    b"{}", b"[" * 2048, b'{"a":"' + b"x" * 100_000 + b'"}', b'{"a":"' + "ä".encode() * 50_000 + b'"}', b" " * 131_072,
    b"[" + b"0," * 1000 + b"0]" + b" " * 5000,
)  # fmt: skip
HEAVY: Sequence[bytes] = (
    b" " * 131_073, b"[" * 2049, b"[" + b"0," * 1100 + b"0]", b'{"a":"' + b"<" * 2100 + b'"}',
    b'{"a":"' + rb"\n" * 1100 + b'"}', b'{"a":"' + "\u2028".encode() * 1100 + b'"}',
)  # fmt: skip


@pytest.mark.parametrize(("raw", "light"), [*((raw, True) for raw in LIGHT), *((raw, False) for raw in HEAVY)])
def test_what_is_read_at_once(raw: bytes, light: bool) -> None:
    """Small bodies and those of few values are read at once; a worker reads what is large or has very many."""
    assert body.is_light(raw) is light


async def test_a_document_may_grow_while_it_is_stored() -> None:
    """A document may have twice the bytes of the largest body, and a little more, as it is stored; beyond that 413."""
    largest = 2 * 1024 * 1024
    most = 2 * largest + 1024 * 1024
    fitting = (most - 1024) // 6
    async with LargeBodies(largest, workers=1) as bodies:
        made = await read(bodies, "PutJobsIdDefinition", b'{"a":"' + b"<" * fitting + b'"}')
        assert len(made.encoded) == 6 * fitting + 8
        with pytest.raises(DocumentTooLarge):
            await read(bodies, "PutJobsIdDefinition", b'{"a":"' + b"<" * (most // 6) + b'"}')
