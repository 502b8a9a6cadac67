"""The command line of ``wfx-viewer`` (cli section 10)."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from command_lines import Run, runner

from wfx_viewer.cli import PROGRAM

GOLDEN = Path(__file__).parent / "golden"
LAMP = str(GOLDEN / "lamp.yml")


@pytest.fixture
def viewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the program in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return runner(PROGRAM, tmp_path)


class Kroki(HTTPServer):
    """A service that draws."""

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Answering)
        self.status, self.body, self.location = 200, b"<svg/>", ""
        self.received: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        """Where it draws."""
        return f"http://127.0.0.1:{self.server_address[1]}/plantuml/svg"


class _Answering(BaseHTTPRequestHandler):
    server: Kroki

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def kroki(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kroki]:
    """A service that draws; no variable exempts it from proxies."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with Kroki() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_service_draws_if_that_is_wanted(viewer: Run, kroki: Kroki) -> None:
    """With --kroki-url the PlantUML text is posted as a form's file, without a content type, and the answer printed."""
    outcome = viewer("--output-format=svg", f"--kroki-url={kroki.url}", LAMP)
    assert (outcome.code, outcome.out, outcome.err) == (0, "<svg/>\n", "")
    ((path, fields, body),) = kroki.received
    assert path == "/plantuml/svg"
    assert "content-type" not in fields
    boundary, _, rest = body.partition(b"\r\n")
    head, _, form = rest.partition(b"\r\n\r\n")
    assert b'Content-Disposition: form-data; name="file"; filename="workflow"' in head.split(b"\r\n")
    assert form == (GOLDEN / "lamp.plantuml").read_bytes() + b"\r\n" + boundary + b"--\r\n"


def test_what_a_service_answers_is_written(viewer: Run, kroki: Kroki) -> None:
    """The answer is written whatever its status is, byte for byte and with a line break; a warning names the status."""
    kroki.status, kroki.body = 400, b"\x89PNG\xff cannot draw"
    outcome = viewer("--output-format=svg", f"--kroki-url={kroki.url}", "--output=lamp.png", LAMP)
    assert (outcome.code, outcome.out) == (0, "")
    assert Path("lamp.png").read_bytes() == kroki.body + b"\n"
    assert " WRN " in outcome.err
    assert "status=400" in outcome.err


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "nonsense", "http://[", "ftp://127.0.0.1/"])
def test_a_service_that_is_not_there(viewer: Run, url: str) -> None:
    """A service that does not answer, and a URL that is none, are errors of one line each."""
    outcome = viewer("--output-format=svg", f"--kroki-url={url}", LAMP)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"Error: cannot have {url} draw the workflow: ")


@pytest.mark.parametrize(("name", "value"), [
    ("ALL_PROXY", "socks5://127.0.0.1:1"), ("HTTP_PROXY", "nonsense://"), ("http_proxy", "http://127.0.0.1:1"),
    ("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent"),
])  # fmt: skip
def test_variables_do_not_lead_elsewhere(kroki: Kroki, name: str, value: str) -> None:
    """Variables of proxies and TLS are not read: the workflow goes to the service that was named, and only there."""
    command = [sys.executable, "-m", "wfx_viewer", "--output-format=svg", f"--kroki-url={kroki.url}", LAMP]
    environment = os.environ | {name: value}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "<svg/>\n", "")
    assert len(kroki.received) == 1


@pytest.mark.parametrize("rest", ["127.0.0.1:1/", "127.0.0.1:99999/", "[", "127.0.0.1:x/"])
@pytest.mark.parametrize("password", ["hunter2", "hunt/er2", "hunt@er2"])
def test_passwords_of_failures_are_hidden(viewer: Run, rest: str, password: str) -> None:
    """A password in the service's URL is in no line about what went wrong."""
    outcome = viewer("--output-format=svg", "--log-level=debug", f"--kroki-url=http://me:{password}@{rest}", LAMP)
    assert outcome.code == 1
    assert f"Error: cannot have http://{rest} draw the workflow: " in outcome.err
    assert not [part for part in (password, "er2", "hunt") if part in outcome.err]


