from __future__ import annotations

import asyncio
import threading
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_schema_validator import OAS30WriteValidator

from wfx.api import spec, validation_message
from wfx.api.request_schemas import compile_body
from wfx.api.schema_checks import BodyValidator

WORKFLOW: dict[str, Any] = {
    "name": "lamp.flow",
    "states": [{"name": "DARK"}, {"name": "BRIGHT"}],
    "transitions": [{"from": "DARK", "to": "BRIGHT", "eligible": "CLIENT"}],
}
JOB: dict[str, Any] = {"clientId": "press-7", "workflow": "lamp.flow"}
STATUS: dict[str, Any] = {"state": "DARK"}


def checker(operation_id: str) -> BodyValidator:
    """Return the check of an operation's body."""
    found = compile_body(operation_id)
    assert found is not None
    return found


def workflow(**changes: Any) -> dict[str, Any]:
    """Make a workflow that differs from a good one in these members; ... leaves a member out."""
    return {name: value for name, value in {**WORKFLOW, **changes}.items() if value is not ...}


def transition(**changes: Any) -> dict[str, Any]:
    """Make a workflow whose one transition differs from a good one in these members."""
    good = {"from": "DARK", "to": "BRIGHT", "eligible": "CLIENT"}
    return workflow(transitions=[{name: value for name, value in {**good, **changes}.items() if value is not ...}])


def job(**changes: Any) -> dict[str, Any]:
    """Make a request for a job that differs from a good one in these members."""
    return {name: value for name, value in {**JOB, **changes}.items() if value is not ...}


def status(**changes: Any) -> dict[str, Any]:
    """Make a status that differs from a good one in these members."""
    return {name: value for name, value in {**STATUS, **changes}.items() if value is not ...}


NAMED = "PostWorkflows"
STARTED = "PostJobs"
REPORTED = "PutJobsIdStatus"
DEFINED = "PutJobsIdDefinition"
TAGGED = "PostJobsIdTags"
UNTAGGED = "DeleteJobsIdTags"


@pytest.mark.parametrize(
    ("operation_id", "body"),
    [
        (NAMED, workflow()),
        (NAMED, workflow(name="a")),
        (NAMED, workflow(name="x" * 64)),
        (NAMED, workflow(name="A-z.0")),
        (NAMED, workflow(description="")),
        (NAMED, workflow(description="x" * 1024)),
        (NAMED, workflow(description="😀" * 1024)),
        (NAMED, workflow(states=[])),
        (NAMED, workflow(states=[{"name": f"s{n}"} for n in range(4096)])),
        (NAMED, workflow(transitions=[])),
        (NAMED, workflow(transitions=WORKFLOW["transitions"] * 16384)),
        (NAMED, workflow(groups=[])),
        (NAMED, workflow(groups=[{"name": "g", "states": ["DARK"]}] * 1024)),
        (NAMED, workflow(groups=[{"name": "g", "states": [""], "description": "x" * 5000}])),
        (NAMED, workflow(states=[{"name": "ä\n", "description": ""}])),
        (NAMED, workflow(extra=1, states=[{"name": "a", "more": None}])),
        (NAMED, transition(eligible="WFX", action="IMMEDIATE")),
        (NAMED, transition(action="WAIT", description="")),
        (STARTED, job()),
        (STARTED, job(clientId="x" * 100_000)),
        (STARTED, job(tags=[])),
        (STARTED, job(tags=["", "a", "a", "", *["t"] * 12])),
        (STARTED, job(definition={})),
        (STARTED, job(definition={"a": None, "b": [1.5, {"c": "\x00"}]})),
        (STARTED, job(id=5, stime=None, CLIENTID=7)),
        (REPORTED, status()),
        (REPORTED, status(clientId="", progress=0, message="", context={})),
        (REPORTED, status(progress=100)),
        (REPORTED, status(progress=-1)),
        (REPORTED, status(progress=-(2**31))),
        (REPORTED, status(message="x" * 1024)),
        (REPORTED, status(message="😀" * 1024)),
        (REPORTED, status(context={"lines": ["\x00"], "n": None})),
        (REPORTED, status(DefinitionHash="", unknown=None)),
        (DEFINED, {}),
        (DEFINED, {"a": None, "definitionHash": "x"}),
        (TAGGED, [""]),
        (TAGGED, ["a"] * 1000),
        (UNTAGGED, ["a", "a"]),
    ],
)
def test_a_body_within_the_limits_is_accepted(operation_id: str, body: Any) -> None:
    """What the contract allows is accepted, up to each limit, with unknown members at every level."""
    assert checker(operation_id).complaint(body) == ""
    assert checker(operation_id).is_valid(body)


