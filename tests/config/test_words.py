"""Commands are split as sh splits them, and what only a shell understands is noticed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.config.words import shell_syntax, split_command
from longshore.errors import InvalidValue

WORDS: dict[str, list[str] | None] = json.loads(
    (Path(__file__).parents[1] / "plan" / "data" / "words.json").read_text()
)


def _split(command: str) -> list[str] | None:
    try:
        return list(split_command(command))
    except InvalidValue as fault:
        if fault.message != "unterminated quote in command":
            raise
        return None


@pytest.mark.parametrize("command", WORDS)
def test_recorded_commands_are_split_as_sh_split_them(command: str) -> None:
    assert _split(command) == WORDS[command]


def _sh(command: str) -> list[str] | None:
    script = 'eval "set -- $1"; for word; do printf "%s\\0" "$word"; done'
    done = subprocess.run(["sh", "-c", script, "sh", command], capture_output=True)
    return None if done.returncode else done.stdout.decode().split("\0")[:-1]


_SAFE = st.text("ab =,:./@%+-_ \tß'\"\\", max_size=30)
_PIECES = st.lists(
    st.one_of(
        st.text("ab \t.-", max_size=5),
        st.text('ab $`*?[]~#&;|<>(){}!\\" \n', max_size=8).map(lambda text: f"'{text}'"),
        st.text("ab *?[]~#&;|<>(){}!' \n", max_size=8).map(lambda text: f'"{text}"'),
        st.sampled_from(['"\\$"', '"\\`"', '"\\""', '"\\\\"', '"\\\n"', '"\\a"']),
        st.sampled_from(["\\$", "\\*", "\\\n", "\\'", "\\ "]),
    ),
    max_size=8,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(_SAFE | _PIECES)
def test_any_command_is_split_as_sh_splits_it(command: str) -> None:
    assert _split(command) == _sh(command)


def test_newlines_separate_words() -> None:
    assert split_command("  a \n b\nc\n\n") == ("a", "b", "c")


def test_what_a_shell_would_expand_stays_as_it_is() -> None:
    text = "echo $HOME ${X} $(pwd) `id` *.py ~ # no comment && x"
    assert split_command(text) == tuple(text.split(" "))


def test_pieces_around_a_variable_stick_together_as_in_sh() -> None:
    assert split_command('bash -c "X="${Y}" cmd"') == ("bash", "-c", "X=${Y} cmd")


def test_the_hint_says_which_quote_is_open() -> None:
    with pytest.raises(InvalidValue, match="unterminated quote in command") as caught:
        split_command("echo \"it's")
    assert caught.value.hint == 'the " at character 6 is never closed'


def test_a_nul_character_is_refused() -> None:
    with pytest.raises(InvalidValue, match="NUL"):
        split_command("a\0b")


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)))
def test_quoted_words_come_back_whole(words: list[str]) -> None:
    quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
    assert split_command(quoted) == tuple(words)


@pytest.mark.timeout(10)
def test_long_commands_take_linear_time() -> None:
    assert len(split_command("a'b'\"c\" " * 20_000)) == 20_000
    with pytest.raises(InvalidValue):
        split_command("'" + '"' * 20_001)
    with pytest.raises(InvalidValue):
        split_command('"' + "\\a" * 20_000)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("cd app && make", "&&"),
        ("make || true", "||"),
        ("cat a | grep b", "|"),
        ("cd app; make", "app;"),
        ("a ; b", ";"),
        ("echo hi > file", ">"),
        ("echo hi >> file", ">>"),
        ("echo hi >file", ">file"),
        ("make 2>&1", "2>&1"),
        ("make 2>/dev/null", "2>/dev/null"),
        ("echo $CI_BRANCH", "$CI_BRANCH"),
        ("echo ${CI_BRANCH}", "${CI_BRANCH}"),
        ("docker tag x:$TAG", "x:$TAG"),
        ("echo $(date)", "$(date)"),
        ("rake 'a && b' && c", "&&"),
        ("make &", "&"),
    ],
)
def test_shell_syntax_without_a_shell_is_noticed(text: str, token: str) -> None:
    assert shell_syntax(text) == token


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bundle exec rake",
        "sh -c cd && make",
        "/bin/bash -c 'a && b' > x",
        "rake 'a && b'",
        'rake "a | b"',
        "echo '$HOME'",
        "echo \\$HOME",
        "find . -exec rm {} \\;",
        "find . -exec rm {} ';'",
        "pip install django>=1.8",
        "pip install 'a>1'",
        "curl http://x/?a=1&b=2",
        "rspec --pattern a|b",
        "echo 5$ $5 $",
        "grep ^a$",
        "echo a;b",
        "java -Dx=a>b",
    ],
)
def test_what_is_quoted_or_harmless_is_not_noticed(text: str) -> None:
    assert shell_syntax(text) is None
