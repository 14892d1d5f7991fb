"""What is said of secrets around a run."""

from __future__ import annotations

import pytest

from longshore.commands.masked_failures import masked_failures
from longshore.commands.preparation import Remarks
from longshore.errors import EngineError, LongshoreError
from longshore.run.events import Event, Notice
from longshore.secrets.masking import Masker
from longshore.secrets.secret import Secret


def masker_of(**secrets: str) -> Masker:
    masker = Masker()
    for name, value in secrets.items():
        masker.add(name, Secret(value))
    return masker


def test_errors_that_leave_a_session_are_masked_also_in_groups() -> None:
    def failure() -> EngineError:
        return EngineError("the engine says: bad word4711", hint="not word4711 again")

    masker = masker_of(TOKEN="word4711")  # of this test
    with pytest.raises(EngineError) as alone, masked_failures(masker):
        raise failure()
    with pytest.raises(ExceptionGroup) as group, masked_failures(masker):
        raise ExceptionGroup("several", [ExceptionGroup("inner", [failure()])])
    (inner,) = group.value.exceptions
    assert isinstance(inner, ExceptionGroup)
    for error in alone.value, inner.exceptions[0]:
        assert isinstance(error, LongshoreError)
        assert "word4711" not in f"{error} {error!r} {error.message} {error.hint}"
        assert error.hint == "not *** again"


def test_remarks_wait_for_somebody_to_tell_and_name_what_is_unmasked_once() -> None:
    masker = masker_of(SHORT="ab", LONG="long-enough", FLAG="true")
    events: list[Event] = []
    remarks = Remarks()
    remarks("early")
    remarks.tell(events.append, masker)
    remarks("late")
    masker.add("ANOTHER", Secret("x"))
    remarks.tell(events.append, masker)
    remarks.tell(events.append, masker)
    texts = [event.text for event in events if isinstance(event, Notice)]
    assert texts == [
        "early",
        "not masked in the output, too short or too common: SHORT, FLAG",
        "late",
        "not masked in the output, too short or too common: ANOTHER",
    ]
