"""The user's own logins: of docker, and of podman."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from longshore.environment import Environment
from longshore.errors import InvalidValue, RegistryError
from longshore.oci.reference import normalise_registry
from longshore.registry.credentials.dockercfg import (
    Dockercfg,
    Entries,
    is_scope,
    parse_dockercfg,
)
from longshore.registry.credentials.login_file import LoginFile
from longshore.secrets.credential import Credential
from longshore.secrets.key_lookup import KEY_VARIABLES

_VARIABLE: Final = "DOCKER_AUTH_CONFIG"
_HELPER_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class UserCredentials:
    """Who the user of this machine is to registries (S-53, P-27): the first file that knows one
    counts. Helpers get the environment without the AES key."""

    files: tuple[LoginFile, ...]

    @classmethod
    def load(cls, environment: Environment) -> UserCredentials:
        """Read the variable that docker reads before its file, ``config.json`` in docker's
        configuration directory, and what `podman login` has written; of all that is not there
        nothing is known.

        Raises InvalidValue when one of them cannot be understood, or docker's cannot be read.
        """
        passed_on = {k: v for k, v in environment.values.items() if k not in KEY_VARIABLES}
        text = environment.get(_VARIABLE) or "{}"
        docker = [
            parse_dockercfg(text.encode(errors="surrogateescape"), origin=_VARIABLE),
            _read(environment.docker_config_directory / "config.json"),
        ]
        podman = map(_read, filter(_may_be_read, environment.podman_logins))
        contents = [*((one, False) for one in docker), *((one, True) for one in podman)]
        return cls(
            tuple(
                LoginFile(
                    content=content, environment=passed_on, timeout=_HELPER_SECONDS, scoped=scoped
                )
                for content, scoped in contents
            )
        )

    @property
    def places(self) -> str:
        """The files, for messages."""
        return " or ".join(file.content.origin for file in self.files[1:])

    async def find(
        self, registry: str, repository: str = "", *, wanted: bool = False
    ) -> Credential | None:
        """The credential for `repository` of `registry`; raises the first RegistryError of the
        files, if none of them knows one (see `LoginFile.find`)."""
        failures: list[RegistryError] = []
        for file in self.files:
            try:
                if (found := await file.find(registry, repository, wanted=wanted)) is not None:
                    return found
            except RegistryError as failure:
                failures.append(failure)
        if failures:
            raise failures[0]
        return None

    async def all(self) -> Entries:
        """Every credential that can be found, by the spelling it was stored under, sorted: one for
        each host, and for each part of one that has its own."""
        keys = sorted({key for file in self.files for key in await file.keys()})
        hosts: dict[str, str] = {}
        for key in keys:
            hosts.setdefault(key if is_scope(key) else normalise_registry(key), key)
        found = [(key, await self.find(key)) for key in hosts.values()]
        return tuple((key, credential) for key, credential in found if credential is not None)


def _may_be_read(path: Path) -> bool:
    """Podman's file may be another user's: ``su`` leaves a caller's XDG_RUNTIME_DIR."""
    try:
        path.open("rb").close()
    except OSError:
        return False
    return True


def _read(path: Path) -> Dockercfg:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Dockercfg(origin=str(path))
    except OSError as error:
        raise InvalidValue(f"cannot read {path}: {error.strerror}") from error
    return parse_dockercfg(content, origin=str(path))
