"""What the API has, as Python values; members that this client does not know are passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Never, TypeVar

from wfx.client.errors import Unreadable

Item = TypeVar("Item")
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Status:
    """Where a job stands, and what its device says about it."""

    state: str
    client_id: str = ""
    progress: int = 0
    message: str = ""
    context: Document = field(default_factory=dict)
    definition_hash: str = ""

    @classmethod
    def of(cls, given: Any) -> Status:
        """Read it. Raises Unreadable."""
        read = Members(given, "a status")
        return cls(
            read.text("state"), read.text("clientId", ""), read.number("progress", 0), read.text("message", ""),
            read.document("context"), read.text("definitionHash", ""),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Transition:
    """A step of a workflow."""

    from_state: str
    to_state: str
    eligible: str
    """``CLIENT`` or ``WFX``."""
    action: str = ""
    """``IMMEDIATE`` or ``WAIT``; empty if the workflow leaves it open."""

    @classmethod
    def of(cls, given: Any) -> Transition:
        """Read it. Raises Unreadable."""
        read = Members(given, "a transition")
        return cls(read.text("from"), read.text("to"), read.text("eligible"), read.text("action", ""))


@dataclass(frozen=True, slots=True)
class Workflow:
    """A state machine. In events, often nothing is known but the name."""

    name: str
    description: str = ""
    states: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The states of each group."""
    transitions: tuple[Transition, ...] = ()
    document: Document = field(default_factory=dict, repr=False, compare=False)
    """All of it, as it came."""

    @classmethod
    def of(cls, given: Any) -> Workflow:
        """Read it. Raises Unreadable."""
        read = Members(given, "a workflow")
        groups = [Members(each, "a group") for each in read.items("groups")]
        return cls(
            read.text("name"),
            read.text("description", ""),
            tuple(Members(each, "a state").text("name") for each in read.items("states")),
            {group.text("name"): tuple(map(str, group.items("states"))) for group in groups},
            tuple(map(Transition.of, read.items("transitions"))),
            read.given,
        )

    def group_of(self, state: str) -> str:
        """Return the group that a state is in; empty if it is in none."""
        return next((name for name, states in self.groups.items() if state in states), "")


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What a job was before one change."""

    mtime: datetime
    status: Status
    definition: Document | None = None
    """None where the change left it alone."""

    @classmethod
    def of(cls, given: Any) -> HistoryEntry:
        """Read it. Raises Unreadable."""
        read = Members(given, "a history entry")
        changed = read.document("definition") if "definition" in read.given else None
        return cls(read.time("mtime"), Status.of(read.given.get("status")), changed)


@dataclass(frozen=True, slots=True)
class Job:
    """One device's run through a workflow."""

    id: str
    client_id: str
    workflow: Workflow
    status: Status
    stime: datetime
    """When it was created."""
    mtime: datetime
    """When it was last changed."""
    tags: tuple[str, ...] = ()
    definition: Document = field(default_factory=dict)
    history: tuple[HistoryEntry, ...] = ()
    """The newest first; only where it was asked for."""

    @classmethod
    def of(cls, given: Any) -> Job:
        """Read it. Raises Unreadable."""
        read = Members(given, "a job")
        return cls(
            read.text("id"),
            read.text("clientId"),
            Workflow.of(read.given.get("workflow")),
            Status.of(read.given.get("status")),
            read.time("stime"),
            read.time("mtime"),
            tuple(map(str, read.items("tags"))),
            read.document("definition"),
            tuple(map(HistoryEntry.of, read.items("history"))),
        )

    @property
    def state(self) -> str:
        """The state it is in."""
        return self.status.state

    @property
    def group(self) -> str:
        """The group of that state; empty if it is in none."""
        return self.workflow.group_of(self.state)


@dataclass(frozen=True, slots=True)
class Event:
    """One change on the log."""

    position: str
    """What to give as ``since`` to go on behind it."""
    action: str
    """``CREATE``, ``DELETE``, ``UPDATE_STATUS``, ``UPDATE_DEFINITION``, ``ADD_TAGS`` or ``DELETE_TAGS``."""
    ctime: datetime
    job_id: str
    client_id: str
    workflow: str
    """Its name."""
    job: Document = field(repr=False)
    """What the event says about the job, as it came: all of it for CREATE, else what has changed."""

    @classmethod
    def of(cls, given: Any, position: str) -> Event:
        """Read it. Raises Unreadable."""
        read = Members(given, "an event")
        job = Members(read.given.get("job"), "the job of an event")
        workflow = Members(job.given.get("workflow"), "the workflow of an event").text("name")
        return cls(
            position, read.text("action"), read.time("ctime"), job.text("id"), job.text("clientId"), workflow, job.given
        )

    @property
    def status(self) -> Status | None:
        """The status that the job has now; None where the event does not tell it."""
        status = self.job.get("status")
        return Status.of(status) if isinstance(status, dict) and "state" in status else None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A part of a list."""

    items: tuple[Item, ...]
    total: int | None = None
    """How many there are in all; None unless it was asked for."""

    def __iter__(self) -> Iterator[Item]:
        """Go through the items."""
        return iter(self.items)

    def __len__(self) -> int:
        """Count the items."""
        return len(self.items)


def page_of(item: Callable[[Any], Item]) -> Callable[[Any], Page[Item]]:
    """Return what reads pages of such items."""

    def read(given: Any) -> Page[Item]:
        members = Members(given, "a page")
        place = members.document("pagination")
        return Page(tuple(map(item, members.items("content"))), place.get("total"))

    return read


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a server works."""

    status: str
    """``up``, ``down`` or ``unknown``."""
    details: Mapping[str, str] = field(default_factory=dict)
    """The status of each part."""

    @classmethod
    def of(cls, given: Any) -> Health:
        """Read it. Raises Unreadable."""
        read = Members(given, "a report on health")
        parts = read.document("details")
        return cls(read.text("status"), {name: Members(part, name).text("status") for name, part in parts.items()})


@dataclass(frozen=True, slots=True)
class Version:
    """Which server it is."""

    version: str
    commit: str = ""

    @classmethod
    def of(cls, given: Any) -> Version:
        """Read it. Raises Unreadable."""
        read = Members(given, "a version")
        return cls(read.text("version"), read.text("commit", ""))


class Members:
    """Members of a JSON object, by what they must be."""

    def __init__(self, given: Any, what: str) -> None:
        """Take the object; ``what`` it is, messages say. Raises Unreadable for what is no object."""
        if not isinstance(given, dict):
            raise Unreadable(f"{what} is not a JSON object: is this a server of wfx?")
        self.given: dict[str, Any] = given
        self._what = what

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text. Raises Unreadable, as all of these do."""
        value = self.given.get(name, default)
        return value if isinstance(value, str) else self._wrong(name)

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number."""
        value = self.given.get(name, default)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return int(value) if is_number else self._wrong(name)  # type: ignore[arg-type]  # mypy forgets it

    def time(self, name: str) -> datetime:
        """Return a moment."""
        try:
            return datetime.fromisoformat(self.text(name))
        except ValueError:
            return self._wrong(name)

    def items(self, name: str) -> Sequence[Any]:
        """Return a list; without one, nothing."""
        value = self.given.get(name)
        return [] if value is None else value if isinstance(value, list) else self._wrong(name)

    def document(self, name: str) -> dict[str, Any]:
        """Return an object; without one, an empty one."""
        value = self.given.get(name)
        return {} if value is None else value if isinstance(value, dict) else self._wrong(name)

    def _wrong(self, name: str) -> Never:
        raise Unreadable(f"{self._what} has no usable {name!r}: is this a server of wfx?")
