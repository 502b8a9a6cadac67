r"""Plugins for wfx in Python: one function from a request to a decision, the rest is done here.

from wfx_plugin import PASS, Decision, Request, Respond, run

def decide(request: Request) -> Decision:
    return Respond.deny("not today\n") if request.path.endswith("/workflows") else PASS

run(decide)
"""

from wfx_plugin.asking import Plugin
from wfx_plugin.model import (
    PASS,
    Action,
    Answer,
    Certificate,
    Decision,
    Headers,
    Modify,
    Origin,
    Pass,
    Request,
    Respond,
    Side,
    Status,
)
from wfx_plugin.observing import run_observer
from wfx_plugin.running import run, run_async

__all__ = [
    "PASS", "Action", "Answer", "Certificate", "Decision", "Headers", "Modify", "Origin", "Pass", "Plugin", "Request",
    "Respond", "Side", "Status", "run", "run_async", "run_observer",
]  # fmt: skip
