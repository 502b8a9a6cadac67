"""Configuration files of the server: YAML and TOML, sections, and where each value stands."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from wfx.cli import ROOT
from wfx.commandline.config_files import ConfigFiles, signature
from wfx.commandline.configuration import ResolvedSettings, Sources
from wfx.commandline.failures import ConfigurationFailure, UsageFailure


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def resolve(*files: str) -> ResolvedSettings:
    """Settle the server's options by these files alone."""
    given: dict[str, Any] = {"config": list(files)}
    return Sources(ROOT.options, given, {}, strict=True).resolve()


YAML = """\
log:
  level: debug
client:
  port: 9080
  plugins_dir: /srv
sse: {ping-interval: 15s, grace_interval: 20s}
allowed-host: [a, b]
keep-alive: false
max_requests: 7
"""
TOML = """\
keep-alive = false
max_requests = 7
allowed-host = ["a", "b"]
log.level = "debug"
sse = {ping-interval = "15s", grace_interval = "20s"}

[client]
port = 9_080
"plugins_dir" = '/srv'
"""


NAMES = ("log-level", "client-port", "client-plugins-dir", "sse-ping-interval", "keep-alive")


@pytest.mark.parametrize(
    ("name", "content", "at"), [("wfx.yml", YAML, (2, 4, 5, 6, 8)), ("w.toml", TOML, (4, 8, 9, 5, 1))]
)
def test_sections(name: str, content: str, at: tuple[int, ...]) -> None:
    """Names of sections and keys are joined by dashes, underscores count as dashes, and each value knows its line."""
    Path(name).write_text(content)
    resolved = resolve(name)
    settings = resolved.settings
    assert resolved.warnings == ()
    assert (settings.text("log-level"), settings.number("client-port")) == ("debug", 9080)
    assert (settings.text("client-plugins-dir"), settings.flag("keep-alive")) == ("/srv", False)
    assert (settings.seconds("sse-ping-interval"), settings.seconds("sse-grace-interval")) == (15, 20)
    assert (settings.items("allowed-host"), settings.number("max-requests")) == (["a", "b"], 7)
    assert tuple(settings.origin(option).line for option in NAMES) == at
    assert str(settings.origin("log-level")) == f"{name} line {at[0]}"
    assert str(settings.origin("mgmt-port")) == "default"


def test_files_of_both_kinds_are_merged() -> None:
    """A section in a later file replaces the same options of earlier ones, and no others."""
    Path("a.yml").write_text("client-port: 1\nclient-host: localhost\n")
    Path("b.toml").write_text("[client]\nport = 2\n")
    resolved = resolve("a.yml", "b.toml")
    assert (resolved.settings.number("client-port"), resolved.settings.text("client-host")) == (2, "localhost")
    assert resolve("b.toml", "a.yml").settings.number("client-port") == 1


@pytest.mark.parametrize(("name", "content", "said"), [
    ("a.yml", "log-level: info\nlog:\n  level: warn\n", ' is not valid: it gives "log-level" twice, in lines 1 and 3'),
    ("a.yml", "max_requests: 1\nmax-requests: 2\n", ' is not valid: it gives "max-requests" twice, in lines 1 and 2'),
    ("a.toml", "log-level = 1\nlog-level = 2\n", " is not valid TOML: Cannot overwrite a value (at line 2, column 14)"),
    ("a.toml", "log-level = \n", " is not valid TOML: Invalid value (at line 1, column 13)"),
    ("a.toml", 'x = "\xff"\n', " is not valid TOML: 'utf-8' codec"),
    ("a.toml", "x = " + "[" * 5000, " is not valid TOML: "),
])  # fmt: skip
def test_broken_files(name: str, content: str, said: str) -> None:
    """Row 55: a file that is wrong is named, with the lines, and nothing is taken from it."""
    Path(name).write_text(content, encoding="latin-1")
    with pytest.raises(ConfigurationFailure) as raised:
        resolve(name)
    assert f"configuration file {name}{said}" in str(raised.value)


