"""The table that turns an engine's refusals and foreign exceptions into our own.

Two doors: `refusal` for answers with an error status or an error message in a stream, `translated`
for exceptions of h11, anyio and the operating system. Nothing else in the adapter does this.
"""

from __future__ import annotations

import asyncio
import errno
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import h11
from msgspec import Struct

from longshore.errors import (
    Conflict,
    EngineError,
    EngineUnavailable,
    NoFreeNetwork,
    NotFound,
    ProgramForbidden,
    ProgramMissing,
)

DISK_FULL = (
    "the engine's disk is full: look with `docker system df`, make room with `docker system prune`"
)

NEEDS_BUILDX = (
    "BuildKit can do it: install docker's buildx plugin, and leave `--builder classic` away"
)

UNREADABLE = "make it readable, or leave it out with a line in .dockerignore"

_BY_STATUS: dict[int, type[EngineError]] = {
    304: Conflict,
    404: NotFound,
    409: Conflict,
    502: EngineUnavailable,
    503: EngineUnavailable,
    504: EngineUnavailable,
}


class _Text(Struct, frozen=True):
    """Words of the engine that tell more than its status does; `becomes` None keeps the type.
    `denied`: they are a registry's, about credentials.

    The patterns are compiled when an engine has refused something, not by every start.
    """

    pattern: str
    hint: str | None = None
    becomes: type[EngineError] | None = None
    denied: bool = False


_BY_TEXT = (
    _Text(
        r"^(Error: )?No such (container|image|network|volume)"
        r"|: no such container$|container has already been removed",  # Podman, which says 500
        becomes=NotFound,
    ),
    _Text(
        r"name is already in use$|network already exists$|can only kill running containers",
        becomes=Conflict,  # Podman, which says 500
    ),
    _Text(r"no space left on device|ENOSPC|disk quota exceeded", DISK_FULL),
    _Text(r"requires BuildKit", NEEDS_BUILDX),
    _Text(r"error from sender: .*: permission denied", UNREADABLE),
    _Text(
        r"^Client sent an HTTP request to an HTTPS server",
        "it wants TLS: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to its certificates",
    ),
    _Text(
        r"client version \S+ is too (new|old)",
        "this engine speaks another version of the API: update the engine",
    ),
    _Text(
        r"port is already allocated|address already in use",
        "another container or program uses this port: stop it, or publish another port",
        Conflict,
    ),
    _Text(
        r"has active endpoints|network is being used$",
        "containers are still connected to this network: remove them first",
        Conflict,
    ),
    _Text(
        r"executable file not found|exec: .*: no such file or directory",
        "the image has no such program: look at the command, the entrypoint and the PATH",
        becomes=ProgramMissing,
    ),
    _Text(
        r"exec: .*: (permission denied|is a directory)",
        "it is a directory, or may not be executed: make it executable in the Dockerfile with"
        " `RUN chmod +x`, or give it to its interpreter, as in `sh FILE`",
        becomes=ProgramForbidden,
    ),
    _Text(
        r"exec format error",
        "the program is made for another kind of processor, or is a script without `#!` line",
    ),
    _Text(
        # moby (distribution/pull_v2.go), and containerd.
        r"no matching manifest for|no match for platform in manifest",
        "the image is not made for this kind of processor; where the engine emulates others, as on"
        " macOS, get it before with `docker pull --platform linux/amd64 IMAGE`, or write"
        " `FROM --platform=linux/amd64 IMAGE` in the Dockerfile",
    ),
    _Text(
        r"could not find an available.*address pool|all predefined address pools"
        r"|could not find free subnet",
        "the engine has no free network left: remove old ones with `docker network prune`",
        NoFreeNetwork,
    ),
    _Text(
        r"pull access denied|no basic auth credentials|unauthorized|authentication required"
        r"|insufficient_scope|denied: requested access",
        "the registry wants credentials: give them with `encrypted_dockercfg_path` or"
        " `dockercfg_service`, and look whether the image's name is right",
        denied=True,
    ),
    _Text(
        r"manifest (for \S+ )?(not found|unknown)|name unknown|repository \S+ not found",
        "the registry has no such image: look at its name and tag",
    ),
    _Text(
        r"no such host|i/o timeout|connection refused|network is unreachable"
        r"|TLS handshake timeout|Client\.Timeout",
        "the engine could not reach the registry: look at its network and proxy settings",
    ),
    _Text(
        r"http: server gave HTTP response to HTTPS client",
        "the registry speaks plain HTTP: list it under `insecure-registries` in daemon.json,"
        " or for Podman as `insecure = true` in registries.conf",
    ),
    _Text(r"toomanyrequests|too many requests", "the registry limits requests: log in, or wait"),
)

_WRAPPED = re.compile(
    r"^.*(?:unable to start container process|starting container process caused): (.*?)"
    r"(?:: unknown)?$",
    re.DOTALL,
)
"""Who passed on what runc says about starting a program: up to four layers, which nobody needs."""

