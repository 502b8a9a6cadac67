"""What the fleet API has, as Python values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from wfx.client.errors import Problem, problem_of
from wfx.client.models import Document, Members, Status
from wfx.client.selection import listed

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class JobRow:
    """What a list of the fleet API shows of a job: neither its definition nor the document of its workflow."""

    id: str
    client_id: str
    workflow: str
    """Its name."""
    group: str
    """The group of its state; empty if it is in none."""
    state: str
    stime: datetime
    """When it was created."""
    mtime: datetime
    """When it was last changed."""
    tags: tuple[str, ...] = ()
    progress: int | None = None
    message: str = ""

    @classmethod
    def of(cls, given: Any) -> JobRow:
        """Read it. Raises Unreadable."""
        read = Members(given, "a job of a list")
        return cls(
            read.text("id"), read.text("clientId"), read.text("workflow"), read.text("group"), read.text("state"),
            read.time("stime"), read.time("mtime"), tuple(map(str, read.items("tags"))),
            read.number("progress", 0) if "progress" in read.given else None, read.text("message", ""),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class JobDetails:
    """All about a job but the document of its workflow."""

    id: str
    client_id: str
    workflow: str
    """Its name."""
    group: str
    status: Status
    stime: datetime
    mtime: datetime
    tags: tuple[str, ...]
    definition: Document
    etag: str
    """What tells this version from others: ``if_match`` of a change takes it."""

    @classmethod
    def of(cls, given: Any, etag: str) -> JobDetails:
        """Read it. Raises Unreadable."""
        read = Members(given, "a job")
        return cls(
            read.text("id"), read.text("clientId"), read.text("workflow"), read.text("group"),
            Status.of(read.given.get("status")), read.time("stime"), read.time("mtime"),
            tuple(map(str, read.items("tags"))), read.document("definition"), etag,
        )  # fmt: skip

    @property
    def state(self) -> str:
        """The state it is in."""
        return self.status.state


@dataclass(frozen=True, slots=True)
class JobCount:
    """How many jobs there are in one state of one workflow."""

    workflow: str
    group: str
    """The group of the state; empty if it is in none."""
    state: str
    jobs: int

    @classmethod
    def of(cls, given: Any) -> JobCount:
        """Read it. Raises Unreadable."""
        read = Members(given, "a count of jobs")
        return cls(read.text("workflow"), read.text("group"), read.text("state"), read.number("jobs"))


@dataclass(frozen=True, slots=True)
class Summary:
    """How many jobs there are in each state, all at one moment."""

    total: int
    counts: tuple[JobCount, ...]
    position: str
    """The position on the log that the counts reflect: what to give ``events`` to go on from there."""

    @classmethod
    def of(cls, given: Any) -> Summary:
        """Read it. Raises Unreadable."""
        read = Members(given, "a summary of jobs")
        return cls(read.number("total"), tuple(map(JobCount.of, read.items("counts"))), read.text("position"))


@dataclass(frozen=True, slots=True)
class NewJob:
    """One of many jobs to be created."""

    client_id: str
    workflow: str = ""
    """The name of its workflow; that of all jobs unless given."""
    definition: Document | None = None
    """In place of the one of all jobs."""
    variables: Document | None = None
    """Merged into the definition (RFC 7396)."""
    tags: Sequence[str] = ()
    """Beside those of all jobs."""

    def members(self) -> dict[str, Any]:
        """Return it as the body of a request has it."""
        optional = {
            "workflow": self.workflow or None,
            "definition": self.definition,
            "variables": self.variables,
            "tags": listed(self.tags) or None,
        }
        return {"clientId": self.client_id} | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True, slots=True)
class BulkItem:
    """What became of one job."""

    id: str = ""
    """Empty where no job was created."""
    client_id: str = ""
    """Empty where no job has the id."""
    state: str = ""
    outcome: str = ""
    """``created``, ``updated``, ``deleted``, ``tagged`` or ``failed``; after a dry run ``failed`` or empty."""
    error: Problem | None = None
    """Why it failed."""

    @classmethod
    def of(cls, given: Any) -> BulkItem:
        """Read it. Raises Unreadable."""
        read = Members(given, "an item of a bulk request")
        error = problem_of(read.document("error")) if "error" in read.given else None
        return cls(
            read.text("id", ""), read.text("clientId", ""), read.text("state", ""), read.text("outcome", ""), error
        )


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of the jobs of one request."""

    dry_run: bool
    count: int
    """How many jobs were given, or met the conditions, those for further requests among them."""
    done: int
    failed: int
    rest: int
    """How many more meet the conditions, for further requests."""
    next: str
    """What ``after`` of the next request takes; empty if there is no rest."""
    items: tuple[BulkItem, ...]
    """One for each job, in order; after a dry run the first ones."""
    position: str
    """A position on the log before all changes of the request."""

    @classmethod
    def of(cls, given: Any) -> BulkResult:
        """Read it. Raises Unreadable."""
        read = Members(given, "the result of a bulk request")
        return cls(
            read.given.get("dryRun") is True, read.number("count"), read.number("done"), read.number("failed"),
            read.number("rest"), read.text("next", ""), tuple(map(BulkItem.of, read.items("items"))),
            read.text("position"),
        )  # fmt: skip

    @property
    def failures(self) -> tuple[BulkItem, ...]:
        """The items that failed."""
        return tuple(item for item in self.items if item.outcome == "failed")


