from __future__ import annotations

import dataclasses
import io
import json
import logging
import pickle
import traceback

import pytest

from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret

TEXT = "hunter2-äöü-$ecret"


@dataclasses.dataclass(frozen=True)
class Holder:
    value: Secret
    credential: Credential


HOLDER = Holder(Secret(TEXT), Credential(username="u", password=Secret(TEXT)))


def test_nothing_that_shows_a_secret_shows_it() -> None:
    secret = Secret(TEXT)
    shown = [
        *(repr(secret), str(secret), ascii(secret), f"{secret}", f"{secret!r:>30}", f"{secret:^9}"),
        *("%s %r %10s" % (secret, secret, secret), "{0} {0!r}".format(secret)),  # noqa: UP031, UP032 -- those ways too
        *(repr([secret]), repr({"a": secret}), repr(HOLDER), str(HOLDER), str({secret})),
    ]
    assert not any("hunter2" in text for text in shown)
    assert all("***" in text for text in shown)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled(protocol: int) -> None:
    for value in (Secret(TEXT), HOLDER, [Secret(TEXT)]):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(value, protocol)


def test_a_secret_is_not_written_as_json() -> None:
    with pytest.raises(TypeError) as caught:
        json.dumps({"a": Secret(TEXT)})
    assert "hunter2" not in str(caught.value)


def test_logging_shows_the_mask() -> None:
    stream = io.StringIO()
    logger = logging.Logger("test")
    logger.addHandler(logging.StreamHandler(stream))
    logger.warning("%s %r %s", Secret(TEXT), HOLDER, {"a": Secret(TEXT)})
    assert "***" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def fail(secret: Secret, holder: Holder) -> None:
    local = [secret, holder]
    error = ValueError("failed with", secret, holder)
    error.add_note(f"note about {secret} and {local}")
    raise error


def test_tracebacks_notes_and_captured_locals_show_the_mask() -> None:
    with pytest.raises(ValueError, match="failed with") as caught:
        fail(Secret(TEXT), HOLDER)
    shown = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert "note about ***" in shown
    assert "local = " in shown
    assert "hunter2" not in shown


def test_a_failing_comparison_does_not_tell_the_text() -> None:
    one, other = Secret(TEXT), Secret("other")
    with pytest.raises(AssertionError) as caught:
        assert one == other
    assert "hunter2" not in str(caught.value)
    assert Secret(TEXT) != TEXT


def test_secrets_that_are_no_text_are_compared_without_an_error() -> None:
    # An encoding error would carry the text.
    assert Secret("\ud800 x") == Secret("\ud800 x")
    assert Secret("\udcff") != Secret("y")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert not Secret("")
    assert Secret(TEXT).reveal() == TEXT
