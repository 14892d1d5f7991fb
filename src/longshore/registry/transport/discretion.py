"""Answers that repeat what they were asked with: before anybody reads them it is masked."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl

from msgspec.structs import replace

from longshore.registry.transport.exchange import Answer, Request, Sender
from longshore.registry.transport.redaction import HARMLESS
from longshore.secrets.masking import Masker
from longshore.secrets.secret import Secret

_SECRET_FIELDS: Final = ("refresh_token", "password")
_TOLD: Final = HARMLESS | {"account"}


class Discreet:
    """Masks the secrets of a request in the body of its refusal, which is shown and may be cut.

    Some quote the header that they refuse, or the address. An answer that is none is what was
    asked for, and stays as it is.
    """

    def __init__(self, inner: Sender) -> None:
        self._inner = inner

    async def send(self, request: Request) -> Answer:
        """See `Sender.send`."""
        answer = await self._inner.send(request)
        if answer.status < 400 or not answer.body:
            return answer
        masker = Masker()
        for secret in _secrets(request):
            masker.add("", Secret(secret))
        return replace(answer, body=masker.mask(answer.body))


def _secrets(request: Request) -> Iterator[str]:
    """Of its header, its form and its address: a Location may be signed."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    yield given
    if scheme == "Basic":
        login = base64.b64decode(given).decode()
        yield from (login, login.partition(":")[2])
    if request.confidential and isinstance(request.body, bytes):
        form = dict(parse_qsl(request.body.decode()))
        yield from (form[name] for name in _SECRET_FIELDS if name in form)
    yield from (value for name, value in request.url.query.items() if name not in _TOLD)
