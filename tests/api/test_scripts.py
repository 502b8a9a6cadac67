"""Scripts over HTTP: kept by name and version, and tried in the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from conformance import conforming_client

from wfx.api.plain_errors import PREFIX
from wfx.demo.local import LocalService
from wfx.scripts.engine import usual_processes

DOUBLE = "function main(payload) {\n  return {next: 'DONE', payload: {score: payload.amount * 2}}\n}\n"
JS = {"Content-Type": "text/javascript"}


def hash_of(source: str) -> str:
    """Return the name of a version."""
    return sha256(source.encode()).hexdigest()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A server that runs scripts, with small limits."""
    options = ("--enable-scripts", "--vm-pool-max-operations=100000", "--vm-pool-max-memory-mb=16")
    with LocalService(tmp_path_factory.mktemp("scripts"), *options) as service:
        yield service


@pytest.fixture
def scripts(running: LocalService) -> Iterator[httpx.Client]:
    """A client of the API of scripts, which has none left afterwards."""
    with conforming_client(running.north + PREFIX) as client:
        yield client
        for each in client.get("/scripts").json()["content"]:
            client.delete(f"/scripts/{each['name']}")


def put(scripts: httpx.Client, name: str, source: str) -> dict[str, Any]:
    """Put a script that is none yet."""
    answer = scripts.put(f"/scripts/{name}", content=source, headers=JS)
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def tried(scripts: httpx.Client, source: str, **given: object) -> httpx.Response:
    """Run a source."""
    assert scripts.put("/scripts/tried", content=source, headers=JS).status_code in (200, 201)
    return scripts.post("/scripts/tried/run", json=given)


def test_a_script_is_put_and_shown(scripts: httpx.Client) -> None:
    """A script that is put is listed and shown with its source, and by the hash of its source."""
    shown = put(scripts, "calc", DOUBLE)
    assert (shown["name"], shown["sha256"], shown["size"]) == ("calc", hash_of(DOUBLE), len(DOUBLE))
    (listed,) = scripts.get("/scripts").json()["content"]
    assert scripts.get("/scripts/calc").json() == {**listed, "source": DOUBLE}
    assert scripts.get("/scripts/calc", params={"version": hash_of(DOUBLE)}).json()["source"] == DOUBLE


def test_any_content_type(scripts: httpx.Client) -> None:
    """The body is taken as the source whatever it is labelled as, as curl labels it."""
    with httpx.Client(base_url=scripts.base_url) as client:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.put("/scripts/calc", content=DOUBLE, headers=headers).status_code == 201
        assert client.put("/scripts/calc", content=DOUBLE).status_code == 200


def test_versions(scripts: httpx.Client) -> None:
    """What a name stood for is found by its hash, also after it was deleted."""
    put(scripts, "a", "1")
    assert scripts.put("/scripts/a", content="2", headers=JS).status_code == 200
    found = scripts.get("/scripts/a/versions").json()["content"]
    assert [(each["sha256"], each["current"]) for each in found] == [(hash_of("2"), True), (hash_of("1"), False)]
    assert scripts.delete("/scripts/a").status_code == 204
    assert scripts.get("/scripts/a").status_code == scripts.delete("/scripts/a").status_code == 404
    assert scripts.get("/scripts/a", params={"version": hash_of("1")}).json()["source"] == "1"


def test_a_dry_run_keeps_nothing(scripts: httpx.Client) -> None:
    """A source can be checked without being kept."""
    answer = scripts.put("/scripts/a", params={"dryRun": "true"}, content=DOUBLE, headers=JS)
    assert (answer.status_code, answer.json()["sha256"], answer.json()["current"]) == (200, hash_of(DOUBLE), False)
    assert scripts.get("/scripts").json() == {"content": []}
    answer = scripts.put("/scripts/a", params={"dryRun": "true"}, content="08n", headers=JS)
    assert answer.status_code == 400


