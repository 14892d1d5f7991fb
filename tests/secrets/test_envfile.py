from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.errors import InvalidValue
from longshore.secrets.envfile import parse_env


def test_values_are_taken_literally() -> None:
    text = (
        "# a comment\n"
        "\n"
        "   # another\n"
        "PLAIN=a b\n"
        'QUOTED="x"\n'
        " SPACED =  y  \n"
        "EMPTY=\n"
        "EQUALS=a=b==\n"
        "HASH=a # no comment\n"
        "DOLLAR=${X} $X\n"
        "KEY=-----BEGIN\\nMII\\n-----END\n"
        "WINDOWS=z\r\n"
        "TAB=\tq\t\n"
        "LAST=1"
    )
    assert parse_env(text).pairs == (
        ("PLAIN", "a b"),
        ("QUOTED", '"x"'),
        ("SPACED", "  y  "),
        ("EMPTY", ""),
        ("EQUALS", "a=b=="),
        ("HASH", "a # no comment"),
        ("DOLLAR", "${X} $X"),
        ("KEY", "-----BEGIN\\nMII\\n-----END"),
        ("WINDOWS", "z"),
        ("TAB", "\tq\t"),
        ("LAST", "1"),
    )
    assert parse_env(text).warnings == ()


@pytest.mark.parametrize("text", ["", "\n\n", "#x", " \t\n#\n", "\ufeff"])
def test_files_without_values_are_empty(text: str) -> None:
    assert parse_env(text).pairs == ()


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert parse_env("\ufeffA=1").pairs == (("A", "1"),)


def test_only_one_carriage_return_is_taken_off() -> None:
    assert parse_env("A=1\r\r\n").pairs == (("A", "1\r"),)


def test_lines_end_with_line_feeds_only() -> None:
    assert parse_env("A=1\x0bB=2\u2028C=3\x0c\n").pairs == (("A", "1\x0bB=2\u2028C=3\x0c"),)


def test_a_name_alone_takes_the_value_of_the_host() -> None:
    assert parse_env("HOME\n  PATH  \r\nexport USER\n").pairs == (
        ("HOME", None),
        ("PATH", None),
        ("USER", None),
    )


def test_export_of_a_name_alone_is_told_too() -> None:
    """The host's value is taken; a shell script would have meant its own (S-22)."""
    (warning,) = parse_env("export USER\n").warnings
    assert warning.message == '"export" before "USER" is ignored: this is not a shell script'
    (unclear,) = parse_env("export hunter2 secret\n").warnings
    assert "hunter2" not in unclear.message
    assert "it is ignored" in unclear.message


def test_export_is_removed_with_a_warning() -> None:
    file = parse_env("A=1\nexport\tB=2\nexported=3\nexport=4\n")
    assert file.pairs == (("A", "1"), ("B", "2"), ("exported", "3"), ("export", "4"))
    assert [(warning.line, warning.message) for warning in file.warnings] == [
        (2, '"export" before "B" is ignored: this is not a shell script')
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("=hunter2secret", "no name"),
        ("API_KEY: hunter2secret", "write API_KEY=VALUE"),
        ("MIIhunter2secret/+AB", 'no "="'),
        ("-----BEGIN hunter2secret KEY-----", 'no "="'),
    ],
)
def test_lines_that_mean_nothing_are_skipped_and_told_without_their_content(
    line: str, words: str
) -> None:
    file = parse_env(f"A=1\n{line}\nB=2")
    assert file.pairs == (("A", "1"), ("B", "2"))
    (warning,) = file.warnings
    assert warning.line == 2
    assert words in warning.message
    assert "hunter2secret" not in repr(file)


PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "Proc-Type: 4,ENCRYPTED\n"
    "\n"
    "MIIhunter2secret\n"
    "hunter2secret+/=\n"
    "hunter2secret==\r\n"
    "-----END RSA PRIVATE KEY-----\n"
)


def test_of_a_key_of_several_lines_only_the_first_counts_and_nothing_is_shown() -> None:
    """S-22: the others would be host variables, or variables named like the secret."""
    file = parse_env(f"A=1\nKEY={PEM}B=2\n")
    assert file.pairs == (("A", "1"), ("KEY", "-----BEGIN RSA PRIVATE KEY-----"), ("B", "2"))
    (warning,) = file.warnings
    assert (warning.line, warning.message) == (
        2,
        'the lines of "KEY" up to "-----END" are ignored '
        "(write a multi-line value on one line with \\n)",
    )
    assert "hunter2secret" not in repr(file)


def test_a_key_of_several_lines_without_a_name_is_ignored_with_one_warning() -> None:
    file = parse_env(f"{PEM}B=2\n{PEM}")
    assert file.pairs == (("B", "2"),)
    assert [warning.line for warning in file.warnings] == [1, 9]


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN=-----BEGIN RSA PRIVATE KEY-----\nHOME\nA=1\n",
        "BEGIN=-----BEGIN RSA PRIVATE KEY-----\nHOME\nA=1\n-----END RSA PRIVATE KEY-----",
        "BEGIN=-----BEGIN RSA PRIVATE KEY-----\nHOME\nexport A=1\nKEY=" + PEM,
    ],
)
def test_variables_after_the_mere_beginning_of_a_key_are_kept(text: str) -> None:
    assert {("HOME", None), ("A", "1")} <= set(parse_env(text).pairs)


def test_a_name_with_blanks_is_kept_and_told() -> None:
    file = parse_env("MY KEY=hunter2")
    assert file.pairs == (("MY KEY", "hunter2"),)
    assert [warning.message for warning in file.warnings] == [
        'the name before the "=" contains blanks'
    ]


def test_a_nul_character_is_refused_as_no_variable_can_hold_one() -> None:
    with pytest.raises(InvalidValue, match=r"^line 2 holds a NUL character") as caught:
        parse_env("A=1\nSECRET\0=hunter2\n")
    assert "SECRET" not in str(caught.value) + str(caught.value.hint)


@given(st.text(st.characters(exclude_characters="\0")))
def test_any_text_can_be_read_and_no_value_is_in_the_repr(text: str) -> None:
    file = parse_env(text)
    assert all(name and name == name.strip() for name, _ in file.pairs)
    assert repr(file).startswith("EnvFile(warnings=")


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
values = st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(names, values)))
def test_what_is_written_is_read(pairs: list[tuple[str, str]]) -> None:
    text = "".join(f"{name}={value}\n" for name, value in pairs)
    assert parse_env(text).pairs == tuple(pairs)
