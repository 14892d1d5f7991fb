"""The program as users run it: a process of its own, on a real engine."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from longshore.engine.docker.engine import connect
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import Resource
from longshore.run.scope import OWNER, OWNER_LABEL, PROJECT_LABEL
from longshore.secrets.envelope import Format, encrypt
from longshore.secrets.key import AesKey, generate_key
from longshore.testing.registry_process import Settings, run_registry

PROGRAM = Path(sys.executable).parent / "longshore"
UP = "sh -c 'trap exit TERM; echo up; sleep 60 & wait'"
"""A command that says when it is up and ends at SIGTERM; `sleep` as process 1 does not."""


@dataclass
class User:
    """Somebody with a project directory, an engine, and a home of their own."""

    directory: Path
    environment: dict[str, str]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, name: str, text: str) -> Path:
        """A file of the project."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`longshore` to its end, with both outputs."""
        return subprocess.run(
            [PROGRAM, *words],
            cwd=self.directory,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`longshore` in the background; killed at the end of the test at the latest."""
        process = subprocess.Popen(
            [PROGRAM, *words],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def left_on(self, endpoint: Endpoint) -> list[Resource]:
        """What the runs of the project have on an engine now."""
        return list(anyio.run(_resources, endpoint, PROJECT_LABEL, str(self.directory)))


async def _resources(endpoint: Endpoint, label: str, value: str) -> tuple[Resource, ...]:
    async with connect(endpoint) as engine:
        return await engine.resources({label: value})


@pytest.fixture
def user(tmp_path: Path, engine_endpoint: Endpoint, busybox_image: str) -> Iterator[User]:
    """A user with an empty project, whose engine has `longshore-test/busybox`."""
    home = tmp_path / "home"
    project = tmp_path / "project"
    home.mkdir()
    project.mkdir()
    user = User(project, _environment(home, {"DOCKER_HOST": engine_endpoint.url}))
    yield user
    for process in user.processes:
        process.kill()
        process.communicate()
    # Of whatever project; most tests leave nothing, and a process more takes half a second.
    if anyio.run(_resources, engine_endpoint, OWNER_LABEL, OWNER):
        user.run("cleanup")


def _environment(home: Path, variables: Mapping[str, str]) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        **variables,
    }


def wait_for_line(process: subprocess.Popen[str], text: str) -> str:
    """Read standard output up to a line with `text`; what was read so far."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"{text!r} never came; there was:\n{seen}{process.communicate()[1]}")


@pytest.fixture
def wait_for() -> object:
    """`wait_for_line`, for tests."""
    return wait_for_line


class Vault:
    """The key of a project, and what is encrypted with it; bob's password at registries."""

    password = "pass-Wort-9:ü"
    generator = """\
generator:
  image: longshore-test/busybox
  entrypoint: ["sh", "-c", "echo Writing Docker creds to $0; printf %s \\"$CFG\\" > $0"]
  encrypted_env_file: generator.encrypted
"""

    def __init__(self, user: User) -> None:
        self.key: AesKey = generate_key()
        self.user = user
        user.write("codeship.aes", self.key.reveal_text())

    def file(self, name: str, text: str, shape: Format = Format.LONGSHORE) -> None:
        """An encrypted file of the project."""
        (self.user.directory / name).write_bytes(encrypt(text.encode(), self.key, shape))

    def inline(self, text: str) -> str:
        """An encrypted text as a YAML value."""
        return json.dumps(encrypt(text.encode(), self.key, Format.JET_V1).decode())

    def dockercfg(self, host: str) -> str:
        """A credentials file for one registry."""
        auth = base64.b64encode(f"bob:{self.password}".encode()).decode()
        return json.dumps({"auths": {host: {"auth": auth}}})


@pytest.fixture
def vault(user: User) -> Vault:
    return Vault(user)


@pytest.fixture
def password_registry(tmp_path: Path, vault: Vault) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Debian's registry with htpasswd and a certificate of its own authority: host and flags."""
    settings = Settings(users={"bob": vault.password}, tls=True)
    with run_registry(tmp_path / "registry", settings) as process:
        yield process.host, ("--registry-ca", str(process.authority))
