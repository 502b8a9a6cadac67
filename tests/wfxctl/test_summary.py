"""``wfxctl job summary``: counts as a table or as JSON, once or whenever they change."""

from __future__ import annotations

import json
import os
import pty
import termios
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from wfxctl_stub import Reply, Seen, Stub

from wfx.client.errors import NO_FLEET_API
from wfx.client.pauses import Backoff
from wfxctl import main, tables
from wfxctl.commands import job_summary

Run = Callable[..., Any]


def summary(**jobs: int) -> dict[str, Any]:
    """Return an answer with these numbers of jobs by state."""
    groups = {"DIM": "OPEN", "BRIGHT": "CLOSED", "BROKEN": "FAILED"}
    counts = [{"workflow": "lamp", "group": groups[state], "state": state, "jobs": n} for state, n in jobs.items()]
    return {"counts": counts, "position": "log-7", "total": sum(jobs.values())}


TABLE = """\
WORKFLOW  GROUP   STATE            JOBS
lamp      CLOSED  BRIGHT           4210
lamp      OPEN    DIM                 2
(all)                              4212
"""


def test_a_table_is_the_default(north: Run, stub: Stub) -> None:
    """The counts are a table with the total below, asked for on the management API, under its fleet prefix."""
    stub.will(summary(BRIGHT=4210, DIM=2))
    outcome = north("job", "summary")
    assert (outcome.code, outcome.out, outcome.err) == (0, TABLE, "")
    assert (stub.one.method, stub.one.path, stub.one.query) == ("GET", "/api/fleet/v1/jobs/summary", [])


def test_each_filter_is_sent(north: Run, stub: Stub) -> None:
    """The conditions are those of ``job query``."""
    stub.will(summary())
    words = ["--client-id=c", "--state=s", "--workflow=w", "--group=OPEN,FAILED", "--group=CLOSED", "--tag=a,b"]
    assert north("job", "summary", *words).out.split()[-2:] == ["(all)", "0"]
    assert sorted(stub.one.query) == [
        ("clientId", "c"), ("group", "OPEN,FAILED,CLOSED"), ("state", "s"), ("tag", "a,b"), ("workflow", "w"),
    ]  # fmt: skip


def test_json_and_filters(north: Run, stub: Stub) -> None:
    """With ``--output json`` the answer is shown as it came, and a filter is applied to it."""
    stub.usual = lambda _: Reply(body=json.dumps(summary(DIM=3)).encode())
    for option in ("--output", "-o"):
        assert json.loads(north("job", "summary", option, "json").out) == summary(DIM=3)
    assert north("job", "summary", "--filter", ".total").out == "3\n"


def test_groups_have_colours(north: Run, stub: Stub) -> None:
    """Rows have the colours that jobs of their group have."""
    stub.will(summary(BROKEN=1))
    assert "\x1b[31m" in north("job", "summary", "--color", "always").out


def test_a_refusal_is_told_by_its_errors(north: Run, stub: Stub) -> None:
    """Problem details are shown as errors of the other API are."""
    error = {"code": "wfx.badRequest", "logref": "7", "message": "too many tags"}
    stub.will({"title": "Bad Request", "errors": [error]}, 400)
    outcome = north("job", "summary")
    assert (outcome.code, outcome.out) == (1, "ERROR: too many tags (code=wfx.badRequest, logref=7)\n")


def test_an_older_server_is_named(north: Run, stub: Stub) -> None:
    """A server without the fleet API is said to be older, and nothing else is tried."""
    stub.replies.append(Reply(404, b""))
    outcome = north("job", "summary", "--watch")
    assert (outcome.code, outcome.err) == (1, f"Error: {NO_FLEET_API}\n")
    assert len(stub.seen) == 1


ROW = {"workflow": "w", "group": "", "state": "s", "jobs": 1}
GOOD = {"counts": [ROW], "position": "log-7", "total": 1}


@pytest.mark.parametrize("body", [
    [], None, {}, "x", 7, {"counts": 7}, GOOD | {"total": "1"}, GOOD | {"total": -1}, GOOD | {"total": True},
    GOOD | {"position": 7}, GOOD | {"counts": [7]}, GOOD | {"counts": [ROW | {"jobs": 1.5}]},
    GOOD | {"counts": [ROW | {"group": None}]},
])  # fmt: skip
@pytest.mark.parametrize("words", [[], ["--output", "json"], ["--watch"]])
def test_an_answer_that_is_no_summary_is_refused(north: Run, stub: Stub, body: Any, words: list[str]) -> None:
    """What is no summary of jobs is not shown as one, in no form."""
    stub.will(body)
    outcome = north("job", "summary", *words)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "Error: the answer is not a summary of jobs: something else than wfx may have answered\n"


