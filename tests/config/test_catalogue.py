"""Every kind of problem is explained, and its example shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from longshore.commands.explain import explain
from longshore.config import codes
from longshore.config.catalogue import CATALOGUE
from longshore.config.kind import SERVICES, STEPS, Kind
from longshore.config.load import load
from longshore.errors import UsageError

_SERVICES = "app:\n  image: busybox\ndb:\n  image: postgres\n"
_STEPS = "- service: app\n  command: ls\n"
_FOUND_BY_THE_PLAN = {
    codes.TEMPLATE,
    codes.TEMPLATE_FIELD,
    codes.EMPTY_TAG,
    codes.REGEX,
    codes.REGISTRY,
    codes.DOCKERFILE_ELSEWHERE,
}
_SHOWN = [kind for kind in CATALOGUE.values() if kind.example]


def test_every_code_is_explained_and_every_explained_code_exists() -> None:
    declared = {value for name, value in vars(codes).items() if name.isupper()}
    assert set(CATALOGUE) == declared


def test_codes_and_names_are_unique_and_in_order() -> None:
    assert list(CATALOGUE) == sorted(CATALOGUE)
    assert len({kind.name for kind in CATALOGUE.values()}) == len(CATALOGUE)


@pytest.mark.parametrize("kind", _SHOWN, ids=[kind.code for kind in _SHOWN])
def test_an_example_has_its_problem_and_no_other_error(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / SERVICES).write_text(_SERVICES)
    (tmp_path / STEPS).write_text(_STEPS)
    (tmp_path / kind.file).write_text(kind.example)
    found = load(tmp_path, need_steps=kind.file == STEPS).problems
    wanted = set() if kind.code in _FOUND_BY_THE_PLAN else {kind.code}
    assert wanted <= {problem.code for problem in found if problem.place.path.endswith(kind.file)}
    errors = [str(problem) for problem in found if problem.severity == "error"]
    assert len(errors) <= 1, errors
    assert wanted or not errors


@pytest.mark.parametrize("text", ["LS042", "ls42", "42", "cycle"])
def test_explain_takes_code_number_and_name(text: str) -> None:
    written: list[str] = []
    assert explain(codes=(text,), out=written.append) == 0
    assert "LS042  Services that wait for each other" in "".join(written)


def test_explain_without_a_code_lists_all() -> None:
    written: list[str] = []
    explain(codes=(), out=written.append)
    assert len("".join(written).splitlines()) == len(CATALOGUE)


def test_explain_of_an_unknown_code_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match='no problem "cicle"; did you mean "cycle"'):
        explain(codes=("cicle",), out=lambda _: None)
