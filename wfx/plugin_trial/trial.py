"""Trial of a plugin directory: its plugins are started as the server would, and asked about some requests."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from wfx import logs
from wfx.commandline import input_files
from wfx.commandline.failures import EXIT_FAILED, EXIT_OK, Failure, UsageFailure
from wfx.commandline.invocation import Invocation
from wfx.commandline.options import Value
from wfx.commandline.terminal import Stream, neutralise
from wfx.plugin.chain import PluginChain
from wfx.plugin.errors import PluginRefused, ReplyOverdue, Undecided
from wfx.plugin.message import Answer, Decision, Headers, Modify, PluginRequest, Respond
from wfx.plugin.observer import Observer
from wfx.plugin.process import PluginProcess
from wfx.plugin.program import PluginSettings, how_it_ended
from wfx.plugin.rewrite import applied
from wfx.plugin.shown import shown_request, shown_scope
from wfx.plugin_trial.samples import Sample, header, read, samples
from wfx.request_context import RequestContext, Side, enter

_WORDS = {403: "deny", 503: "unavailable"}
_SHOWN = 200
"""Bytes of a body that are shown."""
_PATIENCE = 1.0
"""Seconds until it is told that a plugin has not decided yet."""
_LOSS_DEADLINE = 5.0
"""Seconds until the reason why a plugin is gone is known."""


def run_trial(call: Invocation) -> int:
    """Show what the plugins of a directory decide; 0 if each decides, without an error, as expected."""
    if len(call.arguments) != 1:
        raise UsageFailure(
            f"wfx plugin test takes one argument, the plugin directory; {len(call.arguments)} were given"
        )
    wanted = _wanted(call)
    settings = PluginSettings(
        max_body=max(10 * 1024 * 1024, *(len(each.body) for each in wanted)),
        reply_timeout=call.settings.seconds("plugin-timeout"),
    )
    said = _Said(call.err)
    logger = logging.getLogger("wfx.plugin")
    logger.addHandler(said)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        succeeded = asyncio.run(_try(call, Path(call.arguments[0]), settings, wanted))
    except PluginRefused as exc:
        raise Failure(neutralise(str(exc))) from exc
    finally:
        logger.removeHandler(said)
    return EXIT_OK if succeeded and not said.errors else EXIT_FAILED


_OF_ONE_REQUEST: Mapping[str, Value] = {"method": "GET", "header": [], "body": ""}
"""Options of the request that ``--path`` names, and what they are unless they are given."""


def _wanted(call: Invocation) -> Sequence[Sample]:
    settings = call.settings
    side, path, name = Side(settings.text("side")), settings.text("path"), settings.text("requests")
    if path and name:
        raise UsageFailure("--path and --requests exclude each other")
    if not path and (given := [each for each, unset in _OF_ONE_REQUEST.items() if settings.value(each) != unset]):
        raise UsageFailure(f"--{given[0]} is of the request that --path names, and there is no --path")
    if name:
        return list(read(_content(call, name), name, side))
    if not path:
        return [replace(each, expect=settings.text("expect")) for each in samples(side)]
    if not path.startswith("/") or not path.isascii() or not path.isprintable():
        raise UsageFailure("--path must be a path as in a request line, such as /api/wfx/v1/jobs?limit=3")
    headers = tuple(map(header, settings.items("header")))
    body = settings.text("body").encode("utf-8", "surrogateescape")
    return [Sample(settings.text("method"), path, headers, body, side, expect=settings.text("expect"))]


def _content(call: Invocation, name: str) -> str:
    try:
        if name == "-":
            return input_files.read_bounded(call.stdin).decode("utf-8", "replace")
        with Path(name).open("rb") as file:
            return input_files.read_bounded(file).decode("utf-8", "replace")
    except OSError as exc:
        raise Failure(f"cannot read {name}: {exc.strerror}") from exc


class _Said(logging.Handler):
    """Shows what plugins write to standard error, and what the server would log of them."""

    def __init__(self, err: Stream) -> None:
        super().__init__()
        self._err = err
        self.errors = 0
        """Failures that plugins have told of, and losses of plugins."""

    def emit(self, record: logging.LogRecord) -> None:
        fields = getattr(record, "fields", {})
        message = record.getMessage()
        if record.levelno >= logging.ERROR:
            self.errors += 1
            message = f"plugin {fields.get('plugin', '')}: {message}"
        elif "msg" in fields:
            said = fields["msg"]
            message += ": " + (said if isinstance(said, str) else logs.beginning(said.text, said.most).text)
        elif record.levelno < logging.WARNING:
            return
        self._err.write(neutralise(message) + "\n")


@dataclass(frozen=True, slots=True)
class _Decided:
    """What one plugin has decided."""

    plugin: str
    asked: PluginRequest
    decision: Decision
    seconds: float


async def _try(call: Invocation, directory: Path, settings: PluginSettings, wanted: Sequence[Sample]) -> bool:
    """Ask about each request in turn; tell whether each plugin lived and decided as expected."""
    chain = await PluginChain.start(directory, settings, asyncio.Event())
    try:
        if not chain.plugins and not chain.observers:
            raise Failure(f"{directory} holds no plugin: nothing in it is an executable file")
        as_expected = [await _ask(call, chain, sample, number) for number, sample in enumerate(wanted, 1)]
    finally:
        await chain.stop()
    ended_well = [_ended_well(call, observer, settings.stop_grace) for observer in chain.observers]
    return all(ended_well) and all(as_expected)


def _ended_well(call: Invocation, observer: Observer, grace: float) -> bool:
    """Tell how an observer that is gone has ended, unless by itself and without an error."""
    if observer.hung:
        why = f"hangs: it did not end within {grace:g} s of the end of its input, and was killed"
    elif observer.exit_status:
        why = how_it_ended(observer.exit_status)
    else:
        return True
    call.err.write(neutralise(f"plugin {observer.name} {why}") + "\n")
    return False


async def _ask(call: Invocation, chain: PluginChain, sample: Sample, number: int) -> bool:
    enter(RequestContext(sample.side, b"trial-%d" % number, sample.certificate))
    sent = shown_request(shown_scope(sample.scope), sample.body)
    decided: list[_Decided] = []
    outcome: PluginRequest | Respond = sent
    for plugin in chain.plugins:
        if isinstance(outcome, Respond):
            break
        asked, began = outcome, perf_counter()
        try:
            decision = await _decision(call, plugin, asked)
            outcome = applied(asked, decision)
        except ReplyOverdue as exc:
            plugin.kill()
            raise Failure(f"{sample}: plugin {plugin.name} hangs: it {exc} (--plugin-timeout), and was killed") from exc
        except Undecided as exc:
            if not plugin.open:
                with suppress(TimeoutError):  # the reason is told by what logs it
                    await asyncio.wait_for(asyncio.shield(chain.lost), _LOSS_DEADLINE)
            raise Failure(f"{sample}: plugin {plugin.name} {exc}") from exc
        decided.append(_Decided(plugin.name, asked, decision, perf_counter() - began))
    word = _word(outcome) if isinstance(outcome, Respond) else "pass" if outcome is sent else "modify"
    _show(call, sample, decided, word)
    if chain.observers:
        chain.observe(_answered(sent, outcome, decided))
    return word == sample.expect or not sample.expect


async def _decision(call: Invocation, plugin: PluginProcess, asked: PluginRequest) -> Decision:
    """Ask one plugin; say so where that takes long."""
    asking = asyncio.ensure_future(plugin.ask(asked))
    done, _ = await asyncio.wait([asking], timeout=_PATIENCE)
    if not done:
        deadline = call.settings.seconds("plugin-timeout")
        told = f"plugin {plugin.name} has not decided yet; it is killed after {deadline:g} s (--plugin-timeout)"
        call.err.write(neutralise(told) + "\n")
    return await asking


def _answered(sent: PluginRequest, outcome: PluginRequest | Respond, decided: Sequence[_Decided]) -> PluginRequest:
    """Make up the answer that observers are told of: that of a plugin, or an empty one of the server."""
    response = outcome if isinstance(outcome, Respond) else Respond(200, (), b"")
    by = decided[-1].plugin.encode("utf-8", "surrogateescape") if response is outcome else b""
    size, microseconds = len(response.body), round(1e6 * sum(each.seconds for each in decided))
    answer = Answer(
        response.status, response.headers, response.body, size, True, microseconds, by, b"", len(sent.body)
    )  # fmt: skip
    return replace(sent, answer=answer)


def _word(response: Respond) -> str:
    return _WORDS.get(response.status, "accept")


def _show(call: Invocation, sample: Sample, decided: Sequence[_Decided], word: str) -> None:
    wrong = bool(sample.expect) and word != sample.expect
    if call.settings.text("output") == "json":
        document = {
            "method": sample.method, "path": sample.path, "side": str(sample.side), "outcome": word,
            "decisions": [{"plugin": each.plugin, **_described(each)} for each in decided],
        } | ({"expected": sample.expect} if sample.expect else {})  # fmt: skip
        call.out.json(json.dumps(document, ensure_ascii=False))
        return
    call.out.line(neutralise(f"{sample}: {word}") + (f", but {sample.expect} was expected" if wrong else ""))
    for each in decided:
        details = _described(each)
        kind = details.pop("decision")
        told = "".join(f", {name} {str(value).strip()}" for name, value in details.items())
        call.out.line(neutralise(f"    {each.plugin}: {kind}{told}"))


def _described(decided: _Decided) -> dict[str, Any]:
    """Tell what a plugin has decided: how it answers, or what it changes."""
    match decided.decision:
        case Respond(status=status, headers=headers, body=body):
            return {"decision": _word(decided.decision), "status": status} | _headers(headers) | _body(body)
        case Modify(destination=destination, headers=headers, body=body):
            is_other = destination and destination != decided.asked.destination
            changed = {"destination": _text(destination)} if is_other else {}
            return {"decision": "modify"} | changed | _changed(decided.asked.headers, headers) | _body(body or b"")
    return {"decision": "pass"}


def _changed(before: Headers, after: Headers) -> dict[str, Any]:
    names = {name for name, _ in after}
    removed = [_text(name) for name, _ in before if name not in names]
    return _headers(set(after) - set(before)) | ({"removed": removed} if removed else {})


def _headers(headers: Iterable[tuple[bytes, tuple[bytes, ...]]]) -> dict[str, Any]:
    found = {_text(name): ", ".join(map(_text, values)) for name, values in sorted(headers)}
    return {"headers": found} if found else {}


def _body(body: bytes) -> dict[str, Any]:
    return {"body": _text(body[:_SHOWN]) + ("…" if len(body) > _SHOWN else "")} if body else {}


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
