"""The graph of rules is read by a parser of the language FBP that others have written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.generated_clients.test_generated_clients import MODULES, node_tool, run
from wfx import spec_files

RULES = """version: v1
scenarios:
  - id: "a.b:c-1"
    event_types: [job.create, system.fatal, 'say "hi" -> # @x y']
    children:
      - action: {id: set, type: set_output, params: {expression: "flw.setOutput(\\"a\\", 1)"}}
      - condition:
          id: c
          expression: 'payload.text == "# @name x" OR payload.text == "it''s"'
          children:
            - action: {id: w, type: webhook_notify, params: {url: "https://hooks.example.com"}}
"""


def graph(rules: Path, form: str) -> str:
    """Return the graph of a rule file."""
    return run(rules.parent, sys.executable, "-m", "wfxctl", "rule", "graph", rules, f"--format={form}")


def test_fbp_says_what_json_says(tmp_path: Path) -> None:
    """Of a rule file, odd names included, the parser makes the nodes and connections that the JSON document has."""
    (tmp_path / "odd.yml").write_text(RULES)
    for rules in (tmp_path / "odd.yml", spec_files.find("rules/roll-back.yml")):
        (tmp_path / "graph.fbp").write_text(graph(rules, "fbp"))
        parsed: Any = json.loads(run(tmp_path, *node_tool("fbp"), "graph.fbp"))
        document: Any = json.loads(graph(rules, "json"))
        nodes = [name for group in document["groups"] for name in group["nodes"]]
        names = dict(zip(nodes, parsed["processes"], strict=True))
        components = [document["processes"][name]["component"] for name in nodes]
        assert [one["component"] for one in parsed["processes"].values()] == components
        for connection in document["connections"]:
            for end in ("src", "tgt"):
                connection[end]["process"] = names[connection[end]["process"]]
        assert parsed["connections"] == document["connections"]


def test_json_is_a_graph(tmp_path: Path) -> None:
    """The JSON document is one that the schema of these graphs allows."""
    (tmp_path / "odd.yml").write_text(RULES)
    schema = (MODULES / "fbp" / "schema" / "graph.json").read_text().replace('"undefined"', '"null"')
    validator = jsonschema_rs.Draft202012Validator(json.loads(schema))
    document = json.loads(graph(tmp_path / "odd.yml", "json"))
    validator.validate(document)
    assert not validator.is_valid(document | {"nodes": []})
