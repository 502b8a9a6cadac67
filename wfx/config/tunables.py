"""Tunables: the settings that may change while the service runs, and their holder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Generic, Protocol, Self, TypeVar

from wfx.config.options import Config, Seconds

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)
Source = TypeVar("Source")


@dataclass(frozen=True, slots=True)
class Tunables:
    """What may change at run time, always as a whole; each member is an option, described in :class:`Config`."""

    log_level: str
    allowed_origin: tuple[str, ...]
    allowed_host: tuple[str, ...]
    max_connections: int
    max_requests: int
    keep_alive: bool
    read_timeout: Seconds
    write_timeout: Seconds
    cleanup_timeout: Seconds
    graceful_timeout: Seconds
    sse_ping_interval: Seconds
    sse_grace_interval: Seconds
    events_keep: int
    events_max_age: Seconds

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
    """Holds one immutable value, which is replaced as a whole."""

    def __init__(self, value: Value) -> None:
        """Begin with this value."""
        self.current = value
        """The value to use now."""
        self._observers: list[Callable[[Value], None]] = []

    def replace(self, value: Value) -> None:
        """Use another value from now on."""
        self.current = value
        for observer in self._observers:
            observer(value)

    def observe(self, observer: Callable[[Value], None]) -> None:
        """Call ``observer`` with each later value: for the log level, and for what is derived."""
        self._observers.append(observer)


class Derived(Generic[Source, Value]):
    """A value computed from a held one, once for each replacement of that, so that using it costs a look-up."""

    def __init__(self, source: Holder[Source], derive: Callable[[Source], Value]) -> None:
        """Compute with ``derive``; lasts as long as the holder."""
        self._derive = derive
        self.current = derive(source.current)
        """The value to use now."""
        source.observe(self._follow)

    def _follow(self, value: Source) -> None:
        self.current = self._derive(value)
