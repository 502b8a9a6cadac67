"""Rules of a running service: the graph in use, which is replaced as a whole or not at all."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence

from wfx.domain.timestamp import Timestamp
from wfx.reactions.rule_source import LoadedRules, RuleSource, RulesUnusable, load
from wfx.rules.graph import Graph, scenarios_with
from wfx.rules.own_actions import RUN_SCRIPT
from wfx.rules.step_types import NO_STEPS, Steps
from wfx.store.upkeep import present

_MOST_WARNINGS = 128
"""Scenarios that are named."""
_logger = logging.getLogger("wfx")


def scripts_missing(graph: Graph) -> Sequence[str]:
    """Say which scenarios have actions that fail where scripts are off."""
    named = scenarios_with(graph, RUN_SCRIPT)[:_MOST_WARNINGS]
    return [f"scenario {name} runs a script, and scripts are off (--enable-scripts): that fails" for name in named]


class Rules:
    """Holds the rules; users take :attr:`graph` anew for each event."""

    def __init__(self, source: RuleSource | None = None, *, now: Callable[[], Timestamp] = present) -> None:
        """Begin with none: :meth:`open` reads them."""
        self.source = source or RuleSource()
        """Where they are read from now on."""
        self.loaded: LoadedRules | None = None
        """Those in use; None if there are none."""
        self.loaded_at = Timestamp(0)
        self.faults: tuple[str, ...] = ()
        """What is wrong with the file as it was read last, each fault as ``file:line:column: text``."""
        self.reloads = Counter[str]()
        """How often rules were read while the service ran, by result: loaded, unchanged, refused."""
        self._now = now
        self._turn = asyncio.Lock()
        self._observers: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[bool]] = set()

    @property
    def graph(self) -> Graph | None:
        """The graph in use; None if there are no rules."""
        return None if self.loaded is None else self.loaded.graph

    @property
    def steps(self) -> Steps:
        """The steps of installed packages; none if there are no rules."""
        return NO_STEPS if self.loaded is None else self.loaded.steps

    def observe(self, observer: Callable[[], None]) -> None:
        """Call ``observer`` whenever other rules are used."""
        self._observers.append(observer)

    async def open(self) -> None:
        """Read the rules for the first time, if there are any. Raises RulesUnusable."""
        if self.source.path:
            self._use(await asyncio.to_thread(load, self.source))

    async def reload(self) -> bool:
        """Read the rules once more; tell whether they are in use now. Else all is as before but for the faults."""
        async with self._turn:
            source = self.source
            if not source.path:
                self._use(None)
                return True
            try:
                loaded = await asyncio.to_thread(load, source, self.loaded)
            except RulesUnusable as exc:
                self._refuse(exc.faults)
                return False
            self.faults = ()
            if loaded is self.loaded:
                self.reloads["unchanged"] += 1
            else:
                self._use(loaded)
                self.reloads["loaded"] += 1
                many = len(loaded.graph.scenarios)
                _logger.info("rules loaded", extra={"fields": {"file": source.path, "scenarios": many}})
            return True

    def reload_from(self, source: RuleSource) -> None:
        """Read the rules from there, in the background."""
        self.source = source
        task = asyncio.create_task(self.reload(), name="reload-rules")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait until nothing is read any more."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _use(self, loaded: LoadedRules | None) -> None:
        if loaded is None and self.loaded is None:
            return
        self.loaded, self.loaded_at, self.faults = loaded, self._now(), ()
        for observer in self._observers:
            observer()

    def _refuse(self, faults: tuple[str, ...]) -> None:
        """Keep the rules that are there, and tell all that is wrong with the others."""
        is_new = faults != self.faults
        self.faults = faults
        self.reloads["refused"] += 1
        if is_new:
            fields = {"file": self.source.path, "faults": list(faults)}
            _logger.error("rules not loaded; those from before go on", extra={"fields": fields})