def test_pages(scripts: httpx.Client) -> None:
    """Scripts are listed page by page."""
    for name in ("c", "a", "b"):
        put(scripts, name, "1")
    first = scripts.get("/scripts", params={"limit": 2}).json()
    assert ([each["name"] for each in first["content"]], first["next"]) == (["a", "b"], "b")
    second = scripts.get("/scripts", params={"limit": 2, "after": "b"}).json()
    assert ([each["name"] for each in second["content"]], "next" in second) == (["c"], False)


@pytest.mark.parametrize(("source", "said"), [
    ("08n", "line 1, column 1: SyntaxError"),
    ("let a = 1\nreturn a", "line 2, column 1: SyntaxError"),
    ("function main() {", "SyntaxError"),
])  # fmt: skip
def test_no_script(scripts: httpx.Client, source: str, said: str) -> None:
    """A source that is no script is refused with the place of the fault, and not kept."""
    answer = scripts.put("/scripts/a", content=source, headers=JS)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(said) or said in answer.json()["error"]
    assert scripts.get("/scripts/a").status_code == 404


@pytest.mark.parametrize("source", [b"", b"\xff", b"1 // \0", b"a" * 65_537])
def test_no_source(scripts: httpx.Client, source: bytes) -> None:
    """A body that is empty, not UTF-8 or longer than a script may be is refused."""
    request = {"content": source, "headers": JS, "extensions": {"deliberate": True}}
    answer = scripts.put("/scripts/a", **request)  # type: ignore[arg-type]
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("name", ["%20a", "-a", ".a", "a" * 101, "a%00", "%C3%BC"])
def test_names_of_no_script(scripts: httpx.Client, name: str) -> None:
    """A name that shells or files would not take is refused."""
    answer = scripts.put(f"/scripts/{name}", content="1", headers=JS, extensions={"deliberate": True})
    assert answer.status_code == 400
    assert "is no name of a script" in answer.json()["error"]


def test_a_run(scripts: httpx.Client) -> None:
    """A run answers what the script returns; run again, or over another connection, the same bytes."""
    put(scripts, "calc", DOUBLE)
    first = scripts.post("/scripts/calc/run", json={"payload": {"amount": 3}})
    assert (first.status_code, first.json()) == (200, {"operations": 0, "next": "DONE", "payload": {"score": 6}})
    again = httpx.post(f"{scripts.base_url}scripts/calc/run", json={"payload": {"amount": 3}})
    assert again.content == first.content


def test_what_a_script_is_given(scripts: httpx.Client) -> None:
    """A script sees the payload, the next state, the facts, the clock and the randomness that it is given."""
    source = "payload = {seen: [payload, next, nflow_data, Date.now(), Math.random()]}"
    given = {"payload": {"a": 1.5}, "next": "A", "nflow_data": {"b": []}, "time": "2026-07-01T12:00:00Z", "seed": 7}
    *seen, chance = tried(scripts, source, **given).json()["payload"]["seen"]
    assert seen == [{"a": 1.5}, "A", {"b": []}, 1_782_907_200_000]
    assert 0 <= chance < 1
    assert tried(scripts, source, **given).json()["payload"]["seen"][-1] == chance
    assert tried(scripts, source, **given | {"seed": 8}).json()["payload"]["seen"][-1] != chance


@pytest.mark.parametrize(("returned", "said"), [
    ("{next: 'A', payload: [1]}", "the script returned a payload that is no object, which a context must be"),
    ("{next: 'A', payload: {a: JSON.rawJSON('1e999')}}",
     ("the script returned a value that cannot be read: "
      "number is infinity when parsed as double: line 1 column 28 (char 27)")),
    ("{actions: [{type: 'fly'}]}", "action 1 that the script returned has an unknown type 'fly'"),
    ("{actions: Array(101).fill({})}", "the script returned 101 actions, at most 100 are done"),
    ("{actions: [{type: 'run_step', params: {step: 'x'}}]}",
     ("action 1 that the script returned cannot be run_step at 'step': there is no step \"x\": "
      "no installed package has steps")),
])  # fmt: skip
def test_a_result_that_no_rule_could_carry_out(scripts: httpx.Client, returned: str, said: str) -> None:
    """Whoever tries a script is told what the task of a rule would be refused for."""
    answer = tried(scripts, f"function main() {{ return {returned} }}")
    assert (answer.status_code, answer.json()) == (422, {"error": said, "outcome": "result", "operations": 0})


