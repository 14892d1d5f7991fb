"""Files the project names that are not there, Dockerfiles that use their own name, and volumes
that only the disk tells from directories.

What is missing is a warning only: an earlier step may write it, and a step that is skipped needs
none. The disk is seen through `read_text` and ``Path.exists``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from longshore.config import codes
from longshore.config.base_images import started_from
from longshore.config.check_steps import all_steps
from longshore.config.model import BuildEntry, ServiceEntry, ServicesFile, StepsFile
from longshore.config.names import image_name
from longshore.config.problem import Place
from longshore.config.report import Report
from longshore.config.volume_shapes import is_bare_name, is_file_mount
from longshore.errors import InvalidValue
from longshore.oci.reference import ImageReference

ReadText = Callable[[Path], str | None]

_SERVICES = "the directory of the services file"
_PROJECT = "the project directory"
_DIRECTORY = "is a directory"


def check_files(
    services: ServicesFile,
    steps: StepsFile | None,
    directory: Path,
    report: Report,
    read_text: ReadText,
) -> None:
    """Warn about every named file that does not exist (F-11), and refuse named volumes."""
    for entry in services.services.values():
        for key, path, place in _files(entry):
            _exists(services.directory / path, key, path, place, report, _SERVICES)
        if entry.build is not None:
            _dockerfile(entry, entry.build, services.directory, report, read_text)
        _bare_names(entry, services.directory, report)
        _mounted_files(entry, services.directory, report)
    for step in all_steps(steps.steps) if steps else ():
        keys = step.credentials
        for key, named in (
            ("encrypted_dockercfg_path", keys.encrypted_dockercfg_path),
            ("dockercfg_path", keys.dockercfg_path),
        ):
            if named:
                _exists(directory / named, key, named, step.where(key), report, _PROJECT)


def _files(entry: ServiceEntry) -> Iterator[tuple[str, str, Place]]:
    lists = [
        ("env_file", entry.env_file),
        ("encrypted_env_file", entry.encrypted_env_file),
        ("encrypted_dockercfg_path", (entry.credentials.encrypted_dockercfg_path or "",)),
        ("dockercfg_path", (entry.credentials.dockercfg_path or "",)),
    ]
    for key, paths in lists:
        for number, path in enumerate(paths):
            if path:
                yield key, path, entry.where(key, number)
    for number, path in enumerate(entry.build.encrypted_args_file if entry.build else ()):
        yield "encrypted_args_file", path, entry.where("build", "encrypted_args_file", number)


def _exists(path: Path, key: str, shown: str, place: Place, report: Report, base: str) -> None:
    wrong = _wrong(path)
    if wrong is not None:
        report.warning(
            codes.MISSING_FILE,
            place,
            f'{key} "{shown[:80]}" {wrong}',
            f"create it, or correct the path: it is relative to {base}",
        )


def _wrong(path: Path) -> str | None:
    """Why a file cannot be read, as far as a look tells, to complete a sentence."""
    try:
        if path.is_dir():
            return _DIRECTORY
        return None if path.exists() else "does not exist"
    except PermissionError:
        return "cannot be read: permission denied"
    except (OSError, ValueError, RuntimeError):  # a loop of links is a RuntimeError before 3.13
        return "does not exist"


def _mounted_files(entry: ServiceEntry, root: Path, report: Report) -> None:
    """Missing directories are made (S-38); one in the place of a file would only be in the way."""
    for number, volume in enumerate(entry.volumes):
        if volume.host and is_file_mount(volume.host, volume.container):
            path, place = root / volume.host, entry.where("volumes", number)
            if _wrong(path) not in (None, _DIRECTORY):
                _exists(path, "volume", volume.host, place, report, _SERVICES)


def _bare_names(entry: ServiceEntry, root: Path, report: Report) -> None:
    """jet took ``scripts:/scripts`` for the directory, where there is one; a volume is refused."""
    for number, volume in enumerate(entry.volumes):
        if not volume.host or not is_bare_name(volume.host):
            continue
        name, place = volume.host[:40], entry.where("volumes", number)
        meant = f'write "./{name}:{volume.container[:60]}"'
        if _wrong(root / volume.host) == _DIRECTORY:
            found = f'"{name}" is taken for the directory of that name, not for a named volume'
            report.warning(codes.NAMED_VOLUME, place, found, meant)
            continue
        report.error(
            codes.NAMED_VOLUME,
            place,
            f'named volume "{name}" is not supported; {meant} for the directory of that name',
            f'for a volume that lives as long as its step write "{volume.container[:60]}"',
        )


def _dockerfile(
    entry: ServiceEntry,
    build: BuildEntry,
    root: Path,
    report: Report,
    read_text: ReadText,
) -> None:
    """The Dockerfile below the context, else beside the files (S-5)."""
    name = build.dockerfile or "Dockerfile"
    context = root / (build.context or ".")
    places = (context, root) if build.dockerfile else (context,)
    text = next(
        (text for base in places if (text := read_text(base / name)) is not None),
        None,
    )
    if text is None:
        where = f'context "{build.context}"' if build.context else _SERVICES
        key = "dockerfile" if build.dockerfile else "context"
        there = any(_wrong(base / name) is None for base in places)
        wrong = "cannot be read" if there else "does not exist"
        report.warning(
            codes.MISSING_FILE,
            entry.where("build", key),
            f'Dockerfile "{name[:80]}" {wrong} in {where}',
            "create it, or correct dockerfile or context",
        )
        return
    _hides_base(entry, text, report)


def _hides_base(entry: ServiceEntry, text: str, report: Report) -> None:
    """A built image may hide the public one it is made from (I-3)."""
    name = image_name(entry)
    bases = {base.partition("@")[0].partition(":")[0] for base in started_from(text)[0]}
    if "/" not in name and name.partition(":")[0] in bases and _is_image(name):
        report.warning(
            codes.HIDES_BASE,
            entry.where("build", "image"),
            f'the image built for "{entry.name}" is called "{name}" like the image it is made from',
            f'call it for example "{name.partition(":")[0]}-{entry.name}"',
        )


def _is_image(name: str) -> bool:
    """Whether the check of services let the name pass."""
    try:
        ImageReference.parse(name)
    except InvalidValue:
        return False
    return True
