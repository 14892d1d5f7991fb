"""``longshore push``: the command line of it."""

from __future__ import annotations

from typing import Any

import click

from longshore.cli import options
from longshore.cli.cobra import CobraCommand


@click.command(cls=CobraCommand, name="push")
@click.argument("image")
@click.argument("targets", nargs=-1)
@options.push_flags("--format")
@options.pusher_flag
@options.registry_flags
@options.text("--encrypted-dockercfg-path", "encrypted registry credentials")
@options.key_of_current_directory
@options.no_user_credentials
@options.engine_flag
@options.flag("--quiet", "-q", help="print nothing but the digest")
@options.flag("--debug", "-v", "debug", help="tell also where layers are read, and why there")
def push(**flags: Any) -> int:
    """Push IMAGE under its own name, or under every TARGET.

    IMAGE is a name or ID the engine knows, oci:DIRECTORY[:NAME], docker-archive:FILE[:NAME], or
    the path of either that begins with ./, ../, ~/ or /. Several targets are pushed at once, and
    what they share is sent once.
    """
    from longshore.cli import push_choices, terminal
    from longshore.commands.push import push_images
    from longshore.environment import Environment

    return push_images(
        push_choices.push(flags),
        Environment.of_process(),
        terminal.sink(),
        terminal.leave_at_once,
    )