def test_the_longest_source(scripts: httpx.Client) -> None:
    """A source of 64 KiB is kept and run."""
    source = "next = 'DONE' //" + "a" * (65_536 - 16)
    assert put(scripts, "long", source)["size"] == 65_536
    assert scripts.post("/scripts/long/run", json={}).json()["next"] == "DONE"


@pytest.mark.parametrize(("source", "outcome"), [
    ("while (true) {}", "operations"),
    ("new Uint8Array(1 << 28)", "memory"),
    ("function f() { f() } f()", "stack"),
    ("payload = 'x'.repeat(1 << 21)", "output"),
])  # fmt: skip
def test_limits(scripts: httpx.Client, source: str, outcome: str) -> None:
    """A script that reaches a limit gets 408, which names it; the next run is as good as any."""
    answer = tried(scripts, source)
    assert (answer.status_code, answer.json()["outcome"]) == (408, outcome)
    assert tried(scripts, DOUBLE, payload={"amount": 1}).status_code == 200


@pytest.mark.parametrize(("source", "outcome", "place"), [
    ("let a = 1\nthrow new Error('no')", "error", 2),
    ("function main() { return 7 }", "result", None),
    ("throw '\\ud800\\0\\u2028'", "error", None),
    ("globalThis['ev' + 'al']('1')", "error", 1),
])  # fmt: skip
def test_failures(scripts: httpx.Client, source: str, outcome: str, place: int | None) -> None:
    """A script that throws, or returns no object, gets 422 with the reason, and the line if it is known."""
    answer = tried(scripts, source)
    assert (answer.status_code, answer.json()["outcome"], answer.json().get("line")) == (422, outcome, place)


def test_the_operations_that_there_may_be(scripts: httpx.Client) -> None:
    """A script that does fewer operations than it may ends well, and one that does more does not, each time."""
    for _ in range(3):
        assert tried(scripts, "for (let i = 0; i < 40000; i++) {}").status_code == 200
        assert tried(scripts, "for (let i = 0; i < 60000; i++) {}").status_code == 408


def test_runs_leave_nothing(scripts: httpx.Client) -> None:
    """What a run puts into globals and built-ins is not there in the next one."""
    tried(scripts, "globalThis.k = 1; Array.prototype.k = 1")
    assert tried(scripts, "payload = [typeof k, typeof [].k]").json()["payload"] == ["undefined", "undefined"]


def test_findings(scripts: httpx.Client) -> None:
    """A source with a severe finding is refused with all findings and their places; others are kept with theirs."""
    answer = scripts.put("/scripts/a", content="let a = 1\n  eval('a')", headers=JS)
    assert answer.status_code == 422
    (finding,) = answer.json()["findings"]
    assert {"type": "eval", "severity": "high", "line": 2, "column": 3}.items() <= finding.items()
    assert scripts.get("/scripts/a").status_code == 404
    (finding,) = put(scripts, "b", "while (true) {}")["findings"]
    assert (finding["type"], finding["severity"]) == ("endless_loop", "medium")
    assert scripts.get("/scripts/b").json()["findings"] == [finding]


