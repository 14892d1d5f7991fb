"""Which registry credentials are in force, and how long generated ones live (S-53, P-6, P-31)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from longshore.config.credential_keys import CredentialKeys
from longshore.environment import Environment
from longshore.errors import EngineError, RegistryDenied, RegistryError
from longshore.oci.reference import ImageReference
from longshore.run.credentials import GENERATED_FOR, CredentialOptions, Credentials
from longshore.run.files import ProjectFiles
from longshore.secrets.key import generate_key
from longshore.secrets.masking import Masker

HOST = "registry.example"
IMAGE = ImageReference(registry=HOST, repository="team/app")
OTHER = ImageReference(registry="other.example", repository="app")
NOWHERE = ImageReference(registry="none.example", repository="app")
HERE = ImageReference(registry="localhost:5000", repository="app")
SERVICE = CredentialKeys(dockercfg_service="gen")
FILE = CredentialKeys(dockercfg_path="file")
BOTH = CredentialKeys(dockercfg_service="gen", encrypted_dockercfg_path="sealed")
PLAIN_AND_SERVICE = CredentialKeys(dockercfg_service="gen", dockercfg_path="file")


def dockercfg(password: str, *hosts: str) -> str:
    entry = {"username": "bob", "password": password}
    return json.dumps({"auths": dict.fromkeys(hosts or (HOST,), entry)})


@dataclass
class Generator:
    """Writes another password each time; fails as often as told."""

    failures: int = 0
    runs: int = 0

    async def __call__(self, service: str) -> bytes:
        self.runs += 1
        await anyio.lowlevel.checkpoint()
        if self.runs <= self.failures:
            raise EngineError(f"{service} failed")
        return dockercfg(f"generated-{self.runs}").encode()


@dataclass
class Desk:
    """Credentials of a project below `directory`, with a clock in our hands."""

    directory: Path
    generator: Generator = field(default_factory=Generator)
    now: float = 0.0
    masker: Masker = field(default_factory=Masker)

    def credentials(
        self, flags: CredentialKeys | None = None, *, user_login: bool = True
    ) -> Credentials:
        return Credentials(
            self.directory,
            Environment({"HOME": str(self.directory), "PATH": ""}),
            ProjectFiles(generate_key, self.masker, lambda _: None),
            CredentialOptions(flags=flags or CredentialKeys(), user_login=user_login),
            self.generator,
            clock=lambda: self.now,
        )

    def login(self, password: str, *hosts: str) -> None:
        (self.directory / ".docker").mkdir()
        (self.directory / ".docker/config.json").write_text(dockercfg(password, *hosts))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "file").write_text(dockercfg("of-the-file"))
    return Desk(tmp_path)


async def password(credentials: Credentials, *chain: CredentialKeys) -> str | None:
    found = await credentials.for_pull(chain, IMAGE)
    return found.password.reveal() if found is not None and found.password is not None else None


async def test_the_first_place_that_names_credentials_decides(desk: Desk) -> None:
    desk.login("of-the-user")
    assert await password(desk.credentials(), FILE, SERVICE) == "of-the-file"
    assert await password(desk.credentials(), SERVICE, FILE) == "generated-1"
    assert await password(desk.credentials(FILE)) == "of-the-file"
    assert await password(desk.credentials(FILE), SERVICE) == "generated-2"
    assert await password(desk.credentials()) == "of-the-user"
    assert await password(desk.credentials(user_login=False)) is None


def test_a_file_beats_a_generator_in_one_place_and_generators_can_be_left_out(desk: Desk) -> None:
    credentials = desk.credentials(FILE)
    assert credentials.source((BOTH, SERVICE)) is BOTH
    assert credentials.source((SERVICE,), generated=False) is FILE
    assert not desk.credentials(SERVICE).source((SERVICE,), generated=False)


async def test_a_generator_beside_a_plain_file_never_runs(desk: Desk) -> None:
    """S-52; nor for its own image, which would wait for itself (P-34)."""
    credentials = desk.credentials()
    assert await password(credentials, PLAIN_AND_SERVICE) == "of-the-file"
    found = await credentials.for_pull((PLAIN_AND_SERVICE,), IMAGE, generated=False)
    assert found is not None
    assert desk.generator.runs == 0


async def test_generated_credentials_are_used_for_ten_minutes_and_then_made_anew(
    desk: Desk,
) -> None:
    credentials = desk.credentials()
    desk.now = GENERATED_FOR - 1
    assert await password(credentials, SERVICE) == "generated-1"
    desk.now += GENERATED_FOR - 0.1
    assert await password(credentials, SERVICE) == "generated-1"
    desk.now += 0.1
    assert await password(credentials, SERVICE) == "generated-2"


async def test_steps_side_by_side_run_a_generator_once_and_a_failure_is_forgotten(
    desk: Desk,
) -> None:
    credentials = desk.credentials()
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(password, credentials, SERVICE)
    assert desk.generator.runs == 1
    desk.generator = Generator(failures=1)
    other = desk.credentials()
    with pytest.raises(EngineError):
        await password(other, SERVICE)
    assert await password(other, SERVICE) == "generated-2"


async def test_what_credentials_hold_is_masked_also_as_the_auth_of_a_file(desk: Desk) -> None:
    await password(desk.credentials(), FILE)
    auth = "Ym9iOm9mLXRoZS1maWxl"  # bob:of-the-file
    assert desk.masker.mask_text(f"of-the-file {auth}") == "*** ***"


async def test_a_build_gets_all_of_a_file_and_of_the_user_what_its_base_images_need(
    desk: Desk,
) -> None:
    desk.login("of-the-user", HOST, "other.example")

    def hosts(found: Mapping[str, object]) -> list[str]:
        return sorted(found)

    credentials = desk.credentials()
    assert hosts(await credentials.for_build((FILE,), [OTHER])) == [HOST]
    assert hosts(await credentials.for_build((), [OTHER])) == ["other.example"]
    assert hosts(await credentials.for_build((), [NOWHERE])) == []
    assert hosts(await desk.credentials(user_login=False).for_build((), [IMAGE])) == []


async def test_of_several_logins_for_a_host_pulls_builds_and_pushes_take_that_for_the_image(
    desk: Desk,
) -> None:
    entry = {"username": "", "password": "p"}
    names = (HOST, f"{HOST}/team", f"{HOST}/team/other")
    auths = json.dumps({"auths": {name: {**entry, "username": name} for name in names}})
    (desk.directory / "file").write_text(auths)
    desk.login("")
    (desk.directory / ".docker/config.json").write_text(auths)
    for chain in ((), (FILE,)):
        credentials = desk.credentials()
        built = await credentials.for_build(chain, [IMAGE])
        found = (
            await credentials.for_pull(chain, IMAGE),
            await credentials.for_push(chain, IMAGE, f"https://{HOST}"),
            built[HOST],
        )
        assert [one.username for one in found if one] == [f"{HOST}/team"] * 3


async def test_pushing_elsewhere_than_the_file_knows_is_refused_early(desk: Desk) -> None:
    with pytest.raises(RegistryDenied, match=f"which has credentials for {HOST}"):
        await desk.credentials().for_push((FILE,), OTHER)
    assert await desk.credentials().for_push((FILE,), HERE) is None
    assert await desk.credentials().for_push((), OTHER) is None


async def test_a_broken_helper_of_the_users_stops_no_pull_and_is_told(desk: Desk) -> None:
    (desk.directory / ".docker").mkdir()
    (desk.directory / ".docker/config.json").write_text('{"credsStore": "missing"}')
    told: list[str] = []
    credentials = desk.credentials()
    credentials.files = ProjectFiles(generate_key, desk.masker, told.append)
    assert await credentials.for_pull((), IMAGE) is None
    assert not await credentials.for_build((), [IMAGE])
    assert len(told) == 1
    ending = f"is not installed, or not in PATH; pulling from {HOST} without credentials"
    assert told[0].endswith(ending)
    with pytest.raises(RegistryError, match="is not installed"):
        await credentials.for_push((), IMAGE)
