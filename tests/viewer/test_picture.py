"""Pictures of workflows: nothing covers anything, nothing is missing, and large ones stay within their bounds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wfx.domain.workflow import Workflow
from wfx_viewer.diagram import Diagram
from wfx_viewer.svg import layering, lettering, ordering, picture, placing
from wfx_viewer.svg.layering import MOST_CHAINED, Edge, layer
from wfx_viewer.svg.placing import spread
from wfx_viewer.svg.plan import Plan, plan
from wfxctl import workflow_file

ROOT = Path(__file__).parents[2]
BUNDLED = sorted((ROOT / "spec" / "workflows").glob("*.yml"))
SVG = "{http://www.w3.org/2000/svg}"
STATES = 4096


def diagram(count: int, pairs: list[tuple[int, int]]) -> Diagram:
    """A workflow with so many states and these transitions."""
    return Diagram.of(
        Workflow.from_wire(
            {
                "name": "w",
                "states": [{"name": f"S{number}", "description": "what it is for"} for number in range(count)],
                "transitions": [{"from": f"S{a}", "to": f"S{b}", "eligible": "CLIENT"} for a, b in pairs],
            }
        )
    )


def bundled(path: Path) -> Diagram:
    """A workflow in a file."""
    return Diagram.of(workflow_file.lenient(workflow_file.read(path.name, path.read_bytes()).document))


def boxes(drawn: Plan) -> Iterator[tuple[float, float, float, float]]:
    """Left, top, right and bottom of each state."""
    for box, (x, y) in zip(drawn.graph.boxes, drawn.middles, strict=False):
        yield x - box.width / 2, y - box.height / 2, x + box.width / 2, y + box.height / 2


def labels(drawn: Plan) -> Iterator[tuple[float, float, float, float]]:
    """The same of each label of a transition between two states."""
    for route in drawn.routes:
        if route.label is not None:
            wide = max(lettering.width(line, lettering.LABEL_SIZE) for line in route.lines)
            high = lettering.LINE * lettering.LABEL_SIZE * len(route.lines)
            x, y = route.label
            yield x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def covers(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two rectangles have something in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def assert_sound(drawn: Plan) -> None:
    """Boxes and labels lie apart and within the picture; each edge is drawn from box to box, or listed in one."""
    found = [*boxes(drawn), *labels(drawn)]
    for place, one in enumerate(found):
        assert min(one) >= -0.01
        assert one[2] <= drawn.width + 0.01
        assert one[3] <= drawn.height + 0.01
        assert not any(covers(one, other) for other in found[:place])
    listed = sum(len(box.listed) for box in drawn.graph.boxes)
    assert len(drawn.routes) + listed == len(drawn.graph.edges)


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_bundled_workflows(path: Path) -> None:
    """In pictures of the workflows that come along nothing covers anything, and all transitions are drawn."""
    shown = bundled(path)
    drawn = plan(shown)
    assert_sound(drawn)
    root = ET.fromstring(picture.svg(shown))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {state.name for state in shown.states} <= set(texts)
    assert len(list(root.iter(f"{SVG}marker"))) == 1
    kinds = [circle.get("class") for circle in root.iter(f"{SVG}circle")]
    assert (kinds.count("initial"), kinds.count("final")) == (1, len(shown.finals))
    fills = [rect.get("fill") for rect in root.iter(f"{SVG}rect")]
    assert {shown.color(state.name).fill for state in shown.states} <= set(fills)
    drawn_edges = [path for path in root.iter(f"{SVG}path") if path.get("class") == "edge"]
    pairs = {(t.origin, t.target) for t in shown.transitions}
    assert len(drawn_edges) == len(pairs) + 1 + len(shown.finals)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 9).flatmap(lambda count: st.tuples(
    st.just(count), st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=20)
)))  # fmt: skip
def test_any_workflow(drawn_from: tuple[int, list[tuple[int, int]]]) -> None:
    """Whatever the transitions are, cycles and loops among them, the picture is sound."""
    shown = diagram(*drawn_from)
    assert_sound(plan(shown))
    ET.fromstring(picture.svg(shown))


def edges_point_down(count: int, pairs: list[tuple[int, int]]) -> None:
    """Each chain leads from rank to rank, and joins the two ends of its edge."""
    edges = [Edge(a, b) for a, b in pairs if a != b]
    layers = layer(count, edges)
    for edge, chain in zip(edges, layers.chains, strict=True):
        if chain is not None:
            assert {chain[0], chain[-1]} == {edge.origin, edge.target}
            assert len(chain) >= 3, "there is a node for the label"
            assert all(layers.ranks[b] == layers.ranks[a] + 1 for a, b in pairwise(chain))


def shapes() -> dict[str, Callable[[], list[tuple[int, int]]]]:
    """Transitions of large workflows."""
    chance = random.Random(7)
    return {
        "a chain": lambda: [(n, n + 1) for n in range(STATES - 1)],
        "a chain with one way out": lambda: [
            *((n, n + 1) for n in range(STATES - 2)), *((n, STATES - 1) for n in range(STATES - 2)),
        ],
        "a ring": lambda: [(n, (n + 1) % STATES) for n in range(STATES)],
        "a star": lambda: [(0, n) for n in range(1, STATES)],
        "a tree": lambda: [((n - 1) // 2, n) for n in range(1, STATES)],
        "a thicket": lambda: [(chance.randrange(STATES), chance.randrange(STATES)) for _ in range(20_000)],
        "single states": list,
    }  # fmt: skip


@pytest.mark.parametrize("shape", shapes())
def test_large_workflows(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """4,096 states are drawn with a bounded number of nodes, sweeps and passes, and none is missing."""
    counts = {"spread": 0, "swept": 0, "rows": 0, "nodes": 0}

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            counts[name] += 1
            return function(*args, **kwargs)

        return counted

    def laid(*args: Any) -> layering.Layers:
        layers = layer(*args)
        counts["nodes"], counts["rows"] = len(layers.ranks), max(layers.ranks) + 1
        return layers

    monkeypatch.setattr(placing, "spread", counting("spread", spread))
    monkeypatch.setattr(ordering, "_swept", counting("swept", ordering._swept))
    monkeypatch.setattr(layering, "layer", laid)
    pairs = shapes()[shape]()
    root = ET.fromstring(picture.svg(diagram(STATES, pairs)))
    assert counts["nodes"] <= 2 * STATES + 1 + MOST_CHAINED, "states, their marks, and what edges need"
    assert counts["rows"] <= 2 * STATES + 1
    assert counts["spread"] == (placing.PASSES + 1) * counts["rows"]
    assert counts["swept"] <= ordering.SWEEPS
    names = {text.text for text in root.iter(f"{SVG}text") if text.get("class") == "name"}
    assert names == {f"S{number}" for number in range(STATES)}
    edges_point_down(STATES, pairs)


def test_what_is_too_long_to_draw() -> None:
    """Transitions that would need too many nodes are written into the box that they leave; the shortest are drawn."""
    pairs = [*((n, n + 1) for n in range(400)), *((n, 401) for n in range(400)), (0, 400), (0, 399)]
    drawn = plan(diagram(402, pairs))
    first = drawn.graph.boxes[0]
    assert first.listed == ["→ S401: CLIENT", "→ S400: CLIENT", "→ S399: CLIENT"]
    assert first.lines[-3:] == first.listed
    assert drawn.graph.boxes[399].listed == []
    assert_sound(drawn)


def test_long_texts() -> None:
    """Names, labels, lists and descriptions of any length take bounded room; the title of a state has all of it."""
    long = "w" * 100_000
    shown = Diagram.of(
        Workflow.from_wire(
            {
                "name": long,
                "states": [
                    {"name": long, "description": f"{long} {long}"},
                    {"name": "B", "description": "word " * 10_000},
                ],
                "transitions": [],
                "groups": [{"name": "G", "states": ["B"], "description": long}],
            }
        )
    )
    drawn = plan(shown)
    assert_sound(drawn)
    assert drawn.width < 1000
    assert drawn.height < 300
    titles = [title.text for title in ET.fromstring(picture.svg(shown)).iter(f"{SVG}title")]
    assert titles == [long, f"{long}: {long} {long}", "B: " + "word " * 10_000]


def test_characters_that_xml_cannot_have() -> None:
    """Control characters and markup in texts leave the picture well-formed."""
    name = "<b>&\"'\x00\x1b\ufffe</b>"
    shown = Diagram.of(Workflow.from_wire({"name": name, "states": [{"name": name}], "transitions": []}))
    texts = [text.text for text in ET.fromstring(picture.svg(shown)).iter(f"{SVG}text")]
    assert texts.count("<b>&\"'\ufffd\ufffd\ufffd</b>") == 2


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.1, 8), st.floats(1, 50)), min_size=1, max_size=12))
def test_places_within_a_row(row: list[tuple[float, float, float]]) -> None:
    """Nodes keep their order and their distances; moving any group of neighbours would not bring them nearer."""
    wanted, weights, gaps = [w for w, _, _ in row], [w for _, w, _ in row], [g for _, _, g in row][1:]
    found = spread(wanted, weights, gaps)
    assert all(b - a >= gap - 1e-6 for (a, b), gap in zip(pairwise(found), gaps, strict=True))

    def cost(places: list[float]) -> float:
        return sum(w * (p - want) ** 2 for p, want, w in zip(places, wanted, weights, strict=True))

    best = cost(found)
    for start in range(len(found)):
        for end in range(start + 1, len(found) + 1):
            for step in (-0.01, 0.01):
                moved = [p + step if start <= n < end else p for n, p in enumerate(found)]
                if all(b - a >= gap - 1e-9 for (a, b), gap in zip(pairwise(moved), gaps, strict=True)):
                    assert cost(moved) >= best - 1e-6
