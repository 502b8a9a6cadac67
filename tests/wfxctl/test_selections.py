"""Conditions of the fleet API on the command line: each is sent as it is meant, and none is empty."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from wfxctl_stub import Reply, Stub

from wfx import spec_files
from wfxctl import selections

Run = Callable[..., Any]
CONDITIONS = {
    "all-tags": ("a,b", "a,b"),
    "client-id": ("c", "c"),
    "client-prefix": ("press-", "press-"),
    "created-after": ("2026-07-01T08:00:00Z", "2026-07-01T08:00:00Z"),
    "created-before": ("2026-07-01t10:00:00.5+02:00", "2026-07-01t10:00:00.5+02:00"),
    "group": ("OPEN,(none)", "OPEN,(none)"),
    "modified-after": ("2026-07-01T08:00:00Z", "2026-07-01T08:00:00Z"),
    "modified-before": ("2026-07-01T08:00:00Z", "2026-07-01T08:00:00Z"),
    "state": ("S", "S"),
    "tag": ('"press 7, hall 1",x', "press 7\\, hall 1,x"),
    "workflow": ("w", "w"),
}
NAMES = {"client-prefix": "clientIdPrefix", "client-id": "clientId", "all-tags": "allTags"}
LISTS = ["job summary", "job query --stale 1h"]
EMPTY = json.dumps({"counts": [], "position": "l-1", "total": 0, "content": []}).encode()


def test_all_conditions_are_tried() -> None:
    """The table above has each condition that there is, but those of ages, which have no fixed value."""
    assert {option.name for option in selections.OPTIONS} == {*CONDITIONS, "older-than", "stale"}


def test_no_condition_is_missing() -> None:
    """Each condition of the document has a flag; for how long a job is unchanged, this machine's clock tells."""
    document = yaml.safe_load(spec_files.find("fleet.openapi.yml").read_bytes())
    members = {selections._MEMBERS.get(option.name, option.name) for option in selections.OPTIONS}
    assert members == set(document["components"]["schemas"]["JobSelection"]["properties"]) - {"unchangedFor"}


@pytest.mark.parametrize("command", ["job summary", "job query --client-prefix p"])
@pytest.mark.parametrize("name", CONDITIONS)
def test_each_condition_is_sent(north: Run, stub: Stub, command: str, name: str) -> None:
    """Summaries and lists have each condition of the fleet API, by its name there."""
    stub.usual = lambda _: Reply(body=EMPTY)
    value, sent = CONDITIONS[name]
    assert north(*command.split(), f"--{name}={value}").code == 0
    camel = "".join(part.capitalize() for part in name.split("-"))
    assert dict(stub.one.query)[NAMES.get(name, camel[0].lower() + camel[1:])] == sent
    assert stub.one.path.startswith("/api/fleet/v1/jobs")


def test_a_summary_counts_back(north: Run, stub: Stub) -> None:
    """Ages are moments before now."""
    stub.usual = lambda _: Reply(body=EMPTY)
    assert north("job", "summary", "--older-than", "30d", "--stale", "1h30m").code == 0
    assert [name for name, _ in stub.one.query] == ["createdBefore", "modifiedBefore"]
    assert all(value.endswith("Z") for _, value in stub.one.query)


@pytest.mark.parametrize("command", LISTS)
@pytest.mark.parametrize("name", [option.name for option in selections.OPTIONS])
def test_an_empty_condition_is_refused(north: Run, stub: Stub, command: str, name: str) -> None:
    """A condition with nothing in it, as of a variable that is not set, is a mistake and not all jobs."""
    outcome = north("--strict", *command.split(), f"--{name}=")
    assert (outcome.code, stub.seen) == (2, [])
    assert f"--{name} is empty, which would be no condition" in outcome.err


@pytest.mark.parametrize("name", ["tag", "all-tags", "group"])
def test_an_empty_item_is_refused(north: Run, stub: Stub, name: str) -> None:
    """So is one of several."""
    for command in (*LISTS, "job delete --yes"):
        outcome = north("--strict", *command.split(), f"--{name}=a,,b")
        assert (outcome.code, stub.seen) == (2, [])
        assert f"--{name} has an empty item" in outcome.err


def test_an_empty_condition_for_devices_is_refused(north: Run, stub: Stub) -> None:
    """Lists of devices take no empty condition either."""
    for name in ("prefix", "label", "attribute", "not-seen-for", "device-version"):
        outcome = north("--strict", "device", "list", f"--{name}=")
        assert (outcome.code, stub.seen) == (2, [])
        assert f"--{name} is empty" in outcome.err


def test_the_contract_is_kept(south: Run, stub: Stub) -> None:
    """A list of the other API takes empty conditions, as it always did."""
    stub.usual = lambda _: Reply(body=b'{"content": []}')
    assert south("job", "query", "--state=", "--tag=", "--client-id=").code == 0
    assert [name for name, _ in stub.one.query] == ["limit", "offset", "sort"]


def test_variables_count_for_lists(north: Run, stub: Stub) -> None:
    """What variables set holds for lists of both APIs, and an empty variable sets no condition."""
    stub.usual = lambda _: Reply(body=EMPTY)
    for command in ("job summary", "job query --client-prefix p"):
        stub.seen.clear()
        assert north(*command.split(), env={"WFX_STATE": "S", "WFX_WORKFLOW": ""}).code == 0
        query = dict(stub.one.query)
        assert (query["state"], "workflow" in query) == ("S", False)


@pytest.mark.parametrize(
    "value", ["yesterday", "2026-07-01", "2026-07-01T08:00:00", "2026-07-01 08:00:00Z", "2026-07-01T08:00Z", "1d"]
)
def test_what_is_no_moment(north: Run, stub: Stub, value: str) -> None:
    """A moment without a time zone, or that is none, is refused with an example."""
    outcome = north("job", "summary", "--created-after", value)
    assert (outcome.code, stub.seen) == (1, [])
    assert "2026-07-01T08:00:00Z" in outcome.err


def test_two_words_for_one_condition(north: Run, stub: Stub) -> None:
    """An age and a moment for the same thing exclude each other."""
    outcome = north("job", "summary", "--older-than=1d", "--created-before=2026-07-01T08:00:00Z")
    assert (outcome.code, stub.seen) == (1, [])
    assert "--created-before and --older-than exclude each other" in outcome.err
