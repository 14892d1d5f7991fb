"""``--ci-from-scm``, asked of a real Mercurial (spec V-3, V-4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Program, output_of

JOE = "Jürgen Roe <joe@example.com>"


def hg(directory: Path, *words: str) -> str:
    return output_of(directory, "hg", *words, environment={"HGRCPATH": "", "HGENCODING": "UTF-8"})


@pytest.fixture
def repository(project: Path) -> Path:
    """The project in a repository, on branch ``feature``, one commit after the tag ``v1``."""
    hg(project, "init")
    (project / ".hg" / "hgrc").write_text("[paths]\ndefault = https://hg.example.com/team/shop\n")
    hg(project, "branch", "feature")
    hg(project, "add")
    hg(project, "commit", "-m", "Add the shop\n\nWith a Kässle", "-u", JOE)
    hg(project, "tag", "v1", "-u", JOE)
    return project


def known(longshore: Program, **variables: str) -> dict[str, str]:
    """The CI variables of the service."""
    done = longshore("env", "demo", "--reveal", "--ci-from-scm", **variables)
    assert (done.code, done.err) == (0, "")
    pairs = (line.partition("\t")[0].partition("=") for line in done.out.splitlines())
    return {name: value for name, _, value in pairs if name.startswith("CI_")}


def test_what_is_not_given_is_taken_from_the_repository(
    longshore: Program, repository: Path
) -> None:
    commit = hg(repository, "log", "-r", ".", "--template", "{node}")
    assert len(commit) == 40
    found = known(longshore)
    assert found["CI_BRANCH"] == "feature"
    assert found["CI_COMMIT_ID"] == commit
    assert found["CI_COMMIT_DESCRIPTION"] == f"v1-1-{commit[:12]}"
    assert found["CI_COMMITTER_NAME"] == "Jürgen Roe"
    assert found["CI_COMMITTER_EMAIL"] == "joe@example.com"
    assert found["CI_REPO_NAME"] == "shop"


def test_changes_that_are_not_committed_change_nothing(
    longshore: Program, repository: Path
) -> None:
    commit = hg(repository, "log", "-r", ".", "--template", "{node}")
    (repository / "codeship-steps.yml").write_text("[]\n")
    assert known(longshore)["CI_COMMIT_ID"] == commit


def test_in_the_middle_of_a_merge_it_is_the_commit_that_was_checked_out(
    longshore: Program, repository: Path
) -> None:
    hg(repository, "update", "-q", "0")
    (repository / "other").write_text("")
    hg(repository, "add", "other")
    hg(repository, "commit", "-m", "Fork", "-u", JOE)
    commit = hg(repository, "log", "-r", ".", "--template", "{node}")
    hg(repository, "merge", "-q")
    assert known(longshore)["CI_COMMIT_ID"] == commit


def test_the_users_own_aliases_and_encoding_change_nothing(
    longshore: Program, repository: Path, tmp_path: Path
) -> None:
    own = tmp_path / "hgrc"
    own.write_text("[alias]\nlog = log --limit 0\nbranch = version\n")
    found = known(longshore, HGRCPATH=str(own), HGENCODING="latin-1")
    assert found["CI_BRANCH"] == "feature"
    assert found["CI_COMMITTER_NAME"] == "Jürgen Roe"


def test_a_repository_without_commits_has_nothing_to_tell(
    longshore: Program, project: Path
) -> None:
    hg(project, "init")
    done = longshore("env", "demo", "--ci-from-scm")
    assert "CI_COMMIT_ID" not in done.out
    assert done.err.endswith("; hg: there is no commit yet\n")
