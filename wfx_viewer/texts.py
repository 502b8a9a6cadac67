"""Writers of Mermaid, PlantUML, State Machine Cat (cli section 10) and Graphviz."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from xml.sax.saxutils import escape

from wfx_viewer.characters import legal
from wfx_viewer.diagram import NO_GROUP_TEXT, Diagram, label

_LEGEND = "<b>Group to Color Mapping</b>"
_WORD, _NO_WORD = re.compile(r"[A-Za-z0-9_]+"), re.compile(r"[^A-Za-z0-9_]+")
_ENTITIES = {ord(letter): f"#{ord(letter)};" for letter in '"#;<>&'}
"""How Mermaid takes characters that would end a text."""
_MERMAID_KEYWORDS = frozenset({
    "accdescr", "acctitle", "class", "classdef", "click", "default", "href", "note", "scale", "state", "statediagram",
    "style",
})  # fmt: skip
"""Words, in any case, that Mermaid does not take as the identifier of a state; ``end`` it does."""


def mermaid(diagram: Diagram) -> str:
    """Write a state diagram of Mermaid; without states it is an empty one."""
    return "\n    ".join(["stateDiagram-v2", *_mermaid_lines(diagram)]) + "\n"


def _mermaid_lines(diagram: Diagram) -> Iterator[str]:
    ids = _told_apart(diagram, _as_word, _MERMAID_KEYWORDS)
    for name, word in ids.items():
        if name != word:
            yield f'state "{_one_line(name).translate(_ENTITIES)}" as {word}'
    if diagram.initial is not None:
        yield f"[*] --> {ids[diagram.initial]}"
    for t in diagram.transitions:
        yield _one_line(f"{ids[t.origin]} --> {ids[t.target]}: {t.eligible}")
    for final in diagram.finals:
        yield f"{ids[final]} --> [*]"
    for state in diagram.states:
        color = diagram.color(state.name)
        yield f"classDef cl_{ids[state.name]} color:{color.text},fill:{color.fill}"
        yield f"class {ids[state.name]} cl_{ids[state.name]}"
    if diagram.states:
        groups = [f'<font color="{c.fill}">{g.name}</font> - {g.description}' for g, c in diagram.groups]
        beside = diagram.states[0].name if diagram.initial is None else diagram.initial
        yield _one_line(f"Note right of {ids[beside]}: {'<br/>'.join([_LEGEND, *groups])}", "<br/>")


def plantuml(diagram: Diagram) -> str:
    """Write a state diagram of PlantUML."""
    return "\n".join(["@startuml", *_plantuml_lines(diagram), "@enduml"]) + "\n"


def _plantuml_lines(diagram: Diagram) -> Iterator[str]:
    ids = _told_apart(diagram, _as_word)
    for state in diagram.states:
        color = diagram.color(state.name)
        shown = f'"<color:{color.text}>{state.name}</color>" {color.fill}'
        yield _one_line(f"state {ids[state.name]} as {shown}: {state.description}", "\\n")
    for t in diagram.transitions:
        yield _one_line(f"{ids[t.origin]} --> {ids[t.target]}: {label(t)}")
    yield "legend right"
    yield "  | Color | Group | Description |"
    for group, color in diagram.groups:
        yield _one_line(f"  | <{color.fill}> | {group.name} | {group.description} |", "\\n")
    yield f"  | <#000000> |  | {NO_GROUP_TEXT} |"
    yield "endlegend"


def _as_word(name: str) -> str:
    return _NO_WORD.sub("_", name)


def smcat(diagram: Diagram) -> str:
    """Write a diagram of State Machine Cat."""
    names = {name: _smcat_name(shown) for name, shown in _told_apart(diagram, _smcat_text).items()}
    states = [f'{names[state.name]} [color="{diagram.color(state.name).fill}"]' for state in diagram.states]
    lines = [",\n".join(["initial", *states, "final;"]), ""]
    if diagram.initial is not None:
        lines.append(f"initial => {names[diagram.initial]};")
    lines += [_one_line(f"{names[t.origin]} => {names[t.target]}: {t.eligible};") for t in diagram.transitions]
    lines += [f"{names[state]} => final;" for state in diagram.finals]
    return "\n".join(lines) + "\n"


def _smcat_text(name: str) -> str:
    return _one_line(name).replace('"', "'")


def _smcat_name(text: str) -> str:
    return text if _WORD.fullmatch(text) else f'"{text}"'


def _told_apart(
    diagram: Diagram, write: Callable[[str], str], keywords: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Return how each name is written.

    A number is added where another state's is written the same way, and to keywords, which are given in lower case.
    """
    names = dict.fromkeys(diagram.named())
    taken = {name for name in names if write(name) == name and name.lower() not in keywords}
    numbers, found = count(2), {}
    for name in names:
        text = written = write(name)
        while text.lower() in keywords or (text in taken and text != name):
            text = f"{written}_{next(numbers)}"
        taken.add(text)
        found[name] = text
    return found


