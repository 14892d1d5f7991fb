"""``--ci-from-scm``, asked of a real git (spec V-3, V-4)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from longshore.cli.requests import steps as steps_request
from longshore.cli.steps_command import steps
from longshore.commands.scm import filled_from_scm
from longshore.plan.facts import KNOWN_TO_SCM, BuildFacts

from .conftest import Program, output_of

IDENTITY = {
    "GIT_AUTHOR_NAME": "Jane Doe",
    "GIT_AUTHOR_EMAIL": "jane@example.com",
    "GIT_COMMITTER_NAME": "Joe Roe",
    "GIT_COMMITTER_EMAIL": "joe@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def git(directory: Path, *words: str) -> str:
    return output_of(directory, "git", *words, environment=IDENTITY)


def sign(repository: Path) -> None:
    """Give the last commit a signature, of nobody."""
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n x"
    commit = git(repository, "cat-file", "commit", "HEAD").replace("\n\n", f"\n{signature}\n\n", 1)
    (repository / "commit").write_text(f"{commit}\n")
    signed = git(repository, "hash-object", "-w", "-t", "commit", "commit")
    git(repository, "update-ref", "refs/heads/feature", signed)


@pytest.fixture
def repository(project: Path) -> Path:
    """The project in a repository, on branch ``feature``."""
    git(project, "init", "-q", "-b", "feature")
    git(project, "remote", "add", "origin", "git@example.com:team/shop.git")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "Add the shop\n\nWith a till")
    git(project, "tag", "v1")
    return project


def known(longshore: Program, *words: str) -> str:
    """The CI variables of the service."""
    done = longshore("env", "demo", "--reveal", "--ci-from-scm", *words)
    assert (done.code, done.err) == (0, "")
    return done.out


def test_what_is_not_given_is_taken_from_the_repository(
    longshore: Program, repository: Path
) -> None:
    found = known(longshore, "--ci-committer-name", "Given")
    for line in (
        "CI_BRANCH=feature",
        f"CI_COMMIT_ID={git(repository, 'rev-parse', 'HEAD')}",
        "CI_COMMIT_DESCRIPTION=v1",
        "CI_COMMITTER_NAME=Given",
        "CI_COMMITTER_EMAIL=joe@example.com",
        "CI_REPO_NAME=shop",
    ):
        assert f"{line}\t" in found
    assert "CI_COMMIT_MESSAGE=Add the shop" in found


def test_hints_send_to_the_repository_for_what_it_knows(repository: Path) -> None:
    nothing = BuildFacts()
    found = filled_from_scm(nothing, repository).facts
    names = nothing.__struct_fields__
    assert {name for name in names if getattr(found, name) != getattr(nothing, name)} == (
        KNOWN_TO_SCM
    )


def test_a_tag_with_the_name_of_the_branch_changes_nothing(
    longshore: Program, repository: Path
) -> None:
    git(repository, "tag", "feature")
    assert "CI_BRANCH=feature\t" in known(longshore)


def test_checks_of_signatures_are_no_part_of_what_is_known(
    longshore: Program, repository: Path, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho gpg: Signature made >&2\nexit 1\n")
    program.chmod(0o755)
    sign(repository)
    git(repository, "config", "log.showSignature", "true")
    git(repository, "config", "gpg.program", str(program))
    found = known(longshore)
    assert "CI_COMMITTER_EMAIL=joe@example.com\t" in found
    assert "CI_COMMIT_MESSAGE=Add the shop" in found


def test_a_checkout_on_no_branch_has_none_and_says_so(longshore: Program, repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach")
    done = longshore("env", "demo", "--ci-from-scm")
    assert "CI_BRANCH" not in done.out
    assert "CI_COMMIT_ID" in done.out
    assert done.err == (
        "notice: --ci-from-scm: the checkout is on no branch; name it with --ci-branch\n"
    )


def test_nothing_runs_that_a_directory_of_the_clone_names(
    longshore: Program, repository: Path, tmp_path: Path
) -> None:
    """It may look like a repository without a work tree, or like one of Mercurial."""
    ran, program = tmp_path / "ran", tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    git(repository, "clone", "-q", "--bare", ".", "bare")
    bare = repository / "bare"
    sign(bare)
    git(bare, "config", "log.showSignature", "true")
    git(bare, "config", "gpg.program", str(program))
    (bare / ".hg").mkdir()
    (bare / ".hg/hgrc").write_text(f"[hooks]\npre-log = {program}\n")
    (bare / "codeship-services.yml").write_text("demo:\n  image: busybox\n")
    done = longshore("env", "demo", "--dir", "bare", "--ci-from-scm")
    assert not ran.exists()
    assert "safe.bareRepository" in done.err


def test_where_there_is_no_repository_git_is_quoted(longshore: Program) -> None:
    done = longshore("env", "demo", "--ci-from-scm")
    assert done.code == 0
    assert done.err.startswith("notice: --ci-from-scm found nothing: git: not a git repository")


@pytest.mark.usefixtures("repository")
def test_a_repository_of_somebody_else_is_no_silent_nothing(longshore: Program) -> None:
    # The first variable is git's own, for its tests of the same refusal; a developer's own settings
    # may name every directory safe.
    refusing = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    done = longshore("env", "demo", "--ci-from-scm", **refusing)
    assert "CI_BRANCH" not in done.out
    assert "notice: --ci-from-scm found nothing: git: detected dubious ownership" in done.err
    assert "git config --global --add safe.directory" in done.err


@pytest.mark.usefixtures("repository")
def test_where_there_is_no_git_that_is_said(longshore: Program, tmp_path: Path) -> None:
    done = longshore("env", "demo", "--ci-from-scm", PATH=str(tmp_path))
    assert done.err == "notice: --ci-from-scm found nothing: neither git nor hg is installed\n"


def test_a_directory_that_is_not_there_is_one_error_and_no_notice(longshore: Program) -> None:
    done = longshore("plan", "--ci-from-scm", "--dir", "nowhere")
    assert done.code == 2
    assert done.err.startswith('Error: there is no directory "nowhere"\n')


@pytest.mark.parametrize(
    ("words", "branch"),
    [
        (["--ci-from-scm"], "feature"),
        (["--ci-from-scm", "--tag", "v1"], "feature"),
        (["--ci-from-scm", "--ci-branch", "given"], "given"),
        (["--tag", "v1"], "v1"),
        ([], None),
    ],
)
def test_the_image_cache_is_that_of_the_branch_that_is_built(
    repository: Path, words: list[str], branch: str | None
) -> None:
    flags = steps.make_context("steps", ["--dir", str(repository), *words]).params
    assert steps_request(flags).session.cache_branch == branch
