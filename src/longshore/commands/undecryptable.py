"""What a project has encrypted and a run could not open, told before one needs it (spec E-15)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from longshore.config import codes
from longshore.config.check_steps import all_steps
from longshore.config.model import one_by_one
from longshore.config.problem import Place, Problem, Problems
from longshore.config.report import Report
from longshore.errors import InvalidValue, SecretError

if TYPE_CHECKING:
    from longshore.config.model import EncryptedValues, ServiceEntry, ServicesFile, StepsFile
    from longshore.run.files import ProjectFiles
    from longshore.secrets.key_lookup import KeySource


class _Encrypted(Struct, frozen=True):
    """A file (`path`) or a value of the files, and what opens it or raises."""

    place: Place
    open: Callable[[ProjectFiles], object]
    path: Path | None = None


def undecryptable(
    services: ServicesFile | None, steps: StepsFile | None, directory: Path, keys: KeySource
) -> tuple[Problem, ...]:
    """A warning for each; without a key only for what is named as plain, for such a project runs
    what needs none.

    Files that are not there are told of elsewhere: an earlier step may write them. Raises
    KeyUnavailable for a key that is none.
    """
    found = [*_of_services(services), *_of_steps(steps, directory)]
    if found and keys.find() is None:
        found = []
    found += _named_as_plain(services)
    if not found:
        return ()
    from longshore.run.files import ProjectFiles  # needed by few
    from longshore.secrets.masking import Masker

    report = Report(Problems())
    files = ProjectFiles(cache(keys.require), Masker(), lambda _: None)
    for one in found:
        if one.path is None or _is_there(one.path):
            _try(one, files, report)
    return report.problems.sorted()


def _is_there(path: Path) -> bool:
    # Path would raise where we may not look, and of a name that is too long.
    return os.path.exists(path) and not os.path.isdir(path)  # noqa: PTH110, PTH112


def _try(encrypted: _Encrypted, files: ProjectFiles, report: Report) -> None:
    try:
        encrypted.open(files)
    except (SecretError, InvalidValue) as error:
        report.warning(codes.UNDECRYPTABLE, encrypted.place, error.message, error.hint)


def _named_as_plain(file: ServicesFile | None) -> Iterator[_Encrypted]:
    for entry in file.services.values() if file else ():
        assert file is not None
        for number, name in enumerate(entry.env_file):
            path = file.directory / name
            yield _Encrypted(entry.where("env_file", number), partial(_open_plain, path), path)


def _open_plain(path: Path, files: ProjectFiles) -> object:
    return files.env_file(path)


def _of_services(file: ServicesFile | None) -> Iterator[_Encrypted]:
    for entry in file.services.values() if file else ():
        assert file is not None
        yield from _files(entry, file.directory)
        yield from _values(entry)
        if path := entry.credentials.encrypted_dockercfg_path:
            yield _credentials(file.directory / path, entry.where("encrypted_dockercfg_path"))


def _files(entry: ServiceEntry, directory: Path) -> Iterator[_Encrypted]:
    """Env files, and those of build arguments."""
    named = [
        (path, entry.where("encrypted_env_file", number))
        for number, path in enumerate(entry.encrypted_env_file)
    ]
    named += [
        (path, entry.where("build", "encrypted_args_file", number))
        for number, path in enumerate(entry.build.encrypted_args_file if entry.build else ())
    ]
    for path, place in named:
        yield _env_file(directory / path, place)


def _env_file(path: Path, place: Place) -> _Encrypted:
    return _Encrypted(place, lambda files: files.encrypted_env_file(path), path)


def _values(entry: ServiceEntry) -> Iterator[_Encrypted]:
    """Values in the services file itself (S-23, I-16)."""
    named = {
        ("encrypted_environment",): entry.encrypted_environment,
        ("build", "encrypted_args"): entry.build.encrypted_args if entry.build else None,
    }
    for path, values in named.items():
        what = f'{path[-1]} of service "{entry.name}"'
        for value, at in one_by_one(values or ()):
            yield _Encrypted(entry.where(*path, *at), partial(_open_values, value, what))


def _open_values(values: EncryptedValues, name: str, files: ProjectFiles) -> object:
    return files.encrypted_pairs(values, name)


def _of_steps(file: StepsFile | None, directory: Path) -> Iterator[_Encrypted]:
    for step in all_steps(file.steps) if file else ():
        if path := step.credentials.encrypted_dockercfg_path:
            yield _credentials(directory / path, step.where("encrypted_dockercfg_path"))


def _credentials(path: Path, place: Place) -> _Encrypted:
    """Jet's first format cannot tell a wrong key: what is no credentials file shows it."""

    def open_(files: ProjectFiles) -> object:
        from longshore.registry.credentials.dockercfg import parse_dockercfg

        content = files.decrypted(path, "encrypted_dockercfg_path")
        return parse_dockercfg(content, origin=path.name)

    return _Encrypted(place, open_, path)
