"""Rule files are checked as a whole, and each fault has its place."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import example as explicit
from hypothesis import given
from hypothesis import strategies as st
from rules.rulebook import EXAMPLES, condition, example, faults, file_with, loaded, tag

from wfx.rules.faults import MOST, Fault, RulesInvalid
from wfx.rules.graph import Engine

FAULTY = """\
version: v1
engine:
  queue_depth: many
  fail_opn: true
scenarios:
  - id: a b
    event_types: [job.update_statu, x, x]
    children:
      - condition:
          id: c
          expression: "payload.a == \\"x\\" AND payload.b = 1"
      - condition:
          id: c
          expression: |
            payload.a == 1
            AND payload.b &
          children: []
      - action: {id: d, type: reward_points, params: {operation: give, points_formula: 'payload. == ''x''', reasn: x}}
      - action: {id: e, type: webhook_notify, params: {url: ftp://x, body: {a: ['${payload.x', "${vars.get(1)}"]}}}
      - foo: 1
"""
FOUND = """\
rules.yaml:3:16: engine.queue_depth: "many" is not of type "integer"
rules.yaml:4:3: engine: unknown key "fail_opn" (did you mean fail_open?)
rules.yaml:6:9: scenarios[0].id: an id has up to 128 letters, digits and _ . : -
rules.yaml:7:19: scenarios[0].event_types[0]: jobs have no events "job.update_statu" (did you mean job.update_status?)
rules.yaml:7:40: scenarios[0].event_types[2]: "x" is given twice
rules.yaml:10:11: scenarios[0].children[0].condition: "children" is missing
rules.yaml:11:57: scenarios[0].children[0].condition.expression: '=' is not part of expressions: compare with ==
rules.yaml:13:15: scenarios[0].children[1].condition.id: "c" is the id of another in line 10
rules.yaml:16:27: scenarios[0].children[1].condition.expression: '&' is not part of expressions: write AND
rules.yaml:17:21: scenarios[0].children[1].condition.children: the list is empty
"""


def test_all_faults_are_told() -> None:
    """All faults of a file are told at once, in its order, each with line, column and what may have been meant."""
    found = faults(FAULTY)
    assert found[:10] == FOUND.splitlines()
    rest = [line.partition(": ")[2] for line in found[10:]]
    assert [text.partition(": ")[2] for text in rest] == [
        '"give" is none of award, deduct',
        "'.' is not part of expressions",
        "unknown parameter, which reward_points does not have (did you mean reason?)",
        "an address such as https://hooks.example.com/wfx is needed",
        "this ${ has no } behind it; write $${ for a text with ${ in it",
        "unknown function vars.get (did you mean vars:get?)",
        'unknown key "foo"',
        "each child has either a condition or an action",
    ]


@pytest.mark.parametrize("scalar", [
    "payload.a = 1",
    "'payload.a = 1'",
    '"payload.a = 1"',
    """'"it''s" == "" AND payload.a = 1'""",
    r'"\"\u00e4\" == \"\" AND payload.a = 1"',
    '"ä" == "" AND payload.a = 1',
    "|\n            true AND\n            payload.a = 1",
    "|-\n            true AND\n              payload.a = 1",
])  # fmt: skip
def test_places_inside_of_scalars(scalar: str) -> None:
    """A fault in an expression is at the wrong character, however YAML writes the text."""
    scalar = scalar if not scalar.startswith('"ä') else f"'{scalar}'"
    text = file_with(f"condition:\n          id: c\n          children: [{tag('a')}]\n          expression: {scalar}\n")
    before = text[: text.index("= 1")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert [found.rpartition(": ")[0] for found in faults(text)] == [
        f"rules.yaml:{line}:{column}: scenarios[0].children[0].condition.expression: '=' is not part of expressions"
    ]


@pytest.mark.parametrize(
    "scalar", [">\n            true AND\n            payload.a = 1", "true AND\n            payload.a = 1"]
)
def test_places_of_scalars_that_are_joined(scalar: str) -> None:
    """Where YAML joins the lines of a text, the fault is where the text begins."""
    text = file_with(f"condition:\n          id: c\n          children: [{tag('a')}]\n          expression: {scalar}\n")
    assert faults(text)[0].startswith("rules.yaml:9:23: ")


@pytest.mark.parametrize(("text", "message"), [
    ("", "1:1: the file is empty"),
    ("# nothing\n", "1:1: the file is empty"),
    ("a: [1\n", "2:1: this is no YAML: did not find expected ',' or ']'"),
    (b"a: b\nc: \xff", "2:4: the file is no text in UTF-8"),
    ("a: \0", "1:1: this is no YAML"),
    ("[" * 200, "1:129: it is nested too deeply"),
    ("? [a]\n: b", "1:3: a key is a text"),
    ("a: 1\n---\nb: 2", "2:1: another document begins here"),
    ("#" * (1024 * 1024 + 1), "1:1: the file has 1,048,577 bytes, and may have 1,048,576"),
    ("&x [*x]", "1:1: anchors (&) and aliases (*) are not used"),
    ("!!python/object:os.system {}", "1:1: tags such as tag:yaml.org,2002:python/object:os.system are not used"),
    ("version: v1\nversion: v1\nscenarios: []", '2:1: key "version" is given twice, first in line 1'),
    ("version: 1\nscenarios: []", '1:10: version: 1 is not "v1"'),
    ("scenarios: x", '1:12: scenarios: "x" is not of type "array"'),
    ("version: v1", '1:1: "scenarios" is missing'),
    ("[]", '1:1: a list is not of type "object"'),
    ("version: v1\nengine: {event_workers: 0}\nscenarios: []", "2:25: engine.event_workers: 0 is not from 1 to 1024"),
    ("version: v1\nengine: {fail_open: yes}\nscenarios: []", '2:21: engine.fail_open: "yes" is not of type "boolean"'),
    (file_with("{action: {id: a, type: reward_point}}"), "did you mean reward_points?"),
    (file_with("{action: {id: a, type: add_tags}}"), "6:18: scenarios[0].children[0].action.params: tags is missing"),
    (file_with("{action: {id: a, type: add_tags, params: []}}"), 'params: a list is not of type "object"'),
    (file_with("{action: {id: a, type: create_job, params: {client_id: 7, workflow: w}}}"), "a text is needed, not 7"),
    (file_with("{action: {id: a, type: mail, params: {to: [a@b.io, night shift], subject: s, text: t}}}"),
     "params.to: 'night shift' is no address such as night-shift@example.com"),
    (file_with(tag("a")).replace("[t]", "[system.fatl]"), 'has no events "system.fatl", only system.fatal'),
    (file_with(tag("a", "[]")), "a list of texts is needed, not an empty list"),
    (file_with("{action: {id: a, type: add_tags, params: {tags_formula: '1'}}}"), "and a formula gives a number"),
    (file_with("{action: {id: a, type: reward_points, params: {operation: award, points: 1, points_formula: '1'}}}"),
     "points is given as well"),
    (file_with("{action: {id: a, type: reward_points, params: {operation: award, points_formula: 7}}}"),
     "a formula is a text"),
    (file_with("{action: {id: a, type: set_output, params: {expression: payload.x}}}"),
     'a call such as flw.setOutput("name", payload.value) is needed here'),
    (file_with("{action: {id: a, type: mail, params: {to: [a], subject: s, text: '${flw.setOutput(\"a\", 1)}'}}}"),
     "as the whole expression of an action set_output only"),
    (file_with(condition("c", 'seq:next("a") == "000001"', tag("a"))), "in the parameters of actions only"),
    (file_with("{condition: {id: c, expression: true, children: []}}"), 'true is not of type "string"'),
])  # fmt: skip
def test_what_is_refused(text: str | bytes, message: str) -> None:
    """What is no rule file is refused with the place, whatever it is."""
    assert message in "\n".join(faults(text))


def test_the_number_of_faults_is_bounded() -> None:
    """Of a file with thousands of faults, 128 are told."""
    text = "version: v1\nscenarios:\n" + "- id: a\n" * 5000
    assert len(faults(text)) == MOST


def test_conditions_nest_32_deep() -> None:
    """Conditions stand inside each other 32 times, and no more."""

    def nested(levels: int) -> str:
        child = tag("a")
        for number in range(levels):
            child = condition(f"c{number}", "true", child)
        return file_with(child)

    assert faults(nested(32)) == []
    assert "at most 32 conditions stand inside each other" in faults(nested(33))[0]


def test_ids_are_unique() -> None:
    """A scenario, a condition and an action cannot have the same id, even in one line."""
    found = faults(file_with(tag("s"), tag("a"), condition("c", "true", tag("b"), tag("b"))))
    assert [line.rpartition(": ")[2] for line in found] == [
        '"s" is the id of another in line 3',
        '"b" is the id of another in line 8',
    ]


def test_what_a_file_becomes() -> None:
    """A file becomes a graph, found by the types of events; what it leaves out has the usual values."""
    graph = example("high-value-food")
    assert graph.engine == Engine(32, 16, 10_000, 5_000, True)
    assert [scenario.id for scenario in graph.by_type["transaction"]] == ["sc_high_value_food"]
    assert graph.scenarios[0].sources == {"pos-system", "mobile-app"}
    with pytest.raises(TypeError):
        graph.by_type["x"] = ()  # type: ignore[index]
    disabled = loaded(file_with(tag("a")).replace("    event", "    enabled: false\n    event"))
    assert disabled.by_type == {}
    assert len(disabled.scenarios) == 1


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yml")), ids=lambda path: path.stem)
def test_examples_load(path: object) -> None:
    """The examples have no faults."""
    assert faults(getattr(path, "read_bytes")()) == []  # noqa: B009


YAML_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["version", "engine", "scenarios", "id", "event_types", "children", "condition", "action",
                         "type", "params", "expression", "x"]), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


def faults_of(content: bytes) -> tuple[Fault, ...]:
    """Return what is wrong with a file."""
    try:
        loaded(content)
    except RulesInvalid as exc:
        return exc.faults
    return ()


@given(
    st.text()
    | st.binary()
    | YAML_VALUES.map(yaml.safe_dump)
    | st.lists(st.sampled_from(FAULTY.splitlines())).map("\n".join)
)
@explicit("a: &a [*a]")
@explicit("- - ? |\n")
@explicit("\ufeffversion: v1")
def test_any_text_is_refused_or_loads(text: str | bytes) -> None:
    """Any text and any bytes are refused with places inside of the file, or load."""
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    found = faults_of(content)
    assert len(found) <= MOST
    lines = len(re.split("\r\n|[\n\r\x85\u2028\u2029]", content.decode("utf-8", "replace")))
    assert all(1 <= fault.mark.line <= lines + 1 for fault in found)
