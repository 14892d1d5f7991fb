"""The table of errors is complete: nothing foreign leaves the adapter."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator
from typing import Any

import aiohttp
import anyio
import pytest
from aiohttp.client_exceptions import UnixClientConnectorError
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from longshore.engine.docker.errors import FOREIGN, reading, refusal, translated, translation
from longshore.errors import BuildFailed, Conflict, EngineError, EngineUnavailable, NotFound

KEY = ConnectionKey("engine", 80, False, True, None, None, None)
REQUEST = aiohttp.RequestInfo(URL("http://x"), "GET", CIMultiDictProxy(CIMultiDict()), URL())


def _descendants(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__.startswith(("aiohttp.client", "anyio")):
            yield from _descendants(child)


def _made(kind: type[BaseException]) -> BaseException:
    if issubclass(kind, OSError) and not issubclass(kind, aiohttp.ClientConnectorError):
        return kind(errno.EPIPE, "pipe")
    attempts: tuple[tuple[Any, ...], ...] = (
        (REQUEST, ()),
        (KEY, OSError(errno.ECONNREFUSED, "refused")),
        ("/socket", KEY, OSError(errno.ENOENT, "no file")),
        (b"expected", b"got", "host", 80),
        (KEY, ssl.SSLCertVerificationError("bad")),
        (URL("http://x"),),
        ("text",),
        (),
    )
    for arguments in attempts:
        try:
            made = kind(*arguments)
            str(made)
            return made
        except (TypeError, AttributeError):
            continue
    raise AssertionError(f"do not know how to make {kind}")


@pytest.mark.parametrize("kind", sorted(set(_descendants(aiohttp.ClientError)), key=str))
def test_every_exception_of_aiohttp_becomes_ours_with_its_cause(kind: type[Exception]) -> None:
    with pytest.raises(EngineError) as caught, translated("unix:///x"):
        raise _made(kind)
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
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError("cut"),
        TimeoutError(),
        ssl.SSLError("handshake"),
    ],
    ids=repr,
)
def test_an_engine_that_is_not_there_is_unavailable(exception: Exception) -> None:
    assert isinstance(exception, FOREIGN)
    assert isinstance(translation(exception, "tcp://x"), EngineUnavailable)


def test_what_speaks_another_language_is_no_engine() -> None:
    error = translation(aiohttp.ContentTypeError(REQUEST, ()), "tcp://x")
    assert type(error) is EngineError
    assert "DOCKER_HOST" in (error.hint or "")


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.ECONNREFUSED])
def test_the_usual_reasons_come_with_a_hint(number: int) -> None:
    reason = OSError(number, "reason")
    error = translation(UnixClientConnectorError("/s", KEY, reason), "unix:///s")
    assert isinstance(error, EngineUnavailable)
    assert error.hint


@pytest.mark.parametrize(
    ("status", "text", "kind", "hint"),
    [
        (404, "No such container: x", NotFound, None),
        (409, "Conflict. The container name is in use", Conflict, None),
        (403, "error while removing network: n has active endpoints", Conflict, "remove"),
        (500, "write /x: no space left on device", EngineError, "disk is full"),
        (500, "driver failed: Bind for 0.0.0.0:80: port is already allocated", Conflict, "port"),
        (400, 'exec: "x": executable file not found in $PATH', EngineError, "command"),
        (500, "No such container: gone", NotFound, None),
        (503, "starting", EngineUnavailable, None),
        (500, "", EngineError, None),
        (None, "toomanyrequests: rate limit", EngineError, "log in"),
    ],
)
def test_refusals_are_told_apart(
    status: int | None, text: str, kind: type[EngineError], hint: str | None
) -> None:
    error = refusal(status, text)
    assert type(error) is kind
    assert error.status == status
    assert hint is None or hint in (error.hint or "")


def test_a_caller_may_say_what_an_error_means_otherwise() -> None:
    error = refusal(None, "write: no space left on device", otherwise=BuildFailed)
    assert type(error) is BuildFailed
    assert "disk" in (error.hint or "")


@pytest.mark.parametrize("exception", [KeyError("Id"), TypeError(), AttributeError(), ValueError()])
def test_an_answer_of_another_shape_is_an_engine_error(exception: Exception) -> None:
    with pytest.raises(EngineError, match="about a container") as caught, reading("a container"):
        raise exception
    assert caught.value.__cause__ is exception
