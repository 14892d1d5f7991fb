"""Builds by BuildKit through ``docker buildx bake``.

Nothing secret stands on a command line, which every user of the machine can read: values of build
arguments go through a pipe, those of secrets in the child's environment, credentials in a
configuration directory of their own that only we can read, and whose file is in memory: a run that
is killed leaves none behind.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from msgspec import Struct

from longshore.engine.docker.bake import TARGET, definition, secret_variables
from longshore.engine.docker.buildx_process import run_to_end
from longshore.engine.docker.context import prepare
from longshore.engine.docker.convert import buildx_auths
from longshore.engine.docker.dial import Address
from longshore.engine.endpoint import Endpoint
from longshore.engine.spec import BuildSpec
from longshore.environment import Environment
from longshore.errors import BuildFailed
from longshore.processes import run

_METADATA = "metadata.json"
_DEFINITION = "bake.json"
_DROPPED = frozenset(
    (
        "DOCKER_CONTEXT",
        "DOCKER_TLS_VERIFY",
        "DOCKER_TLS",
        "DOCKER_CERT_PATH",
        # docker prefers it to the configuration, where the build's logins are (docker/cli 6008).
        "DOCKER_AUTH_CONFIG",
    )
)
"""What the user's docker would go by, and ours must not."""


class Setting(Struct, frozen=True, kw_only=True):
    """Where the command finds the engine, and the user's environment."""

    address: Address
    endpoint: Endpoint
    environment: Environment
    keeps_cache: bool = False


async def installed(environment: Environment) -> bool:
    """Whether ``docker buildx`` can be used; Podman's imitation of it has no bake."""
    try:
        result = await run(["docker", "buildx", "version"], env=environment.values)
    except OSError:
        return False
    return result.returncode == 0 and b"docker/buildx" in result.stdout


async def driver(setting: Setting, spec: BuildSpec) -> str:
    """What the builder runs on: ``docker`` (inside the engine), ``docker-container``, …

    Asked as the build will be run: a builder is chosen for each engine.
    """
    with _configured(setting, spec) as directory:
        result = await run(
            ["docker", "buildx", "inspect"], env=child_environment(setting, spec, directory)
        )
    # An engine that does not answer leaves it empty.
    said = result.stdout.decode(errors="replace")
    found = re.search(r"^Driver:[ \t]*(\S+)", said, re.MULTILINE)
    return found[1] if found else "docker"


async def build(
    setting: Setting, spec: BuildSpec, on_line: Callable[[str], None]
) -> tuple[str, ...]:
    """Build, and load the result into the engine; the digests that may be its id there.

    Which of them it is depends on the engine's store: dockerd's own names images by their
    configuration, containerd's by their manifest.
    """
    await anyio.to_thread.run_sync(prepare, spec.context, spec.dockerfile)
    with _configured(setting, spec) as directory:
        await run_to_end(
            command(spec, directory),
            definition(spec, keeps_cache=setting.keeps_cache),
            spec.context,
            child_environment(setting, spec, directory),
            on_line,
        )
        return _digests(directory / _METADATA)


def command(spec: BuildSpec, directory: Path) -> list[str]:
    """The command line; the definition is what it reads from its standard input."""
    words = ["docker", "buildx", "bake", "--progress", "plain", "--load"]
    words += ["--provenance=false", "--sbom=false", "--metadata-file", str(directory / _METADATA)]
    words += ["--file", str(directory / _DEFINITION)]
    words += ["--pull"] if spec.pull else []
    words += ["--no-cache"] if spec.no_cache else []
    return [*words, TARGET]


