"""What ends a command of wfxctl early, beside what ends any command (:mod:`wfx.commandline.failures`).

Failure
├── Unreachable          no answer: connection refused, cut, or too slow
└── RefusedByServer      an answer, but not success
"""

from __future__ import annotations

from wfx.commandline.failures import Failure

EXIT_TIMEOUT = 3
"""``job wait``: the time is over."""
EXIT_HOPELESS = 4
"""``job wait``: the job is gone, or no transition leads to what was waited for."""
EXIT_DIFFERS = 5
"""``workflow apply``: a workflow of that name is stored, and is another one."""
EXIT_PARTLY = 6
"""Commands for many jobs: at least one of them could not be created or changed."""


class Unreachable(Failure):
    """The server gave no answer."""


class RefusedByServer(Failure):
    """The server answered, but with a status other than 200, 201 and 204."""

    def __init__(self, status: int, body: str, explanation: str = "", retry_after: float = 0.0) -> None:
        """Keep the body, which is shown as it came, and what there is to say beside it.

        ``retry_after`` is how many seconds the server wants to be left alone.
        """
        super().__init__("error: " + "\n".join(filter(None, (body.removesuffix("\n"), explanation))))
        self.status = status
        self.body = body
        self.explanation = explanation
        self.hint = ""
        """What may have been meant instead, for people."""
        self.retry_after = retry_after
