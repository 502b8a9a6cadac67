"""Commands for many jobs: they ask, send chunks that are carried out once each, and tell what became of each job."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wfx.client.pauses import Backoff
from wfx.commandline import progress
from wfx.commandline.failures import EXIT_INTERRUPTED, EXIT_OK, Failure, UsageFailure
from wfx.commandline.options import ANY_FILE, Kind, Option
from wfx.commandline.terminal import neutralise
from wfxctl import bulk_results, fleet, gojson, interruptions, resume_token
from wfxctl.documents import Document, items, member, text
from wfxctl.failures import EXIT_PARTLY, RefusedByServer, Unreachable
from wfxctl.invocation import ClientInvocation, decoded, encoded
from wfxctl.resume_token import Place

if TYPE_CHECKING:  # the HTTP library is imported when the first connection is made
    from wfxctl.client import Api

CHUNK = 500
"""Jobs of a request: done within a second or two, so that a bar moves and little is in doubt when it breaks off."""
_KEPT = 24 * 3600.0
"""Seconds that a server knows the requests that it has carried out."""
_PATIENCE = 60.0
"""Seconds that a server which has answered before may stay away."""
_TEMPORARY = (408, 409, 429, 502, 503, 504)
"""Statuses of a server that cannot do it now, or does it already."""
_FAILURES_SHOWN = 10
"""Jobs that could not be changed and are told of; the result file has all."""
_CLIENTS_NAMED = 3
"""Clients that a question names."""
_NAME_SHOWN = 40
"""Characters of a client id in a question."""

YES = Option("yes", Kind.BOOL, "with a selection: do not ask")
CREATION_OPTIONS = (
    Option("dry-run", Kind.BOOL, "with many jobs: change nothing, tell how many there are and name the first ones"),
    Option("continue-on-error", Kind.BOOL, "with many jobs: go on after a part of them in which some failed"),
    Option(
        "results",
        Kind.STRING,
        "with many jobs: write what became of each to this file, NAME.csv or NAME.ndjson",
        extensions=ANY_FILE,
    ),
    Option("resume", Kind.STRING, "with many jobs: go on where the same command broke off, by what it printed then"),
)
OPTIONS = (CREATION_OPTIONS[0], YES, *CREATION_OPTIONS[1:])
"""What commands for many jobs know beside selections."""


@dataclass(frozen=True, slots=True)
class BulkChange:
    """What is to be done with many jobs."""

    verb: str
    """For the question, such as ``delete``."""
    past: str
    """For what was done, such as ``deleted``."""
    path: str
    request: str
    """All that the command asks for, to be the same when it is resumed."""
    body: Callable[[Place], bytes]
    """Makes the request at a place."""
    preview: Callable[[Api, float, bool], Any]
    """Has the server check the request, all parts of it if so asked, and tells how many jobs there are."""
    selected: bool
    """Whether the server finds the jobs, by a selection."""
    asks: bool = True
    """Whether a person is to be asked."""


def refuse_without_many(call: ClientInvocation, what: str) -> None:
    """Raise UsageFailure for options that make sense with many jobs alone: ``--dry-run`` must not delete one."""
    for option in OPTIONS:
        if option.name in call.settings and call.settings.is_flag(option.name):
            raise UsageFailure(f"--{option.name} is for many jobs: it needs {what}")


def run(call: ClientInvocation, change: BulkChange) -> int:
    """Do it, as the options of the command say. Returns the exit code."""
    settings = call.settings
    results, dry_run = settings.text("results"), settings.flag("dry-run")
    bulk_results.check(results)
    api, resumed = fleet.api_of(call), _resumed(call, change)
    now = time.time() if resumed is None else resumed.moment
    try:
        seen = change.preview(api, now, dry_run)
    except RefusedByServer as exc:
        raise fleet.explained(exc) from exc
    place = resumed or _start(change, now, seen)
    if dry_run:
        call.show_value({"count": float(place.rest), "first": items(seen, "items")})
        return EXIT_OK
    if resumed is None and change.asks and place.rest:
        _require_consent(call, f"{change.verb} {place.rest:,} {_jobs(place.rest)}", items(seen, "items"))
    if place.log != _log_of(seen):
        raise UsageFailure("--resume is of a command to another server, or to another database of it")
    with bulk_results.opened(results, going_on=resumed is not None) as record, progress.shown(call.err) as show:
        work = _Work(call, api, change, record, show, place)
        code = work.run()
    work.report()
    return code


def moment(call: ClientInvocation) -> float:
    """Return what ages count back from: when the command was first given, where it is resumed."""
    token = call.settings.text("resume")
    return resume_token.read(token).moment if token else time.time()


def _resumed(call: ClientInvocation, change: BulkChange) -> Place | None:
    """Return where the command broke off; None if it is given for the first time. Raises UsageFailure."""
    token = call.settings.text("resume")
    if not token and not call.settings.is_flag("resume"):
        return None
    place = resume_token.read(token)
    if call.settings.flag("dry-run"):
        raise UsageFailure("--dry-run and --resume exclude each other")
    if place.digest != _digest(change):
        raise UsageFailure(
            "--resume is of another command, or other jobs match now: all other options, the files and the jobs to "
            "retry must be the same"
        )
    if time.time() - place.moment > _KEPT:
        raise UsageFailure(
            "--resume is of a command of more than 24 hours ago: the server no longer knows what was done of its last "
            "part. Look what is left, and begin anew with that"
        )
    return place


def _start(change: BulkChange, now: float, seen: Any) -> Place:
    from uuid import uuid4  # slow to import, as what makes digests is

    count = member(seen, "count")
    rest = int(count) if isinstance(count, float) else 0
    return Place(_digest(change), str(uuid4()), _log_of(seen), now, 0, 0, 0, rest, "")


def _digest(change: BulkChange) -> str:
    from hashlib import sha256  # see above

    return sha256(f"{change.path} {change.request}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _log_of(seen: Any) -> str:
    """Return the id of the log that a preview's position is on: it tells databases apart."""
    return text(seen, "position").rpartition("-")[0]


