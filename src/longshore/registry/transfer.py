"""The bytes of one blob on their way into one repository, through whatever breaks."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from longshore.errors import RegistryError
from longshore.oci.digest import Digest
from longshore.registry.blobs import look_for
from longshore.registry.chunking import PieceSize
from longshore.registry.intake import Intake
from longshore.registry.line import Call
from longshore.registry.progress import Restarted, Resumed
from longshore.registry.ranges import received
from longshore.registry.standing import Standing
from longshore.registry.transport.errors import LYING_HINT, Interrupted
from longshore.registry.transport.exchange import Answer
from longshore.registry.transport.words import registry_words
from longshore.registry.upload_attempt import Attempt, OutOfStep, TooLarge, kept_nothing
from longshore.registry.upload_session import SessionLost, UploadSession, begin

_LOST_HINT: Final = (
    "the registry forgot the upload twice: behind a load balancer its processes need one shared "
    "storage and http.secret, or sticky sessions"
)

_GAVE_UP: Final = frozenset({408, 502, 504, 524})
"""What proxies answer that wait no longer for a registry, which goes on all the same."""
_LOOKS: Final = 6
"""For a blob whose completion nobody answered; a quarter of a minute, as a rule."""


class Transfer(Struct, kw_only=True):
    """Sends what `intake` reads into the session it is given, or into new ones when that is lost.

    The intake's window holds what may have to go again. `resumed`: where it went on after breaks.
    """

    call: Call
    intake: Intake
    session: UploadSession
    standing: Standing
    pieces: PieceSize
    what: str
    resumed: list[int] = field(default_factory=list)
    _interrupted: bool = False
    """In this session."""
    _unanswered: bool = False
    """The registry may still be completing the blob (distribution/distribution#755)."""
    _single: bool = False
    _lost: int = 0

    async def run(self) -> Digest:
        """Send everything and commit; returns the digest. The session is gone either way."""
        done = False
        try:
            while not done:
                done = await self._attempted()
        finally:
            if not done:
                await self.session.cancel()
        return self.intake.digest

    async def _attempted(self) -> bool:
        """Go on to the end; False when something broke and was mended."""
        try:
            await self._attempt().run()
        except Interrupted as interruption:
            await self.standing.patience.pause(interruption)
            self._interrupted = True
            self._unanswered = self._all_is_sent and interruption.status in _GAVE_UP
            return await self._mend(interruption.reason)
        except TooLarge as refused:
            if not self.call.line.chunking.too_large(refused.sent):
                raise self.call.refusal(refused.answer, self.what) from None
            return await self._mend("a body that was too large")
        except OutOfStep as refused:
            return await self._in_step(refused.answer)
        except SessionLost as lost:
            return await self._begin_again(lost.answer)
        return True

    def _attempt(self) -> Attempt:
        return Attempt(
            call=self.call,
            intake=self.intake,
            session=self.session,
            standing=self.standing,
            pieces=self.pieces,
            what=self.what,
        )

    # --- going on where the registry is --------------------------------------------------------

    async def _mend(self, reason: str, told: int = 0) -> bool:
        """Go on where the registry is, if the window reaches back there, else from zero.

        `told`: where it said it was when it refused, in case its status does not say. True when
        the blob is there already.
        """
        self.standing.broken = True
        if await self._is_there():
            return True
        if self.call.line.chunking.streams(broken=True):
            return await self._from_zero(reason)
        try:
            has = await self.session.received()
        except SessionLost:
            return await self._restart(reason)
        has = self._in_whole_pieces(has or told or int(self._single))
        if not self.intake.window.holds(has):
            return await self._from_zero(f"{reason}; only {has} bytes had arrived")
        self._go_on(has, reason)
        return False

    def _in_whole_pieces(self, has: int) -> int:
        """Without the byte that Quay counts too many in a status: of a piece that broke hardly ever
        just one has arrived. Once refused there, the registry's word is taken."""
        pieces = {self.standing.offset, self.intake.window.end} - {0}
        return has - 1 if has - 1 in pieces and not self.standing.refused else has

    def _go_on(self, offset: int, reason: str) -> None:
        self.standing.reach(offset)
        self.intake.window.drop_before(offset)
        if offset:
            self.resumed.append(offset)
            repository = self.call.repository
            self.call.line.listener(
                Resumed(repository=repository, blob=self.what, offset=offset, reason=reason)
            )

    async def _in_step(self, answer: Answer) -> bool:
        # "0-0" stands for no byte and for one (see `ranges`); refused at 0 it has to be one.
        tried = self._single and self.standing.offset == 1
        self._single = answer.status == 416 and self.standing.offset == 0
        refusal = self._refusal(answer)
        await self.standing.patience.pause(refusal)
        self.standing.refused += 1
        if self.standing.refused > 1 and self._may_stream_again:
            return await self._stream_again(refusal.reason)
        if tried:
            return await self._from_zero(refusal.reason)
        return await self._mend(refusal.reason, received(answer.headers.get("Range")))

    def _refusal(self, answer: Answer) -> Interrupted:
        """Of bytes at this place, as something that may be tried again for a while."""
        code, detail = registry_words(answer.body)
        phrase = answer.phrase if answer.status >= 400 else kept_nothing(answer)
        error, host = self.call.refusal(answer, self.what), self.call.line.host
        return Interrupted(
            error.message,
            reason=": ".join(filter(None, (code, detail, phrase))),
            hint=error.hint or LYING_HINT.format(host=host),
            registry=host,
            repository=self.call.repository,
            status=answer.status,
            code=code,
            detail=detail,
        )

    # --- beginning again -----------------------------------------------------------------------

    @property
    def _may_stream_again(self) -> bool:
        return self.call.line.chunking.may_stream_again(broken=self.standing.broken)

    async def _stream_again(self, reason: str) -> bool:
        """It takes a blob whole or not at all: so it gets this one, and all that follow."""
        self.call.line.chunking.whole = True
        return await self._from_zero(reason)

    async def _from_zero(self, reason: str) -> bool:
        """This session is of no more use, but the registry may still know it."""
        return await self._restart(reason, known=True)

    async def _begin_again(self, answer: Answer) -> bool:
        """Once only: a setup that loses a session without a break will lose them all."""
        self.call.line.chunking.no_stretches()
        if await self._is_there():
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
        return await self._restart(said)

    async def _restart(self, reason: str, *, known: bool = False) -> bool:
        """A new session, from the start; True when the blob has come to be there instead."""
        if self._unanswered and await self._comes_to_be():
            return True
        if known:
            await self.session.cancel()
        self._count_restart(reason)
        self.session = await begin(self.call, self.what)
        if self.intake.window.start:
            await self.intake.reopen()
        self.standing.begin_anew()
        self._single = self._interrupted = self._unanswered = False
        return False

    def _count_restart(self, reason: str) -> None:
        self.standing.restarts += 1
        line, repository = self.call.line, self.call.repository
        if self.standing.restarts > line.limits.retries + 1:
            raise RegistryError(
                f"{line.host} lost {self.what} of {repository} {self.standing.restarts} times, "
                f"the last time: {reason}",
                hint="send smaller chunks, or find out what cuts connections",
                registry=line.host,
                repository=repository,
            )
        line.listener(Restarted(repository=repository, blob=self.what, reason=reason))

    @property
    def _all_is_sent(self) -> bool:
        """Only the completion of the blob is left."""
        return self.intake.exhausted and 0 < self.intake.window.end <= self.standing.offset

    async def _comes_to_be(self) -> bool:
        """Whether the blob is there after a while: to send it anew costs far more."""
        patience = await self.call.patience()
        for _ in range(_LOOKS):
            if not await patience.look_again(f"{self.what} is not complete yet"):
                return False
            if await self._is_there():
                return True
        return False

    async def _is_there(self) -> bool:
        """Whether the blob has arrived after all: the answer to a PUT may have been lost."""
        return self.intake.exhausted and await look_for(self.call, self.intake.digest) is not None
