"""Server that orchestrates jobs on fleets of devices: workflows, jobs, and an ordered log of all changes."""

from __future__ import annotations

import sys
import time

try:
    time.time()
except OverflowError:  # nothing works by such a clock, not even the import of the module for logs
    sys.exit("Error: the system clock is beyond the year 2262; set it, and start again")
