"""What starting costs: commands load what their work needs, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import User  # type: ignore[import-not-found]  # the folder's conftest

HEAVY = ("aiohttp", "cryptography", "rich", "sqlite3")


def loaded(user: User, *words: str) -> list[str]:
    """The heavy packages that the command imported."""
    done = user.run(*words, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0, done.stderr
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    return [name for name in HEAVY if name in modules]


def test_steps_that_push_nothing_load_no_registry_client_and_no_cipher(user: User) -> None:
    user.write("codeship-services.yml", "app: {image: longshore-test/busybox}\n")
    user.write("codeship-steps.yml", "- {service: app, command: 'true'}\n")
    assert loaded(user, "validate") == []
    assert loaded(user, "steps") == []
