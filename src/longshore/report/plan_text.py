"""A plan for reading: the tree of steps with the reason for each that is skipped; pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from longshore.plan.model import BuildPlan, Plan, PushStep, RunStep, Step, runnable
from longshore.report.plan_json import KINDS, credential_name, push_credentials
from longshore.report.style import Colour, Style


def plan_text(plan: Plan, style: Style) -> str:
    """Build tag, steps, and the images that the steps that run need."""
    lines = [f"build tag: {plan.build_tag or 'none'}", "", "steps"]
    for step in plan.root.steps:
        lines += _step(step, plan, style, "  ")
    if not plan.root.steps:
        lines.append("  none")
    lines += ["", "images", *(_images(plan) or ["  none"])]
    return "\n".join(lines) + "\n"


def _step(step: Step, plan: Plan, style: Style, indent: str) -> Iterator[str]:
    kind = KINDS[type(step)]
    if step.skipped is not None:
        name = style.paint(f"{step.name} ({kind})", Colour.FAINT)
        yield f"{indent}{name}: {style.skipped}, {step.skipped}"
        return
    yield f"{indent}{step.name} ({kind}){_what(step, plan)}"
    if isinstance(step, RunStep | PushStep):
        yield from (f"{indent}    {line}" for line in _details(step, plan))
    else:
        for child in step.steps:
            yield from _step(child, plan, style, indent + "  ")
    for handler in step.on_fail:
        yield f"{indent}    if it fails: {handler.name}{_what(handler, plan)}"


def _what(step: Step, plan: Plan) -> str:
    if isinstance(step, RunStep):
        return f": {step.service}: {shlex.join(step.command)}"
    if isinstance(step, PushStep):
        return f": {step.service} -> {', '.join(map(str, step.push.targets))}"
    return ""


def _details(step: RunStep | PushStep, plan: Plan) -> Iterator[str]:
    if isinstance(step, RunStep):
        needed = plan.services[step.service].start_order
        if needed:
            yield f"starts first: {', '.join(needed)}"
        chain = step.credentials
    else:
        yield f"registry: {step.push.targets[0].registry}"
        chain = push_credentials(step, plan)
        if not chain:
            yield "credentials: your own docker login, if any"
    if chain:
        yield f"credentials: {credential_name(chain[0])}"


def needed_images(plan: Plan) -> list[str]:
    """Keys of the images that the steps that run need, in the order they are first needed."""
    keys: dict[str, None] = {}
    for step in runnable(plan.root):
        service = plan.services[step.service]
        names = (
            [*service.start_order, step.service] if isinstance(step, RunStep) else [step.service]
        )
        keys |= dict.fromkeys(plan.services[name].image for name in names)
    return list(keys)


def _images(plan: Plan) -> list[str]:
    lines = []
    for key in needed_images(plan):
        image = plan.images[key]
        users = [name for name, service in plan.services.items() if service.image == key]
        if isinstance(image, BuildPlan):
            action = f"built from {image.dockerfile}"
        elif image.built_by is not None:
            action = f"built by service {plan.images[image.built_by].service}"
        else:
            action = "pulled unless it exists here"
        lines.append(f"  {image.name}: {action} (for {', '.join(users)})")
    return lines
