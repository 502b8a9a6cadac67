"""What each job command asks, of whom, and what it prints (cli section 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from wfxctl_stub import Reply, Stub

Run = Callable[..., Any]

PAGE = [("limit", "10"), ("offset", "0"), ("sort", "asc")]
READS = [
    (["job", "get", "--id", "7"], "/jobs/7", [("history", "false")]),
    (["job", "get", "--id", "a/b ?", "--history"], "/jobs/a%2Fb%20%3F", [("history", "true")]),
    (["job", "get", "surplus", "--id", "7", "--history=false"], "/jobs/7", [("history", "false")]),
    (["job", "get-status", "--id", "7"], "/jobs/7/status", []),
    (["job", "get-definition", "--id", "7"], "/jobs/7/definition", []),
    (["job", "get-tags", "--id", "7"], "/jobs/7/tags", []),
    (["job", "query"], "/jobs", PAGE),
    (["job", "query", "--client-id=", "--sort="], "/jobs", PAGE),
    (
        [
            "job",
            "query",
            "--client-id",
            "c d",
            "--state",
            "S",
            "--workflow",
            "w",
            "--group",
            "A,B",
            "--group",
            "C",
            "--tag",
            't,"u,v"',
            "--offset",
            "20",
            "--limit",
            "0x10",
            "--sort",
            "DESC",
        ],
        "/jobs",
        [
            ("clientId", "c d"),
            ("group", "A,B,C"),
            ("state", "S"),
            ("tag", "t,u,v"),
            ("workflow", "w"),
            ("limit", "16"),
            ("offset", "20"),
            ("sort", "desc"),
        ],
    ),
    (["workflow", "get", "--name", "w/x"], "/workflows/w%2Fx", []),
    (["workflow", "get", "--name", ".."], "/workflows/%2E%2E", []),
    (["job", "get", "--id", "."], "/jobs/%2E", [("history", "false")]),
    (["job", "get-tags", "--id", ".."], "/jobs/%2E%2E/tags", []),
    (["job", "get", "--id", "../x"], "/jobs/..%2Fx", [("history", "false")]),
    (["job", "get-status", "--id", "events"], "/jobs/events/status", []),
    (["workflow", "query"], "/workflows", PAGE),
    (
        ["workflow", "query", "--limit", "-1", "--offset", "-5"],
        "/workflows",
        [("limit", "-1"), ("offset", "-5"), ("sort", "asc")],
    ),
]


ONE_AT_A_TIME = (
    "job get", "job get-status", "job get-definition", "job get-tags", "job history", "job describe", "job retry",
    "job update-definition", "job update-status --state S", "job wait --for state=S", "workflow get",
)  # fmt: skip


@pytest.mark.parametrize("command", ONE_AT_A_TIME)
def test_of_two_ids_none_is_dropped(run: Run, stub: Stub, command: str) -> None:
    """A command that is about one job or workflow refuses two of them, and asks nothing."""
    ports = ("--client-port", str(stub.port), "--mgmt-port", str(stub.port))
    outcome = run(*ports, *command.split(), "7", "8")
    assert (outcome.code, outcome.out, stub.seen) == (1, "", [])
    assert "is taken at a time, but 2 arguments were given: give the command once for each" in outcome.err


@pytest.mark.parametrize("command", ["job get", "job get-tags", "job update-status --state S", "workflow get"])
def test_what_is_passed_over_is_said(run: Run, stub: Stub, command: str) -> None:
    """Beside the flag an argument is passed over, as scripts have it: the command says so, once."""
    ports = ("--client-port", str(stub.port), "--mgmt-port", str(stub.port))
    flag = "name" if command == "workflow get" else "id"
    outcome = run(*ports, *command.split(), "8", f"--{flag}=7")
    assert (outcome.code, stub.one.path.split("/")[2]) == (0, "7")
    assert outcome.err.count(f" is that of --{flag}; what else was given is passed over: 8\n") == 1
    assert run("--strict", *ports, *command.split(), "8", f"--{flag}=7").code == 2


@pytest.mark.parametrize(("command", "hint"), [("query", "wfxctl job get shows one"), ("events", "--job-id names")])
def test_an_id_that_chooses_nothing_is_told(south: Run, stub: Stub, command: str, hint: str) -> None:
    """What follows or lists jobs passes an argument over, as scripts have it, and says so, with what is meant."""
    stub.usual = lambda _: Reply(400, b"{}")
    outcome = south("job", command, "8")
    assert (stub.one.path.split("/")[1], "8" in str(stub.one.query)) == ("jobs", False)
    assert f"arguments are passed over ({hint}" in outcome.err
    assert "): 8\n" in outcome.err


@pytest.mark.parametrize("command", ["add-tags", "del-tags"])
def test_ids_of_further_jobs_are_no_tags(north: Run, stub: Stub, command: str) -> None:
    """Behind the id of a job that of another one is refused, which would become a tag; with ``--id`` it may be one."""
    first, second = "01a22d83-f686-40d0-b019-004430b66a2a", "01a22d83-f687-45dd-8443-5c9003716030"
    outcome = north("job", command, first, second, "urgent")
    assert (outcome.code, outcome.out, stub.seen) == (1, "", [])
    assert f"one job id is taken at a time, and {second} looks like another" in outcome.err
    assert north("job", command, first).err == "Error: tags missing\n"
    assert north("job", command, "--id", first, second).code == 0
    assert stub.one.json == [second]


def test_all_ids_are_deleted(north: Run, stub: Stub) -> None:
    """Several jobs are deleted in order until one cannot be; nothing is printed for those that were."""
    replies = iter([Reply(204, b""), Reply(204, b""), Reply(404, b"{}")])
    stub.usual = lambda _: next(replies)
    outcome = north("job", "delete", "a", "b/c", "gone", "d")
    assert (outcome.code, outcome.out, outcome.err) == (
        1, "", "gone was not deleted, 1 behind it were not tried\nError: error: {}\n",
    )  # fmt: skip
    assert [(seen.method, seen.path) for seen in stub.seen] == [
        ("DELETE", "/jobs/a"), ("DELETE", "/jobs/b%2Fc"), ("DELETE", "/jobs/gone"),
    ]  # fmt: skip
    stub.seen.clear()
    for argv in (["", "a"], ["a", ""], []):
        assert north("job", "delete", *argv).err == "Error: job id missing\n"
    assert stub.seen == []


@pytest.mark.parametrize(("argv", "path", "query"), READS)
def test_reads_go_south(south: Run, stub: Stub, argv: list[str], path: str, query: list[tuple[str, str]]) -> None:
    """Commands that only read ask the client API, without a body."""
    outcome = south(*argv)
    assert (outcome.code, outcome.out) == (0, "{}\n")
    assert (stub.one.method, stub.one.path, stub.one.query, stub.one.body) == ("GET", path, query, b"")


WRITES = [
    (["job", "create"], b"ignored", ("POST", "/jobs", {"clientId": "", "workflow": ""})),
    (
        ["job", "create", "--client-id", "c", "--workflow", "w", "--tag", "a,b", "--tag", "c", "-"],
        b'{"b":1.0,"a":9007199254740993}',
        (
            "POST",
            "/jobs",
            {"clientId": "c", "workflow": "w", "tags": ["a,b", "c"], "definition": {"a": 9007199254740992, "b": 1}},
        ),
    ),
    (["job", "create", "-"], b"{}", ("POST", "/jobs", {"clientId": "", "workflow": ""})),
    (["job", "create", "-"], b" null ", ("POST", "/jobs", {"clientId": "", "workflow": ""})),
    (["job", "delete", "--id", "7"], b"", ("DELETE", "/jobs/7", None)),
    (
        ["job", "create", "--client-id", "c", "--workflow", "w", "--tag", "", "-"],
        b"{}",
        ("POST", "/jobs", {"clientId": "c", "workflow": "w"}),
    ),
    (
        ["job", "create", "--client-id", "c", "--workflow", "w", "--tag", "", "--tag", "a", "-"],
        b"{}",
        ("POST", "/jobs", {"clientId": "c", "workflow": "w", "tags": ["", "a"]}),
    ),
    (["job", "add-tags", "--id", "7", "a,b", "ü"], b"", ("POST", "/jobs/7/tags", ["a,b", "ü"])),
    (["job", "add-tags", "--id", "7"], b"", ("POST", "/jobs/7/tags", [])),
    (["job", "del-tags", "x", "--id", "7"], b"", ("DELETE", "/jobs/7/tags", ["x"])),
    (
        ["job", "update-status", "--id", "7", "--actor", "WFX", "--state", "S"],
        b"",
        ("PUT", "/jobs/7/status", {"progress": 0, "state": "S"}),
    ),
    (
        ["job", "update-status", "--id", "7", "--actor", "typo", "--progress", "-1"],
        b"",
        ("PUT", "/jobs/7/status", {"progress": -1, "state": ""}),
    ),
    (["job", "update-definition", "--id", "7"], b"[not checked here", ("PUT", "/jobs/7/definition", ...)),
    (["workflow", "delete", "w/x"], b"", ("DELETE", "/workflows/w%2Fx", None)),
    (["workflow", "delete", ".."], b"", ("DELETE", "/workflows/%2E%2E", None)),
    (["job", "delete", "--id", "."], b"", ("DELETE", "/jobs/%2E", None)),
]


@pytest.mark.parametrize(("argv", "stdin", "expected"), WRITES)
def test_writes_go_north(north: Run, stub: Stub, argv: list[str], stdin: bytes, expected: tuple[str, str, Any]) -> None:
    """Commands that change something ask the management API, with a JSON body where there is one."""
    outcome = north(*argv, stdin=stdin)
    method, path, body = expected
    assert (outcome.code, outcome.out) == (0, "{}\n")
    assert (stub.one.method, stub.one.path, stub.one.query) == (method, path, [])
    if body is None:
        assert stub.one.body == b""
    else:
        assert stub.one.headers["content-type"] == "application/json"
        assert stub.one.body == stdin if body is ... else stub.one.json == body


@pytest.mark.parametrize("actor", ["CLIENT", "client", "Client", None])
def test_a_client_reports_southbound(south: Run, stub: Stub, actor: str | None) -> None:
    """A status report of a client, whatever its spelling, goes to the client API with all that was said."""
    chosen = [] if actor is None else ["--actor", actor]
    outcome = south(
        "job",
        "update-status",
        "--id",
        "7",
        "--state",
        "S",
        "--message",
        "m",
        "--client-id",
        "c",
        "--progress",
        "40",
        *chosen,
    )
    assert outcome.code == 0
    assert (stub.one.method, stub.one.path) == ("PUT", "/jobs/7/status")
    assert stub.one.body == b'{"clientId":"c","message":"m","progress":40,"state":"S"}'


def test_a_definition_is_streamed(north: Run, stub: Stub) -> None:
    """A new definition is passed on as it is read, in chunks."""
    assert north("job", "update-definition", "--id", "7", stdin=b'{"a": 1}').code == 0
    assert stub.one.headers["transfer-encoding"] == "chunked"
    assert stub.one.body == b'{"a": 1}'


def test_requests_carry_plain_headers(south: Run, stub: Stub) -> None:
    """Requests ask for gzip, never for a filter on the server, and name no accepted types."""
    assert south("job", "get", "--id", "7", "--filter", ".a").code == 0
    assert stub.one.headers["accept-encoding"] == "gzip"
    assert stub.one.headers["host"] == f"localhost:{stub.port}"
    assert not {"accept", "x-response-filter", "content-type"} & set(stub.one.headers)


REFUSED_HERE = [
    (["job", "get"], "Error: job id missing\n"),
    (["job", "get-status"], "Error: job id missing\n"),
    (["job", "get-definition"], "Error: job id missing\n"),
    (["job", "update-definition"], "Error: job id missing\n"),
    (["job", "update-status", "--state", "S"], "Error: job id missing\n"),
    (["job", "delete"], "Error: job id missing\n"),
    (["job", "add-tags", "a"], "Error: job id missing\n"),
    (["job", "del-tags", "a"], "Error: job id missing\n"),
    (["job", "get-tags"], "Error: job id missing\n"),
    (["workflow", "get"], "Error: workflow name missing\n"),
    (["workflow", "create"], "Error: workflow file missing\n"),
    (["workflow", "validate"], "Error: workflow file missing\n"),
    (["job", "del-tags", "--id", "7"], "Error: tags missing\n"),
    (["job", "query", "--sort", "up"], 'Error: invalid argument "up" for "--sort" flag: must be one of asc, desc\n'),
    (
        ["job", "query", "--limit", "2147483648"],
        'Error: invalid argument "2147483648" for "--limit" flag: value out of range\n',
    ),
    (["job", "create", "one", "two"], "Error: one definition at most, but there are 2 arguments\n"),
    (["job", "create", "nowhere.json"], "Error: cannot read nowhere.json: No such file or directory\n"),
]


@pytest.mark.parametrize(("argv", "message"), REFUSED_HERE)
def test_mistakes_are_found_before_any_request(run: Run, stub: Stub, argv: list[str], message: str) -> None:
    """What is missing or wrong on the command line is said in a few words, and nothing is sent."""
    outcome = run("--client-port", str(stub.port), "--mgmt-port", str(stub.port), *argv)
    assert (outcome.code, outcome.out, outcome.err) == (1, "", message)
    assert stub.seen == []


@pytest.mark.parametrize(
    "definition",
    [b"", b"[1]", b"3", b'"x"', b"{", b'{"a":1} 2', b'{"a":NaN}', b'{"a":1e400}', b'{"a":' + b"[" * 100_000],
)
def test_a_definition_must_be_an_object(north: Run, stub: Stub, definition: bytes) -> None:
    """A definition that is no JSON object is refused before any request."""
    outcome = north("job", "create", "-", stdin=definition)
    assert outcome.code == 1
    assert outcome.err.startswith("Error: the definition ")
    assert stub.seen == []


def test_a_job_without_definition_is_worth_a_warning(north: Run) -> None:
    """Creating a job without a definition works, and says so on standard error."""
    outcome = north("job", "create", "--client-id", "c")
    assert outcome.code == 0
    assert " WRN no definition was given" in outcome.err


def test_workflows_are_deleted_up_to_the_first_failure(north: Run, stub: Stub) -> None:
    """Deleting stops at the first workflow that cannot be deleted; no names are no work."""
    assert north("workflow", "delete").code == 0
    assert stub.seen == []
    stub.will({})
    stub.will({"errors": []}, 500)
    assert north("workflow", "delete", "a", "b", "c").code == 1
    assert [seen.path for seen in stub.seen] == ["/workflows/a", "/workflows/b"]


@pytest.mark.parametrize(("argv", "code"), [
    (["job", "get", "--id", "events"], 1), (["job", "wait", "--id", "events", "--for", "state=A"], 4),
])  # fmt: skip
def test_the_event_stream_is_no_job(south: Run, stub: Stub, argv: list[str], code: int) -> None:
    """The id that leads to the event stream is refused at once: reading the stream as a job would never end."""
    outcome = south(*argv)
    assert (outcome.code, outcome.out, stub.seen) == (code, "", [])
    assert outcome.err.startswith('Error: no job has the id "events"')


@pytest.mark.parametrize("command", [
    "job get", "job get-status", "job get-definition", "job get-tags", "job delete", "job update-definition",
    "job update-status --state S", "job history", "job describe", "job retry", "workflow get",
])  # fmt: skip
def test_the_subject_may_be_an_argument(run: Run, stub: Stub, command: str) -> None:
    """An id or name may be an argument; the flag beats it, and it beats variables."""
    stub.usual = lambda _: Reply(body=b'{"clientId":"c","workflow":{"name":"w"}}')
    name, place = ("name", "/workflows") if command.startswith("workflow") else ("id", "/jobs")
    ports = [f"--client-port={stub.port}", f"--mgmt-port={stub.port}"]
    for argv, asked in (
        (["7"], "7"), ([f"--{name}", "7"], "7"), (["8", f"--{name}", "7"], "7"), ([], "9"),
    ):  # fmt: skip
        stub.seen.clear()
        outcome = run(*ports, *command.split(), *argv, env={f"WFX_{name.upper()}": "9"}, stdin=b"{}")
        assert outcome.code == 0, outcome.err
        assert stub.seen[0].path.startswith(f"{place}/{asked}")
        passed_over = argv == ["7"]
        assert (f"is the argument, 7; WFX_{name.upper()} says 9, and is passed over" in outcome.err) is passed_over


@pytest.mark.parametrize("command", ["add-tags", "del-tags"])
def test_the_id_may_come_before_tags(north: Run, stub: Stub, command: str) -> None:
    """Without an id elsewhere the first argument is the id, and the others are tags; with one all are tags."""
    for argv, env in ((["7", "a", "b"], {}), (["--id=7", "a", "b"], {}), (["a", "b"], {"WFX_ID": "7"})):
        north("job", command, *argv, env=env)
        assert (stub.seen[-1].path, stub.seen[-1].json) == ("/jobs/7/tags", ["a", "b"])
