"""Settings that make no sense: one clear line, and no half-configured service."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from wfx.demo.local import LocalService

COMMAND = [sys.executable, "-m", "wfx", "--client-port=0", "--mgmt-port=0", "--client-host=127.0.0.1"]
DEEP = b"[" * 5000


def start_and_fail(folder: Path, *flags: str, **variables: str) -> str:
    """Start the service, which must refuse with exit code 1; returns the one line that it says, without its time."""
    environment = os.environ | {"NO_COLOR": "1", "HOME": str(folder)} | variables
    command = [*COMMAND, *flags]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (1, b"")
    said = ended.stderr.decode()
    assert said.count("\n") == 1, said
    assert len(said) < 600
    assert not (folder / "wfx.db").exists(), "nothing was begun"
    return said.strip()


@pytest.mark.parametrize(("content", "said"), [
    (b"events-keep: many", 'Error: invalid value "many" for configuration key events-keep: invalid syntax'),
    (b"events-keep: 1.5", "for configuration key events-keep: invalid syntax"),
    (b"events-keep: [8080]", "Error: configuration key events-keep must have one value, not a list or a mapping"),
    (b"log-level: {is: debug}", "Error: configuration key log-level must have one value, not a list or a mapping"),
    (b"log-level: loud", "configuration key log-level: must be one of trace, debug,"),
    (b"keep-alive: maybe", "configuration key keep-alive: invalid syntax"),
    (b"graceful-timeout: 5", 'invalid duration "5": use a unit, for example 5s or 1m30s'),
    (b"max-connections: -1", "must be at least 1"),
    (b"events-keep: 99999999999999999999", "value out of range"),
    (b"a: [", "FTL configuration file wfx.yml is not valid YAML: "),
    (b"a: b: c", "FTL configuration file wfx.yml is not valid YAML: "),
    (b"\xff\xfe\x00", "FTL configuration file wfx.yml is not valid YAML: "),
    (b"- events-keep", "FTL configuration file wfx.yml is not valid: it must hold keys and values"),
    (b"? [a]\n: b", "FTL configuration file wfx.yml is not valid YAML: "),
    (b"events-keep: 1\n# more\nevents-keep: 2",
     'wfx.yml is not valid YAML: key "events-keep" is given twice, in lines 1 and 3'),
    (b'{"a": {"b": 1,\n"b": 2}}', 'wfx.yml is not valid YAML: key "b" is given twice, in lines 1 and 2'),
    (b"a: 1\n'a': 2", 'wfx.yml is not valid YAML: key "a" is given twice, in lines 1 and 2'),
    (b"x" * 5000 + b": 1\n" + b"x" * 5000 + b": 2", "FTL configuration file wfx.yml is not valid YAML: "),
    (b"a: !!python/object/apply:os.system [id]", "FTL configuration file wfx.yml is not valid YAML: "),
    (DEEP, "FTL configuration file wfx.yml is not valid YAML: "),
], ids=lambda value: str(value)[:30])  # fmt: skip
def test_files_that_make_no_sense(tmp_path: Path, content: bytes, said: str) -> None:
    """Row 55: a wrong value or a broken file ends the start with one line that says which, where and why."""
    (tmp_path / "wfx.yml").write_bytes(content)
    assert said in start_and_fail(tmp_path)


@pytest.mark.parametrize("make", [
    lambda path: path.mkdir(),
    lambda path: path.symlink_to(path),
    lambda path: path.symlink_to("/proc/self/mem"),
], ids=["directory", "loop of links", "unreadable"])  # fmt: skip
def test_files_that_cannot_be_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Row 55: a file that is there and cannot be read ends the start with its name."""
    make(tmp_path / "wfx.yml")
    assert "FTL cannot read configuration file wfx.yml: " in start_and_fail(tmp_path)


def test_variables_that_make_no_sense(tmp_path: Path) -> None:
    """Row 55: a variable with a wrong value ends the start and is named."""
    assert start_and_fail(tmp_path, WFX_CLIENT_HOST="", WFX_EVENTS_KEEP="all") == (
        'Error: invalid value "all" for WFX_EVENTS_KEEP: invalid syntax'
    )


def test_directory_of_downloads_must_exist(tmp_path: Path) -> None:
    """A directory of downloads that is missing, or is no directory, ends the start and is named, wherever it is set."""
    (tmp_path / "file").write_text("x")
    for place in ("missing", "file"):
        named = f'Error: invalid value "{place}" for '
        assert start_and_fail(tmp_path, f"--simple-fileserver={place}") == (
            f'Error: invalid argument "{place}" for "--simple-fileserver" flag: no such directory'
        )
        assert start_and_fail(tmp_path, WFX_SIMPLE_FILESERVER=place).startswith(named)
        (tmp_path / "wfx.yml").write_text(f"simple-fileserver: {place}\n")
        assert start_and_fail(tmp_path).startswith(named)
        (tmp_path / "wfx.yml").unlink()


