"""Checks of single texts: image names, commands, tags, templates in the wrong place (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from longshore.config import codes
from longshore.config.problem import Place
from longshore.config.report import Report
from longshore.config.words import shell_syntax
from longshore.errors import InvalidValue
from longshore.oci.reference import ImageReference

_TEMPLATE = re.compile(
    r"\{\{-?\s*\.(ProjectID|BuildID|RepoName|Branch|Commit|CommitID|CommitMessage|"
    r"CommitDescription|CommitterName|CommitterEmail|CommitterUsername|Time|Timestamp|StringTime|"
    r"StepName|ServiceName|ImageName|Ci|CiName|PrNumber|PullRequest)\b(?:[^{}]*\}\})?"
)
_SUSPICIOUS = re.compile(r"[&|;<>$]")
_LOOKS_LIKE_REGEX = re.compile(r"[*?+\[\]\\|(){}]")


def check_image(text: str, place: Place, report: Report) -> ImageReference | None:
    """A valid image name (I-1, P-10), or None after telling why it is not."""
    if "$" in text:
        report.error(
            codes.VARIABLE_IN_IMAGE,
            place,
            f'image name "{text[:80]}" contains "$": variables are not expanded in the files',
            "write the name itself",
        )
        return None
    if warn_template(text, place, report, fatal=True):
        return None
    try:
        return ImageReference.parse(text)
    except InvalidValue as fault:
        report.error(codes.IMAGE_NAME, place, fault.message, fault.hint)
        return None


def check_command(text: str, words: Sequence[str], place: Place, report: Report) -> None:
    """Warn when shell syntax is used but no shell (T-12, K-2), or a template (Q-28)."""
    warn_template(text, place, report)
    if not _SUSPICIOUS.search(text):
        return
    try:
        found = shell_syntax(text, words)
    except InvalidValue:
        return  # told when the command was split
    if found is not None:
        report.warning(
            codes.SHELL_SYNTAX,
            place,
            f'"{found[:40]}" is passed to the program as it stands: commands run without a shell',
            'for a shell write: sh -c "..."',
        )


def check_tag(text: str, key: str, place: Place, report: Report) -> None:
    """Warn about a pattern that is only ever compared as a text (T-30, K-27)."""
    if _LOOKS_LIKE_REGEX.search(text) and "^" not in text and "$" not in text:
        report.warning(
            codes.NO_ANCHOR,
            place,
            f'{key} "{text[:60]}" looks like a pattern, but without ^ or $ it only matches a build '
            "tag of exactly this text",
            f"write {single_quoted(f'^{text[:60]}$')}",
        )


def single_quoted(text: str) -> str:
    """As YAML, where a backslash is only a backslash."""
    return "'" + text.replace("'", "''") + "'"


def warn_template(text: str, place: Place, report: Report, *, fatal: bool = False) -> bool:
    """Whether a template field stands where none is expanded; adds the warning (Q-28)."""
    found = _TEMPLATE.search(text)
    if found is None:
        return False
    tell = report.error if fatal else report.warning
    tell(
        codes.TEMPLATE_ELSEWHERE,
        place,
        f'template "{found[0]}" is not expanded here',
        f"templates work in image_tag and in build args; containers have the variable "
        f"{_VARIABLES.get(found[1], 'CI_*')}",
    )
    return True


_VARIABLES = {
    "Branch": "$CI_BRANCH",
    "CommitID": "$CI_COMMIT_ID",
    "Commit": "$CI_COMMIT_ID",
    "BuildID": "$CI_BUILD_ID",
    "Timestamp": "$CI_TIMESTAMP",
    "StringTime": "$CI_STRING_TIME",
}
