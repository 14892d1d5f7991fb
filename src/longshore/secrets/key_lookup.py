"""Where the key of a project is looked for. Reads files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from longshore.environment import Environment
from longshore.errors import KeyUnavailable, UsageError
from longshore.secrets.key import KEY_FILE, AesKey

NO_KEY: Final = "No AES key provided"
"""What encrypt and decrypt say without a key (spec 6.6)."""

NO_DECRYPTOR: Final = "docker: no decryptor available"
"""What steps, run and load say when an encrypted file needs the missing key (spec 6.6)."""

KEY_VARIABLES: Final = ("LONGSHORE_AES_KEY", "CODESHIP_AES_KEY")
"""Environment variables that hold the text of a key file; the first that is set counts."""

_MAX_KEY_FILE: Final = 64 * 1024


class KeySource(Struct, frozen=True, kw_only=True):
    """Where to look: the file of --key-path, else the environment, else `directory` (E-1)."""

    environment: Environment
    directory: Path
    key_path: Path | None = None

    @property
    def default_path(self) -> Path:
        """Where the key lies when nothing else is said."""
        return self.directory / KEY_FILE

    def find(self) -> AesKey | None:
        """The key, or None when there is none.

        Raises KeyUnavailable when --key-path cannot be read, or when the first place that has
        something does not have a key (E-2).
        """
        if self.key_path is not None:
            return read_key(self.key_path)
        for name in KEY_VARIABLES:
            if text := self.environment.get(name):
                return AesKey.from_text(text, origin=name)
        return read_key(self.default_path) if self.default_path.exists() else None

    def require(self, otherwise: str = NO_KEY) -> AesKey:
        """As `find`, but raises KeyUnavailable with the text `otherwise` when there is none."""
        key = self.find()
        if key is None:
            raise KeyUnavailable(
                otherwise,
                hint=f"put the key into {self.default_path}, name its file with --key-path, "
                f"or set {KEY_VARIABLES[0]}; a new project makes one with `longshore generate`",
            )
        return key

    def spare(self, target: str) -> None:
        """Raises UsageError when `target`, about to be written, is the file of the key."""
        for path in (self.key_path or self.default_path, self.default_path):
            if path.exists() and Path(target).exists() and path.samefile(target):
                raise UsageError(
                    f"{target} is the AES key itself and would be overwritten",
                    hint="name the input first and the output second",
                )


def read_key(path: Path, hint: str = "name the file of the key with --key-path") -> AesKey:
    """The key in a file; raises KeyUnavailable when it cannot be read or is none, with `hint` when
    it is not there."""
    origin = path.name if path.name == KEY_FILE else str(path)
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_KEY_FILE)
    except FileNotFoundError as error:
        raise KeyUnavailable(f"{NO_KEY}: {path} does not exist", hint=hint) from error
    except OSError as error:
        raise KeyUnavailable(f"cannot read the AES key {path}: {error.strerror}") from error
    # Bytes that are no text cannot be base64 either, and are told so.
    return AesKey.from_text(content.decode("utf-8", "replace"), origin=origin)
