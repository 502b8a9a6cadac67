"""Which release this is."""

from __future__ import annotations


def version() -> str:
    """Return the version that was installed, or ``dev`` in a source tree that was not."""
    from importlib.metadata import PackageNotFoundError  # slow to import, and rarely needed
    from importlib.metadata import version as installed

    try:
        return installed("wfx")
    except PackageNotFoundError:
        return "dev"


def line() -> str:
    """Return what ``--version`` prints."""
    return f"wfxctl version {version()} (commit unknown)\n"
