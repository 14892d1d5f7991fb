"""A plan for reading: the tree of steps with the reason for each that is skipped; pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from longshore.plan.model import (
    KINDS,
    BuildPlan,
    ImageKey,
    ImagePlan,
    PullPlan,
    PushStep,
    RunStep,
    Step,
)
from longshore.report.plan_facts import CredentialSource, PlanView
from longshore.report.printable import printable
from longshore.report.style import Colour, Style


def plan_text(view: PlanView, style: Style) -> str:
    """Build tag, steps, and the images that the steps that run need."""
    lines = [f"build tag: {printable(view.plan.build_tag or 'none')}", "", "steps"]
    for step in view.plan.root.steps:
        lines += _step(step, view, style, "  ")
    if not view.plan.root.steps:
        lines.append("  none")
    lines += ["", "images", *(_images(view) or ["  none"])]
    return "".join(f"{line}\n" for line in lines)


def _step(step: Step, view: PlanView, style: Style, indent: str) -> Iterator[str]:
    head = _head(step)
    if step.skipped is not None:
        reason = printable(step.skipped)
        yield f"{indent}{style.paint(head, Colour.FAINT)}: {style.skipped}, {reason}"
        yield from _faint(step, style, indent + "  ")
        return
    yield f"{indent}{head}{_what(step)}"
    if isinstance(step, RunStep | PushStep):
        yield from (f"{indent}    {line}" for line in _details(step, view))
    else:
        for child in step.steps:
            yield from _step(child, view, style, indent + "  ")
    for handler in step.on_fail:
        yield f"{indent}    if it fails: {_head(handler)}{_what(handler)}"


def _faint(step: Step, style: Style, indent: str) -> Iterator[str]:
    """What a skipped group holds."""
    if isinstance(step, RunStep | PushStep):
        return
    for child in step.steps:
        yield f"{indent}{style.paint(_head(child), Colour.FAINT)}"
        yield from _faint(child, style, indent + "  ")


def _head(step: Step) -> str:
    kind = KINDS[type(step)]
    name = printable(step.name)
    return f"{name} ({kind})" if name != kind else name


def _what(step: Step) -> str:
    if isinstance(step, RunStep):
        return printable(f": {step.service}: {shlex.join(step.command)}")
    if isinstance(step, PushStep):
        return printable(f": {step.service} -> {', '.join(map(str, step.push.targets))}")
    return ""


def _details(step: RunStep | PushStep, view: PlanView) -> Iterator[str]:
    first = view.starts(step)[:-1]
    if first:
        yield printable(f"starts first: {', '.join(first)}")
    sources = view.credentials(step)
    if isinstance(step, PushStep):
        yield f"registry: {step.push.targets[0].registry}"
        if view.push_credentials(step) is None:
            yield f"credentials: {'your own docker login, if any' if view.user_login else 'none'}"
    for source in sources:
        yield f"credentials: {_credentials(source)}"


_KEYS = {
    "encrypted_dockercfg_path": "encrypted file",
    "dockercfg_service": "made by service",
    "dockercfg_path": "file",
}


def _credentials(source: CredentialSource) -> str:
    by = {"step": "", "service": ", named by the service", "command line": ", by the command line"}
    return f"{_KEYS[source.key]} {printable(source.name)}{by[source.named_by]}"


def _images(view: PlanView) -> list[str]:
    users = _users(view)
    return [
        printable(
            f"  {view.plan.images[key].name}: {_action(view.plan.images[key], view)}"
            f'{_more(users[key])}, first for step "{step.name}"'
        )
        for key, step in view.needed().items()
        if key in users
    ]


def _users(view: PlanView) -> dict[ImageKey, list[str]]:
    """The services of each image that is made; names of what a sibling builds count as its own."""
    users = view.users()
    for key, image in view.plan.images.items():
        if isinstance(image, PullPlan) and image.built_by is not None:
            users[image.built_by] += users.pop(key)
    return users


def _action(image: ImagePlan, view: PlanView) -> str:
    if isinstance(image, BuildPlan):
        return f"built for service {image.service} from {view.shown(image.dockerfile)}"
    return f"pulled for service {image.service} unless it is here"


def _more(users: list[str]) -> str:
    return f" (also for {', '.join(users[1:])})" if len(users) > 1 else ""
