"""Lists of jobs in the fleet API."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.rollouts import Rollout, require_problem
from wfx.api.cursor import cursor_of, read_cursor
from wfx.api.times import duration, moment

LONG_AGO, FAR = "2001-02-03T04:05:06Z", "2999-12-31T23:59:59.999999%2B02:00"


class Lists:
    """The lists of one rollout."""

    def __init__(self, client: httpx.Client, rollout: Rollout) -> None:
        """Ask about the jobs of this rollout."""
        self._client, self._rollout = client, rollout

    def find(self, conditions: str = "") -> list[int]:
        """Read all pages; returns which of the six were found, in order."""
        found: list[int] = []
        after = ""
        while True:
            path = f"/jobs?workflow={self._rollout.workflow}&after={after}&{conditions}"
            answer = self._client.get(path.replace("MARK", self._rollout.mark))
            assert answer.status_code == 200, answer.text
            found += [self._rollout.ids.index(job["id"]) for job in answer.json()["content"]]
            if (after := answer.json().get("next", "")) == "":
                return found


@pytest.fixture
def lists(fleet: httpx.Client, rollout: Rollout) -> Lists:
    """Six jobs: two clients in turn, tags t0 to t2 in turn, number 4 INSTALLING, number 5 TERMINATED."""
    return Lists(fleet, rollout)


@pytest.mark.parametrize(("conditions", "found"), [
    ("", [0, 1, 2, 3, 4, 5]),
    ("limit=4", [0, 1, 2, 3, 4, 5]),
    ("limit=1&sort=desc", [5, 4, 3, 2, 1, 0]),
    ("clientId=MARK-c1", [1, 3, 5]),
    ("state=INSTALLING", [4]),
    ("group=FAILED,OPEN&tag=t0,t2", [0, 2, 3, 5]),
    ("allTags=t1,MARK", [1, 4]),
    ("allTags=t1,t2", []),
    ("tag=t0,t1&allTags=MARK", [0, 1, 3, 4]),
    ("clientIdPrefix=MARK", [0, 1, 2, 3, 4, 5]),
    ("clientIdPrefix=MARK-c0&limit=2", [0, 2, 4]),
    ("clientIdPrefix=MARK-c0x", []),
    (f"createdAfter={LONG_AGO}&createdBefore={FAR}", [0, 1, 2, 3, 4, 5]),
    (f"createdAfter={FAR}", []), (f"createdBefore={LONG_AGO}", []),
    (f"modifiedAfter={FAR}", []), (f"modifiedBefore={LONG_AGO}", []),
    (f"modifiedAfter={LONG_AGO}&modifiedBefore={FAR}&limit=5", [0, 1, 2, 3, 4, 5]),
    ("unchangedFor=0s", [0, 1, 2, 3, 4, 5]), ("unchangedFor=PT0S", [0, 1, 2, 3, 4, 5]),
    ("unchangedFor=1h", []), ("unchangedFor=P1D", []), ("unchangedFor=999999999h", []),
])  # fmt: skip
def test_conditions_find_what_they_say(lists: Lists, conditions: str, found: list[int]) -> None:
    """All conditions must hold, and page after page gives each job once in the order that was asked for."""
    assert lists.find(conditions) == found


def test_times_are_those_of_the_jobs(lists: Lists, fleet: httpx.Client, rollout: Rollout) -> None:
    """From the very moment of a job's creation or change on it is found, and before that moment it is not."""
    for number in (2, 5):
        (job,) = (each for each in _page(fleet, rollout) if each["id"] == rollout.ids[number])
        assert number in lists.find(f"createdAfter={job['stime']}")
        assert number not in lists.find(f"createdBefore={job['stime']}")
        assert number in lists.find(f"modifiedAfter={job['mtime']}&createdBefore={FAR}")
        assert number not in lists.find(f"modifiedBefore={job['mtime']}")


def _page(client: httpx.Client, rollout: Rollout) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = client.get("/jobs", params={"workflow": rollout.workflow}).json()["content"]
    return content


def test_a_row_shows_what_people_look_for(
    fleet: httpx.Client,
    south: httpx.Client,
    job: dict[str, Any],
) -> None:
    """A row has progress and message as they were reported last, and neither definition nor workflow document."""
    status = {"state": "INSTALLING", "progress": 40, "message": "half <way>", "context": {"large": "x" * 10_000}}
    south.put(f"/jobs/{job['id']}/status", json=status)
    whole = south.get(f"/jobs/{job['id']}").json()
    (row,) = fleet.get("/jobs", params={"clientId": job["clientId"]}).json()["content"]
    assert row == {
        "id": job["id"], "clientId": job["clientId"], "workflow": job["workflow"]["name"], "group": "OPEN",
        "state": "INSTALLING", "progress": 40, "message": "half <way>", "tags": ["a", "b"],
        "stime": whole["stime"], "mtime": whole["mtime"],
    }  # fmt: skip


