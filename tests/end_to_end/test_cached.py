"""``cached: true`` with a real engine and a real registry: a fresh machine builds like a used one.

The machine is made fresh by taking the images away: the engine's classic builder keeps its cache in
the images themselves, so nothing of it is left.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from longshore.engine.docker.engine import DockerEngine, connect
from longshore.engine.endpoint import Endpoint
from longshore.errors import NotFound

from .conftest import User


@dataclass(frozen=True)
class Project:
    """A cached service whose first layer is slow; its user, and the names its images get."""

    user: User
    endpoint: Endpoint
    image: str
    repository: str

    def build(self, *words: str) -> str:
        """Run the pipeline; everything it wrote."""
        words = ("steps", "--builder", "classic", "--cache-registry", self.repository, *words)
        done = self.user.run(*words)
        said: str = done.stdout + done.stderr
        assert done.returncode == 0, said
        return said

    async def forget(self) -> None:
        """Take the images and with them the engine's cache away: the machine is fresh again."""
        async with connect(self.endpoint) as engine:
            for branch in ("master", "topic", "other"):
                await _removed(engine, f"{self.repository}:app-{branch}")
            await _removed(engine, self.image)


async def _removed(engine: DockerEngine, name: str) -> None:
    try:
        await engine.remove_image(name)
    except NotFound:
        return


@pytest.fixture
async def project(
    user: User, docker_registry_url: str, busybox_image: str, engine_endpoint: Endpoint
) -> AsyncIterator[Project]:
    """See `Project`; no layer of it is like one of another test."""
    mark = uuid.uuid4().hex[:12]
    image = f"longshore-test/cached-{mark}"
    host = docker_registry_url.removeprefix("http://")
    user.write(
        "Dockerfile",
        f"FROM {busybox_image}\nRUN echo slow work {mark} | tee /slow\nCOPY source /source\n",
    )
    user.write("source", "one\n")
    user.write(
        "codeship-services.yml",
        f"app: {{build: {{image: {image}, context: .}}, cached: true}}\n",
    )
    user.write("codeship-steps.yml", "- {service: app, command: cat /slow /source}\n")
    project = Project(user, engine_endpoint, image, f"{host}/cache-{mark}")
    yield project
    await project.forget()


def hits(said: str) -> int:
    """How many instructions were answered from the cache."""
    return len(re.findall(r"---> Using cache", said))


async def test_a_fresh_machine_builds_with_the_layers_of_the_last_build(project: Project) -> None:
    first = project.build("--ci-branch", "topic")
    assert hits(first) == 0
    assert "No image cache at" in first

    await project.forget()
    second = project.build("--ci-branch", "topic")
    assert hits(second) == 2
    assert "The push refers to repository" not in second

    project.user.write("source", "two\n")
    await project.forget()
    third = project.build("--ci-branch", "topic")
    assert hits(third) == 1
    assert "two" in third
    assert "The push refers to repository" in third

    await project.forget()
    assert hits(project.build("--ci-branch", "topic")) == 2


async def test_a_new_branch_starts_from_the_cache_of_master(project: Project) -> None:
    project.build()
    await project.forget()
    assert hits(project.build("--ci-branch", "other")) == 2


async def test_an_unreachable_cache_registry_fails_nothing_and_is_told_once(
    project: Project,
) -> None:
    said = project.build("--cache-registry", "127.0.0.1:1/cache")
    assert said.count("the image cache cannot be used") == 1
    assert "success" in said


async def test_without_a_cache_registry_the_key_is_ignored_with_a_notice(project: Project) -> None:
    done = project.user.run("steps", "--builder", "classic")
    assert done.returncode == 0
    assert done.stderr.count('"cached" of service "app" is ignored') == 1
