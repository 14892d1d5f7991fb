"""The one place that tries again and waits.

Back-off is per host and shared by all requests to it: when a registry asks for a pause, every
upload pauses. Waiting times are drawn with full jitter (uniform between 0 and a ceiling that
doubles), so that many clients do not come back at the same moment.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import anyio
from msgspec import Struct

from longshore.errors import RegistryUnavailable
from longshore.registry.limits import Limits
from longshore.registry.progress import Listener, Waiting, unheard
from longshore.registry.transport.dates import http_date
from longshore.registry.transport.errors import TEMPORARY_STATUSES, Interrupted, refusal
from longshore.registry.transport.exchange import Answer, Request, Sender, host_of

_FIRST_CEILING: Final = 0.5
_LAST_CEILING: Final = 30.0
_WHIMSICAL: Final = frozenset({"ghcr.io"})
_WHIMS: Final = 2
"""GitHub's registry denies what it allows a moment later (403, docker/build-push-action#463), so
often is it asked again; whoever really lacks the right hears of it a second later."""


class Clock(Struct, frozen=True, kw_only=True):
    """Time and chance, injected so that no test waits.

    `now` is monotonic, `wall` seconds since the epoch (for dates in headers), `chance` uniform
    between its arguments.
    """

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    chance: Callable[[float, float], float] = random.uniform


def parse_retry_after(text: str | None, now: float) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110, 10.2.3); None when it says nothing.

    Both forms, seconds and HTTP-date; `now` in seconds since the epoch. Never negative.
    """
    stripped = (text or "").strip()
    if stripped.isascii() and stripped.isdigit():
        return float(stripped[:12])
    moment = http_date(stripped)
    return None if moment is None else max(0.0, moment.timestamp() - now)


@dataclass(slots=True)
class _Host:
    """What we know of one host: since when it is to be left alone, and how it has behaved."""

    until: float = 0.0
    failures: int = 0
    has_answered: bool = False


@dataclass(slots=True, kw_only=True)
class Backoff:
    """The shared memory of all hosts."""

    limits: Limits
    clock: Clock = field(default_factory=Clock)
    listener: Listener = unheard
    _hosts: dict[str, _Host] = field(default_factory=dict)

    def of(self, host: str) -> _Host:
        """The record of one host."""
        return self._hosts.setdefault(host, _Host())

    def answered(self, host: str) -> None:
        """The host answered properly: trust in it grows again."""
        record = self.of(host)
        record.has_answered = True
        record.failures //= 2

    async def ready(self, host: str, deadline: float) -> None:
        """Return once the host may be asked again."""
        record = self.of(host)
        while (wait := min(record.until, deadline) - self.clock.now()) > 0:
            # Those who wait for the same moment would all come back in it.
            await self.clock.sleep(wait + self.clock.chance(0, min(0.1 * wait, 1.0)))

    def delay(self, host: str, attempts: int, interruption: Interrupted) -> float:
        """How long to leave the host alone after this: as long as it asks, or our own back-off.

        Little that is asked for (zero, a date gone by) does not make us come back any sooner.
        """
        ours = self.own_delay(max(attempts, self.of(host).failures))
        answered = http_date(interruption.answered)
        # The host's own clock, where it shows it: ours may differ.
        now = answered.timestamp() if answered else self.clock.wall()
        asked = parse_retry_after(interruption.retry_after, now) or 0.0
        return max(ours, min(asked, self.limits.longest_wait))

    def own_delay(self, attempts: int) -> float:
        """Seconds before another one after so many."""
        ceiling = _FIRST_CEILING * 2 ** (min(attempts, 10) - 1)
        return self.clock.chance(0, min(_LAST_CEILING, ceiling))


