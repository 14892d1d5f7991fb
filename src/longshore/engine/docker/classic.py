"""Builds by the engine's own, classic builder: ``POST /build`` with the context as a stream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable

import anyio
import anyio.from_thread
import anyio.to_thread
from msgspec.structs import replace

from longshore.engine.docker.client import Client
from longshore.engine.docker.context import Context, pack, prepare
from longshore.engine.docker.convert import registry_config
from longshore.engine.docker.errors import NEEDS_BUILDX, reading
from longshore.engine.docker.heredocs import first_heredoc
from longshore.engine.docker.output import Output
from longshore.engine.spec import BuildSpec
from longshore.errors import BuildFailed, EngineError, EngineUnavailable

_PIECES_AHEAD = 8


async def build(client: Client, spec: BuildSpec, on_line: Callable[[str], None]) -> str:
    """Build and return the image's id; leaving early closes the connection, which stops it."""
    if spec.secrets:
        raise BuildFailed(
            "the engine's classic builder knows no build secrets",
            hint=NEEDS_BUILDX,
        )
    if client.identity.is_podman:
        # Podman 5.8 refuses names with a tag; it looks through the images it has by itself.
        spec = replace(spec, cache_from=())
    context = await anyio.to_thread.run_sync(_prepared, spec, client.identity.is_podman)
    output = Output(on_line)
    packing = _Packing(context)
    failure: EngineError | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(packing.run)
        try:
            await _sent(client, spec, packing, output)
        except EngineError as exception:
            failure = exception
        finally:
            packing.close()
    if packing.trouble is not None:
        raise packing.trouble
    if failure is not None:
        raise failure
    return await _id(client, output)


def _prepared(spec: BuildSpec, is_podman: bool) -> Context:
    context = prepare(spec.context, spec.dockerfile)
    heredoc = first_heredoc(spec.dockerfile.read_text(errors="replace"))
    if heredoc is not None and not is_podman:  # Podman's builder runs them
        line, word = heredoc
        raise BuildFailed(
            f"{spec.dockerfile}:{line}: the engine's classic builder runs no heredocs (<<{word})",
            hint=NEEDS_BUILDX,
        )
    return context


async def _sent(client: Client, spec: BuildSpec, packing: _Packing, output: Output) -> None:
    try:
        async with client.stream(
            "POST",
            "/build",
            params=parameters(spec, packing.context.dockerfile),
            headers={
                "Content-Type": "application/x-tar",
                "X-Registry-Config": registry_config(spec.credentials),
            },
            data=packing.pieces(),
        ) as answer:
            async for message in answer.messages():
                output.take(message)
            output.finish()
    except (EngineUnavailable, BuildFailed):
        raise
    except EngineError as exception:
        raise BuildFailed(
            exception.message, hint=exception.hint, status=exception.status
        ) from exception


async def _id(client: Client, output: Output) -> str:
    if output.image is None:
        raise BuildFailed("the engine ended the build without naming an image")
    if output.image.startswith("sha256:"):
        return output.image
    answer = await client.json("GET", f"/images/{output.image}/json")
    with reading("the image it built"):
        return str(answer["Id"])


def parameters(spec: BuildSpec, dockerfile: str) -> list[tuple[str, str]]:
    """The query of ``POST /build``; `dockerfile` is its name within the context."""
    pairs = [
        ("version", "1"),
        ("dockerfile", dockerfile),
        ("rm", "1"),
        ("forcerm", "1"),
        ("buildargs", json.dumps(dict(spec.arguments))),
        ("labels", json.dumps(dict(spec.labels))),
        ("cachefrom", json.dumps(list(spec.cache_from))),
        *(("t", tag) for tag in spec.tags),
    ]
    if spec.pull:
        pairs.append(("pull", "1"))
    if spec.no_cache:
        pairs.append(("nocache", "1"))
    return pairs


class _Packing:
    """Packs the context in a thread, at most some pieces ahead of the connection."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.trouble: BuildFailed | None = None
        self._send, self._receive = anyio.create_memory_object_stream[bytes](_PIECES_AHEAD)

    async def run(self) -> None:
        """Pack all of it, or until `close`; what goes wrong is kept in `trouble`."""
        with self._send:
            try:
                await anyio.to_thread.run_sync(pack, self.context, self._pass_on)
            except BuildFailed as exception:
                self.trouble = exception
            except anyio.BrokenResourceError:
                return  # nobody reads any more: the engine has answered already

    async def pieces(self) -> AsyncIterator[bytes]:
        """The packed pieces; raises `trouble`, so that half a context never looks whole."""
        async for piece in self._receive:
            yield piece
        if self.trouble is not None:
            raise self.trouble

    def close(self) -> None:
        """Make a thread that still packs come to its end."""
        self._receive.close()

    def _pass_on(self, piece: bytes) -> None:
        anyio.from_thread.run(self._send.send, piece)
