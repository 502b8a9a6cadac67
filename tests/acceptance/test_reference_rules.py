"""Rules of the contract that only a whole request through a running service can show (rest-api sections 2 to 9)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from contract_tables import OPERATIONS

from tests.acceptance.clients import BASE, Side
from tests.acceptance.model import hash_of, printed
from wfx.demo.local import LocalService

JSON = {"Content-Type": "application/json"}
PATHS = {row[2]: {other[1] for other in OPERATIONS if other[2] == row[2]} for row in OPERATIONS}
"""The methods of each path."""
NO_NUMBERS = ("1e400", "-1e400", "1" + "0" * 5000, "NaN", "Infinity", "-Infinity", "01", "+1", "1.")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY")
DEEPEST = 100


def decoded(text: str) -> Any:
    """Decode JSON; -0 stays negative."""
    return json.loads(text, parse_int=float)


@pytest.mark.parametrize("path", sorted(PATHS))
@pytest.mark.parametrize("side", ["north", "south"])
def test_every_method_on_every_path(service: LocalService, side: str, path: str) -> None:
    """Each method that a path does not have is a 405 that lists those it has; no method at all is a failure. Row 34."""
    allowed = PATHS[path] | ({"HEAD"} if "GET" in PATHS[path] else set())
    url = (service.north if side == "north" else service.south) + BASE + path.format(id="x", name="x")
    with httpx.Client(trust_env=False, timeout=60) as client:
        for method in METHODS:
            with client.stream(method, url) as answer:
                if method in allowed:
                    assert answer.status_code in (200, 204, 400, 403, 404), method
                else:
                    assert answer.status_code == 405, method
                    assert answer.headers["allow"] == ", ".join(sorted(allowed)), method


@pytest.mark.parametrize("path", sorted(PATHS))
def test_methods_unknown_to_http(service: LocalService, path: str) -> None:
    """A method that HTTP does not know is a 405 on every path too, which lists those that the path has."""
    with httpx.Client(trust_env=False, timeout=60) as client:
        answer = client.request("X", service.south + BASE + path.format(id="x", name="x"))
    assert (answer.status_code, answer.text) == (405, "Method Not Allowed\n")
    allowed = PATHS[path] | ({"HEAD"} if "GET" in PATHS[path] else set())
    assert answer.headers["allow"] == ", ".join(sorted(allowed))


@pytest.mark.parametrize("accept", ["image/png", "text/html", "*/*", "", "application/json;q=0", "x", ",,;;"])
@pytest.mark.parametrize("path", ["/jobs", "/workflows", "/jobs/x", "/version"])
def test_accept_does_not_matter(south: httpx.Client, path: str, accept: str) -> None:
    """Whatever a caller accepts, the answer is the same. Row 34."""
    answer, usual = south.get(path, headers={"Accept": accept}), south.get(path)
    assert (answer.status_code, answer.content) == (usual.status_code, usual.content)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/jobs/{}"), ("GET", "/jobs/{}/status"), ("GET", "/jobs"), ("DELETE", "/jobs/{}")]
)
@pytest.mark.parametrize("body", [b"not JSON", b"{}", b"\x00" * 5000])
def test_needless_bodies(job: dict[str, Any], north: httpx.Client, method: str, path: str, body: bytes) -> None:
    """A body where none is wanted is ignored, whatever it is, and the connection goes on."""
    answer = north.request(method, path.format(job["id"]), content=body)
    assert answer.status_code == (204 if method == "DELETE" else 200)
    assert north.get("/version").status_code == 200


@pytest.mark.parametrize(("body", "outcome"), [
    ('{"state": "NOWHERE", "state": "INSTALLING"}', "INSTALLING"),
    ('{"state": "INSTALLING", "state": "NOWHERE"}', "wfx.invalidRequest"),
    ('{"state": "", "state": "INSTALLING"}', "INSTALLING"),
    ('{"state": "INSTALLING", "state": ""}', "malformed"),
    ('{"state": "INSTALLING", "progress": 101, "progress": 1}', "INSTALLING"),
    ('{"state": "INSTALLING", "progress": 1, "progress": 101}', "malformed"),
    ('{"state": "INSTALLING", "STATE": "NOWHERE", "Progress": 101, "definitionhash": ""}', "INSTALLING"),
    ('{"STATE": "INSTALLING"}', "malformed"),
    (r'{"state": "NOWHERE", "\u0073tate": "INSTALLING"}', "INSTALLING"),
])  # fmt: skip
def test_repeated_members(job: dict[str, Any], south: httpx.Client, body: str, outcome: str) -> None:
    """Of repeated members the last one is checked and used; a name in other case is another name. Row 38."""
    answer = south.put(f"/jobs/{job['id']}/status", content=body, headers=JSON, extensions={"deliberate": "repeated"})
    if outcome == "malformed":
        assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    elif outcome.startswith("wfx."):
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, outcome)
    else:
        assert (answer.status_code, answer.json()["state"]) == (200, outcome)
    assert south.get(f"/jobs/{job['id']}/status").json()["state"] == ("INSTALLING" if answer.is_success else "INSTALL")


def events_of(south: httpx.Client, job_id: str) -> list[dict[str, Any]]:
    """Read a job's events, as texts of JSON documents."""
    query: dict[str, Any] = {"since": "0", "jobIds": job_id, "limit": 1000}
    found: list[dict[str, Any]] = []
    while True:
        page = decoded(south.get("/jobs/events", params=query, headers={"Accept": "application/json"}).text)
        found += [entry["event"] for entry in page["content"]]
        if page["next"] == query["since"]:
            return found
        query["since"] = page["next"]


