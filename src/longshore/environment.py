"""Every environment variable longshore reads, in one place.

Nothing else in the package reads ``os.environ`` (git is given all of it). `Environment` is a value:
commands take it once at the border and pass it down, and tests make their own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class Variable(Struct, frozen=True):
    """One variable we read: its name and what it does, as docs/reference/cli.md has it."""

    name: str
    meaning: str


VARIABLES = (
    Variable("DOCKER_HOST", "where the container engine listens (unix://, tcp://, ssh://)"),
    Variable("DOCKER_CONTEXT", "the docker context to use instead of the current one"),
    Variable("DOCKER_TLS_VERIFY", "non-empty: speak TLS to a tcp:// engine and verify it"),
    Variable("DOCKER_CERT_PATH", "directory of ca.pem, cert.pem and key.pem for a tcp:// engine"),
    Variable("DOCKER_CONFIG", "directory of docker's config.json; default ~/.docker"),
    Variable("DOCKER_AUTH_CONFIG", "registry credentials as config.json has them; come before it"),
    Variable("REGISTRY_AUTH_FILE", "the file of podman's logins, instead of its usual places"),
    Variable("BUILDX_CONFIG", "directory of buildx's settings; default buildx in docker's"),
    Variable("LONGSHORE_ENGINE", "default of --engine"),
    Variable("LONGSHORE_AES_KEY", "the AES key itself, instead of the file codeship.aes"),
    Variable("CODESHIP_AES_KEY", "the same under its former name"),
    Variable("LONGSHORE_CACHE_REGISTRY", "default of --cache-registry"),
    Variable(
        "LONGSHORE_NO_STORE_CONTAINER",
        "non-empty: make no container (never started) to read the engine's store for a push",
    ),
    Variable("NO_COLOR", "non-empty: no colours"),
    Variable("TERM", "dumb: no colours"),
    Variable("LC_ALL", "the locale: where its encoding is not UTF-8, marks are ASCII"),
    Variable("LC_CTYPE", "the same where LC_ALL is not set"),
    Variable("LANG", "the same where neither is set"),
    Variable("XDG_CACHE_HOME", "where caches live; default ~/.cache"),
    Variable("XDG_STATE_HOME", "where journals live; default ~/.local/state"),
    Variable("XDG_DATA_HOME", "where the embedded engine keeps its images; default ~/.local/share"),
    Variable(
        "XDG_RUNTIME_DIR",
        "where the embedded engine's sockets live, if yours alone; default a private directory",
    ),
    Variable("HTTPS_PROXY", "proxy for registries over https; also in lower case"),
    Variable("HTTP_PROXY", "proxy for registries over http; also in lower case"),
    Variable("NO_PROXY", "hosts reached without a proxy; also in lower case"),
    Variable("SSL_CERT_FILE", "further certificate authorities"),
    Variable("HOME", "the user's home directory"),
    Variable("PATH", "where programs are looked for"),
)


class Environment(Struct, frozen=True):
    """The process environment as a value; `of_process()` is its only door to ``os.environ``."""

    values: Mapping[str, str]

    @staticmethod
    def of_process() -> Environment:
        """The environment of this process, copied."""
        return Environment(dict(os.environ))

    def get(self, name: str) -> str | None:
        """The value of a variable, or None when it is unset or empty."""
        return self.values.get(name) or None

    @property
    def home(self) -> Path:
        """The user's home directory.

        ``/`` for a user the system does not know, for whom containers have no other (runc).
        """
        try:
            return Path(self.get("HOME") or "~").expanduser()
        except RuntimeError:
            return Path("/")

    @property
    def docker_config_directory(self) -> Path:
        """Where docker's config.json lies."""
        named = self.get("DOCKER_CONFIG")
        return Path(named) if named else self.home / ".docker"

    @property
    def podman_logins(self) -> tuple[Path, ...]:
        """Where podman's auth.json may lie, the likeliest first (containers-auth.json(5))."""
        if named := self.get("REGISTRY_AUTH_FILE"):
            return (Path(named),)
        runtime = self.runtime_directory or Path(f"/run/containers/{os.getuid()}")
        above = runtime, self.home / ".config"
        return tuple(directory / "containers" / "auth.json" for directory in above)

    @property
    def cache_directory(self) -> Path:
        """Our directory for things that may be deleted at any time."""
        return self._base_directory("XDG_CACHE_HOME", ".cache") / "longshore"

    @property
    def state_directory(self) -> Path:
        """Our directory for journals and locks of runs."""
        return self._base_directory("XDG_STATE_HOME", ".local/state") / "longshore"

    @property
    def data_directory(self) -> Path:
        """Our directory for what should last: the embedded engine's images."""
        return self._base_directory("XDG_DATA_HOME", ".local/share") / "longshore"

    @property
    def runtime_directory(self) -> Path | None:
        """The user's directory for sockets, None when there is none."""
        return self._absolute("XDG_RUNTIME_DIR")

    def _base_directory(self, variable: str, below_home: str) -> Path:
        return self._absolute(variable) or self.home / below_home

    def _absolute(self, variable: str) -> Path | None:
        """Relative paths are to be ignored by the XDG base directory specification: what lies there
        would be in the project, and go into its images."""
        named = Path(self.get(variable) or "")
        return named if named.is_absolute() else None
