"""From the value of ``--engine`` to an engine that answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from longshore.engine.docker.builder import Builder
from longshore.engine.docker.engine import connect
from longshore.engine.endpoint import Endpoint, endpoint_at, known_endpoints, named_endpoint
from longshore.engine.port import Engine
from longshore.environment import Environment
from longshore.errors import EngineUnavailable, UsageError

CHOICES = ("auto", "docker", "embedded")
_VARIABLE = "LONGSHORE_ENGINE"


@asynccontextmanager
async def open_engine(
    given: str | None, environment: Environment, *, builder: str = "auto"
) -> AsyncIterator[Engine]:
    """An engine while the block lasts: the one `given`, else LONGSHORE_ENGINE, else ``auto``.

    ``auto``: the engine the user's settings name (only that one), else the first known socket that
    answers, else the embedded engine. ``docker``: the same without the embedded engine.
    ``embedded``: that alone. An address: that alone. Raises UsageError for anything else and
    EngineUnavailable when there is no engine to be had.
    """
    how = _builder(builder)
    choice = given or environment.get(_VARIABLE) or "auto"
    origin = "--engine" if given else _VARIABLE
    async with AsyncExitStack() as stack:
        match choice:
            case "auto" | "docker":
                engine = await _found(stack, choice, how, environment)
            case "embedded":
                engine = await _embedded(stack, how, environment)
            case "swarm":
                raise UsageError("--engine swarm is not supported yet")
            case _:
                address = _address(choice, origin, environment)
                engine = await _connected(stack, address, how, environment)
        yield engine


async def _found(
    stack: AsyncExitStack, choice: str, builder: Builder, environment: Environment
) -> Engine:
    named = named_endpoint(environment)
    if named is not None:
        return await _connected(stack, named, builder, environment)
    refusals: list[EngineUnavailable] = []
    for endpoint in known_endpoints(environment):
        try:
            return await _connected(stack, endpoint, builder, environment)
        except EngineUnavailable as error:
            refusals.append(error)
    if choice == "docker":
        raise _nobody_answers(refusals)
    try:
        return await _embedded(stack, builder, environment)
    except EngineUnavailable as error:
        raise _neither(error, refusals) from error


async def _connected(
    stack: AsyncExitStack, endpoint: Endpoint, builder: Builder, environment: Environment
) -> Engine:
    try:
        opening = connect(endpoint, builder=builder, environment=environment)
        return await stack.enter_async_context(opening)
    except EngineUnavailable as error:
        if endpoint.origin in error.message:
            raise
        raise EngineUnavailable(
            f"{error.message} (the address comes from {endpoint.origin})", hint=error.hint
        ) from error


async def _embedded(stack: AsyncExitStack, builder: Builder, environment: Environment) -> Engine:
    from longshore.engine.embedded.engine import embedded_engine

    endpoint = await stack.enter_async_context(embedded_engine(environment))
    return await _connected(stack, endpoint, builder, environment)


def _nobody_answers(refusals: Sequence[EngineUnavailable]) -> EngineUnavailable:
    if refusals:
        return refusals[0]
    return EngineUnavailable(
        "no container engine is running",
        hint="start one, name one with DOCKER_HOST, or use --engine embedded",
    )


def _neither(error: EngineUnavailable, refusals: Sequence[EngineUnavailable]) -> EngineUnavailable:
    """The embedded engine's trouble, unless a socket was there: then that is what to repair."""
    if not refusals:
        return error
    first = refusals[0]
    return EngineUnavailable(
        f"{first.message}; and no private engine could be started: {error.message}",
        hint="\n".join(hint for hint in (first.hint, error.hint) if hint),
    )


def _address(choice: str, origin: str, environment: Environment) -> Endpoint:
    if "://" not in choice:
        raise UsageError(
            f'{origin} is "{choice}"',
            hint=f"it is one of {', '.join(CHOICES)}, or an address such as unix:///run/docker.sock",
        )
    return endpoint_at(choice, origin, environment)


def _builder(text: str) -> Builder:
    try:
        return Builder(text)
    except ValueError:
        names = ", ".join(Builder)
        raise UsageError(f'--builder is "{text}"', hint=f"it is one of {names}") from None
