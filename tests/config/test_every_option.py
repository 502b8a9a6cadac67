"""Every option of the server can be given in every way; the cases come from the table of options."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from command_lines import Run, runner

from wfx.cli import PROGRAM
from wfx.config.options import OPTIONS, Option

CONTRACT = [
    "scheme",
    "client-host",
    "client-port",
    "client-tls-host",
    "client-tls-port",
    "client-unix-socket",
    "client-plugins-dir",
    "mgmt-host",
    "mgmt-port",
    "mgmt-tls-host",
    "mgmt-tls-port",
    "mgmt-unix-socket",
    "mgmt-plugins-dir",
    "tls-certificate",
    "tls-key",
    "tls-ca",
    "storage",
    "storage-opt",
    "simple-fileserver",
    "log-level",
    "log-format",
    "max-header-size",
    "keep-alive",
    "read-timeout",
    "write-timeout",
    "cleanup-timeout",
    "graceful-timeout",
    "sse-ping-interval",
    "sse-grace-interval",
]
ITEMS = (
    "https://a.example", "a.example", "192.0.2.0/24", "http", "unix", "north", "/path", "serial=SN", "FAILED=90d",
    "20/PT1M",
)  # fmt: skip
"""Items of lists, one of which each list takes."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line of wfx in this process, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return runner(PROGRAM, tmp_path / "home")


def _accepts(option: Option, item: str) -> bool:
    try:
        if option.check:
            option.check(item)
    except ValueError:
        return False
    return not option.choices or item in option.choices


def sample(option: Option) -> tuple[str, Any]:
    """Return a value as it is written, and as it counts; another one than the default where there is one."""
    if option.kind == "tuple[str, ...]":
        item = next(item for item in (*option.choices, *ITEMS) if _accepts(option, item) and (item,) != option.default)
        return item, [item]
    if option.kind == "bool":
        return str(not option.default).lower(), not option.default
    if option.kind == "Seconds":
        return f"{option.default + 60:g}s", option.default + 60
    if option.kind == "int":
        most = option.most if option.most is not None else sys.maxsize
        number = int(option.default + 1 if option.default < most else option.default - 1)
        return str(number), number
    others = [choice for choice in option.choices if choice != option.default]
    words = (*others, *option.choices, "other", "/", "0640", "/other", "a@b.example")
    text = next(text for text in words if _accepts(option, text))
    return text, text


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
@pytest.mark.parametrize("way", ["flag", "variable", "yaml", "toml", "sections"])
def test_every_option_in_every_way(run: Run, option: Option, way: str) -> None:
    """Each option takes a value from a flag, a variable, a YAML file, a TOML file and sections of one."""
    text, value = sample(option)
    *sections, key = option.name.split("-")
    path, content = {
        "yaml": ("wfx.yml", f"{option.name}: '{text}'"),
        "toml": ("wfx.toml", f'# first\n{option.name} = "{text}"'),
        "sections": (
            "wfx.yml",
            "".join(f"{section}: {{" for section in sections) + f"{key}: {text}" + "}" * len(sections),
        ),
    }.get(way, ("wfx.yml", ""))
    Path(path).write_text(content)
    flags = ["--config=wfx.toml"] if way == "toml" else []
    flags += [f"--{option.name}={text}"] if way == "flag" else []
    outcome = run("config", "--output=json", *flags, env={option.variable: text} if way == "variable" else {})
    shown = json.loads(outcome.out)["options"][option.name]
    assert shown["value"] == (option.mask(value) if option.mask else value)
    assert shown["setBy"] == {
        "flag": {"kind": "flag", "name": f"--{option.name}"},
        "variable": {"kind": "variable", "name": option.variable},
        "toml": {"kind": "file", "name": "wfx.toml", "line": 2},
    }.get(way, {"kind": "file", "name": "wfx.yml", "line": 1})
    assert "unknown option" not in outcome.err


@pytest.mark.parametrize(
    "option", [option for option in OPTIONS if option.kind.startswith("tuple")], ids=lambda o: o.name
)
def test_lists_in_every_way(run: Run, option: Option) -> None:
    """A list may be a flag that is repeated or has commas, a variable with commas, and a list or one value in files."""
    item = sample(option)[0]
    two, name = [item, item], option.name

    def shown(*flags: str, env: dict[str, str] | None = None, **files: str) -> Any:
        for suffix, content in files.items():
            Path(f"w.{suffix}").write_text(content)
        config = ",".join(f"w.{suffix}" for suffix in files)
        outcome = run("config", "--output=json", f"--config={config}", *flags, env=env)
        return json.loads(outcome.out)["options"][name]["value"]

    assert shown(f"--{name}={item},{item}") == two
    assert shown(f"--{name}={item}", f"--{name}", item) == two
    assert shown(env={option.variable: f"{item},{item}"}) == two
    assert shown(yml=f"{name}: ['{item}', {item}]") == two
    assert shown(yml=f"{name}: {item},{item}") == two
    assert shown(yml=f"{name}: {item}") == [item]
    assert shown(toml=f'{name} = ["{item}", "{item}"]') == two
    assert shown(toml=f'{name} = "{item}"') == [item]


def test_every_option_of_the_contract() -> None:
    """There is no option of the reference that this server does not know."""
    assert set(CONTRACT) <= {option.name for option in OPTIONS}
    defaults = {option.name: option.default for option in OPTIONS}
    assert (defaults["client-host"], defaults["mgmt-host"]) == ("0.0.0.0", "127.0.0.1")  # compared, not bound


@pytest.mark.parametrize(("text", "offered"), [
    ("", ["http", "https", "unix"]), ("ht", ["http", "https"]), ("http,u", ["http,unix"]),
])  # fmt: skip
def test_words_for_lists_are_offered(run: Run, text: str, offered: list[str]) -> None:
    """The shell offers the words of a list for each of its items."""
    *lines, _ = run("__complete", "--scheme", text).out.splitlines()
    assert lines == offered


def test_the_help_lists_the_words_of_a_list(run: Run) -> None:
    """The help names the words that the items of a list may be."""
    assert "list of http, https, unix" in " ".join(run("--help").out.split())
