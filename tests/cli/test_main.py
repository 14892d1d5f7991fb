"""However a command ends, the process has an exit code and says at most one thing (C-5)."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click
import pytest

from longshore.cli.exit_codes import ExitCode
from longshore.cli.main import guarded
from longshore.errors import (
    BuildFailed,
    EngineUnavailable,
    InvalidValue,
    LongshoreError,
    ProgramForbidden,
    ProgramMissing,
    SecretError,
    UsageError,
)

from .conftest import PROGRAM, Program

SECRET = "do-not-show-me"


def raising(error: BaseException) -> Callable[[], NoReturn]:
    def work() -> NoReturn:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("u"), 2),
        (InvalidValue("i"), 2),
        (SecretError("s"), 2),
        (EngineUnavailable("e"), 125),
        (ProgramForbidden("p"), 126),
        (ProgramMissing("p"), 127),
        (BuildFailed("b"), 1),
        (LongshoreError("l"), 1),
        (click.UsageError("c"), 2),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (click.exceptions.Exit(7), 7),
        (ExceptionGroup("g", [ExceptionGroup("h", [InvalidValue("i")])]), 2),
        (BaseExceptionGroup("g", [KeyboardInterrupt()]), 130),
        (ValueError("v"), 3),
        (ExceptionGroup("g", [InvalidValue("i"), ValueError("v")]), 3),
    ],
    ids=repr,
)
def test_every_end_has_its_exit_code(error: BaseException, code: int) -> None:
    assert guarded(raising(error)) == code


def test_all_errors_of_a_group_are_told_each_once(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = InvalidValue("one", hint="Mend it."), UsageError("two")
    group = ExceptionGroup("g", [ExceptionGroup("h", [first, second]), InvalidValue("one")])
    assert guarded(raising(group)) == 2
    assert capsys.readouterr().err == "Error: one\nhint: Mend it.\nError: two\n"


@pytest.mark.parametrize(("result", "code"), [(None, 0), (0, 0), (1, 1), (ExitCode.USAGE, 2)])
def test_what_a_command_returns_is_its_exit_code(result: object, code: int) -> None:
    assert guarded(lambda: result) == code


def test_an_error_is_one_line_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(raising(UsageError("what is wrong", hint="what to do")))
    assert capsys.readouterr() == ("", "Error: what is wrong\nhint: what to do\n")


def test_what_others_say_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(raising(InvalidValue('a "\x1b[2J"', hint="one\r\ntwo\x9b2J\r")))
    assert capsys.readouterr().err == 'Error: a "\\x1b[2J"\nhint: one\ntwo\\x9b2J\\x0d\n'


def test_a_bug_report_tells_where_and_shows_no_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--tag", SECRET, f"-e=A={SECRET}", f"--ci-branch={SECRET}", "--push", f"-x{SECRET}"]
    monkeypatch.setattr(sys, "argv", [f"/{SECRET}/longshore", "steps", *words, f"--{SECRET}"])

    def inner() -> None:
        raise ValueError(SECRET)

    def work() -> None:
        try:
            inner()
        except ValueError as cause:
            raise ExceptionGroup(SECRET, [RuntimeError(SECRET)]) from cause

    assert guarded(work) == 3
    told = capsys.readouterr().err
    assert SECRET not in told
    assert "arguments: steps --tag -e --ci-branch --push\n" in told
    assert "exception: builtins.RuntimeError" in told
    assert "exception: builtins.ValueError" in told
    assert " in inner\n" in told


@pytest.mark.parametrize("words", [["--help"], ["schema", "services"], ["plan"], ["explain"]])
def test_a_reader_that_leaves_is_no_reason_to_complain(project: Path, words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [PROGRAM, *words], cwd=project, stdout=writing, stderr=subprocess.PIPE, timeout=20,
            check=False, text=True,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 1


def test_the_second_name_of_the_program_shows_in_its_help(project: Path) -> None:
    jet = PROGRAM.with_name("jet")
    done = subprocess.run(
        [jet, "help"], cwd=project, capture_output=True, text=True, timeout=20, check=True
    )
    assert "Usage:\n  jet [command]\n" in done.stdout


def test_no_engine_is_125_and_says_what_to_do(longshore: Program) -> None:
    done = longshore("steps", "--engine", "unix:///nowhere/docker.sock", "--tag", "v1")
    assert done.code == 125
    assert done.err.startswith("Error: ")
    assert "Traceback" not in done.err


DOCUMENTATION = {
    "codeship-services.yml": """demo:
  build:
    image: localhost:5000/myapp
    dockerfile_path: Dockerfile
registry:
  image: registry
  ports:
  - "5000:5000"
""",
    "codeship-steps.yml": """- service: app
  command: ls ./
- service: app
  type: push
  name: docker_push
  image_name: localhost:5000/myapp
  registry: localhost:5000
""",
}
FIRST = (
    "codeship-steps.yml:1:12: error: "
    'step 1 refers to undefined service "app"; did you mean "demo"?\n'
)
SECOND = (
    "codeship-steps.yml:3:12: error: "
    'step "docker_push" refers to undefined service "app"; did you mean "demo"?\n'
)


@pytest.mark.parametrize("command", ["steps", "plan", "validate"])
def test_the_example_the_documentation_printed_is_refused_before_anything_starts(
    longshore: Program, project: Path, command: str
) -> None:
    for name, text in DOCUMENTATION.items():
        (project / name).write_text(text)
    done = longshore(command, *([] if command == "validate" else ["--push"]))
    assert done.code == 2
    told = done.out if command == "validate" else done.err
    errors = [line for line in told.splitlines(keepends=True) if ": error: " in line]
    assert errors == [FIRST, SECOND]


def test_on_a_terminal_the_line_is_shown_and_the_defined_services_are_listed(
    project: Path,
) -> None:
    for name, text in DOCUMENTATION.items():
        (project / name).write_text(text)
    shown = on_a_terminal(project, "validate", NO_COLOR="1")
    assert FIRST.rstrip() in shown
    assert "    1 | - service: app\r\n      |            ^" in shown
    assert shown.count("hint: defined services: demo, registry\r\n") == 2


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1"}, False)],
)
def test_colours_are_for_terminals_that_have_them(
    project: Path, variables: dict[str, str], coloured: bool
) -> None:
    (project / "codeship-steps.yml").write_text("- {service: none, command: ls}\n")
    shown = on_a_terminal(project, "validate", **variables)
    assert ("\x1b[" in shown) is coloured


def on_a_terminal(directory: Path, *words: str, **variables: str) -> str:
    """What a person would see."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, *words],
        cwd=directory,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **variables},
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux: EIO when the other side is closed
                break
            if not piece:
                break
            seen += piece
        process.wait(20)
    os.close(ours)
    return seen.decode()


@pytest.mark.parametrize("nested", [False, True])
def test_a_limit_of_processes_that_is_reached_is_no_bug_of_ours(
    capsys: pytest.CaptureFixture[str], nested: bool
) -> None:
    error: Exception = RuntimeError("can't start new thread")
    assert guarded(raising(ExceptionGroup("g", [error]) if nested else error)) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "Error: the system gives this process no further thread"
    assert said[1].startswith("hint: ")
