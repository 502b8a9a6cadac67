"""The scenarios by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from wfx_loadtest.facts import Fact
from wfx_loadtest.scenario import default, events, fleet
from wfx_loadtest.session import Session

SCENARIOS: Mapping[str, Callable[[Session], Awaitable[list[Fact]]]] = {
    "default": default.run,
    "fleet": fleet.run,
    "events": events.run,
}