@pytest.mark.parametrize(("name", "content", "said"), [
    ("a.yml", "sse:\n  ping-interval: 5\n", 'invalid duration "5": use a unit, for example 5s or 1m30s (a.yml line 2)'),
    ("a.toml", "[client]\nport = 80.5\n", "for configuration key client-port: invalid syntax (a.toml line 2)"),
    ("a.toml", "log-level = [1]\n", "log-level must have one value, not a list or a mapping (a.toml line 1)"),
    ("a.yml", "log-level: {is: debug}\n", "log-level must have one value, not a list or a mapping (a.yml line 1)"),
])  # fmt: skip
def test_wrong_values(name: str, content: str, said: str) -> None:
    """Row 55: a wrong value is named with its key, its file and its line."""
    Path(name).write_text(content)
    with pytest.raises(UsageFailure) as raised:
        resolve(name)
    assert str(raised.value).endswith(said)


def test_what_is_worth_a_warning() -> None:
    """Unknown keys are named with their place, and so are files that were asked for and do not exist."""
    Path("a.toml").write_text("[client]\nprot = 1\n")
    assert resolve("a.toml", "b.yml").warnings == (
        "unknown option client-prot is ignored (a.toml line 2)",
        "configuration file b.yml does not exist",
    )


@pytest.mark.parametrize("content", ["a: &a {b: *a}", "a: {b: {c: {d: {e: {f: {g: 1}}}}}}"])
def test_sections_without_end(content: str) -> None:
    """A section that contains itself, or is nested deeply, is one unknown key."""
    Path("a.yml").write_text(content)
    assert [said.split()[2].count("-") for said in resolve("a.yml").warnings] == [4]


def test_a_pipe_is_read_once() -> None:
    """What a pipe has said (``--config <(decrypt wfx.yml)``) holds when the files are read again."""
    os.mkfifo("pipe")
    writer = threading.Thread(target=Path("pipe").write_text, args=("client-port: 7",))
    writer.start()
    files = ConfigFiles(("pipe",), {"client-port"})
    first = files.read()
    writer.join()
    again = files.read()
    assert first == again
    assert again.values["client-port"].value == "7"
    assert signature("pipe") == first.signatures["pipe"], "and nobody waits for it to change"


def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for() -> None:
    """A pipe that was a file, or nothing, when the files were read first is an error, and nobody waits for it."""
    Path("was.yml").write_text("log-level: debug")
    files = ConfigFiles(("was.yml", "new.yml"))
    files.read()
    os.mkfifo("new.yml")
    with pytest.raises(ConfigurationFailure, match=r"cannot read configuration file new\.yml: it is no regular file"):
        files.read()
    Path("new.yml").unlink()
    assert files.read().values["log-level"].value == "debug"


def test_what_cannot_be_read_again_is_not_left_open() -> None:
    """A directory in place of a file is an error as often as it is met, and takes no descriptor."""
    files = ConfigFiles(("wfx.yml",))
    files.read()
    Path("wfx.yml").mkdir()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(9):
        with pytest.raises(ConfigurationFailure, match=r"cannot read configuration file wfx\.yml: Is a directory"):
            files.read()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_line_that_is_no_yaml_is_not_quoted() -> None:
    """The message names line and column, and does not repeat what stands there: it may be a password."""
    Path("wfx.yml").write_text("storage-opt: {file:q?_auth_pass=hunter2\n")
    with pytest.raises(ConfigurationFailure, match=r"not valid YAML: .*line 1, column 21") as failure:
        resolve("wfx.yml")
    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize(("written", "meant"), [("30", 30.0), ("0.5", 0.5), ("1m30s", 90.0), ('"2"', 2.0)])
def test_seconds(written: str, meant: float) -> None:
    """An option that has seconds in its name takes a number alone, as a file has it, and durations like any other."""
    Path("wfx.yml").write_text(f"vm_pool: {{max_execution_seconds: {written}}}")
    assert resolve("wfx.yml").settings.seconds("vm-pool-max-execution-seconds") == meant
