"""What flags say about the build."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Program


def arguments(longshore: Program, *words: str) -> str:
    """The CI variables of a service, with their values."""
    done = longshore("env", "demo", "--reveal", *words)
    assert done.code == 0, done.err
    return done.out


def test_what_is_not_given_or_empty_is_absent(longshore: Program) -> None:
    found = arguments(longshore, "--ci-branch", "", "--ci-build-id", "7")
    assert "CI_BRANCH" not in found
    assert "CI_BUILD_ID=7\t" in found


def test_one_timestamp_is_the_time_of_everything(longshore: Program) -> None:
    found = arguments(longshore, "--ci-timestamp", "1507889663")
    assert "CI_TIMESTAMP=1507889663\t" in found
    assert "CI_STRING_TIME=2017-10-13T10:14:23Z\t" in found


def test_a_timestamp_that_is_no_time_is_a_usage_error(longshore: Program) -> None:
    for text in ("yesterday", "9" * 30):
        done = longshore("plan", "--ci-timestamp", text)
        assert done.code == 2
        assert "is no time\nhint: give the seconds since 1970" in done.err


def test_the_branch_without_a_build_tag_gets_a_notice(longshore: Program) -> None:
    said = 'notice: the branch "master" is not the build tag'
    assert said in longshore("plan", "--ci-branch", "master").err
    assert "notice" not in longshore("plan", "--ci-branch", "master", "--tag", "v1").err


def test_list_shows_the_plan_of_the_same_flags(longshore: Program) -> None:
    flags = ["--tag", "v1", "--push"]
    assert longshore("steps", "--list", *flags).out == longshore("plan", *flags).out


def test_credentials_of_the_command_line_are_in_the_plan(longshore: Program, project: Path) -> None:
    (project / "codeship-steps.yml").write_text("- {service: demo, type: push, image_name: a/b}\n")
    done = longshore("plan", "--push", "--format=json", "--encrypted-dockercfg-path", "x.enc")
    assert json.loads(done.out)["steps"][0]["credentials"] == [
        {"key": "encrypted_dockercfg_path", "name": "x.enc", "named_by": "command line"}
    ]


def test_a_build_argument_without_a_value_is_that_of_our_own_environment(
    longshore: Program, project: Path
) -> None:
    (project / "codeship-services.yml").write_text("demo: {build: {args: [GIVEN, MISSING]}}\n")
    done = longshore("plan", "--format", "json", GIVEN="secret value")
    assert json.loads(done.out)["images"][0]["arguments"] == ["GIVEN"]
    assert "secret value" not in done.out
