"""Reading settings again while the service runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import DEADLINE
from wfx.cli import ROOT
from wfx.commandline.configuration import Sources
from wfx.config.cross_checks import OptionRefused
from wfx.config.live_reload import LiveReload, LoadedConfig
from wfx.config.options import Config
from wfx.config.running_config import RunningConfig
from wfx.config.tunables import Holder, Tunables
from wfx.serving import config_of
from wfx.systemd import ServiceManager


class Service:
    """The settings of a service with one configuration file."""

    def __init__(self, path: Path) -> None:
        given: dict[str, Any] = {"config": [str(path)]}
        self.sources = Sources(ROOT.options, given, {}, strict=True)
        self.wanted = asyncio.Event()
        loaded = self.load()
        self.tunables = Holder(Tunables.of(loaded.config))
        self.running_config = RunningConfig(loaded.config, self.tunables)
        self.live = LiveReload(self.running_config, loaded, self.load, self.wanted, ServiceManager({}))

    def load(self) -> LoadedConfig:
        """Read the file."""
        resolved = self.sources.resolve()
        return LoadedConfig(config_of(resolved.settings), resolved.settings, resolved.signatures)

    async def once(self) -> None:
        """Reload on demand, and wait until that is over: what is wanted then is taken up only afterwards."""
        for _ in range(2):
            self.wanted.set()
            async with asyncio.timeout(DEADLINE):
                while self.wanted.is_set():  # noqa: ASYNC110  # what is waited for has no event to tell it
                    await asyncio.sleep(0.005)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A configuration file."""
    file = tmp_path / "wfx.yml"
    file.write_text("max-requests: 5\n")
    return file


def put(path: Path, text: str) -> None:
    """Save a file."""
    path.write_text(text)


async def test_who_refuses(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Who reads files that options name may refuse a reload: the record names the option, the file and the line."""
    service = Service(path)

    def prepare(config: Config) -> Callable[[], None]:
        if config.client_plugins_dir:
            raise OptionRefused("client-plugins-dir", "is no directory")
        return lambda: None

    service.running_config.on_reload(prepare)
    async with service.live:
        put(path, "max-requests: 6\nclient-plugins-dir: /none\n")
        await service.once()
        assert service.tunables.current.max_requests == 5
        put(path, "max-requests: 6\n")
        await service.once()
        assert service.tunables.current.max_requests == 6
    refused = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert {record.getMessage() for record in refused} == {"configuration not reloaded; settings stay as they were"}
    assert refused[0].__dict__["fields"] == {"error": f"client-plugins-dir: is no directory ({path} line 2)"}


async def test_an_unexpected_error(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An error in the service itself is logged with its traceback; the next reload works."""
    service, broken = Service(path), [True]

    def prepare(_config: Config) -> Callable[[], None]:
        if broken:
            raise ZeroDivisionError
        return lambda: None

    service.running_config.on_reload(prepare)
    async with service.live:
        put(path, "max-requests: 6\n")
        await service.once()
        assert service.tunables.current.max_requests == 5
        broken.clear()
        await service.once()
        assert service.tunables.current.max_requests == 6
    assert any(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records)


async def test_files_that_are_looked_at(path: Path) -> None:
    """A change is seen by itself, without anybody asking."""
    service = Service(path)
    async with service.live:
        put(path, "max-requests: 7\n")
        async with asyncio.timeout(DEADLINE):
            while service.tunables.current.max_requests != 7:  # noqa: ASYNC110  # no event tells it
                await asyncio.sleep(0.01)
