"""Writers of Mermaid, PlantUML, State Machine Cat (cli section 10) and Graphviz."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from xml.sax.saxutils import escape

from wfx_viewer.characters import without_illegal_xml
from wfx_viewer.diagram import NO_GROUP_TEXT, Diagram, label

_LEGEND = "<b>Group to Color Mapping</b>"
_WORD, _NO_WORD = re.compile(r"[A-Za-z0-9_]+"), re.compile(r"[^A-Za-z0-9_]+")
_MERMAID_SPECIAL = re.compile(r"""["#;:<>&%{}\[\]\\`$]|d(?=irection\s+(?:tb|bt|rl|lr))""", re.IGNORECASE)
"""What would end a text, or begin markup, a comment, a directive or a statement, in Mermaid."""
_MERMAID_KEYWORDS = frozenset({
    "accdescr", "acctitle", "class", "classdef", "click", "default", "href", "note", "root_end", "root_start", "scale",
    "state", "statediagram", "style",
})  # fmt: skip
"""Words, in any case, that Mermaid does not take as the identifier of a state, or gives to others; ``end`` it takes."""
_PLANTUML_SPECIAL = re.compile(r"""["<>|\\%\[\]~]|&(?=#)|/(?=')|([*_/=.-])(?=\1)""")
"""What would end a text, or begin markup, a comment, a link or a function, in PlantUML."""
_PLANTUML_KEYWORDS = frozenset({
    "caption", "end", "endlegend", "footer", "header", "hide", "legend", "mainframe", "newpage", "remove", "show",
    "skinparam", "title",
})  # fmt: skip
"""Words, in any case, with which statements of PlantUML begin that take any text."""
_SMCAT_KEYWORDS = frozenset({"initial", "final"})
"""Names of the states that are written where a diagram begins and ends."""
_SMCAT_TYPES = re.compile(r"initial|final|parallel|history|^[\^\]]")
"""Names from which State Machine Cat concludes that a state is none of the usual ones."""


def mermaid(diagram: Diagram) -> str:
    """Write a state diagram of Mermaid; without states it is an empty one."""
    return "\n    ".join(["stateDiagram-v2", *_mermaid_lines(diagram)]) + "\n"


def _mermaid_lines(diagram: Diagram) -> Iterator[str]:
    ids = _unique_names(diagram, _as_word, _MERMAID_KEYWORDS)
    for name, word in ids.items():
        if name != word:
            yield f'state "{_mermaid_text(name) or " "}" as {word}'
    if diagram.initial is not None:
        yield f"[*] --> {ids[diagram.initial]}"
    for t in diagram.transitions:
        yield f"{ids[t.origin]} --> {ids[t.target]}: {_mermaid_text(t.eligible)}"
    for final in diagram.finals:
        yield f"{ids[final]} --> [*]"
    for state in diagram.states:
        color = diagram.color(state.name)
        yield f"classDef cl_{ids[state.name]} color:{color.text},fill:{color.fill}"
        yield f"class {ids[state.name]} cl_{ids[state.name]}"
    if diagram.states:
        groups = [
            f'<font color="{c.fill}">{_mermaid_text(g.name, "<br/>")}</font> - {_mermaid_text(g.description, "<br/>")}'
            for g, c in diagram.groups
        ]
        beside = diagram.states[0].name if diagram.initial is None else diagram.initial
        yield f"Note right of {ids[beside]}: {'<br/>'.join([_LEGEND, *groups])}"


def _mermaid_text(text: str, new_line: str = " ") -> str:
    """Write a text with entities, as Mermaid takes them."""
    return new_line.join(_escaped(_MERMAID_SPECIAL, "#{};", line) for line in text.splitlines())


def plantuml(diagram: Diagram) -> str:
    """Write a state diagram of PlantUML."""
    return "\n".join(["@startuml", *_plantuml_lines(diagram), "@enduml"]) + "\n"


def _plantuml_lines(diagram: Diagram) -> Iterator[str]:
    ids = _unique_names(diagram, _as_word, _PLANTUML_KEYWORDS)
    for state in diagram.states:
        color = diagram.color(state.name)
        shown = f'"<color:{color.text}>{_plantuml_text(state.name)}</color>" {color.fill}'
        yield f"state {ids[state.name]} as {shown}: {_plantuml_text(state.description)}"
    for t in diagram.transitions:
        yield f"{ids[t.origin]} --> {ids[t.target]}: {label(t, _plantuml_text)}"
    yield "legend right"
    yield "  | Color | Group | Description |"
    for group, color in diagram.groups:
        yield f"  | <{color.fill}> | {_plantuml_text(group.name)} | {_plantuml_text(group.description)} |"
    yield f"  | <#000000> |  | {NO_GROUP_TEXT} |"
    yield "endlegend"


def _plantuml_text(text: str) -> str:
    """Write a text with characters by their numbers, as PlantUML takes them."""
    return "\\n".join(_escaped(_PLANTUML_SPECIAL, "<U+{:04X}>", line) for line in text.splitlines())


def _escaped(special: re.Pattern[str], form: str, line: str) -> str:
    return special.sub(lambda found: form.format(ord(found[0])), without_illegal_xml(line))


def _as_word(name: str) -> str:
    return _NO_WORD.sub("_", name) or "_"


def smcat(diagram: Diagram) -> str:
    """Write a diagram of State Machine Cat."""
    names = {name: _smcat_quoted(shown) for name, shown in _unique_names(diagram, _smcat_text, _SMCAT_KEYWORDS).items()}
    states = [f"{names[state.name]} [{_smcat_attributes(diagram, state.name, names)}]" for state in diagram.states]
    lines = [",\n".join(["initial", *states, "final;"]), ""]
    if diagram.initial is not None:
        lines.append(f"initial => {names[diagram.initial]};")
    lines += [
        f"{names[t.origin]} => {names[t.target]}: {_smcat_quoted(_smcat_text(t.eligible))};"
        for t in diagram.transitions
    ]
    lines += [f"{names[state]} => final;" for state in diagram.finals]
    return "\n".join(lines) + "\n"


def _smcat_attributes(diagram: Diagram, name: str, names: Mapping[str, str]) -> str:
    shown = _smcat_text(name)
    regular = " type=regular" if _SMCAT_TYPES.search(name) else ""
    label_of_another = f' label="{shown}"' if _smcat_quoted(shown) != names[name] else ""
    return f'color="{diagram.color(name).fill}"{regular}{label_of_another}'


def _smcat_text(name: str) -> str:
    """Return a text without what would end it: quotes, and a backslash before one, cannot be written."""
    return _one_line(name).replace('"', "'").replace("\\", "\u29f5") or " "


def _smcat_quoted(text: str) -> str:
    return text if _WORD.fullmatch(text) else f'"{text}"'


def _unique_names(
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
    shown = _unique_names(diagram, lambda name: _one_line(name, "\n"))
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
    return without_illegal_xml(new_line.join(text.splitlines()))
