"""What stands beside the figures of the benchmarks."""

from __future__ import annotations

import subprocess
import sys
import time

from bench import machine

_SPIN = "import time\nwhile time.process_time() < 1: pass"


def test_what_programs_started_here_use_is_not_others_doing() -> None:
    """Processor time of the benchmark and of what it started counts as its own, also when they have ended."""
    before = machine._ours()
    begun = time.process_time()
    subprocess.run([sys.executable, "-c", _SPIN], check=True)
    used = machine._ours() - before
    assert 0.9 < used < 3 + time.process_time() - begun


def test_a_running_server_has_used_processor_time() -> None:
    """The cost of a request is read from the processor time of the server and of those it started."""
    with subprocess.Popen([sys.executable, "-c", _SPIN + "\ninput()"], stdin=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while machine.cpu_seconds(process.pid) < 0.9 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert machine.cpu_seconds(process.pid) >= 0.9
        process.kill()


def test_others_take_a_share_of_the_machine() -> None:
    """What others take is between nothing and everything, and the sentence about it names the share and the load."""
    watch = machine.Watch()
    time.sleep(0.1)
    assert 0 <= watch.others <= 1
    assert "% of the processors, load average" in watch.sentence()
    assert watch.record()["machine"]["cores"] >= 1
