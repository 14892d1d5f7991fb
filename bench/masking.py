"""What masking costs: megabytes a second of log through the masker, by what is masked.

Run it on an idle machine: ``python bench/masking.py [MEGABYTES]``.
"""

from __future__ import annotations

import base64
import random
import string
import sys
import time
from collections.abc import Callable
from typing import Final

from longshore.secrets.masking import Masker
from longshore.secrets.secret import Secret

_READ: Final = 64 * 1024
_ALPHABET: Final = string.ascii_letters + string.digits
_RANDOM: Final = random.Random(1)
_WORDS: Final = [
    "".join(_RANDOM.choices(string.ascii_lowercase, k=_RANDOM.randint(2, 10))) for _ in range(2000)
]


def token(shortest: int, longest: int) -> str:
    """A secret of letters and digits."""
    return "".join(_RANDOM.choices(_ALPHABET, k=_RANDOM.randint(shortest, longest)))


def private_key() -> str:
    """A secret of 27 lines."""
    body = [token(64, 64) for _ in range(25)]
    return "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *body, "-----END RSA PRIVATE KEY-----"])


def log(size: int) -> bytes:
    """Lines as a web server writes them, about 120 bytes each."""
    lines = []
    for _ in range(20_000):
        words = _RANDOM.choices(_WORDS, k=11)
        lines.append(
            f"2026-11-24T02:03:{_RANDOM.randint(0, 59):02d}.123Z INFO [{words[0]}] "
            f"/usr/lib/{words[1]}/{words[2]}.js: {' '.join(words[3:])}\n".encode()
        )
    block = b"".join(lines)
    return (block * (size // len(block) + 1))[:size]


def with_secrets(data: bytes, secrets: list[str]) -> bytes:
    """The log with a secret in every fiftieth line."""
    lines = data.splitlines(keepends=True)
    for number in range(0, len(lines), 50):
        lines[number] = lines[number][:40] + _RANDOM.choice(secrets).encode() + lines[number][40:]
    return b"".join(lines)


def measure(label: str, secrets: list[str], data: bytes, read: int = _READ) -> None:
    """Print the speed with which `data` goes through in pieces of `read` bytes."""
    masker = Masker()
    for number, secret in enumerate(secrets):
        masker.add(f"S{number}", Secret(secret))
    started = time.perf_counter()
    masker.feed("log", b"\n")
    prepared = time.perf_counter()
    for at in range(0, len(data), read):
        masker.feed("log", data[at : at + read])
    masker.flush("log")
    seconds = time.perf_counter() - prepared
    speed = len(data) / 1e6 / seconds
    print(f"{label:48} {speed:8.0f} MB/s   (prepared in {(prepared - started) * 1e3:.0f} ms)")


def many(make: Callable[[], str], count: int = 100) -> list[str]:
    """Secrets of one kind."""
    return [make() for _ in range(count)]


def main() -> None:
    """Measure every kind."""
    data = log(int(sys.argv[1] if sys.argv[1:] else 50) * 1_000_000)
    mixed = many(lambda: token(8, 40))
    measure("no secrets", [], data)
    measure("100 of 20 to 40 characters", many(lambda: token(20, 40)), data)
    measure("100 of 8 to 40 characters", mixed, data)
    measure("100 of 4 to 40 characters", many(lambda: token(4, 40)), data)
    measure("100 of 4 characters", many(lambda: token(4, 4)), data)
    keys = many(private_key, 10)
    measure(
        "90 of 16 to 40 characters, 10 private keys", many(lambda: token(16, 40), 90) + keys, data
    )
    measure(
        "100 pass phrases of the log's own words",
        many(lambda: "-".join(_RANDOM.sample(_WORDS, 4))),
        data,
    )
    measure("8 to 40, one in every 50th line", mixed, with_secrets(data, mixed))
    measure("8 to 40, a log of base64", mixed, base64.encodebytes(_RANDOM.randbytes(20_000_000)))
    measure("8 to 40, read by 200 bytes", mixed, data, 200)


if __name__ == "__main__":
    main()