def test_arguments_are_refused(north: Run, stub: Stub) -> None:
    """The command takes no arguments, and says so before it asks anybody."""
    outcome = north("job", "summary", "rollout-7")
    assert (outcome.code, outcome.out, len(stub.seen)) == (1, "", 0)
    assert outcome.err == 'Error: wfxctl job summary takes no arguments, but was given "rollout-7"\n'


def test_a_tag_may_have_a_comma(north: Run, stub: Stub) -> None:
    """A tag that was quoted for its comma is asked for as one tag."""
    stub.will(summary())
    north("job", "summary", "--tag", '"a,b",c', "--tag", "d\\e")
    assert stub.one.query == [("tag", "a\\,b,c,d\\\\e")]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(job_summary, "_PAUSE", 0.0)
    monkeypatch.setattr(job_summary, "_SHARE", 0)
    monkeypatch.setattr(job_summary, "_UNHEARD", 0.0)
    monkeypatch.setattr(Backoff, "wait", lambda _: 0.01)


EVENT = b'data: {"action":"CREATE"}\nid: log-8\n\n'


def stream(*chunks: bytes) -> Reply:
    """Return an event stream that ends."""
    return Reply(headers={"Content-Type": "text/event-stream"}, chunks=lambda: iter(chunks))


class Script:
    """Answers summaries in order, and each wait for events by an event."""

    def __init__(self, stub: Stub, *summaries: Reply) -> None:
        """Refuse whoever asks for more."""
        self._summaries = iter(summaries)
        self.waited: list[str] = []
        stub.usual = self._answer

    def _answer(self, request: Seen) -> Reply:
        if request.path == "/jobs/events":
            self.waited += [value for name, value in request.query if name == "since"]
            return stream(b": ping\n\n", EVENT)
        return next(self._summaries, Reply(403, b'{"errors":[]}'))


def shown(**jobs: int) -> Reply:
    """Return an answer with these numbers of jobs by state."""
    return Reply(body=json.dumps(summary(**jobs)).encode())


WATCH = ["job", "summary", "--watch", "--filter", "[.counts[].jobs] | tojson", "--raw"]


@pytest.mark.usefixtures("impatient")
def test_watching_shows_each_change(north: Run, stub: Stub) -> None:
    """With ``--watch`` the counts come again when they have changed, also after an outage, until the server refuses."""
    Script(
        stub, shown(DIM=2), shown(DIM=2), shown(DIM=1, BRIGHT=1), Reply(503, b"{}"), Reply(404, b""), shown(BRIGHT=2)
    )
    outcome = north(*WATCH)
    assert (outcome.code, outcome.out) == (1, "[2]\n[1,1]\n[2]\n")
    assert outcome.err.count("connection lost") == 2


@pytest.mark.usefixtures("impatient")
def test_who_watches_waits_for_events(north: Run, stub: Stub) -> None:
    """While nothing changes the server is not asked, before it has told of an event behind the counts."""
    script = Script(stub, shown(DIM=2), shown(DIM=2), shown(DIM=2), shown(DIM=3))
    assert north(*WATCH).out == "[2]\n[3]\n"
    assert script.waited == ["log-7"] * 2


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("refusal", [Reply(403, b""), Reply(404, b""), Reply(410, b"{}"), Reply(429, b"{}"), stream()])
def test_who_is_told_of_no_events_looks_all_the_same(north: Run, stub: Stub, refusal: Reply) -> None:
    """Where a server, or a plugin in it, gives no event stream, or ends it, the counts are asked for now and then."""
    answers = iter([shown(DIM=2), shown(DIM=2), refusal, shown(DIM=3)])
    stub.usual = lambda _: next(answers, Reply(403, b"{}"))
    assert north(*WATCH).out == "[2]\n[3]\n"


