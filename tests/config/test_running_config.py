"""Replacing the settings of a running service: all of them, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from wfx.config.cross_checks import OptionRefused
from wfx.config.options import OPTIONS, Config
from wfx.config.running_config import RunningConfig, is_reloadable
from wfx.config.tunables import Holder, Tunables

START = Config(log_level="warn", client_port=1)


def reload() -> tuple[RunningConfig, Holder[Tunables]]:
    """Make one, of a service that has just started."""
    holder = Holder(Tunables.of(START))
    return RunningConfig(START, holder), holder


def test_what_takes_effect_and_what_does_not() -> None:
    """Each reload tells what has changed since the one before, and what differs from the start."""
    one, holder = reload()
    changes = one.apply(replace(START, log_level="debug", client_port=2, storage_opt="other.db"))
    assert [option.name for option in changes.applied] == ["log-level"]
    assert [option.name for option in changes.postponed] == ["client-port", "storage-opt"]
    assert holder.current.log_level == "debug"
    changes = one.apply(replace(START, log_level="debug", client_port=2))
    assert [option.name for option in changes.applied] == []
    assert [option.name for option in changes.postponed] == ["client-port"]
    changes = one.apply(START)
    assert ([option.name for option in changes.applied], changes.postponed) == (["log-level"], ())


def test_all_or_nothing() -> None:
    """Who cannot use the new settings refuses them for all; who was asked before has not begun to use them."""
    one, holder = reload()
    used: list[str] = []

    def follow(config: Config) -> Callable[[], None]:
        return lambda: used.append(config.log_level)

    def refuse(config: Config) -> Callable[[], None]:
        if config.log_level == "trace":
            raise OptionRefused("log-level", "not here")
        return lambda: None

    one.on_reload(follow)
    one.on_reload(refuse)
    with pytest.raises(OptionRefused, match="log-level: not here"):
        one.apply(replace(START, log_level="trace"))
    assert (used, holder.current.log_level, one.config) == ([], "warn", START)
    one.apply(START)
    assert used == ["warn"], "asked also when nothing has changed"


def test_options_that_do_not_go_together() -> None:
    """Options are checked against each other before anything changes."""
    one, holder = reload()
    with pytest.raises(OptionRefused, match="mgmt-port: 7 is the port of the southbound API on the same host"):
        one.apply(replace(START, client_host="::1", mgmt_host="::1", client_port=7, mgmt_port=7, log_level="debug"))
    assert holder.current.log_level == "warn"


def test_which_options_are_reloadable() -> None:
    """Log level, time limits, limits, retention and allowed origins are; addresses and the storage are not."""
    names = {option.name for option in OPTIONS if is_reloadable(option)}
    assert {"log-level", "read-timeout", "max-requests", "events-keep", "allowed-origin"} <= names
    assert not {"client-host", "client-port", "storage", "storage-opt", "http-engine", "log-format"} & names
