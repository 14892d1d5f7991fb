"""CI variables and template fields carry the same values; what is not known is absent (8)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from longshore.plan.facts import (
    BuildFacts,
    argument_fields,
    container_variables,
    flag_of,
    tag_fields,
    template_values,
)
from longshore.plan.templates import parse_template

STARTED = datetime(2017, 10, 13, 10, 14, 23, 999_999, UTC)
FULL = BuildFacts(
    started=STARTED,
    project_id="p",
    build_id="b",
    repo_name="r",
    branch="br",
    commit_id="c",
    commit_message="m",
    commit_description="d",
    committer_name="n",
    committer_email="e",
    committer_username="u",
    pr_number="7",
    pull_request="https://x/7",
    approved=True,
)


def test_a_build_of_which_nothing_is_known_has_only_what_is_always_so() -> None:
    assert dict(container_variables(BuildFacts(started=STARTED), None)) == {
        "CI": "true",
        "CI_NAME": "codeship",
        "CI_TIMESTAMP": "1507889663",
        "CI_STRING_TIME": "2017-10-13T10:14:23Z",
    }


def test_everything_that_is_known_is_a_variable() -> None:
    found = dict(container_variables(FULL, "v1"))
    assert found["CI_TAG"] == "v1"
    assert found["CI_BUILD_APPROVED"] == "true"
    assert found["CI_COMMITTER_USERNAME"] == "u"
    assert len(found) == 18


@pytest.mark.parametrize(
    ("field", "variable"),
    [
        ("ProjectID", "CI_PROJECT_ID"),
        ("BuildID", "CI_BUILD_ID"),
        ("RepoName", "CI_REPO_NAME"),
        ("Branch", "CI_BRANCH"),
        ("CommitID", "CI_COMMIT_ID"),
        ("Commit", "CI_COMMIT_ID"),
        ("CommitMessage", "CI_COMMIT_MESSAGE"),
        ("CommitDescription", "CI_COMMIT_DESCRIPTION"),
        ("CommitterName", "CI_COMMITTER_NAME"),
        ("CommitterEmail", "CI_COMMITTER_EMAIL"),
        ("CommitterUsername", "CI_COMMITTER_USERNAME"),
        ("Timestamp", "CI_TIMESTAMP"),
        ("StringTime", "CI_STRING_TIME"),
        ("PrNumber", "CI_PR_NUMBER"),
        ("PullRequest", "CI_PULL_REQUEST"),
        ("Ci", "CI"),
        ("CiName", "CI_NAME"),
    ],
)
def test_a_field_has_the_value_of_its_variable(field: str, variable: str) -> None:
    expanded = parse_template(f"{{{{.{field}}}}}").expand(template_values(FULL))
    assert expanded == dict(container_variables(FULL, None))[variable]


def test_time_is_the_time_of_the_build() -> None:
    template = parse_template('{{.Time.Format "20060102150405"}} {{.Time.Unix}}')
    assert template.expand(template_values(FULL)) == "20171013101423 1507889663"


def test_only_image_tag_knows_the_step() -> None:
    assert tag_fields() - argument_fields() == {"StepName"}
    assert {"ServiceName", "ImageName", "Commit", "CiName"} <= argument_fields()


def test_the_flag_of_a_field_is_the_one_that_gives_it_a_value() -> None:
    assert flag_of("CommitterUsername") == "--ci-committer-username"
    assert flag_of("Commit") == "--ci-commit-id"
    assert flag_of("Ci") is None
