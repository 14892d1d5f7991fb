"""The log of jet 1.x: its lines on standard output, everything else on standard error."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from longshore.report.console import Console
from longshore.report.legacy import LegacyLog
from longshore.report.readers import LogFormat, LogOptions, reader
from longshore.report.sink import Sink
from longshore.report.style import Style
from longshore.run.events import (
    ContainerOutput,
    Detail,
    Event,
    ImageFinished,
    ImageOutput,
    ImageStarted,
    Notice,
    RunFinished,
    StepFinished,
    StepStarted,
)
from longshore.run.outcome import Broken, Failed, Outcome, Passed, Skipped
from longshore.secrets.masking import Masker


def _finished(outcome: Outcome) -> StepFinished:
    return StepFinished(step="1", name="tests", kind="run", outcome=outcome, seconds=1.0)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (StepStarted(step="1", name="sailing", kind="run"), '{StepStarted=step_name:"sailing"}'),
        (
            ImageStarted(image="redis:3.0.5", service="redis", action="pull"),
            '{PullImageStarted=image_name:"redis:3.0.5" service_name:"redis"}',
        ),
        (
            ImageOutput(image="redis:3.0.5", service="redis", text="Pulling", action="pull"),
            '{PullImageStdout=image_name:"redis:3.0.5" service_name:"redis"}: Pulling',
        ),
        (
            ImageOutput(image="golang", service="app", text="Step 1/5 : FROM golang"),
            '{BuildImageStdout=image_name:"golang" service_name:"app"}: Step 1/5 : FROM golang',
        ),
        (
            ImageFinished(image="a", service="b", action="build", problem=None, seconds=1),
            '{BuildImageFinished=image_name:"a" service_name:"b"}',
        ),
        (
            ContainerOutput(step="1", name='say "x"', service="app", data=b"ok\n"),
            '{ContainerRunStdout=step_name:"say \\"x\\"" service_name:"app"}: ok',
        ),
        (_finished(Passed()), '{StepFinished=step_name:"tests" type:STEP_FINISHED_TYPE_SUCCESS}'),
        (_finished(Failed(1)), '{StepFinished=step_name:"tests" type:STEP_FINISHED_TYPE_ERROR}'),
        (
            _finished(Skipped("no tag")),
            '{StepFinished=step_name:"tests" type:STEP_FINISHED_TYPE_SKIPPED}',
        ),
    ],
)
def test_an_event_looks_as_jet_1_printed_it(event: Event, line: str) -> None:
    shown = LegacyLog().render(event)
    assert (shown.out.decode(), shown.err) == (f"{line}\n", "")


def test_every_line_begins_with_its_time_when_that_is_asked_for() -> None:
    log = LegacyLog(clock=lambda: datetime(2026, 1, 31, 12, tzinfo=UTC))
    time = "2026-01-31T12:00:00.000+00:00"
    head = '{ContainerRunStdout=step_name:"t" service_name:"a"}:'
    block = ContainerOutput(step="1", name="t", service="a", data=b"x\n\ny\n")
    assert log.render(block).out.decode() == f"{time} {head} x\n{time} {head}\n{time} {head} y\n"
    started = StepStarted(step="1", name="t", kind="run")
    assert log.render(started).out.decode() == f'{time} {{StepStarted=step_name:"t"}}\n'


def test_errors_go_to_standard_error_with_what_to_do_and_what_is_left() -> None:
    end = RunFinished(
        failed=(("build", Broken("no Dockerfile", "write one")), ("unit", Failed(3))),
        not_run=("deploy",),
        waiting=("release",),
        interrupted=False,
        seconds=1,
    )
    shown = LegacyLog().render(end)
    assert shown.out == b""
    assert shown.err == (
        'Error: step "build" failed: no Dockerfile\n'
        "hint: write one\n"
        'Error: step "unit" failed: container exited with a 3 code\n'
        "not run: deploy\n"
        '"release" is waiting for approval (use --approve)\n'
    )


def test_notices_are_told_and_details_to_those_who_ask() -> None:
    assert LegacyLog().render(Notice(text="hm")).err == "notice: hm\n"
    assert LegacyLog().render(Detail(text="why")).err == ""
    asked = LegacyLog(others=Console(verbose=True))
    assert asked.render(Detail(text="why")).err == "debug: why\n"


def test_the_log_options_reach_this_format() -> None:
    out, err = io.BytesIO(), io.BytesIO()
    options = LogOptions(format=LogFormat.V1, timestamps=True, verbose=True)
    emit = reader(options, Sink(out, err), Style(unicode=False), Masker())
    emit(StepStarted(step="1", name="t", kind="run"))
    emit(Detail(text="why"))
    assert out.getvalue().endswith(b' {StepStarted=step_name:"t"}\n')
    assert out.getvalue().startswith(b"20")
    failed = (("t", Failed(3)),)
    emit(RunFinished(failed=failed, not_run=(), waiting=(), interrupted=False, seconds=1))
    assert [line.split(b" ", 1)[1] for line in err.getvalue().splitlines()] == [
        b"debug: why",
        b'Error: step "t" failed: container exited with a 3 code',
    ]
    assert all(line.startswith(b"20") for line in err.getvalue().splitlines())