def test_who_watches_looks_once_a_second_at_most(north: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """While everything changes all the time, a second passes from one look to the next."""
    pauses: list[float] = []
    monkeypatch.setattr(job_summary.time, "monotonic", lambda: sum(pauses))
    monkeypatch.setattr(job_summary.time, "sleep", pauses.append)
    Script(stub, *(shown(DIM=n) for n in range(1, 5)))
    assert north(*WATCH).code == 1
    assert pauses == [1.0] * 4


@pytest.mark.parametrize(("header", "pause"), [("17", 17.0), ("99999999", 3600.0), ("soon", 0.25), ("", 0.25)])
def test_who_watches_comes_back_when_the_server_wants(
    north: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch, header: str, pause: float
) -> None:
    """A 429 ends nothing, not even at first: the next look comes after the pause that the server names."""
    pauses: list[float] = []
    monkeypatch.setattr(job_summary.time, "sleep", pauses.append)
    monkeypatch.setattr(Backoff, "wait", lambda _: 0.25)
    limited = Reply(429, b'{"errors":[]}', {"Retry-After": header})
    Script(stub, limited, shown(DIM=1), limited, shown(DIM=2))
    outcome = north(*WATCH)
    assert (outcome.out, outcome.err.count("the server answers 429")) == ("[1]\n[2]\n", 2)
    assert pauses[0] == pause
    assert pauses.count(pause) == 2


def test_without_watching_a_refusal_is_told_at_once(north: Run, stub: Stub) -> None:
    """Who asks once is told of a 429."""
    stub.will({"errors": [{"code": "c", "logref": "l", "message": "too many"}]}, 429)
    assert north("job", "summary").code == 1
    assert len(stub.seen) == 1


class Terminal(BytesIO):
    """A terminal that keeps what it is sent."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


@pytest.mark.usefixtures("impatient")
def test_a_terminal_shows_one_screen_that_changes(stub: Stub) -> None:
    """On a terminal each table takes the place of the one before, and leaves nothing of it."""
    Script(stub, shown(BRIGHT=4210, DIM=2), shown(BRIGHT=4212))
    terminal = Terminal()
    line = ["--mgmt-port", str(stub.port), "job", "summary", "--watch", "--color", "never"]
    assert main.run(line, BytesIO(), terminal, BytesIO(), {}) == 1
    nothing, first, second = terminal.getvalue().decode().split("\x1b[H")
    assert nothing == ""
    assert first == TABLE.replace("\n", "\x1b[K\n") + "\x1b[J"
    assert second.startswith(first[: len("WORKFLOW  GROUP   STATE            JOBS\x1b[K\n")])
    assert second.endswith("4212\x1b[K\n\x1b[J")


@pytest.mark.parametrize(("columns", "height", "expected"), [
    (80, 24, ["a header", "r1", "r2", "r3", "r4", "total"]), (80, 7, ["a header", "r1", "r2", "r3", "r4", "total"]),
    (80, 6, ["a header", "r1", "r2", "… 2 more", "total"]), (80, 4, ["a header", "… 4 more", "total"]),
    (80, 3, ["… 4 more", "total"]), (80, 2, ["total"]), (80, 1, ["total"]), (5, 4, ["a hea", "… 4 m", "total"]),
])  # fmt: skip
def test_what_does_not_fit_the_screen_is_left_out(columns: int, height: int, expected: list[str]) -> None:
    """Of many states the first ones are shown, with how many more there are, and the total."""
    assert job_summary._fitting(["a header", "r1", "r2", "r3", "r4", "total"], columns, height) == expected


@pytest.mark.parametrize(
    ("columns", "expected"), [(9, "\x1b[31mred\x1b[0m日本"), (6, "\x1b[31mred\x1b[0m日 "), (2, "\x1b[31mre\x1b[0m")]
)
def test_lines_are_cut_where_the_screen_ends(columns: int, expected: str) -> None:
    """What a line has behind the last column is left out, wide characters as a whole, and colours end."""
    assert tables.cut("\x1b[31mred\x1b[0m日本", columns) == expected


@pytest.mark.usefixtures("impatient")
def test_the_screen_is_that_of_the_terminal(stub: Stub) -> None:
    """On a terminal of 30 columns and 5 lines no line is longer, and no more lines are sent."""
    main_end, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (5, 30))
    Script(stub, shown(BRIGHT=4210, DIM=2, BROKEN=7))
    line = ["--mgmt-port", str(stub.port), "job", "summary", "--watch", "--color", "never"]
    with os.fdopen(terminal, "wb", buffering=0) as out:
        assert main.run(line, BytesIO(), out, BytesIO(), {}) == 1
        shown_lines = os.read(main_end, 10_000).decode().removeprefix("\x1b[H").split("\x1b[K\r\n")
    os.close(main_end)
    assert shown_lines == [
        "WORKFLOW  GROUP   STATE       ",
        "lamp      CLOSED  BRIGHT      ",
        "… 2 more",
        "(all)                         ",
        "\x1b[J",
    ]
