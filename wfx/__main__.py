"""Makes `python -m wfx` the same as `wfx`."""

from wfx.cli import main

main()
