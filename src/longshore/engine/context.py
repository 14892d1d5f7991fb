"""Docker contexts as they lie in the directory of docker's config.json.

A context NAME is described by ``contexts/meta/<sha256 of NAME>/meta.json``, its certificates are in
``contexts/tls/<sha256 of NAME>/docker/`` (docker/cli, package ``cli/context/store``).
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from msgspec import Struct

from longshore.environment import Environment
from longshore.errors import EngineUnavailable


class Selected(Struct, frozen=True, kw_only=True):
    """The name of the context to use, and what chose it."""

    name: str
    by: str

    @property
    def origin(self) -> str:
        """For messages: ``docker context "work" (DOCKER_CONTEXT)``."""
        return f'docker context "{self.name}" ({self.by})'


class Context(Struct, frozen=True, kw_only=True):
    """The docker endpoint of a context; `tls_directory` is None when it has no certificates."""

    host: str
    origin: str
    tls_directory: Path | None
    skip_verify: bool


def selected_context(environment: Environment) -> Selected | None:
    """The context the user's settings choose; None for docker's ``default``."""
    name, by = environment.get("DOCKER_CONTEXT"), "DOCKER_CONTEXT"
    if name is None:
        path = environment.docker_config_directory / "config.json"
        name, by = _current_context(path), str(path)
    return None if name in (None, "", "default") else Selected(name=name, by=by)


def read_context(environment: Environment, selected: Selected) -> Context:
    """The context's endpoint; raises EngineUnavailable when it is missing or broken."""
    store = environment.docker_config_directory / "contexts"
    key = hashlib.sha256(os.fsencode(selected.name)).hexdigest()
    path = store / "meta" / key / "meta.json"
    tls = store / "tls" / key / "docker"
    try:
        endpoint = json.loads(path.read_bytes())["Endpoints"]["docker"]
        return Context(
            host=str(endpoint["Host"]),
            origin=selected.origin,
            tls_directory=tls if tls.is_dir() else None,
            skip_verify=bool(endpoint.get("SkipTLSVerify")),
        )
    except FileNotFoundError as error:
        raise _unusable(selected, "does not exist") from error
    except OSError as error:
        raise _unusable(selected, f"cannot be read: {error.filename}: {error.strerror}") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _unusable(selected, f"has no docker endpoint in {path}") from error


def _unusable(selected: Selected, what: str) -> EngineUnavailable:
    return EngineUnavailable(
        f'docker context "{selected.name}", chosen by {selected.by}, {what}',
        hint="`docker context ls` shows the contexts, `docker context use default` leaves them",
    )


def _current_context(path: Path) -> str | None:
    """``currentContext``; a config.json that is missing or no JSON chooses nothing.

    Other readers of the file (credentials) are the ones to complain about it.
    """
    try:
        config: Any = json.loads(path.read_bytes())
        name = config.get("currentContext")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    return name if isinstance(name, str) else None