@pytest.mark.parametrize("value", ["ftp", "http,ftp", "HTTP", "http://"])
def test_schemes_that_are_unknown(tmp_path: Path, value: str) -> None:
    """A scheme that is none ends the start, wherever it is given."""
    said = f'"{value.removeprefix("http,")}" must be one of http, https, unix'
    assert start_and_fail(tmp_path, f"--scheme={value}").endswith(said)
    assert start_and_fail(tmp_path, WFX_SCHEME=value).endswith(said)
    (tmp_path / "wfx.yml").write_text(f"scheme: [{', '.join(map(repr, value.split(',')))}]\n")
    assert start_and_fail(tmp_path).endswith(f"{said} (wfx.yml line 1)")


def test_https_without_files(tmp_path: Path) -> None:
    """Who asks for TLS is never given anything less: without a certificate the start fails."""
    said = "Error: tls-certificate: the scheme https needs a file in PEM format"
    assert start_and_fail(tmp_path, "--scheme=http,https", "--tls-key=x") == said
    missing = tmp_path / "missing.pem"
    (tmp_path / "wfx.yml").write_text(f"scheme: https\ntls-key: x\ntls-certificate: {missing}\n")
    assert start_and_fail(tmp_path) == (
        f"Error: tls-certificate: cannot read {missing}: No such file or directory (wfx.yml line 3)"
    )
    assert start_and_fail(tmp_path, WFX_SCHEME="") == "Error: scheme: names nothing to listen on (WFX_SCHEME)"


@pytest.mark.parametrize("value", ["rw", "0999", "7", "-0660", "07777"])
def test_modes_that_are_none(tmp_path: Path, value: str) -> None:
    """The permissions of a Unix socket are three octal digits."""
    assert start_and_fail(tmp_path, f"--unix-socket-mode={value}").endswith(
        "must be three octal digits, optionally after a 0, such as 0660"
    )


def test_settings_that_ask_for_what_there_is(tmp_path: Path) -> None:
    """Plain HTTP may be asked for by name, and what a file asks for can be switched off by an empty variable."""
    (tmp_path / "wfx.yml").write_text("scheme: [http]\ntls-ca: ca.pem\nmgmt-unix-socket:\n")
    with LocalService(tmp_path, environment={"WFX_TLS_CA": "", "NO_COLOR": "1"}) as service:
        assert httpx.get(f"{service.north}/version", trust_env=False).status_code == 200
    assert not [line for line in service.lines if "WRN" in line]


@pytest.mark.parametrize("value", [
    "null", "console.example", "https://console.example/", "https://console.example/x", "https://", "https://a b",
])  # fmt: skip
def test_origins_that_are_none(tmp_path: Path, value: str) -> None:
    """An allowed origin is what browsers send: a scheme, a host and perhaps a port, and never ``null``."""
    said = f'"{value}" is no origin such as https://console.example'
    assert start_and_fail(tmp_path, f"--allowed-origin={value}").endswith(said)
    assert start_and_fail(tmp_path, WFX_ALLOWED_ORIGIN=f"https://good.example,{value}").endswith(said)
    (tmp_path / "wfx.yml").write_text(f"allowed-origin: ['https://good.example', '{value}']\n")
    assert start_and_fail(tmp_path).endswith(f"{said} (wfx.yml line 1)")


def test_hosts_that_are_none(tmp_path: Path) -> None:
    """An allowed host is a name without scheme and port; lists in files hold values, and nothing nested."""
    assert "is no host name" in start_and_fail(tmp_path, "--allowed-host=wfx.example:8081")
    (tmp_path / "wfx.yml").write_text("allowed-host: [{a: b}]\n")
    assert start_and_fail(tmp_path) == "Error: configuration key allowed-host must be a list of values (wfx.yml line 1)"


