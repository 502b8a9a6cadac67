"""Live reload: reads the settings again when their files change or somebody asks, while the service runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from wfx.commandline.config_files import Signature
from wfx.commandline.failures import Failure
from wfx.commandline.options import Settings
from wfx.config.cross_checks import OptionRefused, with_origin
from wfx.config.file_watch import FileWatch
from wfx.config.options import Config, Option
from wfx.config.report import masked_text
from wfx.config.running_config import Changes, RunningConfig
from wfx.systemd import ServiceManager

log = logging.getLogger("wfx")


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration, and where it comes from."""

    config: Config
    settings: Settings
    """The same with the origins of the values."""
    signatures: Mapping[str, Signature | None]
    """Of its files, and of those that options name and the service reads again; from before they were read."""
    warnings: tuple[str, ...] = ()
    """What is wrong with the sources, and no reason to refuse them."""


Load = Callable[[], LoadedConfig]
"""Reads flags, variables and files again. Raises Failure."""


class LiveReload:
    """Reloads when it is wanted. Use as a context manager, on one event loop."""

    def __init__(
        self,
        running_config: RunningConfig,
        loaded: LoadedConfig,
        load: Load,
        wanted: asyncio.Event,
        manager: ServiceManager,
    ) -> None:
        """Watch the files that were ``loaded``; ``load`` again when they change, and when ``wanted`` is set.

        The service manager is told when that begins and ends.
        """
        self._running_config = running_config
        self._watch = FileWatch(loaded.signatures)
        self._load = load
        self._wanted = wanted
        self._manager = manager

    async def __aenter__(self) -> Self:
        """Begin to watch."""
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop to watch."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            files = await self._watch.changed(self._wanted)
            self._wanted.clear()
            self._manager.reloading()
            try:
                await self._reload_once(files)
            except Exception:  # the service runs on, with the settings that it has
                log.exception(
                    "configuration not reloaded, because of an error in the service; settings stay as they were"
                )
            self._manager.reloaded()

    async def _reload_once(self, files: Sequence[str]) -> None:
        was_shown = log.isEnabledFor(logging.INFO)
        try:
            loaded = await asyncio.to_thread(self._load)
            self._watch.watch(loaded.signatures)
            changes = self._apply(loaded)
        except Failure as exc:
            _tell(logging.ERROR, "configuration not reloaded; settings stay as they were", {"error": str(exc)})
            return
        for warning in loaded.warnings:
            log.warning(warning)
        # Told also if the new log level hides it: the old one showed that there is something to be told.
        said = {"changed": _values(changes.applied, loaded), "files": list(files)}
        _tell(logging.INFO, "configuration reloaded", said, insist=was_shown)
        if changes.postponed:
            fields = {"options": _values(changes.postponed, loaded)}
            _tell(logging.WARNING, "changed options need a restart to take effect", fields)
        for refused in changes.unusable:
            error = {"error": with_origin(refused, loaded.settings)}
            _tell(logging.ERROR, "the service would not start with a changed option", error)

    def _apply(self, loaded: LoadedConfig) -> Changes:
        """Use what was read, or raise Failure and change nothing."""
        try:
            return self._running_config.apply(loaded.config)
        except OptionRefused as exc:
            raise Failure(with_origin(exc, loaded.settings)) from exc
        except (ValueError, OSError) as exc:
            raise Failure(str(exc)) from exc


def _values(options: Iterable[Option], loaded: LoadedConfig) -> dict[str, str]:
    return {option.name: masked_text(option, getattr(loaded.config, option.member)) for option in options}


def _tell(level: int, message: str, fields: Mapping[str, object], *, insist: bool = False) -> None:
    if insist or log.isEnabledFor(level):
        path, line, *_ = log.findCaller(stacklevel=2)
        log.handle(log.makeRecord(log.name, level, path, line, message, (), None, extra={"fields": fields}))
