"""Commands for many jobs: they ask, send chunks that are carried out once each, and tell what became of each job."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wfx.client.pauses import Backoff
from wfx.commandline import progress
from wfx.commandline.failures import EXIT_INTERRUPTED, EXIT_OK, Failure, UsageFailure
from wfx.commandline.terminal import neutralise
from wfxctl import bulk_results, fleet, interruptions, resume_token, suggestions
from wfxctl.bulk_changes import BulkChange
from wfxctl.documents import Document, items, member, text
from wfxctl.failures import EXIT_PARTLY, RefusedByServer, Unreachable
from wfxctl.invocation import ClientInvocation, decoded
from wfxctl.resume_token import BulkProgress

if TYPE_CHECKING:  # the HTTP library is imported when the first connection is made
    from wfxctl.client import Api

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
    reached = resumed or _start(change, now, seen)
    if resumed is None:
        _suggest_names(call, change, matched=reached.rest > 0)
    if dry_run:
        failed = member(seen, "failed") or 0.0
        call.show_value({"count": float(reached.rest), "failed": failed, "first": items(seen, "items")})
        return EXIT_PARTLY if failed else EXIT_OK
    if resumed is None and change.asks and reached.rest:
        jobs = f"{reached.rest:,} {'job' if reached.rest == 1 else 'jobs'}"
        _require_consent(call, change.question.replace("{jobs}", jobs, 1), items(seen, "items"))
    if reached.log != _log_of(seen):
        raise UsageFailure("--resume is of a command to another server, or to another database of it")
    with bulk_results.opened(results, going_on=resumed is not None) as record:
        work = _Work(call, api, change, record, reached)
        code = work.run()
    work.report()
    return code


def _suggest_names(call: ClientInvocation, change: BulkChange, *, matched: bool) -> None:
    """Tell which name there is not: one in the conditions where no job meets them, or one that jobs are to get."""
    if not matched:
        suggestions.for_nothing(call, change.conditions)
    elif change.names:
        suggestions.for_names(call, change.names, str(change.conditions.get("workflow", "")))


def _resumed(call: ClientInvocation, change: BulkChange) -> BulkProgress | None:
    """Return where the command broke off; None if it is given for the first time. Raises UsageFailure."""
    token = call.settings.text("resume")
    if not token and not call.settings.is_flag("resume"):
        return None
    reached = resume_token.read(token)
    if call.settings.flag("dry-run"):
        raise UsageFailure("--dry-run and --resume exclude each other")
    if reached.digest != _digest(change):
        raise UsageFailure(
            "--resume is of another command, or other jobs match now: all other options, the files and the jobs to "
            "retry must be the same"
        )
    if time.time() - reached.moment > _KEPT:
        raise UsageFailure(
            "--resume is of a command of more than 24 hours ago: the server no longer knows what was done of its last "
            "part. Look what is left, and start again with that"
        )
    return reached


def _start(change: BulkChange, now: float, seen: Any) -> BulkProgress:
    from uuid import uuid4  # slow to import, as what makes digests is

    count = member(seen, "count")
    rest = int(count) if isinstance(count, float) else 0
    return BulkProgress(_digest(change), str(uuid4()), _log_of(seen), now, 0, 0, 0, rest, "")


def _digest(change: BulkChange) -> str:
    from hashlib import sha256  # see above

    return sha256(f"{change.path} {change.request}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _log_of(seen: Any) -> str:
    """Return the id of the log that a preview's position is on: it tells databases apart."""
    return text(seen, "position").rpartition("-")[0]


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
    reached: BulkProgress
    failures: list[Document] = field(default_factory=list)
    trouble: str = ""
    """Why it broke off."""
    grown: bool = False
    """Whether that is since more jobs match than were asked about, which they would do again."""

    def run(self) -> int:
        """Send them all, unless something is in the way. Returns the exit code."""
        try:
            if self.reached.rest:
                self._send_parts()
        except KeyboardInterrupt:
            self.trouble = "interrupted"
            return EXIT_INTERRUPTED
        except Failure as exc:
            self.trouble, self.grown = _reason(exc), _matching(exc) is not None
            return exc.code
        return EXIT_PARTLY if self.reached.failed else EXIT_OK

    def _send_parts(self) -> None:
        goes_on, failed = self.call.settings.flag("continue-on-error"), self.reached.failed
        with progress.shown(self.call.err) as show:
            while self.reached.rest and (goes_on or self.reached.failed == failed):
                show(self.change.past, self.reached.done + self.reached.failed, self.reached.total)
                self._take_answer(decoded(self._carried_out(self.change.body(self.reached))))

    def _take_answer(self, answer: Any) -> None:
        done = [item for item in items(answer, "items") if isinstance(item, dict)]
        self.change.complete(self.reached.total - self.reached.rest, done)
        with interruptions.held_back():  # else a resumed command would record them twice
            self.record(done)
            self.reached = self.reached.behind(answer, selected=self.change.selected)
        self.failures += [item for item in done if text(item, "outcome") == "failed"][
            : _FAILURES_SHOWN - len(self.failures)
        ]

    def _carried_out(self, body: bytes) -> str:
        """Send a request until it is answered: whatever was lost of it, it is carried out once."""
        headers = {"Idempotency-Key": f'"{self.reached.key}-{self.reached.chunk}"'}
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
        reached = self.reached
        counts = {"done": reached.done, "failed": reached.failed, "rest": reached.rest}
        self.call.show_value({name: float(count) for name, count in counts.items()})
        for item in self.failures:
            who = text(item, "clientId") or text(item, "id")
            self.call.err.write(neutralise(f"{who}: {text(item, 'error', 'message')}") + "\n")
        if reached.failed > len(self.failures) > 0:
            self.call.err.write(f"… and {reached.failed - len(self.failures):,} more; --results FILE has all\n")
        if not reached.rest and not reached.failed:
            return
        told = f"{reached.done:,} {self.change.past}, {reached.failed:,} failed, {reached.rest:,} left"
        self.call.err.write("".join(f"{neutralise(line)}\n" for line in (self.trouble, told) if line))
        if self.grown:
            self.call.err.write("to go on with all that match now, run the command again, without --resume\n")
        elif reached.rest:
            more = " --continue-on-error" if reached.failed and not self.trouble else ""
            self.call.err.write(f"to go on, give the same command once more with{more} --resume {reached.token}\n")


def _reason(failure: Failure) -> str:
    """Return why a request was not carried out, on one line."""
    if (count := _matching(failure)) is not None:
        return f"more jobs match now than were asked about: {count:,.0f} of those that are left"
    if isinstance(failure, RefusedByServer):
        return text(fleet.problem(failure), "detail") or str(failure)
    return str(failure)


def _matching(failure: Failure) -> float | None:
    """Return how many jobs match, where a request was refused since they are more than were expected."""
    count = member(fleet.problem(failure), "count") if isinstance(failure, RefusedByServer) else None
    return count if isinstance(count, float) else None
