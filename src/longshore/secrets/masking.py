"""Replacing every known secret by ``***`` in whatever leaves the program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from longshore.secrets.forms import forms
from longshore.secrets.needles import Needles, Span
from longshore.secrets.secret import MASK, Secret
from longshore.secrets.text_bytes import decode, encode

_MASK: Final = MASK.encode()


@dataclass(slots=True, repr=False)
class _Stream:
    """What is held back of a stream; the first `masked` bytes of it were given out as the mask."""

    held: bytes = b""
    masked: int = 0


@dataclass(slots=True)
class Masker:
    """Knows every secret of a run. Give it all bytes of a stream in order, in pieces of any size.

    Large pieces are faster (64 KB: hundreds of MB/s with RE2, 200 bytes: a tenth of that).
    What `feed` and `flush` return, put together, does not depend on where the pieces were cut.
    Secrets that overlap are one mask. A secret added later is masked from then on.
    """

    _forms: set[bytes] = field(default_factory=set, repr=False)
    _unmasked: dict[str, None] = field(default_factory=dict)
    _needles: Needles | None = field(default=None, repr=False)
    _streams: dict[object, _Stream] = field(default_factory=dict, repr=False)

    def add(self, name: str, value: Secret) -> None:
        """Mask `value` from now on; `name` is what the user calls it, and may be shown."""
        found = forms(value.reveal())
        if not found and value.reveal().strip():
            self._unmasked[name] = None
        if not found <= self._forms:
            self._forms |= found
            self._needles = None

    @property
    def unmasked_names(self) -> tuple[str, ...]:
        """Names of values that are not masked: too short, or words such as ``true``."""
        return tuple(self._unmasked)

    def feed(self, stream: object, data: bytes) -> bytes:
        """`data` masked, less an end that may be the start of a secret, plus what was held before.

        `stream` is any hashable that tells streams apart.
        """
        if not self._forms:
            return data
        needles = self._prepared()
        state = self._streams.setdefault(stream, _Stream())
        data = state.held + data
        cut = needles.partial(data)
        shown, over = _masked(data, needles.spans(data), state.masked, cut)
        state.held, state.masked = data[cut:], over
        return shown

    def flush(self, stream: object) -> bytes:
        """What is held back of `stream`, which has ended or fallen silent."""
        state = self._streams.pop(stream, None)
        if state is None:
            return b""
        spans = self._prepared().spans(state.held)
        return _masked(state.held, spans, state.masked, len(state.held))[0]

    def mask(self, data: bytes) -> bytes:
        """Bytes that are complete in themselves, masked."""
        if not self._forms:
            return data
        return _masked(data, self._prepared().spans(data), 0, len(data))[0]

    def mask_text(self, text: str) -> str:
        """A message, masked."""
        if not self._forms:
            return text
        return decode(self.mask(encode(text)))

    def _prepared(self) -> Needles:
        if self._needles is None:
            self._needles = Needles.of(self._forms)
        return self._needles


def _masked(data: bytes, spans: list[Span], given: int, cut: int) -> tuple[bytes, int]:
    """``data[:cut]`` with `spans` masked, and how far the last mask reaches beyond `cut`.

    The first `given` bytes belong to a mask that was given out before.
    """
    if not spans and not given:
        return data[:cut], 0
    shown: list[bytes] = []
    position = given
    for start, end in spans:
        if start >= cut and start >= position:
            break
        if start >= position:
            shown += (data[position:start], _MASK)
        position = max(position, end)
    shown.append(data[position:cut])
    return b"".join(shown), max(0, position - cut)
