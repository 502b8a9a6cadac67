"""Message of ``make run``: addresses of the service, and what to try next."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO

from wfx.cli import ROOT
from wfx.commandline.invocation import Invocation
from wfx.commandline.program import Program
from wfx.config.options import Config
from wfx.host_port import host_port
from wfx.serving import config_of
from wfx.store.backend_kinds import backend_kind

_TEXT = """\
wfx starts with its data {data}
  northbound API (operators)  {north}
  southbound API (devices)    {south}
  console (for browsers)      /ui/ of the northbound address

Try next, in another terminal:
  export PATH="$PWD/.venv/bin:$PATH"{variables}
  wfxctl workflow create spec/workflows/wfx.workflow.dau.phased.yml
  echo '{{"version": "2.0"}}' | wfxctl job create --client-id my-device --workflow wfx.workflow.dau.phased -
  wfxctl job query
  make demo          (a simulated device takes an update, from creation to ACTIVATED)

Stop with Ctrl-C.

"""
_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104  # compared, not bound


def welcome(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return the text; empty if these arguments do not serve: then the service itself says what there is to say."""
    said: list[str] = []

    def say(call: Invocation) -> None:
        if not call.arguments:
            config = config_of(call.settings)
            said.append(_text(config) if "http" in config.scheme else "")

    program = Program(replace(ROOT, run=say), strict=True)
    program.run(arguments, BytesIO(), BytesIO(), BytesIO(), environment)
    return "".join(said)


def _text(config: Config) -> str:
    usual, ports = Config(), {"WFX_MGMT_PORT": config.mgmt_port, "WFX_CLIENT_PORT": config.client_port}
    return _TEXT.format(
        data=backend_kind(config.storage).describe(config.storage_opt),
        north=_address(config.mgmt_host, config.mgmt_port),
        south=_address(config.client_host, config.client_port),
        variables="".join(
            f" {name}={port}" for name, port in ports.items() if port not in (0, usual.mgmt_port, usual.client_port)
        ),
    )


def _address(host: str, port: int) -> str:
    if not port:
        return "on a free port, see below"
    if host in _EVERYWHERE:
        return f"http://{host_port('127.0.0.1', port)}/api/wfx/v1, and on all other addresses of this machine"
    return f"http://{host_port(host, port)}/api/wfx/v1"


if __name__ == "__main__":
    print(welcome(sys.argv[1:], os.environ), end="", flush=True)  # noqa: T201  # its purpose
