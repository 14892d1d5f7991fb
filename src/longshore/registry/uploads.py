"""The upload of one blob, told in order: is it there, can it be mounted, else send it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Literal

from msgspec import Struct

from longshore.oci.digest import Digest
from longshore.registry.blobs import BlobSource, look_for
from longshore.registry.chunking import PieceSize
from longshore.registry.intake import Intake
from longshore.registry.line import Call
from longshore.registry.progress import Exists, Mounted, Sent
from longshore.registry.standing import Standing
from longshore.registry.transfer import Transfer
from longshore.registry.upload_session import UploadSession, begin, mount

Route = Literal["exists", "mounted", "sent"]


class Delivery(Struct, frozen=True, kw_only=True):
    """How a blob came to be in the repository.

    `size` in bytes, -1 when it existed and the registry does not tell. `source` is the repository
    it was mounted from. `resumed` are the byte offsets at which sending went on after breaks.
    """

    digest: Digest
    size: int
    route: Route
    source: str = ""
    resumed: tuple[int, ...] = ()
    restarts: int = 0


async def deliver(
    call: Call,
    source: BlobSource,
    *,
    digest: Digest | None,
    mount_from: Sequence[str],
    name: str,
) -> Delivery:
    """Have the blob in the call's repository.

    `digest` when it is known beforehand: then it is looked for, and mounted from the first of
    `mount_from` that has it; only then is `source` opened. `name` is for messages and progress.
    """
    session: UploadSession | None = None
    if digest is not None:
        if (size := await look_for(call, digest)) is not None:
            call.line.listener(Exists(repository=call.repository, blob=name))
            return Delivery(digest=digest, size=size, route="exists")
        session, origin = await _mount(call, digest, mount_from, name)
        if origin and (mounted := await _mounted(call, digest, origin, name)):
            return mounted
    return await _send(call, source, session or await begin(call, name), name)


async def _mount(
    call: Call, digest: Digest, sources: Sequence[str], name: str
) -> tuple[UploadSession | None, str]:
    """The repository it could be mounted from, else the session of the last try, if any.

    Where mounting is refused the blob is sent: it only saves time.
    """
    session: UploadSession | None = None
    for source in sources:
        if session is not None:
            await session.cancel()
        outcome = await mount(call, name, digest, source)
        if outcome is True:
            return None, source
        session = outcome or None
    return session, ""


async def _mounted(call: Call, digest: Digest, source: str, name: str) -> Delivery | None:
    """None when the registry only said so: some answer 201 to a mount they do not do."""
    size = await look_for(call, digest)
    if size is None:
        return None
    call.line.listener(Mounted(repository=call.repository, blob=name, source=source))
    return Delivery(digest=digest, size=size, route="mounted", source=source)


async def _send(call: Call, source: BlobSource, session: UploadSession, name: str) -> Delivery:
    def heard(total: int) -> None:
        call.line.listener(Sent(repository=call.repository, blob=name, total=total))

    patience = await call.patience()
    async with AsyncExitStack() as stack:
        try:
            intake = await stack.enter_async_context(Intake(source, heard))
        except BaseException:
            await session.cancel()
            raise
        transfer = Transfer(
            call=call,
            intake=intake,
            session=session,
            standing=Standing(patience=patience),
            pieces=PieceSize(call.line.chunking),
            what=name,
        )
        digest = await transfer.run()
        return Delivery(
            digest=digest,
            size=intake.size,
            route="sent",
            resumed=tuple(transfer.resumed),
            restarts=transfer.standing.restarts,
        )
