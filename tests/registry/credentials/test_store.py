from __future__ import annotations

import pytest
from msgspec.structs import replace

from longshore.errors import RegistryDenied
from longshore.oci.reference import ImageReference
from longshore.registry.credentials.store import CredentialStore
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret


def store(*registries: str, origin: str = "dockercfg.encrypted") -> CredentialStore:
    """Each registry's user is called as the registry is spelled."""
    return CredentialStore(
        tuple((name, Credential(username=name, password=Secret("p"))) for name in registries),
        origin,
    )


def user(found: Credential | None) -> str | None:
    return found.username if found else None


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("https://index.docker.io/v1/", ""),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "https://index.docker.io/v1/"),
        ("registry-1.docker.io", "hub.docker.com"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com", "https://123456789012.dkr.ecr.us-east-1.amazonaws.com/"),
        ("https://gcr.io", "gcr.io"),
        ("quay.io", "quay.io/username/reponame"),
        ("QUAY.io/v2/", "https://quay.io"),
        ("http://localhost:5000", "localhost:5000"),
    ],
)  # fmt: skip
def test_spellings_of_the_same_host_match(written: str, asked: str) -> None:
    assert user(store("other.io", written).find(asked)) == written


@pytest.mark.parametrize(
    ("written", "asked"),
    [("quay.io", "quay.io:443"), ("localhost:5000", "localhost:5001"), ("gcr.io", "us.gcr.io")],
)
def test_other_hosts_and_ports_do_not(written: str, asked: str) -> None:
    assert store(written).find(asked) is None


def test_of_several_the_one_spelled_exactly_so_is_preferred_else_the_first() -> None:
    several = store("quay.io", "https://quay.io", "https://quay.io/v1/")
    assert user(several.find("https://quay.io/v1/")) == "https://quay.io/v1/"
    assert user(several.find("https://quay.io")) == "https://quay.io"
    assert user(several.find("https://quay.io/")) == "quay.io"


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("team/app", "quay.io/team/app"),
        ("team/app/deep", "quay.io/team/app"),
        ("team/app2", "quay.io/team"),
        ("team", "quay.io/team"),
        ("teams/app", "https://quay.io"),
    ],
)
def test_the_longest_key_that_is_a_part_of_the_name_is_taken_then_the_hosts(
    repository: str, expected: str
) -> None:
    """containers-auth.json(5); `skopeo login --get-login` answers so."""
    several = store("quay.io/other", "quay.io/team", "https://quay.io", "quay.io/team/app")
    assert user(several.find("https://quay.io", repository)) == expected


def test_docker_hub_has_parts_under_its_own_name() -> None:
    hub = store("https://index.docker.io/v1/", "docker.io/me", "docker.io/library")
    assert user(hub.find("https://index.docker.io/v1/", "me/app")) == "docker.io/me"
    assert user(hub.find("docker.io", "library/busybox")) == "docker.io/library"
    assert user(hub.find("", "you/app")) == "https://index.docker.io/v1/"


def test_a_key_for_another_part_counts_for_the_host_where_paths_are_cut_off() -> None:
    """As docker reads its own file (P-19); podman does not."""
    one = store("quay.io/team")
    assert user(one.find("quay.io", "other/app")) == "quay.io/team"
    assert replace(one, scoped=True).find("quay.io", "other/app") is None
    assert user(replace(one, scoped=True).find("quay.io", "team/app")) == "quay.io/team"


def test_missing_credentials_are_told_with_the_hosts_there_are() -> None:
    with pytest.raises(RegistryDenied) as caught:
        store("quay.io", "https://index.docker.io/v1/").require("https://gcr.io")
    assert caught.value.message == (
        "no credentials for gcr.io in dockercfg.encrypted, "
        "which has credentials for docker.io, quay.io"
    )
    assert caught.value.registry == "gcr.io"
    with pytest.raises(RegistryDenied, match="for no registry at all"):
        store().require("gcr.io")


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:5000", "127.0.0.1:5000", "127.1.2.3", "[::1]:5000", "a.localhost:1"],
)
def test_a_registry_on_this_machine_may_do_without(host: str) -> None:
    assert store("quay.io").require(host) is None


def test_all_credentials_are_given_by_host_for_a_build() -> None:
    by_host = store("https://quay.io/v1/", "quay.io", "https://index.docker.io/v1/").by_host()
    assert {host: found.username for host, found in by_host.items()} == {
        "docker.io": "https://index.docker.io/v1/",
        "quay.io": "quay.io",
    }


def test_a_build_gets_for_a_host_what_is_for_its_first_base_image_there() -> None:
    several = store("quay.io", "quay.io/team", "quay.io/other", "gcr.io")
    bases = ["quay.io/team/base", "quay.io/other/base", "busybox"]
    by_host = several.by_host(map(ImageReference.parse, bases))
    found = {host: found.username for host, found in by_host.items()}
    assert found == {"gcr.io": "gcr.io", "quay.io": "quay.io/team"}


def test_a_store_does_not_show_its_passwords() -> None:
    held = CredentialStore((("quay.io", Credential(username="u", password=Secret("hunter2"))),))
    assert "hunter2" not in repr(held)
