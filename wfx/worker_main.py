"""Entry point of a worker process, which :mod:`wfx.workers.process` starts: ``python -m wfx.worker_main NUMBER``."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial

from wfx.cli import ROOT
from wfx.commandline.configuration import Sources
from wfx.commandline.failures import Failure
from wfx.serving import load, serve
from wfx.workers.handover import Handover


def main() -> None:
    """Serve what the parent hands over, and exit."""
    signal.signal(signal.SIGHUP, lambda *_: None)  # while it starts
    handover = Handover.read(sys.stdin.buffer)
    sources = Sources(ROOT.options, handover.given, os.environ, strict=True, others=ROOT.options, opened=handover.files)
    try:
        serve(handover.loaded, partial(load, sources), handover)
    except Failure as exc:
        sys.stderr.write(f"Error: {exc}\n")
        sys.exit(exc.code)


if __name__ == "__main__":
    main()
