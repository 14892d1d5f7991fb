"""``add_docker``: a step's container gets at the engine that runs it (spec S-48, S-49)."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from msgspec import Struct

from longshore.engine.endpoint import remote_socket
from longshore.engine.spec import Mount
from longshore.environment import Environment
from longshore.errors import InvalidValue
from longshore.plan.model import ServicePlan

_DEFAULT = "unix:///var/run/docker.sock"
_HOST_AND_PORT = re.compile(r".+:\d+")
_PEM_FILES = ("cert.pem", "key.pem", "ca.pem")


class DockerAccess(Struct, frozen=True, kw_only=True):
    """The variables and mounts that a service with ``add_docker`` gets."""

    variables: tuple[tuple[str, str], ...]
    mounts: tuple[Mount, ...]


def reaches_an_engine(service: ServicePlan) -> bool:
    """Whether its containers can build and name images: by ``add_docker``, or by a socket mounted
    as a volume."""
    return service.add_docker or any(
        (mount.host or "").endswith(".sock") for mount in service.mounts
    )


def docker_access(environment: Environment, engine: str | None = None) -> DockerAccess:
    """The rules of the library jet used; `engine` is the address of the one in use (S-50).

    Raises InvalidValue with that library's texts when DOCKER_HOST or the certificates are unusable.
    """
    named = _normalised(environment.get("DOCKER_HOST") or _DEFAULT)
    host = _normalised(engine) if engine else named
    scheme, separator, rest = host.partition("://")
    if not separator:
        raise InvalidValue(f"dockerutils: could not split {host} into two parts by ://")
    variables = [("DOCKER_HOST", host)]
    mounts = []
    if scheme == "unix":
        mounts.append(Mount(host=rest, container=rest))
    verify = environment.get("DOCKER_TLS_VERIFY")
    if verify and host == named:
        directory = _certificates(environment)
        variables += [("DOCKER_TLS_VERIFY", verify), ("DOCKER_CERT_PATH", directory)]
        mounts.append(Mount(host=directory, container=directory))
    return DockerAccess(variables=tuple(variables), mounts=tuple(mounts))


def _normalised(host: str) -> str:
    """As containers on that engine reach it: behind ssh, by the socket on its machine.

    So on macOS, where engines live in virtual machines: the socket we see is a forwarded one, which
    cannot be mounted (docker/for-mac issue 6545, abiosoft/colima issue 997).
    """
    scheme, separator, rest = host.partition("://")
    if not separator:
        return f"tcp://{host}" if _HOST_AND_PORT.fullmatch(host) else host
    if scheme == "unix" and sys.platform == "darwin":
        return _DEFAULT
    if scheme == "ssh":
        return f"unix://{remote_socket(host)}"
    return f"tcp://{rest}" if scheme.startswith("http") else host


def _certificates(environment: Environment) -> str:
    given = environment.get("DOCKER_CERT_PATH")
    if given is None and environment.get("HOME") is None:
        raise InvalidValue(
            "dockerutils: environment variable HOME must be set if DOCKER_CERT_PATH is not set"
        )
    directory = Path(given or environment.home / ".docker").absolute()
    for path in (directory, *(directory / name for name in _PEM_FILES)):
        if not os.path.exists(path):  # noqa: PTH110  # false also where we may not look
            raise InvalidValue(f"docker: file {path} does not exist")
    return str(directory)
