"""Contexts: where they are kept, what they say, and what beats them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from wfxctl_stub import Stub

from wfxctl import contexts

Run = Callable[..., Any]
SECRET = "s3cr3t-value"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of contexts, as the fixture ``run`` has its home."""
    return tmp_path / "home" / ".config" / "wfx" / "contexts.yml"


def added(run: Run, name: str, *argv: str, **more: Any) -> None:
    """Add a context."""
    outcome = run("context", "add", name, *argv, **more)
    assert (outcome.code, outcome.out) == (0, ""), outcome.err


def names(run: Run) -> list[str]:
    """The names that are listed."""
    return list(run("context", "list", "-o", "name").out.split())


def test_the_first_context_is_in_use_at_once(run: Run, stub: Stub) -> None:
    """A command without flags reaches the server of the context in use, another one that of ``--context``."""
    added(
        run, "plant", "--client-url", f"http://127.0.0.1:{stub.port}/", "--mgmt-url", f"http://127.0.0.1:{stub.port}/m"
    )
    added(run, "lab", "--client-url", "http://127.0.0.1:1")
    assert run("job", "query").code == 0
    assert run("job", "create", "--client-id", "c", "--workflow", "w").code == 0
    assert [seen.path for seen in stub.seen] == ["/jobs", "/m/api/wfx/v1/jobs"]
    assert run("--context", "lab", "job", "query").code == 1
    assert run("job", "query", env={"WFX_CONTEXT": "lab"}).code == 1
    assert run("--context=plant", "job", "query", env={"WFX_CONTEXT": "lab"}).code == 0
    assert run("context", "use", "lab").code == 0
    assert run("job", "query").code == 1


def test_none_stands_for_no_context(run: Run, stub: Stub) -> None:
    """The name none leaves contexts aside, for one call or for all."""
    added(run, "plant", "--client-url", "http://127.0.0.1:1")
    Path("wfx.yml").write_text(f"client-port: {stub.port}")
    assert run("job", "query").code == 1
    assert run("--context", "none", "job", "query").code == 0
    assert run("context", "use", "none").code == 0
    assert run("job", "query").code == 0
    assert names(run) == ["plant"]


def test_flags_beat_variables_beat_contexts_beat_files(run: Run, stub: Stub) -> None:
    """A context stands between variables and files."""
    Path("wfx.yml").write_text("{client-port: 1, read-from: north, filter: .x}")
    port = str(stub.port)
    added(run, "plant", "--client-port", port, "--client-host", "127.0.0.1", "--read-from", "south")
    stub.will({"x": 1})
    assert run("job", "get", "7").out == "1\n"
    assert run("job", "get", "7", env={"WFX_CLIENT_PORT": "2"}).code == 1
    assert run("job", "get", "7", "--client-port", port, env={"WFX_CLIENT_PORT": "2"}).code == 0
    assert run("job", "get", "7", env={"WFX_READ_FROM": "north"}).code == 1
    assert len(stub.seen) == 2


def test_where_a_server_is_no_file_says_beside_a_context(run: Run, stub: Stub) -> None:
    """A context that names one side leads nobody to the other: neither a file here nor a default gets its token."""
    Path("wfx.yml").write_text(f"{{mgmt-port: {stub.port}, proxy: 'http://127.0.0.1:{stub.port}'}}")
    Path("token").write_text(SECRET)
    added(run, "plant", "--client-url", "http://127.0.0.1:1", "--token-file", "token")
    outcome = run("job", "delete", "7")
    assert outcome.code == 1
    assert "no address of the management API" in outcome.err
    assert "wfxctl context add NAME --replace" in outcome.err
    assert stub.seen == []
    assert run("job", "delete", "7", "--mgmt-host=127.0.0.1", f"--mgmt-port={stub.port}").code == 0
    assert stub.seen[0].headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "HTTPS://127.0.0.1:1/wfx/api/wfx/v1/"])
def test_each_side_has_a_scheme_of_its_own(run: Run, stub: Stub, url: str) -> None:
    """One side may have TLS and the other not; a path before that of the API, which may be given, stays."""
    added(run, "plant", "--client-url", url, "--mgmt-url", f"http://localhost:{stub.port}")
    assert run("job", "delete", "7").code == 0
    prefix = "/wfx" if "wfx" in url else ""
    assert f'"https://127.0.0.1:1{prefix}/api/wfx/v1/jobs?' in run("job", "query").err
    assert f'"http://127.0.0.1:2{prefix}/' in run("job", "query", "--enable-tls=false", "--client-port=2").err


