"""Configuration of a running service: its settings are replaced all together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields

from wfx.config.cross_checks import OptionRefused, check
from wfx.config.options import OPTIONS, Config, Option
from wfx.config.tunables import Holder, Tunables

Apply = Callable[[], None]
Prepare = Callable[[Config], Apply]

_TUNABLE = {field.name for field in fields(Tunables)}


def is_reloadable(option: Option) -> bool:
    """Whether a change of the option takes effect without a restart."""
    return option.reload or option.member in _TUNABLE


@dataclass(frozen=True, slots=True)
class Changes:
    """What a reload changed."""

    applied: tuple[Option, ...]
    """Options that have another value now."""
    postponed: tuple[Option, ...]
    """Options whose value in the files is not the one that the service started with; a restart would use it."""
    unusable: tuple[OptionRefused, ...] = ()
    """What is wrong with those of them with which the service would not start."""


class RunningConfig:
    """The settings of a running service, and who has to know when they change."""

    def __init__(self, config: Config, tunables: Holder[Tunables]) -> None:
        """Begin with what the service started with."""
        self.config = config
        """The settings as they were read last."""
        self._started = config
        self._tunables = tunables
        self._prepare: list[Prepare] = []
        self._start_checks: dict[str, Callable[[Config], None]] = {}

    def on_reload(self, prepare: Prepare) -> None:
        """Call ``prepare`` at each reload, also when no option has changed: what an option names may have.

        It reads and checks what it needs, and raises OptionRefused to refuse the reload as a whole, before anything has
        changed. It returns a function that puts into effect what it has read, and cannot fail. That is called after the
        observers of the tunables.
        """
        self._prepare.append(prepare)

    def check_at_restart(self, option: str, start_check: Callable[[Config], None]) -> None:
        """Call ``start_check`` when the option, by its name, waits for a restart.

        It raises OptionRefused for a value with which the service would not start. The reload goes on all the same.
        """
        self._start_checks[option] = start_check

    def apply(self, config: Config) -> Changes:
        """Use other settings. Raises OptionRefused, or what an observer of the tunables raises, and changes nothing."""
        check(config)
        prepared = [prepare(config) for prepare in self._prepare]
        self._tunables.replace(Tunables.of(config))
        for apply in prepared:
            apply()
        before, self.config = self.config, config
        postponed = tuple(option for option in _different(self._started, config) if not is_reloadable(option))
        return Changes(
            tuple(option for option in _different(before, config) if is_reloadable(option)),
            postponed,
            tuple(self._unusable(postponed, config)),
        )

    def _unusable(self, postponed: Iterable[Option], config: Config) -> Iterator[OptionRefused]:
        for option in postponed:
            if (start_check := self._start_checks.get(option.name)) is not None:
                try:
                    start_check(config)
                except OptionRefused as exc:
                    yield exc


def _different(one: Config, other: Config) -> list[Option]:
    return [option for option in OPTIONS if getattr(one, option.member) != getattr(other, option.member)]
