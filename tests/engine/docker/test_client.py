"""The connection: versions, an engine that goes away, and what is no engine."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import SocketStream

from longshore.engine.docker.builder import Builder
from longshore.engine.docker.engine import DockerEngine, connect
from longshore.engine.docker.ssh import command, forward
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import BuildSpec
from longshore.errors import BuildFailed, EngineError, EngineUnavailable, NotFound

VERSION = {"ApiVersion": "1.41", "MinAPIVersion": "1.12"}
Answer = Callable[[bytes, SocketStream], Awaitable[None]]


def _http(body: object, status: str = "200 OK") -> bytes:
    text = json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text


@asynccontextmanager
async def _engine(
    tmp_path: Path, answer: Answer, version: object = VERSION, ping: bytes = b""
) -> AsyncIterator[Endpoint]:
    """An engine of a few lines: tells its version, leaves the rest to `answer`, on one socket."""
    path = tmp_path / "engine.sock"

    async def serve(stream: SocketStream) -> None:
        async with stream:
            while True:
                try:
                    request = await stream.receive()
                except anyio.EndOfStream:
                    return
                if request.startswith(b"GET /_ping"):
                    await stream.send(ping or _http("OK"))
                elif request.startswith(b"GET /version"):
                    await stream.send(_http(version))
                else:
                    path.unlink(missing_ok=True)
                    await answer(request, stream)
                    return

    async with await anyio.create_unix_listener(path) as opened, anyio.create_task_group() as tasks:
        tasks.start_soon(opened.serve, serve)
        try:
            yield Endpoint(url=f"unix://{path}", origin="test")
        finally:
            # The server is hearing of the end just now; anyio's sockets do not bear a
            # cancellation in the same turn of the loop.
            for _ in range(10):
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()


async def _dies(request: bytes, stream: SocketStream) -> None:
    return


CALLS: dict[str, Callable[[DockerEngine], Awaitable[object]]] = {
    "info": lambda engine: engine.info(),
    "wait": lambda engine: engine.wait("c"),
    "stop": lambda engine: engine.stop("c", 1),
    "remove": lambda engine: engine.remove("c"),
    "pull": lambda engine: engine.pull("i", None, lambda line: None),
    "push": lambda engine: engine.push("i", None, lambda line: None),
    "inspect": lambda engine: engine.inspect_image("i"),
    "resources": lambda engine: engine.resources({}),
    "network": lambda engine: engine.create_network("n", {}),
    "attach": lambda engine: _attach(engine),
}


async def _attach(engine: DockerEngine) -> None:
    async with engine.attach("c"):
        pass


@pytest.mark.parametrize("name", CALLS)
async def test_an_engine_that_goes_away_in_a_call_is_unavailable(tmp_path: Path, name: str) -> None:
    async with _engine(tmp_path, _dies) as endpoint, connect(endpoint) as engine:
        with pytest.raises(EngineUnavailable, match="engine"):
            await CALLS[name](engine)


async def test_an_engine_that_dies_after_output_is_unavailable_after_the_bytes(
    tmp_path: Path,
) -> None:
    async def some_output(request: bytes, stream: SocketStream) -> None:
        await stream.send(b"HTTP/1.1 101 UPGRADED\r\n\r\n\x01\0\0\0\0\0\0\x03abc")

    seen: list[bytes] = []

    async def read(engine: DockerEngine) -> None:
        async with engine.attach("c") as attachment:
            async for chunk in attachment:
                seen.append(chunk.data)  # noqa: PERF401  # the bytes before the error must be kept

    async with _engine(tmp_path, some_output) as endpoint, connect(endpoint) as engine:
        with pytest.raises(EngineUnavailable):
            await read(engine)
    assert seen == [b"abc"]


async def test_an_attach_that_is_refused_says_why(tmp_path: Path) -> None:
    async def refused(request: bytes, stream: SocketStream) -> None:
        await stream.send(_http({"message": "No such container: c"}, "404 Not Found"))

    async with _engine(tmp_path, refused) as endpoint, connect(endpoint) as engine:
        with pytest.raises(NotFound, match="No such container: c"):
            async with engine.attach("c"):
                pass


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (VERSION | {"ApiVersion": "1.99", "MinAPIVersion": "1.90"}, "speaks API 1.90 to 1.99"),
        (VERSION | {"ApiVersion": "1.20"}, "speaks API 1.12 to 1.20"),
    ],
)
async def test_an_engine_without_a_common_version_is_refused_with_both(
    tmp_path: Path, version: object, words: str
) -> None:
    async with _engine(tmp_path, _dies, version) as endpoint:
        with pytest.raises(EngineUnavailable, match=words):
            async with connect(endpoint):
                pass


async def test_an_engine_behind_a_proxy_without_ping_is_asked_for_its_version(
    tmp_path: Path,
) -> None:
    forbidden = _http("no", "403 Forbidden")
    async with _engine(tmp_path, _dies, ping=forbidden) as endpoint, connect(endpoint):
        pass


@pytest.mark.parametrize(
    ("api", "words"),
    [("1.24", "speaks API 1.24 to 1.24"), ("new", "about its greeting is not what its API")],
)
async def test_a_podman_that_greets_otherwise_is_no_engine(
    tmp_path: Path, api: str, words: str
) -> None:
    ping = f"HTTP/1.1 200 OK\r\nLibpod-API-Version: 1\r\nApi-Version: {api}\r\nContent-Length: 0"
    async with _engine(tmp_path, _dies, ping=ping.encode() + b"\r\n\r\n") as endpoint:
        with pytest.raises(EngineUnavailable, match=words):
            async with connect(endpoint):
                pass


@pytest.mark.parametrize("version", [{}, [], {"ApiVersion": "x"}, "text"])
async def test_what_answers_otherwise_is_no_engine(tmp_path: Path, version: object) -> None:
    async with _engine(tmp_path, _dies, version) as endpoint:
        with pytest.raises(EngineUnavailable, match=r"not what its API promises"):
            async with connect(endpoint):
                pass


@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error"])
@pytest.mark.parametrize("name", ["info", "pull"])
async def test_an_answer_nested_without_end_is_an_engine_error(
    tmp_path: Path, name: str, status: str
) -> None:
    async def answer(request: bytes, stream: SocketStream) -> None:
        text = b"[" * 100_000
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n\r\n"
        await stream.send(head.encode() + text)

    async with _engine(tmp_path, answer) as endpoint, connect(endpoint) as engine:
        with pytest.raises(EngineError) as caught:
            await CALLS[name](engine)
    assert "[[[[" in caught.value.message or "recursion" in caught.value.message


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
async def test_another_kind_of_server_is_no_engine(tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "server.sock"

    async def serve(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(answer)

    async with anyio.create_task_group() as tasks, await anyio.create_unix_listener(path) as opened:
        tasks.start_soon(opened.serve, serve)
        with pytest.raises(EngineUnavailable):
            async with connect(Endpoint(url=f"unix://{path}", origin="test")):
                pass
        tasks.cancel_scope.cancel()


GARBAGE = [
    b"hello",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"\x16\x03\x01\0\x05",
    b"HTTP/1.1 banana\r\n",
    b"HTTP/1.1 2000 OK\r\n",
    b"HTTP/2 200\r\n",
]


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/1.1 200 "])
async def test_an_answer_that_comes_byte_by_byte_is_read(tmp_path: Path, head: bytes) -> None:
    async def answer(request: bytes, stream: SocketStream) -> None:
        for byte in head + b"\r\nContent-Length: 2\r\n\r\n[]":
            await stream.send(bytes([byte]))
            await anyio.lowlevel.checkpoint()

    async with _engine(tmp_path, answer) as endpoint, connect(endpoint) as engine:
        assert await engine.containers_named("x") == ()


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("name", ["info", "pull", "attach"])
async def test_garbage_for_a_status_line_ends_a_request_whose_connection_stays_open(
    tmp_path: Path, name: str, garbage: bytes
) -> None:
    async def answer(request: bytes, stream: SocketStream) -> None:
        await stream.send(garbage)
        await anyio.sleep(30)

    async with _engine(tmp_path, answer) as endpoint, connect(endpoint) as engine:
        with anyio.fail_after(5), pytest.raises(EngineError, match="not speak like a container"):
            await CALLS[name](engine)


async def test_garbage_for_a_status_line_ends_a_build(tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\n")
    spec = BuildSpec(context=context, dockerfile=context / "Dockerfile", tags=("t",))

    async def answer(request: bytes, stream: SocketStream) -> None:
        await stream.send(b"hello\r\n")
        await anyio.sleep(30)

    async with (
        _engine(tmp_path, answer) as endpoint,
        connect(endpoint, builder=Builder.CLASSIC) as engine,
    ):
        with anyio.fail_after(5), pytest.raises(BuildFailed, match="not speak like a"):
            await engine.build(spec, lambda line: None)


async def test_nobody_listening_is_unavailable_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="no container engine answers") as caught:
        async with connect(Endpoint(url=f"unix://{tmp_path}/none", origin="test")):
            pass
    assert "DOCKER_HOST" in (caught.value.hint or "")


@pytest.mark.parametrize("url", ["ftp://x", "nonsense", "tcp://host:notaport"])
async def test_an_address_that_means_nothing_is_an_engine_error(url: str) -> None:
    with pytest.raises(EngineError):
        async with connect(Endpoint(url=url, origin="test")):
            pass


def test_the_ssh_command_forwards_one_private_socket() -> None:
    words = command("ssh://me@host:2222", Path("/private/s"))
    assert words[:2] == ["ssh", "-nNT"]
    assert "/private/s:/var/run/docker.sock" in words
    assert words[-2:] == ["--", "host"]
    assert words[words.index("-l") : words.index("-l") + 2] == ["-l", "me"]
    assert words[words.index("-p") : words.index("-p") + 2] == ["-p", "2222"]


@pytest.mark.parametrize(
    "host", ["BuildBox", "me@Host.Example", "[FE80::1]", "H:22", "[fe80::1%Eth0]", "My%2DBox"]
)
def test_ssh_gets_the_host_as_it_is_written(host: str) -> None:
    name = host.rpartition("@")[2].strip("[]").removesuffix(":22")
    assert command(f"ssh://{host}", Path("/private/s"))[-1] == name


async def test_a_failed_ssh_is_told_in_its_words_with_what_to_try_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\necho no route >&2\nexit 255\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(EngineUnavailable, match="no route") as caught:
        async with forward("ssh://me@Host:2222"):
            pass
    assert caught.value.hint == "try by hand: ssh -l me -p 2222 -- Host docker version"


async def test_ctrl_c_at_the_terminal_does_not_reach_the_ssh_that_clean_up_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\necho $$ > "$0.pid"\necho ready\nexec sleep 60\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    async with forward("ssh://host"):
        pid = int((tmp_path / "ssh.pid").read_text())
        assert os.getpgid(pid) != os.getpgid(0)
        assert os.getsid(pid) != os.getsid(0)
