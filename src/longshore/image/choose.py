"""Which way an image takes to the registry: a pure estimate, with its reason in words.

Figures are bytes of tar a second, measured on two cores (bench/); they only have to be right
enough to rank the ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

ENGINE_PUSH_RATE: Final = 28e6
"""One layer through the engine's own push: gzip at its default level on one core."""

PACKING_RATE: Final = 450e6
"""Our packing, on one core."""

EXPORT_RATE: Final = 130e6
"""A classic engine's export, which first writes the whole image to a temporary directory."""

STREAM_RATE: Final = 800e6
"""The export of an engine with the containerd store, which writes nothing first."""

ARCHIVE_RATE: Final = 200e6
"""Directories of the store, as the engine gives them."""

_ARCHIVE_START: Final = 0.3
_ARCHIVE_LAYER: Final = 0.1
"""The engine mounts a container's whole file system for each archive it gives."""

_ENGINE_PUSH_START: Final = 0.05
_EXPORT_START: Final = 0.3
_PARALLEL_PUSHES: Final = 5
"""Layers an engine pushes at a time (``max-concurrent-uploads``)."""


class Route(StrEnum):
    """Where the layers come from."""

    STORE = "engine's store"
    THROUGH_ENGINE = "engine's store, read by the engine"
    EXPORT = "image export"
    ENGINE_PUSH = "engine's own push"


class Situation(Struct, frozen=True, kw_only=True):
    """What the estimate is made from.

    `layer_sizes` are the bytes of every layer, `missing` of those the registry lacks; the engine
    would send `engine_missing` (None: the same), for of what was packed by us it knows nothing.
    `store_refusal` says why the store cannot be read; None: it can. `packed_store`: the engine
    keeps its layers packed (containerd). `engine_reads`: it can read its store for us.
    """

    layer_sizes: tuple[int, ...]
    missing: tuple[int, ...]
    cores: int
    engine_missing: tuple[int, ...] | None = None
    store_refusal: str | None = None
    packed_store: bool = False
    engine_reads: bool = False


class Choice(Struct, frozen=True, kw_only=True):
    """The way, the seconds it should take, and why, as a sentence without a full stop."""

    route: Route
    seconds: float
    reason: str


def choose(situation: Situation) -> Choice:
    """The cheapest way.

    The store wins wherever it can be read: it gives single layers, and nothing is faster. The
    engine is one that could push the image itself: else there is little to choose from.
    """
    if situation.store_refusal is None:
        seconds = _packing(situation)
        return Choice(
            route=Route.STORE,
            seconds=seconds,
            reason=f"reading the engine's store directly, about {seconds:.1f} s for "
            f"{sum(situation.missing) / 1e6:.0f} MB at most",
        )
    ways = {Route.EXPORT: _export(situation)}
    if situation.engine_reads:
        ways[Route.THROUGH_ENGINE] = _through_engine(situation)
    ways[Route.ENGINE_PUSH] = _engine_push(situation)
    route = min(ways, key=lambda way: ways[way])
    return Choice(route=route, seconds=ways[route], reason=_compared(situation, ways, route))


def _packing(situation: Situation) -> float:
    if situation.packed_store:
        return sum(situation.missing) / STREAM_RATE
    return sum(situation.missing) / (PACKING_RATE * max(1, situation.cores))


def _export(situation: Situation) -> float:
    """Export and packing overlap, except that a classic engine writes everything first."""
    total = sum(situation.layer_sizes)
    if situation.packed_store:
        return _EXPORT_START + total / STREAM_RATE
    return _EXPORT_START + total / EXPORT_RATE + _packing(situation)


def _through_engine(situation: Situation) -> float:
    """Reading and packing overlap."""
    missing = situation.missing
    reading = sum(missing) / ARCHIVE_RATE + len(missing) * _ARCHIVE_LAYER
    return _ARCHIVE_START + max(reading, _packing(situation))


def _engine_push(situation: Situation) -> float:
    missing = situation.missing
    if situation.engine_missing is not None:
        missing = situation.engine_missing
    if not missing:
        return _ENGINE_PUSH_START
    if situation.packed_store:
        return _ENGINE_PUSH_START + sum(missing) / STREAM_RATE
    # Layers are packed side by side, but no layer by two cores.
    lanes = min(_PARALLEL_PUSHES, max(1, situation.cores), len(missing))
    return _ENGINE_PUSH_START + max(*missing, sum(missing) / lanes) / ENGINE_PUSH_RATE


def _compared(situation: Situation, ways: Mapping[Route, float], route: Route) -> str:
    share = _share(situation)
    doing = {
        Route.EXPORT: f"exporting the image to send {share}",
        Route.THROUGH_ENGINE: f"reading the engine's store through the engine to send {share}",
        Route.ENGINE_PUSH: f"letting the engine push {share}",
    }
    rivals = {
        Route.EXPORT: "by exporting the image",
        Route.THROUGH_ENGINE: "by reading its store through it",
        Route.ENGINE_PUSH: "by the engine's own push",
    }
    others = [f"{ways[way]:.1f} s {rivals[way]}" for way in ways if way is not route]
    found = f"about {ways[route]:.1f} s, against {' and '.join(others)}"
    return f"{doing[route]}: {found} ({_refused(situation)})"


def _share(situation: Situation) -> str:
    missing, total = sum(situation.missing) / 1e6, sum(situation.layer_sizes) / 1e6
    return f"{missing:.0f} of {total:.0f} MB"


def _refused(situation: Situation) -> str:
    return f"the engine's store: {situation.store_refusal}"