def test_severe_findings_may_pass(tmp_path: Path) -> None:
    """A server may be told to keep sources with severe findings, which find nothing to run all the same."""
    options = ("--enable-scripts", "--block-on-high-severity=false")
    with LocalService(tmp_path, *options) as service, conforming_client(service.north + PREFIX) as client:
        assert put(client, "a", "eval('1')")["findings"][0]["type"] == "eval"
        assert client.post("/scripts/a/run", json={}).json()["outcome"] == "error"


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/scripts"), ("GET", "/scripts/a"), ("GET", "/scripts/a/versions"), ("DELETE", "/scripts/a"),
])  # fmt: skip
def test_without_scripts(service: LocalService, method: str, path: str) -> None:
    """A server that was not told to run scripts refuses all that is about them, and says which option is missing."""
    with conforming_client(service.north + PREFIX) as client:
        answer = client.request(method, path)
        said = "scripts are not enabled; start this server with --enable-scripts"
        assert (answer.status_code, answer.json()) == (403, {"error": said})
        assert client.put("/scripts/a", content="1", headers=JS).status_code == 403
        assert client.post("/scripts/a/run", json={}).status_code == 403


@pytest.mark.parametrize(("method", "path", "content"), [
    ("POST", "/scripts/a/run", b"no JSON"), ("PUT", "/scripts/a", b"\xff"), ("PUT", "/scripts/-", b"1"),
    ("GET", "/scripts?limit=none", b""), ("POST", "/scripts/a/runs/x/replay", b""),
])  # fmt: skip
def test_what_is_off_comes_first(service: LocalService, method: str, path: str, content: bytes) -> None:
    """A request about scripts that is wrong besides is told that scripts are off, too."""
    with conforming_client(service.north + PREFIX) as client:
        answer = client.request(method, path, content=content, headers=JS, extensions={"deliberate": True})
        assert (answer.status_code, "not enabled" in answer.json()["error"]) == (403, True)


def test_disabled_while_running(tmp_path: Path) -> None:
    """Scripts that are disabled are refused; jobs go on."""
    with LocalService(tmp_path, "--enable-scripts", "--sandbox-script-disabled") as service:
        with conforming_client(service.north + PREFIX) as client:
            answer = client.put("/scripts/a", content="1", headers=JS)
            assert (answer.status_code, "disabled" in answer.json()["error"]) == (403, True)
        assert httpx.get(f"{service.north}/api/wfx/v1/jobs").status_code == 200


def test_south_has_no_scripts(running: LocalService) -> None:
    """Devices find nothing under this path."""
    assert httpx.get(f"{running.south}{PREFIX}/scripts").status_code == 404
    assert httpx.put(f"{running.south}{PREFIX}/scripts/a", content="1").status_code == 404


def test_a_storm_of_uploads(tmp_path: Path) -> None:
    """Uploads and runs that find all places taken get 408, others are answered meanwhile; those that wait are kept."""
    options = ("--enable-scripts", "--vm-pool-max-size=3", "--vm-pool-max-execution-seconds=600")
    with LocalService(tmp_path, *options) as service, ThreadPoolExecutor(12) as uploads:
        url = service.north + PREFIX
        first = [uploads.submit(httpx.put, f"{url}/scripts/first{number}", content="1") for number in range(8)]
        assert {each.result().status_code for each in first} == {201}
        assert service.process is not None
        workers = [each for each in psutil.Process(service.process.pid).children() if "worker" in str(each.cmdline())]
        assert 1 <= len(workers) <= usual_processes()
        for worker in workers:
            worker.suspend()
        sources = [f"payload = {number}" for number in range(12)]
        storm = [uploads.submit(httpx.put, f"{url}/scripts/s", content=source, timeout=600) for source in sources]
        answered = 0
        while sum(each.done() for each in storm) < 9:
            assert httpx.get(f"{service.north}/api/wfx/v1/jobs").status_code == 200
            answered += 1
        assert answered > 10
        refused = [each.result() for each in storm if each.done()]
        assert {(each.status_code, each.headers["retry-after"]) for each in refused} == {(408, "1")}
        assert refused[0].json() == {"error": "3 scripts ran or waited for 5 s: try again later"}
        run = httpx.post(f"{url}/scripts/first0/run", json={}, timeout=600)
        assert (run.status_code, run.json()["outcome"]) == (408, "busy")
        for worker in workers:
            worker.resume()
        assert sorted(each.result().status_code for each in storm) == [200, 200, 201, *[408] * 9]
