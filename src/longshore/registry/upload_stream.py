"""One PATCH for what is left of a blob: it is read in one task and sent in another."""

from __future__ import annotations

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from longshore.errors import LongshoreError
from longshore.registry.intake import Intake
from longshore.registry.transport.exchange import Answer, Buffer
from longshore.registry.upload_session import UploadSession


async def stream(
    session: UploadSession, intake: Intake, offset: int, *, stretch: int | None, kept: int
) -> Answer:
    """Send what the window has from `offset` on, then what the source gives, to its end, for
    `stretch` bytes at least, or until the registry answers; the last `kept` bytes stay in the
    window.

    Raises what sending and reading raise. Sources are read in the task of the caller.
    """
    send, receive = anyio.create_memory_object_stream[Buffer](1)
    outcome: list[Answer | LongshoreError] = []
    failure: Exception | None = None
    exchange, over = anyio.CancelScope(shield=True), anyio.Event()

    async def sending() -> None:
        with receive, exchange:
            try:
                outcome.append(await session.append(receive, offset))
            except LongshoreError as error:
                outcome.append(error)
            finally:
                over.set()

    async with receive, anyio.create_task_group() as tasks:
        tasks.start_soon(sending)
        try:
            await _feed(intake, offset, stretch, kept, send)
            await over.wait()
        except BaseException as error:
            # The stream ends here in order: distribution 2.8 refuses to delete a session
            # whose last request broke off ("upload resumed at wrong offset").
            exchange.deadline = session.begin_farewell()
            if not isinstance(error, Exception):
                raise
            failure = error  # raised below, out of the group's wrapper
    if failure is not None:
        raise failure
    (result,) = outcome
    if isinstance(result, LongshoreError):
        raise result
    return result


async def _feed(
    intake: Intake,
    offset: int,
    stretch: int | None,
    kept: int,
    send: MemoryObjectSendStream[Buffer],
) -> None:
    """Hand everything on until nobody takes it, or enough is sent."""
    end = float("inf") if stretch is None else offset + stretch
    with send:
        try:
            for piece in intake.window.pieces(offset, intake.window.end):
                await send.send(piece)
            while intake.window.end < end and (read := await intake.next()) is not None:
                await send.send(read)
                intake.window.keep(kept)
        except anyio.BrokenResourceError:
            return  # the exchange has ended; its outcome says how