def _jobs(count: int) -> str:
    return "job" if count == 1 else "jobs"


def _require_consent(call: ClientInvocation, what: str, first: list[Any]) -> None:
    """Ask a person. Raises UsageFailure where there is none, and Failure if the answer is no."""
    if call.settings.flag("yes"):
        return
    if not (call.stdin.isatty() and call.err.is_terminal):
        raise UsageFailure(f"this would {what}: without a terminal that needs --yes, and --dry-run shows which")
    names = [_shortened(text(item, "clientId")) for item in first[:_CLIENTS_NAMED]]
    names += ["…"] * (len(first) > _CLIENTS_NAMED)
    try:
        call.err.write(neutralise(f"{what} ({', '.join(names)})?") + " [y/N] ")
        answer = call.stdin.readline(100)
    except KeyboardInterrupt:
        call.err.write("\nnothing was changed\n")
        raise
    if not answer.endswith(b"\n"):
        call.err.write("\n")  # the cursor stands behind the question still
    if answer.strip().lower() not in (b"y", b"yes"):
        raise Failure("nothing was changed")


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_SHOWN else name[: _NAME_SHOWN - 1] + "…"


@dataclass(slots=True)
class _Work:
    """The requests of one command, one after the other."""

    call: ClientInvocation
    api: Api
    change: BulkChange
    record: bulk_results.Record
    show: Callable[[str, int, int], None]
    place: Place
    failures: list[Document] = field(default_factory=list)
    trouble: str = ""
    """Why it broke off."""

    def run(self) -> int:
        """Send them all, unless something is in the way. Returns the exit code."""
        goes_on, failed = self.call.settings.flag("continue-on-error"), self.place.failed
        try:
            while self.place.rest and (goes_on or self.place.failed == failed):
                self.show(self.change.past, self.place.done + self.place.failed, self.place.total)
                self._take_answer(decoded(self._carried_out(self.change.body(self.place))))
        except KeyboardInterrupt:
            self.trouble = "interrupted"
            return EXIT_INTERRUPTED
        except Failure as exc:
            self.trouble = _reason(exc)
            return exc.code
        return EXIT_PARTLY if self.place.failed else EXIT_OK

    def _take_answer(self, answer: Any) -> None:
        done = [item for item in items(answer, "items") if isinstance(item, dict)]
        with interruptions.held_back():  # else a resumed command would record them twice
            self.record(done)
            self.place = self.place.behind(answer, selected=self.change.selected)
        self.failures += [item for item in done if text(item, "outcome") == "failed"][
            : _FAILURES_SHOWN - len(self.failures)
        ]

    def _carried_out(self, body: bytes) -> str:
        """Send a request until it is answered: whatever was lost of it, it is carried out once."""
        headers = {"Idempotency-Key": f'"{self.place.key}-{self.place.chunk}"'}
        backoff, until = Backoff(), time.monotonic() + _PATIENCE
        while True:
            try:
                return self.api.fetch("POST", self.change.path, body=body, headers=headers)
            except (Unreachable, RefusedByServer) as exc:
                if isinstance(exc, RefusedByServer) and exc.status not in _TEMPORARY:
                    raise
                pause = backoff.wait()
                if time.monotonic() + pause > until:
                    raise
                self.call.report_loss(_reason(exc), pause)
                time.sleep(pause)

    def report(self) -> None:
        """Say what was done, and how to go on if that is not all."""
        place = self.place
        counts = {"done": place.done, "failed": place.failed, "rest": place.rest}
        self.call.show_value({name: float(count) for name, count in counts.items()})
        for item in self.failures:
            who = text(item, "clientId") or text(item, "id")
            self.call.err.write(neutralise(f"{who}: {text(item, 'error', 'message')}") + "\n")
        if place.failed > len(self.failures) > 0:
            self.call.err.write(f"… and {place.failed - len(self.failures):,} more; --results FILE has all\n")
        if not place.rest and not place.failed:
            return
        told = f"{place.done:,} {self.change.past}, {place.failed:,} failed, {place.rest:,} left"
        self.call.err.write("".join(f"{neutralise(line)}\n" for line in (self.trouble, told) if line))
        if place.rest:
            more = " --continue-on-error" if place.failed and not self.trouble else ""
            self.call.err.write(f"to go on, give the same command once more with{more} --resume {place.token}\n")


