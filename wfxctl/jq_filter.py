"""The ``--filter`` option: jq, run here and not on the server."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jq

from wfx.commandline.failures import Failure
from wfx.jq_language import definitions, spelling
from wfxctl import gojson

# JSON has no words for these, and the library would print the largest number and null in their place.
_FINITE = 'if any(.. | numbers; isnan or isinfinite) then error("a number that is not finite has no JSON") else . end'
_FINISH = f"catch error(_message | tostring) | {_FINITE} | _libjq_tojson"


def apply(expression: str, document: Any) -> Iterator[Any]:
    """Yield what the expression makes of the document. Raises Failure for a wrong expression and for a value error.

    The expression sees no environment variables, and an interrupt ends the process even while jq is busy: both hold
    until the last result was taken.
    """
    with _no_environment(), _interruptible():
        try:
            jq.compile(expression)  # alone first: what is wrong must be wrong on its own, and read so
            plain = spelling.plain(expression)
            program = jq.compile(f"{definitions.before(plain, messages=True)} try ({plain}\n) {_FINISH}")
            yield from map(gojson.decode, program.input_text(gojson.encode(document)))
        except ValueError as exc:
            raise Failure(f"filter: {exc}") from exc


@contextmanager
def _no_environment() -> Iterator[None]:
    """Hide the environment: ``env`` and ``$ENV`` read the process's own."""
    saved = dict(os.environ)
    os.environ.clear()
    try:
        yield
    finally:
        os.environ.update(saved)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the process at once: Python's own handler would wait for jq, which may never return."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
