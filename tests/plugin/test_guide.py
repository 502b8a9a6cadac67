"""What the guide for plugin authors shows is true."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
from plugin_programs import DEADLINE, ROOT

import wfx_plugin
from wfx.demo.local import LocalService
from wfx.plugin.decode import decode_answer
from wfx.plugin.message import PASS, Respond

BIN = Path(sys.executable).parent
GUIDE = (ROOT / "docs" / "plugins.md").read_text()


def section(title: str) -> str:
    """Give the text under a heading."""
    return GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(language: str, text: str = GUIDE) -> list[str]:
    """Give the code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def run(command: str, folder: Path) -> str:
    """Run a command of the guide as a shell does; gives what it prints."""
    ran = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=DEADLINE, check=True
    )
    return ran.stdout


def test_ten_lines(tmp_path: Path) -> None:
    """Whoever follows the first section in an empty folder gets what it shows: only administrators delete."""
    text = section("In ten lines")
    make, start, ask = blocks("sh", text)
    (source,) = blocks("python", text)
    assert len([line for line in source.splitlines() if line.strip()]) <= 10
    run(make, tmp_path)
    (name,) = re.findall(r"Save this as `(.+)`", text)
    (tmp_path / name).write_text(source)
    *prepare, serve = start.splitlines()
    run("\n".join(prepare), tmp_path)
    program, *options = serve.split()
    assert program == "wfx"
    with LocalService(tmp_path, *options, environment={"PATH": f"{BIN}:{os.environ['PATH']}"}) as service:
        for line in ask.splitlines():
            command, shown = re.split(" +# ", line)
            printed = run(command.replace(":8081", f":{service.ports['north']}"), tmp_path)
            assert printed.splitlines() == [shown], command


def test_a_plugin_is_a_function() -> None:
    """The plugin in ten lines can be called without wfx, as the guide says."""
    text = section("In ten lines")
    (call,) = re.findall(r"`(decide\(.+\))`", text)
    names: dict[str, object] = {"__name__": "deletions"}
    exec(blocks("python", text)[0], names)
    assert eval(call, names) == wfx_plugin.Respond.deny("only administrators may delete\n")


def test_deployment(tmp_path: Path) -> None:
    """The unit is one that systemd accepts, and what it starts refuses devices without identity, audits, and stops."""
    text = section("Deployment under systemd")
    (commands,), (unit,) = ([placed(block, tmp_path) for block in blocks(kind, text)] for kind in ("sh", "ini"))
    run(commands, ROOT)
    (tmp_path / "wfx.service").write_text(unit)
    assert run(f"systemd-analyze verify {tmp_path}/wfx.service 2>&1", tmp_path) == ""
    ((start,), (home,), variables) = (
        re.findall(f"^{key}=(.*)", unit, re.MULTILINE) for key in ("ExecStart", "WorkingDirectory", "Environment")
    )
    program, *options = start.split()
    assert program == f"{BIN}/wfx"
    Path(home).mkdir(parents=True)
    with LocalService(Path(home), *options, environment=dict(map(partition, " ".join(variables).split()))) as service:
        for path, status in (("/health", 200), ("/api/wfx/v1/jobs", 403)):
            assert httpx.get(service.south + path, trust_env=False).status_code == status
        assert service.stop() == 0, "systemd sends SIGTERM to the server alone"
    assert "\nKillMode=mixed\n" in unit
    audited = [json.loads(line) for line in (Path(home) / "audit.jsonl").read_text().splitlines()]
    assert [(one["destination"], one["status"], one["answeredBy"]) for one in audited] == [
        ("/health", 200, None), ("/api/wfx/v1/jobs", 403, "auth"),
    ]  # fmt: skip
    (shown,) = (block for block in blocks("json") if '"answeredBy"' in block)
    assert json.loads(shown).keys() == audited[0].keys()


def placed(text: str, root: Path) -> str:
    """Put what the guide has in system directories below a folder, and take the programs of this environment."""
    return re.sub(r"/(etc|var)/", rf"{root}/\1/", text.replace("/opt/wfx/bin", str(BIN)))


def partition(variable: str) -> tuple[str, str]:
    """Take a variable and its value apart."""
    name, _, value = variable.partition("=")
    return name, value


def test_vectors() -> None:
    """The two answers that the guide spells in bytes are what they are said to be."""
    (text,) = (block for block in blocks("text") if block.startswith("1c"))
    frames = [bytes.fromhex(frame) for frame in text.split("\n\n")]
    assert [len(frame) - 4 for frame in frames] == [int.from_bytes(frame[:4], "little") for frame in frames]
    assert [decode_answer(frame[4:]) for frame in frames] == [(7, PASS), (7, Respond(403, (), b"no\n"))]


def test_configuration_of_auth() -> None:
    """The configuration in the guide has the members of the sample file, and tokens are hashed as it says."""
    (text,) = (block for block in blocks("json") if '"north"' in block)
    (command,) = re.findall("`(printf .*sha256sum)`", GUIDE)
    assert run(command, ROOT).split()[0] == hashlib.sha256(b"TOKEN").hexdigest()
    sample = json.loads((ROOT / "plugins" / "examples" / "auth" / "auth.json").read_text())
    assert json.loads(text).keys() == sample.keys()


def test_every_example_is_described() -> None:
    """The table of examples lists exactly the directories there are."""
    listed = re.findall(r"^\| `(\w+)` \|", section("Examples"), re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in (ROOT / "plugins" / "examples").iterdir() if path.is_dir())


def test_the_sdk_can_be_installed_alone(tmp_path: Path) -> None:
    """Building the SDK gives a wheel that holds it, its types and the generated messages."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT / "plugins", check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("wfx_plugin-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert names >= {"wfx_plugin/py.typed", "wfx_plugin/running.py", "wfx_plugin/generated/messages.py"}
    assert not any(name.startswith("examples") for name in names)