def _reason(failure: Failure) -> str:
    """Return why a request was not carried out, on one line."""
    if isinstance(failure, RefusedByServer):
        problem = fleet.problem(failure)
        if isinstance(count := member(problem, "count"), float):
            return f"more jobs match now than were asked about: {count:,.0f} of those that are left"
        return text(problem, "detail") or str(failure)
    return str(failure)


def creation(
    request: str,
    head: dict[str, Any],
    count: int,
    line: Callable[[int], str],
    *,
    verb: str = "create",
    asks: bool = False,
) -> BulkChange:
    """Return what creates jobs; ``line`` encodes one of them, ``head`` is what they have in common."""
    opening = encoded(head)[:-1] + (b"," if head else b"") + b'"jobs":['

    def body(place: Place) -> bytes:
        return opening + _part(line, place.total - place.rest, count) + b"]}"

    def preview(api: Api, _: float, all_parts: bool) -> Any:  # by place, as in any callback
        seen, first, position = 0, list[Any](), ""
        while seen < (count if all_parts else min(count, 1)):
            part = _part(line, seen, count)
            answer = decoded(api.fetch("POST", "/jobs:batch", body=opening + part + b'],"dryRun":true}'))
            looked_at = int(member(answer, "count") or 0)
            first, position = first or items(answer, "items"), text(answer, "position")
            if not looked_at:
                break
            seen += looked_at
        return {"count": float(count), "items": first, "position": position}

    return BulkChange(
        verb, "created", "/jobs:batch", request + gojson.encode(head), body, preview, selected=False, asks=asks
    )


_MOST_BYTES = 2 * 1024 * 1024
"""Bytes of a request, unless a job alone has more."""


def _part(line: Callable[[int], str], start: int, count: int) -> bytes:
    """Return the jobs of the request that begins with this one; always the same."""
    part, size = list[bytes](), 0
    for number in range(start, min(start + CHUNK, count)):
        encoded_job = line(number).encode()
        size += len(encoded_job)
        if part and size > _MOST_BYTES:
            break
        part.append(encoded_job)
    return b",".join(part)


def change(
    verb: str, past: str, path: str, select: Callable[[float], dict[str, Any]], members: dict[str, Any]
) -> BulkChange:
    """Return what changes the jobs of a selection, which is the same at the same time."""

    def body(place: Place) -> bytes:
        after = {"after": place.after} if place.after else {}
        selected = {"selection": select(place.moment), "limit": float(CHUNK), "expect": float(place.rest)}
        return encoded(members | selected | after)

    def preview(api: Api, now: float, _: bool) -> Any:  # see above
        return decoded(api.fetch("POST", path, body=encoded(members | {"selection": select(now), "dryRun": True})))

    return BulkChange(
        verb, past, path, gojson.encode(members | {"selection": select(0.0)}), body, preview, selected=True
    )
