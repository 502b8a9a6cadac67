"""Version and commit of the program."""

from __future__ import annotations

VERSION = "0.1.0"
COMMIT = "unknown"
API_VERSION = "v1"
