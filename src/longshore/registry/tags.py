"""The list of a repository's tags, page by page."""

from __future__ import annotations

import re
from typing import Final

from yarl import URL

from longshore.errors import RegistryError
from longshore.registry.line import Call
from longshore.registry.transport.exchange import Answer, same_origin

_NEXT: Final = re.compile(r'<([^>]*)>[^,]*;\s*rel="?next"?')
_MOST_PAGES: Final = 10_000


async def list_tags(call: Call) -> tuple[str, ...]:
    """All of them (OCI distribution spec, end-8); none when the repository does not exist."""
    what = "the list of tags"
    url: URL | None = await call.url("tags/list")
    tags: dict[str, None] = {}
    for _ in range(_MOST_PAGES):
        if url is None:
            break
        answer = await call.ask("GET", url, what)
        if answer.status == 404:
            break
        if answer.status != 200:
            raise call.refusal(answer, what)
        tags.update(dict.fromkeys(_page(call, answer)))
        url = _following(answer)
    return tuple(tags)


def _page(call: Call, answer: Answer) -> list[str]:
    document = answer.json()
    tags = document.get("tags") if isinstance(document, dict) else None
    if tags is None and isinstance(document, dict) and "name" in document:
        return []  # distribution writes null for a repository without tags
    if not isinstance(tags, list):
        raise RegistryError(
            f"{call.line.host} answered for the tags of {call.repository} with something else",
            hint="check that this is the address of a registry",
            registry=call.line.host,
            repository=call.repository,
        )
    return [str(tag) for tag in tags]


def _following(answer: Answer) -> URL | None:
    """The next page by the Link header (RFC 8288), only on the same host; None when it is none."""
    match = _NEXT.search(answer.headers.get("Link", ""))
    if not match:
        return None
    try:
        url = answer.url.join(URL(match[1], encoded=True))
        same = same_origin(url, answer.url)
    except ValueError:
        return None
    return url if same and url != answer.url else None
