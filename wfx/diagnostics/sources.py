"""Sources of the pages under ``/debug``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wfx.api.services import Services
from wfx.config.running_config import RunningConfig
from wfx.diagnostics.scripts import RunningScripts
from wfx.plugin.chain import PluginChain
from wfx.request_context import Side
from wfx.server.limits import HttpLimits
from wfx.store.protocol import Store
from wfx.store.snapshot import Snapshots


@dataclass(frozen=True, slots=True)
class DebugSources:
    """What the pages tell about."""

    running_config: RunningConfig
    store: Store
    snapshots: Snapshots
    limits: HttpLimits
    services: Services
    plugins: Mapping[Side, PluginChain]
    running_scripts: RunningScripts
