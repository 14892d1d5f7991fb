"""``longshore push`` of an archive, to a registry in memory: what it tells of each target."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import aiohttp
import anyio.from_thread
import pytest
from msgspec import Struct, field
from msgspec.structs import replace

from longshore.commands.push import PushCommand, push_images
from longshore.environment import Environment
from longshore.errors import InvalidValue, RegistryDenied, RegistryUnavailable
from longshore.registry.limits import Limits
from longshore.report.sink import Sink
from longshore.run.push.settings import PushSettings
from longshore.testing.faults import FORBIDDEN, Late, Script, on
from longshore.testing.images import RandomLayer, write_archive
from longshore.testing.registry import FaultyRegistry, faulty_registry
from longshore.testing.registry_auth import BasicAuth


class Pushing(Struct, kw_only=True):
    """An image in a file and a registry; what is told goes to `out` and `err`."""

    folder: Path
    registry: FaultyRegistry
    settings: PushSettings = field(default_factory=PushSettings)
    out: io.BytesIO = field(default_factory=io.BytesIO)
    err: io.BytesIO = field(default_factory=io.BytesIO)

    def push(self, *targets: str, quiet: bool = False, user_credentials: bool = True) -> int:
        """The exit code; ``R/`` at the beginning of a target is the registry."""
        archive = self.folder / "saved.tar"
        write_archive(archive, "app:1", [RandomLayer(content=20_000, files=2, seed=1)])
        request = PushCommand(
            image=str(archive),
            targets=tuple(one.replace("R/", f"{self.registry.host}/") for one in targets),
            settings=replace(self.settings, metadata_file=self.metadata_file),
            user_credentials=user_credentials,
            quiet=quiet,
        )
        environment = Environment({"HOME": str(self.folder)})
        return push_images(request, environment, Sink(self.out, self.err), lambda: None)

    def log_in(self, logins: Mapping[str, str]) -> None:
        """As docker and podman keep a login: ``user:password`` for each key."""
        encoded = {key: base64.b64encode(one.encode()).decode() for key, one in logins.items()}
        config = self.folder / ".docker" / "config.json"
        config.parent.mkdir()
        config.write_text(json.dumps({"auths": {key: {"auth": encoded[key]} for key in encoded}}))

    @property
    def lines(self) -> list[str]:
        """What went to standard output, each line up to the digest."""
        return [line.partition("@")[0] for line in self.out.getvalue().decode().splitlines()]

    @property
    def metadata_file(self) -> Path:
        return self.folder / "pushed.json"

    @property
    def noted(self) -> list[str]:
        """The targets in the metadata file."""
        pushes = json.loads(self.metadata_file.read_text())["pushes"]
        return [target for one in pushes for target in one["targets"]]


@pytest.fixture
def pushing(tmp_path: Path) -> Iterator[Pushing]:
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(faulty_registry()) as registry,
    ):
        yield Pushing(folder=tmp_path, registry=registry)


def test_a_target_given_twice_is_pushed_and_told_once(pushing: Pushing) -> None:
    assert pushing.push("R/app:1", "R/app:1", "R/app:latest", "R/app") == 0
    host = pushing.registry.host
    assert pushing.lines == [f"pushed {host}/app:1", f"pushed {host}/app:latest"]
    assert pushing.noted == [f"{host}/app:1", f"{host}/app:latest"]


def test_a_metadata_file_that_turns_out_to_be_full_hides_no_digest(pushing: Pushing) -> None:
    pushing.metadata_file.symlink_to("/dev/full")
    with pytest.raises(BaseExceptionGroup) as caught:
        pushing.push("R/app:a", "R/other:a")
    assert caught.group_contains(InvalidValue, match="No space left on device", depth=None)
    host = pushing.registry.host
    assert pushing.lines == [f"pushed {host}/app:a", f"pushed {host}/other:a"]


def test_tags_that_were_written_are_told_though_another_was_refused(pushing: Pushing) -> None:
    pushing.registry.plan = Script([on("PUT manifest", FORBIDDEN, path="/b$", times=None)])
    with pytest.raises(BaseExceptionGroup) as caught:
        pushing.push("R/app:a", "R/app:b", "R/app:c")
    host = pushing.registry.host
    assert caught.group_contains(RegistryDenied, match=f"for image {host}/app:b, ", depth=None)
    assert pushing.lines == [f"pushed {host}/app:a", f"pushed {host}/app:c"]
    assert pushing.noted == [f"{host}/app:a", f"{host}/app:c"]


def test_a_tag_that_stood_there_before_is_told_though_another_was_refused(
    pushing: Pushing,
) -> None:
    assert pushing.push("R/app:a") == 0
    pushing.registry.plan = Script([on("PUT manifest", FORBIDDEN, path="/b$", times=None)])
    with pytest.raises(BaseExceptionGroup):
        pushing.push("R/app:a", "R/app:b")
    assert pushing.noted == [f"{pushing.registry.host}/app:a"]


def test_the_digest_is_printed_though_the_push_into_another_repository_took_too_long(
    pushing: Pushing,
) -> None:
    pushing.registry.plan = Script([on("POST uploads", Late(pause=60), path="silent", times=None)])
    pushing.settings = PushSettings(limits=Limits(deadline=1.0))
    with pytest.raises(BaseExceptionGroup) as caught:
        pushing.push("R/app:a", "R/silent:a", quiet=True)
    assert caught.group_contains(RegistryUnavailable, match="did not finish", depth=None)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", pushing.out.getvalue().decode())
    assert pushing.noted == [f"{pushing.registry.host}/app:a"]


def test_a_tag_whose_answer_did_not_come_in_time_is_told_as_one_that_may_be_there(
    pushing: Pushing,
) -> None:
    pushing.registry.plan = Script([on("PUT manifest", Late(pause=60), path="/b$", times=None)])
    pushing.settings = PushSettings(limits=Limits(deadline=1.0))
    with pytest.raises(BaseExceptionGroup):
        pushing.push("R/app:a", "R/app:b")
    told = [line for line in pushing.err.getvalue().decode().splitlines() if "may have" in line]
    assert len(told) == 1
    assert told[0].startswith(f"{pushing.registry.host}/app:b may have been written: ")
    assert pushing.noted == [f"{pushing.registry.host}/app:a"]


def test_the_users_login_is_no_remedy_where_it_does_not_count(pushing: Pushing) -> None:
    pushing.registry.auth = BasicAuth(users={"bob": "right"})
    with pytest.raises(BaseExceptionGroup) as caught:
        pushing.push("R/app:a", user_credentials=False)
    (denied,) = caught.value.exceptions
    assert isinstance(denied, RegistryDenied)
    assert "(--no-user-credentials)" in (denied.hint or "")
    assert "docker login" not in (denied.hint or "")


def test_each_repository_is_pushed_with_the_login_for_its_part_of_the_registry(
    pushing: Pushing,
) -> None:
    host = pushing.registry.host
    pushing.registry.auth = BasicAuth(users={"bob": "p", "eve": "p"})
    pushing.log_in({host: "bob:p", f"{host}/team": "eve:p"})
    assert pushing.push("R/app:a", "R/team/app:a", "R/team/app:b") == 0
    pushers = {
        (asked.path, aiohttp.BasicAuth.decode(asked.headers["Authorization"]).login)
        for asked in pushing.registry.recorded
        if asked.method == "PUT" and "/manifests/" in asked.path
    }
    assert pushers == {
        ("/v2/app/manifests/a", "bob"),
        ("/v2/team/app/manifests/a", "eve"),
        ("/v2/team/app/manifests/b", "eve"),
    }


def test_a_password_that_a_refusal_repeats_is_told_to_nobody(pushing: Pushing) -> None:
    """By one that asked for no login, and knows it all the same."""
    host = pushing.registry.host
    refusal = replace(FORBIDDEN, message="no pass-of-bob")
    pushing.registry.plan = Script([on("POST uploads", refusal, times=None)])
    pushing.log_in({host: "bob:pass-of-bob"})
    with pytest.raises(BaseExceptionGroup) as caught:
        pushing.push("R/app:1")
    assert caught.group_contains(RegistryDenied, match=r"DENIED: no \*\*\* \(", depth=None)
