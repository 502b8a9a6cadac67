"""Where the engine lies, and whether this installation can run scripts."""

from __future__ import annotations


def missing() -> str:
    """Return why this installation cannot run scripts, and what to do; an empty string if it can. Imports nothing."""
    raise NotImplementedError
