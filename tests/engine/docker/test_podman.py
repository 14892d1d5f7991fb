"""What Podman's Docker API does otherwise; the answers are those of Podman 4.3 and 5.8."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

import anyio
import anyio.lowlevel
import h11
import pytest
from anyio.abc import SocketStream

from longshore.engine.docker.builder import Builder
from longshore.engine.docker.engine import DockerEngine, connect
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import BuildSpec, Health
from longshore.environment import Environment
from longshore.errors import EngineError, EnginePushFailed, NotFound

HEADERS = [
    ("Api-Version", "1.41"),
    ("Libpod-Api-Version", "4.3.1"),
    ("Server", "Libpod/4.3.1 (linux)"),
]
IMAGE = f"sha256:{'5150d0a2' * 8}"


@dataclass
class Podman:
    """Answers requests by method and path (without version), the last answer again and again."""

    answers: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    events: dict[str, object] = field(default_factory=dict)
    """By the names that Podman's filter knows them by."""
    pings: bool = True
    """False: a proxy before it forbids that."""

    def says(self, request: str, body: object, status: int = 200) -> None:
        """What it answers to that request next."""
        self.answers.setdefault(request, []).append((status, json.dumps(body).encode()))

    async def serve(self, stream: SocketStream) -> None:
        """A connection of the adapter."""
        async with stream:
            connection = h11.Connection(h11.SERVER)
            while request := await _request(connection, stream):
                status, body = self._answer(request)
                headers = [("Content-Length", str(len(body)))]
                if status != 403:  # that is the proxy's
                    headers += HEADERS
                head = h11.Response(status_code=status, headers=headers)
                for event in (head, h11.Data(body), h11.EndOfMessage()):
                    await stream.send(connection.send(event) or b"")
                connection.start_next_cycle()

    def _answer(self, request: str) -> tuple[int, bytes]:
        if request == "GET /_ping":
            return (200, b"OK") if self.pings else (403, b"no")
        path, _, query = request.partition("?")
        asked = path.replace("/v1.41", "")
        if asked == "GET /events":
            kinds = json.loads(parse_qs(query)["filters"][0])["event"]
            told = [json.dumps(event) for kind, event in self.events.items() if kind in kinds]
            return 200, "\n".join(told).encode()
        if json.loads(parse_qs(query).get("cachefrom", ["[]"])[0]):
            return 400, b'{"message": "repository must contain neither a tag nor digest"}'
        answers = self.answers[asked]
        return answers.pop(0) if len(answers) > 1 else answers[0]


async def _request(connection: h11.Connection, stream: SocketStream) -> str:
    """The next request's line, when all of it is here; empty at the end."""
    line = ""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            try:
                connection.receive_data(await stream.receive())
            except anyio.EndOfStream:
                return ""
        elif isinstance(event, h11.Request):
            line = f"{event.method.decode()} {event.target.decode()}"
        elif isinstance(event, h11.EndOfMessage):
            return line


@asynccontextmanager
async def _connected(
    podman: Podman, tmp_path: Path, variables: Mapping[str, str] | None = None
) -> AsyncIterator[DockerEngine]:
    path = tmp_path / "podman.sock"
    endpoint = Endpoint(url=f"unix://{path}", origin="test")
    environment = Environment(variables or {})
    async with anyio.create_task_group() as tasks, await anyio.create_unix_listener(path) as opened:
        tasks.start_soon(opened.serve, podman.serve)
        async with connect(endpoint, builder=Builder.AUTO, environment=environment) as engine:
            yield engine
        # The server is hearing of the end just now; anyio's sockets do not bear a cancellation in
        # the same turn of the loop.
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()


@pytest.fixture
def buildx(tmp_path: Path) -> Mapping[str, str]:
    """An environment in which ``docker buildx`` is installed and builds nothing."""
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text('#!/bin/sh\n[ "$2" = version ] && echo github.com/docker/buildx 0.13\n')
    docker.chmod(0o755)
    return {"PATH": str(docker.parent)}


@pytest.mark.parametrize("pings", [True, False])
async def test_podmans_own_builder_is_taken_where_buildx_is_installed(
    tmp_path: Path, buildx: Mapping[str, str], pings: bool
) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("FROM busybox\nRUN <<EOF\ntrue\nEOF\n")
    podman = Podman(pings=pings)
    podman.says("GET /version", {"ApiVersion": "1.41", "MinAPIVersion": "1.24"})
    podman.says("POST /build", {"stream": "Successfully built 5150d0a25150\n"})
    podman.says("GET /images/5150d0a25150/json", {"Id": IMAGE})
    async with _connected(podman, tmp_path, buildx) as engine:
        spec = BuildSpec(context=tmp_path / "bin", dockerfile=dockerfile, tags=("app:1",))
        assert await engine.build(spec, lambda line: None) == IMAGE


