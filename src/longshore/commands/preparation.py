"""Secrets made ready before a run: where they are read, and what is missing (spec C-9)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from msgspec import Struct, field

from longshore.commands.session_options import SessionOptions
from longshore.environment import Environment
from longshore.errors import EngineUnavailable
from longshore.plan.model import Plan
from longshore.run.credentials import Credentials
from longshore.run.events import Notice
from longshore.run.files import ProjectFiles
from longshore.run.needs import Need
from longshore.run.preflight import Preflight
from longshore.run.stream import Emit
from longshore.secrets.key_lookup import KEY_VARIABLES, NO_DECRYPTOR, KeySource
from longshore.secrets.masking import Masker
from longshore.secrets.secret import Secret


class Remarks(Struct):
    """What is odd in files, kept until there is somebody to tell; each name unmasked once."""

    _kept: list[str] = field(default_factory=list)
    _emit: Emit | None = None
    _unmasked: set[str] = field(default_factory=set)

    def __call__(self, text: str) -> None:
        """Tell it, now or later."""
        if self._emit is None:
            self._kept.append(text)
        else:
            self._emit(Notice(text=text))

    def tell(self, emit: Emit, masker: Masker) -> None:
        """Tell `emit` what was kept, everything from now on, and what cannot be masked."""
        self._emit = emit
        kept, self._kept = self._kept, []
        for text in kept:
            emit(Notice(text=text))
        names = [name for name in masker.unmasked_names if name not in self._unmasked]
        self._unmasked.update(names)
        if names:
            listed = ", ".join(names)
            emit(Notice(text=f"not masked in the output, too short or too common: {listed}"))


def project_files(
    directory: Path,
    options: SessionOptions,
    environment: Environment,
    masker: Masker,
    remarks: Remarks,
) -> ProjectFiles:
    """The project's files; `masker` learns their secrets, and the key in our environment."""
    for name in KEY_VARIABLES:
        if text := environment.get(name):
            masker.add(name, Secret(text.strip()))
    source = KeySource(environment=environment, directory=directory, key_path=options.key_path)
    return ProjectFiles(cache(lambda: source.require(NO_DECRYPTOR)), masker, remarks)


def check_needs(
    plan: Plan,
    needs: Iterable[Need],
    options: SessionOptions,
    environment: Environment,
    files: ProjectFiles,
) -> None:
    """Raise what `needs` would fail with for want of a key, a file or a credential."""
    Preflight(
        plan=plan,
        files=files,
        credentials=credentials_of_files(plan, options, environment, files),
        build_secrets=options.images.build_secrets,
    ).check(needs)


def credentials_of_files(
    plan: Plan, options: SessionOptions, environment: Environment, files: ProjectFiles
) -> Credentials:
    """Credentials without an engine: of files and the user's login, none generated."""

    async def generate(service: str) -> bytes:
        raise EngineUnavailable(f'dockercfg_service "{service}" needs an engine')

    return Credentials(plan.directory, environment, files, options.credential_options, generate)
