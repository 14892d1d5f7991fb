"""TLS that fails: what is said of it, on real handshakes."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from socket import SHUT_RDWR, SHUT_WR, create_server

import pytest
import trustme
from yarl import URL

from longshore.environment import Environment
from longshore.errors import RegistryUnavailable
from longshore.registry.transport.errors import Interrupted, refusal
from longshore.registry.transport.exchange import Request, Subject
from longshore.registry.transport.session import Session
from longshore.registry.transport.tls import Trust
from longshore.testing.registry_answer import answer

SUBJECT = Subject(registry="r.example")
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
FAR_OFF = datetime(2090, 1, 1, tzinfo=UTC)
LAST = datetime(2091, 1, 1, tzinfo=UTC)


@contextmanager
def _server(context: ssl.SSLContext) -> Iterator[str]:
    """Shakes hands as OpenSSL does it by itself, alerts included; gives host and port."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with context.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                ) as secured:
                    with suppress(OSError):
                        secured.do_handshake()
                    with suppress(OSError):
                        secured.shutdown(SHUT_WR)
                        secured.recv(1 << 16)  # what is left unread would reset the connection

    with create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(SHUT_RDWR)
    thread.join()


async def _refused(host: str, authority: trustme.CA, folder: Path) -> RegistryUnavailable:
    authority.cert_pem.write_to_path(folder / "ca.pem")
    trust = Trust(authorities=(folder / "ca.pem",))
    async with Session(environment=Environment({}), trust=trust) as session:
        with pytest.raises(RegistryUnavailable) as caught:
            await session.send(Request(method="GET", url=URL(f"https://{host}/"), subject=SUBJECT))
    assert not isinstance(caught.value, Interrupted), "it does not change by trying again"
    return caught.value


def _serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


OTHER_NAME = "use the name that it is for, or have its owner put this one into it (subjectAltName)"
OTHER_TIME = "its owner has to renew it, unless the clock of this machine is wrong"


@pytest.mark.parametrize(
    ("name", "since", "until", "said", "hint"),
    [
        ("other.example", LONG_AGO, LAST, "not valid for '127.0.0.1'", OTHER_NAME),
        ("127.0.0.1", LONG_AGO, LONG_AGO, "certificate has expired", OTHER_TIME),
        ("127.0.0.1", FAR_OFF, LAST, "certificate is not yet valid", OTHER_TIME),
    ],
)
async def test_a_certificate_is_told_with_what_is_wrong_of_it(
    tmp_path: Path, name: str, since: datetime, until: datetime, said: str, hint: str
) -> None:
    """No authority that could be given would help."""
    authority = trustme.CA()
    certificate = authority.issue_cert(name, not_before=since, not_after=until)
    with _server(_serving(certificate)) as host:
        error = await _refused(host, authority, tmp_path)
    assert "its certificate is not trusted" in error.message
    assert said in error.message
    assert error.hint == hint


async def test_a_registry_that_wants_a_certificate_of_ours_is_told_as_such(tmp_path: Path) -> None:
    """Its alert comes after the handshake with TLS 1.3, as if the connection broke."""
    authority = trustme.CA()
    context = _serving(authority.issue_cert("127.0.0.1"))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    with _server(context) as host:
        error = await _refused(host, authority, tmp_path)
    assert "it wants a certificate of ours" in error.message
    assert error.hint == (
        f"put a certificate that it trusts, and its key, as /etc/docker/certs.d/{host}/client.cert "
        "and client.key"
    )


@pytest.mark.parametrize("cause", ["old ciphers", "no certificate of ours"])
async def test_a_handshake_that_fails_is_told_with_what_may_be_wrong(
    tmp_path: Path, cause: str
) -> None:
    """OpenSSL sends the same alert for both up to TLS 1.2."""
    authority = trustme.CA()
    context = _serving(authority.issue_cert("127.0.0.1"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if cause == "old ciphers":
        context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    else:
        context.verify_mode = ssl.CERT_REQUIRED
    with _server(context) as host:
        error = await _refused(host, authority, tmp_path)
    assert "the TLS handshake failed" in error.message
    assert error.hint == (
        f"{host} may know only old ciphers, or want a certificate of ours: client.cert and "
        f"client.key in /etc/docker/certs.d/{host}"
    )


def test_nginx_wants_a_certificate_of_ours_in_html() -> None:
    page = b"<html><head><title>400 No required SSL certificate was sent</title></head>"
    error = refusal(answer(400, URL("https://r.example/v2/"), page), SUBJECT)
    assert error.hint == (
        "put a certificate that it trusts, and its key, as /etc/docker/certs.d/r.example/"
        "client.cert and client.key"
    )
