"""Whose credentials open the registry of an image, when several services have it (S-53); pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec import Struct

from longshore.config.credential_keys import CredentialKeys
from longshore.plan.model import ImagePlan


class Asker(Struct, frozen=True):
    """Who needs images: the services of a step, and the keys of the step and its groups."""

    services: tuple[str, ...]
    credentials: tuple[CredentialKeys, ...] = ()

    def login_chain(self, image: ImagePlan) -> tuple[CredentialKeys, ...]:
        """Where the credentials for `image` may come from, the strongest first."""
        own, others = self.of_services(image)
        return (*own, *self.credentials, *others)

    def of_services(
        self, image: ImagePlan
    ) -> tuple[tuple[CredentialKeys, ...], tuple[CredentialKeys, ...]]:
        """What services name for `image`: those that count before the step's, and after them.

        First come the services that are needed. An image that none of them has is built for one
        of theirs: there all that have it come first.
        """
        mine = image.credentials.keys() & self.services or image.credentials.keys()
        return tuple(_named(image, mine)), tuple(_named(image, image.credentials.keys() - mine))


def _named(image: ImagePlan, services: Collection[str]) -> Iterator[CredentialKeys]:
    return (keys for name, keys in image.credentials.items() if name in services and keys)