def child_environment(setting: Setting, spec: BuildSpec, directory: Path) -> dict[str, str]:
    """The user's environment, pointed at our engine and at the private configuration."""
    user = setting.environment
    docker = {
        "DOCKER_HOST": _host(setting),
        "DOCKER_CONFIG": str(directory / "config"),
        "BUILDX_CONFIG": user.values.get("BUILDX_CONFIG")
        or str(user.docker_config_directory / "buildx"),
    }
    if setting.address.tls is not None:
        verify = setting.endpoint.tls is None or setting.endpoint.tls.verify
        docker["DOCKER_CERT_PATH"] = str(directory / "tls")
        docker["DOCKER_TLS_VERIFY" if verify else "DOCKER_TLS"] = "1"
    if spec.from_engine:
        # The builder inside of the engine: no other sees the engine's images.
        docker["BUILDX_BUILDER"] = "default"
    return {
        **{name: value for name, value in user.values.items() if name not in _DROPPED},
        **secret_variables(spec),
        # It asks before it reads outside of its working directory, as for a stranger's definition.
        "BUILDX_BAKE_ENTITLEMENTS_FS": "0",
        # What it would look up for the provenance that is left out.
        "BUILDX_GIT_INFO": "0",
        "BUILDX_METADATA_PROVENANCE": "disabled",
        **docker,
    }


def _host(setting: Setting) -> str:
    address = setting.address
    if address.socket is not None:
        return f"unix://{address.socket}"
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"tcp://{host}:{address.port}"


@contextmanager
def _configured(setting: Setting, spec: BuildSpec) -> Iterator[Path]:
    with ExitStack() as stack:
        try:
            made = tempfile.TemporaryDirectory(prefix="longshore-buildx-")
            directory = Path(stack.enter_context(made))
            configure(directory, setting)
            stack.enter_context(config_file(directory / "config" / "config.json", setting, spec))
        except OSError as fault:
            raise BuildFailed(
                f"the build's temporary files cannot be written: {fault.strerror or fault}",
                hint="make room on the disk, or name another directory with TMPDIR",
            ) from fault
        yield directory


def configure(directory: Path, setting: Setting) -> None:
    """Fill the private directory (the temporary directory's mode is 0700).

    The user's plugins, contexts and builders stay usable; their credentials are not seen. The
    definition's name tells bake what it reads, else it would try a compose file first.
    """
    (directory / _DEFINITION).symlink_to("/dev/stdin")
    config = directory / "config"
    config.mkdir(mode=0o700)
    own = setting.environment.docker_config_directory
    for name in ("cli-plugins", "contexts"):
        with suppress(PermissionError):  # what is not for us is not for the build
            if (own / name).is_dir():
                (config / name).symlink_to(own / name)
    _tls_files(directory / "tls", setting)


@contextmanager
def config_file(path: Path, setting: Setting, spec: BuildSpec) -> Iterator[None]:
    """The private ``config.json`` while the block runs.

    It is a link to what only our process holds, where the system can do that (memfd_create(2)).
    """
    own = setting.environment.docker_config_directory
    content = json.dumps({**_harmless(own), "auths": buildx_auths(spec.credentials)}).encode()
    if not hasattr(os, "memfd_create"):
        path.touch(mode=0o600)
        path.write_bytes(content)
        yield
        return
    with os.fdopen(os.memfd_create(path.name), "wb") as file:
        file.write(content)
        file.flush()
        path.symlink_to(f"/proc/{os.getpid()}/fd/{file.fileno()}")
        yield


def _harmless(own: Path) -> dict[str, Any]:
    """The user's settings that a build may need and that name no credentials."""
    try:
        content = json.loads((own / "config.json").read_text())
    except (OSError, ValueError):
        return {}
    wanted = ("cliPluginsExtraDirs", "proxies", "aliases")
    return {k: content[k] for k in wanted if isinstance(content, Mapping) and k in content}


def _tls_files(directory: Path, setting: Setting) -> None:
    files = setting.endpoint.tls
    if files is None or setting.address.tls is None:
        return
    directory.mkdir(mode=0o700)
    named = (("ca.pem", files.ca), ("cert.pem", files.certificate), ("key.pem", files.key))
    for name, path in named:
        if path is not None:
            (directory / name).symlink_to(path.absolute())


def _digests(metadata: Path) -> tuple[str, ...]:
    try:
        answer = json.loads(metadata.read_text())[TARGET]
        found = [answer.get(f"containerimage.{kind}") for kind in ("config.digest", "digest")]
    except (OSError, ValueError, LookupError, AttributeError) as error:
        raise BuildFailed("docker buildx ended without naming an image") from error
    return tuple(str(digest) for digest in found if digest)
