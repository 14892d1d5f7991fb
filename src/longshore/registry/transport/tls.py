"""Whom we trust, per host: the system, ``--registry-ca``, and docker's directories."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from longshore.errors import InvalidValue
from longshore.registry.transport.scheme import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Certificate files beyond the system's.

    `authorities` are PEM files for every host (also a token server's). Below `directory` lie, per
    ``host[:port]``: ``*.crt`` authorities, ``NAME.cert`` with ``NAME.key`` our own certificate
    (docker's certs.d).
    """

    authorities: tuple[Path, ...] = ()
    directory: Path = Path("/etc/docker/certs.d")
    reach: Reach = field(default_factory=Reach)

    def context(self, authority: str) -> ssl.SSLContext:
        """A context for one host; raises InvalidValue when a file holds no certificate."""
        context = ssl.create_default_context()
        if self.reach.is_insecure(authority):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        folder = self.directory / authority
        for path in (*self.authorities, *sorted(folder.glob("*.crt"))):
            _load(path, lambda path: context.load_verify_locations(cafile=path))
        for path in sorted(folder.glob("*.cert")):
            _load(path, lambda path: context.load_cert_chain(path, path.with_suffix(".key")))
        return context


def _load(path: Path, load: Callable[[Path], None]) -> None:
    try:
        load(path)
    except (OSError, ssl.SSLError) as error:
        raise InvalidValue(
            f"{path} cannot be used as a certificate: {error.strerror or error}",
            hint="it has to be a readable PEM file; a .cert needs its .key beside it",
        ) from error
