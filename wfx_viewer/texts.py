"""Writers of Mermaid, PlantUML, State Machine Cat (cli section 10) and Graphviz."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from xml.sax.saxutils import escape

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
    ids = _identifiers(diagram, _MERMAID_KEYWORDS)
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
    ids = _identifiers(diagram)
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


def _identifiers(diagram: Diagram, keywords: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return a word for each state that stands for it.

    It is the name, unless that has characters that words cannot have, or is a keyword, which are in lower case.
    """
    names = dict.fromkeys(diagram.named())
    taken = {name for name in names if _WORD.fullmatch(name) and name.lower() not in keywords}
    numbers, found = count(2), {}
    for name in names:
        word = name if name in taken else _NO_WORD.sub("_", name)
        while word.lower() in keywords or (word in taken and word != name):
            word = f"{_NO_WORD.sub('_', name)}_{next(numbers)}"
        taken.add(word)
        found[name] = word
    return found


def smcat(diagram: Diagram) -> str:
    """Write a diagram of State Machine Cat."""
    states = [f'{_smcat_name(state.name)} [color="{diagram.color(state.name).fill}"]' for state in diagram.states]
    lines = [",\n".join(["initial", *states, "final;"]), ""]
    if diagram.initial is not None:
        lines.append(f"initial => {_smcat_name(diagram.initial)};")
    lines += [
        _one_line(f"{_smcat_name(t.origin)} => {_smcat_name(t.target)}: {t.eligible};") for t in diagram.transitions
    ]
    lines += [f"{_smcat_name(state)} => final;" for state in diagram.finals]
    return "\n".join(lines) + "\n"


def _smcat_name(name: str) -> str:
    return name if _WORD.fullmatch(name) else '"' + _one_line(name).replace('"', "'") + '"'


def dot(diagram: Diagram) -> str:
    """Write a directed graph of Graphviz, with the descriptions as tooltips."""
    head = [f"digraph {_quoted(diagram.name)} {{", *_DOT_STYLE]
    return "\n    ".join([*head, *_dot_lines(diagram)]) + "\n}\n"


_DOT_STYLE = (
    'graph [fontname="sans-serif"];',
    'node [shape=box, style="rounded,filled", fontname="sans-serif"];',
    'edge [fontname="sans-serif", fontsize=11];',
)


def _dot_lines(diagram: Diagram) -> Iterator[str]:
    for state in diagram.states:
        color = diagram.color(state.name)
        tooltip = f", tooltip={_quoted(state.description)}" if state.description else ""
        yield f'{_quoted(state.name)} [fillcolor="{color.fill}", fontcolor={color.text}{tooltip}];'
    names = set(diagram.named())
    initial, legend = _unlike("initial", names), _unlike("legend", names)
    if diagram.initial is not None:
        yield f'{initial} [shape=circle, label="", width=0.2, fillcolor=black];'
        yield f"{initial} -> {_quoted(diagram.initial)};"
    for t in diagram.transitions:
        yield f"{_quoted(t.origin)} -> {_quoted(t.target)} [label={_quoted(label(t))}];"
    for number, name in enumerate(diagram.finals):
        final = _unlike(f"final{number}", names)
        yield f'{final} [shape=doublecircle, label="", width=0.15, fillcolor=black];'
        yield f"{_quoted(name)} -> {final};"
    yield f"{legend} [shape=plain, style=solid, label=<{_dot_table(diagram)}>];"


def _dot_table(diagram: Diagram) -> str:
    groups = [(color.fill, group.name, group.description) for group, color in diagram.groups]
    rows = "".join(
        f'<tr><td bgcolor="{fill}" width="24"></td><td>{_html(name)}</td><td align="left">{_html(text)}</td></tr>'
        for fill, name, text in [*groups, ("#000000", "", NO_GROUP_TEXT)]
    )
    return f'<table border="0" cellborder="1" cellspacing="0">{rows}</table>'


def _unlike(wanted: str, taken: set[str]) -> str:
    """Return a name that no state has."""
    while wanted in taken:
        wanted += "_"
    return wanted


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _one_line(escaped, "\\n") + '"'


def _html(text: str) -> str:
    return escape(_one_line(text)) or " "


def _one_line(text: str, new_line: str = " ") -> str:
    """Keep a text from beginning another line, which would be read as a statement."""
    return new_line.join(text.splitlines())