def test_the_file_is_for_its_owner_alone(run: Run, file: Path) -> None:
    """Nobody but the owner can read it, whatever the umask says and whatever rights it had before."""
    mask = os.umask(0)
    try:
        added(run, "a", "--mgmt-port", "1")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        file.chmod(0o644)
        added(run, "b", "--mgmt-port", "1")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["contexts.yml"]


def test_the_directory_follows_the_variable(run: Run, tmp_path: Path) -> None:
    """XDG_CONFIG_HOME says where the file is."""
    env = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    added(run, "a", "--mgmt-port", "1", env=env)
    assert (tmp_path / "xdg" / "wfx" / "contexts.yml").exists()
    assert names(run) == []


def test_a_link_stays_one(run: Run, file: Path, tmp_path: Path) -> None:
    """A file that is a link to another place is written there."""
    file.parent.mkdir(parents=True)
    file.symlink_to(tmp_path / "real.yml")
    added(run, "a", "--mgmt-port", "1")
    assert file.is_symlink()
    assert (tmp_path / "real.yml").exists()


def test_contexts_come_and_go(run: Run) -> None:
    """A context can be replaced and removed; without the one in use, none is in use."""
    added(run, "a", "--mgmt-port", "1")
    added(run, "b", "--mgmt-port", "2")
    added(run, "a", "--mgmt-port", "3", "--replace")
    rows = json.loads(run("context", "list", "-o", "json").out)["content"]
    assert rows == [
        {"name": "a", "current": True, "mgmt-port": "3"}, {"name": "b", "current": False, "mgmt-port": "2"},
    ]  # fmt: skip
    gone = run("context", "rm", "a", "a")
    assert (gone.code, gone.out, gone.err) == (0, "", "no context is in use now\n")
    assert (names(run), run("context", "list").out.count("*")) == (["b"], 0)
    assert run("context", "rm", "b", "c").code == 1
    assert names(run) == ["b"]


def test_a_context_is_not_replaced_by_accident(run: Run, file: Path) -> None:
    """A name that says something else already stays what it is, unless told; saying the same once more is no error."""
    added(run, "a", "--mgmt-port", "1")
    before = file.read_text()
    added(run, "a", "--mgmt-port", "1")
    refused = run("context", "add", "a", "--mgmt-port", "2")
    told = 'Error: there is a context "a" already, which says something else: --replace replaces it\n'
    assert (refused.code, refused.out, refused.err) == (1, "", told)
    assert file.read_text() == before
    assert run("context", "add", "a", "--mgmt-port", "2", "--replace").err == "context a is replaced and in use\n"
    assert run("context", "add", "b", "--mgmt-port", "2", "--replace").err.startswith("context b is kept;")
    assert json.loads(run("context", "list", "-o", "json").out)["content"][0]["mgmt-port"] == "2"


@pytest.mark.parametrize("command", ["add", "use"])
def test_one_context_at_a_time(run: Run, command: str) -> None:
    """Commands that are about one context refuse two names, of which neither may be meant."""
    added(run, "a", "--mgmt-port", "1")
    outcome = run("context", command, "a", "b", "--mgmt-port=1")
    assert (outcome.code, names(run)) == (1, ["a"])
    assert "one context name is taken at a time, but 2 arguments were given" in outcome.err


def test_all_that_add_at_a_time_are_kept(tmp_path: Path) -> None:
    """Of contexts that are added at the same time none is lost."""
    environment = {"HOME": str(tmp_path)}

    def add(name: str) -> None:
        with contexts.changing(environment) as known:
            known.members[name] = {"mgmt-port": "1"}

    wanted = [f"c{number}" for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, wanted))
    assert sorted(contexts.read(environment).members) == sorted(wanted)


def test_secrets_are_kept_but_not_shown(run: Run, file: Path) -> None:
    """The list has the names of headers alone, in each form, and the name of the file with the token."""
    Path("token").write_text(SECRET)
    added(run, "plant", "--mgmt-port", "1", "--header", f"X-Key: {SECRET}", "--token-file", "token")
    assert SECRET in file.read_text()
    for form in ("table", "wide", "json", "yaml", "csv", "name"):
        shown = run("context", "list", "-o", form).out
        assert SECRET not in shown
        assert ("X-Key" in shown) == (str(Path("token").absolute()) in shown) == (form != "name")


