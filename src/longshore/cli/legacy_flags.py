"""Flags of jet 1.x that are accepted and do nothing, with a notice (spec 7.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_NO_MEANING = "it has no meaning any more"
_LEGACY = {
    "--cache": "layers are always taken from the cache, but with --no-cache",
    "--keep-volume-containers": "--keep-volumes lets steps share volumes",
    "--print-build-output": "build output is shown, but with --no-print-build-output",
    "--remote-cache": "see --cache-registry",
    "--singleton-links": "a shared dependency always has one container a step",
    "--system": _NO_MEANING,
}
_LEGACY_TEXTS = {
    "--key-type": _NO_MEANING,
    "--log-driver": "see --log-format",
}


class LegacyFlag(click.Option):
    """A flag of jet 1.x that does nothing; ``--flag=false`` is as good as ``--flag``."""


def legacy_flags(function: Command) -> Command:
    """Flags of jet 1.x that are accepted and do nothing, with a notice (spec 7.2)."""
    for name in _LEGACY:
        function = _legacy_option(name, is_flag=True, cls=LegacyFlag)(function)
    for name in _LEGACY_TEXTS:
        function = _legacy_option(name)(function)
    return function


def legacy_key_type(function: Command) -> Command:
    """The one of them that commands around keys had."""
    decorated: Command = _legacy_option("--key-type")(function)
    return decorated


def _legacy_option(name: str, **settings: Any) -> Callable[[Any], Any]:
    return click.option(name, hidden=True, expose_value=False, callback=_legacy, **settings)


def _legacy(ctx: click.Context, option: click.Parameter, value: object) -> None:
    if value:
        name = option.opts[0]
        reason = (_LEGACY | _LEGACY_TEXTS)[name]
        click.echo(f"notice: {name} is ignored: {reason}", err=True)