@pytest.mark.parametrize("host", ["a..b", ".a", "a" * 64, "ä" * 60])
@pytest.mark.parametrize("side", ["client", "mgmt"])
def test_addresses_that_are_none(tmp_path: Path, side: str, host: str) -> None:
    """To listen under what cannot be a host name ends the start with exit code 1 and one sentence that quotes it."""
    command = [*COMMAND, f"--{side}-host={host}", "--client-port=0", "--mgmt-port=0"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert f"cannot listen on {host}:0" in ended.stderr
    assert ended.stderr.rstrip().endswith("not a host name")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("source", ["flag", "variable", "file"])
@pytest.mark.parametrize("brackets", [True, False])
def test_addresses_in_brackets(tmp_path: Path, source: str, *, brackets: bool) -> None:
    """IPv6 addresses are taken with brackets, as in URLs, and without, wherever they are given."""
    values = {"client-host": "[::]" if brackets else "::", "mgmt-host": "[::1]" if brackets else "::1"}
    flags = [f"--{name}={value}" for name, value in values.items()] if source == "flag" else []
    variables = {f"WFX_{name.upper().replace('-', '_')}": value for name, value in values.items()}
    if source == "file":
        (tmp_path / "wfx.yml").write_text("".join(f'{name}: "{value}"\n' for name, value in values.items()))
    environment = os.environ | {"NO_COLOR": "1"} | (variables if source == "variable" else {})
    command = [sys.executable, "-m", "wfx", "--client-port=0", "--mgmt-port=0", "--log-format=json", *flags]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        records = (json.loads(line) for line in service.stdout)
        addresses = (record["addr"] for record in records if record["message"] == "listening")
        listening = list(itertools.islice(addresses, 2))
        service.terminate()
    assert [address.rpartition(":")[0] for address in listening] == ["[::]", "[::1]"]


def test_unknown_settings_are_named(tmp_path: Path) -> None:
    """Row 55: a setting that the service does not know is named in one line each, and the service starts."""
    (tmp_path / "wfx.yml").write_text("prot: 1\nlog: {form: text}\n'\\x1b[2J': 2\nclient-port:\n")
    with LocalService(tmp_path, environment={"WFX_PROT": "1", "NO_COLOR": "1"}) as service:
        assert httpx.get(f"{service.north}/version", trust_env=False).status_code == 200
    warnings = [line.split("WRN ")[1].strip() for line in service.lines if "WRN " in line]
    keys = [
        f"{name} is ignored (wfx.yml line {line})" for name, line in (("prot", 1), ("log-form", 2), ("\\x1b[2J", 3))
    ]
    assert warnings == [f"unknown option {said}" for said in (*keys, "WFX_PROT is ignored")]


@pytest.mark.parametrize("value", ["proxy.example", "10.0.0.1/8", "10.0.0.0/33", "*", "10.0.0.1:80"])
def test_proxies_that_are_none(tmp_path: Path, value: str) -> None:
    """A trusted proxy is an address or a network, not a name, which others could have resolved."""
    assert f'"{value}" is no address or network such as 10.0.0.0/8' in start_and_fail(
        tmp_path, f"--trusted-proxy={value}"
    )


@pytest.mark.parametrize(("option", "value", "said"), [
    ("rate-limit-excluded-ips", "10.0.0.1/8", '"10.0.0.1/8" is no address or network such as 10.0.0.0/8'),
    ("rate-limit-excluded-ips", "unix", '"unix" is no address or network such as 10.0.0.0/8'),
    ("rate-limit-excluded-paths", "download", '"download" is no path such as /download: it must begin with a slash'),
    ("rate-limit-excluded-paths", "/a b", '"/a b" is no path as requests have it: percent-encode it, as in /a%20b'),
    ("rate-limit-excluded-paths", "/é", "percent-encode it, as in /%C3%A9"),
    ("rate-limit-excluded-paths", "/a?b", "percent-encode it, as in /a%3Fb"),
    ("rate-limit-excluded-paths", "/a\udcffb", "percent-encode it, as in /a%FFb"),
    ("log-custom-pattern", "serial=SN\udcff", "the pattern serial is no text in UTF-8"),
    ("rate-limit-excluded-paths", "/%zz", '"/%zz" is no path as requests have it: %zz encodes nothing'),
    ("rate-limit-excluded-paths", "/a%2", "%2 encodes nothing, a percent sign is %25"),
    ("rate-limit-excluded-paths", "//x", '"//x" is no path that is served: leave out what is empty, . or ..'),
    ("rate-limit-excluded-paths", "/a//b", "leave out what is empty, . or .. between slashes"),
    ("rate-limit-excluded-paths", "/a/../b", '"/a/../b" is no path that is served'),
    ("rate-limit-excluded-paths", "/a/..", '"/a/.." is no path that is served'),
    ("rate-limit-excluded-paths", "/./a", '"/./a" is no path that is served'),
    ("ip-window-minutes", "527041", "must be at least 1, at most 527040"),
    ("rate-limit-sides", "east", '"east" must be one of north, south'),
    ("ip-rate-limit", "0", "must be at least 1"),
    ("ip-window-minutes", "0", "must be at least 1"),
    ("ip-burst-size", "-1", "must be at least 0"),
])  # fmt: skip
def test_rate_limits_that_are_none(tmp_path: Path, option: str, value: str, said: str) -> None:
    """A limit of requests that cannot be kept as it is written ends the start, and says what is wrong."""
    assert said in start_and_fail(tmp_path, f"--{option}={value}")


def test_a_rate_limit_of_no_side(tmp_path: Path) -> None:
    """A limit of requests that is on for no side ends the start."""
    said = "rate-limit-sides: names no side, and rate-limit-enabled limits requests: give one"
    assert said in start_and_fail(tmp_path, "--rate-limit-enabled", "--rate-limit-sides=")
