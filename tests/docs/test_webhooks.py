"""The guide to webhooks works as it stands: its rules, its receiver, and its commands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from postgres_server import free_port

from tests.docs.test_console import ROOT, follow, tree_below
from tests.tasks.test_service import SECRET
from tests.waiting import eventually
from wfx.demo.local import LocalService
from wfx.tasks.retry_plan import DELAYS

GUIDE = ROOT / "docs" / "webhooks.md"
TEXT = GUIDE.read_text(encoding="utf-8")


def block(language: str) -> str:
    """The one block of code in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    text: str = found
    return text


def test_the_guide_works(tmp_path: Path) -> None:
    """With the rules and the receiver of the guide its commands print what it shows, and the receiver accepts it."""
    port = free_port()
    rules, secret, script = (tmp_path / name for name in ("alarm.yml", "secret", "receiver.py"))
    rules.write_text(block("yaml").replace("127.0.0.1:19000", f"127.0.0.1:{port}"))
    secret.write_text(SECRET)
    secret.chmod(0o600)
    script.write_text(block("python"))
    said = tmp_path / "said"
    with (
        said.open("w") as out,
        subprocess.Popen(
            [sys.executable, script, secret, str(port)], stdout=out, stderr=subprocess.DEVNULL
        ) as receiver,
    ):
        try:
            options = (f"--rules={rules}", f"--webhook-secret-file={secret}", "--webhook-allowed-networks=127.0.0.1")
            with LocalService(tmp_path, *options) as service:
                follow(GUIDE, service, tree_below(tmp_path))
            eventually(said.read_text, "the receiver has accepted it")
        finally:
            receiver.kill()
    assert said.read_text() == "received: {'text': 'press-7 is hot'}\n"


def test_the_plan_is_told() -> None:
    """The table of the guide has the delays of the plan."""
    (row,) = re.findall(r"^\| it waits \| (.*) \|$", TEXT, re.MULTILINE)
    seconds = {"s": 1, "min": 60, "h": 3600}
    assert [int(n) * seconds[unit] for n, unit in (cell.split() for cell in row.split(" | "))] == list(DELAYS)


def test_the_options_are_told() -> None:
    """The service in the guide is started with options that there are."""
    from wfx.config.options import BY_NAME

    found = set(re.findall(r"--((?:webhook|smtp|sandbox)-[a-z-]+)", TEXT))
    assert found <= set(BY_NAME)
    assert {name for name in BY_NAME if name.startswith(("webhook-", "smtp-"))} <= found
