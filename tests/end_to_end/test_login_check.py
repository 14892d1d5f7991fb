"""`longshore login-check`: one line a credential, before anything is built."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import anyio.from_thread
import pytest

from longshore.testing.registry import FaultyRegistry, faulty_registry
from longshore.testing.registry_auth import TokenAuth

from .conftest import User

pytestmark = pytest.mark.registry

NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere"}


@pytest.fixture(scope="module")
def registry() -> Iterator[FaultyRegistry]:
    """bob may do everything but push to team/closed."""
    auth = TokenAuth(
        users={"bob": "pass-of-bob"}, denied=frozenset({"repository:team/closed:push"})
    )
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(faulty_registry(auth=auth)) as running,
    ):
        yield running


def login(user: User, host: str, password: str = "pass-of-bob") -> None:  # of the fixture
    auth = base64.b64encode(f"bob:{password}".encode()).decode()
    user.write("dockercfg", json.dumps({"auths": {host: {"auth": auth}}}))


def pushes(user: User, *repositories: str, keys: str = "dockercfg_path: dockercfg") -> None:
    user.write("codeship-services.yml", "app: {image: longshore-test/busybox}\n")
    steps = (f"- {{service: app, type: push, image_name: {r}, {keys}}}\n" for r in repositories)
    user.write("codeship-steps.yml", "".join(steps))


def test_a_push_is_tried_by_an_upload_that_is_cancelled_and_needs_no_engine(
    user: User, registry: FaultyRegistry
) -> None:
    login(user, registry.host)
    pushes(user, f"{registry.host}/team/app", f"{registry.host}/team/app:other")
    registry.recorded.clear()
    done = user.run("login-check", **NO_ENGINE)
    assert done.stdout == f"push to {registry.host}/team/app: success ✔ (dockercfg)\n" * 2
    assert done.returncode == 0
    asked = [(r.method, r.status) for r in registry.recorded if "/uploads/" in r.path]
    assert asked.count(("POST", 202)) == asked.count(("DELETE", 204)) == 2


def test_the_login_for_the_part_of_the_registry_is_tried_and_named(
    user: User, registry: FaultyRegistry
) -> None:
    """As `podman login HOST/team` leaves them."""
    login(user, registry.host, "wrong-password")
    document = json.loads((user.directory / "dockercfg").read_text())
    auth = base64.b64encode(b"bob:pass-of-bob").decode()
    document["auths"][f"{registry.host}/team"] = {"auth": auth}
    user.write("dockercfg", json.dumps(document))
    pushes(user, f"{registry.host}/team/app", f"{registry.host}/app")
    team, other = user.run("login-check", **NO_ENGINE).stdout.splitlines()
    host = registry.host
    assert team == f'push to {host}/team/app: success ✔ ("{host}/team" of dockercfg)'
    assert 'tried user "bob" from dockercfg' in other


def test_every_failing_credential_gets_a_line_with_host_repository_origin_and_remedy(
    user: User, registry: FaultyRegistry
) -> None:
    login(user, registry.host)
    pushes(user, f"{registry.host}/team/closed", f"{registry.host}/team/app", "other.invalid/x")
    done = user.run("login-check", **NO_ENGINE)
    assert done.returncode == 1
    closed, open_, other = done.stdout.splitlines()
    assert closed.startswith(f"push to {registry.host}/team/closed: failed ✘: ")
    assert "UNAUTHORIZED" in closed
    assert 'tried user "bob" from dockercfg' in closed
    assert "check that it is valid and its rights of team/closed" in closed
    assert "success" in open_
    assert f"which has credentials for {registry.host}" in other
    assert "add an entry for other.invalid" in other


def test_a_wrong_password_is_told_without_showing_it(user: User, registry: FaultyRegistry) -> None:
    login(user, registry.host, "wrong-password")
    pushes(user, f"{registry.host}/team/app")
    done = user.run("login-check", **NO_ENGINE)
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert "incorrect username or password" in done.stdout
    assert "wrong-password" not in done.stdout + done.stderr


def test_private_images_to_pull_and_base_images_are_tried_by_their_manifest(
    user: User, registry: FaultyRegistry
) -> None:
    login(user, registry.host)
    user.write("built/Dockerfile", f"FROM {registry.host}/team/base:1 AS x\nFROM scratch\n")
    user.write(
        "codeship-services.yml",
        f"pulled: {{image: '{registry.host}/team/none:2', dockercfg_path: dockercfg}}\n"
        "built: {build: built, dockercfg_path: dockercfg}\n"
        "public: {image: longshore-test/busybox}\n",
    )
    user.write(
        "codeship-steps.yml",
        "".join(f"- {{service: {name}, command: x}}\n" for name in ("pulled", "built", "public")),
    )
    done = user.run("login-check", **NO_ENGINE)
    assert done.returncode == 1
    pulled, built = done.stdout.splitlines()
    assert f"{registry.host} has no 2 of team/none" in pulled
    assert f"{registry.host} has no 1 of team/base" in built
    assert "the credentials are good" in built


def test_only_steps_that_will_run_count(user: User) -> None:
    pushes(user, "registry.invalid/x", keys="tag: never, encrypted_dockercfg_path: missing")
    done = user.run("login-check", **NO_ENGINE)
    assert (done.returncode, done.stdout) == (0, "")
    assert "no step that will run needs registry credentials" in done.stderr


def test_a_missing_file_or_key_is_a_line_like_every_other(user: User) -> None:
    pushes(user, "registry.invalid/x", keys="encrypted_dockercfg_path: missing")
    assert "cannot read the encrypted_dockercfg_path" in user.run("login-check").stdout
    user.write("missing", "longshore:1\n")
    done = user.run("login-check", **NO_ENGINE)
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert "docker: no decryptor available" in done.stdout


def test_a_generator_is_run_on_the_engine(user: User, registry: FaultyRegistry) -> None:
    login(user, registry.host)
    pushes(user, f"{registry.host}/team/app", keys="dockercfg_service: gen")
    services = user.directory / "codeship-services.yml"
    script = "exec cat /project/dockercfg > $0"
    services.write_text(
        services.read_text()
        + "gen: {image: longshore-test/busybox, volumes: ['.:/project'], "
        + f"entrypoint: {json.dumps(['sh', '-c', script])}}}\n"
    )
    done = user.run("login-check")
    assert done.returncode == 0, done
    assert 'success ✔ (the file of service "gen")' in done.stdout
    services.write_text(services.read_text().replace(script, "exit 4"))
    failed = user.run("login-check")
    assert failed.returncode == 1
    assert "running service gen had exit code 4" in failed.stdout
