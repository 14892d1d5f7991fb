"""What is handed to ``docker buildx``, and how: nothing secret where others can read it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from longshore.engine.docker.bake import TARGET, definition
from longshore.engine.docker.buildx import (
    Setting,
    build,
    child_environment,
    command,
    config_file,
    configure,
    driver,
    installed,
)
from longshore.engine.docker.dial import Address
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import BuildSpec
from longshore.environment import Environment
from longshore.errors import BuildFailed
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


def _defined(spec: BuildSpec, *, keeps_cache: bool = False) -> dict[str, Any]:
    """The one target of the definition."""
    targets = json.loads(definition(spec, keeps_cache=keeps_cache))["target"]
    assert list(targets) == [TARGET]
    found: dict[str, Any] = targets[TARGET]
    return found


def test_the_command_line_names_files_and_no_value(spec: BuildSpec, tmp_path: Path) -> None:
    words = command(spec, tmp_path)
    assert not [word for word in words if "hidden" in word]
    line = " ".join(words)
    for part in ("--pull", "--no-cache", "--provenance=false --sbom=false", "--load"):
        assert part in line


def test_the_definition_says_all_of_a_build_but_its_secrets(
    spec: BuildSpec, tmp_path: Path
) -> None:
    assert b"hidden-secret" not in definition(spec)
    assert _defined(spec) == {
        "context": str(tmp_path),
        "dockerfile": str(tmp_path / "D"),
        "args": {"ARG": "hidden-argument", "EMPTY": ""},
        "secret": ["id=token,env=LONGSHORE_SECRET_0"],
        "tags": ["a:1", "b:2"],
        "labels": {"l": "v"},
        "cache-from": ["type=registry,ref=c:1"],
        "cache-to": ["type=inline"],
    }


def test_no_text_of_a_user_is_taken_for_a_template(spec: BuildSpec, tmp_path: Path) -> None:
    odd = replace(
        spec,
        context=tmp_path / "${x}",
        arguments=(("ARG", "${HOME} %{if} $x 100% $${y}"),),
        labels={"a${b}": "${c}"},
    )
    target = _defined(odd)
    assert target["context"] == str(tmp_path / "$${x}")
    assert target["args"] == {"ARG": "$${HOME} %%{if} $x 100% $$${y}"}
    assert target["labels"] == {"a$${b}": "$${c}"}


def test_secrets_are_in_the_childs_environment_and_arguments_are_not(
    spec: BuildSpec, setting: Setting, tmp_path: Path
) -> None:
    odd = (("ARG", "hidden-argument"), ("PATH", "/hidden"), ("DOCKER_HOST", "tcp://hidden"))
    child = child_environment(setting, replace(spec, arguments=odd), tmp_path)
    assert "ARG" not in child
    assert child["LONGSHORE_SECRET_0"] == "hidden-secret"
    assert child["DOCKER_HOST"] == "unix:///run/e.sock"
    assert "DOCKER_CONTEXT" not in child
    assert child["PATH"] == "/bin"
    assert child["BUILDX_CONFIG"] == str(tmp_path / "user" / "buildx")


def test_a_build_logs_in_with_what_its_service_has_and_not_with_the_variable_docker_prefers(
    spec: BuildSpec, setting: Setting, tmp_path: Path
) -> None:
    theirs = {**setting.environment.values, "DOCKER_AUTH_CONFIG": '{"auths": {}}'}
    setting = replace(setting, environment=Environment(theirs))
    assert "DOCKER_AUTH_CONFIG" not in child_environment(setting, spec, tmp_path)


def test_a_build_on_an_image_of_the_engine_takes_the_builder_that_sees_it(
    spec: BuildSpec, setting: Setting, tmp_path: Path
) -> None:
    theirs = {**setting.environment.values, "BUILDX_BUILDER": "theirs"}
    setting = replace(setting, environment=Environment(theirs))
    assert child_environment(setting, spec, tmp_path)["BUILDX_BUILDER"] == "theirs"
    on_a_sibling = replace(spec, from_engine=True)
    assert child_environment(setting, on_a_sibling, tmp_path)["BUILDX_BUILDER"] == "default"


def test_the_configuration_is_private_and_holds_the_users_plugins(
    setting: Setting, tmp_path: Path
) -> None:
    directory = tmp_path / "private"
    directory.mkdir()
    configure(directory, setting)
    assert stat.S_IMODE((directory / "config").stat().st_mode) == 0o700
    assert (directory / "config" / "cli-plugins").is_dir()


needs_memfd = pytest.mark.skipif(
    not hasattr(os, "memfd_create"), reason="this system has no files in memory"
)


@pytest.mark.parametrize("in_memory", [pytest.param(True, marks=needs_memfd), False])
def test_the_config_file_knows_only_the_builds_credentials(
    spec: BuildSpec,
    setting: Setting,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_memory: bool,
) -> None:
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    path = tmp_path / "config.json"
    with config_file(path, setting, spec):
        # As another process reads it, and as often as it likes.
        read = [subprocess.run(["cat", path], capture_output=True, check=True) for _ in range(2)]
        assert in_memory or stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read[0].stdout == read[1].stdout
    content = json.loads(read[0].stdout)
    assert list(content["auths"]) == ["https://index.docker.io/v1/"]
    assert "proxies" in content


@needs_memfd
async def test_credentials_of_a_build_are_never_on_the_disk(
    spec: BuildSpec, plugged: Callable[[str], Setting], tmp_path: Path
) -> None:
    (tmp_path / "D").touch()
    # What can be read of the directory by its files alone is what a killed run would leave.
    script = 'find "$DOCKER_CONFIG" -type f -exec cat {} + >"$kept"\n' + ENDS_WELL.replace(
        'cat "$file" >"$kept"', 'grep -q auths "$DOCKER_CONFIG/config.json" || exit 1'
    )
    await build(plugged(script), spec, lambda line: None)
    assert b"auths" not in (tmp_path / "kept").read_bytes()


async def test_without_docker_there_is_no_buildx(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not await installed(Environment({"PATH": str(tmp_path)}))


@pytest.mark.parametrize(
    ("said", "usable"),
    [
        ("github.com/docker/buildx v0.29.1 abc", True),
        ("github.com/docker/buildx 0.13.1+ds1", True),
        ("buildah 1.33.7", False),
    ],
)
async def test_only_docker_s_own_buildx_is_one(tmp_path: Path, said: str, usable: bool) -> None:
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    assert await installed(Environment({"PATH": f"{tmp_path}:/bin:/usr/bin"})) is usable


@pytest.fixture
def plugged(setting: Setting, tmp_path: Path) -> Callable[[str], Setting]:
    """Makes `docker` a shell script; it finds the words of `bake` in variables."""

    def make(script: str) -> Setting:
        program = tmp_path / "bin" / "docker"
        program.parent.mkdir()
        program.write_text(
            f"#!/bin/sh\nkept={tmp_path}/kept\n"
            "while [ $# -gt 0 ]; do\n"
            "case $1 in --file) file=$2 ;; --metadata-file) told=$2 ;; esac\nshift\n"
            f"done\n{script}"
        )
        program.chmod(0o755)
        path = f"{program.parent}:/bin:/usr/bin"
        values = {**setting.environment.values, "PATH": path}
        return replace(setting, environment=Environment(values))

    return make


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('test "$DOCKER_HOST" = unix:///run/e.sock && echo "Driver:  remote"', "remote"),
        ("printf 'Name:   default\\nDriver: \\nLast Activity: 2026-11-26\\n'", "docker"),
        ("exit 1", "docker"),
    ],
)
async def test_the_builder_is_asked_for_at_the_engine_that_will_build(
    spec: BuildSpec, plugged: Callable[[str], Setting], script: str, found: str
) -> None:
    assert await driver(plugged(script), spec) == found


ENDS_WELL = """
cat "$file" >"$kept"
echo '{"image": {"containerimage.digest": "sha256:1"}}' >"$told"
echo "#1 DONE"
"""


async def test_a_definition_longer_than_a_pipe_holds_arrives_and_the_image_is_named(
    spec: BuildSpec, plugged: Callable[[str], Setting], tmp_path: Path
) -> None:
    long = replace(spec, arguments=(("GIT_LOG", "x" * 300_000), ("PATH", "/of/the/image")))
    (tmp_path / "D").touch()
    lines: list[str] = []
    assert await build(plugged(ENDS_WELL), long, lines.append) == ("sha256:1",)
    assert (tmp_path / "kept").read_bytes() == definition(long)
    assert lines == ["#1 DONE"]


async def test_a_disk_without_room_for_our_own_files_fails_the_build(
    spec: BuildSpec,
    plugged: Callable[[str], Setting],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "D").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(BuildFailed, match="temporary files cannot be written: No such file"):
        await build(plugged(ENDS_WELL), spec, lambda line: None)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'ERROR: failed to solve: no'; exit 1", "failed to solve: no"),
        ("exit 7", "docker buildx ended with code 7"),
        ("exit 0", "ended without naming an image"),
        ("echo nonsense >$told", "ended without naming an image"),
    ],
)
async def test_a_build_that_fails_before_it_reads_anything_is_told(
    spec: BuildSpec, plugged: Callable[[str], Setting], tmp_path: Path, script: str, words: str
) -> None:
    long = replace(spec, arguments=(("ARG", "x" * 300_000),))
    (tmp_path / "D").touch()
    with anyio.fail_after(20), pytest.raises(BuildFailed, match=words):
        await build(plugged(script), long, lambda line: None)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """In the background shells ignore SIGINT, and their children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