def seen_everywhere(south: httpx.Client, job_id: str) -> list[Any]:
    """The definition as it is shown on its own, in the job, through a filter, and in its event."""
    path = f"/jobs/{job_id}"
    identity = {"X-Response-Filter": ".definition"}
    return [
        decoded(south.get(f"{path}/definition").text),
        decoded(south.get(path).text)["definition"],
        decoded(south.get(path, headers=identity).text),
        events_of(south, job_id)[-1]["job"]["definition"],
    ]


@pytest.mark.parametrize(("literal", "value"), [
    ("9007199254740991", 2**53 - 1), ("9007199254740993", 2**53), ("9223372036854775807", 2**63),
    ("9223372036854775808", 2**63), ("18446744073709551615", 2**64), ("18446744073709551616", 2**64),
    ("-9223372036854775809", -(2**63)), ("1" + "0" * 300, 1e300), ("-0", -0.0), ("-0.0", -0.0), ("1.0", 1),
    ("1e2", 100), ("1e-400", 0), ("0.1", 0.1), ("5e-324", 5e-324), ("1.7976931348623157e308", 1.7976931348623157e308),
    ("0." + "1" * 5000, 1 / 9), ("123456789012345678901234567890", 123456789012345678901234567890.0),
])  # fmt: skip
def test_numbers(job: dict[str, Any], south: httpx.Client, literal: str, value: float) -> None:
    """A number is the same double wherever it is shown, and in the fingerprint. Row 36."""
    body = f'{{"n": {literal}, "deep": [{{"n": {literal}}}]}}'
    answer = south.put(f"/jobs/{job['id']}/definition", content=body, headers=JSON)
    assert answer.status_code == 200
    expected = printed({"n": value, "deep": [{"n": value}]})
    assert list(map(printed, [decoded(answer.text), *seen_everywhere(south, job["id"])])) == [expected] * 5
    digest = south.get(f"/jobs/{job['id']}/status").json()["definitionHash"]
    assert digest == hash_of({"n": value, "deep": [{"n": value}]})


