"""Trying again: who waits how long, and when it ends. No test here waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from longshore.errors import RegistryDenied, RegistryError, RegistryUnavailable
from longshore.registry.limits import Limits
from longshore.registry.progress import Progress, Waiting
from longshore.registry.transport.errors import Interrupted
from longshore.registry.transport.exchange import Answer, Request, Subject
from longshore.registry.transport.retry import (
    Backoff,
    Clock,
    Patience,
    Retrying,
    parse_retry_after,
)
from longshore.testing.registry_answer import answer

URL_ = URL("https://registry.example/v2/")
Step = Answer | Exception


class Scripted:
    """A sender that answers from a list, and then with 200."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.sent = 0

    async def send(self, request: Request) -> Answer:
        self.sent += 1
        step = self.steps.pop(0) if self.steps else answer(200, request.url)
        if isinstance(step, Exception):
            raise step
        return step


def _request(**changes: object) -> Request:
    defaults: dict[str, object] = {
        "method": "GET",
        "url": URL_,
        "subject": Subject(registry="registry.example", repository="a/b", what="manifest x"),
    }
    return Request(**{**defaults, **changes})  # type: ignore[arg-type]  # built from a mapping


def _status(status: int, retry_after: str | None = None, body: bytes = b"") -> Answer:
    headers = {"Retry_After": retry_after} if retry_after is not None else {}
    return answer(status, URL_, body, **headers)


def _reset() -> Interrupted:
    return Interrupted("registry.example: connection reset", reason="connection reset")


@pytest.fixture
def told() -> list[Progress]:
    return []


@pytest.fixture
def retrying(clock: Clock, told: list[Progress]) -> Callable[..., Retrying]:
    def make(inner: Scripted, **limits: float) -> Retrying:
        backoff = Backoff(
            limits=Limits(**limits),  # type: ignore[arg-type]  # a test names only what it needs
            clock=clock,
            listener=told.append,
        )
        return Retrying(inner, backoff)

    return make


Make = Callable[..., Retrying]


@pytest.mark.parametrize("status", [408, 425, 429, 499, 500, 502, 503, 504, 520, 524, 529, 599])
async def test_temporary_statuses_are_tried_again(retrying: Make, status: int) -> None:
    inner = Scripted(_status(status))
    assert (await retrying(inner).send(_request())).status == 200
    assert inner.sent == 2


@pytest.mark.parametrize(
    "status", [200, 201, 301, 400, 401, 403, 404, 413, 416, 501, 505, 507, 511]
)
async def test_other_statuses_are_handed_on_at_once(retrying: Make, status: int) -> None:
    inner = Scripted(_status(status))
    assert (await retrying(inner).send(_request())).status == status
    assert inner.sent == 1


async def test_waiting_times_double_up_to_a_ceiling(retrying: Make, told: list[Progress]) -> None:
    inner = Scripted(*(_reset() for _ in range(8)))
    await retrying(inner).send(_request())
    seconds = [event.seconds for event in told if isinstance(event, Waiting)]
    assert seconds == [0.5, 1, 2, 4, 8, 16, 30, 30]


async def test_a_host_that_has_failed_is_asked_again_later_by_all_until_it_has_earned_trust(
    retrying: Make, told: list[Progress]
) -> None:
    """Of four failures an answer takes back two."""
    sender = retrying(Scripted(*(_reset() for _ in range(4)), _status(200), _reset()))
    for _ in range(2):
        await sender.send(_request())
    seconds = [event.seconds for event in told if isinstance(event, Waiting)]
    assert seconds == [0.5, 1, 2, 4, 2]


