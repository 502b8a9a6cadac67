"""Rules from files, without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_lines import Run

EXAMPLES = Path(__file__).parents[2] / "spec" / "rules"
PURCHASE = (
    '{"type":"transaction","source":"pos-system","actor_id":"user_42","payload":{"amount":1500,"category":"food"}}'
)
FAULTY = "version: v1\nengine:\n  queue_depth: many\nscenarios: []\n"


@pytest.fixture
def rules() -> str:
    """Return the path of rules."""
    return str(EXAMPLES / "high-value-food.yml")


def test_validate(run: Run, rules: str) -> None:
    """Each file is called OK, or all that is wrong with it is told; the exit code is 1 if anything is."""
    assert run("rule", "validate", rules).out == f"{rules} : OK (1 scenario)\n"
    Path("rules.yaml").write_text(FAULTY)
    outcome = run("rule", "validate", "rules.yaml", rules)
    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.out == (
        'ERROR: rules.yaml:3:16: engine.queue_depth: "many" is not of type "integer"\n'
        "ERROR: rules.yaml:4:12: scenarios: the list is empty\n"
        f"{rules} : OK (1 scenario)\n"
    )
    assert run("rule", "validate", "-", stdin=FAULTY.encode()).out.startswith("ERROR: standard input:3:16: ")


SCRIPTED = """version: v1
scenarios:
  - id: decide
    event_types: [alarm]
    children: [{action: {id: a, type: run_script, params: {script: s}}}]
  - id: off
    enabled: false
    event_types: [alarm]
    children: [{action: {id: b, type: run_script, params: {script: s}}}]
