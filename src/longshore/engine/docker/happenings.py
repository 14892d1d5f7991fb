"""What happens to a container, from the engine's stream of events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
from msgspec import Struct, field

from longshore.engine.docker.client import Client
from longshore.engine.docker.convert import filters
from longshore.engine.docker.errors import reading
from longshore.errors import EngineError

_ENDING_SIGNALS = frozenset({"", "2", "3", "9", "15"})
"""SIGINT, SIGQUIT, SIGKILL and SIGTERM; engines that tell no signal leave it empty."""


@asynccontextmanager
async def events_of(
    client: Client, container: str, *kinds: str
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The container's events of these kinds (none: all), from now on.

    The subscription reaches some seconds back because the engine answers a moment before it really
    listens (moby, ``getEvents``).
    """
    wanted = filters(container=[container], type=["container"], event=list(kinds))
    params = {"since": str(client.last_heard - 2), **wanted}
    async with client.stream("GET", "/events", params=params) as answer:
        yield answer.messages()


class End(Struct):
    """How a container came to its end; `told` is set when nothing more will be known of it.

    An engine that shuts down stops its containers as anybody's ``docker stop`` does: with an event
    ``kill`` before the event ``die``. Whether it is about to, it tells nowhere else, and it goes on
    answering meanwhile (moby, ``Daemon.Shutdown``).
    """

    was_asked_for: bool = False
    told: anyio.Event = field(default_factory=anyio.Event)

    async def watch(self, client: Client, container: str) -> None:
        """Follow the container until it has ended."""
        try:
            async with events_of(client, container) as events:
                async for event in events:
                    if self._ends_with(event):
                        return
        except EngineError:
            return  # whoever waits for the container hears of an engine that has gone
        finally:
            self.told.set()

    def _ends_with(self, event: Mapping[str, Any]) -> bool:
        with reading("an event"):
            action = str(event.get("Action") or event.get("status") or "")
            attributes = (event.get("Actor") or {}).get("Attributes") or {}
            if action == "kill" and str(attributes.get("signal") or "") in _ENDING_SIGNALS:
                self.was_asked_for = True
        return action in {"die", "died", "destroy", "remove"}
