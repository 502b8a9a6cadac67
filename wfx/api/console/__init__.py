"""The console: pages for browsers under ``/ui``, northbound (server section 10)."""

from wfx.api.console.app import Console, favicon

__all__ = ["Console", "favicon"]
