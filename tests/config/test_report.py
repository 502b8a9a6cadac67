"""``wfx config`` as typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wfx.config.options import OPTIONS

GOLDEN = """\
OPTION              VALUE                                           SET BY              A CHANGE NEEDS
client-host         0.0.0.0                                         default             restart
client-port         9080                                            wfx.yml line 2      restart
allowed-origin      https://a.example,https://b.example             wfx.yml line 5      reload
storage-opt         file:wfx.db?_auth_user=u&_auth_pass=***&_fk=1   WFX_STORAGE_OPT     restart
log-level           debug                                           --log-level         reload
keep-alive          false                                           extra.toml line 3   reload
read-timeout        1m30s                                           extra.toml line 1   reload
max-requests        10000                                           default             reload
events-max-age      48h0m0s                                         WFX_EVENTS_MAX_AGE  reload
"""
YAML = """\
client:
  port: 9080
read-timeout: 20s
log-level: warn
allowed_origin: [https://a.example, https://b.example]
"""
TOML = """\
read-timeout = "90s"

keep-alive = false
"""
VARIABLES = {
    "WFX_STORAGE_OPT": "file:wfx.db?_auth_user=u&_auth_pass=s3cret&_fk=1",
    "WFX_EVENTS_MAX_AGE": "48h",
    "WFX_LOG_LEVEL": "error",
}


def wfx(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type ``wfx config`` with these arguments, in an environment of its own."""
    return subprocess.run(
        [sys.executable, "-m", "wfx", "config", *arguments], cwd=folder, env={"NO_COLOR": "1", **environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two files."""
    (tmp_path / "wfx.yml").write_text(YAML)
    (tmp_path / "extra.toml").write_text(TOML)
    return tmp_path


def test_the_table(folder: Path) -> None:
    """It shows all options with value, origin and what a change needs, the files, and no password."""
    shown = wfx(folder, "--log-level=debug", "--config=wfx.yml,extra.toml,none.yml", **VARIABLES)
    assert (shown.returncode, "s3cret" in shown.stdout + shown.stderr) == (0, False)
    table, files = shown.stdout.split("\n\n")
    rows = {line.split()[0]: line.split() for line in table.splitlines()}
    wanted = {line.split()[0]: line.split() for line in GOLDEN.splitlines()}
    assert {name: rows[name] for name in wanted} == wanted
    assert list(rows) == ["OPTION", *(option.name for option in OPTIONS)]
    assert len({line.rindex("  ") for line in table.splitlines()}) == 1, "columns are aligned"
    assert files == ("Configuration files, later ones win:\n  wfx.yml\n  extra.toml\n  none.yml (does not exist)\n")
    assert shown.stderr.endswith("WRN configuration file none.yml does not exist\n")
    assert wfx(folder).stdout.endswith("  wfx.yml\n  /etc/wfx/wfx.yml (does not exist)\n")


def test_the_report_for_programs(folder: Path) -> None:
    """As JSON it says the same: values of their types, durations in seconds."""
    shown = wfx(folder, "--output=json", "--log-level=debug", "--config=wfx.yml,extra.toml,none.yml", **VARIABLES)
    report = json.loads(shown.stdout)
    options = report["options"]
    assert set(options) == {option.name for option in OPTIONS}
    assert options["client-port"] == {
        "value": 9080, "setBy": {"kind": "file", "name": "wfx.yml", "line": 2}, "changeNeeds": "restart",
    }  # fmt: skip
    assert options["read-timeout"] == {
        "value": 90, "setBy": {"kind": "file", "name": "extra.toml", "line": 1}, "changeNeeds": "reload",
    }  # fmt: skip
    assert options["log-level"]["setBy"] == {"kind": "flag", "name": "--log-level"}
    assert options["keep-alive"]["value"] is False
    assert options["allowed-origin"]["value"] == ["https://a.example", "https://b.example"]
    assert options["storage-opt"]["value"] == "file:wfx.db?_auth_user=u&_auth_pass=***&_fk=1"
    assert options["storage-opt"]["setBy"] == {"kind": "variable", "name": "WFX_STORAGE_OPT"}
    assert options["mgmt-host"]["setBy"] == {"kind": "default"}
    assert report["files"][-1] == {"path": "none.yml", "exists": False}


@pytest.mark.parametrize(("arguments", "said"), [
    (["--client-host=::1", "--mgmt-host=::1", "--mgmt-port=9080"],
     "Error: mgmt-port: 9080 is the port of the southbound API on the same host (--mgmt-port)\n"),
    (["--read-timeout=soon"],
     'for "--read-timeout" flag: invalid duration "soon": use a unit, for example 5s or 1m30s\n'),
    (["--read-timeout=" + "9" * 400 + "s"], '9s": it is too long\n'),
    (["--vm-pool-max-execution-seconds=" + "9" * 400], '9s": it is too long\n'),
    ([f"--log-custom-pattern={name}=a.{{12}}Z" for name in "abcde"],
     "and may have 384: shorten what is repeated, such as .{0,50} (--log-custom-pattern)\n"),
    (["extra"], 'Error: wfx config takes no arguments, but was given "extra"\n'),
])  # fmt: skip
def test_settings_that_would_be_refused(folder: Path, arguments: list[str], said: str) -> None:
    """It ends with 1 and says why if the server would refuse to start."""
    shown = wfx(folder, *arguments)
    assert shown.returncode == 1
    assert shown.stderr.endswith(said)


@pytest.mark.parametrize(("mode", "value", "warned"), [
    (0o644, "postgres://u:s3cret@db/wfx", True), (0o640, "postgres://u:s3cret@db/wfx", False), (0o644, "a.db", False),
])  # fmt: skip
def test_secrets_that_everybody_may_read(folder: Path, mode: int, value: str, *, warned: bool) -> None:
    """Row 55: a password in a file that all users may read is worth a warning that does not repeat it."""
    path = folder / "wfx.yml"
    path.write_text(f"storage-opt: {value}\n")
    path.chmod(mode)
    shown = wfx(folder)
    said = "WRN storage-opt has a password in a file that everybody may read (wfx.yml line 1): chmod o-r\n"
    assert (said in shown.stderr) == warned
    assert "s3cret" not in shown.stdout + shown.stderr


@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o640, False)])
def test_files_of_secrets_that_everybody_may_read(folder: Path, mode: int, *, warned: bool) -> None:
    """Row 55: a file of secrets that all users may read is worth a warning."""
    path = folder / "secret"
    path.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    path.chmod(mode)
    shown = wfx(folder, "--webhook-secret-file=secret")
    said = "WRN everybody may read secret, the file of webhook-secret-file: chmod o-r\n"
    assert (said in shown.stderr) == warned
    assert "MfKQ9r8" not in shown.stdout + shown.stderr
