"""The facts of a build: what the hosted service told containers and templates (spec section 8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from msgspec import Struct, field

from longshore.plan.gotime import GoTime


class BuildFacts(Struct, frozen=True, kw_only=True):
    """What is known of this build. None: not set at all (V-1).

    `started` is the one time of the build, in every variable and template field (V-2). `host` is
    our own environment, for build arguments without a value (I-14).
    """

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    ci_name: str = "codeship"
    project_id: str | None = None
    build_id: str | None = None
    repo_name: str | None = None
    branch: str | None = None
    commit_id: str | None = None
    commit_message: str | None = None
    commit_description: str | None = None
    committer_name: str | None = None
    committer_email: str | None = None
    committer_username: str | None = None
    pr_number: str | None = None
    pull_request: str | None = None
    approved: bool = False
    host: Mapping[str, str] = field(default_factory=dict)

    @property
    def unix_time(self) -> str:
        """Seconds since the epoch, as CI_TIMESTAMP and ``{{.Timestamp}}`` both show it (P-14)."""
        return str(int(self.started.timestamp()))

    @property
    def text_time(self) -> str:
        """The start of the build as ``2020-02-09T22:33:55Z``."""
        return self.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_NAMES = {
    "project_id": ("CI_PROJECT_ID", "ProjectID"),
    "build_id": ("CI_BUILD_ID", "BuildID"),
    "repo_name": ("CI_REPO_NAME", "RepoName"),
    "branch": ("CI_BRANCH", "Branch"),
    "commit_id": ("CI_COMMIT_ID", "CommitID"),
    "commit_message": ("CI_COMMIT_MESSAGE", "CommitMessage"),
    "commit_description": ("CI_COMMIT_DESCRIPTION", "CommitDescription"),
    "committer_name": ("CI_COMMITTER_NAME", "CommitterName"),
    "committer_email": ("CI_COMMITTER_EMAIL", "CommitterEmail"),
    "committer_username": ("CI_COMMITTER_USERNAME", "CommitterUsername"),
    "pr_number": ("CI_PR_NUMBER", "PrNumber"),
    "pull_request": ("CI_PULL_REQUEST", "PullRequest"),
}

_NOT_IN_EVERY_BUILD = frozenset(
    {"commit_description", "committer_username", "pr_number", "pull_request"}
)

KNOWN_TO_SCM = frozenset(
    {
        *("repo_name", "branch", "commit_id", "commit_message", "commit_description"),
        *("committer_name", "committer_email"),
    }
)
"""What ``--ci-from-scm`` may find; the rest only the CI system knows."""


def container_variables(facts: BuildFacts, build_tag: str | None) -> tuple[tuple[str, str], ...]:
    """The ``CI_*`` variables of every container of a step, absent ones left out (V-1, V-5, V-9)."""
    return tuple(_variables(facts, build_tag))


def _variables(facts: BuildFacts, build_tag: str | None) -> Iterator[tuple[str, str]]:
    yield "CI", "true"
    yield "CI_NAME", facts.ci_name
    for attribute, (variable, _) in _NAMES.items():
        value = getattr(facts, attribute)
        if value is not None:
            yield variable, value
    yield "CI_TIMESTAMP", facts.unix_time
    yield "CI_STRING_TIME", facts.text_time
    if facts.approved:
        yield "CI_BUILD_APPROVED", "true"
    if build_tag is not None:
        yield "CI_TAG", build_tag


def template_values(facts: BuildFacts) -> dict[str, str | GoTime]:
    """The template fields every template may use; fields without a value are empty (V-1, I-15)."""
    values: dict[str, str | GoTime] = {
        field_name: getattr(facts, attribute) or "" for attribute, (_, field_name) in _NAMES.items()
    }
    values["Commit"] = facts.commit_id or ""
    values["Ci"] = "true"
    values["CiName"] = facts.ci_name
    values["Timestamp"] = facts.unix_time
    values["StringTime"] = facts.text_time
    values["Time"] = GoTime.of(facts.started)
    return values


def fact_rows() -> Iterator[tuple[str, str, str]]:
    """Every variable of containers with the template field of the same value and the flag that sets
    it; "" where there is none (spec 8.1)."""
    yield "CI", "Ci", ""
    yield "CI_NAME", "CiName", "--ci-name"
    for attribute, (variable, field_name) in _NAMES.items():
        yield variable, field_name, f"--ci-{attribute.replace('_', '-')}"
    yield "CI_TIMESTAMP", "Timestamp", "--ci-timestamp"
    yield "CI_STRING_TIME", "StringTime", "--ci-timestamp"
    yield "", "Time", "--ci-timestamp"
    yield "CI_BUILD_APPROVED", "", "--approve"
    yield "CI_TAG", "", "--tag"


def unknown_fields(facts: BuildFacts) -> frozenset[str]:
    """The template fields that had a value in every build of the hosted service, and have none."""
    missing = {
        field_name
        for attribute, (_, field_name) in _NAMES.items()
        if attribute not in _NOT_IN_EVERY_BUILD and not getattr(facts, attribute)
    }
    return frozenset(missing | {"Commit"} if "CommitID" in missing else missing)


def argument_fields() -> frozenset[str]:
    """Every field a build argument may name (I-15); an image is built for no step in particular."""
    return frozenset(template_values(BuildFacts())) | {"ServiceName", "ImageName"}


def tag_fields() -> frozenset[str]:
    """Every field image_tag may name (P-12)."""
    return argument_fields() | {"StepName"}


def flag_of(template_field: str) -> str | None:
    """The flag that gives a template field its value, or None for one that always has a value."""
    attribute = _attribute_of(template_field)
    return f"--ci-{attribute.replace('_', '-')}" if attribute else None


def is_known_to_scm(template_field: str) -> bool:
    """Whether ``--ci-from-scm`` may find a value for a template field."""
    return _attribute_of(template_field) in KNOWN_TO_SCM


def _attribute_of(template_field: str) -> str | None:
    for attribute, (_, name) in _NAMES.items():
        if name == template_field or (name == "CommitID" and template_field == "Commit"):
            return attribute
    return None
