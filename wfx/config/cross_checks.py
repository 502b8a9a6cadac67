"""Checks of options against each other, at start and at each reload, before anything takes effect.

Who adds options that need each other adds a function to :data:`CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable

from wfx.commandline.options import DEFAULT, Settings
from wfx.config.options import Config


class OptionRefused(ValueError):
    """An option cannot be honoured as it is."""

    def __init__(self, option: str, reason: str) -> None:
        """Name the option, as a flag without dashes in front, and say what is wrong with it."""
        super().__init__(f"{option}: {reason}")
        self.option = option


def located(refused: OptionRefused, settings: Settings) -> str:
    """Say what is wrong, and where the option was given."""
    origin = settings.origin(refused.option)
    return f"{refused} ({origin})" if origin != DEFAULT else str(refused)


def check(config: Config) -> None:
    """Check the options that make sense only together. Raises OptionRefused for the first that does not."""
    for each in CHECKS:
        each(config)


def _sides_apart(config: Config) -> None:
    south, north = (config.client_host, config.client_port), (config.mgmt_host, config.mgmt_port)
    if south == north and config.mgmt_port:
        raise OptionRefused("mgmt-port", f"{config.mgmt_port} is the port of the southbound API on the same host")


def _listens(config: Config) -> None:
    if not config.scheme:
        raise OptionRefused("scheme", "names nothing to listen on")


def _https_has_files(config: Config) -> None:
    for option, path in (("tls-certificate", config.tls_certificate), ("tls-key", config.tls_key)):
        if "https" in config.scheme and not path:
            raise OptionRefused(option, "the scheme https needs a file in PEM format")


CHECKS: tuple[Callable[[Config], None], ...] = (_sides_apart, _listens, _https_has_files)
