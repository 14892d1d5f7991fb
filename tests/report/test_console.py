"""The lines a run prints are those of jet (spec C-25 to C-29)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.report.console import Console, Lines, prefixed
from longshore.report.style import Style
from longshore.run.events import (
    ContainerOutput,
    Detail,
    Event,
    ImageFinished,
    ImageOutput,
    Notice,
    Pushed,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from longshore.run.outcome import Broken, Failed, NotRun, Outcome, Passed, Skipped


def _finished(outcome: Outcome) -> StepFinished:
    return StepFinished(step="1", name="deploy", kind="run", outcome=outcome, seconds=0.1)


def _ended(*, interrupted: bool) -> RunFinished:
    return RunFinished(failed=(), not_run=(), waiting=(), interrupted=interrupted, seconds=1)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (StepStarted(step="1", name="web", kind="run"), "(step: web)\n"),
        (
            ImageOutput(image="r.example/web", service="web", text="Step 1/7 : FROM x\n ---> ab"),
            "(image: r.example/web) (service: web) Step 1/7 : FROM x\n"
            "(image: r.example/web) (service: web)  ---> ab\n",
        ),
        (
            ContainerOutput(step="1", name="t", service="app", data=b"one\n\ntwo\n"),
            "(service: app) (step: t) one\n"
            "(service: app) (step: t)\n"
            "(service: app) (step: t) two\n",
        ),
        (_finished(Passed()), "(step: deploy) success ✔\n"),
        (
            _finished(Failed(1)),
            "(step: deploy) container exited with a 1 code\n(step: deploy) failed ✘\n",
        ),
        (
            _finished(Skipped('tag "master" does not match "x"')),
            '(step: deploy) skipped (tag "master" does not match "x")\n',
        ),
        (
            _finished(Broken("image x not found", "see y")),
            "(step: deploy) image x not found\n"
            "(step: deploy) hint: see y\n"
            "(step: deploy) failed ✘\n",
        ),
        (
            Pushed(step="1", name="push", reference="l:5000/a:b", digest="sha256:00"),
            "(step: push) pushed l:5000/a:b@sha256:00\n",
        ),
    ],
)
def test_an_event_looks_as_specified(event: Event, expected: str) -> None:
    assert Console().render(event).out.decode() == expected


@pytest.mark.parametrize("outcome", [Failed(1), Broken("image x not found", "see y")])
def test_a_group_that_failed_does_not_tell_again_why_a_step_in_it_did(outcome: Outcome) -> None:
    event = StepFinished(step="1", name="tests", kind="parallel", outcome=outcome, seconds=1)
    assert Console().render(event).out.decode() == "(step: tests) failed ✘\n"


def test_the_end_names_the_failed_step_its_code_and_what_did_not_run() -> None:
    event = RunFinished(
        failed=(("unit", Failed(3)),),
        not_run=("deploy", "push"),
        waiting=(),
        interrupted=False,
        seconds=1,
    )
    assert Console().render(event).err == (
        'Error: step "unit" failed: container exited with a 3 code\nnot run: deploy, push\n'
    )


def test_a_run_that_its_limit_ended_says_so_with_its_seconds() -> None:
    event = RunFinished(
        failed=(), not_run=("later",), waiting=(), interrupted=False, timed_out=True, seconds=3.04
    )
    assert Console().render(event).err == (
        "Error: stopped by --timeout after 3.0 s\nnot run: later\n"
    )


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Detail(text="why"), "debug: why\n"),
        (RunStarted(run="r1", project="/p", engine="docker 29"), "debug: run r1 on docker 29\n"),
        (
            ImageFinished(image="a", service="b", action="build", problem="x", seconds=2),
            "debug: build of a failed: 2.0 s\n",
        ),
    ],
)
def test_what_explains_a_run_is_told_to_those_who_ask(event: Event, told: str) -> None:
    assert Console(verbose=True).render(event) == Lines(err=told)
    assert Console().render(event) == Lines()


def test_notices_go_to_standard_error() -> None:
    lines = Console().render(Notice(text="hm"))
    assert (lines.out, lines.err) == (b"", "notice: hm\n")


def test_a_notice_of_what_others_say_cannot_move_the_cursor() -> None:
    lines = Console(style=Style(colour=True)).render(Notice(text="one\r\ntwo\x1b[2J"))
    assert lines.err == "\x1b[33mnotice:\x1b[0m one\ntwo\\x1b[2J\n"


def test_a_locale_without_the_marks_gets_ascii() -> None:
    console = Console(style=Style(unicode=False))
    assert console.render(_finished(Passed())).out == b"(step: deploy) success [ok]\n"
    assert console.render(_finished(NotRun())).out == b"(step: deploy) not run\n"


def test_timestamps_stand_before_every_line() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    console = Console(clock=lambda: noon)
    event = ContainerOutput(step="1", name="t", service="a", data=b"x\ny\n")
    assert console.render(event).out.decode() == (
        "2026-01-31T12:00:00.000+00:00 (service: a) (step: t) x\n"
        "2026-01-31T12:00:00.000+00:00 (service: a) (step: t) y\n"
    )


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Notice(text="one\ntwo"), ["notice: one", "two"]),
        (Detail(text="why"), ["debug: why"]),
        (RunStarted(run="r1", project="/p", engine="docker 29"), ["debug: run r1 on docker 29"]),
        (_ended(interrupted=True), ["Error: interrupted"]),
        (_ended(interrupted=False), []),
    ],
)
def test_timestamps_stand_before_what_goes_to_standard_error_too(
    event: Event, told: list[str]
) -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    lines = Console(clock=lambda: noon, verbose=True).render(event)
    assert lines.err == "".join(f"2026-01-31T12:00:00.000+00:00 {line}\n" for line in told)


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), min_size=1))
def test_every_line_gets_the_prefix_and_none_is_lost(lines: list[bytes]) -> None:
    block = b"".join(line + b"\n" for line in lines)
    expected = [(b"(p) " + line) if line else b"(p)" for line in lines]
    assert prefixed("(p) ", block).split(b"\n")[:-1] == expected
