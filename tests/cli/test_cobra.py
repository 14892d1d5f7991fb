"""Flags are read as the original's command line read them (C-1, C-2)."""

from __future__ import annotations

import json

import pytest

from longshore.cli.login_check_command import login_check
from longshore.cli.run_command import run
from longshore.cli.steps_command import steps

from .conftest import Program

STEPS_FLAGS = 'use "longshore steps --help" for its flags'
COMMANDS = '"longshore --help" lists the commands'


def build_tag(longshore: Program, *words: str) -> object:
    done = longshore("plan", "--format", "json", *words)
    assert done.code == 0, done.err
    return json.loads(done.out)["build_tag"]


@pytest.mark.parametrize(
    "words", [["--tag", "v1"], ["--tag=v1"], ["--tag", "x", "--tag=v1"], ["--push", "--tag", "v1"]]
)
def test_values_stand_behind_a_blank_or_an_equals_sign_and_the_last_counts(
    longshore: Program, words: list[str]
) -> None:
    assert build_tag(longshore, *words) == "v1"


def test_an_empty_tag_is_none(longshore: Program) -> None:
    assert build_tag(longshore, "--tag", "") is None
    assert build_tag(longshore, "--tag=") is None


@pytest.mark.parametrize(
    ("words", "pushes"),
    [
        (["--push"], True),
        (["--push=true"], True),
        (["--push=T"], True),
        (["--push=1"], True),
        (["--push=false"], False),
        (["--push=F"], False),
        (["--push", "--push=false"], False),
        (["--push=false", "--push"], True),
        ([], False),
    ],
)
def test_booleans_are_spelt_as_in_go(
    longshore: Program, project: object, words: list[str], pushes: bool
) -> None:
    from pathlib import Path

    assert isinstance(project, Path)
    (project / "codeship-steps.yml").write_text("- {service: demo, type: push, image_name: a/b}\n")
    done = longshore("plan", "--format", "json", *words)
    assert json.loads(done.out)["steps"][0]["runs"] is pushes


@pytest.mark.parametrize(
    "words",
    [
        ["--ci-branch", "main", "--publish=true", "-e", "A=1", "-e=B=2"],
        ["-e", "A=1", "-e=B=2", "--publish=1", "--ci-branch=main"],
        ["--publish", "-e=A=1", "--ci-branch", "main", "-e", "B=2"],
    ],
)
def test_the_value_of_a_flag_is_not_taken_for_the_service(words: list[str]) -> None:
    found = run.make_context("run", [*words, "app", "ls", "-e=C=3"]).params
    assert (found["ci_branch"], found["publish"], found["env"]) == ("main", True, ("A=1", "B=2"))
    assert (found["service"], found["command"]) == ("app", ("ls", "-e=C=3"))


@pytest.mark.parametrize("short", ["-eX=1", "-Tv", "-TeX=1", "-vT"])
def test_a_short_flag_with_its_value_or_another_attached_is_not_taken_for_the_service(
    short: str,
) -> None:
    found = run.make_context("run", [short, "app", "--env", "Y=2", "env"]).params
    assert (found["service"], found["command"]) == ("app", ("env",))
    assert "Y=2" in found["env"]


@pytest.mark.parametrize(
    ("words", "flag"), [("run app --env", "--env"), ("run -T app --engine", "--engine")]
)
def test_a_flag_behind_the_service_that_lacks_its_value_is_named(
    longshore: Program, words: str, flag: str
) -> None:
    done = longshore(*words.split())
    assert done.err.startswith(f'Error: flag "{flag}" needs a value\n')


def test_a_value_that_looks_like_a_flag_stays_when_that_flag_is_spelt_as_in_go(
    longshore: Program,
) -> None:
    words = ("--ci-commit-message", "--push", "--push=true")
    done = longshore("plan", "--format", "json", *words)
    assert done.code == 0, done.err
    found = steps.make_context("steps", list(words)).params
    assert (found["ci_commit_message"], found["push"]) == ("--push", True)


def test_a_boolean_that_is_neither_is_a_usage_error(longshore: Program) -> None:
    done = longshore("plan", "--push=perhaps")
    assert done.code == 2
    assert '"perhaps" is neither true nor false' in done.err


def test_flags_may_follow_and_precede_what_is_no_flag(longshore: Program) -> None:
    before = longshore("schema", "services")
    assert before.code == 0
    longshore("generate", "--key-path", "k.aes")
    assert longshore("encrypt", "--key-path", "k.aes", "Dockerfile", "a").code == 0
    assert longshore("decrypt", "a", "-", "--key-path", "k.aes").out == "FROM scratch\n"


@pytest.mark.parametrize("grace", ["0", "0s"])
def test_dependencies_may_be_killed_at_once(longshore: Program, grace: str) -> None:
    assert longshore("plan", "--stop-grace", grace).code == 0


def test_every_flag_of_steps_is_taken_by_plan(longshore: Program) -> None:
    done = longshore(
        "plan", "--debug", "-e", "A=b", "-e=C=d", "-T", "--no-remove", "--max-parallel=3",
        "--engine", "docker", "--log-format=json", "--pull-if-present=true", "--key-path", "k",
        "--ci-branch", "master", "--tag", "v1",
    )  # fmt: skip
    assert done.code == 0, done.err


def test_every_flag_of_steps_is_taken_by_login_check(longshore: Program) -> None:
    known = {name for option in login_check.params for name in option.opts}
    assert {name for option in steps.params for name in option.opts} - known == {"--list"}
    done = longshore("login-check", "--push", "--timeout", "1h", "-e", "A=b", "--tag", "other")
    assert (done.code, done.err) == (0, "no step that will run needs registry credentials\n")


