"""``--ci-from-scm``: the facts of a build taken from git or Mercurial (spec V-3, V-4)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from longshore.plan.facts import BuildFacts

_HG_DESCRIPTION = "{latesttag}-{latesttagdistance}-{node|short}\n"


def filled_from_scm(facts: BuildFacts, directory: Path) -> BuildFacts:
    """`facts` with what is not given filled in; where nothing is known it stays absent."""
    found = _git(directory) or _hg(directory)
    missing: dict[str, Any] = {
        name: value for name, value in found.items() if getattr(facts, name) is None
    }
    return replace(facts, **missing)


def _git(directory: Path) -> dict[str, str]:
    ask = _asker("git", directory)
    if not ask("rev-parse", "HEAD"):
        return {}
    branch = ask("rev-parse", "--abbrev-ref", "HEAD")
    return _known(
        commit_id=ask("rev-parse", "HEAD"),
        branch="" if branch == "HEAD" else branch,
        commit_message=ask("log", "-1", "--format=%B"),
        commit_description=ask("describe", "--abbrev=1", "--tags", "--always"),
        committer_name=ask("log", "-1", "--format=%cn"),
        committer_email=ask("log", "-1", "--format=%ce"),
        repo_name=_repository(ask("config", "--get", "remote.origin.url")),
    )


def _hg(directory: Path) -> dict[str, str]:
    ask = _asker("hg", directory)
    if not ask("id", "-i", "--debug"):
        return {}
    return _known(
        commit_id=ask("id", "-i", "--debug").rstrip("+"),
        branch=ask("branch"),
        commit_message=ask("log", "-r", ".", "--template", "{desc}"),
        commit_description=ask("log", "-r", ".", "--template", _HG_DESCRIPTION),
        committer_name=ask("log", "-r", ".", "--template", "{author|person}"),
        committer_email=ask("log", "-r", ".", "--template", "{author|email}"),
        repo_name=_repository(ask("paths", "default")),
    )


def _known(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _asker(program: str, directory: Path) -> Callable[..., str]:
    def ask(*arguments: str) -> str:
        return _output([program, *arguments], directory)

    return ask


def _output(command: Sequence[str], directory: Path) -> str:
    """What the program printed, without the last newline (K-17); empty when it failed."""
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""


def _repository(url: str) -> str:
    """The last part of a remote's address, without ``.git``."""
    return url.rstrip("/").replace(":", "/").rpartition("/")[2].removesuffix(".git")
