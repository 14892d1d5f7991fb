"""``longshore plan``: what would run and why, without an engine."""

from __future__ import annotations

from enum import StrEnum

from longshore.commands.project import ProjectChoice, planned
from longshore.config.credential_keys import CredentialKeys
from longshore.plan.facts import BuildFacts
from longshore.plan.selection import Selection
from longshore.report.plan_facts import PlanView
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
    *,
    flags: CredentialKeys | None = None,
    user_login: bool = True,
) -> int:
    """Print the plan; 2 when the files have errors. `flags` are the command line's credentials."""
    plan = planned(project, facts, selection, sink, warnings=True)
    if plan is None:
        return 2
    view = PlanView(plan, flags=flags or CredentialKeys(), user_login=user_login)
    sink.write(_rendered(view, shape, style))
    return 0


def _rendered(view: PlanView, shape: PlanFormat, style: Style) -> str:
    match shape:
        case PlanFormat.TEXT:
            return plan_text(view, style)
        case PlanFormat.JSON:
            return plan_json(view)
        case PlanFormat.MERMAID:
            return mermaid(view.plan)
        case PlanFormat.DOT:
            return dot(view.plan)