NO_OBJECTS: tuple[Any, ...] = (None, [], "x", 1)
NO_LISTS: tuple[Any, ...] = (None, [], {}, "a")
REFUSED: list[tuple[str, Any, str]] = [
    *[(NAMED, body, "") for body in NO_OBJECTS],
    *[(STARTED, body, "") for body in NO_OBJECTS],
    *[(REPORTED, body, "") for body in NO_OBJECTS],
    *[(NAMED, workflow(**{member: ...}), "") for member in ("name", "states", "transitions")],
    *[(NAMED, workflow(**{m: None}), f"/{m}") for m in ("name", "description", "states", "transitions", "groups")],
    *[(NAMED, workflow(name=name), "/name") for name in ("", "x" * 65, "a_b", "a b", "a\n", "ä", "a\x00", 1)],
    (NAMED, workflow(description="x" * 1025), "/description"),
    (NAMED, workflow(states=[{"name": "a"}] * 4097), "/states"),
    (NAMED, workflow(transitions=WORKFLOW["transitions"] * 16385), "/transitions"),
    (NAMED, workflow(groups=[{"name": "g", "states": ["DARK"]}] * 1025), "/groups"),
    (NAMED, workflow(states=["DARK"]), "/states/0"),
    (NAMED, workflow(states=[{"name": "a"}, {"name": ""}]), "/states/1/name"),
    (NAMED, workflow(states=[{"name": "a", "description": None}]), "/states/0/description"),
    (NAMED, workflow(groups=[{"name": "g", "states": []}]), "/groups/0/states"),
    (NAMED, workflow(groups=[{"name": "g"}]), "/groups/0"),
    (NAMED, workflow(groups=[{"name": "", "states": ["a"]}]), "/groups/0/name"),
    (NAMED, workflow(groups=[{"name": "g", "states": [None]}]), "/groups/0/states/0"),
    *[(NAMED, transition(**{member: ...}), "/transitions/0") for member in ("from", "to", "eligible")],
    *[(NAMED, transition(**{member: ""}), f"/transitions/0/{member}") for member in ("from", "to")],
    *[(NAMED, transition(eligible=word), "/transitions/0/eligible") for word in ("client", "", "BOTH", None)],
    *[(NAMED, transition(action=word), "/transitions/0/action") for word in ("immediate", "", None)],
    (STARTED, job(clientId=...), ""),
    (STARTED, job(workflow=...), ""),
    *[(STARTED, job(**{m: None}), f"/{m}") for m in ("clientId", "workflow", "tags", "definition")],
    (STARTED, job(clientId=""), "/clientId"),
    (STARTED, job(workflow=""), "/workflow"),
    (STARTED, job(tags=["t"] * 17), "/tags"),
    (STARTED, job(tags=["a", None]), "/tags/1"),
    (STARTED, job(tags="a,b"), "/tags"),
    *[(STARTED, job(definition=value), "/definition") for value in NO_OBJECTS],
    (REPORTED, status(state=...), ""),
    *[(REPORTED, status(**{m: None}), f"/{m}") for m in ("state", "clientId", "progress", "message", "context")],
    (REPORTED, status(state=""), "/state"),
    *[(REPORTED, status(progress=p), "/progress") for p in (101, 2**31, -(2**31) - 1, 1.0, 0.5, -0.0, 2.0**64, 1e300)],
    *[(REPORTED, status(progress=p), "/progress") for p in ("5", True)],
    (REPORTED, status(message="x" * 1025), "/message"),
    (REPORTED, status(message="😀" * 1025), "/message"),
    (REPORTED, status(context=[]), "/context"),
    *[(REPORTED, status(definitionHash=h), "/definitionHash") for h in ("", "x", None, "a" * 65)],
    *[(DEFINED, body, "") for body in NO_OBJECTS],
    *[(TAGGED, body, "") for body in NO_LISTS],
    (TAGGED, ["a", 1], "/1"),
    *[(UNTAGGED, body, "") for body in NO_LISTS],
    (UNTAGGED, [None], "/0"),
]


