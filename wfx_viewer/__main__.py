"""Entry point of ``python -m wfx_viewer``."""

from wfx_viewer.cli import main

main()
