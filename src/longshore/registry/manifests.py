"""Manifests of a registry: asked for, read, written, always by their exact bytes."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from longshore.errors import InvalidValue, RegistryError
from longshore.oci.digest import Digest
from longshore.oci.manifest import Document, Index, Manifest, parse_manifest
from longshore.oci.media_types import (
    ACCEPT_MANIFESTS,
    OCI_INDEX,
    OCI_MANIFEST,
    Compression,
    compression_of,
)
from longshore.registry.blobs import MAY_NOT_LOOK, mismatch
from longshore.registry.line import Call
from longshore.registry.transport.exchange import Answer

_OCI: Final = frozenset({OCI_MANIFEST, OCI_INDEX})
_KIND_REFUSED: Final = frozenset({"MANIFEST_INVALID", "UNSUPPORTED"})
_SETTLED: Final = ("immutab", "overwrit", "does not allow updating")
"""Of a tag that must not change, as Google's, Alibaba's and Nexus (jib#2395) say it."""
_LIMITED: Final = frozenset({429})
"""Docker Hub limits how often manifests are read, and not how often they are asked about."""
Reference = str | Digest
"""A tag, or the digest of a manifest."""


async def head(call: Call, reference: Reference) -> Digest | None:
    """The digest `reference` stands for there, None when there is none (spec end-3).

    The manifest is read when the registry does not tell its digest, or one that we do not know,
    and when it refuses the question or says that there is none: some answer only GET properly
    (Nexus: crazy-max/diun#1614; others: containerd/containerd#6684).
    """
    what = f"manifest {reference}"
    answer = await _ask(call, "HEAD", reference, what)
    if answer.status == 401:
        raise call.refusal(answer, what)  # a wrong password is not for a second try
    if answer.status == 200:
        with suppress(InvalidValue):
            return Digest.parse(answer.headers.get("Docker-Content-Digest", ""))
    final = _LIMITED if answer.status == 404 else frozenset()
    try:
        return Digest.of((await _whole(call, reference, final)).body)
    except RegistryError as error:
        if error.status in {404, *final}:
            return None
        raise


async def get(
    call: Call, reference: Reference, *, final: frozenset[int] = frozenset()
) -> Manifest | Index:
    """Read a manifest or index; its digest is checked against what was asked and announced.

    `final`: statuses that are raised at once.
    """
    what = f"manifest {reference}"
    answer = await _whole(call, reference, final)
    try:
        return parse_manifest(answer.body, answer.headers.get("Content-Type"))
    except InvalidValue as error:
        raise RegistryError(
            f"{call.subject(what)} at {call.line.host} cannot be read: {error.message}",
            hint="something else than an image is there",
            registry=call.line.host,
            repository=call.repository,
        ) from error


async def _whole(call: Call, reference: Reference, final: frozenset[int]) -> Answer:
    what = f"manifest {reference}"
    answer = await _ask(call, "GET", reference, what, final=final)
    if answer.status != 200:
        raise call.refusal(answer, what)
    actual, announced = Digest.of(answer.body), answer.headers.get("Docker-Content-Digest")
    for named in (announced, str(reference) if isinstance(reference, Digest) else None):
        if named is not None and named != str(actual):
            raise mismatch(call, what, actual, named)
    return answer


async def put(call: Call, reference: Reference, manifest: Document) -> Digest:
    """Write a manifest (spec end-7); returns its digest.

    A registry that answers with another digest is asked again; ContentMismatch when it insists.
    One that names none is believed: what stands under a tag is for `await_manifest` to see, for a
    copy may lag behind.
    A refusal counts only where the manifest is not there: a tag that must not change may have been
    written by a request whose answer was lost, or by an earlier push (moby/buildkit#3776).
    """
    what = f"manifest {reference}"
    answer = await call.ask(
        "PUT",
        await call.url(f"manifests/{reference}"),
        what,
        headers={"Content-Type": manifest.media_type},
        body=manifest.content,
    )
    if answer.status not in (200, 201, 202):
        # 404 says that blobs are missing, whatever the tag stands for.
        if answer.status != 404 and await _stands(call, reference, manifest.digest):
            return manifest.digest
        raise _refused(call, answer, what, manifest)
    named = answer.headers.get("Docker-Content-Digest")
    if named and named != str(manifest.digest):
        there = await _confirmed(call, reference, named)
        if there != str(manifest.digest):
            raise mismatch(call, what, manifest.digest, there)
    return manifest.digest


async def _stands(call: Call, reference: Reference, digest: Digest) -> bool:
    """Whether `reference` is this manifest already, as far as that can be found out."""
    try:
        return await head(call, reference) == digest
    except RegistryError:
        return False


async def _confirmed(call: Call, reference: Reference, said: str) -> str:
    """What is there now; what was `said` where we may write and not look."""
    try:
        return str(await head(call, reference) or said)
    except RegistryError as error:
        if error.status in MAY_NOT_LOOK:
            return said
        raise


async def _ask(
    call: Call,
    method: str,
    reference: Reference,
    what: str,
    *,
    final: frozenset[int] = frozenset(),
) -> Answer:
    url = await call.url(f"manifests/{reference}")
    return await call.ask(method, url, what, headers={"Accept": ACCEPT_MANIFESTS}, final=final)


def _refused(call: Call, answer: Answer, what: str, manifest: Document) -> RegistryError:
    error = call.refusal(answer, what)
    error.hint = _remedy(error, manifest) or error.hint
    return error


def _remedy(error: RegistryError, manifest: Document) -> str | None:
    if error.code == "MANIFEST_BLOB_UNKNOWN":
        return "a layer vanished from the registry meanwhile (garbage collection?); push again"
    if error.status == 409 or any(words in (error.detail or "").lower() for words in _SETTLED):
        return "the tag is there already and must not change; push under another one"
    # A registry that is read-only says 405 with UNSUPPORTED.
    if error.status == 415 or (error.code in _KIND_REFUSED and error.status != 405):
        return _other_kind(manifest)
    return None


def _other_kind(manifest: Document) -> str:
    """What a registry may take that does not know this kind of image: older ones know Docker's
    manifests only, zot knows OCI's only (project-zot/zot#3104)."""
    layers = manifest.layers if isinstance(manifest, Manifest) else ()
    if any(compression_of(layer.media_type) is Compression.ZSTD for layer in layers):
        return "the registry may not know layers packed with zstd: push with --compression gzip"
    whose, other = ("Docker's", "docker") if manifest.media_type in _OCI else ("OCI's", "oci")
    return (
        f"the registry may know {whose} manifests only: push with --format {other} "
        f"(a pipeline: --push-format {other})"
    )