async def test_chance_draws_from_zero_to_the_ceiling(clock: Clock) -> None:
    drawn: list[tuple[float, float]] = []

    def chance(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    fair = Clock(now=clock.now, wall=clock.wall, sleep=clock.sleep, chance=chance)
    backoff = Backoff(limits=Limits(), clock=fair)
    await Retrying(Scripted(_reset(), _reset()), backoff).send(_request())
    assert drawn == [(0, 0.5), (0, 1.0)]


async def test_retry_after_is_obeyed_and_told(
    retrying: Make, told: list[Progress], waits: list[float]
) -> None:
    inner = Scripted(_status(429, "17", b'{"errors":[{"code":"TOOMANYREQUESTS"}]}'))
    await retrying(inner).send(_request())
    assert told == [
        Waiting(
            host="registry.example",
            seconds=17,
            reason="429 Too Many Requests: TOOMANYREQUESTS",
        )
    ]
    assert sum(waits) >= 17


async def test_a_small_retry_after_does_not_make_us_come_back_any_sooner(
    clock: Clock, told: list[Progress]
) -> None:
    late = Clock(now=clock.now, wall=clock.wall, sleep=clock.sleep, chance=lambda _, high: high)
    backoff = Backoff(limits=Limits(), clock=late, listener=told.append)
    answers = (_status(429, "1"), _status(429, "1"), _status(429, "1"))
    await Retrying(Scripted(*answers), backoff).send(_request())
    assert [event.seconds for event in told if isinstance(event, Waiting)] == [1, 1, 2]


async def test_retry_after_is_capped(retrying: Make, told: list[Progress]) -> None:
    await retrying(Scripted(_status(503, "86400")), longest_wait=120).send(_request())
    assert [event.seconds for event in told if isinstance(event, Waiting)] == [120]


async def test_a_pause_beyond_the_deadline_is_not_begun(
    retrying: Make, clock: Clock, waits: list[float]
) -> None:
    inner = Scripted(_status(429, "100"))
    with pytest.raises(RegistryUnavailable) as caught:
        await retrying(inner).send(_request(deadline=clock.now() + 50))
    assert caught.value.message == (
        "registry.example could not answer for manifest x of a/b: 429 Too Many Requests "
        "(gave up after 1 attempt; the next one may come in 100 s only)"
    )
    assert caught.value.hint == "allow more time with --push-timeout, or try later"
    assert waits == []


async def test_attempts_are_bounded_and_the_last_words_are_kept(retrying: Make) -> None:
    body = b'{"errors":[{"code":"UNAVAILABLE","message":"back soon"}]}'
    inner = Scripted(*(_status(503, body=body) for _ in range(10)))
    with pytest.raises(RegistryUnavailable) as caught:
        await retrying(inner, retries=3).send(_request())
    assert inner.sent == 4
    assert not isinstance(caught.value, Interrupted)
    assert (caught.value.status, caught.value.code) == (503, "UNAVAILABLE")
    assert caught.value.message.startswith(
        "registry.example could not answer for manifest x of a/b: UNAVAILABLE: back soon "
        "(gave up after 4 attempts in 3."
    )


async def test_a_host_that_never_answered_is_not_waited_for_when_it_refuses(
    retrying: Make, waits: list[float]
) -> None:
    refused = Interrupted("no", reason="connection refused", unproven=True)
    sender = retrying(Scripted(refused))
    with pytest.raises(RegistryUnavailable):
        await sender.send(_request())
    assert waits == []


async def test_a_host_that_answered_before_is_waited_for_when_it_refuses(retrying: Make) -> None:
    refused = Interrupted("no", reason="connection refused", unproven=True)
    sender = retrying(Scripted(_status(200), refused))
    await sender.send(_request())
    assert (await sender.send(_request())).status == 200


async def test_a_pause_of_one_request_holds_up_all_to_that_host_but_no_other(
    retrying: Make, waits: list[float]
) -> None:
    sender = retrying(Scripted(_status(429, "10")))
    sender.backoff.of("registry.example").until = sender.backoff.clock.now() + 10
    await sender.send(_request(url=URL("https://other.example/v2/")))
    assert sum(waits) == pytest.approx(10, abs=2)  # its own 429
    waits.clear()
    sender.backoff.of("registry.example").until = sender.backoff.clock.now() + 5
    await sender.send(_request())
    assert 5 <= sum(waits) <= 6


async def test_a_short_pause_does_not_cut_a_longer_one_short(
    retrying: Make, waits: list[float]
) -> None:
    """What one request is asked for holds for all, whatever the others meet meanwhile."""
    backoff = retrying(Scripted()).backoff
    backoff.of("registry.example").until = backoff.clock.now() + 60
    patience = Patience(backoff=backoff, host="registry.example", deadline=float("inf"))
    await patience.pause(_reset())
    assert 60 <= sum(waits) <= 61


async def test_who_waits_for_what_is_to_come_waits_alone(
    retrying: Make, waits: list[float]
) -> None:
    """The host is well: a tag that lags behind is no reason to hold up the layers of another."""
    sender = retrying(Scripted())
    backoff = sender.backoff
    patience = Patience(backoff=backoff, host="registry.example", deadline=float("inf"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(patience.look_again, "a/b:1 is not there yet")
        await anyio.wait_all_tasks_blocked()
        assert backoff.of("registry.example").until <= backoff.clock.now()
    assert waits == [0.5]
    await sender.send(_request())
    assert waits == [0.5]


async def test_looks_again_are_bounded(retrying: Make, waits: list[float]) -> None:
    backoff = retrying(Scripted(), retries=3).backoff
    patience = Patience(backoff=backoff, host="registry.example", deadline=float("inf"))
    assert [await patience.look_again("x") for _ in range(5)] == [True] * 3 + [False] * 2
    assert waits == [0.5, 1, 2]
    soon = Patience(backoff=backoff, host="registry.example", deadline=backoff.clock.now())
    assert not await soon.look_again("x")


async def test_requests_marked_once_are_never_repeated(retrying: Make) -> None:
    inner = Scripted(_status(503, "5"))
    with pytest.raises(Interrupted) as caught:
        await retrying(inner).send(_request(once=True))
    assert (inner.sent, caught.value.retry_after) == (1, "5")


async def test_a_streamed_body_is_never_repeated(retrying: Make) -> None:
    send, receive = anyio.create_memory_object_stream[bytes](1)
    with send, receive:
        inner = Scripted(_reset())
        with pytest.raises(Interrupted):
            await retrying(inner).send(_request(method="PATCH", body=receive))
    assert inner.sent == 1


async def test_a_full_disk_is_not_waited_for(retrying: Make, waits: list[float]) -> None:
    body = (
        b'{"errors":[{"code":"UNKNOWN","message":"unknown error",'
        b'"detail":{"DriverName":"filesystem","Enclosed":{"Op":"write","Path":"/v","Err":28}}}]}'
    )
    handed_on = await retrying(Scripted(_status(500, body=body))).send(_request())
    assert (handed_on.status, waits) == (500, [])


async def test_errors_that_time_cannot_mend_pass_through(retrying: Make) -> None:
    for error in (RegistryDenied("no"), RegistryError("no"), RegistryUnavailable("no")):
        inner = Scripted(error)
        with pytest.raises(type(error)):
            await retrying(inner).send(_request())
        assert inner.sent == 1


NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 5 ", 5),
        ("Mon, 04 May 2026 12:01:30 GMT", 90),
        ("Mon, 04 May 2026 11:00:00 GMT", 0),
        ("Monday, 04-May-26 12:00:10 GMT", 10),
        ("Mon, 04 May 2026 12:00:00 +99999999999999999999", None),
        ("Mon, 99999999999999999999 May 2026 12:00:00 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("٣", None),
    ],
)
def test_retry_after_has_two_forms(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, NOW.timestamp()) == seconds


@given(st.text(max_size=60))
def test_any_retry_after_is_read_without_an_error(text: str) -> None:
    result = parse_retry_after(text, 0)
    assert result is None or result >= 0


@given(st.integers(0, 10**6))
def test_dates_and_seconds_mean_the_same(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert parse_retry_after(date, NOW.timestamp()) == seconds
    assert parse_retry_after(str(seconds), NOW.timestamp()) == seconds


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        # The registry's clock is decades before ours, or behind it.
        ("Mon, 04 May 2026 12:00:00 GMT", 90),
        ("Sat, 01 Jan 2000 00:00:00 GMT", 300),
        # Nothing to go by but our own clock, which says 1970-01-01 00:16:40.
        (None, 300),
        ("yesterday", 300),
    ],
)
async def test_a_date_to_wait_for_is_judged_by_the_clock_of_who_gave_it(
    retrying: Make, told: list[Progress], date: str | None, seconds: float
) -> None:
    headers = {"Retry_After": "Mon, 04 May 2026 12:01:30 GMT"} | ({"Date": date} if date else {})
    refused = answer(503, URL_, b"", **headers)
    await retrying(Scripted(refused), longest_wait=300).send(_request())
    assert [event.seconds for event in told if isinstance(event, Waiting)] == [seconds]


async def test_a_date_to_wait_for_without_another_is_judged_by_our_clock(
    retrying: Make, told: list[Progress]
) -> None:
    await retrying(Scripted(_status(503, "Thu, 01 Jan 1970 00:17:30 GMT"))).send(_request())
    assert [event.seconds for event in told if isinstance(event, Waiting)] == [50]


@pytest.mark.parametrize("text", ["0", "Thu, 01 Jan 1970 00:00:00 GMT"])
async def test_a_retry_after_of_nothing_leaves_the_back_off_on(
    retrying: Make, told: list[Progress], text: str
) -> None:
    await retrying(Scripted(*[_status(503, text)] * 4)).send(_request())
    pauses = [event.seconds for event in told if isinstance(event, Waiting)]
    assert len(pauses) == 4
    assert max(pauses) > 0


class TestDenialsOfGitHub:
    """Some hold for a moment only (docker/build-push-action#463)."""

    WHIMSICAL = URL("https://ghcr.io/v2/")

    async def test_one_of_a_moment_is_got_over(self, retrying: Make) -> None:
        inner = Scripted(_status(403), _status(403))
        done = await retrying(inner).send(_request(method="POST", url=self.WHIMSICAL))
        assert (done.status, inner.sent) == (200, 3)

    async def test_one_that_stays_is_handed_on(self, retrying: Make) -> None:
        inner = Scripted(*[_status(403)] * 5)
        done = await retrying(inner).send(_request(method="POST", url=self.WHIMSICAL))
        assert (done.status, inner.sent) == (403, 3)

    @pytest.mark.parametrize(
        "changes",
        [
            {"url": URL_, "method": "POST"},
            {"url": WHIMSICAL, "method": "GET"},
            {"url": WHIMSICAL, "method": "PUT", "once": True},
        ],
        ids=["another's", "a question", "once"],
    )
    async def test_others_are_handed_on_at_once(
        self, retrying: Make, changes: dict[str, object]
    ) -> None:
        inner = Scripted(_status(403))
        done = await retrying(inner).send(_request(**changes))
        assert (done.status, inner.sent) == (403, 1)

    async def test_where_nothing_may_be_tried_again_one_is_handed_on(self, retrying: Make) -> None:
        inner = Scripted(_status(403))
        done = await retrying(inner, retries=0).send(_request(method="POST", url=self.WHIMSICAL))
        assert (done.status, inner.sent) == (403, 1)
