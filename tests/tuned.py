"""Tunables for tests."""

from __future__ import annotations

from typing import Any

from wfx.config.options import Config
from wfx.config.tunables import Holder, Tunables


def tuned(**settings: Any) -> Holder[Tunables]:
    """Hold the defaults, but for these settings."""
    return Holder(Tunables.of(Config(**settings)))
