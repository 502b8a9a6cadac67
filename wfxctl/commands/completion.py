"""``wfxctl completion`` (cli section 1)."""

from __future__ import annotations

from wfxctl.grammar import Command

COMMAND = Command("completion", "Print a script that completes command lines")
COMPLETE = Command("__complete", "Complete a command line", hidden=True)
COMPLETE_WITHOUT_DESCRIPTIONS = Command("__completeNoDesc", "Complete a command line", hidden=True)
