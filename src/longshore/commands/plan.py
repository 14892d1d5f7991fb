"""``longshore plan``: what would run and why, without an engine."""

from __future__ import annotations

from enum import StrEnum

from longshore.commands.project import ProjectChoice, planned
from longshore.plan.facts import BuildFacts
from longshore.plan.model import Plan
from longshore.plan.selection import Selection
from longshore.report.plan_graph import dot, mermaid
from longshore.report.plan_json import plan_json
from longshore.report.plan_text import plan_text
from longshore.report.sink import Sink
from longshore.report.style import Style


class PlanFormat(StrEnum):
    """``longshore plan --format``."""

    TEXT = "text"
    JSON = "json"
    MERMAID = "mermaid"
    DOT = "dot"


def show_plan(
    project: ProjectChoice,
    facts: BuildFacts,
    selection: Selection,
    shape: PlanFormat,
    sink: Sink,
    style: Style,
) -> int:
    """Print the plan; 2 when the files have errors."""
    plan = planned(project, facts, selection, sink, style)
    if plan is None:
        return 2
    sink.write(_rendered(plan, shape, style))
    return 0


def _rendered(plan: Plan, shape: PlanFormat, style: Style) -> str:
    match shape:
        case PlanFormat.TEXT:
            return plan_text(plan, style)
        case PlanFormat.JSON:
            return plan_json(plan)
        case PlanFormat.MERMAID:
            return mermaid(plan)
        case PlanFormat.DOT:
            return dot(plan)
