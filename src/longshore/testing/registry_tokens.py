"""A token server for a real registry: `TokenAuth` decides, and its tokens are signed.

distribution reads tokens as JSON Web Tokens (its ``docs/spec/auth/jwt.md``), signed by a key whose
certificate it was given. It needs trustme, which is there where longshore is developed.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509 import load_pem_x509_certificate

from longshore.registry.server.serving import serve_app
from longshore.testing.registry_auth import TOKEN_PATH, TokenAuth

_ISSUER: Final = "longshore tests"


class Signer:
    """Makes the text of tokens for one service; `bundle` is the certificate a registry needs."""

    def __init__(self, folder: Path, service: str) -> None:
        import trustme

        certificate = trustme.CA().issue_cert("tokens.example")
        pem = certificate.cert_chain_pems[0].bytes()
        key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"trustme made a key of type {type(key).__name__}")
        self._key = key
        der = load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
        self._chain = base64.b64encode(der).decode()
        self._service = service
        self._made = 0
        self.bundle = folder / "tokens.pem"
        self.bundle.write_bytes(pem)

    def __call__(self, scopes: frozenset[str], lifetime: int) -> str:
        """A token that allows `scopes` (one action each) for `lifetime` seconds from now."""
        self._made += 1
        now = int(time.time())
        claims = {
            "iss": _ISSUER,
            "aud": self._service,
            "sub": "",
            "iat": now - 1,
            "nbf": now - 1,
            "exp": now + lifetime,
            "jti": str(self._made),
            "access": [_access(scope) for scope in sorted(scopes)],
        }
        header = {"typ": "JWT", "alg": "ES256", "x5c": [self._chain]}
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        der = self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        pair = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))
        return f"{signed}.{_encoded(pair)}"


@asynccontextmanager
async def token_server(auth: TokenAuth, folder: Path) -> AsyncIterator[dict[str, object]]:
    """Serve `auth` and sign its tokens; gives the ``auth`` part of a registry's configuration."""
    signer = Signer(folder, auth.service)
    auth.mint = signer
    app = web.Application()
    app.router.add_route("*", TOKEN_PATH, auth.answer)
    async with serve_app(app) as running:
        token = {
            "realm": f"{running.url}{TOKEN_PATH}",
            "service": auth.service,
            "issuer": _ISSUER,
            "rootcertbundle": str(signer.bundle),
        }
        yield {"token": token}


def _access(scope: str) -> dict[str, object]:
    thing, _, action = scope.rpartition(":")
    kind, _, name = thing.partition(":")
    return {"type": kind, "name": name, "actions": [action]}


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
