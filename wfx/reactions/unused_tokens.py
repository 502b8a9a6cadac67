"""Tokens that were taken for actions of which it is not known yet whether they were done.

An action that is tried once more was not done: what was taken for it before is given back. So a store that fails costs
no tokens, however often it does.
"""

from __future__ import annotations

from collections import OrderedDict

from wfx.limits.asks import Shortage
from wfx.reactions.tokens import Token
from wfx.service.limits import Limits

MOST = 10_000
"""Actions that are kept; beyond it those of which nothing was heard for longest are forgotten, with their tokens."""


class UnusedTokens:
    """Takes tokens, and keeps which was taken for which action, by the key that this has at each attempt."""

    def __init__(self, limits: Limits) -> None:
        """Take tokens of these limits."""
        self._limits = limits
        self._taken = OrderedDict[str, Token]()

    def __len__(self) -> int:
        """Count the actions."""
        return len(self._taken)

    async def take(self, key: str, token: Token) -> Shortage | None:
        """Take a token for an action, one in all; return what is lacking if there is none."""
        await self.give_back(key)
        lack = await self._limits.shortage(token.kind, client_id=token.client_id, workflow=token.workflow)
        if lack is None:
            self._taken[key] = token
            if len(self._taken) > MOST:
                self._taken.popitem(last=False)
        return lack

    async def give_back(self, key: str) -> None:
        """Give back what was taken for an action that was not done."""
        if (token := self._taken.pop(key, None)) is not None:
            await self._limits.give_back(token.kind, client_id=token.client_id, workflow=token.workflow)

    def use(self, key: str) -> None:
        """Note that an action was done."""
        self._taken.pop(key, None)
