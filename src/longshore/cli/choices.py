"""Parsed flags put together as the values that say what is read and what is to run.

Apart from `requests`, so that commands that need no engine import none.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from longshore.cli.streams import say
from longshore.commands.project import ProjectChoice
from longshore.config.credential_keys import CredentialKeys
from longshore.environment import Environment
from longshore.errors import UsageError
from longshore.plan.facts import BuildFacts
from longshore.plan.selection import Selection

Flags = dict[str, Any]
"""What click parsed, by parameter name; used up here and nowhere passed on."""

_GIVEN = (
    "branch",
    "build_id",
    "commit_description",
    "commit_id",
    "commit_message",
    "committer_email",
    "committer_name",
    "committer_username",
    "pr_number",
    "project_id",
    "pull_request",
    "repo_name",
)


def project_choice(flags: Flags) -> ProjectChoice:
    """Which files of which directory."""
    return ProjectChoice(
        directory=Path(flags["dir"]),
        services_path=flags.get("services_path"),
        steps_path=flags.get("steps_path"),
    )


def selection(flags: Flags) -> Selection:
    """Which steps; an empty --tag is none, as scripts pass variables that are not set."""
    return Selection(
        tag=flags["tag"] or None,
        push=flags["push"],
        approve=flags["approve"],
        only=tuple(flags["only"]),
        start_from=flags["from"] or None,
    )


def facts(flags: Flags) -> BuildFacts:
    """What is known of the build; empty values are none (V-1)."""
    given: Flags = {name: flags[f"ci_{name}"] or None for name in _GIVEN}
    approved = flags.get("approve", False)
    build = BuildFacts(
        ci_name=flags["ci_name"] or "codeship",
        approved=approved,
        host=Environment.of_process().values,
        **given,
    )
    if flags["ci_timestamp"]:
        build = replace(build, started=_time(flags["ci_timestamp"]))
    if not flags["ci_from_scm"]:
        return build
    from longshore.commands.scm import filled_from_scm

    filled = filled_from_scm(build, Path(flags["dir"]))
    if filled.notice:
        say(f"notice: {filled.notice}")
    return filled.facts


def _time(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f'--ci-timestamp "{text[:40]}" is no time',
            hint="give the seconds since 1970, for example 1507889663",
        ) from None


def credentials(flags: Flags) -> CredentialKeys:
    """The credentials that the command line names (S-53)."""
    return CredentialKeys(
        encrypted_dockercfg_path=flags["encrypted_dockercfg_path"] or None,
        dockercfg_service=flags["dockercfg_service"] or None,
    )
