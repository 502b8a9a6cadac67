"""Serving: reads the configuration of a server from its sources, and serves in this process or by workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wfx.commandline.config_files import signature
from wfx.commandline.configuration import ResolvedSettings, Sources
from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.options import Settings
from wfx.config import cross_checks
from wfx.config.options import OPTIONS, Config
from wfx.config.secret_permissions import exposed_secrets
from wfx.protection import core_files

if TYPE_CHECKING:  # imported when the server runs
    from wfx.config.live_reload import Load, LoadedConfig
    from wfx.workers.handover import Handover


def config_of(settings: Settings) -> Config:
    """Make the server's configuration from what flags, variables and files say. Raises UsageFailure."""
    values: dict[str, Any] = {option.member: settings.value(option.name) for option in OPTIONS}
    values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    config = Config(**values)
    try:
        cross_checks.check(config)
    except cross_checks.OptionRefused as exc:
        raise UsageFailure(cross_checks.with_origin(exc, settings)) from exc
    return config


def load(sources: Sources) -> LoadedConfig:
    """Read flags, variables and files again. Raises Failure."""
    return loaded_from(sources.resolve())


def loaded_from(resolved: ResolvedSettings) -> LoadedConfig:
    """Make the configuration, with what was read for it. Raises Failure."""
    from wfx.config import secret_files
    from wfx.config.live_reload import LoadedConfig  # what only a running server needs is imported when it runs
    from wfx.server.tls import files_of

    config, exposed = config_of(resolved.settings), tuple(exposed_secrets(resolved.settings))
    others = (config.rules, *(getattr(config, name.replace("-", "_")) for name in secret_files.OPTIONS))
    named = [*files_of(config), *filter(None, others)]
    signatures = {**resolved.signatures, **{path: signature(path) for path in named}}
    return LoadedConfig(config, resolved.settings, signatures, (*resolved.warnings, *exposed))


def serve(loaded: LoadedConfig, load: Load, handover: Handover | None = None) -> None:
    """Serve in this process, which is a worker if it has a handover of its parent. Raises Failure."""
    import uvloop  # what only a running server needs is imported when it runs

    from wfx.supervise import run

    with _failures(loaded):
        uvloop.run(run(loaded, load, handover))


def serve_by_workers(loaded: LoadedConfig, sources: Sources) -> None:
    """Serve by processes that this one starts. Raises Failure."""
    import asyncio  # as above

    from wfx.workers.parent import CommandLine, run

    with _failures(loaded):
        asyncio.run(run(loaded, CommandLine(sources.given, sources.files)))


@contextmanager
def _failures(loaded: LoadedConfig) -> Iterator[None]:
    """Log as the configuration says, keep keys out of core files, and raise what ends a service as Failure."""
    from wfx import logs  # as above
    from wfx.domain.errors import WfxError
    from wfx.server.listeners import CannotListen
    from wfx.server.socket_activation import PassedSocketsUnusable
    from wfx.workers.parent import WorkerNotStarted

    try:
        logs.configure(loaded.config.log_level, loaded.config.log_format)
    except logs.CannotLog as exc:
        raise Failure(str(exc)) from exc
    logs.sanitize(loaded.config)
    if loaded.config.enable_encryption or loaded.config.encrypt_sensitive_data:
        logs.withhold_messages()
    if loaded.config.encryption_keys or loaded.config.encryption_keys_file:
        core_files.switch_off()
    try:
        yield
    except cross_checks.OptionRefused as exc:
        raise Failure(cross_checks.with_origin(exc, loaded.settings)) from exc
    except (WfxError, CannotListen, PassedSocketsUnusable, WorkerNotStarted) as exc:
        logs.flush()  # so that the reason is the last line
        raise Failure(str(exc)) from exc
