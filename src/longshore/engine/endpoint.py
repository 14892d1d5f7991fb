"""Where an engine may listen: what the user named, else the places engines are known to use.

Reads files, opens no connection. The order is that of the ``docker`` command line: DOCKER_HOST,
DOCKER_CONTEXT, ``currentContext`` of config.json, then sockets. What the user named is taken
at its word: a mistake in it is an error, never a reason to look elsewhere.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from longshore.engine.context import Context, read_context, selected_context
from longshore.environment import Environment
from longshore.errors import EngineUnavailable, UsageError

SCHEMES: Final = ("unix", "tcp", "http", "https", "ssh")
_PASSWORD: Final = re.compile(r"^((?:[^:/]+://)?[^:/@]*):[^/]*@")


class TlsFiles(Struct, frozen=True, kw_only=True):
    """PEM files for a TLS endpoint; `verify` False accepts any server certificate."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    verify: bool = True

    @staticmethod
    def in_directory(directory: Path, *, verify: bool) -> TlsFiles:
        """Those of docker's ca.pem, cert.pem and key.pem that are there."""
        return TlsFiles(
            ca=_existing(directory / "ca.pem"),
            certificate=_existing(directory / "cert.pem"),
            key=_existing(directory / "key.pem"),
            verify=verify,
        )


class Endpoint(Struct, frozen=True, kw_only=True):
    """An engine's address (``unix://``, ``tcp://``, ``ssh://``) and who named it, for messages."""

    url: str
    origin: str
    tls: TlsFiles | None = None


def named_endpoint(environment: Environment) -> Endpoint | None:
    """The one engine that the user's settings name, or None when they name none.

    Raises EngineUnavailable when the setting cannot be an address or its context is broken.
    """
    host = environment.get("DOCKER_HOST")
    if host is not None:
        return _of_docker_host(host, environment)
    selected = selected_context(environment)
    if selected is None:
        return None
    context = read_context(environment, selected)
    return Endpoint(
        url=_checked(context.host, context.origin), origin=context.origin, tls=_context_tls(context)
    )


def known_endpoints(environment: Environment) -> tuple[Endpoint, ...]:
    """The sockets that exist where engines are known to put them, the likeliest first."""
    found: dict[Path, Endpoint] = {}
    for path, name in _places(environment):
        if _is_socket(path) and not _may_be_a_strangers(path):
            found.setdefault(path.resolve(), Endpoint(url=f"unix://{path}", origin=name))
    return tuple(found.values())


def endpoint_at(address: str, origin: str, environment: Environment) -> Endpoint:
    """The engine at an address that `origin` has (a flag, a variable); raises UsageError for none.

    The variables for TLS count as they do for ``docker --host``.
    """
    try:
        url = _checked(address, origin)
        return Endpoint(url=url, origin=origin, tls=_environment_tls(url, environment))
    except EngineUnavailable as error:
        raise UsageError(error.message, hint=error.hint) from error


def remote_socket(url: str) -> str:
    """The engine's socket on the host of an ``ssh://`` URL: its path, as docker's CLI has it."""
    path = urlsplit(url).path
    return path if len(path) > 1 else "/var/run/docker.sock"


def _of_docker_host(host: str, environment: Environment) -> Endpoint:
    url = _checked(host, "DOCKER_HOST")
    return Endpoint(url=url, origin="DOCKER_HOST", tls=_environment_tls(url, environment))


def _checked(address: str, origin: str) -> str:
    """`address` when it can be one; docker also takes a bare ``host:port``.

    A password is left out: no engine asks for one, and addresses are told and written down.
    """
    shown = _PASSWORD.sub(r"\1@", address)
    url = shown if "://" in shown else f"tcp://{shown}"
    if not _is_address(url):
        raise EngineUnavailable(
            f'{origin} is "{shown}", which is no address of a container engine',
            hint="write unix:///path/to/socket, tcp://host:port or ssh://user@host"
            + (", or unset it" if origin == "DOCKER_HOST" else ""),
        )
    return url


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if parts.scheme == "unix":
        return not parts.netloc and len(parts.path) > 1
    return parts.scheme in SCHEMES and bool(parts.hostname) and port_is_fine


def _environment_tls(url: str, environment: Environment) -> TlsFiles | None:
    """DOCKER_TLS_VERIFY and DOCKER_CERT_PATH; either of them turns TLS on, as in docker."""
    verify = environment.get("DOCKER_TLS_VERIFY") is not None
    path = environment.get("DOCKER_CERT_PATH")
    if not url.startswith(("tcp:", "http")) or not (verify or path):
        return None
    directory = Path(path) if path else environment.docker_config_directory
    return TlsFiles.in_directory(directory, verify=verify)


def _context_tls(context: Context) -> TlsFiles | None:
    if context.tls_directory is None and not context.skip_verify:
        return None
    directory = context.tls_directory or Path(os.devnull)
    return TlsFiles.in_directory(directory, verify=not context.skip_verify)


def _is_socket(path: Path) -> bool:
    """Not one in a directory closed to us, as /run/podman is to all but root."""
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _existing(path: Path) -> Path | None:
    # Not `is_file`: from Python 3.14 on it says no of what cannot be looked at.
    try:
        return path if stat.S_ISREG(path.stat().st_mode) else None
    except PermissionError:
        return path  # who opens it tells that it may not be read
    except OSError:
        return None


def _may_be_a_strangers(socket: Path) -> bool:
    """Whether neither root nor we have put it where all may write, as in the /tmp that
    XDG_RUNTIME_DIR is in many a container: it would be told every secret of a run."""
    return any(
        above.stat().st_mode & stat.S_IWOTH and below.stat().st_uid not in (0, os.getuid())
        for below, above in zip((socket, *socket.parents), socket.parents, strict=False)
    )


def _places(environment: Environment) -> tuple[tuple[Path, str], ...]:
    """Socket paths of Docker, rootless Docker, Docker Desktop, OrbStack, Colima and Podman."""
    home = environment.home
    runtime = environment.runtime_directory or Path(f"/run/user/{os.getuid()}")
    return (
        (Path("/var/run/docker.sock"), "Docker"),
        (runtime / "docker.sock", "rootless Docker"),
        (home / ".docker/run/docker.sock", "Docker Desktop"),
        (home / ".docker/desktop/docker.sock", "Docker Desktop"),
        (home / ".orbstack/run/docker.sock", "OrbStack"),
        (home / ".colima/default/docker.sock", "Colima"),
        (home / ".config/colima/default/docker.sock", "Colima"),
        (runtime / "podman/podman.sock", "Podman"),
        (Path("/run/podman/podman.sock"), "Podman"),
    )
