"""Which queued steps may still start after a sibling failed (spec T-18, T-19)."""

from __future__ import annotations

from longshore.run.gate import Gate, Siblings


def test_a_queued_sibling_of_a_failed_step_does_not_start() -> None:
    siblings = Siblings()
    waiting = Gate(siblings)
    siblings.failed = True
    assert not waiting.enter()


def test_a_step_that_has_started_goes_on_after_a_sibling_failed() -> None:
    siblings = Siblings()
    running = Gate(siblings)
    assert running.enter()
    siblings.failed = True
    assert running.enter()


def test_a_nested_step_that_has_not_started_heeds_the_outer_group() -> None:
    outer = Siblings()
    inner = Gate(Siblings(), Gate(outer))
    outer.failed = True
    assert not inner.enter()


def test_a_group_that_has_started_may_start_its_other_steps_after_an_outer_failure() -> None:
    outer = Siblings()
    group = Gate(outer)
    inner = Siblings()
    assert Gate(inner, group).enter()
    outer.failed = True
    assert Gate(inner, group).enter()
