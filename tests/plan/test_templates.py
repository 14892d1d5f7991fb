"""Templates give what Go gives; the differences there are on purpose are listed here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.errors import InvalidValue
from longshore.plan.gotemplate.limits import LONGEST_TEXT
from longshore.plan.gotime import GoTime
from longshore.plan.gotime.zone import FixedZone
from longshore.plan.templates import parse_template

ORACLE = json.loads((Path(__file__).parent / "data" / "templates.json").read_text())
RESULTS: dict[str, dict[str, str | None]] = ORACLE["results"]


def _values(data: dict[str, Any]) -> dict[str, str | GoTime]:
    values = {name: data.get(name, "") for name in ORACLE["data"]["hosted"]}
    time = values["Time"]
    zone = FixedZone(time["zone"], time["offset"])
    return {**values, "Time": GoTime(time["seconds"], time["nanosecond"], zone)}


DATA = {name: _values(data) for name, data in ORACLE["data"].items()}

STRICTER = {
    "{{. | print}}": "all fields at once: what Go prints depends on jet's own source",
    '{{printf "%v" .}}': "the same",
    '{{and "" .Nope}}': "an unknown field is an error even where Go would not come by it (P-16)",
}
"""Templates that Go expands and longshore refuses, with the reason."""


def _expand(text: str, values: dict[str, str | GoTime]) -> str | None:
    try:
        return parse_template(text).expand(values)
    except InvalidValue:
        return None


def test_go_was_asked_enough() -> None:
    assert len(RESULTS) >= 300


@pytest.mark.parametrize("data", DATA)
def test_every_template_gives_what_go_gives(data: str) -> None:
    different = {
        text: (expected[data], result)
        for text, expected in RESULTS.items()
        if text not in STRICTER and (result := _expand(text, DATA[data])) != expected[data]
    }
    assert different == {}


@pytest.mark.parametrize("text", STRICTER)
def test_what_is_stricter_than_go_is_refused(text: str) -> None:
    assert _expand(text, DATA["hosted"]) is None


def _fault(text: str) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        parse_template(text).expand(DATA["hosted"])
    return caught.value


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("v{{.Branh}}", 'template "v{{.Branh}}": there is no field .Branh at offset 3', "Branch?"),
        ("{{.Branch", 'template "{{.Branch": action without "}}" at offset 0', '"}}"'),
        ("{{lenn .Branch}}", "function lenn does not exist at offset 2", "did you mean len?"),
        ("{{call .Branch}}", "function call is not available at offset 2", "no field is one"),
        ("{{.Time.Formt}}", "time.Time has no method Formt at offset 2", "Format"),
        ("{{.Time.Date}}", "gives several values, a template takes one", "Year"),
        ("a\n{{$x}}", "variable $x is not declared at offset 4 (line 2)", "{{$x := …}}"),
        ("{{if .Ci}}x", "if without {{end}} at offset 2", "add {{end}}"),
        ("{{.Time.Format 5}}", "expected a text, not 5 at offset 2", None),
        ("{{.Time.AddDate 1}}", "method AddDate takes 3 arguments, not 1", None),
        ("{{slice .Branch 0 99}}", "index 99 is out of range, the last one is 18", None),
        ('{{template "t"}}', 'template "t" is not defined at offset 2', "define"),
        ("{{.Branch.Name}}", "a value of type string has no field or method Name", None),
        ('{{eq .Time.Year "2017"}}', "int and string cannot be compared", None),
        ("{{range .Branch}}{{end}}", "range cannot go over a value of type string", "no lists"),
    ],
)
def test_messages_say_what_where_and_what_instead(
    text: str, message: str, hint: str | None
) -> None:
    fault = _fault(text)
    assert message in fault.message
    assert (hint is None and fault.hint is None) or (hint or "") in (fault.hint or "")


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("latest", set()),
        ("{{.Branch}}-{{ .CommitID }}", {"Branch", "CommitID"}),
        ("{{if .A}}{{.B}}{{else if .C}}{{.D}}{{else}}{{.E}}{{end}}", set("ABCDE")),
        ('{{.Time.Format "2006"}}', {"Time"}),
        ("{{with .Time}}{{.Year}}{{$.Branch}}{{else}}{{.CommitID}}{{end}}",
         {"Time", "Branch", "CommitID"}),
        ("{{(.Time.AddDate 0 0 (len .Branch)).Year}}", {"Time", "Branch"}),
        ('{{define "t"}}{{.X}}{{end}}', set()),
        ('{{define "t"}}{{.X}}{{end}}{{template "t" .}}', {"X"}),
        ('{{define "t"}}{{.X}}{{end}}{{template "t" .Time}}', {"Time"}),
        ('{{define "t"}}{{.X}}{{template "t" .}}{{end}}{{template "t" .}}', {"X"}),
        ('{{block "t" $}}{{$.X}}{{end}}', {"X"}),
        ("{{if .A}}{{$ = .Time}}{{end}}{{$.Year}}", {"A", "Time"}),
        ('{{$ = .Time}}{{$.Year}}{{block "t" .}}{{$.X}}{{end}}', {"Time", "X"}),
        ("{{/* .X */}}{{`.Y`}}", set()),
    ],
)  # fmt: skip
def test_fields_are_those_of_the_data(text: str, fields: set[str]) -> None:
    assert parse_template(text).fields == fields


def test_an_unknown_field_is_refused_in_a_branch_that_never_runs() -> None:
    fault = _fault("{{if false}}{{.Brunch}}{{end}}")
    assert "there is no field .Brunch at offset 14" in fault.message


def test_other_kinds_of_values_are_what_they_are() -> None:
    values: dict[str, str | bool | int | GoTime] = {
        "N": 3,
        "Yes": True,
        "T": GoTime.of(datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC)),
    }
    text = '{{printf "%03d %t" .N .Yes}} {{if and .Yes (lt .N 4)}}{{.T.Format "Jan 2"}}{{end}}'
    assert parse_template(text).expand(values) == "003 true Feb 29"


def test_bytes_that_are_no_utf8_pass_through_functions() -> None:
    values = {"Branch": b"a\xffb".decode("utf-8", "surrogateescape")}
    template = parse_template('{{printf "%x %q" .Branch .Branch}}{{.Branch}}')
    assert template.expand(values) == '61ff62 "a\\xffb"a\ufffdb'


_DOUBLING = (
    "".join(f'{{{{define "{n}"}}}}{{{{template "{n + 1}"}}}}{{{{template "{n + 1}"}}}}{{{{end}}}}'
            for n in range(40))
    + '{{define "40"}}x{{end}}{{template "0"}}'
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        '{{define "t"}}{{template "t" .}}{{end}}{{template "t" .}}',
        _DOUBLING,
        '{{printf "%1000000d%1000000d" 1 1}}',
        '{{$x := "xxxxxxxxxxxxxxxx"}}' + '{{$x = print $x $x $x $x}}' * 20,
        '{{$x := printf "%1000000d" 1}}{{printf "%x%q" $x $x}}',
        "{{" + "(" * 500 + "1" + ")" * 500 + "}}",
        "{{if 1}}" * 5000 + "{{end}}" * 5000,
        "{{if 0}}" + "{{else if 0}}" * 5000 + "{{end}}",
        "{{1}}" + "x" * 200_000,
        '{{define "t"}}{{printf "%900000d" 1}}{{template "t"}}{{end}}{{template "t"}}',
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
@pytest.mark.timeout(10)
def test_runaway_templates_end_with_an_error(text: str) -> None:
    assert _expand(text, {}) is None


def test_a_character_that_is_no_utf8_is_the_replacement_character() -> None:
    assert parse_template("{{'\udcff'}}").expand({}) == "65533"


def test_definitions_that_call_one_another_in_a_long_row_are_nested_too_deep() -> None:
    row = "".join(
        f'{{{{define "{each}"}}}}{{{{template "{each + 1}"}}}}{{{{end}}}}' for each in range(2000)
    )
    template = parse_template(row + '{{define "2000"}}{{end}}{{template "0" .}}')
    with pytest.raises(InvalidValue, match="deep"):
        template.expand({})


def test_an_expansion_may_be_as_long_as_the_limit() -> None:
    text = '{{printf "%1000000d" 1}}'
    assert len(_expand(text, {}) or "") == 1_000_000 < LONGEST_TEXT


def test_parentheses_and_blocks_as_deep_as_anyone_writes_them() -> None:
    assert _expand("{{" + "(" * 25 + "1" + ")" * 25 + "}}", {}) == "1"
    assert _expand("{{if 1}}" * 40 + "x" + "{{end}}" * 40, {}) == "x"
    assert _expand("{{if 0}}" + "{{else if 0}}" * 40 + "{{else}}y{{end}}", {}) == "y"


_SNIPPETS = ["{{", "}}", "{{-", "-}}", " ",
              ".Branch", ".Time", "$x", ":=", "=", "|", "(", ")", '"a"',
             "if", "else", "end", "range", "with", "define", "template", "block", "printf", "%d",
             "'x'", "1", "-2.5e3", "len", "slice", "/*", "*/", "`", '"', "\\", ",", "nil", "eq",
             "\n", "é", "\x00", "break", ".Format", "true", "a"]  # fmt: skip


@given(st.lists(st.sampled_from(_SNIPPETS), max_size=25).map("".join) | st.text(max_size=60))
def test_any_text_ends_in_an_expansion_or_an_invalid_value(text: str) -> None:
    try:
        result = parse_template(text).expand(DATA["hosted"])
    except InvalidValue as fault:
        result = fault.message
        assert_placed(result)
    assert isinstance(result, str)


def assert_placed(message: str) -> None:
    assert message.startswith('template "')
    assert " at offset " in message
