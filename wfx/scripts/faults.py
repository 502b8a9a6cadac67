"""What authors are told: results and verdicts from the answers of workers."""

from __future__ import annotations

import json

from wfx.sandbox.frames import Frame
from wfx.scripts.limits import OPERATIONS_STEP, ScriptLimits
from wfx.scripts.runs import Fault, Finding, Outcome, RunResult, Severity, SourcePosition, Verdict
from wfx.scripts.source_positions import position_behind, position_in


def of_text(source: str, text: bytes, limits: ScriptLimits) -> Fault | None:
    """Find what is wrong with a source before it is compiled."""
    if len(text) > limits.source:
        return Fault(f"the script has {len(text)} bytes, at most {limits.source} are allowed")
    try:
        text.decode()
    except UnicodeDecodeError as exc:
        return Fault(
            "the script has half of a character (a lone surrogate)", position_behind(text[: exc.start].decode())
        )
    at = source.find("\0")
    return Fault("the script has the character U+0000", position_behind(source[:at])) if at >= 0 else None


def verdict_of(source: str, answer: Frame, limits: ScriptLimits) -> Verdict:
    """Return the verdict on a source that was not compiled."""
    outcome, message, where, _ = _head_of(answer)
    if outcome != Outcome.SYNTAX:
        return verdict(Outcome(outcome), limits, message)
    return Verdict(Fault(message, position_in(source, where)), Outcome.SYNTAX)


def verdict(outcome: Outcome, limits: ScriptLimits, message: str = "") -> Verdict:
    """Return the verdict on a source whose compilation did not come to its end."""
    return Verdict(Fault(_text(outcome, limits, message, "the compilation of the script")), outcome)


def findings_of(answer: Frame) -> list[Finding]:
    """Return what a worker has found in a source."""
    rows = json.loads(answer.head)
    return [
        Finding(kind, Severity(severity), message, SourcePosition(*place)) for kind, severity, message, place in rows
    ]


def result_of(source: str, answer: Frame, limits: ScriptLimits, *, waited: float) -> RunResult:
    """Return the result of a run that a worker answered."""
    name, message, where, polls = _head_of(answer)
    outcome, operations = Outcome(name), polls * OPERATIONS_STEP
    if outcome is Outcome.DONE:
        return RunResult(outcome, answer.body, None, operations, waited, answer.took)
    fault = Fault(_text(outcome, limits, message), position_in(source, where))
    return RunResult(outcome, b"", fault, operations, waited, answer.took)


def result(outcome: Outcome, limits: ScriptLimits, message: str = "", *, waited: float) -> RunResult:
    """Return the result of a run that no worker answered."""
    return RunResult(outcome, fault=Fault(_text(outcome, limits, message)), waited=waited)


def _head_of(answer: Frame) -> tuple[str, str, list[int] | None, int]:
    """Decode the head of an answer; a message may have halves of characters, which nobody else could write."""
    outcome, message, where, polls = json.loads(answer.head)
    return outcome, message.encode(errors="replace").decode(), where, polls


def busy(limits: ScriptLimits) -> str:
    """Say that too many scripts ran or waited."""
    return f"{limits.admitted} scripts ran or waited for {limits.patience:g} s: try again later"


def _text(outcome: Outcome, limits: ScriptLimits, message: str, what: str = "the script") -> str:
    texts = {
        Outcome.TIME: f"{what} took longer than {limits.seconds:g} s",
        Outcome.MEMORY: f"{what} needed more than {limits.memory} bytes of memory",
        Outcome.OPERATIONS: f"{what} took more than {limits.operations} operations",
        Outcome.STACK: f"{what} called itself too often, or nested values too deeply",
        Outcome.OUTPUT: f"the result has more than {limits.output} bytes",
        Outcome.BUSY: busy(limits),
        Outcome.ENDED: "the script was ended from outside",
    }
    return texts.get(outcome, message)
