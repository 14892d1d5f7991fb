"""One try to send what is left of a blob into a session, and to commit it; breaks are raised."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from longshore.oci.digest import Digest
from longshore.registry.blobs import look_for, mismatch
from longshore.registry.chunking import PieceSize
from longshore.registry.intake import Intake
from longshore.registry.line import Call
from longshore.registry.ranges import received
from longshore.registry.standing import Standing
from longshore.registry.transport.errors import LYING_HINT, Interrupted, interrupted
from longshore.registry.transport.exchange import Answer, Pieces
from longshore.registry.upload_session import SessionLost, UploadSession
from longshore.registry.upload_stream import stream

_SMALL: Final = 512 * 1024
"""A blob up to this size goes with the final PUT: one request less."""

_LENGTH_WANTED: Final = frozenset({307, 308, 400, 405, 411, 501, 505})
"""What servers answer that do not take a body without announced length."""

_ONE_ONLY: Final = _LENGTH_WANTED | {416}
"""What they may answer to a second request with bytes of a blob."""

_NOT_WITH_COMMIT: Final = frozenset({400, 404, 405, 411, 416, 501})
"""What registries answer to a blob that comes with the last request (moby/buildkit#1130)."""


class TooLarge(Exception):  # a turn in the story, not an error
    """413 for a body of so many bytes."""

    def __init__(self, sent: int, answer: Answer) -> None:
        super().__init__(sent)
        self.sent = sent
        self.answer = answer


class OutOfStep(Exception):  # a turn in the story, not an error
    """The registry does not take these bytes here; its status tells where it is."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Attempt(Struct, frozen=True, kw_only=True):
    """Sends what `intake` reads, from where `standing` is; `pieces` is how large they may be."""

    call: Call
    intake: Intake
    session: UploadSession
    standing: Standing
    pieces: PieceSize
    what: str

    async def run(self) -> None:
        """To the end. Raises what may be mended, SessionLost, TooLarge, OutOfStep, Interrupted,
        and any other error of the registry or the source."""
        await self._send()
        await self._commit()

    # --- sending -----------------------------------------------------------------------------

    async def _send(self) -> None:
        if await self._is_small():
            return  # all of it goes with the PUT
        streams = self.call.line.chunking.streams(broken=self.standing.broken)
        while streams and await self._more(1):
            await self._stream()
            # What it has not kept goes in pieces, which tell their place.
            streams = self.standing.offset == self.intake.window.end
        while await self._more(self.pieces.size):
            await self._send_piece()

    async def _is_small(self) -> bool:
        if not self.call.line.chunking.with_commit:
            return False
        most = min(_SMALL, self.pieces.size)
        await self.intake.fill(most + 1)
        return (
            self.intake.exhausted and self.standing.offset == 0 and self.intake.window.end <= most
        )

    async def _more(self, size: int) -> bool:
        """Whether bytes beyond the offset remain; reads `size` of them, if it has so many."""
        await self.intake.fill(self.standing.offset + size)
        return self.intake.window.end > self.standing.offset

    async def _send_piece(self) -> None:
        offset = self.standing.offset
        body = Pieces(self.intake.window.pieces(offset, self.pieces.size))
        try:
            answer = await self.session.append(body, offset)
        except Interrupted:
            self.pieces.broke()
            raise
        self._accepted(answer, offset + body.length, body.length)
        self.pieces.arrived()
        self.intake.window.drop_before(self.standing.offset)

    async def _stream(self) -> None:
        offset, window, chunking = self.standing.offset, self.intake.window, self.call.line.chunking
        answer = await stream(self.session, self.intake, offset, chunking)
        if offset and answer.status in _ONE_ONLY:
            await self.session.cancel()
            raise SessionLost(answer)
        if answer.status in _LENGTH_WANTED:
            chunking.no_streaming(f"it answered {answer.phrase} to a stream")
            raise OutOfStep(answer)
        length = window.end - offset
        self._accepted(answer, window.end, length)
        if not self.intake.exhausted and not chunking.is_stretch(length):
            raise self._lie(f"{answer.phrase} before the end of the data")

    def _accepted(self, answer: Answer, reached: int, length: int) -> None:
        """The registry has the bytes up to `reached`, or says otherwise."""
        match answer.status:
            case 200 | 201 | 202 | 204:
                self._advance(self._reached(answer, reached), answer)
            case 404:
                raise SessionLost(answer)
            case 413:
                raise TooLarge(length, answer)
            case 400 | 416:
                raise OutOfStep(answer)
            case _:
                raise self.call.refusal(answer, self.what)

    def _reached(self, answer: Answer, sent: int) -> int:
        if self.call.line.chunking.whole:
            return sent  # its Range may stand still; the digest at the end tells
        has = received(answer.headers.get("Range")) if "Range" in answer.headers else sent
        return has if self.intake.window.start <= has < sent and has > 0 else sent

    def _advance(self, offset: int, answer: Answer) -> None:
        """A registry that takes bytes and keeps none must not be asked for ever."""
        if offset <= self.standing.offset:
            if self.call.line.chunking.may_stream_again(broken=self.standing.broken):
                raise OutOfStep(answer)
            raise self._lie(kept_nothing(answer))
        self.standing.reach(offset)

    def _lie(self, reason: str) -> Interrupted:
        host = self.call.line.host
        return interrupted(self.call.subject(self.what), host, reason, LYING_HINT)

    # --- the end -----------------------------------------------------------------------------

    async def _commit(self) -> None:
        digest, body = self.intake.digest, self._rest()
        try:
            answer = await self.session.commit(digest, body)
        except Interrupted as error:
            if body and error.status == 500:  # older ones of Pulp (pulp/pulp_container#1131)
                self.call.line.chunking.with_commit = False
            raise
        if body and answer.status in _NOT_WITH_COMMIT:
            self.call.line.chunking.with_commit = False
            await self.session.cancel()
            raise SessionLost(answer)
        match answer.status:
            case 200 | 201 | 202 | 204:
                await self._check(answer, digest)
            case 400 | 404 | 416:
                raise SessionLost(answer)
            case 413:
                raise TooLarge(body.length if body else 0, answer)
            case _:
                raise self.call.refusal(answer, self.what)

    def _rest(self) -> Pieces | None:
        """A small blob, which was not sent before."""
        offset, window = self.standing.offset, self.intake.window
        return Pieces(window.pieces(offset, _SMALL)) if offset < window.end else None

    async def _check(self, answer: Answer, digest: Digest) -> None:
        """What the registry says it has stored; when that is not ours, look again."""
        named = answer.headers.get("Docker-Content-Digest")
        if named in (None, str(digest)) or await look_for(self.call, digest) is not None:
            return
        raise mismatch(self.call, self.what, digest, named)


def kept_nothing(answer: Answer) -> str:
    """What an answer to bytes amounts to that did not move the upload."""
    return f"{answer.phrase}, but no byte was kept"