@dataclass(slots=True, kw_only=True)
class Patience:
    """What one operation may still do after a break: so many attempts, until so late."""

    backoff: Backoff
    host: str
    deadline: float
    attempts: int = 0
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.backoff.clock.now()

    def progress(self, *, restarts: int = 0) -> None:
        """Something got through: count from the beginning, or from how often it was begun anew."""
        self.attempts = restarts

    async def pause(self, interruption: Interrupted) -> None:
        """Wait as long as the host's back-off says; raises RegistryUnavailable when that is it."""
        record = self.backoff.of(self.host)
        self.attempts += 1
        record.failures += 1
        hopeless = interruption.unproven and not record.has_answered
        if hopeless or self.attempts > self.backoff.limits.retries:
            raise self._exhausted(interruption)
        delay = self.backoff.delay(self.host, self.attempts, interruption)
        now = self.backoff.clock.now()
        if now + delay > self.deadline:
            error = self._exhausted(interruption, f"; the next one may come in {delay:.0f} s only")
            error.hint = "allow more time with --push-timeout, or try later"
            raise error
        record.until = max(record.until, now + delay)
        self.backoff.listener(Waiting(host=self.host, seconds=delay, reason=interruption.reason))
        await self.backoff.ready(self.host, self.deadline)

    async def look_again(self, reason: str) -> bool:
        """Wait for what is to come at a host that is well: alone, for others may ask it meanwhile.
        False when no more looks are allowed."""
        self.attempts += 1
        clock, delay = self.backoff.clock, self.backoff.own_delay(self.attempts)
        if self.attempts > self.backoff.limits.retries or clock.now() + delay > self.deadline:
            return False
        self.backoff.listener(Waiting(host=self.host, seconds=delay, reason=reason))
        await clock.sleep(delay)
        return True

    def _exhausted(self, last: Interrupted, more: str = "") -> RegistryUnavailable:
        seconds = self.backoff.clock.now() - self.started
        tries = f"{self.attempts} attempts in {seconds:.1f} s" if self.attempts > 1 else "1 attempt"
        return RegistryUnavailable(
            f"{last.message} (gave up after {tries}{more})",
            hint=last.hint,
            registry=last.registry,
            repository=last.repository,
            status=last.status,
            code=last.code,
            detail=last.detail,
        )


class Retrying:
    """Sends until an answer comes that more attempts would not change.

    Answers with a temporary status (but those that are `final`) are raised as Interrupted for
    requests marked `once`; for all others they are retried, and RegistryUnavailable is raised in
    the end.
    """

    def __init__(self, inner: Sender, backoff: Backoff) -> None:
        self._inner = inner
        self.backoff = backoff

    def patience(self, request: Request) -> Patience:
        """A fresh budget for an operation that begins with `request`."""
        return Patience(backoff=self.backoff, host=host_of(request.url), deadline=request.deadline)

    async def send(self, request: Request) -> Answer:
        """See `Sender.send`."""
        patience = self.patience(request)
        while True:
            await self.backoff.ready(patience.host, request.deadline)
            try:
                return await self._attempt(request, patience.attempts)
            except Interrupted as interruption:
                if request.once or not request.replayable:
                    raise
                await patience.pause(interruption)

    async def _attempt(self, request: Request, tried: int) -> Answer:
        answer = await self._inner.send(request)
        if tried < min(_WHIMS, self.backoff.limits.retries) and _is_a_whim(request, answer):
            reason = f"{answer.phrase} may be a whim"
            raise Interrupted(f"{request.subject.registry}: {reason}", reason=reason)
        if answer.status in TEMPORARY_STATUSES - request.final:
            error = refusal(answer, request.subject)
            if isinstance(error, Interrupted):
                raise error
        self.backoff.answered(host_of(request.url))
        return answer


def _is_a_whim(request: Request, answer: Answer) -> bool:
    """Questions are not asked again: that they are denied is no failure."""
    telling = request.confidential or request.method not in ("GET", "HEAD")
    again = telling and request.replayable and not request.once
    return again and answer.status == 403 and host_of(request.url) in _WHIMSICAL
