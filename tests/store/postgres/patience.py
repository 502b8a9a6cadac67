"""Waiting for what other servers do, with a deadline that only guards against hanging."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from wfx.domain.errors import StoreUnavailable

Result = TypeVar("Result")


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it holds."""
    async with asyncio.timeout(60):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.01)


async def in_the_end(act: Callable[[], Awaitable[Result]]) -> Result:
    """Do something again until the store is available."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await act()
            except StoreUnavailable:
                await asyncio.sleep(0.02)
