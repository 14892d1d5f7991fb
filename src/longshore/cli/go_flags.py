"""Flags as Go's ``flag`` package and cobra read them, turned into what click knows (C-2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import click

from longshore.cli.legacy_flags import LegacyFlag

Options = Mapping[str, click.Option]
"""Every flag of a command by each of its spellings."""

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


class _Word(NamedTuple):
    """A word of the command line; `is_value`: of the flag before it."""

    text: str
    is_value: bool = False


def without_go_spellings(
    args: Sequence[str], options: Options, *, only_first: bool = False
) -> list[str]:
    """``--flag=true`` is ``--flag``, ``--flag=false`` undoes it, ``-e=K=V`` is ``-e K=V``.

    `only_first`: flags end at the first word that is none. Raises BadParameter for a boolean that
    is neither.
    """
    kept: list[_Word] = []
    is_value = False
    for position, word in enumerate(args):
        if is_value:
            kept.append(_Word(word, is_value=True))
            is_value = False
            continue
        if word == "--" or (only_first and not word.startswith("-")):
            return [*(one.text for one in kept), *args[position:]]
        kept = _with(kept, word, options)
        is_value = bool(takes_next(word, options))
    return [one.text for one in kept]


def takes_next(word: str, options: Options) -> bool | None:
    """Whether the next word is the value of this flag, or of the last of these short ones
    (``-Te``); None for a word that is no flag of `options`."""
    name, equals, _ = word.partition("=")
    if name in options:
        return takes_value(options[name]) and not equals
    if word.startswith("--") or len(word) < 2 or word[0] != "-":
        return None
    for place, letter in enumerate(word[1:], 2):
        option = options.get(f"-{letter}")
        if option is None:
            return None
        if takes_value(option):
            return place == len(word)
    return False


def takes_value(option: click.Option) -> bool:
    """Whether it is more than a switch."""
    return not (option.is_flag or option.count)


def _with(kept: list[_Word], word: str, options: Options) -> list[_Word]:
    """The words so far and this one, which is no value."""
    name, equals, value = word.partition("=")
    option = options.get(name)
    if option is None or not equals or (name.startswith("--") and not option.is_flag):
        return [*kept, _Word(word)]
    if option.is_flag:
        return _switched(kept, option, name, _go_bool(name, value))
    return [*kept, _Word(name), _Word(value, is_value=True)]


def _switched(kept: Sequence[_Word], option: click.Option, name: str, value: bool) -> list[_Word]:
    """The last of several spellings of one flag counts; flags of old are kept for their notice."""
    others = [word for word in kept if word.is_value or word.text not in option.opts]
    return [*others, _Word(name)] if value or isinstance(option, LegacyFlag) else others


def _go_bool(name: str, value: str) -> bool:
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise click.BadParameter(f'"{value}" is neither true nor false', param_hint=name)
