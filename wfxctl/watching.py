"""``wfxctl job query --watch``: the list, and then each job again whenever it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wfxctl.documents import Document, group_of, items, member, text, words
from wfxctl.failures import RefusedByServer
from wfxctl.invocation import Query, decoded, job_path
from wfxctl.stream import Follower, Following, Opened, fetch_patiently
from wfxctl.times import moment

if TYPE_CHECKING:  # the HTTP library is imported when the first connection is made
    from wfxctl.client import Api

_REMEMBERED = 1000
"""Jobs that are kept to complete events by; others are asked for again."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which jobs are watched; as the server reads the parameters of a query."""

    client_id: str
    state: str
    workflow: str
    groups: frozenset[str]
    tags: frozenset[str]

    def allow(self, job: Document) -> bool:
        """Whether the job, which may be known in part only, can be one of them."""
        return (
            self._equal(self.client_id, member(job, "clientId"))
            and self._equal(self.workflow, member(job, "workflow", "name"))
            and self._equal(self.state, member(job, "status", "state"))
            and (not self.groups or member(job, "workflow", "states") is None or group_of(job) in self.groups)
            and (not self.tags or member(job, "tags") is None or not self.tags.isdisjoint(words(job, "tags")))
        )

    @staticmethod
    def _equal(wanted: str, found: Any) -> bool:
        return not wanted or not found or wanted == found


@dataclass(frozen=True, slots=True)
class Listed:
    """The jobs that there are at the start."""

    jobs: list[Document]


@dataclass(frozen=True, slots=True)
class Changed:
    """A job that is new or different."""

    job: Document


@dataclass(frozen=True, slots=True)
class Deleted:
    """A job that was there and is no longer."""

    job: Document


class Watch:
    """Listens first and lists then, so that nothing is missed in between; and lists again after each reconnection."""

    def __init__(self, api: Api, query: Query, conditions: Conditions, report: Callable[[str, float], None]) -> None:
        """Prepare; ``query`` is that of the list."""
        self._api = api
        self._query = query
        self._conditions = conditions
        self._report = report
        self._known: dict[str, Document] = {}

    def __iter__(self) -> Iterator[Listed | Changed | Deleted]:
        """Yield the list once, and then what happens, for ever. Raises RefusedByServer."""
        how = Following(reconnect=True, patient=True, report=self._report)
        listed = False
        for item in Follower(self._api, self._stream_query(), how):
            if not isinstance(item, Opened):
                yield from self._event(decoded(item))
            elif item.status == 200:
                jobs = self._list()
                if listed:
                    yield from self._changes(jobs)
                else:
                    self._known = {text(job, "id"): job for job in jobs}
                    yield Listed(jobs)
                listed = True

    def _stream_query(self) -> Query:
        wanted = self._conditions
        # Of several such parameters the server lets any suffice, so only one of them narrows the stream down.
        names = [("clientIds", wanted.client_id), ("workflows", wanted.workflow)]
        return [*[(name, value) for name, value in names if value][:1], ("since", "now")]

    def _list(self) -> list[Document]:
        jobs = items(decoded(fetch_patiently(self._api, "/jobs", self._query)), "content")
        return [job for job in jobs if isinstance(job, dict)]

    def _changes(self, jobs: list[Document]) -> Iterator[Changed | Deleted]:
        for job in jobs:
            known = self._known.get(text(job, "id"))
            if known is None or _is_newer(job, known):
                yield from self._changed(job)

    def _event(self, event: Any) -> Iterator[Changed | Deleted]:
        action, job = text(event, "action"), member(event, "job")
        if not isinstance(job, dict):
            return
        known = self._known.get(text(job, "id"))
        if action == "DELETE":
            if known is not None:
                del self._known[text(job, "id")]
                yield Deleted(known)
        elif known is not None:
            if _is_newer(job, known):
                yield from self._changed(_merged(known, job, action))
        elif self._conditions.allow(job):
            complete: Document | None = {"tags": []} | job if action == "CREATE" else self._read_job(text(job, "id"))
            if complete is not None:
                yield from self._changed(_merged(complete, job, action))  # it may have changed again meanwhile

    def _changed(self, job: Document) -> Iterator[Changed]:
        """Show a job that is watched, or was until now."""
        was_known = self._known.pop(text(job, "id"), None) is not None
        watched = self._conditions.allow(job)
        if watched:
            self._known[text(job, "id")] = job
            if len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]
        if watched or was_known:
            yield Changed(job)

    def _read_job(self, job_id: str) -> Document | None:
        try:
            job = decoded(fetch_patiently(self._api, job_path(job_id), [("history", "false")]))
        except RefusedByServer as exc:
            if exc.status == 404:
                return None  # deleted meanwhile
            raise
        return job if isinstance(job, dict) else None


def _is_newer(job: Any, known: Document) -> bool:
    then, now = moment(text(known, "mtime")), moment(text(job, "mtime"))
    return then is None or now is None or now > then


def _merged(known: Document, job: Document, action: str) -> Document:
    """Complete what an event says about a job by what was known before."""
    merged = known | {key: job[key] for key in ("mtime", "status", "tags") if key in job}
    if action == "UPDATE_DEFINITION":  # its status holds nothing but the new hash
        hashed = {"definitionHash": text(job, "status", "definitionHash")}
        status = known.get("status")
        status = status if isinstance(status, dict) else {}
        merged |= {"status": status | hashed, "definition": job.get("definition", {})}
    return merged
