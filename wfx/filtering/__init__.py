"""Response filters: jq programs over the JSON of an answer, bounded in time, memory and size.

    filters.py   what the API calls: ``prepare`` before the operation, ``apply`` after it
    grammar.py   recognises programs that are provably finite …
    finite.py    … and runs them in this process
    pool.py      runs everything else in worker processes (``wfx/sandbox``)
    shares.py    whose turn it is, so that slow filters of some leave a worker to others
    worker.py    what these processes run (never imported by the server)
    protocol.py  kinds of messages between these two
    rewrite.py   lets jq go on after an error, as the contract wants it
    encoding.py  how a result is written

libjq is never loaded into the server's own process: it cannot be interrupted and it reads the environment.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfx.filtering.errors import FilterError, FilterLimit, FilterSyntaxError, FilterUnavailable, Limit
    from wfx.filtering.filters import Filters, Program

__all__ = ["FilterError", "FilterLimit", "FilterSyntaxError", "FilterUnavailable", "Filters", "Limit", "Program"]

_HOMES = {"Filters": "filters", "Program": "filters"}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: a worker wants three of the modules here, and a quick start."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
