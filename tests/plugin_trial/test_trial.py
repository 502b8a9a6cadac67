"""``wfx plugin test`` shows what plugins decide, without a server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_lines import Outcome, Run, runner
from plugin_programs import ROOT, PluginDirectory

from wfx.cli import PROGRAM

DECIDES = """
    def decide(request):
        print(request.origin.side.name, request.origin.peer, request.origin.certificate)
        return {
            "/changed": Modify(destination="/else", headers={"X": "y"}, body=b"new"),
            "/deny": Respond.deny("no"),
            "/accept": Respond(Status.ACCEPT, b"yes", {"X": "y"}),
            "/unavailable": Respond.unavailable("later"),
        }.get(request.path, PASS)
    run(decide)
"""


@pytest.fixture
def plugins(tmp_path: Path) -> Iterator[PluginDirectory]:
    """Make an empty plugin directory."""
    before = os.umask(0o022)
    (tmp_path / "plugins").mkdir(mode=0o755)
    yield PluginDirectory(tmp_path / "plugins")
    os.umask(before)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the program."""
    return runner(PROGRAM, tmp_path)


def tried(run: Run, plugins: PluginDirectory, *options: str, stdin: str = "") -> Outcome:
    """Try the directory."""
    return run("plugin", "test", str(plugins.path), *options, stdin=stdin.encode())


@pytest.mark.parametrize(("path", "shown"), [
    ("/passed?x=1", ["GET /passed?x=1 (south): pass", "    a: pass", "    b: pass"]),
    ("/changed", ["GET /changed (south): modify",
                  "    a: modify, destination /else, headers {'X': 'y'}, removed ['Accept'], body new", "    b: pass"]),
    ("/deny", ["GET /deny (south): deny", "    a: deny, status 403, body no"]),
    ("/accept", ["GET /accept (south): accept", "    a: accept, status 200, headers {'X': 'y'}, body yes"]),
    ("/unavailable", ["GET /unavailable (south): unavailable", "    a: unavailable, status 503, body later"]),
])  # fmt: skip
def test_each_decision(run: Run, plugins: PluginDirectory, path: str, shown: list[str]) -> None:
    """Each plugin's decision on a request is shown in turn, up to the one that answers."""
    plugins.sdk("a", DECIDES)
    plugins.link("b", "/bin/cat")
    outcome = tried(run, plugins, "--path", path, "--header", "Accept: */*")
    assert (outcome.code, outcome.out.splitlines()) == (0, shown)
    assert "plugin a: SOUTH 127.0.0.1:40000 None" in outcome.err


def test_samples(run: Run, plugins: PluginDirectory) -> None:
    """Without a request of one's own, samples of each kind that the side gets are tried."""
    plugins.sdk("deny", (ROOT / "plugins" / "examples" / "deny" / "deny.py").read_text())
    for side in ("north", "south"):
        outcome = tried(run, plugins, f"--side={side}")
        first = [line for line in outcome.out.splitlines() if not line.startswith(" ")]
        assert {line.split()[0] for line in first} == {"GET", "POST", "PUT", "DELETE"}
        assert [line for line in first if not line.endswith("pass")] == [f"GET /api/wfx/v1/workflows ({side}): deny"]


def test_a_file_of_requests(run: Run, plugins: PluginDirectory) -> None:
    """Requests of a file are shown with side, peer and certificate; one that ends otherwise than expected fails."""
    plugins.sdk("a", DECIDES)
    rows = [
        {"path": "/deny", "method": "PUT", "body": {"n": 1}, "side": "north", "peer": "192.0.2.1:4711",
         "certificate": {"subject": "CN=a", "names": ["DNS:a"]}, "headers": {"A": ["b", "c"]}, "expect": "deny"},
        {"path": "/accept", "expect": "deny"},
    ]  # fmt: skip
    text = "\n\n".join(map(json.dumps, rows))
    outcome = tried(run, plugins, "--requests=-", "--output=json", stdin=text)
    assert outcome.code == 1
    first, second = map(json.loads, outcome.out.splitlines())
    assert first == {
        "method": "PUT", "path": "/deny", "side": "north", "outcome": "deny", "expected": "deny",
        "decisions": [{"plugin": "a", "decision": "deny", "status": 403, "body": "no"}],
    }  # fmt: skip
    assert (second["outcome"], second["expected"]) == ("accept", "deny")
    assert "NORTH 192.0.2.1:4711 Certificate(subject='CN=a'" in outcome.err
    assert tried(run, plugins, "--requests=-", stdin=json.dumps(rows[0])).code == 0


