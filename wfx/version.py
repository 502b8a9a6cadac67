"""Which program this is."""

from __future__ import annotations

VERSION = "0.1.0"
COMMIT = "unknown"
API_VERSION = "v1"
