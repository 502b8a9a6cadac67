"""Tokens and headers: on each request, to this server alone, and never shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wfxctl_stub import BASE, Fleet, Reply, Seen, Stub

Run = Callable[..., Any]
SECRET = "s3cr3t-value"
REQUESTS = [
    ["job", "get", "7"],
    ["job", "query"],
    ["job", "wait", "7", "--for", "state=DIM"],
    ["job", "create", "--client-id", "c", "--workflow", "w"],
    ["job", "delete", "7"],
    ["job", "events"],
    ["job", "summary"],
    ["job", "update-definition", "7"],
    ["workflow", "query"],
    ["version"],
    ["health"],
]


@pytest.fixture
def both(run: Run, stub: Stub) -> Run:
    """Run against the stub as both APIs."""
    ports = [f"--{side}{tls}-port={stub.port}" for side in ("client", "mgmt") for tls in ("", "-tls")]
    return lambda *argv, **more: run(*ports, *argv, **more)


def finite(request: Seen) -> Reply:
    """Answer anything; streams are refused, so that they end."""
    return Reply(403, b"") if request.path == "/jobs/events" else Reply(body=b'{"version":"1"}')


@pytest.mark.parametrize("argv", REQUESTS, ids=" ".join)
def test_each_request_has_them(both: Run, stub: Stub, argv: list[str]) -> None:
    """The token and the headers go with each request of each command, streams too."""
    Path("token").write_text(f"{SECRET}\n")
    stub.usual = finite
    both("--token-file", "token", "--header", "X-Tenant: a: b", "--header", "X-Other:c", *argv)
    assert stub.seen
    for seen in stub.seen:
        assert seen.headers["authorization"] == f"Bearer {SECRET}"
        assert (seen.headers["x-tenant"], seen.headers["x-other"]) == ("a: b", "c")


def test_nothing_goes_without_tls_where_it_is_wanted(run: Run, stub: Stub) -> None:
    """Where TLS is configured, ``health`` asks the addresses without it too, but takes no token there."""
    for more in (["--enable-tls"], ["--context", "c"]):
        run("context", "add", "c", f"--client-url=https://localhost:{stub.port}", "--mgmt-url=https://localhost:1")
        run(f"--client-port={stub.port}", f"--mgmt-port={stub.port}", *more, "health", env={"WFX_TOKEN": SECRET})
    assert len([seen for seen in stub.seen if seen.path == "/health"]) == 4
    assert not any("authorization" in seen.headers for seen in stub.seen)


def test_a_token_from_a_pipe_goes_with_all_requests(both: Run, stub: Stub) -> None:
    """A token that can be read only once, as from a pipe, goes with each request of a command that makes several."""
    stub.usual = lambda _: Reply(
        200, b'{"id":"7","clientId":"c","workflow":{"name":"w"},"status":{"state":"s"},"definition":{}}'
    )
    reading, writing = os.pipe()
    try:
        os.write(writing, SECRET.encode())
        os.close(writing)
        assert both("--token-file", f"/dev/fd/{reading}", "job", "retry", "7").code == 0
    finally:
        os.close(reading)
    assert [seen.headers["authorization"] for seen in stub.seen] == [f"Bearer {SECRET}"] * 2


def test_without_them_nothing_is_added(both: Run, stub: Stub) -> None:
    """Without token and headers a request has none."""
    both("job", "get", "7")
    assert set(stub.one.headers) == {"host", "connection", "user-agent", "accept-encoding"}


def test_the_strongest_source_of_a_token_counts(both: Run, stub: Stub) -> None:
    """A flag beats the variable with the token, that the variable with its file, and that a context."""
    for name in ("flag", "variable", "context"):
        Path(name).write_text(name)
    assert both("context", "add", "c", "--token-file", "context").code == 0
    variables = {"WFX_TOKEN_FILE": "variable", "WFX_TOKEN": "itself"}
    for env, argv in (
        (variables, ["--token-file", "flag"]), (variables, []), ({"WFX_TOKEN_FILE": "variable"}, []), ({}, []),
        ({"WFX_TOKEN": ""}, []),
    ):  # fmt: skip
        assert both(*argv, "job", "get", "7", env=env).code == 0
    sent = [seen.headers.get("authorization") for seen in stub.seen]
    assert sent == ["Bearer flag", "Bearer itself", "Bearer variable", "Bearer context", None]


def test_headers_of_flags_join_those_of_the_context(both: Run, stub: Stub) -> None:
    """A flag replaces the context's header of the same name and leaves the others, and an own Authorization counts."""
    both("context", "add", "c", "--header", "X-A: 1", "--header", "X-B: 1")
    both("job", "get", "7", "--header", "x-b: 2", "--header", "authorization: Basic eA==", env={"WFX_TOKEN": "t"})
    headers = stub.one.headers
    assert (headers["x-a"], headers["x-b"], headers["authorization"]) == ("1", "2", "Basic eA==")


def test_no_other_server_gets_them(run: Run, stub: Stub) -> None:
    """A redirect to another server or port takes no token and no header along; one to the same server does."""
    with Stub().listening() as other:
        other.replies.append(Reply(307, b"", {"Location": f"http://127.0.0.1:{stub.port}{BASE}/back"}))
        stub.replies += [
            Reply(307, b"", {"Location": f"{BASE}/near"}),
            Reply(307, b"", {"Location": f"http://127.0.0.1:{other.port}{BASE}/far"}),
        ]
        outcome = run(
            "--client-host=127.0.0.1", f"--client-port={stub.port}", "--header", "X-Key: k", "job", "get", "7",
            env={"WFX_TOKEN": SECRET},
        )  # fmt: skip
        assert outcome.code == 0, outcome.err
        assert [seen.headers.get("authorization") for seen in stub.seen] == [f"Bearer {SECRET}"] * 2 + [None]
        assert [seen.headers.get("x-key") for seen in stub.seen] == ["k", "k", None]
        assert not {"authorization", "x-key"} & set(other.one.headers)


