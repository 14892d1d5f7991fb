"""The bytes of one blob on their way into one repository, through whatever breaks."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from longshore.errors import RegistryError
from longshore.oci.digest import Digest
from longshore.registry.blobs import look_for, mismatch
from longshore.registry.intake import Intake
from longshore.registry.line import Call
from longshore.registry.progress import Restarted, Resumed
from longshore.registry.ranges import received
from longshore.registry.transport.errors import LYING_HINT, Interrupted, interrupted
from longshore.registry.transport.exchange import Answer, Pieces
from longshore.registry.transport.retry import Patience
from longshore.registry.transport.words import registry_words
from longshore.registry.upload_session import SessionLost, UploadSession, begin
from longshore.registry.upload_stream import stream

_SMALL: Final = 512 * 1024
"""A blob up to this size goes with the final PUT: one request less."""
_LEAST_CHUNK: Final = 1 << 20
_LENGTH_WANTED: Final = frozenset({307, 308, 400, 405, 411, 501, 505})
"""What servers answer that do not take a body without announced length."""

_NOT_WITH_COMMIT: Final = frozenset({400, 404, 405, 411, 416, 501})
"""What registries answer to a blob that comes with the last request (moby/buildkit#1130)."""

_LOST_HINT: Final = (
    "the registry forgot the upload twice: behind a load balancer its processes need one shared "
    "storage and http.secret, or sticky sessions"
)


class _TooLarge(Exception):  # a turn in the story, not an error
    """413 for a body of so many bytes."""

    def __init__(self, sent: int, answer: Answer) -> None:
        super().__init__(sent)
        self.sent = sent
        self.answer = answer


class _OutOfStep(Exception):  # a turn in the story, not an error
    """The registry does not take these bytes here; its status tells where it is."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Transfer(Struct, kw_only=True):
    """Sends what `intake` reads into the session it is given, or into new ones when that is lost.

    Bytes [0, `offset`) are with the registry; the intake's window holds what may have to go again.
    """

    call: Call
    intake: Intake
    session: UploadSession
    patience: Patience
    what: str
    resumed: list[int] = field(default_factory=list)
    restarts: int = 0
    offset: int = 0
    _committed: bool = False
    _broken: bool = False
    _interrupted: bool = False
    """In this session."""
    _single: bool = False
    _farthest: int = 0
    """In this session; `_most` in any."""
    _most: int = 0
    _lost: int = 0
    _refused: int = 0
    """Pieces in a row."""
    _chunk: int = 0

    async def run(self) -> Digest:
        """Send everything and commit; returns the digest. The session is gone either way."""
        try:
            while not await self._attempt():
                pass
        finally:
            if not self._committed:
                await self.session.cancel()
        return self.intake.digest

    async def _attempt(self) -> bool:
        """Go on from `offset` to the end; False when something broke and was mended."""
        try:
            await self._send()
            await self._commit()
        except Interrupted as interruption:
            await self.patience.pause(interruption)
            self._interrupted = True
            return await self._mend(interruption.reason)
        except _TooLarge as refused:
            if not self.call.line.chunking.too_large(refused.sent):
                raise self.call.refusal(refused.answer, self.what) from None
            self._chunk = 0
            return await self._mend("a body that was too large")
        except _OutOfStep as refused:
            return await self._in_step(refused.answer)
        except SessionLost as lost:
            return await self._begin_again(lost.answer)
        return True

    # --- sending -----------------------------------------------------------------------------

    async def _send(self) -> None:
        if await self._is_small():
            return  # all of it goes with the PUT
        if self._streams:
            await self._stream()
        while await self._more():
            await self._send_chunk()

    @property
    def _streams(self) -> bool:
        chunking = self.call.line.chunking
        return chunking.streaming and (chunking.whole or not self._broken)

    @property
    def _may_stream_again(self) -> bool:
        """Whether pieces are only the way out of a break, which the registry may not take."""
        chunking = self.call.line.chunking
        return chunking.streaming and self._broken and not chunking.whole

    async def _is_small(self) -> bool:
        if not self.call.line.chunking.with_commit:
            return False
        most = min(_SMALL, self._chunk_size())
        await self.intake.fill(most + 1)
        return self.intake.exhausted and self.offset == 0 and self.intake.window.end <= most

    async def _more(self) -> bool:
        """Whether bytes beyond `offset` remain; reads up to a chunk of them."""
        await self.intake.fill(self.offset + self._chunk_size())
        return self.intake.window.end > self.offset

    async def _send_chunk(self) -> None:
        body = Pieces(self.intake.window.pieces(self.offset, self._chunk_size()))
        try:
            answer = await self.session.append(body, self.offset)
        except Interrupted:
            # The same size may never get through a connection that breaks this often.
            least = max(_LEAST_CHUNK, self.call.line.chunking.least)
            self._chunk = max(min(least, self._chunk_size()), self._chunk_size() // 2)
            raise
        self._accepted(answer, self.offset + body.length, body.length)
        self._chunk = min(self.call.line.chunking.size, self._chunk_size() * 2)
        self.intake.window.drop_before(self.offset)

    def _chunk_size(self) -> int:
        size = self.call.line.chunking.size
        return min(self._chunk, size) if self._chunk else size

    async def _stream(self) -> None:
        kept = self.call.line.limits.chunk_size
        self._accepted_stream(await stream(self.session, self.intake, self.offset, kept))

    def _accepted_stream(self, answer: Answer) -> None:
        if answer.status in _LENGTH_WANTED:
            self.call.line.chunking.no_streaming(f"it answered {answer.phrase} to a stream")
            raise _OutOfStep(answer)
        self._accepted(answer, self.intake.window.end, self.intake.window.end - self.offset)
        if not self.intake.exhausted:
            reason = f"{answer.phrase} before the end of the data"
            raise self._lie(reason)

    def _accepted(self, answer: Answer, reached: int, length: int) -> None:
        """The registry has the bytes up to `reached`, or says otherwise."""
        match answer.status:
            case 201 | 202 | 204:
                self._advance(self._reached(answer, reached), answer)
            case 404:
                raise SessionLost(answer)
            case 413:
                raise _TooLarge(length, answer)
            case 400 | 416:
                raise _OutOfStep(answer)
            case _:
                raise self.call.refusal(answer, self.what)

    def _reached(self, answer: Answer, sent: int) -> int:
        if self.call.line.chunking.whole:
            return sent  # its Range may stand still; the digest at the end tells
        has = received(answer.headers.get("Range")) if "Range" in answer.headers else sent
        return has if self.intake.window.start <= has < sent and has > 0 else sent

    def _advance(self, offset: int, answer: Answer) -> None:
        """A registry that takes bytes and keeps none must not be asked for ever."""
        if offset <= self.offset:
            if self._may_stream_again:
                raise _OutOfStep(answer)
            raise self._lie(_kept_nothing(answer))
        self._reach(offset)

    def _reach(self, offset: int) -> None:
        """Bytes that a session has had before are no progress, nor is it to begin anew: a registry
        may lose the same ones for ever."""
        self.offset = offset
        if offset > self._most:
            self._most, self._refused = offset, 0
        if offset > self._farthest:
            self._farthest = offset
            self.patience.progress(restarts=self.restarts)

    def _lie(self, reason: str) -> Interrupted:
        host = self.call.line.host
        return interrupted(self.call.subject(self.what), host, reason, LYING_HINT)

    # --- mending -----------------------------------------------------------------------------

    async def _mend(self, reason: str, told: int = 0) -> bool:
        """Go on where the registry is, if the window reaches back there, else from zero.

        `told`: where it said it was when it refused, in case its status does not say.
        """
        self._broken = True
        if self.intake.exhausted and await self._is_there():
            self._committed = True
            return True
        if self._streams:
            return await self._from_zero(reason)
        try:
            has = await self.session.received()
        except SessionLost:
            await self._restart(reason)
            return False
        has = has or told or int(self._single)
        if not self.intake.window.holds(has):
            return await self._from_zero(f"{reason}; only {has} bytes had arrived")
        self._reach(has)
        self.intake.window.drop_before(has)
        if has:
            self.resumed.append(has)
            self.call.line.listener(
                Resumed(repository=self.call.repository, blob=self.what, offset=has, reason=reason)
            )
        return False

    async def _in_step(self, answer: Answer) -> bool:
        # "0-0" stands for no byte and for one (see `ranges`); refused at 0 it has to be one.
        tried, told = self._single and self.offset == 1, received(answer.headers.get("Range"))
        self._single = answer.status == 416 and self.offset == 0
        code, detail = registry_words(answer.body)
        phrase = answer.phrase if answer.status >= 400 else _kept_nothing(answer)
        said = ": ".join(filter(None, (code, detail, phrase)))
        error = self.call.refusal(answer, self.what)
        await self.patience.pause(
            Interrupted(
                error.message,
                reason=said,
                hint=error.hint or LYING_HINT.format(host=self.call.line.host),
                registry=self.call.line.host,
                repository=self.call.repository,
                status=answer.status,
                code=code,
                detail=detail,
            )
        )
        self._refused += 1
        if self._refused > 1 and self._may_stream_again:
            return await self._stream_again(said)
        if tried:
            return await self._from_zero(said)
        return await self._mend(said, told)

    async def _stream_again(self, reason: str) -> bool:
        """It takes a blob whole or not at all: so it gets this one, and all that follow."""
        self.call.line.chunking.whole = True
        return await self._from_zero(reason)

    async def _from_zero(self, reason: str) -> bool:
        """This session is of no more use, but the registry may still know it."""
        await self.session.cancel()
        await self._restart(reason)
        return False

    async def _begin_again(self, answer: Answer) -> bool:
        """Once only: a setup that loses a session without a break will lose them all."""
        if self.intake.exhausted and await self._is_there():
            self._committed = True
            return True
        code, detail = registry_words(answer.body)
        said = ": ".join(filter(None, (code, detail))) or answer.phrase
        # A session that broke off may be gone for that (Azure's): as often as it breaks.
        self._lost += not self._interrupted
        if self._lost > 1 and self._may_stream_again:
            self._lost = 0
            return await self._stream_again(said)
        if self._lost > 1:
            error = self.call.refusal(answer, self.what)
            error.hint = _LOST_HINT if answer.status == 404 else error.hint
            raise error
        await self._restart(said)
        return False

    async def _restart(self, reason: str) -> None:
        self.restarts += 1
        if self.restarts > self.call.line.limits.retries + 1:
            raise RegistryError(
                f"{self.call.line.host} lost {self.what} of {self.call.repository} "
                f"{self.restarts} times, the last time because of {reason}",
                hint="send smaller chunks, or find out what cuts connections",
                registry=self.call.line.host,
                repository=self.call.repository,
            )
        self.call.line.listener(
            Restarted(repository=self.call.repository, blob=self.what, reason=reason)
        )
        self.session = await begin(self.call, self.what)
        if self.intake.window.start:
            await self.intake.reopen()
        self.offset = self._farthest = 0
        self._single = self._interrupted = False

    # --- the end -----------------------------------------------------------------------------

    async def _commit(self) -> None:
        if self._committed:
            return
        digest = self.intake.digest
        rest = (
            self.intake.window.pieces(self.offset, _SMALL)
            if self.offset < self.intake.window.end
            else ()
        )
        body = Pieces(rest) if rest else None
        answer = await self.session.commit(digest, body)
        if body and answer.status in _NOT_WITH_COMMIT:
            self.call.line.chunking.with_commit = False
            await self.session.cancel()
            raise SessionLost(answer)
        match answer.status:
            case 200 | 201 | 202 | 204:
                await self._check(answer, digest)
                self._committed = True
            case 404:
                raise SessionLost(answer)
            case 413:
                raise _TooLarge(body.length if body else 0, answer)
            case 400 | 416:
                raise SessionLost(answer)
            case _:
                raise self.call.refusal(answer, self.what)

    async def _check(self, answer: Answer, digest: Digest) -> None:
        """What the registry says it has stored; when that is not ours, look again."""
        named = answer.headers.get("Docker-Content-Digest")
        if named is not None and named != str(digest) and not await self._is_there():
            raise mismatch(self.call, self.what, digest, named)

    async def _is_there(self) -> bool:
        """Whether the blob has arrived after all: the answer to a PUT may have been lost."""
        return await look_for(self.call, self.intake.digest) is not None


def _kept_nothing(answer: Answer) -> str:
    return f"{answer.phrase}, but no byte was kept"
