"""Runs of scripts, and verdicts on their sources: what goes into the engine and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a run ended."""

    DONE = "done"
    """The script gave a result."""
    SYNTAX = "syntax"
    """The source is no script; nothing ran."""
    ERROR = "error"
    """The script threw an exception."""
    RESULT = "result"
    """What the script gave is no object, cannot be written as JSON, or is a promise that never settles."""
    TIME = "time"
    MEMORY = "memory"
    OPERATIONS = "operations"
    STACK = "stack"
    OUTPUT = "output"
    """The result has more bytes than it may."""
    BUSY = "busy"
    """Too many scripts ran or waited for too long; nothing ran."""
    ENDED = "ended"
    """The run was ended from outside (:meth:`wfx.scripts.engine.ScriptEngine.end`)."""
    FAILED = "failed"
    """The worker process did not start, or ended for a reason that is not the script's; try again."""


LIMITS = frozenset({Outcome.TIME, Outcome.MEMORY, Outcome.OPERATIONS, Outcome.STACK, Outcome.OUTPUT})
"""Outcomes of runs that reached a limit."""
REPEATABLE = frozenset(
    {Outcome.DONE, Outcome.SYNTAX, Outcome.ERROR, Outcome.RESULT, Outcome.OPERATIONS, Outcome.STACK, Outcome.OUTPUT}
)
"""Outcomes that the same request has each time. TIME depends on the machine; MEMORY may where the machine is short."""


@dataclass(frozen=True, slots=True)
class SourcePosition:
    """Line and column in a source, both counted from 1; columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a source, or the exception that a script threw."""

    message: str
    """For instance ``SyntaxError: unexpected token``, of at most MESSAGE_CHARACTERS characters."""
    position: SourcePosition | None = None
    """Where in the author's text; None where nobody knows."""


MESSAGE_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the compiler says about a source."""

    fault: Fault | None
    """None: the source is a script."""
    outcome: Outcome
    """DONE, SYNTAX, or a limit that the compiler reached (STACK, MEMORY, TIME)."""
    bytecode: bytes = b""
    """What workers run; valid for this very engine only, so it is not stored."""


class Severity(StrEnum):
    """How much a finding matters."""

    HIGH = "high"
    """Something that a script cannot do: it throws, or never comes."""
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a source that its author should look at."""

    type: str
    """eval, function, constructor, require, child_process, import, process, endless_loop, prototype or global;
    not_analysed where the analysis reached a limit."""
    severity: Severity
    message: str
    position: SourcePosition


@dataclass(frozen=True, slots=True)
class RunRequest:
    """All that a run depends on."""

    source: str
    """The author's text alone."""
    payload: bytes
    """A JSON value: the argument of ``main``, and the global ``payload``."""
    next: str = ""
    """The global ``next``."""
    nflow_data: bytes = b"{}"
    """A JSON value: the global ``nflow_data``, facts that were collected before."""
    seed: int = 1
    """What ``Math.random`` begins with; from the key of a task, the same each time."""
    time: float = 0.0
    """What ``Date.now`` says, in seconds since 1970: the time of the event."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a run is for, as those see it who look on; it changes nothing of the run."""

    version: str = ""
    """The SHA-256 of the source."""
    task: int | None = None
    """The task that it is; None for one that is tried."""
    job_id: str = ""
    request_id: str = ""
    """The id of the request that began it."""


UNTOLD = Purpose()
"""Of runs of which nobody says what they are for."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended, and what it gave. ``outcome``, ``value``, ``fault`` and ``operations`` are repeatable."""

    outcome: Outcome
    value: bytes = b""
    """Of a run that is DONE: a JSON object with ``next`` (a string, or absent), ``payload``, and ``actions`` if the
    script gave any. Members that the script's object has beyond these are left out."""
    fault: Fault | None = None
    """Of a run with another outcome: what to tell the author."""
    operations: int = 0
    """Operations that were counted, in steps of OPERATIONS_STEP."""
    waited: float = 0.0
    """Seconds until a worker was free."""
    took: float = 0.0
    """Seconds of processor time in the worker."""