def test_the_password_of_a_proxy_is_kept_but_not_shown(run: Run, file: Path) -> None:
    """The list has the address of a proxy, without the name and password that stand before it."""
    added(run, "plant", "--proxy", f"http://me:{SECRET}@proxy.example:3128")
    assert SECRET in file.read_text()
    assert [run("context", "list", "-o", "json", "--filter", ".content[].proxy", "--raw").out] == [
        "http://proxy.example:3128\n"
    ]
    assert SECRET not in run("context", "list", "-o", "yaml").out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["context", "add"], "context name missing"),
        (["context", "add", "a"], "nothing to keep: give --client-url, --mgmt-url, or other flags"),
        (["context", "add", "none", "--mgmt-port=1"], '"none" cannot be the name of a context: it stands for none'),
        (["context", "add", "a/b", "--mgmt-port=1"], '"a/b" cannot be the name of a context: use up to 64 letters'),
        (["context", "add", "a", "--mgmt-url=localhost:8081"], "--mgmt-url is no URL such as https://wfx.example:8443"),
        (["context", "add", "a", "--mgmt-url=http://h:x"], "--mgmt-url is no URL such as"),
        (["context", "add", "a", f"--mgmt-url=http://me:{SECRET}@h"], "--mgmt-url must have no name, password, query"),
        (["context", "add", "a", f"--header={SECRET}"], 'a header must read "Name: value"'),
        (["context", "add", "a", f"--header=X: {SECRET}\n"], "the value of the header X must consist of printable"),
        (["context", "use", "plnat"], 'there is no context "plnat" (did you mean plant?)'),
        (["context", "use", "x"], 'there is no context "x"; see wfxctl context list'),
        (["context", "rm", "x"], 'there is no context "x"; see wfxctl context list'),
        (["--context", "plan", "job", "query"], 'there is no context "plan" (did you mean plant?)'),
    ],
)
def test_what_is_wrong_is_said(run: Run, file: Path, argv: list[str], said: str) -> None:
    """A wrong name, URL or header is refused in one line that has no secret, and nothing is changed."""
    added(run, "plant", "--mgmt-port", "1")
    before = file.read_text()
    outcome = run(*argv)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"Error: {said}")
    assert outcome.err.count("\n") == 1
    assert SECRET not in outcome.err
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("contexts: [", "line 1, column 12: expected the node content, but found '<stream end>'"),
        ("- a", "it should have the keys current and contexts"),
        ("current: [a]", "current should be the name of a context"),
        ("contexts: [a]", "contexts should have a key for each context, which is its name"),
        ("contexts: {a: 1}", 'context "a" should have keys, such as client-url'),
        ("{a: 1, a: 2}", 'line 1, column 8: key "a" is given twice, in lines 1 and 1'),
    ],
)
def test_a_broken_file_is_fatal(run: Run, file: Path, content: str, said: str) -> None:
    """A file that makes no sense is named, by each command that needs it; ``--context none`` does not."""
    file.parent.mkdir(parents=True)
    file.write_text(content)
    for argv in (["job", "query"], ["context", "list"], ["context", "use", "a"], ["context", "add", "a", "--raw"]):
        if argv[-1] == "--raw":
            continue
        outcome = run(*argv)
        assert (outcome.code, outcome.out) == (1, "")
        told = f"FTL {file} is not valid: {said}; mend it, or remove it and add the contexts again\n"
        assert outcome.err.endswith(told)
    assert file.read_text() == content
    assert "is not valid" not in run("--context", "none", "--client-port", "1", "job", "query").err


def test_odd_members_do_no_harm(run: Run, file: Path) -> None:
    """Members of another kind than they should be are left out or named."""
    file.parent.mkdir(parents=True)
    file.write_text("{current: a, contexts: {a: {header: {x: y}, client-port: [1], mgmt-url: [], tls-ca: , b: c}}}")
    assert "localhost:8080" in run("job", "query").err
    assert run("context", "list").code == 0
    file.write_text("{current: a, contexts: {a: {client-port: x}}}")
    assert 'invalid value "x" for configuration key client-port' in run("job", "query").err
    assert "context a in " in run("job", "query").err


def test_without_a_home_there_are_none(run: Run, stub: Stub) -> None:
    """Without a home directory commands work, and contexts cannot be kept."""
    env = {"HOME": ""}
    assert run("--client-port", str(stub.port), "job", "query", env=env).code == 0
    outcome = run("context", "add", "a", "--mgmt-port", "1", env=env)
    assert outcome.code == 1
    assert "contexts are kept in the home directory: set HOME or XDG_CONFIG_HOME" in outcome.err


def test_a_file_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    """Where the file cannot be, the message names it."""
    (tmp_path / "home").write_text("")
    outcome = run("context", "add", "a", "--mgmt-port", "1")
    assert outcome.code == 1
    assert f"cannot write {tmp_path}/home/.config/wfx/contexts.yml: Not a directory" in outcome.err
