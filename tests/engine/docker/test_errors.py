"""The table of errors is complete: nothing foreign leaves the adapter."""

from __future__ import annotations

import errno
import os
import ssl
from collections.abc import Iterator

import anyio
import h11
import pytest

from longshore.engine.docker.errors import (
    FOREIGN,
    dialling,
    reading,
    refusal,
    translated,
    translation,
)
from longshore.errors import (
    BuildFailed,
    Conflict,
    EngineError,
    EngineUnavailable,
    NoFreeNetwork,
    NotFound,
    ProgramForbidden,
    ProgramMissing,
)


def _descendants(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__.startswith("h11"):
            yield from _descendants(child)


@pytest.mark.parametrize(
    "kind", sorted(set(_descendants(h11.ProtocolError)) - {h11.ProtocolError}, key=str)
)
def test_every_exception_of_h11_becomes_ours_with_its_cause(kind: type[Exception]) -> None:
    with pytest.raises(EngineError) as caught, translated("unix:///x"):
        raise kind("text")
    assert isinstance(caught.value.__cause__, kind)
    assert "unix:///x" in caught.value.message


@pytest.mark.parametrize(
    "exception",
    [
        anyio.EndOfStream(),
        anyio.ClosedResourceError(),
        anyio.BrokenResourceError(),
        ConnectionResetError(errno.ECONNRESET, "reset"),
        BrokenPipeError(errno.EPIPE, "pipe"),
        FileNotFoundError(errno.ENOENT, "none"),
        PermissionError(errno.EACCES, "denied"),
        TimeoutError(),
        ssl.SSLError("handshake"),
    ],
    ids=repr,
)
def test_an_engine_that_is_not_there_is_unavailable(exception: Exception) -> None:
    assert isinstance(exception, FOREIGN)
    assert isinstance(translation(exception, "tcp://x"), EngineUnavailable)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_a_limit_of_open_files_of_ours_is_not_taken_for_an_engine_that_is_gone(number: int) -> None:
    with pytest.raises(EngineError) as caught, dialling("unix:///s"):
        raise OSError(number, os.strerror(number))
    assert not isinstance(caught.value, EngineUnavailable)
    assert "too many open files" in caught.value.message
    assert "ulimit -n" in (caught.value.hint or "")


def test_what_speaks_another_language_is_no_engine() -> None:
    error = translation(h11.RemoteProtocolError("illegal status line"), "tcp://x")
    assert type(error) is EngineError
    assert "DOCKER_HOST" in (error.hint or "")


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.ECONNREFUSED])
def test_the_usual_reasons_come_with_a_hint(number: int) -> None:
    with pytest.raises(EngineUnavailable) as caught, dialling("unix:///s"):
        raise OSError(number, "reason")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("status", "text", "kind", "hint"),
    [
        (404, "No such container: x", NotFound, None),
        (409, "Conflict. The container name is in use", Conflict, None),
        (403, "error while removing network: n has active endpoints", Conflict, "remove"),
        # Engine 20.10.24 says so with this status.
        (
            404,
            "could not find an available, non-overlapping IPv4 address pool among the defaults to"
            " assign to the network",
            NoFreeNetwork,
            "prune",
        ),
        (400, "all predefined address pools have been fully subnetted", NoFreeNetwork, "prune"),
        (500, "write /x: no space left on device", EngineError, "disk is full"),
        (500, "driver failed: Bind for 0.0.0.0:80: port is already allocated", Conflict, "port"),
        (400, 'exec: "x": executable file not found in $PATH', ProgramMissing, "command"),
        (400, 'exec: "/x": stat /x: no such file or directory', ProgramMissing, "command"),
        (400, 'exec: "/etc": permission denied', ProgramForbidden, "chmod"),
        (400, 'exec: "/etc": is a directory: unknown', ProgramForbidden, "chmod"),
        (400, "open /x: permission denied", EngineError, None),
        (500, "No such container: gone", NotFound, None),
        (
            None,
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
            EngineError,
            "docker pull --platform linux/amd64",
        ),
        (None, "no match for platform in manifest: not found", EngineError, "FROM --platform"),
        (503, "starting", EngineUnavailable, None),
        # As Go's net/http has it, to who speaks plainly to a port that wants TLS.
        (400, "Client sent an HTTP request to an HTTPS server.\n", EngineError, "TLS_VERIFY"),
        (500, "", EngineError, None),
        (None, "toomanyrequests: rate limit", EngineError, "log in"),
        # BuildKit, of a file of the context.
        (
            None,
            "failed to solve: error from sender: open /x/data: permission denied",
            EngineError,
            ".dockerignore",
        ),
    ],
)
def test_refusals_are_told_apart(
    status: int | None, text: str, kind: type[EngineError], hint: str | None
) -> None:
    error = refusal(status, text)
    assert type(error) is kind
    assert error.status == status
    assert hint is None or hint in (error.hint or "")


@pytest.mark.parametrize(
    "wrapper",
    [
        "failed to create task for container: failed to create shim task: OCI runtime create"
        " failed: runc create failed: unable to start container process: ",
        "OCI runtime create failed: container_linux.go:380: starting container process caused: ",
    ],
)
def test_a_program_that_is_not_there_is_told_without_those_who_passed_it_on(wrapper: str) -> None:
    said = 'exec: "bundle": executable file not found in $PATH'
    assert refusal(400, f"{wrapper}{said}: unknown").message == f"the engine says: {said}"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            'container create: looking up container "x" for volumes-from: no container with name'
            ' or ID "x" found: no such container',
            NotFound,
        ),
        ("container has already been removed", NotFound),
        (
            'container create: creating container storage: the container name "x" is already in use'
            " by 0972. You have to remove that container to be able to reuse that name: that name"
            " is already in use",
            Conflict,
        ),
        ("network name x already used: network already exists", Conflict),
        (
            '"x" has associated containers with it. Use -f to forcibly delete containers and pods:'
            " network is being used",
            Conflict,
        ),
        (
            "can only kill running containers. d368 is in state created: container state improper",
            Conflict,
        ),
        ("could not find free subnet from subnet pools", NoFreeNetwork),
        ("creating container: something else", EngineError),
    ],
)
def test_podmans_refusals_are_told_apart_though_all_have_one_status(
    text: str, kind: type[EngineError]
) -> None:
    assert type(refusal(500, text)) is kind


def test_a_caller_may_say_what_an_error_means_otherwise() -> None:
    error = refusal(None, "write: no space left on device", otherwise=BuildFailed)
    assert type(error) is BuildFailed
    assert "disk" in (error.hint or "")


@pytest.mark.parametrize("exception", [KeyError("Id"), TypeError(), AttributeError(), ValueError()])
def test_an_answer_of_another_shape_is_an_engine_error(exception: Exception) -> None:
    with pytest.raises(EngineError, match="about a container") as caught, reading("a container"):
        raise exception
    assert caught.value.__cause__ is exception


@pytest.mark.parametrize(
    ("said", "denied"),
    [
        ("unauthorized: authentication required", True),
        ("denied: requested access to the resource is denied", True),
        ("no space left on device", False),
    ],
)
def test_a_registry_that_wants_other_credentials_is_told_from_other_trouble(
    said: str, denied: bool
) -> None:
    assert refusal(None, said).denied is denied
