"""The env files and encrypted texts of a project, read when a step needs them (spec E-15)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from longshore.config.model import Pairs
from longshore.errors import InvalidValue
from longshore.plan.model import BuildPlan
from longshore.secrets.envelope import decrypt_inline, decrypt_text
from longshore.secrets.envfile import parse_env
from longshore.secrets.key import AesKey
from longshore.secrets.masking import Masker
from longshore.secrets.secret import Secret


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """Reads and decrypts; every decrypted value is masked from then on.

    `find_key` raises KeyUnavailable when there is no key; `warn` is told what is odd in a file.
    """

    find_key: Callable[[], AesKey]
    masker: Masker
    warn: Callable[[str], None]

    def env_file(self, path: Path) -> Pairs:
        """A plain env file (S-22); raises InvalidValue naming it."""
        return self._pairs(_read(path, "env_file").decode(errors="replace"), path.name)

    def encrypted_env_file(self, path: Path) -> Pairs:
        """An encrypted env file; raises `SecretError` or InvalidValue naming it."""
        return self._secret_pairs(self.decrypted(path, "encrypted_env_file"), path.name)

    def encrypted_pairs(self, values: tuple[tuple[str, str], ...] | str, name: str) -> Pairs:
        """``encrypted_environment``: each value, or one text of ``K=V`` lines (S-23)."""
        if not values:
            return ()
        key = self.find_key()
        if isinstance(values, str):
            return self._secret_pairs(decrypt_inline(values, key, name), name)
        pairs = tuple((variable, decrypt_inline(text, key, name)) for variable, text in values)
        return self._masked(pairs)

    def arguments(self, plan: BuildPlan) -> tuple[tuple[str, str], ...]:
        """All arguments of a build; encrypted files, then the inline text win (I-16, I-17)."""
        layers: list[Pairs] = [plan.arguments]
        layers += [
            self._secret_pairs(self.decrypted(path, "encrypted_args_file"), path.name)
            for path in plan.encrypted_argument_files
        ]
        if plan.encrypted_arguments is not None:
            layers.append(self.encrypted_pairs(plan.encrypted_arguments, "encrypted_args"))
        merged = {name: value for layer in layers for name, value in layer if value is not None}
        return tuple(merged.items())

    def decrypted(self, path: Path, what: str) -> str:
        """The text of an encrypted file."""
        return decrypt_text(_read(path, what), self.find_key(), path.name)

    def _secret_pairs(self, text: str, name: str) -> Pairs:
        return self._masked(self._pairs(text, name))

    def _masked(self, pairs: Pairs) -> Pairs:
        for name, value in pairs:
            if value:
                self.masker.add(name, Secret(value))
        return pairs

    def _pairs(self, text: str, name: str) -> Pairs:
        parsed = parse_env(text)
        for warning in parsed.warnings:
            self.warn(f"{name}:{warning.line}: {warning.message}")
        return parsed.pairs


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidValue(
            f"cannot read the {what} {path}: {error.strerror}",
            hint="paths are relative to the services file; write the file, or take the key out",
        ) from error
