"""What a request's path means (OCI distribution spec 1.1, "Endpoints"); pure.

Names, tags and digests are parsed here, so nothing behind it ever sees a path made by a client.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from msgspec import Struct


class Kind(StrEnum):
    """The endpoints, without their methods; OTHER is none of them, like a token server's."""

    BASE = "base"
    CATALOG = "catalog"
    TAGS = "tags"
    REFERRERS = "referrers"
    MANIFEST = "manifest"
    BLOB = "blob"
    UPLOADS = "uploads"
    UPLOAD = "upload"
    OTHER = "other"


class Route(Struct, frozen=True, kw_only=True):
    """An endpoint, the repository it is about, and the last part of its path; not yet checked."""

    kind: Kind
    repository: str = ""
    reference: str = ""


# Greedy: a repository may itself be called "blobs" or "tags", so the last such word decides.
_PATTERNS: Final = (
    (Kind.TAGS, re.compile(r"(?P<name>.+)/tags/list")),
    (Kind.UPLOADS, re.compile(r"(?P<name>.+)/blobs/uploads/?")),
    (Kind.UPLOAD, re.compile(r"(?P<name>.+)/blobs/uploads/(?P<reference>[^/]+)")),
    (Kind.BLOB, re.compile(r"(?P<name>.+)/blobs/(?P<reference>[^/]+)")),
    (Kind.MANIFEST, re.compile(r"(?P<name>.+)/manifests/(?P<reference>[^/]+)")),
    (Kind.REFERRERS, re.compile(r"(?P<name>.+)/referrers/(?P<reference>[^/]+)")),
)


def route_of(path: str) -> Route | None:
    """The endpoint of a (decoded) path, or None when the API has no such path."""
    if path in ("/v2", "/v2/"):
        return Route(kind=Kind.BASE)
    if path == "/v2/_catalog":
        return Route(kind=Kind.CATALOG)
    rest = path.removeprefix("/v2/")
    if rest == path:
        return None
    for kind, pattern in _PATTERNS:
        if match := pattern.fullmatch(rest):
            parts = match.groupdict()
            return Route(kind=kind, repository=parts["name"], reference=parts.get("reference", ""))
    return None
