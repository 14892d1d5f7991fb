from __future__ import annotations

import base64
import csv
import html
import io
import json
import os
import shlex
import shutil
import subprocess
from urllib.parse import quote, quote_plus
from xml.sax import saxutils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.secrets.forms import forms, is_maskable
from longshore.secrets.text_bytes import decode, encode

maskable = st.text(min_size=4, max_size=60).filter(is_maskable)


@pytest.mark.parametrize(
    "value", ["", "abc", "   ab  ", "true", "TRUE", " Localhost\n", "none", "production", "a\nb"]
)
def test_short_values_and_common_words_have_no_forms(value: str) -> None:
    assert forms(value) == frozenset()


@pytest.mark.parametrize("value", ["abcd", "true!", "5432", "localhost:5432", "été!"])
def test_other_values_have(value: str) -> None:
    assert value.encode() in forms(value)


@given(maskable, st.binary(max_size=5), st.binary(max_size=5))
def test_base64_of_a_text_around_it_holds_a_form(value: str, before: bytes, after: bytes) -> None:
    whole = before + encode(value) + after
    for encoded in (base64.b64encode(whole), base64.urlsafe_b64encode(whole)):
        assert any(form in encoded for form in forms(value) if len(form) < len(encoded) + 1)


@given(maskable.filter(lambda value: "\n" not in value and "\r" not in value))
def test_quoted_values_are_forms(value: str) -> None:
    found = forms(value)
    raw = encode(value)
    assert {raw, quote(raw, safe="").encode(), quote_plus(raw).encode()} <= found
    assert json.dumps(value)[1:-1].encode() in found
    assert encode(shlex.quote(value).strip("'").replace("'\"'\"'", "'\\''")) in found or (
        value.startswith("'") or value.endswith("'")
    )


@given(maskable.filter(lambda value: "\n" not in value and "\r" not in value))
def test_values_in_markup_and_in_tables_are_forms(value: str) -> None:
    found = forms(value)
    row = io.StringIO()
    csv.writer(row, quoting=csv.QUOTE_ALL, lineterminator="").writerow([value])
    texts = [html.escape(value), html.escape(value, quote=False), row.getvalue()[1:-1]]
    texts += [saxutils.escape(value, {'"': "&quot;", "'": "&apos;"})]
    assert set(map(encode, texts)) <= found


def test_values_as_programs_write_them_are_forms() -> None:
    value = """it's <a&"b"\\c>"""
    found = forms(value)
    assert repr(value)[1:-1].encode() in found
    assert value.replace("'", "''").encode() in found  # YAML, SQL
    assert b"it&#39;s &lt;a&amp;&#34;b&#34;\\c&gt;" in found  # Go


def test_url_forms_have_both_cases_of_hexadecimal_digits_and_the_browser_s_choice() -> None:
    found = forms("pä/ss!wörd")
    assert {b"p%C3%A4%2Fss%21w%C3%B6rd", b"p%c3%a4%2fss%21w%c3%b6rd"} <= found
    assert b"p%C3%A4%2Fss!w%C3%B6rd" in found
    assert b"p%C3%A4/ss%21w%C3%B6rd" in found


def test_json_forms_have_go_s_and_php_s_escapes() -> None:
    found = forms('<a>&"/ö')
    assert b'\\u003ca\\u003e\\u0026\\"/\\u00f6' in found
    assert b'<a>&\\"\\/\\u00f6' in found
    assert '<a>&\\"/ö'.encode() in found


@pytest.mark.parametrize(
    "words",
    [
        *(["bash", "-c", code] for code in ("export -p", "declare -p V", 'printf %q "$V"')),
        *([shell, "-c", "export -p; set"] for shell in ("dash", "bash")),
        *([shell, "-xc", ': "$V"'] for shell in ("dash", "bash")),
        ["busybox", "sh", "-xc", 'export -p; set; : "$V"'],
        ["python3", "-c", "import os, shlex; print(shlex.quote(os.environ['V']))"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    "value",
    [
        """top!"it's"$1 `x` \\ [a-z]*?{b,c} d|e&f;g <h>(i)~#^ a:~b=~c 100%""",
        """top! "it's"\n\ttwo's \x1b \\ 100%""",
    ],
    ids=["one line", "two lines"],
)
def test_what_a_shell_makes_of_a_value_is_a_form(words: list[str], value: str) -> None:
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(
        words,
        env={"PATH": os.environ["PATH"], "V": value},
        capture_output=True,
        text=True,
        check=True,
    )
    masked = done.stdout + done.stderr
    for form in sorted(forms(value), key=len, reverse=True):
        masked = masked.replace(decode(form), "***")
    assert "***" in masked
    assert "top!" not in masked
    assert "100%" not in masked


def test_lines_of_a_value_are_forms_if_they_are_long_enough() -> None:
    found = forms("first line\r\nab\n  third  \n")
    assert {b"first line", b"  third  ", b"third"} <= found
    assert b"ab" not in found
    assert b"first line\nab\n  third" in {form.replace(b"\r", b"") for form in found}


def test_a_value_whose_lines_are_all_short_is_a_form_as_a_whole() -> None:
    assert {b"abc\ndef", b"abc\r\ndef"} <= forms("abc\ndef")


def test_backslash_n_in_a_value_stands_for_lines_too() -> None:
    found = forms("-----BEGIN KEY-----\\nMIIEabcd1234\\n-----END KEY-----\\n")
    assert {b"-----BEGIN KEY-----", b"MIIEabcd1234", b"-----END KEY-----"} <= found
    expanded = b"-----BEGIN KEY-----\nMIIEabcd1234\n-----END KEY-----\n"
    assert base64.b64encode(expanded) in found


@pytest.mark.parametrize("width", [64, 76])
def test_every_line_of_wrapped_base64_is_covered(width: int) -> None:
    value = "".join(chr(33 + number * 7 % 90) for number in range(200))
    encoded = base64.b64encode(value.encode())
    lines = [encoded[start : start + width] for start in range(0, len(encoded), width)]
    assert set(lines) <= forms(value)


@given(st.text())
def test_any_text_goes_to_bytes_and_back(text: str) -> None:
    assert decode(encode(text)) == text


def test_bytes_that_are_no_text_keep_their_value() -> None:
    smuggled = b"pass\xffword".decode("utf-8", "surrogateescape")
    assert encode(smuggled) == b"pass\xffword"
    assert decode(b"pass\xffword") == smuggled
    assert b"pass\xffword" in forms(smuggled)
