"""What `make run` says before the service starts: where it will be, and what to try next."""

from __future__ import annotations

TEXT = """\
wfx starts with its data in ./wfx.db
  northbound API (operators)  http://127.0.0.1:8081/api/wfx/v1
  southbound API (devices)    http://127.0.0.1:8080/api/wfx/v1

Try next, in another terminal:
  export PATH="$PWD/.venv/bin:$PATH"
  wfxctl workflow create spec/workflows/wfx.workflow.dau.phased.yml
  echo '{"version": "2.0"}' | wfxctl job create --client-id my-device --workflow wfx.workflow.dau.phased -
  wfxctl job query
  make demo          (a simulated device takes an update, from creation to ACTIVATED)

Stop with Ctrl-C.
"""

if __name__ == "__main__":
    print(TEXT, flush=True)  # noqa: T201  # its purpose