"""


def test_scripts_are_told(run: Run) -> None:
    """Scenarios that need a server with scripts are named on standard error; the file is good all the same."""
    Path("rules.yaml").write_text(SCRIPTED)
    outcome = run("rule", "validate", "rules.yaml")
    assert (outcome.code, outcome.out) == (0, "rules.yaml : OK (2 scenarios)\n")
    assert outcome.err == (
        "WARNING: rules.yaml: scenario decide runs a script, which only a server with --enable-scripts does\n"
    )


def test_faults_stay_on_their_line(run: Run) -> None:
    """Control characters of a file do not reach the terminal."""
    Path("rules.yaml").write_text('"\\e[31m\\n": 1\n')
    outcome = run("rule", "validate", "rules.yaml")
    assert "\x1b" not in outcome.out
    assert all(line.startswith("ERROR: rules.yaml:1:1: ") for line in outcome.out.splitlines())


def test_test(run: Run, rules: str) -> None:
    """An event on the command line, in a file or on standard input shows conditions and planned actions."""
    Path("event.json").write_text(PURCHASE)
    outcome = run("rule", "test", rules, "--event", PURCHASE)
    assert run("rule", "test", rules, "--event=event.json").out == outcome.out
    assert run("rule", "test", rules, "--event=-", stdin=PURCHASE.encode()).out == outcome.out
    found = json.loads(outcome.out)
    assert found["scenarios_matched"] == ["sc_high_value_food"]
    assert [(one["id"], one["value"]) for one in found["scenarios"][0]["conditions"]] == [
        ("cond_high_value", True),
        ("cond_is_food", True),
    ]
    assert found["scenarios"][0]["actions"] == [
        {
            "action_id": "act_bonus_points",
            "type": "reward_points",
            "message": "Awarded 75 points to user_42 — High-value food purchase bonus",
            "params": {
                "operation": "award",
                "points": 75,
                "reason": "High-value food purchase bonus",
                "actor_id": "user_42",
            },
        }
    ]


def test_filtered(run: Run, rules: str) -> None:
    """A filter picks from the result."""
    outcome = run("rule", "test", rules, "--event", PURCHASE, "--filter", ".scenarios[].actions[].action_id", "--raw")
    assert outcome.out == "act_bonus_points\n"


@pytest.mark.parametrize(("event", "reason"), [
    ('{"type": "x"}', "it is for transaction, not for x"),
    ('{"type": "transaction"}', "it is for the sources mobile-app, pos-system, not for none"),
])  # fmt: skip
def test_why_a_scenario_is_skipped(run: Run, rules: str, event: str, reason: str) -> None:
    """A scenario that is not for the event says why."""
    found = json.loads(run("rule", "test", rules, "--event", event).out)
    assert found["scenarios"] == [{"id": "sc_high_value_food", "skipped": reason}]


def test_errors_are_shown(run: Run, rules: str) -> None:
    """A condition without a value shows why, and what is not to be used any more says so."""
    wrong = PURCHASE.replace("1500", '"much"')
    (scenario,) = json.loads(run("rule", "test", rules, "--event", wrong).out)["scenarios"]
    assert scenario["conditions"][0]["error"] == "> compares numbers, and this is a text (at character 16)"
    closed = Path(rules).read_text().replace("scenarios:", "engine: {fail_open: false}\nscenarios:")
    Path("closed.yml").write_text(closed)
    found = json.loads(run("rule", "test", "closed.yml", "--event", wrong).out)
    assert found["error"].startswith("condition cond_high_value failed: > compares numbers")


@pytest.mark.parametrize(("words", "message"), [
    (("validate",), "rule file missing"),
    (("validate", "gone.yml"), "cannot read gone.yml: No such file or directory"),
    (("test",), "one rule file is needed"),
    (("test", "r.yml"), "event missing"),
    (("test", "r.yml", "--event=gone.json"), "cannot read gone.json: No such file or directory"),
    (("test", "r.yml", "--event={}"), "the event cannot be used: event type is required"),
    (("test", "r.yml", "--event={"), "the event cannot be used: "),
    (("graph",), "one rule file is needed"),
    (("test", "r.yml", '--event={"type":"x"}'), "r.yml has 2 faults"),
    (("graph", "r.yml"), "r.yml has 2 faults"),
])  # fmt: skip
def test_what_cannot_be_done(run: Run, words: tuple[str, ...], message: str) -> None:
    """What is missing or wrong is said, with exit code 1."""
    Path("r.yml").write_text(FAULTY)
    outcome = run("rule", *words)
    assert outcome.code == 1
    assert outcome.err.startswith(f"Error: {message}")


def test_graph(run: Run, rules: str) -> None:
    """The way of requests and the rules are drawn for Mermaid, and told as nodes and connections in JSON and FBP."""
    drawn = run("rule", "graph", rules).out
    assert drawn.startswith('flowchart LR\n  subgraph g0["the way of a request"]\n    n0[["engine: reads ')
    assert (
        '  subgraph g1["rules"]\n'
        '    n14(["transaction"])\n'
        '    n15["sc_high_value_food"]\n'
        '    n16{"payload.amount #gt; 1000"}\n'
        '    n17{"payload.category == #quot;food#quot;"}\n'
        '    n18[/"act_bonus_points: reward_points"/]\n'
        "  end\n"
    ) in drawn
    assert drawn.endswith("  n10 --> n14\n  n14 --> n15\n  n15 --> n16\n  n16 --> n17\n  n17 --> n18\n  n18 --> n11\n")
    document = json.loads(run("rule", "graph", rules, "--format=json").out)
    assert document["processes"]["act_bonus_points"] == {
        "component": "reward_points",
        "metadata": {"label": "act_bonus_points: reward_points"},
    }
    assert {
        "src": {"process": "sc_high_value_food", "port": "out"},
        "tgt": {"process": "cond_high_value", "port": "in"},
    } in document["connections"]
    assert run("rule", "graph", rules, "--format=fbp").out.splitlines()[-4:] == [
        "n15 OUT -> IN n16",
        "n16 TRUE -> IN n17",
        "n17 TRUE -> IN n18",
        "n18 OUT -> IN n11",
    ]


@pytest.mark.parametrize("event_type", ["job.update_status", "system.fatal", "transaction"])
def test_the_way_in_the_graph(run: Run, event_type: str) -> None:
    """A way leads from the engine to each rule, and from its actions to the store; the parts are where it says."""
    Path("r.yml").write_text(
        f"version: v1\nscenarios:\n- id: s\n  event_types: [{event_type}]\n  children:\n"
        "  - {action: {id: a, type: add_tags, params: {tags: [x]}}}\n"
    )
    document = json.loads(run("rule", "graph", "r.yml", "--format=json").out)
    following: dict[str, set[str]] = {}
    for one in document["connections"]:
        following.setdefault(one["src"]["process"], set()).add(one["tgt"]["process"])

    def reached(names: set[str]) -> set[str]:
        further = names.union(*(following.get(name, set()) for name in names))
        return names if further == names else reached(further)

    way, rules = (group["nodes"] for group in document["groups"])
    assert reached({"wfx engine"}) == {*way, *rules} == document["processes"].keys()
    assert reached({"a"}) >= {"wfx effects", "wfx store", "wfx log", "wfx tasks", "wfx receivers"}
    told_by = "wfx incoming" if event_type == "transaction" else "wfx consumer"
    assert following[told_by] == {f"event {event_type}"}
    modules = [document["processes"][name]["metadata"].get("module", "wfx") for name in way]
    assert all((Path(__file__).parents[2] / module).exists() for module in modules)


def test_labels_cannot_break_a_drawing(run: Run) -> None:
    """Quotes, brackets and control characters are part of a label."""
    Path("r.yml").write_text(
        "version: v1\nscenarios:\n- id: s\n  event_types: ['a\"]-->b\u202e']\n  children:\n"
        "  - {action: {id: a, type: add_tags, params: {tags: [x]}}}\n"
    )
    assert '    n14(["a#quot;]--#gt;b "])' in run("rule", "graph", "r.yml").out.splitlines()