async def test_a_build_with_a_cache_names_no_tagged_image_to_podman(tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("FROM busybox\n")
    podman = Podman()
    podman.says("POST /build", {"aux": {"ID": IMAGE}})
    async with _connected(podman, tmp_path) as engine:
        context = tmp_path / "context"
        context.mkdir()
        spec = BuildSpec(
            context=context,
            dockerfile=dockerfile,
            tags=("app:1",),
            cache_from=("r.test/c:app-main",),
        )
        assert await engine.build(spec, lambda line: None) == IMAGE


async def test_the_end_of_a_container_ends_the_wait_for_its_health(tmp_path: Path) -> None:
    checked = {"Healthcheck": {"Test": ["CMD-SHELL", "test -f /ready"]}}
    podman = Podman(events={"died": {"status": "die", "Type": "container", "Action": "die"}})
    for state in ("running", "exited"):
        told = {"Status": state, "Health": {"Status": "starting", "Log": None}}
        podman.says("GET /containers/c/json", {"State": told, "Config": checked})
    async with _connected(podman, tmp_path) as engine:
        seen = [health async for health in engine.health("c")]
    assert seen == [Health.STARTING, Health.GONE]


async def test_a_container_that_is_removed_under_a_wait_is_not_found(tmp_path: Path) -> None:
    podman = Podman()
    error = {"Message": "container has already been removed"}
    podman.says("POST /containers/c/wait", {"StatusCode": 0, "Error": error})
    async with _connected(podman, tmp_path) as engine:
        with pytest.raises(NotFound):
            await engine.wait("c")


async def test_the_reason_of_a_refused_push_is_told_without_json(tmp_path: Path) -> None:
    reason = 'Get "https://127.0.0.1:5000/v2/": http: server gave HTTP response to HTTPS client'
    podman = Podman()
    refused = {"errorDetail": {"message": reason}, "error": reason}
    podman.says("POST /images/127.0.0.1:5000/app/push", refused, status=500)
    async with _connected(podman, tmp_path) as engine:
        with pytest.raises(EnginePushFailed) as raised:
            await engine.push("127.0.0.1:5000/app:1", None, lambda line: None)
    assert raised.value.message == f"Image Push error for image 127.0.0.1:5000/app:1, {reason}"
    assert "registries.conf" in (raised.value.hint or "")


async def test_a_network_is_made_though_another_goes_meanwhile(tmp_path: Path) -> None:
    podman = Podman()
    refused = {"message": "route ip+net: no such network interface"}
    podman.says("POST /networks/create", refused, status=500)
    podman.says("POST /networks/create", {"Id": "n"}, status=201)
    async with _connected(podman, tmp_path) as engine:
        assert await engine.create_network("jet-x", {}) == "n"


async def test_a_network_that_is_refused_for_another_reason_is_not_asked_for_again(
    tmp_path: Path,
) -> None:
    podman = Podman()
    podman.says("POST /networks/create", {"message": "the database is locked"}, status=500)
    podman.says("POST /networks/create", {"Id": "n"}, status=201)
    async with _connected(podman, tmp_path) as engine:
        with pytest.raises(EngineError, match="the database is locked"):
            await engine.create_network("jet-x", {})


async def test_a_network_that_is_refused_again_and_again_is_not_asked_for_for_ever(
    tmp_path: Path,
) -> None:
    podman = Podman()
    refused = {"message": "route ip+net: no such network interface"}
    podman.says("POST /networks/create", refused, status=500)
    async with _connected(podman, tmp_path) as engine:
        with pytest.raises(EngineError, match="no such network interface"):
            await engine.create_network("jet-x", {})


@pytest.mark.parametrize(
    ("status", "answer", "finds"),
    [
        (200, {"name": "jet-x", "dns_enabled": False}, False),
        (200, {"name": "jet-x", "dns_enabled": True}, True),
        (200, [{"cniVersion": "0.4.0"}], True),
        (400, {"message": "given version is not supported"}, True),
    ],
)
async def test_a_network_without_a_name_server_is_known_by_podmans_own_api(
    tmp_path: Path, status: int, answer: object, finds: bool
) -> None:
    podman = Podman()
    podman.says("GET /v4.0.0/libpod/networks/n/json", answer, status=status)
    async with _connected(podman, tmp_path) as engine:
        assert await engine.finds_names("n") is finds
