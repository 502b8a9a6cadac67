"""File server: serves the files of one directory under ``/download`` (server section 7)."""

from wfx.api.downloads.app import Downloads

__all__ = ["Downloads"]
