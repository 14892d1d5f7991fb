"""The engine's own push and pull, against Debian's registry with and without credentials."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from longshore.engine.docker.engine import DockerEngine
from longshore.errors import EnginePushFailed, PullFailed
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret
from longshore.testing.engine_bench import RealBench
from longshore.testing.registry_process import RegistryProcess

pytestmark = [pytest.mark.engine, pytest.mark.registry]

RIGHT = Credential(username="ci", password=Secret("right"))
WRONG = Credential(username="ci", password=Secret("wrong"))


async def test_push_and_pull_with_credentials(
    docker: DockerEngine, real: RealBench, make_docker_registry: Callable[..., RegistryProcess]
) -> None:
    registry = make_docker_registry(users={"ci": "right"})
    reference = f"{registry.url.split('//')[1].rstrip('/')}/transfers/app:v1"
    info = await docker.inspect_image(real.image)
    assert info is not None
    await docker.tag(real.image, reference)
    for credential in (None, WRONG):
        with pytest.raises(EnginePushFailed, match=f"Image Push error for image {reference}, "):
            await docker.push(reference, credential, lambda line: None)
    lines: list[str] = []
    digest = await docker.push(reference, RIGHT, lines.append)
    assert digest.startswith("sha256:")
    assert sum(line.endswith(": Pushed") for line in lines) == len(info.diff_ids)
    assert len(lines) == len(set(lines)), "one line a status"
    await docker.remove_image(reference)
    with pytest.raises(PullFailed, match=reference) as caught:
        await docker.pull(reference, None, lambda line: None)
    assert "dockercfg" in (caught.value.hint or "")
    by_digest = f"{reference.removesuffix(':v1')}@{digest}"
    assert await docker.pull(by_digest, RIGHT, lambda line: None) == info.id
    assert await docker.pull(reference, RIGHT, lines.append) == info.id
    with pytest.raises(PullFailed):
        await docker.pull(reference.replace(":v1", ":none"), RIGHT, lambda line: None)
    await docker.remove_image(reference)
