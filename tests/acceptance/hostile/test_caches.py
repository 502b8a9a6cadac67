"""What clients send is not kept in caches when it is long."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.tuned import tuned
from wfx.api.host_check import HostCheck
from wfx.domain.definition import Definition
from wfx.plugin.rewrite import grouped
from wfx.server.request_line import valid_host


async def nowhere(*_: Any) -> Any:
    """Stand for an application and its client."""


def ask_under(host: bytes) -> None:
    """Make a request of a tool, not of a browser, under this name."""
    asyncio.run(HOST_CHECK({"type": "http", "headers": [(b"host", host)]}, nowhere, nowhere))


HOST_CHECK = HostCheck(nowhere, tuned())


@pytest.mark.parametrize(("use", "name"), [
    (valid_host, b"n" * 100_000), (ask_under, b"n" * 100_000), (lambda name: grouped([(name, b"")]), b"n" * 100_000),
    (lambda name: Definition.of({name: 1}), "n" * 100_000),
], ids=["host", "host of a browser", "header of a plugin", "definition"])  # fmt: skip
def test_long_names_are_not_kept(use: Callable[[Any], object], name: bytes | str) -> None:
    """A client that sends ever new long names takes no memory beyond its requests."""
    before = sys.getrefcount(name)
    use(name)
    assert sys.getrefcount(name) == before