def test_what_was_not_reported_is_absent(fleet: httpx.Client, job: dict[str, Any]) -> None:
    """A job without any report has neither progress nor message."""
    (row,) = fleet.get("/jobs", params={"clientId": job["clientId"]}).json()["content"]
    assert {"progress", "message"}.isdisjoint(row)


def test_the_event_stream_goes_on_behind_a_page(
    fleet: httpx.Client,
    north: httpx.Client,
    rollout: Rollout,
) -> None:
    """The position of a page is what ``since`` takes."""
    position = fleet.get("/jobs", params={"limit": 1}).json()["position"]
    north.post(f"/jobs/{rollout.ids[0]}/tags", json=["later"])
    query = {"since": position, "jobIds": ",".join(rollout.ids)}
    events = north.get("/jobs/events", params=query, headers={"Accept": "application/json"}).json()["content"]
    assert [each["event"]["action"] for each in events] == ["ADD_TAGS"]


OTHER_LOG = cursor_of("0" * 32, 7)


@pytest.mark.parametrize(("query", "named"), [
    ("limit=0", "0 is not between 1 and 1000"),
    ("limit=1001", "1001 is not between 1 and 1000"),
    ("limit=1e9", "'1e9' is no integer between 1 and 1000"),
    ("limit=" + "9" * 30, "is no integer between 1 and 1000"),
    ("createdAfter=yesterday", "'yesterday' is no time of RFC 3339 with its zone"),
    ("createdAfter=2026-07-01T12:00:00", "is no time of RFC 3339 with its zone"),
    ("createdBefore=", "is no time of RFC 3339 with its zone"),
    ("modifiedAfter=" + "1" * 101, "longer than 100 characters"),
    ("statee=A", "unknown parameter 'statee' (did you mean state?)"),
    ("createdafter=x", "unknown parameter 'createdafter' (did you mean createdAfter?)"),
    ("offset=3&colour=red", "unknown parameters 'offset', 'colour'"),
    ("&".join(f"x{n}=1" for n in range(9)), "'x4' and 4 more"), ("x" * 5000 + "=1", "unknown parameter 'xxx"),
    ("state=%zz", "'state=%zz' in the query: % is not followed by two hex digits"),
    ("unchangedFor=1", "'1' is not a duration such as 2d"),
    ("unchangedFor=-1h", "is not a duration"), ("unchangedFor=P1Y", "is not a duration"),
    ("sort=ASC", "'ASC' is none of asc, desc"),
    ("after=x", "'x' is no cursor"), ("after=%00", "U+0000"), (f"after={OTHER_LOG}", "the cursor is of another"),
    ("after=" + urlsafe_b64encode(b"a." + b"9" * 30).decode().rstrip("="), "is no cursor"),
])  # fmt: skip
def test_a_bad_parameter_is_a_problem(fleet: httpx.Client, query: str, named: str) -> None:
    """What a parameter cannot mean is refused, and named with what it could be."""
    assert named in require_problem(fleet.get(f"/jobs?{query}"), 400, "wfx.badRequest")["detail"]


@pytest.mark.parametrize(("text", "seconds"), [
    ("PT1S", 1), ("PT1.5S", 1.5), ("PT1.5H", 5400), ("PT0,5M", 30), ("P0.5D", 43_200),
    ("PT10000000000S", 1e10), ("PT2M", 120), ("PT1H30M", 5400), ("P1D", 86400), ("P1DT1S", 86401),
    ("P2W", 1_209_600), ("1h30m", 5400), ("250ms", 0.25), ("0s", 0), ("+1s", 1),
    ("30d", 2_592_000), ("1d12h", 129_600), ("2w", 1_209_600), ("1y", 31_536_000), ("1.5d", 129_600),
])  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    """Durations of ISO 8601 and with units mean the same."""
    assert duration(text) == seconds * 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1",
        "PT1",
        "P1M",
        "PT1.5H1M",
        "PT.5S",
        "PT1.S",
        "P1Y2M",
        "PT1e3S",
        "P1DT",
        "PT1S1M",
        "p1d",
        "1D",
        "0",
        "-PT1S",
        "P1W ",
    ],
)
def test_no_durations(text: str) -> None:
    """Months and years, which have no length, and what is misspelt are refused."""
    with pytest.raises(ValueError, match="is not a duration"):
        duration(text)


@pytest.mark.parametrize("text", ["P" + "9" * 98 + "D", "9" * 99 + "h", "PT" + "9" * 97 + "S"])
def test_very_long_durations(text: str) -> None:
    """A duration of any number of digits is one; what is longer than all time means the same."""
    assert duration(text) == 2**61


