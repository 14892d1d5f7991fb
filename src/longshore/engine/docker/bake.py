"""A build as a definition for ``docker buildx bake`` (bake file reference, JSON).

``docker buildx build`` takes values of build arguments from its command line, which every user of
the machine can read, or from its environment, where ``GIT_SHA``, ``HTTP_PROXY`` or ``PATH`` mean
something to docker itself. A definition holds arguments of any name, and is read from a pipe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from longshore.engine.spec import BuildSpec

TARGET: Final = "image"


def definition(spec: BuildSpec, *, keeps_cache: bool = False) -> bytes:
    """The file's content; secrets are named only, see `secret_variables`."""
    target: dict[str, Any] = {
        "context": str(spec.context),
        # BuildKit sees its directory alone, so no link may lead out of it.
        "dockerfile": str(spec.dockerfile.resolve()),
        "tags": list(spec.tags),
        "labels": dict(spec.labels),
        "args": dict(spec.arguments),
        "secret": [
            f"id={name},env={variable}"
            for (name, _), variable in zip(spec.secrets, secret_variables(spec), strict=True)
        ],
        **_cache(spec, keeps_cache=keeps_cache),
    }
    return json.dumps(_literal({"target": {TARGET: target}})).encode()


def secret_variables(spec: BuildSpec) -> Mapping[str, str]:
    """Variables with the values of `spec.secrets`, in their order."""
    return {f"LONGSHORE_SECRET_{i}": value for i, (_, value) in enumerate(spec.secrets)}


def _cache(spec: BuildSpec, *, keeps_cache: bool) -> dict[str, Any]:
    """A cache in a registry may be missing or broken; that must not fail the build (H-21)."""
    names = (name for name in spec.cache_from if not name.startswith("sha256:"))
    cache = {"cache-from": [f"type=registry,ref={name}" for name in names]}
    if spec.cache_to is None:
        return cache
    kept = f"type=registry,ref={spec.cache_to},mode=max,ignore-error=true"
    return cache | {"cache-to": [kept if keeps_cache else "type=inline"]}


def _literal(value: Any) -> Any:
    """Every text of a definition is a template: ``${`` and ``%{`` begin expressions (HCL, JSON)."""
    match value:
        case str():
            return value.replace("${", "$${").replace("%{", "%%{")
        case list():
            return [_literal(item) for item in value]
        case dict():
            return {_literal(name): _literal(item) for name, item in value.items()}
    return value
