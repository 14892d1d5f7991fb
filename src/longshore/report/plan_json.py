"""A plan as JSON: the versioned form that ``longshore plan --format json`` prints; pure.

The schema is ``docs/reference/plan.schema.json``; `VERSION` changes when a field changes meaning.
"""

from __future__ import annotations

import json
from typing import Any, Final

from longshore.config.model import CredentialKeys
from longshore.plan.model import (
    BuildPlan,
    ImagePlan,
    Manual,
    Parallel,
    Plan,
    PushStep,
    RunStep,
    Serial,
    ServicePlan,
    Step,
)

VERSION: Final = 1

KINDS: Final = {
    RunStep: "run",
    PushStep: "push",
    Serial: "serial",
    Parallel: "parallel",
    Manual: "manual",
}


def plan_json(plan: Plan) -> str:
    """The whole plan; values of variables and arguments are never in it."""
    return json.dumps(plan_value(plan), indent=2, ensure_ascii=False) + "\n"


def plan_value(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values."""
    return {
        "version": VERSION,
        "directory": str(plan.directory),
        "build_tag": plan.build_tag,
        "variables": [name for name, _ in plan.variables],
        "steps": [_step(step, plan) for step in plan.root.steps],
        "services": {name: _service(service, plan) for name, service in plan.services.items()},
        "images": [_image(image, plan) for image in plan.images.values()],
    }


def _step(step: Step, plan: Plan) -> dict[str, Any]:
    value: dict[str, Any] = {
        "path": step.path,
        "name": step.name,
        "type": KINDS[type(step)],
        "place": str(step.place),
        "skipped": step.skipped,
    }
    if isinstance(step, RunStep):
        starts = [*plan.services[step.service].start_order, step.service]
        value |= {"service": step.service, "command": list(step.command), "starts": starts}
        value["credentials"] = _credentials(step.credentials)
    elif isinstance(step, PushStep):
        value |= {
            "service": step.service,
            "registry": step.push.targets[0].registry,
            "targets": [str(target) for target in step.push.targets],
            "eager": step.push.eager,
            "credentials": _credentials(push_credentials(step, plan)),
        }
    else:
        value["steps"] = [_step(child, plan) for child in step.steps]
    if step.on_fail:
        value["on_fail"] = [_step(handler, plan) for handler in step.on_fail]
    return value


def push_credentials(step: PushStep, plan: Plan) -> tuple[CredentialKeys, ...]:
    """Where a push looks for credentials, the strongest place first (P-6)."""
    own = plan.services[step.service].credentials
    return (*step.credentials, own) if own else step.credentials


def credential_name(keys: CredentialKeys) -> str:
    """The file or service that one place names."""
    if keys.encrypted_dockercfg_path:
        return f"encrypted file {keys.encrypted_dockercfg_path}"
    if keys.dockercfg_service:
        return f"service {keys.dockercfg_service}"
    return f"file {keys.dockercfg_path}"


def _credentials(chain: tuple[CredentialKeys, ...]) -> str | None:
    return credential_name(chain[0]) if chain else None


def _service(service: ServicePlan, plan: Plan) -> dict[str, Any]:
    return {
        "image": str(plan.images[service.image].name),
        "command": None if service.command is None else list(service.command),
        "starts": list(service.start_order),
        "env_files": [str(path) for path in service.env_files],
        "encrypted_env_files": [str(path) for path in service.encrypted_env_files],
        "add_docker": service.add_docker,
        "place": str(service.place),
    }


def _image(image: ImagePlan, plan: Plan) -> dict[str, Any]:
    users = [name for name, service in plan.services.items() if service.image == image.key]
    value: dict[str, Any] = {"name": str(image.name), "services": users}
    if isinstance(image, BuildPlan):
        return value | {
            "action": "build",
            "context": str(image.context),
            "dockerfile": str(image.dockerfile),
            "arguments": [name for name, _ in image.arguments],
            "after": [str(plan.images[key].name) for key in image.builds_first],
        }
    built_by = None if image.built_by is None else plan.images[image.built_by].service
    return value | {"action": "pull", "built_by": built_by}
