"""Image references: ``[registry/]repository[:tag][@digest]``.

The grammar is that of github.com/distribution/reference (``reference.go``, ``normalize.go``).
One deliberate difference: a first component with upper-case letters and neither dot, colon nor
``localhost`` is an error here, as in Docker up to 20.10, not a host name (spec P-10).
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from longshore.errors import InvalidValue
from longshore.oci.digest import Digest

DOCKER_HUB: Final = "docker.io"
HUB_LOGIN: Final = "https://index.docker.io/v1/"
"""What docker and its engine call Docker Hub where they keep and take logins."""
DEFAULT_TAG: Final = "latest"

_HUB_NAMES: Final = frozenset(
    {"", DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "hub.docker.com"}
)
_OFFICIAL: Final = "library/"
_MAX_NAME: Final = 255

_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:]+\])(?::(?P<port>[0-9]{{1,5}}))?")
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")


def normalise_registry(text: str) -> str:
    """The host (and port) that `text` means, in lower case, without scheme, user and path.

    All names of Docker Hub, and the empty text, give `DOCKER_HUB` (spec P-19). Never raises:
    the keys of a credentials file are what the user made them.
    """
    _, scheme, rest = text.strip().rpartition("://")
    authority = (rest if scheme else text.strip()).partition("/")[0]
    host = authority.rpartition("@")[2].strip().lower()
    return DOCKER_HUB if host in _HUB_NAMES else host


class ImageReference(Struct, frozen=True, kw_only=True):
    """An image's full name: `registry` normalised, `repository` as the registry's API wants it.

    Raises InvalidValue when any part breaks the grammar, however it is made.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    def __post_init__(self) -> None:
        _check_host(self.registry)
        check_repository(self.repository)
        if self.registry == DOCKER_HUB and "/" not in self.repository:
            raise InvalidValue(
                f'"{self.repository}" is not a repository of Docker Hub',
                hint=f'official images are "{_OFFICIAL}{self.repository}" there',
            )
        if len(self.registry) + 1 + len(self.repository) > _MAX_NAME:
            raise InvalidValue(
                f'image name "{self.repository[:40]}…" is too long',
                hint=f"registry and repository together have at most {_MAX_NAME} characters",
            )
        if self.tag is not None:
            check_tag(self.tag)

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """What a user wrote: ``busybox``, ``user/app:1.2``, ``localhost:5000/app@sha256:…``."""
        _check_shape(text)
        named, at, digest = text.partition("@")
        name, tag = _split_tag(named)
        host, repository = _split_host(name)
        return cls(
            registry=host,
            repository=repository,
            tag=tag,
            digest=Digest.parse(digest) if at else None,
        )

    @property
    def name(self) -> str:
        """What an engine calls it, without tag: Hub's host and ``library/`` are left off."""
        if self.registry != DOCKER_HUB:
            return f"{self.registry}/{self.repository}"
        first, _, rest = self.repository.partition("/")
        if f"{first}/" == _OFFICIAL and rest and "/" not in rest:
            return rest
        # A first component that looks like a host would be taken for one when read again.
        return f"{DOCKER_HUB}/{self.repository}" if names_host(f"{first}/") else self.repository

    @property
    def tag_or_latest(self) -> str:
        """The tag, or ``latest`` when none was written."""
        return self.tag or DEFAULT_TAG

    def with_tag(self, tag: str) -> ImageReference:
        """The same image under another tag, without a digest."""
        return replace(self, tag=tag, digest=None)

    def with_default_tag(self) -> ImageReference:
        """Tagged ``latest`` when there is neither tag nor digest (as engines read it)."""
        return self if self.tag or self.digest else replace(self, tag=DEFAULT_TAG)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}{f'@{self.digest}' if self.digest else ''}"


def is_same_name(one: str, other: str) -> bool:
    """Whether both texts name the same image, however much of the name each leaves out.

    A text that is no image's name is the same as itself only.
    """
    try:
        names = [ImageReference.parse(text).with_default_tag() for text in (one, other)]
    except InvalidValue:
        return one == other
    return names[0] == names[1]


def names_host(name: str) -> bool:
    """Whether the first part of a name is a host, as engines tell: by a dot, a colon, localhost."""
    first, slash, _ = name.partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")


def check_repository(repository: str) -> str:
    """`repository` itself when it is the name of one (``library/busybox``); raises InvalidValue."""
    bare = repository.removeprefix(_OFFICIAL) or repository
    if any(character.isupper() for character in repository):
        raise InvalidValue(
            f'image name "{_short(bare)}" has upper-case letters',
            hint=f'write "{_short(bare.lower())}": repository names are lower case',
        )
    for part in repository.split("/"):
        if not part:
            raise InvalidValue(
                f'image name "{_short(bare)}" has an empty part',
                hint='write it without leading, trailing or double "/"',
            )
        if not _COMPONENT.fullmatch(part):
            raise InvalidValue(
                f'"{_short(part)}" cannot be part of an image name',
                hint="each part is made of a-z and 0-9, joined by one dot, one or two underscores, "
                "or hyphens",
            )
    return repository


def check_tag(tag: str) -> str:
    """`tag` itself when it is one; raises InvalidValue."""
    if not tag:
        raise InvalidValue("the tag is empty", hint='write one after the ":", or leave the ":" off')
    if not _TAG.fullmatch(tag):
        raise InvalidValue(
            f'"{_short(tag)}" is not a tag',
            hint="a tag has at most 128 letters, digits, underscores, dots and hyphens, "
            "and begins with neither dot nor hyphen",
        )
    return tag


def _split_tag(named: str) -> tuple[str, str | None]:
    head, colon, tag = named.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (named, None)


def _split_host(name: str) -> tuple[str, str]:
    host, repository = DOCKER_HUB, name
    if names_host(name):
        first, _, repository = name.partition("/")
        host = normalise_registry(first)
    if host == DOCKER_HUB and repository and "/" not in repository:
        repository = _OFFICIAL + repository
    return host, repository


def _check_shape(text: str) -> None:
    if not text:
        raise InvalidValue("the image name is empty", hint='write for example "user/app:1.0"')
    if "://" in text:
        raise InvalidValue(
            f'image name "{_short(text)}" starts with a scheme',
            hint=f'leave "{text.partition("://")[0][:20]}://" off: a name begins with the host',
        )
    if any(character.isspace() for character in text):
        raise InvalidValue(f'image name "{_short(text)}" contains blanks', hint="remove them")
    if _IMAGE_ID.fullmatch(text):
        raise InvalidValue(
            f'"{text[:12]}…" is an image id, not a name', hint="give the image a name and use that"
        )


def _check_host(host: str) -> None:
    match = _HOST.fullmatch(host)
    if not match or int(match["port"] or 0) > 65535:
        raise InvalidValue(
            f'"{_short(host)}" is not the host of a registry',
            hint='a host looks like "quay.io" or "localhost:5000"; a tag contains no "/"',
        )


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
