"""Machines that write no core files."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def not_tried(reason: str) -> NoReturn:
    """Skip the test; in CI, where nobody reads what was skipped, fail."""
    if "CI" in os.environ:
        pytest.fail(f"NOT TRIED: {reason}; set kernel.core_pattern to core and allow files of any size (ulimit -Hc)")
    pytest.skip(f"NOT TRIED: {reason}")
