"""A plan as a drawing: Mermaid and Graphviz text; pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from longshore.plan.model import KINDS, Parallel, Plan, PushStep, RunStep, Step


class Node(Struct, frozen=True):
    """A step in the drawing."""

    id: str
    label: str
    kind: str
    skipped: bool


class Graph(Struct, frozen=True):
    """Leaves in file order, and an edge from each to what may start after it."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]


def graph_of(plan: Plan) -> Graph:
    """The leaves of a plan and their order."""
    nodes: list[Node] = []
    edges: list[tuple[str, str]] = []
    before: tuple[str, ...] = ()
    for step in plan.root.steps:
        before = _draw(step, before, nodes, edges)
    return Graph(tuple(nodes), tuple(edges))


def _draw(
    step: Step, before: tuple[str, ...], nodes: list[Node], edges: list[tuple[str, str]]
) -> tuple[str, ...]:
    """Add `step` after the nodes `before`; the nodes that what follows comes after."""
    if isinstance(step, RunStep | PushStep) or step.skipped is not None or not step.steps:
        node = f"s{step.path.replace('.', '_')}"
        nodes.append(Node(node, step.name, KINDS[type(step)], step.skipped is not None))
        edges += [(earlier, node) for earlier in before]
        return (node,)
    if isinstance(step, Parallel):
        ends = [_draw(child, before, nodes, edges) for child in step.steps]
        return tuple(node for end in ends for node in end)
    for child in step.steps:
        before = _draw(child, before, nodes, edges)
    return before


def mermaid(plan: Plan) -> str:
    """A Mermaid flowchart."""
    return "\n".join(["flowchart TD", *_mermaid_lines(graph_of(plan))]) + "\n"


def _mermaid_lines(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        label = node.label.replace('"', "#quot;").replace("\n", " ")
        left, right = ("[/", "/]") if node.kind == "push" else ("[", "]")
        yield f'  {node.id}{left}"{label}"{right}{":::skipped" if node.skipped else ""}'
    yield from (f"  {start} --> {end}" for start, end in graph.edges)
    yield "  classDef skipped stroke-dasharray: 4 4,opacity: 0.6"


def dot(plan: Plan) -> str:
    """A Graphviz digraph."""
    return "\n".join(["digraph plan {", *_dot_lines(graph_of(plan)), "}"]) + "\n"


def _dot_lines(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        label = node.label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        shape = "cds" if node.kind == "push" else "box"
        style = ", style=dashed" if node.skipped else ""
        yield f'  {node.id} [label="{label}", shape={shape}{style}];'
    yield from (f"  {start} -> {end};" for start, end in graph.edges)
