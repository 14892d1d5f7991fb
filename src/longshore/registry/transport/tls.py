"""Whom we trust, per host: the system, ``--registry-ca``, and docker's directories."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from longshore.errors import InvalidValue
from longshore.registry.transport.scheme import Reach

_EXPECTED: Final = (
    "expected was a file with the certificate of an authority (-----BEGIN CERTIFICATE-----)"
)
_WHICH: Final = "give the certificate of the authority that issued the registry's, not its key"
_AS_PEM: Final = "turn it into PEM with: openssl x509 -inform der -in {path} -out {path}.pem"


class Trust(Struct, frozen=True, kw_only=True):
    """Certificate files beyond the system's.

    `authorities` are PEM files for every host (also a token server's). Below each of `directories`
    lie, per ``host[:port]``: ``*.crt`` authorities, ``NAME.cert`` with ``NAME.key`` our own
    certificate (docker's certs.d).
    """

    authorities: tuple[Path, ...] = ()
    directories: tuple[Path, ...] = ()
    reach: Reach = field(default_factory=Reach)

    def context(self, authority: str) -> ssl.SSLContext:
        """A context for one host; raises InvalidValue as `check` does."""
        context = ssl.create_default_context()
        # On by default since Python 3.13; it refuses authorities that docker and curl take.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.reach.is_insecure(authority):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        for path in self.authorities:
            load_authority(context, path)
        self._load_for(authority, context)
        return context

    def check(self, authority: str) -> None:
        """Raise InvalidValue when a file for one host cannot be used, or holds no certificate.

        Those in `authorities` are for whoever named them to check, by `load_authority`.
        """
        self._load_for(authority, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def _load_for(self, authority: str, context: ssl.SSLContext) -> None:
        for folder in (each / name for each in self.directories for name in _names(authority)):
            for path in _found(folder, "*.crt"):
                load_authority(context, path)
            for path in _found(folder, "*.cert"):
                _load_own(context, path)


def _names(authority: str) -> tuple[str, ...]:
    """How a directory may be called: with the port that goes without saying, or without."""
    bare = authority.removesuffix(":443")
    with_port = "]" in bare.rpartition(":")[0] or (":" in bare and not bare.endswith("]"))
    return (bare,) if with_port else (bare, f"{bare}:443")


def _found(folder: Path, pattern: str) -> list[Path]:
    """None where this user may not enter; Python says so before 3.13 only."""
    try:
        return sorted(folder.glob(pattern))
    except PermissionError:
        return []


def load_authority(context: ssl.SSLContext, path: Path) -> None:
    """Trust the authorities of a PEM file; raises InvalidValue when there are none to be had."""
    try:
        content = path.read_bytes()
        context.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        # DER begins with the tag of a sequence (X.690, 8.9.1).
        der = content.startswith(b"\x30")
        raise InvalidValue(
            f"{path} holds no certificate in PEM form; {_EXPECTED}",
            hint=_AS_PEM.format(path=path) if der else _WHICH,
        ) from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise InvalidValue(
            f"{path} cannot be read: {why}; {_EXPECTED}",
            hint="correct the path, or let this user read the file",
        ) from error


def _load_own(context: ssl.SSLContext, path: Path) -> None:
    key = path.with_suffix(".key")
    try:
        context.load_cert_chain(path, key)
    except (OSError, ssl.SSLError) as error:
        raise InvalidValue(
            f"{path} and {key.name} cannot be used as our own certificate: "
            f"{(error.strerror or str(error)).lower()}",
            hint="both have to be PEM files that may be read, and the key that of the certificate",
        ) from error
