"""Response filters as clients see them (rest-api section 11). Rows are those of docs/robustness.md."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from tests.acceptance.streams.writing import BASE, WORKFLOW, create_job, read_log, store_workflow
from tests.filtering.processes import workers
from wfx.demo.local import LocalService

CANARY = "c4n4ry-7d1f"
ENDLESS = "last(range(1e12))"
MIB = 1024 * 1024
TEXT = "text/plain; charset=utf-8"


@pytest.fixture(scope="module", params=["uvicorn", "hypercorn"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service for each engine with a secret in its environment and a bundled workflow in its store."""
    options = f"--http-engine={request.param}", "--filter-output=100000", f"--filter-memory={96 * MIB}"
    with LocalService(
        tmp_path_factory.mktemp("filters"), *options, "--filter-timeout=3s", environment={"WFX_TEST_CANARY": CANARY}
    ) as running:
        store_workflow(running)
        yield running


@pytest.fixture
def client(service: LocalService) -> Iterator[httpx.Client]:
    """A client of the management side."""
    with httpx.Client(base_url=service.north + BASE, trust_env=False, timeout=60) as client:
        yield client


def put(client: httpx.Client, job: str, program: str) -> httpx.Response:
    """Report a status with a filter on the answer; the status is the one that the job has."""
    body = {"state": "INSTALL", "message": "it goes on", "context": {"lines": ["a", "b"]}}
    return client.put(f"/jobs/{job}/status", json=body, headers={"X-Response-Filter": program})


def post(client: httpx.Client, program: str) -> httpx.Response:
    """Create a job with a filter on the answer."""
    return client.post(
        "/jobs", json={"clientId": "filtered", "workflow": WORKFLOW}, headers={"X-Response-Filter": program}
    )


def test_a_filtered_answer(service: LocalService, client: httpx.Client) -> None:
    """PUT and POST with a filter answer 200 and plain text, one line for each output, and repeat the header."""
    job = create_job(service, "dev")
    for program, expected in [
        ("del(.context, .definitionHash)", '{"message":"it goes on","state":"INSTALL"}\n'),
        (".context.lines[]", '"a"\n"b"\n'),
        (".message | length", "10\n"),
        (".message | ascii_upcase", '"IT GOES ON"\n'),
        (".nothing", "null\n"),
        ('.state, error("x"), .message', '"INSTALL"\n{}\n"it goes on"\n'),
        ("", "{}\n"),
        ("nosuchname", "{}\n"),
    ]:
        answer = put(client, job, program)
        assert (answer.status_code, answer.text) == (200, expected)
        assert answer.headers["content-type"] == TEXT
        assert answer.headers["x-response-filter"] == program
    created = post(client, ".status.state")
    assert (created.status_code, created.text, created.headers["content-type"]) == (200, '"INSTALL"\n', TEXT)


def test_a_filter_without_output(service: LocalService, client: httpx.Client) -> None:
    """A program without outputs answers 200 with neither body nor type, and repeats the header."""
    for answer in (put(client, create_job(service, "dev"), "empty"), post(client, "empty")):
        assert (answer.status_code, answer.content) == (200, b"")
        assert "content-type" not in answer.headers
        assert answer.headers["x-response-filter"] == "empty"


