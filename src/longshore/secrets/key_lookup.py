"""Where the key of a project is looked for. Reads files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from longshore.environment import Environment
from longshore.errors import KeyUnavailable
from longshore.secrets.key import KEY_FILE, AesKey

NO_KEY: Final = "No AES key provided"
"""What encrypt and decrypt say without a key (spec 6.6)."""

NO_DECRYPTOR: Final = "docker: no decryptor available"
"""What steps, run and load say when an encrypted file needs the missing key (spec 6.6)."""

_VARIABLES: Final = ("LONGSHORE_AES_KEY", "CODESHIP_AES_KEY")
_MAX_KEY_FILE: Final = 64 * 1024


def find_key(*, key_path: Path | None, environment: Environment, directory: Path) -> AesKey | None:
    """The key from `key_path`, else from the environment, else from codeship.aes in `directory`.

    None when there is none. Raises KeyUnavailable when `key_path` cannot be read, or when the
    first place that has something does not have a key (spec E-1, E-2).
    """
    if key_path is not None:
        return _read(key_path)
    for name in _VARIABLES:
        if text := environment.get(name):
            return AesKey.from_text(text, origin=name)
    default = directory / KEY_FILE
    return _read(default) if default.exists() else None


def require_key(
    *,
    key_path: Path | None,
    environment: Environment,
    directory: Path,
    otherwise: str = NO_KEY,
) -> AesKey:
    """As `find_key`, but raises KeyUnavailable with the text `otherwise` when there is none."""
    key = find_key(key_path=key_path, environment=environment, directory=directory)
    if key is None:
        raise KeyUnavailable(
            otherwise,
            hint=f"put the key into {directory / KEY_FILE}, name its file with --key-path, "
            f"or set {_VARIABLES[0]}; a new project makes one with `longshore generate`",
        )
    return key


def _read(path: Path) -> AesKey:
    origin = path.name if path.name == KEY_FILE else str(path)
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_KEY_FILE)
    except FileNotFoundError as error:
        raise KeyUnavailable(
            f"{NO_KEY}: {path} does not exist", hint="name the file of the key with --key-path"
        ) from error
    except OSError as error:
        raise KeyUnavailable(f"cannot read the AES key {path}: {error.strerror}") from error
    # Bytes that are no text cannot be base64 either, and are told so.
    return AesKey.from_text(content.decode("utf-8", "replace"), origin=origin)
