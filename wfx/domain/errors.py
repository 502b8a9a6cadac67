"""Errors of the domain, as one tree.

    WfxError
    ├── NotFound
    │   ├── DeviceNotFound
    │   ├── JobNotFound
    │   ├── NoRules               the server has no rules at all
    │   ├── TaskNotFound
    │   └── WorkflowNotFound
    ├── Refused                   the request is understood and not possible
    │   ├── WorkflowNotUnique
    │   ├── WorkflowInvalid
    │   ├── WorkflowInUse
    │   ├── TransitionRefused
    │   ├── TooManyTags
    │   ├── TextTooLong
    │   ├── JobExists
    │   ├── JobChanged
    │   ├── DescriptionInvalid    of a device
    │   ├── DeviceChanged
    │   ├── DeviceInUse
    │   ├── SelectionTooLarge     more jobs meet the conditions than were expected
    │   ├── IdempotencyKeyReused  it was given with another request
    │   ├── IdempotencyKeyInUse   somebody carries that request out now
    │   ├── TooManyStarted        a limit is used up for now
    │   ├── TooManyRepetitions    a job was in a state often enough
    │   ├── StepTaken             a consumer is elsewhere by now
    │   │   └── SequenceTaken     a sequence of rules is elsewhere by now
    │   ├── TaskTaken             somebody else has a task, or it is finished
    │   └── TaskNotFailed         only a failed one can be done once more
    ├── those of scripts          in ``script_errors.py``
    ├── CommandTimedOut           a change was not begun in time, and was not made
    ├── EventQueueFull            too many events from outside wait
    ├── EventTimedOut             an event from outside was not evaluated in time, and does nothing
    ├── LogPositionError          a reader asked for a place the log cannot serve
    │   ├── BehindHorizon
    │   └── NotOnThisLog
    └── StoreError                the store cannot do its work now
        ├── StoreUnavailable
        │   ├── StoreBusy         somebody else held it up; what was asked for was surely not done
        │   ├── StoreDamaged      SQLite finds its content to be damaged
        │   └── StoreLost         its files are no longer what the next start needs
        ├── StoreFull
        └── StoreUnusable         at start: wrong file, wrong schema, held by another server

The message of each is one sentence for the caller: what was wrong, where, and (where it helps) what to do.
"""

from __future__ import annotations

from collections.abc import Collection
from math import ceil


class WfxError(Exception):
    """Root of everything this program refuses on purpose."""


class NotFound(WfxError):
    """The named thing does not exist."""


class DeviceNotFound(NotFound):
    """No device has this client id."""

    def __init__(self, client_id: str) -> None:
        """Name the device."""
        super().__init__(f"there is no device '{client_id}'")


class JobNotFound(NotFound):
    """No job has this id."""

    def __init__(self) -> None:
        """Say what the contract says (rest-api section 3)."""
        super().__init__("Job ID was not found")


class TaskNotFound(NotFound):
    """No task has this id."""

    def __init__(self, task_id: int) -> None:
        """Name the task."""
        super().__init__(f"there is no task {task_id}")


class WorkflowNotFound(NotFound):
    """No workflow has this name."""

    def __init__(self, name: str) -> None:
        """Keep the name: job creation and deletion word the message differently from a plain read."""
        super().__init__("Workflow not found for given name")
        self.name = name


class NoRules(NotFound):
    """The server has no rules."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("this server has no rules; start it with --rules FILE")


class Refused(WfxError):
    """The request is well formed, but what it asks for is not possible."""


class WorkflowNotUnique(Refused):
    """A workflow with this name exists already."""

    def __init__(self, name: str) -> None:
        """Name the workflow that is in the way."""
        super().__init__(f"Workflow with name '{name}' already exists")


class WorkflowInvalid(Refused):
    """The workflow breaks semantic rules (rest-api section 8)."""

    def __init__(self, *faults: str) -> None:
        """Keep what is wrong, the most important first; it is also the message."""
        super().__init__(faults[0])
        self.faults = faults


class WorkflowInUse(Refused):
    """Jobs refer to the workflow, so it cannot be deleted."""

    def __init__(self, name: str) -> None:
        """Say which workflow and what to do about it."""
        super().__init__(f"Workflow '{name}' is used by jobs; delete these jobs first")


class TransitionRefused(Refused):
    """The workflow has no such transition, or not for this actor (rest-api section 9.2)."""


class TooManyTags(Refused):
    """The job would have more tags than a job may have."""

    def __init__(self, most: int, most_bytes: int) -> None:
        """Name the limits."""
        super().__init__(
            f"a job may have at most {most:,} tags, of {most_bytes:,} bytes together; remove tags that are not needed"
        )


class TextTooLong(Refused):
    """A text is longer than the store can find it by."""

    def __init__(self, what: str, size: int, most: int) -> None:
        """Say what it was and how long it may be."""
        super().__init__(
            f"a {what} may have at most {most:,} bytes in this storage, and not {size:,}; choose a shorter one"
        )


class JobExists(Refused):
    """A job with this id exists already."""

    def __init__(self, job_id: str) -> None:
        """Name the job that is in the way."""
        super().__init__(f"Job with ID '{job_id}' already exists")


class JobChanged(Refused):
    """The job has another version than the one that was asked for."""

    def __init__(self, job_id: str, expected: Collection[int], version: int) -> None:
        """Keep the version that it has; it is none of those expected."""
        wanted = " or ".join(map(str, sorted(expected))) or "one of If-Match, where no version of a job is named"
        super().__init__(f"Job with ID '{job_id}' has version {version} and not {wanted}; read it again")
        self.version = version


class DescriptionInvalid(Refused):
    """The attributes or labels of a device break a rule."""


class DeviceChanged(Refused):
    """The device has other attributes or labels than were asked for, or is known or unknown where it must not be."""

    def __init__(self, client_id: str, *, is_known: bool | None = None) -> None:
        """Say which device, and what to do about it, or that it is known or not where that is what is in the way."""
        known = "is known already" if is_known else "is not known, so nothing can match"
        changed = f"the attributes of device '{client_id}' have changed; read them again"
        super().__init__(changed if is_known is None else f"device '{client_id}' {known}")


class DeviceInUse(Refused):
    """Jobs refer to the device, so it cannot be deleted."""

    def __init__(self, client_id: str) -> None:
        """Say which device, and what to do about it."""
        super().__init__(f"device '{client_id}' has jobs; delete these first")


class SelectionTooLarge(Refused):
    """More jobs meet the conditions than were expected."""

    def __init__(self, count: int, expected: int) -> None:
        """Keep how many they are."""
        super().__init__(
            f"{count:,} jobs meet the conditions, which are more than the {expected:,} expected; look again what they "
            "are"
        )
        self.count = count


class IdempotencyKeyReused(Refused):
    """The idempotency key was given with another request before."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("this Idempotency-Key was given with another request before; make up a new one")


