"""The drawings have every leaf, and an arrow wherever something waits."""

from __future__ import annotations

from pathlib import Path

from longshore.plan.selection import Selection
from longshore.report.plan_graph import dot, graph_of, mermaid

from .conftest import view


def test_what_follows_a_parallel_group_waits_for_all_of_it(project: Path) -> None:
    (project / "codeship-steps.yml").write_text("""
- {service: db, name: a, command: x}
- type: parallel
  service: db
  steps:
  - {name: b, command: x}
  - type: serial
    steps: [{name: c, command: x}, {name: d, command: x}]
- {service: db, name: e, command: x}
""")
    graph = graph_of(view(project, Selection()).plan)
    labels = {node.id: node.label for node in graph.nodes}
    assert [labels[node.id] for node in graph.nodes] == ["a", "b", "c", "d", "e"]
    assert {(labels[start], labels[end]) for start, end in graph.edges} == {
        ("a", "b"),
        ("a", "c"),
        ("c", "d"),
        ("b", "e"),
        ("d", "e"),
    }


def test_skipped_steps_are_drawn_so_in_both(project: Path) -> None:
    plan = view(project, Selection()).plan
    assert '  s3[/"publish"/]:::skipped\n' in mermaid(plan)
    assert '  s3 [label="publish", shape=cds, style=dashed];\n' in dot(plan)


def test_names_cannot_break_out_of_their_label(project: Path) -> None:
    (project / "codeship-steps.yml").write_text(
        """- {service: db, name: 'a"]; b\\', command: x}\n"""
    )
    plan = view(project, Selection()).plan
    assert '  s1["a#quot;]; b\\"]\n' in mermaid(plan)
    assert '  s1 [label="a\\"]; b\\\\", shape=box];\n' in dot(plan)
