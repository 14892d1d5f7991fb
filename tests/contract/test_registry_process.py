"""The real registry in its variants, as other tests rely on it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest

from longshore.oci.digest import Digest
from longshore.testing import registry_process
from longshore.testing.registry_process import RegistryProcess, run_registry

pytestmark = pytest.mark.registry


class MakeRegistry(Protocol):
    """The fixture ``make_docker_registry``."""

    def __call__(self, **settings: object) -> RegistryProcess: ...


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


async def test_htpasswd_lets_only_its_users_in(make_docker_registry: MakeRegistry) -> None:
    registry = make_docker_registry(users={"ci": "secret"})
    async with aiohttp.ClientSession(registry.url) as http:
        async with http.get("/v2/") as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        for password, status in (("secret", 200), ("wrong", 401)):
            async with http.get("/v2/", headers=basic("ci", password)) as answer:
                assert answer.status == status


async def test_tls_is_trusted_by_its_own_authority_alone(
    make_docker_registry: MakeRegistry,
) -> None:
    registry = make_docker_registry(tls=True)
    async with aiohttp.ClientSession(registry.url) as http:
        trust = registry.trust()
        assert trust is not None
        async with http.get("/v2/", ssl=trust) as answer:
            assert answer.status == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await http.get("/v2/")


async def test_a_read_only_registry_reads_what_another_wrote(
    make_docker_registry: MakeRegistry, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    digest = Digest.of(b"kept")
    async with aiohttp.ClientSession(make_docker_registry(data=data).url) as http:
        async with http.post("/v2/a/blobs/uploads/") as answer:
            where = answer.headers["Location"]
        async with http.put(where, params={"digest": str(digest)}, data=b"kept") as answer:
            assert answer.status == 201
    async with aiohttp.ClientSession(make_docker_registry(data=data, read_only=True).url) as http:
        async with http.get(f"/v2/a/blobs/{digest}") as answer:
            assert await answer.read() == b"kept"
        async with http.post("/v2/a/blobs/uploads/") as answer:
            assert answer.status == 405


def test_a_registry_that_cannot_start_shows_its_log(
    make_docker_registry: MakeRegistry,
) -> None:
    with pytest.raises(RuntimeError, match="did not start") as caught:
        make_docker_registry(extra={"version": "9.9"})
    assert "unsupported version" in str(caught.value)


_LONG_GOODBYE = """#!/bin/sh
trap 'yes | head -c 300000 >&2; echo "last words" >&2; exit' TERM
echo "listening on nothing" >&2
while :; do sleep 0.01; done
"""


def test_what_a_registry_says_while_it_ends_is_in_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.write_text(_LONG_GOODBYE)
    program.chmod(0o755)
    monkeypatch.setattr(registry_process, "PROGRAM", str(program))
    with run_registry(tmp_path / "registry") as registry:
        pass
    assert registry.log.read_text().endswith("y\nlast words\n")
