"""Waiting for a dependency's health check (spec 2.8, Q-12)."""

from __future__ import annotations

import anyio

from longshore.engine.spec import Health
from longshore.errors import EngineError
from longshore.run.events import ServiceMessage
from longshore.run.pump import Tail
from longshore.run.runtime import Runtime, StepLabel


async def wait_until_healthy(
    runtime: Runtime, label: StepLabel, service: str, container: str, tail: Tail
) -> None:
    """Return when the engine says healthy, or when the container has ended by itself (S-47).

    At once, and without a word, where nothing checks it: the container tells that, for of an
    image Podman does not.

    Raises EngineError when it says unhealthy (S-44) or says nothing within the limit (Q-12).
    """

    def say(text: str) -> None:
        runtime.emit(ServiceMessage(step=label.path, name=label.name, service=service, text=text))

    limit = runtime.options.health_timeout
    with anyio.move_on_after(limit):
        waiting = False
        async for health in runtime.engine.health(container):
            if health in (Health.NONE, Health.GONE):
                return
            if not waiting:
                say(f'Waiting for "{service}" service to become healthy')
            waiting = True
            if health in (Health.HEALTHY, Health.UNHEALTHY):
                say(f"Status changed to '{health}' for \"{service}\" service")
            if health is Health.UNHEALTHY:
                raise _failure(f'service "{service}" became unhealthy', tail)
            if health is Health.HEALTHY:
                return
    raise _failure(f'service "{service}" did not become healthy within {duration(limit)}', tail)


def duration(seconds: float) -> str:
    """Seconds as Go prints them (``60m0s``), the form the documentation uses."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60) if minutes > 60 else (0, minutes)
    text = f"{minutes}m{rest}s" if minutes or hours else f"{rest}s"
    return f"{hours}h{text}" if hours else text


def _failure(message: str, tail: Tail) -> EngineError:
    lines = tail.lines()
    hint = "its last lines were:\n  " + "\n  ".join(lines) if lines else "it wrote nothing"
    return EngineError(message, hint=hint)
