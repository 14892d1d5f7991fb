from __future__ import annotations

import base64
import io
import json
import stat
from pathlib import Path

import pytest

from longshore.commands.dockercfg import dockercfg
from longshore.environment import Environment
from longshore.errors import InvalidValue, KeyUnavailable, RegistryError
from longshore.registry.credentials.dockercfg import parse_dockercfg
from longshore.secrets import envelope
from longshore.secrets.atomic_file import StandardStreams
from longshore.secrets.key import AesKey
from longshore.secrets.key_lookup import KeySource

KEY = AesKey(bytes(range(32)))
HELPER = """#!/bin/sh
if [ "$1" = list ]; then echo '{"https://index.docker.io/v1/":"me"}'; exit; fi
read server
case "$server" in
https://index.docker.io/v1/) echo '{"Username":"me","Secret":"hunter2"}';;
x.azurecr.io) echo '{"Username":"<token>","Secret":"ey.token"}';;
*) echo credentials not found in native keychain; exit 1;;
esac
"""


class Run:
    """A machine with a docker configuration and a credential helper."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.said: list[str] = []
        self.stdout = io.BytesIO()
        program = directory / "docker-credential-chain"
        program.write_text(HELPER)
        program.chmod(0o755)
        self.configure(
            {
                "auths": {"https://quay.io": {"auth": base64.b64encode(b"q:pass").decode()}},
                "credsStore": "chain",
                "credHelpers": {"x.azurecr.io": "chain"},
            }
        )

    def configure(self, document: object) -> None:
        (self.directory / "config.json").write_text(json.dumps(document))

    async def __call__(self, target: str, *registries: str, key: AesKey | None = None) -> int:
        variables = {
            "DOCKER_CONFIG": str(self.directory),
            "PATH": f"{self.directory}:/usr/bin:/bin",
        }
        keys = {"LONGSHORE_AES_KEY": key.reveal_text()} if key else {}
        return await dockercfg(
            target=target,
            registries=registries,
            keys=KeySource(environment=Environment(keys), directory=self.directory)
            if key
            else None,
            environment=Environment(variables),
            streams=StandardStreams(stdin=io.BytesIO(), stdout=self.stdout),
            out=self.said.append,
        )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


async def test_an_encrypted_file_with_everything_the_machine_knows(run: Run) -> None:
    target = run.directory / "dockercfg.encrypted"
    assert await run(str(target), key=KEY) == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    plain = envelope.decrypt(target.read_bytes(), KEY, "x")
    entries = dict(parse_dockercfg(plain, origin="x").entries)
    assert sorted(entries) == ["https://index.docker.io/v1/", "https://quay.io", "x.azurecr.io"]
    hub, token = entries["https://index.docker.io/v1/"], entries["x.azurecr.io"]
    assert hub.password is not None
    assert (hub.username, hub.password.reveal()) == ("me", "hunter2")
    assert token.identity_token is not None
    assert token.identity_token.reveal() == "ey.token"
    assert run.said[-1].endswith(f"encrypted_dockercfg_path: {target}")
    assert not any("hunter2" in line or "ey.token" in line for line in run.said)


async def test_a_plain_file_is_for_its_owner_alone_and_warned_of(run: Run) -> None:
    target = run.directory / "dockercfg"
    assert await run(str(target)) == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert "auths" in json.loads(target.read_text())
    assert "not encrypted" in run.said[-1]


async def test_registries_can_be_picked(run: Run) -> None:
    assert await run("-", "docker.io") == 0
    assert list(json.loads(run.stdout.getvalue())["auths"]) == ["docker.io"]
    with pytest.raises(InvalidValue, match=r"no credentials for gcr\.io in .*config\.json"):
        await run("-", "docker.io", "gcr.io")


async def test_nothing_to_write_is_an_error_and_writes_nothing(run: Run) -> None:
    run.configure({"auths": {}})
    with pytest.raises(InvalidValue, match=r"there are no credentials in .*config\.json"):
        await run(str(run.directory / "out"))
    assert not (run.directory / "out").exists()


async def test_a_helper_that_is_missing_is_told(run: Run) -> None:
    run.configure({"credsStore": "gone"})
    with pytest.raises(RegistryError, match='"docker-credential-gone" is not installed'):
        await run(str(run.directory / "out"))


async def test_without_a_key_no_helper_is_asked(run: Run) -> None:
    run.configure({"credsStore": "gone"})
    with pytest.raises(KeyUnavailable, match="No AES key provided"):
        await dockercfg(
            target="-",
            registries=(),
            keys=KeySource(environment=Environment({}), directory=run.directory),
            environment=Environment({"DOCKER_CONFIG": str(run.directory)}),
            streams=StandardStreams(stdin=io.BytesIO(), stdout=run.stdout),
            out=run.said.append,
        )
