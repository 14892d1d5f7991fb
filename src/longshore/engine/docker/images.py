"""Images: inspect, pull, push, tag, export, remove."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import quote

from longshore.engine.docker.answers import history_sizes, image_info
from longshore.engine.docker.client import Answer, Client
from longshore.engine.docker.convert import registry_auth
from longshore.engine.docker.errors import refusal
from longshore.engine.docker.progress import Progress
from longshore.engine.port import OnLine
from longshore.engine.spec import ImageInfo
from longshore.errors import (
    Conflict,
    EngineError,
    EnginePushFailed,
    EngineUnavailable,
    NotFound,
    PullFailed,
)
from longshore.oci.reference import DOCKER_HUB, names_host
from longshore.secrets.credential import Credential


async def inspect(client: Client, reference: str) -> ImageInfo | None:
    """The image of that name or id, or None."""
    try:
        return image_info(await client.json("GET", f"{_path(reference)}/json"))
    except NotFound:
        return None


async def added_sizes(client: Client, image: str) -> tuple[int, ...]:
    """From its history, which engines tell newest first."""
    return history_sizes(await client.json("GET", f"{_path(image)}/history"))


async def tag(client: Client, image: str, reference: str) -> None:
    """Give it a further name."""
    repository, name = _split(reference)
    params = {"repo": repository, "tag": name}
    await client.json("POST", f"{_path(image)}/tag", params=params)


async def remove(client: Client, image: str) -> None:
    """Remove a name, and the image with its last one."""
    await client.json("DELETE", _path(image))


async def pull(
    client: Client, reference: str, credential: Credential | None, on_line: OnLine
) -> str:
    """Pull it; leaving early closes the connection, which makes the engine stop."""
    repository, name = _split(reference)
    try:
        async with client.stream(
            "POST",
            "/images/create",
            params={"fromImage": repository, "tag": name},
            headers=_authentication(credential, repository),
        ) as answer:
            await _followed(answer, on_line)
    except (EngineUnavailable, Conflict):
        raise
    except EngineError as exception:
        raise _failed(PullFailed, f"{reference} cannot be pulled: ", exception) from exception
    info = await inspect(client, reference)
    if info is None:
        raise PullFailed(f"{reference} was pulled, but the engine does not have it now")
    return info.id


async def push(
    client: Client, reference: str, credential: Credential | None, on_line: OnLine
) -> str:
    """The engine's own push; the digest comes in the last message."""
    repository, name = _split(reference)
    try:
        async with client.stream(
            "POST",
            f"{_path(repository)}/push",
            params={"tag": name},
            # The engine insists on the header, also for an anonymous push.
            headers=_authentication(credential, repository) or {"X-Registry-Auth": "e30="},
        ) as answer:
            progress = await _followed(answer, on_line)
    except EngineUnavailable:
        raise
    except EngineError as exception:
        text = f"Image Push error for image {reference}, "  # the words of P-23
        raise _failed(EnginePushFailed, text, exception) from exception
    if progress.digest is None:
        raise EnginePushFailed(f"the engine did not say under which digest it pushed {reference}")
    return progress.digest


@asynccontextmanager
async def export(client: Client, image: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """The image as a tar stream; several names or layers are one stream."""
    async with AsyncExitStack() as stack:
        try:
            opening = client.stream("GET", f"{_path(image)}/get")
            answer = await stack.enter_async_context(opening)
        except EngineUnavailable:
            raise
        except EngineError as exception:
            text = f"{image} cannot be exported: "
            raise _failed(type(exception), text, exception) from exception
        yield answer.chunks()


async def _followed(answer: Answer, on_line: OnLine) -> Progress:
    progress = Progress()
    async for message in answer.messages():
        line = progress.line(message)
        if line is not None:
            on_line(line)
        if progress.error is not None:
            raise refusal(None, progress.error)
    return progress


def _failed(kind: type[EngineError], text: str, exception: EngineError) -> EngineError:
    said = exception.message.removeprefix("the engine says: ")
    message, denied = f"{text}{said}", exception.denied
    return kind(message, hint=exception.hint, status=exception.status, denied=denied)


def _authentication(credential: Credential | None, repository: str) -> Mapping[str, str]:
    if credential is None:
        return {}
    return {"X-Registry-Auth": registry_auth(credential, registry_of(repository))}


def registry_of(repository: str) -> str:
    """The registry's host: what stands before the first slash and looks like a host."""
    return repository.partition("/")[0] if names_host(repository) else DOCKER_HUB


def _split(reference: str) -> tuple[str, str]:
    """Repository, and tag or digest (``latest`` when there is none)."""
    if "@" in reference:
        name, _, digest = reference.partition("@")
        return _split(name)[0], digest
    head, colon, last = reference.rpartition(":")
    if colon and "/" not in last:
        return head, last
    return reference, "latest"


def _path(reference: str) -> str:
    return f"/images/{quote(reference, safe='/:@')}"
