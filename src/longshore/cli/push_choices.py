"""Parsed flags about pushing put together as the values that pushers take.

Apart from `requests`: a push needs no project, and imports nothing that reads one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from longshore.commands.registry_options import RegistryOptions
from longshore.errors import UsageError
from longshore.image.compression import CompressionOptions, codec_for
from longshore.oci.media_types import Compression, Format
from longshore.registry.limits import Limits
from longshore.run.push.settings import PusherChoice, PushSettings

if TYPE_CHECKING:
    from longshore.cli.choices import Flags
    from longshore.commands.push import PushCommand


def push(flags: Flags) -> PushCommand:
    """All of ``longshore push``."""
    from longshore.commands.push import PushCommand

    return PushCommand(
        image=flags["image"],
        targets=tuple(flags["targets"]),
        engine=flags["engine"],
        registries=registries(flags),
        settings=push_settings(flags, "--format"),
        dockercfg=flags["encrypted_dockercfg_path"] or None,
        key_path=Path(flags["key_path"]) if flags["key_path"] else None,
        user_credentials=not flags["no_user_credentials"],
        quiet=flags["quiet"],
    )


def registries(flags: Flags) -> RegistryOptions:
    """How registries are reached."""
    return RegistryOptions(
        authorities=tuple(map(Path, flags.get("registry_ca", ()))),
        insecure=tuple(flags.get("insecure_registry", ())),
    )


def push_settings(flags: Flags, format_flag: str = "--push-format") -> PushSettings:
    """The defaults for commands without these flags; raises UsageError for what cannot be done.

    `format_flag` is what the command calls ``push_format``.
    """
    if "compression" not in flags:
        return PushSettings()
    pusher = PusherChoice(flags.get("pusher", PusherChoice.AUTO))
    if pusher is PusherChoice.ENGINE:
        _refuse_what_engines_cannot_do(flags, format_flag)
    asked = flags["compression"]
    compression = CompressionOptions(
        compression=Compression(asked or Compression.GZIP), level=flags["compression_level"]
    )
    # Asked for now, not after an hour of tests.
    codec_for(compression)
    return PushSettings(
        compression=compression,
        repack=asked is not None,
        format=_format(flags["push_format"], compression.compression),
        verify=flags["verify"],
        limits=Limits(retries=flags["push_retries"], deadline=flags["push_timeout"]),
        pusher=pusher,
        metadata_file=_metadata_file(flags["metadata_file"]),
        explain=flags.get("debug", False),
    )


def _refuse_what_engines_cannot_do(flags: Flags, format_flag: str) -> None:
    names = {
        "compression": "--compression",
        "compression_level": "--compression-level",
        "push_format": format_flag,
    }
    for flag, name in names.items():
        if flags[flag] is not None:
            raise UsageError(
                f"{name} has no effect on the engine's own push, which --pusher engine asks for",
                hint=f"leave one of the two away; with {name} longshore pushes by itself",
            )


def _metadata_file(name: str | None) -> Path | None:
    if not name:
        return None
    path = Path(name)
    if name == "-":
        there = "is no file: standard output is for digests and logs"
    elif os.path.isdir(path):  # noqa: PTH112  # false also where we may not look
        there = "is a directory"
    elif not os.path.isdir(path.parent):  # noqa: PTH112  # as above
        there = "is in no directory that exists"
    else:
        return path
    raise UsageError(f"--metadata-file {name} {there}", hint="name the file to write")


def _format(asked: str | None, compression: Compression) -> Format | None:
    """Docker's schema has no media type for zstd: such images are OCI's."""
    if compression is not Compression.ZSTD:
        return Format(asked) if asked else None
    if asked == Format.DOCKER:
        raise UsageError(
            "layers in zstd need the format oci",
            hint="leave the format away, or use --compression gzip",
        )
    return Format.OCI