@pytest.mark.parametrize(("operation_id", "body", "place"), REFUSED)
async def test_a_body_beyond_the_limits_is_refused(operation_id: str, body: Any, place: str) -> None:
    """What the contract forbids is refused, in one line that names the place as a JSON pointer."""
    assert not checker(operation_id).is_valid(body)
    for message in (checker(operation_id).complaint(body), await validation_message.rejection(operation_id, body)):
        assert message.startswith(f"the body at {place}: " if place else "the body: ")
    assert message.isprintable()
    assert len(message) <= 500


@pytest.mark.parametrize(
    ("operation_id", "body", "place"),
    [
        (STARTED, job(clientId="a\x00b"), "/clientId"),
        (STARTED, job(workflow="\x00"), "/workflow"),
        (STARTED, job(tags=["a", "b\x00"]), "/tags/1"),
        (REPORTED, status(state="a\x00"), "/state"),
        (REPORTED, status(clientId="\x00"), "/clientId"),
        (TAGGED, ["\x00"], "/0"),
        (UNTAGGED, ["a", "\x00"], "/1"),
        (NAMED, workflow(states=[{"name": "a\x00"}]), "/states/0/name"),
        (NAMED, workflow(groups=[{"name": "a\x00", "states": ["DARK"]}]), "/groups/0/name"),
    ],
)
async def test_u0000_is_refused_where_jobs_are_found_by_it(operation_id: str, body: Any, place: str) -> None:
    """The character that no store can look for is refused, and the message says so."""
    assert not checker(operation_id).is_valid(body)
    assert await validation_message.rejection(operation_id, body) == f"the body at {place}: must not contain U+0000"


async def test_read_only_members_are_named() -> None:
    """Whoever echoes a status back, hash included, is told what to leave out."""
    message = await validation_message.rejection(REPORTED, status(definitionHash=""))
    assert message == "the body at /definitionHash: is read-only and must not be sent"


def test_operations_without_a_body_have_no_check() -> None:
    """Only the six operations of the contract with a body check one."""
    contract = [name for name, each in spec.operations().items() if each.document == spec.DOCUMENTS[0]]
    checked = {operation_id for operation_id in contract if compile_body(operation_id) is not None}
    assert checked == {NAMED, STARTED, REPORTED, DEFINED, TAGGED, UNTAGGED}


def test_a_place_is_a_json_pointer() -> None:
    """Slashes and tildes in member names are escaped as RFC 6901 wants it."""
    found = jsonschema_rs.Draft4Validator({"properties": {"a/b~c": {"type": "string"}}})
    assert BodyValidator(found.is_valid, found.validate).complaint({"a/b~c": 1}).startswith("the body at /a~1b~0c: ")


async def test_big_bodies_are_explained_briefly() -> None:
    """A body of a million wrong items is answered quickly with its first fault, within one bounded line."""
    message = await validation_message.rejection(TAGGED, ["x" * 100] * 1000 + [None] * 1_000_000)
    assert message.startswith("the body at /1000: null is not of type")
    message = await validation_message.rejection(DEFINED, ["x" * 1_000_000])
    assert message.startswith("the body: ")
    assert message.endswith('is not of type "object"')
    assert len(message) <= 500