_BY_ERRNO = {
    errno.ENOENT: "start the engine, or say where it listens with --engine or DOCKER_HOST",
    errno.ECONNREFUSED: "start the engine, or say where it listens with --engine or DOCKER_HOST",
    errno.EACCES: "you may not use the engine's socket: join its group (often `docker`)",
    errno.EPERM: "you may not use the engine's socket: join its group (often `docker`)",
    errno.EHOSTUNREACH: "the engine's machine cannot be reached: look at DOCKER_HOST",
    errno.ETIMEDOUT: "the engine's machine does not answer: look at DOCKER_HOST",
}

_TOO_MANY_FILES = frozenset({errno.EMFILE, errno.ENFILE})

FOREIGN = (
    h11.ProtocolError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    anyio.IncompleteRead,
    asyncio.IncompleteReadError,
    OSError,
    RecursionError,
    ValueError,
)
"""What may come out of the libraries below; every one of them has an answer in `translation`."""

_NO_ENGINE = (h11.ProtocolError, RecursionError, ValueError)
"""Python's JSON reader raises RecursionError for what is nested a thousand deep."""


def refusal(
    status: int | None, text: str, *, otherwise: type[EngineError] = EngineError
) -> EngineError:
    """The exception for an engine's own error `text`; `otherwise` where nothing says more."""
    kind = _BY_STATUS.get(status or 0, otherwise)
    said = _WRAPPED.sub(r"\1", text.strip()) or f"HTTP status {status}"
    for entry in _BY_TEXT:
        if re.search(entry.pattern, said, re.IGNORECASE):
            # Engine 20.10 says 404 when the pools are used up, though nothing was looked for.
            if entry.becomes and (kind is EngineError or entry.becomes is NoFreeNetwork):
                kind = entry.becomes
            text, denied = f"the engine says: {said}", entry.denied
            return kind(text, hint=entry.hint, status=status, denied=denied)
    return kind(f"the engine says: {said}", status=status)


def translation(exception: BaseException, where: str) -> EngineError:
    """The exception of ours that says what `exception` means; `where` is the engine's URL."""
    if isinstance(exception, ssl.SSLError | ssl.CertificateError):
        return EngineUnavailable(
            f"no secure connection to the engine at {where}: {exception}",
            hint="look at DOCKER_TLS_VERIFY and at the files in DOCKER_CERT_PATH",
        )
    if isinstance(exception, TimeoutError):
        return EngineUnavailable(f"the engine at {where} does not answer in time")
    if isinstance(exception, OSError):
        return _of_system(exception, where)
    if isinstance(exception, _NO_ENGINE):
        return EngineError(
            f"what answers at {where} does not speak like a container engine: {exception}",
            hint="look at DOCKER_HOST: is that the engine's address, and is TLS needed?",
        )
    return EngineUnavailable(f"the engine at {where} ended the connection")


def _of_system(exception: OSError, where: str) -> EngineError:
    if exception.errno == errno.ENOSPC:
        return EngineError(f"the disk is full: {exception}", hint=DISK_FULL)
    if exception.errno in _TOO_MANY_FILES:
        return _no_file_left()
    if exception.errno in _BY_ERRNO:
        reason = exception.strerror or str(exception)
        return EngineUnavailable(
            f"no container engine answers at {where}: {reason}",
            hint=_BY_ERRNO.get(exception.errno or 0),
        )
    return EngineUnavailable(f"the engine at {where} ended the connection")


def _no_file_left() -> EngineError:
    return EngineError(
        "no connection to the engine can be opened: too many open files",
        hint="raise the limit with `ulimit -n`, or let fewer steps run at a time: --max-parallel",
    )


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn every foreign exception of the block into ours, with the original as its cause."""
    try:
        yield
    except FOREIGN as exception:
        raise translation(exception, where) from exception


@contextmanager
def dialling(where: str) -> Iterator[None]:
    """As `translated`, around connecting: whatever the system says, nobody answers there."""
    with translated(where):
        try:
            yield
        except (TimeoutError, ssl.SSLError):
            raise
        except OSError as error:
            # anyio joins the attempts for several addresses in an error without a number.
            first = error.__cause__ if isinstance(error.__cause__, OSError) else error
            if first.errno in _TOO_MANY_FILES:
                raise _no_file_left() from error
            reason = first.strerror or str(error)
            raise EngineUnavailable(
                f"no container engine answers at {where}: {reason}",
                hint=_BY_ERRNO.get(first.errno or 0),
            ) from error


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn the stumbling over an answer of unexpected shape into an `EngineError`."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, RecursionError, ValueError) as exception:
        raise EngineError(
            f"the engine's answer about {what} is not what its API promises: {exception!r}",
            hint="is DOCKER_HOST really the address of a container engine?",
        ) from exception
