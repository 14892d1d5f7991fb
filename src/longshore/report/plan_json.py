"""A plan as JSON: the versioned form that ``longshore plan --format json`` prints; pure.

The schema is ``docs/reference/plan.schema.json``; `VERSION` changes when a field changes meaning
or goes away, not when one is added.
"""

from __future__ import annotations

import json
from typing import Any, Final

from msgspec.structs import asdict

from longshore.plan.model import (
    KINDS,
    BuildPlan,
    ImageKey,
    PushStep,
    RunStep,
    ServicePlan,
    Step,
)
from longshore.report.plan_facts import PlanView

VERSION: Final = 1


def plan_json(view: PlanView) -> str:
    """The whole plan; values of variables and arguments are never in it."""
    return json.dumps(plan_value(view), indent=2, ensure_ascii=False) + "\n"


def plan_value(view: PlanView) -> dict[str, Any]:
    """The plan as JSON values."""
    plan = view.plan
    needed, users = view.needed(), view.users()
    first = {key: step.path for key, step in needed.items()}
    return {
        "version": VERSION,
        "directory": str(plan.directory),
        "build_tag": plan.build_tag,
        "variables": [name for name, _ in plan.variables],
        "steps": [_step(step, view, runs=True) for step in plan.root.steps],
        "services": {name: _service(service, view) for name, service in plan.services.items()},
        "images": [_image(key, view, users[key], first.get(key)) for key in plan.images],
    }


def _step(step: Step, view: PlanView, *, runs: bool) -> dict[str, Any]:
    runs = runs and step.skipped is None
    value: dict[str, Any] = {
        "path": step.path,
        "name": step.name,
        "type": KINDS[type(step)],
        "place": str(step.place),
        "runs": runs,
        "skipped": step.skipped,
    }
    if isinstance(step, RunStep | PushStep):
        value |= _leaf(step, view)
    else:
        value["steps"] = [_step(child, view, runs=runs) for child in step.steps]
    value["on_fail"] = [_step(handler, view, runs=runs) for handler in step.on_fail]
    return value


def _leaf(step: RunStep | PushStep, view: PlanView) -> dict[str, Any]:
    value: dict[str, Any] = {
        "service": step.service,
        "starts": list(view.starts(step)),
        "images": [_name(key, view) for key in view.images(step)],
        "credentials": [asdict(source) for source in view.credentials(step)],
    }
    if isinstance(step, RunStep):
        return value | {"command": list(step.command)}
    return value | {
        "registry": step.push.targets[0].registry,
        "targets": [str(target) for target in step.push.targets],
        "eager": step.push.eager,
    }


def _service(service: ServicePlan, view: PlanView) -> dict[str, Any]:
    return {
        "image": _name(service.image, view),
        "command": None if service.command is None else list(service.command),
        "starts": list(service.start_order),
        "env_files": [str(path) for path in service.env_files],
        "encrypted_env_files": [str(path) for path in service.encrypted_env_files],
        "add_docker": service.add_docker,
        "place": str(service.place),
    }


def _image(
    key: ImageKey, view: PlanView, users: list[str], first_step: str | None
) -> dict[str, Any]:
    image = view.plan.images[key]
    value: dict[str, Any] = {
        "name": str(image.name),
        "services": users,
        "first_step": first_step,
    }
    if isinstance(image, BuildPlan):
        return value | {
            "action": "build",
            "context": str(image.context),
            "dockerfile": str(image.dockerfile),
            "arguments": [name for name, _ in image.arguments],
            "after": [_name(key, view) for key in image.builds_first],
        }
    built_by = None if image.built_by is None else view.plan.images[image.built_by].service
    return value | {"action": "pull" if built_by is None else "use", "built_by": built_by}


def _name(key: ImageKey, view: PlanView) -> str:
    return str(view.plan.images[key].name)
