"""What is handed to ``docker buildx``, and how: nothing secret where others can read it."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from longshore.engine.docker.buildx import (
    Setting,
    child_environment,
    command,
    configure,
    installed,
    reserved,
)
from longshore.engine.docker.dial import Address
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import BuildSpec
from longshore.environment import Environment
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret


@pytest.fixture
def spec(tmp_path: Path) -> BuildSpec:
    return BuildSpec(
        context=tmp_path,
        dockerfile=tmp_path / "D",
        tags=("a:1", "b:2"),
        arguments=(("ARG", "hidden-argument"), ("EMPTY", "")),
        secrets=(("token", "hidden-secret"),),
        labels={"l": "v"},
        credentials={"docker.io": Credential(username="u", password=Secret("hidden-password"))},
        cache_from=("c:1",),
        cache_to="c:1",
        pull=True,
        no_cache=True,
    )


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    user = tmp_path / "user"
    (user / "cli-plugins").mkdir(parents=True)
    (user / "config.json").write_text('{"auths": {"x": {"auth": "eA=="}}, "proxies": {}}')
    return Setting(
        address=Address(where="w", local=True, socket="/run/e.sock"),
        endpoint=Endpoint(url="unix:///run/e.sock", origin="test"),
        environment=Environment(
            {"DOCKER_CONFIG": str(user), "DOCKER_CONTEXT": "other", "PATH": "/bin"}
        ),
    )


def test_no_value_stands_on_the_command_line(spec: BuildSpec, tmp_path: Path) -> None:
    words = command(spec, tmp_path)
    assert not [word for word in words if "hidden" in word]
    line = " ".join(words)
    for part in (
        "--build-arg ARG",
        "--build-arg EMPTY",
        "--secret id=token,env=LONGSHORE_SECRET_0",
        "--tag a:1 --tag b:2",
        "--label l=v",
        "--cache-from type=registry,ref=c:1",
        "--cache-to type=inline",
        "--pull",
        "--no-cache",
        "--provenance=false --sbom=false",
        "--load",
    ):
        assert part in line


def test_values_are_in_the_childs_environment(
    spec: BuildSpec, setting: Setting, tmp_path: Path
) -> None:
    child = child_environment(setting, spec, tmp_path)
    assert child["ARG"] == "hidden-argument"
    assert child["EMPTY"] == ""
    assert child["LONGSHORE_SECRET_0"] == "hidden-secret"
    assert child["DOCKER_HOST"] == "unix:///run/e.sock"
    assert "DOCKER_CONTEXT" not in child
    assert child["PATH"] == "/bin"
    assert child["BUILDX_CONFIG"] == str(tmp_path / "user" / "buildx")


def test_the_configuration_is_private_and_knows_only_the_builds_credentials(
    spec: BuildSpec, setting: Setting, tmp_path: Path
) -> None:
    directory = tmp_path / "private"
    directory.mkdir()
    configure(directory, setting, spec)
    config = directory / "config"
    assert stat.S_IMODE(config.stat().st_mode) == 0o700
    assert stat.S_IMODE((config / "config.json").stat().st_mode) == 0o600
    content = json.loads((config / "config.json").read_text())
    assert list(content["auths"]) == ["https://index.docker.io/v1/"]
    assert "proxies" in content
    assert (config / "cli-plugins").is_dir()


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "DOCKER_HOST", "BUILDX_BUILDER", "http_proxy", "LD_PRELOAD"]
)
def test_arguments_named_like_the_commands_own_variables_are_found(name: str) -> None:
    assert reserved(["FINE", name]) == (name,)


async def test_without_docker_there_is_no_buildx(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not await installed(Environment({"PATH": str(tmp_path)}))


def test_a_builder_that_can_keeps_the_cache_of_all_stages_and_no_error_of_it_counts(
    spec: BuildSpec, tmp_path: Path
) -> None:
    line = " ".join(command(spec, tmp_path, keeps_cache=True))
    assert "--cache-to type=registry,ref=c:1,mode=max,ignore-error=true" in line


def test_images_that_only_the_engine_knows_are_no_cache_for_buildx(
    spec: BuildSpec, tmp_path: Path
) -> None:
    words = command(replace(spec, cache_from=("sha256:" + 64 * "0",)), tmp_path)
    assert "--cache-from" not in words
