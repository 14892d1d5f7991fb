"""``longshore dockercfg``: a credentials file from what this machine knows (spec P-27)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from longshore.environment import Environment
from longshore.errors import InvalidValue
from longshore.registry.credentials.dockercfg import Entries, render_dockercfg
from longshore.registry.credentials.user_config import UserCredentials
from longshore.secrets import envelope
from longshore.secrets.atomic_file import PRIVATE, PUBLIC, STANDARD, StandardStreams
from longshore.secrets.key_lookup import KeySource


async def dockercfg(
    *,
    target: str,
    registries: Sequence[str],
    keys: KeySource | None,
    environment: Environment,
    streams: StandardStreams,
    out: Callable[[str], None],
) -> int:
    """Write the user's docker credentials to `target` (``-``: standard output).

    Credential helpers are asked. `registries` picks some; () takes all. With `keys` the file is
    encrypted. Raises InvalidValue when there is no credential, RegistryError when a helper fails.
    """
    key = keys.require() if keys is not None else None
    user = UserCredentials.load(environment)
    entries = await _picked(user, registries) if registries else await user.all()
    if not entries:
        raise InvalidValue(
            f"there are no credentials in {user.places}",
            hint="log in first: docker login REGISTRY",
        )
    content = render_dockercfg(entries)
    if key is not None:
        content = envelope.encrypt(content, key)
    streams.write(target, content, mode=PRIVATE if key is None else PUBLIC)
    for line in _remarks(target, entries, encrypted=key is not None):
        out(line)
    return 0


async def _picked(user: UserCredentials, registries: Sequence[str]) -> Entries:
    found = [(registry, await user.find(registry)) for registry in registries]
    missing = [registry for registry, credential in found if credential is None]
    if missing:
        raise InvalidValue(
            f"there are no credentials for {', '.join(missing)} in {user.places}",
            hint=f"log in first: docker login {missing[0]}",
        )
    return tuple((registry, credential) for registry, credential in found if credential)


def _remarks(target: str, entries: Entries, *, encrypted: bool) -> list[str]:
    lines = [f"Credentials for {', '.join(registry for registry, _ in entries)}"]
    if not encrypted:
        lines.append("warning: the passwords in it are not encrypted; do not commit it")
    elif target != STANDARD:
        lines.append(f"Use it in a push step or a service: encrypted_dockercfg_path: {target}")
    return lines