@pytest.mark.parametrize(("text", "seconds"), [
    ("1970-01-01t00:00:01z", 1), ("1970-01-01 00:00:01Z", 1), ("1970-01-01T02:00:00+02:00", 0),
    ("1970-01-01T02:00:00 02:00", 0), ("1969-12-31T23:00:00-01:00", 0), ("1970-01-01T00:00:00-00:00", 0),
    ("1970-01-01T00:00:00.5Z", 0.5), ("1970-01-01T00:00:00.0000010000000000000000000000000Z", 0.000_001),
    ("1970-01-01T00:00:00.0000001Z", 0.000_001), ("1970-01-01T00:00:00.9999999Z", 1),
    ("1972-06-30T23:59:60Z", 78_796_800), ("1972-07-01T01:59:60.5+02:00", 78_796_800.5),
    ("0001-01-01T00:00:00+23:59", -62_135_683_140), ("9999-12-31T23:59:60Z", 253_402_300_800),
])  # fmt: skip
def test_forms_of_moments(text: str, seconds: float) -> None:
    """All forms of RFC 3339 are read; what is finer than a microsecond begins with the next one."""
    assert moment(text) == round(seconds * 1_000_000)


@pytest.mark.parametrize("text", [
    "", "1970-01-01", "1970-01-01T00:00Z", "1970-01-01T00:00:00", "19700101T000000Z", "1970-W01-1T00:00:00Z",
    "1970-13-01T00:00:00Z", "1970-02-30T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z",
    "1970-01-01T00:00:60Z", "1970-01-01T00:00:61Z", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00,5Z",
    "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+0200", "1970-01-01T00:00:00+02:60", "0000-01-01T00:00:00Z",
    "+1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z ", "1970-01-01T00:00:00+02:00:00", "\u0661970-01-01T00:00:00Z",
])  # fmt: skip
def test_no_moments(text: str) -> None:
    """What is no time of RFC 3339, or a day or second that there is not, is refused."""
    with pytest.raises(ValueError, match="is no time of RFC 3339"):
        moment(text)


def test_a_plus_need_not_be_escaped(fleet: httpx.Client, rollout: Rollout) -> None:
    """An offset may have its plus as it is, though query strings write a space so."""
    path = f"/jobs?workflow={rollout.workflow}&createdAfter=2001-02-03T04:05:06+02:00"
    answer = fleet.get(path, extensions={"deliberate": "a plus that is not escaped"})
    assert len(answer.json()["content"]) == 6


@pytest.mark.parametrize(("value", "found"), [
    ("a\\,b", [0]), ("a%5C%2Cb", [0]), ("b", [1]), ("a,b", [1]), ("a%2Cb", [1]), ("b,a\\,b", [0, 1]),
    ("c\\\\", [2]), ("c\\", [2]), ("c\\\\,b", [1, 2]), ("d\\x", [3]), ("d\\\\x", [3]),
])  # fmt: skip
def test_items_may_have_commas(
    fleet: httpx.Client, north: httpx.Client, own_workflow: dict[str, Any], value: str, found: list[int]
) -> None:
    """A comma behind a backslash belongs to an item of a list, in whatever encoding; others separate items."""
    tags = ["a,b", "b", "c\\", "d\\x"]
    jobs = [
        north.post("/jobs", json={"clientId": "c", "workflow": own_workflow["name"], "tags": [tag]}).json()
        for tag in tags
    ]
    content = fleet.get(f"/jobs?workflow={own_workflow['name']}&tag={value}").json()["content"]
    assert [job["id"] for job in content] == [jobs[n]["id"] for n in found]


def test_jobs_in_no_group_are_found(fleet: httpx.Client, north: httpx.Client, unique: Callable[[str], str]) -> None:
    """``(none)`` stands for states that are in no group, alone and beside groups."""
    name = unique("groupless")
    states, edges = [{"name": "A"}, {"name": "B"}], [{"from": "A", "to": "B", "eligible": "CLIENT"}]
    workflow = {"name": name, "states": states, "transitions": edges, "groups": [{"name": "END", "states": ["B"]}]}
    assert north.post("/workflows", json=workflow).status_code == 201
    north.post("/jobs", json={"clientId": "c", "workflow": name})
    for group, number in (("(none)", 1), ("END,(none)", 1), ("END", 0)):
        assert len(fleet.get("/jobs", params={"workflow": name, "group": group}).json()["content"]) == number
        assert fleet.get("/jobs/summary", params={"workflow": name, "group": group}).json()["total"] == number


def test_moments() -> None:
    """Times of any zone are microseconds since 1970, also before that."""
    assert moment("1970-01-01T00:00:01.000002Z") == 1_000_002
    assert moment("1970-01-01T02:00:00+02:00") == 0
    assert moment("1969-12-31T23:59:59Z") == -1_000_000
    assert moment("0001-01-01T00:00:00+23:59") < moment("9999-12-31T23:59:59-23:59")


@pytest.mark.parametrize("number", [0, 1, 2**62])
def test_cursors(number: int, unique: Callable[[str], str]) -> None:
    """A cursor is read as it was written, and fits into a query string as it is."""
    log_id = unique("log.with.dots")
    assert read_cursor(cursor_of(log_id, number)) == (log_id, number)
    assert cursor_of(log_id, number).replace("-", "").replace("_", "").isalnum()
