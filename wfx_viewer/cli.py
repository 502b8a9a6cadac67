"""The command ``wfx-viewer``: a command line in, an exit code out (cli sections 1 and 10)."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from wfx.commandline import completion, help, input_files, man_pages  # noqa: A004  # help is the command's name
from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.invocation import Invocation
from wfx.commandline.options import ANY_FILE, Kind, Option
from wfx.commandline.program import Program
from wfx.version import COMMIT, VERSION
from wfx_viewer import texts
from wfx_viewer.diagram import Diagram

_TEXTS: dict[str, Callable[[Diagram], str]] = {
    "mermaid": texts.mermaid,
    "plantuml": texts.plantuml,
    "smcat": texts.smcat,
    "dot": texts.dot,
}
FORMATS = (*_TEXTS, "svg")


def _run(call: Invocation) -> None:
    settings = call.settings
    call.log.set_threshold(settings.text("log-level"))
    if len(call.arguments) != 1:
        raise UsageFailure(f"accepts 1 arg(s), received {len(call.arguments)}: give one workflow file")
    name, output_name = call.arguments[0], settings.text("output")
    with ExitStack() as stack:
        output = _opened(output_name, name, stack) if output_name else None
        diagram = _diagram(call, name)
        if settings.text("output-format") == "svg" and (service := settings.text("kroki-url")):
            _deliver(call, output, _drawn_elsewhere(call, service, diagram))
        elif output is None:
            call.out.line(_drawn(call, diagram).removesuffix("\n"))
        else:
            _deliver(call, output, _drawn(call, diagram).encode("utf-8", "replace"))


def _diagram(call: Invocation, name: str) -> Diagram:
    from wfxctl import workflow_file  # imports codecs that help and completion do not need

    try:
        with Path(name).open("rb") as file:
            content = input_files.read_bounded(file)
    except (OSError, ValueError) as exc:
        raise Failure(f"cannot read {name}: {getattr(exc, 'strerror', None) or exc}") from exc
    call.log.write("debug", "read workflow file", path=name, bytes=len(content))
    try:
        return Diagram.of(workflow_file.lenient(workflow_file.read(name, content, alone=True).document))
    except UnicodeEncodeError as exc:
        raise Failure(f"{name} is no workflow: it has text that is not Unicode") from exc


def _drawn(call: Invocation, diagram: Diagram) -> str:
    wanted = call.settings.text("output-format")
    call.log.write("debug", "drawing workflow", format=wanted, states=len(diagram.states))
    if wanted != "svg":
        return _TEXTS[wanted](diagram)
    from wfx_viewer.svg import picture  # other formats need no layout

    return picture.svg(diagram)


def _drawn_elsewhere(call: Invocation, service: str, diagram: Diagram) -> bytes:
    from wfx_viewer import kroki

    call.log.write("debug", "having workflow drawn", url=kroki.shown(service), states=len(diagram.states))
    drawn = kroki.draw(service, texts.plantuml(diagram))
    if drawn.status != 200:
        call.log.write("warn", "the service may not have drawn the workflow", url=drawn.address, status=drawn.status)
    return drawn.picture + b"\n"


def _opened(name: str, source: str, stack: ExitStack) -> BinaryIO:
    """Open the output before anything else is done: if that fails there is nothing to draw for."""
    try:
        if Path(name).exists() and Path(source).exists() and Path(name).samefile(source):
            raise Failure(f"cannot write {name}: it is the workflow file")
        return stack.enter_context(open(name, "wb", buffering=0, opener=_for_all_to_read))
    except (OSError, ValueError) as exc:
        raise Failure(f"cannot write {name}: {getattr(exc, 'strerror', None) or exc}") from exc


def _for_all_to_read(path: str, flags: int) -> int:
    return os.open(path, flags, 0o644)


def _deliver(call: Invocation, output: BinaryIO | None, content: bytes) -> None:
    if output is None:
        call.out.data(content)
        return
    try:
        while content:
            content = content[output.write(content) :]
    except OSError as exc:
        raise Failure(f"cannot write {output.name}: {exc.strerror}") from exc


ROOT = Command(
    "wfx-viewer",
    "Draw a workflow",
    """
    Draw a workflow as SVG, or write it in the language of a drawing program.

    The file has one workflow in YAML or JSON, and nothing else; it need not make sense. States have the colour of their
    group. SVG is drawn by this program itself, without a network. With --kroki-url a Kroki service draws it from
    PlantUML.

    The result goes to standard output, everything else to standard error. Configuration files and variables are not
    read.
    """,
    usage="FILE",
    examples="""
    # for a page in Markdown
    wfx-viewer lamp.yml

    # as a picture
    wfx-viewer --output-format svg --output lamp.svg lamp.yml

    # by Graphviz
    wfx-viewer --output-format dot lamp.yml | dot -Tpng > lamp.png
    """,
    options=(
        Option("output-format", Kind.STRING, "what to write", "mermaid", choices=FORMATS),
        Option("output", Kind.STRING, "file to write instead of standard output", extensions=ANY_FILE),
        Option(
            "kroki-url", Kind.STRING, "service that draws SVG, such as https://kroki.io/plantuml/svg; empty for none"
        ),
        Option(
            "log-level", Kind.STRING, "least important log lines to show", "info",
            suggestions=("trace", "debug", "info", "warn", "error", "fatal", "panic"),
        ),
    ),
    children=(
        *completion.commands("wfx-viewer"),
        help.command("wfx-viewer", "completion"),
        man_pages.command("wfx-viewer"),
    ),
    run=_run,
    configured=False,
    extensions=("yaml", "yml"),
    version=lambda: f"wfx-viewer version {VERSION} (commit {COMMIT})\n",
)  # fmt: skip
PROGRAM = Program(ROOT, usage_on_failure=True, fatal_on_failure=True)
run = PROGRAM.run
main = PROGRAM.main
