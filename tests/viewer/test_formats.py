"""What is written of a workflow in each format."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from command_lines import Run, runner

from wfx_viewer import colors
from wfx_viewer.cli import FORMATS, PROGRAM

GOLDEN = Path(__file__).parent / "golden"
ROOT = Path(__file__).parents[2]
BUNDLED = sorted((ROOT / "spec" / "workflows").glob("*.yml"))
SVG = "{http://www.w3.org/2000/svg}"
MERMAID = """\
stateDiagram-v2
    [*] --> OFF
    OFF --> DIM: WFX
    DIM --> DIM: CLIENT
    DIM --> BRIGHT: CLIENT
    BRIGHT --> [*]
    classDef cl_OFF color:white,fill:#000000
    class OFF cl_OFF
    classDef cl_DIM color:black,fill:#00cc00
    class DIM cl_DIM
    classDef cl_BRIGHT color:white,fill:#000000
    class BRIGHT cl_BRIGHT
    Note right of OFF: <b>Group to Color Mapping</b><br/><font color="#00cc00">BUSY</font> - still moving
"""
PLANTUML = """\
@startuml
state OFF as "<color:white>OFF</color>" #000000: no light
state DIM as "<color:black>DIM</color>" #00cc00:\x20
state BRIGHT as "<color:white>BRIGHT</color>" #000000:\x20
OFF --> DIM: WFX [IMMEDIATE]
DIM --> DIM: CLIENT
DIM --> BRIGHT: CLIENT
legend right
  | Color | Group | Description |
  | <#00cc00> | BUSY | still moving |
  | <#000000> |  | The state doesn't belong to any group. |
endlegend
@enduml
"""
SMCAT = """\
initial,
OFF [color="#000000"],
DIM [color="#00cc00"],
BRIGHT [color="#000000"],
final;

