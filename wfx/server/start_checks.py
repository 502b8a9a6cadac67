"""Checks of options that only a start uses: whether listeners could be opened with what a reload has read for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from wfx.config.cross_checks import OptionRefused
from wfx.config.options import BY_NAME, Config, Option
from wfx.server.sockets import bind_tcp
from wfx.server.tls import Tls


def _host(option: Option, scheme: str, config: Config) -> None:
    """Try an address on a free port. Names are not looked up, which could take long."""
    host = getattr(config, option.member) if scheme in config.scheme else ""
    try:
        ip_address(host)
    except ValueError:
        return
    try:
        bind_tcp(host, 0).close()
    except OSError as exc:
        raise OptionRefused(option.name, f"cannot listen on {host}: {exc.strerror or exc}") from exc


def _socket(option: Option, config: Config) -> None:
    path = getattr(config, option.member)
    if "unix" in config.scheme and not (path and Path(path).parent.is_dir()):
        raise OptionRefused(option.name, f'there is no directory for "{path}"')


def _scheme(config: Config) -> None:
    """Read the files of TLS, which is not done at a reload while no listener has it."""
    if "https" in config.scheme:
        Tls(config)


START_CHECKS: Mapping[str, Callable[[Config], None]] = {
    "scheme": _scheme,
    "client-host": partial(_host, BY_NAME["client-host"], "http"),
    "mgmt-host": partial(_host, BY_NAME["mgmt-host"], "http"),
    "client-tls-host": partial(_host, BY_NAME["client-tls-host"], "https"),
    "mgmt-tls-host": partial(_host, BY_NAME["mgmt-tls-host"], "https"),
    "client-unix-socket": partial(_socket, BY_NAME["client-unix-socket"]),
    "mgmt-unix-socket": partial(_socket, BY_NAME["mgmt-unix-socket"]),
}
"""By option; see :meth:`wfx.config.running_config.RunningConfig.check_at_restart`."""
