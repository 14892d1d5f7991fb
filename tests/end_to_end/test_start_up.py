"""What starting costs: commands load what their work needs, and nothing else."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from longshore.testing.registry_process import run_registry

from .conftest import User

WAITING = (
    "cryptography",
    "sqlite3",
    "tarfile",
    "longshore.engine.docker.buildx",
    "longshore.engine.docker.ssh",
    "longshore.engine.docker.tls_stream",
    "longshore.engine.embedded",
    "longshore.image.archive",
    "longshore.image.choose",
    "longshore.image.containerd",
    "longshore.image.export",
    "longshore.image.packer_process",
    "longshore.image.pipeline",
    "longshore.registry.push_stream",
    "longshore.run.push.engine_push",
    "longshore.run.push.engine_store",
    "longshore.run.push.without_store",
)
"""What only a push needs that sends something, or whose layers are not in a store we can read."""

HEAVY = ("aiohttp", "cryptography", "rich", "sqlite3")


def test_what_has_to_wait_has_these_names() -> None:
    assert [name for name in WAITING if find_spec(name) is None] == []


def loaded(user: User, *words: str, of: tuple[str, ...] = HEAVY) -> list[str]:
    """Those modules that the command imported."""
    done = user.run(*words, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0, done.stderr
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    return [name for name in of if name in modules]


def test_steps_that_push_nothing_load_no_registry_client_and_no_cipher(user: User) -> None:
    user.write("codeship-services.yml", "app: {image: longshore-test/busybox}\n")
    user.write("codeship-steps.yml", "- {service: app, command: 'true'}\n")
    assert loaded(user, "validate") == []
    assert loaded(user, "steps") == []


def test_a_push_that_finds_nothing_changed_loads_nothing_that_reads_or_sends(
    user: User, tmp_path: Path
) -> None:
    with run_registry(tmp_path / "registry") as registry:
        words = ("push", "longshore-test/busybox", f"{registry.host}/team/app:1")
        assert "longshore.image.pipeline" in loaded(user, *words, of=WAITING)
        assert loaded(user, *words, of=WAITING) == []