async def test_echoed_values_cannot_break_out_of_their_line() -> None:
    """Line breaks, terminal sequences and changes of direction in a value come back escaped."""
    message = await validation_message.rejection(REPORTED, status(progress="a\r\nX-Evil: 1\x1b[2J\u202e\u2028"))
    assert message.startswith("the body at /progress: ")
    assert message.isprintable()


async def test_many_refusals_at_once_are_all_explained() -> None:
    """Refusals that come together each get their own place, also while one of them is being worded."""
    bodies = [["a"] * n + [None] for n in range(40)]
    messages = await asyncio.gather(*(validation_message.rejection(TAGGED, body) for body in bodies))
    assert [message.partition(": ")[0] for message in messages] == [f"the body at /{n}" for n in range(40)]


async def test_a_caller_who_gives_up_does_not_silence_the_explanations() -> None:
    """After a cancelled request, later refusals are worded as before."""
    expected = await validation_message.rejection(TAGGED, [None])
    tasks = [asyncio.create_task(validation_message.rejection(TAGGED, [None])) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(10):
        while validation_message._busy.locked():
            await asyncio.to_thread(threading.Event().wait, 0.001)
    assert await validation_message.rejection(TAGGED, [None]) == expected == "the body at /0: None for not nullable"


TEXT = st.text(max_size=3) | st.sampled_from(["", "DARK", "a\x00", "x" * 65])
ODD = st.sampled_from([None, True, 0, -1, 100, 101, 2**31, -(2**31), 0.5, [], {}, "", ["a"], {"a": 1}])
MEMBERS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    REPORTED: {
        "state": TEXT,
        "clientId": TEXT,
        "progress": st.integers(-5, 105),
        "message": TEXT,
        "context": st.just({}),
        "definitionHash": TEXT,
        "other": ODD,
    },
    STARTED: {"clientId": TEXT, "workflow": TEXT, "tags": st.lists(TEXT, max_size=18), "definition": st.just({})},
    NAMED: {
        "name": TEXT,
        "description": TEXT,
        "states": st.lists(st.fixed_dictionaries({}, optional={"name": TEXT | ODD, "description": TEXT}), max_size=3),
        "transitions": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "from": TEXT,
                    "to": TEXT | ODD,
                    "eligible": st.sampled_from(["CLIENT", "WFX", "x"]),
                    "action": st.sampled_from(["WAIT", None]),
                },
            ),
            max_size=3,
        ),
        "groups": st.lists(st.fixed_dictionaries({}, optional={"name": TEXT, "states": st.lists(TEXT)}), max_size=2),
    },
}


@pytest.mark.parametrize("operation_id", sorted(MEMBERS))
def test_the_compiled_check_agrees_with_an_independent_one(operation_id: str) -> None:
    """For all sorts of bodies, the compiled check and a general OpenAPI validator come to the same verdict."""
    good = {REPORTED: STATUS, STARTED: JOB, NAMED: WORKFLOW}[operation_id]
    root = {"allOf": [spec.operations()[operation_id].body], "components": spec.document()["components"]}
    other = OAS30WriteValidator(root, format_checker=OAS30WriteValidator.FORMAT_CHECKER)
    members = {name: value | ODD for name, value in MEMBERS[operation_id].items()}
    verdicts = set()

    @given(st.fixed_dictionaries({}, optional=members), st.sets(st.sampled_from(sorted(good)), max_size=1))
    def agree(changes: dict[str, Any], missing: set[str]) -> None:
        body = {name: value for name, value in {**good, **changes}.items() if name not in missing}
        verdict = checker(operation_id).is_valid(body)
        verdicts.add(verdict)
        assert verdict == other.is_valid(body)

    agree()
    assert verdicts == {True, False}
