"""Which of several settings holds (cli section 2)."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_lines import Run
from wfxctl_stub import Stub

from wfx.commandline import configuration, grammar
from wfxctl.commands import ROOT


def sent(run: Run, stub: Stub, *argv: str, env: dict[str, str] | None = None) -> dict[str, str]:
    """Return the query that a command sends."""
    outcome = run("--client-port", str(stub.port), *argv, env=env)
    assert outcome.code == 0, outcome.err
    return dict(stub.seen[-1].query)


def test_flags_beat_variables_beat_files_beat_defaults(run: Run, stub: Stub) -> None:
    """The strongest source of a setting wins, each over all below it."""
    assert sent(run, stub, "job", "query")["limit"] == "10"
    Path("wfx.yml").write_text("limit: 1")
    assert sent(run, stub, "job", "query")["limit"] == "1"
    variable = {"WFX_LIMIT": "2"}
    assert sent(run, stub, "job", "query", env=variable)["limit"] == "2"
    assert sent(run, stub, "job", "query", "--limit", "3", env=variable)["limit"] == "3"


def test_later_files_beat_earlier_ones(run: Run, stub: Stub, tmp_path: Path) -> None:
    """Of the default files the home directory's beats the working directory's, and both are merged."""
    home = tmp_path / "home" / ".config" / "wfx"
    home.mkdir(parents=True)
    Path("wfx.yml").write_text("limit: 1\nstate: here")
    (home / "config.yml").write_text('{"limit": 2}')
    query = sent(run, stub, "job", "query")
    assert (query["limit"], query["state"]) == ("2", "here")
    other = tmp_path / "xdg"
    (other / "wfx").mkdir(parents=True)
    (other / "wfx" / "config.yml").write_text("limit: 4")
    assert sent(run, stub, "job", "query", env={"XDG_CONFIG_HOME": str(other)})["limit"] == "4"


def test_the_default_files_end_with_the_systems(tmp_path: Path) -> None:
    """The file of the system is the last and strongest."""
    assert configuration.default_files({"HOME": "/home/x"}) == [
        "wfx.yml",
        "/home/x/.config/wfx/config.yml",
        "/etc/wfx/wfx.yml",
    ]
    assert configuration.default_files({"XDG_CONFIG_HOME": str(tmp_path)})[1] == f"{tmp_path}/wfx/config.yml"
    assert configuration.default_files({}) == ["wfx.yml", "/etc/wfx/wfx.yml"]


def test_named_files_replace_the_default_ones(run: Run, stub: Stub) -> None:
    """--config replaces the list, in the order given; missing files are skipped, and the variable has no effect."""
    Path("wfx.yml").write_text("state: default")
    Path("a.yml").write_text("limit: 1\nworkflow: a")
    Path("b.yml").write_text("limit: 2")
    query = sent(
        run, stub, "--config", "a.yml,missing.yml", "--config", "b.yml", "job", "query", env={"WFX_CONFIG": "wfx.yml"}
    )
    assert query == {"limit": "2", "workflow": "a", "offset": "0", "sort": "asc"}
    assert sent(run, stub, "job", "query", env={"WFX_CONFIG": "a.yml"})["state"] == "default"


def test_files_are_lenient_about_types(run: Run, stub: Stub) -> None:
    """Texts are converted to what an option needs, numbers to texts, and keys of other programs pass."""
    Path("wfx.yml").write_text("""