@pytest.mark.parametrize(
    "words",
    [
        ["--cache=false"],
        ["--keep-volume-containers"],
        ["--log-driver", "v2"],
        ["--print-build-output=true"],
        ["--remote-cache=true"],
        ["--singleton-links"],
        ["--system"],
        ["--key-type=rsa"],
    ],
)
def test_flags_of_the_first_version_are_ignored_with_a_notice(
    longshore: Program, words: list[str]
) -> None:
    done = longshore("steps", "--list", *words)
    name = words[0].partition("=")[0]
    assert done.code == 0, done.err
    assert f"notice: {name} is ignored: " in done.err


def test_an_unknown_command_gets_the_nearest(longshore: Program) -> None:
    done = longshore("stpes")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(
        'Error: unknown command "stpes" for "longshore"; did you mean "steps"?\n'
    )


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("steps --psuh", 'unknown flag "--psuh"; did you mean "--push"?', STEPS_FLAGS),
        ("steps -tag=x", 'unknown flag "-tag"; did you mean "--tag"?', STEPS_FLAGS),
        ("steps -zeal", 'unknown flag "-zeal"', STEPS_FLAGS),
        ("steps --bogus", 'unknown flag "--bogus"', STEPS_FLAGS),
        ("steps --tag", 'flag "--tag" needs a value', STEPS_FLAGS),
        ("steps -e", 'flag "-e" needs a value', STEPS_FLAGS),
        ("steps --list app --tag x", 'unexpected word "app"', STEPS_FLAGS),
        ("steps --push=maybe", '--push: "maybe" is neither true nor false', STEPS_FLAGS),
        ("steps --log-format xml", '--log-format: "xml" is not text, json or v1', STEPS_FLAGS),
        ("steps --max-parallel 0", '--max-parallel: "0" is no whole number from 1', STEPS_FLAGS),
        (
            "steps --timeout -5s",
            '--timeout: "-5s" is no duration; write for example 90s, 5m or 1h30m',
            STEPS_FLAGS,
        ),
        (
            "steps --timeout 1h30",
            '--timeout: "1h30" is no duration; write for example 90s, 5m or 1h30m',
            STEPS_FLAGS,
        ),
        (
            "steps --timeout 0",
            '--timeout: "0" leaves no time; write for example 90s, 5m or 1h30m',
            STEPS_FLAGS,
        ),
        (
            "steps --stop-grace=",
            '--stop-grace: "" is no duration; write for example 90s, 5m or 1h30m',
            STEPS_FLAGS,
        ),
        (
            "registry serve --port x",
            '--port: "x" is no whole number from 0 to 65535',
            'use "longshore registry serve --help" for its flags',
        ),
        ("run", "SERVICE is missing", 'use "longshore run --help" for its flags'),
        ("rekey file", "--old is missing", 'use "longshore rekey --help" for its flags'),
        ("schema", "services or steps is missing", 'use "longshore schema --help" for its flags'),
        ("schema x", '"x" is not services or steps', 'use "longshore schema --help" for its flags'),
        (
            "registry serev",
            'unknown command "serev" for "longshore registry"; did you mean "serve"?',
            '"longshore registry --help" lists the commands',
        ),
        ("nothing", 'unknown command "nothing" for "longshore"', COMMANDS),
        ("help nothing", 'unknown command "nothing" for "longshore"', COMMANDS),
        ("-x", 'unknown flag "-x"', f"{COMMANDS}; their flags stand behind them"),
        ("--tag x steps", 'unknown flag "--tag"', f"{COMMANDS}; their flags stand behind them"),
        ("--version", 'unknown flag "--version"', 'it is a command: "longshore version"'),
    ],
)
def test_a_slip_of_the_fingers_gets_one_sentence_and_where_to_read(
    longshore: Program, words: str, message: str, hint: str
) -> None:
    done = longshore(*words.split())
    assert done.err == f"Error: {message}\nhint: {hint}\n"
    assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize("words", [("load", "demo"), ("cleanup",)])
@pytest.mark.parametrize(
    ("engine", "told"),
    [
        ("bla", 'LONGSHORE_ENGINE is "bla"'),
        ("unix:///nowhere/docker.sock", "the address comes from LONGSHORE_ENGINE"),
    ],
)
def test_an_engine_named_by_the_variable_is_told_as_named_there(
    longshore: Program, words: tuple[str, ...], engine: str, told: str
) -> None:
    assert told in longshore(*words, LONGSHORE_ENGINE=engine).err
    assert told.replace("LONGSHORE_ENGINE", "--engine") in longshore(*words, "--engine", engine).err


def test_help_has_the_layout_of_the_original(longshore: Program) -> None:
    lines = longshore().out.splitlines()
    assert lines[1:5] == ["", "Usage:", "  longshore [command]", ""]
    assert lines[5] == "Available Commands:"
    assert "  steps         Run steps" in lines
    assert lines[-4:-2] == ["Flags:", "  -h, --help   help for longshore"]
    assert lines[-1] == ('Use "longshore [command] --help" for more information about a command.')
    assert longshore("help").out == longshore("--help").out == longshore("-h").out


def test_help_of_a_command_is_the_same_either_way(longshore: Program) -> None:
    assert longshore("help", "steps").out == longshore("steps", "--help").out
    assert longshore("help", "registry", "serve").out == longshore("registry", "serve", "-h").out
    assert longshore("help", "nothing").code == 2
    assert longshore("help", "steps", "more").code == 2