@pytest.mark.parametrize(("line", "reason"), [
    ("{", "requests line 2: Expecting"), ("[]", "a request is an object"), ("{}", "the member 'path' must be a string"),
    ('{"path": "x"}', "must be a path as in a request line"), ('{"path": "/", "pat": 1}', "unknown member 'pat'"),
    ('{"path": "/", "expect": "no"}', "'expect' must be one of pass, modify"), ('{"path": "/", "side": "up"}', "'up'"),
    ('{"path": "/", "headers": []}', "'headers' must be an object"), ('{"path": "/", "peer": "x"}', "invalid literal"),
    ('{"path": "/", "certificate": 1}', "'certificate' must be an object"),
])  # fmt: skip
def test_wrong_files(run: Run, plugins: PluginDirectory, tmp_path: Path, line: str, reason: str) -> None:
    """A wrong line is named with its number, and nothing is tried."""
    plugins.sdk("a", DECIDES)
    (tmp_path / "requests").write_text('{"path": "/"}\n' + line)
    outcome = tried(run, plugins, f"--requests={tmp_path / 'requests'}")
    assert (outcome.code, outcome.out) == (1, "")
    assert "requests line 2: " in outcome.err
    assert reason in outcome.err


def test_plugins_that_fail(run: Run, plugins: PluginDirectory) -> None:
    """A plugin that raises, or ends, makes the command fail and shows why."""
    plugins.sdk("a", "def decide(request):\n    raise KeyError('the reason')\nrun(decide)")
    raised = tried(run, plugins, "--path=/")
    assert (raised.code, raised.out.splitlines()[0]) == (1, "GET / (south): unavailable")
    assert "plugin a: KeyError: 'the reason'" in raised.err
    plugins.script("a", "import no_such_module")
    ended = tried(run, plugins, "--path=/")
    assert ended.code == 1
    assert "ModuleNotFoundError: No module named 'no_such_module'" in ended.err
    assert "plugin a stopped unexpectedly with exit status 1" in ended.err


def test_a_plugin_that_is_silent(run: Run, plugins: PluginDirectory) -> None:
    """A plugin that hangs is named while it is waited for, with the time until it is killed, and when it was."""
    plugins.script("a", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nhold()")
    outcome = tried(run, plugins, "--path=/", "--plugin-timeout=3s")
    assert outcome.code == 1
    assert outcome.err.splitlines() == [
        "plugin a has not decided yet; it is killed after 3 s (--plugin-timeout)",
        "Error: GET / (south): plugin a hangs: it did not answer within 3 s (--plugin-timeout), and was killed",
    ]


def test_an_observer_that_hangs(run: Run, plugins: PluginDirectory) -> None:
    """An observer that does not end with its input is said to hang, and makes the command fail."""
    plugins.sdk("a", DECIDES)
    (plugins.path / "observe").mkdir(mode=0o755)
    PluginDirectory(plugins.path / "observe").script("o", "while True:\n    time.sleep(60)")
    outcome = tried(run, plugins, "--path=/")
    assert outcome.code == 1
    assert (
        "plugin observe/o hangs: it did not end within 5 s of the end of its input, and was killed"
        in outcome.err.splitlines()
    )


def test_observers_are_told(run: Run, plugins: PluginDirectory) -> None:
    """Plugins that observe are told of the answer; one that ends with an error makes the command fail."""
    plugins.sdk("a", DECIDES)
    (plugins.path / "observe").mkdir(mode=0o755)
    directory = PluginDirectory(plugins.path / "observe")
    directory.sdk("o", "run_observer(lambda request, answer: print(request.path, answer.status, answer.answered_by))")
    outcome = tried(run, plugins, "--path=/deny")
    assert outcome.code == 0
    assert "plugin observe/o: /deny 403 a" in outcome.err
    assert "plugin observe/o: /other 200 \n" in tried(run, plugins, "--path=/other").err
    directory.sdk("o", "run_observer(lambda request, answer: sys.exit('no room'))")
    outcome = tried(run, plugins, "--path=/deny")
    assert outcome.code == 1
    assert "plugin observe/o: no room" in outcome.err


@pytest.mark.parametrize(("options", "reason"), [
    ((), "takes one argument"), (("{}", "--path=x"), "--path must be a path"),
    (("{}", "--path=/", "--header=x"), "--header must be"), (("{}", "--path=/", "--requests=x"), "exclude each other"),
    (("{}", "--header=X-A: b"), "there is no --path"), (("{}", "--requests=x", "--method=PUT"), "there is no --path"),
    (("{}", "--requests=/no/such"), "cannot read /no/such"), (("{}",), "holds no plugin"), (("/no/such",), "/no/such"),
])  # fmt: skip
def test_wrong_usage(run: Run, plugins: PluginDirectory, options: tuple[str, ...], reason: str) -> None:
    """What cannot be tried is refused with the reason."""
    outcome = run("plugin", "test", *(option.format(plugins.path) for option in options))
    assert outcome.code == 1
    assert reason in outcome.err