def test_a_stream_is_redirected_without_them(run: Run, stub: Stub) -> None:
    """A stream that is redirected to another server takes no token along either."""
    with Stub().listening() as other:
        other.usual = lambda _: Reply(403, b"")
        stub.replies.append(Reply(307, b"", {"Location": f"http://127.0.0.1:{other.port}/"}))
        run(f"--client-port={stub.port}", "job", "events", env={"WFX_TOKEN": SECRET})
        assert "authorization" in stub.one.headers
        assert "authorization" not in other.one.headers


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--header", f"X-Key {SECRET}"], 'a header must read "Name: value"'),
        (["--header", f"{SECRET} x: y"], 'a header must read "Name: value"'),
        (["--header", f"X-Key: {SECRET}\nX-Other: 1"], "the value of the header X-Key must consist of printable ASCII"),
        (["--header", f"X-Key: {SECRET}é"], "the value of the header X-Key must consist of printable ASCII"),
        (["--header", f"Content-Length: {SECRET}"], "the header Content-Length cannot be set"),
        (["--header", f"transfer-encoding: {SECRET}"], "the header transfer-encoding cannot be set"),
        (["--token-file", "two"], "the token file two does not hold a token: it must be one word of printable ASCII"),
        (["--token-file", "empty"], "the token file empty is empty"),
        (["--token-file", "missing"], "cannot read the token file missing: No such file or directory"),
        (["--token-file", "/dev/zero"], "the token file /dev/zero does not hold a token"),
    ],
)
def test_what_cannot_be_sent_is_said(both: Run, stub: Stub, argv: list[str], said: str) -> None:
    """A header or token that no request can have is refused before any request, in words that do not repeat it."""
    Path("two").write_text(f"{SECRET} {SECRET}")
    Path("empty").write_text("\n")
    outcome = both(*argv, "job", "get", "7")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"Error: {said}")
    assert SECRET not in outcome.err
    assert stub.seen == []


def test_verbose_shows_requests_without_secrets(both: Run, stub: Stub) -> None:
    """With --verbose each request is a command line of curl on standard error; what it returns is as without."""
    Path("d.json").write_text('{"a":"it\'s"}')
    argv = ["job", "create", "--client-id", "c", "--workflow", "w", "d.json", "--header", f"X-Key: {SECRET}",
            "--header", f"Cookie: {SECRET}"]  # fmt: skip
    plain = both(*argv, env={"WFX_TOKEN": SECRET})
    verbose = both("--verbose", *argv, env={"WFX_TOKEN": SECRET})
    assert (plain.out, plain.err) == (verbose.out, "")
    body = """'{"clientId":"c","definition":{"a":"it'"'"'s"},"workflow":"w"}'"""
    assert verbose.err == (
        f"curl -X POST http://localhost:{stub.port}/api/wfx/v1/jobs -H 'Content-Type: application/json' "
        f"-H 'Authorization: Bearer ***' -H 'X-Key: ***' -H 'Cookie: ***' --data-binary {body}\n"
    )
    assert SECRET not in verbose.err


def test_verbose_shows_the_way(run: Run, stub: Stub, tmp_path: Path) -> None:
    """The command line has sockets, proxies without their passwords, and files of TLS."""
    with Stub().on_socket(tmp_path / "socket"):
        shown = run("--verbose", "--client-unix-socket", str(tmp_path / "socket"), "job", "delete", "7").err
    assert f"curl -X DELETE http://localhost:8081/api/wfx/v1/jobs/7 --unix-socket {tmp_path}/socket\n" in shown
    proxied = run("--verbose", "--proxy", f"http://me:{SECRET}@127.0.0.1:{stub.port}", "job", "get", "7").err
    assert f"--proxy http://127.0.0.1:{stub.port}" in proxied
    assert SECRET not in proxied
    ca = tmp_path / "ca.pem"
    ca.write_text("")
    secured = run("--verbose", "--enable-tls", "--client-tls-port=1", "--tls-ca", str(ca), "job", "events").err
    assert f"https://localhost:1/api/wfx/v1/jobs/events --cacert {ca} -H 'Accept: text/event-stream'" in secured


def test_a_body_that_is_long_or_not_known_yet_is_left_out(both: Run, stub: Stub) -> None:
    """A long body, and one that is still being read, is shown as standard input."""
    del stub
    assert "--data-binary @-\n" in both("--verbose", "job", "update-definition", "7", stdin=b"{}").err
    Path("d.json").write_text('{"a":"%s"}' % ("x" * 5000))
    argv = ["--verbose", "job", "create", "--client-id", "c", "--workflow", "w", "d.json"]
    assert "--data-binary @-\n" in both(*argv).err


READS = [
    "job get 7", "job query", "job get-status 7", "job get-tags 7", "job get-definition 7", "workflow get w",
    "workflow query", "version", "job events", "job history 7", "job describe 7",
    "job wait 7 --for state=DIM --timeout 1s",
]  # fmt: skip


@pytest.mark.parametrize("line", READS)
def test_reads_go_where_they_are_sent(north: Run, stub: Stub, line: str) -> None:
    """With ``--read-from north`` the management API is read, with the parameters that the client API gets."""
    Fleet(stub).create("7")
    answer = stub.usual
    stub.usual = lambda request: Reply(403, b"") if request.path == "/jobs/events" else answer(request)
    north("--read-from", "north", *line.split())
    assert stub.seen
    stub.seen.clear()
    outcome = north(*line.split())
    assert stub.seen == []
    assert outcome.code in (1, 3)
