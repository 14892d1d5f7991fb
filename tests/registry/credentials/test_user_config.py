from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from longshore.environment import Environment
from longshore.errors import InvalidValue, RegistryError
from longshore.registry.credentials.user_config import UserCredentials
from longshore.secrets.credential import Credential

MakeHelper = Callable[[str, str], None]
MakeConfig = Callable[[object], Environment]

ANSWERING = """
read server
case "$server" in
%s) echo '{"Username":"%s","Secret":"s"}';;
*) echo credentials not found in native keychain; exit 1;;
esac
"""


def answering(servers: str, username: str) -> str:
    return ANSWERING % (servers, username)


def entry(username: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{username}:p".encode()).decode()}


def user(found: Credential | None) -> str | None:
    return found.username if found else None


async def test_a_helper_of_its_own_beats_the_store_beats_the_file(
    make_helper: MakeHelper, make_config: MakeConfig
) -> None:
    make_helper("own", answering("quay.io", "of-own"))
    make_helper("store", answering("quay.io|gcr.io", "of-store"))
    environment = make_config(
        {
            "auths": {name: entry("of-file") for name in ("quay.io", "gcr.io", "other.io")},
            "credHelpers": {"quay.io": "own"},
            "credsStore": "store",
        }
    )
    credentials = UserCredentials.load(environment)
    assert user(await credentials.find("https://quay.io/")) == "of-own"
    assert user(await credentials.find("gcr.io")) == "of-store"
    assert user(await credentials.find("other.io")) == "of-file"
    assert await credentials.find("unknown.io") is None


async def test_the_store_is_asked_in_every_spelling_a_login_may_have_used(
    make_helper: MakeHelper, make_config: MakeConfig
) -> None:
    make_helper("store", answering("https://index.docker.io/v1/", "hub"))
    credentials = UserCredentials.load(make_config({"credsStore": "store"}))
    assert user(await credentials.find("docker.io")) == "hub"
    make_helper("store", answering("https://quay.io", "q"))
    assert user(await credentials.find("quay.io")) == "q"
    make_helper("store", answering("http://quay.io/odd/", "odd"))
    odd = {"auths": {"http://quay.io/odd/": {}}, "credsStore": "store"}
    assert user(await UserCredentials.load(make_config(odd)).find("quay.io")) == "odd"


async def test_all_credentials_are_collected_once_a_host(
    make_helper: MakeHelper, make_config: MakeConfig
) -> None:
    make_helper("own", answering("gcr.io", "g"))
    make_helper(
        "store",
        """[ "$1" = list ] && { echo '{"https://kept.io":"k"}'; exit; }"""
        + answering("https://kept.io", "k"),
    )
    environment = make_config(
        {
            "auths": {"quay.io": entry("q"), "https://quay.io": entry("q2"), "empty.io": {}},
            "credHelpers": {"gcr.io": "own"},
            "credsStore": "store",
        }
    )
    found = await UserCredentials.load(environment).all()
    assert {(registry, user(credential)) for registry, credential in found} == {
        ("gcr.io", "g"),
        ("https://kept.io", "k"),
        ("https://quay.io", "q2"),
    }


async def test_without_a_configuration_there_are_no_credentials(tmp_path: Path) -> None:
    credentials = UserCredentials.load(Environment({"HOME": str(tmp_path)}))
    assert await credentials.find("quay.io") is None
    assert await credentials.all() == ()


def test_a_configuration_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    environment = Environment({"DOCKER_CONFIG": str(tmp_path)})
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InvalidValue, match="Failed to parse dockercfg: unexpected end"):
        UserCredentials.load(environment)
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").mkdir()
    with pytest.raises(InvalidValue, match=r"cannot read .*: Is a directory"):
        UserCredentials.load(environment)


async def test_a_helper_does_not_get_the_aes_key(
    tmp_path: Path, make_helper: MakeHelper, make_config: MakeConfig
) -> None:
    make_helper("store", f"env > {tmp_path}/seen; echo credentials not found; exit 1")
    values = make_config({"credsStore": "store"}).values
    keys = {"LONGSHORE_AES_KEY": "hunter2", "CODESHIP_AES_KEY": "hunter2", "OTHER": "kept"}
    await UserCredentials.load(Environment({**values, **keys})).find("quay.io")
    assert "OTHER=kept" in (tmp_path / "seen").read_text()
    assert "hunter2" not in (tmp_path / "seen").read_text()


BROKEN = "echo error storing credentials; exit 1"


async def test_a_broken_helper_does_not_hide_what_the_file_has(
    make_helper: MakeHelper, make_config: MakeConfig
) -> None:
    """A configuration copied from a desktop names helpers that are not there."""
    make_helper("broken", BROKEN)
    for store in ("broken", "missing"):
        config = make_config({"auths": {"quay.io": entry("of-file")}, "credsStore": store})
        credentials = UserCredentials.load(config)
        assert user(await credentials.find("quay.io")) == "of-file"


