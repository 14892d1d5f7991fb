"""What dependencies write is held back until their step fails."""

from __future__ import annotations

import pytest

from longshore.report.held_output import KEPT, HeldOutput
from longshore.run.events import ContainerOutput, Event, Notice, StepFinished
from longshore.run.outcome import Broken, Failed, Outcome, Passed, Stopped


def _wrote(data: bytes, *, step: str = "1", dependency: bool = True) -> ContainerOutput:
    return ContainerOutput(step=step, name="t", service="db", data=data, dependency=dependency)


def _end(outcome: Outcome, step: str = "1") -> StepFinished:
    return StepFinished(step=step, name="t", kind="run", outcome=outcome, seconds=1)


def _shown(*events: Event) -> list[Event]:
    shown: list[Event] = []
    held = HeldOutput(shown.append)
    for event in events:
        held(event)
    return shown


@pytest.mark.parametrize("outcome", [Failed(1), Broken("no")])
def test_it_is_shown_before_the_failure_of_its_step_and_of_that_one_alone(outcome: Outcome) -> None:
    db, other = _wrote(b"db\n"), _wrote(b"x\n", step="2")
    own, end = _wrote(b"own\n", dependency=False), _end(outcome)
    assert _shown(db, other, own, end, _end(Passed(), "2")) == [own, db, end, _end(Passed(), "2")]


@pytest.mark.parametrize("outcome", [Passed(), Stopped()])
def test_of_a_step_that_did_not_fail_it_is_not_shown(outcome: Outcome) -> None:
    assert _shown(_wrote(b"db\n"), _end(outcome), _end(Failed(1))) == [
        _end(outcome),
        _end(Failed(1)),
    ]


def test_everything_else_is_shown_at_once() -> None:
    assert _shown(Notice(text="x")) == [Notice(text="x")]


def test_of_a_flood_the_end_is_held() -> None:
    block = b"x" * (KEPT // 4 - 1) + b"\n"
    many = [_wrote(b"first\n"), *[_wrote(block)] * 9, _wrote(b"last\n")]
    shown = _shown(*many, _end(Failed(1)))
    kept = [event.data for event in shown if isinstance(event, ContainerOutput)]
    assert kept[-1] == b"last\n"
    assert b"first\n" not in kept
    assert KEPT // 2 < sum(map(len, kept)) <= KEPT


def test_one_block_that_is_larger_than_what_is_held_is_shown() -> None:
    large = _wrote(b"x" * (2 * KEPT) + b"\n")
    assert _shown(large, _end(Failed(1))) == [large, _end(Failed(1))]
