"""``longshore encrypt IN OUT`` (spec E-5 to E-7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from longshore.errors import InvalidValue, UsageError
from longshore.secrets import envelope
from longshore.secrets.atomic_file import PUBLIC, STANDARD, StandardStreams
from longshore.secrets.envelope import Format
from longshore.secrets.envfile import EnvFile, parse_env
from longshore.secrets.key_lookup import KeySource
from longshore.secrets.tracked import is_tracked


def encrypt(
    *,
    source: str,
    target: str,
    keys: KeySource,
    format: Format,  # noqa: A002 -- the option is called so
    streams: StandardStreams,
    out: Callable[[str], None],
) -> int:
    """Encrypt the file `source` to `target`; ``-`` is standard input or output.

    `out` gets warnings and the line to write into the services file, nothing secret. Raises
    KeyUnavailable without a key, InvalidValue when a file cannot be read or written, UsageError
    when the names seem to be swapped.
    """
    key = keys.require()
    keys.spare(target)
    plain = streams.read(source)
    if source != STANDARD and envelope.authenticates(plain):
        raise UsageError(
            f"{source} is encrypted already",
            hint="name the plain file first and the encrypted one second",
        )
    streams.write(target, envelope.encrypt(plain, key, format), mode=PUBLIC)
    for line in _remarks(source, target, plain, keys):
        out(line)
    return 0


def _remarks(source: str, target: str, plain: bytes, keys: KeySource) -> Iterator[str]:
    for path in _secret_files(source, target, keys):
        if is_tracked(path):
            yield (
                f"warning: git tracks {path}, which should stay secret; "
                f"run `git rm --cached {path}` and add it to .gitignore"
            )
    environment = _environment(plain)
    if environment is not None:
        for warning in environment.warnings:
            yield f"warning: line {warning.line}: {warning.message}"
    if target != STANDARD:
        yield from _usage(target, plain, environment)


def _secret_files(source: str, target: str, keys: KeySource) -> Iterator[Path]:
    if source not in {STANDARD, target}:
        yield Path(source)
    yield keys.key_path or keys.default_path


def _usage(target: str, plain: bytes, environment: EnvFile | None) -> Iterator[str]:
    """The line that makes use of the file (K-5)."""
    if plain.lstrip().startswith(b"{"):
        yield f"Use it in a push step or a service: encrypted_dockercfg_path: {target}"
    elif environment is not None and environment.pairs:
        yield f"Use it in codeship-services.yml: encrypted_env_file: {target}"
        yield f"or, for the build alone, below build: encrypted_args_file: {target}"
    else:
        yield f"Any file can be encrypted; get this one back with: longshore decrypt {target} FILE"


def _environment(plain: bytes) -> EnvFile | None:
    """What an environment file says, if `plain` looks like one."""
    try:
        file = parse_env(plain.decode("utf-8"))
    except (UnicodeDecodeError, InvalidValue):
        return None
    assigned = [name for name, value in file.pairs if value is not None]
    return file if len(assigned) > len(file.warnings) else None