@pytest.mark.parametrize("literal", NO_NUMBERS)
@pytest.mark.parametrize("path", ["definition", "status"])
def test_no_numbers(job: dict[str, Any], south: httpx.Client, path: str, literal: str) -> None:
    """What no double can hold, and what is no JSON, is a text 400 and changes nothing. Row 36."""
    value = f'{{"n": {literal}}}'
    body = value if path == "definition" else f'{{"state": "INSTALLING", "context": {value}}}'
    answer = south.put(f"/jobs/{job['id']}/{path}", content=body, headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert south.get(f"/jobs/{job['id']}").json()["mtime"] == job["mtime"]


def nested(levels: int, *, array: bool) -> str:
    """An object that is nested so many levels deep."""
    inner = levels - 1
    return '{"a":' + ("[" * inner + "]" * inner if array else '{"a":' * (inner - 1) + "{}" + "}" * (inner - 1)) + "}"


@pytest.mark.parametrize("array", [True, False])
def test_deepest(job: dict[str, Any], south: httpx.Client, *, array: bool) -> None:
    """A definition of a hundred levels is kept, shown everywhere, fingerprinted and put into history. Row 35."""
    text = nested(DEEPEST, array=array)
    path = f"/jobs/{job['id']}"
    assert south.put(f"{path}/definition", content=text, headers=JSON).status_code == 200
    assert list(map(printed, seen_everywhere(south, job["id"]))) == [printed(json.loads(text))] * 4
    assert south.get(f"{path}/status").json()["definitionHash"] == hash_of(json.loads(text))
    assert south.put(f"{path}/definition", json={}).status_code == 200
    history = south.get(path, params={"history": "true"}).json()["history"]
    assert printed(history[0]["definition"]) == printed(json.loads(text))


@pytest.mark.parametrize("array", [True, False])
@pytest.mark.parametrize("levels", [DEEPEST + 1, 1000, 100_000])
def test_too_deep(job: dict[str, Any], south: httpx.Client, levels: int, *, array: bool) -> None:
    """One level more, or very many, are a text 400 and change nothing. Row 35."""
    answer = south.put(f"/jobs/{job['id']}/definition", content=nested(levels, array=array), headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert "100 levels" in answer.text
    assert south.get(f"/jobs/{job['id']}").json()["mtime"] == job["mtime"]


@pytest.mark.parametrize("body", [b"[" * 900_000, b'{"a":' * 180_000, b"[" * 450_000 + b"]" * 450_000])
def test_brackets(job: dict[str, Any], south: httpx.Client, body: bytes) -> None:
    """Nearly a megabyte of brackets is a text 400, and the service goes on. Row 35."""
    answer = south.put(f"/jobs/{job['id']}/definition", content=body, headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert south.get(f"/jobs/{job['id']}").status_code == 200


def test_many_members(job: dict[str, Any], south: httpx.Client) -> None:
    """An object of as many members as fit into a body is kept whole. Row 35."""
    definition = {f"m{number}": 0 for number in range(70_000)}
    assert south.put(f"/jobs/{job['id']}/definition", json=definition).status_code == 200
    assert south.get(f"/jobs/{job['id']}/definition").json() == definition


@pytest.mark.parametrize(("raw", "shown"), [
    (b'"\xff\xfe"', "\ufffd\ufffd"), (rb'"\ud800"', "\ufffd"), (rb'"\ud83d\ude00"', "\U0001f600"),
    (rb'"\u0000"', "\x00"), ('"\u202eabc"'.encode(), "\u202eabc"), ('"e\u0301"'.encode(), "e\u0301"),
    (rb'"\u2028</script>&"', "\u2028</script>&"), (b'"\x7f"', "\x7f"),
])  # fmt: skip
def test_odd_text(job: dict[str, Any], south: httpx.Client, raw: bytes, shown: str) -> None:
    """Text comes back as it was sent, and what is no text as U+FFFD, in members and in their names. Row 37."""
    answer = south.put(
        f"/jobs/{job['id']}/definition",
        content=b'{"t":%b,%b:1}' % (raw, raw),
        headers=JSON,
        extensions={"deliberate": "some of it is no text"},
    )
    assert answer.status_code == 200
    assert seen_everywhere(south, job["id"]) == [{"t": shown, shown: 1.0}] * 4
    assert not {"<", ">", "&", "\u2028"} & set(south.get(f"/jobs/{job['id']}/definition").text)


def test_no_location_and_no_tag(north: httpx.Client, workflow: dict[str, Any]) -> None:
    """No answer has a Location or an ETag."""
    created = north.post("/jobs", json={"clientId": "c", "workflow": workflow["name"]})
    path = f"/jobs/{created.json()['id']}"
    changed = north.put(f"{path}/definition", json={"n": 1})
    for answer in (created, changed, north.get(path), north.get("/jobs", params={"limit": 1}), north.delete(path)):
        assert not {"location", "etag"} & set(answer.headers)


@pytest.mark.parametrize(("method", "path"), [("GET", "/version"), ("GET", "/health"), ("DELETE", "/jobs/{}")])
def test_unfiltered_operations(job: dict[str, Any], north: httpx.Client, method: str, path: str) -> None:
    """Operations that have no filter do not look at the header, not even at a broken program."""
    answer = north.request(method, path.format(job["id"]), headers={"X-Response-Filter": "]["})
    assert answer.status_code == (204 if method == "DELETE" else 200)
    assert "x-response-filter" not in answer.headers


@pytest.mark.parametrize(("path", "status"), [("/jobs/x", 404), ("/workflows/x", 404), ("/jobs?limit=x", 400)])
def test_errors_are_not_filtered(south: httpx.Client, path: str, status: int) -> None:
    """Refusals come as they are, filter or not, and do not repeat the header."""
    answer = south.get(path, headers={"X-Response-Filter": "1"})
    assert (answer.status_code, answer.content) == (status, south.get(path).content)
    assert "x-response-filter" not in answer.headers


def test_filter_given_twice(south: httpx.Client) -> None:
    """Two filters are a text 400."""
    answer = south.get("/jobs", headers=[("X-Response-Filter", "."), ("x-response-filter", ".")])
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")


@pytest.mark.timeout(300)
async def test_longest_history(service: LocalService, job: dict[str, Any]) -> None:
    """Of more than 8192 changes the newest 8192 are shown, newest first."""
    changes, sides = 8193, [Side(service.ports["south"]) for _ in range(32)]

    async def report(side: Side, numbers: range) -> None:
        for number in numbers:
            status = {"state": "INSTALLING", "message": f"{number}"}
            assert (await side.ask("PUT", f"/jobs/{job['id']}/status", status)).status == 200

    first, last = sides[0], sides[-1]
    await report(first, range(1))
    await asyncio.gather(*(report(side, range(1 + n, changes - 1, len(sides))) for n, side in enumerate(sides)))
    await report(last, range(changes - 1, changes))
    answer = await first.ask("GET", f"/jobs/{job['id']}?history=true", None)
    for side in sides:
        side.close()
    shown = json.loads(answer.body)
    assert len(shown["history"]) == 8192
    assert shown["status"]["message"] == f"{changes - 1}"
    assert shown["history"][-1]["status"]["message"] == "0", "the entry for the state at creation is left out"
    messages = {int(entry["status"]["message"]) for entry in shown["history"]}
    assert messages == set(range(changes - 1))