class IdempotencyKeyInUse(Refused):
    """The request with this idempotency key is being carried out."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            "a request with this Idempotency-Key is being carried out; send it again later to get its answer"
        )


class TooManyStarted(Refused):
    """A limit on how often work may begin is used up for now."""

    def __init__(self, kind: str, scope: str, wait: float) -> None:
        """Keep the seconds until it is not."""
        self.seconds = max(1, ceil(wait))
        super().__init__(f"the limit {kind} ({scope}) is used up; try again in {self.seconds} s")


class TooManyRepetitions(Refused):
    """A job was in a state, or reported it, as often as is allowed."""

    def __init__(self, job_id: str, state: str, count: int, most: int) -> None:
        """Name the job, the state, how often it was reported and how often that is allowed."""
        super().__init__(
            f"job '{job_id}' has entered or reported state '{state}' {count:,} times, and {most:,} are allowed"
        )


class StepTaken(Refused):
    """The consumer is at another place, or has taken this step already; what the step was to do was not done."""

    def __init__(self, consumer: str, after: int, number: int) -> None:
        """Say which step, and what to do about it."""
        super().__init__(
            f"consumer '{consumer}' is not at event {after} after {number} steps: the step was taken already, or the "
            "log was pruned up to a later event; open the consumer again to learn its place"
        )


class SequenceTaken(StepTaken):
    """A sequence has another value than was decided on; what was to be done was not done."""

    def __init__(self, names: str) -> None:
        """Name the sequences, and say what to do."""
        Refused.__init__(self, f"the sequences ({names}) are not as they were; read them again and decide again")


class TaskTaken(Refused):
    """Somebody else has claimed the task, or it is finished; what was to be done with its end was not done."""

    def __init__(self, task_id: int, attempts: int) -> None:
        """Say which attempt is over."""
        super().__init__(f"attempt {attempts} of task {task_id} is over: it was claimed once more, or is finished")


class TaskNotFailed(Refused):
    """A task that has not failed cannot be done once more."""

    def __init__(self, task_id: int, state: str) -> None:
        """Say where it stands."""
        super().__init__(f"task {task_id} is {state}; only a task that is FAILED can be done once more")


class CommandTimedOut(WfxError):
    """A change was not begun in the time that it may take; it was not made and will not be."""

    def __init__(self, seconds: float) -> None:
        """Say how long it may take."""
        super().__init__(f"the change was not begun within {seconds:g} s, and was not made; try again later")


class EventQueueFull(WfxError):
    """There is no room for one more event from outside."""

    def __init__(self, reason: str) -> None:
        """Say how much there is."""
        super().__init__(f"event queue full ({reason})")


class EventTimedOut(WfxError):
    """An event from outside was not evaluated in time; nothing was done, and nothing will be."""

    def __init__(self, milliseconds: int) -> None:
        """Name the limit."""
        super().__init__(f"the event was not evaluated within {milliseconds} ms; nothing was done")


class LogPositionError(WfxError):
    """A reader of the log asked for a position that cannot be served."""


class BehindHorizon(LogPositionError):
    """Events after the position were pruned already."""

    def __init__(self, oldest: int) -> None:
        """Keep the oldest sequence number that the log still holds."""
        super().__init__(f"events this old are no longer kept; the oldest available is {oldest}")
        self.oldest = oldest


class NotOnThisLog(LogPositionError):
    """The position lies ahead of the head, or belongs to a log with another identity."""

    def __init__(self, head: int, log_id: str) -> None:
        """Keep the head and the identity of this log."""
        super().__init__(f"this position is not on this log (identity {log_id}, newest event {head})")
        self.head = head
        self.log_id = log_id


class StoreError(WfxError):
    """The store cannot do its work now; nothing was changed."""


class StoreUnavailable(StoreError):
    """The store does not answer, or failed to make a change durable."""


class StoreBusy(StoreUnavailable):
    """Somebody else held the store up for too long; what was asked for was surely not done, and will not be."""


class StoreDamaged(StoreUnavailable):
    """The content of the store is damaged."""


class StoreLost(StoreUnavailable):
    """What is written now would be gone after the end of the process: the files are gone, or written over."""


class StoreFull(StoreError):
    """There is no room left for the change."""


class SealedValueUnreadable(StoreError):
    """A value that was encrypted cannot be read: the message names the table, the column, and whose value it is."""


class StoreUnusable(StoreError):
    """The store cannot be opened at all: the message names the place and what to do."""
