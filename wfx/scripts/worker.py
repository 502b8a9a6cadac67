"""Program of the script workers: compiles and runs scripts. Never imported by the server.

Requests and answers are frames (:mod:`wfx.scripts.protocol`). The process is confined before the first of them.
"""

from __future__ import annotations

import json
import re
from dataclasses import astuple

import wasmtime

from wfx.sandbox.frames import Frame
from wfx.scripts.analysis import findings_of
from wfx.scripts.guest import Guest, Stopped
from wfx.scripts.limits import ScriptLimits
from wfx.scripts.protocol import ANALYSE, ANALYSED, COMPILE, COMPILED, FAULT, PREPARE, PREPARED, RAN
from wfx.scripts.runs import MESSAGE_CHARACTERS, Outcome
from wfx.scripts.wasm_engine import engine

_PLACE = re.compile(r"script:([0-9]{1,7}):([0-9]{1,7})")
"""A place in a trace of the engine: line and column, in bytes, both from 1."""

_ENGINE = engine()
"""Made before this process is confined: it asks the system what the processor can."""
_guest: list[Guest] = []


def answer(request: Frame) -> Frame:
    """Do what the kind of the request says."""
    if request.kind == PREPARE:
        return _prepare(request)
    if request.kind == ANALYSE:
        rows = [(each.type, each.severity, each.message, astuple(each.position)) for each in findings_of(request.body)]
        return Frame(ANALYSED, json.dumps(rows).encode())
    return _compile(request.body) if request.kind == COMPILE else _run(request)


def _prepare(request: Frame) -> Frame:
    memory, seconds, operations, output = json.loads(request.head)
    limits = ScriptLimits(memory=memory, seconds=seconds, operations=operations, output=output)
    _guest.append(Guest(wasmtime.Module.deserialize(_ENGINE, request.body), _ENGINE, limits))
    return Frame(PREPARED)


def _compile(source: bytes) -> Frame:
    try:
        return Frame(COMPILED, body=_guest[0].compile(source))
    except Stopped as stopped:
        return Frame(FAULT, _head(stopped, 0))


def _run(request: Frame) -> Frame:
    guest = _guest[0]
    length, milliseconds = json.loads(request.head)
    try:
        value = guest.run(request.body[:length], request.body[length:], milliseconds)
    except Stopped as stopped:
        return Frame(RAN, _head(stopped, guest.polls))
    return Frame(RAN, json.dumps([Outcome.DONE, "", None, guest.polls]).encode(), value)


def _head(stopped: Stopped, polls: int) -> bytes:
    place = _PLACE.search(stopped.trace)
    where = [int(place[1]), int(place[2])] if place and stopped.outcome in {Outcome.SYNTAX, Outcome.ERROR} else None
    return json.dumps([stopped.outcome, stopped.message[:MESSAGE_CHARACTERS], where, polls]).encode()
