"""Options of the example devices for TLS: whom they trust, and the certificate that they show."""

from __future__ import annotations

import argparse
import sys
from ssl import SSLContext

from wfx.commandline.client_tls import OPTIONS, ClientTls
from wfx.commandline.failures import Failure
from wfx.commandline.options import Settings


def add_tls_options(parser: argparse.ArgumentParser) -> None:
    """Add the options, with the names that wfxctl has for them."""
    for option in OPTIONS:
        parser.add_argument(f"--{option.name}", metavar="FILE", default="", help=option.summary)


def tls_context(given: argparse.Namespace) -> SSLContext:
    """Read the files that the options name. Ends the program with exit code 1 if they cannot be used."""
    settings = Settings({option.name: getattr(given, option.name.replace("-", "_")) for option in OPTIONS})
    try:
        return ClientTls.of(settings).context()
    except Failure as exc:
        sys.stderr.write(f"Error: {exc}\n")
        sys.exit(1)
