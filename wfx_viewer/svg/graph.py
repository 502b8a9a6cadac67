"""Graph of a diagram: the boxes of its states, the marks of begin and end, and the edges between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from wfx_viewer.diagram import Diagram, label
from wfx_viewer.svg import lettering
from wfx_viewer.svg.layering import Edge
from wfx_viewer.svg.lettering import LABEL_SIZE, LINE, NAME_SIZE, TEXT_SIZE

MARK = 9.0
"""Radius of the marks of begin and end."""
LOOP = 24.0
"""How far a loop reaches out of its box."""
_NAME_WIDTH, _TEXT_WIDTH = 320.0, 190.0
_LINES = 5
_LISTED = 6
_PADDING = 9.0


@dataclass
class Box:
    """A state."""

    name: str
    description: str
    text: list[str]
    loops: list[str] = field(default_factory=list)
    """Labels of the transitions from the state to itself."""
    listed: list[str] = field(default_factory=list)
    """Transitions that are written into the box, since they would be too long to draw."""

    @cached_property
    def shown(self) -> str:
        """The name, as long as there is room."""
        return lettering.shortened(self.name, _NAME_WIDTH, NAME_SIZE, bold=True)

    @property
    def lines(self) -> list[str]:
        """What stands below the name."""
        more = len(self.listed) - _LISTED
        return [*self.text, *self.listed[:_LISTED], *([f"… and {more} more"] if more > 0 else [])]

    @cached_property
    def width(self) -> float:
        """The width of the box, without loops; to be asked for when all lines are known."""
        texts = [lettering.width(line, TEXT_SIZE) for line in self.lines]
        return max(60.0, lettering.width(self.shown, NAME_SIZE, bold=True), *texts) + 2 * _PADDING

    @property
    def height(self) -> float:
        """The height of the box."""
        text = LINE * TEXT_SIZE * len(self.lines)
        return max(LINE * NAME_SIZE + text + _PADDING, LINE * LABEL_SIZE * len(self.loops))

    @property
    def loop_width(self) -> float:
        """How far loops and their labels reach out."""
        return LOOP + 4 + widest(self.loops) if self.loops else 0.0


@dataclass(slots=True)
class Graph:
    """Nodes in this order: the states, the mark of the initial state if there is one, the marks of final states."""

    boxes: list[Box]
    edges: list[Edge] = field(default_factory=list)
    labels: list[list[str]] = field(default_factory=list)
    """By edge, its lines."""
    count: int = 0
    """Of the nodes."""
    initial: int | None = None
    """The mark of the initial state."""

    def add_mark(self, state: int, *, leads_to: bool) -> int:
        """Add a mark with an edge from it to a state, or the other way round."""
        mark, self.count = self.count, self.count + 1
        self.edges.append(Edge(mark, state, is_labelled=False) if leads_to else Edge(state, mark, is_labelled=False))
        self.labels.append([])
        return mark


def widest(lines: list[str]) -> float:
    """Return the width of a label."""
    return max((lettering.width(line, LABEL_SIZE) for line in lines), default=0.0)


def graph_of(diagram: Diagram) -> Graph:
    """Make the graph. A state that only transitions name has a box too; of states with one name the first has it."""
    described = dict.fromkeys(diagram.named(), "")
    described.update((state.name, state.description) for state in reversed(diagram.states))
    graph = Graph(
        [Box(name, text, lettering.wrapped(text, _TEXT_WIDTH, TEXT_SIZE, _LINES)) for name, text in described.items()]
    )
    graph.count = len(graph.boxes)
    numbers = {name: number for number, name in enumerate(described)}
    between: dict[tuple[int, int], list[str]] = {}
    for t in diagram.transitions:
        lines = between.setdefault((numbers[t.origin], numbers[t.target]), [])
        if (said := lettering.shortened(label(t), _NAME_WIDTH, LABEL_SIZE)) not in lines:
            lines.append(said)
    for (origin, target), lines in between.items():
        if origin == target:
            graph.boxes[origin].loops = lines
        else:
            graph.edges.append(Edge(origin, target))
            graph.labels.append(lines)
    if diagram.initial is not None:
        graph.initial = graph.add_mark(numbers[diagram.initial], leads_to=True)
    for name in diagram.finals:
        graph.add_mark(numbers[name], leads_to=False)
    return graph
