"""Image references against the documented grammar of github.com/distribution/reference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.errors import InvalidValue
from longshore.oci.digest import Digest
from longshore.oci.reference import DOCKER_HUB, ImageReference, is_same_name, normalise_registry

HEX = "0123456789abcdef" * 4

HUB_SPELLINGS = (
    "",
    "docker.io",
    "index.docker.io",
    "https://index.docker.io/v1/",
    "https://registry-1.docker.io",
    "hub.docker.com",
    "HTTPS://Index.Docker.IO",
    " docker.io/ ",
)


@pytest.mark.parametrize("text", HUB_SPELLINGS)
def test_every_spelling_of_docker_hub_is_one_host(text: str) -> None:
    assert normalise_registry(text) == DOCKER_HUB


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("quay.io", "quay.io"),
        ("https://gcr.io", "gcr.io"),
        ("https://gcr.io/", "gcr.io"),
        ("https://US-central1-docker.pkg.dev/v2/", "us-central1-docker.pkg.dev"),
        ("quay.io/username/reponame", "quay.io"),
        ("http://localhost:5000/v1", "localhost:5000"),
        ("https://user:password@Example.com:443/x", "example.com:443"),
        ("quay.io /", "quay.io"),
    ],
)
def test_registry_spellings_of_real_files_give_their_host(text: str, host: str) -> None:
    assert normalise_registry(text) == host


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("app", "docker.io/library/app:latest", True),
        ("user/app:1", "docker.io/user/app:1", True),
        ("app:1", "app:2", False),
        ("app", "quay.io/app", False),
        ("No Name", "No Name", True),
        ("No Name", "app", False),
    ],
)
def test_two_spellings_of_a_name_are_one_name(one: str, other: str, same: bool) -> None:
    assert is_same_name(one, other) is same
    assert is_same_name(other, one) is same


@given(st.text())
def test_normalising_a_registry_never_fails_and_is_idempotent(text: str) -> None:
    once = normalise_registry(text)
    assert normalise_registry(once) == once


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "name"),
    [
        ("busybox", DOCKER_HUB, "library/busybox", None, "busybox"),
        ("busybox:1.36", DOCKER_HUB, "library/busybox", "1.36", "busybox"),
        ("library/busybox", DOCKER_HUB, "library/busybox", None, "busybox"),
        ("user/app", DOCKER_HUB, "user/app", None, "user/app"),
        ("index.docker.io/user/app:x", DOCKER_HUB, "user/app", "x", "user/app"),
        ("docker.io/busybox", DOCKER_HUB, "library/busybox", None, "busybox"),
        ("docker.io/foo.com/bar", DOCKER_HUB, "foo.com/bar", None, "docker.io/foo.com/bar"),
        ("localhost/app", "localhost", "app", None, "localhost/app"),
        ("localhost:5000/myapp", "localhost:5000", "myapp", None, "localhost:5000/myapp"),
        ("Quay.io/a/b/c:v1", "quay.io", "a/b/c", "v1", "quay.io/a/b/c"),
        ("[fd00::1]:5000/app", "[fd00::1]:5000", "app", None, "[fd00::1]:5000/app"),
        ("host:5000", DOCKER_HUB, "library/host", "5000", "host"),
        ("a__b-c--d/e.f", DOCKER_HUB, "a__b-c--d/e.f", None, "a__b-c--d/e.f"),
    ],
)
def test_a_reference_is_split_as_engines_do(
    text: str, registry: str, repository: str, tag: str | None, name: str
) -> None:
    reference = ImageReference.parse(text)
    assert (reference.registry, reference.repository, reference.tag) == (registry, repository, tag)
    assert reference.name == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("User/app", "upper-case"),
        ("app:", "the tag is empty"),
        ("app:.hidden", "not a tag"),
        ("app:" + "x" * 129, "not a tag"),
        ("quay.io/", "empty part"),
        ("user//app", "empty part"),
        ("/app", "empty part"),
        ("a___b", "cannot be part"),
        ("-app", "cannot be part"),
        ("app.", "cannot be part"),
        ("https://quay.io/app", "scheme"),
        ("my app", "blanks"),
        ("app\n", "blanks"),
        (HEX, "image id"),
        ("app@sha256:12", "not a digest"),
        ("app:feature/x", "not the host"),
        ("-bad.example.com/app", "not the host"),
        ("example.com:99999/app", "not the host"),
        ("quay.io/" + "a" * 250, "too long"),
        ("größe/app", "cannot be part"),
        ("app:größe", "not a tag"),
    ],
)
def test_what_is_no_reference_is_refused_with_a_reason(text: str, says: str) -> None:
    with pytest.raises(InvalidValue, match=says) as caught:
        ImageReference.parse(text)
    assert caught.value.hint


def test_the_hint_for_upper_case_is_the_name_to_write() -> None:
    with pytest.raises(InvalidValue) as caught:
        ImageReference.parse("MyUser/App")
    assert '"myuser/app"' in (caught.value.hint or "")


def test_tags_and_digests_are_kept_changed_and_defaulted() -> None:
    digest = Digest.parse(f"sha256:{HEX}")
    both = ImageReference.parse(f"user/app:1@{digest}")
    assert (both.tag, both.digest) == ("1", digest)
    assert str(both) == f"user/app:1@{digest}"
    assert str(both.with_tag("2")) == "user/app:2"
    assert both.with_default_tag() == both
    assert str(ImageReference.parse("user/app").with_default_tag()) == "user/app:latest"
    assert ImageReference.parse("user/app").tag_or_latest == "latest"
    by_digest = ImageReference.parse(f"user/app@{digest}")
    assert by_digest.with_default_tag() == by_digest


def test_an_invalid_reference_cannot_be_made_past_the_parser() -> None:
    with pytest.raises(InvalidValue, match="not a tag"):
        ImageReference.parse("app").with_tag("a b")
    with pytest.raises(InvalidValue, match="not a repository of Docker Hub"):
        ImageReference(registry=DOCKER_HUB, repository="busybox")
    with pytest.raises(InvalidValue, match="upper-case"):
        ImageReference(registry="quay.io", repository="App")


ALNUM = st.text("abc019", min_size=1, max_size=4)
COMPONENTS = st.builds(
    lambda first, rest: first + "".join(s + part for s, part in rest),
    ALNUM,
    st.lists(st.tuples(st.sampled_from([".", "_", "__", "-", "---"]), ALNUM), max_size=2),
)
HOSTS = st.sampled_from(
    ["user/", "localhost/", "localhost:5000/", "quay.io/", "docker.io/", "[::1]:5000/", "a-b.c:80/"]
)
TAGS = st.one_of(st.just(""), st.from_regex(r"\A:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z"))
DIGESTS = st.sampled_from(["", f"@sha256:{HEX}"])
REFERENCES = st.builds(
    lambda host, path, tag, digest: host + "/".join(path) + tag + digest,
    HOSTS,
    st.lists(COMPONENTS, min_size=1, max_size=4),
    TAGS,
    DIGESTS,
)


@given(REFERENCES)
def test_whatever_the_grammar_allows_is_read_and_survives_a_round_trip(text: str) -> None:
    reference = ImageReference.parse(text)
    assert ImageReference.parse(str(reference)) == reference
    assert text.endswith(str(reference).removeprefix(reference.name))


@given(st.one_of(st.text(), st.text("aA0._-/:@ [", max_size=20)))
def test_any_text_is_a_reference_or_an_invalid_value(text: str) -> None:
    try:
        reference = ImageReference.parse(text)
    except InvalidValue:
        return
    assert ImageReference.parse(str(reference)) == reference
