from __future__ import annotations

import base64
import json
import time
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.secrets.forms import forms, is_maskable
from longshore.secrets.masking import Masker
from longshore.secrets.secret import Secret

values = st.text(min_size=4, max_size=40).filter(is_maskable)
long_values = st.text("abcXYZ019+/=\n", min_size=20, max_size=300).filter(is_maskable)
small_values = st.text("ab\n*+/", min_size=4, max_size=9).filter(is_maskable)


def masker_of(*secrets: str) -> Masker:
    masker = Masker()
    for number, secret in enumerate(secrets):
        masker.add(f"SECRET_{number}", Secret(secret))
    return masker


def fed(masker: Masker, pieces: list[bytes]) -> bytes:
    return b"".join(masker.feed("x", piece) for piece in pieces) + masker.flush("x")


@st.composite
def streams(draw: st.DrawFn, secrets: st.SearchStrategy[str]) -> tuple[list[str], bytes, list[int]]:
    """Secrets, a stream with many of their forms and beginnings of forms in it, and cuts."""
    chosen = draw(st.lists(secrets, min_size=1, max_size=4))
    known = sorted(set().union(*map(forms, chosen)))
    form = st.sampled_from(known)
    partial = st.tuples(form, st.integers(0, 60)).map(lambda pair: pair[0][: pair[1]])
    noise = st.binary(max_size=6)
    data = b"".join(draw(st.lists(st.one_of(form, partial, noise), max_size=10)))
    cuts = draw(st.lists(st.integers(0, len(data)), max_size=10))
    return chosen, data, cuts


@settings(max_examples=300, deadline=None)
@given(st.one_of(streams(values), streams(small_values)))
def test_where_a_stream_is_cut_makes_no_difference(
    case: tuple[list[str], bytes, list[int]],
) -> None:
    secrets, data, cuts = case
    pieces = [data[a:b] for a, b in pairwise(sorted({0, *cuts, len(data)}))]
    masker = masker_of(*secrets)
    at_once = masker.mask(data)
    assert fed(masker, pieces) == at_once
    assert fed(masker, [bytes([byte]) for byte in data]) == at_once
    assert masker.flush("x") == b""


@settings(max_examples=200, deadline=None)
@given(streams(values))
def test_no_form_of_a_secret_survives(case: tuple[list[str], bytes, list[int]]) -> None:
    secrets, data, cuts = case
    pieces = [data[a:b] for a, b in pairwise(sorted({0, *cuts, len(data)}))]
    shown = fed(masker_of(*secrets), pieces)
    # A form made of the mask's own characters may come from the mask; the rest between must not.
    for between in shown.split(b"***"):
        assert not [form for form in set().union(*map(forms, secrets)) if form in between]


@settings(max_examples=200)
@given(values, st.binary(max_size=4), st.binary(max_size=4))
def test_encoded_secrets_do_not_come_to_light(value: str, before: bytes, after: bytes) -> None:
    raw = value.encode("utf-8", "surrogatepass")
    masker = masker_of(value)
    encodings = [
        base64.b64encode(raw),
        base64.urlsafe_b64encode(raw),
        base64.b64encode(b"user:" + raw),
        quote(raw, safe="").encode(),
        quote_plus(raw).encode(),
        json.dumps(value).encode(),
    ]
    for encoded in encodings:
        shown = masker.mask(before + encoded + after)
        assert encoded not in shown or encoded in b"***"
        assert b"***" in shown


def test_only_what_may_be_the_start_of_a_secret_is_held_back() -> None:
    masker = masker_of("hunter2secret")
    assert masker.feed("x", b"all of this\nand hunt") == b"all of this\nand "
    assert masker.feed("x", b"ing") == b"hunting"
    assert masker.feed("x", b" hunter2") == b" "
    assert masker.feed("x", b"secret!") == b"***!"
    assert masker.feed("x", b"hunter2") == b""
    assert masker.flush("x") == b"hunter2"


def test_streams_do_not_disturb_each_other() -> None:
    masker = masker_of("hunter2secret")
    assert masker.feed(1, b"hunter2") == b""
    assert masker.feed(2, b"secret") == b"secret"
    assert masker.feed(1, b"secret") == b"***"