def test_filters_with_curl(service: LocalService) -> None:
    """With curl a client gets the same, whatever the case of the header's name."""
    job = create_job(service, "dev")

    def curl(name: str, program: str) -> str:
        command = [
            "curl",
            "-s",
            "-i",
            "--noproxy",
            "*",
            "-X",
            "PUT",
            f"{service.south}{BASE}/jobs/{job}/status",
            "-H",
            "Content-Type: application/json",
            "-H",
            f"{name}: {program}",
            "-d",
            '{"state":"INSTALLING","context":{"long":"text"}}',
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    for name in ("X-Response-Filter", "x-response-filter"):
        head, _, body = curl(name, "del(.context) | .state").partition("\n\n")
        assert head.startswith("HTTP/1.1 200")
        assert "x-response-filter: del(.context) | .state" in head.lower().splitlines()
        assert f"content-type: {TEXT}" in head.lower().splitlines()
        assert body == '"INSTALLING"\n'
    assert curl("X-Response-Filter", "(").startswith("HTTP/1.1 400")


@pytest.mark.parametrize("program", [".state |", "(", "}", ".a b", '"open', "if . then 1", "x" * 8193])
def test_a_program_that_is_none_is_refused_before_anything_happens(
    service: LocalService, client: httpx.Client, program: str
) -> None:
    """After a syntax error, or with a program too long, no job is created, no status changed, no event told. Row 39."""
    job = create_job(service, "dev")
    before = read_log(service)
    status = 422 if len(program) > 8192 else 400
    for answer in (post(client, program), put(client, job, program)):
        assert answer.status_code == status
        assert answer.headers["content-type"] == TEXT
        assert "x-response-filter" not in answer.headers
        assert ("8,192 characters" if status == 422 else "not a jq program") in answer.text
    assert read_log(service) == before


@pytest.mark.parametrize("program", ["del(.context)", ".context | length"])
def test_a_filter_on_an_answer_that_is_too_large(service: LocalService, client: httpx.Client, program: str) -> None:
    """What is sent tells how large the answer is at least: beyond 8 MiB a filter is 422, and nothing has happened."""
    job = create_job(service, "dev")
    before = read_log(service)
    large, headers = {"text": "x" * (8 * MIB)}, {"X-Response-Filter": program}
    for answer in (
        client.put(f"/jobs/{job}/status", json={"state": "INSTALL", "context": large}, headers=headers),
        client.put(f"/jobs/{job}/definition", json=large, headers=headers),
        client.post("/jobs", json={"clientId": "c", "workflow": WORKFLOW, "definition": large}, headers=headers),
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (422, TEXT)
        assert answer.text == "The answer is too large for a response filter: it has more than 8,388,608 bytes\n"
    assert read_log(service) == before
    client.put(f"/jobs/{job}/definition", json=large).raise_for_status()
    read = client.get(f"/jobs/{job}", headers=headers)
    assert (read.status_code, read.text) == (422, answer.text)


@pytest.mark.parametrize(("program", "limit"), [
    (ENDLESS, "ran for more than 3 s"),
    ("[range(1e9)] | length", "more than"),
    ('"a" * 1000000000 | length', "bytes of memory"),
    ('repeat("0123456789")', "produced more than 100,000 bytes"),
    ('"a" * 200000', "produced more than 100,000 bytes"),
    ("def f: [f]; f", "more than"),
])  # fmt: skip
def test_bombs_are_stopped_and_the_limit_is_named(
    service: LocalService, client: httpx.Client, program: str, limit: str
) -> None:
    """A program that runs into a limit is answered with 422 naming it, and the next program runs as ever. Row 39."""
    job = create_job(service, "dev")
    answer = client.get(f"/jobs/{job}", headers={"X-Response-Filter": program})
    assert answer.status_code == 422, answer.text
    assert answer.text.startswith("The response filter was stopped: ")
    assert limit in answer.text
    assert client.get(f"/jobs/{job}", headers={"X-Response-Filter": "1 + 1"}).text == "2\n"


def test_ten_bombs_at_once_do_not_keep_others_waiting(service: LocalService, client: httpx.Client) -> None:
    """Ten endless programs at once are all answered; meanwhile reads go on, and two workers run at most. Row 39."""
    job = create_job(service, "dev")
    done = threading.Event()
    address = f"{service.north}{BASE}/jobs/{job}"

    def bomb() -> int:
        return httpx.get(address, headers={"X-Response-Filter": ENDLESS}, trust_env=False, timeout=60).status_code

    def read() -> list[float]:
        taken = []
        with httpx.Client(trust_env=False, timeout=60) as own:
            while not done.is_set():
                answer = own.get(address)
                assert answer.status_code == 200
                taken.append(answer.elapsed.total_seconds())
        return taken

    with ThreadPoolExecutor(11) as threads:
        reading = threads.submit(read)
        bombs = [threads.submit(bomb) for _ in range(10)]
        statuses = [each.result() for each in bombs]
        done.set()
        taken = reading.result()
    assert set(statuses) <= {422, 503}
    assert 422 in statuses
    assert len(taken) > 1
    print(f"the slowest of {len(taken)} reads took {max(taken):.3f} s")  # noqa: T201  # pytest -rP shows it
    assert service.process is not None
    assert len(workers(psutil.Process(service.process.pid))) <= 2
    assert client.get(f"/jobs/{job}", headers={"X-Response-Filter": "1 + 1"}).text == "2\n"


@pytest.mark.parametrize("program", [
    "env", "$ENV", "env.WFX_TEST_CANARY", '$ENV["WFX_TEST_CANARY"]', "env | keys", "env | tojson", "input", "[inputs]",
    "input_filename", "debug", "stderr", "halt_error", '"x" | halt_error', "halt", "$__loc__", "$__prog_args",
    "get_search_list", "input_line_number", "splits(env)", '@sh "\\(env)"', "env | to_entries[] | .value",
    "env | getpath([])",
    'import "a" as a; 1', 'include "a"; 1', 'import "/proc/self/environ" as $x; $x', '"/etc/passwd" | modulemeta',
    '"/proc/self/environ" | @text "\\(.)" | input',
])  # fmt: skip
def test_nothing_of_the_host_is_seen(service: LocalService, client: httpx.Client, program: str) -> None:
    """No program sees the environment or files of the server, neither in its answer nor in the log. Row 40."""
    answer = client.get(f"/jobs/{create_job(service, 'dev')}", headers={"X-Response-Filter": program})
    assert answer.status_code in {200, 400}
    for hidden in (CANARY, "root:", "PATH="):
        assert hidden not in answer.text
    assert CANARY not in "".join(service.lines)


def test_no_worker_is_left_when_the_service_stops(tmp_path: Path) -> None:
    """When the service stops in the middle of endless programs, their processes are gone with it. Row 39."""
    with LocalService(tmp_path) as service:
        store_workflow(service)
        address = f"{service.north}{BASE}/jobs/{create_job(service, 'dev')}"
        assert httpx.get(address, headers={"X-Response-Filter": "1 + 1"}, trust_env=False).text == "2\n"
        assert service.process is not None
        running = workers(psutil.Process(service.process.pid))
        assert running
        with ThreadPoolExecutor(2) as threads:
            for _ in range(2):
                threads.submit(lambda: httpx.get(address, headers={"X-Response-Filter": ENDLESS}, trust_env=False))
            running += workers(psutil.Process(service.process.pid))
            assert service.stop() == 0
        assert not [worker for worker in running if worker.is_running()]


def test_a_filtered_answer_is_json_for_clients_that_parse_it(service: LocalService, client: httpx.Client) -> None:
    """What devices send with each report, del(.context), leaves a JSON document with everything else in it."""
    answer = put(client, create_job(service, "dev"), "del(.context)")
    document = json.loads(answer.text)
    assert document == {"definitionHash": document["definitionHash"], "message": "it goes on", "state": "INSTALL"}
