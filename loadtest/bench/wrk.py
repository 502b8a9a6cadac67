"""Running wrk and reading what it says."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_LUA = """
local paths = {{}}
for line in io.lines("{paths}") do paths[#paths + 1] = line end
local next_path = 0
function request()
  next_path = next_path % #paths + 1
  return wrk.format("{method}", paths[next_path], {{["Content-Type"] = "application/json"{headers}}}, {body})
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %f %f\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: one method, paths taken in turn, one body for all."""

    method: str
    paths: tuple[str, ...]
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it; latencies in milliseconds."""

    requests: int
    rate: float
    failed: int
    p50: float
    p99: float


def run(port: int, load: Load, connections: int, seconds: float, scheme: str = "http") -> Outcome:
    """Send the load to 127.0.0.1 for some seconds over this many connections, with one wrk thread."""
    with tempfile.TemporaryDirectory() as folder:
        paths, script = Path(folder, "paths"), Path(folder, "load.lua")
        paths.write_text("\n".join(load.paths))
        headers = "".join(f', ["{name}"] = "{value}"' for name, value in load.headers)
        body = "nil" if load.body is None else f"[==[{load.body}]==]"
        script.write_text(_LUA.format(paths=paths, method=load.method, headers=headers, body=body))
        url = f"{scheme}://127.0.0.1:{port}"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(script), url]
        printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)", printed)
    if found is None:
        raise RuntimeError(f"wrk said nothing to count: {printed}")
    requests, micros, failed = map(int, found.group(1, 2, 3))
    p50, p99 = (float(value) / 1000 for value in found.group(4, 5))
    return Outcome(requests, requests / (micros / 1e6), failed, p50, p99)
