"""``python -m wfxctl`` is ``wfxctl``."""

from wfxctl.main import main

main()
