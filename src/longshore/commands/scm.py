"""``--ci-from-scm``: the facts of a build taken from git or Mercurial (spec V-3, V-4)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from longshore.plan.facts import BuildFacts
from longshore.secrets.tracked import BARE, NO_BARE

# `hg help environment`: no aliases, colours or translations of the user's, and UTF-8.
_PLAIN = {"HGPLAIN": "1", "HGENCODING": "UTF-8"}
_HG_DESCRIPTION = "{latesttag}-{latesttagdistance}-{node|short}\n"


class FilledFacts(Struct, frozen=True, kw_only=True):
    """The facts, and a sentence about what the repository could not say of them, if anything."""

    facts: BuildFacts
    notice: str | None = None


def filled_from_scm(facts: BuildFacts, directory: Path) -> FilledFacts:
    """`facts` with what is not given filled in; where nothing is known it stays absent."""
    found, trouble = _asked(directory)
    if not found:
        return FilledFacts(facts=facts, notice=_nothing(directory, trouble))
    missing: dict[str, Any] = {
        name: value for name, value in found.items() if getattr(facts, name) is None
    }
    filled = replace(facts, **missing)
    return FilledFacts(facts=filled, notice=None if filled.branch else _NO_BRANCH)


class _Program(Struct, frozen=True):
    name: str
    directory: Path
    options: tuple[str, ...] = ()

    def ask(self, *arguments: str) -> str:
        """What it printed, without the last newline (K-17); empty when it failed."""
        done = self._run(arguments)
        return "" if done is None or done.returncode else _text(done.stdout)

    def trouble(self, *arguments: str) -> str | None:
        """What it says when it fails, in its first line; None when there is no such program."""
        done = self._run(arguments)
        if done is None:
            return None
        if done.returncode == 0:
            return f"{self.name}: there is no commit yet"
        first = _text(done.stderr).partition("\n")[0]
        return f"{self.name}: {first.removeprefix('fatal: ').removeprefix('abort: ')}"

    def _run(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[bytes] | None:
        try:
            return subprocess.run(
                [self.name, *self.options, *arguments],
                cwd=self.directory,
                env=os.environ | _PLAIN,
                capture_output=True,
                timeout=30,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None


_GIT_COMMIT = ("rev-parse", "--verify", "HEAD")
# Not with the checks of signatures that `log.showSignature` prints before everything else.
_GIT_LOG = ("log", "-1", "--no-show-signature")
# Not `hg id`: during a merge it names both parents.
_HG_COMMIT = ("log", "-r", ".", "--template", "{node}")

_FOREIGN = "detected dubious ownership"
"""git 2.35.2 and later, of a repository that is another user's, as in many a CI container."""

_NO_BRANCH = "--ci-from-scm: the checkout is on no branch; name it with --ci-branch"


def _asked(directory: Path) -> tuple[Mapping[str, str], str]:
    """What git or Mercurial knows, else what they say of it."""
    git, hg = _Program("git", directory, NO_BARE), _Program("hg", directory)
    if found := _git(git):
        return found, ""
    trouble = git.trouble(*_GIT_COMMIT) or ""
    if BARE in trouble:
        return {}, trouble  # what is there for Mercurial is a stranger's as well
    if found := _hg(hg):
        return found, ""
    return {}, "; ".join(filter(None, (trouble, hg.trouble(*_HG_COMMIT))))


def _nothing(directory: Path, trouble: str) -> str | None:
    """Why nothing is known; None for a directory that is not there, which is an error anyway."""
    if not directory.is_dir():
        return None
    remedy = f"; `git config --global --add safe.directory {directory}` trusts it"
    found = trouble or "neither git nor hg is installed"
    return f"--ci-from-scm found nothing: {found}{remedy if _FOREIGN in trouble else ''}"


def _git(git: _Program) -> dict[str, str]:
    commit = git.ask(*_GIT_COMMIT)
    if not commit:
        return {}
    return _known(
        commit_id=commit,
        # Not --abbrev-ref: a tag of the same name would make it "heads/NAME".
        branch=git.ask("symbolic-ref", "--quiet", "HEAD").removeprefix("refs/heads/"),
        commit_message=git.ask(*_GIT_LOG, "--format=%B"),
        commit_description=git.ask("describe", "--abbrev=1", "--tags", "--always"),
        committer_name=git.ask(*_GIT_LOG, "--format=%cn"),
        committer_email=git.ask(*_GIT_LOG, "--format=%ce"),
        repo_name=_repository(git.ask("config", "--get", "remote.origin.url")),
    )


def _hg(hg: _Program) -> dict[str, str]:
    commit = hg.ask(*_HG_COMMIT)
    if not commit.strip("0"):  # all zeroes: a repository without commits
        return {}
    return _known(
        commit_id=commit,
        branch=hg.ask("branch"),
        commit_message=hg.ask("log", "-r", ".", "--template", "{desc}"),
        commit_description=hg.ask("log", "-r", ".", "--template", _HG_DESCRIPTION),
        committer_name=hg.ask("log", "-r", ".", "--template", "{author|person}"),
        committer_email=hg.ask("log", "-r", ".", "--template", "{author|email}"),
        repo_name=_repository(hg.ask("paths", "default")),
    )


def _known(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _text(output: bytes) -> str:
    return output.decode(errors="replace").strip()


def _repository(url: str) -> str:
    """The last part of a remote's address, without ``.git``."""
    return url.rstrip("/").replace(":", "/").rpartition("/")[2].removesuffix(".git")