async def test_a_broken_helper_is_told_where_nothing_else_is_known_but_not_for_this_machine(
    make_config: MakeConfig,
) -> None:
    credentials = UserCredentials.load(make_config({"credsStore": "missing"}))
    with pytest.raises(RegistryError, match="is not installed"):
        await credentials.find("quay.io")
    assert await credentials.find("localhost:5000") is None
    assert await credentials.find("127.0.0.1") is None


async def test_a_broken_helper_of_a_registry_of_this_machine_is_told(
    make_config: MakeConfig,
) -> None:
    credentials = UserCredentials.load(make_config({"credHelpers": {"localhost:5000": "missing"}}))
    with pytest.raises(RegistryError, match="is not installed"):
        await credentials.find("localhost:5000")
    assert await credentials.find("localhost:5001") is None


async def test_the_variable_beats_helpers_and_file(
    make_helper: MakeHelper, make_config: MakeConfig
) -> None:
    """DOCKER_AUTH_CONFIG, as CI machines give it (docker/cli#6008)."""
    make_helper("store", answering("quay.io|gcr.io", "of-store"))
    auths = {"auths": {"quay.io": entry("of-variable"), "only.io": entry("only")}}
    environment = make_config({"auths": {"gcr.io": entry("of-file")}, "credsStore": "store"})
    environment = Environment({**environment.values, "DOCKER_AUTH_CONFIG": json.dumps(auths)})
    credentials = UserCredentials.load(environment)
    assert user(await credentials.find("quay.io")) == "of-variable"
    assert user(await credentials.find("only.io")) == "only"
    assert user(await credentials.find("gcr.io")) == "of-store"
    found = await credentials.find("only.io")
    assert found is not None
    assert found.origin == "DOCKER_AUTH_CONFIG"


def test_a_variable_that_is_no_configuration_is_told_without_its_text() -> None:
    environment = Environment({"DOCKER_AUTH_CONFIG": "hunter2"})
    with pytest.raises(InvalidValue) as caught:
        UserCredentials.load(environment)
    assert "DOCKER_AUTH_CONFIG" in (caught.value.hint or "")
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


async def test_what_podman_login_has_written_is_known_after_what_docker_has(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    """containers-auth.json(5)."""
    environment = make_config({"auths": {"quay.io": entry("of-docker")}})
    values = {**environment.values, "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    values |= {"HOME": str(tmp_path / "home")}
    for name, hosts in {"run": ["quay.io", "gcr.io"], "home/.config": ["gcr.io", "a.io"]}.items():
        path = tmp_path / name / "containers" / "auth.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"auths": {host: entry(f"of-{name}") for host in hosts}}))
    credentials = UserCredentials.load(Environment(values))
    assert user(await credentials.find("quay.io")) == "of-docker"
    assert user(await credentials.find("gcr.io")) == "of-run"
    assert user(await credentials.find("a.io")) == "of-home/.config"
    assert [host for host, _ in await credentials.all()] == ["a.io", "gcr.io", "quay.io"]
    named = {**values, "REGISTRY_AUTH_FILE": str(tmp_path / "home/.config/containers/auth.json")}
    assert user(await UserCredentials.load(Environment(named)).find("gcr.io")) == "of-home/.config"


async def test_of_podmans_logins_that_for_the_part_of_the_registry_is_taken(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    """One for another part is nobody's, and hides no login of the host."""
    environment = make_config({})
    values = {**environment.values, "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    values |= {"HOME": str(tmp_path / "home")}
    for name, keys in {"run": ["quay.io/a", "quay.io/a/b"], "home/.config": ["quay.io"]}.items():
        path = tmp_path / name / "containers" / "auth.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"auths": {key: entry(key) for key in keys}}))
    credentials = UserCredentials.load(Environment(values))
    found = await credentials.find("quay.io", "a/b/c")
    assert found is not None
    assert found.username == "quay.io/a/b"
    assert found.origin == f'"quay.io/a/b" of {tmp_path}/run/containers/auth.json'
    assert user(await credentials.find("quay.io", "a/c")) == "quay.io/a"
    assert user(await credentials.find("quay.io", "other")) == "quay.io"
    assert [key for key, _ in await credentials.all()] == ["quay.io", "quay.io/a", "quay.io/a/b"]


async def test_a_file_of_podmans_that_may_not_be_read_keeps_nobody_from_docker_s(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    """After ``su`` XDG_RUNTIME_DIR is somebody else's."""
    environment = make_config({"auths": {"quay.io": entry("of-docker")}})
    (tmp_path / "containers" / "auth.json").mkdir(parents=True)
    values = {**environment.values, "XDG_RUNTIME_DIR": str(tmp_path)}
    assert user(await UserCredentials.load(Environment(values)).find("quay.io")) == "of-docker"
