"""What every engine refuses in the middle of a run is told before it, at its place (C-9)."""

from __future__ import annotations

import pytest

from .conftest import Read


def told(read: Read, keys: str) -> list[str]:
    return [f"{p.place.line}:{p.place.column} {p.severity} {p.code}" for p in read(keys).problems]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mem_limit", "99999999999g"),
        ("shm_size", "8388608t"),
        ("volumes", "[./a:/]"),
        ("volumes", "[./a://]"),
        ("volumes", "[/]"),
        ("volumes", "[./a:/./]"),
        ("extra_hosts", "[api.test]"),
        ("extra_hosts", "[api.test=10.0.0.7]"),
        ("extra_hosts", "['api.test:']"),
        ("extra_hosts", "{api.test: }"),
        ("working_dir", "src"),
        ("working_dir", "./src"),
        ("working_dir", "~/src"),
        ("working_dir", "$HOME"),
    ],
)
def test_a_value_that_no_engine_takes_is_an_error(read: Read, key: str, value: str) -> None:
    found = read(f"app:\n  image: a\n  {key}: {value}\n").problems
    assert [(p.place.line, p.severity) for p in found] == [(3, "error")]
    assert found[0].hint


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mem_limit", "8388607t"),
        ("extra_hosts", "['api.test:10.0.0.7', 'six.test:::1', 'host:host-gateway']"),
        ("extra_hosts", "{api.test: 10.0.0.7}"),
        ("working_dir", "/src"),
        ("working_dir", "''"),
        ("volumes", "[/a, /a, ./b:/a]"),
    ],
)
def test_a_value_that_engines_take_is_fine(read: Read, key: str, value: str) -> None:
    assert told(read, f"app:\n  image: a\n  {key}: {value}\n") == []


def test_two_directories_on_one_path_are_an_error_that_names_both_lines(read: Read) -> None:
    found = read("app:\n  image: a\n  volumes:\n  - ./a:/x\n  - ./b:/y\n  - ./c:/x/\n")
    (problem,) = found.problems
    assert problem.place.line == 6
    assert '"/x/"' in problem.message
    assert "line 4" in problem.message


def test_variables_and_home_in_a_host_path_are_told_each_and_absolute_ones_once(
    read: Read,
) -> None:
    """Nothing is expanded (S-28, S-37)."""
    paths = ("$HOME:/a", "~/b:/b", "./${C}:/c", "/d:/d", "/e:/e", "./f:/f", "/dev/shm:/dev/shm")
    found = read("app:\n  image: a\n  volumes:\n" + "".join(f"  - {path}\n" for path in paths))
    assert [(p.code, p.place.line) for p in found.problems] == [
        ("LS038", line) for line in (4, 5, 6, 7)
    ]
    assert 'is a directory called "$HOME"' in found.problems[0].message
