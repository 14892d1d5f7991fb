"""Lists: tags, catalogue, referrers (OCI distribution spec 1.1, "Content Discovery")."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from aiohttp import hdrs, web
from msgspec.structs import replace

from longshore.oci import media_types
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import Index, Manifest, image_index, parse_manifest
from longshore.registry.server.exchange import Exchange
from longshore.registry.server.refusals import Code, Refusal


async def tags(exchange: Exchange) -> web.StreamResponse:
    """The tags of a repository in lexical order."""
    known = exchange.storage.tags(exchange.repository)
    if not known and exchange.repository not in exchange.storage.repositories():
        raise Refusal(404, Code.NAME_UNKNOWN, "repository name not known to registry")
    page, headers = _page(exchange, known)
    return _json({"name": exchange.repository, "tags": page}, headers)


async def catalog(exchange: Exchange) -> web.StreamResponse:
    """The repositories in lexical order."""
    page, headers = _page(exchange, exchange.storage.repositories())
    return _json({"repositories": page}, headers)


async def referrers(exchange: Exchange) -> web.StreamResponse:
    """The manifests whose subject is this digest; an empty list when there is none."""
    wanted = exchange.request.query.get("artifactType")
    found = [d for d in _referring(exchange) if wanted in (None, d.artifact_type)]
    headers: dict[str, str] = {hdrs.CONTENT_TYPE: media_types.OCI_INDEX}
    if wanted is not None:
        headers["OCI-Filters-Applied"] = "artifactType"
    return web.Response(body=image_index(found).content, headers=headers)


def _referring(exchange: Exchange) -> Iterator[Descriptor]:
    subject = exchange.digest
    for digest in exchange.storage.manifests(exchange.repository):
        document = _document(exchange, digest)
        if document and document.subject and document.subject.digest == subject:
            yield _described(document)


def _document(exchange: Exchange, digest: Digest) -> Manifest | Index | None:
    stored = exchange.storage.manifest(exchange.repository, digest)
    return None if stored is None else parse_manifest(stored.content, stored.media_type)


def _described(document: Manifest | Index) -> Descriptor:
    """With the artifact's type, which an image leaves to its configuration."""
    kind = document.artifact_type
    if not kind and isinstance(document, Manifest):
        kind = document.config.media_type
    return replace(document.descriptor, artifact_type=kind, annotations=document.annotations)


def _page(exchange: Exchange, items: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The items after `last`, at most `n`, and the Link to the next page if there is one."""
    query = exchange.request.query
    rest = [item for item in items if item > query.get("last", "")]
    text = query.get("n")
    if text is None:
        return rest, {}
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refusal(400, Code.PAGINATION_NUMBER_INVALID, "n is not a number of items")
    page = rest[: int(text)]
    if not page or len(page) == len(rest):
        return page, {}
    following = urlencode({"n": text, "last": page[-1]})
    return page, {hdrs.LINK: f'<{exchange.request.path}?{following}>; rel="next"'}


def _json(document: object, headers: dict[str, str]) -> web.Response:
    return web.Response(text=json.dumps(document), content_type="application/json", headers=headers)
