"""Plugin chain of one side: started together, asked in turn, stopped together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from wfx.plugin.discovery import discover, discover_observers
from wfx.plugin.encode import encode_request
from wfx.plugin.errors import PluginLost, PluginsGone, Undecided
from wfx.plugin.message import PluginRequest, Respond
from wfx.plugin.observer import Observer
from wfx.plugin.process import PluginProcess
from wfx.plugin.program import PluginSettings
from wfx.plugin.rewrite import applied
from wfx.request_context import current

_log = logging.getLogger(__name__)


class PluginChain:
    """The plugins of one side in the order of their file names, a before b."""

    def __init__(self, settings: PluginSettings, stop: asyncio.Event) -> None:
        """Begin empty; ``start`` fills it.

        ``stop`` says that the server is to stop. A loss sets it; a plugin that ends when it is set already is none.
        """
        self.settings = settings
        self._stop = stop
        self.lost: asyncio.Future[PluginLost] = asyncio.get_running_loop().create_future()
        """Done when a plugin is lost: nothing passes any more, and the server has to stop with exit code 1."""
        self._plugins: list[PluginProcess] = []
        self._observers: list[Observer] = []
        self._observed = 0

    @classmethod
    async def start(cls, directory: Path, settings: PluginSettings, stop: asyncio.Event) -> PluginChain:
        """Start every plugin found in ``directory``; raise PluginRefused if one is unfit, leaving none running."""
        chain = cls(settings, stop)
        try:
            for found in discover_observers(directory):
                chain._observers.append(await Observer.start(found, settings, chain._lose))
            for found in discover(directory):
                chain._plugins.append(await PluginProcess.start(found, settings, chain._lose))
        except BaseException:
            await chain.stop()
            raise
        return chain

    def __len__(self) -> int:
        """Count the plugins that decide: a side without any needs no middleware to ask them."""
        return len(self._plugins)

    @property
    def plugins(self) -> Sequence[PluginProcess]:
        """The plugins that decide, in their order."""
        return self._plugins

    @property
    def observers(self) -> Sequence[Observer]:
        """The plugins that are told of answers."""
        return self._observers

    async def decide(self, request: PluginRequest) -> PluginRequest | Respond:
        """Ask the plugins in turn: give a response, or the request to go on with; raise Undecided if one is silent."""
        for plugin in self._plugins:
            began = perf_counter()
            try:
                decision = await plugin.ask(request)
                if _log.isEnabledFor(logging.DEBUG):
                    fields = {"plugin": plugin.name, "decision": type(decision).__name__.lower()}
                    _log.debug("plugin has decided", extra={"fields": fields})
                request_or_response = applied(request, decision)
            except Undecided as exc:
                plugin.undecided += 1
                _log.warning("request refused: plugin %s %s", plugin.name, exc)
                _note_answering(plugin)
                raise
            finally:
                plugin.seconds.observe(perf_counter() - began)
            if isinstance(request_or_response, Respond):
                _note_answering(plugin)
                return request_or_response
            request = request_or_response
        if not all(plugin.open for plugin in self._plugins):
            raise PluginsGone("a plugin was lost meanwhile")
        return request

    def observe(self, answered: PluginRequest) -> None:
        """Tell the observers of a request with its answer; wait for none of them."""
        self._observed += 1
        listening = [observer for observer in self._observers if observer.open]
        frame = encode_request(self._observed, answered) if listening else b""
        for observer in self._observers:
            observer.tell(frame)

    def set_reply_timeout(self, seconds: float) -> None:
        """Let each plugin take so long to answer requests that come from now on."""
        for plugin in self._plugins:
            plugin.set_reply_timeout(seconds)

    async def stop(self) -> None:
        """Stop all plugins at the same time, each within the grace time; doing so twice does no harm."""
        await asyncio.gather(*(each.stop() for each in (*self._plugins, *self._observers)))

    def kill(self) -> None:
        """End all plugins at once; :meth:`stop` then has nothing to wait for."""
        for each in (*self._plugins, *self._observers):
            each.kill()

    def _lose(self, loss: PluginLost) -> None:
        fields = {"fields": {"plugin": loss.plugin, "reason": loss.reason, "stderr": loss.last_lines}}
        if self._stop.is_set():
            _log.warning("%s while the server stops", loss, extra=fields)
            return
        _log.error("%s: stopping", loss, extra=fields)
        self.lost.set_result(loss)
        self._stop.set()


def _note_answering(plugin: PluginProcess) -> None:
    """Let observers know who has ended this request."""
    context = current()
    if context is not None:
        context.answered_by = plugin.name
