"""First look at events of the log: most bring nothing about, and that is told by the events alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from wfx.domain.job import Event as LogEvent
from wfx.expressions.scope import NotRead, Scope, User
from wfx.expressions.values import Value
from wfx.reactions.event_of_log import SOURCE, identity, told_by, type_of
from wfx.rules.event import JOB_TYPES
from wfx.rules.graph import Graph
from wfx.rules.reach import Branch, branch_of, reaches

_UNREAD = frozenset({"cause"})
_UNREAD_WITH_TAGS = frozenset({"cause", "tags"})


class FirstLook:
    """Looks by one graph."""

    def __init__(self, graph: Graph | None, log_id: str) -> None:
        """Prepare for all types of events that there are scenarios for."""
        self.graph = graph
        self._log_id = log_id
        by_type = {} if graph is None else graph.by_type
        self._branches = {name: branch_of(by_type[name], SOURCE) for name in JOB_TYPES if name in by_type}

    def branch(self, event: LogEvent) -> Branch | None:
        """Return where an event begins; None if there are no scenarios for its type."""
        return self._branches.get(type_of(event))

    def may_do(self, event: LogEvent, branch: Branch, now: datetime) -> bool:
        """Tell whether an event that begins there is to be evaluated.

        It is not if it reaches no action, and no condition fails. It is if a condition asks for more than the event
        tells: tags, the cause, scores.
        """
        if branch.is_end:
            return True
        try:
            payload = told_by(event)
            unread = _UNREAD if "tags" in payload else _UNREAD_WITH_TAGS
            members: dict[str, Value] = {
                "id": identity(event, self._log_id),
                "type": type_of(event),
                "source": SOURCE,
                "actor_id": event.client_id,
            }
            return reaches(branch, Scope(payload, {}, members, now, _NO_FACTS, unread=unread))
        except Exception:  # noqa: BLE001 - the evaluation fails likewise, and tells of it
            return True


class _NoFacts:
    """Facts that were not read."""

    def score(self, actor_id: str) -> float:
        raise NotRead(actor_id)

    def sequence(self, key: str) -> int:
        raise NotRead(key)

    def user(self, user_id: str) -> User | None:
        raise NotRead(user_id)

    def members(self, groups: Iterable[str]) -> Iterable[User]:
        raise NotRead(str(groups))


_NO_FACTS = _NoFacts()
