"""One PATCH for what is left of a blob: it is read in one task and sent in another."""

from __future__ import annotations

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from longshore.errors import LongshoreError
from longshore.registry.chunking import Chunking
from longshore.registry.intake import Intake
from longshore.registry.transport.exchange import Answer, Buffer
from longshore.registry.upload_session import UploadSession


async def stream(session: UploadSession, intake: Intake, offset: int, chunking: Chunking) -> Answer:
    """Send what the window has from `offset` on, then what the source gives, to its end, until
    `chunking` has it pause, or the registry answers; the last bytes stay in the window.

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
            await _feed(intake, offset, chunking, send)
            with chunking.completing():
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
    intake: Intake, offset: int, chunking: Chunking, send: MemoryObjectSendStream[Buffer]
) -> None:
    """Hand everything on until nobody takes it, or enough is sent."""
    window, held_up = intake.window, 0.0
    with send:
        try:
            for piece in window.pieces(offset, window.end):
                await send.send(piece)
            while not chunking.pauses(window.end - offset, held_up):
                if (read := await intake.next()) is None:
                    return
                begin = anyio.current_time()
                await send.send(read)
                held_up += anyio.current_time() - begin
                window.keep(chunking.limits.chunk_size)
        except anyio.BrokenResourceError:
            return  # the exchange has ended; its outcome says how