@dataclass(frozen=True, slots=True)
class DeviceJob:
    """A job of a device."""

    id: str
    workflow: str
    group: str
    state: str
    mtime: datetime

    @classmethod
    def of(cls, given: Any) -> DeviceJob:
        """Read it. Raises Unreadable."""
        read = Members(given, "a job of a device")
        return cls(read.text("id"), read.text("workflow"), read.text("group"), read.text("state"), read.time("mtime"))


@dataclass(frozen=True, slots=True)
class Device:
    """What is known of a device; what is not known is None or empty."""

    client_id: str
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    version: str = ""
    current_job: DeviceJob | None = None
    """The newest of its jobs that are not over."""
    last_result: DeviceJob | None = None
    """The newest of the others."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Any) -> Device:
        """Read it. Raises Unreadable."""
        read = Members(given, "a device")
        said = DeviceAttributes.of(given, "")
        return cls(
            client_id=read.text("clientId"),
            first_seen=read.time("firstSeen") if "firstSeen" in read.given else None,
            last_seen=read.time("lastSeen") if "lastSeen" in read.given else None,
            version=read.text("version", ""),
            current_job=DeviceJob.of(read.given["currentJob"]) if "currentJob" in read.given else None,
            last_result=DeviceJob.of(read.given["lastResult"]) if "lastResult" in read.given else None,
            attributes=said.attributes,
            labels=said.labels,
        )


@dataclass(frozen=True, slots=True)
class DeviceAttributes:
    """What operators say about a device."""

    attributes: Mapping[str, str]
    labels: tuple[str, ...]
    etag: str
    """What tells this state from others: ``if_match`` of a change takes it."""

    @classmethod
    def of(cls, given: Any, etag: str) -> DeviceAttributes:
        """Read it. Raises Unreadable."""
        read = Members(given, "the attributes of a device")
        attributes = {name: str(value) for name, value in read.document("attributes").items()}
        return cls(attributes, tuple(map(str, read.items("labels"))), etag)


@dataclass(frozen=True, slots=True)
class FleetPage(Generic[Row]):
    """A part of a list of the fleet API."""

    items: tuple[Row, ...]
    next: str
    """Where the next page begins; empty if this is the last one."""
    position: str
    """The position on the log that the page reflects."""

    def __iter__(self) -> Iterator[Row]:
        """Go through the items."""
        return iter(self.items)


def fleet_page_of(row: Callable[[Any], Row]) -> Callable[[Any], FleetPage[Row]]:
    """Return what reads pages of such rows."""

    def read(given: Any) -> FleetPage[Row]:
        members = Members(given, "a page")
        return FleetPage(tuple(map(row, members.items("content"))), members.text("next", ""), members.text("position"))

    return read
