"""Tunables: the settings that may change while the service runs, and their holder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import partial
from typing import Generic, Protocol, Self, TypeVar

from wfx.config.options import Config, Seconds

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)
Source = TypeVar("Source")


@dataclass(frozen=True, slots=True)
class Tunables:
    """What may change at run time, always as a whole; each member is an option, described in :class:`Config`."""

    log_level: str
    log_sanitization: bool
    log_masking_char: str
    log_show_type: bool
    log_custom_pattern: tuple[str, ...]
    simple_fileserver: str
    allowed_origin: tuple[str, ...]
    allowed_host: tuple[str, ...]
    trusted_proxy: tuple[str, ...]
    max_connections: int
    max_requests: int
    keep_alive: bool
    read_timeout: Seconds
    write_timeout: Seconds
    cleanup_timeout: Seconds
    graceful_timeout: Seconds
    rate_limit_enabled: bool
    rate_limit_sides: tuple[str, ...]
    ip_rate_limit: int
    ip_window_minutes: int
    ip_burst_size: int
    rate_limit_excluded_ips: tuple[str, ...]
    rate_limit_excluded_paths: tuple[str, ...]
    sse_ping_interval: Seconds
    sse_grace_interval: Seconds
    events_keep: int
    events_max_age: Seconds
    jobs_closed_max_age: tuple[str, ...]
    tombstone_grace: Seconds
    plugin_timeout: Seconds
    filter_timeout: Seconds
    filter_memory: int
    filter_output: int
    webhook_secret_file: str
    webhook_allowed_networks: tuple[str, ...]
    smtp_host: str
    smtp_port: int
    smtp_tls: str
    smtp_user: str
    smtp_password_file: str
    smtp_from: str
    metrics_compat: bool
    debug_enabled: bool
    debug_auth_token: str
    debug_allowed_ips: tuple[str, ...]
    sandbox_rate_limit_instance_start: tuple[str, ...]
    sandbox_rate_limit_activity_start: tuple[str, ...]
    sandbox_rate_limit_job_schedule: tuple[str, ...]
    sandbox_rate_limit_job_execute: tuple[str, ...]
    sandbox_rate_limit_type: str
    sandbox_script_disabled: bool
    enable_static_analysis: bool
    block_on_high_severity: bool
    tracker_enabled: bool
    sandbox_max_allowed_repetitions: int
    sandbox_max_command_duration: Seconds

    @classmethod
    def of(cls, config: Config) -> Self:
        """Take them from a configuration."""
        return cls(**{field.name: getattr(config, field.name) for field in fields(cls)})


class Current(Protocol[Value_co]):
    """A value that may be another one at each use; users keep this, not the value."""

    @property
    def current(self) -> Value_co:
        """The value to use now."""


class Holder(Generic[Value]):
    """Holds one immutable value, which is replaced as a whole, with all that is derived from it, or not at all."""

    def __init__(self, value: Value) -> None:
        """Begin with this value."""
        self.current = value
        """The value to use now."""
        self._derived: list[Callable[[Value], Callable[[], None]]] = []
        self._observers: list[Callable[[Value], None]] = []

    def replace(self, value: Value) -> None:
        """Use another value from now on.

        Raises what a derivation or an observer raises; then all is as before.
        """
        take_over = [prepare(value) for prepare in self._derived]
        self._tell(value)
        self.current = value
        for take in take_over:
            take()

    def observe(self, observer: Callable[[Value], None]) -> None:
        """Call ``observer`` with each later value before it is used: for the log level.

        It is called with the value before once more if the later one is not to be used after all.
        """
        self._observers.append(observer)

    def derive(self, prepare: Callable[[Value], Callable[[], None]]) -> None:
        """Call ``prepare`` with each later value, and what it returns, which must not raise, once the value is used."""
        self._derived.append(prepare)

    def _tell(self, value: Value) -> None:
        for place, observer in enumerate(self._observers):
            try:
                observer(value)
            except BaseException:
                for told in self._observers[: place + 1]:
                    with suppress(Exception):  # the first one counts
                        told(self.current)
                raise


class Derived(Generic[Source, Value]):
    """A value computed from a held one, once for each replacement of that, so that using it costs a look-up."""

    def __init__(self, source: Holder[Source], derive: Callable[[Source], Value]) -> None:
        """Compute with ``derive``; lasts as long as the holder."""
        self._derive = derive
        self.current = derive(source.current)
        """The value to use now."""
        source.derive(self._prepare)

    def _prepare(self, value: Source) -> Callable[[], None]:
        return partial(self._take, self._derive(value))

    def _take(self, value: Value) -> None:
        self.current = value