def test_passwords_of_warnings_are_hidden(viewer: Run, kroki: Kroki) -> None:
    """A password and a query in the service's URL are sent to the service, and logged at no level."""
    kroki.status = 400
    url = kroki.url.replace("http://", "http://me:hunter2@") + "?token=hunter3"
    outcome = viewer("--output-format=svg", "--log-level=debug", f"--kroki-url={url}", LAMP)
    assert kroki.received[0][1]["authorization"] == "Basic bWU6aHVudGVyMg=="
    assert outcome.err.count(f"url={kroki.url}?…") == 2
    assert "hunter" not in outcome.err


def test_ports_that_do_not_exist(viewer: Run, kroki: Kroki) -> None:
    """A port beyond 65535 is refused, not replaced by another, also where the service redirects to it."""
    beyond = kroki.server_address[1] + 2**16
    outcome = viewer("--output-format=svg", f"--kroki-url=http://127.0.0.1:{beyond}/", LAMP)
    assert outcome.code == 1
    assert kroki.received == []
    kroki.status, kroki.location = 307, f"http://127.0.0.1:{beyond}/"
    outcome = viewer("--output-format=svg", f"--kroki-url={kroki.url}", LAMP)
    assert (outcome.code, len(kroki.received)) == (1, 1)
    assert f"there is no port {beyond}" in outcome.err


def test_redirects_to_another_host(viewer: Run, kroki: Kroki) -> None:
    """The workflow goes to no host that was not named: a redirect there ends the command, which says where it leads."""
    kroki.status, kroki.location = 307, f"http://me:secret@localhost:{kroki.server_address[1]}/plantuml/svg"
    outcome = viewer("--output-format=svg", f"--kroki-url={kroki.url}", LAMP)
    assert (outcome.code, outcome.out, len(kroki.received)) == (1, "", 1)
    assert outcome.err.startswith(
        f"Error: cannot have {kroki.url} draw the workflow: it redirects to "
        f"http://localhost:{kroki.server_address[1]}/plantuml/svg, on another host: "
        "give that as --kroki-url if the workflow may go there\n"
    )


def test_redirects_on_the_same_host(viewer: Run, kroki: Kroki) -> None:
    """Redirects on the same host are followed, and what cannot be reached there is named by its own address."""
    kroki.status, kroki.location = 307, "http://127.0.0.1:1/moved"
    outcome = viewer("--output-format=svg", f"--kroki-url={kroki.url}", LAMP)
    assert (outcome.code, outcome.out, len(kroki.received)) == (1, "", 1)
    assert f"{kroki.url} draw the workflow: it redirects to http://127.0.0.1:1/moved: " in outcome.err
    with Kroki() as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        other.status = 400
        kroki.location = other.url
        outcome = viewer("--output-format=svg", f"--kroki-url={kroki.url}", LAMP)
        other.shutdown()
        thread.join()
    assert (outcome.code, outcome.out, len(other.received)) == (0, "<svg/>\n", 1)
    assert f"url={other.url} status=400" in outcome.err
    kroki.location = kroki.url
    assert "more than 10 redirects" in viewer("--output-format=svg", f"--kroki-url={kroki.url}", LAMP).err


