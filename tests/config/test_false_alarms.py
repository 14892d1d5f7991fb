"""What a reasonable owner of a pipeline does on purpose gets no warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Read

SERVICES = "app:\n  image: busybox\n"


def named(name: str, tag: str | None = None) -> str:
    return f"{{name: {name}, service: app, command: ls{f', tag: {tag}' if tag else ''}}}"


def group(name: str, tag: str, *steps: str, kind: str = "serial") -> str:
    return f"- {{name: {name}, type: {kind}, tag: {tag}, steps: [{', '.join(steps)}]}}\n"


def codes(read: Read, steps: str) -> list[str]:
    return [problem.code for problem in read(SERVICES, steps).problems]


def test_every_group_may_repeat_the_names_of_the_others(read: Read) -> None:
    steps = group("dev", "develop", named("lint"), named("deploy"))
    steps += group("live", "master", named("lint"), named("deploy"))
    assert codes(read, steps) == []


def test_one_name_may_stand_for_every_branch(read: Read) -> None:
    assert codes(read, f"- {named('deploy', 'develop')}\n- {named('deploy', 'master')}\n") == []


def test_a_step_repeated_by_its_alias_keeps_its_name(read: Read) -> None:
    assert codes(read, f"- &step {named('a')}\n- *step\n") == []


@pytest.mark.parametrize(
    ("one", "other"), [(None, None), ("master", "master"), (None, "master"), ("master", None)]
)
def test_one_name_for_two_steps_of_one_build_is_told(
    read: Read, one: str | None, other: str | None
) -> None:
    assert codes(read, f"- {named('a', one)}\n- {named('a', other)}\n") == ["LS068"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("master", r"^v(0|[1-9][0-9]*)\.(0|1)$"),
        ("^release-", "^hotfix-"),
        (r"^v[0-9]+$", "release"),
    ],
)
def test_manual_groups_of_tags_that_begin_differently_never_meet(
    read: Read, one: str, other: str
) -> None:
    steps = group("a", f"'{one}'", named("x"), kind="manual")
    steps += group("b", f"'{other}'", named("y"), kind="manual")
    assert codes(read, steps) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("master", "^(master|develop)$"),
        ("master", "^ma"),
        ("mas", "^mast?$"),
        ("master", "^v1|master$"),
        ("master", "(?i)^MASTER$"),
        ("^release", "^release-"),
        ("v", "^v*$"),
    ],
)
def test_manual_groups_that_may_meet_are_told(read: Read, one: str, other: str) -> None:
    steps = group("a", f"'{one}'", named("x"), kind="manual")
    steps += group("b", f"'{other}'", named("y"), kind="manual")
    assert len(codes(read, steps)) == 1


@pytest.mark.parametrize(
    ("dockerfile", "told"),
    [
        ("FROM bb AS app\nRUN true\nFROM app\n", []),
        ("FROM bb as App\nRUN true\nFROM --platform=linux/amd64 app\n", []),
        ("FROM app AS app\nFROM app\n", ["LS046"]),
        ("FROM bb AS other\nFROM app:1.2\nFROM app AS app\n", ["LS046"]),
        ("ARG BASE=app\nFROM $BASE\n", ["LS046"]),
    ],
)
def test_an_image_may_be_called_like_a_stage_of_its_own_but_not_like_its_base(
    read: Read, tmp_path: Path, dockerfile: str, told: list[str]
) -> None:
    (tmp_path / "Dockerfile").write_text(dockerfile)
    found = read("app: {build: {image: app}}\n")
    assert [problem.code for problem in found.problems] == told


def test_a_name_that_no_image_can_have_hides_none(read: Read, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM APP\n")
    found = read("app: {build: {image: APP}}\n")
    assert [problem.code for problem in found.problems] == ["LS035"]


def test_a_service_without_keys_is_empty(read: Read) -> None:
    told = [str(problem) for problem in read("app:\n", "").problems]
    assert told[0] == 'codeship-services.yml:1:1: error: service "app" is empty'