def test_overlapping_secrets_leave_nothing_of_either() -> None:
    masker = masker_of("abcdXY", "XYefgh")
    assert masker.mask(b"-abcdXYefgh-") == b"-***-"
    assert fed(masker, [b"-abcdX", b"Yef", b"gh-"]) == b"-***-"
    assert fed(masker_of("aaaa"), [b"a"] * 50 + [b"b"]) == b"***b"


def test_a_secret_added_while_its_start_is_held_back_is_masked() -> None:
    masker = masker_of("hunter2secret")
    assert masker.feed("x", b"hunter2") == b""
    masker.add("LATE", Secret("er2other"))
    assert masker.feed("x", b"other and er2other\n") == b"hunt*** and ***\n"


def test_without_secrets_bytes_pass_unchanged() -> None:
    masker = Masker()
    data = b"anything"
    assert masker.feed("x", data) is data
    assert masker.flush("x") == b""
    assert masker.mask(data) is data
    assert masker.mask_text("text") == "text"


def test_lines_of_a_multi_line_secret_are_masked_one_by_one() -> None:
    key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\nabc\nq83vEjRWeJA=\n-----END KEY-----\n"
    masker = masker_of(key)
    assert masker.mask(b"> MIIEpAIBAAKCAQEA <\n") == b"> *** <\n"
    shown = masker.mask(key.replace("\n", "\r\n").encode())
    assert b"abc" not in shown
    assert b"KEY" not in shown


def test_names_of_values_that_are_not_masked_are_told_once() -> None:
    masker = Masker()
    for name, value in [("A", "true"), ("B", "abc"), ("C", "hunter2"), ("D", ""), ("A", "yes")]:
        masker.add(name, Secret(value))
    assert masker.unmasked_names == ("A", "B")
    assert masker.mask_text("true abc hunter2 yes") == "true abc *** yes"


@given(st.text(), values)
def test_messages_are_masked_as_text(text: str, value: str) -> None:
    masker = masker_of(value)
    assert value not in masker.mask_text(f"{text}{value}{text}").replace("***", "")
    assert masker.mask_text("no secret in héré") == "no secret in héré"


def test_bytes_that_are_no_text_are_masked_in_messages_too() -> None:
    smuggled = b"pass\xffword".decode("utf-8", "surrogateescape")
    assert masker_of(smuggled).mask_text(f"<{smuggled}>") == "<***>"


def test_a_masker_does_not_show_what_it_knows() -> None:
    masker = masker_of("hunter2secret")
    masker.feed("x", b"hunter2")
    assert "hunter2" not in repr(masker)


def test_a_hundred_secrets_are_masked_at_the_speed_of_a_container_s_output() -> None:
    """An engine gives at most some 60 MB/s; the figures of this machine are in bench/masking.py.

    The bound is a tenth of what an idle machine does: it finds a change of kind, not of degree.
    """
    masker = masker_of(*(f"{number:02d}tOkEn{number * 7919 % 1009:04d}Xy" for number in range(100)))
    line = b"2026-01-01T00:00:00Z INFO [app] /usr/lib/app.js: a usual line of a usual log\n"
    data = line * 100_000
    started = time.perf_counter()
    shown = fed(masker, [data[at : at + 65536] for at in range(0, len(data), 65536)])
    assert shown == data
    assert len(data) / (time.perf_counter() - started) > 8e6


@pytest.mark.parametrize("value", ["***-***", "a***b", "****"])
def test_secrets_that_look_like_the_mask_do_no_harm(value: str) -> None:
    masker = masker_of(value)
    assert masker.mask(f"<{value}>".encode()) == b"<***>"


@given(
    value=long_values, width=st.sampled_from([64, 76]), after=st.sampled_from(["", "\n", "\r\n"])
)
def test_of_base64_in_lines_no_more_than_a_scrap_at_the_end_is_shown(
    value: str, width: int, after: str
) -> None:
    """As `echo "$KEY" | base64` writes it; less than eight characters in a line are not masked, nor
    is what the line break is part of."""
    encoded = base64.b64encode((value + after).encode())
    lines = [encoded[start : start + width] for start in range(0, len(encoded), width)]
    masked = masker_of(value).mask(b"\n".join(lines))
    shown = b"".join(masked.replace(b"***", b"").splitlines())
    assert encoded.endswith(shown)
    assert len(shown) <= 7 + 5
