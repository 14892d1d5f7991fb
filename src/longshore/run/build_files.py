"""The files of a build, which earlier steps may have made: looked at only when it begins (I-10)."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from longshore.config.base_images import base_references
from longshore.errors import BuildFailed
from longshore.oci.reference import ImageReference
from longshore.plan.model import BuildPlan
from longshore.run.files import Values


def base_images(plan: BuildPlan, arguments: Values) -> tuple[ImageReference, ...]:
    """The images that the Dockerfile names as its bases."""
    text = plan.dockerfile.read_text(errors="replace") if plan.dockerfile.is_file() else ""
    return base_references(text, arguments)


@contextmanager
def readable(plan: BuildPlan) -> Iterator[None]:
    """Raises BuildFailed in place of the OSError of a file that cannot be read."""
    try:
        yield
    except OSError as fault:
        raise BuildFailed(
            f'service "{plan.service}": {fault.filename or plan.dockerfile} cannot be read: '
            f"{fault.strerror}",
            hint="a container of an earlier step may have made it as root: have it give others the "
            "right to read it",
        ) from fault


def check_files(plan: BuildPlan) -> None:
    """Raises BuildFailed where one is not there, and OSError where that cannot be seen."""
    if not _is(stat.S_ISDIR, plan.context):
        raise BuildFailed(
            f'service "{plan.service}": the build context {plan.context} is no directory',
            hint=f"see {plan.place}; context is relative to the services file",
        )
    if not _is(stat.S_ISREG, plan.dockerfile):
        raise BuildFailed(
            f'service "{plan.service}": there is no Dockerfile at {plan.dockerfile}',
            hint=f"see {plan.place}; dockerfile is relative to the context {plan.context}",
        )


def _is(kind: Callable[[int], bool], path: Path) -> bool:
    """Raises OSError for what cannot be looked at; from Python 3.14 on `Path.is_file` says no."""
    try:
        return kind(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
