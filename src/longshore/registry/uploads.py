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
from longshore.registry.upload_session import UploadSession, mount, spare_or_new

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
    if digest is not None:
        if (size := await look_for(call, digest)) is not None:
            call.line.listener(Exists(repository=call.repository, blob=name))
            return Delivery(digest=digest, size=size, route="exists")
        if mounted := await _mounted(call, digest, mount_from, name):
            return mounted
    return await _send(call, source, await spare_or_new(call, name), name)


async def _mounted(
    call: Call, digest: Digest, sources: Sequence[str], name: str
) -> Delivery | None:
    """None where mounting is refused, and where the registry only said that it was done: some
    answer 201 to a mount they do not do."""
    for source in sources:
        if not await mount(call, name, digest, source):
            continue
        size = await look_for(call, digest)
        if size is None:
            return None
        call.line.listener(Mounted(repository=call.repository, blob=name, source=source))
        return Delivery(digest=digest, size=size, route="mounted", source=source)
    return None


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
