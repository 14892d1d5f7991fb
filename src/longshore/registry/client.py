"""The client of one registry: what it can be asked, one method each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from msgspec import Struct
from yarl import URL

from longshore.environment import Environment
from longshore.oci.digest import Digest
from longshore.oci.manifest import Document, Index, Manifest
from longshore.oci.reference import check_repository, normalise_registry
from longshore.registry import blobs, manifests, uploads
from longshore.registry.auth.tokens import Authorizing, pull_scope, push_scope
from longshore.registry.blobs import BlobSource
from longshore.registry.chunking import Chunking
from longshore.registry.limits import Limits
from longshore.registry.line import Call, Line
from longshore.registry.once import Once
from longshore.registry.progress import Listener, unheard
from longshore.registry.tags import list_tags
from longshore.registry.transport.discretion import Discreet
from longshore.registry.transport.redirects import Redirecting
from longshore.registry.transport.retry import Backoff, Clock, Patience, Retrying
from longshore.registry.transport.scheme import Reach
from longshore.registry.transport.session import Session
from longshore.registry.transport.tls import Trust
from longshore.registry.upload_session import begin, mount
from longshore.registry.uploads import Delivery
from longshore.secrets.credential import Credential


class Access(Struct, frozen=True, kw_only=True):
    """How registries may be reached, the same for all of them.

    `insecure`: hosts allowed without proper TLS. `authorities`: PEM files trusted besides the
    system's. `certificates` is laid out as docker's certs.d, and so are those in the user's home.
    """

    environment: Environment
    insecure: tuple[str, ...] = ()
    authorities: tuple[Path, ...] = ()
    certificates: Path = Path("/etc/docker/certs.d")

    def trust(self) -> Trust:
        """Whom to trust, per host: also whom Docker Desktop and rootless Docker trust."""
        home = self.environment.home
        return Trust(
            authorities=self.authorities,
            directories=(
                self.certificates,
                home / ".docker" / "certs.d",
                home / ".config" / "docker" / "certs.d",
            ),
            reach=Reach(self.insecure),
        )

    def check(self, host: str) -> None:
        """Raise InvalidValue when a certificate file for a registry cannot be used.

        Those in `authorities` are checked by whoever gives them.
        """
        self.trust().check(normalise_registry(host))


@dataclass(slots=True, kw_only=True)
class RegistryClient:
    """Talks to one registry; use as an async context manager.

    Entering raises InvalidValue when a certificate file for the registry cannot be used. Every
    method raises RegistryUnavailable when the registry cannot be reached or does not recover
    within `limits`, RegistryDenied when `credential` (None: anonymous) does not suffice,
    ContentMismatch when content and digest do not agree, RegistryError for every other refusal.
    Methods may run side by side; a blob wanted twice by its digest is sent once. Nothing is ever
    half done: a broken or cancelled upload leaves no blob, and `put_manifest` is all or nothing.
    """

    host: str
    access: Access
    credential: Credential | None = None
    limits: Limits = field(default_factory=Limits)
    listener: Listener = unheard
    clock: Clock = field(default_factory=Clock)
    _line: Line = field(init=False)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _pushed: set[str] = field(default_factory=set)
    _deliveries: Once[tuple[str, Digest], Delivery] = field(default_factory=Once)

    async def __aenter__(self) -> Self:
        self.host = normalise_registry(self.host)
        reach = Reach(self.access.insecure)
        trust = self.access.trust()
        # Now, before anything is read for an upload: the first request of ours is in plain.
        trust.check(self.host)
        session = await self._stack.enter_async_context(
            Session(environment=self.access.environment, trust=trust, idle=self.limits.idle)
        )
        backoff = Backoff(limits=self.limits, clock=self.clock, listener=self.listener)
        chain = Redirecting(Retrying(Discreet(session), backoff), reach)
        self._line = Line(
            host=self.host,
            open=chain,
            sender=Authorizing(
                inner=chain,
                registry=self.host,
                reach=reach,
                credential=self.credential,
                clock=self.clock,
            ),
            reach=reach,
            limits=self.limits,
            backoff=backoff,
            listener=self.listener,
            chunking=Chunking(host=self.host, limits=self.limits, listener=self.listener),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._line.spare.end()
        await self._stack.aclose()

    async def ping(self) -> URL:
        """Where the registry's API answers; any answer will do, also one that wants credentials."""
        call = self._line.call("")
        found = await self._line.within(call, lambda call: self._line.found(call.deadline))
        return found.base

    async def blob_exists(self, repository: str, digest: Digest) -> bool:
        """Whether the repository has the blob."""
        call = self._pulling(repository)
        size = await self._line.within(call, lambda call: blobs.size_of(call, digest))
        return size is not None

    async def find_blob(self, repository: str, digest: Digest) -> int | None:
        """How many bytes the blob has there, -1 when the registry does not tell; None: it is not
        there, or we may not look."""
        call = self._pulling(repository)
        return await self._line.within(call, lambda call: blobs.look_for(call, digest))

    async def mount(self, repository: str, digest: Digest, source: str) -> bool:
        """Link a blob from the repository `source`; False when the registry does not do it, or
        refuses (see `upload_session.mount`)."""
        call = self._pushing(repository)
        return await self._line.within(
            call, lambda call: mount(call, f"blob {digest}", digest, source)
        )

    async def upload_blob(
        self,
        repository: str,
        blob: BlobSource,
        *,
        digest: Digest | None = None,
        mount_from: Sequence[str] = (),
        name: str = "",
    ) -> Delivery:
        """Have a blob in the repository: found, mounted, or sent (see `uploads.deliver`).

        `name` is what messages call it, by default its digest.
        """
        if digest is None:
            return await self._deliver(repository, blob, None, mount_from, name or "a blob")
        return await self._deliveries.get(
            (repository, digest),
            lambda: self._deliver(repository, blob, digest, mount_from, name or f"blob {digest}"),
        )

    async def _deliver(
        self,
        repository: str,
        blob: BlobSource,
        digest: Digest | None,
        mount_from: Sequence[str],
        name: str,
    ) -> Delivery:
        call = self._pushing(repository)
        return await self._line.within(
            call,
            lambda call: uploads.deliver(
                call, blob, digest=digest, mount_from=mount_from, name=name
            ),
        )

    def get_blob(
        self, repository: str, digest: Digest, size: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read a blob, verified as it flows (see `blobs.reading`)."""
        return blobs.reading(self._pulling(repository), digest, size)

    async def head_manifest(self, repository: str, reference: manifests.Reference) -> Digest | None:
        """The digest of the manifest that a tag stands for, None when there is none."""
        call = self._pulling(repository)
        return await self._line.within(call, lambda call: manifests.head(call, reference))

    async def await_manifest(
        self, repository: str, reference: manifests.Reference, digest: Digest, *, looks: int
    ) -> Digest | None:
        """As `head_manifest`, looked at up to `looks` times until it is `digest`.

        An answer may be damaged on its way, or come from a copy that lags behind.
        """

        async def work(call: Call) -> Digest | None:
            patience = await call.patience()
            there = await manifests.head(call, reference)
            for _ in range(looks - 1):
                if there == digest:
                    break
                reason = f"{repository}:{reference} is {there or 'not there'} yet"
                if not await patience.look_again(reason):
                    break
                there = await manifests.head(call, reference)
            return there

        return await self._line.within(self._pulling(repository), work)

    async def get_manifest(
        self,
        repository: str,
        reference: manifests.Reference,
        *,
        final: frozenset[int] = frozenset(),
    ) -> Manifest | Index:
        """A manifest or index with its exact bytes; `final`: statuses that are raised at once."""
        call = self._pulling(repository)
        return await self._line.within(
            call, lambda call: manifests.get(call, reference, final=final)
        )

    async def put_manifest(
        self, repository: str, reference: manifests.Reference, manifest: Document
    ) -> Digest:
        """Write a manifest under a tag or its digest; every blob of it has to be there."""
        call = self._pushing(repository)
        return await self._line.within(call, lambda call: manifests.put(call, reference, manifest))

    async def tags(self, repository: str) -> tuple[str, ...]:
        """All tags of a repository, in the registry's order."""
        return await self._line.within(self._pulling(repository), list_tags)

    async def patience(self, repository: str) -> Patience:
        """A budget for something of several requests (see `transport.retry`)."""
        return await self._line.call(repository).patience()

    def forget_blobs(self, repository: str) -> None:
        """Do not rely any more on blobs that were delivered: the registry has lost some."""
        self._deliveries.forget_if(lambda key, _: key[0] == repository)

    async def check_push(self, repository: str) -> None:
        """Raise RegistryDenied unless we may write to the repository; nothing is left there.

        An upload is begun and cancelled (OCI distribution spec, "Pushing a blob in chunks"), as
        registries look at rights no sooner.
        """
        call = self._pushing(repository)
        session = await self._line.within(call, lambda call: begin(call, "an upload"))
        await session.cancel()

    def will_push(self, repository: str) -> None:
        """Ask for reading and writing at once from now on: one token less for a push."""
        self._pushed.add(repository)

    def _pulling(self, repository: str) -> Call:
        if repository in self._pushed:
            return self._pushing(repository)
        check_repository(repository)
        return self._line.call(repository, (pull_scope(repository),))

    def _pushing(self, repository: str) -> Call:
        check_repository(repository)
        return self._line.call(repository, (push_scope(repository),))
