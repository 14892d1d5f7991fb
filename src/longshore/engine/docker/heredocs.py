"""Heredocs of a Dockerfile (Dockerfile reference, "Here-Documents"); pure.

Only BuildKit runs them. The classic builder of newer engines reads over them instead of refusing
them: the image would lack, without a word, what a ``RUN <<EOF`` does.
"""

from __future__ import annotations

import re
from typing import Final

_BEGIN: Final = re.compile(r"(?:^|\s)\d*<<(-?)([\"']?)([^<\s\"']+)\2(?=\s|$)")


def first_heredoc(dockerfile: str) -> tuple[int, str] | None:
    """The line of the first heredoc, counted from 1, and the word that ends it."""
    lines = dockerfile.splitlines()
    for number, line in enumerate(lines, start=1):
        for dash, _, word in () if line.lstrip().startswith("#") else _BEGIN.findall(line):
            ends = (end.lstrip("\t") if dash else end for end in lines[number:])
            if word in ends:
                return number, word
    return None