client-port: "1"
limit: "0x10"
state: 007
workflow: yes
raw: "true"
filter: '"r\\u0061w"'
offset:
sort: null
log: {level: trace}
unknown-key: [1, 2]
log-level: [nested]
""")
    query = sent(run, stub, "job", "query")
    assert query == {"limit": "16", "state": "007", "workflow": "yes", "offset": "0", "sort": "asc"}
    assert run("--client-port", str(stub.port), "job", "query").out == "raw\n"


def test_nothing_in_particular_beats_weaker_sources(run: Run, stub: Stub) -> None:
    """Zero, no and an empty text count as any other value does, over what weaker sources say."""
    Path("wfx.yml").write_text("limit: 5\nstate: NEW\nhistory: true")
    query = sent(run, stub, "job", "query", "--limit", "0", "--state=")
    assert query == {"limit": "0", "offset": "0", "sort": "asc"}
    assert sent(run, stub, "job", "get", "--id=7", "--history=false")["history"] == "false"


def test_a_home_that_is_no_directory_has_no_files(run: Run, stub: Stub, tmp_path: Path) -> None:
    """Where the path to a default file leads through something else than a directory, there is no such file."""
    (tmp_path / "file").write_text("")
    assert sent(run, stub, "job", "query", env={"HOME": str(tmp_path / "file")})["limit"] == "10"
    assert sent(run, stub, "job", "query", env={"XDG_CONFIG_HOME": "/dev/null"})["limit"] == "10"


def test_unknown_variables_are_named_in_order(tmp_path: Path) -> None:
    """Unknown keys are named as the files have them, unknown variables by the alphabet."""
    (tmp_path / "a.yml").write_text("z: 1\na: 2")
    environment = {"WFX_Z": "1", "OTHER": "1", "WFX_A": "1", "WFX_MIDDLE": "1", "WFX_POSTGRES_REGION": "1"}
    options = [*ROOT.inherited, *(child.options[0] for child in ROOT.children if child.options)]
    path = tmp_path / "a.yml"
    found = configuration.Sources(tuple(options), {"config": [str(path)]}, environment).resolve().warnings
    names = [f"z is ignored ({path} line 1)", f"a is ignored ({path} line 2)"]
    names += [f"{name} is ignored" for name in ("WFX_A", "WFX_MIDDLE", "WFX_Z")]
    assert list(found) == [f"unknown option {name}" for name in names]


def test_lists_come_from_files_as_lists_only(run: Run, stub: Stub) -> None:
    """A list option takes a YAML list from a file; a single value there, and any variable, is ignored."""
    Path("wfx.yml").write_text("group: [a, 2, {nested: x}, null, [y]]\ntag: x")
    query = sent(run, stub, "job", "query", env={"WFX_TAG": "y", "WFX_GROUP": "z"})
    assert query["group"] == "a,2"
    assert "tag" not in query


def test_every_option_has_a_variable(run: Run, stub: Stub) -> None:
    """Options of subcommands and global ones can be set by variables."""
    port = str(stub.port)
    env = {
        "WFX_CLIENT_HOST": "127.0.0.1",
        "WFX_CLIENT_PORT": port,
        "WFX_ID": "7",
        "WFX_HISTORY": "true",
        "WFX_FILTER": ".a",
        "WFX_RAW": "1",
        "WFX_LOG_LEVEL": "nonsense",
        "WFX_ENABLE_TLS": "",
    }
    stub.will({"a": "b"})
    outcome = run("job", "get", env=env)
    assert (outcome.code, outcome.out) == (0, "b\n")
    assert (stub.one.path, stub.one.query) == ("/jobs/7", [("history", "true")])
    assert stub.one.headers["host"] == f"127.0.0.1:{port}"


def test_the_first_of_several_documents_counts(run: Run, stub: Stub) -> None:
    """Of several documents in a file the first one counts."""
    Path("wfx.yml").write_text("limit: 1\n---\nlimit: 2\n---\n- no: mapping")
    assert sent(run, stub, "job", "query")["limit"] == "1"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("a: [", "is not valid YAML"),
        ("- a", "must hold keys and values"),
        ("text", "must hold keys and values"),
        ("a: \x01", "is not valid YAML"),
        ("a: 1\na: 2", 'key "a" is given twice, in lines 1 and 2'),
    ],
)
def test_a_broken_file_is_fatal(run: Run, content: str, complaint: str) -> None:
    """A file that cannot be understood ends the command with a fatal log line that names it."""
    Path("wfx.yml").write_text(content)
    outcome = run("job", "query")
    assert (outcome.code, outcome.out) == (1, "")
    assert " FTL configuration file wfx.yml " in outcome.err
    assert complaint in outcome.err


@pytest.mark.parametrize(("name", "content"), [("wfx.yml", "{a: "), ("wfx.yml", "["), ("wfx.toml", "a = " + "[" * 9)])
def test_a_deeply_nested_file_is_fatal(run: Run, name: str, content: str) -> None:
    """A file with a hundred thousand brackets is refused with the reason, not with how the reader failed."""
    Path(name).write_text(content + content[-4:] * 100_000)
    outcome = run("job", "query", f"--config={name}")
    assert outcome.code == 1
    assert outcome.err.endswith(": it is nested too deeply\n")


def test_a_file_without_end_is_fatal(run: Run) -> None:
    """A file that is larger than memory may be is not read to its end, which may not exist (/dev/zero)."""
    with Path("wfx.yml").open("wb") as large:
        large.truncate(2**26 + 1)
    outcome = run("job", "query")
    assert outcome.code == 1
    assert outcome.err.endswith("cannot read configuration file wfx.yml: it has more than 67108864 bytes\n")


def test_an_unreadable_file_is_fatal(run: Run) -> None:
    """A file that exists and cannot be read is named."""
    Path("wfx.yml").mkdir()
    outcome = run("job", "query")
    assert outcome.code == 1
    assert "cannot read configuration file wfx.yml: Is a directory" in outcome.err


def test_a_wrong_value_names_its_source(run: Run) -> None:
    """A variable or key whose value makes no sense is named."""
    assert run("job", "query", env={"WFX_LIMIT": "many"}).err == (
        'Error: invalid value "many" for WFX_LIMIT: invalid syntax\n'
    )
    Path("wfx.yml").write_text("sort: up")
    assert run("job", "query").err == (
        'Error: invalid value "up" for configuration key sort: must be one of asc, desc (wfx.yml line 1)\n'
    )


def test_an_empty_variable_beats_files(run: Run, stub: Stub) -> None:
    """An empty variable switches off what a file sets: a text is empty then, anything else has its default."""
    Path("wfx.yml").write_text("state: from-file\nlimit: 3\nsort: desc\nclient-host: 192.0.2.1\nenable-tls: true")
    names = ("STATE", "LIMIT", "SORT", "CLIENT_HOST", "ENABLE_TLS")
    query = sent(run, stub, "job", "query", env={f"WFX_{name}": "" for name in names})
    assert query == {"limit": "10", "offset": "0", "sort": "asc"}


@pytest.mark.parametrize("source", ["flag", "variable", "file"])
def test_hosts_in_brackets(run: Run, source: str) -> None:
    """An IPv6 address is taken with brackets, as in a URL, and without, wherever it is given."""
    for host in ("[::1]", "::1"):
        Path("wfx.yml").write_text(f'client-host: "{host}"' if source == "file" else "")
        flags = (f"--client-host={host}",) if source == "flag" else ()
        variables = {"WFX_CLIENT_HOST": host} if source == "variable" else {}
        outcome = run(*flags, "--client-port=1", "version", env=variables)
        assert outcome.err == 'Error: GET "http://[::1]:1/api/wfx/v1/version": Connection refused\n'


def test_an_empty_host_is_this_machine(run: Run, stub: Stub) -> None:
    """An empty host means the local one."""
    assert run("--client-host=", "--client-port", str(stub.port), "job", "query").code == 0
    assert len(stub.seen) == 1


def test_every_option_is_described() -> None:
    """Each option of each command has a name of its own there and says what it is for."""

    def walk(parsed: grammar.Parsed) -> None:
        names = [option.name for option in parsed.options()]
        assert len(set(names)) == len(names), parsed.words
        assert all(option.summary for option in parsed.options())
        for child in parsed.command.children:
            walk(grammar.Parsed([*parsed.path, child]))

    walk(grammar.Parsed([ROOT]))
