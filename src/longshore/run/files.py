"""The env files and encrypted texts of a project, read when a step needs them (spec E-15)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from longshore.errors import InvalidValue
from longshore.secrets.envelope import decrypt, decrypt_inline, decrypt_text, is_encrypted
from longshore.secrets.envfile import is_plain_name, parse_env
from longshore.secrets.key import AesKey
from longshore.secrets.masking import Masker
from longshore.secrets.secret import Secret

if TYPE_CHECKING:
    from longshore.config.model import EncryptedValues, Pairs
    from longshore.plan.model import BuildPlan

Values = tuple[tuple[str, str], ...]

LARGEST: Final = 16 << 20
"""Bytes of a file that are read; environments and credentials have kilobytes."""


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """Reads and decrypts; every decrypted value, and the key, is masked from then on.

    `find_key` raises KeyUnavailable when there is no key; `warn` is told what is odd in a file,
    each thing once.
    """

    find_key: Callable[[], AesKey]
    masker: Masker
    warn: Callable[[str], None]
    _warned: set[str] = field(default_factory=set, repr=False)

    def env_file(self, path: Path) -> Pairs:
        """A plain env file (S-22); raises InvalidValue naming it."""
        content = read_project_file(path, "env_file")
        if is_encrypted(content):
            raise InvalidValue(
                f"the env_file {path} is encrypted", hint="the key for it is encrypted_env_file"
            )
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidValue(
                f"the env_file {path} is not UTF-8 text",
                hint="save it as UTF-8; if it is encrypted, the key for it is encrypted_env_file",
            ) from None
        return self._pairs(text, path.name)

    def encrypted_env_file(self, path: Path) -> Pairs:
        """An encrypted env file; raises `SecretError` or InvalidValue naming it."""
        return self._secret_lines(path, "encrypted_env_file")

    def encrypted_pairs(self, values: EncryptedValues, name: str) -> Pairs:
        """``encrypted_environment``: each value, or one text of ``K=V`` lines (S-23)."""
        if not values:
            return ()
        key = self.key()
        if isinstance(values, str):
            return self._secret_pairs(decrypt_inline(values, key, name), name)
        pairs = tuple(
            (variable, decrypt_inline(text, key, f'"{variable}" in {name}'))
            for variable, text in values
        )
        for variable, value in pairs:
            self._mask(variable, value)
        return pairs

    def build_values(self, plan: BuildPlan, *, as_secrets: bool) -> tuple[Values, Values]:
        """A build's arguments, and what it gets as BuildKit secrets.

        Encrypted values beat plain ones of their name (I-16, I-17); `as_secrets` they are no
        arguments at all, so that they do not stay in the image's history.
        """
        encrypted = self.encrypted_arguments(plan)
        if not as_secrets:
            return merged_values(plan.arguments, encrypted), ()
        taken = {name for name, _ in encrypted}
        return tuple(pair for pair in plan.arguments if pair[0] not in taken), encrypted

    def encrypted_arguments(self, plan: BuildPlan) -> Values:
        """Those arguments of a build that were encrypted."""
        layers: list[Pairs] = [self.argument_file(path) for path in plan.encrypted_argument_files]
        if plan.encrypted_arguments is not None:
            name = f'encrypted_args of service "{plan.service}"'
            layers.append(self.encrypted_pairs(plan.encrypted_arguments, name))
        return merged_values(*layers)

    def argument_file(self, path: Path) -> Pairs:
        """An encrypted file of build arguments; raises as `encrypted_env_file`."""
        return self._secret_lines(path, "encrypted_args_file")

    def decrypted(self, path: Path, what: str) -> bytes:
        """The plain bytes of an encrypted file; a wrong key may give garbage (E-8)."""
        return decrypt(read_project_file(path, what), self.key(), path.name)

    def key(self) -> AesKey:
        """The key of the project; it is a secret like what it opens."""
        key = self.find_key()
        self.masker.add("the AES key", Secret(key.reveal_text()))
        return key

    def tell(self, warnings: Iterable[str]) -> None:
        """Warn of each thing once, however often a file is read."""
        for warning in warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                self.warn(warning)

    def _secret_lines(self, path: Path, what: str) -> Pairs:
        text = decrypt_text(read_project_file(path, what), self.key(), path.name)
        return self._secret_pairs(text, path.name)

    def _secret_pairs(self, text: str, name: str) -> Pairs:
        pairs = self._pairs(text, name)
        for variable, value in pairs:
            if is_plain_name(variable):
                self._mask(variable, value)
            else:
                for part in (variable, value, f"{variable}={value}"):
                    self._mask(f"a line of {name}", part)
        return pairs

    def _mask(self, name: str, value: str | None) -> None:
        # What stands before "==" may be the end of some base64, and would be told as a name.
        if value and value != "=":
            self.masker.add(name, Secret(value))

    def _pairs(self, text: str, name: str) -> Pairs:
        try:
            parsed = parse_env(text)
        except InvalidValue as fault:
            raise InvalidValue(f"{name}: {fault.message}", hint=fault.hint) from fault
        self.tell(f"{name}:{warning.line}: {warning.message}" for warning in parsed.warnings)
        return parsed.pairs


def merged_values(*layers: Pairs) -> Values:
    """One value a name, later layers winning; names without a value are left out."""
    merged = {name: value for layer in layers for name, value in layer if value is not None}
    return tuple(merged.items())


def read_project_file(path: Path, what: str) -> bytes:
    """The content of a file that the project names under `what`.

    Raises InvalidValue, also for what may never end: a link in a repository can lead anywhere.
    """
    try:
        if _may_never_end(path.stat()):
            raise InvalidValue(
                f"the {what} {path} is a pipe or a device", hint="write its content into a file"
            )
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise InvalidValue(
            f"cannot read the {what} {path}: {error.strerror}",
            hint="that is where it is looked for: write the file, or correct the path",
        ) from error
    if len(content) > LARGEST:
        raise InvalidValue(
            f"the {what} {path} has more than {LARGEST >> 20} MiB", hint="is this the right file?"
        )
    return content


def _may_never_end(status: os.stat_result) -> bool:
    """Pipes and devices, but for the null device, which is an empty file to everybody."""
    ends = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return not ends and not os.path.samestat(status, Path(os.devnull).stat())