async def test_a_cancelled_build_is_interrupted_and_gives_back_what_it_opened(
    spec: BuildSpec, plugged: Callable[[str], Setting], tmp_path: Path
) -> None:
    (tmp_path / "D").touch()
    # Not "sleep 60 & wait": a signal just before dash waits is seen when the wait is over.
    setting = plugged(
        "trap 'echo interrupted >$kept; exit 1' INT\necho up\nwhile :; do sleep 0.1; done\n"
    )
    long = replace(spec, arguments=(("ARG", "x" * 300_000),))
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    with anyio.CancelScope() as scope:
        await build(setting, long, lambda line: scope.cancel())
    assert scope.cancelled_caught
    assert (tmp_path / "kept").read_text() == "interrupted\n"
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before


@pytest.mark.usefixtures("interruptible")
async def test_a_cancelled_build_interrupts_the_plugin_too(
    spec: BuildSpec, plugged: Callable[[str], Setting], tmp_path: Path
) -> None:
    (tmp_path / "D").touch()
    plugin = "trap 'echo interrupted >$kept; exit 1' INT; echo up; while :; do sleep 0.1; done"
    with anyio.CancelScope() as scope:
        await build(plugged(f'trap : INT\nsh -c "{plugin}"\n'), spec, lambda line: scope.cancel())
    assert scope.cancelled_caught
    assert (tmp_path / "kept").read_text() == "interrupted\n"


@pytest.mark.usefixtures("interruptible")
async def test_a_cancelled_build_that_does_not_heed_its_interruption_is_killed(
    spec: BuildSpec,
    plugged: Callable[[str], Setting],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("longshore.engine.docker.buildx_process._STOP_SECONDS", 0.1)
    (tmp_path / "D").touch()
    deaf = plugged("trap '' INT\necho up\nfor i in $(seq 300); do sleep 0.1; done\necho >$kept\n")
    with anyio.CancelScope() as scope:
        await build(deaf, spec, lambda line: scope.cancel())
    assert scope.cancelled_caught
    assert not (tmp_path / "kept").exists()


def test_a_builder_that_can_keeps_the_cache_of_all_stages_and_no_error_of_it_counts(
    spec: BuildSpec,
) -> None:
    assert _defined(spec, keeps_cache=True)["cache-to"] == [
        "type=registry,ref=c:1,mode=max,ignore-error=true"
    ]


def test_images_that_only_the_engine_knows_are_no_cache_for_buildx(spec: BuildSpec) -> None:
    assert _defined(replace(spec, cache_from=("sha256:" + 64 * "0",)))["cache-from"] == []
