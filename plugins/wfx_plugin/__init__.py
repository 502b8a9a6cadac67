r"""Plugins for wfx in Python: one function from a request to a decision, the rest is done here.

from wfx_plugin import PASS, Decision, Request, Respond, run

def decide(request: Request) -> Decision:
    return Respond.deny("not today\n") if request.path.endswith("/workflows") else PASS

run(decide)
"""

from wfx_plugin.asking import Plugin
from wfx_plugin.model import PASS, Action, Decision, Headers, Modify, Pass, Request, Respond, Status
from wfx_plugin.running import run, run_async

__all__ = [
    "PASS", "Action", "Decision", "Headers", "Modify", "Pass", "Plugin", "Request", "Respond", "Status", "run",
    "run_async",
]  # fmt: skip
