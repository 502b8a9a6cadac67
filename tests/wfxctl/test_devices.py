"""``wfxctl device``: lists page by page, shows one, and changes labels without losing others' changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from wfxctl_stub import Reply, Stub

from wfx.client.errors import NO_FLEET_API

Run = Callable[..., Any]
FLEET = "/api/fleet/v1"
PRESS = {
    "clientId": "press-7",
    "lastSeen": "2026-07-01T08:03:07.5Z",
    "version": "SW 1",
    "currentJob": {"state": "DARK"},
    "lastResult": {"state": "BRIGHT", "group": "CLOSED"},
    "attributes": {"line": "2", "site": "hall1"},
    "labels": ["canary", "old"],
}
PUMP = {"clientId": "pump-1", "attributes": {}, "labels": []}
TABLE = """\
CLIENT   SEEN                 VERSION  CURRENT       RESULT        LABELS      ATTRIBUTES
press-7  2026-07-01 08:03:07  SW 1     DARK          BRIGHT        canary,old  line=2,site=hall1
pump-1   never
"""


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are shown in the zone of the machine."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_a_table_is_the_default(north: Run, stub: Stub) -> None:
    """The devices are a table, asked for on the management API, under its fleet prefix."""
    stub.will({"content": [PRESS, PUMP], "position": "log-7"})
    outcome = north("device", "list")
    assert (outcome.code, outcome.out, outcome.err) == (0, TABLE, "")
    asked = (stub.one.method, stub.one.path, sorted(stub.one.query))
    assert asked == ("GET", f"{FLEET}/devices", [("limit", "100"), ("sort", "asc")])


def test_a_terminal_tells_that_there_are_more(screen: Run, north: Run, stub: Stub) -> None:
    """Below a table that has not all devices a terminal says how many there are, which it counts page by page."""
    for reply in ({"content": [PRESS], "next": "a"}, {"content": [PRESS], "next": "b"}, {"content": [PUMP, PUMP]}):
        stub.will(reply)
    outcome = screen("device", "list", "--limit", "1", "--label=x")
    assert (outcome.out.count("\n"), outcome.err) == (2, "showing 1 of 3\n")
    assert [(dict(each.query)["limit"], dict(each.query)["label"]) for each in stub.seen] == [
        ("1", "x"), ("1000", "x"), ("1000", "x"),
    ]  # fmt: skip
    stub.usual = lambda _: Reply(body=json.dumps({"content": [PRESS, PUMP]}).encode())
    assert screen("device", "list", "--limit", "2").err == ""
    assert screen("device", "list", "--limit", "0").err == ""
    stub.usual = lambda _: Reply(body=json.dumps({"content": [PRESS], "next": str(len(stub.seen))}).encode())
    assert north("device", "list", "--limit", "1").err == ""


@pytest.mark.parametrize(("rows", "told"), [(300, "showing 1 of 3,000 or more\n"), (0, "showing 1, or more\n")])
def test_what_is_counted_is_bounded(screen: Run, stub: Stub, rows: int, told: str) -> None:
    """Ten pages are counted, and a terminal says that there may be more."""
    stub.will({"content": [PRESS], "next": "a"})
    stub.usual = lambda _: Reply(body=json.dumps({"content": [PUMP] * rows, "next": str(len(stub.seen))}).encode())
    assert screen("device", "list", "--limit", "1").err == told
    assert len(stub.seen) == 11


def test_a_name_is_one_line(north: Run, stub: Stub) -> None:
    """A device whose id has line ends is one line of the names, and so no other device to the next command."""
    stub.will({"content": [PRESS | {"clientId": "evil\npress-9\u2028x"}, PRESS], "position": "log-7"})
    assert north("device", "list", "--output=name").out == "evil\\x0apress-9\u2028x\npress-7\n"


def test_each_filter_is_sent(north: Run, stub: Stub) -> None:
    """Attributes are given as NAME=VALUE, and all conditions are sent."""
    stub.will({"content": []})
    north(
        "device", "list", "--prefix=press-", "--label=a,b", "--attribute=site=x=y", "--attribute", "line=2",
        "--not-seen-for=1d1h0.5s", "--device-version=SW 1", "--sort=desc", "--limit=7",
        "--where", 'labels contains "a,b"',
    )  # fmt: skip
    assert sorted(stub.one.query) == [
        ("attribute", "site:x=y,line:2"), ("clientIdPrefix", "press-"), ("filter", 'labels contains "a,b"'),
        ("label", "a,b"), ("limit", "7"),
        ("notSeenFor", "PT90000.500000S"), ("sort", "desc"), ("version", "SW 1"),
    ]  # fmt: skip


@pytest.mark.parametrize(("words", "said"), [
    (["--attribute", "site"], '--attribute "site" should be NAME=VALUE'),
    (["--attribute", "a=b,=x"], '--attribute "=x" should be NAME=VALUE'),
    (["--not-seen-for", "2x"], '--not-seen-for: invalid age "2x": use a unit, for example 45m, 12h or 30d'),
    (["--where", ""], "--where is empty, which would be no condition"),
    (["--not-seen-for", "-1h"], '--not-seen-for: invalid age "-1h": it must not be negative'),
    (["--not-seen-for", "9" * 400 + "d"], f'--not-seen-for: invalid age "{"9" * 400}d": it is too long'),
])  # fmt: skip
def test_a_bad_condition_is_told_before_any_request(north: Run, stub: Stub, words: list[str], said: str) -> None:
    """An attribute without a value and an age that is none are refused with the option, and nothing is asked."""
    outcome = north("device", "list", *words)
    assert (outcome.code, outcome.err, stub.seen) == (1, f"Error: {said}\n", [])


def test_a_duration_of_iso_8601_is_sent_as_it_is(north: Run, stub: Stub) -> None:
    """Whatever begins with P is for the server to read."""
    stub.will({"content": []})
    north("device", "list", "--not-seen-for=P1D")
    assert ("notSeenFor", "P1D") in stub.one.query


@pytest.mark.parametrize(("limit", "limits"), [("3", ["3", "2", "1"]), ("0", ["1000", "1000", "1000"])])
def test_pages_are_read_up_to_the_limit(north: Run, stub: Stub, limit: str, limits: list[str]) -> None:
    """Further pages are asked for until there is none or the limit is reached, also behind an empty one."""
    stub.will({"content": [PRESS], "next": "a"})
    stub.will({"content": [PUMP], "next": "b"})
    stub.will({"content": [], "next": ""})
    shown = json.loads(north("device", "list", "--output=json", f"--limit={limit}").out)
    assert shown == {"content": [PRESS, PUMP]}
    assert [dict(each.query)["limit"] for each in stub.seen] == limits
    assert [dict(each.query).get("after") for each in stub.seen] == [None, "a", "b"]


def test_the_limit_ends_a_list(north: Run, stub: Stub) -> None:
    """No page is asked for behind the last device that is wanted."""
    stub.will({"content": [PRESS], "next": "a"})
    assert north("device", "list", "--limit=1", "--filter=.content[].clientId", "--raw").out == "press-7\n"
    assert len(stub.seen) == 1


def test_one_device_is_shown(north: Run, stub: Stub) -> None:
    """One device is shown as JSON, or as a table with one row."""
    stub.usual = lambda _: Reply(body=json.dumps(PRESS).encode())
    assert json.loads(north("device", "show", "press/7").out) == PRESS
    assert stub.one.path == f"{FLEET}/devices/press%2F7"
    assert north("device", "show", "press-7", "--output=table").out.splitlines()[1].split()[0] == "press-7"
    assert north("device", "show", "press-7", "--filter=.version", "--raw").out == "SW 1\n"


@pytest.mark.parametrize(("words", "said"), [
    (("show",), "client id missing"), (("show", "a", "b"), 'but "b" was given'), (("label",), "client id missing"),
    (("label", "a"), "labels missing"), (("show", "a", "--output=table", "--filter=."), "--filter works on JSON only"),
])  # fmt: skip
def test_what_is_missing_is_said(north: Run, stub: Stub, words: tuple[str, ...], said: str) -> None:
    """Nothing is asked without a client id and something to do."""
    outcome = north("device", *words)
    assert outcome.code == 1
    assert said in outcome.err
    assert stub.seen == []


def attributes(labels: list[str], etag: str, **named: str) -> Reply:
    """Answer with these labels and attributes."""
    body = json.dumps({"attributes": named, "labels": labels}).encode()
    return Reply(body=body, headers={"Content-Type": "application/json", "ETag": etag})


def test_labels_and_attributes_are_changed(north: Run, stub: Stub) -> None:
    """What is named is set or removed, what is not stays, and is replaced only if it is still what was read."""
    stub.replies += [attributes(["a", "b"], '"1"', x="1", y="2"), attributes(["a", "c"], '"2"')]
    outcome = north("device", "label", "press-7", "c", "b-", "x=3", "y-", "z=", "none-")
    assert (outcome.code, json.loads(outcome.out)) == (0, {"attributes": {}, "labels": ["a", "c"]})
    read, written = stub.seen
    assert (read.method, written.method, read.path) == ("GET", "PUT", f"{FLEET}/devices/press-7/attributes")
    assert written.json == {"attributes": {"x": "3", "z": ""}, "labels": ["a", "c"]}
    assert written.headers["if-match"] == '"1"'
    assert written.headers["content-type"] == "application/json"


def test_others_changes_are_kept(north: Run, stub: Stub) -> None:
    """If somebody else changes the device meanwhile, the change is made to what they have left."""
    refusal = Reply(412, b"{}")
    stub.replies += [attributes([], '"1"'), refusal, attributes(["x"], '"2"'), attributes(["a", "x"], '"3"')]
    assert north("device", "label", "press-7", "a").code == 0
    assert stub.seen[-1].json["labels"] == ["a", "x"]


def test_it_gives_up(north: Run, stub: Stub) -> None:
    """Whoever is always outrun, or refused for another reason, is told."""
    stub.usual = lambda seen: attributes([], '"1"') if seen.method == "GET" else Reply(412, b'{"detail":"changed"}')
    outcome = north("device", "label", "press-7", "a")
    assert (outcome.code, len(stub.seen)) == (1, 10)
    assert "changed" in outcome.err
    stub.usual = lambda _: Reply(404, b'{"errors":[{"code":"wfx.deviceNotFound","message":"there is no device"}]}')
    assert "there is no device" in north("device", "label", "press-7", "a").err


def test_an_older_server_is_named(north: Run, stub: Stub) -> None:
    """A server without devices is said to be older."""
    stub.usual = lambda _: Reply(404, b"")
    for command in ("list", "show press-7", "label press-7 a"):
        assert north("device", *command.split()).err == f"Error: {NO_FLEET_API}\n"
