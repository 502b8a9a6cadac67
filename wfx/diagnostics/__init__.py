"""Pages under ``/debug`` for people who analyse a running service; off by default."""

from wfx.diagnostics.app import Diagnostics
from wfx.diagnostics.scripts import RunningScripts
from wfx.diagnostics.sources import DebugSources

__all__ = ["DebugSources", "Diagnostics", "RunningScripts"]
