"""What to do when TLS fails: by what the certificate lacks, or by the alert the other side sent."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final

OUR_CERTIFICATE_HINT: Final = (
    "put a certificate that it trusts, and its key, as /etc/docker/certs.d/{host}/client.cert and "
    "client.key"
)
_OTHER_NAME: Final = (
    "use the name that it is for, or have its owner put this one into it (subjectAltName)"
)
_OTHER_TIME: Final = "its owner has to renew it, unless the clock of this machine is wrong"
_HINTS: Final[Mapping[int, str]] = {
    9: _OTHER_TIME,
    10: _OTHER_TIME,
    62: _OTHER_NAME,
    64: _OTHER_NAME,
}
"""By OpenSSL's X509_V_ERR_… (``x509_vfy.h``): not yet valid, expired, other host, other address."""

_OF_OURS: Final = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")
"""Alerts about the certificate of who asks (RFC 8446, 6.2), which comes after ours was sent."""
_OLD: Final = ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "TOO_SMALL")
_OLD_HINT: Final = "check that {host} speaks TLS 1.2 or later, with keys that are long enough"
_UNSAID: Final = "HANDSHAKE_FAILURE"
_UNSAID_HINT: Final = (
    "{host} may know only old ciphers, or want a certificate of ours: client.cert and client.key "
    "in /etc/docker/certs.d/{host}"
)


def tls_failure(error: BaseException) -> ssl.SSLError | None:
    """What OpenSSL said, where that is why an exchange failed."""
    named = (getattr(error, name, None) for name in ("certificate_error", "os_error", "__cause__"))
    return next((cause for cause in named if isinstance(cause, ssl.SSLError)), None)


def hint_for_certificate(failure: ssl.SSLError) -> str | None:
    """What to do about a certificate that fails for another reason than who issued it."""
    return _HINTS.get(getattr(failure, "verify_code", 0))


def told_by_alert(failure: ssl.SSLError) -> tuple[str, str] | None:
    """Reason and hint, for the ``{host}``, of what will not change by trying again."""
    said = getattr(failure, "reason", None) or ""  # one made by hand has none
    if "ALERT" in said and any(word in said for word in _OF_OURS):
        return "it wants a certificate of ours", OUR_CERTIFICATE_HINT
    if any(word in said for word in _OLD):
        return "the TLS handshake failed", _OLD_HINT
    return ("the TLS handshake failed", _UNSAID_HINT) if _UNSAID in said else None