def test_a_service_that_never_ends(viewer: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole answer has to come in time: a service that sends a byte now and then is given up."""
    monkeypatch.setattr("wfx_viewer.kroki._TIMEOUT", 1.0)
    given_up = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(200):  # before the limit there was no end but this one
                connection.sendall(b"x")
                if given_up.wait(0.1):  # measured: the pause between two bytes, on which no verdict hangs
                    break

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        outcome = viewer("--output-format=svg", f"--kroki-url={url}", LAMP)
        given_up.set()
        thread.join()
    assert (outcome.code, outcome.out) == (1, "")
    assert f"Error: cannot have {url} draw the workflow: no complete answer within 1s\n" in outcome.err


def test_other_formats_ask_nobody(viewer: Run, kroki: Kroki) -> None:
    """The URL matters to SVG alone, and without it SVG is drawn here."""
    assert viewer(f"--kroki-url={kroki.url}", LAMP).out == (GOLDEN / "lamp.mermaid").read_text()
    assert viewer("--output-format=svg", LAMP).out == (GOLDEN / "lamp.svg").read_text()
    assert viewer("--output-format=svg", "--kroki-url=", LAMP).out == (GOLDEN / "lamp.svg").read_text()
    assert kroki.received == []


@pytest.mark.parametrize("name", ["mermaid", "svg"])
def test_a_file(viewer: Run, name: str) -> None:
    """--output creates or replaces a file that others may read, and nothing is printed."""
    Path("lamp.out").write_text("before, and longer than what comes " * 1000)
    before = os.umask(0o022)
    try:
        for file in ("lamp.out", "new.out"):
            outcome = viewer(f"--output-format={name}", "--output", file, LAMP)
            assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
            assert Path(file).read_text() == (GOLDEN / f"lamp.{name}").read_text()
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("new.out").stat().st_mode) == 0o644


FAILURES = {
    "no argument": ([], "accepts 1 arg(s), received 0"),
    "two arguments": ([LAMP, LAMP], "accepts 1 arg(s), received 2"),
    "standard input": (["-"], "cannot read -: No such file or directory"),
    "no such file": (["missing.yml"], "cannot read missing.yml: No such file or directory"),
    "a directory": (["."], "cannot read .: Is a directory"),
    "a null character": (["a\0b"], "cannot read a"),
    "no YAML": (["bad.yml"], "bad.yml is no workflow: "),
    "nothing": (["empty.yml"], "empty.yml is no workflow: it is empty"),
    "comments alone": (["comment.yml"], "comment.yml is no workflow: it is empty"),
    "null": (["null.json"], "null.json is no workflow: it is empty"),
    "two documents": (["two.yml"], "two.yml is no workflow: another document begins in line 2"),
    "a document after none": (["late.yml"], "late.yml is no workflow: another document begins in line 2"),
    "a list": (["list.yml"], "there should be keys and values, not a list"),
    "a number": (["number.yml"], "there should be keys and values, not a number"),
    "deep JSON": (["deep.json"], "deep.json is no workflow: it is nested too deeply"),
    "deep YAML": (["deep.yml"], "deep.yml is no workflow: it is nested too deeply"),
    "a large file": (["large.yml"], "cannot read large.yml: it has more than 67108864 bytes"),
    "a text for states": (["states.json"], "states should be a list, not a text"),
    "unknown format": (["--output-format=png", LAMP], 'invalid argument "png" for "--output-format" flag'),
    "unknown flag": (["--outputs=x", LAMP], "unknown flag: --outputs"),
    "no such directory": (["--output=no/where", LAMP], "cannot write no/where: No such file or directory"),
    "the file itself": (["--output=own.yml", "./own.yml"], "cannot write own.yml: it is the workflow file"),
    "a full disk": (["--output=/dev/full", LAMP], "cannot write /dev/full: No space left on device"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failures(viewer: Run, case: str) -> None:
    """What goes wrong is said in an error line, the usage follows, and a fatal log line; the exit code is 1."""
    Path("bad.yml").write_text("a: [1")
    Path("list.yml").write_text("- a")
    Path("empty.yml").write_text("")
    Path("comment.yml").write_text("# later\n---\n")
    Path("null.json").write_text("null")
    Path("two.yml").write_text("name: first\n---\nname: second\n")
    Path("late.yml").write_text("---\n---\nname: second\n")
    Path("number.yml").write_text("5")
    Path("deep.json").write_text("[" * 100_000)
    Path("deep.yml").write_text("{a: " * 100_000)
    with Path("large.yml").open("wb") as large:
        large.truncate(2**26 + 1)
    Path("states.json").write_text('{"states": "A"}')
    Path("own.yml").write_text("name: own")
    arguments, said = FAILURES[case]
    outcome = viewer(*arguments)
    assert (outcome.code, outcome.out) == (1, "")
    first, *_, last = outcome.err.splitlines()
    assert first.startswith("Error: ")
    assert said in first
    assert "\nUsage:\n  wfx-viewer FILE [flags]\n" in outcome.err
    assert " FTL " in last
    assert Path("own.yml").read_text() == "name: own"


def test_the_output_of_a_failure_is_empty(viewer: Run) -> None:
    """The output is opened first: where the workflow cannot be read, it is left empty."""
    Path("old.mmd").write_text("before")
    assert viewer("--output=old.mmd", "missing.yml").code == 1
    assert Path("old.mmd").read_text() == ""


def test_neither_variables_nor_files_count(viewer: Run) -> None:
    """Configuration files and WFX_ variables change nothing."""
    Path("wfx.yml").write_text("output-format: svg\n")
    outcome = viewer(LAMP, env={"WFX_OUTPUT_FORMAT": "svg", "WFX_OUTPUT": "x"})
    assert outcome.out == (GOLDEN / "lamp.mermaid").read_text()


def test_log_level(viewer: Run) -> None:
    """Level debug tells the steps on standard error; the result is the same."""
    outcome = viewer("--log-level=debug", LAMP)
    assert outcome.out == (GOLDEN / "lamp.mermaid").read_text()
    assert [line.split(" DBG ")[1].split("  ")[0].split(" path")[0].split(" format")[0]
            for line in outcome.err.splitlines()] == ["read workflow file", "drawing workflow"]  # fmt: skip


def test_version_completion_and_manual(viewer: Run) -> None:
    """The program tells its version, completes workflow files and formats, and writes its manual page."""
    assert viewer("--version").out.startswith("wfx-viewer version ")
    assert viewer("-v").out == viewer("--version").out
    for words in (("",), ("la",), ("--output=x", "")):
        assert viewer("__complete", *words).out.splitlines() == ["yaml", "yml", ":8"]
    assert viewer("__complete", "comp").out.splitlines()[-1] == ":4"
    assert viewer("__complete", "--output-format", "").out.splitlines()[:5] == [
        "mermaid", "plantuml", "smcat", "dot", "svg",
    ]  # fmt: skip
    assert viewer("man", "--dir=pages").code == 0
    assert "--output\\-format" in Path("pages/wfx-viewer.1").read_text().replace("\\-\\-", "--")
    assert viewer("completion", "bash").out


def test_json_is_drawn_too(viewer: Run) -> None:
    """A workflow in JSON gives the same as one in YAML."""
    Path("lamp.json").write_text(
        '{"name": "lamp", "states": [{"name": "OFF", "description": "no light"}, {"name": "DIM"}, {"name": "BRIGHT"}],'
        '"groups": [{"name": "BUSY", "description": "still moving", "states": ["DIM"]}],'
        '"transitions": [{"from": "OFF", "to": "DIM", "eligible": "WFX", "action": "IMMEDIATE"},'
        '{"from": "DIM", "to": "DIM", "eligible": "CLIENT"}, {"from": "DIM", "to": "BRIGHT", "eligible": "CLIENT"}]}'
    )
    for name in ("mermaid", "plantuml", "svg"):
        outcome = viewer(f"--output-format={name}", "lamp.json")
        assert outcome.out == (GOLDEN / f"lamp.{name}").read_text()


def test_the_installed_program() -> None:
    """The program runs by its name and as a module, and an error ends it with 1, without a traceback."""
    for command in ([str(Path(sys.executable).parent / "wfx-viewer")], [sys.executable, "-m", "wfx_viewer"]):
        ran = subprocess.run([*command, LAMP], capture_output=True, text=True, timeout=60, check=True)
        assert ran.stdout == (GOLDEN / "lamp.mermaid").read_text()
        failed = subprocess.run([*command, "missing"], capture_output=True, text=True, timeout=60, check=False)
        assert failed.returncode == 1
        assert "Traceback" not in failed.stderr
