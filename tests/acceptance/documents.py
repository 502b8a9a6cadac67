"""What callers send: workflows with and without sense, jobs, statuses and queries, as Hypothesis draws them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.domain.samples import objects, texts

Document = dict[str, Any]

WORKFLOWS = ("w", "W", "w.2", "10")
CLIENTS = ("dev", "Dev", "dev 2", "ä<&>", "%41")
TAGS = ("", "a", "B", "ä", " a", "\N{FIRE}")
GROUPS = ("OPEN", "CLOSED", "späte & frühe")
STATES = ("A", "b", "Ä", "x y", "%2F", "<&>", "0")

tags = st.sampled_from(TAGS)
MALFORMED = (
    ("POST", "/workflows", b'{"name": "w_", "states": [], "transitions": []}'),
    ("POST", "/workflows", b'{"name": "w", "states": []}'),
    ("POST", "/jobs", b'{"clientId": "c"}'),
    ("POST", "/jobs", b'{"clientId": "c", "workflow": "w", "tags": null}'),
    ("PUT", "/jobs/{}/status", b'{"progress": 1}'),
    ("PUT", "/jobs/{}/status", b'{"state": "A", "progress": 101}'),
    ("PUT", "/jobs/{}/status", b'{"state": "A", "definitionHash": ""}'),
    ("PUT", "/jobs/{}/definition", b"[]"),
    ("PUT", "/jobs/{}/definition", b'{"a": 1e400}'),
    ("POST", "/jobs/{}/tags", b"[]"),
    ("DELETE", "/jobs/{}/tags", b'["a", 1]'),
    ("GET", "/jobs/{}?history=maybe", b""),
    ("GET", "/jobs?limit=1&limit=1", b""),
    ("GET", "/workflows?sort=up", b""),
)
FORBIDDEN = (
    ("POST", "/workflows", b'{"name": "w", "states": [{"name": "A"}], "transitions": []}'),
    ("DELETE", "/workflows/w", b""),
    ("POST", "/jobs", b'{"clientId": "c", "workflow": "w"}'),
    ("DELETE", "/jobs/{}", b""),
    ("POST", "/jobs/{}/tags", b'["a"]'),
    ("DELETE", "/jobs/{}/tags", b'["a"]'),
)


definitions = objects
statuses = st.fixed_dictionaries(
    {},
    optional={
        "clientId": st.sampled_from(("", *CLIENTS)),
        "progress": st.integers(-(2**31), 100) | st.just(0),
        "message": texts,
        "context": objects,
    },
)
"""All of a status but its state."""


@st.composite
def workflows(draw: st.DrawFn) -> Document:
    """Draw a workflow that can be stored: edges lead from earlier states to later ones or stay where they are."""
    names = draw(st.permutations(STATES))[: draw(st.integers(1, len(STATES)))]
    pairs = {(names[draw(st.integers(0, later - 1))], names[later]) for later in range(1, len(names))}
    for _ in range(draw(st.integers(0, 4))):
        here, there = sorted((draw(st.integers(0, len(names) - 1)), draw(st.integers(0, len(names) - 1))))
        pairs.add((names[here], names[there]))
    transitions = [transition for pair in sorted(pairs) for transition in draw(_transitions(*pair))]
    for transition in transitions:
        alone = sum(transition["from"] == other["from"] for other in transitions) == 1
        if alone and transition["from"] != transition["to"] and draw(st.booleans()):
            transition["action"] = "IMMEDIATE"
    groups = draw(st.lists(st.sampled_from(GROUPS), unique=True, max_size=3))
    return _without_blanks(
        {
            "name": draw(st.sampled_from(WORKFLOWS)),
            "description": draw(texts),
            "states": [_without_blanks({"name": name, "description": draw(texts)}) for name in names],
            "groups": [
                {"name": group, "states": part}
                for number, group in enumerate(groups)
                if (part := list(names[number :: len(groups) + 1]))
            ],
        }
    ) | {"transitions": transitions}


@st.composite
def _transitions(draw: st.DrawFn, origin: str, target: str) -> list[Document]:
    actors = draw(st.sampled_from((("CLIENT",), ("WFX",), ("CLIENT", "WFX"))))
    waits = st.sampled_from(({}, {"action": "WAIT"}, {"description": "a step"}))
    return [{"from": origin, "to": target, "eligible": actor, **draw(waits)} for actor in actors]


def _without_blanks(document: Document) -> Document:
    return {name: value for name, value in document.items() if value}


def _edge(origin: str, target: str, **more: str) -> Document:
    return {"from": origin, "to": target, "eligible": "CLIENT", **more}


def _first(workflow: Document) -> str:
    return str(workflow["states"][0]["name"])


FAULTS: dict[str, Callable[[Document], Document]] = {
    "none": lambda _: {},
    "state twice": lambda w: {"states": [*w["states"], w["states"][0]]},
    "two initial states": lambda w: {"states": [*w["states"], {"name": "lonely"}, {"name": "lonelier"}]},
    "no state": lambda _: {"states": [], "transitions": [], "groups": []},
    "unknown target": lambda w: {"transitions": [*w["transitions"], _edge(_first(w), "nowhere")]},
    "edge twice": lambda w: {
        "transitions": [*w["transitions"], _edge(_first(w), _first(w)), _edge(_first(w), _first(w), action="WAIT")]
    },
    "group twice": lambda _: {"groups": [{"name": "g", "states": ["p"]}, {"name": "g", "states": ["q"]}]},
    "state in two groups": lambda _: {"groups": [{"name": "g", "states": ["p"]}, {"name": "h", "states": ["p"]}]},
    "cycle": lambda w: {
        "states": [*w["states"], {"name": "round"}],
        "transitions": [*w["transitions"], _edge(_first(w), "round"), _edge("round", _first(w))],
    },
    "two immediate ones": lambda w: {
        "states": [*w["states"], {"name": "one"}, {"name": "two"}],
        "transitions": [
            *w["transitions"],
            _edge(_first(w), "one", action="IMMEDIATE"),
            _edge(_first(w), "two", action="IMMEDIATE"),
        ],
    },
}
"""Ways to spoil any workflow; "none" leaves it as it is."""

jobs: st.SearchStrategy[Document] = st.fixed_dictionaries(
    {"clientId": st.sampled_from(CLIENTS)},
    optional={"tags": st.lists(tags, max_size=4), "definition": definitions},
)
"""All of a job but its workflow."""
pagings = st.fixed_dictionaries(
    {
        "sort": st.sampled_from(("asc", "desc")),
        "limit": st.sampled_from((0, 1, 2, 3, 10, -1)),
        "offset": st.sampled_from((0, 0, 1, 2, 5, -2)),
        "pagination": st.booleans(),
    }
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "clientId": st.sampled_from(("", *CLIENTS, "nobody")),
        "state": st.sampled_from(("", *STATES, "nowhere")),
        "workflow": st.sampled_from(("", *WORKFLOWS, "unknown")),
        "group": st.lists(st.sampled_from(("", *GROUPS, "none")), min_size=1, max_size=3).filter(any),
        "tag": st.lists(st.sampled_from((*TAGS, "none")), min_size=1, max_size=3).filter(any),
    },
)
