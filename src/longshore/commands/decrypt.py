"""``longshore decrypt IN OUT`` (spec E-6, E-7, E-9, E-13)."""

from __future__ import annotations

from longshore.secrets import envelope
from longshore.secrets.atomic_file import PRIVATE, StandardStreams
from longshore.secrets.key_lookup import KeySource


def decrypt(
    *, source: str, target: str, keys: KeySource, binary: bool, streams: StandardStreams
) -> int:
    """Decrypt the file `source`, in any format, to `target`; ``-`` is standard input or output.

    `binary`: a file in jet's first format may be anything, not only text or a known kind of file.
    Raises KeyUnavailable, DecryptionFailed, InvalidValue for unreadable files, or UsageError when
    `target` is the key; then nothing was written.
    """
    key = keys.require()
    keys.spare(target)
    plain = envelope.decrypt_file(streams.read(source), key, source, binary=binary)
    streams.write(target, plain, mode=PRIVATE)
    return 0
