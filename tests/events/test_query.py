from __future__ import annotations

import pytest

from tests.events.listlog import ListLog
from wfx.domain.errors import Refused
from wfx.domain.job import Action
from wfx.events.position import NOW, Start
from wfx.events.query import EventQueryInvalid, Parameter, parse_query


def passes(**parameters: Parameter) -> bool:
    """Tell whether an UPDATE_STATUS of job j by client c in workflow flow-a passes."""
    event = ListLog().change("j", "c", "flow-a", Action.UPDATE_STATUS)
    return parse_query(parameters).filter.passes(event)


@pytest.mark.parametrize(
    ("parameters", "passing"),
    [
        ({}, True),
        ({"jobIds": "j"}, True),
        ({"jobIds": "x,j"}, True),
        ({"jobIds": ("x", "j")}, True),
        ({"jobIds": "J"}, False),
        ({"jobIds": " j"}, False),
        ({"jobIds": ""}, False),
        ({"clientIds": "c"}, True),
        ({"workflows": "flow-a"}, True),
        ({"workflows": "flow-b"}, False),
        ({"jobIds": "x", "clientIds": "c"}, True),
        ({"jobIds": "x", "clientIds": "x", "workflows": "flow-a"}, True),
        ({"jobIds": "x", "clientIds": "x", "workflows": "x"}, False),
        ({"actions": "UPDATE_STATUS"}, True),
        ({"actions": "delete,update_status"}, True),
        ({"actions": "DELETE"}, False),
        ({"actions": "DELETE", "jobIds": "j"}, False),
        ({"actions": "Update_Status", "jobIds": "j"}, True),
        ({"actions": "update_status", "jobIds": "x"}, False),
        ({"tags": "x"}, True),
    ],
)
def test_filter(parameters: dict[str, Parameter], passing: bool) -> None:
    """An event passes that jobIds, clientIds or workflows name and whose action is wanted; tags are no filter."""
    assert passes(**parameters) is passing


@pytest.mark.parametrize("action", list(Action))
def test_every_action_is_known(action: Action) -> None:
    """All six kinds of events can be asked for, in any case."""
    assert parse_query({"actions": action.lower()}).filter.actions == frozenset({action})


@pytest.mark.parametrize(
    "parameters",
    [
        {"actions": ""},
        {"actions": "CREATE,"},
        {"actions": " CREATE"},
        {"actions": "CREATED"},
        {"since": ""},
        {"since": "-1"},
        {"since": str(2**63)},
        {"since": "soon"},
        {"limit": "0"},
        {"limit": 0},
        {"limit": "-1"},
        {"limit": "1001"},
        {"limit": "ten"},
        {"limit": ""},
        {"limit": "1" * 5000},
    ],
)
def test_meaningless_parameters_are_refused(parameters: dict[str, Parameter]) -> None:
    """An unknown, empty or padded action, a malformed position and a limit out of range are refused by name."""
    with pytest.raises(EventQueryInvalid, match=next(iter(parameters))) as caught:
        parse_query(parameters)
    assert isinstance(caught.value, Refused)


@pytest.mark.parametrize(
    ("since", "last_event_id", "start"),
    [
        (None, None, None),
        (None, "", None),
        (None, "17", None),
        (None, "log-17", Start(17, "log")),
        ("5", None, Start(5)),
        ("5", "", Start(5)),
        ("5", "log-17", Start(17, "log")),
        ("now", "log-17", Start(17, "log")),
        ("now", None, NOW),
    ],
)
def test_last_event_id_wins(since: str | None, last_event_id: str | None, start: Start | None) -> None:
    """A reconnect goes on after the last id; the count of a stream without positions is ignored."""
    assert parse_query({"since": since}, last_event_id).since == start


@pytest.mark.parametrize("last_event_id", ["17", "x", "log-", "-1", f"log-{2**63}"])
def test_last_event_id_of_another_kind_is_refused_where_positions_count(last_event_id: str) -> None:
    """With since, an id that names no position is refused, as going on from elsewhere would repeat events."""
    with pytest.raises(EventQueryInvalid, match="Last-Event-ID"):
        parse_query({"since": "0"}, last_event_id)


def test_labels_and_limit() -> None:
    """Labels keep their order, none is not an empty one, and a page has 100 events unless told otherwise."""
    assert parse_query({}).labels is None
    assert parse_query({"tags": ""}).labels == ("",)
    assert parse_query({"tags": "b,a,b"}).labels == ("b", "a", "b")
    assert parse_query({}).limit == 100
    assert parse_query({"limit": "1000"}).limit == parse_query({"limit": 1000}).limit == 1000