def dot(diagram: Diagram) -> str:
    """Write a directed graph of Graphviz, with the descriptions as tooltips."""
    head = [f"digraph {_quoted(diagram.name)} {{", *_DOT_STYLE]
    return "\n    ".join([*head, *_dot_lines(diagram)]) + "\n}\n"


_PIECE = 2000
"""Characters of a text that Graphviz is given at once."""
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_DOT_STYLE = (
    'graph [fontname="sans-serif"];',
    'node [shape=box, style="rounded,filled", fontname="sans-serif"];',
    'edge [fontname="sans-serif", fontsize=11];',
)


def _dot_lines(diagram: Diagram) -> Iterator[str]:
    shown = _told_apart(diagram, lambda name: _one_line(name, "\n"))
    nodes = {name: _quoted(text) for name, text in shown.items()}
    for state in diagram.states:
        color = diagram.color(state.name)
        tooltip = f", tooltip={_quoted(state.description)}" if state.description else ""
        yield f'{nodes[state.name]} [fillcolor="{color.fill}", fontcolor={color.text}{tooltip}];'
    names = set(shown.values())
    initial, legend = _unlike("initial", names), _unlike("legend", names)
    if diagram.initial is not None:
        yield f'{initial} [shape=circle, label="", width=0.2, fillcolor=black];'
        yield f"{initial} -> {nodes[diagram.initial]};"
    for t in diagram.transitions:
        yield f"{nodes[t.origin]} -> {nodes[t.target]} [label={_quoted(label(t))}];"
    for number, name in enumerate(diagram.finals):
        final = _unlike(f"final{number}", names)
        yield f'{final} [shape=doublecircle, label="", width=0.15, fillcolor=black];'
        yield f"{nodes[name]} -> {final};"
    yield f"{legend} [shape=plain, style=solid, label=<{_dot_table(diagram)}>];"


def _dot_table(diagram: Diagram) -> str:
    groups = [(color.fill, group.name, group.description) for group, color in diagram.groups]
    rows = "".join(
        f'<tr><td bgcolor="{fill}" width="24"></td><td>{_html(name)}</td><td align="left">{_html(text)}</td></tr>'
        for fill, name, text in [*groups, ("#000000", "", NO_GROUP_TEXT)]
    )
    return f'<table border="0" cellborder="1" cellspacing="0">{rows}</table>'


def _unlike(wanted: str, taken: set[str]) -> str:
    """Return a name that no node has."""
    while wanted in taken:
        wanted += "_"
    return wanted


def _quoted(text: str) -> str:
    """Write a text as pieces that Graphviz joins: it refuses to read more than 16,384 bytes at once."""
    shown = _one_line(text, "\n")
    pieces = [shown[at : at + _PIECE] for at in range(0, len(shown), _PIECE)] or [""]
    return " + ".join(f'"{piece.translate(_ESCAPED)}"' for piece in pieces)


def _html(text: str) -> str:
    shown = _one_line(text)
    return escape(shown if len(shown) <= _PIECE else shown[: _PIECE - 1] + "…") or " "


def _one_line(text: str, new_line: str = " ") -> str:
    """Keep a text from beginning another line, which would be read as a statement."""
    return legal(new_line.join(text.splitlines()))
