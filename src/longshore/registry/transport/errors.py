"""What went wrong between us and a registry, in words: one table for exceptions, one for answers.

`Interrupted` never leaves the package when trying again helped; it is the signal on which
`transport.retry` works.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from longshore.errors import RegistryDenied, RegistryError, RegistryUnavailable
from longshore.registry.transport.exchange import Answer, Subject
from longshore.registry.transport.http_client import aiohttp
from longshore.registry.transport.tls_words import (
    OUR_CERTIFICATE_HINT,
    hint_for_certificate,
    tls_failure,
    told_by_alert,
)
from longshore.registry.transport.words import DISK_FULL, QUOTA, registry_words
from longshore.secrets.credential import Credential

_FINAL: Final = frozenset({501, 505, 506, 507, 508, 510, 511})
"""5xx that say something for good (IANA's registry of status codes)."""
TEMPORARY_STATUSES: Final = frozenset({408, 425, 429, 499, *range(500, 600)}) - _FINAL
"""All other 5xx, for proxies and load balancers have many of their own."""


_ANY_REASON: Final = frozenset({None, "UNSUPPORTED"})
"""Codes that tell nothing; Azure's of a lock (REGISTRY_DISALLOWED_OPERATION) comes with words."""


class Interrupted(RegistryUnavailable):
    """No (useful) answer came, and trying again may help; `reason` in a few words.

    `retry_after` is the Retry-After header as it came, `answered` the Date header of the same
    answer. `unproven`: a host that has never answered will not begin to now (refused, no such
    name).
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        registry: str | None = None,
        repository: str | None = None,
        status: int | None = None,
        code: str | None = None,
        detail: str | None = None,
        hint: str | None = None,
        retry_after: str | None = None,
        answered: str | None = None,
        unproven: bool = False,
    ) -> None:
        super().__init__(
            message,
            hint=hint,
            registry=registry,
            repository=repository,
            status=status,
            code=code,
            detail=detail,
        )
        self.reason = reason
        self.retry_after = retry_after
        self.answered = answered
        self.unproven = unproven


class NotTls(RegistryUnavailable):
    """The server does not speak TLS on this port."""


class _Kind(Struct, frozen=True):
    """How an exception of the HTTP library reads, and whether trying again may help."""

    reason: str
    temporary: bool = True
    unproven: bool = False
    hint: str | None = None


_CA_HINT: Final = (
    "give its authority with --registry-ca FILE or as /etc/docker/certs.d/{host}/ca.crt"
)
CUT_HINT: Final = (
    "try later, raise --push-retries, or find out what cuts connections to {host}: a proxy, a "
    "firewall or a load balancer may have limits"
)
_PROXY_LOGIN_HINT: Final = (
    "write user and password into HTTPS_PROXY or HTTP_PROXY: http://user:password@host"
)
_BUSY_HINT: Final = "{host} limits how often it is asked; try later, or raise --push-retries"
_TROUBLE_HINT: Final = (
    "{host}, or what stands before it, is in trouble; try later, or raise --push-retries"
)
LYING_HINT: Final = (
    "try later, raise --push-retries, or find out what is wrong with {host}, or with what stands "
    "before it"
)
TABLE: Final[Mapping[type[BaseException], _Kind]] = {
    aiohttp.ClientConnectorCertificateError: _Kind(
        "its certificate is not trusted", temporary=False, hint=_CA_HINT
    ),
    aiohttp.ClientSSLError: _Kind("the TLS handshake failed", temporary=False, hint=_CA_HINT),
    aiohttp.ServerFingerprintMismatch: _Kind("its certificate is another", temporary=False),
    aiohttp.ClientProxyConnectionError: _Kind(
        "the proxy cannot be reached", unproven=True, hint="check HTTPS_PROXY and NO_PROXY"
    ),
    aiohttp.ClientHttpProxyError: _Kind(
        "the proxy refused the connection", temporary=False, hint="check HTTPS_PROXY and NO_PROXY"
    ),
    aiohttp.ClientConnectorDNSError: _Kind(
        "its name cannot be resolved", unproven=True, hint="check the name {host}"
    ),
    aiohttp.ClientConnectorError: _Kind(
        "no connection", unproven=True, hint="check that something answers at {host}"
    ),
    aiohttp.ConnectionTimeoutError: _Kind("no connection in time", hint=CUT_HINT),
    aiohttp.ServerTimeoutError: _Kind("no answer in time", hint=CUT_HINT),
    aiohttp.ServerDisconnectedError: _Kind(
        "the connection was closed without an answer", hint=CUT_HINT
    ),
    aiohttp.ClientConnectionResetError: _Kind("the connection was reset", hint=CUT_HINT),
    aiohttp.ClientOSError: _Kind("the connection broke", hint=CUT_HINT),
    aiohttp.ClientConnectionError: _Kind("the connection broke", hint=CUT_HINT),
    aiohttp.ClientPayloadError: _Kind("the answer ended too early", hint=CUT_HINT),
    aiohttp.UploadAbortedError: _Kind("the request was not sent to its end", hint=CUT_HINT),
    aiohttp.ClientResponseError: _Kind(
        "the answer is not HTTP", hint="check that {host} is the address of a registry"
    ),
    aiohttp.TooManyRedirects: _Kind("it redirects without end", temporary=False),
    aiohttp.InvalidURL: _Kind(
        "it names an address that is none",
        temporary=False,
        hint="check that {host} is the address of a registry; one in numbers has four, "
        "as 127.0.0.1 has",
    ),
    aiohttp.NonHttpUrlClientError: _Kind("it names an address that is not HTTP", temporary=False),
    aiohttp.ClientError: _Kind("the exchange failed"),
    UnicodeError: _Kind(
        "no host can have that name", temporary=False, hint="check the name {host}"
    ),
    TimeoutError: _Kind("no answer in time", hint=CUT_HINT),
    OSError: _Kind("the connection broke", hint=CUT_HINT),
}
"""Every exception that aiohttp raises, by itself or by its nearest parent here.

UnicodeError is what Python's resolver says to a label that is empty or too long (RFC 5890, 2.3.1).
"""


def interrupted(subject: Subject, host: str, reason: str, hint: str) -> Interrupted:
    """What an exchange about `subject` with `host` met; `hint` may name the ``{host}``."""
    return Interrupted(
        f"{host}: {subject}: {reason}",
        reason=reason,
        hint=hint.format(host=host),
        registry=subject.registry,
        repository=subject.repository or None,
    )


def translate(error: BaseException, subject: Subject, host: str) -> RegistryUnavailable:
    """Our error for an exception of the HTTP library; `host` is who was asked."""
    kind = _told_by_tls(error) or next(TABLE[cls] for cls in type(error).__mro__ if cls in TABLE)
    if isinstance(error, aiohttp.ClientSSLError) and _is_plain_http(error):
        return NotTls(
            f"{host} does not speak HTTPS",
            hint=f"if it is meant to be reached over plain HTTP, add --insecure-registry {host}",
            registry=subject.registry,
        )
    reason = f"{kind.reason}{_particulars(error)}"
    message = f"{host}: {subject}: {reason}"
    hint = _PROXY_LOGIN_HINT if getattr(error, "status", None) == 407 else kind.hint
    hint = hint.format(host=host) if hint else None
    if not _is_temporary(kind, error):
        return RegistryUnavailable(
            message, hint=hint, registry=subject.registry, repository=subject.repository or None
        )
    return Interrupted(
        message,
        reason=reason,
        hint=hint,
        registry=subject.registry,
        repository=subject.repository or None,
        unproven=kind.unproven and not _may_pass(error),
    )


def _told_by_tls(error: BaseException) -> _Kind | None:
    """Where TLS says more than that it failed."""
    failure = tls_failure(error)
    if failure is None:
        return None
    if (hint := hint_for_certificate(failure)) is not None:
        reason = TABLE[aiohttp.ClientConnectorCertificateError].reason
        return _Kind(reason, temporary=False, hint=hint)
    told = told_by_alert(failure)
    return _Kind(told[0], temporary=False, hint=told[1]) if told else None


def _is_temporary(kind: _Kind, error: BaseException) -> bool:
    """A proxy's answer says itself whether trying again may help."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return error.status in TEMPORARY_STATUSES
    return kind.temporary


def _may_pass(error: BaseException) -> bool:
    """A resolver that is out of reach for now (EAI_AGAIN, getaddrinfo(3)) knows no name at all."""
    cause = getattr(error, "os_error", None)
    return isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN


def _is_plain_http(error: aiohttp.ClientSSLError) -> bool:
    text = str(error).upper()
    return any(
        sign in text for sign in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
    )


def _particulars(error: BaseException) -> str:
    """What the operating system says, without addresses and objects of the library."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f" (HTTP {error.status})"
    cause = tls_failure(error) or getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f" ({cause.verify_message})"
    if isinstance(cause, ssl.SSLError):
        return f" ({cause.reason or 'TLS'})"
    if isinstance(cause, socket.gaierror):
        return f" ({cause.strerror})"
    number = getattr(cause, "errno", None)
    if number in (errno.ECONNRESET, errno.EPIPE):
        return " (connection reset)"
    if number == errno.ECONNREFUSED:
        return " (connection refused)"
    return f" ({errno.errorcode.get(number, number)})" if number else ""


def refusal(
    answer: Answer, subject: Subject, credential: Credential | None = None
) -> RegistryError:
    """The error for an answer that was not what we need.

    `Interrupted` when its status says that trying again may help, `RegistryDenied` for 401 and
    403, else `RegistryError`. `credential` is what was tried, for the hint.
    """
    code, detail = registry_words(answer.body)
    said = ": ".join(filter(None, (code, detail)))
    # The answer to a HEAD has no body to explain itself.
    message = f"{subject.registry} refused {subject}{f': {said}' if said else ''}"
    message += f" (HTTP {answer.phrase})"
    repository = subject.repository or None
    if answer.status in TEMPORARY_STATUSES and not _is_hopeless(detail):
        return Interrupted(
            f"{subject.registry} could not answer for {subject}: {said or answer.phrase}",
            reason=": ".join(filter(None, (answer.phrase, code))),
            hint=(_BUSY_HINT if answer.status == 429 else _TROUBLE_HINT).format(
                host=subject.registry
            ),
            retry_after=answer.headers.get("Retry-After"),
            answered=answer.headers.get("Date"),
            registry=subject.registry,
            repository=repository,
            status=answer.status,
            code=code,
            detail=detail,
        )
    kind = RegistryDenied if answer.status in (401, 403) else RegistryError
    return kind(
        message,
        hint=_hint(answer, subject, (code, detail), credential),
        registry=subject.registry,
        repository=repository,
        status=answer.status,
        code=code,
        detail=detail,
    )


def _is_hopeless(detail: str | None) -> bool:
    """Waiting frees no disk; registries answer 500 for it, with the system's text in the detail."""
    return detail is not None and any(words in detail.lower() for words in DISK_FULL)


def _is_used_up(detail: str | None) -> bool:
    """Harbor and others answer 403 for it, as for a login that does not suffice."""
    return detail is not None and any(words in detail.lower() for words in QUOTA)


def _hint(
    answer: Answer,
    subject: Subject,
    said: tuple[str | None, str | None],
    credential: Credential | None,
) -> str | None:
    """`said` is the registry's own code and text."""
    code, detail = said
    if _is_hopeless(detail) or answer.status == 507:
        return f"the disk of {subject.registry} is full; its owner has to free some space"
    if _is_used_up(detail):
        return (
            f"what {subject.registry} lets be stored there is used up; delete images, or have its "
            "owner raise the limit"
        )
    if answer.status == 403 and answer.body.lstrip().startswith(b"<"):
        return (
            f"that is a web page, no registry's answer: something before {subject.registry}, a "
            "firewall or a proxy, refuses such requests"
        )
    if answer.status in (401, 403):
        return tried(credential, subject)
    if code == "DIGEST_INVALID":
        return (
            f"the bytes changed on their way to {subject.registry}, or while they were read; push "
            "again, and if it happens again look at what stands between: a proxy, memory, a disk"
        )
    if answer.status == 405 and code in _ANY_REASON:
        return f"{subject.registry} may be read-only"
    if answer.status == 407:
        return _PROXY_LOGIN_HINT
    if answer.status == 400 and b"ssl certificate" in answer.body.lower():  # nginx says so
        return OUR_CERTIFICATE_HINT.format(host=subject.registry)
    if answer.status == 413:
        return (
            f"{subject.registry}, or a proxy before it, limits the size of requests too tightly; "
            "its owner has to raise that (nginx: client_max_body_size)"
        )
    if answer.status == 404 and subject.repository:
        return f"check the name {subject.repository}; some registries want it created first"
    return None


def tried(credential: Credential | None, subject: Subject) -> str:
    """Which credential was used for which host, and what to do."""
    host, repository = subject.registry, subject.repository
    if credential is None:
        return f"no credential for {host} was found; add one with: docker login {host}"
    place = f" of {repository}" if repository else ""
    return f"tried {_who(credential)} for {host}; check that it is valid and its rights{place}"


def untried(credential: Credential, subject: Subject) -> str:
    """Why a credential that is there was not used."""
    return (
        f"{subject.registry} did not ask for a login (WWW-Authenticate), so {_who(credential)} was "
        "not tried; its owner has to mend that: a proxy before it may drop this header"
    )


def _who(credential: Credential) -> str:
    who = f'user "{credential.username}"' if credential.username else "an identity token"
    return f"{who} from {credential.origin}" if credential.origin else who
