"""Finding hundreds of byte strings at once, at the speed of C loops.

An alternation in `re` tries every branch at every byte (a few MB/s with 700 branches). Instead
the data is read as an array of 4-byte numbers, one every `stride` bytes, and the whole array is
put against a set in one call: every occurrence of a needle of at least ``stride + 3`` bytes
covers one number that lies fully inside it. Only where a number is known the bytes themselves are
compared. Needles too short for the stride are looked for one by one. Where RE2 is installed its
automaton takes the place of all this.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import compress, count
from typing import Final

from longshore.secrets.automaton import Starts, compile_heads

Span = tuple[int, int]
"""Start and end of an occurrence."""

_GRAM: Final = 4
_STRIDES: Final = (32, 16, 8, 4, 2, 1)
_BLOCK: Final = 2048
"""Bytes put against the set in one call; few, as a chance hit costs a second look at them."""

_GRAM_COST: Final = 35.0
_FIND_COST: Final = 0.7
"""Nanoseconds for one number, and for one byte of `bytes.find` (bench/masking.py)."""

_FREQUENT: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789 -=.:/_\t")

Grams = Mapping[int, tuple[tuple[int, bytes], ...]]
"""4-byte number -> the needles it is part of, each with the offset of the number in it."""


@dataclass(frozen=True, slots=True, repr=False)
class Needles:
    """Finds all occurrences, overlapping ones too, of byte strings of 4 bytes or more.

    It does not show what it looks for.
    """

    stride: int
    grams: Grams
    known: frozenset[int]
    short: tuple[bytes, ...]
    ordered: tuple[bytes, ...]
    heads: frozenset[bytes]
    longest: int
    multi_line: bool
    starts: Starts | None

    @classmethod
    def of(cls, needles: Iterable[bytes], *, automaton: bool = True) -> Needles:
        """Prepare the search for `needles` (some ten milliseconds for a thousand).

        `automaton` False does without RE2 even where it is installed.
        """
        ordered = tuple(sorted(set(needles)))
        starts = compile_heads(ordered) if automaton else None
        stride = min(_STRIDES, key=lambda stride: _cost(stride, ordered))
        covered = [n for n in ordered if len(n) >= stride + _GRAM - 1] if starts is None else []
        grams = _grams(covered, stride)
        return cls(
            stride=stride,
            grams=grams,
            known=frozenset(grams),
            short=tuple(n for n in ordered if len(n) < stride + _GRAM - 1),
            ordered=ordered,
            heads=frozenset(n[:size] for n in ordered for size in range(1, _GRAM + 1)),
            longest=max(map(len, ordered), default=0),
            multi_line=any(b"\n" in n for n in ordered),
            starts=starts,
        )

    def spans(self, data: bytes) -> list[Span]:
        """Where needles are in `data`, sorted, overlapping ones joined."""
        found = list(self._by_automaton(data, self.starts) if self.starts else self._by_gram(data))
        return _joined(sorted(found)) if found else found

    def _by_automaton(self, data: bytes, starts: Starts) -> Iterator[Span]:
        for start in starts(data):
            # All needles with these first bytes are next to each other in the order.
            head = data[start : start + _GRAM]
            for place in range(bisect_left(self.ordered, head), len(self.ordered)):
                needle = self.ordered[place]
                if not needle.startswith(head):
                    break
                if data.startswith(needle, start):
                    yield start, start + len(needle)

    def _by_gram(self, data: bytes) -> Iterator[Span]:
        for needle in self.short:
            if needle in data:
                yield from _occurrences(needle, data)
        if self.grams:
            # A stride below the size of a number takes one pass for each phase.
            for phase in range(0, max(_GRAM - self.stride, 0) + 1, self.stride):
                for at in _places(data, phase, self.stride, self.known):
                    yield from self._around(data, at)

    def partial(self, data: bytes) -> int:
        """Where the longest end of `data` begins that begins a needle, else the length of `data`.

        That end must be held back until more is known.
        """
        start = max(0, len(data) - self.longest + 1)
        if not self.multi_line:
            start = max(start, data.rfind(b"\n", start) + 1)
        heads = self.heads
        likely = [at for at in range(start, len(data)) if data[at : at + _GRAM] in heads]
        return next((at for at in likely if self._begins(data[at:])), len(data))

    def _begins(self, tail: bytes) -> bool:
        """Whether a needle longer than `tail` begins with it."""
        place = bisect_right(self.ordered, tail)
        return place < len(self.ordered) and self.ordered[place].startswith(tail)

    def _around(self, data: bytes, at: int) -> Iterator[Span]:
        for offset, needle in self.grams[_number(data, at)]:
            start = at - offset
            if start >= 0 and data.startswith(needle, start):
                yield start, start + len(needle)


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + _GRAM], sys.byteorder)


def _places(data: bytes, phase: int, stride: int, known: frozenset[int]) -> list[int]:
    """Where one of the `known` numbers is, of those `stride` bytes apart beginning at `phase`."""
    step = max(stride // _GRAM, 1)
    whole = (len(data) - phase) // _GRAM * _GRAM
    if whole <= 0:
        return []
    numbers = memoryview(data)[phase : phase + whole].cast("I")[::step]
    size = _BLOCK // _GRAM // step
    found: list[int] = []
    for block in range(0, len(numbers), size):
        part = numbers[block : block + size]
        if not known.isdisjoint(part):
            hits = compress(count(block), map(known.__contains__, part))
            found += [phase + hit * step * _GRAM for hit in hits]
    return found


def _cost(stride: int, needles: tuple[bytes, ...]) -> float:
    """Nanoseconds a byte with this stride."""
    short = sum(len(needle) < stride + _GRAM - 1 for needle in needles)
    return _GRAM_COST / stride * (short < len(needles)) + _FIND_COST * short


def _grams(needles: Iterable[bytes], stride: int) -> Grams:
    found: dict[int, list[tuple[int, bytes]]] = {}
    for needle in needles:
        for offset in _telling_offsets(needle, stride):
            found.setdefault(_number(needle, offset), []).append((offset, needle))
    return {number: tuple(places) for number, places in found.items()}


def _telling_offsets(needle: bytes, stride: int) -> range:
    """`stride` offsets in a row, one of which is read in every occurrence: the rarest such row."""
    common = [0]  # frequent numbers before each offset
    for offset in range(len(needle) - _GRAM + 1):
        frequent = _FREQUENT.issuperset(needle[offset : offset + _GRAM])
        common.append(common[-1] + frequent)
    first = min(
        range(len(common) - stride), key=lambda start: common[start + stride] - common[start]
    )
    return range(first, first + stride)


def _occurrences(needle: bytes, data: bytes) -> Iterator[Span]:
    start = data.find(needle)
    while start >= 0:
        yield start, start + len(needle)
        start = data.find(needle, start + 1)


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
