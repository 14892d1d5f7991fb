"""What to do when a registry refuses who we are: that depends on where credentials come from, which
neither the registry's client nor the engine knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from longshore.errors import EnginePushFailed, RegistryDenied, RegistryError
from longshore.oci.reference import ImageReference
from longshore.run.credentials import Chain, Credentials
from longshore.secrets.credential import Credential

if TYPE_CHECKING:
    from longshore.registry.credentials.user_config import UserCredentials


@asynccontextmanager
async def credential_hints(
    credentials: Credentials, chain: Chain, target: ImageReference, credential: Credential | None
) -> AsyncIterator[None]:
    """Refusals of a push to `target` as `credential` (None: nobody was found) say in their hint who
    was tried, from where, or where one was looked for."""
    try:
        yield
    except RegistryDenied as refusal:
        if credential is None:  # else its hint tells already
            refusal.hint = await _missing(credentials, chain, target)
        raise
    except EnginePushFailed as refusal:
        if refusal.denied and credential is None:
            refusal.hint = await _missing(credentials, chain, target)
        elif refusal.denied:
            refusal.hint = _tried(credential, target)
        raise


async def _missing(credentials: Credentials, chain: Chain, target: ImageReference) -> str:
    host, keys = target.registry, credentials.source(chain)
    if (store := credentials.of_file(keys)) is not None:
        known = ", ".join(store.hosts) or "no registry at all"
        return (
            f"no credential for {host} is in {store.origin}, which decides and has credentials for "
            f"{known}; add an entry for {host}"
        )
    if keys.generator:
        return (
            f'no credential for {host} is in the file of service "{keys.generator}", which '
            "decides; have it write an entry for that host"
        )
    login = credentials.of_user()
    if login is None:
        return (
            f"no credential for {host}: those of your login do not count (--no-user-credentials), "
            "and no file is named; name one with --encrypted-dockercfg-path"
        )
    return await _of_user(login, target)


async def _of_user(login: UserCredentials, target: ImageReference) -> str:
    """A helper that failed was no trouble as long as nobody wanted a login."""
    try:
        await login.find(target.registry, target.repository, wanted=True)
    except RegistryError as failure:
        return f"no credential for {target.registry} was found: {failure.message}; {failure.hint}"
    return _tried(None, target)


def _tried(credential: Credential | None, target: ImageReference) -> str:
    from longshore.registry.transport.errors import tried
    from longshore.registry.transport.exchange import Subject

    subject = Subject(registry=target.registry, repository=target.repository, what="the image")
    return tried(credential, subject)