initial => OFF;
OFF => DIM: WFX;
DIM => DIM: CLIENT;
DIM => BRIGHT: CLIENT;
BRIGHT => final;
"""


@pytest.fixture
def viewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the program in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return runner(PROGRAM, tmp_path)


@pytest.mark.parametrize(("name", "expected"), [("mermaid", MERMAID), ("plantuml", PLANTUML), ("smcat", SMCAT)])
def test_formats_of_the_reference(viewer: Run, name: str, expected: str) -> None:
    """Mermaid, PlantUML and State Machine Cat are written byte for byte as the reference does."""
    outcome = viewer(f"--output-format={name}", str(GOLDEN / "lamp.yml"))
    assert (outcome.code, outcome.out, outcome.err) == (0, expected, "")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("workflow", ["lamp", "odd"])
def test_golden(viewer: Run, workflow: str, name: str) -> None:
    """Each format of a usual workflow, and of one with cycles, long texts and unknown words, is as it was."""
    outcome = viewer("--output-format", name.upper(), str(GOLDEN / f"{workflow}.yml"))
    assert outcome.code == 0
    assert outcome.out == (GOLDEN / f"{workflow}.{name}").read_text(encoding="utf-8")


def test_mermaid_is_the_default(viewer: Run) -> None:
    """Without a format Mermaid is written; an empty word means the same."""
    assert viewer(str(GOLDEN / "lamp.yml")).out == viewer("--output-format=", str(GOLDEN / "lamp.yml")).out == MERMAID


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("content", ["{}", "{}\n...\n", "states: []", "name: none\ntransitions: []\ngroups: []\n"])
def test_no_states(viewer: Run, name: str, content: str) -> None:
    """A workflow without states is an empty diagram, where the reference breaks off."""
    Path("none.yml").write_text(content)
    outcome = viewer(f"--output-format={name}", "none.yml")
    assert (outcome.code, outcome.err) == (0, "")
    begin = {"mermaid": "stateDiagram-v2\n", "plantuml": "@startuml\n", "smcat": "initial,\nfinal;\n\n"}
    assert outcome.out.startswith(begin.get(name, ""))
    if name == "svg":
        ET.fromstring(outcome.out)


def test_no_initial_and_no_final_state(viewer: Run) -> None:
    """Where every state is entered and left, nothing is marked as begin or end."""
    Path("round.json").write_text(
        '{"states": [{"name": "A"}, {"name": "B"}], "transitions": ['
        '{"from": "A", "to": "B", "eligible": "WFX"}, {"from": "B", "to": "A", "eligible": "WFX"}]}'
    )
    assert "[*]" not in viewer("round.json").out
    smcat = viewer("--output-format=smcat", "round.json").out
    assert "initial =>" not in smcat
    assert "=> final" not in smcat
    picture = viewer("--output-format=svg", "round.json").out
    assert 'class="initial"' not in picture
    assert 'class="final"' not in picture


def test_a_state_with_a_loop_is_not_final(viewer: Run) -> None:
    """A transition from a state to itself makes it no final state, and an initial one nevertheless."""
    Path("loop.yml").write_text("states: [{name: A}]\ntransitions: [{from: A, to: A, eligible: CLIENT}]\n")
    assert viewer("loop.yml").out.splitlines()[1:3] == ["    [*] --> A", "    A --> A: CLIENT"]
    assert "A --> [*]" not in viewer("loop.yml").out


def test_final_states_by_name(viewer: Run) -> None:
    """Final states come in the order of their names."""
    Path("ends.yml").write_text(
        "states: [{name: A}, {name: Z}, {name: B}]\n"
        "transitions: [{from: A, to: Z, eligible: WFX}, {from: A, to: B, eligible: WFX, action: WAIT}]\n"
    )
    lines = viewer("ends.yml").out.splitlines()
    assert lines[4:6] == ["    B --> [*]", "    Z --> [*]"]
    assert lines[-1] == "    Note right of A: <b>Group to Color Mapping</b>"
    assert "A --> B: WFX [WAIT]\n" in viewer("--output-format=plantuml", "ends.yml").out


@pytest.mark.parametrize("name", [
    "accDescr", "accTitle", "class", "CLASSDEF", "click", "Default", "href", "NOTE", "note", "scale", "state",
    "stateDiagram", "style",
])  # fmt: skip
def test_keywords_of_mermaid(viewer: Run, name: str) -> None:
    """A state whose name is a keyword of Mermaid, in any case, gets another word and is shown by its name."""
    Path("words.yml").write_text(
        f"states: [{{name: {name}}}, {{name: {name}_2}}]\n"
        f"transitions: [{{from: {name}, to: {name}_2, eligible: WFX}}]\n"
    )
    lines = [line.strip() for line in viewer("words.yml").out.splitlines()]
    assert lines[1:5] == [
        f'state "{name}" as {name}_3', f"[*] --> {name}_3", f"{name}_3 --> {name}_2: WFX", f"{name}_2 --> [*]",
    ]  # fmt: skip
    assert [line.split()[1] for line in lines if line.startswith("class ")] == [f"{name}_3", f"{name}_2"]
    assert f"state {name} as" in viewer("--output-format=plantuml", "words.yml").out


@pytest.mark.parametrize("name", ["end", "direction", "fork", "hide", "notes", "state_1"])
def test_words_that_mermaid_takes(viewer: Run, name: str) -> None:
    """Names that only look like keywords of Mermaid stay as they are."""
    Path("words.yml").write_text(f"states: [{{name: {name}}}]\n")
    assert f"    [*] --> {name}\n" in viewer("words.yml").out
    assert " as " not in viewer("words.yml").out


@pytest.mark.parametrize("name", FORMATS)
def test_texts_cannot_add_statements(viewer: Run, name: str) -> None:
    """Line breaks in names and descriptions begin no line of their own in any format."""
    Path("breaks.yml").write_text(
        'name: "a\\nEVIL"\nstates: [{name: "A\\nEVIL", description: "text\\n\\nEVIL\\n"}]\n'
        'groups: [{name: "G\\nEVIL", states: ["A\\nEVIL"], description: "x\\u2028EVIL"}]\n'
        'transitions: [{from: "A\\nEVIL", to: "B\\r\\nEVIL", eligible: "C\\nEVIL"}]\n'
    )
    outcome = viewer(f"--output-format={name}", "breaks.yml")
    assert outcome.code == 0
    if name == "svg":
        ET.fromstring(outcome.out)
    else:
        assert not [line for line in outcome.out.splitlines() if line.strip().startswith("EVIL")]


@pytest.mark.parametrize(("name", "expected"), [
    ("mermaid", [
        'state "a-b" as a_b', 'state "a b" as a_b_2', 'state "a #34;b#34;" as a_b_', "[*] --> a_b",
        "a_b --> a_b_2: WFX", "a_b_2 --> a_b_: WFX",
    ]),
    ("plantuml", ["a_b --> a_b_2: WFX", "a_b_2 --> a_b_: WFX"]),
    ("smcat", ['"a-b" => "a b": WFX;', "\"a b\" => \"a 'b'\": WFX;"]),
    ("dot", ['"a-b" -> "a b" [label="WFX"];', r'"a b" -> "a \"b\"" [label="WFX"];']),
])  # fmt: skip
def test_names_that_are_no_words(viewer: Run, name: str, expected: list[str]) -> None:
    """States whose names have characters that the languages do not take get a word, or quotes, and are told apart."""
    Path("names.yml").write_text(
        "states: [{name: a-b}, {name: a b}, {name: 'a \"b\"'}]\ntransitions:\n"
        "- {from: a-b, to: a b, eligible: WFX}\n- {from: a b, to: 'a \"b\"', eligible: WFX}\n"
    )
    lines = [line.strip() for line in viewer(f"--output-format={name}", "names.yml").out.splitlines()]
    assert [line for line in expected if line not in lines] == []


def test_many_names_that_are_no_words(viewer: Run) -> None:
    """Thousands of names that would become the same word get as many words."""
    Path("names.yml").write_text("states:\n" + "".join(f"- name: {chr(0x4E00 + n)}\n" for n in range(4096)))
    words = [line.split()[-1] for line in viewer("names.yml").out.splitlines() if " as " in line]
    assert len(set(words)) == 4096
    assert max(map(len, words)) < 10


def test_colors_of_groups() -> None:
    """Groups have the colours of the reference in its order: 143 light ones, 113 dark ones, then the first again."""
    first = (
        "00cc00 4993dd 9393dd 00aaff eeee9e 00aa55 4fee9e 00dd00 dd9393 aaaa55 00ff00 88cc00 cc00cc 55aaaa eeeeee "
        "4feeee 9e4fee 49dddd ff00aa ffff00 5dbbbb 00ffaa dddddd 55aaff"
    )
    assert [colors.of_group(place).fill for place in range(24)] == [f"#{color}" for color in first.split()]
    every = [colors.of_group(place) for place in range(256)]
    assert len({color.fill for color in every}) == 256
    assert [color.text for color in every] == ["black"] * 143 + ["white"] * 113
    assert colors.of_group(256) == every[0]


def test_a_state_in_several_groups(viewer: Run) -> None:
    """A state that several groups list has the colour of the first of them."""
    Path("both.yml").write_text(
        "states: [{name: A}]\ngroups: [{name: G, states: []}, {name: H, states: [A]}, {name: I, states: [A]}]\n"
    )
    assert 'A [color="#4993dd"]' in viewer("--output-format=smcat", "both.yml").out


@pytest.mark.parametrize("workflow", [*BUNDLED, *sorted(GOLDEN.glob("*.yml"))], ids=lambda path: path.stem)
def test_graphviz_understands(viewer: Run, workflow: Path, tmp_path: Path) -> None:
    """Graphviz draws what is written for it: each state is there, and it has nothing to warn of."""
    assert viewer("--output-format=dot", "--output=graph.dot", str(workflow)).code == 0
    drawn = subprocess.run(
        ["dot", "-Tsvg", "graph.dot"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert drawn.stderr == ""
    texts = {element.text for element in ET.fromstring(drawn.stdout).iter(f"{SVG}text")}
    assert texts >= {state["name"] for state in yaml.safe_load(workflow.read_text(encoding="utf-8"))["states"]}


def drawn_by_graphviz(viewer: Run, workflow: dict[str, object]) -> ET.Element:
    """Have Graphviz draw a workflow, which it must take without a word, into well-formed XML."""
    Path("odd.json").write_text(json.dumps({"transitions": [], "groups": []} | workflow))
    assert viewer("--output-format=dot", "--output=odd.dot", "odd.json").code == 0
    drawn = subprocess.run(["dot", "-Tsvg", "odd.dot"], capture_output=True, timeout=60, check=False)
    assert (drawn.returncode, drawn.stderr) == (0, b"")
    return ET.fromstring(drawn.stdout)


@pytest.mark.parametrize("odd", ["\0", "\x07", "\x1b", "\ufffe", "\uffff"])
def test_characters_that_xml_cannot_have(viewer: Run, odd: str) -> None:
    """Graphviz draws texts with characters that XML cannot have; U+FFFD stands in their place, as in all formats."""
    text = f"a{odd}b"
    workflow: dict[str, object] = {
        "name": text,
        "states": [{"name": text, "description": text}, {"name": "B"}],
        "transitions": [{"from": text, "to": "B", "eligible": text}],
        "groups": [{"name": text, "description": text, "states": [text]}],
    }
    texts = [element.text for element in drawn_by_graphviz(viewer, workflow).iter(f"{SVG}text")]
    assert texts.count("a\ufffdb") == 4, "the state, the transition, and the group with its description"
    for name in FORMATS:
        outcome = viewer(f"--output-format={name}", "odd.json")
        assert (outcome.code, odd in outcome.out) == (0, False)


@pytest.mark.parametrize("letter", ["x", "é", '"', "&", "\\", "\n"])
def test_long_texts(viewer: Run, letter: str) -> None:
    """Graphviz draws texts of any length, also those longer than the 16,384 bytes that it reads at once."""
    text = 20_000 * letter + "."
    workflow: dict[str, object] = {
        "name": text,
        "states": [{"name": text, "description": text}, {"name": "B"}],
        "transitions": [{"from": text, "to": "B", "eligible": text}],
        "groups": [{"name": text, "description": text, "states": [text]}],
    }
    assert len(list(drawn_by_graphviz(viewer, workflow).iter(f"{SVG}text"))) >= 5


@pytest.mark.parametrize("name", ["dot", "smcat"])
def test_names_that_are_written_alike(viewer: Run, name: str) -> None:
    """States stay several whose names differ only in what is replaced."""
    names = ["a\x01", "a\x02", "a\ufffd", "b\x0b", "b\n", "b", 'c"', "c'"]
    Path("alike.json").write_text(json.dumps({"states": [{"name": state} for state in names]}))
    lines = viewer(f"--output-format={name}", "alike.json").out.splitlines()
    key = {"dot": "fillcolor=", "smcat": "color="}[name]
    states = [line.split(" [")[0].strip() for line in lines if f" [{key}" in line]
    assert len(set(states)) == len(states) == len(names)


TEXT = 'a: b; <img src=x> %%{init: {"theme": "dark"}}%% #35; | [[x]] /\' \\\\n direction LR\nEVIL'
HOSTILE = {
    "states": [{"name": "A", "description": TEXT}, {"name": "B"}],
    "transitions": [{"from": "A", "to": "B", "eligible": TEXT, "action": TEXT}],
    "groups": [{"name": TEXT, "description": TEXT, "states": ["A"]}],
}


def test_texts_of_mermaid_are_plain(viewer: Run) -> None:
    """Names and descriptions of groups, and unknown words, are plain text in Mermaid: no markup, directive, comment."""
    Path("hostile.json").write_text(json.dumps(HOSTILE))
    text = viewer("hostile.json").out
    for begins in ("<img", "%%", "{", "}", "[[", "direction"):
        assert begins not in text
    notes = [line for line in text.splitlines() if "Note right of" in line]
    plain = (
        "a#58; b#59; #60;img src=x#62; #37;#37;#123;init#58; #123;#34;theme#34;#58; #34;dark#34;#125;#125;#37;#37; "
        "#35;35#59; | #91;#91;x#93;#93; /' #92;#92;n #100;irection LR<br/>EVIL"
    )
    assert notes == [
        f'    Note right of A: <b>Group to Color Mapping</b><br/><font color="#00cc00">{plain}</font> - {plain}'
    ]
    assert f"    A --> B: {plain.replace('<br/>', ' ')}\n" in text


def test_texts_of_plantuml_are_plain(viewer: Run) -> None:
    """Names and descriptions are plain text in PlantUML: no markup, link, comment, cell, or call of a function."""
    Path("hostile.json").write_text(json.dumps(HOSTILE))
    text = viewer("--output-format=plantuml", "hostile.json").out
    for begins in ("<img", "%", "[[", "/'"):
        assert begins not in text
    plain = (
        "a: b; <U+003C>img src=x<U+003E> <U+0025><U+0025>{init: {<U+0022>theme<U+0022>: <U+0022>dark<U+0022>}}"
        "<U+0025><U+0025> #35; <U+007C> <U+005B><U+005B>x<U+005D><U+005D> <U+002F>' <U+005C><U+005C>n direction LR"
        "\\nEVIL"
    )
    assert f"  | <#00cc00> | {plain} | {plain} |\n" in text
    assert f"A --> B: {plain} [{plain}]\n" in text
    assert f'state A as "<color:black>A</color>" #00cc00: {plain}\n' in text


def test_unknown_words_of_smcat_are_plain(viewer: Run) -> None:
    """An unknown word adds no transition to State Machine Cat: it stands in quotes, which nothing in it ends."""
    words = {"x; y => z {}": '"x; y => z {}"', 'a" => b; "': "\"a' => b; '\"", "end\\": '"end\u29f5"'}
    for word, written in words.items():
        workflow = {"states": [{"name": "A"}], "transitions": [{"from": "A", "to": "B", "eligible": word}]}
        Path("words.json").write_text(json.dumps(workflow))
        assert f"\nA => B: {written};\n" in viewer("--output-format=smcat", "words.json").out


@pytest.mark.parametrize(("name", "written"), [
    ("initial", 'initial_2 [color="#000000" type=regular label="initial"]'),
    ("final", 'final_2 [color="#000000" type=regular label="final"]'),
    ("finalizing", 'finalizing [color="#000000" type=regular]'),
    ("my history", '"my history" [color="#000000" type=regular]'),
    ("^choice", '"^choice" [color="#000000" type=regular]'),
    ("end\\", '"end\u29f5" [color="#000000"]'),
    ("", '" " [color="#000000"]'),
])  # fmt: skip
def test_names_that_mean_something_to_smcat(viewer: Run, name: str, written: str) -> None:
    """A state stays a usual one whose name would make it another kind in State Machine Cat."""
    Path("kinds.json").write_text(json.dumps({"states": [{"name": name}]}))
    assert f"initial,\n{written},\nfinal;\n" in viewer("--output-format=smcat", "kinds.json").out


@pytest.mark.parametrize("name", ["title", "Header", "footer", "caption", "legend", "skinparam"])
def test_keywords_of_plantuml(viewer: Run, name: str) -> None:
    """A state whose name begins a statement of PlantUML, in any case, gets another word and is shown by its name."""
    Path("words.json").write_text(json.dumps({
        "states": [{"name": name}, {"name": "A"}], "transitions": [{"from": name, "to": "A", "eligible": "WFX"}],
    }))  # fmt: skip
    text = viewer("--output-format=plantuml", "words.json").out
    assert f'state {name}_2 as "<color:white>{name}</color>" #000000: \n' in text
    assert f"\n{name}_2 --> A: WFX\n" in text


@pytest.mark.parametrize(("output", "written"), [("mermaid", '    state " " as _\n'), ("plantuml", "\nstate _ as ")])
def test_a_state_without_a_name(viewer: Run, output: str, written: str) -> None:
    """A state whose name is empty gets a word, like any other name that is none."""
    Path("nameless.json").write_text(json.dumps({"states": [{"name": ""}]}))
    assert written in viewer(f"--output-format={output}", "nameless.json").out
